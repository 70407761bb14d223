"""Animated GIF, WebP and PNG: how often they are played, and whether anything shows through them."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from framestyle.media.apng import png_plays
from framestyle.media.ffmpeg import FFmpegDecoder, input_arguments
from framestyle.media.png_chunks import PNG_HEAD

FOR_EVER = 0
EXTENSION, IMAGE, TRAILER = 0x21, 0x2C, 0x3B
GRAPHIC_CONTROL, APPLICATION = 0xF9, 0xFF
LOOPERS = (b"NETSCAPE2.0", b"ANIMEXTS1.0")
CLEARS = {2, 3}
"""Ways of disposing of a picture that uncover what was below it."""
WEBP_HEAD_BYTES, WEBP_FLAGS_AT, WEBP_ALPHA = 30, 20, 0x10
"""Of an extended WebP: its head, where its flags are in it, and one of them."""
MOST_BLOCKS = 1_000_000


@dataclass(frozen=True)
class Gif:
    """`repeats`: after the first time, 0 for ever, None: it is played once. `may_be_clear`: no promise that it is."""

    repeats: int | None = None
    may_be_clear: bool = False


def plays_of(path: Path) -> int | None:
    """How often an animation is played, 0: for ever; None where the file is none that says."""
    with path.open("rb") as file:
        head = file.read(12)
    if head.startswith((b"GIF87a", b"GIF89a")):
        repeats = read_gif(path).repeats
        # Browsers count a GIF's first time apart, and a WebP's and a PNG's not.
        return 1 if repeats is None else FOR_EVER if repeats == 0 else repeats + 1
    if head.startswith(b"RIFF") and head[8:] == b"WEBP":
        return _webp_plays(path)
    return png_plays(path) if head.startswith(PNG_HEAD) else None


def gif_repeats(plays: int) -> int:
    """ffmpeg's `-loop` of a GIF: repeats after the first time, 0 for ever, -1 none."""
    return 0 if plays == FOR_EVER else plays - 1 if plays > 1 else -1


def read_gif(path: Path) -> Gif:
    """From its blocks; as much as there is of a broken one (GIF89a specification)."""
    data = path.read_bytes()
    repeats, may_be_clear, is_first = None, False, True
    width, height = struct.unpack_from("<HH", data, 6) if len(data) >= 13 else (0, 0)
    for kind, at in _blocks(data):
        if (
            kind == APPLICATION
            and data[at + 1 : at + 12] in LOOPERS
            and data[at + 12 : at + 14] == b"\x03\x01"
        ):
            repeats = int.from_bytes(data[at + 14 : at + 16], "little")
        elif kind == GRAPHIC_CONTROL:
            flags = data[at + 1] if len(data) > at + 1 else 0
            may_be_clear |= bool(flags & 1) or flags >> 2 & 7 in CLEARS
        elif kind == IMAGE:
            covers = data[at : at + 8] == struct.pack("<4H", 0, 0, width, height)
            may_be_clear |= is_first and not covers
            is_first = False
    return Gif(repeats, may_be_clear)


def gif_shows_through(path: Path) -> bool:
    """Whether any pixel of any of its pictures is clear, as they are shown.

    GIFs leave out what stays as it was: that alone is no transparency.
    """
    found = path.stat()
    return read_gif(path).may_be_clear and _shows_through(path, found.st_size, found.st_mtime_ns)


def webp_shows_through(path: Path) -> bool:
    """The same of a WebP, whose head may say so, and whose pictures may leave something of the whole uncovered."""
    with path.open("rb") as file:
        head = file.read(WEBP_HEAD_BYTES)
    if len(head) < WEBP_HEAD_BYTES or head[12:16] != b"VP8X":
        return False
    frames = [data for kind, data in _webp_chunks(path) if kind == b"ANMF" and len(data) > 15]
    whole = bytes(6) + head[24:30]  # its place, and its size less 1
    uncovered = any(data[15] & 1 for data in frames) or (bool(frames) and frames[0][:12] != whole)
    if not uncovered and not head[WEBP_FLAGS_AT] & WEBP_ALPHA:
        return False
    found = path.stat()
    return _shows_through(path, found.st_size, found.st_mtime_ns)


def png_shows_through(path: Path) -> bool:
    """The same of a PNG, whose encoders often say that it has transparency where nothing is clear."""
    found = path.stat()
    return _shows_through(path, found.st_size, found.st_mtime_ns)


def mark_webp_alpha(path: Path) -> None:
    """Says in a WebP's head that it has transparency: its encoder does so only where a picture of its own has some."""
    with path.open("r+b") as file:
        head = file.read(WEBP_HEAD_BYTES)
        if len(head) == WEBP_HEAD_BYTES and head[12:16] == b"VP8X":
            file.seek(WEBP_FLAGS_AT)
            file.write(bytes((head[WEBP_FLAGS_AT] | WEBP_ALPHA,)))


@lru_cache(maxsize=64)
def _shows_through(path: Path, size_bytes: int, changed_ns: int) -> bool:
    look = ["-vf", "alphaextract,format=gray", "-f", "rawvideo", "-fps_mode", "passthrough", "-"]
    process = FFmpegDecoder([*input_arguments(path), *look])
    try:
        while values := process.output.read(1 << 20):
            if values.count(b"\xff") < len(values):
                return True
    finally:
        process.kill()
    return False


def _blocks(data: bytes) -> Iterator[tuple[int, int]]:
    """Each extension's label and each picture, with the place of what follows."""
    at = 13 + _table_bytes(data[10] if len(data) > 10 else 0)
    for _ in range(MOST_BLOCKS):
        if at + 2 > len(data) or data[at] == TRAILER:
            return
        if data[at] == EXTENSION:
            yield data[at + 1], at + 2
            at += 2
        elif data[at] == IMAGE and at + 10 <= len(data):
            yield IMAGE, at + 1
            at += 11 + _table_bytes(data[at + 9])
        else:
            return
        while at < len(data) and data[at]:
            at += 1 + data[at]
        at += 1


def _table_bytes(flags: int) -> int:
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0


def _webp_plays(path: Path) -> int | None:
    """The ANIM chunk's count (WebP container specification)."""
    counts = (int.from_bytes(data[4:6], "little") for kind, data in _webp_chunks(path) if kind == b"ANIM")
    return next(counts, None)


def _webp_chunks(path: Path) -> Iterator[tuple[bytes, bytes]]:
    """Each chunk's name and first bytes."""
    with path.open("rb") as file:
        file.seek(12)
        for _ in range(MOST_BLOCKS):
            at, head = file.tell(), file.read(8)
            if len(head) < 8:
                return
            size = int.from_bytes(head[4:], "little")
            yield head[:4], file.read(min(size, 16))
            file.seek(at + 8 + size + (size & 1))
