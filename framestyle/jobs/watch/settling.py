"""What becomes of a file in a watched folder once it was dealt with: put aside, or told why it was not painted."""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from pathlib import Path

from framestyle.jobs.watch.listing import DONE, FAILED
from framestyle.media.files import atomic_output, storage_error
from framestyle.media.video.sequences import existing_files

LONGEST_NAME_BYTES = 255


class Settling:
    """Where files go: into `done/` and `failed/` of the watched folder where `moves`, else they stay as they are.

    Reasons are put beside a moved file, else into `failed/` of the output folder. No file is ever put over another one.
    """

    def __init__(self, folder: Path, output: Path, *, moves: bool) -> None:
        self._folder, self._output, self._moves = folder, output, moves

    def done(self, path: Path) -> None:
        """It is painted. OutputError where it cannot be moved."""
        self.forget(path)
        if self._moves:
            self._move(path, DONE)

    def forget(self, path: Path) -> None:
        """What was said of it holds no longer."""
        with suppress(OSError):
            self._reason(path).unlink(missing_ok=True)

    def failed(self, path: Path, why: str) -> None:
        """The reason first: a stop between the two leaves the file where it will fail again."""
        if not self._moves:
            self._write(self._reason(path), why)
            return
        target = _free(self._folder / FAILED / path.relative_to(self._folder))
        self._write(target.with_name(_fitting(target.name, ".txt")), why)
        self._move(path, FAILED)

    def _reason(self, path: Path) -> Path:
        inner = path.relative_to(self._folder)
        return self._output / FAILED / inner.parent / _fitting(inner.name, ".txt")

    def _write(self, target: Path, why: str) -> None:
        with atomic_output(target) as temporary:
            temporary.write_text(f"{why}\n", encoding="utf-8")

    def _move(self, path: Path, where: str) -> None:
        for file in existing_files(path):
            target = _free(self._folder / where / file.relative_to(self._folder))
            try:
                target.parent.mkdir(parents=True, exist_ok=True)
                file.rename(target)
            except FileNotFoundError:
                continue  # somebody took it away
            except OSError as error:
                raise storage_error(error, target) from error


def _free(path: Path) -> Path:
    """A name that nothing has: a.jpg, a.2.jpg, a.3.jpg."""
    number, free = 1, path
    while os.path.lexists(free):
        number += 1
        free = path.with_name(_fitting(path.stem, f".{number}{path.suffix}"))
    return free


def _fitting(name: str, ending: str) -> str:
    """With its ending; where file systems have no place for it, its beginning, and what tells it from others."""
    encoded, room = os.fsencode(name), LONGEST_NAME_BYTES - len(os.fsencode(ending))
    if len(encoded) <= room:
        return f"{name}{ending}"
    told_by = f"~{hashlib.sha256(encoded).hexdigest()[:8]}"
    begun = encoded[: room - len(told_by)].decode(errors="ignore")
    return f"{begun}{told_by}{ending}"
