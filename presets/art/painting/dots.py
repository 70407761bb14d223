"""Pointillism: dots of a few pure colours that mix in the eye."""

from __future__ import annotations

import cv2
import numpy as np

from .base import Array, H, Rng, W, area, blur, fbm, fill, grid, mix, ramp, rgb, skyline, smoothstep, warp
from .brush import lookup, scatter

PALETTE = rgb(
    "fdf6e0", "f8e25a", "f3b62c", "ee7f2d", "d9402f", "d6577f", "a45a9e", "5a4a9c", "2c3f94", "2f6fbe", "6fb4dc",
    "bfe0ea", "2f9a8a", "1f6a4a", "4f9f3f", "a9c83f", "f6c9b0", "24264f",
)  # fmt: skip


def riverside(rng: Rng) -> Array:
    """Return the local colours of a sunny riverside: trees and their blue shade, grass, water, sails."""
    x, y = grid()
    scene = ramp(
        np.clip(y / (0.36 * H) + 0.06 * fbm(rng, 200, 3), 0, 1), rgb("5f9fd8", "a4cdea", "f3e3c4", "fbe3b8")
    )
    cloud = smoothstep(0.6, 1.4, fbm(rng, 200, 4, stretch=(2.2, 1))) * smoothstep(0.36 * H, 0.2 * H, y)
    scene = mix(scene, rgb("fdf3e4")[0], 0.9 * cloud)
    for base, rise, dark, light in ((0.34, 0.022, "7f86bc", "c9b6c9"), (0.38, 0.014, "3f7f86", "8fb87a")):
        mask, depth = skyline(rng, base, rise, 240)
        scene = mix(
            scene, ramp(np.clip(1 - depth / 50 + 0.2 * fbm(rng, 50, 2), 0, 1), rgb(dark, light)), mask
        )
    water = smoothstep(0.42 * H, 0.423 * H, y)
    wave = np.clip((y / H - 0.42) / 0.3 + 0.14 * fbm(rng, 46, 3, stretch=(6, 1)), 0, 1)
    scene = mix(scene, ramp(wave, rgb("f3e6c9", "b4d6e2", "5f9fd0", "2f6aae", "27529a")), water)
    for cx, top, foot, wide in (
        (0.46, 0.22, 0.47, 0.045),
        (0.62, 0.30, 0.455, 0.03),
        (0.33, 0.33, 0.45, 0.022),
    ):
        sail = np.array([(cx, top), (cx + wide, foot), (cx - 0.6 * wide, foot)]) * (W, H)
        scene = mix(
            scene, ramp(np.clip(0.5 + (x / W - cx) / wide, 0, 1), rgb("f0d9b0", "fffaf0")), fill(sail)
        )
        glint = np.array(
            [(cx - 0.5 * wide, foot + 0.01), (cx + 0.9 * wide, foot + 0.01), (cx + 0.2 * wide, foot + 0.15)]
        ) * (W, H)
        scene = mix(scene, rgb("f6ead0")[0], 0.6 * fill(glint))
    shore = [
        (-0.1, 0.60),
        (0.15, 0.62),
        (0.40, 0.72),
        (0.62, 0.70),
        (0.85, 0.58),
        (1.1, 0.52),
        (1.1, 1.1),
        (-0.1, 1.1),
    ]
    grass = np.clip(warp(area(shore), rng, 5, 60), 0, 1)
    sun = np.clip(0.72 + 0.22 * fbm(rng, 130, 3, stretch=(2, 1)) - 0.25 * (y / H - 0.6), 0, 1)
    scene = mix(scene, ramp(sun, rgb("2f7f4a", "6fae3f", "c9d24a", "f6e06a")), grass)
    shade = grass * smoothstep(
        0.25, 0.7, fbm(rng, 150, 3, stretch=(2.4, 1)) + 1.1 * smoothstep(0.78 * H, 0.98 * H, y)
    )
    scene = mix(
        scene,
        ramp(np.clip(0.5 + 0.3 * fbm(rng, 60, 2), 0, 1), rgb("24306a", "2f5f6a", "2f6a46")),
        0.9 * shade,
    )
    flowers = grass * smoothstep(0.9, 1.2, fbm(rng, 70, 3)) * (1 - shade)
    scene = mix(scene, rgb("e8604a")[0], 0.7 * flowers)
    for cx, cy, r in (
        (0.12, 0.22, 190),
        (0.02, 0.40, 120),
        (0.90, 0.26, 180),
        (0.78, 0.42, 85),
        (0.99, 0.46, 110),
    ):
        scene = leafy(rng, scene, cx, cy, r)
    return np.clip(scene, 0, 1)


