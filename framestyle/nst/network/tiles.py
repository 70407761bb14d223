"""A picture read through the network, whole or in tiles, with the same readings either way.

What is asked of each layer (sums, distances) adds up over parts of a picture. Each tile is computed with as much of its
surroundings as the network sees, and only its own part is read; at the picture's edges it ends where the picture ends,
so that padding acts as it does on the whole. Tiles begin on the grid of the poolings.

Where a gradient is wanted each tile is a checkpoint: its activations are dropped after it was read, and computed once
more when the gradient comes back, by then that of the whole picture's statistics. So nothing is approximated.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple, Protocol, Self, TypeVar

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from framestyle.nst.heap import release_free_memory
from framestyle.nst.image import Size, size_of
from framestyle.nst.network.vgg import VGG19, Stage

Readings = dict[str, Any]
"""What was read, by any name, each a tensor or a `Reading`; those of one name, from several tiles, are added up."""
Place = tuple[slice, slice]
"""Rows and columns of a layer's whole map."""
Read = Callable[[str, Tensor, Place], Readings]
"""(layer, features, where they lie) -> what is to be known of them."""
Part = Callable[["Box", Tensor], Tensor]
"""(box, image) -> that part of it."""


T = TypeVar("T")


class Reading(Protocol):
    """What is known of features beyond a tensor: sums, or a list of features; a value."""

    def __add__(self, other: Self) -> Self:
        """Of both parts of a picture together."""

    @property
    def differentiable(self) -> Sequence[Tensor]:
        """The tensors in it that depend on the features. The gradient flows through these alone."""

    def replaced(self, tensors: Sequence[Tensor]) -> Self:
        """The same with others in their place, in the same order."""


class Box(NamedTuple):
    """Part of a picture, in pixels; `bottom` and `right` are the first outside."""

    top: int
    bottom: int
    left: int
    right: int

    def of(self, image: Tensor) -> Tensor:
        """A view of that part of a BCHW image."""
        return image[..., self.top : self.bottom, self.left : self.right]


@dataclass(frozen=True)
class Tiling:
    """How a picture is read: the first `blocks` of the network in tiles of about `tile_px`, the others whole."""

    blocks: int = 0
    tile_px: int = 0


WHOLE = Tiling()


class Fit(Protocol):
    """Does work on a picture of a size in a way that it chooses."""

    def __call__(self, size: Size, work: Callable[[Tiling], T]) -> T: ...


def as_a_whole(size: Size, work: Callable[[Tiling], T]) -> T:
    """The way of those who have memory."""
    return work(WHOLE)


class Tile(NamedTuple):
    """`kept` is read; `seen` is computed."""

    kept: Box
    seen: Box


class Reach(NamedTuple):
    """What stages from the picture on ask of a tile: how far they see, and of what it has to begin at a multiple."""

    halo_px: int
    stride_px: int


