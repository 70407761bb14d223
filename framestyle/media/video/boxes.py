"""Boxes of MP4 and MOV, as far as ffmpeg does not tell of them. Format: ISO/IEC 14496-12."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

MOST_BOXES = 100_000
"""So many in one file are no clip's."""
MOST_RUNS_BYTES = 1 << 26


@dataclass(frozen=True)
class Box:
    """A box in a file: its four letters, and where its contents begin and end, in bytes."""

    kind: bytes
    start: int
    end: int


def boxes(file: BinaryIO, start: int, end: int) -> Iterator[Box]:
    """Those that lie between two places, one after another, up to what is none."""
    for _ in range(MOST_BOXES):
        if start + 8 > end:
            return
        file.seek(start)
        head = file.read(16)
        size, body = int.from_bytes(head[:4], "big"), 8
        if size == 1:
            size, body = int.from_bytes(head[8:16], "big"), 16
        elif size == 0:
            size = end - start
        if size < body or start + size > end:
            return
        yield Box(head[4:8], start + body, start + size)
        start += size


def inside(file: BinaryIO, box: Box, *path: bytes) -> Iterator[Box]:
    """Boxes along a path of kinds, below `box`."""
    for one in boxes(file, box.start, box.end):
        if one.kind == path[0]:
            yield from inside(file, one, *path[1:]) if len(path) > 1 else [one]


def movie(file: BinaryIO) -> Box | None:
    """The `moov` of a file."""
    end = file.seek(0, 2)
    return next((box for box in boxes(file, 0, end) if box.kind == b"moov"), None)


def counted_frames(path: Path, stream: int) -> int | None:
    """How many frames the head of an MP4 or MOV counts in a stream. None where it counts none: fragments do not."""
    with path.open("rb") as file:
        if (moov := movie(file)) is None or any(inside(file, moov, b"mvex")):
            return None
        tracks = list(inside(file, moov, b"trak"))
        if stream >= len(tracks):
            return None
        runs = next(inside(file, tracks[stream], b"mdia", b"minf", b"stbl", b"stts"), None)
        if runs is None:
            return None
        file.seek(runs.start + 8)
        data = file.read(min(runs.end - runs.start - 8, MOST_RUNS_BYTES))
    return sum(int.from_bytes(data[at : at + 4], "big") for at in range(0, len(data) - 7, 8)) or None
