"""L-BFGS (history 10) by torch; one step is one of its iterations."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from framestyle.nst.optimise import windows
from framestyle.nst.optimise.recovery import LastGood
from framestyle.nst.optimise.state import PixelState, Taken
from framestyle.nst.optimise.windows import EarlyStop, Report

LINE_SEARCH_EVALUATIONS = 25
"""Most evaluations of the loss in one step; one or two are the rule."""
HISTORY = 10
"""Pairs of gradients and pixels that it remembers: 100 of them are 2.4 GB a megapixel."""

Gradient = Callable[[Tensor], tuple[Tensor, Tensor]]
"""Pixels 1CHW -> their gradient, and the weighted losses as one vector."""


def run_lbfgs(
    state: PixelState,
    gradient: Gradient,
    names: Sequence[str],
    steps: int,
    rate_share: float,
    report: Report,
    stop: EarlyStop | None,
) -> Taken:
    """Up to `steps` of them on `state`, in place. The average is not kept.

    It finds its rate itself; how far it dares to go at first is lowered with `rate_share`, 1 at the preset's own rate.

    The range is left free between steps, for a clamp would make its memory of gradients untrue, and enforced at
    the end. As with Adam, a step's loss is that of the pixels it starts from. NanLossError where it is not finite.
    """
    leaf = state.image.clone().requires_grad_(True)
    good = LastGood(leaf)
    engine = torch.optim.LBFGS(
        [leaf],
        lr=rate_share,
        max_iter=1,
        max_eval=LINE_SEARCH_EVALUATIONS,  # its default leaves the line search one trial
        history_size=HISTORY,
        line_search_fn="strong_wolfe",
        tolerance_change=0.0,
    )
    at_start: list[Tensor] = []
    # Our losses are means, their gradients tiny: summed over pixels they clear torch's absolute thresholds.
    unit = float(leaf.numel())

    def closure() -> Tensor:
        slope, values = gradient(leaf)
        # Torch flattens it without a copy: the network alone gives it in an order of its own.
        leaf.grad = (slope * unit).contiguous()
        at_start.append(values)
        return values.sum() * unit

    taken = Taken()
    totals: list[float] = []
    for step in range(1, steps + 1):
        at_start.clear()
        engine.step(closure)  # type: ignore[no-untyped-call]
        values = at_start[0]  # the others belong to points that the line search tried
        totals.append(float(values.sum()))
        if len(totals) == windows.WINDOW_STEPS or step == steps or not math.isfinite(totals[-1]):
            good.check(totals, step, leaf)
            taken = Taken(step, totals[-1], tuple(zip(names, values.cpu().tolist(), strict=True)))
            report(step, tuple(totals), taken.parts)
            if stop is not None and stop.reached(step, tuple(totals)):
                break
            totals = []
    state.image = leaf.detach().clamp(0, 1)
    state.average.zero_()
    state.average_weight.zero_()
    state.step_count += taken.steps
    return taken
