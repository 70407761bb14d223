"""People, bicycles, lamps and pots. One unit is 1 m; all stand at the origin and face +z."""

from __future__ import annotations

import numpy as np

from . import meshes, plants
from .meshes import Mesh
from .noise import Array, fbm, flat, mix, rgb, smoothstep
from .solids import capsule, ellipsoid, joint


def person(
    seed: int, coat: Array, trousers: Array, hair: Array, stride: float = 0.3, skirt: bool = False
) -> Mesh:
    """Someone walking, in a coat or a skirt."""
    s = stride

    def body(p: Array) -> Array:
        sway = p - flat(0.02 * np.sin(3 * p[..., 1]), 0 * p[..., 0], 0 * p[..., 0])
        d = joint(
            ellipsoid(sway, (0, 1.22, 0), (0.19, 0.30, 0.125)),
            ellipsoid(sway, (0, 0.93, 0), (0.175, 0.20, 0.13)),
            0.12,
        )
        d = joint(d, capsule(p, (-0.17, 1.42, 0), (0.17, 1.42, 0), 0.065, 0.065), 0.08)
        for side, way in ((-1, 1), (1, -1)):
            elbow, hand = (
                (side * 0.26, 1.14, -0.05 - way * s * 0.35),
                (side * 0.25, 0.90, 0.10 - way * s * 0.7),
            )
            d = joint(d, capsule(p, (side * 0.20, 1.42, 0), elbow, 0.062, 0.052), 0.03)
            d = joint(d, capsule(p, elbow, hand, 0.052, 0.036), 0.02)
            knee, foot = (side * 0.10, 0.50, 0.05 + way * s * 0.7), (side * 0.10, 0.07, way * s * 1.25 - 0.04)
            d = joint(d, capsule(p, (side * 0.09, 0.92, 0), knee, 0.095, 0.068), 0.04)
            d = joint(d, capsule(p, knee, foot, 0.064, 0.045), 0.02)
            d = joint(d, capsule(p, foot, (foot[0] * 1.2, 0.045, foot[2] + 0.17), 0.05, 0.04), 0.02)
        hem = 0.55 if skirt else 0.80
        width = 0.16 + 0.16 * np.clip(1.05 - p[..., 1], 0, 1)
        tail = np.maximum(
            np.hypot(p[..., 0], p[..., 2] * 1.15)
            - width
            - 0.012 * np.sin(7 * np.arctan2(p[..., 2], p[..., 0])),
            np.abs(p[..., 1] - (hem + 1.1) / 2) - (1.1 - hem) / 2,
        )
        d = joint(d, tail, 0.04)
        d = joint(d, capsule(p, (0, 1.45, 0), (0, 1.58, 0.015), 0.055, 0.05), 0.03)
        d = joint(d, ellipsoid(p, (0, 1.67, 0.02), (0.078, 0.115, 0.095)), 0.02)
        return joint(d, ellipsoid(p, (0, 1.70, -0.005), (0.092, 0.105, 0.10)), 0.02)

    made = meshes.solid(body, (-0.5, -0.02, -0.65), (0.5, 1.85, 0.65), 0.02)
    p = made.vertices
    y, hem = p[:, 1], 0.55 if skirt else 0.80
    made = made.inflated(0.006 * fbm(p, seed, 3, scale=0.12) * (y < 1.4))
    color = np.where((y < hem)[:, None], trousers, coat)
    color = np.where((y < 0.10)[:, None], rgb(0.04, 0.03, 0.025), color)
    hand = (np.abs(p[:, 0]) > 0.19) & (y < 0.93) & (y > 0.82)
    skin = ((y > 1.47) | hand)[:, None]
    color = np.where(skin, rgb(0.42, 0.25, 0.18), color)
    locks = (y > 1.52) & (p[:, 2] < 0.05 + 0.5 * np.clip(y - 1.70, 0, 1))
    color = np.where(locks[:, None], hair, color)
    return made.painted(color * (1 + 0.12 * fbm(p, seed + 1, 3, scale=0.1))[:, None])


def umbrella(color: Array) -> Mesh:
    """Held over the right shoulder."""
    angle, r = np.meshgrid(np.linspace(0, 2 * np.pi, 97), np.linspace(0, 1, 24))
    rib = np.abs(np.cos(4 * angle))
    y = 2.22 - 0.34 * r**2 - 0.05 * r * rib
    dome = meshes.sheet(
        flat(
            0.58 * r * np.cos(angle) * (0.94 + 0.06 * rib), y, 0.58 * r * np.sin(angle) * (0.94 + 0.06 * rib)
        )
    ).painted(color)
    stick = meshes.tube(
        flat(0 * np.arange(6.0), np.linspace(1.0, 2.3, 6), 0 * np.arange(6.0)),
        0.012,
        8,
        rgb(0.05, 0.04, 0.03),
    )
    return meshes.joined([dome, stick]).turned(2, -4).moved((0.14, -0.05, 0.1))


