"""AVIF stills with their depth and colours: coded by ffmpeg's AV1 encoder, put into boxes here.

Pillow writes 8 bits of sRGB alone; ffmpeg's own container holds no EXIF, XMP, ICC profile and transparency at once.
Format: AVIF 1.1, ISO/IEC 23008-12 and 14496-12.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from framestyle.errors import Code, OutputError
from framestyle.frames import Pixels
from framestyle.media.ffmpeg import FFmpeg, encoders, output_argument
from framestyle.media.photos.alpha import Alpha, at_depth
from framestyle.media.photos.cicp import Cicp
from framestyle.media.photos.isobmff import boxes

ENCODER = "libaom-av1"
SRGB = Cicp(1, 13)
BT709_MATRIX, BT2020_MATRIX, BT2020 = 1, 9, 9
MATRIX_NAMES = {BT709_MATRIX: "bt709", BT2020_MATRIX: "bt2020nc"}
CHROMA = {"4:4:4": "444", "4:2:2": "422", "4:2:0": "420"}
ALPHA_KIND = b"urn:mpeg:mpegB:cicp:systems:auxiliary:alpha\0"
PICTURE, ALPHA, EXIF, XMP = 1, 2, 3, 4
"""Items' numbers in the file."""
SPEED = "6"


@dataclass(frozen=True, eq=False)
class StillPicture:
    """`pixels` HWC uint8 or uint16 in `coded`'s colours, or in sRGB or `profile`'s; `bits` 8, 10 or 12 a channel."""

    pixels: Pixels
    alpha: Alpha | None
    bits: int
    coded: Cicp | None
    profile: bytes | None
    exif: bytes | None
    xmp: bytes | None


