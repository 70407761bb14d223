"""Progress where there is no terminal."""

from __future__ import annotations

import threading
from typing import TextIO

from framestyle.doors.console.silent import Silent
from framestyle.doors.console.words import describe, duration, status_line
from framestyle.doors.progress import Progress
from framestyle.doors.remaining import Clock
from framestyle.doors.text import plain
from framestyle.events import Event, FrameDone, Preparing, StepDone

LINE_EVERY_S = 5.0


class PlainLines(Silent):
    """A line every few seconds, no control codes: for logs."""

    def __init__(self, stream: TextIO, clock: Clock) -> None:
        self._stream, self._lock = stream, threading.Lock()
        self._progress, self._last = Progress(clock), -LINE_EVERY_S

    def __call__(self, event: Event) -> None:
        with self._lock:
            self._progress(event)
            line = self._line(event)
            if line:
                self._stream.write(f"[{duration(self._progress.elapsed_s)}] {line}\n")
                self._stream.flush()

    def _line(self, event: Event) -> str:
        said = describe(event)
        if said:
            return said
        now = self._progress.elapsed_s
        if not isinstance(event, FrameDone | StepDone | Preparing) or now - self._last < LINE_EVERY_S:
            return ""
        self._last = now
        if isinstance(event, Preparing):
            return f"preparing {event.what}: {event.fraction:.0%} {plain(event.detail)}"
        return status_line(self._progress)
