"""What of the content must stay, layer by layer: its features, or the relations among its own places."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

from framestyle.nst import losses
from framestyle.nst.image import Size, bands, size_of
from framestyle.nst.network.tiles import Place, Readings, Tiling, read_layers
from framestyle.nst.network.vgg import VGG19
from framestyle.nst.statistics.matches import directions
from framestyle.nst.statistics.sums import EPSILON, mean_of, wide
from framestyle.presets.sections import Content

MOST_SAMPLES = 1024
"""Places whose relations are compared, of each layer: as many as STROTSS takes."""


class ContentTarget(Protocol):
    """What one layer must keep of the content; a frozen dataclass, as style targets are, and read as these are."""

    def read(self, features: Tensor, place: Place) -> Any:
        """BCHW features of a part of a picture -> a `Reading` with gradients, to be added to those of other parts."""

    def loss(self, reading: Any) -> Tensor:
        """The whole picture's reading -> a scalar, 0 for the content itself."""


ContentTargets = Mapping[str, ContentTarget]
"""By layer."""


class Keeper(Protocol):
    """Makes the targets of a 1CHW content image."""

    def __call__(self, network: VGG19, content: Tensor, tiling: Tiling) -> dict[str, ContentTarget]: ...


def content_keeper(preset: Content, seed: int, *, letter: bool = False, coarse: bool = False) -> Keeper:
    """As a preset says. `seed` decides which places are sampled; `letter`: the content loss of Gatys 2015.

    `coarse`: at the smallest of several scales. Where a face lies is settled there, so all layers keep more of what
    stands out; from there on the deepest alone does, for the others would hold strokes off along with changes.
    """
    layers = list(preset.layers)
    if preset.statistic == "self_similarity":
        return partial(kept_relations, layers=layers, seed=seed, focus=preset.focus, in_all_layers=coarse)
    if letter:
        return partial(kept_features, layers=layers, letter=True)
    return partial(kept_features, layers=layers, focus=preset.focus, in_all_layers=coarse)


# -- features ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class KeptFeatures:
    """The content's features, BCHW, and their variance. `letter`: the sums of Gatys 2015."""

    features: Tensor
    variance: Tensor
    letter: bool = False
    weight: Tensor | None = None
    """How much each position counts, 11HW, 1 in the mean; None: all alike."""

    def read(self, features: Tensor, place: Place) -> Tensor:
        """The squared distance from the content's, of a part."""
        weight = None if self.weight is None else self.weight[..., place[0], place[1]]
        return losses.squared_distance(features, self.features[..., place[0], place[1]], weight)

    def loss(self, reading: Tensor) -> Tensor:
        """Relative to the variance, or half of the sum."""
        if self.letter:
            return reading / 2
        return losses.relative_distance(reading, self.features, self.variance)


def kept_features(
    network: VGG19,
    content: Tensor,
    tiling: Tiling,
    *,
    layers: Sequence[str],
    letter: bool = False,
    focus: float = 0.0,
    in_all_layers: bool = False,
) -> dict[str, ContentTarget]:
    """By layer: the features of a 1CHW content image, to be kept as they are.

    The deepest layer keeps more of what stands out in it, by `focus`; `in_all_layers`: so do the others, in its places.
    """
    maps = feature_maps(network, content, layers, tiling)
    deepest = _deepest(network, layers)
    counted = layers if in_all_layers else [deepest]
    weights = _weights(maps[deepest], focus, counted, network, content) if focus > 0 else {}
    return {
        name: KeptFeatures(one, losses.feature_variance(one), letter, weights.get(name))
        for name, one in maps.items()
    }


def _deepest(network: VGG19, layers: Sequence[str]) -> str:
    """The one that comes last in the network."""
    order = [stage.name for stage in network.stages]
    return max(layers, key=order.index)


def _weights(
    deepest: Tensor, focus: float, layers: Sequence[str], network: VGG19, content: Tensor
) -> dict[str, Tensor]:
    """How much each position of these layers counts, by what stands out in the deepest."""
    standing_out = salience(deepest, focus)
    return {name: at_size(standing_out, network.map_size(name, size_of(content))) for name in layers}


def salience(features: Tensor, focus: float) -> Tensor:
    """How far positions of a 1CHW map stand out, 11HW, all above 0: the energy about the map's mean, over 3 by 3 of
    them, to the power of `focus`.

    The network answers loudest to what it knows. Of a deep layer these are a scene's things, faces above all.
    """
    mean = mean_of(features)[..., None, None]
    energy = mean.new_empty(1, 1, *features.shape[2:])
    for rows in bands(features):
        energy[..., rows, :] = (wide(features[..., rows, :]) - mean).square_().mean(1, keepdim=True)
    around = F.avg_pool2d(F.pad(energy, (1, 1, 1, 1), mode="replicate"), 3, 1)
    return (around / (around.mean() + EPSILON) + EPSILON).pow_(focus)


def at_size(weight: Tensor, size: Size) -> Tensor:
    """11HW at another size, 1 in the mean."""
    found = F.interpolate(weight, (size.height, size.width), mode="bilinear")
    return found / found.mean()


