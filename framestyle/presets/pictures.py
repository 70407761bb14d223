"""What a preset needs to know of a picture: whether it is one, and its main colours. Pillow comes in lazily."""

from __future__ import annotations

import json
import math
import os
import secrets
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from framestyle.presets.library import cache_dir, is_file

if TYPE_CHECKING:
    from PIL import Image

FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF", "AVIF")
"""Tried and no others: Pillow's EPS reader would start another program."""
LOOKED_AT_PX = 40
"""Longer side of what the colours are counted on."""
BINS, MAIN_COLORS = 16, 6
NEAR = 32.0
"""Distance in RGB below which two colours look like one in a strip."""
Color = tuple[int, int, int]


def picture_problem(picture: Path | IO[bytes]) -> str | None:
    """What is wrong, as the end of a sentence that begins with the picture's name; None where nothing is.

    Everything is decoded: a picture cut short is found here, not in the middle of a job.
    """
    try:
        with _opened(picture) as image:
            if image.format == "GIF" and getattr(image, "is_animated", False):
                return "is an animated GIF, and a style image is a still"
            image.load()
    except Exception as error:  # decoders raise whatever they like on damaged files
        return _reason(error)
    return None


def _reason(error: Exception) -> str:
    from PIL import Image, UnidentifiedImageError

    if isinstance(error, UnidentifiedImageError):
        return "is not an image"
    if isinstance(error, Image.DecompressionBombError):
        return "has too many pixels"
    return "is a damaged image"


@contextmanager
def _opened(picture: Path | IO[bytes]) -> Iterator[Image.Image]:
    from PIL import Image

    with warnings.catch_warnings():
        # Pillow warns of half the size that it refuses, and of odd EXIF.
        warnings.simplefilter("ignore")
        with Image.open(picture, formats=FORMATS) as image:
            yield image


# -- colours -----------------------------------------------------------------------------------------------


def main_colors(paths: Sequence[Path]) -> list[tuple[str, ...]]:
    """For each picture its main colours as `#rrggbb`, the largest share first; none where it cannot be read.

    Remembered in the cache by path, size and time of change: a list must not wait for large pictures.
    """
    cache = _Remembered(cache_dir() / "colors.json")
    found = [cache.get(path) for path in paths]
    cache.keep()
    return found


def _counted(path: Path) -> tuple[str, ...]:
    try:
        with _opened(path) as image:
            return _distinct(_shares(image))
    except Exception:  # a damaged picture has no colours here; `presets validate` says what is wrong
        return ()


def _shares(image: Image.Image) -> list[tuple[int, Color]]:
    """Pixels and colour of each bin, the fullest first."""
    from PIL import Image

    image.draft("RGB", (LOOKED_AT_PX, LOOKED_AT_PX))  # JPEG alone: decodes small
    image.thumbnail((LOOKED_AT_PX, LOOKED_AT_PX), Image.Resampling.NEAREST)  # no mixed colours at edges
    small = Image.new("RGB", image.size, "white")
    shown = image.convert("RGBA")
    small.paste(shown, mask=shown)
    few = small.quantize(BINS, kmeans=1)
    palette = few.getpalette() or []
    counts = sorted(few.getcolors() or [], reverse=True)
    return [(count, tuple(palette[3 * index : 3 * index + 3])) for count, index in counts]  # type: ignore[misc, operator]


def _distinct(shares: list[tuple[int, Color]]) -> tuple[str, ...]:
    """The colours that tell most: far from each other before all, and of some share. The fullest first."""
    chosen: list[tuple[int, Color]] = shares[:1]
    while len(chosen) < MAIN_COLORS:
        weighted = [(_apart(color, chosen) * count**0.25, (count, color)) for count, color in shares]
        _, found = max(weighted)
        if _apart(found[1], chosen) < NEAR:
            break
        chosen.append(found)
    return tuple("#{:02x}{:02x}{:02x}".format(*color) for _, color in sorted(chosen, reverse=True))


def _apart(color: Color, chosen: list[tuple[int, Color]]) -> float:
    return min(math.dist(color, other) for _, other in chosen)


class _Remembered:
    """Colours of earlier calls. What cannot be read or written is counted anew: nothing depends on it."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._known: dict[str, Any] = self._read()
        self._new = False

    def get(self, path: Path) -> tuple[str, ...]:
        """The colours of a picture."""
        try:
            state = path.stat()
        except OSError:
            return ()
        key, stamp = str(path), [state.st_size, state.st_mtime_ns]
        known = self._known.get(key)
        if not (isinstance(known, dict) and known.get("stamp") == stamp and _are_colors(known.get("colors"))):
            known = self._known[key] = {"stamp": stamp, "colors": list(_counted(path))}
            self._new = True
        return tuple(known["colors"])

    def keep(self) -> None:
        """Write what was counted; whole or not at all."""
        if not self._new:
            return
        temporary = self._file.with_name(f".colors-{secrets.token_hex(6)}")
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            there = {key: value for key, value in self._known.items() if is_file(Path(key))}
            temporary.write_text(json.dumps(there), encoding="utf-8")
            os.replace(temporary, self._file)
        except (OSError, ValueError):
            with suppress(OSError):
                temporary.unlink(missing_ok=True)

    def _read(self) -> dict[str, Any]:
        try:
            known = json.loads(self._file.read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError):
            return {}
        return known if isinstance(known, dict) else {}


def _are_colors(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(color, str) and len(color) == 7 for color in value)
