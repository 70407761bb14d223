"""Which photo formats there are, by the names of their files, and what each can hold."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from PIL import features

from framestyle.errors import OutputError


def _formats() -> dict[str, str]:
    found = dict.fromkeys((".jpg", ".jpeg", ".jpe", ".jfif"), "JPEG")
    found |= {".png": "PNG", ".webp": "WEBP", ".tif": "TIFF", ".tiff": "TIFF", ".bmp": "BMP"}
    if features.check("avif"):
        found[".avif"] = "AVIF"
    if importlib.util.find_spec("pillow_heif") is not None:
        found |= {".heic": "HEIF", ".heif": "HEIF"}
    return found


FORMATS = _formats()
"""Suffix -> Pillow's name."""
READ = ("JPEG", "MPO", "PNG", "WEBP", "TIFF", "BMP", "GIF", "AVIF", "HEIF")
"""What is opened: other decoders have no business with these files."""
WITH_ALPHA = {"PNG", "WEBP", "TIFF", "AVIF", "HEIF"}
WITH_METADATA = {"JPEG", "PNG", "WEBP", "TIFF", "AVIF", "HEIF"}
"""Formats that hold EXIF, XMP and a colour profile."""
MOST_BITS = {"PNG": 16, "TIFF": 16, "AVIF": 12, "HEIF": 12}
"""A channel, of formats that hold more than 8."""
WITH_HDR = {"PNG", "AVIF", "HEIF"}
"""Formats that say by H.273's numbers what colours mean, and so can say PQ and HLG."""
HOW_TO_HEIC = "Install what reads them: pip install 'framestyle[heic]'. Or save it as JPEG or PNG."


def use_heif() -> None:
    """Lets Pillow open and save HEIC where pillow-heif is installed; once is enough, more does no harm."""
    if ".heic" in FORMATS:
        import pillow_heif

        pillow_heif.register_heif_opener()


def most_bits(kind: str) -> int:
    """A channel that a format holds, by Pillow's name."""
    return MOST_BITS.get(kind, 8)


def own_suffix(path: Path) -> str | None:
    """What a photo's name should end in, by its first bytes; its own ending where that is right.

    None where it is a format that is read and not written.
    """
    kind, suffix = format_in(path), path.suffix.lower()
    if kind is not None and FORMATS.get(suffix) == kind:
        return suffix
    return next((one for one, written in FORMATS.items() if written == kind), None)


def format_in(path: Path) -> str | None:
    """Pillow's name of a format that is written, by a file's first bytes."""
    with path.open("rb") as file:
        head = file.read(16)
    if head[4:8] == b"ftyp":
        return "AVIF" if head[8:12] in (b"avif", b"avis") else "HEIF"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "WEBP"
    return next((kind for start, kind in HEADS.items() if head.startswith(start)), None)


HEADS = {
    b"\xff\xd8\xff": "JPEG", b"\x89PNG\r\n\x1a\n": "PNG", b"BM": "BMP",
    **dict.fromkeys((b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"), "TIFF"),
}  # fmt: skip


def check_photo_format(target: Path) -> None:
    """OutputError where the target's suffix names no photo format."""
    if target.suffix.lower() not in FORMATS:
        raise OutputError(
            f"{target}: no photo format ends in {target.suffix!r}", next_step=f"Known: {', '.join(FORMATS)}."
        )
