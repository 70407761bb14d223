"""`gram`: the Gram matrix per position, relative to the style's own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from framestyle.nst.network.tiles import Place
from framestyle.nst.statistics.sums import Sums, SumsStatistic, blended, feature_sums, relative_square_error


@dataclass(frozen=True, eq=False)
class GramTarget:
    """The style's Gram matrix per position, 1CC."""

    gram: Tensor

    def read(self, features: Tensor, weight: Tensor | None = None, place: Place | None = None) -> Sums:
        """BCHW -> its sums about 0."""
        return feature_sums(features, None, weight)

    def loss(self, reading: Sums) -> Tensor:
        """Σ (G - A)² / Σ A²."""
        return relative_square_error(reading.gram(), self.gram)


class _Gram(SumsStatistic):
    def target(self, readings: Sequence[tuple[Sums, float]]) -> GramTarget:
        """Of the blended Gram matrices."""
        return GramTarget(blended(readings)[1])


GRAM = _Gram()
