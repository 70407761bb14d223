"""What is found, as a label and a text a row: laid out in a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass

from framestyle.doors.text import plain


@dataclass(frozen=True)
class Row:
    """`style` is rich's, of the label; a row without a label is a headline."""

    label: str
    text: str
    style: str = ""


def print_rows(rows: Sequence[Row]) -> None:
    """On stdout."""
    if sys.stdout.isatty():
        _print_table(rows)
        return
    width = max((len(row.label) for row in rows), default=0)
    for row in rows:
        print(f"  {row.label:{width}}  {plain(row.text)}" if row.label else plain(row.text))


def _print_table(rows: Sequence[Row]) -> None:
    from rich.console import Console
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    console = Console(highlight=False)
    width = max((len(row.label) for row in rows), default=0)
    grid: Table | None = None
    for row in (*rows, None):
        if row is not None and row.label:
            if grid is None:
                grid = Table.grid(padding=(0, 2, 0, 0))
                grid.add_column(min_width=width, no_wrap=True)
                grid.add_column(overflow="fold")
            grid.add_row(Text(row.label, style=row.style), Text(plain(row.text)))
            continue
        if grid is not None:
            console.print(Padding(grid, (0, 0, 0, 2), expand=False))
            grid = None
        if row is not None:
            console.print(Text(plain(row.text), style=row.style))
