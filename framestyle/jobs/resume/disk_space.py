"""Room on the disk: how much there is, and whether it will do. Loads no torch."""

from __future__ import annotations

import shutil
from pathlib import Path

from framestyle.errors import Code, StorageError
from framestyle.events import Note
from framestyle.paths import absolute, is_there

RESERVE_BYTES = 8e6
"""What is always left: for the ends of files, and for the list of what is done."""


def nearest_folder(path: Path) -> Path:
    """Itself or the nearest above it, that exists."""
    return next((one for one in (path, *absolute(path).parents) if is_there(one)), Path())


def free_bytes(folder: Path) -> float:
    """On the disk that the folder is or will be on."""
    return float(shutil.disk_usage(nearest_folder(folder)).free)


def shortage(folder: Path, needed_bytes: float) -> Note | None:
    """A warning before the work, where by estimate there is too little."""
    free = free_bytes(folder)
    if needed_bytes <= free:
        return None
    return Note(
        f"By estimate {needed_bytes / 1e9:.2f} GB are needed on the disk of {folder}, and {free / 1e9:.2f} GB are free."
        " Work stops before it is full, and goes on when there is room.",
        "warning",
    )


def refuse_shortage(folder: Path, needed_bytes: float) -> None:
    """StorageError where there is not so much, and the reserve."""
    free = free_bytes(folder)
    if free < needed_bytes + RESERVE_BYTES:
        raise StorageError(
            f"only {free / 1e6:.0f} MB are free on the disk of {folder}: stopped before it is full",
            code=Code.DISK_FULL,
            facts={"path": str(folder), "free_bytes": free},
            next_step="What is done is kept. Free some space, then give the same command again.",
        )
