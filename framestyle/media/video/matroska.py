"""Uncompressed frames to ffmpeg through a pipe, as a Matroska stream that we write ourselves.

`rawvideo` carries nothing beside pixels. This carries each frame's time and length, to the nanosecond, the frame rate
(which encoders choose their level by), what an HDR master says of itself, and how pictures are to be looked at.
Format: https://www.matroska.org/technical.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from fractions import Fraction

from framestyle.media.video.beside import PLAIN, Viewing

TICK_S = Fraction(1, 1_000_000_000)
_TRACK = b"\x81"


@dataclass(frozen=True)
class Mastering:
    """SMPTE ST 2086 and CTA-861.3: the display that a clip was graded on, and its brightest light.

    `chromaticities`: x and y of red, green, blue and white; luminances in nits. None: not said.
    """

    chromaticities: tuple[float, ...] | None = None
    luminance_min: float | None = None
    luminance_max: float | None = None
    max_cll: int | None = None
    max_fall: int | None = None


def matroska_header(
    fourcc: bytes,
    width: int,
    height: int,
    frame_rate: Fraction,
    mastering: Mastering | None = None,
    viewing: Viewing = PLAIN,
) -> bytes:
    """All that comes before the first frame. `fourcc`: ffmpeg's for a raw pixel format."""
    ebml = _element(
        "1a45dfa3",
        _number("4286", 1)
        + _number("42f7", 1)
        + _number("42f2", 4)
        + _number("42f3", 8)
        + _element("4282", b"matroska")
        + _number("4287", 4)
        + _number("4285", 2),
    )
    picture = _number("b0", width) + _number("ba", height) + _element("2eb524", fourcc)
    track = (
        _number("d7", 1)
        + _number("73c5", 1)
        + _number("83", 1)  # video
        + _element("86", b"V_UNCOMPRESSED")
        + _element("22b59c", b"und")
        + _number("23e383", round(1 / frame_rate / TICK_S))
        + _element("e0", picture + _viewing(viewing) + (_mastering(mastering) if mastering else b""))
    )
    ticks = _number("2ad7b1", 1)  # one nanosecond
    segment_of_unknown_size = bytes.fromhex("18538067" + "01" + "ff" * 7)
    return (
        ebml
        + segment_of_unknown_size
        + _element("1549a966", ticks)
        + _element("1654ae6b", _element("ae", track))
    )


def matroska_frame_header(pts_s: Fraction, duration_s: Fraction, size_bytes: int) -> bytes:
    """What comes before a frame's bytes. Its bytes end the cluster: nothing comes after them."""
    duration = _number("9b", max(1, round(duration_s / TICK_S)))
    block = _TRACK + b"\0\0\0"  # at the cluster's own time, no lacing
    block_size = len(block) + size_bytes
    group = duration + bytes.fromhex("a1") + _size(block_size) + block
    group_size = len(group) + size_bytes
    cluster = _number("e7", round(pts_s / TICK_S)) + bytes.fromhex("a0") + _size(group_size) + group
    return bytes.fromhex("1f43b675") + _size(len(cluster) + size_bytes) + cluster


def _viewing(said: Viewing) -> bytes:
    eyes = _number("53b8", said.stereo) if said.stereo else b""
    if said.pose is None:
        return eyes
    turned = zip(("7673", "7674", "7675"), said.pose, strict=True)
    pose = b"".join(_float(name, degrees) for name, degrees in turned)
    return eyes + _element("7670", _number("7671", 1) + pose)  # equirectangular


def _mastering(said: Mastering) -> bytes:
    levels = b""
    if said.max_cll is not None:
        levels += _number("55bc", said.max_cll)
    if said.max_fall is not None:
        levels += _number("55bd", said.max_fall)
    places = range(0x55D1, 0x55D9)
    display = b"".join(
        _float(f"{place:x}", at) for place, at in zip(places, said.chromaticities or (), strict=False)
    )
    if said.luminance_max is not None and said.luminance_min is not None:
        display += _float("55d9", said.luminance_max) + _float("55da", said.luminance_min)
    return _element("55b0", levels + (_element("55d0", display) if display else b""))


def _element(name: str, body: bytes) -> bytes:
    return bytes.fromhex(name) + _size(len(body)) + body


def _size(size: int) -> bytes:
    return (size | 1 << 56).to_bytes(8, "big")


def _number(name: str, value: int) -> bytes:
    return _element(name, value.to_bytes(8, "big"))


def _float(name: str, value: float) -> bytes:
    return _element(name, struct.pack(">d", value))