def bicycle(color: Array) -> Mesh:
    """Along z, upright."""
    turn = np.linspace(0, 2 * np.pi, 49)
    parts, dark, steel = [], rgb(0.02, 0.02, 0.02), rgb(0.35, 0.35, 0.36)
    for z in (-0.52, 0.52):
        ring = flat(0 * turn, 0.34 + 0.33 * np.cos(turn), z + 0.33 * np.sin(turn))
        parts.append(meshes.tube(ring, 0.018, 10, dark))
        parts += [
            meshes.tube(
                flat(0 * np.arange(2.0), [0.34, 0.34 + 0.32 * np.cos(a)], [z, z + 0.32 * np.sin(a)]),
                0.0022,
                4,
                steel,
            )
            for a in turn[:-1:2]
        ]
        guard = turn[(np.cos(turn) > -0.2)]
        guard = np.linspace(-1.7, 1.4, 30)
        parts.append(
            meshes.tube(
                flat(0 * guard, 0.34 + 0.37 * np.cos(guard), z + 0.37 * np.sin(guard)), 0.012, 6, color
            )
        )
    joints = {
        "rear": (0, 0.34, -0.52),
        "crank": (0, 0.30, -0.06),
        "seat": (0, 0.80, -0.22),
        "head": (0, 0.86, 0.33),
        "low": (0, 0.74, 0.37),
        "front": (0, 0.34, 0.52),
    }
    for a, b in (
        ("rear", "crank"),
        ("rear", "seat"),
        ("crank", "seat"),
        ("seat", "head"),
        ("crank", "low"),
        ("head", "front"),
    ):
        parts.append(meshes.tube(np.array([joints[a], joints[b]], np.float32), 0.016, 10, color))
    parts.append(meshes.tube(np.array([joints["seat"], (0, 0.93, -0.27)], np.float32), 0.013, 8, steel))
    parts.append(meshes.ball((0, 0.95, -0.28), (0.075, 0.03, 0.13), dark, 20))
    bar = np.linspace(-1, 1, 24)
    parts.append(meshes.tube(np.array([joints["head"], (0, 1.03, 0.29)], np.float32), 0.013, 8, steel))
    parts.append(meshes.tube(flat(0.29 * bar, 1.05 + 0 * bar, 0.30 - 0.16 * bar**4), 0.013, 8, steel))
    parts.append(meshes.box((-0.17, 0.80, 0.42), (0.17, 1.0, 0.66), rgb(0.20, 0.12, 0.06)))
    return meshes.joined(parts)


def lamp_post(height: float = 3.9) -> tuple[Mesh, Mesh]:
    """A cast-iron post with its lantern, and the light in it."""
    iron = rgb(0.025, 0.03, 0.028)
    outline = [
        (0.19, 0),
        (0.19, 0.12),
        (0.14, 0.2),
        (0.11, 0.7),
        (0.13, 0.75),
        (0.075, 0.9),
        (0.05, height - 0.75),
        (0.09, height - 0.72),
        (0.045, height - 0.62),
        (0.05, height - 0.5),
        (0.12, height - 0.46),
    ]
    parts = [meshes.revolved(np.array(outline), 24, iron)]
    parts += [
        meshes.tube(
            np.array([[0.11 * x, height - 0.46, 0.11 * z], [0.17 * x, height, 0.17 * z]], np.float32),
            0.011,
            6,
            iron,
        )
        for x in (-1, 1)
        for z in (-1, 1)
    ]
    parts.append(
        meshes.revolved(
            [
                (0.27, height),
                (0.25, height + 0.03),
                (0.1, height + 0.2),
                (0.05, height + 0.26),
                (0.03, height + 0.34),
                (0.0, height + 0.36),
            ],
            24,
            iron,
        )
    )
    arm = meshes.tube(
        np.array([[-0.32, height - 0.8, 0], [0.32, height - 0.8, 0]], np.float32), 0.014, 8, iron
    )
    bulb = meshes.ball((0, height - 0.22, 0), (0.10, 0.15, 0.10), sides=20)
    return meshes.joined([*parts, arm]), bulb


def pot_plant(seed: int, size: float) -> Mesh:
    """A clay pot with a clipped bush."""
    rng = np.random.default_rng([31, seed])
    pot = meshes.revolved(
        [
            (0.0, 0.38),
            (0.19, 0.38),
            (0.2, 0.42),
            (0.23, 0.42),
            (0.23, 0.36),
            (0.2, 0.35),
            (0.15, 0.0),
            (0.0, 0.0),
        ],
        32,
        rgb(0.33, 0.16, 0.09),
    )
    pot = pot.painted(
        mix(
            rgb(0.36, 0.17, 0.09),
            rgb(0.22, 0.14, 0.09),
            smoothstep(-0.2, 0.6, fbm(pot.vertices, seed, 4, scale=0.2)),
        )
    )
    green = plants.bush(
        rng,
        rgb(0, 0.75, 0),
        rgb(0.30, 0.38, 0.30),
        1500,
        0.085,
        rgb(0.03, 0.07, 0.015),
        rgb(0.10, 0.19, 0.04),
    )
    return meshes.joined([pot, green]).scaled(size)