def feature_maps(network: VGG19, image: Tensor, layers: Sequence[str], tiling: Tiling) -> dict[str, Tensor]:
    """By layer: the features of a BCHW image, whole, without a gradient."""
    size = size_of(image)
    kept: dict[str, Tensor] = {}

    def keep(name: str, features: Tensor, place: Place) -> Readings:
        if name in layers:
            _put(kept, name, features, place, network.map_size(name, size))
        return {}

    with torch.no_grad():
        read_layers(network, image, keep, tiling)
    return {name: kept[name] for name in layers}


def _put(kept: dict[str, Tensor], name: str, features: Tensor, place: Place, size: Size) -> None:
    """A part of a layer's features into its map of that size."""
    if name not in kept:
        shape = (*features.shape[:2], size.height, size.width)
        kept[name] = torch.empty(
            shape, dtype=features.dtype, device=features.device, memory_format=torch.channels_last
        )
    kept[name][..., place[0], place[1]] = features


# -- self-similarity ---------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Samples:
    """Features of some places, BNC each, part by part, with the places' numbers."""

    features: tuple[Tensor, ...]
    numbers: tuple[Tensor, ...]

    def __add__(self, other: Samples) -> Samples:
        return Samples(self.features + other.features, self.numbers + other.numbers)

    @property
    def differentiable(self) -> tuple[Tensor, ...]:
        """The features."""
        return self.features

    def replaced(self, tensors: Sequence[Tensor]) -> Samples:
        """The same with other features."""
        return replace(self, features=tuple(tensors))

    def in_order(self) -> Tensor:
        """BNC, by their numbers."""
        return torch.cat(self.features, 1)[:, torch.cat(self.numbers).argsort()]


def sampled(features: Tensor, samples: Tensor, place: Place, size: Size) -> Samples:
    """Of a part's features, BCHW, those at the sampled places: N2, rows and columns of the whole map of that size."""
    rows, columns = (samples[:, side] - place[side].start for side in (0, 1))
    numbers = torch.arange(len(samples), device=samples.device)
    height, width = features.shape[2:]
    if (height, width) != (size.height, size.width):  # else all, and the host need not wait to know how many
        inside = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
        rows, columns, numbers = rows[inside], columns[inside], numbers[inside]
    return Samples((wide(features[..., rows, columns]).mT,), (numbers,))


@dataclass(frozen=True, eq=False)
class KeptRelations:
    """How far the content's sampled places are from each other, each place's distances as shares of their sum: BNN."""

    samples: Tensor
    relations: Tensor
    size: Size
    """Of the layer's map."""
    weight: Tensor | None = None
    """How much each sampled place counts, N; None: all alike. A pair counts by both."""

    def read(self, features: Tensor, place: Place) -> Samples:
        """The same places of a part of a picture."""
        return sampled(features, self.samples, place, self.size)

    def loss(self, reading: Samples) -> Tensor:
        """The mean distance of shares, relative to that of a content in which all places are equally far apart."""
        own = relations(reading.in_order())
        indifferent = 1 / own.shape[1]
        away, spread = (own - self.relations).abs(), (self.relations - indifferent).abs()
        if self.weight is not None:
            pairs = torch.outer(self.weight, self.weight)
            away, spread = away * pairs, spread * pairs
        return away.sum() / (spread.sum() + EPSILON)


def relations(features: Tensor) -> Tensor:
    """BNC -> BNN, 1 - cosine, each column over its sum (Kolkin, Salavon, Shakhnarovich, arXiv 1904.12785, eq. 7)."""
    unit = directions(features)
    distances = (1 - unit @ unit.mT).clamp_min(0)
    return distances / distances.sum(1, keepdim=True).clamp_min(EPSILON)


def kept_relations(
    network: VGG19,
    content: Tensor,
    tiling: Tiling,
    *,
    layers: Sequence[str],
    seed: int,
    focus: float = 0.0,
    in_all_layers: bool = False,
) -> dict[str, ContentTarget]:
    """By layer: the self-similarity of a 1CHW content image, at places that the seed and the size decide.

    Relations among places that stand out count more, as in `kept_features`.
    """
    size = size_of(content)
    sizes = {name: network.map_size(name, size) for name in layers}
    places = {name: sample_places(one, seed).to(content.device) for name, one in sizes.items()}
    deepest = _deepest(network, layers)
    maps: dict[str, Tensor] = {}

    def read(name: str, features: Tensor, place: Place) -> Readings:
        if focus > 0 and name == deepest:
            _put(maps, name, features, place, sizes[name])
        return {name: sampled(features, places[name], place, sizes[name])} if name in layers else {}

    with torch.no_grad():
        found = read_layers(network, content, read, tiling)
        counted = layers if in_all_layers else [deepest]
        weights = _weights(maps[deepest], focus, counted, network, content) if focus > 0 else {}
        return {
            name: KeptRelations(
                places[name],
                relations(found[name].in_order()),
                sizes[name],
                _at_samples(weights.get(name), places[name]),
            )
            for name in layers
        }


def _at_samples(weight: Tensor | None, samples: Tensor) -> Tensor | None:
    return None if weight is None else weight[0, 0, samples[:, 0], samples[:, 1]]


def sample_places(size: Size, seed: int) -> Tensor:
    """Rows and columns of up to `MOST_SAMPLES` places of a map, N2; drawn on the CPU: the same on every device."""
    count = size.area_px
    drawn = torch.randperm(count, generator=torch.Generator().manual_seed(seed))[:MOST_SAMPLES]
    numbers = drawn.sort().values
    return torch.stack([numbers // size.width, numbers % size.width], 1)
