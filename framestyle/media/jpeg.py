"""Where one JPEG ends and what follows it in its file: raw MJPEG, pictures behind a photo, a film behind it."""

from __future__ import annotations

import re
from pathlib import Path

JPEG_HEAD = b"\xff\xd8\xff"
END = b"\xff\xd9"
FILL, ENDS, PICTURE = 0xFF, 0xD9, 0xDA
STAND_ALONE = {0x01, *range(0xD0, 0xD8)}
"""Markers without a length."""
FILM_MARK, FILM_HEAD_BYTES = b"ftyp", (16, 64)
"""How an MP4 begins, and how long that box is."""
_NEXT_MARKER = re.compile(rb"\xff[^\x00\x01\xd0-\xd7\xff]")
"""Within a picture's own bytes, 0xff is followed by 0 or by a marker of restart."""
MJPEG_NAMES = {".mjpeg", ".mjpg", ".mjp"}
SEARCHED_BYTES = 256 << 10
"""So far into a file of another name the next picture's beginning is looked for."""
CAMERA_MARKERS = (b"Exif\0\0", b"MPF\0", b"ICC_PROFILE\0")
"""What a photo has and filmed pictures have not: EXIF, an index of further pictures (MPO), a profile."""


def is_mjpeg(path: Path) -> bool:
    """Whether a file that begins as a JPEG is a film of one picture after another (raw MJPEG)."""
    named = path.suffix.lower() in MJPEG_NAMES
    with path.open("rb") as file:
        data = file.read(-1 if named else SEARCHED_BYTES)
    behind = _second(data)
    return behind is not None and not any(marker in data[:behind] for marker in CAMERA_MARKERS)


def holds_more(path: Path) -> bool:
    """Whether another picture lies behind the first one."""
    return _second(path.read_bytes()) is not None


def holds_film(path: Path) -> bool:
    """Whether a film lies behind the picture: a motion photo, as phones take them."""
    data = path.read_bytes()
    end = _end(data)
    if end is None:
        return False
    at = end
    while (at := data.find(FILM_MARK, at)) >= 0:
        if (
            at - 4 >= end
            and FILM_HEAD_BYTES[0] <= int.from_bytes(data[at - 4 : at], "big") <= FILM_HEAD_BYTES[1]
        ):
            return True
        at += 1
    return False


def _second(data: bytes) -> int | None:
    """Where a second picture begins right behind the first one."""
    behind = _end(data)
    if behind is None:
        return None
    while data[behind : behind + 1] == b"\0":
        behind += 1
    return behind if data[behind : behind + 3] == JPEG_HEAD else None


def _end(data: bytes) -> int | None:
    """Where the first picture ends; thumbnails lie in segments, and are passed over."""
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF and data[at + 1] != ENDS:
        marker = data[at + 1]
        if marker == FILL or marker in STAND_ALONE:
            at += 1 if marker == FILL else 2
            continue
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        if marker == PICTURE:
            following = _NEXT_MARKER.search(data, at)
            if following is None:
                return None
            at = following.start()
    return at + 2 if data[at : at + 2] == END else None
