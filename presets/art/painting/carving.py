"""Woodcut: a black block from which gouges cut the light, printed over paper and one red."""

from __future__ import annotations

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
    fbm,
    fill,
    fixed,
    flat,
    grid,
    rgb,
    skyline,
    smoothstep,
    warp,
)
from .brush import lookup, scatter, trace, wood_grain
from .strip import ribbon, swelling


@dataclass
class Block:
    """The drawing to carve: ``tone`` is the light wanted (0..1), ``angle`` the way the gouge runs, ``red`` the second block."""

    tone: Array
    angle: Array
    red: Array

    def put(self, mask: Array, tone: Array | float, angle: Array | float) -> None:
        """Add a region."""
        self.tone = self.tone * (1 - mask) + tone * mask
        self.angle = np.where(mask > 0.5, angle, self.angle).astype(np.float32)
        self.red = self.red * (1 - mask)


def gouge(rng: Rng, block: Block, spacing: float, length: float) -> Array:
    """Return where wood is cut away: tapered cuts along the angle, ``spacing`` apart, wider where more light is wanted.

    A cut stops where the tone jumps, so that shapes keep a black outline, and where it would run into another one.
    """
    cut, taken = np.zeros((H, W), np.uint8), np.zeros((H, W), np.uint8)
    starts = scatter(rng, 0.45 * spacing)
    reach = length * rng.uniform(0.5, 1.5, len(starts)).astype(np.float32)
    paths = trace(block.angle, starts, reach, 24)
    tones = lookup(blur(block.tone, 1.5), paths)
    for least, path, tone in [
        (least, *pair) for least in (20, 10) for pair in zip(paths, tones, strict=True)
    ]:
        stop = (np.abs(tone - tone[0]) > 0.16) | (lookup(taken, path) > 0)
        end = int(stop.argmax()) if stop.any() else len(path)
        if end < least or tone[0] < 0.06:
            continue
        path = path[:end]
        cv2.polylines(taken, [fixed(path[1:-3])], False, 255, round(1.5 * spacing), cv2.LINE_8, 3)
        wide = spacing * np.clip(0.14 + 0.9 * tone[:end], 0, 1.0) * rng.uniform(0.85, 1.1)
        outline = ribbon(path, np.maximum(wide * swelling(end, rng.uniform(0.35, 0.65)) ** 0.6, 0.4))
        cv2.fillPoly(cut, [fixed(outline)], 255, cv2.LINE_AA, 3)
    return cut.astype(np.float32) / 255


def valley(rng: Rng) -> Block:
    """Draw a mountain valley: a streaming sky, ridges, firs, a winding river and a low red sun."""
    x, y = grid()
    d = np.hypot(x - 0.66 * W, y - 0.30 * H)
    sky = np.clip(0.62 + 0.25 * smoothstep(360, 80, d) + 0.10 * fbm(rng, 200, 2, stretch=(3, 1)), 0, 0.9)
    around = np.arctan2(y - 0.30 * H, x - 0.66 * W) + np.pi / 2
    block = Block(
        sky.astype(np.float32),
        (0.30 * np.sin(x / 170 + y / 90) + 0.1 * fbm(rng, 160, 2)).astype(np.float32),
        np.zeros((H, W), np.float32),
    )
    near = smoothstep(230, 130, d)
    block.angle = np.where(near > 0.5, around, block.angle).astype(np.float32)
    for cx, cy, wide in ((0.22, 0.16, 0.17), (0.42, 0.26, 0.12), (0.90, 0.12, 0.13)):
        puff = np.clip(
            warp(
                area(
                    [
                        (cx - wide, cy),
                        (cx - 0.4 * wide, cy - 0.055),
                        (cx + 0.3 * wide, cy - 0.045),
                        (cx + wide, cy),
                        (cx, cy + 0.025),
                    ]
                ),
                rng,
                6,
                50,
            ),
            0,
            1,
        )
        block.put(puff, 1.0, 0.1)
    ball = disc(0.66, 0.30, 66)
    block.put(ball, 1.0, 0.0)
    block.red = ball
    for base, rise, scale, dark, light in ((0.42, 0.085, 330, 0.05, 0.85), (0.53, 0.05, 260, 0.3, 0.85)):
        mask, depth = skyline(rng, base, rise, scale, 5)
        slope = np.arctan2(np.gradient(-depth, axis=1), 1.0)
        lit = smoothstep(-0.05, 0.05, blur(slope, 9) + 0.14 * fbm(rng, 80, 3, stretch=(0.6, 1.6)))
        tone = (dark + (light - dark) * lit) * smoothstep(2, 7, depth)
        block.put(mask, tone, np.where(lit > 0.5, 1.05, 2.1) + 0.25 * fbm(rng, 90, 2))
    for k, base in enumerate((0.60, 0.68, 0.79)):
        mask, depth = skyline(rng, base, 0.02, 280, 3)
        slope = np.arctan2(np.gradient(-depth, axis=1), 1.0)
        block.put(
            mask,
            np.clip(0.92 - depth / (200 + 60 * k), 0.35, 0.88) * smoothstep(2, 6, depth),
            slope + 0.25 * fbm(rng, 80, 2),
        )
    bend = 0.52 * W + 110 * np.sin((y - 0.6 * H) / 62) * smoothstep(0.6 * H, 0.75 * H, y)
    stream = smoothstep(0.61 * H, 0.615 * H, y) * smoothstep(
        2, 0, np.abs(x - bend) - 8 - 0.34 * (y - 0.6 * H)
    )
    block.put(
        stream,
        np.clip(0.75 + 0.4 * np.sign(fbm(rng, 50, 2, stretch=(4, 1)) + 0.3), 0.3, 1),
        0.06 * fbm(rng, 60, 2),
    )
    for cx, foot, tall in (
        (0.06, 0.74, 0.36), (0.15, 0.80, 0.44), (0.25, 0.77, 0.30), (0.93, 0.80, 0.46), (0.83, 0.75, 0.32), (0.02, 0.90, 0.34),
        (0.345, 0.72, 0.16), (0.745, 0.70, 0.17), (0.99, 0.91, 0.34), (0.395, 0.70, 0.12),
    ):  # fmt: skip
        fir(rng, block, cx, foot, tall)
    return block


