"""What failed, at the end of a command."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TextIO

from rich.console import Console as RichConsole
from rich.table import Table
from rich.text import Text

from framestyle.doors.colors import BAD
from framestyle.doors.console.words import cause_of
from framestyle.doors.text import counted, plain
from framestyle.errors import BatchError
from framestyle.events import Event, JobStarted, TaskFailed

AS_EVENTS = ("json", "openjd")
"""Kinds of progress for programs, which heard of each failure when it happened."""
LISTED = "The failures are listed above, each with its cause."


class FailureCollector:
    """What fails in jobs that follow one another, each with its job's preset; `collect` hears their events."""

    def __init__(self) -> None:
        self._failures: list[tuple[str, TaskFailed]] = []
        self._preset = ""

    def collect(self, event: Event) -> None:
        """Anything but the start of a job and a failure is passed over."""
        if isinstance(event, JobStarted):
            self._preset = event.preset
        elif isinstance(event, TaskFailed):
            self._failures.append((self._preset, event))

    def refuse_any(self, tasks: int, progress: str) -> None:
        """As the function of that name."""
        refuse_any(self._failures, tasks, progress)


def refuse_any(failures: Sequence[tuple[str, TaskFailed]], tasks: int, progress: str) -> None:
    """BatchError, once they are listed, where some of so many tasks failed."""
    if not failures:
        return
    list_failures(failures, progress)
    raise BatchError(f"{len(failures)} of {tasks} failed; the rest is done", next_step=LISTED)


def list_failures(failures: Sequence[tuple[str, TaskFailed]], progress: str) -> None:
    """For people: who asked for no progress is told, too, what went wrong."""
    if progress not in AS_EVENTS:
        failure_table(failures)


def failure_table(failures: Sequence[tuple[str, TaskFailed]], stream: TextIO | None = None) -> None:
    """What failed and why, one row an input, to stderr: (preset, failure). Off a terminal each is one line."""
    console = RichConsole(file=stream or sys.stderr)
    presets: dict[TaskFailed, list[str]] = {}
    for preset, failure in failures:
        presets.setdefault(failure, []).append(preset)
    several = len({preset for preset, _ in failures}) > 1
    rows = []
    for failure, names in presets.items():
        where = plain(f" ({', '.join(names)})") if several else ""
        rows.append((plain(failure.path), cause_of(failure) + where))
    title = f"failed: {counted(len({path for path, _ in rows}), 'input')}"
    if not console.is_terminal:
        lines = [title, *(f"  {path}: {message}" for path, message in rows)]
        console.file.write("\n".join(lines) + "\n")
        return
    table = Table(title=title, title_justify="left", title_style=f"bold {BAD}")
    table.add_column("input", overflow="fold")
    table.add_column("why", overflow="fold", ratio=1)
    for path, message in rows:
        table.add_row(Text(path), Text(message))
    console.print(table)
