"""Photos of every kind, made byte by byte or by other programs than ours: none of our own code is used here."""

from __future__ import annotations

import itertools
import struct
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import ExifTags, Image

D50 = (0.9642, 1.0, 0.8249)
BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
D65_XY = (0.3127, 0.3290)
PATCH_PX = 16

# -- pictures ----------------------------------------------------------------------------------------------


def picture(dtype: Any = np.uint8, height: int = 20, width: int = 30) -> Any:
    """A smooth picture that no symmetry leaves the same."""
    y, x = np.mgrid[0:height, 0:width]
    scale = np.iinfo(dtype).max / 255
    return (np.dstack([x * 240 / width, y * 240 / height, (x + y) * 120 / (width + height)]) * scale).astype(
        dtype
    )


def patch_colours(dtype: Any = np.uint8) -> Any:
    """N3: all corners of the cube, greys down to the darkest, and what lies between."""
    top = np.iinfo(dtype).max
    cube = [0, 1, 64, 127, 200, 255] if dtype == np.uint8 else [0, 90, 600, 16400, 40001, 65535]
    return np.array(list(itertools.product(cube, repeat=3)) + [(top // 3,) * 3] * 9, dtype)


def patches(dtype: Any = np.uint8) -> Any:
    """HWC: each of the colours as a flat square, 15 a row."""
    colours = patch_colours(dtype).reshape(15, 15, 3)
    return np.repeat(np.repeat(colours, PATCH_PX, axis=0), PATCH_PX, axis=1)


def centres(pixels: Any) -> Any:
    """The middle of each patch: N33C."""
    count, middle = PATCH_PX, PATCH_PX // 2
    rows = [pixels[middle + d :: count] for d in (-1, 0, 1)]
    return np.stack([row[:, middle + d :: count] for row in rows for d in (-1, 0, 1)], axis=2)


def stored(upright: Any, orientation: int) -> Any:
    """How a camera stores it: what EXIF's orientation turns upright again."""
    undo = {
        1: lambda a: a,
        2: lambda a: a[:, ::-1],
        3: lambda a: a[::-1, ::-1],
        4: lambda a: a[::-1],
        5: lambda a: a.swapaxes(0, 1),
        6: lambda a: np.rot90(a, 1),
        7: lambda a: a[::-1, ::-1].swapaxes(0, 1),
        8: lambda a: np.rot90(a, -1),
    }
    return np.ascontiguousarray(undo[orientation](upright))


# -- profiles ----------------------------------------------------------------------------------------------


def _chromatic(xy: Sequence[float]) -> Any:
    return np.array([xy[0] / xy[1], 1.0, (1 - xy[0] - xy[1]) / xy[1]])


def colorants(primaries: Sequence[Sequence[float]], white: Sequence[float] = D65_XY) -> Any:
    """3x3: XYZ of red, green, blue in columns, adapted to D50 by Bradford's method."""
    columns = np.array([_chromatic(xy) for xy in primaries]).T
    scaled = columns * np.linalg.solve(columns, _chromatic(white))
    adapt = np.diag((BRADFORD @ D50) / (BRADFORD @ _chromatic(white)))
    return np.linalg.inv(BRADFORD) @ adapt @ BRADFORD @ scaled


def _fixed(*numbers: float) -> bytes:
    return struct.pack(f">{len(numbers)}l", *(round(number * 65536) for number in numbers))


def gamma_curve(gamma: float) -> bytes:
    return b"curv" + bytes(4) + struct.pack(">LH", 1, round(gamma * 256)) + bytes(2)


def srgb_curve() -> bytes:
    numbers = _fixed(2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
    return b"para" + bytes(4) + struct.pack(">HH", 3, 0) + numbers


def table_curve(values: Sequence[float]) -> bytes:
    codes = [round(value * 65535) for value in values]
    data = b"curv" + bytes(4) + struct.pack(f">L{len(codes)}H", len(codes), *codes)
    return data + bytes(-len(data) % 4)


def profile(tags: Mapping[bytes, bytes], space: bytes = b"RGB ", kind: bytes = b"mntr") -> bytes:
    """An ICC profile of these tags, with a white point and a description."""
    name = b"made by the tests"
    described = b"desc" + bytes(4) + struct.pack(">L", len(name) + 1) + name + bytes(1 + 78)
    described += bytes(-len(described) % 4)
    all_tags = {b"desc": described, b"wtpt": b"XYZ " + bytes(4) + _fixed(*D50), **tags}
    place, table, data = 128 + 4 + 12 * len(all_tags), b"", b""
    for tag, value in all_tags.items():
        table += struct.pack(">4sLL", tag, place + len(data), len(value))
        data += value
    head = struct.pack(">L4sL4s4s4s", place + len(data), bytes(4), 0x02400000, kind, space, b"XYZ ")
    head += bytes(12) + b"acsp" + bytes(28) + _fixed(*D50)
    return head.ljust(128, b"\0") + struct.pack(">L", len(all_tags)) + table + data


def matrix_profile(
    primaries: Sequence[Sequence[float]], curve: bytes, white: Sequence[float] = D65_XY
) -> bytes:
    """RGB by three primaries (x, y) and one curve."""
    columns = colorants(primaries, white).T
    xyz = {
        name: b"XYZ " + bytes(4) + _fixed(*column)
        for name, column in zip((b"rXYZ", b"gXYZ", b"bXYZ"), columns, strict=True)
    }
    return profile(xyz | dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve))


SRGB_XY = ((0.64, 0.33), (0.30, 0.60), (0.15, 0.06))
DISPLAY_P3 = matrix_profile(((0.68, 0.32), (0.265, 0.69), (0.15, 0.06)), srgb_curve())
ADOBE_RGB = matrix_profile(((0.64, 0.33), (0.21, 0.71), (0.15, 0.06)), gamma_curve(2.19921875))
PROPHOTO = matrix_profile(
    ((0.7347, 0.2653), (0.1596, 0.8404), (0.0366, 0.0001)), gamma_curve(1.8), (0.3457, 0.3585)
)
SRGB = matrix_profile(SRGB_XY, srgb_curve())
TABLE_RGB = matrix_profile(SRGB_XY, table_curve(np.linspace(0, 1, 1024) ** 1.9))
"""An old monitor's: sRGB's primaries under a curve of its own."""
GREY_GAMMA = profile({b"kTRC": gamma_curve(1.8)}, space=b"GRAY")
WIDE = {"p3": DISPLAY_P3, "adobe": ADOBE_RGB, "prophoto": PROPHOTO, "monitor": TABLE_RGB}

# -- words -------------------------------------------------------------------------------------------------

XMP = (
    '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
    '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    '<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" '
    'xmlns:tiff="http://ns.adobe.com/tiff/1.0/" '
    'xmlns:exif="http://ns.adobe.com/exif/1.0/" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:Rating="4" '
    'tiff:Orientation="6" exif:PixelXDimension="4000">'
    "<exif:PixelYDimension>3000</exif:PixelYDimension>"
    "<dc:subject><rdf:Bag><rdf:li>Füße</rdf:li></rdf:Bag></dc:subject>"
    "<xmp:Thumbnails><rdf:Alt><rdf:li>b2xkIHBpY3R1cmU=</rdf:li></rdf:Alt></xmp:Thumbnails>"
    f'</rdf:Description></rdf:RDF></x:xmpmeta>{" " * 200}<?xpacket end="w"?>'
).encode()


def camera_exif(orientation: int = 1) -> bytes:
    """A camera's block with every directory, letters beyond ASCII, a maker's note and a thumbnail; big-endian."""
    thumbnail = b"\xff\xd8 an old picture \xff\xd9"
    utf8 = "José ©\0".encode()
    interop = _directory([(1, 2, 4, b"R03\0")])
    parts: dict[str, bytes] = {
        "artist": utf8,
        "make": b"Camera\0",
        "note": b"maker's own \x00\xff",
        "interop": interop,
    }
    parts |= {"date": b"2020:01:02 03:04:05\0", "lens": struct.pack(">2L", 50, 1), "thumb": thumbnail}
    parts["lat"] = struct.pack(">6L", 48, 1, 8, 1, 30, 1)
    place, at = 400, {}
    for name, data in parts.items():
        at[name] = place
        place += len(data) + (len(data) & 1)
    exif_at, gps_at, first_at = 100, 220, 8

    def long(number: int) -> bytes:
        return struct.pack(">L", number)

    details = _directory(
        [
            (0x9003, 2, len(parts["date"]), long(at["date"])),
            (0x920A, 5, 1, long(at["lens"])),
            (0x927C, 7, len(parts["note"]), long(at["note"])),
            (0xA001, 3, 1, struct.pack(">HH", 0xFFFF, 0)),
            (0xA002, 4, 1, long(4000)),
            (0xA003, 4, 1, long(3000)),
            (0xA005, 4, 1, long(at["interop"])),
        ]
    )
    gps = _directory([(1, 2, 2, b"N\0\0\0"), (2, 5, 3, long(at["lat"]))])
    thumb_at = 290
    small = _directory([(0x0201, 4, 1, long(at["thumb"])), (0x0202, 4, 1, long(len(thumbnail)))])
    first = _directory(
        [
            (0x010F, 2, 7, long(at["make"])),
            (0x0112, 3, 1, struct.pack(">HH", orientation, 0)),
            (0x013B, 2, len(utf8), long(at["artist"])),
            (0x8769, 4, 1, long(exif_at)),
            (0x8825, 4, 1, long(gps_at)),
        ],
        following=thumb_at,
    )
    block = bytearray(b"MM\0*" + long(first_at))
    for start, data in ((first_at, first), (exif_at, details), (gps_at, gps), (thumb_at, small)):
        block = block.ljust(start, b"\0")
        assert len(block) == start
        block += data
    for name, data in parts.items():
        block = block.ljust(at[name], b"\0") + data
    return b"Exif\0\0" + bytes(block)


def _directory(entries: list[tuple[int, int, int, bytes]], following: int = 0) -> bytes:
    body = b"".join(struct.pack(">HHL", *entry[:3]) + entry[3] for entry in entries)
    return struct.pack(">H", len(entries)) + body + struct.pack(">L", following)


def orientation_exif(orientation: int) -> bytes:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    return exif.tobytes()


# -- files -------------------------------------------------------------------------------------------------

BEST: dict[str, dict[str, Any]] = {
    ".jpg": {"quality": 100, "subsampling": 0},
    ".webp": {"lossless": True, "exact": True},
    ".avif": {"quality": 100, "subsampling": "4:4:4"},
}
"""The least that each format loses, in Pillow's words."""


def by_opencv(path: Path) -> Any:
    """RGB(A) as stored, by a second library. (It multiplies 8-bit colours of a TIFF by their alpha.)"""
    decoded = cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_UNCHANGED)
    assert decoded is not None
    return np.dstack([decoded[..., 2::-1], decoded[..., 3:]])


def save(path: Path, pixels: Any, **options: Any) -> None:
    """8 bits by Pillow; 16 by hand. `exif`, `icc_profile` and, for 16-bit TIFF, any tag as `t273=...`."""
    if pixels.dtype == np.uint8:
        Image.fromarray(pixels).save(path, **BEST.get(path.suffix, {}), **options)
    elif path.suffix == ".png":
        path.write_bytes(deep_png(pixels, **options))
    else:
        path.write_bytes(deep_tiff(pixels, **options))


def png_chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def deep_png(
    pixels: Any, *, icc_profile: bytes | None = None, exif: bytes | None = None, more: bytes = b""
) -> bytes:
    """16 bits a channel, one to four of them."""
    height, width = pixels.shape[:2]
    channels = 1 if pixels.ndim == 2 else pixels.shape[2]
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in pixels)
    head = struct.pack(">IIBBBBB", width, height, 16, {1: 0, 2: 4, 3: 2, 4: 6}[channels], 0, 0, 0)
    chunks = [png_chunk(b"IHDR", head), more]
    if icc_profile:
        chunks.append(png_chunk(b"iCCP", b"own\0\0" + zlib.compress(icc_profile)))
    if exif:
        chunks.append(png_chunk(b"eXIf", exif.removeprefix(b"Exif\0\0")))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        [*chunks, png_chunk(b"IDAT", zlib.compress(rows)), png_chunk(b"IEND", b"")]
    )


