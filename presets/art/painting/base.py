"""Canvas size, colour, noise and shapes that every painting is made of.

Colours are RGB, float32 in 0..1. Masks are (H, W) floats in 0..1. Only numpy and OpenCV are used.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

W, H = 960, 768
Array = np.ndarray
Rng = np.random.Generator


def rgb(*codes: str) -> Array:
    """Turn hex colours ("1a2b3c") into an (n, 3) float array."""
    return np.array([[int(c[i : i + 2], 16) for i in (0, 2, 4)] for c in codes], np.float32) / 255


def grid() -> tuple[Array, Array]:
    """Return the x and y pixel coordinates of the working canvas."""
    x, y = np.meshgrid(np.arange(W, dtype=np.float32), np.arange(H, dtype=np.float32))
    return x, y


def flat(colour: Array) -> Array:
    """Return a canvas filled with one colour."""
    return np.broadcast_to(np.asarray(colour, np.float32).reshape(3), (H, W, 3)).copy()


def smoothstep(low: float, high: float, value: Array) -> Array:
    """Return the cubic 0..1 ramp of ``value`` between ``low`` and ``high`` (which may be swapped)."""
    t = np.clip((value - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


def mix(under: Array, over: Array, alpha: Array) -> Array:
    """Lay ``over`` (picture or colour) on ``under`` through an (H, W) alpha mask."""
    a = np.asarray(alpha, np.float32)[..., None]
    return (under * (1 - a) + over * a).astype(np.float32)


def ramp(t: Array, colours: Array) -> Array:
    """Map values 0..1 onto a piecewise linear colour ramp."""
    stops = np.linspace(0, 1, len(colours))
    return np.stack([np.interp(t, stops, colours[:, c]) for c in range(3)], -1).astype(np.float32)


def blur(image: Array, sigma: float) -> Array:
    """Gaussian blur."""
    return cv2.GaussianBlur(image, (0, 0), sigma)


def fbm(
    rng: Rng, scale: float, octaves: int = 4, gain: float = 0.5, stretch: tuple[float, float] = (1, 1)
) -> Array:
    """Return fractal noise of zero mean and unit deviation; ``scale`` is the largest feature in pixels."""
    total = np.zeros((H, W), np.float32)
    for octave in range(octaves):
        size = max(scale / 2**octave, 1.0)
        shape = (int(H / (size * stretch[1])) + 3, int(W / (size * stretch[0])) + 3)
        lattice = rng.standard_normal(shape).astype(np.float32)
        total += gain**octave * cv2.resize(lattice, (W, H), interpolation=cv2.INTER_CUBIC)
    return (total - total.mean()) / (total.std() + 1e-6)


def smear(image: Array, angle: Array, steps: int, stride: float = 1.5) -> Array:
    """Average an image along a flow field (line integral convolution)."""
    total = image.astype(np.float32).copy()
    dx, dy = np.cos(angle).astype(np.float32), np.sin(angle).astype(np.float32)
    for sign in (-1, 1):
        px, py = grid()
        for _ in range(steps):
            ux = cv2.remap(dx, px, py, cv2.INTER_NEAREST, borderMode=cv2.BORDER_REFLECT)
            uy = cv2.remap(dy, px, py, cv2.INTER_NEAREST, borderMode=cv2.BORDER_REFLECT)
            px, py = px + sign * stride * ux, py + sign * stride * uy
            total += cv2.remap(image, px, py, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    return total / (2 * steps + 1)


def warp(image: Array, rng: Rng, amount: float, scale: float, octaves: int = 3) -> Array:
    """Displace an image by noise, ``amount`` pixels in deviation."""
    x, y = grid()
    dx, dy = amount * fbm(rng, scale, octaves), amount * fbm(rng, scale, octaves)
    return cv2.remap(image, x + dx, y + dy, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)


def unit(values: Array) -> Array:
    """Rescale values to unit deviation and zero mean."""
    return (values - values.mean()) / (values.std() + 1e-6)


# ---------------------------------------------------------------------------------------------- shapes


def spline(points: Sequence[tuple[float, float]], per: int = 12, closed: bool = False) -> Array:
    """Return a Catmull-Rom curve through points given in 0..1, as pixel coordinates."""
    p = np.array(points, np.float32) * (W, H)
    p = np.vstack([p[-1:], p, p[:2]]) if closed else np.vstack([2 * p[0] - p[1], p, 2 * p[-1] - p[-2]])
    t = np.linspace(0, 1, per, endpoint=False)[:, None]
    parts = []
    for a, b, c, d in zip(p, p[1:], p[2:], p[3:], strict=False):
        cubic = (3 * (b - c) + d - a) * t**3 + (2 * a - 5 * b + 4 * c - d) * t**2
        parts.append(0.5 * (2 * b + (c - a) * t + cubic))
    return np.vstack(parts if closed else [*parts, p[-2:-1]])


def fixed(points: Array) -> Array:
    """Turn float points into the fixed-point form (3 fractional bits) that OpenCV draws."""
    return np.round(np.asarray(points) * 8).astype(np.int32)


def fill(points: Array) -> Array:
    """Return the 0..1 mask of a polygon in pixel coordinates."""
    mask = np.zeros((H, W), np.uint8)
    cv2.fillPoly(mask, [fixed(points)], 255, cv2.LINE_AA, 3)
    return mask.astype(np.float32) / 255


def area(points: Sequence[tuple[float, float]]) -> Array:
    """Return the mask of a smooth closed shape through points given in 0..1."""
    return fill(spline(points, closed=True))


def lines(paths: Sequence[Array], width: float | Sequence[float], closed: bool = False) -> Array:
    """Return the mask of drawn pen lines."""
    mask = np.zeros((H, W), np.uint8)
    widths = [width] * len(paths) if np.isscalar(width) else width
    for path, wide in zip(paths, widths, strict=True):
        cv2.polylines(mask, [fixed(path)], closed, 255, max(1, round(wide)), cv2.LINE_AA, 3)
    return mask.astype(np.float32) / 255


def disc(cx: float, cy: float, radius: float, aspect: float = 1.0) -> Array:
    """Return the soft-edged mask of an ellipse; centre in 0..1, radius in pixels."""
    x, y = grid()
    return smoothstep(radius + 1, radius - 1, np.hypot(x - cx * W, (y - cy * H) / aspect))


def skyline(rng: Rng, base: float, rise: float, scale: float, octaves: int = 4) -> tuple[Array, Array]:
    """Return the mask below a noisy ridge and the depth in pixels below it."""
    _, y = grid()
    depth = y - H * (base + rise * fbm(rng, scale, octaves)[:1])
    return smoothstep(-1, 1, depth), depth


def distance(mask: Array) -> Array:
    """Return the distance in pixels from each set pixel of a mask to the nearest unset one."""
    return cv2.distanceTransform((mask > 0.5).astype(np.uint8), cv2.DIST_L2, 5)


def borders(labels: Array) -> Array:
    """Return True where a label image changes."""
    edge = np.zeros(labels.shape, bool)
    edge[:, 1:] |= labels[:, 1:] != labels[:, :-1]
    edge[1:] |= labels[1:] != labels[:-1]
    return edge


def cells(rng: Rng, count: int, jitter: float = 0.0, scale: float = 60) -> tuple[Array, Array]:
    """Return Voronoi labels of random sites and the (noisy) distance to the nearest cell border."""
    seeds = np.full((H, W), 255, np.uint8)
    seeds[rng.integers(0, H, count), rng.integers(0, W, count)] = 0
    _, labels = cv2.distanceTransformWithLabels(seeds, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    if jitter:
        x, y = grid()
        dx, dy = jitter * fbm(rng, scale), jitter * fbm(rng, scale)
        px = np.clip(x + dx, 0, W - 1).astype(int)
        py = np.clip(y + dy, 0, H - 1).astype(int)
        labels = labels[py, px]
    return labels, distance(~borders(labels))
