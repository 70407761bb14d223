"""A TIFF file of 8 or 16 bits with Deflate, EXIF, XMP, profile and resolution at once.

Pillow writes 16 bits of grey alone and no EXIF beside compressed pixels; OpenCV writes no metadata.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from framestyle.frames import Pixels
from framestyle.media.photos.alpha import Alpha
from framestyle.media.photos.tags import (
    BYTE,
    UNDEFINED,
    Directory,
    Value,
    header,
    long,
    rational,
    serialise,
    short,
)

STRIP_BYTES = 1 << 20
LARGEST_BYTES = (1 << 32) - 1
PACKING = 6
"""zlib's own default."""
ADOBE_DEFLATE, PREDICT_HORIZONTALLY, RGB, CHUNKY, PLAIN_ALPHA, UNSIGNED = 8, 2, 2, 1, 2, 1


def write_tiff(
    path: Path,
    pixels: Pixels,
    alpha: Alpha | None,
    tags: tuple[str, Directory],
    *,
    dpi: tuple[float, float] | None,
    profile: bytes | None,
    xmp: bytes | None,
) -> None:
    """`tags`: byte order and EXIF tags to be written among the file's own. ValueError above 4 GB."""
    order, directory = tags[0], dict(tags[1])
    image = pixels if alpha is None else np.dstack([pixels, alpha])
    rows = max(1, STRIP_BYTES // (image[:1].nbytes or 1))
    strips = [zlib.compress(strip, PACKING) for strip in _predicted(image, rows, order)]
    directory |= _layout(image, rows, order)
    if dpi is not None:
        directory[282], directory[283] = rational(order, dpi[0]), rational(order, dpi[1])
        directory[296] = short(order, 2)
    if xmp:
        directory[700] = Value(BYTE, xmp)
    if profile:
        directory[34675] = Value(UNDEFINED, profile)
    sizes = [len(strip) for strip in strips]
    directory[279] = long(order, *sizes)
    directory[273] = long(order, *sizes)  # any numbers: as many bytes as the true ones
    begin = 8 + len(serialise(directory, order))
    if begin + sum(sizes) > LARGEST_BYTES:
        raise ValueError("a TIFF file cannot be larger than 4 GB")
    directory[273] = long(order, *(begin + sum(sizes[:n]) for n in range(len(sizes))))
    with path.open("wb") as file:
        file.write(header(order) + serialise(directory, order))
        file.writelines(strips)


def _layout(image: Any, rows: int, order: str) -> Directory:
    height, width, channels = image.shape
    layout: Directory = {
        256: long(order, width),
        257: long(order, height),
        258: short(order, *[8 * image.dtype.itemsize] * channels),
        259: short(order, ADOBE_DEFLATE),
        262: short(order, RGB),
        277: short(order, channels),
        278: long(order, rows),
        284: short(order, CHUNKY),
        317: short(order, PREDICT_HORIZONTALLY),
        339: short(order, *[UNSIGNED] * channels),
    }
    if channels == 4:
        layout[338] = short(order, PLAIN_ALPHA)
    return layout


def _predicted(image: Any, rows: int, order: str) -> Iterator[bytes]:
    """Each pixel as its difference from the one to its left: smaller when packed (TIFF 6.0, section 14)."""
    for top in range(0, len(image), rows):
        strip = image[top : top + rows].copy()
        strip[:, 1:] -= image[top : top + rows, :-1]
        yield strip.astype(strip.dtype.newbyteorder(order)).tobytes()
