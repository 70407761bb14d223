"""Writes docs/decisions/index.md, the list of all decisions with their status: python docs/make_decisions_index.py."""

from __future__ import annotations

import re
from pathlib import Path

FOLDER = Path(__file__).parent / "decisions"
HEAD = """# Decisions

Why FrameStyle is as it is, in the order in which it was decided. Where a decision was changed later, its status says by which.

| | Decision | Status |
|---|---|---|
"""


def index() -> str:
    """The text of the page; ValueError where a decision's first line is not `# NUMBER: Title`."""
    return HEAD + "".join(map(_row, sorted(FOLDER.glob("[0-9]*.md"))))


def _row(path: Path) -> str:
    text = path.read_text(encoding="utf-8")
    title = re.match(r"# (\d{4}): (.+)\n", text)
    if title is None:
        raise ValueError(f"{path.name} does not begin with its number and title")
    status = re.search(r"^\*\*Status\.\*\* (.+)\.$", text, re.MULTILINE)
    return f"| {title[1]} | [{title[2]}]({path.name}) | {'In force' if status is None else status[1]} |\n"


if __name__ == "__main__":
    (FOLDER / "index.md").write_text(index(), encoding="utf-8")