def write_avif(path: Path, picture: StillPicture, quality: int, subsampling: str) -> None:
    """`quality` 1-100 as libavif counts it. OutputError where ffmpeg has no encoder for it, or fails."""
    if ENCODER not in encoders():
        raise OutputError(
            f"this ffmpeg cannot encode AVIF at its depth and colours: it has no {ENCODER}",
            code=Code.ENCODER_MISSING,
            facts={"codec": "avif", "encoder": ENCODER, "codecs": []},
        )
    crf = str(((100 - quality) * 63 + 50) // 100)
    coded = picture.coded or SRGB
    matrix = matrix_for(coded)
    deep = f"{picture.bits}le" if picture.bits > 8 else ""
    height, width = picture.pixels.shape[:2]
    odd = width % 2 or height % 2
    chroma = "444" if odd else CHROMA[subsampling]
    to_yuv = f"format=gbrp16le,zscale=matrixin=gbr:rangein=full:matrix={MATRIX_NAMES[matrix]}:range=full"
    said = (
        f"setparams=range=pc:colorspace={matrix}:color_primaries={coded.primaries}:color_trc={coded.transfer}"
    )
    filters = f"{to_yuv}:dither=none,format=yuv{chroma}p{deep},{said}"
    items = [_coded(path, at_depth(picture.pixels, np.uint16), "rgb48le", filters, crf)]
    if picture.alpha is not None:
        grey = f"format=gray{deep},setparams=range=pc"
        items.append(_coded(path, at_depth(picture.alpha, np.uint16), "gray16le", grey, "0"))
    nclx = b"nclx" + struct.pack(">HHHB", coded.primaries, coded.transfer, matrix, 0x80)
    path.write_bytes(_file(picture, items, nclx))


def matrix_for(coded: Cicp) -> int:
    """The matrix, by H.273, that a result's luma and chroma are made by."""
    return BT2020_MATRIX if coded.primaries == BT2020 else BT709_MATRIX


@dataclass(frozen=True)
class _Item:
    """AV1 as ffmpeg's encoder has made it: its settings, and the picture itself."""

    settings: bytes
    data: bytes


def _coded(path: Path, values: Any, raw: str, filters: str, crf: str) -> _Item:
    """By way of ffmpeg's own file at `path`, which is written over later."""
    height, width = values.shape[:2]
    shape = ["-f", "rawvideo", "-pix_fmt", raw, "-s", f"{width}x{height}", "-i", "pipe:0"]
    coder = ["-c:v", ENCODER, "-still-picture", "1", "-crf", crf, "-b:v", "0", "-cpu-used", SPEED]
    process = FFmpeg(
        [*shape, "-vf", filters, *coder, "-frames:v", "1", "-f", "avif", output_argument(path)], path
    )
    try:
        process.write(np.ascontiguousarray(values).astype("<u2", copy=False).data.cast("B"))
        process.close()
    finally:
        process.kill()
    file = path.read_bytes()
    top = {kind: (begin, end) for kind, begin, end in boxes(file)}
    meta, data = top[b"meta"], top[b"mdat"]
    inside = {kind: (begin, end) for kind, begin, end in boxes(file, meta[0] + 4, meta[1])}
    shelf = next(span for kind, *span in boxes(file, *inside[b"iprp"]) if kind == b"ipco")
    settings = next(file[begin:end] for kind, begin, end in boxes(file, *shelf) if kind == b"av1C")
    return _Item(settings, file[slice(*data)])


def _file(picture: StillPicture, items: Sequence[_Item], nclx: bytes) -> bytes:
    """Boxes, and behind them each item's bytes."""
    height, width = picture.pixels.shape[:2]
    size = _box(b"ispe", struct.pack(">LLL", 0, width, height))
    depth = bytes((picture.bits,))
    shelf = [size, _box(b"pixi", bytes(4) + b"\x03" + depth * 3), _box(b"av1C", items[0].settings)]
    shelf.append(_box(b"colr", nclx))
    own = {PICTURE: [1, 2, 0x83, 4]}
    if picture.profile:
        shelf.append(_box(b"colr", b"prof" + picture.profile))
        own[PICTURE].append(len(shelf))
    parts = [(PICTURE, b"av01", items[0].data)]
    links = []
    if len(items) > 1:
        first = len(shelf) + 1
        shelf += [_box(b"pixi", bytes(4) + b"\x01" + depth), _box(b"av1C", items[1].settings)]
        shelf.append(_box(b"auxC", bytes(4) + ALPHA_KIND))
        own[ALPHA] = [1, first, 0x80 | (first + 1), first + 2]
        parts.append((ALPHA, b"av01", items[1].data))
        links.append(_box(b"auxl", struct.pack(">HHH", ALPHA, 1, PICTURE)))
    if picture.exif:
        block = picture.exif.removeprefix(b"Exif\0\0")
        parts.append((EXIF, b"Exif", bytes(4) + block))
        links.append(_box(b"cdsc", struct.pack(">HHH", EXIF, 1, PICTURE)))
    if picture.xmp:
        parts.append((XMP, b"mime", picture.xmp))
        links.append(_box(b"cdsc", struct.pack(">HHH", XMP, 1, PICTURE)))
    kinds = [_entry(number, kind) for number, kind, _ in parts]
    owned = b"".join(struct.pack(">HB", item, len(all_of)) + bytes(all_of) for item, all_of in own.items())
    properties = _box(b"ipco", b"".join(shelf)) + _box(b"ipma", struct.pack(">LL", 0, len(own)) + owned)

    def head(begin: int) -> bytes:
        """`begin`: where the items' bytes stand in the file."""
        places, at = b"", begin
        for number, _, data in parts:
            places += struct.pack(">HHHLL", number, 0, 1, at, len(data))
            at += len(data)
        meta = [
            _box(b"hdlr", bytes(8) + b"pict" + bytes(13)),
            _box(b"pitm", struct.pack(">LH", 0, PICTURE)),
            _box(b"iloc", struct.pack(">LHH", 0, 0x4400, len(parts)) + places),
            _box(b"iinf", struct.pack(">LH", 0, len(kinds)) + b"".join(kinds)),
            *([_box(b"iref", bytes(4) + b"".join(links))] if links else []),
            _box(b"iprp", properties),
        ]
        brands = b"avif" + bytes(4) + b"avifmif1miaf" + (b"MA1A" if picture.bits <= 10 else b"")
        length = struct.pack(">L", 8 + sum(len(data) for *_, data in parts))
        return _box(b"ftyp", brands) + _box(b"meta", bytes(4) + b"".join(meta)) + length + b"mdat"

    return head(len(head(0))) + b"".join(data for *_, data in parts)


def _entry(number: int, kind: bytes) -> bytes:
    mime = b"application/rdf+xml\0" if kind == b"mime" else b""
    hidden = 1 if number == ALPHA else 0
    return _box(b"infe", struct.pack(">LHH4s", 0x02000000 | hidden, number, 0, kind) + b"\0" + mime)


def _box(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">L4s", 8 + len(body), kind) + body
