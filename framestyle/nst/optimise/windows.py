"""Steps in windows: the host looks at the losses once a window, for what it reads of a GPU it waits for."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from framestyle.context import SILENT, Context
from framestyle.events import StepDone
from framestyle.nst.image import size_of, to_pixels
from framestyle.nst.optimise.recovery import LastGood
from framestyle.nst.optimise.replay import Steps
from framestyle.nst.optimise.state import Parts, PixelState, Taken

WINDOW_STEPS = 10
"""Steps between two looks at the losses."""
WARM_WINDOW_STEPS = 5
"""The same of a frame that goes on from an earlier one."""

Report = Callable[[int, tuple[float, ...], Parts], None]
"""(steps so far, the window's losses, the last step's parts): called once a window."""


class EarlyStop:
    """Stops where another window of steps, at the slope of the last ones, would bring less than `tolerance` of the
    loss; after `min_steps`.

    The last steps alone: the first ones of a frame mend what the warp and the noise did, and fall steeply. Where steps
    take turns at `places`, losses are compared at the same place.
    """

    window_steps = WARM_WINDOW_STEPS
    """Steps between two questions."""

    def __init__(self, min_steps: int, tolerance: float, places: int = 1) -> None:
        self.min_steps, self.tolerance = min_steps, tolerance
        self.slope_steps = max(2, places)
        self.fewest_losses = 2 if places == 1 else 1 + self.slope_steps

    def reached(self, step: int, totals: tuple[float, ...]) -> bool:
        """Asked once a window, with the window's losses."""
        if step < self.min_steps:
            return False
        last = totals[-1 - self.slope_steps :]
        if len(last) < self.fewest_losses:
            return False
        gain = (last[0] - last[-1]) / (len(last) - 1) * self.window_steps
        return gain < self.tolerance * abs(last[-1])

    def land(self) -> None:
        """Once no more steps are taken: here nothing is left to do."""


def in_windows(
    taking: Steps,
    names: Sequence[str],
    steps: int,
    report: Report,
    stop: EarlyStop | None,
    context: Context = SILENT,
) -> Taken:
    """Up to `steps` of them; `names` are of the losses that a step gives. NanLossError where one is not finite."""
    good = LastGood(taking.image)
    window: list[Tensor] = []
    taken = Taken()
    window_steps = WINDOW_STEPS if stop is None else stop.window_steps
    for step in range(1, steps + 1):
        context.check_cancelled()  # a replayed step asks nobody
        window.append(taking.take(context))
        if len(window) == window_steps or step == steps:
            read = torch.stack(window).cpu().tolist()
            totals = tuple(sum(row) for row in read)
            good.check(totals, step, taking.image)
            taken = Taken(step, totals[-1], tuple(zip(names, read[-1], strict=True)))
            report(step, totals, taken.parts)
            window.clear()
            if stop is not None and stop.reached(step, totals):
                break
    return taken


def steps_reporter(
    state: PixelState, steps: int, index: int, scales: int, device: torch.device, context: Context
) -> Report:
    """Reports the steps of scale `index` of so many as events; and the picture so far, to whoever shows it."""
    size = size_of(state.image)

    def report(step: int, totals: tuple[float, ...], parts: Parts) -> None:
        memory = torch.cuda.max_memory_allocated(device) if device.type == "cuda" else None
        context.on_event(StepDone(step, steps, index, scales, size.width, size.height, totals, parts, memory))
        if context.on_picture is not None:
            context.on_picture(lambda: to_pixels(state.result()))

    return report


def counted_on(report: Report, before: int) -> Report:
    """The same report, which counts on from the steps before."""
    return lambda step, totals, parts: report(step + before, totals, parts)
