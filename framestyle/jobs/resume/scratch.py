"""A hidden folder for what is not finished. It goes even where its job is killed: the next job there clears it away."""

from __future__ import annotations

import secrets
import shutil
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from filelock import FileLock, Timeout

PREFIX, LOCK = ".framestyle-scratch-", "lock"


class Scratch:
    """A context manager: a folder of this job's own in `beside`, locked as long as the job lives.

    On its way in it removes those of jobs that are no more. Where no folder can be made there, `folder` is None:
    whoever writes there next will say why.
    """

    def __init__(self, beside: Path) -> None:
        self.beside = beside
        self.folder: Path | None = None
        self._lock: FileLock | None = None

    def __enter__(self) -> Self:
        folder = self.beside / f"{PREFIX}{secrets.token_hex(6)}"
        try:
            folder.mkdir(parents=True)
        except OSError:
            return self
        self._lock = FileLock(folder / LOCK, timeout=0)
        self._lock.acquire()
        self.folder = folder
        for other in self.beside.glob(f"{PREFIX}*"):
            if other != folder:
                _clear_away(other)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.folder is not None and self._lock is not None:
            shutil.rmtree(self.folder, ignore_errors=True)
            self._lock.release()

    def for_target(self, target: Path) -> Path | None:
        """The folder, where it is of the target's file system: a finished file is put in its place by renaming."""
        return for_target(self.folder, target)


def for_target(folder: Path | None, target: Path) -> Path | None:
    """A scratch folder, where it is of the target's file system."""
    with suppress(OSError):
        if folder is not None and folder.stat().st_dev == target.parent.stat().st_dev:
            return folder
    return None


def _clear_away(folder: Path) -> None:
    """Where nobody holds its lock."""
    lock = FileLock(folder / LOCK, timeout=0)
    with suppress(OSError, Timeout):
        lock.acquire()
        try:
            shutil.rmtree(folder, ignore_errors=True)
        finally:
            lock.release()
