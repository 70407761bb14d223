"""The state of the pixels' optimisation, as a value that can be resampled to a scale or carried along a flow."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from framestyle.nst.image import Size, size_of

BETAS = (0.9, 0.99)
ADAM_EPSILON = 1e-8
LEAST_WEIGHT = 1e-6
"""An average of less weight is none."""
ANNEAL_POWER, ANNEAL_FLOOR = 1.0, 0.1


@dataclass
class PixelState:
    """Everything that the next step depends on. All tensors are 1CHW float32.

    `image` is the iterate, `mean` and `square` Adam's first and second moments after `step` steps (Kingma and
    Ba, arXiv 1412.6980), `average` the decaying sum of iterates, of total weight `average_weight` (11HW, below 1);
    `settled`, 11HW, how many steps each pixel has had at this scale since it came into the picture.
    """

    image: Tensor
    mean: Tensor
    square: Tensor
    average: Tensor
    average_weight: Tensor
    settled: Tensor
    step: int = 0

    @classmethod
    def start(cls, image: Tensor) -> PixelState:
        """A fresh state at `image`."""
        pixels, single = torch.zeros_like(image), torch.zeros_like(image[:, :1])
        return cls(image.detach().clone(), pixels, pixels.clone(), pixels.clone(), single, single.clone())

    def result(self) -> Tensor:
        """The bias-corrected average of the iterates, or the iterate where no average is kept."""
        kept = self.average_weight > LEAST_WEIGHT
        average = self.average / self.average_weight.clamp_min(LEAST_WEIGHT)
        return torch.where(kept, average.clamp(0, 1), self.image)

    def adam_step(self, gradient: Tensor, learning_rate: float | Tensor, average_decay: float) -> None:
        """One Adam update, the clamp to [0, 1], and the average; in place. A rate may differ by pixel (11HW)."""
        self.step += 1
        self.mean.lerp_(gradient, 1 - BETAS[0])
        self.square.mul_(BETAS[1]).addcmul_(gradient, gradient, value=1 - BETAS[1])
        correction = (1 - BETAS[1] ** self.step) ** 0.5
        denominator = self.square.sqrt().div_(correction).add_(ADAM_EPSILON)
        unbiased = 1 - BETAS[0] ** self.step
        if isinstance(learning_rate, Tensor):
            self.image.sub_(self.mean.div(denominator).mul_(learning_rate / unbiased))
        else:
            self.image.addcdiv_(self.mean, denominator, value=-learning_rate / unbiased)
        self.image.clamp_(0, 1)
        self.settled += 1
        self.keep_average(average_decay)

    def annealed(self, learning_rate: float, settled_steps: int) -> Tensor:
        """The rate of each pixel, 11HW: full until it has had `settled_steps`, then falling as 1/steps, to a floor.

        So what has long been in the picture comes to rest, while what just came in still moves in full.
        """
        share = settled_steps / self.settled.clamp_min(1.0)
        return learning_rate * share.pow(ANNEAL_POWER).clamp(ANNEAL_FLOOR, 1.0)

    def keep_average(self, decay: float) -> None:
        """Take the iterate into the average; a decay of 0 keeps none."""
        if decay > 0:
            self.average.lerp_(self.image, 1 - decay)
            self.average_weight.lerp_(torch.ones_like(self.average_weight), 1 - decay)

    def resampled(self, size: Size) -> PixelState:
        """The state at the next scale: starts from the averaged result; first moment bicubic, second bilinear.

        The gradient of a mean loss falls with the number of pixels, so both moments are scaled accordingly:
        Adam's step does not change, but its memory then speaks of the new scale's gradients.
        """
        shape = (size.height, size.width)
        ratio = size_of(self.image).area_px / size.area_px
        image = F.interpolate(self.result(), shape, mode="bicubic", antialias=True).clamp(0, 1)
        mean = F.interpolate(self.mean, shape, mode="bicubic") * ratio
        square = F.interpolate(self.square, shape, mode="bilinear").clamp_min(0) * ratio**2
        state = PixelState.start(image)
        state.mean, state.square, state.step = mean, square, self.step
        return state
