"""Photos of more than 8 bits a channel, which Pillow opens as 8 bits of RGB: by OpenCV, whose slips are mended here.

OpenCV turns TIFFs upright by their orientation, and PNGs not.
"""

from __future__ import annotations

import re
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image, PngImagePlugin, TiffImagePlugin

from framestyle.errors import InputError
from framestyle.media.photos.alpha import unpremultiplied
from framestyle.media.photos.exif import tiff_orientation
from framestyle.media.photos.stored import decode_stored

Deep = npt.NDArray[np.uint16]
BITS, COMPRESSION, PHOTOMETRIC, PLANES, TILE_WIDTH, EXTRA = 258, 259, 262, 284, 322, 338
OPENCV_DECOMPRESSES = {1, 5, 8, 32773, 32946}
"""None, LZW, Deflate (both numbers), PackBits."""
WHITE_IS_ZERO, RGB = 0, 2
ONE_PLANE = 1
PREMULTIPLIED, PLAIN_ALPHA = 1, 2
_METADATA_ITEMS = re.compile(rb"(infe(?:\x02[\s\S]{7}|\x03[\s\S]{9}))(?:Exif|mime)")
"""Items of words in an AVIF. OpenCV knows a file by its first 500 bytes, and not where these end within them: they are
named otherwise for it."""


def is_deep(image: Image.Image, path: Path) -> bool:
    """16 bits a channel, grey or RGB."""
    if image.mode.startswith("I;16"):
        return True
    if isinstance(image, PngImagePlugin.PngImageFile):
        return _png_bits(path) == 16
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        tags = image.tag_v2
        return set(tags.get(BITS, (8,))) == {16} and tags.get(PHOTOMETRIC) in (0, 1, RGB)
    return False


def _png_bits(path: Path) -> int:
    with path.open("rb") as file:
        return file.read(25)[24]


def decode_deep(image: Image.Image, path: Path) -> tuple[Deep, Deep | None] | None:
    """HWC RGB and HW alpha; None for the rare packing that only Pillow reads, at 8 bits."""
    tags = dict(image.tag_v2) if isinstance(image, TiffImagePlugin.TiffImageFile) else {}
    if tags.get(PLANES, ONE_PLANE) != ONE_PLANE and not image.mode.startswith("I;16"):
        # OpenCV takes the first plane for the whole picture, Pillow every byte for a value.
        decoded = None if TILE_WIDTH in tags else decode_stored(path, tiff_orientation(path), half=False)
        if decoded is None or decoded.dtype != np.uint16:
            raise InputError(
                f"{path} has 16 bits a channel, and each channel stored apart in a way that is not read",
                next_step="Save it with its channels interleaved.",
            )
    elif tags.get(COMPRESSION, 1) not in OPENCV_DECOMPRESSES:
        return None
    else:
        decoded = cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_UNCHANGED)
    if decoded is None or decoded.dtype != np.uint16:
        return None
    if decoded.ndim == 2:
        grey = 65535 - decoded if tags.get(PHOTOMETRIC) == WHITE_IS_ZERO else decoded
        return np.repeat(grey[..., None], 3, axis=2), _single_value_alpha(image, decoded)
    rgb = np.ascontiguousarray(decoded[..., 2::-1])
    if decoded.shape[2] < 4:
        return rgb, None
    alpha = np.ascontiguousarray(decoded[..., 3])
    kind = next(iter(tags.get(EXTRA, (PLAIN_ALPHA,))), 0)
    if kind == PREMULTIPLIED:
        return unpremultiplied(rgb, alpha).astype(np.uint16), alpha
    return rgb, alpha if kind == PLAIN_ALPHA else None


def decode_deep_still(path: Path, kind: str, bits: int) -> tuple[Deep, Deep | None] | None:
    """An AVIF or HEIC of more than 8 bits, as stored: HWC RGB and HW alpha in 16; None where it is not read so."""
    decoded = _deep_heif(path) if kind == "HEIF" else _deep_avif(path, bits)
    if decoded is None or decoded.ndim != 3 or decoded.shape[2] not in (3, 4):
        return None
    alpha = np.ascontiguousarray(decoded[..., 3]) if decoded.shape[2] == 4 else None
    return np.ascontiguousarray(decoded[..., :3]), alpha


def _deep_avif(path: Path, bits: int) -> Deep | None:
    data = _METADATA_ITEMS.sub(rb"\1free", path.read_bytes())
    decoded = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if decoded is None or decoded.dtype != np.uint16:
        return None
    if decoded.ndim == 2:
        decoded = np.repeat(decoded[..., None], 3, axis=2)
    whole = (decoded.astype(np.uint32) * 65535 + (1 << bits - 1)) // ((1 << bits) - 1)
    order = [2, 1, 0, 3][: decoded.shape[2]]
    rgb: Deep = whole[..., order].astype(np.uint16)
    return rgb


def _deep_heif(path: Path) -> Deep | None:
    import pillow_heif

    image = pillow_heif.open_heif(path, convert_hdr_to_8bit=False)
    values = np.asarray(image)
    return values if values.dtype == np.uint16 else None


def _single_value_alpha(image: Image.Image, grey: Deep) -> Deep | None:
    """Where a PNG names one grey that is transparent."""
    clear = image.info.get("transparency")
    return np.where(grey == clear, 0, 65535).astype(np.uint16) if isinstance(clear, int) else None
