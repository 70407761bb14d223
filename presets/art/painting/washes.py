"""Watercolor: transparent washes whose pigment migrates, settles and dries.

A sheet holds optical densities, so washes laid over each other multiply the light of the paper.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from .base import (
    Array,
    H,
    Rng,
    W,
    area,
    blur,
    disc,
    distance,
    fbm,
    fill,
    fixed,
    grid,
    rgb,
    smoothstep,
)
from .brush import paper_grain
from .strip import arc, ribbon, streaks, strip, swelling

PIGMENTS = {
    "ultramarine": "4a62b4", "cerulean": "6db0d2", "indigo": "2b3c5c", "rose": "d2506e", "sienna": "b0643a",
    "ochre": "e0b458", "sap": "7f9a3c", "viridian": "3f9482", "orange": "f0904a", "lemon": "f4dc62",
    "violet": "7a5c9c", "umber": "6b4a38",
}  # fmt: skip


def absorbance(name: str) -> Array:
    """Return the optical density of one load of a pigment."""
    return -np.log(rgb(PIGMENTS[name])[0])


@dataclass
class Sheet:
    """Rough paper and the pigment on it: ``density`` per channel, ``tooth`` of unit deviation."""

    density: Array
    tooth: Array

    @staticmethod
    def blank(rng: Rng) -> Sheet:
        """Return a sheet of cold pressed paper."""
        return Sheet(np.zeros((H, W, 3), np.float32), paper_grain(rng, 5.0))

    def wash(
        self,
        rng: Rng,
        mask: Array,
        pigments: Sequence[str],
        strength: float = 0.7,
        edge: float = 0.9,
        wet: float = 0.25,
        flow: float = 150,
        rough: float = 1.0,
    ) -> None:
        """Lay one wash: colours run into each other, pools are darker, hard borders dry with a dark line.

        ``wet`` is the share of the border that meets damp paper and bleeds, ``rough`` how much the border wanders.
        """
        mask = ragged(mask, rng, rough)
        damp = smoothstep(-0.35, 0.35, fbm(rng, 170, 2) - 1.6 * (0.5 - wet) * 2)
        inside = mask * (1 - damp) + blur(mask, 15) * damp
        away = distance(mask)
        line = np.exp(-away / 3.4) + 0.30 * np.exp(-away / 14)
        line *= mask * (1 - damp) * np.clip(0.8 + 0.45 * fbm(rng, 90, 2), 0.1, 1.8)
        pool = np.clip(0.78 + 0.27 * fbm(rng, 1.2 * flow, 3) + 0.10 * fbm(rng, 22, 3), 0.15, 1.8)
        settled = np.clip(1 - 0.12 * self.tooth, 0.3, 1.8)
        amount = strength * (inside * pool + edge * line) * settled
        self.density += amount[..., None] * blend(rng, pigments, flow)

    def lift(self, rng: Rng, cx: float, cy: float, radius: float, force: float = 0.6) -> None:
        """Let a drop of water push the pigment out: a backrun with a crinkled dark rim."""
        x, y = grid()
        field = np.hypot(x - cx * W, (y - cy * H) * rng.uniform(0.9, 1.4)) / radius
        field += 0.16 * fbm(rng, 80, 5, 0.62) + 0.05 * fbm(rng, 12, 2)
        cleared = smoothstep(1.02, 0.97, field) * smoothstep(-0.6, 0.9, field)
        rim = smoothstep(0.80, 0.99, field) * smoothstep(1.04, 1.0, field)
        spread = blur(self.density, 0.25 * radius)
        self.density *= (1 - force * cleared * (1 - rim))[..., None]
        self.density += (0.75 * force * rim)[..., None] * spread

    def picture(self) -> Array:
        """Return the light that comes back through the pigment from the paper."""
        paper = rgb("fdfaf2")[0] * (1 - 0.014 * self.tooth)[..., None]
        return paper * np.exp(-self.density)


def blend(rng: Rng, pigments: Sequence[str], flow: float) -> Array:
    """Return the density of pigments that run into each other wet, patches about ``flow`` pixels."""
    fields = np.stack([fbm(rng, flow, 4) * 2.6 for _ in pigments])
    shares = np.exp(fields - fields.max(0))
    shares /= shares.sum(0)
    return sum(s[..., None] * absorbance(p) for s, p in zip(shares, pigments, strict=True)).astype(np.float32)


def ragged(mask: Array, rng: Rng, rough: float = 1.0) -> Array:
    """Return a mask with the border of a brush that met rough paper."""
    x, y = grid()
    dx = 2.6 * rough * fbm(rng, 46, 3) + 0.9 * fbm(rng, 7, 2)
    dy = 2.6 * rough * fbm(rng, 46, 3) + 0.9 * fbm(rng, 7, 2)
    return cv2.remap(mask, x + dx, y + dy, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)


def dabs(strokes: Sequence[Array]) -> Array:
    """Return the mask of many brush marks given by their outlines."""
    mask = np.zeros((H, W), np.uint8)
    for outline in strokes:
        cv2.fillPoly(mask, [fixed(outline)], 255, cv2.LINE_AA, 3)
    return mask.astype(np.float32) / 255


def mark(
    rng: Rng, at: Array, heading: float, length: float, width: float, turn: float = 0.6, blunt: float = 0.1
) -> Array:
    """Return the outline of one press of a round brush that starts at a point."""
    path = arc(at, heading, length, rng.normal(0, turn))
    return ribbon(path, width * swelling(len(path), rng.uniform(0.4, 0.65), blunt))


def dry(rng: Rng, sheet: Sheet, path: Array, width: float, level: float = 0.4) -> Array:
    """Return the mask of a dragged, nearly dry brush: it only meets the bumps of the paper."""
    mask = np.zeros((H, W), np.float32)
    found = strip(path, width / 2 + 2)
    if found is None:
        return mask
    t = np.clip(found.along / found.length, 0, 1)
    bristle = streaks(rng, found.across, found.along, 3.0)
    touch = 0.9 * sheet.tooth[found.window] + 0.8 * bristle - level - 1.3 * t**2
    body = (
        smoothstep(1, -1, np.abs(found.across) - width / 2)
        * (found.along > -3)
        * (found.along < found.length)
    )
    mask[found.window] = smoothstep(-0.25, 0.25, touch) * body
    return mask


def crown(rng: Rng, cx: float, cy: float, radius: float, count: int, size: float) -> list[Array]:
    """Return the leaf marks of a tree's crown, thinner towards its rim."""
    marks = []
    for _ in range(count):
        theta, r = rng.uniform(0, 2 * np.pi), radius * rng.uniform(0, 1) ** 0.6
        at = np.array([cx * W + r * np.cos(theta), cy * H + 0.85 * r * np.sin(theta)])
        marks.append(
            mark(rng, at, rng.uniform(-2.6, -0.4), size * rng.uniform(0.7, 1.8), size * rng.uniform(0.4, 0.9))
        )
    return marks


