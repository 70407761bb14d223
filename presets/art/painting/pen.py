"""Pen and sepia ink: hatching in separate strokes that follow form, layer upon layer where it is darker."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from .base import Array, H, Rng, W, blur, borders, fbm, fill, fixed, flat, grid, rgb, skyline, smoothstep
from .brush import lookup, trace
from .strip import arc, ribbon, swelling


@dataclass
class Drawing:
    """What is to be drawn: ``tone`` (0 dark, 1 paper), ``angle`` of the first hatching, and regions with outlines."""

    tone: Array
    angle: Array
    labels: Array

    def put(self, mask: Array, tone: Array | float, angle: Array | float) -> None:
        """Add a region."""
        inside = mask > 0.5
        self.tone = self.tone * (1 - mask) + tone * mask
        self.angle[inside] = np.broadcast_to(np.asarray(angle, np.float32), (H, W))[inside]
        self.labels[inside] = self.labels.max() + 1


class Sheet:
    """Paper and the ink on it, an 8-bit layer."""

    def __init__(self, rng: Rng) -> None:
        """Start with bare paper."""
        self.rng = rng
        self.ink = np.zeros((H, W), np.uint8)

    def line(self, path: Array, width: float, belly: float = 0.45) -> None:
        """Draw one pen stroke: it swells under pressure and lifts off thin, and the hand trembles a little."""
        tremble = np.cumsum(self.rng.normal(0, 0.14, path.shape), 0)
        outline = ribbon(path + tremble - tremble.mean(0), 0.35 + width * swelling(len(path), belly, 0.15))
        cv2.fillPoly(self.ink, [fixed(outline)], int(self.rng.uniform(205, 255)), cv2.LINE_AA, 3)

    def hatch(
        self, drawing: Drawing, turn: float, threshold: float, spacing: float, length: float, width: float
    ) -> None:
        """Hatch what is darker than a threshold with parallel strokes, ``turn`` radians off the drawing's angle.

        Starts lie on rows across the stroke, so that neighbours stay parallel; strokes end where light begins.
        """
        rng = self.rng
        step = 0.62 * length
        heading = drawing.angle + turn + 0.05 * fbm(rng, 130, 2)
        mean = np.arctan2(np.sin(2 * heading).mean(), np.cos(2 * heading).mean()) / 2
        across, along = np.meshgrid(np.arange(-H - W, H + W, spacing), np.arange(-H - W, H + W, step))
        along = along + rng.uniform(-0.5, 0.5, along.shape) * step
        across = across + rng.normal(0, 0.13 * spacing, across.shape)
        starts = np.stack(
            [along * np.cos(mean) - across * np.sin(mean), along * np.sin(mean) + across * np.cos(mean)], -1
        )
        starts = starts.reshape(-1, 2).astype(np.float32)
        starts = starts[(starts > -20).all(1) & (starts[:, 0] < W + 20) & (starts[:, 1] < H + 20)]
        tone = drawing.tone + 0.05 * fbm(rng, 34, 2)
        starts = starts[lookup(tone, starts) < threshold]
        reach = length * rng.uniform(0.65, 1.25, len(starts)).astype(np.float32)
        paths = trace(heading, starts, reach, 16)
        light = lookup(tone, paths) > threshold + 0.05
        edge = lookup(drawing.labels, paths) != lookup(drawing.labels, starts)[:, None]
        stop = light | edge
        ends = np.where(stop.any(1), stop.argmax(1), paths.shape[1])
        depth = np.clip((threshold - lookup(tone, starts)) * 2.2, 0, 1)
        for path, end, dark in zip(paths, ends, depth, strict=True):
            if end > 4:
                self.line(path[:end], width * (0.65 + 0.75 * dark))

    def outline(self, drawing: Drawing, width: float) -> None:
        """Draw the regions' outlines, now firm, now lost."""
        edge = blur(cv2.dilate(borders(drawing.labels).astype(np.float32), np.ones((2, 2))), 0.7) * 1.5
        firm = smoothstep(-0.9, 0.1, fbm(self.rng, 70, 3))
        self.ink = np.maximum(self.ink, (np.clip(edge * firm * width, 0, 1) * 235).astype(np.uint8))


