"""HDR stills made SDR, by the very filters that make HDR clips SDR."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from framestyle.frames import Pixels
from framestyle.media.ffmpeg import filtered
from framestyle.media.photos.alpha import at_depth
from framestyle.media.photos.cicp import PRIMARIES_NAMES, TRANSFER_NAMES, Cicp
from framestyle.media.video.colors import Colors, tone_mapping

SRGB_CURVE = "iec61966-2-1"


def tone_mapped(pixels: Pixels, coded: Cicp) -> npt.NDArray[np.uint16]:
    """HWC codes of PQ or HLG -> HWC sRGB. ValueError where they are not HDR; InputError where ffmpeg fails."""
    height, width = pixels.shape[:2]
    colors = Colors(
        "gbr",
        PRIMARIES_NAMES.get(coded.primaries, "bt2020"),
        TRANSFER_NAMES[coded.transfer],
        is_full_range=True,
    )
    filters = tone_mapping(colors, pixel_format="gbrp16le", transfer=SRGB_CURVE)
    raw = np.ascontiguousarray(at_depth(pixels, np.uint16)).astype("<u2", copy=False)
    shape = ["-f", "rawvideo", "-pix_fmt", "rgb48le", "-s", f"{width}x{height}"]
    done = filtered(raw.data.cast("B"), shape, f"format=gbrp16le,{filters},format=rgb48le")
    return np.frombuffer(done, "<u2").astype(np.uint16, copy=False).reshape(height, width, 3)
