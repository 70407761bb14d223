"""Pure functions: features or images in, scalar losses out. All statistics and sums are float32 or better.

Two families. The `2015` ones are the sums of Gatys, Ecker and Bethge (arXiv 1508.06576), to the letter.
The others are means, each divided by the size of what it is compared with, so that a weight keeps its
meaning across image sizes, layers and backbones: 0 is a perfect match, about 1 is "nothing in common".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from framestyle.nst.image import bands
from framestyle.nst.statistics.spectrum import root_of

EPSILON = 1e-8


def _wide(features: Tensor) -> Tensor:
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
            centred = _by_position(_wide(features[..., rows, :]) - shift[..., None, None])
            counted = centred if weight is None else centred * _by_position(_wide(weight[..., rows, :]))
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
                _by_position(_wide(features[..., rows, :])),
                slope,
                out=of_band.flatten(1, 2) if in_place else None,
            )
            for one in weight:
                product *= _by_position(_wide(one[..., rows, :]))
            if not in_place:
                of_band.copy_(product.view_as(of_band))
        return gradient, None, None


def _by_position(features: Tensor) -> Tensor:
    """BCHW -> B(HW)C: a view, where channels come last in memory."""
    return features.permute(0, 2, 3, 1).flatten(1, 2)


def feature_sums(features: Tensor, shift: Tensor | None = None, weight: Tensor | None = None) -> Sums:
    """BCHW -> its sums about `shift`, 1C (None: 0)."""
    if shift is None:
        shift = _wide(features.new_zeros(1, features.shape[1]))
    first, second = _FeatureSums.apply(features, shift, weight)
    total = (
        float(features.shape[2] * features.shape[3])
        if weight is None
        else _wide(weight).flatten(2).sum(2, keepdim=True)
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
    return feature_sums(features, _mean(features.detach()), weight).moments()


def _mean(features: Tensor) -> Tensor:
    """BCHW -> BC."""
    total = _wide(features.new_zeros(features.shape[:2]))
    for rows in bands(features):
        total += _wide(features[..., rows, :]).sum((2, 3))
    return total / (features.shape[2] * features.shape[3])


class _SquaredDistance(torch.autograd.Function):
    """Σ (f - p)², in bands of rows."""

    @staticmethod
    def forward(ctx: Any, features: Tensor, target: Tensor) -> Tensor:
        ctx.save_for_backward(features, target)
        total = _wide(features.new_zeros(()))
        for rows in bands(features):
            total += (_wide(features[..., rows, :]) - _wide(target[..., rows, :])).square().sum()
        return total

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor, None]:
        features, target = ctx.saved_tensors
        gradient = torch.empty_like(features)
        for rows in bands(features):
            difference = _wide(features[..., rows, :]) - _wide(target[..., rows, :])
            gradient[..., rows, :] = 2 * grad_outputs[0] * difference
        return gradient, None


def squared_distance(features: Tensor, target: Tensor) -> Tensor:
    """Σ (f - p)² of two BCHW, a scalar; those of the parts of a picture add up. No gradient reaches `target`."""
    distance: Tensor = _SquaredDistance.apply(features, target)
    return distance


def content_loss_2015(features: Tensor, target: Tensor) -> Tensor:
    """½ Σ (F - P)² (Gatys 2015, eq. 1)."""
    return squared_distance(features, target) / 2


def style_loss_2015(features: Tensor, target: Tensor, weight: Tensor | None = None) -> Tensor:
    """1 / (4 N² M²) Σ (G - A)² (Gatys 2015, eq. 4); N channels, M positions of `features` that count; `target`: A, BCC.

    A is the raw Gram matrix of the style image; where that image has another size than the content, the
    caller scales A by the ratio of positions, which the paper leaves open.
    """
    return gram_distance_2015(feature_sums(features, weight=weight), target)


def gram_distance_2015(sums: Sums, target: Tensor) -> Tensor:
    """The same from the sums of the features."""
    difference = (sums.second - target) / sums.positions
    return difference.square().sum() / (4 * sums.first.shape[1] ** 2)


def content_loss(features: Tensor, target: Tensor, variance: Tensor) -> Tensor:
    """Mean squared error over `variance`, the target's own mean square about its channel means.

    Differs from the paper: a mean, relative to the content, so that its weight holds across sizes and backbones.
    """
    return relative_distance(squared_distance(features, target), target, variance)


def relative_distance(distance: Tensor, target: Tensor, variance: Tensor) -> Tensor:
    """The content loss from the squared distance to `target`."""
    return distance / target.numel() / (variance + EPSILON)


def feature_variance(features: Tensor) -> Tensor:
    """Mean over channels and positions of the squared distance to each channel's mean; a scalar."""
    mean = _mean(features)[..., None, None]
    total = mean.new_zeros(())
    for rows in bands(features):
        total += (_wide(features[..., rows, :]) - mean).square().sum()
    return total / features.numel()