def reach(stages: Sequence[Stage]) -> Reach:
    """A convolution sees one of its own pixels further; a pooling makes them twice as large."""
    halo_px, stride_px = 0, 1
    for stage in stages:
        if stage.kind == "conv":
            halo_px += stride_px
        elif stage.kind == "pool":
            stride_px *= 2
    return Reach(-(-halo_px // stride_px) * stride_px, stride_px)


class Span(NamedTuple):
    """One side of a tile: `start` to `end` are kept, `first` to `last` are seen."""

    start: int
    end: int
    first: int
    last: int


def spans(side_px: int, tile_px: int, of: Reach) -> list[Span]:
    """A side cut into nearly equal parts of `tile_px` at the most (but one stride at the least)."""
    most = max(1, tile_px // of.stride_px)
    cells = -(-side_px // of.stride_px)
    count = -(-cells // most)
    step = -(-cells // count) * of.stride_px
    found = []
    for start in range(0, side_px, step):
        end = min(side_px, start + step)
        found.append(Span(start, end, max(0, start - of.halo_px), min(side_px, end + of.halo_px)))
    return found


def tiles(size: Size, tile_px: int, of: Reach) -> Iterator[list[Tile]]:
    """Rows of tiles that cover a picture."""
    for rows in spans(size.height, tile_px, of):
        yield [
            Tile(
                Box(rows.start, rows.end, columns.start, columns.end),
                Box(rows.first, rows.last, columns.first, columns.last),
            )
            for columns in spans(size.width, tile_px, of)
        ]


def in_tiles(stages: Sequence[Stage], tiling: Tiling) -> list[Stage]:
    """Those that are computed tile by tile."""
    return [stage for stage in stages if stage.block <= tiling.blocks]


def read_layers(network: VGG19, image: Tensor, read: Read, tiling: Tiling, part: Part = Box.of) -> Readings:
    """What `read` finds in each of the network's layers over a BCHW image, of which `part` gives any box."""
    size = size_of(image)
    tiled = in_tiles(network.stages, tiling)
    rest = network.stages[len(tiled) :]
    strides = dict(_strides(network.stages))
    total: Readings = {}

    def compute(tile: Tile, x: Tensor) -> tuple[Tensor | None, Readings]:
        found: Readings = {}

        def at_layer(name: str, features: Tensor) -> None:
            place, inside = _place(tile, strides[name])
            add_readings(found, read(name, features[..., inside[0], inside[1]], place))

        x = network.run(network.entered(x), tiled, at_layer)
        inside = _place(tile, reach(tiled).stride_px)[1]
        return (x[..., inside[0], inside[1]] if rest else None), found

    def whole_layer(name: str, features: Tensor) -> None:
        add_readings(total, read(name, features, (slice(0, features.shape[2]), slice(0, features.shape[3]))))

    if not tiled:
        network.run(network.entered(part(Box(0, size.height, 0, size.width), image)), rest, whole_layer)
        return total
    lines: list[Tensor] = []
    for row in tiles(size, tiling.tile_px, reach(tiled)):
        line: list[Tensor] = []
        for tile in row:
            x, found = _checkpointed(partial(compute, tile), part(tile.seen, image))
            add_readings(total, found)
            if x is not None:
                line.append(x)
            # What a tile left free in pieces would add up: a tenth of all by the end.
            release_free_memory(image.device)
        if rest:
            lines.append(torch.cat(line, 3))
    if rest:
        network.run(torch.cat(lines, 2), rest, whole_layer)
    return total


Computed = tuple[Tensor | None, Readings]
"""What a tile gives to the stages after it, and what was read of it."""


def _checkpointed(compute: Callable[[Tensor], Computed], x: Tensor) -> Computed:
    """Torch's own checkpoints load its compiler: two seconds, and 160 MB for good."""
    if not torch.is_grad_enabled():
        return compute(x)
    first: list[Computed] = []
    given = iter(_Checkpoint.apply(x, compute, first))
    handed_on, found = first.pop()
    return (None if handed_on is None else next(given)), {
        name: next(given)
        if isinstance(one, Tensor)
        else one.replaced([next(given) for _ in one.differentiable])
        for name, one in found.items()
    }


class _Checkpoint(torch.autograd.Function):
    """All tensors of what is computed that have a gradient. For it they are computed once more."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, compute: Callable[[Tensor], Computed], first: list[Computed]
    ) -> tuple[Tensor, ...]:
        ctx.save_for_backward(x)
        ctx.compute = compute
        first.append(compute(x))
        return tuple(_with_gradient(*first[0]))

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor | None, ...]:
        x = ctx.saved_tensors[0].detach().requires_grad_(True)
        with torch.enable_grad():
            given = list(_with_gradient(*ctx.compute(x)))
        torch.autograd.backward(given, grad_outputs)
        del given
        release_free_memory(x.device)
        return x.grad, None, None


def _with_gradient(handed_on: Tensor | None, found: Readings) -> Iterator[Tensor]:
    if handed_on is not None:
        yield handed_on
    for one in found.values():
        yield from (one,) if isinstance(one, Tensor) else one.differentiable


def _strides(stages: Sequence[Stage]) -> Iterator[tuple[str, int]]:
    stride_px = 1
    for stage in stages:
        stride_px *= 2 if stage.kind == "pool" else 1
        yield stage.name, stride_px


def _place(tile: Tile, stride_px: int) -> tuple[Place, Place]:
    """Where the kept part lies in a layer's whole map, and where in the tile's own."""

    def slices(start: int, end: int, origin: int) -> tuple[slice, slice]:
        # An odd last row or column is a cell of its own.
        first, last, offset = start // stride_px, -(-end // stride_px), origin // stride_px
        return slice(first, last), slice(first - offset, last - offset)

    rows = slices(tile.kept.top, tile.kept.bottom, tile.seen.top)
    columns = slices(tile.kept.left, tile.kept.right, tile.seen.left)
    return (rows[0], columns[0]), (rows[1], columns[1])


def add_readings(total: Readings, found: Mapping[str, Any]) -> None:
    """Those of a further part to those of others, in place."""
    for name, value in found.items():
        total[name] = total[name] + value if name in total else value
