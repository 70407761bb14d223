"""The loss of a picture's places against what they are matched with: sums over places, while matches stay."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from framestyle.nst.image import bands
from framestyle.nst.network.tiles import Place
from framestyle.nst.statistics.pieces import place_of_all
from framestyle.nst.statistics.sums import Sums, feature_sums, relative_square_error, wide

GRAM_SHARE = 0.5
"""The Gram matrix's part of a matched layer's loss. Without it many places are matched with few of a flat part of the
style, and that part of the picture is washed out."""
LEAST_NORM = 1e-6
NONE_BEFORE = -1
"""In a map of matches: the place has none."""


def directions(vectors: Tensor) -> Tensor:
    """...C -> of length 1; 0 where there is none."""
    length: Tensor = vectors.norm(dim=-1, keepdim=True)
    return vectors / length.clamp_min(LEAST_NORM)


@dataclass(frozen=True, eq=False)
class MatchedReading:
    """Of a part of a picture: Σ w (1 - cosine), a scalar, and its features' sums."""

    distance: Tensor
    sums: Sums

    def __add__(self, other: MatchedReading) -> MatchedReading:
        return MatchedReading(self.distance + other.distance, self.sums + other.sums)

    @property
    def differentiable(self) -> tuple[Tensor, ...]:
        """All three sums."""
        return (self.distance, *self.sums.differentiable)

    def replaced(self, tensors: Sequence[Tensor]) -> MatchedReading:
        """The same with other sums."""
        distance, *others = tensors
        return MatchedReading(distance, self.sums.replaced(others))


@dataclass(frozen=True, eq=False)
class Matched:
    """What one layer of a picture is to show: at each place the direction of the style's place it is matched with."""

    directions: Tensor
    """NC, of the style's places, about the mean."""
    mean: Tensor
    """1C, of the style."""
    gram: Tensor
    """1CC, of the style."""
    matches: Tensor
    """1HW, numbers of the style's places, at the finest matched layer."""
    cells: int
    """How many of these a position of this layer covers, each way."""

    def read(
        self, features: Tensor, weight: Tensor | None = None, place: Place | None = None
    ) -> MatchedReading:
        """BCHW -> the sum over positions of w (1 - cosine), and the sums that make a Gram matrix."""
        rows, columns = (
            slice(one.start * self.cells, one.stop * self.cells) for one in place or place_of_all(features)
        )
        distance: Tensor = _Distance.apply(features, weight, self.matches[..., rows, columns], self)
        return MatchedReading(distance, feature_sums(features, weight=weight))

    def loss(self, reading: MatchedReading) -> Tensor:
        """The mean of 1 - cosine, and how far the Gram matrix is from the style's: 0 where each place shows what it is
        matched with, and all places together what the style's do; about 1 with nothing in common."""
        apart = (reading.distance / reading.sums.positions).sum()
        return (1 - GRAM_SHARE) * apart + GRAM_SHARE * relative_square_error(reading.sums.gram(), self.gram)

    def wanted(self, matches: Tensor) -> Tensor:
        """The mean direction of what positions are matched with: 1HW of cells -> 1CHW of positions."""
        found = self.directions[matches].permute(0, 3, 1, 2)
        if self.cells == 1:
            return found
        return F.avg_pool2d(found, self.cells, ceil_mode=True, count_include_pad=False)


class _Distance(torch.autograd.Function):
    """Σ w (1 - cosine to what is wanted), in bands of rows: what is wanted is never there as a whole."""

    @staticmethod
    def forward(
        ctx: Any, features: Tensor, weight: Tensor | None, matches: Tensor, target: Matched
    ) -> Tensor:
        ctx.save_for_backward(features, matches, *([] if weight is None else [weight]))
        ctx.target = target
        total = wide(features.new_zeros(()))
        for band in _banded(features, weight, matches, target):
            total += ((1 - band.along) if band.weight is None else (1 - band.along) * band.weight).sum()
        return total

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor, None, None, None]:
        features, matches, *weight = ctx.saved_tensors
        gradient = torch.empty_like(features)
        for band in _banded(features, weight[0] if weight else None, matches, ctx.target):
            slope = (band.unit * band.along).sub_(band.wanted).div_(band.norm).mul_(grad_outputs[0])
            gradient[..., band.rows, :] = slope if band.weight is None else slope * band.weight
        return gradient, None, None, None


@dataclass(frozen=True, eq=False)
class _Band:
    rows: slice
    norm: Tensor
    unit: Tensor
    """The features' direction about the style's mean."""
    wanted: Tensor
    along: Tensor
    """Their cosine, where what is wanted is of one mind; less, where a position covers cells that want other things."""
    weight: Tensor | None


def _banded(features: Tensor, weight: Tensor | None, matches: Tensor, target: Matched) -> Iterator[_Band]:
    for rows in bands(features):
        centred = wide(features[..., rows, :]) - target.mean[..., None, None]
        norm = centred.norm(dim=1, keepdim=True).clamp_min_(LEAST_NORM)
        unit = centred.div_(norm)
        wanted = target.wanted(matches[:, rows.start * target.cells : rows.stop * target.cells])
        along = (unit * wanted).sum(1, keepdim=True)
        yield _Band(rows, norm, unit, wanted, along, None if weight is None else wide(weight[..., rows, :]))
