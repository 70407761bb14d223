"""How a picture fits into memory: what each way of reading it needs, which one is taken, and what follows a failure.

The planner is pure: `options`, `choose` and `smaller` know sizes and numbers alone. `Fitting` asks the device.
"""

from __future__ import annotations

import gc
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import torch

from framestyle.context import SILENT, Context
from framestyle.errors import DeviceError
from framestyle.events import Note
from framestyle.nst.heap import give_back_to_the_host
from framestyle.nst.image import Size
from framestyle.nst.placement import placed_size
from framestyle.nst.tiles import WHOLE, Tiling, in_tiles, reach, spans
from framestyle.nst.vgg import VGG19, Stage

TILE_SIDES_PX = (2048, 1448, 1024, 724, 512, 362, 256)
SHARE_OF_FREE = 0.8
"""Of what the device has free; the rest is for others, and for what an estimate misses."""
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

OUT_OF_MEMORY_WORDS = (
    "out of memory",
    "can't allocate memory",
    "not enough memory",
    "bad_alloc",
    "could not create a primitive",  # oneDNN, where its own allocation was refused
)

T = TypeVar("T")


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

    @classmethod
    def of(cls, network: VGG19, kept_layers: Sequence[str], optimizer: str, places: int = 1) -> Demand:
        """`optimizer`: adam | lbfgs; the latter keeps ten pairs of images, and a few more."""
        images = 0 if optimizer == "adam" else 25
        kept = frozenset(kept_layers)
        return cls(network.stages, kept, network.dtype.itemsize, network.pooling, images, places=places)


@dataclass(frozen=True)
class Option:
    """One way, what it needs beyond what is held already, and its work relative to the whole's."""

    tiling: Tiling
    needs_bytes: int
    work: float


def options(size: Size, demand: Demand) -> list[Option]:
    """All ways for a picture, the quickest first; no two with the same tiles."""
    last = demand.stages[-1].block
    found = {WHOLE: _option(size, demand, WHOLE)}
    for blocks in sorted({min(2, last), min(3, last), last}):
        for tile_px in TILE_SIDES_PX:
            if tile_px < size.longest_px:
                tiling = Tiling(blocks, tile_px)
                found[tiling] = _option(size, demand, tiling)
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


def _option(size: Size, demand: Demand, tiling: Tiling) -> Option:
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
    # Forward and backward are alike; a checkpoint goes forward twice.
    work = 3 * seen * sum(one.work for one in first) + 2 * sum(one.work for one in rest)
    return Option(tiling, FIXED_BYTES + int(needs), work / (2 * sum(one.work for one in maps)))


@dataclass(frozen=True)
class _Map:
    """A stage's output: its bytes, and the multiplications that it takes, for each pixel of the picture."""

    stage: Stage
    bytes: float
    work: float


def _maps(demand: Demand) -> list[_Map]:
    channels, share = 3, 1.0
    found: list[_Map] = []
    for stage in demand.stages:
        share /= 4 if stage.kind == "pool" else 1
        work = 9 * channels * stage.channels * share
        channels = stage.channels or channels
        found.append(_Map(stage, channels * share * demand.value_bytes, work))
    return found


def _peak_bytes(maps: Sequence[_Map], demand: Demand) -> float:
    """The most that is held at once, a pixel, of what is kept for the gradient and what a stage works with."""
    kept = most = 0.0
    for one in maps:
        if demand.gradient:
            kept += POOLING_KEEPS[demand.pooling] * one.bytes if one.stage.kind == "pool" else one.bytes
        most = max(most, kept + WORKING_MAPS * one.bytes)
    return most


def room_bytes(device: torch.device, limit_bytes: int | None = None) -> int | None:
    """What may still be taken on the device; None where nobody knows, less than 0 where too much is held already.

    `limit_bytes` caps all that this process holds there: on a CPU, its resident memory.
    """
    free, held = _free_and_held(device)
    rooms = [] if free is None else [int(SHARE_OF_FREE * free)]
    if limit_bytes is not None:
        rooms.append(limit_bytes - held)
    return min(rooms, default=None)


