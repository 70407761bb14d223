"""How long the full render would take, from the steps that a preview took."""

from __future__ import annotations

import statistics
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from framestyle.events import Event, FrameDone, StepDone
from framestyle.motion.sequence import passes_of
from framestyle.nst.image import Size, fit_within, scale_sizes
from framestyle.presets import Preset


@dataclass(frozen=True)
class Source:
    """What a full render would be of: a photo (one frame, one shot) or a clip."""

    size: Size
    frames: int = 1
    shots: int = 1


@dataclass(frozen=True)
class Estimate:
    """Seconds; `at_most` where every warm frame was taken to need all the steps it may have."""

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
        """Seconds for a step on so many pixels: a fixed part and one for each pixel, fitted to the sizes that were
        measured; in proportion where there was one, or where the fit makes no sense. None: no step was seen."""
        # The median: the first window of a scale holds the making of its targets as well.
        known = {area: statistics.median(times) for area, times in self._steps.items()}
        if not known:
            return None
        areas, seconds = np.array(list(known)), np.array(list(known.values()))
        if len(known) > 1:
            slope, fixed = np.polyfit(areas, seconds, 1)
            if slope > 0 and fixed > 0:
                return float(fixed + slope * area_px)
        largest = max(known)
        return known[largest] * area_px / largest

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
        warm = source.frames * (passes_of(preset) if source.frames > 1 else 1) - cold
        each = times.warm_frame_s(size.area_px)
        if each is None:
            at_most = at_most or warm > 0
            each = preset.video.steps * (times.step_s(size.area_px) or 0.0)
        total += cold * whole + warm * each
    return Estimate(total, at_most)


def _from_scratch_s(preset: Preset, size: Size, times: StepTimes) -> float | None:
    """All scales, each with its steps."""
    total = 0.0
    for number, scale in enumerate(scale_sizes(size, preset.scales.min_px)):
        each = times.step_s(scale.area_px)
        if each is None:
            return None
        total += each * (preset.scales.steps if number else preset.scales.first_steps)
    return total
