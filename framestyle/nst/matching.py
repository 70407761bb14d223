"""Which places of the style a picture's are matched with, from scale to scale and from frame to frame.

The network sees a picture at several places on its pooling grid, and at each there are matches of their own. By the
picture's pixels they are part of its state, and can be carried along a motion as all of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import repeat

import torch
from torch import Tensor

from framestyle.nst.contents import feature_maps
from framestyle.nst.image import Size, size_of
from framestyle.nst.network.placement import Placement
from framestyle.nst.network.tiles import Tiling
from framestyle.nst.network.vgg import VGG19, stride_of
from framestyle.nst.objective import Objective, RegionStyle
from framestyle.nst.statistics.base import LayerMaps, Matching, Statistic
from framestyle.nst.statistics.matches import NONE_BEFORE, Matched

CONTENT_GUIDES = 0.75
"""The content's part of the picture whose places are matched at the start of a scale or frame; the rest is what is
painted already. As in Neural Neighbor Style Transfer."""


def guided(content: Tensor, painted: Tensor) -> Tensor:
    """What is matched at the start of a scale or frame, 1CHW."""
    return content.lerp(painted, 1 - CONTENT_GUIDES)


@dataclass(frozen=True, eq=False)
class Matcher:
    """Matches pictures with the style, where the statistic asks for it."""

    network: VGG19
    statistic: Matching
    layer_weights: Mapping[str, float]
    """Of the style."""
    layers: Sequence[str]
    """Those whose places are matched."""

    @property
    def cell_px(self) -> int:
        """Of the finest of them."""
        return min(map(stride_of, self.layers))

    def maps(self, picture: Tensor, placement: Placement | None, tiling: Tiling) -> dict[str, Tensor]:
        """What is compared of a picture, 1CHW, at a place on the pooling grid."""
        placed = picture if placement is None else placement.of(picture)
        return feature_maps(self.network, placed, self.layers, tiling)

    def of(
        self,
        style: Sequence[RegionStyle],
        maps: LayerMaps,
        placement: Placement | None,
        before: Sequence[Tensor],
    ) -> tuple[RegionStyle, ...]:
        """Each region's style, matched. `before`: of each region the matches by pixel that there were; or none."""
        cells = [_by_cell(one, placement, self.cell_px) for one in before]
        return tuple(
            one.matched(self.statistic, maps, self.layer_weights, of_region)
            for one, of_region in zip(style, cells or repeat(None, len(style)), strict=True)
        )

    def kept(self, objectives: Sequence[Objective], size: Size) -> Tensor:
        """The matches of all regions at all places, by the pixels of a picture of that size: 1KHW, int16."""
        return torch.cat(
            [
                _by_pixel(region, objective.placement, size)
                for objective in objectives
                for region in objective.style
            ],
            1,
        )


def matcher_of(network: VGG19, statistic: Statistic, layer_weights: Mapping[str, float]) -> Matcher | None:
    """None where nothing is matched."""
    if not isinstance(statistic, Matching):
        return None
    layers = [name for name in layer_weights if statistic.at(name) is statistic]
    return Matcher(network, statistic, layer_weights, layers) if layers else None


def of_place(matches: Tensor | None, number: int, places: int, count: int) -> Sequence[Tensor]:
    """Those of each region at one of the places on the pooling grid: 11HW each; none where there are none.

    `count`: of the regions that the picture has now.
    """
    if matches is None or not matches.shape[1]:
        return ()
    regions = matches.shape[1] // places
    if regions != count:
        return ()  # a region came or went: which of them these are of is not known
    return torch.split(matches[:, number * regions : (number + 1) * regions], 1, 1)


def matches_that_hold(by_pixel: Tensor, holds: Tensor) -> Tensor:
    """Matches, 1KHW, of which those are forgotten that do not hold, 11HW in [0, 1]."""
    return by_pixel.where(holds > 0.5, NONE_BEFORE)


def _by_pixel(region: RegionStyle, placement: Placement | None, size: Size) -> Tensor:
    """The number of the style's place that each pixel is matched with, 11HW, int16."""
    name, target = next((name, one) for name, one in region.targets.items() if isinstance(one, Matched))
    cell_px = stride_of(name) // target.cells
    found = target.matches[None].to(torch.int16)
    found = found.repeat_interleave(cell_px, 2).repeat_interleave(cell_px, 3)
    return found[..., : size.height, : size.width] if placement is None else placement.back(found, size)


def _by_cell(by_pixel: Tensor, placement: Placement | None, cell_px: int) -> Tensor:
    """11HW at a picture's pixels -> 1HW at the cells of its finest matched layer, each as its middle is."""
    placed = by_pixel if placement is None else placement.of(by_pixel)
    size = size_of(placed)
    rows, columns = (
        (torch.arange(0, side, cell_px, device=placed.device) + cell_px // 2).clamp_max(side - 1)
        for side in (size.height, size.width)
    )
    return placed[0].index_select(1, rows).index_select(2, columns).long()
