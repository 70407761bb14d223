"""Soft pastel: sticks dragged on their side over toothed, coloured paper."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .base import Array, H, Rng, W, area, blur, fbm, grid, mix, ramp, rgb, skyline, smoothstep, warp
from .brush import lookup, paper_grain, scatter, trace
from .strip import arc, streaks, strip


@dataclass
class Stick:
    """How a stick is held: width and length in pixels, pressure 0..1, streaks, and the spread of its colours."""

    width: float
    length: float
    pressure: float = 0.5
    ribs: float = 0.5
    jitter: float = 0.05
    spacing: float = 0.8


class Ground:
    """Toned paper with its tooth, and the chalk that has caught on it."""

    def __init__(self, rng: Rng, paper: Array, rubbed: Array, amount: float) -> None:
        """Start with flecked paper and a first, dark layer rubbed into it with the palm."""
        self.rng = rng
        self.tooth = paper_grain(rng, 2.8)
        fleck = 0.03 * fbm(rng, 5, 2) + 0.02 * fbm(rng, 120, 2)
        self.colour = paper * (1 - amount) + blur(rubbed, 9) * amount + fleck[..., None]

    def drag(self, path: Array, colour: Array, stick: Stick) -> None:
        """Drag a stick along a path: it colours the bumps, and the hollows only under pressure."""
        rng = self.rng
        width = stick.width * rng.uniform(0.75, 1.25)
        found = strip(path, 0.6 * width + 2)
        if found is None:
            return
        sides = np.abs(found.across) / (0.5 * width)
        rib = streaks(rng, found.across, found.along, max(2.0, width / 9), 30)
        ends = np.minimum(found.along, found.length - found.along)
        body = smoothstep(1.08, 0.92, sides + 0.07 * rib) * smoothstep(-1, 3, ends - 1.5 * rib)
        press = stick.pressure * rng.uniform(0.8, 1.2) - 0.12 * smoothstep(0.4, 0, np.minimum(ends, 30) / 30)
        lean = found.across / width * rng.choice([-0.5, 0.5])
        height = self.tooth[found.window] + stick.ribs * rib + lean
        catch = smoothstep(-0.7, 0.6, height + 3.2 * (press - 0.5))
        cover = (body * catch * (0.75 + 0.2 * press))[..., None]
        tint = colour + 0.03 * rib[..., None]
        spot = self.colour[found.window]
        self.colour[found.window] = spot * (1 - cover) + tint * cover

    def layer(
        self, scene: Array, angle: Array, stick: Stick, where: Array | None = None, cut: float = 0.35
    ) -> None:
        """Cover the paper with strokes that take their colours from a scene and stop where it changes."""
        rng = self.rng
        starts = scatter(rng, stick.width * stick.spacing)
        if where is not None:
            starts = starts[rng.random(len(starts)) < lookup(where, starts)]
        soft = blur(scene, max(stick.width / 5, 0.6))
        length = stick.length * rng.uniform(0.6, 1.4, len(starts)).astype(np.float32)
        paths = trace(angle + 0.10 * rng.standard_normal() + 0.12 * fbm(rng, 60, 2), starts, length)
        tints = lookup(soft, starts)
        strays = np.abs(lookup(soft, paths) - tints[:, None]).sum(-1) > cut
        ends = np.where(strays.any(1), np.maximum(strays.argmax(1), 3), paths.shape[1])
        for path, end, tint in zip(paths, ends, tints, strict=True):
            shift = rng.normal(0, stick.jitter, 1) + rng.normal(0, 0.8 * stick.jitter, 3)
            self.drag(path[:end], np.clip(tint + shift, 0.02, 1), stick)

    def picture(self) -> Array:
        """Return the sheet, its hollows in soft shade."""
        return self.colour * (1 + 0.025 * self.tooth)[..., None]


def evening(rng: Rng) -> tuple[Array, Array]:
    """Return the colours and stroke angles of a lake at dusk between hills and poplars."""
    _, y = grid()
    bands = 0.13 * fbm(rng, 260, 4, stretch=(3, 1))
    sky = rgb("35447a", "5f78b0", "9aa8cc", "d9b3bd", "f2a98c", "fbd79a", "fff0c4")
    scene = ramp(np.clip(y / (0.50 * H) + bands, 0, 1), sky)
    cloud = smoothstep(0.2, 0.9, fbm(rng, 230, 4, stretch=(2.6, 1)))
    scene = mix(
        scene, ramp(np.clip(y / (0.48 * H), 0, 1), rgb("7b6f9c", "c9809a", "f4b09a", "fde0b4")), 0.85 * cloud
    )
    angle = 0.15 + 0.35 * fbm(rng, 220, 2)
    for base, rise, dark, light, lean in (
        (0.42, 0.05, "5a5f96", "8f86b4", 0.5),
        (0.485, 0.035, "36466f", "6f7f9f", -0.5),
        (0.545, 0.022, "24405a", "4f8a7c", 0.7),
    ):
        mask, depth = skyline(rng, base, rise, 280)
        tone = np.clip(depth / 70 + 0.22 * fbm(rng, 70, 3), 0, 1)
        scene, angle = (
            mix(scene, ramp(tone, rgb(dark, light)), mask),
            np.where(mask > 0.5, lean + 0.3 * fbm(rng, 110, 2), angle),
        )
    lake = smoothstep(0.60 * H, 0.605 * H, y)
    ripple = np.clip((y / H - 0.60) / 0.3 + 0.16 * fbm(rng, 60, 3, stretch=(6, 1)), 0, 1)
    scene = mix(scene, ramp(ripple, rgb("f6c9a0", "d99aa0", "8f86b4", "4a6a9a", "27457a")), lake)
    angle = np.where(lake > 0.5, 0.03 * fbm(rng, 80, 2), angle)
    bank, depth = skyline(rng, 0.83, 0.025, 260)
    tuft = np.clip(0.5 + 0.3 * fbm(rng, 46, 3, stretch=(0.6, 1.5)), 0, 1)
    scene = mix(scene, ramp(tuft, rgb("1d2436", "2f5048", "6f8a4a", "c9a85a", "d9764a")), bank)
    angle = np.where(bank > 0.5, -1.35 + 0.4 * fbm(rng, 90, 2), angle)
    return poplars(rng, scene, angle)


def poplars(rng: Rng, scene: Array, angle: Array) -> tuple[Array, Array]:
    """Stand trees on the shore, with their reflections."""
    x, y = grid()
    for cx, top, wide in (
        (0.10, 0.08, 0.045),
        (0.185, 0.20, 0.038),
        (0.26, 0.31, 0.03),
        (0.80, 0.16, 0.05),
        (0.90, 0.27, 0.045),
    ):
        crown = [
            (cx, top),
            (cx + 0.7 * wide, top + 0.15),
            (cx + wide, 0.50),
            (cx + 0.4 * wide, 0.625),
            (cx - 0.4 * wide, 0.625),
            (cx - wide, 0.50),
            (cx - 0.7 * wide, top + 0.15),
        ]
        mask = np.clip(warp(area(crown), rng, 7, 40), 0, 1)
        lit = np.clip(0.45 + 1.6 * (x / W - cx) / wide * 0.35 + 0.2 * fbm(rng, 40, 3), 0, 1)
        scene = mix(scene, ramp(lit, rgb("141c33", "1f3f4c", "3f6f58", "b58a4a", "f0a860")), mask)
        angle = np.where(mask > 0.5, -1.45 + 0.3 * fbm(rng, 60, 2), angle)
        shade = mask[::-1]
        drop = (
            np.roll(shade, int(0.23 * H), 0)
            * smoothstep(0.60 * H, 0.62 * H, y)
            * smoothstep(0.84 * H, 0.78 * H, y)
        )
        scene = mix(scene, rgb("27345c")[0], 0.7 * blur(drop, 3))
    return scene, angle


def pastel(rng: Rng) -> Array:
    """A lake at dusk in chalk: broad sides of the stick first, then firmer strokes, then a few crisp accents."""
    scene, angle = evening(rng)
    dark = np.clip(scene * 0.72 + rgb("3a2f5a")[0] * 0.16, 0, 1)
    ground = Ground(rng, rgb("6e5a5a")[0], dark, 0.6)
    ground.layer(dark, angle + 0.5, Stick(64, 190, 0.48, 0.5, 0.05, 0.75), cut=0.5)
    ground.layer(scene, angle, Stick(46, 170, 0.52, 0.6, 0.05, 0.75), cut=0.4)
    busy = smoothstep(0.02, 0.10, np.abs(scene - blur(scene, 14)).sum(-1) * 0.5)
    ground.layer(
        np.clip(scene * 1.05, 0, 1), angle - 0.25, Stick(30, 130, 0.46, 0.7, 0.075, 1.0), 0.45 + 0.5 * busy
    )
    ground.layer(scene, angle, Stick(15, 70, 0.60, 0.45, 0.06, 1.1), 0.04 + 0.8 * busy)
    bright = np.clip(0.5 + (scene - 0.5) * 1.25 + 0.06, 0, 1)
    ground.layer(bright, angle + 0.15, Stick(9, 50, 0.80, 0.3, 0.06, 1.6), 0.03 + 0.45 * busy)
    accents(ground)
    return ground.picture()


def accents(ground: Ground) -> None:
    """Strike the last strokes: glints on the water, warm grasses, a few dark stems."""
    rng = ground.rng
    for _ in range(46):
        at = np.array([rng.uniform(0.25, 0.78) * W, (0.62 + 0.19 * rng.random() ** 1.3) * H])
        path = arc(at, rng.normal(0, 0.03), rng.uniform(24, 120), 0.05)
        ground.drag(
            path, rgb("fde3b0", "f7b58c", "e58f8f")[rng.integers(3)], Stick(rng.uniform(6, 14), 0, 0.6, 0.4)
        )
    for _ in range(150):
        at = np.array([rng.uniform(0, 1) * W, rng.uniform(0.86, 1.02) * H])
        path = arc(at, -1.5 + rng.normal(0, 0.35), rng.uniform(30, 90), rng.normal(0, 0.5))
        tint = rgb("e8b25a", "d9643a", "7fa05a", "1a2236", "1a2236", "c9cf8a", "c86a8a")[rng.integers(7)]
        ground.drag(path, tint, Stick(rng.uniform(4, 9), 0, 0.7, 0.3))
