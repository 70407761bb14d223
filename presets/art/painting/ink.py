"""Brush and ink: wet greys that bleed, dark strokes that run dry, and empty paper."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from .base import Array, H, Rng, W, blur, fbm, fill, grid, rgb, smoothstep, spline
from .brush import paper_grain
from .strip import arc, resample, ribbon, streaks, strip, swelling


class Scroll:
    """A sheet of soft paper: ``ink`` is the optical density that lies on it, ``tooth`` its fibres."""

    def __init__(self, rng: Rng) -> None:
        """Start with bare paper."""
        self.rng = rng
        self.ink = np.zeros((H, W), np.float32)
        self.tooth = paper_grain(rng, 3.2)

    def stroke(
        self,
        path: Array,
        width: float,
        dark: float,
        dryness: float = 0.3,
        profile: Array | None = None,
        split: float = 0.5,
    ) -> None:
        """Draw one stroke: bristles leave separate tracks, and the ink gives out towards the end.

        ``profile`` is the width along the path (0..1), ``dryness`` how early the brush runs dry,
        ``split`` how far the tracks part.
        """
        path = resample(path, 2.0)
        found = strip(path, 0.55 * width + 2)
        if found is None:
            return
        t = np.clip(found.along / found.length, 0, 1)
        profile = swelling(24, 0.4, 0.35) if profile is None else profile
        half = 0.5 * width * np.interp(t, np.linspace(0, 1, len(profile)), profile)
        bristle = streaks(self.rng, found.across, found.along, max(1.6, width / 16), 60)
        half = half * (1 + 0.06 * bristle)
        sides = np.abs(found.across) / (half + 1e-3)
        entry = 0.55 * half * np.clip(sides, 0, 1) ** 2 + 0.14 * half * bristle - 0.4 * half
        body = smoothstep(1, -1, np.abs(found.across) - half) * smoothstep(-1.5, 1.5, found.along - entry)
        body *= found.along <= found.length + 0.3 * half
        thirst = dryness * (0.25 + 1.6 * t**1.5) - 0.35
        tooth = self.tooth[found.window]
        touch = smoothstep(-0.2, 0.35, 0.75 + split * bristle + 0.35 * tooth - 1.9 * np.clip(thirst, -0.3, 2))
        pool = 0.75 + 0.25 * smoothstep(0.5, 1.0, sides) + 0.3 * np.clip(0.12 - t, 0, 1)
        self.ink[found.window] += dark * body * touch * pool * np.clip(1 + 0.12 * bristle, 0.4, 1.4)

    def wash(
        self, mask: Array, dark: float, bleed: float = 14.0, edge: float = 0.25, flow: float = 130
    ) -> None:
        """Flood a shape with thinned ink, which creeps along the fibres, gathers in pools and at its rim."""
        rng = self.rng
        x, y = grid()
        wet = smoothstep(-0.5, 0.6, fbm(rng, 200, 2))
        crept = cv2.remap(
            mask,
            x + 5 * fbm(rng, 30, 4),
            y + 5 * fbm(rng, 30, 4),
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REFLECT,
        )
        soft = blur(crept, bleed) * wet + blur(crept, 1.2) * (1 - wet)
        rim = np.clip(blur(crept, 1.2) - blur(crept, 7), 0, 1) * (1 - wet) * 2
        cloud = np.clip(1 + 0.38 * fbm(rng, flow, 4) + 0.05 * self.tooth, 0.1, 2)
        self.ink += dark * (soft * cloud + edge * rim)

    def picture(self, paper: Array, black: Array) -> Array:
        """Return the paper seen through the ink."""
        fibre = 1 - 0.012 * self.tooth + 0.010 * fbm(self.rng, 60, 3, stretch=(3, 1))
        cover = 1 - np.exp(-self.ink)
        tint = black * cover[..., None] + (1 - cover[..., None])
        return paper * fibre[..., None] * np.clip(tint, 0, 1)


def ridge(rng: Rng, points: Sequence[tuple[float, float]], jag: float) -> Array:
    """Return a mountain's outline: a drawn curve with crags."""
    line = resample(spline(points), 2.0)
    n = len(line)
    crag = np.zeros(n, np.float32)
    for size, gain in ((70, 1.0), (28, 0.55), (11, 0.3)):
        knots = rng.standard_normal(int(n / size) + 4)
        crag += gain * np.interp(np.linspace(0, len(knots) - 1, n), np.arange(len(knots)), knots).astype(
            np.float32
        )
    line[:, 1] += jag * crag
    return line


