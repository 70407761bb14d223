"""`neighbors`: each place of the picture like the style's place that is most alike; fine layers by their Gram matrix.

After Kolkin, Kucera, Paris, Sýkora, Shechtman and Shakhnarovich, "Neural Neighbor Style Transfer" (arXiv 2203.13215).
Places are the cells of the finest layer with cells of 4 px or more. Two are alike by the cosine between what the layers
up to cells of 8 px (the paper's deepest) show there, about each picture's own mean. While matches stay, for a scale or
a frame, the loss is a sum over places.

Differs from the paper: each part of the style gets its share of the places; matched layers are held by Gram matrices
too, finer ones by these alone. So flat places are painted, and colours are the style's.
"""

from __future__ import annotations

import operator
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import product

import torch
from torch import Tensor

from framestyle.nst.network.tiles import Place
from framestyle.nst.network.vgg import stride_of
from framestyle.nst.statistics.base import Compared, Statistic, StyleTarget
from framestyle.nst.statistics.gram import GRAM
from framestyle.nst.statistics.matches import NONE_BEFORE, Matched, directions
from framestyle.nst.statistics.pieces import Pieces
from framestyle.nst.statistics.sums import EPSILON, Sums, blended, feature_sums, wide

MATCHED_CELLS_PX = range(4, 9)
"""Of the layers whose places are matched; finer ones are held by Gram matrices, coarser ones left out: with places of
16 px a mouth was matched with a sun, and with their Gram matrix it was painted as one."""
MOST_PLACES = 16384
"""Of all style images together; of more, every second is taken, or every third, each way."""
NUMBER = torch.int16
"""Holds any of these. While they are matched, each of a picture's places keeps one for each part of the style."""
CHUNK_BYTES = 32 << 20
"""Of how alike some of the picture's places are to all of the style's, or to the best of its parts."""
STAYS = 0.05
"""A match that was there before stays unless another is more alike by this cosine."""
PARTS = 8
"""Each way, of a style image. Each part gets about its share of the picture's places: of all that is alike, not a few
flat places alone are taken, which would leave much of the picture washed out."""
SHARPNESS, SHARE_ROUNDS = 40.0, 40
"""Shares are made by Sinkhorn's rounds, at this inverse temperature of the cosine."""


@dataclass(frozen=True, eq=False)
class StyleMaps:
    """One layer of the style images, each with its share; not to be compared with before all layers are `joined`."""

    images: tuple[tuple[tuple[Tensor, ...], float], ...]
    """Of each image its maps, 1CHW, several where it is turned; and its share."""

    def read(self, features: Tensor, weight: Tensor | None = None, place: Place | None = None) -> Pieces:
        """The features as they lie."""
        return Pieces.of(features, place)

    def loss(self, reading: Pieces) -> Tensor:
        """TypeError: it takes all layers to find matches."""
        raise TypeError("the picture's places are not matched yet")


@dataclass(frozen=True, eq=False)
class Bank(StyleMaps):
    """What the style's places show in one layer."""

    directions: Tensor
    """NC, about the mean, of length 1."""
    mean: Tensor
    """1C."""
    gram: Tensor
    """1CC, of all places."""
    parts: tuple[tuple[int, float], ...]
    """Of each part of the style images, one after another: how many of the places are its own, and its share."""


