"""Where a picture lies on the network's pooling grid.

Pooling reads a picture in squares of 2, 4, 8 and 16 pixels. Optimised with these always in the same places, its pixels
take on their pattern: a lattice of dots and ripples two to four pixels apart, plain to see where the scene is flat or
dark. So steps take turns at several places on the grid, as random shifts do in feature visualisation (Mordvintsev et
al. 2015), but in a fixed order: the same pixels each time, and the content's features are computed once for each place.
What is beyond the picture's edge is its mirror image.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from framestyle.nst.sizes import Size

PLACES_PX = ((0, 0), (5, 3), (2, 5), (7, 2))
"""From the left and from the top. Modulo 2 the four are all that there are; modulo 4 and 8 all differ, each way."""
MARGIN_PX = 7
"""What a picture is larger by, once placed, wherever it lies: its size does not change from step to step."""


@dataclass(frozen=True, eq=False)
class Placement:
    """Columns and rows of the picture, in the order in which the network is shown them, some of them twice."""

    columns: Tensor
    rows: Tensor
    left_px: int
    top_px: int

    @property
    def size(self) -> Size:
        """Of a picture once it is placed."""
        return Size(len(self.columns), len(self.rows))

    def of(self, image: Tensor) -> Tensor:
        """BCHW -> BCHW, larger by the margin."""
        return image.index_select(2, self.rows).index_select(3, self.columns)

    def back(self, placed: Tensor, size: Size) -> Tensor:
        """BCHW as `of` gives it -> the picture itself, of that size: a view."""
        return placed[..., self.top_px : self.top_px + size.height, self.left_px : self.left_px + size.width]

    def gathered(self, gradient: Tensor, size: Size) -> Tensor:
        """The gradient of what `of` gave, BCHW -> that of the picture: what it shows twice adds up."""
        batch, channels, _, width = gradient.shape
        by_rows = gradient.new_zeros(batch, channels, size.height, width).index_add_(2, self.rows, gradient)
        found = gradient.new_zeros(batch, channels, size.height, size.width)
        return found.index_add_(3, self.columns, by_rows)


def placements(size: Size, places: int, device: torch.device | str = "cpu") -> tuple[Placement | None, ...]:
    """So many of the places, 1 to 4, for pictures of a size. One place needs no margin: None."""
    if places == 1:
        return (None,)
    return tuple(
        Placement(_mirrored(size.width, left).to(device), _mirrored(size.height, top).to(device), left, top)
        for left, top in PLACES_PX[:places]
    )


def placed_size(size: Size, places: int) -> Size:
    """Of a picture once it is placed."""
    return size if places == 1 else Size(size.width + MARGIN_PX, size.height + MARGIN_PX)


def _mirrored(side_px: int, before_px: int) -> Tensor:
    """Indices from `before_px` in front of a side on; beyond its ends they turn back, the end itself not repeated."""
    positions = torch.arange(-before_px, side_px + MARGIN_PX - before_px)
    period = max(1, 2 * (side_px - 1))
    folded = positions.remainder(period)
    return torch.minimum(folded, period - folded) if side_px > 1 else torch.zeros_like(positions)
