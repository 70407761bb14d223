"""Size arithmetic. Loads no torch: a plan is made without it."""

from __future__ import annotations

import math
from typing import NamedTuple

from framestyle.presets.schema import Scales

SCALE_STEP = math.sqrt(2.0)
"""Each coarse-to-fine scale has twice the pixels of the one before."""


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


LARGEST_BESIDE_PX = 1 << 20
"""Pictures up to so large are painted beside each other on a CPU: larger ones keep all threads busy enough, and take
memory."""


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


def steps_by_scale(full: Size, scales: Scales) -> list[tuple[Size, int]]:
    """Coarse to fine: each size that a picture is painted at from its beginning, and how many steps it gets there."""
    sizes = scale_sizes(full, scales.min_px)
    return [(size, scales.steps_at(number, len(sizes))) for number, size in enumerate(sizes)]
