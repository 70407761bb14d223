"""Pure functions: features or images in, scalar losses out: content, total variation, temporal. Style losses are in
statistics/. All sums are float32 or better.

Two families. The `2015` ones are the sums of Gatys, Ecker and Bethge (arXiv 1508.06576), to the letter.
The others are means, each divided by the size of what it is compared with, so that a weight keeps its
meaning across image sizes, layers and backbones: 0 is a perfect match, about 1 is "nothing in common".
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from framestyle.nst.image import bands
from framestyle.nst.statistics.sums import EPSILON, mean_of, wide


class _SquaredDistance(torch.autograd.Function):
    """Σ w (f - p)², in bands of rows."""

    @staticmethod
    def forward(ctx: Any, features: Tensor, target: Tensor, weight: Tensor | None) -> Tensor:
        ctx.save_for_backward(features, target, *([] if weight is None else [weight]))
        total = wide(features.new_zeros(()))
        for rows in bands(features):
            squares = (wide(features[..., rows, :]) - wide(target[..., rows, :])).square_()
            total += (squares if weight is None else squares.mul_(weight[..., rows, :])).sum()
        return total

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor, None, None]:
        features, target, *weight = ctx.saved_tensors
        gradient = torch.empty_like(features)
        for rows in bands(features):
            slope = (wide(features[..., rows, :]) - wide(target[..., rows, :])).mul_(2 * grad_outputs[0])
            for one in weight:
                slope *= one[..., rows, :]
            gradient[..., rows, :] = slope
        return gradient, None, None


def squared_distance(features: Tensor, target: Tensor, weight: Tensor | None = None) -> Tensor:
    """Σ w (f - p)² of two BCHW, a scalar; those of the parts of a picture add up. No gradient reaches `target`.

    `weight`: how much each position counts, B1HW; None: all alike.
    """
    distance: Tensor = _SquaredDistance.apply(features, target, weight)
    return distance


def content_loss_2015(features: Tensor, target: Tensor) -> Tensor:
    """½ Σ (F - P)² (Gatys 2015, eq. 1)."""
    return squared_distance(features, target) / 2


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
    mean = mean_of(features)[..., None, None]
    total = mean.new_zeros(())
    for rows in bands(features):
        total += (wide(features[..., rows, :]) - mean).square().sum()
    return total / features.numel()


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