def mountain(scroll: Scroll, line: Array, dark: float, mist: float, bone: float) -> None:
    """Paint one range: a wash that fades into mist, a broken contour, and texture strokes down its flanks."""
    rng = scroll.rng
    _, y = grid()
    top = np.interp(np.arange(W), line[:, 0], line[:, 1]).astype(np.float32)
    depth = y - top
    veil = np.exp(-np.clip(depth, 0, None) / (mist * np.clip(1 + 0.35 * fbm(rng, 160, 2), 0.3, 2)))
    scroll.wash(smoothstep(-1, 1, depth) * veil, dark, 9)
    if bone <= 0:
        return
    for start in np.arange(0, len(line) - 30, 34):
        piece = line[start : start + int(rng.uniform(36, 70))]
        if len(piece) > 8 and rng.random() < 0.85:
            scroll.stroke(piece, rng.uniform(5, 14), bone * rng.uniform(0.5, 1.2), rng.uniform(0.3, 0.9))
    for _ in range(int(len(line) / 9)):
        at = line[rng.integers(len(line))] + np.array([rng.normal(0, 6), rng.exponential(0.35 * mist)])
        lean = rng.choice([0.9, 1.3, 1.9, 2.3]) + rng.normal(0, 0.18)
        path = arc(at, lean, rng.uniform(26, 85), rng.normal(0, 0.5))
        scroll.stroke(
            path, rng.uniform(6, 22), bone * rng.uniform(0.25, 0.8), rng.uniform(0.6, 1.2), split=0.8
        )
    for _ in range(int(len(line) / 18)):
        at = line[rng.integers(len(line))] + rng.normal(0, 5, 2)
        for _ in range(rng.integers(2, 6)):
            path = arc(at + rng.normal(0, 9, 2), rng.normal(-1.4, 0.5), rng.uniform(7, 15), 0.4, 6)
            scroll.stroke(path, rng.uniform(4, 9), bone * rng.uniform(0.7, 1.4), 0.1)


def bamboo(scroll: Scroll, foot: float, lean: float, width: float, dark: float, leaves: int) -> None:
    """Paint a culm in pushed sections, with twigs and leaves pressed and flicked from them."""
    rng = scroll.rng
    at, heading = np.array([foot * W, 1.03 * H]), -np.pi / 2 + lean
    joints = []
    while at[1] > -0.05 * H and len(joints) < 9:
        length = rng.uniform(95, 150)
        path = arc(at, heading + rng.normal(0, 0.015), length, rng.normal(0, 0.04))
        scroll.stroke(
            path, width, dark, rng.uniform(0.45, 0.85), np.array([1.0, 0.86, 0.82, 0.84, 0.95]), 0.6
        )
        across = heading + np.pi / 2
        knot = arc(
            path[-1] - 0.55 * width * np.array([np.cos(across), np.sin(across)]), across, 1.1 * width, -0.5, 8
        )
        scroll.stroke(knot, 0.28 * width + 2, 1.5 * dark, 0.1)
        joints.append(path[-1])
        at = path[-1] + 5 * np.array([np.cos(heading), np.sin(heading)])
        heading += rng.normal(0, 0.02)
    for at in joints:
        for side in rng.choice([-1, 1], 2):
            twig = arc(at, heading + side * rng.uniform(0.5, 1.0), rng.uniform(60, 150), side * 0.5)
            scroll.stroke(twig, 0.15 * width + 2, 1.1 * dark, 0.4)
            for k in rng.integers(5, len(twig), leaves):
                spray(scroll, twig[k], rng.integers(2, 5), dark * rng.uniform(0.5, 1.5))


def spray(scroll: Scroll, at: Array, count: int, dark: float) -> None:
    """Press a few bamboo leaves from one point."""
    rng = scroll.rng
    middle = rng.normal(1.2, 0.7)
    for k in range(count):
        path = arc(
            at, middle + (k - count / 2) * rng.uniform(0.3, 0.55), rng.uniform(55, 120), rng.normal(0, 0.3)
        )
        shape = swelling(24, rng.uniform(0.3, 0.45))
        scroll.stroke(
            path, rng.uniform(10, 20), dark * rng.uniform(0.7, 1.3), rng.uniform(0.1, 0.7), shape, 0.4
        )


def branch(
    scroll: Scroll, at: Array, heading: float, length: float, width: float, depth: int, tips: list[Array]
) -> None:
    """Draw a knotted branch in dry strokes and let it fork."""
    rng = scroll.rng
    for _ in range(3):
        path = arc(at, heading, length / 3, rng.normal(0, 0.5))
        scroll.stroke(path, width, 2.8, rng.uniform(0.4, 0.9), np.array([0.8, 1.0, 0.7, 0.85, 0.75]), 0.8)
        at, heading, width = path[-1], heading + rng.normal(0, 0.22), 0.86 * width
        if depth and rng.random() < 0.85:
            side = rng.choice([-1, 1])
            branch(
                scroll,
                at,
                heading + side * rng.uniform(0.5, 1.1),
                0.62 * length,
                0.55 * width,
                depth - 1,
                tips,
            )
    tips.append(at)


