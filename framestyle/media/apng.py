"""Animated PNG: whether a PNG is one, how often it is played, whether it is whole (PNG specification, edition 3)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

PNG_HEAD = b"\x89PNG\r\n\x1a\n"
CONTROL, PIXELS, END = b"acTL", b"IDAT", b"IEND"
MOST_CHUNKS = 1_000_000
KEPT_BYTES = 8
"""Of each chunk's data: what a control says."""


def is_animated_png(path: Path) -> bool:
    """Whether a PNG holds more than one picture of an animation."""
    return png_frames(path) > 1


def png_frames(path: Path) -> int:
    """How many pictures it promises; 0 where it is no animation."""
    return _control(path)[0]


def png_plays(path: Path) -> int | None:
    """How often it is played, 0: for ever; None where it is no animation."""
    frames, plays = _control(path)
    return plays if frames else None


def ends_whole(path: Path) -> bool:
    """Whether its last chunk is there."""
    return any(name == END for name, _ in _chunks(path))


def _control(path: Path) -> tuple[int, int]:
    """How many pictures, and how often; it stands before the pixels."""
    for name, data in _chunks(path):
        if name == CONTROL and len(data) == KEPT_BYTES:
            return int.from_bytes(data[:4], "big"), int.from_bytes(data[4:], "big")
        if name == PIXELS:
            break
    return 0, 0


def _chunks(path: Path) -> Iterator[tuple[bytes, bytes]]:
    """Each whole chunk's name and first bytes."""
    size_bytes = path.stat().st_size
    with path.open("rb") as file:
        if file.read(len(PNG_HEAD)) != PNG_HEAD:
            return
        for _ in range(MOST_CHUNKS):
            at, head = file.tell(), file.read(8)
            length = int.from_bytes(head[:4], "big")
            if len(head) < 8 or at + 12 + length > size_bytes:
                return
            yield head[4:], file.read(min(length, KEPT_BYTES))
            file.seek(at + 12 + length)
