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
    spline,
    unit,
)
from .brush import emboss, lookup, scatter
from .strip import arc, ribbon, swelling


def tile_sites(
    rng: Rng, angle: Array, edge: Array, spacing: float, rounds: int
) -> tuple[Array, Array, Array]:
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
    for k, colour in enumerate(
        ("e9e4d2", "8fc0c4", "3f8fa8", "1f5f8f", "16406f", "3f8fa8", "dfe6da", "1f4f80")
    ):
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
    boughs = (
        (0.11, 0.36, 82),
        (0.34, 0.34, 86),
        (0.22, 0.42, 78),
        (0.16, 0.23, 84),
        (0.30, 0.21, 80),
        (0.23, 0.31, 74),
    )
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
    picture *= (1 + tilt[tiles, 0] * (x - sites[tiles, 0]) + tilt[tiles, 1] * (y - sites[tiles, 1]))[
        ..., None
    ]
    vein = fbm(rng, 14, 3) + 0.8 * np.abs(fbm(rng, 30, 2))
    picture *= (1 + 0.035 * vein)[..., None]
    chipped = gap + 0.45 * fbm(rng, 8, 2)
    face = smoothstep(2.6, 4.4, chipped)
    picture *= emboss(blur(face, 0.9), 0.16)[..., None]
    grout = rgb("322a24")[0] * (1 + 0.10 * fbm(rng, 4, 2) + 0.10 * fbm(rng, 90, 2))[..., None]
    return mix(grout, picture, face)


class Window:
    """A leaded window's cartoon: the piece of glass each pixel belongs to, and two colours streaked in each piece."""

    def __init__(self, rng: Rng) -> None:
        """Start with no glass."""
        self.rng = rng
        self.labels = np.zeros((H, W), np.int32)
        self.colours: list[tuple[Array, Array]] = [(np.zeros(3), np.zeros(3))]

    def glaze(self, mask: Array, cut: Array, *sheets: str) -> None:
        """Fill a region with pieces, one for each value of ``cut``, each from one of the sheets ("colour colour")."""
        inside = mask > 0.5
        for value in np.unique(cut[inside]):
            one, other = rgb(*self.rng.choice(list(sheets)).split())
            value_shift = self.rng.uniform(0.88, 1.12)
            self.labels[inside & (cut == value)] = len(self.colours)
            self.colours.append((one * value_shift, other * value_shift))


def strips(field: Array, pitch: float) -> Array:
    """Cut into strips where a field crosses multiples of ``pitch``."""
    return np.floor(field / pitch).astype(np.int32)


def glass_pieces(rng: Rng) -> Window:
    """Draw a lake between mountains, seen through a tree and iris leaves."""
    x, y = grid()
    window = Window(rng)
    everywhere = np.ones((H, W), np.float32)
    bands = y + 46 * np.sin(x / 170 + 0.4) + 16 * np.sin(x / 61)
    sky = strips(bands, 62) * 100 + strips(x + 0.6 * y + 40 * np.sin(y / 47) + 97 * strips(bands, 62), 205)
    window.glaze(
        everywhere,
        sky,
        "f7e7b0 f2c06a",
        "f3b98a e88a7a",
        "cfe3ee 8fbfe0",
        "e9d9e6 b79ad0",
        "8fb8e6 4f7fd0",
        "f6efdc d9e6ea",
    )
    for base, rise, span, slant, sheets in (
        (0.36, 105, 190, 0.8, ("7f8fd0 5a5fb0", "a79ad6 6f6fc0", "c9b8e0 8f86cc")),
        (0.47, 70, 150, -0.9, ("2f5fae 1f3f86", "3f86b8 235a9a", "4a4aa0 2c2f7a")),
        (0.55, 40, 120, 0.7, ("1f7a66 0f4f4a", "3f9a5a 1f6a48", "6fae4a 2f7f48")),
    ):
        top = H * base - rise * np.sin(x / span + 9 * base) - 0.35 * rise * np.sin(x / (0.37 * span) + 2)
        facet = strips(x + slant * (y - top) + 22 * np.sin(y / 39), 92) * 10 + strips(y - top, 110)
        window.glaze(smoothstep(-1, 1, y - top), facet, *sheets)
    lake = y - 0.60 * H - 10 * np.sin(x / 120) - 5 * np.sin(x / 47)
    ripples = strips(lake, 34) * 100 + strips(x + 83 * strips(lake, 34) + 14 * np.sin(y / 11), 250)
    window.glaze(
        smoothstep(-1, 1, lake),
        ripples,
        "5fc0dc 2f86c4",
        "a8dce6 5fb0d8",
        "1f5fb0 163f8a",
        "f4d59a e8a878",
        "3f9ac8 1f5fa8",
    )
    bank = y - 0.83 * H - 26 * np.sin(x / 140 + 1.0)
    window.glaze(
        smoothstep(-1, 1, bank),
        strips(x + 0.9 * y + 30 * np.sin(y / 40), 120) * 10 + strips(bank, 80),
        "2f8a3c 145a34",
        "8fb83a 3f8a34",
        "c9c04a 7f9a30",
    )
    foliage(window)
    irises(window)
    return window


