"""The state of the pixels' optimisation, as a value that can be resampled to a scale or carried along a flow."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from framestyle.nst.image import Size, bands, size_of

ADAM_EPSILON = 1e-8
LEAST_WEIGHT = 1e-6
"""An average of less weight is none."""
ANNEAL_POWER, ANNEAL_FLOOR = 1.0, 0.1

Parts = tuple[tuple[str, float], ...]
"""Weighted losses by name."""


class Taken(NamedTuple):
    """How many steps were taken, and the losses of the last one; NaN and none where none was."""

    steps: int = 0
    loss: float = float("nan")
    parts: Parts = ()


@dataclass
class PixelState:
    """Everything that the next step depends on. All tensors are 1CHW float32.

    `image` is the iterate, `mean` and `square` Adam's first and second moments (Kingma and Ba, arXiv 1412.6980),
    `average` the decaying sum of iterates; `total_weights`, 13HW, what these three sums' weights add up to, by which
    each is corrected for its start at zero: 1 - decay^steps in the paper, where all pixels are of one age.
    `step_count`, 11HW, how many steps each pixel has had at this scale since it came into the picture.
    While all pixels are of one age, these two are 1311 and 1111: see `by_pixel`.
    `matches`, 1KHW int16, are those of `nst/matching.py`, where the statistic matches places; else K is 0.
    """

    image: Tensor
    mean: Tensor
    square: Tensor
    average: Tensor
    total_weights: Tensor
    step_count: Tensor
    matches: Tensor = field(default_factory=lambda: torch.zeros((1, 0, 1, 1), dtype=torch.int16))

    @classmethod
    def start(cls, image: Tensor) -> PixelState:
        """A fresh state at `image`."""
        zeros = torch.zeros_like(image)
        ages = image.new_zeros(1, 4, 1, 1)
        none = image.new_zeros((1, 0, 1, 1), dtype=torch.int16)
        return cls(
            image.detach().clone(), zeros, zeros.clone(), zeros.clone(), ages[:, :3], ages[:, 3:], none
        )

    def by_pixel(self) -> PixelState:
        """The same, where each pixel can have an age of its own; in place."""
        height, width = self.image.shape[2:]
        if self.step_count.shape[2:] != (height, width):
            self.total_weights = self.total_weights.repeat(1, 1, height, width)
            self.step_count = self.step_count.repeat(1, 1, height, width)
        return self

    def begin_anew(self, image: Tensor) -> None:
        """At `image`, with nothing remembered of what led there but the steps; in place."""
        self.image.copy_(image)
        for remembered in (self.mean, self.square, self.average, self.total_weights):
            remembered.zero_()

    @property
    def average_weight(self) -> Tensor:
        """The average's total weight, 11HW in [0, 1]; a view."""
        return self.total_weights[:, 2:]

    def result(self) -> Tensor:
        """The bias-corrected average of the iterates, or the iterate where no average is kept."""
        result = torch.empty_like(self.image)
        for rows in bands(result):
            average, kept = self._corrected_average(rows)
            result[..., rows, :] = torch.where(kept, average.clamp_(0, 1), self.image[..., rows, :])
        return result

    def towards_average(self, share: float) -> Tensor:
        """1CHW, from the iterate (0: itself) to the bias-corrected average (1), where there is one.

        A gradient that is taken near the average leads the average to a minimum, not the iterates around it
        (Defazio et al. 2024, "The Road Less Scheduled", arXiv 2405.15682, where 1 - share is 1 - beta).
        """
        if share == 0:
            return self.image
        found = torch.empty_like(self.image)
        for rows in bands(found):
            iterate, (average, kept) = self.image[..., rows, :], self._corrected_average(rows)
            found[..., rows, :] = torch.where(kept, iterate.lerp(average, share), iterate)
        return found

    def _corrected_average(self, rows: slice) -> tuple[Tensor, Tensor]:
        """The bias-corrected average of these rows, and where there is one."""
        weight = _rows(self.average_weight, rows)
        return self.average[..., rows, :] / weight.clamp_min(LEAST_WEIGHT), weight > LEAST_WEIGHT

    def adam_step(
        self,
        gradient: Tensor,
        learning_rate: float | Tensor,
        average_decay: float,
        betas: tuple[float, float],
    ) -> None:
        """One Adam update, the clamp to [0, 1], and the average; in place. A rate may differ by pixel (11HW)."""
        of_mean, of_square = (self._weigh(which, beta) for which, beta in enumerate(betas))
        for rows in bands(self.image):
            slope, mean, square = (one[..., rows, :] for one in (gradient, self.mean, self.square))
            mean.lerp_(slope, 1 - betas[0])
            square.mul_(betas[1]).addcmul_(slope, slope, value=1 - betas[1])
            denominator = square.div(_rows(of_square, rows)).sqrt_().add_(ADAM_EPSILON)
            rate = _rows(learning_rate, rows) if isinstance(learning_rate, Tensor) else learning_rate
            change = mean.div(denominator).mul_(rate / _rows(of_mean, rows))
            self.image[..., rows, :].sub_(change).clamp_(0, 1)
        self.step_count += 1
        self.keep_average(average_decay)

    def _weigh(self, which: int, decay: float) -> Tensor:
        """The total weight of one of the sums, once a further term is in it, 11HW; updated in place."""
        return self.total_weights[:, which : which + 1].mul_(decay).add_(1 - decay)

    def annealed(self, learning_rate: float, full_step_count: int) -> Tensor:
        """The rate of each pixel, 11HW: full until it has had `full_step_count`, then falling as 1/steps, to a floor.

        So what has long been in the picture comes to rest, while what just came in still moves in full.
        """
        share = full_step_count / self.step_count.clamp_min(1.0)
        return learning_rate * share.pow(ANNEAL_POWER).clamp(ANNEAL_FLOOR, 1.0)

    def keep_average(self, decay: float) -> None:
        """Take the iterate into the average; a decay of 0 keeps none."""
        if decay > 0:
            self.average.lerp_(self.image, 1 - decay)
            self._weigh(2, decay)

    def resampled(self, size: Size) -> PixelState:
        """The state at the next scale: starts from the averaged result; first moment bicubic, second bilinear.

        The gradient of a mean loss falls with the number of pixels, so both moments are scaled accordingly:
        Adam's step does not change, but its memory then speaks of the new scale's gradients.
        """
        shape = (size.height, size.width)
        ratio = size_of(self.image).area_px / size.area_px
        image = F.interpolate(self.result(), shape, mode="bicubic", antialias=True).clamp_(0, 1)
        mean = F.interpolate(self.mean, shape, mode="bicubic").mul_(ratio)
        square = F.interpolate(self.square, shape, mode="bilinear").clamp_min_(0).mul_(ratio**2)
        weights = self.total_weights
        alike = weights.shape[2:] == (1, 1)
        weights = weights.clone() if alike else F.interpolate(weights, shape, mode="bilinear")
        weights[:, 2:] = 0
        return PixelState(
            image,
            mean,
            square,
            torch.zeros_like(image),
            weights,
            torch.zeros_like(weights[:, 2:]),
            self.matches[:, :0],
        )


def _rows(ages: Tensor, rows: slice) -> Tensor:
    """Of each pixel in these rows, or of all alike."""
    return ages if ages.shape[2] == 1 else ages[..., rows, :]