def deep_tiff(
    pixels: Any,
    *,
    icc_profile: bytes | None = None,
    orientation: int = 1,
    photometric: int | None = None,
    extra: int | None = 2,
    planar: bool = False,
) -> bytes:
    """16 bits a channel, or the floats that they are, in one strip (a strip a channel where `planar`), not packed."""
    is_float = pixels.dtype.kind == "f"
    dtype = pixels.dtype.newbyteorder("<") if is_float else "<u2"
    height, width = pixels.shape[:2]
    channels = 1 if pixels.ndim == 2 else pixels.shape[2]
    planes = pixels.reshape(height, width, channels).transpose(2, 0, 1) if planar else [pixels]
    strips = [np.ascontiguousarray(plane, dtype=dtype).tobytes() for plane in planes]
    photometric = (2 if channels > 2 else 1) if photometric is None else photometric
    tags: list[tuple[int, str, list[int] | bytes]] = [
        (256, "L", [width]),
        (257, "L", [height]),
        (258, "H", [np.dtype(dtype).itemsize * 8] * channels),
        (259, "H", [1]),
        (262, "H", [photometric]),
        (273, "L", [0] * len(strips)),
        (274, "H", [orientation]),
        (277, "H", [channels]),
        (278, "L", [height]),
        (279, "L", [len(strip) for strip in strips]),
        (284, "H", [2 if planar else 1]),
    ]
    if channels in (2, 4):
        tags.append((338, "H", [extra or 0]))
    if is_float:
        tags.append((339, "H", [3] * channels))
    if icc_profile:
        tags.append((34675, "B", icc_profile))
    data_at = 8 + 2 + 12 * len(tags) + 4
    length = data_at + sum(_padded(_packed(kind, values)) for _, kind, values in tags)
    offsets = [length + sum(len(strip) for strip in strips[:n]) for n in range(len(strips))]
    entries, data = b"", b""
    for tag, kind, values in tags:
        packed = _packed(kind, offsets if tag == 273 else values)
        entries += struct.pack("<HHL", tag, {"H": 3, "L": 4, "B": 7}[kind], len(values))
        if len(packed) <= 4:
            entries += packed.ljust(4, b"\0")
        else:
            entries += struct.pack("<L", data_at + len(data))
            data += packed
    data = data.ljust(length - data_at, b"\0")
    return struct.pack("<2sHLH", b"II", 42, 8, len(tags)) + entries + bytes(4) + data + b"".join(strips)


def _packed(kind: str, values: list[int] | bytes) -> bytes:
    return values if isinstance(values, bytes) else struct.pack(f"<{len(values)}{kind}", *values)


def _padded(packed: bytes) -> int:
    return len(packed) if len(packed) > 4 else 0
