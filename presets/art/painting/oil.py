"""Oil paintings: bristle strokes along a flow field, lit from the side."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from .base import (
    Array,
    H,
    Rng,
    W,
    area,
    blur,
    borders,
    disc,
    distance,
    fbm,
    fill,
    flat,
    grid,
    lines,
    mix,
    ramp,
    rgb,
    skyline,
    smear,
    smoothstep,
    spline,
    unit,
    warp,
)
from .brush import Brush, Canvas, impasto, paint


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
    stars = [
        (0.12, 0.15, 52),
        (0.33, 0.09, 40),
        (0.55, 0.13, 44),
        (0.24, 0.42, 40),
        (0.70, 0.30, 40),
        (0.66, 0.07, 34),
        (0.93, 0.43, 40),
        (0.42, 0.50, 30),
    ]
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
    for base, dark, light in (
        (0.64, "1a3a78", "5f93b8"),
        (0.75, "0d2347", "2f6f7e"),
        (0.87, "071428", "2c5a48"),
    ):
        mask, depth = skyline(rng, base, 0.035, 330, 3)
        stripe = 0.5 + 0.5 * np.sin(depth / 8 + 2 * fbm(rng, 90, 2))
        scene = mix(scene, ramp(stripe, rgb(dark, light)), mask)
        slope = np.arctan2(np.gradient(-depth, axis=1), 1.0)
        angle = np.where(mask > 0.5, slope + 0.25 * np.sin(x / 50), angle)
    for _ in range(20):
        cx, cy, w, h = (
            rng.uniform(0.30, 0.98),
            rng.uniform(0.76, 0.94),
            rng.uniform(16, 30),
            rng.uniform(18, 30),
        )
        left, right, top = cx * W - w, cx * W + w, cy * H - h
        wall = fill(np.array([(left, top), (right, top), (right, cy * H), (left, cy * H)]))
        roof = fill(np.array([(left - 6, top), (cx * W, top - h * 0.9), (right + 6, top)]))
        scene = mix(scene, rng.permutation(rgb("30508a", "557a8c", "23406c"))[0], wall)
        scene = mix(scene, rng.permutation(rgb("8c3b1c", "1b1f3c", "b05c22"))[0], roof)
        scene = mix(scene, rgb("ffd23c")[0], disc(cx, cy - 0.55 * h / H, 7))
    tree = area(
        [
            (0.02, 1.02),
            (0.06, 0.72),
            (0.08, 0.45),
            (0.115, 0.20),
            (0.15, 0.42),
            (0.165, 0.60),
            (0.20, 0.78),
            (0.23, 1.02),
        ]
    )
    tree = np.clip(warp(tree, rng, 9, 70), 0, 1)
    flame = ramp(
        np.clip(0.42 + 0.3 * np.sin(x / 9 + 2.5 * np.sin(y / 55)), 0, 1), rgb("05100f", "12301f", "3e5a25")
    )
    scene = mix(scene, flame, tree)
    return scene, np.where(tree > 0.5, -np.pi / 2 + 0.5 * np.sin(y / 48 + x / 40), angle)


def sunfield(rng: Rng) -> Array:
    """Wheat under a burning sun: short, thick, unblended dabs."""
    x, y = grid()
    sx, sy = 0.66 * W, 0.20 * H
    d = np.hypot(x - sx, y - sy)
    scene = ramp(
        np.clip(d / 640 + 0.03 * np.sin(d / 13), 0, 1),
        rgb("fffbd0", "ffe04a", "ffb92e", "f9a04a", "f2c27a", "8ccdb8", "4fa9b4"),
    )
    angle = np.arctan2(x - sx, -(y - sy))
    for base, rise, colours in ((0.41, 0.035, ("5566a0", "a58bb0")), (0.46, 0.02, ("3f6d58", "86a548"))):
        mask, depth = skyline(rng, base, rise, 240)
        scene = mix(scene, ramp(np.clip(depth / 60 + 0.2 * fbm(rng, 30, 2), 0, 1), rgb(*colours)), mask)
        angle = np.where(mask > 0.5, 0.5 + 0.3 * fbm(rng, 100, 2), angle)
    field, depth = skyline(rng, 0.52, 0.012, 300)
    heading = np.arctan2(y - 0.36 * H, x - 0.42 * W)
    rows = np.sin(heading * 30 + 0.8 * fbm(rng, 120, 2)) + 0.5 * fbm(rng, 40, 3)
    wheat = ramp(np.clip(0.5 + 0.28 * rows, 0, 1), rgb("4a2412", "a35a18", "dd9a20", "f6cc3e", "fff0a0"))
    wheat = mix(wheat, rgb("5d7d2c")[0], 0.8 * smoothstep(0.9, 1.5, fbm(rng, 90, 3)))
    scene = mix(scene, wheat, field)
    angle = np.where(field > 0.5, heading + 0.35 * fbm(rng, 60, 2), angle)
    for cx, cy, r in (
        (0.10, 0.40, 95),
        (0.20, 0.46, 62),
        (0.34, 0.47, 40),
        (0.90, 0.44, 70),
        (0.81, 0.48, 42),
    ):
        ball = np.hypot(x - cx * W, (y - cy * H) * 0.9) + 9 * fbm(rng, 36, 2)
        light = ((x - cx * W) - (y - cy * H)) / r
        leaf = ramp(np.clip(0.5 + 0.35 * light, 0, 1), rgb("0c1f33", "173f3a", "4a7f2e", "c2b93c"))
        scene = mix(scene, leaf, smoothstep(r + 2, r - 2, ball))
        angle = np.where(ball < r, np.arctan2(x - cx * W, cy * H - y), angle)
    canvas = Canvas.primed(scene * 0.75 + 0.08)
    brush = Brush(length=2.3, jitter=0.075, dry=0.05, spacing=0.62, cut=0.8, bristle=3.2, wander=0.2)
    for width in (30, 20, 14):
        paint(
            canvas, rng, scene, angle, width, brush, None if width > 25 else np.full((H, W), 0.75, np.float32)
        )
    stalk = Brush(length=4.2, jitter=0.06, dry=0.05, spacing=0.8, cut=1.2, bristle=3.0, wander=0.25)
    paint(canvas, rng, scene, angle, 12, stalk, 0.8 * field)
    poppies = np.clip(smoothstep(1.0, 1.7, fbm(rng, 60, 2)) * field * 0.3, 0, 1)
    dab = Brush(length=1.4, jitter=0.06, dry=0.0, cut=9, bristle=3)
    paint(canvas, rng, flat(rgb("d8301a")), angle, 13, dab, poppies)
    paint(canvas, rng, flat(rgb("2d5f8c")), angle, 11, dab, 0.012 * field)
    return impasto(canvas, 1.1, 0.22)


def cubist_scene(rng: Rng) -> tuple[Array, Array]:
    """Return a still life (jug, guitar, bottle, glass, fruit) and the mask of its drawn contours."""
    scene = ramp(np.clip(0.5 + 0.3 * fbm(rng, 260, 2), 0, 1), rgb("3a3f47", "77746a", "b39a6a", "cdb98c"))
    outlines: list[Array] = []

    def put(points: Sequence[tuple[float, float]], colour: str) -> None:
        nonlocal scene
        curve = spline(points, closed=True)
        scene = mix(scene, rgb(colour)[0], fill(curve))
        outlines.append(np.vstack([curve, curve[:1]]))

    put([(-0.1, 0.74), (0.5, 0.66), (1.1, 0.76), (1.1, 1.1), (-0.1, 1.1)], "6b4a2c")
    put(
        [
            (0.30, 0.30),
            (0.36, 0.20),
            (0.50, 0.20),
            (0.57, 0.32),
            (0.56, 0.50),
            (0.48, 0.60),
            (0.36, 0.60),
            (0.29, 0.48),
        ],
        "d9b27a",
    )
    put([(0.45, 0.20), (0.52, 0.21), (0.58, 0.33), (0.56, 0.50), (0.48, 0.60), (0.50, 0.40)], "8a5630")
    put([(0.37, 0.22), (0.39, 0.06), (0.36, 0.02), (0.49, 0.01), (0.47, 0.07), (0.49, 0.22)], "efe0b8")
    put(
        [
            (0.55, 0.28),
            (0.66, 0.24),
            (0.67, 0.42),
            (0.56, 0.50),
            (0.58, 0.44),
            (0.62, 0.39),
            (0.61, 0.31),
            (0.56, 0.33),
        ],
        "3a2a20",
    )
    put([(0.62, 0.62), (0.67, 0.55), (0.73, 0.60), (0.72, 0.68), (0.65, 0.70)], "c4642c")
    put([(0.69, 0.66), (0.74, 0.60), (0.80, 0.65), (0.78, 0.73), (0.71, 0.74)], "d9a63c")
    put([(0.00, 0.10), (0.16, 0.06), (0.20, 0.26), (0.04, 0.32)], "efe6cc")
    put([(0.03, 0.14), (0.13, 0.11), (0.15, 0.16), (0.05, 0.19)], "4a5a68")
    put(
        [
            (0.10, 0.68),
            (0.24, 0.58),
            (0.36, 0.64),
            (0.46, 0.58),
            (0.60, 0.66),
            (0.58, 0.84),
            (0.46, 0.88),
            (0.36, 0.84),
            (0.22, 0.92),
            (0.10, 0.84),
        ],
        "c07a2c",
    )
    put([(0.35, 0.69), (0.40, 0.73), (0.35, 0.78), (0.30, 0.73)], "1a1410")
    put([(0.52, 0.72), (0.92, 0.50), (0.93, 0.54), (0.54, 0.78)], "3b2415")
    put([(0.76, 0.30), (0.80, 0.12), (0.84, 0.12), (0.87, 0.30), (0.88, 0.66), (0.75, 0.66)], "2f4a4a")
    put([(0.77, 0.42), (0.86, 0.42), (0.86, 0.55), (0.77, 0.55)], "e3d6b0")
    put([(0.06, 0.36), (0.18, 0.36), (0.16, 0.52), (0.17, 0.64), (0.07, 0.64), (0.09, 0.52)], "8fa3a6")
    return scene, lines(outlines, 6)


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
    """A jug, a guitar and a bottle broken into tilted, brush-textured planes."""
    x, y = grid()
    still, contour = cubist_scene(rng)
    labels = split_plane(rng, 52)
    scene, angle = np.zeros((H, W, 3), np.float32), np.zeros((H, W), np.float32)
    ink = np.zeros((H, W), np.float32)
    tints = rgb("d08f3c", "ecd49a", "5d7482", "2c1f18", "9a5a28", "a8ac98", "f7ecca", "26384a")
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
        seen = mix(seen, tints[rng.integers(len(tints))], np.full((H, W), rng.uniform(0.1, 0.55)))
        scene[here] = (seen * (0.30 + 1.05 * np.clip(t, 0, 1)[..., None] ** 0.8))[here]
        angle[here], ink[here] = theta + np.pi / 2, marks[here]
    canvas = Canvas.primed(scene)
    edge = borders(labels)
    brush = Brush(length=2.6, jitter=0.022, dry=0.15, cut=0.30, bristle=3.0, wander=0.04)
    for width in (30, 19, 9):
        paint(canvas, rng, np.clip(scene, 0, 1), angle, width, brush)
        brush.fix = 0.22
    lit = impasto(canvas, 0.45, 0.06)
    rim = smoothstep(20, 2, distance(~edge)) * (
        0.5 + 0.5 * unit(blur(labels.astype(np.float32), 5)).clip(-1, 1)
    )
    lit = lit * (1 - 0.25 * rim[..., None])
    seams = blur(cv2.dilate(edge.astype(np.float32), np.ones((3, 3))), 0.8)
    seams *= smoothstep(-0.9, 0.2, fbm(rng, 140, 2))
    return mix(mix(lit, rgb("17130f")[0], 0.9 * seams), rgb("0f0d0b")[0], 0.9 * ink)
