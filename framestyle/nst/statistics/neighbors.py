"""`neighbors`: each place of the picture like the style's place that is most alike; fine layers by their Gram matrix.

After Kolkin, Kucera, Paris, Sýkora, Shechtman and Shakhnarovich, "Neural Neighbor Style Transfer" (arXiv 2203.13215).
Places are the cells of the finest layer with cells of 4 px or more. Two are alike by the cosine between what all such
layers show there, about each picture's own mean. With matches that stay for a while the loss is a sum over places.

Differs from the paper: finer layers are held by Gram matrices. To match these too would take as much again as all the
rest, and the style's colours would come from few of its places.
"""

from __future__ import annotations

import operator
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce

import torch
from torch import Tensor

from framestyle.nst.network.tiles import Place
from framestyle.nst.network.vgg import stride_of
from framestyle.nst.statistics.base import LayerMaps, Statistic, StyleTarget
from framestyle.nst.statistics.gram import GRAM
from framestyle.nst.statistics.matches import NONE_BEFORE, Matched, directions
from framestyle.nst.statistics.pieces import Pieces
from framestyle.nst.statistics.sums import EPSILON, Sums, blended, feature_sums, wide

CELLS_PX = (4, 8)
"""Of the layers whose places are matched: as in the paper, whose deepest are of 8 px too. With those of 16 px a mouth
was matched with a sun."""
MOST_PLACES = 16384
"""Of all style images together; of more, every second is taken, or every third, each way."""
CHUNK_BYTES = 32 << 20
"""Of how alike some of the picture's places are to all of the style's."""
STAYS = 0.05
"""A match that was there before stays unless another is more alike by this cosine."""
SHARPNESS, SHARE_ROUNDS = 50.0, 50
"""Several images get their shares of the places by Sinkhorn's rounds, at this inverse temperature of the cosine."""


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
    owners: tuple[tuple[int, float], ...]
    """Of each style image: how many of the places are its own, and its share."""


