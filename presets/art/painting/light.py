"""Neon: glass tubes that glow in the dark, and their reflection on a wet street."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from .base import Array, H, Rng, W, blur, fbm, fixed, grid, rgb, smoothstep, spline
from .strip import arc

GASES = rgb("ff2a8c", "22e0ff", "8a4bff", "ff8a1c", "5cff7a", "ff3b3b", "2f6bff", "ffe14a")


class Sign:
    """Tubes, sorted by the colour of their gas."""

    def __init__(self, rng: Rng) -> None:
        """Start in the dark."""
        self.rng = rng
        self.layers = np.zeros((len(GASES), H, W), np.uint8)

    def tube(self, path: Array, gas: int, width: float = 5.0, closed: bool = False) -> None:
        """Bend one tube along a path."""
        power = int(self.rng.uniform(190, 255))
        cv2.polylines(self.layers[gas], [fixed(path)], closed, power, max(1, round(width)), cv2.LINE_AA, 3)

    def double(self, path: Array, gases: Sequence[int], gap: float = 11.0) -> None:
        """Bend parallel tubes of several colours along a path."""
        tangent = np.gradient(path, axis=0)
        normal = np.stack([-tangent[:, 1], tangent[:, 0]], -1) / (
            np.linalg.norm(tangent, axis=1, keepdims=True) + 1e-6
        )
        for k, gas in enumerate(gases):
            self.tube(path + normal * gap * (k - (len(gases) - 1) / 2), gas, 5.0 if k == 0 else 3.5)

    def light(self) -> tuple[Array, Array]:
        """Return the bright cores and the glow around them, in linear light."""
        core, glow = np.zeros((H, W, 3), np.float32), np.zeros((H, W, 3), np.float32)
        for layer, gas in zip(self.layers, GASES, strict=True):
            tube = layer.astype(np.float32) / 255
            colour = gas**2.2
            hot = blur(tube, 0.8)
            core += 2.2 * hot[..., None] * colour + 0.55 * (blur(tube, 0.6) ** 4)[..., None]
            halo = 1.6 * blur(tube, 5) + 1.7 * blur(tube, 14) + 1.5 * blur(tube, 42)
            glow += halo[..., None] * colour
        return core, glow


def skyline_tubes(sign: Sign) -> None:
    """Outline a row of towers, with rows of lit windows."""
    rng = sign.rng
    x = -0.02
    while x < 1.0:
        wide, top = rng.uniform(0.06, 0.12), rng.uniform(0.20, 0.46)
        left, right, roof, foot = x * W, (x + wide) * W, top * H, 0.655 * H
        gas = int(rng.integers(len(GASES)))
        shape = rng.integers(3)
        mid = (left + right) / 2
        crown = [
            [(left, roof)],
            [(left, roof), (mid, roof - 50), (right, roof)],
            [(left, roof), (left + 18, roof - 26), (right - 18, roof - 26), (right, roof)],
        ][shape]
        path = np.array([(left, foot), *crown, (right, roof), (right, foot)], np.float32)
        sign.tube(path, gas, 5)
        inner = path + np.array([(9, 0)] + [(0, 11)] * (len(path) - 2) + [(-9, 0)], np.float32)
        inner[1:-1, 0] = np.clip(inner[1:-1, 0], left + 9, right - 9)
        if rng.random() < 0.6:
            sign.tube(inner, int(rng.integers(len(GASES))), 3)
        lit = int(rng.integers(len(GASES)))
        for row in np.arange(roof + 34, foot - 16, rng.uniform(28, 46)):
            if rng.random() < 0.75:
                cells = rng.integers(1, 4)
                for k in range(cells):
                    a = left + 18 + (right - left - 36) * k / cells
                    b = left + 18 + (right - left - 36) * (k + 0.7) / cells
                    sign.tube(np.array([(a, row), (b, row)], np.float32), lit, 4)
        x += wide + rng.uniform(0.008, 0.03)


def sky_tubes(sign: Sign) -> None:
    """Bend waves of parallel tubes above the towers."""
    rng = sign.rng
    for base, gases in ((0.06, (0, 2)), (0.13, (1, 6)), (0.20, (2, 1))):
        points = [
            (-0.05 + 0.12 * k, base + 0.045 * np.sin(1.7 * k + 9 * base) + rng.normal(0, 0.012))
            for k in range(10)
        ]
        sign.double(spline(points, 16), gases, 12)


def palms(sign: Sign) -> None:
    """Bend two palms in front of the towers."""
    rng = sign.rng
    for cx, foot, tall, lean in (
        (0.17, 0.68, 0.36, 0.10),
        (0.83, 0.69, 0.42, -0.12),
        (0.52, 0.67, 0.25, 0.06),
    ):
        head = np.array([(cx + lean * 0.5) * W, (foot - tall) * H])
        trunk = spline([(cx, foot), (cx + 0.12 * lean, foot - 0.5 * tall), (head[0] / W, head[1] / H)], 16)
        sign.double(trunk, (3, 7), 10)
        for turn in np.linspace(-2.75, -0.4, 6):
            side = 1 if turn > -np.pi / 2 else -1
            leaf = arc(head, turn + rng.normal(0, 0.1), tall * 430 * rng.uniform(0.8, 1.1), side * 2.0, 18)
            sign.tube(leaf, 4, 5)
            sign.tube(leaf[3:] + np.array([0, 9]), 1, 3)


def neon(rng: Rng) -> Array:
    """A night skyline of bent glass tubes over a wet street."""
    sign = Sign(rng)
    sky_tubes(sign)
    skyline_tubes(sign)
    palms(sign)
    core, glow = sign.light()
    x, y = grid()
    horizon = int(0.665 * H)
    wall = 1 + 0.09 * fbm(rng, 5, 2) + 0.25 * fbm(rng, 80, 3)
    light = core + 0.55 * glow * np.clip(wall, 0.2, 2)[..., None]
    sway = 7 * np.sin(y / 5 + 1.5 * fbm(rng, 60, 2, stretch=(4, 1))) + 9 * fbm(rng, 26, 3, stretch=(5, 1))
    depth = (y - horizon) / (H - horizon)
    source = horizon - 1.75 * (y - horizon)
    mirror = cv2.remap(
        core * 0.8 + 0.7 * glow,
        x + sway * (0.4 + depth),
        source,
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REFLECT,
    )
    mirror = cv2.GaussianBlur(mirror, (0, 0), sigmaX=0.8, sigmaY=5)
    wet = smoothstep(-0.9, 0.5, fbm(rng, 90, 4, stretch=(3.5, 1)))
    street = mirror * (0.25 + 0.75 * wet)[..., None] * (1 - 0.35 * depth)[..., None]
    light = np.where((y > horizon)[..., None], street, light)
    kerb = np.exp(-(((y - horizon) / 2.0) ** 2))
    light = light + 1.2 * kerb[..., None] * rgb("22e0ff")[0] ** 1.6
    dark = rgb("0b0818")[0] * (1 + 0.25 * fbm(rng, 120, 3))[..., None]
    return np.clip(dark + (1 - np.exp(-1.1 * light)), 0, 1) ** 0.9
