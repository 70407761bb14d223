"""Mosaic and stained glass."""

from __future__ import annotations

import cv2
import numpy as np

from .base import (
    Array,
    H,
    Rng,
    W,
    blur,
    borders,
    cells,
    disc,
    distance,
    fbm,
    fill,
    flat,
    grid,
    mix,
    rgb,
    smear,
    smoothstep,
    unit,
)
from .brush import emboss, lookup, scatter


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


class Cartoon:
    """The drawing a mosaic is laid after: flat colours, and the regions whose outlines the rows of tiles follow."""

    def __init__(self, colour: str) -> None:
        """Start with one region of one colour."""
        self.scene = flat(rgb(colour)[0])
        self.labels = np.zeros((H, W), np.int32)
        self.count = 0

    def put(self, mask: Array, colour: str) -> None:
        """Add a region."""
        self.count += 1
        self.scene[mask > 0.5], self.labels[mask > 0.5] = rgb(colour)[0], self.count


def mosaic_scene() -> tuple[Array, Array]:
    """Return the colours and region labels of a river between gardens: banded sky, hills and water."""
    x, y = grid()
    cartoon = Cartoon("f2dfae")
    for k, colour in enumerate(("f6ecd2", "eccb78", "f4e2b4", "e3b04e", "f3dfb0", "f7ecd4")):
        crest = H * (0.05 + 0.075 * k) + 26 * np.sin(x / 150 + 0.8 * k) + 10 * np.sin(x / 61 + k)
        cartoon.put(y > crest, colour)
    hills = (("a9b8a0", 0.47, 60), ("6f8f6a", 0.53, 48), ("c98a4a", 0.575, 40), ("8f4a2c", 0.625, 34))
    for k, (colour, base, rise) in enumerate(hills):
        cartoon.put(y > H * base + rise * np.sin(x / 140 + 2.2 * k) + 12 * np.sin(x / 50 + k), colour)
    for k, colour in enumerate(("e9e4d2", "8fc0c4", "3f8fa8", "1f5f8f", "16406f", "3f8fa8", "dfe6da", "1f4f80")):
        crest = H * (0.66 + 0.045 * k) + 15 * np.sin(x / 75 + 1.1 * k) + 6 * np.sin(x / 29 + k)
        cartoon.put(y > crest, colour)
    garden(cartoon)
    boat_and_sails(cartoon)
    return cartoon.scene, cartoon.labels


def garden(cartoon: Cartoon) -> None:
    """Plant a tree of rounded boughs on the left bank and cypresses on the right one."""
    x, y = grid()
    trunk = np.abs(x - 0.22 * W - 14 * np.sin(y / 60)) < 20 + 0.10 * np.clip(y - 0.5 * H, 0, None)
    cartoon.put(trunk & (y > 0.34 * H) & (y < 0.69 * H), "5a3422")
    boughs = ((0.11, 0.36, 82), (0.34, 0.34, 86), (0.22, 0.42, 78), (0.16, 0.23, 84), (0.30, 0.21, 80), (0.23, 0.31, 74))
    for cx, cy, r in boughs:
        cartoon.put(disc(cx, cy, r), "1f4a34")
        cartoon.put(disc(cx - 0.012, cy - 0.025, 0.72 * r), "4f8a44")
        cartoon.put(disc(cx - 0.024, cy - 0.05, 0.42 * r), "b5c65a")
    for cx, top, wide in ((0.70, 0.30, 42), (0.79, 0.16, 54), (0.89, 0.26, 48)):
        middle = 0.5 * (top + 0.64)
        tall = 0.5 * (0.64 - top) * H
        cartoon.put(disc(cx, middle, wide, tall / wide), "1c3f3a")
        cartoon.put(disc(cx + 0.012, middle + 0.02, 0.5 * wide, 1.5 * tall / wide), "3f7f5a")


def boat_and_sails(cartoon: Cartoon) -> None:
    """Put a boat with two sails on the river."""
    for points, colour in (
        (((0.50, 0.40), (0.50, 0.76), (0.36, 0.76)), "f7efdc"),
        (((0.50, 0.52), (0.50, 0.64), (0.405, 0.64), (0.445, 0.52)), "c8452c"),
        (((0.515, 0.46), (0.515, 0.76), (0.64, 0.74)), "e8b24a"),
        (((0.34, 0.78), (0.68, 0.77), (0.62, 0.86), (0.40, 0.86)), "7d2a22"),
        (((0.34, 0.78), (0.68, 0.77), (0.665, 0.805), (0.355, 0.81)), "e9dcc0"),
    ):
        cartoon.put(fill(np.array(points) * (W, H)), colour)


def mosaic(rng: Rng) -> Array:
    """A river garden of stone and glass tesserae, cut square, whose rows follow the drawing's outlines."""
    scene, labels = mosaic_scene()
    edge = borders(labels)
    away = blur(distance(~edge), 4)
    angle = np.arctan2(cv2.Sobel(away, cv2.CV_32F, 0, 1), cv2.Sobel(away, cv2.CV_32F, 1, 0))
    thick = cv2.dilate(edge.astype(np.uint8), np.ones((3, 3))) > 0
    tiles, gap, sites = tile_sites(rng, angle, thick, 24.0, 14)
    n = len(sites)
    value = rng.normal(0, 0.11, (n, 1)) + rng.normal(0, 0.04, (n, 3))
    tint = np.clip(lookup(scene, sites) * (1 + value) + 0.25 * value, 0.03, 1)
    picture = tint[tiles].astype(np.float32)
    x, y = grid()
    tilt = rng.normal(0, 0.006, (n, 2))
    picture *= (1 + tilt[tiles, 0] * (x - sites[tiles, 0]) + tilt[tiles, 1] * (y - sites[tiles, 1]))[..., None]
    vein = fbm(rng, 14, 3) + 0.8 * np.abs(fbm(rng, 30, 2))
    picture *= (1 + 0.035 * vein)[..., None]
    chipped = gap + 0.45 * fbm(rng, 8, 2)
    face = smoothstep(2.6, 4.4, chipped)
    picture *= emboss(blur(face, 0.9), 0.16)[..., None]
    grout = rgb("322a24")[0] * (1 + 0.10 * fbm(rng, 4, 2) + 0.10 * fbm(rng, 90, 2))[..., None]
    return mix(grout, picture, face)


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
