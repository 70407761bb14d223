"""Fresco: earth pigments hatched into wet lime plaster, worn by time."""

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
    fbm,
    fill,
    fixed,
    grid,
    mix,
    ramp,
    rgb,
    smoothstep,
)
from .brush import Brush, Canvas, emboss, paint
from .strip import arc


class Wall:
    """A drawing on a wall: modelled colours, the angle of the hatching, and regions whose outlines are drawn."""

    def __init__(self, rng: Rng) -> None:
        """Start with a sky of faded blue over warm plaster."""
        _, y = grid()
        self.rng = rng
        haze = np.clip(y / (0.55 * H) + 0.14 * fbm(rng, 240, 3), 0, 1)
        self.scene = ramp(haze, rgb("4f6f80", "7f9a98", "bcbd9c", "e6d09c"))
        self.angle = (0.35 + 0.25 * fbm(rng, 200, 2)).astype(np.float32)
        self.labels = np.zeros((H, W), np.int32)
        self.count = 0

    def put(self, mask: Array, colours: Sequence[str], tone: Array, angle: Array | float) -> None:
        """Add a region: its colours from dark to light along ``tone`` (0..1), hatched at ``angle``."""
        self.count += 1
        self.scene = mix(
            self.scene, ramp(np.clip(tone + 0.07 * fbm(self.rng, 50, 2), 0, 1), rgb(*colours)), mask
        )
        inside = mask > 0.5
        self.labels[inside] = self.count
        self.angle[inside] = np.broadcast_to(np.asarray(angle, np.float32), (H, W))[inside]

    def box(
        self, left: float, top: float, wide: float, tall: float, colours: Sequence[str], roof: str = "flat"
    ) -> None:
        """Add a house: a lit front, a shaded side, a roof and one row of arched openings."""
        x, y = grid()
        x0, y0, x1, y1 = left * W, top * H, (left + wide) * W, (top + tall) * H
        side = 0.32 * (x1 - x0)
        front = fill(np.array([(x0, y0), (x1, y0), (x1, y1), (x0, y1)]))
        self.put(front, colours, 0.95 - 0.35 * (y - y0) / (y1 - y0), np.pi / 2)
        flank = fill(
            np.array([(x1, y0), (x1 + side, y0 - 0.2 * side), (x1 + side, y1 - 0.25 * side), (x1, y1)])
        )
        self.put(flank, colours, 0.25 + 0 * x, 1.2)
        if roof == "pitched":
            gable = np.array([(x0 - 8, y0), ((x0 + x1) / 2, y0 - 0.42 * (x1 - x0)), (x1 + 8, y0)])
            slope = np.array(
                [gable[1], gable[1] + (side, -0.2 * side), (x1 + side + 8, y0 - 0.2 * side), gable[2]]
            )
            self.put(fill(gable), ("8a3f24", "c0673a"), 0.8 + 0 * x, 0.4)
            self.put(fill(slope), ("6a2f20", "a5502f"), 0.45 + 0 * x, 1.0)
        bays = max(1, round((x1 - x0) / 54))
        for k in range(bays):
            cx, half = x0 + (k + 0.5) * (x1 - x0) / bays, 11
            shaft = [(cx - half, y0 + 30), (cx + half, y0 + 30), (cx + half, y0 + 58), (cx - half, y0 + 58)]
            arch = np.maximum(fill(np.array(shaft)), disc(cx / W, (y0 + 30) / H, half))
            self.put(arch, ("3a2a24", "5a4436"), 0.4 + 0 * x, 1.57)

    def hill(self, base: float, rise: float, waves: float, shift: float, colours: Sequence[str]) -> None:
        """Add a rounded hill whose hatching follows its slope."""
        x, y = grid()
        top = H * base - rise * (np.sin(x / waves + shift) + 0.35 * np.sin(2.3 * x / waves + 2 * shift))
        depth = y - top
        slope = np.arctan(np.gradient(top, axis=1))
        self.put(smoothstep(-1, 1, depth), colours, 0.9 - depth / 190 + 0.25 * slope, slope + 0.9)

    def tree(self, cx: float, foot: float, wide: float, tall: float, colours: Sequence[str]) -> None:
        """Add a tree with a rounded crown, lit from the left."""
        x, y = grid()
        stem = fill(
            np.array(
                [
                    (cx * W - 5, (foot - 0.5 * tall) * H),
                    (cx * W + 5, (foot - 0.5 * tall) * H),
                    (cx * W + 8, foot * H),
                    (cx * W - 8, foot * H),
                ]
            )
        )
        self.put(stem, ("3f2a20", "6f4a34"), 0.4 + 0 * x, 1.57)
        crown = area(
            [
                (cx, foot - tall),
                (cx + wide, foot - 0.7 * tall),
                (cx + 0.9 * wide, foot - 0.35 * tall),
                (cx, foot - 0.22 * tall),
                (cx - 0.9 * wide, foot - 0.35 * tall),
                (cx - wide, foot - 0.7 * tall),
            ]
        )
        self.put(
            crown, colours, 0.5 - (x / W - cx) / (2.4 * wide) - 0.25 * (y / H - foot + 0.6 * tall) / tall, 1.1
        )


