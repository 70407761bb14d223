"""A folder as it comes from several people: forty photos of every kind, two of them damaged, one huge."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from photo_makers import DISPLAY_P3, SRGB, camera_exif, orientation_exif, picture, save, stored
from PIL import Image, features

WIDTH, HEIGHT = 60, 40
HUGE = (10_000, 9_000)


@dataclass(frozen=True)
class Expected:
    """What the result of one of them must have. `upright`: HWC uint8, what it shows; None where it is damaged."""

    name: str
    upright: Any
    becomes: str = ""
    deep: bool = False
    alpha: Any = None
    profile: bytes | None = None
    camera: bool = False

    @property
    def result(self) -> str:
        """Its output's name."""
        return self.becomes or self.name


def _shown(dtype: Any = np.uint8) -> Any:
    return picture(dtype, HEIGHT, WIDTH)


def _alpha(dtype: Any = np.uint8) -> Any:
    """Hidden, half and whole: in columns, the more to the right the less transparent."""
    top = np.iinfo(dtype).max
    return np.repeat(np.array([0, top // 2, top], dtype), WIDTH // 3)[None].repeat(HEIGHT, axis=0)


def _grey() -> Any:
    return np.asarray(Image.fromarray(_shown()).convert("L"))


def make_forty(folder: Path) -> list[Expected]:
    """Writes them, and says what their results must be like."""
    made = list(_all(folder))
    assert len({one.name for one in made}) == len(made) == 40
    return made


def _all(folder: Path) -> Iterator[Expected]:
    def at(name: str) -> Path:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    for turn in range(1, 9):
        name = f"Wanderung/Größe & Lage/Ausrichtung {turn}.jpg"
        save(at(name), stored(_shown(), turn), exif=camera_exif(turn))
        yield Expected(name, _shown(), camera=True)
        name = f"회전/turned-{turn}.{'png' if turn % 2 else 'webp'}"
        save(at(name), stored(_shown(), turn), exif=orientation_exif(turn))
        yield Expected(name, _shown())
    yield from _deep(at)
    yield from _transparent(at)
    yield from _other_colours(at)
    for name, profile in (
        ("a.jpg", DISPLAY_P3),
        ("a.png", DISPLAY_P3),
        ("a.webp", DISPLAY_P3),
        ("b.jpg", SRGB),
    ):
        save(at(f"wide/{name}"), _shown(), icc_profile=profile, exif=camera_exif())
        yield Expected(f"wide/{name}", _shown(), profile=profile, camera=True)
    for suffix in ("bmp", "avif" if features.check("avif") else "jpeg"):
        save(at(f"e\u0301te\u0301/🌻 {suffix}.{suffix}"), _shown())
        yield Expected(f"e\u0301te\u0301/🌻 {suffix}.{suffix}", _shown())
    yield from _damaged(at)
    across, down = HUGE
    huge = np.zeros((down, across, 3), np.uint8)
    huge[..., 0] = np.linspace(0, 240, across, dtype=np.uint8)
    huge[..., 1] = np.linspace(0, 240, down, dtype=np.uint8)[:, None]
    Image.fromarray(huge).save(at("panorama.jpg"), quality=40)
    yield Expected("panorama.jpg", np.ascontiguousarray(huge[::50, ::50]))


def _deep(at: Any) -> Iterator[Expected]:
    layers, alpha = _shown(np.uint16), _alpha(np.uint16)
    save(at("scans/deep.png"), layers, exif=camera_exif())
    yield Expected("scans/deep.png", _shown(), deep=True, camera=True)
    save(at("scans/deep.tif"), layers)
    yield Expected("scans/deep.tif", _shown(), deep=True)
    save(at("scans/deep p3.png"), layers, icc_profile=DISPLAY_P3)
    yield Expected("scans/deep p3.png", _shown(), deep=True, profile=DISPLAY_P3)
    for name in ("cut-out.png", "cut-out.tiff"):
        save(at(f"scans/{name}"), np.dstack([layers, alpha]))
        yield Expected(f"scans/{name}", _shown(), deep=True, alpha=_alpha())


def _transparent(at: Any) -> Iterator[Expected]:
    for name in ("logo.png", "logo.webp", "logo.tif"):
        save(at(f"logos/{name}"), np.dstack([_shown(), _alpha()]))
        yield Expected(f"logos/{name}", _shown(), alpha=_alpha())
    Image.fromarray(np.dstack([_grey(), _alpha()])).save(at("logos/grey.png"))
    yield Expected("logos/grey.png", np.dstack([_grey()] * 3), alpha=_alpha())


def _other_colours(at: Any) -> Iterator[Expected]:
    greys = np.dstack([_grey()] * 3)
    for suffix in ("jpg", "png", "tif"):
        Image.fromarray(_grey()).save(at(f"film/roll.{suffix}"))
        yield Expected(f"film/roll.{suffix}", greys)
    for suffix in ("jpg", "tif"):
        Image.fromarray(_shown()).convert("CMYK").save(at(f"print/page.{suffix}"))
        yield Expected(f"print/page.{suffix}", _shown())
    Image.fromarray(_shown()).save(at("print/no ending"), "JPEG", quality=98)
    yield Expected("print/no ending", _shown(), becomes="print/no ending.jpg")


def _damaged(at: Any) -> Iterator[Expected]:
    for name in ("half a photo.jpg", "deep/er/half a photo.png"):
        whole = at(name)
        save(whole, picture(height=200, width=300))
        whole.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
        yield Expected(name, None)
