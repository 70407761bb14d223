"""What steps cost, by their size, learnt from those that were taken."""

from __future__ import annotations

import statistics
from collections import defaultdict, deque
from dataclasses import dataclass

import numpy as np

RECENT = 15
"""Frames of each kind, and windows of steps of each size, that costs are learnt from: they change with the scene."""
FIXED_PX = {"cpu": 6e3, "cuda": 250e3, "mps": 100e3}
"""What a step costs whatever its size, in pixels that cost as much: until two sizes are measured.

On a CPU a step at 128 px takes 1.42 times a sixteenth of one at 512 px (docs/measured/benchmarks.md); a GPU's is
reckoned from the operations that a step asks for."""
FIXED_ERROR = 1.1
"""The standard error of that, as a logarithm."""
FACTORS = np.geomspace(0.1, 10, 31)
"""How many times less or more it may be found to be."""
LATEST = 5
"""Windows of whatever size that say how fast the machine is now."""


@dataclass(frozen=True)
class Work:
    """Steps, and the same times the megapixels of each."""

    steps: float
    megapixel_steps: float

    def at(self, fixed_px: float) -> float:
        """As steps at one megapixel, the fixed part of each counted in."""
        return self.megapixel_steps + self.steps * fixed_px / 1e6


class StepCosts:
    """What a step costs, by its size: a fixed part, and one for each pixel."""

    def __init__(self) -> None:
        self._windows: dict[int, deque[float]] = defaultdict(lambda: deque(maxlen=RECENT))
        self._latest: deque[tuple[int, float]] = deque(maxlen=LATEST)
        self._assumed_px = FIXED_PX["cpu"]
        self.measured_steps = 0

    def on(self, device: str) -> None:
        """Starts from what is known of such a device."""
        self._assumed_px = FIXED_PX.get(device.split()[0].partition(":")[0], self._assumed_px)

    def add(self, area_px: int, steps: int, seconds: float) -> None:
        """Counts a window of steps in."""
        each = max(seconds / steps, 1e-9)
        self._windows[area_px].append(each)
        self._latest.append((area_px, each))
        self.measured_steps += steps

    def seconds_at(self, fixed_px: float) -> float | None:
        """For a step at one megapixel, with so large a fixed part; None where none was measured."""
        if not self._latest:
            return None
        return statistics.median(each / (fixed_px + area) for area, each in self._latest) * 1e6

    def fixed_px(self) -> float:
        """The fixed part, in pixels that cost as much: the likeliest of some, given what was measured."""
        if len(self._windows) < 2:
            return self._assumed_px
        areas = np.array(list(self._windows), float)
        logs = np.log([statistics.median(windows) for windows in self._windows.values()])
        weights = np.array([1 / _error(len(windows)) ** 2 for windows in self._windows.values()])
        differ = logs - np.log(areas + self._assumed_px * FACTORS[:, None])
        differ -= (differ @ weights / weights.sum())[:, None]
        unlike = differ**2 @ weights + (np.log(FACTORS) / FIXED_ERROR) ** 2
        return float(self._assumed_px * FACTORS[unlike.argmin()])


def _error(windows: int) -> float:
    """The standard error of what a step of one size is measured to cost, as a logarithm."""
    # The first window is longer by all that comes before its first step.
    return 0.4 if windows == 1 else 0.12
