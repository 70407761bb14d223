"""`wasserstein`: mean and covariance by the 2-Wasserstein distance of Gaussians, relative to the style's energy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from framestyle.nst.statistics.spectrum import factor_of, root_of
from framestyle.nst.statistics.sums import (
    EPSILON,
    MomentsHeld,
    Sums,
    SumsStatistic,
    mean_and_covariance,
)


@dataclass(frozen=True, eq=False)
class WassersteinTarget(MomentsHeld):
    """The style's mean, 1C, covariance, 1CC, and a factor of the covariance (`spectrum.factor_of`)."""

    factor: Tensor

    def loss(self, reading: Sums) -> Tensor:
        """The squared distance over the target's energy, |μ|² + tr(C)."""
        mean, covariance = reading.moments()
        distance = wasserstein_distance(mean, covariance, self.mean, self.covariance, self.factor)
        energy = self.mean.square().sum() + torch.diagonal(self.covariance, dim1=1, dim2=2).sum()
        return distance.sum() / (energy + EPSILON)


class _Wasserstein(SumsStatistic):
    def target(self, readings: Sequence[tuple[Sums, float]]) -> WassersteinTarget:
        """Of all style images as if their pixels were one picture."""
        mean, covariance = mean_and_covariance(readings)
        return WassersteinTarget(mean, covariance, factor_of(covariance))


class _TraceOfRoot(torch.autograd.Function):
    """tr(M^½) of symmetric positive semi-definite BNN; gradient ½ M^-½, softened: see `spectrum.root_of`."""

    @staticmethod
    def forward(ctx: Any, matrix: Tensor, less: Tensor) -> Tensor:
        trace, inverse_root = root_of(matrix, less)
        ctx.save_for_backward(inverse_root)
        return trace

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor, None]:
        (inverse_root,) = ctx.saved_tensors
        return grad_outputs[0][:, None, None] / 2 * inverse_root, None


def wasserstein_distance(
    mean: Tensor, covariance: Tensor, target_mean: Tensor, target_covariance: Tensor, target_factor: Tensor
) -> Tensor:
    """Squared 2-Wasserstein distance of two Gaussians: |μ-μ'|² + tr(C + C' - 2 (C'^½ C C'^½)^½); B.

    `target_factor` is F, with F Fᵀ = C' (`factor_of(target_covariance)`): FᵀCF has the eigenvalues of C'^½ C C'^½, and
    is no larger than the target has directions.
    """
    trace = torch.diagonal(covariance + target_covariance, dim1=1, dim2=2).sum(1)
    offset = mean - target_mean
    # The covariance is the sums' about the target's mean, less this.
    less = (target_factor.mT @ offset.detach()[:, :, None]).square().sum((1, 2))
    cross: Tensor = _TraceOfRoot.apply(target_factor.mT @ covariance @ target_factor, less)
    return offset.square().sum(1) + trace - 2 * cross


WASSERSTEIN = _Wasserstein()
