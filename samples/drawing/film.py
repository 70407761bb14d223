"""The darkroom: noise of the path tracer taken out, air put in, and the picture developed."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from .noise import Array, rgb
from .studio import Shot

Pixels = npt.NDArray[np.uint8]
_SPLINE = np.array([1, 2, 1], np.float32) / 4


def _shifted(image: Array, dy: int, dx: int) -> Array:
    """The image moved, its edge repeated."""
    rows = np.clip(np.arange(image.shape[0]) + dy, 0, image.shape[0] - 1)
    columns = np.clip(np.arange(image.shape[1]) + dx, 0, image.shape[1] - 1)
    return image[rows][:, columns]


def _calmed(light: Array) -> Array:
    """No pixel brighter or darker than all but one of those about it."""
    order = np.sort(np.stack([_shifted(light, dy, dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1)]), axis=0)
    return np.clip(light, order[1], order[-2])


def denoised(shot: Shot, strength: float = 1.0, levels: int = 4) -> Array:
    """Edge-avoiding wavelets over the light without its texture, guided by what each pixel shows."""
    base = np.where(shot.albedo.max(-1, keepdims=True) > 0.01, np.maximum(shot.albedo, 0.03), 1.0)
    light = _calmed(shot.light / base)
    variance = cv2.GaussianBlur(shot.variance / base.mean(-1) ** 2, (0, 0), 1.2)
    depth = np.where(shot.depth > 0, np.log(np.maximum(shot.depth, 1e-3)), 9)
    for level in range(levels):
        step = 2**level
        total, weights = np.zeros_like(light), np.zeros(depth.shape, np.float32)
        spread = np.zeros_like(weights)
        for i, wy in enumerate(_SPLINE):
            for j, wx in enumerate(_SPLINE):
                dy, dx = (i - 1) * step, (j - 1) * step
                near, near_variance = _shifted(light, dy, dx), _shifted(variance, dy, dx)
                apart = ((near - light) ** 2).mean(-1) / (
                    strength**2 * 2.0 * (variance + near_variance) + 1e-8
                )
                apart += ((_shifted(shot.normal, dy, dx) - shot.normal) ** 2).sum(-1) / 0.08
                apart += np.abs(_shifted(depth, dy, dx) - depth) / (0.02 * step)
                apart += ((_shifted(base, dy, dx) - base) ** 2).sum(-1) / 0.02
                weight = wy * wx * np.exp(-np.minimum(apart, 40))
                total += near * weight[..., None]
                spread += near_variance * weight**2
                weights += weight
        light, variance = total / weights[..., None], spread / weights**2
    return light * base


def hazed(picture: Array, depth: Array, air: Array, density: float) -> Array:
    """Behind so much air, that shines by itself; where nothing was hit the sky is left alone."""
    through = np.exp(-density * depth)[..., None] ** rgb(0.8, 1.0, 1.25)
    return np.where((depth > 0)[..., None], picture * through + air * (1 - through), picture)


def bloomed(picture: Array, part: float) -> Array:
    """Part of the light spread about, as in a lens."""
    height = picture.shape[0]
    wide = (
        sum(
            cv2.GaussianBlur(picture, (0, 0), height * s, borderType=cv2.BORDER_REPLICATE)
            for s in (0.006, 0.02, 0.06)
        )
        / 3
    )
    return picture * (1 - part) + wide * part


def softened(picture: Array, radius: float) -> Array:
    """Blurred, by a radius for a picture 640 pixels wide."""
    return cv2.GaussianBlur(picture, (0, 0), max(0.5, radius * picture.shape[1] / 640))


def _curve(x: Array) -> Array:
    """A filmic curve: a soft toe, a long shoulder."""
    return np.clip(x * (2.51 * x + 0.03) / (x * (2.43 * x + 0.59) + 0.14), 0, 1)


def developed(
    picture: Array,
    exposure: float,
    seed: list[int],
    grain: float = 0.012,
    bloom: float = 0.06,
    vignette: float = 0.25,
    warmth: Array | None = None,
) -> Pixels:
    """Linear light to 8-bit sRGB, with bloom, vignette, tone curve and grain."""
    height, width = picture.shape[:2]
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j].astype(np.float32)
    light = bloomed(np.clip(picture, 0, None).astype(np.float32), bloom)
    light = light * exposure * (1 - vignette * (x**2 + y**2) / 2)[..., None] ** 1.5
    if warmth is not None:
        light = light * warmth
    toned = _curve(0.6 * light)
    shown = np.where(toned < 0.0031308, 12.92 * toned, 1.055 * np.maximum(toned, 1e-6) ** (1 / 2.4) - 0.055)
    rng = np.random.default_rng(seed)
    speckle = cv2.GaussianBlur(rng.standard_normal((height, width, 1)).astype(np.float32), (0, 0), 0.6)
    speckle = (speckle / speckle.std())[..., None] * rgb(1, 1, 1)
    speckle = speckle + 0.35 * rng.standard_normal((height, width, 3)).astype(np.float32)
    strength = grain * (0.45 + 0.55 * np.sin(np.pi * np.clip(shown.mean(-1, keepdims=True), 0, 1)))
    return np.rint(255 * np.clip(shown + strength * speckle, 0, 1)).astype(np.uint8)