def foliage(window: Window) -> None:
    """Set a tree on the left: a bent trunk, boughs, and leaves of many small pieces."""
    rng = window.rng
    x, y = grid()
    for points, wide in (
        (((0.16, 0.95), (0.19, 0.70), (0.14, 0.45), (0.20, 0.20), (0.24, -0.02)), (74, 46)),
        (((0.17, 0.48), (0.28, 0.34), (0.42, 0.24), (0.55, 0.20)), (40, 16)),
        (((0.17, 0.36), (0.08, 0.22), (-0.02, 0.16)), (36, 16)),
    ):
        path = spline(points, 14)
        mask = fill(ribbon(path, np.linspace(*wide, len(path))))
        window.glaze(mask, strips(y + 0.5 * x, 105), "5a3a2a 2f1f1c", "7a4f30 43291f", "6a4a5a 3a2a3f")
    cell, _ = cells(rng, 330, 7.0)
    for cx, cy, rx, ry in (
        (0.10, 0.12, 0.15, 0.13),
        (0.30, 0.10, 0.13, 0.12),
        (0.47, 0.13, 0.12, 0.09),
        (0.03, 0.30, 0.08, 0.10),
        (0.62, 0.08, 0.08, 0.06),
    ):
        crown = np.hypot((x / W - cx) / rx, (y / H - cy) / ry) < 1
        kept = np.isin(cell, np.unique(cell[crown])[rng.random(len(np.unique(cell[crown]))) < 0.85])
        inside = (kept & (np.hypot((x / W - cx) / rx, (y / H - cy) / ry) < 1.12)).astype(np.float32)
        window.glaze(
            inside,
            cell,
            "2f8a3c 145a34",
            "8fc04a 3f8f3a",
            "d9d04a 8fae34",
            "1f6a4a 0f4438",
            "f0b03a c9782c",
            "b8d86a 6fae40",
        )


def irises(window: Window) -> None:
    """Let long leaves and closed blossoms rise from the near bank."""
    rng = window.rng
    _, y = grid()
    for cx in (0.40, 0.46, 0.53, 0.60, 0.66, 0.73, 0.79, 0.85, 0.91, 0.97, 0.33):
        path = arc(
            np.array([cx * W, 1.04 * H]),
            -np.pi / 2 + rng.normal(0, 0.22),
            rng.uniform(190, 330),
            rng.normal(0, 0.5),
            20,
        )
        blade = fill(ribbon(path, 34 * swelling(20, 0.35, 0.3)))
        window.glaze(blade, strips(y + 60 * cx * W, 130), "3f9a4a 1a6a3c", "6fb84a 2f8a40", "1f7a5a 0f4f44")
        if rng.random() < 0.6:
            for lean in (-0.55, 0.0, 0.55):
                petal = arc(path[-3], -np.pi / 2 + lean, 82, 0.9 * lean, 14)
                window.glaze(
                    fill(ribbon(petal, 38 * swelling(14, 0.5, 0.05))),
                    strips(y, 2000),
                    "7a4fc8 4a2a9a",
                    "c86ad0 8a3aa8",
                    "e8a0d8 b05ac0",
                    "4a4ad0 2a2a90",
                )


def stainedglass(rng: Rng) -> Array:
    """A leaded window in daylight: streaky opal glass in black cames."""
    window = glass_pieces(rng)
    labels = window.labels
    lead = distance(~borders(labels))
    one, other = (np.array(part, np.float32) for part in zip(*window.colours, strict=True))
    turn = rng.uniform(0, np.pi, len(one)).astype(np.float32)[labels]
    swirl = unit(smear(fbm(rng, 40, 4), turn + 0.5 * fbm(rng, 120, 2), 16, 2.0))
    share = smoothstep(-1.3, 1.3, swirl)[..., None]
    glass = one[labels] * (1 - share) + other[labels] * share
    glass = np.clip(glass, 0, 1) ** 1.15
    sun = 1.06 + 0.16 * fbm(rng, 420, 2)
    glass = glass * (sun * (1 + 0.05 * unit(smear(fbm(rng, 7, 2), turn, 5, 1.5))))[..., None]
    glass = glass * (0.62 + 0.38 * smoothstep(3, 15, lead))[..., None]
    seeds = blur((rng.random((H, W)) < 0.0005).astype(np.float32), 1.4) * 7
    glass = glass + 0.22 * seeds.clip(0, 1)[..., None]
    width = 4.6 + 0.7 * fbm(rng, 60, 2)
    metal = rgb("15131a")[0] * (1 + 0.25 * fbm(rng, 6, 2))[..., None]
    metal = metal + 0.10 * (np.exp(-((lead - 1.5) ** 2)) * smoothstep(-0.2, 1.0, fbm(rng, 40, 2)))[..., None]
    glow = blur(np.clip(glass, 0, 1), 10)
    return mix(glass, metal, smoothstep(width + 0.8, width - 0.8, lead)) + 0.07 * glow
