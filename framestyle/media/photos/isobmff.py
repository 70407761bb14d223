"""The boxes of AVIF and HEIC stills (ISO/IEC 14496-12, 23008-12): what Pillow does not say of them."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import BinaryIO

from framestyle.media.photos.cicp import UNSPECIFIED, Cicp

MOST_META_BYTES = 16 << 20
MOST_BOXES = 10_000
GAIN_MAPS = (b"tmap", b"hdrgainmap")
"""An item of ISO 21496-1, and the auxiliary picture of Apple's cameras."""
MORE_PICTURES = {b"depth": "a depth map", b"auxid:2": "a depth map"}


@dataclass(frozen=True)
class Still:
    """A still picture's own words. `properties` of the main picture, by type; `beside`: further pictures, in words."""

    properties: dict[bytes, bytes] = field(default_factory=dict)
    cicp: Cicp | None = None
    bits: int = 8
    beside: tuple[str, ...] = ()


def still_in(path: Path) -> Still:
    """What a file's boxes say of its main picture; nothing of a file that is none such, or broken."""
    try:
        still = _still(_meta(path))
        return replace(
            still, beside=(*still.beside, *(["a film (a motion photo)"] if _holds_film(path) else []))
        )
    except (struct.error, IndexError, OSError):
        return Still()


def boxes(data: bytes, at: int = 0, end: int | None = None) -> Iterator[tuple[bytes, int, int]]:
    """Each box's type, and where its contents begin and end."""
    end = len(data) if end is None else end
    for _ in range(MOST_BOXES):
        if at + 8 > end:
            return
        size, kind = struct.unpack_from(">L4s", data, at)
        begin = at + 8
        if size == 1:
            (size,) = struct.unpack_from(">Q", data, begin)
            begin += 8
        elif size == 0:
            size = end - at
        if size < begin - at or at + size > end:
            return
        yield kind, begin, at + size
        at += size


def _meta(path: Path) -> bytes:
    """The contents of the file's own `meta` box."""
    with path.open("rb") as file:
        for kind, begin, end in _outer(file):
            if kind == b"meta":
                file.seek(begin)
                return file.read(min(end - begin, MOST_META_BYTES))
    return b""


def _holds_film(path: Path) -> bool:
    """As phones put it behind the picture."""
    with path.open("rb") as file:
        return any(kind == b"mpvd" for kind, *_ in _outer(file))


def _outer(file: BinaryIO) -> Iterator[tuple[bytes, int, int]]:
    """The file's own boxes: type, and where the contents begin and end."""
    at = 0
    for _ in range(MOST_BOXES):
        file.seek(at)
        head = file.read(16)
        if len(head) < 8:
            return
        size, kind = struct.unpack_from(">L4s", head)
        begin = 8
        if size == 1 and len(head) == 16:
            (size,), begin = struct.unpack_from(">Q", head, 8), 16
        elif size == 0:
            size = file.seek(0, 2) - at
        if size < begin:
            return
        yield kind, at + begin, at + size
        at += size


def _still(meta: bytes) -> Still:
    inside = {kind: (begin, end) for kind, begin, end in boxes(meta, 4)}
    if b"pitm" not in inside or b"iprp" not in inside:
        return Still()
    main = _item_number(meta, inside[b"pitm"][0])
    shelf: list[tuple[bytes, bytes]] = []
    owned: list[int] = []
    for kind, begin, end in boxes(meta, *inside[b"iprp"]):
        if kind == b"ipco":
            shelf = [(one, meta[start:stop]) for one, start, stop in boxes(meta, begin, end)]
        elif kind == b"ipma":
            owned = _owned(meta, begin, main)
    own = [shelf[number - 1] for number in owned if 0 < number <= len(shelf)]
    coded = next((body for kind, body in own if kind == b"colr" and body[:4] == b"nclx"), b"")
    return Still(dict(own), _cicp(coded), _bits(own, shelf), _beside(meta, inside))


def _item_number(meta: bytes, at: int) -> int:
    number: int = struct.unpack_from(">L" if meta[at] else ">H", meta, at + 4)[0]
    return number


def _owned(meta: bytes, at: int, main: int) -> list[int]:
    """Which properties are an item's, counted from 1."""
    wide_items, wide_places = meta[at] > 0, meta[at + 3] & 1
    (count,) = struct.unpack_from(">L", meta, at + 4)
    at += 8
    for _ in range(min(count, MOST_BOXES)):
        item, many = struct.unpack_from(">LB" if wide_items else ">HB", meta, at)
        at += 5 if wide_items else 3
        form = f">{many}{'H' if wide_places else 'B'}"
        places = struct.unpack_from(form, meta, at)
        at += struct.calcsize(form)
        if item == main:
            return [place & (0x7FFF if wide_places else 0x7F) for place in places]
    return []


def _cicp(coded: bytes) -> Cicp | None:
    """None where it says nothing."""
    if len(coded) < 10:
        return None
    primaries, transfer = struct.unpack_from(">HH", coded, 4)
    return None if UNSPECIFIED in (primaries, transfer) else Cicp(primaries, transfer)


def _bits(own: list[tuple[bytes, bytes]], shelf: list[tuple[bytes, bytes]]) -> int:
    """The main picture's own count of bits, else what the coder of any picture says (of tiles, each has its own)."""
    for properties in (own, shelf):
        by_kind = dict(properties)
        if len(by_kind.get(b"pixi", b"")) > 5:
            return by_kind[b"pixi"][5]
        if len(by_kind.get(b"av1C", b"")) > 2:
            flags = by_kind[b"av1C"][2]
            return 8 if not flags & 0x40 else 12 if flags & 0x20 else 10
        if len(by_kind.get(b"hvcC", b"")) > 17:
            return 8 + (by_kind[b"hvcC"][17] & 7)
    return 8


def _beside(meta: bytes, inside: dict[bytes, tuple[int, int]]) -> tuple[str, ...]:
    """Further pictures in the file, by what their items and properties are called."""
    named = b"".join(meta[slice(*inside[kind])] for kind in (b"iinf", b"iprp") if kind in inside)
    found = ["a gain map"] if any(name in named for name in GAIN_MAPS) else []
    found += [description for name, description in MORE_PICTURES.items() if name in named]
    return tuple(dict.fromkeys(found))
