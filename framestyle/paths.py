"""Where a path leads, on whatever file system, and when it leads nowhere: a link in a circle, a folder that is gone."""

from __future__ import annotations

import difflib
import os
from pathlib import Path

PHOTO_NAMES = frozenset({
    "jpg", "jpeg", "jpe", "jfif", "png", "webp", "tif", "tiff", "bmp", "gif", "avif", "avifs", "heic", "heics",
    "heif", "heifs", "exr", "hdr",
})  # fmt: skip
"""The endings that say that a file is meant to be a photo. What it is, its contents tell."""
MOST_NAMES = 5000
"""Of a folder, so many are looked at for one that may have been meant."""


def resolved(path: Path) -> Path:
    """A path made absolute, its links followed; as far as that can be told, where it cannot: none raises.

    Links in a circle are a RuntimeError of pathlib before Python 3.13, and an absolute path is asked of a current
    folder that may have been removed.
    """
    try:
        return path.resolve()
    except (OSError, RuntimeError, ValueError):
        return absolute(path)


def is_folder(path: Path) -> bool:
    """Whether a folder is there; False too of a name that no file can have."""
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False


def is_there(path: Path) -> bool:
    """Whether a file or a folder is there; False too of a name that no file can have."""
    try:
        return path.exists()
    except (OSError, ValueError):
        return False


def near_names(path: Path) -> list[str]:
    """What lies in the folder of a path that is not there, and may have been meant: as paths of the same beginning."""
    try:
        names = [entry.name for entry, _ in zip(os.scandir(path.parent), range(MOST_NAMES), strict=False)]
    except (OSError, ValueError):
        return []
    close = difflib.get_close_matches(path.name[:100], names, 2, 0.7)
    return [str(path.with_name(name)) for name in close]


def absolute(path: Path) -> Path:
    """A path made absolute, links not followed; as it is, where the current folder is gone."""
    try:
        return path.absolute()
    except OSError:
        return path
