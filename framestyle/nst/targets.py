"""Style targets: what a stylized picture should have, per layer; and those that are kept for sizes met before."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import fields
from functools import partial
from typing import Any

import torch
from torch import Tensor

from framestyle.nst.image import Size, resize, size_of, with_area
from framestyle.nst.network.tiles import Fit, Place, Readings, add_readings, as_a_whole, read_layers
from framestyle.nst.network.vgg import VGG19
from framestyle.nst.statistics.base import Matching, Statistic, StyleTarget, statistic_at

AREAS_KEPT = 24
"""Areas whose style targets are kept, if they are about 5 MB each: more than one picture's scales, fewer than a
folder's sizes."""
BYTES_KEPT = 256 << 20
"""Of larger ones fewer are kept; the last is whatever it takes."""

StyleTargets = Mapping[str, StyleTarget]
"""By layer."""


def read_style(
    network: VGG19,
    image: Tensor,
    layers: Sequence[str],
    statistic: Statistic,
    content_size: Size,
    style_scale: float,
    fit: Fit = as_a_whole,
    *,
    turned: bool = False,
) -> Readings:
    """One style image's readings by layer, at one scale of the content: resized to its area times `style_scale`².

    `fit` chooses how it is read. `turned`: also by quarter turns and mirrored, as if all of these were parts of one
    picture.
    """
    kinds = _kinds(layers, statistic)

    def read(name: str, features: Tensor, place: Place) -> Readings:
        return {name: kinds[name].read(features, place)} if name in kinds else {}

    readings: Readings = {}
    with torch.no_grad():
        resized = resize(image, with_area(size_of(image), content_size.area_px * style_scale**2))
        for view in _views(resized) if turned else (resized,):
            add_readings(readings, fit(size_of(view), partial(read_layers, network, view, read)))
    return readings


def blended_targets(
    found: Sequence[tuple[Readings, float]], layers: Sequence[str], statistic: Statistic
) -> dict[str, StyleTarget]:
    """Targets of what was read of several images and their weights, which blend as the statistic does it."""
    total = sum(weight for _, weight in found)
    found = [(readings, weight / total) for readings, weight in found]
    with torch.no_grad():
        targets = {
            name: kind.target([(readings[name], share) for readings, share in found])
            for name, kind in _kinds(layers, statistic).items()
        }
        return dict(statistic.joined(targets)) if isinstance(statistic, Matching) else targets


def _kinds(layers: Sequence[str], statistic: Statistic) -> dict[str, Statistic]:
    return {name: kind for name in layers if (kind := statistic_at(statistic, name)) is not None}


def _views(image: Tensor) -> Iterator[Tensor]:
    """By quarter turns, and each of these mirrored."""
    for quarters in range(4):
        view = torch.rot90(image, quarters, (2, 3))
        yield from (view, view.flip(3))


class StyleTargetCache:
    """Keeps the targets of the areas last used: a content's shape does not matter to them. For several threads."""

    def __init__(self) -> None:
        self._reading = threading.Lock()
        self._kept: dict[Hashable, tuple[StyleTargets, ...]] = {}

    def __len__(self) -> int:
        return len(self._kept)

    def of(self, area: Hashable, make: Callable[[], tuple[StyleTargets, ...]]) -> tuple[StyleTargets, ...]:
        """Of each region, for contents of that area; made where they are not kept, by one thread for all.

        `area`: in pixels, with whatever else tells them apart.
        """
        with self._reading:
            # The last used stand last.
            known = self._kept.pop(area, None)
            self._kept[area] = targets = known or make()
            while len(self._kept) > 1 and not self._within_bounds():
                del self._kept[next(iter(self._kept))]
        return targets

    def _within_bounds(self) -> bool:
        held = sum(
            _bytes_of(one) for targets in self._kept.values() for own in targets for one in own.values()
        )
        return len(self._kept) <= AREAS_KEPT and held <= BYTES_KEPT


def _bytes_of(target: Any) -> int:
    """Of the tensors in a dataclass."""
    values = [getattr(target, one.name) for one in fields(target)]
    return sum(one.nbytes for one in values if isinstance(one, Tensor))
