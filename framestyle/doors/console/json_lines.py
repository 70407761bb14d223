"""Progress for programs."""

from __future__ import annotations

import dataclasses
import json
import math
import re
import threading
from typing import TextIO

from framestyle.doors.advice import next_step, note_text
from framestyle.doors.console.silent import Silent
from framestyle.doors.remaining import Clock
from framestyle.errors import Cancelled, FramestyleError
from framestyle.events import Event, Note, TaskFailed


class JsonLines(Silent):
    """One object a line; docs/progress.md has the schema."""

    def __init__(self, stream: TextIO, clock: Clock) -> None:
        self._stream, self._lock = stream, threading.Lock()
        self._clock, self._started = clock, clock()

    def __call__(self, event: Event) -> None:
        name = re.sub(r"(?<!^)(?=[A-Z])", "_", type(event).__name__).lower()
        fields = {
            "event": name,
            "time_s": round(self._clock() - self._started, 3),
            **dataclasses.asdict(event),
            **_advice(event),
        }
        with self._lock:
            self._stream.write(json.dumps(_finite(fields), ensure_ascii=True) + "\n")
            self._stream.flush()


def _advice(event: Event) -> dict[str, str | None]:
    """The fields that this door words."""
    if isinstance(event, TaskFailed):
        return {"next_step": next_step(event)}
    return {"message": note_text(event)} if isinstance(event, Note) else {}


def failed_line(error: FramestyleError | Cancelled, time_s: float) -> str:
    """What ends a command, as JSON: the last event where there is no `job_done`."""
    fields = {
        "event": "failed",
        "time_s": round(time_s, 3),
        "code": error.code,
        "facts": dict(error.facts),
        "message": error.message,
        "next_step": next_step(error),
        "exit_code": error.exit_code,
    }
    return json.dumps(_finite(fields), ensure_ascii=True)


def _finite(value: object) -> object:
    """JSON has no NaN: null."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(one) for one in value]
    return value