class Neighbors:
    """See above. Of several style images each is matched with its share of the places."""

    as_in_2015 = False

    def at(self, layer: str) -> Statistic:
        """Layers with smaller and larger cells are held by their Gram matrix."""
        return self if stride_of(layer) in CELLS_PX else GRAM

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

    def matched(
        self,
        targets: Mapping[str, StyleTarget],
        picture: LayerMaps,
        weights: LayerMaps | None,
        layer_weights: Mapping[str, float],
        before: Tensor | None = None,
    ) -> dict[str, StyleTarget]:
        """`joined` targets -> what a picture that looks like `picture` is to show, at each of its places.

        `picture`, `weights`: by layer, its features, 1CHW, and how much each position counts, 11HW (None: in full).
        `before`: the places that were matched before, 1HW at the finest matched layer; `NONE_BEFORE` where none was.
        """
        banks = {name: one for name, one in targets.items() if isinstance(one, Bank)}
        if not banks:
            return dict(targets)
        finest = min(banks, key=stride_of)
        of_layers = [
            _Query(
                picture[name],
                None if weights is None else weights[name],
                bank,
                stride_of(name) // stride_of(finest),
                layer_weights[name] / sum(layer_weights[one] for one in banks),
            )
            for name, bank in banks.items()
        ]
        counts = None if weights is None else weights[finest]
        matches = _matches(of_layers, picture[finest].shape[2:], counts, banks[finest].owners, before)
        return {
            name: Matched(one.directions, one.mean, one.gram, matches, stride_of(name) // stride_of(finest))
            if isinstance(one, Bank)
            else one
            for name, one in targets.items()
        }

    def needs_bytes(self, channels: int, positions: int) -> int:
        """The picture's features of a layer, while they are matched, and the style's, which stay."""
        return 4 * channels * (positions + 2 * min(positions, MOST_PLACES)) + CHUNK_BYTES


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
    owners: list[tuple[int, float]] = []
    for (maps, share), of_image in zip(layer.images, grids, strict=True):
        own = []
        for one, (height, width) in zip(maps, of_image, strict=True):
            rows, columns = (
                torch.arange(0, side, step, device=one.device) // cells for side in (height, width)
            )
            own.append(one.index_select(2, rows).index_select(3, columns).flatten(2)[0].mT)
        places += own
        owners.append((sum(len(one) for one in own), share))
    _, gram = blended([(_sums(maps), share) for maps, share in layer.images])
    return Bank((), directions(wide(torch.cat(places)) - mean), mean, gram, tuple(owners))


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

    def alike(self, rows: slice, width: int) -> Tensor:
        """Of rows of the finest layer, from a multiple of `cells` on: RWN."""
        own = slice(rows.start // self.cells, -(-rows.stop // self.cells))
        centred = wide(self._features[..., own, :]) - self._mean
        found = (self._counts * directions(centred[0].permute(1, 2, 0))) @ self._bank.directions.mT
        if self.cells > 1:
            found = found.repeat_interleave(self.cells, 0).repeat_interleave(self.cells, 1)
        return found[: rows.stop - rows.start, :width]


def _weighted_mean(features: Tensor, weight: Tensor) -> Tensor:
    counts = wide(weight)
    return (wide(features) * counts).sum((2, 3)) / counts.sum((2, 3)).clamp_min(EPSILON)


def _matches(
    layers: Sequence[_Query],
    size: Sequence[int],
    weight: Tensor | None,
    owners: Sequence[tuple[int, float]],
    before: Tensor | None,
) -> Tensor:
    """1HW: the number of the style's place that each of the picture's is most like."""
    height, width = size
    best: list[Tensor] = []
    numbers: list[Tensor] = []
    for rows in _chunks(height, width * sum(count for count, _ in owners), max(one.cells for one in layers)):
        alike = layers[0].alike(rows, width)
        for one in layers[1:]:
            alike = alike + one.alike(rows, width)
        alike = alike.flatten(0, 1)
        if before is not None:
            kept = before[0, rows].flatten()[:, None]
            stays = alike.gather(1, kept.clamp_min(0)) + STAYS * (kept != NONE_BEFORE)
            alike = alike.scatter(1, kept.clamp_min(0), stays)
        of_images = [one.max(1) for one in torch.split(alike, [count for count, _ in owners], 1)]
        best.append(torch.stack([one.values for one in of_images], 1))
        numbers.append(torch.stack([one.indices for one in of_images], 1))
    counts = None if weight is None else wide(weight).flatten()
    chosen = _shared(torch.cat(best), [share for _, share in owners], counts)
    first = torch.tensor([0, *(count for count, _ in owners[:-1])], device=chosen.device).cumsum(0)
    found = torch.cat(numbers).gather(1, chosen[:, None])[:, 0] + first[chosen]
    return found.view(1, height, width)


def _chunks(height: int, row_values: int, multiple: int) -> Iterator[slice]:
    step = max(1, CHUNK_BYTES // (4 * row_values * multiple)) * multiple
    return (slice(start, min(height, start + step)) for start in range(0, height, step))


def _shared(best: Tensor, shares: Sequence[float], weight: Tensor | None) -> Tensor:
    """How alike each place is to the best of each image, PK -> the image that it is matched with, P.

    Each image gets about its share of what counts, at the places where it is better than others are elsewhere.
    """
    if len(shares) == 1:
        return best.new_zeros(len(best), dtype=torch.long)
    wanted = best.new_tensor(shares).log()
    counts = torch.ones_like(best[:, 0]) if weight is None else weight
    counts = (counts / counts.sum().clamp_min(EPSILON))[:, None]
    offset = torch.zeros_like(wanted)
    for _ in range(SHARE_ROUNDS):
        got = ((SHARPNESS * best + offset).softmax(1) * counts).sum(0)
        offset = offset + wanted - got.clamp_min(EPSILON).log()
    return (SHARPNESS * best + offset).argmax(1)


NEIGHBORS = Neighbors()
