"""`framestyle.Session`: frames pushed one by one, as a host program does."""

from __future__ import annotations

import numpy as np
from door import ALPHA, DEEP, ODD, Door, Frames, Job, Painted, Stopped

import framestyle
from framestyle.context import Context
from framestyle.errors import Cancelled, UsageError
from framestyle.events import Event, FrameDone, StepDone


class PythonDoor(Door):
    """The host's own program."""

    name = "python"
    carries = frozenset({ALPHA, DEEP, ODD})

    def paint(self, job: Job) -> Painted:
        progress = [0.0]

        def heard(event: Event) -> None:
            if isinstance(event, FrameDone):
                progress.append(progress[-1] + 1)

        return Painted(np.stack(self._pushed(job, job.frames, Context(heard))), progress)

    def cancel(self, job: Job) -> Stopped:
        steps = 0

        def heard(event: Event) -> None:
            nonlocal steps
            steps += len(event.losses) if isinstance(event, StepDone) else 0

        asked_at = 0

        def check() -> None:
            nonlocal asked_at
            if steps:
                asked_at = asked_at or steps
                raise Cancelled

        try:
            self._pushed(job, job.frames, Context(heard, check))
        except Cancelled as stop:
            return Stopped(stop.message, steps - asked_at)
        raise AssertionError("it was not cancelled")

    def broken(self, job: Job) -> str:
        try:
            self._pushed(job, job.frames[..., 0])
        except UsageError as error:
            return str(error)
        raise AssertionError("it was taken")

    def _pushed(self, job: Job, frames: Frames, context: Context | None = None) -> list[Frames]:
        heard = context or Context()
        with framestyle.Session.open(job.preset, weights="untrained", device="cpu") as session:
            painted = [one for frame in frames for one in session.push(frame, heard)]
            return painted + session.finish(heard)


DOORS = [PythonDoor()]
