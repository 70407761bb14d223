"""The one border between pictures and tensors, and size arithmetic.

Outside: HWC, RGB, uint8 or uint16. Inside: BCHW, RGB, float32 in [0, 1], one image a batch entry.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from framestyle.frames import Pixels

SCALE_STEP = math.sqrt(2.0)
"""Each coarse-to-fine scale has twice the pixels of the one before."""

BAND_BYTES = 16 << 20
"""Of float32: what passes over a whole picture takes its rows in parts of this size, and needs no copy of it."""


class Size(NamedTuple):
    """Width and height in pixels."""

    width: int
    height: int

    @property
    def longest_px(self) -> int:
        return max(self)

    @property
    def area_px(self) -> int:
        return self.width * self.height


def to_tensor(pixels: Pixels, device: torch.device | str = "cpu") -> Tensor:
    """HWC uint8 or uint16 RGB -> 1CHW float32 in [0, 1]."""
    if pixels.ndim != 3 or pixels.shape[2] != 3:
        raise ValueError(f"expected HWC RGB pixels, got shape {pixels.shape}")
    if pixels.dtype not in (np.uint8, np.uint16):
        raise ValueError(f"expected uint8 or uint16 pixels, got {pixels.dtype}")
    top = float(np.iinfo(pixels.dtype).max)
    chw = np.ascontiguousarray(pixels.transpose(2, 0, 1), dtype=np.float32)
    chw /= np.float32(top)
    return torch.from_numpy(chw)[None].to(device)


def to_pixels(image: Tensor, dtype: type[np.uint8] | type[np.uint16] = np.uint8) -> Pixels:
    """1CHW float in [0, 1] -> HWC RGB, contiguous, rounded to nearest; values outside are clipped."""
    top = float(np.iinfo(dtype).max)
    pixels = np.empty((*image.shape[2:], image.shape[1]), dtype)
    for rows in bands(image):
        band = image.detach()[0, :, rows].permute(1, 2, 0).to("cpu", torch.float32)
        pixels[rows] = np.rint(band.clamp(0, 1).numpy().astype(np.float64) * top)
    return pixels


def bands(image: Tensor) -> Iterator[slice]:
    """Rows of a BCHW tensor, so few at a time that a wide copy of them is small."""
    row_bytes = max(1, image[..., :1, :].numel()) * 4
    rows = max(1, BAND_BYTES // row_bytes)
    return (slice(top, top + rows) for top in range(0, image.shape[-2], rows))


def size_of(image: Tensor) -> Size:
    """The size of a BCHW image."""
    return Size(image.shape[-1], image.shape[-2])


def fit_within(size: Size, max_side_px: int) -> Size:
    """The largest size of the same shape whose longer side is at most `max_side_px`; never enlarges; 0 = as it is."""
    if max_side_px <= 0 or size.longest_px <= max_side_px:
        return size
    factor = max_side_px / size.longest_px
    return Size(max(1, round(size.width * factor)), max(1, round(size.height * factor)))


def with_area(size: Size, area_px: float) -> Size:
    """The size of the same shape (to a pixel) with about `area_px` pixels."""
    factor = math.sqrt(area_px / size.area_px)
    return Size(max(1, round(size.width * factor)), max(1, round(size.height * factor)))


def scale_sizes(full: Size, min_px: int) -> list[Size]:
    """Coarse to fine, each √2 larger: from about `min_px` on the longer side to exactly `full`."""
    sizes = [full]
    longest = full.longest_px / SCALE_STEP
    while longest >= min_px * 0.999:
        sizes.append(fit_within(full, round(longest)))
        longest /= SCALE_STEP
    return sizes[::-1]


def resize(image: Tensor, size: Size) -> Tensor:
    """BCHW -> BCHW at `size`, bicubic with antialiasing, clamped to [0, 1]."""
    if size_of(image) == size:
        return image
    resized = F.interpolate(
        image, (size.height, size.width), mode="bicubic", antialias=True, align_corners=False
    )
    return resized.clamp_(0, 1)
