"""What a stylized picture takes of its content once it is painted: colours, and all that no style is for."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from torch import Tensor

from framestyle.nst import color
from framestyle.nst.image import size_of
from framestyle.nst.regions import resized_weights

_OF_CONTENT: Mapping[str, Callable[[Tensor, Tensor], Tensor]] = {
    "luminance": lambda image, content: color.with_luminance_of(content, image),
    "histogram": color.match_histogram,
    "content_stats": color.match_statistics,
}
"""By `color.preserve`."""


def takes_of_content(preserve: str, mask_weights: Tensor | None) -> bool:
    """Whether `with_content` changes anything."""
    return preserve in _OF_CONTENT or mask_weights is not None


def with_content(image: Tensor, content: Tensor, preserve: str, mask_weights: Tensor | None) -> Tensor:
    """The picture in the content's colours, as `color.preserve` says, and the content itself outside of all regions.

    `image` and `content`: 1CHW in [0, 1]; `mask_weights`: 1RHW, of every region (`regions.region_weights`).
    """
    if (recolor := _OF_CONTENT.get(preserve)) is not None:
        image = recolor(image, content)
    if mask_weights is not None:
        styled = resized_weights(mask_weights, size_of(content)).sum(1, keepdim=True)
        image = content.lerp(image, styled.clamp(0, 1))
    return image
