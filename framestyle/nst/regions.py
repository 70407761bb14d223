"""Regions of a content image that have styles of their own: from the mask's colours to weights at every layer.

A mask shows each region in one colour. Weights are soft: a colour between those of two regions belongs to both.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from itertools import combinations

import torch
import torch.nn.functional as F
from torch import Tensor

from framestyle.nst.image import Size, size_of
from framestyle.nst.network.vgg import pool

Color = tuple[int, int, int]
"""RGB, 0 to 255."""
MASK_SIDE_PX = 2048
"""Longer masks are thinned out to this: statistics of a region do not hang on its last pixel."""
EXTREMES: tuple[Color, Color] = ((0, 0, 0), (255, 255, 255))
"""The colours of what is left, where no region has them."""
PREFER_SHORT = 1e-6
"""A colour that lies between several pairs is taken for a mixture of the nearest; far below one level of eight bits."""


def region_weights(mask: Tensor, regions: Sequence[Color | None]) -> Tensor:
    """1CHW mask in [0, 1] -> 1RHW in [0, 1]: how far each pixel belongs to each region.

    None stands for the rest: black and white, where no region has that colour. Without it those pixels belong to
    none, else the weights of a pixel sum to 1. A pixel between two colours, as on a soft edge, is split in the
    ratio of its distances.
    """
    mask = _thinned(mask)
    owners: list[tuple[Color, int | None]] = [
        (color, number) for number, color in enumerate(regions) if color is not None
    ]
    rest = regions.index(None) if None in regions else None
    owners += [(color, rest) for color in EXTREMES if color not in regions]
    weights = mask.new_zeros(1, len(regions), *mask.shape[2:])
    anchors = [(mask.new_tensor(color).view(1, 3, 1, 1) / 255, owner) for color, owner in owners]
    least = torch.full_like(mask[:, :1], float("inf"))
    for (a, owner_a), (b, owner_b) in combinations(anchors, 2):
        length = (b - a).square().sum()
        towards_b = (((mask - a) * (b - a)).sum(1, keepdim=True) / length).clamp(0, 1)
        off = (mask - a - towards_b * (b - a)).square().sum(1, keepdim=True) + PREFER_SHORT * length
        better = off < least
        least = torch.where(better, off, least)
        pair = torch.zeros_like(weights)
        for owner, share in ((owner_a, 1 - towards_b), (owner_b, towards_b)):
            if owner is not None:
                pair[:, owner : owner + 1] += share
        weights = torch.where(better, pair, weights)
    return weights


def _thinned(mask: Tensor) -> Tensor:
    """Of mixed pixels there must be no more than the mask has: so none are averaged."""
    factor = MASK_SIDE_PX / size_of(mask).longest_px
    if factor >= 1:
        return mask
    height, width = (max(1, round(side * factor)) for side in mask.shape[2:])
    return F.interpolate(mask, (height, width), mode="nearest-exact")


def resized_weights(weights: Tensor, size: Size) -> Tensor:
    """1RHW at another size, stretched; what a pixel's weights sum to stays."""
    if size_of(weights) == size:
        return weights
    return F.interpolate(
        weights, (size.height, size.width), mode="bilinear", antialias=True, align_corners=False
    )


def apart(before: Tensor, now: Tensor) -> Tensor:
    """How far each pixel belongs to another region than it did, 11HW in [0, 1]. Of weights 1RHW; none is one too."""
    rest = before.sum(1, keepdim=True) - now.sum(1, keepdim=True)
    return ((before - now).abs().sum(1, keepdim=True) + rest.abs()) / 2


def weights_at_layers(weights: Tensor, layers: Collection[str]) -> Mapping[str, Tensor]:
    """1RHW at the size of the image -> at the size of each layer's features, averaged as pooling goes over them."""
    found: dict[str, Tensor] = {}
    for block in range(1, 6):
        found |= {name: weights for name in layers if name.startswith((f"relu{block}_", f"conv{block}_"))}
        weights = pool(weights, "average")
        found |= {name: weights for name in layers if name == f"pool{block}"}
    return found
