"""The optimiser loop over scales: one content image in, one stylized image out.

The Stylizer is built once a job (network, style images) and keeps the style targets of the sizes it met last.
Losses are read from the device once a window of steps, never once a step.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from framestyle.context import SILENT, Context
from framestyle.errors import DeviceError
from framestyle.events import Note, StepDone
from framestyle.nst import color
from framestyle.nst.devices import working_dtype
from framestyle.nst.image import Size, resize, size_of
from framestyle.nst.memory import Demand, Fitting
from framestyle.nst.objective import (
    LossWeights,
    Objective,
    RegionStyle,
    TemporalTarget,
    content_features,
    loss_and_gradient,
    loss_parts,
)
from framestyle.nst.optim import PixelState
from framestyle.nst.placement import Placement, placements
from framestyle.nst.regions import region_weights, resized_weights, weights_at_layers
from framestyle.nst.replay import Given, Recorder, Replays, Steps
from framestyle.nst.sizes import steps_by_scale
from framestyle.nst.targets import StyleTargets, style_targets
from framestyle.nst.vgg import VGG19
from framestyle.nst.weights import Backbone
from framestyle.presets import Preset

WINDOW_STEPS = 10
"""Steps between two looks at the losses."""
GRAY_NOISE = 0.04
"""Range of the noise in the `gray` init."""
LINE_SEARCH_EVALUATIONS = 25
"""Most evaluations of the loss in one step of L-BFGS; one or two are the rule."""
STRENGTH_SPAN = 30.0
"""`strength` 0 … 1 spans this factor of the content weight either way of the preset's own (at 0.5)."""

HALVINGS = 8
"""How often the rate is halved where the loss is no longer a number, before that is an error."""
STEPPED_BACK = "stepped back to the last good pixels, and going on at a rate of"

AREAS_KEPT = 24
"""Areas whose style targets are kept, about 5 MB each: more than one picture's scales, fewer than a folder's sizes."""

_OF_CONTENT: Mapping[str, Callable[[Tensor, Tensor], Tensor]] = {
    "luminance": lambda image, content: color.with_luminance_of(content, image),
    "histogram": color.match_histogram,
    "content_stats": color.match_statistics,
}
"""What `color.preserve` takes from the content, once the picture is done."""

Parts = tuple[tuple[str, float], ...]
"""Weighted losses by name."""


@dataclass(frozen=True, eq=False)
class Stylized:
    """The result (1CHW in [0, 1]), the state to go on from, and what it took."""

    image: Tensor
    state: PixelState
    steps: int
    loss: float
    parts: Parts = ()


@dataclass(frozen=True, eq=False)
class _Call:
    """What belongs to one call alone: its context, and the recorded step that it may replay."""

    context: Context
    replays: Replays


