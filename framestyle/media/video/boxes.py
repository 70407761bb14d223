"""Boxes of MP4 and MOV, as far as ffmpeg does not tell of them. Format: ISO/IEC 14496-12."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import BinaryIO

MOST_BOXES = 100_000
"""So many in one file are no clip's."""
MOST_RUNS_BYTES = 1 << 26
VISUAL_ENTRY = 78
"""So many bytes a description of pictures has before its own boxes."""


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


@dataclass(frozen=True)
class Promise:
    """What the head of an MP4 or MOV says of one stream: how many frames it has, and when the last one is over.

    In seconds of the file's time. None: not said.
    """

    frames: int | None = None
    end_s: Fraction | None = None


def promise_of(path: Path, stream: int) -> Promise:
    """Of a stream by its number. Fragments say nothing in the head."""
    with path.open("rb") as file:
        moov = movie(file)
        if moov is None or any(inside(file, moov, b"mvex")):
            return Promise()
        tracks = list(inside(file, moov, b"trak"))
        if stream >= len(tracks):
            return Promise()
        return Promise(_frames_of(file, tracks[stream]), _end_of(file, moov, tracks[stream]))


def _frames_of(file: BinaryIO, track: Box) -> int | None:
    runs = next(inside(file, track, b"mdia", b"minf", b"stbl", b"stts"), None)
    if runs is None:
        return None
    file.seek(runs.start + 8)
    data = file.read(min(runs.end - runs.start - 8, MOST_RUNS_BYTES))
    return sum(int.from_bytes(data[at : at + 4], "big") for at in range(0, len(data) - 7, 8)) or None


def _end_of(file: BinaryIO, moov: Box, track: Box) -> Fraction | None:
    heads = next(inside(file, moov, b"mvhd"), None), next(inside(file, track, b"tkhd"), None)
    if heads[0] is None or heads[1] is None:
        return None
    # Version 1 has times of 8 bytes; the track's length lies 8 bytes further, after its number.
    scale = _number(file, heads[0].start + (20 if _number(file, heads[0].start, 1) else 12), 4)
    wide = bool(_number(file, heads[1].start, 1))
    length = _number(file, heads[1].start + (28 if wide else 20), 8 if wide else 4)
    unknown = (1 << (64 if wide else 32)) - 1
    return Fraction(length, scale) if scale and 0 < length < unknown else None


def _number(file: BinaryIO, at: int, size: int) -> int:
    file.seek(at)
    return int.from_bytes(file.read(size), "big")


def hide_second_viewing(path: Path) -> None:
    """In an MP4 or MOV that ffmpeg has written: beside what all players read of pictures for two eyes, it writes a
    newer box, which calls them of no known kind, and is believed by some. It becomes free space."""
    with path.open("r+b") as file:
        moov = movie(file)
        for table in inside(file, moov, b"trak", b"mdia", b"minf", b"stbl", b"stsd") if moov else ():
            entry = next(boxes(file, table.start + 8, table.end), None)
            if entry is None:
                continue
            found = [one for one in boxes(file, entry.start + VISUAL_ENTRY, entry.end) if one.kind == b"vexu"]
            for box in found:
                file.seek(box.start - 4)
                file.write(b"free")
