"""The folders of a watch: whether they can be what they are to be, and that no other watch is at work on them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from framestyle.errors import Code, InputError, OutputError, UsageError
from framestyle.jobs.watch.listing import DONE, FAILED
from framestyle.media.files import storage_error

LOCK = ".framestyle.lock"


def check_folders(folder: Path, output: Path, *, moves: bool) -> None:
    """InputError, UsageError and OutputError where the folders cannot be watched and written to, in words."""
    if not folder.is_dir():
        raise InputError(
            f"{folder} is no folder",
            code=Code.INPUT_MISSING,
            facts={"path": str(folder)},
            next_step="Make it first.",
        )
    inner, outer = folder.resolve(), output.resolve()
    if inner == outer or outer in inner.parents:
        raise UsageError(
            f"results in {output} would be taken for inputs of {folder}",
            next_step="Choose an output folder beside the watched one, or in it.",
        )
    for path in (folder / DONE, folder / FAILED) if moves else ():
        if os.path.lexists(path) and not path.is_dir():
            raise OutputError(
                f"{path} is no folder, and inputs are to be moved into it",
                next_step="Call it something else.",
            )


@contextmanager
def alone(folders: Sequence[Path]) -> Iterator[None]:
    """One watch a folder: an output folder, and a watched one whose files are moved. OutputError where there is one."""
    locks = [FileLock(folder / LOCK, timeout=0) for folder in folders]
    try:
        for folder, lock in zip(folders, locks, strict=True):
            try:
                folder.mkdir(parents=True, exist_ok=True)
                lock.acquire()
            except Timeout as error:
                raise OutputError(
                    f"another watch is at work on {folder}",
                    code=Code.OUTPUT_BUSY,
                    facts={"path": str(folder)},
                ) from error
            except OSError as error:
                raise storage_error(error, folder) from error
        yield
    finally:
        for lock in locks:
            lock.release()
