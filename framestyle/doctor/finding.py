"""A finding: one line of what the doctor says."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from framestyle.errors import FramestyleError

OK, WARNING, FAILURE = "ok", "warning", "failure"


@dataclass(frozen=True)
class Finding:
    """One line. `area` groups them; `exit_code` is what a failure makes of the whole; `facts` are ready for JSON."""

    area: str
    name: str
    state: str
    text: str
    next_step: str | None = None
    exit_code: int = 0
    facts: dict[str, Any] = field(default_factory=dict)


def failed(area: str, name: str, text: str, kind: type[FramestyleError], next_step: str) -> Finding:
    """Something essential, with the exit code of the error that a job would meet."""
    return Finding(area, name, FAILURE, text, next_step, kind.exit_code)
