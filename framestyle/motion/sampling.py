"""Pictures as they look from another frame: 1CHW tensors sampled along a flow, and blurred, where they lie.

On the CPU by OpenCV; elsewhere by torch, for a frame's state of 1080p is 0.1 GB, there and back again.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Protocol

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from framestyle.motion.flow import FloatArray, beyond, places

LANCZOS_TAPS = 8
SIGMAS_SEEN = 4
"""A blur's kernel ends so many standard deviations from its middle."""

Tap = tuple[Tensor, Tensor]
"""Where to look, whole pixels from the one above or left of the place, and how much that counts: HW each."""


class Sampler(Protocol):
    """Looks up pictures at p + backward[p]. Beyond their edges they repeat."""

    inside: Tensor
    """11HW, bool: where that is not off the frame."""

    def sharp(self, picture: Tensor) -> Tensor:
        """1CHW; Lanczos of 8x8 keeps texture over many warps. It rings: values can leave their range."""

    def smooth(self, picture: Tensor) -> Tensor:
        """1CHW; linear: of what must not ring."""

    def nearest(self, picture: Tensor) -> Tensor:
        """1CHW, int16: of numbers that have nothing between them."""


def sampler(backward: FloatArray, device: torch.device) -> Sampler:
    """Along a flow HW2, for pictures on this device."""
    return HostSampler(backward) if device.type == "cpu" else DeviceSampler(backward, device)


class HostSampler:
    """By OpenCV, which takes places to the nearest thirty-second of a pixel."""

    def __init__(self, backward: FloatArray) -> None:
        self._places = places(backward)
        self.inside = torch.from_numpy(~beyond(*self._places))[None, None]

    def sharp(self, picture: Tensor) -> Tensor:
        return self._remapped(picture, cv2.INTER_LANCZOS4)

    def smooth(self, picture: Tensor) -> Tensor:
        return self._remapped(picture, cv2.INTER_LINEAR)

    def nearest(self, picture: Tensor) -> Tensor:
        return self._remapped(picture, cv2.INTER_NEAREST)

    def _remapped(self, picture: Tensor, interpolation: int) -> Tensor:
        """At most four channels at a time are quick; OpenCV drops the axis of a single one."""
        x, y = self._places
        pieces = [
            cv2.remap(_hwc(piece), x, y, interpolation, borderMode=cv2.BORDER_REPLICATE).reshape(*x.shape, -1)
            for piece in torch.split(picture, 3, dim=1)
        ]
        return _chw(np.concatenate(pieces, axis=2))


class DeviceSampler:
    """By torch, in one pass over the picture for each tap."""

    def __init__(self, backward: FloatArray, device: torch.device) -> None:
        flow = torch.from_numpy(np.ascontiguousarray(backward)).to(device)
        self._height, self._width = backward.shape[:2]
        self._y = flow[..., 1] + torch.arange(self._height, device=device, dtype=flow.dtype)[:, None]
        self._x = flow[..., 0] + torch.arange(self._width, device=device, dtype=flow.dtype)
        inside = _within(self._y, self._height) & _within(self._x, self._width)
        self.inside = inside[None, None]

    def sharp(self, picture: Tensor) -> Tensor:
        return self._sampled(picture, _lanczos)

    def smooth(self, picture: Tensor) -> Tensor:
        return self._sampled(picture, _linear)

    def nearest(self, picture: Tensor) -> Tensor:
        rows, columns = (
            _whole(place.round(), side) for place, side in ((self._y, self._height), (self._x, self._width))
        )
        return picture[..., rows, columns]

    def _sampled(self, picture: Tensor, taps: Callable[[Tensor], Sequence[Tap]]) -> Tensor:
        flat = picture[0].flatten(1)
        columns = [(_whole(place, self._width), weight) for place, weight in taps(self._x)]
        total = torch.zeros_like(picture[0])
        for row, of_row in ((_whole(place, self._height), weight) for place, weight in taps(self._y)):
            line = torch.zeros_like(total)
            for column, of_column in columns:
                line += of_column * flat[:, row * self._width + column]
            total += of_row * line
        return total[None]


def _within(place: Tensor, side: int) -> Tensor:
    return (place >= -0.5) & (place <= side - 0.5)


def _whole(place: Tensor, side: int) -> Tensor:
    return place.clamp(0, side - 1).long()


def _linear(place: Tensor) -> list[Tap]:
    before = place.floor()
    share = place - before
    return [(before, 1 - share), (before + 1, share)]


def _lanczos(place: Tensor) -> list[Tap]:
    """sinc(d) sinc(d/4) by the distance d, made to sum to 1."""
    before = place.floor()
    offsets = range(1 - LANCZOS_TAPS // 2, 1 + LANCZOS_TAPS // 2)
    distances = [place - before - offset for offset in offsets]
    weights = [torch.sinc(one) * torch.sinc(one / (LANCZOS_TAPS // 2)) for one in distances]
    total = torch.stack(weights).sum(0)
    return [(before + offset, weight / total) for offset, weight in zip(offsets, weights, strict=True)]


def blurred(picture: Tensor, sigma_px: float) -> Tensor:
    """1CHW under a Gaussian; beyond its edges it is mirrored, the last pixel too."""
    return (host_blurred if picture.device.type == "cpu" else device_blurred)(picture, sigma_px)


def host_blurred(picture: Tensor, sigma_px: float) -> Tensor:
    """By OpenCV."""
    soft = cv2.GaussianBlur(_hwc(picture), (0, 0), sigma_px, borderType=cv2.BORDER_REFLECT)
    return _chw(soft[..., None] if soft.ndim == 2 else soft)


def device_blurred(picture: Tensor, sigma_px: float) -> Tensor:
    """By torch, down and then across."""
    reach = math.ceil(SIGMAS_SEEN * sigma_px)
    kernel = torch.from_numpy(cv2.getGaussianKernel(2 * reach + 1, sigma_px, cv2.CV_32F)).to(picture)
    down = _mirrored(picture, reach, 2).transpose(0, 1)
    across = _mirrored(F.conv2d(down, kernel[None, None]), reach, 3)
    return F.conv2d(across, kernel.T[None, None]).transpose(0, 1)


def _mirrored(picture: Tensor, reach: int, axis: int) -> Tensor:
    side = picture.shape[axis]
    place = torch.arange(-reach, side + reach, device=picture.device) % (2 * side)
    return picture.index_select(axis, torch.minimum(place, 2 * side - 1 - place))


def _hwc(tensor: Tensor) -> FloatArray:
    return np.ascontiguousarray(tensor[0].permute(1, 2, 0).numpy())


def _chw(picture: FloatArray) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(picture.transpose(2, 0, 1)))[None]
