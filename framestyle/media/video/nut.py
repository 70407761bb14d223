"""Uncompressed frames from ffmpeg through a pipe, with exact times: a reader of NUT.

Of all containers that ffmpeg writes, NUT alone takes any time base, so that no timestamp is rounded on the way.
Format: https://ffmpeg.org/~michael/nut.txt (version 3); here one stream of raw pictures, in order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import BinaryIO

FILE_ID = b"nut/multimedia container\0"
MAIN, STREAM, SYNCPOINT = (
    bytes.fromhex(code) for code in ("4e4d7a561f5f04ad", "4e5311405bf2f9db", "4e4be4adeeca4569")
)
CODED_PTS, STREAM_ID, SIZE_MSB, CHECKSUM, RESERVED, SM_DATA, HEADER_IDX, MATCH_TIME, CODED, INVALID = (
    8, 16, 32, 64, 128, 256, 1024, 2048, 4096, 8192,
)  # fmt: skip
LONGEST_PACKET_BYTES = 1 << 20
LARGEST_FRAME_BYTES, MOST_BYTES_A_PIXEL = 1 << 32, 8
MOST_DIGITS = 10


class NutError(ValueError):
    """What is read is no NUT stream of raw pictures, or ends in the middle."""


@dataclass(frozen=True)
class NutFrame:
    """One picture's bytes, and its time in ticks of the stream's time base."""

    ticks: int
    data: bytearray


@dataclass(frozen=True)
class _FrameCode:
    """What the first byte of a frame stands for."""

    flags: int
    pts_delta: int
    size_mul: int
    size_lsb: int
    reserved: int
    header: int


class NutReader:
    """Iterates over the frames of a stream; `width`, `height` and `time_base` are known from the start."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.width = self.height = 0
        self.time_base = Fraction(0)
        self._codes: list[_FrameCode] = []
        self._elided: list[bytes] = [b""]
        self._bases: list[Fraction] = []
        self._pts_shift = 0
        self._last = 0
        if self._exactly(len(FILE_ID)) != FILE_ID:
            raise NutError("it does not begin as NUT does")
        while not self.time_base:
            if (first := stream.read(1)) != b"N":
                raise NutError("there is no stream in it")
            self._take_packet(first)

    def __iter__(self) -> Iterator[NutFrame]:
        while first := self._stream.read(1):
            if first == b"N":
                self._take_packet(first)
            else:
                yield self._frame(self._codes[first[0]])

    def _frame(self, code: _FrameCode) -> NutFrame:
        flags = code.flags
        if flags & CODED:
            flags ^= self._number()
        if flags & (INVALID | SM_DATA):
            raise NutError("a frame is of no known form")
        if flags & STREAM_ID and self._number() != 0:
            raise NutError("there is more than one stream in it")
        ticks = self._coded_pts(self._number()) if flags & CODED_PTS else self._last + code.pts_delta
        size = code.size_lsb + (code.size_mul * self._number() if flags & SIZE_MSB else 0)
        if flags & MATCH_TIME:
            self._number()
        header = self._number() if flags & HEADER_IDX else code.header
        for _ in range(self._number() if flags & RESERVED else code.reserved):
            self._number()
        if flags & CHECKSUM:
            self._exactly(4)
        most = min(LARGEST_FRAME_BYTES, self.width * self.height * MOST_BYTES_A_PIXEL)
        if header >= len(self._elided) or not len(self._elided[header]) <= size <= most:
            raise NutError("a frame is of no possible size")
        self._last = ticks
        start = self._elided[header]
        data = bytearray(size)
        data[: len(start)] = start
        self._into(memoryview(data)[len(start) :])
        return NutFrame(ticks, data)

    def _coded_pts(self, coded: int) -> int:
        """The lowest bits alone, near the last frame's, or the whole."""
        span = 1 << self._pts_shift
        if coded >= span:
            return coded - span
        least = self._last - (span >> 1) + 1
        return least + (coded - least) % span

    def _take_packet(self, first: bytes) -> None:
        startcode = first + self._exactly(7)
        size = self._number()
        if size > 4096:
            self._exactly(4)
        if not 4 <= size <= LONGEST_PACKET_BYTES:
            raise NutError("a header is of no possible size")
        body = _Body(self._exactly(size)[:-4])
        if startcode == MAIN:
            self._take_main(body)
        elif startcode == STREAM:
            self._take_stream(body)
        elif startcode == SYNCPOINT:
            if not self.time_base:
                raise NutError("its frames begin before it says what they are")
            ticks, base = divmod(body.number(), len(self._bases))
            self._last = int(ticks * self._bases[base] / self.time_base)

    def _take_main(self, body: _Body) -> None:
        if body.number() > 4 or body.number() != 1:
            raise NutError("it is not one stream of NUT version 3")
        body.number()  # the longest distance between two syncpoints
        self._bases = [Fraction(body.number(), body.number() or 1) for _ in range(min(body.number(), 16))]
        pts_delta, mul, size, reserved, header = 0, 1, 0, 0, 0
        while len(self._codes) < 256:
            flags, fields = body.number(), body.number()
            pts_delta = body.signed() if fields > 0 else pts_delta
            mul = body.number() if fields > 1 else mul
            if fields > 2:
                body.number()  # the stream
            size = body.number() if fields > 3 else 0
            reserved = body.number() if fields > 4 else 0
            count = body.number() if fields > 5 else mul - size
            if fields > 6:
                body.signed()  # match time
            header = body.number() if fields > 7 else header
            for _ in range(8, fields):
                body.number()
            for n in range(min(count, 256)):
                if len(self._codes) == ord("N"):  # begins a header
                    self._codes.append(_FrameCode(INVALID, 0, 1, 0, 0, 0))
                self._codes.append(_FrameCode(flags, pts_delta, mul, size + n, reserved, header))
        for _ in range(min(body.number(), 128)):
            self._elided.append(body.bytes(body.number()))

    def _take_stream(self, body: _Body) -> None:
        if body.number() != 0 or body.number() != 0 or not self._bases:
            raise NutError("it is not one stream of pictures")
        body.bytes(body.number())  # the four letters of its pixel format
        base = body.number()
        self._pts_shift = min(body.number(), 62)
        for _ in range(3):
            body.number()
        body.bytes(body.number())
        self.width, self.height = body.number(), body.number()
        self.time_base = self._bases[min(base, len(self._bases) - 1)]
        if self.time_base <= 0:
            raise NutError("its time does not pass")

    def _number(self) -> int:
        return _number(self._exactly)

    def _exactly(self, size: int) -> bytes:
        data = bytearray(size)
        self._into(memoryview(data))
        return bytes(data)

    def _into(self, view: memoryview) -> None:
        done = 0
        while done < len(view):
            count = self._stream.readinto(view[done:])  # type: ignore[attr-defined]
            if not count:
                raise NutError("it ends in the middle")
            done += count


class _Body:
    """The values in a header, one after another."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def bytes(self, size: int) -> bytes:
        if size > len(self._data) - self._at:
            raise NutError("a header ends in the middle")
        self._at += size
        return self._data[self._at - size : self._at]

    def number(self) -> int:
        return _number(self.bytes)

    def signed(self) -> int:
        value = self.number() + 1
        return -(value >> 1) if value & 1 else value >> 1


def _number(take: Callable[[int], bytes]) -> int:
    """Seven bits a byte, the highest first; `take` gives the next bytes."""
    value = 0
    for _ in range(MOST_DIGITS):
        (byte,) = take(1)
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value
    raise NutError("a number is too long")
