"""The optimiser loop over scales: one content image in, one stylized image out.

The Stylizer is built once a job (network, style images) and keeps the style targets of the sizes it met last.
Losses are read from the device once a window of steps, never once a step.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from copy import copy
from dataclasses import dataclass, replace
from functools import partial

import torch
from torch import Tensor

from framestyle.context import SILENT, Context
from framestyle.nst.contents import content_keeper
from framestyle.nst.devices import working_dtype
from framestyle.nst.finishing import Finish
from framestyle.nst.image import resize, size_of
from framestyle.nst.in_time import colors_at, layers_of, mix_at, region_factors, steps_at, weights_at
from framestyle.nst.inits import Start, init_of
from framestyle.nst.matching import guided, matcher_of, of_place
from framestyle.nst.memory import TilingPlanner
from framestyle.nst.memory_plan import Demand
from framestyle.nst.network.placement import Placement, placements
from framestyle.nst.network.vgg import VGG19
from framestyle.nst.objective import (
    LossWeights,
    Objective,
    RegionStyle,
    Temporal,
    loss_and_gradient,
    loss_parts,
    region_styles,
)
from framestyle.nst.optimise.descent import Descent, descend
from framestyle.nst.optimise.even import Distances, EvenStop
from framestyle.nst.optimise.replay import Recorder, Replays
from framestyle.nst.optimise.state import Parts, PixelState, Taken
from framestyle.nst.optimise.windows import EarlyStop, Report, steps_reporter
from framestyle.nst.regions import region_weights, resized_weights
from framestyle.nst.sizes import steps_by_scale
from framestyle.nst.statistics.base import statistic_of
from framestyle.nst.styles import Styles
from framestyle.nst.targets import StyleTargets
from framestyle.nst.weights.backbone import Backbone
from framestyle.presets import Preset
from framestyle.presets.instants import REST, Instant, Passage


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

    `style_images`: 1CHW in [0, 1], in the order of `preset.style.images`; `look_images`: those of each preset that a
    timeline cross-fades to. `seed` fixes the noise init. Where style images are for regions, `mask` or `with_mask` says
    where those lie in the content.
    `memory_limit_bytes` caps what this process holds on the device (on a CPU: its resident memory). `dtype`: of the
    convolutions; None: as the preset's precision says.
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
        look_images: Sequence[Sequence[Tensor]] = (),
        mask: Tensor | None = None,
        memory_limit_bytes: int | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        self.preset, self.seed = preset, seed
        self.device = torch.device(device)
        self.init_image = init_image
        self._make_init = init_of(preset.optimizer.init, init_image)
        self.statistic = statistic_of(preset.style.statistic)
        self.style_images = [image.to(self.device) for image in style_images]
        content_layers, style_layers = layers_of(preset)
        taps = {*content_layers, *style_layers}
        self.network = VGG19(
            backbone,
            taps,
            pooling=preset.network.pooling,
            rescale_pooling=preset.network.rescale_pooling,
            padding=preset.network.padding,
            dtype=dtype or working_dtype(preset.optimizer.precision, self.device),
            device=self.device,
        )
        self.weights = LossWeights.of(preset, self.statistic)
        self._matcher = matcher_of(self.network, self.statistic, self.weights.style_layers)
        kept = preset.content.model_copy(update={"layers": dict.fromkeys(content_layers, 1.0)})
        self._keeper = partial(content_keeper, kept, seed, letter=self.statistic.as_in_2015)
        # L-BFGS remembers gradients of one function.
        self._places = 1 if preset.optimizer.name == "lbfgs" else preset.network.places
        kept_layers = content_layers if preset.content.statistic == "features" else []
        reading = partial(Demand.of, style_layers=style_layers, statistic=self.statistic)
        demand = reading(self.network, kept_layers, preset.optimizer.name, self._places)
        coming = partial(getattr, self.network, "coming_bytes")
        self.fitting = TilingPlanner(demand, self.device, limit_bytes=memory_limit_bytes, coming_bytes=coming)
        own, looks = self.style_images, [[one.to(self.device) for one in images] for images in look_images]
        self.styles = Styles(preset, self.network, self.statistic, own, style_layers, looks)
        self.regions = self.styles.regions
        self._mask_weights = None if mask is None else region_weights(mask.to(self.device), self.regions)
        self._factors: Tensor | None = None
        """How far each region is painted, 1R11; None: in full."""
        self._finishing = Finish(preset.color, self.styles.by_region(), preset.mix)
        self._recorder = Recorder(self.device)

    @property
    def needs_mask(self) -> bool:
        """Style images are for regions, and nothing says where those lie."""
        return self._mask_weights is None and any(region is not None for region in self.regions)

    def with_mask(self, mask: Tensor) -> Stylizer:
        """The same for contents with this mask, 1CHW in [0, 1]; it is stretched over them. Style targets are shared."""
        other = copy(self)
        weights = region_weights(mask.to(self.device), self.regions)
        other._mask_weights = weights if self._factors is None else weights * self._factors
        return other

    def at(self, instant: Instant) -> Stylizer:
        """The same at one instant of the preset's timeline; it is asked of a stylizer that has none."""
        other = copy(self)
        other.weights = weights_at(self.preset, instant, self.statistic)
        other.styles = self.styles.at(instant)
        colors, mix = colors_at(self.preset, instant), mix_at(self.preset, instant)
        other._finishing = Finish(colors, other.styles.by_region(), mix)
        if (factors := region_factors(instant, self.regions, self.preset)) is not None:
            other._factors = torch.tensor(factors, device=self.device).view(1, -1, 1, 1)
            if self._mask_weights is not None:
                other._mask_weights = self._mask_weights * other._factors
        return other

    def regions_of(self, content: Tensor) -> Tensor | None:
        """How far each pixel belongs to each region, 1RHW; None: there is one, everywhere."""
        return None if self._mask_weights is None else resized_weights(self._mask_weights, size_of(content))

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
        state = PixelState.start(
            self._make_init(Start(resize(content, painted_at[0][0]), self.style_images, self.seed))
        )
        call = _Call(context, self.replays() if replays is None else replays)
        needed_later = self._needed_to_finish(content)
        last = Taken()
        for index, (size, steps) in enumerate(painted_at):
            if index:
                state = state.resampled(size)
            reporter = steps_reporter(state, steps, index, len(painted_at), self.device, context)
            # It ends with the scale: a large picture's features are as large as the picture, several times.
            coarse = index == 0 and len(painted_at) > 1
            objectives = self._from_state(resize(content, size), state, (), context, coarse) if steps else ()
            if index + 1 == len(painted_at):
                del content  # 0.4 GB of 8K
            taken = self._optimise(state, objectives, steps, reporter, None, call)
            call.replays.forget()  # the next scale's are others
            del objectives
            # A scale without steps leaves the losses of the one before.
            last = (taken if taken.steps else last)._replace(steps=last.steps + taken.steps)
        return self._finish(needed_later, state, last)

    def refine(
        self,
        content: Tensor,
        state: PixelState,
        temporal: Temporal = (),
        context: Context = SILENT,
        replays: Replays | None = None,
        pace: float = 0.0,
        steps: int | None = None,
        anew: bool = False,
        passage: Passage = REST,
    ) -> Stylized:
        """A warm start: from `state` (carried from the frame before; it changes), at its size only, stopping early.

        `steps`: in place of `video.steps`; `anew`: all of them, at the full rate. `pace`, `passage`: see `Timeline`.
        """
        video = self.preset.video
        content = content.to(self.device)
        steps = steps_at(video.steps if steps is None else steps, pace, is_even=passage != REST)
        if self.is_identity:
            return Stylized(content, PixelState.start(content), 0, float("nan"))
        call = _Call(context, self.replays() if replays is None else replays)
        reporter = steps_reporter(state, steps, 0, 1, self.device, context)
        objectives = self._from_state(content, state, temporal, context) if steps else ()
        stop = EarlyStop(steps if pace > 0 else video.min_steps, video.tolerance, self._places)
        if objectives and (0 < abs(passage.share) < 1 or passage.frames_before > 0):
            stop = self._even_stop(content, state, objectives[0], passage)
        taken = self._optimise(state, objectives, steps, reporter, None if anew else stop, call, pace)
        stop.land()
        return self._finish(self._needed_to_finish(content), state, taken)

    def _even_stop(self, content: Tensor, state: PixelState, one: Objective, passage: Passage) -> EvenStop:
        """Ends a frame that makes its share of a change of `strength`."""

        def measure(image: Tensor) -> Distances:
            return Distances.of(self.parts(image, replace(one, temporal=())))

        return EvenStop(state, measure, measure(content).style, passage)

    def _from_state(
        self, content: Tensor, state: PixelState, temporal: Temporal, context: Context, coarse: bool = False
    ) -> tuple[Objective, ...]:
        """What is minimised from `state` on; it keeps the matches that were found."""
        like = guided(content, state.image)
        found = tuple(self.objectives(content, temporal, context, like, state.matches, coarse))
        if self._matcher is not None:
            state.matches = self._matcher.kept(found, size_of(content))
        return found

    def _optimise(
        self,
        state: PixelState,
        objectives: Sequence[Objective],
        steps: int,
        report: Report,
        stop: EarlyStop | None,
        call: _Call,
        pace: float = 0.0,
    ) -> Taken:
        """Up to `steps` updates of `state`, in place, at one scale."""
        if not objectives:
            return Taken()
        # Regions' shares are numbers of each picture, weights in time of each frame: no two steps are alike.
        replays = None if self._mask_weights is not None or self.preset.timeline else call.replays
        has_room = partial(self.fitting.has_room_for_two, size_of(state.image))
        descent = Descent(state, objectives, steps, report, stop, call.context, replays, has_room, pace)
        return descend(descent, self.preset, self.gradient)

    def _needed_to_finish(self, content: Tensor) -> Tensor | None:
        """The content where the result takes something of it, once it is painted."""
        return content if self._finishing.needs_content(self._mask_weights) else None

    def _finish(self, content: Tensor | None, state: PixelState, taken: Taken) -> Stylized:
        """`content`: as `_needed_to_finish` gives it."""
        image = state.result()
        if content is not None:
            image = self._finishing.of(image, content, self._mask_weights)
        return Stylized(image, state, *taken)

    def objective(self, content: Tensor, temporal: Temporal) -> Objective:
        """What is minimised at the first place on the pooling grid, where no other picture is matched."""
        return next(self.objectives(content, temporal))

    def objectives(
        self,
        content: Tensor,
        temporal: Temporal,
        context: Context = SILENT,
        like: Tensor | None = None,
        matches: Tensor | None = None,
        coarse: bool = False,
    ) -> Iterator[Objective]:
        """What is minimised at each place on the pooling grid, in turn; `coarse`: at the smallest of several scales.

        Where the statistic matches places: `like` is the picture whose places are matched, 1CHW (None: the content),
        and `matches` those of the frame before, as the state carries them.
        """
        # Refused, if it is, before the style is read: minutes, of 8K.
        self.fitting.tiling(size := size_of(content), context=context)
        targets = self.style_targets(content, context)
        for number, placement in enumerate(placements(size, self._places, self.device)):
            placed = content if placement is None else placement.of(content)
            context.check_cancelled()
            keep = partial(self._keeper(coarse=coarse), self.network, placed)
            kept = self.fitting.run(size, keep, context=context)
            style = self._region_styles(content, targets, placement)
            if self._matcher is not None:
                work = partial(self._matcher.maps, content if like is None else like, placement)
                maps = self.fitting.run(size, work, context=context)
                matched = of_place(matches, number, self._places, len(style))
                style = self._matcher.of(style, maps, placement, matched)
            yield Objective(self.weights, kept, style, temporal, placement)

    def _region_styles(
        self, content: Tensor, targets: Sequence[StyleTargets], placement: Placement | None
    ) -> tuple[RegionStyle, ...]:
        """Of the regions that the content has; of one that covers it all, where there is no mask."""
        if self.needs_mask:
            raise ValueError("style images for regions need a mask")
        if (weights := self.regions_of(content)) is None:
            return (RegionStyle(targets[0]),)
        return region_styles(targets, weights, placement, self.weights.style_layers)

    def style_targets(self, content: Tensor, context: Context = SILENT) -> tuple[StyleTargets, ...]:
        """Of each region, for a content of that size."""
        return self.styles.of(content, self.fitting, context)

    def parts(self, image: Tensor, objective: Objective) -> dict[str, Tensor]:
        """Weighted losses by name; their sum is what is minimised. No gradient comes of them."""
        work = partial(loss_parts, self.network, image, objective)
        return self.fitting.run(size_of(image), work, gradient=False)

    def losses_of(self, image: Tensor, content: Tensor) -> dict[str, float]:
        """Weighted losses of any image against a content image, for measuring: both 1CHW."""
        image = image.to(self.device)
        parts = self.parts(image, next(self.objectives(content.to(self.device), (), like=image)))
        return {name: float(value) for name, value in parts.items()}

    def gradient(
        self, image: Tensor, objective: Objective, context: Context = SILENT
    ) -> tuple[Tensor, Tensor]:
        """Gradient 1CHW, and the weighted losses, `objective.part_names`, as one vector; both on the device."""
        check = context.check_cancelled
        work = partial(loss_and_gradient, self.network, image, objective, check_cancelled=check)
        return self.fitting.run(size_of(image), work, context=context)
