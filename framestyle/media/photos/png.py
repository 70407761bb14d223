"""PNG chunks: how a photo's profile, resolution, EXIF, XMP and words get into an encoded picture."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Mapping

BEFORE_CHUNKS = 8 + 25
"""Signature and header chunk: what everything else stands behind (PNG specification, 5.6)."""
XMP_KEYWORD = "XML:com.adobe.xmp"
LONG_TEXT = 1000
"""Characters from which a text is worth compressing."""


def with_chunks(png: bytes, chunks: Iterable[bytes]) -> bytes:
    """The chunks put right after the header; resolution and text of the encoder's own are not expected."""
    return png[:BEFORE_CHUNKS] + b"".join(chunks) + png[BEFORE_CHUNKS:]


def profile_chunk(profile: bytes) -> bytes:
    return chunk(b"iCCP", b"profile\0\0" + zlib.compress(profile))


def resolution_chunk(dpi: tuple[float, float]) -> bytes:
    per_metre = [round(value / 0.0254) for value in dpi]
    return chunk(b"pHYs", struct.pack(">IIB", *per_metre, 1))


def exif_chunk(block: bytes) -> bytes:
    return chunk(b"eXIf", block.removeprefix(b"Exif\0\0"))


def text_chunks(words: Mapping[str, str]) -> list[bytes]:
    """UTF-8 under a keyword each."""
    return [
        _text_chunk(key, text.replace("\0", "").encode("utf-8", "replace")) for key, text in words.items()
    ]


def _text_chunk(key: str, text: bytes) -> bytes:
    packed = len(text) >= LONG_TEXT and key != XMP_KEYWORD  # XMP is to be found by programs that scan for it
    data = zlib.compress(text) if packed else text
    return chunk(b"iTXt", _keyword(key) + b"\0" + bytes([packed, 0]) + b"\0\0" + data)


def _keyword(key: str) -> bytes:
    """1-79 Latin-1 characters."""
    return key.encode("latin-1", "replace").replace(b"\0", b"")[:79] or b"Comment"


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
