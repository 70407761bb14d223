"""What is minimised for one content image at one scale, and its gradient, at whatever memory there is.

The network is read whole or in tiles (tiles.py); the result is the same.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import torch
from torch import Tensor

from framestyle.context import CheckCancelled, never_cancelled
from framestyle.errors import PresetError
from framestyle.nst import losses
from framestyle.nst.contents import ContentTargets
from framestyle.nst.image import size_of
from framestyle.nst.network.placement import Placement
from framestyle.nst.network.tiles import Box, Part, Place, Readings, Tiling, read_layers
from framestyle.nst.network.vgg import VGG19
from framestyle.nst.regions import weights_at_layers
from framestyle.nst.statistics.base import Compared, LayerMaps, Matching, Statistic, statistic_at
from framestyle.nst.targets import StyleTargets
from framestyle.presets import Preset
from framestyle.presets.timeline import Look

STRENGTH_SPAN = 30.0
"""`strength` 0 … 1 spans this factor of the content weight either way of the preset's own (at 0.5)."""


@dataclass(frozen=True, eq=False)
class TemporalTarget:
    """What the result should stay near: an earlier result warped to this frame, 1CHW, and its reliability, 11HW.

    With `cell_px` above 1 only the mean colours of cells of that size count; 0: of the whole frame.
    """

    warped: Tensor
    reliability: Tensor
    weight: float
    cell_px: int = 1


Temporal = Sequence[TemporalTarget]


@dataclass(frozen=True, eq=False)
class RegionStyle:
    """What one region should look like; where it lies at each layer, 11HW (None: everywhere); its share of all."""

    targets: StyleTargets
    weights: Mapping[str, Tensor] | None = None
    share: float = 1.0

    def matched(
        self,
        statistic: Matching,
        picture: LayerMaps,
        layer_weights: Mapping[str, float],
        before: Tensor | None = None,
    ) -> RegionStyle:
        """The same for a picture that looks like these features: see `Matching.matched`."""
        found = statistic.matched(self.targets, Compared(picture, self.weights, layer_weights, before))
        return replace(self, targets=found)

    def read(self, layer: str, features: Tensor, place: Place) -> Any:
        """The reading of a layer's features at a place, BCHW."""
        weight = None if self.weights is None else self.weights[layer][..., place[0], place[1]]
        return self.targets[layer].read(features, weight, place)

    def loss(self, layer: str, reading: Any) -> Tensor:
        """By its share: a pixel is drawn as hard as if its style were everywhere."""
        return self.share * self.targets[layer].loss(reading)


def region_styles(
    targets: Sequence[StyleTargets],
    weights: Tensor,
    placement: Placement | None,
    layers: Collection[str],
) -> tuple[RegionStyle, ...]:
    """Of the regions that a content has: those with a share in `weights`, 1RHW at the content's size."""
    placed = weights if placement is None else placement.of(weights)
    parts = zip(targets, torch.split(placed, 1, dim=1), weights.mean((0, 2, 3)).cpu().tolist(), strict=True)
    return tuple(
        RegionStyle(target, weights_at_layers(weight, layers), share)
        for target, weight, share in parts
        if share > 0
    )


def strength_factor(strength: float) -> float:
    """What `strength`, 0 to 1, multiplies the content weight by."""
    return float(STRENGTH_SPAN ** (1 - 2 * strength))


@dataclass(frozen=True)
class LossWeights:
    """Of the parts, and of the layers within them."""

    content: float
    style: float
    tv: float
    content_layers: Mapping[str, float]
    style_layers: Mapping[str, float]

    @classmethod
    def of(cls, preset: Preset | Look, statistic: Statistic) -> LossWeights:
        """As a preset says: with its `strength`, and style layers that sum to 1; the 2015 form keeps its w_l."""
        content = preset.content.weight
        if preset.strength is not None:
            content *= strength_factor(preset.strength)
        layers = {
            name: weight
            for name, weight in preset.style.layers.items()
            if statistic_at(statistic, name) is not None
        }
        if not layers:
            raise PresetError(
                f"style.statistic {preset.style.statistic} uses none of style.layers",
                next_step="Name finer layers, such as relu3_1.",
            )
        total = 1.0 if statistic.as_in_2015 else sum(layers.values())
        return cls(
            content,
            preset.style.weight,
            preset.tv_weight,
            preset.content.layers,
            {name: weight / total for name, weight in layers.items()},
        )


