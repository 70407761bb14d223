"""What a frame takes of a job's time, one after another or of several at once, here or on other machines."""

from __future__ import annotations

from framestyle.doors.shots_at_work import ShotsAtWork
from framestyle.events import (
    CellDone,
    Event,
    FrameDone,
    JobStarted,
    MachinesAtWork,
    PhotoDone,
    TaskDone,
    TaskFailed,
    TaskStarted,
)


class FrameTimes:
    """Hears a job's events, each after `seconds` was asked of it."""

    def __init__(self, now: float) -> None:
        self.shots = ShotsAtWork()
        self.begun_at = now
        """When the frame at work began: as the one before was heard to be done."""
        self._is_elsewhere = False

    def __call__(self, event: Event, now: float) -> None:
        self.shots(event)
        if isinstance(event, MachinesAtWork):
            self._is_elsewhere = event.machines > 0
        elif isinstance(
            event, JobStarted | TaskStarted | FrameDone | PhotoDone | CellDone | TaskDone | TaskFailed
        ):
            self.begun_at = now

    def seconds(self, event: FrameDone | PhotoDone | CellDone, now: float) -> float:
        """Since the one before was done: waiting for the decoder or the encoder counts too.

        Of a frame that is painted beside others only its own time tells, and of one on another machine, whose news come
        some at a time.
        """
        hands = len(self.shots.at_work)
        if isinstance(event, FrameDone) and (hands > 1 or self._is_elsewhere):
            return event.seconds / max(1, hands)
        return now - self.begun_at