def rocks(scroll: Scroll) -> None:
    """Build the near bank of broad strokes from a side-pressed brush, white flying where it ran dry."""
    rng = scroll.rng
    for cx, cy, count in ((0.05, 0.93, 7), (0.22, 0.97, 8), (0.40, 1.0, 7), (0.58, 0.97, 6), (0.72, 0.95, 5)):
        for _ in range(count):
            at = np.array([cx * W + rng.normal(0, 40), cy * H + rng.normal(0, 30)])
            path = arc(
                at,
                rng.choice([-0.5, 0.3, 1.0, 2.6]) + rng.normal(0, 0.25),
                rng.uniform(70, 170),
                rng.normal(0, 0.9),
            )
            wide = rng.uniform(22, 62)
            scroll.stroke(
                path, wide, rng.uniform(0.35, 1.9), rng.uniform(0.6, 1.2), np.array([0.5, 1.0, 0.9, 0.7]), 0.9
            )


def seal(picture: Array, rng: Rng, cx: float, cy: float, size: float) -> Array:
    """Press a small square vermilion seal with cut signs of no meaning."""
    x, y = cx * W, cy * H
    square = fill(
        np.array(
            [
                (x - size, y - size),
                (x + size, y - size * 0.97),
                (x + size, y + size),
                (x - size * 0.98, y + size),
            ]
        )
    )
    cut = np.zeros((H, W), np.float32)
    for row in (-0.48, 0.48):
        for column in (-0.46, 0.46):
            at = np.array([x + column * size, y + row * size])
            for turn in rng.choice([0, 0.5, 1.0, 1.5], 3, replace=False):
                path = arc(
                    at + rng.normal(0, 0.12 * size, 2) - 0.25 * size, turn * np.pi / 2, 0.6 * size, 0.3, 6
                )
                cut = np.maximum(cut, fill(ribbon(path, np.full(6, 0.11 * size))))
    worn = smoothstep(-1.5, -0.7, fbm(rng, 7, 3))
    cover = (0.93 * square * (1 - cut) * worn)[..., None]
    return picture * (1 - cover) + rgb("c8371f")[0] * cover


def inkwash(rng: Rng) -> Array:
    """Mountains in mist behind bamboo and an old branch: wet greys, dry dark strokes, bare paper, one seal."""
    scroll = Scroll(rng)
    _, y = grid()
    scroll.wash(
        smoothstep(0.9, 1.4, fbm(rng, 300, 3, stretch=(2, 1))) * smoothstep(0.5 * H, 0.1 * H, y), 0.16, 30, 0
    )
    far = ridge(
        rng,
        [
            (-0.05, 0.36),
            (0.15, 0.25),
            (0.28, 0.33),
            (0.45, 0.12),
            (0.56, 0.30),
            (0.72, 0.22),
            (0.88, 0.34),
            (1.05, 0.26),
        ],
        9,
    )
    mountain(scroll, far, 0.48, 100, 0.0)
    middle = ridge(
        rng,
        [
            (-0.05, 0.47),
            (0.10, 0.36),
            (0.20, 0.44),
            (0.38, 0.30),
            (0.50, 0.45),
            (0.66, 0.50),
            (0.82, 0.36),
            (1.05, 0.48),
        ],
        11,
    )
    mountain(scroll, middle, 0.85, 105, 0.7)
    near = ridge(
        rng,
        [(-0.05, 0.80), (0.10, 0.70), (0.24, 0.76), (0.42, 0.86), (0.62, 0.88), (0.80, 0.77), (1.05, 0.70)],
        11,
    )
    mountain(scroll, near, 1.7, 105, 2.0)
    rocks(scroll)
    for _ in range(16):
        path = arc(
            np.array([rng.uniform(0.1, 0.8) * W, rng.uniform(0.60, 0.72) * H]),
            rng.normal(0, 0.02),
            rng.uniform(70, 260),
            0.05,
        )
        scroll.stroke(path, rng.uniform(4, 16), rng.uniform(0.15, 0.5), rng.uniform(0.8, 1.2), split=0.9)
    bamboo(scroll, 0.80, -0.03, 30, 0.5, 2)
    bamboo(scroll, 0.93, -0.10, 42, 1.6, 3)
    tips: list[Array] = []
    branch(scroll, np.array([-0.03 * W, 0.16 * H]), 0.25, 430, 40, 2, tips)
    for at in tips:
        for _ in range(7):
            path = arc(at + rng.normal(0, 22, 2), rng.uniform(0, 6.3), rng.uniform(14, 40), 0.5, 8)
            scroll.stroke(path, rng.uniform(3, 8), rng.uniform(0.6, 1.8), 0.3)
    for _ in range(20):
        spot = rng.uniform(0, 1, 2) * (W, H)
        path = arc(spot, rng.uniform(0, 6.3), rng.uniform(3, 8), 0, 4)
        scroll.stroke(path, rng.uniform(3, 8), rng.uniform(0.5, 1.4), 0.0)
    return seal(scroll.picture(rgb("f3ede0")[0], rgb("1b1a1c")[0]), rng, 0.07, 0.63, 24)
