"""What a step costs on this machine, as last measured: kept in the cache. Loads no torch.

A price is seconds for one step at one megapixel. It depends on the device, on how deep into the network the preset
looks, on how wide that is, and on the optimiser; on the picture's size little.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from framestyle.errors import FramestyleError
from framestyle.events import Event, StepDone, TaskDone, TaskStarted
from framestyle.media.files import atomic_output
from framestyle.presets import LAYER_NAMES, Preset
from framestyle.presets.library import cache_dir

STATED_S = {"cpu": 10.0, "cuda": 0.1, "mps": 0.5}
"""Stated, not measured: for machines where nothing was painted yet."""
LEAST_MEASURED = 1.0
"""Steps at one megapixel below which a job's price says more of its overhead."""


@dataclass(frozen=True)
class Price:
    """`measured`: on this machine, lately."""

    seconds: float
    device: str
    measured: bool


@dataclass
class StepCostMeter:
    """Listens to a job, and finds what a step at one megapixel costs.

    By the time from news to news, not by each task's own: photos that are painted side by side share theirs.
    """

    megapixel_steps: float = 0.0
    seconds: float = 0.0
    clock: Callable[[], float] = field(default=time.perf_counter, repr=False)
    _at_hand: float = field(default=0.0, repr=False)
    _since: float = field(default=0.0, repr=False)

    def __call__(self, event: Event) -> None:
        if isinstance(event, TaskStarted):
            self._at_hand, self._since = 0.0, self.clock()
        elif isinstance(event, StepDone):
            self._at_hand += len(event.losses) * event.width * event.height / 1e6
        elif isinstance(event, TaskDone):
            # Of whole tasks alone: a failed one's time is not known.
            self.megapixel_steps += self._at_hand
            self.seconds += self.clock() - self._since

    @property
    def price_s(self) -> float | None:
        """None where too little was done."""
        return self.seconds / self.megapixel_steps if self.megapixel_steps >= LEAST_MEASURED else None


def price_of(preset: Preset, device: str, width: float = 1.0) -> Price:
    """The last that was measured for such a preset on such a device (`auto`: on the one last used), else one stated.

    `width` is that of the weights, as a share of VGG19's channels.
    """
    wanted = device.partition(":")[0]
    for key, seconds in reversed(_kept().items()):
        on, _, what = key.partition(" ")
        if what == _kind_of(preset, width) and wanted in ("auto", on):
            return Price(seconds, on, True)
    assumed = wanted if wanted in STATED_S else "cpu"
    return Price(STATED_S[assumed] * width, assumed, False)


def keep_step_cost(preset: Preset, device: str, seconds: float, width: float = 1.0) -> None:
    """The last one stands last. A cache that cannot be written is no one's trouble."""
    key = f"{device.split()[0].partition(':')[0]} {_kind_of(preset, width)}"
    prices = {name: price for name, price in _kept().items() if name != key}
    try:
        with atomic_output(_path()) as temporary:
            temporary.write_text(json.dumps({**prices, key: seconds}, indent=1))
    except (OSError, FramestyleError):
        return


def _kind_of(preset: Preset, width: float) -> str:
    deepest = max({*preset.style.layers, *preset.content.layers}, key=_depth)
    return f"{deepest} {preset.optimizer.name}" + ("" if width == 1.0 else f" width {width:g}")


def _depth(layer: str) -> tuple[str, int]:
    """relu4_2 lies behind conv4_2, and pool4 behind both."""
    place = layer.removeprefix("relu").removeprefix("conv").removeprefix("pool")
    return (place if "_" in place else f"{place}_9"), LAYER_NAMES.index(layer)


def _kept() -> dict[str, float]:
    try:
        found = json.loads(_path().read_text())
        return {key: float(price) for key, price in found.items() if math.isfinite(price) and price > 0}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def _path() -> Path:
    return cache_dir() / "prices.json"
