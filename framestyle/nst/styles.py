"""A preset's style images, read for contents of any size: what each region is to look like."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from torch import Tensor

from framestyle.context import SILENT, Context
from framestyle.nst import color
from framestyle.nst.image import Size, size_of
from framestyle.nst.memory import TilingPlanner
from framestyle.nst.network.vgg import VGG19
from framestyle.nst.statistics.base import Statistic
from framestyle.nst.targets import StyleTargetCache, StyleTargets, style_targets
from framestyle.presets import Preset


class Styles:
    """`images`: 1CHW in [0, 1], in the order of `preset.style.images`. The targets of sizes met last are kept."""

    def __init__(
        self,
        preset: Preset,
        network: VGG19,
        statistic: Statistic,
        images: Sequence[Tensor],
        layers: Sequence[str],
    ) -> None:
        self._preset, self._network, self._statistic = preset, network, statistic
        self._images, self._layers = images, layers
        self.regions = tuple(dict.fromkeys(image.region_color for image in preset.style.images))
        self.kept = StyleTargetCache()

    def of(
        self, content: Tensor, fitting: TilingPlanner, context: Context = SILENT
    ) -> tuple[StyleTargets, ...]:
        """Of each region. Kept for the areas last used; anew for each content where the style takes on its colours."""
        size = size_of(content)
        if self._preset.color.preserve == "style_stats":
            images = [color.match_statistics(image, content) for image in self._images]
            return self._read(images, size, fitting, context)
        return self.kept.of(size.area_px, lambda: self._read(self._images, size, fitting, context))

    def by_region(self, images: Sequence[Tensor] | None = None) -> list[list[tuple[Tensor, float]]]:
        """The style images of each region, or others in their place, and their weights."""
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
        fit = partial(fitting.run, gradient=False, of="the style at ", context=context)
        style = self._preset.style
        return tuple(
            style_targets(
                self._network,
                own,
                self._layers,
                self._statistic,
                size,
                style.scale,
                fit,
                turned=style.turned,
            )
            for own in self.by_region(images)
        )