def town(rng: Rng) -> Wall:
    """Draw a walled town on hills between cypresses."""
    wall = Wall(rng)
    wall.hill(0.40, 46, 120, 0.6, ("56685e", "8fa08a", "c9c9a0"))
    wall.hill(0.50, 40, 150, 2.4, ("6a5a3c", "a8854a", "dcc078"))
    cream, rose, ochre, lime = (
        ("9a8462", "efe2c2"),
        ("8f4f38", "d99a78"),
        ("8f6226", "e0b258"),
        ("a39a84", "f4ecd6"),
    )
    for left, top, wide, tall, colours, roof in (
        (0.33, 0.20, 0.055, 0.40, cream, "pitched"), (0.24, 0.38, 0.11, 0.25, rose, "pitched"), (0.40, 0.34, 0.10, 0.28, ochre, "flat"),
        (0.52, 0.16, 0.05, 0.44, lime, "flat"), (0.55, 0.37, 0.12, 0.26, cream, "pitched"), (0.69, 0.42, 0.10, 0.22, rose, "flat"),
    ):  # fmt: skip
        wall.box(left, top, wide, tall, colours, roof)
    wall.hill(0.645, 26, 170, 0.3, ("6f3a24", "a8603a", "d39a62"))
    for cx, foot, wide, tall in (
        (0.06, 0.66, 0.05, 0.42),
        (0.145, 0.69, 0.04, 0.34),
        (0.86, 0.66, 0.045, 0.44),
        (0.94, 0.70, 0.05, 0.36),
    ):
        wall.tree(cx, foot, wide, tall, ("26382e", "4f6a48", "93a066"))
    wall.hill(0.755, 22, 130, 2.9, ("4f5a36", "87904e", "c2b878"))
    for cx, foot, wide, tall in (
        (0.27, 0.83, 0.055, 0.20),
        (0.50, 0.86, 0.06, 0.22),
        (0.74, 0.84, 0.055, 0.20),
    ):
        wall.tree(cx, foot, wide, tall, ("3a4a30", "6f7f48", "b4ad6a"))
    wall.hill(0.88, 20, 160, 1.2, ("5f2f22", "9c4f30", "d08a58", "e3bb84"))
    return wall


def cracks(rng: Rng, count: int) -> Array:
    """Return a few long hairline cracks that fork."""
    mask = np.zeros((H, W), np.uint8)
    todo = [
        (np.array([rng.uniform(0, W), rng.uniform(0, H)]), rng.uniform(0, 6.3), rng.uniform(180, 420), 0)
        for _ in range(count)
    ]
    while todo:
        at, heading, length, depth = todo.pop()
        while length > 0:
            step = arc(at, heading, rng.uniform(14, 34), rng.normal(0, 0.5), 5)
            cv2.polylines(mask, [fixed(step)], False, 255, 1, cv2.LINE_AA, 3)
            at, heading, length = step[-1], heading + rng.normal(0, 0.38), length - 24
            if depth < 2 and rng.random() < 0.14:  # a fork
                todo.append(
                    (at, heading + rng.choice([-1, 1]) * rng.uniform(0.6, 1.3), 0.45 * length, depth + 1)
                )
    return mask.astype(np.float32) / 255


def fresco(rng: Rng) -> Array:
    """A walled hill town in earth pigments: hatched modelling, drawn outlines, losses and a few cracks."""
    wall = town(rng)
    canvas = Canvas.primed(np.clip(wall.scene * 0.92 + 0.03, 0, 1))
    brush = Brush(length=4.5, jitter=0.036, dry=0.35, spacing=0.7, cut=0.22, bristle=2.6, wander=0.12)
    for width in (26, 14, 8):
        paint(canvas, rng, np.clip(wall.scene, 0, 1), wall.angle, width, brush)
    picture = canvas.picture()
    outline = blur(borders(wall.labels).astype(np.float32), 1.3) * 2.8
    outline *= smoothstep(-1.3, 0.3, fbm(rng, 60, 3))
    picture = mix(picture, rgb("43241a")[0], np.clip(outline, 0, 0.9))
    lime = rgb("e6dabd")[0] * (1 + 0.02 * fbm(rng, 40, 3))[..., None]
    bloom = 0.05 + 0.20 * smoothstep(-0.3, 1.4, fbm(rng, 200, 4))
    picture = mix(picture, lime, bloom)
    lost = fbm(rng, 120, 5, 0.6)
    picture = mix(picture, lime * 0.97, smoothstep(1.75, 1.85, lost))
    picture = mix(
        picture, rgb("7a5a44")[0], 0.55 * smoothstep(1.71, 1.77, lost) * smoothstep(1.87, 1.81, lost)
    )
    rubbed = smoothstep(1.2, 2.0, fbm(rng, 8, 3)) * smoothstep(-0.4, 1.2, fbm(rng, 160, 2))
    picture = mix(picture, lime, 0.65 * rubbed)
    trowel = 0.9 * fbm(rng, 90, 4, stretch=(2.5, 1)) + 0.05 * fbm(rng, 5, 2)
    picture *= emboss(0.35 * blur(trowel, 1.5), 0.16)[..., None] * (1 + 0.02 * fbm(rng, 3, 2))[..., None]
    pits = blur((rng.random((H, W)) < 0.0010).astype(np.float32), 1.3) * 7
    gap = cracks(rng, 5)
    return mix(picture, rgb("33241c")[0], np.clip(1.0 * blur(gap, 0.6) + 0.5 * pits, 0, 0.85))
