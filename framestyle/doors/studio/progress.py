"""What a job says of itself in JSON lines -> what the page shows: frames, steps, loss, the time that is left."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import math
import re
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

from framestyle.doors.remaining import Remaining
from framestyle.events import Event
from framestyle.kinds import MediaKind

LOSSES = 120
"""The last ones, for a line."""
NOTES, FAILURES = 20, 50
"""Kept of what may be many."""


def _name(kind: type[Event]) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", kind.__name__).lower()


KINDS = {_name(kind): kind for kind in Event.__subclasses__()}


class Progress:
    """Hears the lines of one attempt, in order. `clock` is a steady one, in seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._said_s, self._heard_s = 0.0, clock()
        self._remaining = Remaining(self._own_time)
        self._losses: deque[float] = deque(maxlen=LOSSES)
        self.lines = 0
        self.facts: dict[str, Any] = {"phase": "starting", "notes": [], "failures": []}
        self.outputs: list[tuple[str, str]] = []
        """(input, output) of each task that is done."""
        self.verdict: dict[str, Any] | None = None
        """`job_done` or `failed`, once it has come."""
        self._plain: deque[str] = deque(maxlen=4)

    def _own_time(self) -> float:
        """The job's own clock, so that lines which are read late count as when they were written."""
        return self._said_s + (self._clock() - self._heard_s)

    def hear(self, line: str) -> None:
        """One line of the job's standard error."""
        self.lines += 1
        try:
            said = json.loads(line)
            name = said["event"]
        except (ValueError, TypeError, KeyError):
            if line.strip():
                self._plain.append(line.strip()[:500])
            return
        # A line of another version may lack a field: what it would have told is not shown, and nothing else suffers.
        with contextlib.suppress(ValueError, TypeError, KeyError, AttributeError):
            self._take(str(name), said)

    def _take(self, name: str, said: Mapping[str, Any]) -> None:
        self._said_s, self._heard_s = float(said.get("time_s") or 0.0), self._clock()
        if name == "failed":
            self.verdict = {"code": "stopped", "message": "it failed", "next_step": None, "facts": {}, **said}
            return
        update = getattr(self, f"_on_{name}", None)
        if update is not None:
            update(said)
        event = event_of(said)
        if event is not None:
            self._remaining(event)

    @property
    def last_messages(self) -> str:
        """Of a process that ended without a verdict."""
        return " ".join(self._plain)

    def shown(self) -> dict[str, Any]:
        """What the page shows now."""
        seconds = self._remaining.seconds()
        return {
            **self.facts,
            "remaining_s": None if seconds is None or not math.isfinite(seconds) else round(seconds, 1),
            "losses": [round(loss, 5) for loss in self._losses],
        }

    # -- kinds of lines ------------------------------------------------------------------------------------

    def _on_note(self, said: Mapping[str, Any]) -> None:
        notes = self.facts["notes"]
        if len(notes) < NOTES and said["message"] not in notes:
            notes.append(said["message"])

    def _on_preparing(self, said: Mapping[str, Any]) -> None:
        self.facts |= {"phase": "preparing", "what": said["what"], "fraction": said["fraction"]}

    def _on_job_started(self, said: Mapping[str, Any]) -> None:
        self.facts |= {
            "phase": "painting",
            "tasks": said["tasks"],
            "tasks_done": said["skipped"],
            "frames": said["frames"],
            "frames_done": 0,
            "device": said["device"],
            "weights": said["weights"],
        }

    def _on_task_skipped(self, said: Mapping[str, Any]) -> None:
        self.outputs.append((said["path"], said["output"]))

    def _on_task_started(self, said: Mapping[str, Any]) -> None:
        self.facts |= {
            "task_frames": said["frames"] * said["passes"],
            "task_frames_done": 0,
            "width": said["width"],
            "height": said["height"],
        }

    def _on_task_resumed(self, said: Mapping[str, Any]) -> None:
        self.facts["task_frames_done"] = said["painted"]
        self.facts["frames_done"] = self.facts.get("frames_done", 0) + said["painted"]
        self.facts["resumed_at"] = said["painted"]

    def _on_step_done(self, said: Mapping[str, Any]) -> None:
        self.facts |= {key: said[key] for key in ("step", "steps", "scale_index", "scales")}
        finite = [loss for loss in said["losses"] if loss is not None]
        if finite:
            self._losses.append(finite[-1])
            self.facts["loss"] = finite[-1]
        self.facts["parts"] = dict(said["parts"])

    def _on_frame_done(self, said: Mapping[str, Any]) -> None:
        self.facts["frames_done"] = self.facts.get("frames_done", 0) + 1
        self.facts["task_frames_done"] = self.facts.get("task_frames_done", 0) + 1

    def _on_photo_done(self, said: Mapping[str, Any]) -> None:
        self._on_frame_done(said)

    def _on_task_done(self, said: Mapping[str, Any]) -> None:
        self.facts["tasks_done"] = self.facts.get("tasks_done", 0) + 1
        self.outputs.append((said["path"], said["output"]))

    def _on_task_failed(self, said: Mapping[str, Any]) -> None:
        failures = self.facts["failures"]
        if len(failures) < FAILURES:
            failures.append({key: said[key] for key in ("path", "message", "next_step", "code")})

    def _on_job_done(self, said: Mapping[str, Any]) -> None:
        self.facts["phase"] = "done"
        self.verdict = {"failed": [], **said}


def event_of(said: Mapping[str, Any]) -> Event | None:
    """The event that a line tells of; None where it is of a kind that is not known here."""
    kind = KINDS.get(str(said.get("event")))
    if kind is None:
        return None
    names = {field.name for field in dataclasses.fields(kind)}
    fields = {name: _typed(name, value) for name, value in said.items() if name in names}
    try:
        return kind(**fields)
    except TypeError:
        return None


def _typed(name: str, value: Any) -> Any:
    if name == "kind":
        return MediaKind(value)
    if name == "losses":
        return tuple(math.nan if one is None else one for one in value)
    return tuple(value) if isinstance(value, list) else value
