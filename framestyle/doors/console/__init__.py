"""Progress for people and programs: a live display in a terminal, plain lines elsewhere, JSON lines or a
farm's words on request.

Everything goes to stderr. See docs/progress.md for the JSON schema. live.py, plain_lines.py, json_lines.py, openjd.py
and silent.py are the five listeners; words.py words what they show; failures.py lists what failed.
"""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Protocol, Self, TextIO

from rich.console import Console as RichConsole

from framestyle.doors.console.json_lines import JsonLines
from framestyle.doors.console.live import LiveDisplay
from framestyle.doors.console.openjd import OpenJd
from framestyle.doors.console.plain_lines import PlainLines
from framestyle.doors.console.silent import Silent
from framestyle.doors.remaining import Clock
from framestyle.events import Event


class Console(Protocol):
    """A context manager that is called with every event, from any thread."""

    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...
    def __call__(self, event: Event) -> None: ...


def open_console(mode: str, *, stream: TextIO | None = None, clock: Clock = time.perf_counter) -> Console:
    """`auto` (live in a terminal, else plain lines), `rich`, `json`, `openjd`, or `none`."""
    out = stream or sys.stderr
    if mode == "none":
        return Silent()
    if mode == "json":
        return JsonLines(out, clock)
    if mode == "openjd":
        return OpenJd(stream or sys.stdout)
    if mode == "rich":
        return LiveDisplay(RichConsole(file=out, force_terminal=True), clock)
    console = RichConsole(file=out)
    live = console.is_terminal and not console.is_dumb_terminal
    return LiveDisplay(console, clock) if live else PlainLines(out, clock)
