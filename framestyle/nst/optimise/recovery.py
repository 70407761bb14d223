"""What happens where the loss is NaN or infinite: back to the last good pixels, and on at half the rate."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from torch import Tensor

from framestyle.context import Context
from framestyle.errors import Code, DeviceError
from framestyle.events import Note
from framestyle.nst.optimise.state import PixelState, Taken

HALVINGS = 8
"""How often the rate is halved, before that is an error."""
STEPPED_BACK = "stepped back to the last good pixels, and going on at a rate of"


class NanLossError(Exception):
    """The loss is not finite. `image`: the last pixels for which it was; `steps`: how many were taken till then."""

    def __init__(self, image: Tensor, steps: int) -> None:
        super().__init__("the loss is NaN")
        self.image, self.steps = image, steps


class LastGood:
    """The pixels to step back to. Those at a window's start are known to be good only when its first loss is read.

    In half precision, a quarter of a thousandth of white: two copies of a picture are not to take more than one does.
    """

    def __init__(self, image: Tensor) -> None:
        self._good = self._next = image.detach().half()
        self._good_steps = self._next_steps = 0

    def check(self, totals: Sequence[float], step: int, image: Tensor) -> None:
        """NanLossError where a loss of the window that ends with `step` is not finite."""
        if math.isfinite(totals[0]):
            self._good, self._good_steps = self._next, self._next_steps
        if not all(map(math.isfinite, totals)):
            raise NanLossError(self._good, self._good_steps)
        self._next, self._next_steps = image.detach().half(), step


Attempt = Callable[[float, int], Taken]
"""(learning rate, steps taken before) -> the steps that were still to be taken, taken."""


def with_recovery(attempt: Attempt, state: PixelState, learning_rate: float, context: Context) -> Taken:
    """What the attempt takes, and the steps before it; anew from the last good pixels, at half the rate, where it met
    NaN. DeviceError where that does not help."""
    rate, before = learning_rate, 0
    for _ in range(HALVINGS + 1):
        try:
            taken = attempt(rate, before)
            return taken._replace(steps=before + taken.steps)
        except NanLossError as failure:
            state.begin_anew(failure.image)
            rate, before = rate / 2, before + failure.steps
            message = f"The loss was NaN: {STEPPED_BACK} {rate:g}."
            context.on_event(Note(message, "warning"))
    raise DeviceError(
        "the loss is NaN",
        code=Code.LOSS_NOT_FINITE,
        facts={"learning_rate": learning_rate},
    )
