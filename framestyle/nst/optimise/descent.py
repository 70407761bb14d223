"""The steps at one scale, by the optimiser that the preset names, with what is done about NaN."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from torch import Tensor

from framestyle.context import Context
from framestyle.nst.in_time import haste
from framestyle.nst.objective import Objective
from framestyle.nst.optimise.adam import Gradient, run_adam
from framestyle.nst.optimise.lbfgs import run_lbfgs
from framestyle.nst.optimise.preconditioning import preconditioned
from framestyle.nst.optimise.recovery import with_recovery
from framestyle.nst.optimise.replay import Given, Replays
from framestyle.nst.optimise.state import PixelState, Taken
from framestyle.nst.optimise.windows import EarlyStop, Report, counted_on
from framestyle.presets import Preset


@dataclass(frozen=True, eq=False)
class Descent:
    """Up to `steps` updates of `state`, in place, at one scale; steps take turns at the objectives.

    `stop`: when fewer do; None: never, and the scale is painted from its start. `replays` and `has_room`: see
    `run_adam`.
    """

    state: PixelState
    objectives: Sequence[Objective]
    steps: int
    report: Report
    stop: EarlyStop | None
    context: Context
    replays: Replays | None
    has_room: Callable[[], bool]
    pace: float = 0.0
    """How fast the style changes: at a pace, what has come to rest moves again."""

    def after(self, steps: int) -> Descent:
        """What is left of it when so many were taken."""
        return replace(self, steps=self.steps - steps, report=counted_on(self.report, steps))


def descend(descent: Descent, preset: Preset, gradient: Gradient) -> Taken:
    """All of it. DeviceError where losses are NaN, whatever is done."""
    run = _lbfgs if preset.optimizer.name == "lbfgs" else _adam
    return with_recovery(
        lambda rate, before: run(descent.after(before), preset, gradient, rate),
        descent.state,
        preset.optimizer.learning_rate,
        descent.context,
    )


def _adam(descent: Descent, preset: Preset, gradient: Gradient, learning_rate: float) -> Taken:
    state, is_warm = descent.state, descent.stop is not None
    memory = preset.video if is_warm else preset.optimizer
    gradient_at = preset.video.gradient_at if is_warm else 0.0
    rate: float | Tensor = learning_rate
    if is_warm and preset.video.anneal:
        annealed = state.annealed(learning_rate, preset.scales.steps)
        rate = annealed + haste(descent.pace) * (learning_rate - annealed)
    return run_adam(
        [
            Given(state, one, rate, memory.average_decay, memory.betas, gradient_at)
            for one in descent.objectives
        ],
        _evened(gradient) if preset.optimizer.precondition else gradient,
        descent.steps,
        descent.report,
        descent.stop,
        replays=descent.replays,
        has_room=descent.has_room,
        context=descent.context,
    )


def _evened(gradient: Gradient) -> Gradient:
    """The same, preconditioned."""

    def evened(image: Tensor, objective: Objective, context: Context) -> tuple[Tensor, Tensor]:
        slope, losses = gradient(image, objective, context)
        return preconditioned(slope), losses

    return evened


def _lbfgs(descent: Descent, preset: Preset, gradient: Gradient, learning_rate: float) -> Taken:
    (objective,) = descent.objectives
    rate_share = learning_rate / preset.optimizer.learning_rate

    def slope(image: Tensor) -> tuple[Tensor, Tensor]:
        return gradient(image, objective, descent.context)

    names, steps = objective.part_names, descent.steps
    return run_lbfgs(descent.state, slope, names, steps, rate_share, descent.report, descent.stop)
