"""How long the full render would take, from the steps that a preview took."""

from __future__ import annotations

import statistics
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from framestyle.events import Event, FrameDone, StepDone
from framestyle.jobs.plan.estimate import frames_expected
from framestyle.jobs.plan.survey import Survey
from framestyle.kinds import TimeRange
from framestyle.nst.sizes import Size, fit_within, steps_by_scale
from framestyle.presets import Preset

LEAST_GROWTH = 1.9
"""How many times the pixels tell how a step grows with them: those of one scale and the next. Less apart, and what else
the machine does tells more."""


@dataclass(frozen=True)
class Source:
    """What a full render would be of: a photo (one frame, one shot) or a clip."""

    size: Size
    frames: int = 1
    shots: int = 1


def whole_source(found: Survey, span: TimeRange) -> Source:
    """The whole clip of which a part was looked at: the rest is taken to have as many shots, for its length."""
    size = Size(found.info.width, found.info.height)
    if span.is_all:
        return Source(size, found.frames, len(found.shots))
    frames = max(found.frames, frames_expected(found.info))
    return Source(size, frames, max(1, round(len(found.shots) * frames / found.frames)))


@dataclass(frozen=True)
class Estimate:
    """Seconds; `at_most` where every warm frame was taken to need all the steps it may have, or a larger picture as
    many times longer as it has more pixels."""

    seconds: float
    at_most: bool = False


class StepTimes:
    """A listener: what a step costs at each size, and a warm frame."""

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock
        self._mark = clock()
        self._steps: dict[int, list[float]] = defaultdict(list)
        self._warm_frames: list[float] = []
        self._area_px = 0

    def __call__(self, event: Event) -> None:
        now = self._clock()
        if isinstance(event, StepDone):
            self._area_px = event.width * event.height
            self._steps[self._area_px].append((now - self._mark) / len(event.losses))
        elif isinstance(event, FrameDone) and event.warm and event.steps:
            self._warm_frames.append(event.seconds)
        self._mark = now

    def step_s(self, area_px: int) -> float | None:
        """Seconds for a step on so many pixels: a fixed part and one for each pixel. None: no step was seen."""
        if not self._steps:
            return None
        fixed, each = self._parts()
        largest = max(self._steps)
        # How the time grows is read from the fastest windows, which nothing held up; how long it is, from the usual.
        usual = statistics.median(self._steps[largest]) / (fixed + each * largest)
        return usual * (fixed + each * area_px)

    def has_seen(self, area_px: int) -> bool:
        """Whether a step of that size was measured."""
        return area_px in self._steps

    @property
    def growth_is_known(self) -> bool:
        """Whether sizes far enough apart were measured to tell the fixed part. Else there is taken to be none, and
        steps on more pixels may be faster than is said."""
        return self._fitted() is not None

    def _parts(self) -> tuple[float, float]:
        largest = max(self._steps)
        return self._fitted() or (0.0, min(self._steps[largest]) / largest)

    def _fitted(self) -> tuple[float, float] | None:
        """The fixed part of a step, and that of one pixel."""
        areas = np.array(sorted(self._steps))
        if not len(areas) or areas[-1] < LEAST_GROWTH * areas[0]:
            return None
        seconds = np.array([min(self._steps[area]) for area in areas])
        slope, fixed = np.polyfit(areas, seconds, 1, w=1 / seconds)
        if slope <= 0:
            return None
        return (float(fixed), float(slope)) if fixed > 0 else (0.0, float(seconds[-1] / areas[-1]))

    def warm_frame_s(self, area_px: int) -> float | None:
        """Seconds for a warm frame of so many pixels, by how the steps grow; None: none was seen."""
        here, there = self.step_s(self._area_px), self.step_s(area_px)
        if not self._warm_frames or here is None or there is None:
            return None
        return statistics.fmean(self._warm_frames) * there / here


def full_render(preset: Preset, sources: Sequence[Source], times: StepTimes) -> Estimate | None:
    """Of all sources with the preset as it is. Decoding, flow and encoding are not counted: they run beside the steps,
    and take little beside them. None where no step was measured."""
    total, at_most = 0.0, False
    for source in sources:
        size = fit_within(source.size, preset.scales.max_side_px)
        whole = _from_scratch_s(preset, size, times)
        if whole is None:
            return None
        cold = source.frames if preset.video.warm_start == "none" else source.shots
        warm = source.frames * (preset.video.painted_times if source.frames > 1 else 1) - cold
        at_most = at_most or not (times.growth_is_known or times.has_seen(size.area_px))
        each = times.warm_frame_s(size.area_px)
        if each is None:
            at_most = at_most or warm > 0
            each = preset.video.warm_steps * (times.step_s(size.area_px) or 0.0)
        total += cold * whole + warm * each
    return Estimate(total, at_most)


def _from_scratch_s(preset: Preset, size: Size, times: StepTimes) -> float | None:
    """All scales, each with its steps."""
    total = 0.0
    for scale, steps in steps_by_scale(size, preset.scales):
        each = times.step_s(scale.area_px)
        if each is None:
            return None
        total += each * steps
    return total
