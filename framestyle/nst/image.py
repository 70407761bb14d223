"""The one border between pictures and tensors. Size arithmetic is in sizes.py, its names are here too.

Outside: HWC, RGB, uint8 or uint16. Inside: BCHW, RGB, float32 in [0, 1], one image a batch entry.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from framestyle.frames import Pixels
from framestyle.nst.sizes import SCALE_STEP as SCALE_STEP
from framestyle.nst.sizes import Size as Size
from framestyle.nst.sizes import fit_within as fit_within
from framestyle.nst.sizes import scale_sizes as scale_sizes
from framestyle.nst.sizes import with_area as with_area

BAND_BYTES = 16 << 20
"""Of float32: what passes over a whole picture takes its rows in parts of this size, and needs no copy of it."""


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


def bands(image: Tensor, times: int = 1) -> Iterator[slice]:
    """Rows of a BCHW tensor, so few at a time that a wide copy of them is small; or some `times` as many."""
    row_bytes = max(1, image[..., :1, :].numel()) * 4
    rows = max(1, times * BAND_BYTES // row_bytes)
    return (slice(top, top + rows) for top in range(0, image.shape[-2], rows))


def size_of(image: Tensor) -> Size:
    """The size of a BCHW image."""
    return Size(image.shape[-1], image.shape[-2])


def resize(image: Tensor, size: Size) -> Tensor:
    """BCHW -> BCHW at `size`, bicubic with antialiasing, clamped to [0, 1]."""
    if size_of(image) == size:
        return image
    resized = F.interpolate(
        image, (size.height, size.width), mode="bicubic", antialias=True, align_corners=False
    )
    return resized.clamp_(0, 1)
