"""HEIC stills with their depth and colours, by pillow-heif."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np

from framestyle.media.photos.alpha import at_depth
from framestyle.media.photos.avif import SRGB, StillPicture, matrix_for

_one_at_a_time = threading.Lock()
"""How deep it writes is told to pillow-heif for all its pictures."""


def write_heif(path: Path, picture: StillPicture, quality: int, subsampling: str) -> None:
    """`quality` 1-100. OSError or ValueError where the encoder refuses."""
    import pillow_heif

    depth = np.uint16 if picture.bits > 8 else np.uint8
    layers = picture.pixels if picture.alpha is None else np.dstack([picture.pixels, picture.alpha])
    values = np.ascontiguousarray(at_depth(layers, depth))
    mode = ("RGB" if picture.alpha is None else "RGBA") + (";16" if picture.bits > 8 else "")
    coded = picture.coded or SRGB
    with _one_at_a_time:
        before = pillow_heif.options.SAVE_HDR_TO_12_BIT
        pillow_heif.options.SAVE_HDR_TO_12_BIT = picture.bits > 10
        try:
            image = pillow_heif.from_bytes(mode, (values.shape[1], values.shape[0]), values.tobytes())
            if picture.profile:
                image.info.update(icc_profile=picture.profile, icc_profile_type="prof")
            image.save(
                path,
                format="HEIF",
                quality=quality,
                chroma=int(subsampling.replace(":", "")),
                exif=picture.exif,
                xmp=picture.xmp,
                color_primaries=coded.primaries,
                transfer_characteristics=coded.transfer,
                matrix_coefficients=matrix_for(coded),
                full_range_flag=1,
            )
        finally:
            pillow_heif.options.SAVE_HDR_TO_12_BIT = before
