"""Animated PNG: whether a PNG is one, how often it is played, whether it is whole (PNG specification, edition 3)."""

from __future__ import annotations

from pathlib import Path

from framestyle.media.png_chunks import END, chunks_of, heads_of

CONTROL, CONTROL_BYTES = b"acTL", 8


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
    return any(name == END for name, _ in chunks_of(path))


def _control(path: Path) -> tuple[int, int]:
    """How many pictures, and how often; it stands before the pixels."""
    for name, data in heads_of(path):
        if name == CONTROL and len(data) == CONTROL_BYTES:
            return int.from_bytes(data[:4], "big"), int.from_bytes(data[4:], "big")
    return 0, 0
