"""Where a path leads, on whatever file system, and when it leads nowhere: a link in a circle, a folder that is gone."""

from __future__ import annotations

from pathlib import Path


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


def absolute(path: Path) -> Path:
    """A path made absolute, links not followed; as it is, where the current folder is gone."""
    try:
        return path.absolute()
    except OSError:
        return path
