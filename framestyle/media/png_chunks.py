"""A PNG file's chunks, by their names and what they begin with (PNG specification, edition 3, 5.3)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

PNG_HEAD = b"\x89PNG\r\n\x1a\n"
PIXELS, END = b"IDAT", b"IEND"
MOST_CHUNKS = 1_000_000
KEPT_BYTES = 64
"""Of each chunk's data: more than any value of a fixed length has."""


def chunks_of(path: Path) -> Iterator[tuple[bytes, bytes]]:
    """Each whole chunk's name and first bytes; none of a file that is no PNG."""
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


def heads_of(path: Path) -> Iterator[tuple[bytes, bytes]]:
    """Those before the pixels: what a PNG says of itself stands there."""
    for name, data in chunks_of(path):
        if name == PIXELS:
            return
        yield name, data
