"""Transparency: what is hidden must steer neither a smaller size nor the style, and edges must have no halos."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from framestyle.frames import Pixels

Alpha = npt.NDArray[np.uint8] | npt.NDArray[np.uint16]
"""HW, of its pixels' depth; 0 is hidden."""
Floats = npt.NDArray[np.float32]


def at_depth(values: Any, dtype: type[np.uint8] | type[np.uint16]) -> Any:
    """uint8 <-> uint16, full range to full range: 255 is 65535."""
    if values.dtype == dtype:
        return values
    if dtype is np.uint16:
        return values.astype(np.uint16) * 257
    return ((values.astype(np.uint32) + 128) // 257).astype(np.uint8)


def shrunk(pixels: Pixels, alpha: Alpha | None, size: tuple[int, int]) -> tuple[Pixels, Alpha | None]:
    """Both at `size` (width, height). Colours count by how visible they are: the hidden ones do not bleed in."""
    if size == (pixels.shape[1], pixels.shape[0]):
        return pixels, alpha
    if alpha is None:
        return _area(pixels, size), None
    cover = _cover(alpha)
    small_cover = _area(cover, size)
    premultiplied = _area(pixels.astype(np.float32) * cover[..., None], size)
    colours = _divided(premultiplied, small_cover)
    top = np.iinfo(pixels.dtype).max
    small = np.rint(colours.clip(0, top)).astype(pixels.dtype)
    return small, np.rint(small_cover * np.iinfo(alpha.dtype).max).astype(alpha.dtype)


def _area(values: Any, size: tuple[int, int]) -> Any:
    return cv2.resize(values, size, interpolation=cv2.INTER_AREA)


def _cover(alpha: Alpha) -> Floats:
    return alpha.astype(np.float32) / np.float32(np.iinfo(alpha.dtype).max)


def _divided(premultiplied: Floats, cover: Floats) -> Floats:
    """Black where nothing shows."""
    cover = cover[..., None]
    return np.divide(premultiplied, cover, out=np.zeros_like(premultiplied), where=cover > 0)


def with_hidden_filled(pixels: Pixels, alpha: Alpha | None) -> Pixels:
    """Where nothing shows, colours spread from what does: smooth, and whatever the file holds there.

    A picture of which nothing shows at all becomes mid-grey.
    """
    if alpha is None or (shows := alpha > 0).all():
        return pixels
    top = np.iinfo(pixels.dtype).max
    if not shows.any():
        return np.full_like(pixels, top // 2 + 1)
    cover = _cover(alpha)
    spread = _spread(pixels.astype(np.float32) * cover[..., None], cover)
    filled = np.rint(spread.clip(0, top)).astype(pixels.dtype)
    return np.where(shows[..., None], pixels, filled)


def _spread(premultiplied: Floats, cover: Floats) -> Floats:
    """Colours everywhere: pulled up from half the size, and again, where there are none (push-pull)."""
    own = _divided(premultiplied, cover)
    if cover.min() > 0 or max(cover.shape) == 1:
        return own
    height, width = cover.shape
    half = ((width + 1) // 2, (height + 1) // 2)
    coarse = _spread(
        _area(premultiplied, half).reshape(half[1], half[0], 3), _area(cover, half).reshape(half[::-1])
    )
    pulled = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR).reshape(own.shape)
    return np.where(cover[..., None] > 0, own, pulled)


def over_white(pixels: npt.NDArray[np.uint8], alpha: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """What a page shows."""
    cover = _cover(alpha)[..., None]
    covered: npt.NDArray[np.uint8] = np.rint(pixels * cover + 255 * (1 - cover)).astype(np.uint8)
    return covered


def unpremultiplied(pixels: Pixels, alpha: Alpha) -> Pixels:
    """Colours as they were before they were multiplied by their alpha ("associated" in TIFF)."""
    top = np.iinfo(pixels.dtype).max
    colours = _divided(pixels.astype(np.float32), _cover(alpha))
    plain: Pixels = np.rint(colours.clip(0, top)).astype(pixels.dtype)
    return plain
