"""Paint the fourteen preset style artworks, each from its own seed.

Usage: ``python presets/art/paint.py [NAME...] [--out DIR]``

Paintings are drawn at 960x768 (sheets at 640x512) and saved at 640x512. Colours are RGB, float32 in 0..1, except on a
``Canvas``, whose 8-bit layers are what OpenCV's anti-aliased line drawing needs. Only numpy and OpenCV are used,
and every painting owns its random generator, so the pictures do not depend on the order they are made in.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

W, H = 960, 768
OUT_SIZE = (640, 512)
MAX_BYTES = 200_000
Array = np.ndarray
Rng = np.random.Generator


# ---------------------------------------------------------------------------------------------- colour and noise


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


def fbm(rng: Rng, scale: float, octaves: int = 4, gain: float = 0.5, stretch: tuple[float, float] = (1, 1)) -> Array:
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


# ---------------------------------------------------------------------------------------------- brush


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
    normal = np.stack([-tangent[:, 1], tangent[:, 0]], -1) / (np.linalg.norm(tangent, axis=1, keepdims=True) + 1e-6)
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


def paint(canvas: Canvas, rng: Rng, scene: Array, angle: Array, width: float, brush: Brush, where: Array | None = None) -> None:
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


# ---------------------------------------------------------------------------------------------- oil paintings


def vortex_field(eddies: Sequence[tuple[float, float, float, float]], wave: float = 0.35) -> Array:
    """Return the angle of a rightward drift stirred by eddies (cx, cy, radius px, spin)."""
    x, y = grid()
    fx, fy = np.ones_like(x), wave * np.sin(x / 130 + y / 70)
    for cx, cy, radius, spin in eddies:
        dx, dy = (x - cx * W) / radius, (y - cy * H) / radius
        pull = 3.2 * spin * np.exp(-(dx**2 + dy**2) / 2.6)
        fx, fy = fx - pull * dy, fy + pull * dx
    return np.arctan2(fy, fx)


def nightswirl(rng: Rng) -> Array:
    """A stirred night sky over a village: long impasto strokes along a field of eddies."""
    x, y = grid()
    stars = [(0.12, 0.15, 52), (0.33, 0.09, 40), (0.55, 0.13, 44), (0.24, 0.42, 40), (0.70, 0.30, 40),
             (0.66, 0.07, 34), (0.93, 0.43, 40), (0.42, 0.50, 30)]
    eddies = [(cx, cy, 1.25 * r, 1.0) for cx, cy, r in stars] + [(0.87, 0.16, 105, 1.1)]
    eddies += [(0.46, 0.30, 120, 1.3), (0.60, 0.43, 75, -1.2)]
    angle = vortex_field(eddies)
    bands = unit(smear(fbm(rng, 26, 3), angle, 26, 2.0))
    night = rgb("060a26", "0d1c55", "16358c", "2a62b8", "5a9bd0", "a8d4dc", "e8efd0")
    scene = ramp(np.clip(0.40 + 0.21 * bands + 0.08 * (0.4 - y / H), 0, 1), night)
    glow = rgb("fff8c8", "ffe45c", "f6b51e", "e9d98a", "8fc3c8", "3f78bd")
    for cx, cy, r in [*stars, (0.87, 0.16, 88)]:
        d = np.hypot(x - cx * W, y - cy * H) / r
        halo = ramp(np.clip(d / 1.5, 0, 1), glow) * (0.92 + 0.13 * np.sin(d * 11))[..., None]
        scene = mix(scene, halo, smoothstep(1.5, 0.85, d + 0.10 * bands))
    bite = disc(0.893, 0.145, 44)
    scene = mix(scene, rgb("e8841a")[0], 0.85 * bite * (1 - disc(0.862, 0.165, 46)))
    scene, angle = night_ground(rng, scene, angle, bands)
    canvas = Canvas.primed(scene * 0.5)
    brush = Brush(length=5.5, jitter=0.045, dry=0.15, cut=0.5, bristle=2.6)
    for width, fix in ((30, 0.0), (18, 0.0), (10, 0.16), (6, 0.26)):
        brush.fix = fix
        paint(canvas, rng, scene, angle, width, brush)
    return impasto(canvas, 1.15, 0.3)


def night_ground(rng: Rng, scene: Array, angle: Array, bands: Array) -> tuple[Array, Array]:
    """Add the rolling hills, the lit village and the cypress to the night scene."""
    x, y = grid()
    for base, dark, light in ((0.64, "1a3a78", "5f93b8"), (0.75, "0d2347", "2f6f7e"), (0.87, "071428", "2c5a48")):
        mask, depth = skyline(rng, base, 0.035, 330, 3)
        stripe = 0.5 + 0.5 * np.sin(depth / 8 + 2 * fbm(rng, 90, 2))
        scene = mix(scene, ramp(stripe, rgb(dark, light)), mask)
        slope = np.arctan2(np.gradient(-depth, axis=1), 1.0)
        angle = np.where(mask > 0.5, slope + 0.25 * np.sin(x / 50), angle)
    for _ in range(20):
        cx, cy, w, h = rng.uniform(0.30, 0.98), rng.uniform(0.76, 0.94), rng.uniform(16, 30), rng.uniform(18, 30)
        left, right, top = cx * W - w, cx * W + w, cy * H - h
        wall = fill(np.array([(left, top), (right, top), (right, cy * H), (left, cy * H)]))
        roof = fill(np.array([(left - 6, top), (cx * W, top - h * 0.9), (right + 6, top)]))
        scene = mix(scene, rng.permutation(rgb("30508a", "557a8c", "23406c"))[0], wall)
        scene = mix(scene, rng.permutation(rgb("8c3b1c", "1b1f3c", "b05c22"))[0], roof)
        scene = mix(scene, rgb("ffd23c")[0], disc(cx, cy - 0.55 * h / H, 7))
    tree = area([(0.02, 1.02), (0.06, 0.72), (0.08, 0.45), (0.115, 0.20), (0.15, 0.42), (0.165, 0.60), (0.20, 0.78),
                 (0.23, 1.02)])
    tree = np.clip(warp(tree, rng, 9, 70), 0, 1)
    flame = ramp(np.clip(0.42 + 0.3 * np.sin(x / 9 + 2.5 * np.sin(y / 55)), 0, 1), rgb("05100f", "12301f", "3e5a25"))
    scene = mix(scene, flame, tree)
    return scene, np.where(tree > 0.5, -np.pi / 2 + 0.5 * np.sin(y / 48 + x / 40), angle)


def sunfield(rng: Rng) -> Array:
    """Wheat under a burning sun: short, thick, unblended dabs."""
    x, y = grid()
    sx, sy = 0.66 * W, 0.20 * H
    d = np.hypot(x - sx, y - sy)
    scene = ramp(np.clip(d / 640 + 0.03 * np.sin(d / 13), 0, 1),
                 rgb("fffbd0", "ffe04a", "ffb92e", "f9a04a", "f2c27a", "8ccdb8", "4fa9b4"))
    angle = np.arctan2(x - sx, -(y - sy))
    for base, rise, colours in ((0.41, 0.035, ("5566a0", "a58bb0")), (0.46, 0.02, ("3f6d58", "86a548"))):
        mask, depth = skyline(rng, base, rise, 240)
        scene = mix(scene, ramp(np.clip(depth / 60 + 0.2 * fbm(rng, 30, 2), 0, 1), rgb(*colours)), mask)
        angle = np.where(mask > 0.5, 0.5 + 0.3 * fbm(rng, 100, 2), angle)
    field, depth = skyline(rng, 0.52, 0.012, 300)
    heading = np.arctan2(y - 0.36 * H, x - 0.42 * W)
    rows = np.sin(heading * 30 + 0.8 * fbm(rng, 120, 2)) + 0.5 * fbm(rng, 40, 3)
    wheat = ramp(np.clip(0.5 + 0.28 * rows, 0, 1), rgb("7a3d12", "b8701c", "dd9a20", "f4c63a", "ffe98a"))
    wheat = mix(wheat, rgb("5d7d2c")[0], 0.8 * smoothstep(0.9, 1.5, fbm(rng, 90, 3)))
    scene = mix(scene, wheat, field)
    angle = np.where(field > 0.5, heading + 0.35 * fbm(rng, 60, 2), angle)
    for cx, cy, r in ((0.10, 0.40, 95), (0.20, 0.46, 62), (0.34, 0.47, 40), (0.90, 0.44, 70), (0.81, 0.48, 42)):
        ball = np.hypot(x - cx * W, (y - cy * H) * 0.9) + 9 * fbm(rng, 36, 2)
        light = ((x - cx * W) - (y - cy * H)) / r
        leaf = ramp(np.clip(0.5 + 0.35 * light, 0, 1), rgb("12303e", "1f5a3e", "5f8f2e", "c9c040"))
        scene = mix(scene, leaf, smoothstep(r + 2, r - 2, ball))
        angle = np.where(ball < r, np.arctan2(x - cx * W, cy * H - y), angle)
    canvas = Canvas.primed(scene * 0.75 + 0.08)
    brush = Brush(length=2.3, jitter=0.075, dry=0.05, spacing=0.62, cut=0.8, bristle=3.2, wander=0.2)
    for width in (30, 20, 14):
        paint(canvas, rng, scene, angle, width, brush, None if width > 25 else np.full((H, W), 0.75, np.float32))
    poppies = np.clip(smoothstep(0.8, 1.6, fbm(rng, 60, 2)) * field * 0.35, 0, 1)
    dab = Brush(length=1.4, jitter=0.06, dry=0.0, cut=9, bristle=3)
    paint(canvas, rng, flat(rgb("d8301a")), angle, 13, dab, poppies)
    paint(canvas, rng, flat(rgb("2d5f8c")), angle, 11, dab, 0.10 * field)
    return impasto(canvas, 1.1, 0.22)


def cubist_scene(rng: Rng) -> tuple[Array, Array]:
    """Return a still life (guitar, bottle, glass, face) and the mask of its drawn contours."""
    scene = ramp(np.clip(0.5 + 0.3 * fbm(rng, 260, 2), 0, 1), rgb("3a3f47", "77746a", "b39a6a", "cdb98c"))
    outlines: list[Array] = []

    def put(points: Sequence[tuple[float, float]], colour: str) -> None:
        nonlocal scene
        curve = spline(points, closed=True)
        scene = mix(scene, rgb(colour)[0], fill(curve))
        outlines.append(np.vstack([curve, curve[:1]]))

    put([(-0.1, 0.74), (0.5, 0.66), (1.1, 0.76), (1.1, 1.1), (-0.1, 1.1)], "6b4a2c")
    put([(0.32, 0.10), (0.52, 0.05), (0.64, 0.18), (0.62, 0.36), (0.52, 0.48), (0.38, 0.44), (0.31, 0.28)], "d2a774")
    put([(0.47, 0.05), (0.64, 0.08), (0.66, 0.30), (0.55, 0.47), (0.50, 0.30)], "8f5a36")
    put([(0.30, 0.06), (0.46, -0.02), (0.64, 0.06), (0.52, 0.12), (0.36, 0.16)], "1d1f24")
    for ex in (0.42, 0.55):
        put([(ex - 0.04, 0.23), (ex, 0.20), (ex + 0.04, 0.23), (ex, 0.26)], "efe6cf")
        put([(ex - 0.013, 0.23), (ex, 0.212), (ex + 0.013, 0.23), (ex, 0.248)], "15161a")
    put([(0.42, 0.385), (0.50, 0.37), (0.56, 0.39), (0.49, 0.42)], "8c2f1f")
    put([(0.10, 0.68), (0.24, 0.58), (0.36, 0.64), (0.46, 0.58), (0.60, 0.66), (0.58, 0.84), (0.46, 0.88),
         (0.36, 0.84), (0.22, 0.92), (0.10, 0.84)], "c07a2c")
    put([(0.35, 0.69), (0.40, 0.73), (0.35, 0.78), (0.30, 0.73)], "1a1410")
    put([(0.52, 0.72), (0.92, 0.50), (0.93, 0.54), (0.54, 0.78)], "3b2415")
    put([(0.76, 0.30), (0.80, 0.12), (0.84, 0.12), (0.87, 0.30), (0.88, 0.66), (0.75, 0.66)], "2f4a4a")
    put([(0.77, 0.42), (0.86, 0.42), (0.86, 0.55), (0.77, 0.55)], "e3d6b0")
    put([(0.06, 0.36), (0.18, 0.36), (0.16, 0.52), (0.17, 0.64), (0.07, 0.64), (0.09, 0.52)], "8fa3a6")
    return scene, lines(outlines, 5)


def split_plane(rng: Rng, count: int) -> Array:
    """Return labels of a canvas cut again and again by straight lines through its largest piece."""
    x, y = grid()
    labels = np.zeros((H, W), np.int32)
    for new in range(1, count):
        sizes = np.bincount(labels.ravel())
        pick = labels == rng.choice(np.argsort(sizes)[-3:])
        theta = rng.choice([0.35, 0.9, 1.57, 2.2, 2.8]) + rng.normal(0, 0.16)
        side = x * np.cos(theta) + y * np.sin(theta)
        labels[pick & (side > np.quantile(side[pick], rng.uniform(0.35, 0.65)))] = new
    return labels


def cubist(rng: Rng) -> Array:
    """A face, a guitar and a bottle broken into tilted, brush-textured planes."""
    x, y = grid()
    still, contour = cubist_scene(rng)
    labels = split_plane(rng, 74)
    scene, angle = np.zeros((H, W, 3), np.float32), np.zeros((H, W), np.float32)
    ink = np.zeros((H, W), np.float32)
    tints = rgb("c98f4a", "e0c892", "5d6a72", "3c2a1e", "8b5a2b", "a9a48e", "efe4c4", "2c3640")
    for label in range(labels.max() + 1):
        here = labels == label
        cx, cy = x[here].mean(), y[here].mean()
        zoom, dx, dy = rng.uniform(0.82, 1.2), *rng.normal(0, 17, 2)
        px, py = (x - cx) * zoom + cx + dx, (y - cy) * zoom + cy + dy
        px, py = px.astype(np.float32), py.astype(np.float32)
        seen = cv2.remap(still, px, py, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
        marks = cv2.remap(contour, px, py, cv2.INTER_LINEAR)
        theta = rng.uniform(0, 2 * np.pi)
        side = x * np.cos(theta) + y * np.sin(theta)
        t = (side - side[here].min()) / (np.ptp(side[here]) + 1)
        seen = mix(seen, tints[rng.integers(len(tints))], np.full((H, W), rng.uniform(0.05, 0.5)))
        scene[here] = (seen * (0.42 + 0.95 * t[..., None]))[here]
        angle[here], ink[here] = theta + np.pi / 2, marks[here]
    canvas = Canvas.primed(scene)
    edge = borders(labels)
    brush = Brush(length=3.0, jitter=0.035, dry=0.2, cut=0.30, bristle=2.2, wander=0.06)
    for width in (24, 13, 8):
        paint(canvas, rng, np.clip(scene, 0, 1), angle, width, brush)
        brush.fix = 0.22
    lit = impasto(canvas, 0.85, 0.1)
    rim = smoothstep(20, 2, distance(~edge)) * (0.5 + 0.5 * unit(blur(labels.astype(np.float32), 5)).clip(-1, 1))
    lit = lit * (1 - 0.25 * rim[..., None])
    seams = blur(cv2.dilate(edge.astype(np.float32), np.ones((3, 3))), 0.8)
    seams *= smoothstep(-0.9, 0.2, fbm(rng, 140, 2))
    return mix(mix(lit, rgb("17130f")[0], 0.85 * seams), rgb("0f0d0b")[0], 0.9 * ink)


# ---------------------------------------------------------------------------------------------- tiles and glass


def tile_sites(rng: Rng, angle: Array, edge: Array, spacing: float, rounds: int) -> tuple[Array, Array, Array]:
    """Settle square tiles that turn with ``angle`` (Hausner's method).

    Returns the tile label of each pixel, the gap to the second nearest tile (small at joints), and the sites.
    """
    sites = scatter(rng, spacing)
    sites = sites[(sites >= 0).all(1) & (sites[:, 0] < W) & (sites[:, 1] < H)]
    x, y = grid()
    reach = int(spacing * 1.6)
    for turn in range(rounds):
        first, second = np.full((H, W), 1e6, np.float32), np.full((H, W), 1e6, np.float32)
        labels = np.zeros((H, W), np.int32)
        turns = lookup(angle, sites)
        for i, ((cx, cy), theta) in enumerate(zip(sites, turns, strict=True)):
            rows = slice(max(int(cy) - reach, 0), int(cy) + reach)
            cols = slice(max(int(cx) - reach, 0), int(cx) + reach)
            dx, dy = x[rows, cols] - cx, y[rows, cols] - cy
            c, s = np.float32(np.cos(theta)), np.float32(np.sin(theta))
            d = np.maximum(np.abs(c * dx + s * dy), np.abs(c * dy - s * dx))
            best, runner = first[rows, cols], second[rows, cols]
            if turn == rounds - 1:
                np.minimum(runner, np.maximum(d, best), out=runner)
            labels[rows, cols][d < best] = i
            np.minimum(best, d, out=best)
        keep = ~edge
        weight = np.bincount(labels[keep], minlength=len(sites)) + 1e-6
        if turn < rounds - 1:
            centre = [np.bincount(labels[keep], axis[keep], len(sites)) / weight for axis in (x, y)]
            moved = np.stack(centre, -1).astype(np.float32)
            sites = np.where(weight[:, None] > 1, moved, sites)
    return labels, second - first, sites


def mosaic_scene(rng: Rng) -> tuple[Array, Array]:
    """Return the colours and region labels of a sunlit sea with two fish in a patterned frame."""
    x, y = grid()
    labels = np.zeros((H, W), np.int32)
    heading = np.arctan2(y - 0.22 * H, x - 0.5 * W)
    d = np.hypot(x - 0.5 * W, y - 0.22 * H)
    ray = np.sin(heading * 14) > 0
    scene = np.where(ray[..., None], rgb("f0c95c")[0], rgb("e9e0c4")[0]).astype(np.float32)
    labels[ray] = 1
    scene[d < 100], labels[d < 100] = rgb("d9941e")[0], 2
    scene[d < 66], labels[d < 66] = rgb("f7e08a")[0], 3
    blues = rgb("bfe0d8", "6bb7c0", "2f8fae", "1c5f97", "143d78", "0e2858")
    for k, colour in enumerate(blues):
        crest = H * (0.40 + 0.095 * k) + 22 * np.sin(x / 46 + k * 1.7) + 8 * np.sin(x / 21 + k)
        scene[y > crest], labels[y > crest] = colour, 4 + k
    for n, (cx, cy, size, flip) in enumerate(((0.36, 0.60, 1.0, 1), (0.66, 0.78, 0.85, -1))):
        u, v = (x - cx * W) / size * flip, (y - cy * H) / size
        body = (u / 165) ** 2 + (v / (62 * (1 + 0.0012 * u))) ** 2 < 1
        tail = (u < -120) & (u > -235) & (np.abs(v) < -(u + 120) * 0.72 + 8)
        scales = np.sin(u / 11 + 1.4 * np.cos(v / 12)) > 0
        scene[tail], labels[tail] = rgb("b5371f")[0], 20 + 10 * n
        scene[body] = np.where(scales[..., None], rgb("e2622a")[0], rgb("f4b34a")[0])[body]
        labels[body] = 21 + 10 * n
        head = body & (u > 85)
        scene[head], labels[head] = rgb("8c2a1c")[0], 22 + 10 * n
        eye = np.hypot(u - 118, v + 12) < 15
        scene[eye], labels[eye] = rgb("fbf4de")[0], 23 + 10 * n
    frame = np.minimum(np.minimum(x, W - 1 - x), np.minimum(y, H - 1 - y))
    check = ((x // 46 + y // 46) % 2 > 0)[..., None]
    scene[frame < 58], labels[frame < 58] = rgb("f3ead2")[0], 50
    scene[frame < 44] = np.where(check, rgb("8c2a1c")[0], rgb("1c3f5f")[0])[frame < 44]
    labels[frame < 44] = 51
    return scene, labels


def mosaic(rng: Rng) -> Array:
    """A Byzantine sea of glass tesserae whose rows follow the drawing's contours."""
    scene, labels = mosaic_scene(rng)
    edge = borders(labels)
    away = blur(distance(~edge), 4)
    angle = np.arctan2(cv2.Sobel(away, cv2.CV_32F, 0, 1), cv2.Sobel(away, cv2.CV_32F, 1, 0))
    thick = cv2.dilate(edge.astype(np.uint8), np.ones((3, 3))) > 0
    tiles, gap, sites = tile_sites(rng, angle, thick, 17.5, 9)
    n = len(sites)
    value = rng.normal(0, 0.10, (n, 1)) + rng.normal(0, 0.045, (n, 3))
    tint = np.clip(lookup(scene, sites) * (1 + value) + 0.4 * value, 0.02, 1)
    gold = rng.random(n) < 0.05
    tint[gold] = rgb("f2c84b")[0] * rng.uniform(0.8, 1.1, (gold.sum(), 1))
    picture = tint[tiles].astype(np.float32)
    x, y = grid()
    tilt = rng.normal(0, 0.016, (n, 2))
    ox, oy = (x - sites[tiles, 0]), (y - sites[tiles, 1])
    picture *= (1 + tilt[tiles, 0] * ox + tilt[tiles, 1] * oy)[..., None]
    picture *= (1 + 0.05 * fbm(rng, 9, 3))[..., None]
    dome = blur(smoothstep(1.0, 6.0, gap), 0.8)
    picture *= emboss(dome, 0.42)[..., None]
    grout = rgb("3a332c")[0] * (1 + 0.2 * fbm(rng, 5, 2))[..., None]
    return mix(grout, picture, smoothstep(1.6, 3.4, gap))


def glass_pieces(rng: Rng) -> tuple[Array, Array]:
    """Return the piece labels and flat colours of a leaded window: sun, hills, river, lilies."""
    x, y = grid()
    sx, sy = 0.60 * W, 0.30 * H
    d, heading = np.hypot(x - sx, y - sy), np.arctan2(y - sy, x - sx)
    sector = np.floor((heading + 0.22 * np.sin(d / 60)) / (2 * np.pi) * 18).astype(int) % 18
    ring = np.digitize(d, [78, 150, 245, 360, 500])
    labels = np.where(ring == 0, 1, 100 + ring * 40 + sector + np.where(ring == 1, 0, 1))
    palettes = {0: ("ffd84a",), 1: ("ff9a1f", "ffb733", "f46a1b"), 2: ("e2382a", "ff7a2a", "c41f3a"),
                3: ("7a2a9a", "b0268a", "4a34b0"), 4: ("1f4fc0", "2a7fd8", "3a2fa0"), 5: ("10309a", "1a62b8", "0f2070")}
    colours = np.zeros((5000, 3), np.float32)
    for k in range(1, 6):
        choice = rgb(*palettes[k])
        for s in range(42):
            colours[100 + k * 40 + s] = choice[(s + s // 3) % len(choice)] * rng.uniform(0.8, 1.15)
    colours[1] = rgb("ffe37a")[0]
    cell, _ = cells(rng, 70)
    greens = (("1f8f5a", "2fb06a", "0f6a4a"), ("6fb52a", "a8c832", "2f8f3a"), ("0f5a4a", "1a7a3a", "0a4a5a"))
    for k, (base, choice) in enumerate(zip((0.58, 0.70, 0.84), greens, strict=True)):
        below = y > H * base + 46 * np.sin(x / 150 + 2.1 * k) + 12 * np.sin(x / 61 + k)
        strip = np.floor((x + 0.5 * y + 40 * np.sin(y / 60)) / (120 + 25 * k)).astype(int)
        labels = np.where(below, 1000 + 200 * k + strip + 20, labels)
        for s in range(60):
            colours[1000 + 200 * k + s] = rgb(*choice)[rng.integers(3)] * rng.uniform(0.75, 1.2)
    river = np.abs(x - W * 0.62 - 90 * np.sin(y / 85)) < (y - 0.56 * H) * 0.28
    labels = np.where(river & (y > 0.56 * H), 2000 + (y // 62).astype(int), labels)
    colours[2000:2030] = rgb("2fb8d8", "7fe0e8", "1a80c8")[rng.integers(0, 3, 30)]
    for n, (cx, cy, size) in enumerate(((0.17, 0.42, 135), (0.36, 0.76, 95), (0.88, 0.70, 105))):
        u, v = x - cx * W, y - cy * H
        stem = (np.abs(u - 12 * np.sin(v / 50)) < 9) & (v > 0)
        labels, colours[2100 + n] = np.where(stem, 2100 + n, labels), rgb("4fc04a")[0]
        r, theta = np.hypot(u, v), np.arctan2(v, u)
        petal = np.floor((theta + np.pi) / (2 * np.pi) * 8).astype(int)
        bloom = r < size * (0.62 + 0.38 * np.abs(np.sin((theta + np.pi) * 4)))
        labels = np.where(bloom, 2200 + 20 * n + petal % 8, labels)
        colours[2200 + 20 * n : 2220 + 20 * n] = rgb("ff4f8a", "e01f5a", "ff9ac0", "c8103f")[rng.integers(0, 4, 20)]
        labels, colours[2300 + n] = np.where(r < 0.28 * size, 2300 + n, labels), rgb("ffc61a")[0]
    return np.where(labels < 1000, labels + 5000 * 0, labels) + 0 * cell, colours


def stainedglass(rng: Rng) -> Array:
    """A leaded window glowing from behind."""
    labels, colours = glass_pieces(rng)
    x, y = grid()
    frame = np.minimum(np.minimum(x, W - 1 - x), np.minimum(y, H - 1 - y))
    block = ((x + y) // 88).astype(int) % 4
    labels = np.where(frame < 40, 4000 + block, labels)
    colours[4000:4004] = rgb("c81f2f", "1f3fb0", "e8a81f", "1f8f5a")
    lead = distance(~borders(labels))
    streaks = smear(fbm(rng, 34, 3), 0.9 + 0.8 * fbm(rng, 200, 2), 14, 2.0)
    picture = colours[labels]
    glow = 0.50 + 0.62 * smoothstep(0, 46, lead) + 0.16 * unit(streaks)
    picture = picture * glow[..., None]
    picture = picture + 0.30 * (smoothstep(10, 70, lead) * (0.6 + 0.4 * unit(streaks)).clip(0, 2))[..., None] * picture
    ripple = emboss(fbm(rng, 15, 3), 0.13)
    picture = picture * ripple[..., None]
    seeds = blur((rng.random((H, W)) < 0.0012).astype(np.float32), 1.6) * 9
    picture = picture + 0.35 * seeds.clip(0, 1)[..., None]
    came = np.clip(1 - lead / 6.0, 0, 1)
    metal = rgb("14141a")[0] * (emboss(blur(np.sqrt(came), 1.2), 2.2) + 0.15 * fbm(rng, 6, 2))[..., None]
    metal = metal + 0.10 * np.clip(emboss(blur(np.sqrt(came), 1.2), 2.0) - 1, 0, 1)[..., None]
    halo = blur(np.clip(picture, 0, 1), 14)
    return mix(picture, metal, smoothstep(6.5, 5.0, lead)) + 0.12 * halo


# ---------------------------------------------------------------------------------------------- prints and ink


def worm(layer: Array, path: Array, widths: Array, colour: Array, rim: float = 0, rim_colour: Array | None = None) -> None:
    """Draw a tapered line, with an outline when ``rim`` is above zero, on an 8-bit layer."""
    passes = [(rim, rim_colour), (0.0, colour)] if rim and rim_colour is not None else [(0.0, colour)]
    for grow, tint in passes:
        value = (np.clip(tint, 0, 1) * 255).astype(int).tolist()
        for (px, py), wide in zip(path, widths, strict=True):
            centre = (round(px * 8), round(py * 8))
            cv2.circle(layer, centre, max(4, round((wide + grow) * 8)), value, -1, cv2.LINE_AA, 3)


def hook(start: Array, heading: float, length: float, turn: float, steps: int = 22) -> Array:
    """Return a path that sets off along ``heading`` and curls ever tighter by ``turn`` radians in all."""
    t = np.linspace(0, 1, steps)
    theta = heading + turn * t**1.6
    return start + np.cumsum(np.stack([np.cos(theta), np.sin(theta)], -1), 0) * (length / steps)


def foam(layer: Array, rng: Rng, lip: Array, lean: float, size: float) -> None:
    """Hang lumps and curling claws of foam on a wave's lip; ``lean`` turns them from the path's left."""
    white, pale, ink = rgb("f4efdf", "b9cfd2", "12224a")
    tangent = np.gradient(lip, axis=0)
    facing = np.arctan2(tangent[:, 1], tangent[:, 0]) + lean
    for i in rng.permutation(len(lip)):
        for _ in range(2):
            path = hook(lip[i] + rng.normal(0, 0.25 * size, 2), facing[i] + rng.normal(0, 0.4), size * rng.uniform(0.9, 2.0),
                        rng.uniform(1.0, 3.0))
            tint = pale if rng.random() < 0.3 else white
            worm(layer, path, np.linspace(0.27, 0.05, len(path)) * size, tint, 2.0, ink)
            for k in (9, 14, 18):
                twig = hook(path[k], facing[i] + rng.uniform(-0.9, 1.0), 0.6 * size, rng.uniform(0.8, 2.6), 10)
                worm(layer, twig, np.linspace(0.13, 0.03, 10) * size, white, 1.6, ink)
    for i in rng.permutation(len(lip)):
        back = facing[i] + np.pi
        at = lip[i] + np.array([np.cos(back), np.sin(back)]) * rng.uniform(-0.2, 0.7) * size
        worm(layer, at[None] + rng.normal(0, 2, (1, 2)), np.array([rng.uniform(0.16, 0.42) * size]), white, 1.6, ink)
        worm(layer, at[None], np.array([0.10 * size]), pale)


def swell(picture: Array, rng: Rng, outline: Array, face: Array, pitch: float) -> Array:
    """Print one wave: blue bands that run along its face, and a keyed outline."""
    mask = fill(outline)
    sketch = np.full((H, W), 255, np.uint8)
    cv2.polylines(sketch, [fixed(face)], False, 0, 2, cv2.LINE_8, 3)
    away = cv2.distanceTransform(sketch, cv2.DIST_L2, 5)
    x, y = grid()
    lanes = away / pitch + 0.22 * fbm(rng, 130, 2) + 0.25 * np.sin(x / 150 - y / 110)
    wave_form = np.sin(2 * np.pi * lanes) + 0.5 * np.sin(2 * np.pi * lanes / 3.1)
    level = np.digitize(wave_form + 0.35 * fbm(rng, 160, 2), [-0.55, 0.15, 0.95])
    blues = rgb("12275c", "23508f", "5f97b5", "dfe6d6")[level]
    dark = smoothstep(20, 340, away)[..., None]
    blues = blues * (1 - 0.28 * dark)
    keyed = mix(blues, rgb("0d1a3c")[0], blur(borders(level).astype(np.float32), 0.7) * 0.9)
    picture = mix(picture, keyed, mask)
    return mix(picture, rgb("0d1a3c")[0], lines([np.vstack([outline, outline[:1]])], 4))


def wave(rng: Rng) -> Array:
    """A breaking wave with claws of foam over a small mountain: Prussian blue woodblock print."""
    _, y = grid()
    sky = ramp(np.clip(y / (0.72 * H), 0, 1), rgb("c9b98f", "eadcb4", "efe4c6", "d9cda8", "9fa49a"))
    haze = smoothstep(0.1, 0.5, np.sin(y / 17 + 2.2 * fbm(rng, 300, 2, stretch=(4, 1))) * 0.7)
    picture = mix(sky, rgb("d8c79c")[0], 0.5 * haze)
    ridge = fill(np.array([(0.50, 0.80), (0.63, 0.63), (0.675, 0.575), (0.705, 0.573), (0.75, 0.63), (0.90, 0.80)]) * (W, H))
    picture = mix(picture, rgb("2c4a78")[0], ridge)
    snow = ridge * smoothstep(-6, 2, 0.655 * H + 14 * np.sin(grid()[0] / 7) + 6 * np.sin(grid()[0] / 3.1) - y)
    picture = mix(picture, rgb("f3eee0")[0], snow)
    for side in ([(1.06, 0.80), (1.06, 0.62), (0.97, 0.60), (0.90, 0.66), (0.82, 0.70), (0.72, 0.74), (0.6, 0.82), (0.8, 1.0)],):
        curve = spline(side, closed=True)
        picture = swell(picture, rng, curve, spline(side[1:7]), 26)
    body = [(-0.06, 1.06), (-0.06, 0.50), (0.01, 0.30), (0.09, 0.15), (0.21, 0.07), (0.35, 0.06), (0.47, 0.11), (0.555, 0.20),
            (0.585, 0.32), (0.52, 0.275), (0.44, 0.255), (0.365, 0.30), (0.335, 0.41), (0.36, 0.55), (0.44, 0.69),
            (0.58, 0.79), (0.75, 0.82), (0.9, 0.78), (1.06, 0.72), (1.06, 1.06)]
    picture = swell(picture, rng, spline(body, closed=True), spline(body[8:19]), 34)
    layer = (np.clip(picture, 0, 1) * 255).astype(np.uint8)
    foam(layer, rng, spline([(0.02, 0.29), *body[3:8]], 7), -1.2, 30)
    foam(layer, rng, spline([*body[7:12], (0.345, 0.36)], 12)[::-1], -1.1, 44)
    foam(layer, rng, spline([(0.44, 0.10), (0.52, 0.155), (0.565, 0.24), (0.59, 0.34)], 10), 0.15, 46)
    foam(layer, rng, spline([(0.78, 0.725), (0.86, 0.68), (0.93, 0.63), (1.0, 0.60)], 8), -1.4, 24)
    picture = boat(layer.astype(np.float32) / 255, rng, 0.60, 0.735, 0.30)
    front = [(-0.06, 1.06), (-0.06, 0.70), (0.06, 0.69), (0.16, 0.66), (0.245, 0.70), (0.25, 0.77), (0.33, 0.86), (0.47, 0.92), (0.64, 0.91),
             (0.80, 0.865), (1.06, 0.90), (1.06, 1.06)]
    picture = swell(picture, rng, spline(front, closed=True), spline(front[4:11]), 24)
    layer = (np.clip(picture, 0, 1) * 255).astype(np.uint8)
    foam(layer, rng, spline(front[1:6], 6), -0.8, 30)
    foam(layer, rng, spline(front[8:11], 8), -1.3, 22)
    spread = np.stack([rng.normal(0.56, 0.16, 260) * W, rng.normal(0.33, 0.14, 260) * H], -1)
    for at in spread:
        worm(layer, at[None], np.array([rng.uniform(1.2, 4.2)]), rgb("f6f1e4")[0], 1.2, rgb("5d7f97")[0])
    picture = layer.astype(np.float32) / 255
    worn = 1 + 0.035 * wood_grain(rng, 13) + 0.02 * paper_grain(rng, 3)
    return mix(picture * worn[..., None], rgb("efe4c6")[0], 0.32 * smoothstep(1.3, 2.4, fbm(rng, 9, 3, stretch=(3, 1))))


def boat(picture: Array, rng: Rng, cx: float, cy: float, span: float) -> Array:
    """Print a long rowing boat with its crew bent over the oars."""
    hull = [(cx - span / 2, cy - 0.05), (cx - span / 4, cy + 0.004), (cx, cy + 0.018), (cx + span / 4, cy), (cx + span / 2, cy - 0.07),
            (cx + span / 4, cy + 0.035), (cx, cy + 0.055), (cx - span / 4, cy + 0.04)]
    curve = spline(hull, closed=True)
    picture = mix(picture, rgb("d9b777")[0], fill(curve))
    picture = mix(picture, rgb("12224a")[0], lines([np.vstack([curve, curve[:1]]), curve[len(curve) // 2 :] - (0, 9)], 3))
    for k in range(8):
        x = cx + span * (k / 7 - 0.5) * 0.62
        picture = mix(picture, rgb("23508f")[0], disc(x, cy + 0.002 + rng.normal(0, 0.002), 12, 0.8))
        picture = mix(picture, rgb("f0e2c4")[0], disc(x + 0.008, cy - 0.013, 6.5))
    return picture


# ---------------------------------------------------------------------------------------------- sheets at the final size


WIDTH, HEIGHT = OUT_SIZE


def sheet_grid() -> tuple[Array, Array]:
    """Pixel coordinates x, y."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
    return x, y


def sheet_noise(rng: Rng, size_px: float, octaves: int = 5) -> Array:
    """HW smooth noise of zero mean and unit deviation; largest features about `size_px`."""
    total = np.zeros((HEIGHT, WIDTH), np.float32)
    for octave in range(octaves):
        cell = max(2.0, size_px / 2**octave)
        small = rng.standard_normal((int(HEIGHT / cell) + 3, int(WIDTH / cell) + 3)).astype(np.float32)
        total += cv2.resize(small, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC) * 0.55**octave
    return (total - total.mean()) / total.std()


def landscape(rng: Rng, sky: Array, land: Array, sun: Array, at: tuple[float, float] = (0.72, 0.24)) -> tuple[Array, Array]:
    """A reference picture HW3 and a flow angle HW: sky, sun, rolling hills in depth."""
    x, y = sheet_grid()
    picture = ramp(y / (0.62 * HEIGHT) + 0.12 * sheet_noise(rng, 120), sky)
    angle = 0.5 * sheet_noise(rng, 220, 3)
    distance = np.hypot(x - at[0] * WIDTH, y - at[1] * HEIGHT)
    glow = np.exp(-distance / 70)[..., None]
    picture = picture * (1 - glow) + sun * glow
    picture[distance < 34] = sun
    for depth in range(4):
        top = HEIGHT * (0.46 + 0.14 * depth) + 34 * np.sin(x / (60 + 35 * depth) + rng.uniform(0, 6)) + 10 * sheet_noise(rng, 90)
        tone = ramp(np.clip((y - top) / 170 + 0.2 * sheet_noise(rng, 40), 0, 1), land[depth : depth + 3])
        mask = y > top
        picture[mask] = tone[mask]
        slope = np.arctan(np.gradient(top, axis=1)) + 0.3 * sheet_noise(rng, 60, 3)
        angle[mask] = slope[mask]
    return np.clip(picture, 0, 1).astype(np.float32), angle.astype(np.float32)


def swirls(rng: Rng, angle: Array, count: int) -> Array:
    """The angle field with vortices in its upper part."""
    x, y = sheet_grid()
    u, v = np.cos(angle), np.sin(angle)
    for _ in range(count):
        cx, cy, radius = rng.uniform(0, WIDTH), rng.uniform(0, 0.5 * HEIGHT), rng.uniform(40, 110)
        dx, dy = x - cx, y - cy
        weight = 3 * np.exp(-(dx**2 + dy**2) / (2 * radius**2))
        length = np.hypot(dx, dy) + 1
        u, v = u - weight * dy / length, v + weight * dx / length
    return np.arctan2(v, u).astype(np.float32)


def drag(
    rng: Rng, picture: Array, reference: Array, angle: Array, count: int, width: float, length: float, jitter: float, relief: Array
) -> None:
    """Strokes of parallel bristles along the angle field, over `picture` and its relief, in place."""
    for _ in range(count):
        px, py = rng.uniform(0, WIDTH), rng.uniform(0, HEIGHT)
        base = reference[min(int(py), HEIGHT - 1), min(int(px), WIDTH - 1)] + rng.normal(0, jitter, 3)
        points = [(px, py)]
        for _ in range(max(2, int(length / 5))):
            ix, iy = int(np.clip(points[-1][0], 0, WIDTH - 1)), int(np.clip(points[-1][1], 0, HEIGHT - 1))
            points.append((points[-1][0] + 5 * np.cos(angle[iy, ix]), points[-1][1] + 5 * np.sin(angle[iy, ix])))
        line = np.array(points, np.float32)
        ahead = line[-1] - line[0]
        normal = np.array([-ahead[1], ahead[0]], np.float32) / (np.hypot(*ahead) + 1e-6)
        bristles = max(2, int(width / 1.6))
        for offset in np.linspace(-width / 2, width / 2, bristles):
            shade = rng.normal(0, 0.05)
            color = tuple(float(c) for c in np.clip(base + shade, 0, 1))
            path = np.round((line + normal * offset) * 16).astype(np.int32)[None]
            cv2.polylines(picture, path, False, color, 2, cv2.LINE_AA, 4)
            cv2.polylines(relief, path, False, float(0.5 + 3 * shade), 2, cv2.LINE_AA, 4)


def raised(picture: Array, relief: Array, strength: float) -> Array:
    """The picture with its relief lit from the upper left."""
    soft = cv2.GaussianBlur(relief, (0, 0), 0.8)
    slope = cv2.Sobel(soft, cv2.CV_32F, 1, 0) + cv2.Sobel(soft, cv2.CV_32F, 0, 1)
    return np.clip(picture + strength * np.clip(-slope, -1, 1)[..., None], 0, 1)


def painted(rng: Rng, reference: Array, angle: Array, sizes: Sequence[tuple[int, float, float]], jitter: float, relief_strength: float) -> Array:
    """From big brush to small: (count, width, length) each."""
    picture, relief = reference.copy(), np.zeros((HEIGHT, WIDTH), np.float32)
    for count, width, length in sizes:
        drag(rng, picture, reference, angle, count, width, length, jitter, relief)
    return raised(picture, relief, relief_strength)


def sheet_cells(points: Array) -> tuple[Array, Array]:
    """Voronoi: index of the nearest point, and the distance to the border between cells, HW."""
    x, y = sheet_grid()
    index = np.zeros((HEIGHT, WIDTH), np.int32)
    first = np.full((HEIGHT, WIDTH), 1e9, np.float32)
    second = first.copy()
    for number, (px, py) in enumerate(points):
        reach = 150
        x0, x1 = max(0, int(px) - reach), min(WIDTH, int(px) + reach)
        y0, y1 = max(0, int(py) - reach), min(HEIGHT, int(py) + reach)
        distance = np.hypot(x[y0:y1, x0:x1] - px, y[y0:y1, x0:x1] - py)
        f, s = first[y0:y1, x0:x1], second[y0:y1, x0:x1]
        closer = distance < f
        s[:] = np.where(closer, f, np.minimum(s, distance))
        index[y0:y1, x0:x1][closer] = number
        f[closer] = distance[closer]
    return index, (second - first) / 2


def scattered(rng: Rng, spacing: float, jitter: float) -> Array:
    """Points on a jittered grid, N2."""
    ys, xs = np.mgrid[0 : HEIGHT + spacing : spacing, 0 : WIDTH + spacing : spacing]
    points = np.stack([xs.ravel(), ys.ravel()], 1) + rng.normal(0, spacing * jitter, (xs.size, 2))
    return points.astype(np.float32)


def carved(rng: Rng, tone: Array, angle_deg: float, period: float, bend: Array) -> Array:
    """1 where ink stands: lines whose thickness follows the tone (0 dark … 1 light)."""
    x, y = sheet_grid()
    a = np.deg2rad(angle_deg)
    phase = (np.cos(a) * x + np.sin(a) * y) / period * 2 * np.pi + bend
    wobble = 0.18 * sheet_noise(rng, 2 * period)
    return np.clip(((0.5 + 0.5 * np.sin(phase)) - (tone + wobble)) * period * 0.9 + 0.5, 0, 1)


def washes(rng: Rng, paper: Array, colors: Array, layers: int, size_px: float, strength: float) -> Array:
    """Transparent layers with dark edges and granulation, multiplied over paper."""
    sheet = np.broadcast_to(paper, (HEIGHT, WIDTH, 3)).astype(np.float32) * (1 + 0.03 * sheet_noise(rng, 4, 2)[..., None])
    _, y = sheet_grid()
    for layer in range(layers):
        shape = sheet_noise(rng, size_px * rng.uniform(0.4, 1.4)) + 1.2 * np.cos((y / HEIGHT - rng.uniform(0, 1)) * 4)
        cover = np.clip((shape - rng.uniform(0.8, 1.6)) * 9, 0, 1)
        edge = cover - cv2.GaussianBlur(cover, (0, 0), 5)
        depth = cover * (0.55 + 0.25 * sheet_noise(rng, 50)) + 1.3 * np.clip(edge, 0, 1) + 0.10 * cover * sheet_noise(rng, 4, 2)
        depth = np.clip(depth * strength, 0, 1)[..., None]
        sheet = sheet * (1 - depth * (1 - colors[layer % len(colors)]))
    return np.clip(sheet, 0, 1)


def woodcut(rng: Rng) -> Array:
    """Carved lines whose width follows the tone, and one red sun."""
    grey = rgb("303030", "707070", "b0b0b0", "e8e8e8")
    land = rgb("909090", "303030", "c0c0c0", "202020", "808080", "101010")
    ref, angle = landscape(rng, grey, land, rgb("ffffff")[0])
    tone = ref.mean(2)
    bend = 3 * angle + 2.2 * sheet_noise(rng, 90, 3)
    ink = np.maximum(carved(rng, tone, 78, 15, bend), (tone < 0.17).astype(np.float32))
    paper = rgb("efe4cb")[0] + 0.02 * sheet_noise(rng, 5)[..., None]
    x, y = sheet_grid()
    red = (np.hypot(x - 0.72 * WIDTH, y - 0.24 * HEIGHT) < 60).astype(np.float32)[..., None]
    sheet = paper * (1 - red) + rgb("b8261c")[0] * red
    return np.clip(sheet * (1 - ink[..., None]) + rgb("16120f")[0] * ink[..., None], 0, 1)


def inkwash(rng: Rng) -> Array:
    """Wet ink washes with strokes of vermilion."""
    sheet = washes(rng, rgb("efe9dc")[0], rgb("505560", "2a2c33", "8a8d92", "17181c"), 9, 150, 0.62)
    relief = np.zeros((HEIGHT, WIDTH), np.float32)
    dark = np.full((HEIGHT, WIDTH, 3), 0.10, np.float32)
    angle = 1.2 * sheet_noise(rng, 140, 3)
    drag(rng, sheet, dark, angle, 60, 12, 90, 0.006, relief)
    red = np.broadcast_to(rgb("c23a22")[0], (HEIGHT, WIDTH, 3))
    drag(rng, sheet, red, angle, 14, 9, 26, 0.03, relief)
    return np.clip(sheet + 0.03 * sheet_noise(rng, 4, 2)[..., None], 0, 1)


def watercolor(rng: Rng) -> Array:
    """Transparent washes with dark edges and granulation."""
    colors = rgb("6fb1d6", "e7a0a0", "f0cf72", "7cbf8e", "9a86c8", "e88b58", "4f86b8")
    return washes(rng, rgb("fbf8f0")[0], colors, 10, 110, 0.6)


def pointillist(rng: Rng) -> Array:
    """Hills in dots of pure colour."""
    sky = rgb("5a8fd8", "9cc4ea", "f4d9b0", "f7e9c8")
    land = rgb("4f9f5a", "2f7f6a", "8fbf4a", "d8b84a", "3f6fa0", "7a4f8f")
    ref, _ = landscape(rng, sky, land, rgb("fff3b0")[0])
    sheet = np.broadcast_to(rgb("e9dfc9")[0], (HEIGHT, WIDTH, 3)).copy()
    for count, radius in ((9000, 4.6), (15000, 3.3), (12000, 2.3)):
        for px, py in rng.uniform(0, 1, (count, 2)) * (WIDTH - 1, HEIGHT - 1):
            color = ref[int(py), int(px)]
            if rng.uniform() < 0.22:
                color = 1.05 - color[[1, 2, 0]]
            color = np.clip(0.5 + 1.35 * (color - 0.5) + rng.normal(0, 0.10, 3), 0, 1)
            center = (int(px * 16), int(py * 16))
            cv2.circle(sheet, center, int(radius * rng.uniform(0.7, 1.2) * 16), tuple(map(float, color)), -1, cv2.LINE_AA, 4)
    return sheet


def crosshatch(rng: Rng) -> Array:
    """Hills in layers of sepia pen hatching."""
    grey = rgb("808080", "c0c0c0", "e0e0e0", "f8f8f8")
    land = rgb("b0b0b0", "606060", "909090", "404040", "707070", "202020")
    ref, _ = landscape(rng, grey, land, rgb("ffffff")[0])
    tone = ref.mean(2) + 0.06 * sheet_noise(rng, 60)
    ink = np.zeros((HEIGHT, WIDTH), np.float32)
    for number, degrees in enumerate((38, 128, 82, 8)):
        level = np.clip(0.55 + 1.2 * (tone - 0.72 + 0.19 * number), 0.56, 1.2)
        ink = np.maximum(ink, carved(rng, level, degrees, 12, 0.8 * sheet_noise(rng, 70, 3)))
    paper = rgb("f3ead2")[0] + 0.02 * sheet_noise(rng, 5)[..., None]
    ink = (ink * np.clip(0.85 + 0.2 * sheet_noise(rng, 9), 0, 1))[..., None]
    return np.clip(paper * (1 - ink) + rgb("3a2416")[0] * ink, 0, 1)


def pastel(rng: Rng) -> Array:
    """Hills in chalk on toothed paper."""
    sky = rgb("f4b6c8", "cdb4e0", "a8dcd8", "f9e0c8")
    land = rgb("8fc8c0", "b79ad0", "e89aa8", "6fa8b8", "f0c090", "7f7fb8")
    ref, angle = landscape(rng, sky, land, rgb("fff4dc")[0])
    picture = painted(rng, ref, angle + 0.6, [(700, 22, 60), (1500, 13, 40), (1200, 7, 28)], 0.07, 0.05)
    tooth = np.clip(0.55 + 0.8 * sheet_noise(rng, 3.5, 2), 0, 1)[..., None]
    return np.clip(picture * (0.72 + 0.28 * tooth) + (1 - tooth) * 0.24, 0, 1)


def fresco(rng: Rng) -> Array:
    """Hills in earth pigments on cracked plaster."""
    sky = rgb("9fb0a0", "c8b890", "d9c8a0", "b98a5a")
    land = rgb("b0603a", "7a8a60", "c89a5a", "8a4a30", "5f6a58", "6a3a28")
    ref, angle = landscape(rng, sky, land, rgb("f0dca8")[0])
    picture = painted(rng, ref, angle, [(700, 20, 46), (1600, 10, 30)], 0.025, 0.10)
    faded = np.clip(0.5 + 0.5 * sheet_noise(rng, 90), 0, 1)[..., None] * 0.45
    picture = picture * (1 - faded) + rgb("d8c9a6")[0] * faded + 0.05 * sheet_noise(rng, 4, 3)[..., None]
    cracks = np.ones((HEIGHT, WIDTH), np.float32)
    for spacing in (90, 40):
        _, border = sheet_cells(scattered(rng, spacing, 0.3) + rng.normal(0, 1, 2).astype(np.float32))
        x, y = sheet_grid()
        bent = cv2.remap(border, x + 6 * sheet_noise(rng, 24), y + 6 * sheet_noise(rng, 24), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
        cracks *= np.where(bent < (2.2 if spacing > 40 else 1.0), 0.45, 1.0).astype(np.float32)
    return np.clip(picture * cracks[..., None], 0, 1)


def neon(rng: Rng) -> Array:
    """Stirred glowing tubes in the dark."""
    colors = rgb("ff2fb0", "18e8ff", "9bff2f", "7a4bff", "ff7a18")
    light = np.zeros((HEIGHT, WIDTH, 3), np.float32)
    angle = swirls(rng, 1.5 * sheet_noise(rng, 160, 3), 5)
    for number in range(70):
        tube = np.zeros_like(light)
        relief = np.zeros((HEIGHT, WIDTH), np.float32)
        color = np.broadcast_to(colors[number % len(colors)], light.shape)
        drag(rng, tube, color, angle, 3, float(rng.uniform(2, 6)), float(rng.uniform(60, 190)), 0.02, relief)
        light = np.maximum(light, tube)
    glow = cv2.GaussianBlur(light, (0, 0), 5) * 0.9 + cv2.GaussianBlur(light, (0, 0), 18) * 0.8
    core = np.clip(light * 1.1 + 0.35 * (light.max(2, keepdims=True) > 0.6), 0, 1)
    ground = rgb("0a0718")[0] + 0.02 * sheet_noise(rng, 30)[..., None]
    return np.clip(np.maximum(core, ground + glow), 0, 1)


# ---------------------------------------------------------------------------------------------- the paintings


PAINTINGS: dict[str, tuple[int, Callable[[Rng], Array]]] = {
    "nightswirl": (1, nightswirl),
    "sunfield": (2, sunfield),
    "mosaic": (3, mosaic),
    "stainedglass": (4, stainedglass),
    "cubist": (5, cubist),
    "wave": (6, wave),
    "woodcut": (4, woodcut),
    "inkwash": (5, inkwash),
    "watercolor": (6, watercolor),
    "pointillist": (7, pointillist),
    "crosshatch": (8, crosshatch),
    "pastel": (9, pastel),
    "fresco": (12, fresco),
    "neon": (13, neon),
}


def save(picture: Array, target: Path) -> int:
    """Write a picture as a JPEG of at most ``MAX_BYTES`` and return its size."""
    small = cv2.resize(np.clip(picture, 0, 1).astype(np.float32), OUT_SIZE, interpolation=cv2.INTER_AREA)
    pixels = np.rint(small * 255).astype(np.uint8)[..., ::-1]
    for quality in range(92, 40, -3):
        _, data = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])
        if len(data) <= MAX_BYTES:
            break
    target.write_bytes(data.tobytes())
    return len(data)


def main() -> None:
    """Paint the named pictures, or all of them."""
    parser = argparse.ArgumentParser(description="Paint the preset style artworks.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"any of: {', '.join(PAINTINGS)} (default: all)")
    parser.add_argument("--out", type=Path, default=Path(__file__).resolve().parent, metavar="DIR")
    args = parser.parse_args()
    unknown = [name for name in args.names if name not in PAINTINGS]
    if unknown:
        parser.error(f"unknown painting: {', '.join(unknown)}")
    args.out.mkdir(parents=True, exist_ok=True)
    cv2.setNumThreads(1)
    for name in args.names or PAINTINGS:
        seed, painter = PAINTINGS[name]
        started = time.perf_counter()
        target = args.out / f"{name}.jpg"
        size = save(painter(np.random.default_rng([7, seed])), target)
        print(f"{target}: {size / 1000:.0f} kB, {time.perf_counter() - started:.1f} s")


if __name__ == "__main__":
    main()
