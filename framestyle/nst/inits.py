"""The pixels that the smallest scale starts from, by the name that `optimizer.init` gives.

An init is a function of a `Start`; others come as plugins (docs/extending.md). A picture's path is no name: see
`from_picture`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor

from framestyle.nst import color
from framestyle.nst.image import resize, size_of
from framestyle.registries import INITS

GRAY_NOISE = 0.04
"""Range of the noise in the `gray` init."""


@dataclass(frozen=True, eq=False)
class Start:
    """What an init can make the first pixels of: the content at the smallest scale and the style images, 1CHW in
    [0, 1], on the device; the seed."""

    content: Tensor
    style_images: Sequence[Tensor]
    seed: int

    def noise(self) -> Tensor:
        """Uniform in [0, 1), of the content's size. Drawn on the CPU: the same on every device."""
        generator = torch.Generator().manual_seed(self.seed)
        return torch.rand(self.content.shape, generator=generator).to(self.content.device)


Init = Callable[[Start], Tensor]
"""The first pixels, 1CHW in [0, 1], of the content's size."""


def from_content(start: Start) -> Tensor:
    """The content itself."""
    return start.content


def from_gray(start: Start) -> Tensor:
    """A trace of noise: at exactly mid-grey every unit of a backbone centred there is dead, its gradient zero."""
    return 0.5 + GRAY_NOISE * (start.noise() - 0.5)


def from_style_colors(start: Start) -> Tensor:
    """The content with the first style image's colours."""
    return color.match_statistics(start.content, start.style_images[0])


def from_noise(start: Start) -> Tensor:
    """White noise."""
    return start.noise()


def from_picture(picture: Tensor) -> Init:
    """A picture of one's own, stretched over the content."""
    return lambda start: resize(picture.to(start.content.device), size_of(start.content))


def init_of(name: str, picture: Tensor | None = None) -> Init:
    """The registered init of that name; of any other name, which is a path, the picture.

    ValueError where that is missing; PresetError where the init is a plugin's, and that breaks.
    """
    if name in INITS:
        return _checked(name, cast("Init", INITS.load(name)))
    if picture is None:
        raise ValueError(f"init {name!r} needs an init_image")
    return from_picture(picture)


def _checked(name: str, make: Init) -> Init:
    def made(start: Start) -> Tensor:
        with INITS.blamed(name):
            image = make(start)
            if not isinstance(image, Tensor) or image.shape != start.content.shape:
                raise ValueError(f"it must give a picture of {tuple(start.content.shape)}")
        return image

    return made
