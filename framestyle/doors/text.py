"""What may be shown in a terminal."""

from __future__ import annotations


def plain(text: str, *, lines: bool = False) -> str:
    """Without control characters (but for line ends, where `lines`): a file's name must not drive the terminal."""
    return "".join(c if c.isprintable() or (lines and c == "\n") else f"\\x{ord(c):02x}" for c in text)