class Stylizer:
    """Stylizes images of any size with one preset, one backbone, one device.

    Several threads may call it at the same time: what belongs to a call comes with it, in a Context and in Replays.

    `style_images`: 1CHW in [0, 1], in the order of `preset.style.images`. `seed` fixes the noise init. Where style
    images are for regions, `mask` or `with_mask` says where those lie in the content.
    `memory_limit_bytes` caps what this process holds on the device (on a CPU: its resident memory).
    """

    def __init__(
        self,
        preset: Preset,
        backbone: Backbone,
        style_images: Sequence[Tensor],
        *,
        device: torch.device | str = "cpu",
        seed: int = 0,
        init_image: Tensor | None = None,
        mask: Tensor | None = None,
        memory_limit_bytes: int | None = None,
    ) -> None:
        self.preset, self.seed = preset, seed
        self.device = torch.device(device)
        self.init_image = init_image
        style_layers = _normalised(preset.style.layers, preset.style.statistic)
        self.style_images = [image.to(self.device) for image in style_images]
        taps = set(style_layers) | set(preset.content.layers)
        self.network = VGG19(
            backbone,
            taps,
            pooling=preset.network.pooling,
            rescale_pooling=preset.network.rescale_pooling,
            padding=preset.network.padding,
            dtype=working_dtype(preset.optimizer.precision, self.device),
            device=self.device,
        )
        content_weight = preset.content.weight
        if preset.strength is not None:
            content_weight *= STRENGTH_SPAN ** (1 - 2 * preset.strength)
        self.weights = LossWeights(
            content_weight,
            preset.style.weight,
            preset.tv_weight,
            preset.content.layers,
            style_layers,
            letter=preset.style.statistic == "gram2015",
        )
        # L-BFGS remembers gradients of one function.
        self._places = 1 if preset.optimizer.name == "lbfgs" else preset.network.places
        demand = Demand.of(self.network, list(preset.content.layers), preset.optimizer.name, self._places)
        self.fitting = Fitting(
            demand,
            self.device,
            limit_bytes=memory_limit_bytes,
            coming_bytes=lambda: self.network.coming_bytes,
        )
        self.regions = tuple(dict.fromkeys(image.region_color for image in preset.style.images))
        self._mask_weights = None if mask is None else region_weights(mask.to(self.device), self.regions)
        self._recorder = Recorder(self.device)
        self._reading_style = threading.Lock()
        self._targets: dict[int, tuple[StyleTargets, ...]] = {}
        """By the content's area: its shape does not matter to them."""

    @property
    def needs_mask(self) -> bool:
        """Style images are for regions, and nothing says where those lie."""
        return self._mask_weights is None and any(region is not None for region in self.regions)

    def with_mask(self, mask: Tensor) -> Stylizer:
        """The same for contents with this mask, 1CHW in [0, 1]; it is stretched over them. Style targets are shared."""
        other = copy(self)
        other._mask_weights = region_weights(mask.to(self.device), self.regions)
        return other

    def replays(self) -> Replays:
        """For a row of calls on one thread whose steps are alike, as the frames of a clip: it keeps a recorded step."""
        return Replays(self._recorder)

    @property
    def is_identity(self) -> bool:
        """No steps anywhere: the result is the content itself, by which media fidelity is measured."""
        scales = self.preset.scales
        return scales.first_steps == 0 and scales.steps == 0 and self.preset.video.steps == 0

    def stylize(self, content: Tensor, context: Context = SILENT, replays: Replays | None = None) -> Stylized:
        """The full coarse-to-fine optimisation of a 1CHW content image, at its own size.

        `replays`: those of a row of calls that this one is part of.
        """
        scales = self.preset.scales
        painted_at = steps_by_scale(size_of(content), scales)
        content = content.to(self.device)
        if scales.first_steps == 0 and scales.steps == 0:
            return Stylized(content, PixelState.start(content), 0, float("nan"))
        state = PixelState.start(self._init(resize(content, painted_at[0][0])))
        call = _Call(context, self.replays() if replays is None else replays)
        needed_later = self._needed_to_finish(content)
        steps_done = 0
        losses_read: tuple[float, Parts] = (float("nan"), ())
        for index, (size, steps) in enumerate(painted_at):
            if index:
                state = state.resampled(size)
            reporter = self._reporter(size, steps, index, len(painted_at), context)
            # It ends with the scale: a large picture's features are as large as the picture, several times.
            objectives = self.objectives(resize(content, size), (), context) if steps else ()
            if index + 1 == len(painted_at):
                del content  # 0.4 GB of 8K
            taken, loss, parts = self._optimise(state, objectives, steps, reporter, None, call)
            call.replays.forget()  # the next scale's are others
            del objectives
            steps_done += taken
            losses_read = (loss, parts) if taken else losses_read
        return self._finish(needed_later, state, steps_done, *losses_read)

    def refine(
        self,
        content: Tensor,
        state: PixelState,
        temporal: Sequence[TemporalTarget] = (),
        context: Context = SILENT,
        replays: Replays | None = None,
    ) -> Stylized:
        """A warm start: from `state` (carried from the frame before), at full size only, stopping early.

        `replays`: see `stylize`.
        """
        video = self.preset.video
        content = content.to(self.device)
        if self.is_identity:
            return Stylized(content, PixelState.start(content), 0, float("nan"))
        call = _Call(context, self.replays() if replays is None else replays)
        reporter = self._reporter(size_of(content), video.steps, 0, 1, context)
        stop = _EarlyStop(video.min_steps, video.tolerance, self._places)
        objectives = self.objectives(content, temporal, context) if video.steps else ()
        taken, loss, parts = self._optimise(state, objectives, video.steps, reporter, stop, call)
        return self._finish(self._needed_to_finish(content), state, taken, loss, parts)

    def _optimise(
        self,
        state: PixelState,
        objectives: Sequence[Objective],
        steps: int,
        report: _Report,
        stop: _EarlyStop | None,
        call: _Call,
    ) -> tuple[int, float, Parts]:
        """Up to `steps` updates of `state`, in place, at one scale. Gives steps taken, last loss, last parts."""
        if not objectives:
            return 0, float("nan"), ()
        run = self._lbfgs if self.preset.optimizer.name == "lbfgs" else self._adam
        rate, before = self.preset.optimizer.learning_rate, 0
        for _ in range(HALVINGS + 1):
            try:
                taken, loss, parts = run(
                    state, objectives, steps - before, rate, _later(report, before), stop, call
                )
                return before + taken, loss, parts
            except _NoNumberError as failure:
                state.begin_anew(failure.image)
                rate, before = rate / 2, before + failure.steps
                message = f"The loss was no longer a number: {STEPPED_BACK} {rate:g}."
                call.context.on_event(Note(message, "warning"))
        raise DeviceError(
            "the loss is no longer a number",
            next_step="Lower optimizer.learning_rate, or use --set optimizer.precision=float32.",
        )

    def _needed_to_finish(self, content: Tensor) -> Tensor | None:
        """The content where the result takes something of it, once it is painted."""
        takes = self.preset.color.preserve in _OF_CONTENT or self._mask_weights is not None
        return content if takes else None

    def _finish(
        self,
        content: Tensor | None,
        state: PixelState,
        steps: int,
        loss: float,
        parts: Parts,
    ) -> Stylized:
        """`content`: as `_needed_to_finish` gives it."""
        image = state.result()
        if content is not None:
            image = self._with_content(image, content)
        return Stylized(image, state, steps, loss, parts)

    def _with_content(self, image: Tensor, content: Tensor) -> Tensor:
        """Its colours, and what lies outside of all regions."""
        if (recolour := _OF_CONTENT.get(self.preset.color.preserve)) is not None:
            image = recolour(image, content)
        if self._mask_weights is not None:
            # Where no style is for, the content itself.
            styled = resized_weights(self._mask_weights, size_of(content)).sum(1, keepdim=True)
            image = content.lerp(image, styled.clamp(0, 1))
        return image

    def _init(self, content: Tensor) -> Tensor:
        """The starting pixels at the smallest scale, by the preset's `optimizer.init`."""
        init = self.preset.optimizer.init
        if init == "content":
            return content
        if init == "gray":
            # A trace of noise: at exactly mid-grey every unit of a backbone centred there is dead, its gradient zero.
            return 0.5 + GRAY_NOISE * (self._noise(content) - 0.5)
        if init == "style_stats":
            return color.match_statistics(content, self.style_images[0])
        if init == "noise":
            return self._noise(content)
        if self.init_image is None:
            raise ValueError(f"init {init!r} needs an init_image")
        return resize(self.init_image.to(self.device), size_of(content))

    def _noise(self, like: Tensor) -> Tensor:
        """Uniform in [0, 1), drawn on the CPU: the same on every device."""
        generator = torch.Generator().manual_seed(self.seed)
        return torch.rand(like.shape, generator=generator).to(self.device)

    def objective(
        self, content: Tensor, temporal: Sequence[TemporalTarget], context: Context = SILENT
    ) -> Objective:
        """What is minimised at the first place on the pooling grid."""
        return next(self._objectives(content, temporal, context))

    def objectives(
        self, content: Tensor, temporal: Sequence[TemporalTarget], context: Context = SILENT
    ) -> tuple[Objective, ...]:
        """What is minimised at each place on the pooling grid, in the order in which steps take turns."""
        return tuple(self._objectives(content, temporal, context))

    def _objectives(
        self, content: Tensor, temporal: Sequence[TemporalTarget], context: Context
    ) -> Iterator[Objective]:
        size = size_of(content)
        self.fitting.tiling(
            size, context=context
        )  # refused, if it is, before the style is read: minutes, of 8K
        targets = self._style_targets(content, context)
        layers = list(self.preset.content.layers)
        for placement in placements(size, self._places, self.device):
            placed = content if placement is None else placement.of(content)
            context.check_cancelled()
            work = partial(content_features, self.network, placed, layers)
            features = self.fitting.run(size, work, context=context)
            style = self._region_styles(content, targets, placement)
            yield Objective(self.weights, features, style, temporal, placement)

    def _region_styles(
        self, content: Tensor, targets: Sequence[StyleTargets], placement: Placement | None
    ) -> tuple[RegionStyle, ...]:
        """Of the regions that the content has; of one that covers it all, where there is no mask."""
        if self._mask_weights is None:
            if self.needs_mask:
                raise ValueError("style images for regions need a mask")
            return (RegionStyle(targets[0]),)
        weights = resized_weights(self._mask_weights, size_of(content))
        placed = weights if placement is None else placement.of(weights)
        parts = zip(
            targets, torch.split(placed, 1, dim=1), weights.mean((0, 2, 3)).cpu().tolist(), strict=True
        )
        return tuple(
            RegionStyle(target, weights_at_layers(weight, self.weights.style_layers), share)
            for target, weight, share in parts
            if share > 0
        )

    def _style_targets(self, content: Tensor, context: Context = SILENT) -> tuple[StyleTargets, ...]:
        """Of each region. Kept for the areas last used; anew for each content where the style takes on its colours."""
        size = size_of(content)
        if self.preset.color.preserve == "style_stats":
            images = [color.match_statistics(image, content) for image in self.style_images]
            return self._read_style(images, size, context)
        with self._reading_style:
            # The last used stand last.
            known = self._targets.pop(size.area_px, None)
            self._targets[size.area_px] = targets = known or self._read_style(
                self.style_images, size, context
            )
            if len(self._targets) > AREAS_KEPT:
                del self._targets[next(iter(self._targets))]
        return targets

    def _read_style(self, images: Sequence[Tensor], size: Size, context: Context) -> tuple[StyleTargets, ...]:
        """Of each region, for a content of that size."""
        style = self.preset.style
        described = list(zip(style.images, images, strict=True))
        return tuple(
            style_targets(
                self.network,
                [(image, one.weight) for one, image in described if one.region_color == region],
                list(self.weights.style_layers),
                style.statistic,
                size,
                style.scale,
                partial(self.fitting.run, gradient=False, of="the style at ", context=context),
            )
            for region in self.regions
        )

    def parts(self, image: Tensor, objective: Objective) -> dict[str, Tensor]:
        """Weighted losses by name; their sum is what is minimised. No gradient comes of them."""
        work = partial(loss_parts, self.network, image, objective)
        return self.fitting.run(size_of(image), work, gradient=False)

    def losses_of(self, image: Tensor, content: Tensor) -> dict[str, float]:
        """Weighted losses of any image against a content image, for measuring: both 1CHW."""
        parts = self.parts(image.to(self.device), self.objective(content.to(self.device), ()))
        return {name: float(value) for name, value in parts.items()}

    def gradient(
        self, image: Tensor, objective: Objective, context: Context = SILENT
    ) -> tuple[Tensor, Tensor]:
        """Gradient 1CHW, and the weighted losses, `objective.part_names`, as one vector; both on the device."""
        check = context.check_cancelled
        work = partial(loss_and_gradient, self.network, image, objective, check_cancelled=check)
        return self.fitting.run(size_of(image), work, context=context)

    def _adam(
        self,
        state: PixelState,
        objectives: Sequence[Objective],
        steps: int,
        learning_rate: float,
        report: _Report,
        stop: _EarlyStop | None,
        call: _Call,
    ) -> tuple[int, float, Parts]:
        memory = self.preset.optimizer if stop is None else self.preset.video
        rate: float | Tensor = learning_rate
        if stop is not None and self.preset.video.anneal:
            rate = state.annealed(learning_rate, self.preset.scales.steps)
        turns = [Given(state, one, rate, memory.average_decay, memory.betas) for one in objectives]
        # Regions' shares are numbers of each picture: no two steps are alike.
        replays = call.replays if self._mask_weights is None else None
        has_room = partial(self.fitting.has_room_for_two, size_of(state.image))
        taking = Steps(replays, self._step, turns, steps, has_room)
        try:
            return self._in_windows(taking, objectives[0].part_names, steps, report, stop, call.context)
        finally:
            taking.finish()

    def _step(self, given: Given, context: Context) -> Tensor:
        gradient, losses = self.gradient(given.state.image, given.objective, context)
        given.state.adam_step(gradient, given.rate, given.average_decay, given.betas)
        return losses

    def _in_windows(
        self,
        taking: Steps,
        names: Sequence[str],
        steps: int,
        report: _Report,
        stop: _EarlyStop | None,
        context: Context,
    ) -> tuple[int, float, Parts]:
        """The host looks at the losses once a window: what it reads of a GPU it waits for."""
        safe = _Safe(taking.image)
        window: list[Tensor] = []
        loss = float("nan")
        parts: Parts = ()
        window_steps = WINDOW_STEPS if stop is None else min(WINDOW_STEPS, stop.window_steps)
        for step in range(1, steps + 1):
            context.check_cancelled()  # a replayed step asks nobody
            window.append(taking.take(context))
            if len(window) == window_steps or step == steps:
                read = torch.stack(window).cpu().tolist()
                totals = tuple(sum(row) for row in read)
                safe.check(totals, step, taking.image)
                loss, parts = totals[-1], tuple(zip(names, read[-1], strict=True))
                report(step, totals, parts)
                window.clear()
                if stop is not None and stop.reached(step, totals):
                    return step, loss, parts
        return steps, loss, parts

    def _lbfgs(
        self,
        state: PixelState,
        objectives: Sequence[Objective],
        steps: int,
        learning_rate: float,
        report: _Report,
        stop: _EarlyStop | None,
        call: _Call,
    ) -> tuple[int, float, Parts]:
        """L-BFGS (history 10) by torch; one step is one of its iterations. The average is not kept.

        It finds its rate itself; how far it dares to go at first is lowered with `learning_rate`.

        The range is left free between steps, for a clamp would make its memory of gradients untrue, and enforced at
        the end. As with Adam, a step's loss is that of the pixels it starts from.
        """
        (objective,) = objectives
        leaf = state.image.clone().requires_grad_(True)
        safe = _Safe(leaf)
        engine = torch.optim.LBFGS(
            [leaf],
            lr=learning_rate / self.preset.optimizer.learning_rate,
            max_iter=1,
            max_eval=LINE_SEARCH_EVALUATIONS,  # its default leaves the line search one trial
            history_size=10,
            line_search_fn="strong_wolfe",
            tolerance_change=0.0,
        )
        at_start: list[Tensor] = []
        # Our losses are means, their gradients tiny: summed over pixels they clear torch's absolute thresholds.
        unit = float(leaf.numel())

        def closure() -> Tensor:
            gradient, values = self.gradient(leaf, objective, call.context)
            # Torch flattens it without a copy: the network alone gives it in an order of its own.
            leaf.grad = (gradient * unit).contiguous()
            at_start.append(values)
            return values.sum() * unit

        loss = float("nan")
        parts: Parts = ()
        totals: list[float] = []
        for step in range(1, steps + 1):
            at_start.clear()
            engine.step(closure)  # type: ignore[no-untyped-call]
            values = at_start[0]  # the others belong to points that the line search tried
            totals.append(float(values.sum()))
            if len(totals) == WINDOW_STEPS or step == steps or not math.isfinite(totals[-1]):
                safe.check(totals, step, leaf)
                loss, parts = totals[-1], tuple(zip(objective.part_names, values.cpu().tolist(), strict=True))
                report(step, tuple(totals), parts)
                if stop is not None and stop.reached(step, tuple(totals)):
                    steps = step
                    break
                totals = []
        state.image = leaf.detach().clamp(0, 1)
        state.average.zero_()
        state.average_weight.zero_()
        state.settled += steps
        return steps, loss, parts

    def _reporter(self, size: Size, steps: int, index: int, scales: int, context: Context) -> _Report:
        def report(step: int, totals: tuple[float, ...], parts: Parts) -> None:
            memory = torch.cuda.max_memory_allocated(self.device) if self.device.type == "cuda" else None
            context.on_event(
                StepDone(step, steps, index, scales, size.width, size.height, totals, parts, memory)
            )

        return report


