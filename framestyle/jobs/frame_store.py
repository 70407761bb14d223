"""Frames that wait on disk between two passes over a shot, so that memory stays small however long it is."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, MutableMapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from framestyle.errors import StorageError

Arrays = Mapping[str, npt.NDArray[Any]]


class DiskStore(MutableMapping[int, Arrays]):
    """Arrays by frame number, in a folder of its own beside the output; gone when it is closed.

    Errors: StorageError where the disk is full or cannot be written.
    """

    def __init__(self, beside: Path) -> None:
        self._beside = beside
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._numbers: set[int] = set()

    def __enter__(self) -> DiskStore:
        return self

    def __exit__(self, *_: object) -> None:
        if self._folder is not None:
            self._folder.cleanup()
        self._numbers.clear()

    def __setitem__(self, number: int, arrays: Arrays) -> None:
        try:
            # Made when it is first needed: most jobs need none.
            self._folder = self._folder or tempfile.TemporaryDirectory(
                dir=self._beside, prefix=".framestyle-frames-"
            )
            np.savez(self._path(number), allow_pickle=False, **arrays)
        except OSError as error:
            raise StorageError(
                f"frames between two passes cannot be kept in {self._beside}: {error.strerror or error}",
                next_step="Free some space there, or use --set video.passes=1, which keeps none.",
            ) from error
        self._numbers.add(number)

    def __getitem__(self, number: int) -> Arrays:
        if number not in self._numbers:
            raise KeyError(number)
        with np.load(self._path(number), allow_pickle=False) as kept:
            return {name: kept[name] for name in kept.files}

    def __delitem__(self, number: int) -> None:
        self._numbers.remove(number)
        self._path(number).unlink()

    def __iter__(self) -> Iterator[int]:
        return iter(sorted(self._numbers))

    def __len__(self) -> int:
        return len(self._numbers)

    def _path(self, number: int) -> Path:
        if self._folder is None:
            raise KeyError(number)
        return Path(self._folder.name) / f"{number}.npz"
