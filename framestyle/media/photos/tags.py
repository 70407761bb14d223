"""The TIFF structure of tagged values, which EXIF blocks have too: read and written byte for byte.

Pillow's own rewriting turns letters beyond ASCII into question marks and guesses the values' types anew. Classic
and BigTIFF are read, classic is written (TIFF 6.0, section 2; EXIF 2.32, 4.6).
"""

from __future__ import annotations

import mmap
import struct
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias

VALUE_BYTES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8}
"""Size of one value by its type; the types that BigTIFF adds describe layout alone, and are passed over."""
BYTE, SHORT, LONG, RATIONAL, UNDEFINED = 1, 3, 4, 5, 7
EXIF, GPS, INTEROPERABILITY = 34665, 34853, 40965
NESTED = {EXIF, GPS, INTEROPERABILITY}
"""Tags whose value is the place of another directory."""
MOST_ENTRIES = 4096
MOST_BYTES = 16 << 20
"""Of all values together: entries may claim the same bytes over and over."""


@dataclass(frozen=True)
class Value:
    """One or more values of a type, in their file's byte order."""

    kind: int
    data: bytes

    @property
    def count(self) -> int:
        return len(self.data) // VALUE_BYTES[self.kind]


Directory: TypeAlias = "dict[int, Value | Directory]"
Block: TypeAlias = bytes | mmap.mmap


def parse(block: Block, without: frozenset[int] = frozenset()) -> tuple[str, Directory]:
    """Byte order (`<` or `>`) and first directory; entries that are broken or named in `without` are left out.

    ValueError where there is no such structure. The second directory, which holds the thumbnail, is not read.
    """
    order = {b"II": "<", b"MM": ">"}.get(block[:2])
    if order is None or len(block) < 8:
        raise ValueError("no TIFF structure")
    wide = block[2:4] in (b"+\0", b"\0+")
    try:
        (first,) = (
            struct.unpack_from(f"{order}Q", block, 8) if wide else struct.unpack_from(f"{order}L", block, 4)
        )
        return order, _Parser(block, order, wide, without).directory(first, NESTED)
    except struct.error as error:
        raise ValueError("a TIFF structure that ends early") from error


class _Parser:
    """Remembers how much it has read."""

    def __init__(self, block: Block, order: str, wide: bool, without: frozenset[int]) -> None:
        self.block, self.order, self.without = block, order, without
        self.entry, self.count = ("HHQ8s", "Q") if wide else ("HHL4s", "H")
        self.offset = "Q" if wide else "L"
        self.left = MOST_BYTES

    def directory(self, start: int, nested: set[int]) -> Directory:
        (count,) = struct.unpack_from(self.order + self.count, self.block, start)
        start += struct.calcsize("=" + self.count)
        size = struct.calcsize("=" + self.entry)
        found: Directory = {}
        for index in range(min(count, MOST_ENTRIES)):
            try:
                tag, kind, number, inline = struct.unpack_from(
                    self.order + self.entry, self.block, start + index * size
                )
            except struct.error:
                break
            if tag in self.without or tag in found:
                continue
            value = (
                self._nested(inline, nested - {tag}) if tag in nested else self._value(kind, number, inline)
            )
            if value is not None:
                found[tag] = value
        return found

    def _nested(self, inline: bytes, nested: set[int]) -> Directory | None:
        try:
            (start,) = struct.unpack_from(self.order + self.offset, inline)
            return self.directory(start, nested)
        except struct.error:
            return None

    def _value(self, kind: int, number: int, inline: bytes) -> Value | None:
        size = VALUE_BYTES.get(kind, 0) * number
        if not 0 < size <= self.left:
            return None
        if size <= len(inline):
            return Value(kind, inline[:size])
        (start,) = struct.unpack(self.order + self.offset, inline)
        data = self.block[start : start + size]
        self.left -= size
        return Value(kind, data) if len(data) == size else None


def serialise(directory: Directory, order: str, start: int = 8) -> bytes:
    """A directory and, behind it, what does not fit inside its entries. `start`: where it will stand in its file."""
    data_at = start + 2 + 12 * len(directory) + 4
    entries, behind = b"", b""
    for tag, value in sorted(directory.items()):
        if isinstance(value, dict):
            kind, count = LONG, 1
            inline = struct.pack(f"{order}L", data_at + len(behind))
            behind += serialise(value, order, data_at + len(behind))
        else:
            kind, count, inline = value.kind, value.count, value.data.ljust(4, b"\0")
            if len(inline) > 4:
                inline = struct.pack(f"{order}L", data_at + len(behind))
                behind += value.data
        behind += b"\0" * (len(behind) & 1)  # values begin at even places
        entries += struct.pack(f"{order}HHL", tag, kind, count) + inline
    return struct.pack(f"{order}H", len(directory)) + entries + bytes(4) + behind


def header(order: str) -> bytes:
    """The eight bytes before a first directory that follows at once."""
    return (b"II" if order == "<" else b"MM") + struct.pack(f"{order}HL", 42, 8)


def short(order: str, *numbers: int) -> Value:
    return Value(SHORT, struct.pack(f"{order}{len(numbers)}H", *numbers))


def long(order: str, *numbers: int) -> Value:
    return Value(LONG, struct.pack(f"{order}{len(numbers)}L", *numbers))


def rational(order: str, number: float) -> Value:
    """To six digits, as cameras and scanners give resolutions."""
    ratio = Fraction(number).limit_denominator(1_000_000)
    return Value(RATIONAL, struct.pack(f"{order}2L", ratio.numerator, ratio.denominator))


def whole_number(value: Value | Directory | None, order: str) -> int | None:
    """The first of SHORT or LONG values."""
    if not isinstance(value, Value) or value.kind not in (SHORT, LONG):
        return None
    (number,) = struct.unpack_from(order + ("H" if value.kind == SHORT else "L"), value.data)
    return int(number)


def real_number(value: Value | Directory | None, order: str) -> float | None:
    """The first of RATIONAL values."""
    if not isinstance(value, Value) or value.kind != RATIONAL:
        return None
    above, below = struct.unpack_from(f"{order}2L", value.data)
    return above / below if below else None
