"""Where frames end in a stream of y4m or Matroska, without decoding it: so that one which is cut short is known to be.

Decoders take the end of a pipe for the end of the clip. Formats: https://wiki.multimedia.cx/index.php/YUV4MPEG2 and
https://www.matroska.org/technical.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol

Y4M_HEAD, MATROSKA_HEAD = b"YUV4MPEG2 ", b"\x1aE\xdf\xa3"
LONGEST_LINE_BYTES = 4096
LARGEST_INFO_BYTES = 1 << 16


class FramingError(ValueError):
    """What is read is not what its first bytes promised."""


class Framing(Protocol):
    """Takes a stream's bytes as they come, and knows where in it they end. FramingError where it is none."""

    def take(self, data: bytes) -> None:
        """The next bytes."""

    @property
    def has_begun(self) -> bool:
        """Whether a whole picture has come: then what the clip is can be told."""

    @property
    def cut_short(self) -> str | None:
        """In which part of it the stream would end here, in words; None: here it may end."""

    def frames_promised(self, frame_rate: Fraction) -> int | None:
        """How many frames the head says there are; None where it does not say."""


@dataclass(frozen=True)
class _Plane:
    """How many pixels, across and down, share one value."""

    across: int = 1
    down: int = 1

    def values(self, width: int, height: int) -> int:
        return -(-width // self.across) * -(-height // self.down)


_FULL = _Plane()
_Y4M_PLANES: Mapping[str, tuple[_Plane, ...]] = {
    "mono": (_FULL,),
    "420": (_FULL, _Plane(2, 2), _Plane(2, 2)),
    "411": (_FULL, _Plane(4), _Plane(4)),
    "422": (_FULL, _Plane(2), _Plane(2)),
    "444": (_FULL,) * 3,
    "444alpha": (_FULL,) * 4,
}
_Y4M_FORMAT = re.compile(r"(?P<planes>mono|444alpha|4[0-9]{2})(?:jpeg|mpeg2|paldv|p?(?P<bits>[0-9]{1,2}))?")
"""Three of the names tell where chroma lies between its pixels."""


class Y4MFraming:
    """A line for the stream, and for each frame a line and as many bytes as its size and format make."""

    def __init__(self) -> None:
        self._line = bytearray()
        self._frame_bytes = self._left = 0
        self._length: int | None = None
        self.frames = 0
        """How many have come whole."""

    def take(self, data: bytes) -> None:
        """See `Framing`, here and below."""
        at = 0
        while at < len(data):
            if self._left:
                step = min(self._left, len(data) - at)
                self._left, at = self._left - step, at + step
                self.frames += not self._left
            else:
                at = self._take_line(data, at)

    def _take_line(self, data: bytes, at: int) -> int:
        end = data.find(b"\n", at)
        self._line += data[at : len(data) if end < 0 else end]
        if len(self._line) > LONGEST_LINE_BYTES:
            raise FramingError("a line of its head has no end")
        if end < 0:
            return len(data)
        line, self._line = self._line.decode("latin-1"), bytearray()
        if not self._frame_bytes:
            self._take_head(line)
        elif line.split(" ")[0] != "FRAME":
            raise FramingError(f"there is no frame where frame {self.frames} should be")
        else:
            self._left = self._frame_bytes
        return end + 1

    def _take_head(self, line: str) -> None:
        parameters = {word[0]: word[1:] for word in line.split(" ")[1:] if word and word[0] in "WHC"}
        length = [word.partition("=")[2] for word in line.split(" ") if word.startswith("XLENGTH=")]
        self._length = int(length[0]) if length and length[0].isdecimal() else None
        try:
            width, height = int(parameters["W"]), int(parameters["H"])
        except (KeyError, ValueError) as error:
            raise FramingError("its head tells no size") from error
        name, bytes_a_value = _known_format(parameters.get("C", "420"))
        if name not in _Y4M_PLANES or not bytes_a_value or not (0 < width < 1 << 16 and 0 < height < 1 << 16):
            raise FramingError(f"frames of {width}x{height} in C{parameters.get('C', '420')} are not read")
        self._frame_bytes = bytes_a_value * sum(one.values(width, height) for one in _Y4M_PLANES[name])

    @property
    def has_begun(self) -> bool:
        return self.frames > 0

    @property
    def cut_short(self) -> str | None:
        if not self._frame_bytes:
            return "its head"
        return f"frame {self.frames}" if self._left or self._line else None

    def frames_promised(self, frame_rate: Fraction) -> int | None:
        """By XLENGTH, which vspipe writes."""
        return self._length or None


def _known_format(name: str) -> tuple[str, int]:
    """Its planes, and the bytes of a value: 420jpeg -> 420, 1; 422p10 -> 422, 2; mono16 -> mono, 2; 0 where unknown."""
    if (found := _Y4M_FORMAT.fullmatch(name)) is None:
        return name, 0
    bits = int(found["bits"] or 8)
    return found["planes"], 1 if bits == 8 else 2 if 8 < bits <= 16 else 0


_SEGMENT, _CLUSTER, _INFO, _GROUP = 0x18538067, 0x1F43B675, 0x1549A966, 0xA0
_BLOCKS = {0xA1, 0xA3}
_MASTERS = {_SEGMENT, _CLUSTER, _GROUP}
"""Looked into; all others are passed over whole."""
_DURATION, _TICK = 0x4489, 0x2AD7B1
_NANOSECONDS_A_TICK = 1_000_000
_UNKNOWN = -1


class MatroskaFraming:
    """Elements, one after another, each with its size; what is in the large ones is looked at one by one.

    A stream that is written as it is made has a segment, and may have clusters, of unknown size.
    """

    def __init__(self) -> None:
        self._head = bytearray()
        self._info: bytearray | None = None
        self._left = self._at = self._due = 0
        self._is_block = False
        self._blocks = 0
        self._duration_s: Fraction | None = None

    def take(self, data: bytes) -> None:
        """See `Framing`, here and below."""
        at = 0
        while at < len(data):
            step = min(self._left, len(data) - at) if self._left else 1
            if self._left:
                if self._info is not None:
                    self._info += data[at : at + step]
                self._left -= step
            else:
                self._head += data[at : at + 1]
            at, self._at = at + step, self._at + step
            if not self._left:
                self._next()

    def _next(self) -> None:
        """Something has ended, or one more byte of an element's head has come."""
        if self._info is not None:
            self._duration_s, self._info = _duration_s(bytes(self._info)), None
        self._blocks, self._is_block = self._blocks + self._is_block, False
        if (found := _element_head(self._head)) is None:
            return
        name, size = found
        self._head.clear()
        if name in _MASTERS:
            self._due = self._due if size == _UNKNOWN else max(self._due, self._at + size)
            return
        if size == _UNKNOWN:
            raise FramingError("an element of it has no size")
        self._left, self._is_block = size, name in _BLOCKS
        if name == _INFO and 0 < size <= LARGEST_INFO_BYTES:
            self._info = bytearray()

    @property
    def has_begun(self) -> bool:
        return self._blocks > 0

    @property
    def cut_short(self) -> str | None:
        if self._head or self._left or self._at < self._due:
            return f"block {self._blocks}"
        return None if self._at else "its head"

    def frames_promised(self, frame_rate: Fraction) -> int | None:
        """By its duration, which a stream that is written as it is made does not have."""
        return None if self._duration_s is None else round(self._duration_s * frame_rate) or None


def _element_head(head: bytearray) -> tuple[int, int] | None:
    """An element's name and size; None where its head has not come whole. FramingError where it is none."""
    if not head:
        return None
    if not head[0] & 0xF0:
        raise FramingError("there is no element where one should be")
    name_bytes = 9 - head[0].bit_length()
    if len(head) <= name_bytes:
        return None
    first = head[name_bytes]
    if not first:
        raise FramingError("an element of it has no possible size")
    size_bytes = 9 - first.bit_length()
    if len(head) < name_bytes + size_bytes:
        return None
    size = int.from_bytes(head[name_bytes:], "big") - (1 << 7 * size_bytes)
    return int.from_bytes(head[:name_bytes], "big"), _UNKNOWN if size == (1 << 7 * size_bytes) - 1 else size


def _duration_s(info: bytes) -> Fraction | None:
    """What the segment's information says."""
    tick, duration, head, at = _NANOSECONDS_A_TICK, 0.0, bytearray(), 0
    while at < len(info):
        head += info[at : at + 1]
        at += 1
        if (found := _element_head(head)) is None:
            continue
        name, size = found
        head.clear()
        body, at = info[at : at + size], at + size
        if name == _TICK:
            tick = int.from_bytes(body, "big")
        elif name == _DURATION and size in (4, 8) and len(body) == size:
            (duration,) = struct.unpack(">f" if size == 4 else ">d", body)
    return Fraction(duration) * tick / 1_000_000_000 if 0 < duration < 1e15 else None


def framing_of(head: bytes) -> tuple[str, Framing] | None:
    """ffmpeg's name of the container that begins so, and its framing; None where it is neither."""
    if head.startswith(Y4M_HEAD):
        return "yuv4mpegpipe", Y4MFraming()
    return ("matroska", MatroskaFraming()) if head.startswith(MATROSKA_HEAD) else None
