"""A shot's folder in its clip's work folder: what is painted of it, so that it is resumed there, whatever stopped it.

In it, in the order in which they become durable: a segment with the frames that were finished since the last time, the
state that the next frame depends on, and an entry that names both. What no entry names is nothing. A corrupt one is
passed over, with all that came after it. A shot that is painted to its end gets another name, all at once: it is whole.
"""

from __future__ import annotations

import secrets
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
from framestyle.frames import Frame
from framestyle.jobs.plan.units import ShotTask
from framestyle.jobs.resume.disk_space import refuse_shortage
from framestyle.jobs.resume.frame_store import DiskStore
from framestyle.jobs.resume.locks import acquired, released_on_error
from framestyle.jobs.resume.resume_key import SHOTS, entries_in, entry_path
from framestyle.jobs.resume.segment_buffer import SegmentBuffer
from framestyle.jobs.resume.work_entries import Entry, Found, Stored, found_in
from framestyle.jobs.run.interrupts import held_back
from framestyle.media.files import atomic_output, put_folder_in_place
from framestyle.media.video.segments import read_segment
from framestyle.motion.bookmark import Bookmark
from framestyle.nst.weights.store import save_tensors

STATES_KEPT = 2
"""The last one may be damaged by whatever stopped the machine."""


def whole_folder(task: ShotTask) -> Path:
    """Of a shot that is painted to its end, in its clip's work folder."""
    return task.work / SHOTS / f"{task.number:05d}"


def open_folder(task: ShotTask) -> Path:
    """Of a shot that is being painted."""
    return whole_folder(task).with_suffix(".open")


def shot_found(task: ShotTask) -> Found:
    """What is there of a shot, each file held against its hash."""
    if (whole := whole_folder(task)).is_dir():
        found = found_in(whole)
        # Of its states none is left: what is not whole is nothing.
        is_all = found.is_whole and found.frames == task.shot.frames
        return found if is_all else Found(lost=max(1, found.lost + len(found.entries)))
    found = found_in(open_folder(task))
    return Found(lost=len(found.entries)) if found.is_whole else found


def last_painted(task: ShotTask) -> int:
    """How many frames are kept by now, each as often as it was painted: as the last entry says, no file looked at."""
    folder = whole_folder(task)
    entries = entries_in(folder if folder.is_dir() else open_folder(task))
    try:
        return Entry.read(entries[-1]).painted if entries else 0
    except ValueError:
        return 0


