"""`moments`: mean and covariance, each relative to the style's own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from framestyle.nst.network.tiles import Place
from framestyle.nst.statistics.sums import (
    Sums,
    SumsStatistic,
    feature_sums,
    mean_and_covariance,
    relative_square_error,
)


@dataclass(frozen=True, eq=False)
class MomentsTarget:
    """The style's mean, 1C, and covariance, 1CC."""

    mean: Tensor
    covariance: Tensor

    def read(self, features: Tensor, weight: Tensor | None = None, place: Place | None = None) -> Sums:
        """BCHW -> its sums about the style's mean."""
        return feature_sums(features, self.mean, weight)

    def loss(self, reading: Sums) -> Tensor:
        """The relative square errors of both, added."""
        mean, covariance = reading.moments()
        of_mean = relative_square_error(mean, self.mean)
        return of_mean + relative_square_error(covariance, self.covariance)


class _Moments(SumsStatistic):
    def target(self, readings: Sequence[tuple[Sums, float]]) -> MomentsTarget:
        """Of all style images as if their pixels were one picture."""
        return MomentsTarget(*mean_and_covariance(readings))


MOMENTS = _Moments()
