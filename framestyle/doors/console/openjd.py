"""Progress in the words of Open Job Description, on stdout: what render farms read."""

from __future__ import annotations

import threading
from typing import TextIO

from framestyle.doors.advice import next_step
from framestyle.doors.console.silent import Silent
from framestyle.doors.console.words import describe
from framestyle.errors import Cancelled, FramestyleError
from framestyle.events import (
    Event,
    FrameDone,
    JobStarted,
    Note,
    ShotStarted,
    StepDone,
    TaskDone,
    TaskFailed,
    TaskPainted,
    TasksBegun,
    TaskSkipped,
)


class OpenJd(Silent):
    """`openjd_progress: 0-100` and `openjd_status: …`, a line each, as often as the number changes."""

    def __init__(self, stream: TextIO) -> None:
        self._stream, self._lock = stream, threading.Lock()
        self._tasks = self._done = 0
        self._within = 0.0
        self._frames = 0
        """Of the shot at work; 0 for a photo."""
        self._told = -1

    def __call__(self, event: Event) -> None:
        with self._lock:
            self._count(event)
            percent = min(100, int(100 * (self._done + self._within) / self._tasks)) if self._tasks else 0
            if percent != self._told:
                self._told = percent
                self._say("progress", str(percent))
            if isinstance(event, Note | TaskPainted | TaskFailed | TaskDone):
                self._say("status", describe(event))

    def _count(self, event: Event) -> None:
        if isinstance(event, TasksBegun | JobStarted):
            self._tasks, self._done, self._within, self._frames = event.tasks, 0, 0.0, 0
        elif isinstance(event, TaskPainted | TaskDone | TaskFailed | TaskSkipped):
            self._done, self._within, self._frames = self._done + 1, 0.0, 0
        elif isinstance(event, ShotStarted):
            self._frames = event.frames
        elif isinstance(event, FrameDone) and self._frames:
            self._within = min(0.99, self._within + 1 / self._frames)
        elif isinstance(event, StepDone) and not self._frames:
            self._within = min(0.99, (event.scale_index + event.step / event.steps) / event.scales)

    def _say(self, what: str, text: str) -> None:
        self._stream.write(f"openjd_{what}: {text}\n")
        self._stream.flush()


def failed_text(error: FramestyleError | Cancelled) -> str:
    """What ends a command, as a farm reads it."""
    return f"openjd_fail: {' '.join(filter(None, [error.message, next_step(error)]))}"
