"""A preconditioner for pixels: the gradient, evened out over frequencies and directions before Adam takes it.

Seen through VGG19, the gradient at periods of two to three pixels is ten to twenty times weaker (in energy) along the
diagonals than along rows and columns, and weaker there than at any longer period. Adam scales each pixel, not each
frequency: the fine detail that a picture gains lies along rows and columns, as a weave over everything. Measured on the
gradient, its whitening filter is nearly 1 plus the mixed second difference; with it strokes lie as the style's do.
Feature visualisation does the like by optimising Fourier coefficients (Olah, Mordvintsev and Schubert 2017,
"preconditioning"); a small kernel does it in the pixels, where moments can follow a flow.
"""

from __future__ import annotations

from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import Tensor

RADIUS_PX = 4
BLUR_PX = 1.0
"""Of the part that lets broad forms move sooner than grain."""
FINE_SHARE = 0.25
"""Of what is left as it is, and of the mixed second difference."""


@lru_cache(maxsize=8)
def kernel(device: torch.device) -> Tensor:
    """31KK, for each channel alike. Its transfer function is positive: descent stays descent."""
    reach = torch.arange(-RADIUS_PX, RADIUS_PX + 1.0)
    blur = (-reach.square() / (2 * BLUR_PX**2)).exp()
    blur /= blur.sum()
    second = torch.zeros_like(reach)
    second[RADIUS_PX - 1 : RADIUS_PX + 2] = torch.tensor([1.0, -2.0, 1.0])
    found = torch.outer(blur, blur) + FINE_SHARE * torch.outer(second, second)
    found[RADIUS_PX, RADIUS_PX] += FINE_SHARE
    return found.expand(3, 1, -1, -1).contiguous().to(device)


def preconditioned(gradient: Tensor) -> Tensor:
    """13HW -> 13HW. At the edges the gradient goes on as its mirror image, as far as there is one."""
    height, width = gradient.shape[2:]
    mode = "reflect" if min(height, width) > RADIUS_PX else "replicate"
    padded = F.pad(gradient, (RADIUS_PX,) * 4, mode=mode)
    return F.conv2d(padded, kernel(gradient.device), groups=3)