class ShotWork:
    """A context manager: the shot's frames as far as they are painted, and what is painted now.

    `every_s`: seconds between two times of checkpointing; 0: after each frame; None: nothing is kept. `found`: what was
    found of it already. Left by an error, it first checkpoints what is finished.

    Two may work on one shot: the second one then does so in a folder of its own, from the beginning. Who is whole first
    counts.
    """

    def __init__(
        self,
        task: ShotTask,
        *,
        every_s: float | None,
        found: Found | None = None,
    ) -> None:
        self.task = task
        self.found = Found() if found is None else found
        self._is_looked_at = found is not None
        self._whole, self._folder = whole_folder(task), open_folder(task)
        self._every_s = every_s
        self._lock = FileLock(self._folder.with_suffix(".lock"), timeout=0)
        self.frames = DiskStore(self._folder / "frames", hold=every_s is not None)
        """Those that wait for a second pass."""
        self._segment = SegmentBuffer(task.frame_rate)
        self._mark: _Mark | None = None
        self._last_s = time.monotonic()

    @property
    def is_whole(self) -> bool:
        """Whether nothing is left to paint."""
        return self.found.is_whole

    def __enter__(self) -> Self:
        with released_on_error(self._lock, self._folder):
            self._whole.parent.mkdir(parents=True, exist_ok=True)
            if self._take():
                self._look()
            else:
                self._work_aside()
            if not self.is_whole:
                self._folder.mkdir(exist_ok=True)
                self._tidy()
        return self

    def _take(self) -> bool:
        """Whether nobody else paints it; always, where the file system has no locks (WorkFolder tells)."""
        try:
            acquired(self._lock)
        except Timeout:
            return False
        return True

    def _look(self) -> None:
        if not self._is_looked_at:
            self.found = shot_found(self.task)
        if self._whole.is_dir() and not self.is_whole:
            shutil.rmtree(self._whole)  # damaged
        if self.found.entries and not self.is_whole:
            self.frames = DiskStore(self.frames.folder, self.found.entries[-1].store, hold=True)

    def _work_aside(self) -> None:
        self._folder = self._folder.with_suffix(f".{secrets.token_hex(4)}")
        self.found = shot_found(self.task) if self._whole.is_dir() else Found()
        self.frames = DiskStore(self._folder / "frames", hold=self._every_s is not None)

    def _tidy(self) -> None:
        """What no entry names goes, and of the states all but the last ones."""
        entries = self.found.entries
        keep = {"frames"} | {entry_path(self._folder, number).name for number in range(len(entries))}
        keep |= {entry.segment.name for entry in entries if entry.segment is not None}
        keep |= {entry.state.name for entry in entries[-STATES_KEPT:] if entry.state is not None}
        for path in self._folder.iterdir():
            if path.name not in keep:
                remove(path)
        self.frames.tidy(name for entry in entries[-STATES_KEPT:] for name in entry.store.values())

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if error is not None:
                self._save_the_rest()
            self._segment.discard()
            if self._is_aside or not self.found.entries:
                shutil.rmtree(self._folder, ignore_errors=True)
        finally:
            self._lock.release()

    @property
    def _is_aside(self) -> bool:
        return self._folder.suffix != ".open"

    def _save_the_rest(self) -> None:
        """As far as it can be: the error that ended the work is the one to be told."""
        with suppress(FramestyleError, OSError):
            self.save()

    # -- resuming ------------------------------------------------------------------------------------------

    def bookmark(self, device: Any) -> Bookmark | None:
        """Where the work stands; None: at its beginning."""
        if not self.found.entries:
            return None
        last = self.found.entries[-1]
        if last.state is None:
            raise ValueError("the shot is whole")
        try:
            return Bookmark.of(*last.place, load_file(self._folder / last.state.name), device)
        except (SafetensorError, KeyError) as error:
            raise OutputError(
                f"{self._folder / last.state.name} is damaged: {error}",
                code=Code.WORK_DAMAGED,
                facts={"path": str(self._folder / last.state.name)},
            ) from error

    def finished(self, width: int, height: int, dtype: type[Any]) -> Generator[Frame, None, None]:
        """The frames that were kept, in order, with their times and transparency."""
        folder = self._whole if self.is_whole else self._folder
        index = self.task.shot.first
        for entry in self.found.entries:
            if entry.segment is None:
                continue
            path = folder / entry.segment.name
            with closing(read_segment(path, width, height, dtype, alpha=entry.alpha)) as frames:
                for (pixels, alpha), pts in zip(islice(frames, entry.frames), entry.pts, strict=True):
                    yield Frame(index, Fraction(pts), pixels, alpha)
                    index += 1

    # -- checkpointing -------------------------------------------------------------------------------------

    def write(self, frame: Frame) -> None:
        """A finished frame."""
        if self._every_s is not None:
            with held_back():
                self._segment.add(frame, self._next_path("segment", "mkv"))

    def mark(self, bookmark: Bookmark, painted: int) -> None:
        """All frames written so far are those before the bookmark. Checkpoints it all where it is time to.

        StorageError where the room on the disk comes to its end.
        """
        if self._every_s is None:
            return
        self._mark = _Mark(bookmark, len(self._segment.pts), painted)
        # What is checkpointed last needs room too.
        refuse_shortage(self._folder, STATES_KEPT * bookmark.size_bytes + self._segment.size_bytes)
        if time.monotonic() - self._last_s >= self._every_s:
            self.save()

    def save(self) -> None:
        """Everything up to the last mark, so that it outlasts whatever comes. A signal to stop waits for it."""
        if self._mark is None:
            return
        with held_back():
            mark, self._mark = self._mark, None
            state = self._next_path("state", "safetensors")
            bookmark = mark.bookmark
            place = bookmark.shot, bookmark.pass_number, bookmark.next_frame
            segment = self._take_segment(mark.frames)
            with atomic_output(state) as temporary:
                save_tensors(temporary, mark.bookmark.tensors())
            self._enter(segment, mark.painted, Stored.of(state), place, dict(self.frames.files))
            last = self.found.entries[-STATES_KEPT:]
            for entry in self.found.entries[-STATES_KEPT - 1 : -STATES_KEPT]:
                if entry.state is not None:
                    (self._folder / entry.state.name).unlink(missing_ok=True)
            self.frames.tidy(name for entry in last for name in entry.store.values())
            self._last_s = time.monotonic()

    def close(self, painted: int) -> None:
        """All frames are written: the shot is whole. Where another one was so before, that one counts."""
        if self._every_s is None:
            return
        with held_back():
            self._mark = None
            segment = self._take_segment(len(self._segment.pts))
            self._enter(segment, painted, None, (self.task.number, 1, self.task.shot.end), {})
            for path in self._folder.iterdir():
                if path.name == "frames" or path.name.startswith("state-"):
                    remove(path)
            if not put_folder_in_place(self._folder, self._whole):
                self.found = shot_found(self.task)

    def _take_segment(self, frames: int) -> _Segment:
        """The first so many of those that wait; what is behind them is painted again."""
        waiting, self._segment = self._segment, SegmentBuffer(self.task.frame_rate)
        if not frames:
            waiting.discard()
            return _Segment((), None, alpha=False)
        stored = Stored.of(waiting.finish(self._next_path("segment", "mkv")))
        return _Segment(tuple(map(str, waiting.pts[:frames])), stored, alpha=waiting.alpha)

    def _enter(
        self,
        segment: _Segment,
        painted: int,
        state: Stored | None,
        place: tuple[int, int, int],
        store: dict[int, str],
    ) -> None:
        entry = Entry(segment.pts, painted, segment.stored, state, place, store, segment.alpha)
        with atomic_output(entry_path(self._folder, len(self.found.entries))) as temporary:
            temporary.write_text(entry.text(), encoding="ascii")
        self.found = Found((*self.found.entries, entry))

    def _next_path(self, what: str, suffix: str) -> Path:
        return self._folder / f"{what}-{len(self.found.entries):06d}.{suffix}"


@dataclass(frozen=True)
class _Mark:
    """A bookmark, and how many of the segment's frames lie before it."""

    bookmark: Bookmark
    frames: int
    painted: int


@dataclass(frozen=True)
class _Segment:
    """What an entry says of its frames."""

    pts: tuple[str, ...]
    stored: Stored | None
    alpha: bool


def remove(path: Path) -> None:
    """A file, or a folder with all that is in it."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
