"""A preset's style images, read for contents of any size: what each region is to look like."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from copy import copy
from functools import partial

from torch import Tensor

from framestyle.context import SILENT, Context
from framestyle.nst import color
from framestyle.nst.image import Size, size_of
from framestyle.nst.in_time import Blend, Ingredient, blends_at
from framestyle.nst.memory import TilingPlanner
from framestyle.nst.network.tiles import Readings
from framestyle.nst.network.vgg import VGG19
from framestyle.nst.statistics.base import Statistic
from framestyle.nst.targets import StyleTargetCache, StyleTargets, blended_targets, read_style
from framestyle.presets import Preset
from framestyle.presets.instants import Instant, looks_of
from framestyle.presets.sections import Style as StyleSection

READINGS_KEPT = 64
"""Of single style images at single sizes; of a frame's size a change needs a few."""


class Styles:
    """`images`: 1CHW in [0, 1], in the order of `preset.style.images`. The targets of sizes met last are kept.

    `of_looks`: the same of each preset that is cross-faded to. `layers`: all that any of them is read at.
    """

    def __init__(
        self,
        preset: Preset,
        network: VGG19,
        statistic: Statistic,
        images: Sequence[Tensor],
        layers: Sequence[str],
        of_looks: Sequence[Sequence[Tensor]] = (),
    ) -> None:
        self._preset, self._network, self._statistic = preset, network, statistic
        self._images, self._layers, self._of_looks = images, layers, of_looks
        self.regions = tuple(dict.fromkeys(image.region_color for image in preset.style.images))
        self.kept = StyleTargetCache()
        self._blends: list[Blend] | None = None
        self._reading = threading.Lock()
        self._readings: dict[tuple[int, Ingredient], Readings] = {}

    def at(self, instant: Instant) -> Styles:
        """The same at one instant of the preset's timeline. What was read of images is shared: it is only blended."""
        other = copy(self)
        other._blends = blends_at(self._preset, instant, self.regions)
        return other

    def of(
        self, content: Tensor, fitting: TilingPlanner, context: Context = SILENT
    ) -> tuple[StyleTargets, ...]:
        """Of each region. Kept for the areas last used; anew for each content where the style takes on its colours."""
        size = size_of(content)
        recolored = self._preset.color.preserve == "style_stats"
        if self._blends is not None:
            return self._blended(content if recolored else None, size, fitting, context)
        if recolored:
            images = [color.match_statistics(image, content) for image in self._images]
            return self._read(images, size, fitting, context)
        return self.kept.of(size.area_px, lambda: self._read(self._images, size, fitting, context))

    def by_region(self, images: Sequence[Tensor] | None = None) -> list[list[tuple[Tensor, float]]]:
        """The style images of each region, or others in their place, and their weights."""
        if self._blends is not None:
            return [[(self._image(one), share) for one, share in blend] for blend in self._blends]
        own = self._images if images is None else images
        described = list(zip(self._preset.style.images, own, strict=True))
        return [
            [(image, one.weight) for one, image in described if one.region_color == region]
            for region in self.regions
        ]

    def _read(
        self, images: Sequence[Tensor], size: Size, fitting: TilingPlanner, context: Context
    ) -> tuple[StyleTargets, ...]:
        """Of each region, for a content of that size."""
        style = self._preset.style

        def targets(own: Sequence[tuple[Tensor, float]]) -> StyleTargets:
            found = [
                (self._read_image(image, size, style.scale, style.turned, fitting, context), weight)
                for image, weight in own
            ]
            return blended_targets(found, self._layers, self._statistic)

        return tuple(map(targets, self.by_region(images)))

    def _read_image(
        self,
        image: Tensor,
        size: Size,
        scale: float,
        turned: bool,
        fitting: TilingPlanner,
        context: Context,
    ) -> Readings:
        """For a content of that size."""
        fit = partial(fitting.run, gradient=False, of="the style at ", context=context)
        return read_style(
            self._network, image, self._layers, self._statistic, size, scale, fit, turned=turned
        )

    # -- in time -------------------------------------------------------------------------------------------

    def _blended(
        self, like: Tensor | None, size: Size, fitting: TilingPlanner, context: Context
    ) -> tuple[StyleTargets, ...]:
        """Of each region, from the readings of its ingredients. `like`: the content whose colours they take on."""
        assert self._blends is not None
        blends = self._blends

        def make() -> tuple[StyleTargets, ...]:
            return tuple(
                blended_targets(
                    [(self._reading_of(one, like, size, fitting, context), share) for one, share in blend],
                    self._layers,
                    self._statistic,
                )
                for blend in blends
            )

        return self.kept.of((size.area_px, *blends), make) if like is None else make()

    def _reading_of(
        self, one: Ingredient, like: Tensor | None, size: Size, fitting: TilingPlanner, context: Context
    ) -> Readings:
        """Read once for each size, while it is among the last ones."""
        key = (size.area_px, one)
        with self._reading:
            known = self._readings.pop(key, None) if like is None else None
            found = known or self._read_one(one, like, size, fitting, context)
            if like is None:
                self._readings[key] = found
                while len(self._readings) > READINGS_KEPT:
                    del self._readings[next(iter(self._readings))]
        return found

    def _read_one(
        self, one: Ingredient, like: Tensor | None, size: Size, fitting: TilingPlanner, context: Context
    ) -> Readings:
        image = self._image(one)
        if like is not None:
            image = color.match_statistics(image, like)
        return self._read_image(image, size, one.scale, self._look_style(one).turned, fitting, context)

    def _look_style(self, one: Ingredient) -> StyleSection:
        return self._preset.style if one.look == 0 else looks_of(self._preset)[one.look - 1].style

    def _image(self, one: Ingredient) -> Tensor:
        return self._images[one.image] if one.look == 0 else self._of_looks[one.look - 1][one.image]
