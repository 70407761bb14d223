"""What cameras and recorders put into an MP4 and into pictures' own streams, and no encoder of ours does."""

from __future__ import annotations

import re
import struct
from pathlib import Path

from framestyle.media.video.boxes import boxes, inside, movie


def box(kind: bytes, body: bytes) -> bytes:
    """ISO/IEC 14496-12: its length, its four letters, what is in it."""
    return struct.pack(">I", 8 + len(body)) + kind + body


ALL_AROUND = box(
    b"sv3d",
    box(b"svhd", b"\0\0\0\0x\0")
    + box(b"proj", box(b"prhd", struct.pack(">i3i", 0, 30 << 16, 0, 0)) + box(b"equi", bytes(20))),
)
"""Pictures all around, turned by 30 degrees (Google's Spherical Video V2)."""
ONE_ABOVE_THE_OTHER = box(b"st3d", b"\0\0\0\0\1")
"""For two eyes, the left one's above."""


def dolby_vision(profile: int, compatible: int) -> bytes:
    """A configuration record: a base picture with metadata, compatible to HDR10 (1), SDR (2) or HLG (4)."""
    return box(
        b"dvvC", struct.pack(">BBHB", 1, 0, profile << 9 | 6 << 3 | 0b101, compatible << 4) + bytes(19)
    )


def add_to_pictures(path: Path, more: bytes) -> None:
    """Boxes at the end of the description of an MP4's pictures; its `moov` has to be its last box."""
    with path.open("rb") as file:
        moov = movie(file)
        assert moov is not None and moov.end == file.seek(0, 2)
        kinds = (b"trak", b"mdia", b"minf", b"stbl", b"stsd")
        parents = [moov, *(next(inside(file, moov, *kinds[: n + 1])) for n in range(len(kinds)))]
        entry = next(boxes(file, parents[-1].start + 8, parents[-1].end))
    data = bytearray(path.read_bytes())
    for one in (*parents, entry):
        data[one.start - 8 : one.start - 4] = struct.pack(">I", one.end - one.start + 8 + len(more))
    data[entry.end : entry.end] = more
    path.write_bytes(data)


def rename_track(path: Path, tag: bytes, handler: bytes) -> None:
    """An MP4's text track becomes one of a camera's data."""
    path.write_bytes(path.read_bytes().replace(b"tx3g", tag).replace(b"sbtl", handler))


def with_message(stream: bytes, message: bytes, *, hevc: bool = False) -> bytes:
    """A raw H.264 or HEVC stream with a message of ITU-T T.35 before each picture."""
    head = b"\x4e\x01" if hevc else b"\x06"
    unit = b"\0\0\0\1" + head + bytes([4, len(message)]) + message + b"\x80"
    kinds = rb"[\x02-\x2a]\x01" if hevc else rb"[\x01\x05\x21\x25\x41\x45\x61\x65]"
    picture = rb"\x00\x00\x01(?=" + kinds + rb")"
    return re.sub(picture, lambda found: unit + b"\0\0\0\1", stream)


CAPTION = b"\xb5\x00\x31GA94\x03\xc1\xff\xfc\x94\x20\xff"
"""CEA-608 in ATSC A/53's form: one pair of bytes."""


def hdr10_plus() -> bytes:
    """SMPTE ST 2094-40: one window, nothing mapped."""
    bits = (
        "01" + f"{1000:027b}" + "0" + f"{5:017b}" * 3 + f"{3:017b}" + "0000" + f"{1:010b}" + "0" + "0" + "0"
    )
    bits += "0" * (-len(bits) % 8)
    return b"\xb5\x00\x3c\x00\x01\x04\x01" + bytes(int(bits[at : at + 8], 2) for at in range(0, len(bits), 8))
