"""Adam (Kingma and Ba, arXiv 1412.6980) on pixels: steps that take turns, recorded where a device can, in windows."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from torch import Tensor

from framestyle.context import SILENT, Context
from framestyle.nst.objective import Objective
from framestyle.nst.optimise.replay import Given, Replays, Steps
from framestyle.nst.optimise.state import Taken
from framestyle.nst.optimise.windows import EarlyStop, Report, in_windows

Gradient = Callable[[Tensor, Objective, Context], tuple[Tensor, Tensor]]
"""(pixels 1CHW, what is minimised, the step's context) -> their gradient, and the weighted losses as one vector."""


def run_adam(
    turns: Sequence[Given],
    gradient: Gradient,
    steps: int,
    report: Report,
    stop: EarlyStop | None,
    *,
    replays: Replays | None,
    has_room: Callable[[], bool],
    context: Context = SILENT,
) -> Taken:
    """Up to `steps` updates of the state that `turns` share, in place. NanLossError where a loss is not finite.

    `replays`: what keeps recorded steps; None: each is computed. `has_room`: whether there is memory for a recording
    beside a step.
    """

    def step(given: Given, context: Context) -> Tensor:
        slope, losses = gradient(given.state.towards_average(given.gradient_at), given.objective, context)
        given.state.adam_step(slope, given.rate, given.average_decay, given.betas)
        return losses

    taking = Steps(replays, step, turns, steps, has_room)
    try:
        return in_windows(taking, turns[0].objective.part_names, steps, report, stop, context)
    finally:
        taking.finish()
