"""Colour woodblock prints."""

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
    disc,
    fbm,
    fill,
    fixed,
    grid,
    lines,
    mix,
    ramp,
    rgb,
    smoothstep,
    spline,
)
from .brush import paper_grain, wood_grain


def worm(
    layer: Array, path: Array, widths: Array, colour: Array, rim: float = 0, rim_colour: Array | None = None
) -> None:
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
            path = hook(
                lip[i] + rng.normal(0, 0.25 * size, 2),
                facing[i] + rng.normal(0, 0.4),
                size * rng.uniform(0.9, 2.0),
                rng.uniform(1.0, 3.0),
            )
            tint = pale if rng.random() < 0.3 else white
            worm(layer, path, np.linspace(0.27, 0.05, len(path)) * size, tint, 2.0, ink)
            for k in (9, 14, 18):
                twig = hook(
                    path[k], facing[i] + rng.uniform(-0.9, 1.0), 0.6 * size, rng.uniform(0.8, 2.6), 10
                )
                worm(layer, twig, np.linspace(0.13, 0.03, 10) * size, white, 1.6, ink)
    for i in rng.permutation(len(lip)):
        back = facing[i] + np.pi
        at = lip[i] + np.array([np.cos(back), np.sin(back)]) * rng.uniform(-0.2, 0.7) * size
        curl = hook(
            at, facing[i] + rng.normal(0, 0.6), rng.uniform(0.3, 0.7) * size, rng.uniform(-2.4, 2.4), 8
        )
        worm(
            layer,
            curl,
            np.linspace(rng.uniform(0.16, 0.26), 0.06, 8) * size,
            pale if rng.random() < 0.25 else white,
            1.6,
            ink,
        )


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
    ridge = fill(
        np.array([(0.50, 0.80), (0.63, 0.63), (0.675, 0.575), (0.705, 0.573), (0.75, 0.63), (0.90, 0.80)])
        * (W, H)
    )
    picture = mix(picture, rgb("2c4a78")[0], ridge)
    snow = ridge * smoothstep(-6, 2, 0.655 * H + 14 * np.sin(grid()[0] / 7) + 6 * np.sin(grid()[0] / 3.1) - y)
    picture = mix(picture, rgb("f3eee0")[0], snow)
    for side in (
        [
            (1.06, 0.80),
            (1.06, 0.62),
            (0.97, 0.60),
            (0.90, 0.66),
            (0.82, 0.70),
            (0.72, 0.74),
            (0.6, 0.82),
            (0.8, 1.0),
        ],
    ):
        curve = spline(side, closed=True)
        picture = swell(picture, rng, curve, spline(side[1:7]), 26)
    body = [
        (-0.06, 1.06),
        (-0.06, 0.50),
        (0.01, 0.30),
        (0.09, 0.15),
        (0.21, 0.07),
        (0.35, 0.06),
        (0.47, 0.11),
        (0.555, 0.20),
        (0.585, 0.32),
        (0.52, 0.275),
        (0.44, 0.255),
        (0.365, 0.30),
        (0.335, 0.41),
        (0.36, 0.55),
        (0.44, 0.69),
        (0.58, 0.79),
        (0.75, 0.82),
        (0.9, 0.78),
        (1.06, 0.72),
        (1.06, 1.06),
    ]
    picture = swell(picture, rng, spline(body, closed=True), spline(body[8:19]), 34)
    layer = (np.clip(picture, 0, 1) * 255).astype(np.uint8)
    foam(layer, rng, spline([(0.02, 0.29), *body[3:8]], 7), -1.2, 30)
    foam(layer, rng, spline([*body[7:12], (0.345, 0.36)], 12)[::-1], -1.1, 44)
    foam(layer, rng, spline([(0.44, 0.10), (0.52, 0.155), (0.565, 0.24), (0.59, 0.34)], 10), 0.15, 46)
    foam(layer, rng, spline([(0.78, 0.725), (0.86, 0.68), (0.93, 0.63), (1.0, 0.60)], 8), -1.4, 24)
    picture = boat(layer.astype(np.float32) / 255, rng, 0.60, 0.735, 0.30)
    front = [
        (-0.06, 1.06),
        (-0.06, 0.70),
        (0.06, 0.69),
        (0.16, 0.66),
        (0.245, 0.70),
        (0.25, 0.77),
        (0.33, 0.86),
        (0.47, 0.92),
        (0.64, 0.91),
        (0.80, 0.865),
        (1.06, 0.90),
        (1.06, 1.06),
    ]
    picture = swell(picture, rng, spline(front, closed=True), spline(front[4:11]), 24)
    layer = (np.clip(picture, 0, 1) * 255).astype(np.uint8)
    foam(layer, rng, spline(front[1:6], 6), -0.8, 30)
    foam(layer, rng, spline(front[8:11], 8), -1.3, 22)
    spread = np.stack([rng.normal(0.56, 0.16, 150) * W, rng.normal(0.33, 0.14, 150) * H], -1)
    for at in spread:
        worm(layer, at[None], np.array([rng.uniform(1.2, 4.2)]), rgb("f6f1e4")[0], 1.2, rgb("5d7f97")[0])
    picture = layer.astype(np.float32) / 255
    worn = 1 + 0.035 * wood_grain(rng, 13) + 0.02 * paper_grain(rng, 3)
    return mix(
        picture * worn[..., None],
        rgb("efe4c6")[0],
        0.32 * smoothstep(1.3, 2.4, fbm(rng, 9, 3, stretch=(3, 1))),
    )


def boat(picture: Array, rng: Rng, cx: float, cy: float, span: float) -> Array:
    """Print a long rowing boat, its crew bent low."""
    hull = [
        (cx - span / 2, cy - 0.05),
        (cx - span / 4, cy + 0.004),
        (cx, cy + 0.018),
        (cx + span / 4, cy),
        (cx + span / 2, cy - 0.07),
        (cx + span / 4, cy + 0.035),
        (cx, cy + 0.055),
        (cx - span / 4, cy + 0.04),
    ]
    curve = spline(hull, closed=True)
    picture = mix(picture, rgb("d9b777")[0], fill(curve))
    picture = mix(
        picture,
        rgb("12224a")[0],
        lines([np.vstack([curve, curve[:1]]), curve[len(curve) // 2 :] - (0, 9)], 3),
    )
    for k in range(8):
        x = cx + span * (k / 7 - 0.5) * 0.62
        picture = mix(picture, rgb("23508f")[0], disc(x, cy + 0.002 + rng.normal(0, 0.002), 12, 0.8))

    return picture
