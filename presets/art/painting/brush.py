"""Wet paint laid by a loaded brush, its relief, and the grain of supports."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from .base import Array, H, Rng, W, blur, fbm, fixed, grid, unit


@dataclass
class Canvas:
    """Wet paint: 8-bit colour, and the thickness it was laid with."""

    colour: Array
    height: Array

    @staticmethod
    def primed(image: Array) -> Canvas:
        """Return a canvas already toned with a picture."""
        return Canvas((np.clip(image, 0, 1) * 255).astype(np.uint8), np.full((H, W), 90, np.uint8))

    def picture(self) -> Array:
        """Return the colours as floats."""
        return self.colour.astype(np.float32) / 255


@dataclass
class Brush:
    """How a brush lays paint: length in widths, colour spread, dryness, ridges, layers and placement."""

    length: float = 4.0
    jitter: float = 0.05
    dry: float = 0.1
    spacing: float = 0.55
    cut: float = 0.28
    bristle: float = 2.4
    wander: float = 0.12
    fix: float = 0.0


def trace(angle: Array, starts: Array, length: Array | float, steps: int = 8) -> Array:
    """Follow a flow field from many starts at once; returns (n, steps + 1, 2) points."""
    path = np.empty((len(starts), steps + 1, 2), np.float32)
    path[:, 0] = starts
    previous = None
    stride = np.broadcast_to(np.asarray(length, np.float32) / steps, len(starts))[:, None]
    for k in range(steps):
        ix = np.clip(path[:, k, 0], 0, W - 1).astype(int)
        iy = np.clip(path[:, k, 1], 0, H - 1).astype(int)
        heading = np.stack([np.cos(angle[iy, ix]), np.sin(angle[iy, ix])], -1)
        if previous is not None:
            heading *= np.where((heading * previous).sum(-1, keepdims=True) < 0, -1, 1)
        path[:, k + 1] = path[:, k] + stride * heading
        previous = heading
    return path


def stroke(canvas: Canvas, rng: Rng, path: Array, width: float, colour: Array, brush: Brush) -> None:
    """Drag a loaded brush along a path: parallel bristles of varied tint and thickness, rounded ends."""
    tangent = np.gradient(path, axis=0)
    normal = np.stack([-tangent[:, 1], tangent[:, 0]], -1) / (
        np.linalg.norm(tangent, axis=1, keepdims=True) + 1e-6
    )
    n, m = max(3, int(width / brush.bristle)), len(path)
    across = np.linspace(-0.5, 0.5, n) + rng.normal(0, 0.3 / n, n)
    inset = (m - 1) * (0.22 * (2 * np.abs(across)) ** 2 + rng.uniform(0, 0.1, n))
    tail = inset + (m - 1) * rng.uniform(0, 0.15, n)
    dry = rng.random(n) < brush.dry
    inset = inset + dry * (m - 1) * rng.uniform(0, 0.5, n)
    tail = tail + dry * (m - 1) * rng.uniform(0, 0.4, n)
    at = np.clip(np.linspace(0, 1, m) * (m - 1 - inset - tail)[:, None] + inset[:, None], 0, m - 1)
    low = np.minimum(at.astype(int), m - 2)
    part = (at - low)[..., None]
    spine = path[low] * (1 - part) + path[low + 1] * part
    points = fixed(spine + normal[low] * (across * width)[:, None, None])
    tint = colour + rng.normal(0, brush.jitter, (n, 1)) + rng.normal(0, 0.4 * brush.jitter, (n, 3))
    tint = (np.clip(tint, 0, 1) * 255).astype(int).tolist()
    thick = np.clip(115 + 45 * rng.standard_normal(n) + 70 * np.abs(across), 20, 255).astype(int).tolist()
    wide = max(1, round(1.5 * width / n))
    for i in rng.permutation(n):
        cv2.polylines(canvas.colour, [points[i]], False, tint[i], wide, cv2.LINE_AA, 3)
        cv2.polylines(canvas.height, [points[i]], False, thick[i], wide, cv2.LINE_AA, 3)


def scatter(rng: Rng, spacing: float) -> Array:
    """Return shuffled points of a jittered grid that covers the canvas."""
    x, y = np.meshgrid(np.arange(-spacing, W + spacing, spacing), np.arange(-spacing, H + spacing, spacing))
    points = np.stack([x.ravel(), y.ravel()], -1) + rng.uniform(-0.6, 0.6, (x.size, 2)) * spacing
    return rng.permutation(points).astype(np.float32)


def lookup(image: Array, points: Array) -> Array:
    """Sample an image at (..., 2) pixel positions, clamped to the canvas."""
    ix = np.clip(points[..., 0], 0, W - 1).astype(int)
    iy = np.clip(points[..., 1], 0, H - 1).astype(int)
    return image[iy, ix]


def paint(
    canvas: Canvas,
    rng: Rng,
    scene: Array,
    angle: Array,
    width: float,
    brush: Brush,
    where: Array | None = None,
) -> None:
    """Lay one pass of strokes of one width over the canvas, colours from the scene, cut at its edges.

    With ``brush.fix`` above zero only places whose paint differs from the scene by more are touched;
    ``where`` gives the chance (0..1) that a stroke starts at a pixel.
    """
    starts = scatter(rng, width * brush.spacing)
    if where is not None:
        starts = starts[rng.random(len(starts)) < lookup(where, starts)]
    if brush.fix > 0:
        error = np.abs(blur(canvas.picture(), width / 3) - scene).sum(-1)
        starts = starts[lookup(error, starts) > brush.fix]
    soft = blur(scene, max(width / 6, 0.5))
    length = width * brush.length * rng.uniform(0.7, 1.3, len(starts)).astype(np.float32)
    paths = trace(angle + brush.wander * fbm(rng, 40, 2), starts, length)
    tints = lookup(soft, starts)
    strays = np.abs(lookup(soft, paths) - tints[:, None]).sum(-1) > brush.cut
    ends = np.where(strays.any(1), np.maximum(strays.argmax(1), 3), paths.shape[1])
    for path, end, tint in zip(paths, ends, tints, strict=True):
        shift = rng.normal(0, brush.jitter, 1) + rng.normal(0, brush.jitter, 3)
        stroke(canvas, rng, path[:end], width * rng.uniform(0.8, 1.2), tint + shift, brush)


def impasto(canvas: Canvas, relief: float = 1.0, gloss: float = 0.25, direction: float = -2.3) -> Array:
    """Light the paint's thickness from the side (upper left unless told) and return the picture."""
    height = blur(canvas.height.astype(np.float32) / 255, 0.9)
    gx = cv2.Sobel(height, cv2.CV_32F, 1, 0, ksize=3)
    gy = cv2.Sobel(height, cv2.CV_32F, 0, 1, ksize=3)
    slope = -(gx * np.cos(direction) + gy * np.sin(direction))
    shade = np.clip(-slope if direction is None else slope, -1, 1)[..., None]
    lit = canvas.picture() * (1 + 0.55 * relief * shade) + 0.06 * relief * shade
    return lit + gloss * np.clip(shade, 0, 1) ** 2


def emboss(height: Array, strength: float) -> Array:
    """Return a multiplicative side light for a float relief."""
    gx = cv2.Sobel(height.astype(np.float32), cv2.CV_32F, 1, 0, ksize=3)
    gy = cv2.Sobel(height.astype(np.float32), cv2.CV_32F, 0, 1, ksize=3)
    return 1 + strength * np.clip(gx + gy, -1, 1)


def paper_grain(rng: Rng, size: float = 4.0) -> Array:
    """Return the tooth of rough paper: a bumpy relief of unit deviation."""
    return unit(fbm(rng, size, 2) + 0.6 * np.abs(fbm(rng, size * 2.2, 2)) + 0.25 * fbm(rng, size * 9, 2))


def wood_grain(rng: Rng, rings: float = 26.0) -> Array:
    """Return -1..1 lines of plank grain, running across with knots."""
    _, y = grid()
    bend = 26 * fbm(rng, 330, 2, stretch=(2.5, 1)) + 3 * fbm(rng, 60, 2, stretch=(4, 1))
    lanes = (y + bend) / rings
    fine = fbm(rng, 3, 1, stretch=(30, 1))
    return np.sin(2 * np.pi * lanes) * 0.6 + 0.4 * np.clip(fine, -1.5, 1.5)