def fir(rng: Rng, block: Block, cx: float, foot: float, tall: float) -> None:
    """Stand a fir with drooping boughs: black, with cuts of light down its left side and a halo cut around it."""
    x, y = grid()
    boughs = 7
    right, left = [], []
    for k in range(1, boughs + 1):
        at, wide = (
            foot - tall + tall * k / (boughs + 0.6),
            0.24 * tall * (k / boughs) ** 0.85 * rng.uniform(0.85, 1.1),
        )
        right += [(cx + wide, at + 0.02 * tall), (cx + 0.45 * wide, at - 0.015 * tall)]
        left += [(cx - wide, at + 0.02 * tall), (cx - 0.45 * wide, at - 0.015 * tall)]
    trunk = [
        (cx + 0.012, foot - 0.06 * tall),
        (cx + 0.014, foot),
        (cx - 0.014, foot),
        (cx - 0.012, foot - 0.06 * tall),
    ]
    outline = np.array([(cx, foot - tall), *right, *trunk, *left[::-1]], np.float32) * (W, H)
    mask = fill(outline)
    halo = smoothstep(0.05, 0.25, blur(mask, 5)) * smoothstep(0.02 * H, 0.10 * H, foot * H - y)
    block.put(halo, 1.0, 0.0)
    side = (x - cx * W) / (0.24 * tall * W)
    lit = 0.36 * smoothstep(0.15, -0.45, side) * smoothstep(0.80, 0.97, blur(mask, 2.5))
    block.put(mask, lit, np.where(side < 0.05, 2.45, 0.7))


def woodcut(rng: Rng) -> Array:
    """A mountain valley cut in pear wood: tapered white cuts in black, black ridges in light, and a red sun."""
    block = valley(rng)
    fine = gouge(rng, block, 9.5, 80)
    broad = gouge(rng, block, 16, 150)
    cut = np.where(block.tone > 0.40, broad, fine)
    cut = np.maximum(cut, smoothstep(0.94, 0.96, blur(block.tone, 0.8)))
    ink = 1 - cut
    grain = 0.06 * wood_grain(rng, 11) + 0.05 * fbm(rng, 3, 2)
    ink = ink * np.clip(0.97 + grain, 0, 1) * (1 - smoothstep(2.3, 2.6, fbm(rng, 4, 2)))
    paper = flat(rgb("f0e6cf")) + 0.015 * fbm(rng, 5, 3)[..., None]
    red = (block.red * np.clip(0.93 + grain, 0, 1))[..., None]
    paper = paper * (1 - red) + rgb("bf2f20")[0] * red
    return paper * (1 - ink[..., None]) + rgb("17130f")[0] * ink[..., None]
