"""A hidden folder for what is not finished. It goes even where its job is killed: the next job there clears it away."""

from __future__ import annotations

import errno
import secrets
import shutil
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from filelock import FileLock, Timeout

from framestyle.jobs.resume.locks import acquired

PREFIX, LOCK = ".framestyle-scratch-", "lock"
NEWBORN_S = 5.0
"""Most that another job looks at a folder that was just made."""


class Scratch:
    """A context manager: a folder of this job's own in `beside`, locked as long as the job lives.

    On its way in it removes those of jobs that are no more; on its way out the folders that it made, where nothing came
    into them. Where no folder can be made there, `folder` is None:
    whoever writes there next will say why. Nor is there one on a file system without locks.
    """

    def __init__(self, beside: Path) -> None:
        self.beside = beside
        self.folder: Path | None = None
        self._lock: FileLock | None = None
        self._made: list[Path] = []

    def __enter__(self) -> Self:
        self._made = _missing(self.beside)
        try:
            while self.folder is None:
                self._make()
        except OSError:
            return self
        clear_dead(self.beside, but=self.folder)
        return self

    def _make(self) -> None:
        """One of our own; none where another job took it for a dead one's before it was locked."""
        folder = self.beside / f"{PREFIX}{secrets.token_hex(6)}"
        folder.mkdir(parents=True)
        lock = FileLock(folder / LOCK, timeout=NEWBORN_S)
        # The lock makes its folder where that is missing; where another removes it just then, it "exists" and is none.
        with suppress(Timeout, FileNotFoundError, FileExistsError):
            if not acquired(lock):
                shutil.rmtree(folder, ignore_errors=True)
                raise OSError(errno.ENOLCK, "no locks", str(folder))
            if (folder / LOCK).exists():
                self.folder, self._lock = folder, lock
                return
            lock.release()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.folder is not None and self._lock is not None:
            shutil.rmtree(self.folder, ignore_errors=True)
            self._lock.release()
        with suppress(OSError):
            for folder in self._made:
                folder.rmdir()

    def for_target(self, target: Path) -> Path | None:
        """The folder, where it is of the target's file system: a finished file is put in its place by renaming."""
        return for_target(self.folder, target)


def for_target(folder: Path | None, target: Path) -> Path | None:
    """A scratch folder, where it is of the target's file system."""
    with suppress(OSError):
        if folder is not None and folder.stat().st_dev == target.parent.stat().st_dev:
            return folder
    return None


def _missing(folder: Path) -> list[Path]:
    """Of a folder and those above it, the ones that are not there, the innermost first."""
    missing = []
    with suppress(OSError):
        while not folder.exists():
            missing.append(folder)
            folder = folder.parent
    return missing


def is_alive(folder: Path) -> bool:
    """Whether a job holds it; one that is gone is not."""
    if not (folder / LOCK).exists():  # the lock would make the folder again
        return False
    lock = FileLock(folder / LOCK, timeout=0)
    try:
        if not acquired(lock):
            return True  # it cannot be told
    except Timeout:
        return True
    except OSError:
        return folder.is_dir()  # another user's, say
    lock.release()
    return False


def clear_dead(beside: Path, *, but: Path | None = None) -> None:
    """The folders there of jobs that are no more."""
    for folder in beside.glob(f"{PREFIX}*"):
        if folder != but:
            _clear_away(folder)


def _clear_away(folder: Path) -> None:
    """Where nobody holds its lock."""
    lock = FileLock(folder / LOCK, timeout=0)
    with suppress(OSError, Timeout):
        if not acquired(lock):
            return
        try:
            shutil.rmtree(folder, ignore_errors=True)
        finally:
            lock.release()