def _free_and_held(device: torch.device) -> tuple[int | None, int]:
    if device.type == "cuda":
        held = torch.cuda.memory_allocated(device)
        # What torch keeps for later is ours too.
        idle = torch.cuda.memory_reserved(device) - held
        return torch.cuda.mem_get_info(device)[0] + idle, held
    if device.type == "mps":
        held = torch.mps.driver_allocated_memory()
        return max(0, torch.mps.recommended_max_memory() - held), held
    give_back_to_the_host(device)
    return _free_host_bytes(), _resident_bytes()


def _free_host_bytes(root: Path = Path("/")) -> int | None:
    """Physical memory that can be had without swapping, within a container's limit."""
    found = [one for one in (_available_bytes(root), *_cgroup_rooms(root)) if one is not None]
    return max(0, min(found)) if found else None


def _available_bytes(root: Path) -> int | None:
    for line in _lines(root / "proc/meminfo"):
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return None


def _cgroup_rooms(root: Path) -> Iterator[int | None]:
    """Limit less use, of this process's group and those above it: version 2, then version 1."""
    folders = {"": "sys/fs/cgroup", "memory": "sys/fs/cgroup/memory"}
    for line in _lines(root / "proc/self/cgroup"):
        _, controllers, path = line.split(":", 2)
        for controller, folder in folders.items():
            if controller in controllers.split(","):
                top = root / folder
                own = top / path.strip("/")
                names = ("memory.max", "memory.current")
                if controller:
                    names = ("memory.limit_in_bytes", "memory.usage_in_bytes")
                for group in (own, *own.parents):
                    if group.is_relative_to(top):
                        yield _group_room(group, *names)


def _group_room(group: Path, limit: str, use: str) -> int | None:
    limits, uses = _lines(group / limit), _lines(group / use)
    if not limits or not uses or not limits[0].isdecimal():
        return None
    # Files that the system keeps for later are counted as use, and given up when memory is asked for.
    kept = [
        int(line.split()[1]) for line in _lines(group / "memory.stat") if line.startswith("inactive_file ")
    ]
    return int(limits[0]) - int(uses[0]) + sum(kept)


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return []


def _resident_bytes() -> int:
    """Of this process, now; 0 where nobody knows."""
    for line in _lines(Path("/proc/self/status")):
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    return 0


def is_out_of_memory(error: BaseException) -> bool:
    """Whether a device, or the CPU's allocator, had no more to give."""
    if isinstance(error, (torch.OutOfMemoryError, MemoryError)):
        return True
    return isinstance(error, RuntimeError) and any(
        words in str(error).lower() for words in OUT_OF_MEMORY_WORDS
    )


