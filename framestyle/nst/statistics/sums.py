"""Sums of a layer's features over positions, of which Gram matrices, means and covariances are functions.

All sums are float32 or better.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from framestyle.nst.image import bands
from framestyle.nst.network.tiles import Place

EPSILON = 1e-8


def wide(features: Tensor) -> Tensor:
    """At least float32: half precisions are for convolutions, not for sums over a whole image."""
    return features if features.dtype == torch.float64 else features.float()


# Statistics of a part of an image: each position counts by its `weight`, B1HW in [0, 1], and the weights' sum takes the
# place of H·W. None: all count in full.


@dataclass(frozen=True, eq=False)
class Sums:
    """All that a style statistic needs of a layer's features f: their sums over positions, about a fixed `shift` s.

    Those of the parts of a picture add up to those of the whole. The shift, 1C, keeps covariances from being small
    differences of large sums; any value is right, one near the mean is precise.
    """

    first: Tensor
    """BC, Σ w (f - s)."""
    second: Tensor
    """BCC, Σ w (f - s)(f - s)ᵀ."""
    weight: float | Tensor
    """Σ w, B11; H·W where all positions count in full."""
    shift: Tensor

    def __add__(self, other: Sums) -> Sums:
        weight = self.weight + other.weight
        return Sums(self.first + other.first, self.second + other.second, weight, self.shift)

    @property
    def positions(self) -> float | Tensor:
        """How many positions count, B11; above 0."""
        return self.weight.clamp_min(EPSILON) if isinstance(self.weight, Tensor) else self.weight

    @property
    def differentiable(self) -> tuple[Tensor, ...]:
        """Both sums."""
        return self.first, self.second

    def replaced(self, tensors: Sequence[Tensor]) -> Sums:
        """The same with other sums."""
        first, second = tensors
        return replace(self, first=first, second=second)

    def gram(self) -> Tensor:
        """BCC, divided by the positions that count; true Gram matrices are about a shift of 0."""
        return self.second / self.positions

    def moments(self) -> tuple[Tensor, Tensor]:
        """Mean BC and covariance BCC, divided by the positions that count."""
        offset = (self.first[:, :, None] / self.positions)[..., 0]
        covariance = self.second / self.positions - offset[:, :, None] * offset[:, None, :]
        return self.shift + offset, covariance


class _FeatureSums(torch.autograd.Function):
    """Both sums, in bands of rows: neither way is there a wide copy of all features, or a centred one.

    Backward is one matrix product, where autograd would make two: (f - s) S + d = f S + (d - s S) with S = dS + dSᵀ,
    so that features are not centred once more. Both ways work on features as they lie in memory, channels last.
    """

    @staticmethod
    def forward(ctx: Any, features: Tensor, shift: Tensor, weight: Tensor | None) -> tuple[Tensor, Tensor]:
        ctx.save_for_backward(features, shift, *([] if weight is None else [weight]))
        batch, channels = features.shape[:2]
        first = shift.new_zeros(batch, channels)
        second = shift.new_zeros(batch, channels, channels)
        for rows in bands(features):
            centred = _by_position(wide(features[..., rows, :]) - shift[..., None, None])
            counted = centred if weight is None else centred * _by_position(wide(weight[..., rows, :]))
            first += counted.sum(1)
            second.baddbmm_(counted.mT, centred)
        return first, second

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor, None, None]:
        features, shift, *weight = ctx.saved_tensors
        of_first, of_second = grad_outputs
        slope = of_second + of_second.mT
        offset = of_first[:, None] - shift @ slope
        gradient = torch.empty_like(features, memory_format=torch.channels_last)
        in_place = features.shape[0] == 1 and features.dtype == slope.dtype
        for rows in bands(features):
            of_band = gradient[..., rows, :].permute(0, 2, 3, 1)
            product = torch.baddbmm(
                offset,
                _by_position(wide(features[..., rows, :])),
                slope,
                out=of_band.flatten(1, 2) if in_place else None,
            )
            for one in weight:
                product *= _by_position(wide(one[..., rows, :]))
            if not in_place:
                of_band.copy_(product.view_as(of_band))
        return gradient, None, None


def _by_position(features: Tensor) -> Tensor:
    """BCHW -> B(HW)C: a view, where channels come last in memory."""
    return features.permute(0, 2, 3, 1).flatten(1, 2)


def feature_sums(features: Tensor, shift: Tensor | None = None, weight: Tensor | None = None) -> Sums:
    """BCHW -> its sums about `shift`, 1C (None: 0)."""
    if shift is None:
        shift = wide(features.new_zeros(1, features.shape[1]))
    first, second = _FeatureSums.apply(features, shift, weight)
    total = (
        float(features.shape[2] * features.shape[3])
        if weight is None
        else wide(weight).flatten(2).sum(2, keepdim=True)
    )
    return Sums(first, second, total, shift)


def self_product(features: Tensor, weight: Tensor | None = None) -> Tensor:
    """BCHW -> BCC, Σ over positions of w f fᵀ; no divisor (Gatys 2015's G)."""
    return feature_sums(features, weight=weight).second


def gram_matrix(features: Tensor, weight: Tensor | None = None) -> Tensor:
    """BCHW -> BCC, divided by the positions that count."""
    return feature_sums(features, weight=weight).gram()


def moments(features: Tensor, weight: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """BCHW -> mean BC and covariance BCC, divided by the positions that count."""
    return feature_sums(features, mean_of(features.detach()), weight).moments()


def blended(readings: Sequence[tuple[Sums, float]]) -> tuple[Tensor, Tensor]:
    """Sums about 0 and their shares -> mean 1C and raw second moment 1CC, as if all pixels were one picture."""
    mean: Tensor | float = 0
    second: Tensor | float = 0
    for sums, share in readings:
        mean = mean + share * sums.first / sums.positions
        second = second + share * sums.gram()
    assert isinstance(mean, Tensor) and isinstance(second, Tensor)
    return mean, second


def mean_and_covariance(readings: Sequence[tuple[Sums, float]]) -> tuple[Tensor, Tensor]:
    """The same, 1C and 1CC, with the covariance that follows from both."""
    mean, second = blended(readings)
    return mean, second - mean[:, :, None] * mean[:, None, :]


@dataclass(frozen=True, eq=False)
class MomentsHeld:
    """A style's mean, 1C, and covariance, 1CC: what targets that compare both begin with."""

    mean: Tensor
    covariance: Tensor

    def read(self, features: Tensor, weight: Tensor | None = None, place: Place | None = None) -> Sums:
        """BCHW -> its sums about the style's mean."""
        return feature_sums(features, self.mean, weight)


class SumsStatistic:
    """What statistics have in common that are functions of these sums."""

    as_in_2015 = False

    def read(self, features: Tensor, place: Place | None = None) -> Sums:
        """BCHW -> its sums about 0."""
        return feature_sums(features)

    def needs_bytes(self, channels: int, positions: int) -> int:
        """Matrices of channels by channels alone, whatever the picture's size."""
        return 0


def mean_of(features: Tensor) -> Tensor:
    """BCHW -> BC."""
    total = wide(features.new_zeros(features.shape[:2]))
    for rows in bands(features):
        total += wide(features[..., rows, :]).sum((2, 3))
    return total / (features.shape[2] * features.shape[3])


def relative_square_error(value: Tensor, target: Tensor) -> Tensor:
    """Σ (value - target)² / Σ target²."""
    return (value - target).square().sum() / (target.square().sum() + EPSILON)
