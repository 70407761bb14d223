"""A finding: one line of what the doctor says."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from framestyle.errors import Code, FramestyleError

OK, WARNING, FAILURE = "ok", "warning", "failure"


@dataclass(frozen=True)
class Finding:
    """One line. `area` groups them; `exit_code` is what a failure makes of the whole; `facts` are ready for JSON."""

    area: str
    name: str
    state: str
    text: str
    next_step: str | None = None
    """What holds whatever the door; else a door words it from code and facts, as for an error."""
    exit_code: int = 0
    facts: dict[str, Any] = field(default_factory=dict)
    code: Code | None = None


def failed(area: str, name: str, text: str, kind: type[FramestyleError], advice: str | Code) -> Finding:
    """Something essential, with the exit code of the error that a job would meet."""
    if isinstance(advice, Code):
        return Finding(area, name, FAILURE, text, exit_code=kind.exit_code, code=advice)
    return Finding(area, name, FAILURE, text, advice, kind.exit_code)
