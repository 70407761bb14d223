"""What may be shown in a terminal."""

from __future__ import annotations

import json
import sys


def plain(text: str, *, lines: bool = False) -> str:
    """Without control characters (but for line ends, where `lines`): a file's name must not drive the terminal."""
    return "".join(c if c.isprintable() or (lines and c == "\n") else f"\\x{ord(c):02x}" for c in text)


def json_text(value: object) -> str:
    """For stdout, whatever its encoding: what that has no place for is escaped as JSON does it."""
    is_unicode = (sys.stdout.encoding or "").lower().replace("-", "").startswith("utf")
    return json.dumps(value, indent=2, ensure_ascii=not is_unicode)


def roughly(seconds: float) -> str:
    """As a person would say it: about 3 s, about 4 min, about 2 h 10 min, about 3 days."""
    if seconds < 1:
        return "less than a second"
    if seconds < 90:
        return f"about {round(seconds)} s"
    minutes = round(seconds / 60)
    if minutes < 90:
        return f"about {minutes} min"
    hours, rest = divmod(round(seconds / 600) * 10, 60)
    if hours < 48:
        return f"about {hours} h {rest} min" if rest else f"about {hours} h"
    return f"about {round(seconds / 86400)} days"


def byte_count(size_bytes: float) -> str:
    """12 kB, 3.4 MB, 120 GB."""
    for unit, one in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6)):
        if size_bytes >= one:
            value = size_bytes / one
            return f"{value:.1f} {unit}" if value < 10 else f"{value:.0f} {unit}"
    return f"{round(size_bytes / 1e3)} kB"


def counted(count: int, one: str, many: str | None = None) -> str:
    """1 photo, 2 photos."""
    return f"{count} {one if count == 1 else many or one + 's'}"