def below(rng: Rng, base: float, rise: float, scale: float, mist: float = 0.0) -> Array:
    """Return the mask under a noisy ridge, thinning out ``mist`` pixels further down when that is above zero."""
    _, y = grid()
    depth = y - H * (base + rise * fbm(rng, scale, 4)[:1])
    mask = smoothstep(-1, 1, depth)
    return mask * np.exp(-np.clip(depth, 0, None) / mist) if mist else mask


def sky(rng: Rng, sheet: Sheet) -> None:
    """Float the sky around clouds of bare paper."""
    _, y = grid()
    form = fbm(rng, 260, 5, 0.5, (1.5, 1)) + 0.5 * (y / H) * 2
    for level, pigments, strength in (
        (0.55, ("cerulean", "ultramarine", "cerulean"), 0.55),
        (0.0, ("ultramarine", "cerulean"), 0.45),
        (-0.7, ("ultramarine", "indigo"), 0.4),
    ):
        open_sky = smoothstep(level + 0.05, level - 0.05, form) * smoothstep(0.46 * H, 0.30 * H, y)
        sheet.wash(rng, open_sky, pigments, strength, wet=0.4)
    belly = smoothstep(0.75, 0.9, form) * smoothstep(1.6, 1.2, form) * smoothstep(0.44 * H, 0.36 * H, y)
    sheet.wash(rng, belly, ("violet", "ochre", "ultramarine"), 0.2, edge=0.4, wet=0.7)
    glow = smoothstep(0.14 * H, 0.30 * H, y) * smoothstep(0.48 * H, 0.40 * H, y)
    sheet.wash(rng, 0.6 * glow, ("ochre", "rose", "ochre"), 0.16, edge=0, wet=0.9)


def land(rng: Rng, sheet: Sheet) -> None:
    """Lay the ranges from the palest to the nearest, each over the dry one before."""
    for base, rise, scale, mist, pigments, strength in (
        (0.33, 0.045, 250, 190, ("ultramarine", "cerulean", "violet"), 0.45),
        (0.385, 0.035, 190, 120, ("ultramarine", "violet", "cerulean"), 0.45),
        (0.45, 0.022, 170, 90, ("indigo", "sap", "cerulean"), 0.4),
        (0.50, 0.018, 130, 70, ("sap", "ochre", "ochre"), 0.45),
    ):
        sheet.wash(rng, below(rng, base, rise, scale, mist), pigments, strength, wet=0.3)


