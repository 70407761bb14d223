"""Style targets: the statistics that a stylized picture should have, per layer, and the losses against them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from framestyle.nst import losses
from framestyle.nst.image import Size, resize, size_of, with_area
from framestyle.nst.network.tiles import Fit, Place, Readings, as_a_whole, read_layers
from framestyle.nst.network.vgg import VGG19
from framestyle.nst.statistics.spectrum import factor_of


@dataclass(frozen=True, eq=False)
class LayerTarget:
    """What one layer should look like: its mean 1C and second-moment matrix 1CC (a Gram matrix or a covariance)."""

    statistic: str  # gram2015 | gram | moments | wasserstein
    mean: Tensor
    matrix: Tensor
    factor: Tensor | None = None
    """Of the matrix, for wasserstein alone: see `spectrum.factor_of`."""

    def sums(self, features: Tensor, weight: Tensor | None = None) -> losses.Sums:
        """BCHW -> what the loss is a function of; the sums of a picture's parts add up.

        Of a part of the image, where a weight for each position, B1HW, says which.
        """
        of_moments = self.statistic in ("moments", "wasserstein")
        return losses.feature_sums(features, self.mean if of_moments else None, weight)

    def loss(self, features: Tensor | losses.Sums, weight: Tensor | None = None) -> Tensor:
        """BCHW, and a weight as above, or their sums -> scalar."""
        sums = self.sums(features, weight) if isinstance(features, Tensor) else features
        if self.statistic == "gram2015":
            return losses.gram_distance_2015(sums, self.matrix * sums.positions)
        if self.statistic == "gram":
            return losses.relative_square_error(sums.gram(), self.matrix)
        mean, covariance = sums.moments()
        if self.statistic == "moments":
            of_mean = losses.relative_square_error(mean, self.mean)
            return of_mean + losses.relative_square_error(covariance, self.matrix)
        assert self.factor is not None
        distance = losses.wasserstein_distance(mean, covariance, self.mean, self.matrix, self.factor)
        energy = self.mean.square().sum() + torch.diagonal(self.matrix, dim1=1, dim2=2).sum()
        return distance.sum() / (energy + losses.EPSILON)


StyleTargets = Mapping[str, LayerTarget]


def style_targets(
    network: VGG19,
    images: Sequence[tuple[Tensor, float]],
    layers: Sequence[str],
    statistic: str,
    content_size: Size,
    style_scale: float,
    fit: Fit = as_a_whole,
) -> dict[str, LayerTarget]:
    """Targets at one scale of the content: each style image resized to the content's area times `style_scale`².

    Several images blend by weight: means and raw second moments combine linearly, as if their pixels were one
    picture; the covariance follows from both. `fit` chooses how each is read.
    """

    def read(name: str, features: Tensor, place: Place) -> Readings:
        return {name: losses.feature_sums(features)} if name in layers else {}

    total = sum(weight for _, weight in images)
    means: dict[str, Tensor] = {}
    seconds: dict[str, Tensor] = {}
    with torch.no_grad():
        for image, weight in images:
            size = with_area(size_of(image), content_size.area_px * style_scale**2)
            resized = resize(image, size)
            found = fit(size, partial(read_layers, network, resized, read))
            for name in layers:
                sums, share = found[name], weight / total
                means[name] = means.get(name, 0) + share * sums.first / sums.positions
                seconds[name] = seconds.get(name, 0) + share * sums.gram()
    return {name: _layer_target(statistic, means[name], seconds[name]) for name in layers}


def _layer_target(statistic: str, mean: Tensor, second: Tensor) -> LayerTarget:
    """`gram2015` keeps the Gram matrix per position: its loss multiplies by the content's positions again, so that
    a style image of another size than the content asks for no more than its own density."""
    if statistic in ("gram2015", "gram"):
        return LayerTarget(statistic, mean, second)
    covariance = second - mean[:, :, None] * mean[:, None, :]
    return LayerTarget(
        statistic, mean, covariance, factor_of(covariance) if statistic == "wasserstein" else None
    )