@dataclass(frozen=True, eq=False)
class Objective:
    """All that the loss of one content image at one scale, at one place on the pooling grid, is made from."""

    weights: LossWeights
    content: ContentTargets
    """What of the content must stay, at this place."""
    style: Sequence[RegionStyle]
    temporal: Sequence[TemporalTarget]
    placement: Placement | None = None
    """None: at the origin, with no margin."""

    def placed(self, image: Tensor) -> Tensor:
        """The picture as the network is shown it."""
        return image if self.placement is None else self.placement.of(image)

    @property
    def part_names(self) -> tuple[str, ...]:
        """Of the weighted losses, in the order in which they are given."""
        of_pixels = {"tv": self.weights.tv > 0, "temporal": bool(self.temporal)}
        return ("content", "style", *(name for name, counts in of_pixels.items() if counts))


def loss_parts(network: VGG19, image: Tensor, objective: Objective, tiling: Tiling) -> dict[str, Tensor]:
    """Weighted losses by name; their sum is what is minimised."""
    with torch.no_grad():
        return {
            **_network_parts(network, objective.placed(image), objective, tiling),
            **_pixel_parts(image, objective),
        }


def loss_and_gradient(
    network: VGG19,
    image: Tensor,
    objective: Objective,
    tiling: Tiling,
    check_cancelled: CheckCancelled = never_cancelled,
) -> tuple[Tensor, Tensor]:
    """Gradient 1CHW, and the weighted losses, `part_names`, as one vector; both on the device.

    `check_cancelled` is asked before each tile: of a large picture a step takes minutes.
    """
    leaf = image.detach().requires_grad_(True)
    of_pixels = _pixel_parts(leaf, objective)
    if of_pixels:
        (gradient,) = torch.autograd.grad(_total(of_pixels), leaf)
    else:
        gradient = torch.zeros_like(image)
    placement = objective.placement
    placed = objective.placed(image.detach())
    placed_gradient = gradient if placement is None else torch.zeros_like(placed)

    def part_of(box: Box, image: Tensor) -> Tensor:
        check_cancelled()
        # Tiles overlap: what a pixel does to each of them adds up.
        part = box.of(image).detach().requires_grad_(True)
        hand_over = partial(_hand_over, gradient=box.of(placed_gradient))
        part.register_post_accumulate_grad_hook(hand_over)  # type: ignore[no-untyped-call]
        return part

    parts = _network_parts(network, placed, objective, tiling, part_of)
    _total(parts).backward()  # type: ignore[no-untyped-call]
    if placement is not None:
        gradient += placement.gathered(placed_gradient, size_of(image))
    parts |= of_pixels
    return gradient, torch.stack([parts[name].detach() for name in objective.part_names])


def _hand_over(part: Tensor, gradient: Tensor) -> None:
    assert part.grad is not None
    gradient += part.grad
    part.grad = None


def _total(parts: Mapping[str, Tensor]) -> Tensor:
    return torch.stack(list(parts.values())).sum()


def _network_parts(
    network: VGG19, image: Tensor, objective: Objective, tiling: Tiling, part: Part = Box.of
) -> dict[str, Tensor]:
    """The losses that the network sees: content and style."""
    weights = objective.weights

    def read(name: str, features: Tensor, place: Place) -> Readings:
        found: Readings = {}
        if name in weights.style_layers:
            for number, region in enumerate(objective.style):
                found[f"style {number} {name}"] = region.read(name, features, place)
        if name in weights.content_layers:
            found[f"content {name}"] = objective.content[name].read(features, place)
        return found

    found = read_layers(network, image, read, tiling, part)
    content = style = torch.zeros((), device=network.shift.device)
    for name, weight in weights.content_layers.items():
        content = content + weight * objective.content[name].loss(found[f"content {name}"])
    for name, weight in weights.style_layers.items():
        for number, region in enumerate(objective.style):
            style = style + weight * region.loss(name, found[f"style {number} {name}"])
    return {"content": weights.content * content, "style": weights.style * style}


def _pixel_parts(image: Tensor, objective: Objective) -> dict[str, Tensor]:
    """The losses on the picture itself: total variation and temporal."""
    found: dict[str, Tensor] = {}
    if "tv" in objective.part_names:
        found["tv"] = objective.weights.tv * losses.total_variation_loss(image)
    if "temporal" in objective.part_names:
        found["temporal"] = torch.stack(
            [
                one.weight * losses.temporal_loss(image, one.warped, one.reliability, one.cell_px)
                for one in objective.temporal
            ]
        ).sum()
    return found
