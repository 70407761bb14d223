"""Style targets: what a stylized picture should have, per layer; and those that are kept for sizes met before."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from functools import partial

import torch
from torch import Tensor

from framestyle.nst.image import Size, resize, size_of, with_area
from framestyle.nst.network.tiles import Fit, Place, Readings, as_a_whole, read_layers
from framestyle.nst.network.vgg import VGG19
from framestyle.nst.statistics.base import Matching, Statistic, StyleTarget, statistic_at

AREAS_KEPT = 24
"""Areas whose style targets are kept, about 5 MB each: more than one picture's scales, fewer than a folder's sizes."""

StyleTargets = Mapping[str, StyleTarget]
"""By layer."""


def style_targets(
    network: VGG19,
    images: Sequence[tuple[Tensor, float]],
    layers: Sequence[str],
    statistic: Statistic,
    content_size: Size,
    style_scale: float,
    fit: Fit = as_a_whole,
) -> dict[str, StyleTarget]:
    """Targets at one scale of the content: each style image resized to the content's area times `style_scale`².

    Several images blend by weight, as the statistic does it. `fit` chooses how each is read.
    """

    kinds = {name: statistic_at(statistic, name) for name in layers}

    def read(name: str, features: Tensor, place: Place) -> Readings:
        return {name: kinds[name].read(features, place)} if name in layers else {}

    total = sum(weight for _, weight in images)
    found: list[tuple[Readings, float]] = []
    with torch.no_grad():
        for image, weight in images:
            size = with_area(size_of(image), content_size.area_px * style_scale**2)
            resized = resize(image, size)
            found.append((fit(size, partial(read_layers, network, resized, read)), weight / total))
        targets = {
            name: kind.target([(readings[name], share) for readings, share in found])
            for name, kind in kinds.items()
        }
        return dict(statistic.joined(targets)) if isinstance(statistic, Matching) else targets


class StyleTargetCache:
    """Keeps the targets of the areas last used: a content's shape does not matter to them. For several threads."""

    def __init__(self) -> None:
        self._reading = threading.Lock()
        self._kept: dict[int, tuple[StyleTargets, ...]] = {}

    def __len__(self) -> int:
        return len(self._kept)

    def of(self, area_px: int, make: Callable[[], tuple[StyleTargets, ...]]) -> tuple[StyleTargets, ...]:
        """Of each region, for contents of that area; made where they are not kept, by one thread for all."""
        with self._reading:
            # The last used stand last.
            known = self._kept.pop(area_px, None)
            self._kept[area_px] = targets = known or make()
            if len(self._kept) > AREAS_KEPT:
                del self._kept[next(iter(self._kept))]
        return targets
