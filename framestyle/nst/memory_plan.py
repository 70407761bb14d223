"""What each way of reading a picture needs, and which one is taken: numbers alone. memory.py asks the device."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from framestyle.nst.image import Size
from framestyle.nst.network.placement import placed_size
from framestyle.nst.network.tiles import WHOLE, Tiling, in_tiles, reach, spans
from framestyle.nst.network.vgg import VGG19, Stage
from framestyle.nst.statistics.base import Statistic, statistic_at

TILE_SIDES_PX = (2048, 1448, 1024, 724, 512, 362, 256)
SMALLER = 0.75
"""What takes at most this part of what failed is tried next."""
FIXED_BYTES = 256 << 20
"""Whatever the picture's size: workspaces of the convolutions, the sums' bands, what the allocator keeps."""
PIXEL_BYTES = 12
"""A pixel of an image of three float32 channels."""
ENTERING_BYTES = 4 * PIXEL_BYTES
"""A pixel on its way into the network: normalised, in another order of channels, and beyond its edge."""
WORKING_MAPS = 4
"""Maps of a stage's size that its gradient takes beside what is kept."""
POOLING_KEEPS = {"average": 0.0, "max": 4.0, "l2": 12.0}
"""Maps of a pooling's own size that it keeps for the gradient, its input not counted."""


def _no_bytes(layer: str, channels: int, positions: int) -> int:
    return 0


@dataclass(frozen=True)
class Demand:
    """What the planner has to know of a network and its optimiser."""

    stages: tuple[Stage, ...]
    kept_layers: frozenset[str]
    """Whose features are kept whole: the content's."""
    value_bytes: int
    """Of a feature."""
    pooling: str = "average"
    optimizer_images: int = 0
    """Images of the picture's size that the optimiser takes beyond the state that it is given."""
    gradient: bool = True
    """Whether there is to be one; else the picture is only read, and nothing of it is kept."""
    places: int = 1
    """On the pooling grid: the content's features are kept for each."""
    style_layers: frozenset[str] = frozenset()
    reading_bytes: Callable[[str, int, int], int] = _no_bytes
    """What a style layer, of so many channels and positions, takes to be read: `Statistic.needs_bytes`."""

    @classmethod
    def of(
        cls,
        network: VGG19,
        kept_layers: Sequence[str],
        optimizer: str,
        places: int = 1,
        *,
        style_layers: Sequence[str] = (),
        statistic: Statistic | None = None,
    ) -> Demand:
        """`optimizer`: adam | lbfgs. Adam takes the image that its gradient is of, where that is not the iterate;
        L-BFGS keeps ten pairs of images, and a few more."""
        found = cls(
            network.stages,
            frozenset(kept_layers),
            network.dtype.itemsize,
            network.pooling,
            1 if optimizer == "adam" else 25,
            places=places,
            style_layers=frozenset(style_layers),
        )
        return (
            found if statistic is None else replace(found, reading_bytes=partial(_reading_bytes, statistic))
        )


def _reading_bytes(statistic: Statistic, layer: str, channels: int, positions: int) -> int:
    kind = statistic_at(statistic, layer)
    return 0 if kind is None else kind.needs_bytes(channels, positions)


@dataclass(frozen=True)
class Option:
    """One way, what it needs beyond what is held already, and its work relative to the whole's."""

    tiling: Tiling
    needs_bytes: int
    work: float


def options(size: Size, demand: Demand) -> list[Option]:
    """All ways for a picture, the quickest first; no two with the same tiles."""
    last = demand.stages[-1].block
    found = {WHOLE: option(size, demand, WHOLE)}
    for blocks in sorted({min(2, last), min(3, last), last}):
        for tile_px in TILE_SIDES_PX:
            if tile_px < size.longest_px:
                tiling = Tiling(blocks, tile_px)
                found[tiling] = option(size, demand, tiling)
    return sorted(found.values(), key=lambda one: (one.work, one.needs_bytes))


def choose(ways: Sequence[Option], room_bytes: int | None) -> Option | None:
    """The quickest that fits; None where none does. Of unknown room there is enough."""
    return next((one for one in ways if room_bytes is None or one.needs_bytes <= room_bytes), None)


def smaller(ways: Sequence[Option], failed: Tiling) -> Option | None:
    """The quickest that needs clearly less than the one that failed, or at the end the one that needs the least."""
    needed = next(one.needs_bytes for one in ways if one.tiling == failed)
    found = choose(ways, FIXED_BYTES + int(SMALLER * (needed - FIXED_BYTES)))
    least = min(ways, key=lambda one: one.needs_bytes)
    return found or (least if least.needs_bytes < needed else None)


def option(size: Size, demand: Demand, tiling: Tiling) -> Option:
    """One way, and what it needs."""
    size = placed_size(size, demand.places)
    tiled = in_tiles(demand.stages, tiling)
    maps = _maps(demand)
    first, rest = maps[: len(tiled)], maps[len(tiled) :]
    largest_px, seen = 0, 0.0
    if tiled:
        sides = [
            [one.last - one.first for one in spans(side_px, tiling.tile_px, reach(tiled))] for side_px in size
        ]
        largest_px = max(sides[0]) * max(sides[1])
        seen = sum(sides[0]) * sum(sides[1]) / size.area_px
    per_pixel = 0.0
    if demand.gradient:
        # One is the gradient; what the optimiser may step back to is in half precision.
        per_pixel += PIXEL_BYTES * (1.5 + demand.optimizer_images)
        per_pixel += demand.places * sum(one.bytes for one in maps if one.stage.name in demand.kept_layers)
    per_pixel += _peak_bytes(rest, demand) + (0 if tiled else ENTERING_BYTES)
    needs = size.area_px * per_pixel + largest_px * (_peak_bytes(first, demand) + ENTERING_BYTES)
    needs += sum(
        demand.reading_bytes(one.stage.name, one.channels, math.ceil(size.area_px * one.share))
        for one in maps
        if one.stage.name in demand.style_layers
    )
    # Forward and backward are alike; a checkpoint goes forward twice.
    work = 3 * seen * sum(one.work for one in first) + 2 * sum(one.work for one in rest)
    return Option(tiling, FIXED_BYTES + int(needs), work / (2 * sum(one.work for one in maps)))


@dataclass(frozen=True)
class _Map:
    """A stage's output: its bytes, and the multiplications that it takes, for each pixel of the picture."""

    stage: Stage
    bytes: float
    work: float
    channels: int
    share: float
    """Its positions, for each pixel."""


def _maps(demand: Demand) -> list[_Map]:
    channels, share = 3, 1.0
    found: list[_Map] = []
    for stage in demand.stages:
        share /= 4 if stage.kind == "pool" else 1
        work = 9 * channels * stage.channels * share
        channels = stage.channels or channels
        found.append(_Map(stage, channels * share * demand.value_bytes, work, channels, share))
    return found


def _peak_bytes(maps: Sequence[_Map], demand: Demand) -> float:
    """The most that is held at once, a pixel, of what is kept for the gradient and what a stage works with."""
    kept = most = 0.0
    for one in maps:
        if demand.gradient:
            kept += POOLING_KEEPS[demand.pooling] * one.bytes if one.stage.kind == "pool" else one.bytes
        most = max(most, kept + WORKING_MAPS * one.bytes)
    return most