def countryside(rng: Rng) -> Drawing:
    """Draw a stone bridge under clouds, with trees, a tower and hills."""
    x, y = grid()
    puff = fbm(rng, 240, 4, stretch=(1.7, 1))
    sky = np.clip(1.04 - 0.56 * smoothstep(-1.2, 1.3, puff) * smoothstep(0.7 * H, 0.25 * H, y), 0, 1)
    drawing = Drawing(
        sky.astype(np.float32),
        (0.15 + 0.35 * fbm(rng, 260, 2)).astype(np.float32),
        np.zeros((H, W), np.int32),
    )
    for base, rise, scale, dark, light in ((0.40, 0.055, 300, 0.50, 0.90), (0.50, 0.035, 240, 0.25, 0.85)):
        mask, depth = skyline(rng, base, rise, scale)
        slope = np.arctan2(np.gradient(-depth, axis=1), 1.0)
        lit = smoothstep(-0.2, 0.25, blur(slope, 9) + 0.15 * fbm(rng, 70, 3))
        drawing.put(mask, dark + (light - dark) * lit, 0.9 - slope)
    tower(drawing)
    meadow, depth = skyline(rng, 0.60, 0.012, 260)
    drawing.put(
        meadow,
        np.clip(0.88 - 0.40 * smoothstep(-0.4, 1.2, fbm(rng, 120, 3, stretch=(2, 1))), 0, 1),
        0.2 * fbm(rng, 150, 2),
    )
    water = smoothstep(0.76 * H, 0.765 * H, y)
    drawing.put(
        water,
        np.clip(
            0.72 + 0.32 * fbm(rng, 60, 3, stretch=(6, 1)) - 0.25 * smoothstep(0.25, 0.5, np.abs(x / W - 0.5)),
            0.1,
            1,
        ),
        0.02,
    )
    bridge(rng, drawing)
    bank, depth = skyline(rng, 0.90, 0.03, 260)
    drawing.put(
        bank, np.clip(0.55 - depth / 220 + 0.25 * fbm(rng, 60, 3), 0.05, 0.9), -1.1 + 0.3 * fbm(rng, 90, 2)
    )
    for cx, cy, r in (
        (0.12, 0.42, 130),
        (0.22, 0.56, 70),
        (0.87, 0.40, 135),
        (0.77, 0.57, 62),
        (0.97, 0.58, 70),
        (0.03, 0.60, 70),
    ):
        tree(rng, drawing, cx, cy, r)
    return drawing


def tower(drawing: Drawing) -> None:
    """Stand a round tower and two houses on the far bank."""
    x, _ = grid()
    for left, right, top, foot in (
        (0.54, 0.60, 0.24, 0.62),
        (0.45, 0.54, 0.46, 0.62),
        (0.60, 0.68, 0.44, 0.62),
    ):
        mask = fill(np.array([(left, top), (right, top), (right, foot), (left, foot)]) * (W, H))
        drawing.put(mask, np.clip(1.0 - 0.85 * (x / W - left) / (right - left), 0.15, 1), 1.57)
        roof = np.array(
            [(left - 0.012, top), ((left + right) / 2, top - 1.1 * (right - left)), (right + 0.012, top)]
        ) * (W, H)
        drawing.put(fill(roof), np.clip(0.75 - 0.8 * (x / W - left) / (right - left), 0.05, 1), 0.9)


def bridge(rng: Rng, drawing: Drawing) -> None:
    """Span the river with three arches, dark inside."""
    x, y = grid()
    u = (x - 0.5 * W) / (0.34 * W)
    deck = 0.62 * H + 30 * u**2
    body = smoothstep(-1, 1, y - deck) * smoothstep(1, -1, y - 0.80 * H) * (np.abs(u) < 1)
    drawing.put(
        body, np.clip(0.84 + 0.16 * fbm(rng, 30, 2) - 0.3 * np.clip((y - deck) / 120, 0, 1), 0, 1), 0.3
    )
    for cx, half, top in ((0.29, 0.075, 0.70), (0.50, 0.105, 0.665), (0.71, 0.075, 0.70)):
        arch = smoothstep(
            1.0, 0.97, np.hypot((x / W - cx) / half, np.minimum(y / H - 0.80, 0) / (0.80 - top))
        )
        drawing.put(
            arch * smoothstep(0.812 * H, 0.808 * H, y),
            np.clip(0.12 + 0.5 * (x / W - cx + half) / half * 0.5, 0, 1),
            1.2,
        )
    parapet = smoothstep(-14, -12, y - deck) * smoothstep(0, -2, y - deck) * (np.abs(u) < 1)
    drawing.put(parapet, 0.95, 0.0)