_Report = Callable[[int, tuple[float, ...], Parts], None]


class _EarlyStop:
    """Stops where another window of steps, at the slope of the last ones, would bring less than `tolerance` of the
    loss; after `min_steps`.

    The last steps alone: the first ones of a frame mend what the warp and the noise did, and fall steeply. Where steps
    take turns at `places`, losses are compared at the same place.
    """

    window_steps = 5

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


def _normalised(layers: dict[str, float], statistic: str) -> dict[str, float]:
    """Weights that sum to 1; the 2015 form keeps its w_l as they are."""
    total = 1.0 if statistic == "gram2015" else sum(layers.values())
    return {name: weight / total for name, weight in layers.items()}


class _NoNumberError(Exception):
    """The loss is not finite. `image`: the last pixels for which it was; `steps`: how many were taken till then."""

    def __init__(self, image: Tensor, steps: int) -> None:
        super().__init__("the loss is no longer a number")
        self.image, self.steps = image, steps


class _Safe:
    """The pixels to step back to. Those at a window's start are known to be good only when its first loss is read.

    In half precision, a quarter of a thousandth of white: two copies of a picture are not to take more than one does.
    """

    def __init__(self, image: Tensor) -> None:
        self._good = self._next = image.detach().half()
        self._good_steps = self._next_steps = 0

    def check(self, totals: Sequence[float], step: int, image: Tensor) -> None:
        """_NoNumberError where a loss of the window that ends with `step` is not finite."""
        if math.isfinite(totals[0]):
            self._good, self._good_steps = self._next, self._next_steps
        if not all(map(math.isfinite, totals)):
            raise _NoNumberError(self._good, self._good_steps)
        self._next, self._next_steps = image.detach().half(), step


def _later(report: _Report, before: int) -> _Report:
    """That counts on from the steps before."""
    return lambda step, totals, parts: report(step + before, totals, parts)
