"""What is finished in an output folder: a JSON file in it, by which the same command goes on where it stopped.

An output counts as finished where its input, the work done on it and the output itself are what they were. The file is
replaced whole before each task, so that at most the task at hand is not in it; that one is named as begun, and may be
replaced. One that cannot be trusted is set aside. Two jobs may share a folder: each keeps what the other wrote.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from enum import Enum
from itertools import chain
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from framestyle.errors import FramestyleError
from framestyle.jobs.plan.tasks import Task
from framestyle.jobs.resume.fingerprint import FileFingerprint
from framestyle.jobs.resume.manifest_contents import Contents, Done, Failed, parse
from framestyle.kinds import MediaKind
from framestyle.media.files import atomic_output, storage_error, sync
from framestyle.media.verify.verdict import precisions_in
from framestyle.media.video.sequences import existing_files

NAME = ".framestyle.json"


class OutputStatus(Enum):
    """How a task's output stands before it is worked on."""

    ABSENT = "not there"
    DONE = "done"
    BEGUN = "being made when a job was stopped"
    OTHER_INPUT = "made before its input changed"
    OTHER_WORK = "made with other settings"
    CHANGED = "changed after it was made"
    UNKNOWN = "not made here, as far as is known"


class Manifest:
    """A folder's manifest, to be asked; inside `with`, to be written too.

    `trouble` says why what lay there is not trusted. `scratch`: see `atomic_output`.
    """

    scratch: Path | None = None

    def __init__(self, folder: Path, name: str = NAME) -> None:
        self.folder, self.path = folder, folder / name
        self.trouble: str | None = None
        self._mine: set[str] = set()  # outputs that this job has said something of
        self._changed = False
        self._seen: tuple[int, ...] | None = None
        self._contents = Contents()
        try:
            self._contents = self._read()
        except ValueError as error:
            self.trouble = str(error)

    def _read(self) -> Contents:
        """What lies there now. ValueError where that cannot be trusted."""
        try:
            with self.path.open("rb") as file:
                self._seen = _identity(os.fstat(file.fileno()))
                return parse(file.read().decode())
        except (FileNotFoundError, NotADirectoryError):
            return Contents()
        except OSError as error:
            raise ValueError(error.strerror or str(error)) from error

    # -- asking --------------------------------------------------------------------------------------------

    def status(self, task: Task, works: Collection[str]) -> OutputStatus:
        """How the output of a task stands, were it to be made by a work that has these keys."""
        files = task.outputs()
        if not files:
            return OutputStatus.ABSENT
        name = self._name(task)
        entry = self._contents.done.get(name)
        begun = name in self._contents.begun
        output = None if entry is None else entry.output.of_same(files)
        if entry is None or output is None:
            if begun:
                return OutputStatus.BEGUN
            return OutputStatus.UNKNOWN if entry is None else OutputStatus.CHANGED
        given = entry.input.of_same(task.inputs())
        if given is not None and entry.work in works:
            # Times alone may have changed, as when a folder is copied: so that it is not read again next time.
            self._keep(name, replace(entry, input=given, output=output))
            return OutputStatus.DONE
        if begun:
            return OutputStatus.BEGUN
        return OutputStatus.OTHER_INPUT if given is None else OutputStatus.OTHER_WORK

    def has_failed(self, task: Task) -> bool:
        """Whether this very input could not be read before."""
        entry = self._contents.failed.get(self._name(task))
        return entry is not None and entry.input.of_same(task.inputs()) is not None

    def names(self) -> Iterator[str]:
        """Of every output that it knows, there or not: its path below the folder."""
        return chain(self._contents.done, self._contents.begun)

    def recorded_work(self, task: Task) -> Mapping[str, Any]:
        """What was written about the work that made a task's output; empty where nothing was."""
        entry = self._contents.done.get(self._name(task))
        return {} if entry is None else self._contents.works.get(entry.work, {})

    def recorded_works(self, leave_out: Collection[Task] = ()) -> Iterator[str]:
        """Of each output that is done or begun, the key of the work that makes it, as far as that is known."""
        ours, without = self._contents, {self._name(task) for task in leave_out}
        for name in (ours.done.keys() | ours.begun.keys()) - without:
            key = ours.begun.get(name) or (ours.done[name].work if name in ours.done else None)
            if key is not None:
                yield key

    def precision_of(self, work: str) -> str | None:
        """The precision that was written about a work; None where none was, or several."""
        named = _precisions_recorded(self._contents.works.get(work, {}))
        return named.pop() if len(named) == 1 else None

    def precisions_of(self, output: Path) -> set[str]:
        """Every precision that is recorded of an output; empty where that is not what was made, or not recorded."""
        entry = self._contents.done.get(output.relative_to(self.folder).as_posix())
        if entry is None or entry.output.of_same(existing_files(output)) is None:
            return set()
        named = _precisions_recorded(self._contents.works.get(entry.work, {}))
        return named if entry.precision is None else named | {entry.precision}

    def _name(self, task: Task) -> str:
        return task.target.relative_to(self.folder).as_posix()

    # -- writing -------------------------------------------------------------------------------------------

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if self._changed:
                self.save()
        except FramestyleError:
            if error is None:
                raise

    def record_work(self, work: str, data: Mapping[str, Any]) -> None:
        """Words about a work, for whoever reads the file."""
        self._contents.works[work] = dict(data)

    def begin(self, task: Task, work: str | None = None) -> None:
        """On disk at once, with all that was said before: from here on this output may be a stopped job's."""
        self._mine.add(self._name(task))
        self._contents.begun[self._name(task)] = work
        self.save()

    def finish(self, task: Task, work: str, given: FileFingerprint, precision: str | None = None) -> None:
        """A photo reaches the disk with the next task, and stands there as begun until then; a clip at once."""
        self.give_up(task)
        self._contents.failed.pop(self._name(task), None)
        self._keep(self._name(task), Done(work, given, FileFingerprint.of(task.outputs()), precision))
        if task.kind is MediaKind.VIDEO:
            self.save()

    def fail(self, task: Task, given: FileFingerprint, message: str) -> None:
        """The input cannot be read. When it reaches the disk, see `finish`."""
        self.give_up(task)
        self._contents.failed[self._name(task)] = Failed(given, message)

    def give_up(self, task: Task) -> None:
        """The task is over, and left no output."""
        self._contents.begun.pop(self._name(task), None)
        self._mine.add(self._name(task))
        self._changed = True

    def _keep(self, name: str, entry: Done) -> None:
        if self._contents.done.get(name) != entry:
            self._contents.done[name] = entry
            self._mine.add(name)
            self._changed = True

    def save(self) -> None:
        """Onto the disk, with what others wrote there meanwhile. StorageError or OutputError where it cannot be."""
        self._take_in_others()
        self._set_aside()
        scratch = self.scratch if self.scratch is not None and self.scratch.is_dir() else None
        with atomic_output(self.path, scratch) as temporary:
            self._write(temporary)
            while self._take_in_others():
                self._write(temporary)
            self._set_aside()
            self._seen = _identity(temporary.stat())
        self._changed = False

    def _write(self, temporary: Path) -> None:
        """Onto the disk at once: between the last look at the others and the new name lies next to nothing."""
        temporary.write_text(self._contents.text(), encoding="ascii")
        sync(temporary)

    def _take_in_others(self) -> bool:
        """What another job wrote into the same folder meanwhile; whether it did."""
        try:
            if self._seen == _identity(self.path.stat()):
                return False
            others = self._read()
        except OSError:
            return False
        except ValueError as error:
            self.trouble = str(error)
            return False
        ours = self._contents
        ours.works = {**others.works, **ours.works}
        for name in (others.done.keys() | others.failed.keys() | others.begun.keys()) - self._mine:
            if name in others.done:
                ours.done[name] = others.done[name]
            if name in others.failed:
                ours.failed[name] = others.failed[name]
            if name in others.begun:
                ours.begun[name] = others.begun[name]
        return True

    def _set_aside(self) -> None:
        """What lies there, where it is not trusted."""
        if self.trouble is None:
            return
        number = 0
        while os.path.lexists(aside := self.path.with_name(f"{NAME}.set-aside-{(number := number + 1)}")):
            pass
        try:
            os.replace(self.path, aside)
        except FileNotFoundError:
            pass
        except OSError as error:
            raise storage_error(error, self.path) from error
        self.trouble = None


def _precisions_recorded(data: Mapping[str, Any]) -> set[str]:
    with suppress(KeyError, TypeError, AttributeError):
        return precisions_in(data)
    return set()


def _identity(stat: os.stat_result) -> tuple[int, ...]:
    return stat.st_ino, stat.st_size, stat.st_mtime_ns