def tree(rng: Rng, drawing: Drawing, cx: float, cy: float, r: float) -> None:
    """Stand a leafy tree, lit from the upper left, in clumps."""
    x, y = grid()
    trunk = fill(
        np.array(
            [
                (cx * W - 0.07 * r, cy * H),
                (cx * W + 0.07 * r, cy * H),
                (cx * W + 0.13 * r, cy * H + 1.9 * r),
                (cx * W - 0.13 * r, cy * H + 1.9 * r),
            ]
        )
    )
    drawing.put(trunk, np.clip(0.6 - 0.5 * (x - cx * W) / (0.1 * r), 0.1, 0.9), 0.1)
    crown, light = np.zeros((H, W), np.float32), np.ones((H, W), np.float32)
    for k in range(8):
        theta, away = k * 2.4, r * (0.15 + 0.6 * np.sqrt(k / 8))
        px, py = cx * W + away * np.cos(theta), cy * H + 0.85 * away * np.sin(theta)
        size = r * rng.uniform(0.46, 0.62)
        clump = smoothstep(1.02, 0.98, np.hypot(x - px, y - py) / size + 0.12 * fbm(rng, 24, 3))
        shade = 0.62 - 0.52 * ((x - px) + 1.2 * (y - py)) / size - 0.25 * ((x - cx * W) + (y - cy * H)) / r
        light = light * (1 - clump) + np.clip(shade, 0.04, 1) * clump
        crown = np.maximum(crown, clump)
    drawing.put(crown, light, 0.8 + 0.3 * (x - cx * W) / r)


def loops(sheet: Sheet, drawing: Drawing, count: int) -> None:
    """Scribble leaves and grass where the drawing is half dark."""
    rng = sheet.rng
    for at in rng.uniform(0, 1, (count, 2)) * (W, H):
        tone = float(lookup(drawing.tone, at))
        if 0.2 < tone < 0.75 and (
            at[1] > 0.88 * H or (abs(at[0] / W - 0.5) > 0.27 and 0.25 * H < at[1] < 0.66 * H)
        ):
            for k in range(3):
                sheet.line(
                    arc(
                        at + np.array([6 * k, rng.normal(0, 3)]),
                        -1.4 + rng.normal(0, 0.4),
                        rng.uniform(14, 30),
                        rng.choice([-2.4, 2.4]),
                        8,
                    ),
                    3.0,
                )


def crosshatch(rng: Rng) -> Array:
    """A stone bridge in sepia: separate pen strokes, crossed twice and three times in the darks, paper in the lights."""
    drawing = countryside(rng)
    sheet = Sheet(rng)
    for turn, threshold, spacing, length, width in (
        (0.0, 0.95, 10.5, 100, 2.6), (0.85, 0.76, 10.5, 84, 2.7), (-0.75, 0.56, 10.0, 70, 2.8), (1.5, 0.36, 8.5, 56, 2.9), (0.4, 0.16, 6.5, 44, 3.2),
    ):  # fmt: skip
        sheet.hatch(drawing, turn, threshold, spacing, length, width)
    sheet.outline(drawing, 1.3)
    loops(sheet, drawing, 500)
    ink = sheet.ink.astype(np.float32) / 255
    ink = np.clip(ink * (0.90 + 0.10 * fbm(rng, 60, 3)), 0, 1)[..., None]
    stain = 0.018 * fbm(rng, 220, 3) + 0.012 * fbm(rng, 5, 2)
    paper = flat(rgb("f3e9d0")) * (1 + stain)[..., None]
    return paper * (1 - ink) + rgb("36200f")[0] * ink