class Fitting:
    """Runs work at the size of a picture in the quickest way that fits; after a failure in the next smaller one.

    A way is chosen once for each size: within a clip all frames are computed alike. Threads may share it: the ways that
    one has chosen hold for the others. `coming_bytes`: what the network will take for itself, whatever the picture.
    """

    def __init__(
        self,
        demand: Demand,
        device: torch.device,
        *,
        limit_bytes: int | None = None,
        coming_bytes: Callable[[], int] = lambda: 0,
    ) -> None:
        self._coming_bytes = coming_bytes
        self._demands = {gradient: replace(demand, gradient=gradient) for gradient in (True, False)}
        self.device, self.limit_bytes = device, limit_bytes
        self._chosen: dict[tuple[Size, bool], Tiling] = {}
        self._said: set[str] = set()

    def run(
        self,
        size: Size,
        work: Callable[[Tiling], T],
        *,
        gradient: bool = True,
        of: str = "",
        context: Context = SILENT,
    ) -> T:
        """`work`, given how to read a picture of that size. DeviceError where not even the smallest way fits.

        Without a gradient much more fits. `of`: whose size it is, in messages, where it is not the content's.
        It may be called anew after it failed half way: what it changes in place must be its own.
        """
        while True:
            tiling = self.tiling(size, gradient, of, context)
            try:
                return work(tiling)
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error):
                    raise
                cause = str(error).splitlines()[0]
            # Outside: the exception holds on to all that the failed work had made.
            self._step_down(size, gradient, of, tiling, cause, context)

    def tiling(self, size: Size, gradient: bool = True, of: str = "", context: Context = SILENT) -> Tiling:
        """The way for pictures of this size."""
        if (size, gradient) not in self._chosen:
            ways = options(size, self._demands[gradient])
            found = choose(ways, self.room_bytes())
            if found is None:
                # Free memory is an estimate, and so is what is needed; a limit is a limit.
                found = min(ways, key=lambda one: one.needs_bytes)
                self._keep_to_the_limit(of, size, found.needs_bytes)
            self._chosen[size, gradient] = found.tiling
            if found.tiling != WHOLE:
                self._say(f"{of}{_words(size, found.tiling)}, to fit into memory.", "info", context)
        return self._chosen[size, gradient]

    def has_room_for_two(self, size: Size) -> bool:
        """Whether a step on a picture of this size is made whole, and would fit beside another."""
        if self.tiling(size) != WHOLE:
            return False
        room = room_bytes(self.device, self.limit_bytes)
        return room is None or 2 * self.whole_bytes(size) <= room

    def whole_bytes(self, size: Size) -> int:
        """What a picture of this size needs, read whole, beyond what is held already."""
        return _option(size, self._demands[True], WHOLE).needs_bytes

    def room_bytes(self) -> int | None:
        """For pictures, now, once the network has taken all that it will; None where nobody knows."""
        room = room_bytes(self.device, self.limit_bytes)
        return None if room is None else room - self._coming_bytes()

    def _keep_to_the_limit(self, of: str, size: Size, needs_bytes: int) -> None:
        """DeviceError where so much more does not fit into it, however much memory is free."""
        _, held = _free_and_held(self.device)
        least_bytes = held + self._coming_bytes() + needs_bytes
        if self.limit_bytes is not None and least_bytes > self.limit_bytes:
            raise self._too_large(of, size, least_bytes)

    def _step_down(
        self, size: Size, gradient: bool, of: str, failed: Tiling, cause: str, context: Context
    ) -> None:
        _release(self.device)
        found = smaller(options(size, self._demands[gradient]), failed)
        if found is None:
            raise self._too_large(of, size, None, cause)
        self._chosen[size, gradient] = found.tiling
        message = f"{of}{_words(size, found.tiling)} from here on: memory ran out ({cause})."
        self._say(message, "warning", context)

    def _too_large(self, of: str, size: Size, least_bytes: int | None, cause: str = "") -> DeviceError:
        what = f"{of}{size.width}x{size.height} pixels"
        if least_bytes is None:
            message = f"{what} {'needs' if of else 'need'} more memory than {self.device} has ({cause})"
            return DeviceError(message, next_step="Lower --max-side, or use --device cpu.")
        return DeviceError(
            f"{what} {'does' if of else 'do'} not fit into {self.limit_bytes or 0:,} bytes",
            next_step=f"Raise --memory-limit to {math.ceil(least_bytes / 2**30 * 10) / 10:.1f}G, or lower --max-side.",
        )

    def _say(self, message: str, level: str, context: Context) -> None:
        if message not in self._said:
            self._said.add(message)
            context.on_event(Note(message, level))


def _words(size: Size, tiling: Tiling) -> str:
    part = f"the network's first {tiling.blocks} blocks" if tiling.blocks < 5 else "the network"
    return f"{size.width}x{size.height}: {part} in tiles of {tiling.tile_px} px"


def _release(device: torch.device) -> None:
    gc.collect()
    if device.type == "cuda":
        torch.cuda.empty_cache()
    elif device.type == "mps":
        torch.mps.empty_cache()
    else:
        give_back_to_the_host(device)
