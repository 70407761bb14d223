"""What failed, at the end of a command."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TextIO

from rich.console import Console as RichConsole
from rich.table import Table
from rich.text import Text

from framestyle.doors.console.words import cause_of
from framestyle.doors.text import counted, plain
from framestyle.events import TaskFailed


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
    table = Table(title=title, title_justify="left", title_style="bold red")
    table.add_column("input", overflow="fold")
    table.add_column("why", overflow="fold", ratio=1)
    for path, message in rows:
        table.add_row(Text(path), Text(message))
    console.print(table)
