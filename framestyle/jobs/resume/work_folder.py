"""A clip's work folder: what is done of it, so that the same command goes on there, whatever stopped it.

It lies hidden beside the target and is gone when that is in its place. In it, in the order in which they become
durable: a segment with the frames that were finished since the last time, the state that the next frame depends on, and
an entry that names both. What no entry names is nothing. A corrupt one is passed over, with all that came after it.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Generator
from contextlib import closing, suppress
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from filelock import FileLock, Timeout
from safetensors import SafetensorError
from safetensors.torch import load_file

from framestyle.errors import Code, FramestyleError, OutputError
from framestyle.frames import Pixels
from framestyle.jobs.resume.disk_space import refuse_shortage
from framestyle.jobs.resume.frame_store import DiskStore
from framestyle.jobs.resume.locks import acquired
from framestyle.jobs.resume.resume_key import (
    FACTS,
    PUBLISHED,
    PUBLISHING,
    ResumeKey,
    entries_in,
    entry_path,
    facts_in,
    work_folder_of,
)
from framestyle.jobs.resume.segment_buffer import SegmentBuffer
from framestyle.jobs.resume.work_entries import Entry, Found, Stored, found_in
from framestyle.jobs.run.interrupts import held_back
from framestyle.media.files import atomic_output, storage_error
from framestyle.media.video.segments import read_segment
from framestyle.media.video.sequences import existing_files
from framestyle.motion.bookmark import Bookmark
from framestyle.nst.weights.store import save_tensors

LOCK = "lock"
STATES_KEPT = 2
"""The last one may be damaged by whatever stopped the machine."""


class WorkFolder:
    """A context manager: holds the folder's lock, and removes it all at the end, if that is a normal one.

    Left by an error, it first checkpoints what is finished. Without `facts` nothing is checkpointed.
    `every_s`: seconds between two times; 0: after each frame.

    Raises OutputError where another run is at work on the target, or where the work was begun otherwise.
    """

    def __init__(
        self, target: Path, facts: ResumeKey | None, *, every_s: float, frame_rate: Fraction
    ) -> None:
        self.target, self.folder = target, work_folder_of(target)
        self.found = Found()
        self.is_published = False
        """The result is in its place already, whole: a run was killed while it tidied up."""
        self.notes: list[str] = []
        self.frames = DiskStore(self.folder / "frames", hold=facts is not None)
        self.alphas = DiskStore(self.folder / "alphas")
        self._facts, self._every_s, self._rate = facts, every_s, frame_rate
        self._lock = FileLock(self.folder / LOCK, timeout=0)
        self._segment = SegmentBuffer(frame_rate)
        self._mark: _Mark | None = None
        self._last_s = time.monotonic()

    def __enter__(self) -> Self:
        try:
            self._take()
            if self._facts is None:
                self._clear()
            else:
                self._go_on(self._facts)
        except OSError as error:
            self._lock.release()
            raise storage_error(error, self.target) from error
        except BaseException:
            self._lock.release()
            raise
        return self

    def _take(self) -> None:
        while True:
            self.folder.mkdir(parents=True, exist_ok=True)
            try:
                if not acquired(self._lock):
                    self.notes.append(
                        f"The file system of {self.target} has no locks: do not paint it in two runs at once."
                    )
                    return
            except Timeout as error:
                raise OutputError(
                    f"another run is at work on {self.target}",
                    code=Code.OUTPUT_BUSY,
                    facts={"path": str(self.target)},
                ) from error
            except FileNotFoundError:
                continue  # the other one has just finished, and removed the folder
            if (self.folder / LOCK).exists():
                return
            self._lock.release()

    def _go_on(self, facts: ResumeKey) -> None:
        there = any(path.exists() for path in existing_files(self.target))
        is_same = self._is_same_work(facts)
        # The facts go before the mark does.
        self.is_published = there and (self.folder / PUBLISHED).exists() and is_same is not False
        if self.is_published:
            return
        if is_same:
            self._look_for_entries()
        self._tidy()
        if not self.found.entries:
            with atomic_output(self.folder / FACTS) as temporary:
                temporary.write_text(facts.text(self.target), encoding="ascii")

    def _is_same_work(self, facts: ResumeKey) -> bool | None:
        """None where the folder does not say what it is for. OutputError where it is for another, and holds some."""
        try:
            change = facts.change_since(facts_in(self.folder))
        except FileNotFoundError:
            return None
        except ValueError as error:
            self.notes.append(f"What was done of {self.target} is not used: {FACTS} is damaged, {error}.")
            return False
        if change is not None and entries_in(self.folder):
            raise OutputError(
                f"{self.target} was begun {change}",
                code=Code.WORK_CHANGED,
                facts={"path": str(self.target), "change": change},
            )
        return change is None

    def _look_for_entries(self) -> None:
        self.found = found_in(self.folder)
        if self.found.lost:
            self.notes.append(
                f"A part of what was done of {self.target} is damaged, and is done again:"
                f" {self.found.frames} frames are whole."
            )
        if self.found.entries:
            self.frames = DiskStore(self.frames.folder, self.found.entries[-1].store, hold=True)

    def _tidy(self) -> None:
        """What no entry names goes, and of the states all but the last ones."""
        entries = self.found.entries
        keep = {FACTS, LOCK, "frames"} | {
            entry_path(self.folder, number).name for number in range(len(entries))
        }
        keep |= {entry.segment.name for entry in entries if entry.segment is not None}
        keep |= {entry.state.name for entry in entries[-STATES_KEPT:]}
        for path in self.folder.iterdir():
            if path.name not in keep:
                _remove(path)
        self.frames.tidy(name for entry in entries[-STATES_KEPT:] for name in entry.store.values())

    def _clear(self) -> None:
        for path in self.folder.iterdir():
            if path.name != LOCK:
                _remove(path)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if error is not None:
                self._save_the_rest()
            self._segment.discard()
            if error is None:
                self._remove_after_work()
            elif not self.found.entries:
                shutil.rmtree(self.folder, ignore_errors=True)
        finally:
            self._lock.release()

    def _remove_after_work(self) -> None:
        """A kill on the way leaves the mark that the result is in its place, or nothing but an empty folder."""
        mark = self.folder / PUBLISHED
        if self._facts is not None:
            with suppress(OSError):
                mark.touch()
        with suppress(OSError):
            for path in self.folder.iterdir():
                if path != mark:
                    _remove(path)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _save_the_rest(self) -> None:
        """As far as it can be: the error that ended the work is the one to be told."""
        with suppress(FramestyleError, OSError):
            self.save()

    # -- going on ------------------------------------------------------------------------------------------

    def bookmark(self, device: Any) -> Bookmark | None:
        """Where the work stands; None: at its beginning."""
        if not self.found.entries:
            return None
        last = self.found.entries[-1]
        try:
            return Bookmark.of(*last.place, load_file(self.folder / last.state.name), device)
        except (SafetensorError, KeyError) as error:
            raise OutputError(
                f"{self.folder / last.state.name} is damaged: {error}",
                code=Code.WORK_DAMAGED,
                facts={"path": str(self.folder / last.state.name)},
            ) from error

    def finished(self, width: int, height: int, dtype: type[Any]) -> Generator[Pixels, None, None]:
        """The frames that were checkpointed, in order."""
        for entry in self.found.entries:
            if entry.segment is not None:
                with closing(read_segment(self.folder / entry.segment.name, width, height, dtype)) as frames:
                    yield from islice(frames, entry.frames)

    # -- checkpointing -----------------------------------------------------------------------------------------

    def write(self, pixels: Pixels) -> None:
        """A finished frame."""
        if self._facts is not None:
            with held_back():
                self._segment.add(pixels, self._next_path("segment", "mkv"))

    def mark(self, bookmark: Bookmark, painted: int) -> None:
        """All frames written so far are those before the bookmark. Lays it all by where it is time to.

        StorageError where the room on the disk comes to its end.
        """
        if self._facts is None:
            return
        self._mark = _Mark(bookmark, self._segment.frames, painted)
        # What is checkpointed last needs room too.
        refuse_shortage(self.folder, STATES_KEPT * bookmark.size_bytes + self._segment.size_bytes)
        if time.monotonic() - self._last_s >= self._every_s:
            self.save()

    def save(self) -> None:
        """Everything up to the last mark, so that it outlasts whatever comes. A signal to stop waits for it."""
        if self._mark is None:
            return
        with held_back():
            mark, self._mark = self._mark, None
            segment = None
            if mark.frames:
                segment = Stored.of(self._segment.finish(self._next_path("segment", "mkv")))
            # Frames after the mark are painted again.
            self._segment.discard()
            self._segment = SegmentBuffer(self._rate)
            state = self._next_path("state", "safetensors")
            with atomic_output(state) as temporary:
                save_tensors(temporary, mark.bookmark.tensors())
            bookmark = mark.bookmark
            place = bookmark.shot, bookmark.pass_number, bookmark.next_frame
            entry = Entry(
                mark.frames, mark.painted, segment, Stored.of(state), place, dict(self.frames.files)
            )
            with atomic_output(entry_path(self.folder, len(self.found.entries))) as temporary:
                temporary.write_text(entry.text(), encoding="ascii")
            self.found = Found((*self.found.entries, entry))
            self._tidy_states()
            self._last_s = time.monotonic()

    def publishing(self) -> None:
        """From here on, what stands at the target is ours, if not all of it."""
        if self._facts is not None:
            (self.folder / PUBLISHING).touch()

    def _tidy_states(self) -> None:
        last = self.found.entries[-STATES_KEPT:]
        for entry in self.found.entries[-STATES_KEPT - 1 : -STATES_KEPT]:
            (self.folder / entry.state.name).unlink(missing_ok=True)
        self.frames.tidy(name for entry in last for name in entry.store.values())

    def _next_path(self, what: str, suffix: str) -> Path:
        return self.folder / f"{what}-{len(self.found.entries):06d}.{suffix}"


@dataclass(frozen=True)
class _Mark:
    """A bookmark, and how many of the segment's frames lie before it."""

    bookmark: Bookmark
    frames: int
    painted: int


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def discard_work(target: Path) -> None:
    """What was done of a target before, where nobody is at work on it. OutputError where somebody is."""
    if work_folder_of(target).is_dir():
        with WorkFolder(target, None, every_s=0, frame_rate=Fraction(1)):
            pass