class Neighbors:
    """See above. Each style image, and each part of it, is matched with its share of the places."""

    as_in_2015 = False

    def at(self, layer: str) -> Statistic | None:
        """Itself, a Gram matrix, or nothing, by how large the layer's cells are."""
        cell_px = stride_of(layer)
        if cell_px > max(MATCHED_CELLS_PX):
            return None
        return self if cell_px in MATCHED_CELLS_PX else GRAM

    def read(self, features: Tensor, place: Place | None = None) -> Pieces:
        """BCHW, as they lie."""
        return Pieces.of(features, place)

    def target(self, readings: Sequence[tuple[Pieces, float]]) -> StyleMaps:
        """One layer of all images."""
        return StyleMaps(tuple((tuple(reading.maps()), share) for reading, share in readings))

    def joined(self, targets: Mapping[str, StyleTarget]) -> dict[str, StyleTarget]:
        """All layers of a style -> the same, where the matched ones are banks of the same places."""
        maps = {name: one for name, one in targets.items() if isinstance(one, StyleMaps)}
        if not maps:
            return dict(targets)
        finest = min(maps, key=stride_of)
        grids = [[one.shape[2:] for one in own] for own, _ in maps[finest].images]
        step = _step([grid for own in grids for grid in own])
        cells = {name: stride_of(name) // stride_of(finest) for name in maps}
        return {
            name: _bank(maps[name], grids, step, cells[name]) if name in maps else one
            for name, one in targets.items()
        }

    def matched(self, targets: Mapping[str, StyleTarget], picture: Compared) -> dict[str, StyleTarget]:
        """`joined` targets -> what a picture that looks like `picture` is to show, at each of its places."""
        banks = {name: one for name, one in targets.items() if isinstance(one, Bank)}
        if not banks:
            return dict(targets)
        finest = min(banks, key=stride_of)
        of_layers = [
            _Query(
                picture.features[name],
                None if picture.weights is None else picture.weights[name],
                bank,
                stride_of(name) // stride_of(finest),
                picture.layer_weights[name] / sum(picture.layer_weights[one] for one in banks),
            )
            for name, bank in sorted(banks.items(), key=lambda one: stride_of(one[0]))
        ]
        counts = None if picture.weights is None else picture.weights[finest]
        size = picture.features[finest].shape[2:]
        matches = _matches(of_layers, size, counts, banks[finest].parts, picture.before)
        return {
            name: Matched(one.directions, one.mean, one.gram, matches, stride_of(name) // stride_of(finest))
            if isinstance(one, Bank)
            else one
            for name, one in targets.items()
        }

    def needs_bytes(self, channels: int, positions: int) -> int:
        """The picture's features of a layer and each place's best of a style image's parts, while they are matched;
        and the style's places, which stay."""
        of_parts = PARTS**2 * positions * (torch.float32.itemsize + NUMBER.itemsize)
        return 4 * channels * (positions + 2 * min(positions, MOST_PLACES)) + of_parts + CHUNK_BYTES


def _step(grids: Sequence[tuple[int, ...]]) -> int:
    """Every how manieth place is taken, each way."""
    step = 1
    while sum(-(-height // step) * -(-width // step) for height, width in grids) > MOST_PLACES:
        step += 1
    return step


def _bank(layer: StyleMaps, grids: Sequence[Sequence[tuple[int, ...]]], step: int, cells: int) -> Bank:
    mean = sum(
        share * sum(wide(one).mean((2, 3)) for one in maps) / len(maps) for maps, share in layer.images
    )
    assert isinstance(mean, Tensor)
    places: list[Tensor] = []
    parts: list[tuple[int, float]] = []
    for (maps, share), of_image in zip(layer.images, grids, strict=True):
        own, blocks = [], []
        for one, size in zip(maps, of_image, strict=True):
            rows, columns = (torch.arange(0, side, step) for side in size)
            found = one
            for axis, at in ((2, rows), (3, columns)):
                found = found.index_select(axis, (at // cells).to(one.device))
            own.append(found.flatten(2)[0].mT)
            row, column = (PARTS * at // side for at, side in zip((rows, columns), size, strict=True))
            blocks.append((PARTS * row[:, None] + column).flatten())
        block = torch.cat(blocks)
        places.append(torch.cat(own)[block.argsort(stable=True).to(mean.device)])
        counts = [count for count in block.bincount().tolist() if count]
        parts += [(count, share * count / len(block)) for count in counts]
    _, gram = blended([(_sums(maps), share) for maps, share in layer.images])
    return Bank((), directions(wide(torch.cat(places)) - mean), mean, gram, tuple(parts))


def _sums(maps: Sequence[Tensor]) -> Sums:
    """Of all of them as one picture."""
    first, *others = map(feature_sums, maps)
    return reduce(operator.add, others, first)


# -- matching ----------------------------------------------------------------------------------------------


class _Query:
    """One layer of a picture, to be asked how alike its places are to a bank's; and how much that counts."""

    def __init__(
        self, features: Tensor, weight: Tensor | None, bank: Bank, cells: int, counts: float
    ) -> None:
        self.cells = cells
        self._features, self._bank, self._counts = features, bank, counts
        of_all = wide(features).mean((2, 3)) if weight is None else _weighted_mean(features, weight)
        self._mean = of_all[..., None, None]

    def alike(self, rows: slice) -> Tensor:
        """Of its own rows that cover these of the finest layer, from a multiple of `cells` on: RWN."""
        own = slice(rows.start // self.cells, -(-rows.stop // self.cells))
        centred = wide(self._features[..., own, :]) - self._mean
        return (self._counts * directions(centred[0].permute(1, 2, 0))) @ self._bank.directions.mT


def _alike(layers: Sequence[_Query], rows: slice) -> Tensor:
    """In all layers together, the finest first: rows of that one, RWN."""
    finest, *others = layers
    total = finest.alike(rows)
    for one in others:
        found = one.alike(rows)
        # In place: these are most of the bytes there are.
        for down, right in product(range(one.cells), repeat=2):
            covered = total[down :: one.cells, right :: one.cells]
            covered += found[: covered.shape[0], : covered.shape[1]]
    return total


def _weighted_mean(features: Tensor, weight: Tensor) -> Tensor:
    counts = wide(weight)
    return (wide(features) * counts).sum((2, 3)) / counts.sum((2, 3)).clamp_min(EPSILON)


def _matches(
    layers: Sequence[_Query],
    size: Sequence[int],
    weight: Tensor | None,
    parts: Sequence[tuple[int, float]],
    before: Tensor | None,
) -> Tensor:
    """1HW: the number of the style's place that each of the picture's is most like."""
    height, width = size
    part_sizes = [count for count, _ in parts]
    best: Tensor | None = None
    for rows in _chunks(height, width * sum(part_sizes), max(one.cells for one in layers)):
        alike = _alike(layers, rows).flatten(0, 1)
        if before is not None:
            kept = before[0, rows].flatten()[:, None]
            stays = alike.gather(1, kept.clamp_min(0)) + STAYS * (kept != NONE_BEFORE)
            alike = alike.scatter(1, kept.clamp_min(0), stays)
        if best is None:
            # At once: of pieces laid together there would be two.
            best = alike.new_empty(height * width, len(parts))
            numbers = torch.empty_like(best, dtype=NUMBER)
        here = slice(rows.start * width, rows.stop * width)
        for number, one in enumerate(torch.split(alike, part_sizes, 1)):
            best[here, number], numbers[here, number] = one.max(1)
    assert best is not None
    counts = None if weight is None else wide(weight).flatten()
    chosen = _shared(best, [share for _, share in parts], counts)
    first = torch.tensor([0, *part_sizes[:-1]], device=chosen.device).cumsum(0)
    found = numbers.gather(1, chosen[:, None])[:, 0] + first[chosen]
    return found.view(1, height, width)


def _chunks(height: int, row_values: int, multiple: int) -> Iterator[slice]:
    step = max(1, CHUNK_BYTES // (4 * row_values * multiple)) * multiple
    return (slice(start, min(height, start + step)) for start in range(0, height, step))


def _shared(best: Tensor, shares: Sequence[float], weight: Tensor | None) -> Tensor:
    """How alike each place is to the best of each part, PK -> the part that it is matched with, P.

    Each part gets about its share of what counts, where it is better than others are elsewhere.
    """
    if len(shares) == 1:
        return best.new_zeros(len(best), dtype=torch.long)
    wanted = best.new_tensor(shares).log()
    counts = torch.ones_like(best[:, 0]) if weight is None else weight
    counts = (counts / counts.sum().clamp_min(EPSILON))[:, None]
    offset = torch.zeros_like(wanted)
    # In bands: `best` of 8K is half a gigabyte, and all at once takes three more of it.
    bands = list(_chunks(len(best), len(shares), 1))
    for _ in range(SHARE_ROUNDS):
        got = torch.zeros_like(wanted)
        for rows in bands:
            got += ((SHARPNESS * best[rows] + offset).softmax(1) * counts[rows]).sum(0)
        offset = offset + wanted - got.clamp_min(EPSILON).log()
    return torch.cat([(SHARPNESS * best[rows] + offset).argmax(1) for rows in bands])


NEIGHBORS = Neighbors()
