"""Which photo formats there are, by the names of their files, and what each can hold."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from PIL import features

from framestyle.errors import OutputError


def _formats() -> dict[str, str]:
    found = {".jpg": "JPEG", ".jpeg": "JPEG", ".png": "PNG", ".webp": "WEBP", ".tif": "TIFF", ".tiff": "TIFF"}
    found[".bmp"] = "BMP"
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
WITH_WORDS = {"JPEG", "PNG", "WEBP", "TIFF", "AVIF", "HEIF"}
"""Formats that hold EXIF, XMP and a colour profile."""
DEEP = {"PNG", "TIFF"}
"""Written with 16 bits a channel."""
HOW_TO_HEIC = "Install what reads them: pip install 'framestyle[heic]'. Or save it as JPEG or PNG."


def use_heif() -> None:
    """Lets Pillow open and save HEIC where pillow-heif is installed; once is enough, more does no harm."""
    if ".heic" in FORMATS:
        import pillow_heif

        pillow_heif.register_heif_opener()


def check_photo_format(target: Path) -> None:
    """OutputError where the target's suffix names no photo format."""
    if target.suffix.lower() not in FORMATS:
        raise OutputError(
            f"{target}: no photo format ends in {target.suffix!r}", next_step=f"Known: {', '.join(FORMATS)}."
        )