def village(rng: Rng, sheet: Sheet) -> None:
    """Set roofs and the shaded sides of walls; sunlit walls stay paper."""
    roofs, shades = [], []
    for cx, cy, w, h in (
        (0.30, 0.545, 44, 36), (0.365, 0.56, 36, 30), (0.425, 0.545, 30, 48), (0.49, 0.562, 40, 28), (0.60, 0.552, 34, 30),
        (0.665, 0.566, 46, 32), (0.235, 0.57, 34, 26),
    ):  # fmt: skip
        x, y = cx * W, cy * H
        wall = np.array([(x - w, y - h), (x + w, y - h), (x + w, y + h * 0.7), (x - w, y + h * 0.7)])
        sheet.density *= (1 - 0.93 * fill(wall))[..., None]
        roofs.append(
            np.array(
                [
                    (x - w - 8, y - h),
                    (x - w * 0.45, y - h - 30),
                    (x + w * 0.7, y - h - 28),
                    (x + w + 8, y - h + 2),
                ]
            )
        )
        shades.append(
            np.array(
                [(x + w * 0.35, y - h), (x + w, y - h), (x + w, y + h * 0.7), (x + w * 0.4, y + h * 0.7)]
            )
        )
    sheet.wash(rng, dabs(roofs), ("sienna", "orange", "orange"), 0.85, wet=0.15, flow=40)
    sheet.wash(rng, dabs(shades), ("ultramarine", "violet", "ultramarine"), 0.5, wet=0.15, flow=50)
    grass = below(rng, 0.585, 0.004, 90) * smoothstep(0.63 * H, 0.61 * H, grid()[1])
    sheet.wash(rng, grass, ("ochre", "sap", "sienna"), 0.45, wet=0.4)


def trees(rng: Rng, sheet: Sheet) -> None:
    """Mass the trees in three tones of leaf marks, and draw trunks through them."""
    groups = [
        (0.10, 0.46, 105),
        (0.17, 0.53, 60),
        (0.545, 0.515, 46),
        (0.76, 0.53, 52),
        (0.87, 0.43, 125),
        (0.95, 0.53, 70),
        (0.02, 0.55, 60),
    ]
    for cx, cy, r in groups:
        sheet.density *= (1 - 0.75 * ragged(disc(cx, cy, 0.9 * r, 0.85), rng, 3))[..., None]
    for pigments, strength, shrink, count, size in (
        (("sap", "ochre", "ochre", "sienna"), 0.5, 1.0, 16, 76),
        (("sap", "viridian", "sienna"), 0.5, 0.85, 10, 58),
        (("indigo", "sap", "ultramarine"), 0.75, 0.7, 6, 42),
    ):
        marks = [
            m
            for cx, cy, r in groups
            for m in crown(
                rng, cx + 0.1 * (1 - shrink), cy + 0.10 * (1 - shrink), r * shrink, int(count * r / 80), size
            )
        ]
        sheet.wash(rng, dabs(marks), pigments, strength, wet=0.3, flow=70)
    trunks = []
    for cx, cy, r in groups:
        foot = np.array([cx * W, (cy + 0.02) * H + 0.95 * r])
        for _ in range(4):
            path = arc(
                foot + rng.normal(0, 3, 2),
                -np.pi / 2 + rng.normal(0, 0.4),
                r * rng.uniform(0.9, 1.5),
                rng.normal(0, 0.6),
            )
            trunks.append(ribbon(path, np.linspace(0.10 * r, 1.5, len(path))))
    sheet.wash(rng, dabs(trunks), ("umber", "indigo", "sienna"), 0.9, wet=0.1, flow=60, rough=0.4)


