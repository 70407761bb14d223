"""What a stylized picture takes of its content once it is painted: colours, and all that no style is for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from framestyle.nst import color
from framestyle.nst.image import size_of
from framestyle.nst.regions import resized_weights
from framestyle.nst.statistics.sums import EPSILON
from framestyle.presets.schema import Color

_OF_CONTENT: Mapping[str, Callable[[Tensor, Tensor], Tensor]] = {
    "luminance": lambda image, content: color.with_luminance_of(content, image),
    "histogram": color.match_histogram,
    "content_stats": color.match_statistics,
}
"""By `color.preserve`."""

RegionPictures = Sequence[Sequence[tuple[Tensor, float]]]
"""Of each region its style images, 1CHW in [0, 1], and their weights."""


@dataclass(frozen=True, eq=False)
class Finish:
    """What a preset's colours ask for. `styles`: of every region, in the order of the mask's weights."""

    colors: Color
    styles: RegionPictures
    mix: float = 1.0
    """How much of the painted picture is shown, the rest being the content."""

    def needs_content(self, mask_weights: Tensor | None) -> bool:
        """Whether `of` changes anything."""
        of_colors = self.colors.match or self.colors.preserve in _OF_CONTENT
        return of_colors or mask_weights is not None or self.mix < 1

    def of(self, image: Tensor, content: Tensor, mask_weights: Tensor | None) -> Tensor:
        """The picture in the colours that are asked for, and the content itself outside of all regions.

        `image` and `content`: 1CHW in [0, 1]; `mask_weights`: 1RHW, of every region (`regions.region_weights`).
        """
        weights = None if mask_weights is None else resized_weights(mask_weights, size_of(content))
        painted = image
        if self.colors.match:
            image = color.with_luminance_of(self._matched(content, weights), image)
        elif (recolor := _OF_CONTENT.get(self.colors.preserve)) is not None:
            image = recolor(image, content)
        if self.colors.share < 1:
            image = painted.lerp(image, self.colors.share)
        if weights is not None:
            image = content.lerp(image, weights.sum(1, keepdim=True).clamp(0, 1))
        return image if self.mix == 1 else content.lerp(image, self.mix)

    def _matched(self, content: Tensor, weights: Tensor | None) -> Tensor:
        """The content moved to the colours of the styles: each region to its own, of several images by weight."""
        if weights is None:
            return _moved(content, self.styles[0])
        found = torch.zeros_like(content)
        for number, styles in enumerate(self.styles):
            found += weights[:, number : number + 1] * _moved(content, styles)
        return found / weights.sum(1, keepdim=True).clamp_min(EPSILON)


def _moved(content: Tensor, styles: Sequence[tuple[Tensor, float]]) -> Tensor:
    """To the colours of one region's style images, by their weights."""
    total = sum(weight for _, weight in styles)
    found = torch.zeros_like(content)
    for image, weight in styles:
        found += weight / total * color.match_statistics(content, image)
    return found