def leafy(rng: Rng, scene: Array, cx: float, cy: float, r: float) -> Array:
    """Add a tree: violet trunk, crown from deep blue-green shade to yellow light."""
    x, y = grid()
    trunk = np.array(
        [
            (cx * W - 0.06 * r, cy * H),
            (cx * W + 0.07 * r, cy * H),
            (cx * W + 0.10 * r, cy * H + 1.9 * r),
            (cx * W - 0.10 * r, cy * H + 1.9 * r),
        ]
    )
    scene = mix(
        scene,
        ramp(np.clip(0.6 - (x - cx * W) / (0.2 * r), 0, 1), rgb("2f2a5a", "7a4a6a", "d08a5a")),
        fill(trunk),
    )
    d = np.hypot(x - cx * W, (y - cy * H) * 1.1) / r + 0.14 * fbm(rng, 70, 4)
    clump = 0.30 * fbm(rng, 60, 3)
    light = np.clip(0.48 - 0.34 * ((x - cx * W) + 1.3 * (y - cy * H)) / r + clump, 0, 1)
    return mix(
        scene, ramp(light, rgb("1c2a5a", "1f5a4f", "2f8a4a", "8fbe3f", "f0dc5a")), smoothstep(1.02, 0.97, d)
    )


def divide(rng: Rng, local: Array, spread: float) -> Array:
    """Choose a pure colour for each dot, so that many dots together look like the local colour.

    Colours near the local one are likeliest; one dot in ten aims at the complement, equally light.
    """
    flip = rng.random(len(local)) < 0.1
    opposite = local.max(1, keepdims=True) + local.min(1, keepdims=True) - local
    aim = np.where(flip[:, None], opposite, local)
    far = ((aim[:, None] - PALETTE[None]) ** 2).sum(-1)
    score = -far / (2 * spread**2) + rng.gumbel(0, 1, far.shape)
    return PALETTE[score.argmax(1)]


def pointillist(rng: Rng) -> Array:
    """A sunny riverside in three sizes of dots on a warm ground."""
    scene = riverside(rng)
    sheet = (np.clip(0.6 * blur(scene, 20) + 0.4 * rgb("efe4c8")[0], 0, 1) * 255).astype(np.uint8)
    for radius, spacing, spread in (
        (12.0, 16.0, 0.17),
        (9.5, 14.0, 0.17),
        (7.5, 12.5, 0.15),
        (5.2, 17.0, 0.20),
    ):
        at = scatter(rng, spacing)
        tints = divide(rng, lookup(blur(scene, radius / 3), at), spread)
        tints = np.clip(tints + rng.normal(0, 0.025, tints.shape), 0, 1)
        for (px, py), tint in zip(at, tints, strict=True):
            size = radius * rng.uniform(0.75, 1.15)
            axes = (round(size * 8), round(size * rng.uniform(0.72, 1.0) * 8))
            turn = float(rng.uniform(0, 180))
            cv2.ellipse(
                sheet,
                (round(px * 8), round(py * 8)),
                axes,
                turn,
                0,
                360,
                (tint * 255).tolist(),
                -1,
                cv2.LINE_AA,
                3,
            )
    return sheet.astype(np.float32) / 255 * (1 + 0.015 * fbm(rng, 3, 2))[..., None]
