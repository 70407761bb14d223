"""Pure functions: features or images in, scalar losses out. All statistics and sums are float32 or better.

Two families. The `2015` ones are the sums of Gatys, Ecker and Bethge (arXiv 1508.06576), to the letter.
The others are means, each divided by the size of what it is compared with, so that a weight keeps its
meaning across image sizes, layers and backbones: 0 is a perfect match, about 1 is "nothing in common".
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

EPSILON = 1e-8


class _SelfProduct(torch.autograd.Function):
    """F Fᵀ with a backward of one matrix product, (dG + dGᵀ) F, where autograd would make two."""

    @staticmethod
    def forward(ctx: Any, features: Tensor) -> Tensor:
        ctx.save_for_backward(features)
        return features @ features.transpose(1, 2)

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> Tensor:
        (features,) = ctx.saved_tensors
        (grad,) = grad_outputs
        product: Tensor = (grad + grad.transpose(1, 2)) @ features
        return product


def _wide(features: Tensor) -> Tensor:
    """At least float32: half precisions are for convolutions, not for sums over a whole image."""
    return features if features.dtype == torch.float64 else features.float()


# Statistics of a part of an image: each position counts by its `weight`, B1HW in [0, 1], and the weights' sum takes the
# place of H·W. None: all count in full.


def self_product(features: Tensor, weight: Tensor | None = None) -> Tensor:
    """BCHW -> BCC, Σ over positions of w f fᵀ; no divisor (Gatys 2015's G)."""
    return _weighted_product(_wide(features).flatten(2), weight)


def _weighted_product(flat: Tensor, weight: Tensor | None) -> Tensor:
    """BCP -> BCC."""
    if weight is not None:
        flat = flat * _wide(weight).flatten(2).sqrt()
    product: Tensor = _SelfProduct.apply(flat)
    return product


def positions(features: Tensor, weight: Tensor | None = None) -> float | Tensor:
    """How many positions count: H·W, or the sum of the weights, B11."""
    if weight is None:
        return float(features.shape[2] * features.shape[3])
    return _wide(weight).flatten(2).sum(2, keepdim=True).clamp_min(EPSILON)


def gram_matrix(features: Tensor, weight: Tensor | None = None) -> Tensor:
    """BCHW -> BCC, divided by the positions that count."""
    return self_product(features, weight) / positions(features, weight)


def moments(features: Tensor, weight: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """BCHW -> mean BC and covariance BCC, divided by the positions that count."""
    flat, count = _wide(features).flatten(2), positions(features, weight)
    counted = flat if weight is None else flat * _wide(weight).flatten(2)
    mean = counted.sum(2, keepdim=True) / count
    return mean[..., 0], _weighted_product(flat - mean, weight) / count


def content_loss_2015(features: Tensor, target: Tensor) -> Tensor:
    """½ Σ (F - P)² (Gatys 2015, eq. 1)."""
    return (_wide(features) - _wide(target)).square().sum() / 2


def style_loss_2015(features: Tensor, target: Tensor, weight: Tensor | None = None) -> Tensor:
    """1 / (4 N² M²) Σ (G - A)² (Gatys 2015, eq. 4); N channels, M positions of `features` that count; `target`: A, BCC.

    A is the raw Gram matrix of the style image; where that image has another size than the content, the
    caller scales A by the ratio of positions, which the paper leaves open.
    """
    difference = (self_product(features, weight) - target) / positions(features, weight)
    return difference.square().sum() / (4 * features.shape[1] ** 2)


def content_loss(features: Tensor, target: Tensor, variance: Tensor) -> Tensor:
    """Mean squared error over `variance`, the target's own mean square about its channel means.

    Differs from the paper: a mean, relative to the content, so that its weight holds across sizes and backbones.
    """
    return (_wide(features) - _wide(target)).square().mean() / (variance + EPSILON)


def feature_variance(features: Tensor) -> Tensor:
    """Mean over channels and positions of the squared distance to each channel's mean; a scalar."""
    wide = _wide(features)
    return (wide - wide.mean((2, 3), keepdim=True)).square().mean()


def relative_square_error(value: Tensor, target: Tensor) -> Tensor:
    """Σ (value - target)² / Σ target²."""
    return (value - target).square().sum() / (target.square().sum() + EPSILON)


class _TraceOfRoot(torch.autograd.Function):
    """tr(M^½) of symmetric positive semi-definite BNN; gradient ½ M^-½, with small eigenvalues floored.

    The floor (1e-4 of the largest) keeps directions that the style hardly has from dominating the gradient.
    """

    @staticmethod
    def forward(ctx: Any, matrix: Tensor) -> Tensor:
        values, vectors = torch.linalg.eigh((matrix + matrix.transpose(1, 2)) / 2)
        floor = values[:, -1:].clamp_min(EPSILON) * 1e-4
        ctx.save_for_backward(values, vectors, floor)
        trace: Tensor = values.clamp_min(0).sqrt().sum(1)
        return trace

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> Tensor:
        values, vectors, floor = ctx.saved_tensors
        inverse_roots = values.maximum(floor).rsqrt() / 2
        slope: Tensor = (vectors * inverse_roots[:, None, :]) @ vectors.transpose(1, 2)
        return grad_outputs[0][:, None, None] * slope


def matrix_root(matrix: Tensor) -> Tensor:
    """The symmetric square root of positive semi-definite BNN."""
    values, vectors = torch.linalg.eigh((matrix + matrix.transpose(1, 2)) / 2)
    root: Tensor = (vectors * values.clamp_min(0).sqrt()[:, None, :]) @ vectors.transpose(1, 2)
    return root


def wasserstein_distance(
    mean: Tensor, covariance: Tensor, target_mean: Tensor, target_covariance: Tensor, target_root: Tensor
) -> Tensor:
    """Squared 2-Wasserstein distance of two Gaussians: |μ-μ'|² + tr(C + C' - 2 (C'^½ C C'^½)^½); B.

    `target_root` is `matrix_root(target_covariance)`.
    """
    trace = torch.diagonal(covariance + target_covariance, dim1=1, dim2=2).sum(1)
    cross: Tensor = _TraceOfRoot.apply(target_root @ covariance @ target_root)
    return (mean - target_mean).square().sum(1) + trace - 2 * cross


def total_variation_loss(image: Tensor) -> Tensor:
    """BCHW -> mean squared difference of neighbours, down and right, summed over both (L2 form)."""
    down = (image[..., 1:, :] - image[..., :-1, :]).square()
    right = (image[..., :, 1:] - image[..., :, :-1]).square()
    # A single row or column has no neighbours that way: 0, not the mean of nothing.
    return down.sum() / max(1, down.numel()) + right.sum() / max(1, right.numel())


def temporal_loss(image: Tensor, warped: Tensor, reliability: Tensor, cell_px: int = 1) -> Tensor:
    """(1/D) Σ c (x - warped)² (Ruder 2016, eq. 7): BCHW, BCHW, B1HW -> scalar; D counts all values.

    With `cell_px` above 1: the mean over cells of that size of (mean of c (x - warped))²; 0: the frame is one cell.
    """
    if cell_px == 1:
        return ((image - warped).square() * reliability).mean()
    difference = (image - warped) * reliability
    cells = F.avg_pool2d(difference, cell_px, ceil_mode=True) if cell_px else difference.mean((2, 3))
    return cells.square().mean()