def relative_square_error(value: Tensor, target: Tensor) -> Tensor:
    """Σ (value - target)² / Σ target²."""
    return (value - target).square().sum() / (target.square().sum() + EPSILON)


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


def total_variation_loss(image: Tensor) -> Tensor:
    """BCHW -> mean squared difference of neighbours, down and right, summed over both (L2 form)."""
    total: Tensor = _TotalVariation.apply(image)
    return total


class _TotalVariation(torch.autograd.Function):
    """In bands of rows, each with the first row of the next: a picture's differences would be several more pictures."""

    @staticmethod
    def forward(ctx: Any, image: Tensor) -> Tensor:
        ctx.save_for_backward(image)
        total = image.new_zeros(())
        of_down, of_right = _pair_shares(image)
        for rows in bands(image):
            down, right = _differences(image, rows)
            total += of_down * down.square().sum() + of_right * right.square().sum()
        return total

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> Tensor:
        (image,) = ctx.saved_tensors
        gradient = torch.zeros_like(image)
        of_down, of_right = (2 * share * grad_outputs[0] for share in _pair_shares(image))
        for rows in bands(image):
            down, right = _differences(image, rows)
            down *= of_down
            right *= of_right
            upper = slice(rows.start, rows.start + down.shape[-2])
            gradient[..., upper, :] -= down
            gradient[..., upper.start + 1 : upper.stop + 1, :] += down
            gradient[..., rows, :-1] -= right
            gradient[..., rows, 1:] += right
        return gradient


def _differences(image: Tensor, rows: slice) -> tuple[Tensor, Tensor]:
    """From the pixels of these rows to their neighbours below and to the right."""
    band = image[..., rows.start : rows.stop + 1, :]
    own = image[..., rows, :]
    return band[..., 1:, :] - band[..., :-1, :], own[..., 1:] - own[..., :-1]


def _pair_shares(image: Tensor) -> tuple[float, float]:
    """1 / pairs of neighbours, down and right. A single row or column has none: 0, not the mean of nothing."""
    planes, height, width = image.shape[0] * image.shape[1], image.shape[2], image.shape[3]
    return 1 / max(1, planes * (height - 1) * width), 1 / max(1, planes * height * (width - 1))


def temporal_loss(image: Tensor, warped: Tensor, reliability: Tensor, cell_px: int = 1) -> Tensor:
    """(1/D) Σ c (x - warped)² (Ruder 2016, eq. 7): BCHW, BCHW, B1HW -> scalar; D counts all values.

    With `cell_px` above 1: the mean over cells of that size of (mean of c (x - warped))²; 0: the frame is one cell.
    """
    if cell_px == 1:
        return ((image - warped).square() * reliability).mean()
    difference = (image - warped) * reliability
    cells = F.avg_pool2d(difference, cell_px, ceil_mode=True) if cell_px else difference.mean((2, 3))
    return cells.square().mean()
