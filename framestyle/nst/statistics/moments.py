"""`moments`: mean and covariance, each relative to the style's own."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from framestyle.nst.statistics.sums import (
    MomentsHeld,
    Sums,
    SumsStatistic,
    mean_and_covariance,
    relative_square_error,
)


class MomentsTarget(MomentsHeld):
    """The style's mean, 1C, and covariance, 1CC."""

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
