"""How far a job is, and how long it will still take: learnt from the events, by the clock that it is given."""

from __future__ import annotations

import statistics
import time
from collections import deque

from framestyle.doors.remaining import Clock, Remaining
from framestyle.doors.remaining.frame_times import FrameTimes
from framestyle.events import (
    CellDone,
    Event,
    FolderWatched,
    FrameDone,
    JobStarted,
    MachinesAtWork,
    PhotoDone,
    Preparing,
    ShotStarted,
    StepDone,
    TaskFailed,
    TaskResumed,
    TaskStarted,
)
from framestyle.kinds import MediaKind

CURVE_POINTS = 24
"""Losses kept for the curve."""
RECENT = 15
"""Frames of each kind that the pace is shown of: it changes with what a shot shows."""


class Progress:
    """What has been done and what is left.

    The first frame of a shot, a warm frame and a photo each have their own pace, see `FrameTimes`.
    """

    def __init__(self, clock: Clock = time.perf_counter) -> None:
        self._clock = clock
        self._started = clock()
        self.total = self.done = 0
        self.job: JobStarted | None = None
        self.task: TaskStarted | None = None
        self._times = FrameTimes(self._started)
        self.step: StepDone | None = None
        self.preparing: Preparing | None = None
        self.watched: FolderWatched | None = None
        self.machines: MachinesAtWork | None = None
        """What other machines are at; None where none is."""
        self.losses: deque[float] = deque(maxlen=CURVE_POINTS)
        self._paces: dict[str, deque[float]] = {
            kind: deque(maxlen=RECENT) for kind in ("first", "warm", "photo")
        }
        self._task_done = 0
        self._remaining = Remaining(clock)

    def __call__(self, event: Event) -> None:
        now = self._clock()
        self._remaining(event)
        if isinstance(event, JobStarted):
            # One display may see several jobs, as `demo` has: counts begin anew, the pace is kept.
            self.job, self.total, self.done = event, event.frames, 0
            self.task = self.step = self.preparing = None
        elif isinstance(event, FolderWatched):
            # Told between two jobs: nothing is at work.
            self.watched, self.job = event, None
            self.total = self.done = 0
            self.task = self.step = self.preparing = None
        elif isinstance(event, MachinesAtWork):
            self.machines = event if event.machines else None
        elif isinstance(event, Preparing):
            self.preparing = event if event.fraction < 1 else None
        elif isinstance(event, TaskStarted):
            self.task, self.step = event, None
            self._task_done = 0
            self.losses.clear()
        elif isinstance(event, TaskResumed):
            self.done += event.painted
            self._task_done += event.painted
        elif isinstance(event, StepDone):
            self.step = event
            self.losses.append(event.losses[-1])
        elif isinstance(event, FrameDone):
            self._count("warm" if event.warm else "first", self._times.seconds(event, now))
        elif isinstance(event, PhotoDone | CellDone):
            self._count("photo", self._times.seconds(event, now))
        elif isinstance(event, TaskFailed):
            self._give_up(event)
        self._times(event, now)

    def _count(self, kind: str, seconds: float) -> None:
        self._paces[kind].append(seconds)
        self.done += 1
        self._task_done += 1

    def _give_up(self, failed: TaskFailed) -> None:
        """The rest of a failed task's frames will not come."""
        if self.task is not None and self.task.path == failed.path:
            self.total -= self.task.frames * self.task.passes - self._task_done
        self.task = self.step = None

    @property
    def shots(self) -> list[ShotStarted]:
        """Those at work, in their order; where none is, the last that was."""
        return self._times.shots.at_work

    @property
    def elapsed_s(self) -> float:
        return self._clock() - self._started

    @property
    def current(self) -> int:
        """The number, from 1, of the frame that is being worked on."""
        return min(self.done + 1, self.total) if self.total else self.done + 1

    def seconds_per_frame(self) -> float | None:
        """Of recent frames of the kind that is being made; those made from scratch stand in where there are none."""
        photos = self.task is not None and self.task.kind is MediaKind.PHOTO
        if photos and (known := self._paces["photo"]):
            # Of several that were painted side by side one seems to take all the time.
            return statistics.fmean(known)
        known = self._paces["warm"] or self._paces["first"]
        return statistics.median(known) if known else None

    def eta_s(self) -> float | None:
        """Seconds until the job is done; None until a few steps were measured, see `Remaining`."""
        return self._remaining.seconds()
