"""Colour preservation: keep the content's colours, or match one picture's colours to another's.

All functions take and give BCHW RGB in [0, 1]. Mean-covariance matching after Gatys, Bethge, Hertzmann and
Shechtman, "Preserving color in neural artistic style transfer" (arXiv 1606.05897).
"""

from __future__ import annotations

import torch
from torch import Tensor

from framestyle.nst.statistics.spectrum import matrix_root

LUMA = (0.2126, 0.7152, 0.0722)
"""BT.709 luma of RGB."""
RIDGE = 1e-5
"""Added to colour covariances: a grey picture has a singular one."""


def luminance(image: Tensor) -> Tensor:
    """BCHW -> B1HW."""
    return (image * image.new_tensor(LUMA).view(1, 3, 1, 1)).sum(1, keepdim=True)


def with_luminance_of(colors: Tensor, light: Tensor) -> Tensor:
    """`colors` (its chroma) under the luminance of `light`, both BCHW."""
    return (colors + luminance(light) - luminance(colors)).clamp(0, 1)


def match_statistics(image: Tensor, like: Tensor) -> Tensor:
    """`image` moved by the affine colour map that gives it the mean and covariance of `like`."""
    mean, covariance = _color_moments(image)
    target_mean, target_covariance = _color_moments(like)
    root = matrix_root(covariance)
    # The optimal transport of one Gaussian to the other: symmetric, so hues do not rotate more than needed.
    inverse = torch.linalg.inv(root)
    transport = inverse @ matrix_root(root @ target_covariance @ root) @ inverse
    flat: Tensor = transport @ (image.flatten(2) - mean[..., None]) + target_mean[..., None]
    return flat.view_as(image).clamp(0, 1)


def match_histogram(image: Tensor, like: Tensor) -> Tensor:
    """`image` with each channel's values moved to the quantiles of the same channel of `like`."""
    matched = torch.empty_like(image)
    for channel in range(image.shape[1]):
        values = image[0, channel].flatten()
        order = values.argsort(stable=True)
        target = like[0, channel].flatten().sort().values
        places = torch.linspace(0, len(target) - 1, len(values), device=image.device).round().long()
        flat = torch.empty_like(values)
        flat[order] = target[places]
        matched[0, channel] = flat.view_as(image[0, channel])
    return matched


def _color_moments(image: Tensor) -> tuple[Tensor, Tensor]:
    flat = image.flatten(2)
    mean = flat.mean(2)
    centred = flat - mean[..., None]
    ridge = RIDGE * torch.eye(image.shape[1], device=image.device)
    return mean, centred @ centred.transpose(1, 2) / flat.shape[2] + ridge
