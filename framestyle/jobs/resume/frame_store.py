"""Frames that wait on disk, so that memory stays small however long a shot is."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from framestyle.errors import StorageError

Arrays = Mapping[str, npt.NDArray[Any]]


class DiskStore(MutableMapping[int, Arrays]):
    """Arrays by frame number, each in a file of its own in `folder`, which is made when it is first needed.

    `files`: what lies there already, by number. With `hold`, a file that is replaced or deleted stays until `tidy`:
    what was recorded of the store before can be gone back to. Errors: StorageError where the disk is full or cannot be
    written.
    """

    def __init__(self, folder: Path, files: Mapping[int, str] | None = None, *, hold: bool = False) -> None:
        self.folder, self._hold = folder, hold
        self.files: dict[int, str] = dict(files or {})
        self._count = 1 + max((int(name.split("-")[0]) for name in self.files.values()), default=-1)

    def __setitem__(self, number: int, arrays: Arrays) -> None:
        before = self.files.get(number)
        name = f"{self._count:08d}-frame-{number}.npz"
        self._count += 1
        try:
            self.folder.mkdir(exist_ok=True)
            with (self.folder / name).open("wb") as file:
                np.savez(file, allow_pickle=False, **arrays)
                file.flush()
                if self._hold:
                    os.fsync(file.fileno())
        except OSError as error:
            raise StorageError(
                f"frames cannot be kept in {self.folder}: {error.strerror or error}",
                next_step="Free some space there, then give the same command again.",
            ) from error
        self.files[number] = name
        self._drop(before)

    def __getitem__(self, number: int) -> Arrays:
        with np.load(self.folder / self.files[number], allow_pickle=False) as kept:
            return {name: kept[name] for name in kept.files}

    def __delitem__(self, number: int) -> None:
        self._drop(self.files.pop(number))

    def __iter__(self) -> Iterator[int]:
        return iter(sorted(self.files))

    def __len__(self) -> int:
        return len(self.files)

    def _drop(self, name: str | None) -> None:
        if name is not None and not self._hold:
            (self.folder / name).unlink()

    def tidy(self, keep: Iterable[str] = ()) -> None:
        """Files that are neither in the store nor to be kept are removed."""
        if self.folder.is_dir():
            wanted = {*self.files.values(), *keep}
            for path in self.folder.iterdir():
                if path.name not in wanted:
                    path.unlink(missing_ok=True)
