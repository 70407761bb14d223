"""`gram2015`: the raw Gram matrix, to the letter of Gatys, Ecker and Bethge (arXiv 1508.06576)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from framestyle.nst.network.tiles import Place
from framestyle.nst.statistics.sums import Sums, SumsStatistic, blended, feature_sums


@dataclass(frozen=True, eq=False)
class Gram2015Target:
    """The style's Gram matrix per position, 1CC.

    The loss multiplies it by the picture's positions: a style image of another size than the content asks for no more
    than its own density, which the paper leaves open.
    """

    gram: Tensor

    def read(self, features: Tensor, weight: Tensor | None = None, place: Place | None = None) -> Sums:
        """BCHW -> its sums about 0."""
        return feature_sums(features, None, weight)

    def loss(self, reading: Sums) -> Tensor:
        """1 / (4 N² M²) Σ (G - A)² (eq. 4); N channels, M positions that count."""
        return gram_distance_2015(reading, self.gram * reading.positions)


class _Gram2015(SumsStatistic):
    as_in_2015 = True

    def target(self, readings: Sequence[tuple[Sums, float]]) -> Gram2015Target:
        """Of the blended Gram matrices."""
        return Gram2015Target(blended(readings)[1])


def gram_distance_2015(sums: Sums, target: Tensor) -> Tensor:
    """1 / (4 N² M²) Σ (G - A)² from the sums of features about 0; `target`: A, BCC, no divisor."""
    difference = (sums.second - target) / sums.positions
    return difference.square().sum() / (4 * sums.first.shape[1] ** 2)


def style_loss_2015(features: Tensor, target: Tensor, weight: Tensor | None = None) -> Tensor:
    """The same from BCHW features."""
    return gram_distance_2015(feature_sums(features, weight=weight), target)


GRAM_2015 = _Gram2015()