def river(rng: Rng, sheet: Sheet) -> None:
    """Draw the water with level strokes, wet, then dry over bare sparkles."""
    shore = area(
        [
            (-0.1, 0.62),
            (0.2, 0.605),
            (0.5, 0.612),
            (0.8, 0.60),
            (1.1, 0.61),
            (1.1, 0.86),
            (0.8, 0.80),
            (0.55, 0.86),
            (0.2, 0.90),
            (-0.1, 0.84),
        ]
    )
    sheet.density *= (1 - 0.9 * shore)[..., None]
    gaps = smoothstep(0.35, 0.5, fbm(rng, 60, 3, 0.5, (5, 1)))
    sheet.wash(rng, shore * (1 - gaps), ("cerulean", "ultramarine", "cerulean", "ochre"), 0.42, wet=0.25)
    bands = [
        (7, 46, ("ultramarine", "cerulean"), 0.45),
        (6, 28, ("sap", "sienna", "ultramarine"), 0.5),
        (7, 15, ("indigo", "ultramarine"), 0.8),
    ]
    for count, width, pigments, strength in bands:
        strokes = []
        for _ in range(count):
            at = np.array([rng.uniform(-0.05, 0.9) * W, rng.uniform(0.63, 0.80) * H])
            strokes.append(
                mark(
                    rng,
                    at,
                    rng.normal(0, 0.03),
                    rng.uniform(60, 230),
                    width * rng.uniform(0.6, 1.3),
                    0.12,
                    0.25,
                )
            )
        sheet.wash(rng, dabs(strokes) * shore, pigments, strength, wet=0.25, flow=100)
    for _ in range(6):
        start = np.array([rng.uniform(0, 0.7) * W, rng.uniform(0.63, 0.83) * H])
        path = arc(start, rng.normal(0, 0.03), rng.uniform(180, 380), 0.05)
        sheet.wash(
            rng, dry(rng, sheet, path, rng.uniform(12, 30)), ("ultramarine", "indigo"), 0.5, edge=0.1, wet=0
        )


def bank(rng: Rng, sheet: Sheet) -> None:
    """Close the foreground with a warm wash, grasses and flower heads."""
    bare = smoothstep(0.5, 0.62, fbm(rng, 150, 3))
    sheet.wash(
        rng, below(rng, 0.83, 0.022, 260) * (1 - bare), ("ochre", "sap", "ochre", "rose"), 0.38, wet=0.25
    )
    sheet.wash(rng, below(rng, 0.91, 0.03, 200), ("sap", "ochre", "ultramarine", "sienna"), 0.4, wet=0.3)
    for count, length, width, pigments, strength in (
        (16, 170, 30, ("sap", "ochre"), 0.5),
        (13, 160, 22, ("sap", "indigo", "viridian"), 0.65),
        (10, 150, 12, ("indigo", "umber"), 0.9),
    ):
        blades = []
        for _ in range(count):
            at = np.array(
                [rng.choice([0.08, 0.3, 0.62, 0.9]) * W + rng.normal(0, 75), rng.uniform(0.92, 1.04) * H]
            )
            blades.append(
                mark(
                    rng, at, -np.pi / 2 + rng.normal(0, 0.4), length * rng.uniform(0.5, 1.2), width, 0.7, 0.05
                )
            )
        sheet.wash(rng, dabs(blades), pigments, strength, wet=0.1, flow=80, rough=0.3)
    for pigments, strength in ((("rose", "orange"), 0.85), (("orange", "ochre"), 0.85)):
        heads = []
        for _ in range(5):
            at = np.array([rng.uniform(0.02, 0.98) * W, rng.uniform(0.82, 0.95) * H])
            heads += [
                mark(
                    rng,
                    at + rng.normal(0, 3, 2),
                    rng.uniform(0, 6.3),
                    rng.uniform(22, 40),
                    rng.uniform(14, 24),
                )
                for _ in range(4)
            ]
        sheet.wash(rng, dabs(heads), pigments, strength, wet=0.15, flow=30)


def splatter(rng: Rng, sheet: Sheet, count: int = 14) -> None:
    """Flick a few drops from the brush."""
    mask = np.zeros((H, W), np.uint8)
    for _ in range(count):
        at = np.rint(rng.uniform(0, 1, 2) * (W, H) * 8).astype(int)
        cv2.circle(mask, at.tolist(), int(8 * min(7, 1.2 + rng.exponential(1.6))), 255, -1, cv2.LINE_AA, 3)
    sheet.wash(rng, mask.astype(np.float32) / 255, ("sienna", "indigo", "rose"), 0.7, wet=0.0)


def watercolor(rng: Rng) -> Array:
    """A village by a river under a cloudy sky: glazes over rough paper, hard and lost edges, backruns."""
    sheet = Sheet.blank(rng)
    steps: Sequence[Callable[[Rng, Sheet], None]] = (sky, land, trees, village, river, bank)
    for step in steps:
        step(rng, sheet)
    for cx, cy, radius in (
        (0.22, 0.12, 75),
        (0.80, 0.20, 95),
        (0.55, 0.36, 50),
        (0.40, 0.73, 70),
        (0.85, 0.70, 55),
        (0.15, 0.92, 70),
        (0.70, 0.92, 80),
    ):
        sheet.lift(rng, cx, cy, radius, rng.uniform(0.4, 0.65))
    splatter(rng, sheet)
    return sheet.picture()
