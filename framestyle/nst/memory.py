"""How a picture fits into memory: what the device has, which way of reading is taken, and what follows a failure.

What each way needs is reckoned in memory_plan.py.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

import torch

from framestyle.context import SILENT, Context
from framestyle.errors import Code, DeviceError
from framestyle.events import Note
from framestyle.nst.heap import free_device, release_free_memory
from framestyle.nst.host_memory import free_host_bytes, resident_bytes
from framestyle.nst.image import Size
from framestyle.nst.memory_plan import Demand, choose, option, options, smaller
from framestyle.nst.network.tiles import WHOLE, Tiling

SHARE_OF_FREE = 0.8
"""Of what the device has free; the rest is for others, and for what an estimate misses."""

OUT_OF_MEMORY_MESSAGES = (
    "out of memory",
    "can't allocate memory",
    "not enough memory",
    "bad_alloc",
    "could not create a primitive",  # oneDNN, where its own allocation was refused
)

T = TypeVar("T")
MemoryOf = Callable[[torch.device], tuple[int | None, int]]
"""Bytes of a device that are free, and held: as `free_and_held` measures them."""


def room_bytes(
    device: torch.device, limit_bytes: int | None = None, measure: MemoryOf | None = None
) -> int | None:
    """What may still be taken on the device; None where nobody knows, less than 0 where too much is held already.

    `limit_bytes` caps all that this process holds there: on a CPU, its resident memory.
    """
    free, held = (measure or free_and_held)(device)
    rooms = [] if free is None else [int(SHARE_OF_FREE * free)]
    if limit_bytes is not None:
        rooms.append(limit_bytes - held)
    return min(rooms, default=None)


def free_and_held(device: torch.device) -> tuple[int | None, int]:
    """Bytes of a device that are free (None where nobody knows), and that this process holds there."""
    if device.type == "cuda":
        held = torch.cuda.memory_allocated(device)
        # What torch keeps for later is ours too.
        idle = torch.cuda.memory_reserved(device) - held
        return torch.cuda.mem_get_info(device)[0] + idle, held
    if device.type == "mps":
        held = torch.mps.driver_allocated_memory()
        return max(0, torch.mps.recommended_max_memory() - held), held
    release_free_memory(device)
    return free_host_bytes(), resident_bytes()


def is_out_of_memory(error: BaseException) -> bool:
    """Whether a device, or the CPU's allocator, had no more to give."""
    if isinstance(error, (torch.OutOfMemoryError, MemoryError)):
        return True
    return isinstance(error, RuntimeError) and any(
        message in str(error).lower() for message in OUT_OF_MEMORY_MESSAGES
    )


class TilingPlanner:
    """Runs work at the size of a picture in the quickest way that fits; after a failure in the next smaller one.

    A way is chosen once for each size: within a clip all frames are computed alike. Threads may share it: the ways that
    one has chosen hold for the others. `coming_bytes`: what the network will take for itself, whatever the picture.
    `measure`: what is free on the device, and held.
    """

    def __init__(
        self,
        demand: Demand,
        device: torch.device,
        *,
        limit_bytes: int | None = None,
        coming_bytes: Callable[[], int] = lambda: 0,
        measure: MemoryOf = free_and_held,
    ) -> None:
        self._coming_bytes, self._measure = coming_bytes, measure
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
                self._say(f"{of}{_described(size, found.tiling)}, to fit into memory.", "info", context)
        return self._chosen[size, gradient]

    def has_room_for_two(self, size: Size) -> bool:
        """Whether a step on a picture of this size is made whole, and would fit beside another."""
        if self.tiling(size) != WHOLE:
            return False
        room = room_bytes(self.device, self.limit_bytes, self._measure)
        return room is None or 2 * self.whole_bytes(size) <= room

    def whole_bytes(self, size: Size) -> int:
        """What a picture of this size needs, read whole, beyond what is held already."""
        return option(size, self._demands[True], WHOLE).needs_bytes

    def room_bytes(self) -> int | None:
        """For pictures, now, once the network has taken all that it will; None where nobody knows."""
        room = room_bytes(self.device, self.limit_bytes, self._measure)
        return None if room is None else room - self._coming_bytes()

    def _keep_to_the_limit(self, of: str, size: Size, needs_bytes: int) -> None:
        """DeviceError where so much more does not fit into it, however much memory is free."""
        _, held = self._measure(self.device)
        least_bytes = held + self._coming_bytes() + needs_bytes
        if self.limit_bytes is not None and least_bytes > self.limit_bytes:
            raise self._too_large(of, size, least_bytes)

    def _step_down(
        self, size: Size, gradient: bool, of: str, failed: Tiling, cause: str, context: Context
    ) -> None:
        free_device(self.device)
        found = smaller(options(size, self._demands[gradient]), failed)
        if found is None:
            raise self._too_large(of, size, None, cause)
        self._chosen[size, gradient] = found.tiling
        message = f"{of}{_described(size, found.tiling)} from here on: memory ran out ({cause})."
        self._say(message, "warning", context)

    def _too_large(self, of: str, size: Size, least_bytes: int | None, cause: str = "") -> DeviceError:
        what, picture = f"{of}{size.width}x{size.height} pixels", {"width": size.width, "height": size.height}
        if least_bytes is None:
            message = f"{what} {'needs' if of else 'need'} more memory than {self.device} has ({cause})"
            return DeviceError(
                message, code=Code.DEVICE_MEMORY, facts={"device": str(self.device), **picture}
            )
        return DeviceError(
            f"{what} {'does' if of else 'do'} not fit into {self.limit_bytes or 0:,} bytes",
            code=Code.MEMORY_LIMIT,
            facts={"limit_bytes": self.limit_bytes, "least_bytes": least_bytes, **picture},
        )

    def _say(self, message: str, level: str, context: Context) -> None:
        if message not in self._said:
            self._said.add(message)
            context.on_event(Note(message, level))


def _described(size: Size, tiling: Tiling) -> str:
    part = f"the network's first {tiling.blocks} blocks" if tiling.blocks < 5 else "the network"
    return f"{size.width}x{size.height}: {part} in tiles of {tiling.tile_px} px"
