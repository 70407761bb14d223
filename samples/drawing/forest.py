"""A wood in the morning, the sun ahead between the trees. One unit is 1 m; the view is along -z."""

from __future__ import annotations

from dataclasses import replace

import mitsuba as mi
import numpy as np

from . import film, meshes, plants
from .meshes import Mesh
from .noise import Array, fbm, flat, mix, rgb, ridged, smoothstep
from .studio import Camera, Scene, Shot, Sky, expose, leafy, matte, shape, sunlit_part

CAMERA = Camera((0.2, 1.55, 7.0), (0.1, 2.35, -8.0), fov=52, aperture=0.014, focus=9.0)
SUN = (0.34, 0.62, -0.70)
SKY = Sky(SUN, rgb(0.30, 0.42, 0.62), rgb(0.85, 0.88, 0.85), rgb(9.0, 7.4, 4.8), glow=0.9)


def path_x(z: Array) -> Array:
    """Where the path winds."""
    return 0.9 * np.sin(z / 6.5 + 0.4) - 0.25


def level(x: Array, z: Array) -> Array:
    """The height of the ground."""
    place = flat(x, z)
    beside = smoothstep(0.5, 2.2, np.abs(x - path_x(z)))
    return (
        0.30 * beside * (1 + 0.6 * fbm(place, 301, 3, scale=3.5))
        + 0.05 * fbm(place, 302, 4, scale=0.9)
        + 0.02 * np.abs(x)
    )


def floor() -> Mesh:
    """Earth and old leaves on the path, moss beside it."""
    z = CAMERA.eye[2] - np.geomspace(1.2, 75, 800)
    x = np.linspace(-1, 1, 800)
    x = (np.sign(x) * np.abs(x) ** 1.3)[None] * np.clip(3 + (CAMERA.eye[2] - z) * 1.0, 3, 60)[:, None]
    z = np.broadcast_to(z[:, None], x.shape)
    place = flat(x, z)
    fine = fbm(place, 303, 3, 0.7, 0.12)
    trodden = smoothstep(1.0, 0.45, np.abs(x - path_x(z)) + 0.25 * fbm(place, 304, 3, scale=0.6))
    earth = mix(rgb(0.085, 0.055, 0.033), rgb(0.24, 0.165, 0.10), np.clip(0.5 + 0.6 * fine, 0, 1))
    moss = mix(
        rgb(0.035, 0.055, 0.014),
        rgb(0.12, 0.15, 0.035),
        np.clip(0.45 + 0.7 * fbm(place, 305, 4, 0.65, 0.8), 0, 1),
    )
    color = mix(
        moss, earth, np.clip(trodden + 0.5 * smoothstep(0.1, 0.5, fbm(place, 306, 3, scale=1.4)), 0, 1)
    )
    return meshes.sheet(flat(x, level(x, z) + 0.012 * fine, z)).painted(
        (color * (1 + 0.2 * fine)[..., None]).reshape(-1, 3)
    )


def trunk(seed: int, x: float, z: float, radius: float, fine: bool) -> Mesh:
    """A stem with roots, furrowed bark, and moss on its weather side."""
    rng = np.random.default_rng([32, seed])
    rows, sides = (460, 150) if fine else (150, 40)
    y = np.concatenate([np.linspace(-0.4, 5.5, rows), np.linspace(5.6, 17, rows // 4)])
    angle = np.linspace(0, 2 * np.pi, sides, endpoint=False)
    lean, bend = rng.normal(0, 0.018, 2), rng.normal(0, 0.10, 2)
    flare = 1 + np.exp(-np.clip(y, 0, None) / 0.28)[:, None] * (
        0.65 + 0.45 * np.cos(angle * int(rng.integers(4, 7)) + rng.uniform(0, 6))
    )
    r = radius * (1 - 0.035 * np.clip(y, 0, None))[:, None] * flare * (1 + 0.05 * np.cos(2 * angle + seed))
    cx, cz = lean[0] * y + bend[0] * np.sin(y / 2.6), lean[1] * y + bend[1] * np.sin(y / 3.1 + 1)
    unit = flat(
        np.cos(angle)[None] * radius,
        np.broadcast_to(y[:, None] * 0.16, r.shape),
        np.sin(angle)[None] * radius,
    ) + np.float32(3 * seed)
    furrow = ridged(unit, 311, 4, 0.55, 0.11)
    r = r + radius**0.5 * (0.055 * (0.6 - furrow) + 0.01 * fbm(unit, 312, 3, 0.7, 0.05))
    points = flat(
        cx[:, None] + r * np.cos(angle), np.broadcast_to(y[:, None], r.shape), cz[:, None] + r * np.sin(angle)
    )
    bark = mix(rgb(0.20, 0.155, 0.115), rgb(0.050, 0.036, 0.026), smoothstep(0.45, 0.85, furrow))
    bark = bark * (1 + 0.3 * fbm(unit, 313, 4, 0.6, 0.5))[..., None]
    green = smoothstep(
        -0.1,
        0.5,
        fbm(points + np.float32(seed), 314, 4, 0.6, 0.7)
        + 0.35 * np.cos(angle - 2.6)
        - 0.28 * np.clip(y, 0, 9)[:, None]
        + 0.1,
    )
    bark = mix(bark, rgb(0.075, 0.105, 0.022), 0.85 * green)
    tree = meshes.mesh(points.reshape(-1, 3), meshes.grid_faces(*r.shape, around=True)).painted(
        bark.reshape(-1, 3)
    )
    return tree.moved((x, float(level(np.array(x), np.array(z))), z))


def stand() -> list[tuple[float, float, float]]:
    """x, z and radius of each tree: a few chosen, the rest by chance, off the path and apart."""
    rng = np.random.default_rng(33)
    trees = [
        (-2.3, 2.2, 0.30),
        (2.75, 0.6, 0.24),
        (-1.75, -3.4, 0.19),
        (1.9, -5.2, 0.26),
        (-4.0, -1.0, 0.22),
        (4.6, -2.6, 0.3),
    ]
    for _ in range(4000):
        x, z = rng.uniform(-34, 34), rng.uniform(-62, 0)
        if (
            abs(x) < 0.62 * (CAMERA.eye[2] - z) + 3
            and abs(x - path_x(np.array(z))) > 1.5
            and all(np.hypot(x - a, z - b) > 1.9 for a, b, _ in trees)
        ):
            trees.append((x, z, float(rng.uniform(0.09, 0.27))))
        if len(trees) > 130:
            break
    return trees


def crowns(trees: list[tuple[float, float, float]]) -> Mesh:
    """Twigs of leaves overhead, with gaps for the sun, and low branches at the edges of the view."""
    rng, made = np.random.default_rng(34), []
    for x, z, radius in trees:
        near = CAMERA.eye[2] - z < 22
        for _ in range(int(5 + 26 * radius)):
            center = rgb(x, 0, z) + rng.normal(0, (2.0, 0.1, 2.0)) + (0, rng.uniform(5.0, 14.0), 0)
            spread = rng.uniform(0.6, 1.5)
            made.append(
                plants.bush(
                    rng,
                    center.astype(np.float32),
                    rgb(spread, 0.35 * spread, spread),
                    230 if near else 90,
                    0.16 if near else 0.26,
                    rgb(0.06, 0.13, 0.015),
                    rgb(0.22, 0.34, 0.05),
                )
            )
    for _ in range(70):
        z = rng.uniform(-16, 2.5)
        x = (1 if rng.uniform() < 0.5 else -1) * rng.uniform(0.20, 0.62) * (CAMERA.eye[2] - z)
        center = rgb(x, rng.uniform(2.4, 5.5), z)
        made.append(
            plants.bush(
                rng, center, rgb(0.8, 0.28, 0.8), 150, 0.10, rgb(0.07, 0.15, 0.015), rgb(0.26, 0.38, 0.06)
            )
        )
    for _ in range(150):
        z = -rng.uniform(26, 60)
        center = rgb(rng.uniform(-40, 40), rng.uniform(0.5, 4.5), z)
        made.append(
            plants.bush(
                rng, center, rgb(2.4, 1.6, 1.6), 260, 0.30, rgb(0.04, 0.09, 0.012), rgb(0.16, 0.24, 0.04)
            )
        )
    return meshes.joined(made)


def fern(rng: np.random.Generator, leaflets: int) -> Mesh:
    """Fronds that arch out of one root; each leaflet is a folded blade."""
    made = []
    for number in range(int(rng.integers(7, 11))):
        s = np.linspace(0.12, 1, leaflets)
        heading, reach, rise = (
            number * 0.72 + rng.normal(0, 0.2),
            rng.uniform(0.5, 0.8),
            rng.uniform(0.35, 0.62),
        )
        out, up = reach * s, rise * np.sin(2.3 * s) ** 1.0 * 1.05 - 0.12 * s**3
        spine = flat(out * np.cos(heading), up, out * np.sin(heading))
        ahead = np.gradient(spine, axis=0)
        ahead /= np.linalg.norm(ahead, axis=1, keepdims=True)
        across = np.cross(ahead, (0, 1, 0))
        across /= np.linalg.norm(across, axis=1, keepdims=True)
        length = 0.20 * np.sin(np.pi * np.clip(s * 0.92 + 0.08, 0, 1)) ** 0.8
        wide = 0.55 * (s[1] - s[0]) * reach
        for side in (-1, 1):
            tip = (
                spine
                + side * across * length[:, None]
                + ahead * 0.35 * length[:, None]
                - flat(0 * s, 0.25 * length, 0 * s)
            )
            middle = (spine + tip) / 2 + flat(0 * s, 0.02 + 0 * s, 0 * s)
            blade = np.stack([spine, middle + ahead * wide, tip, middle - ahead * wide], 1)
            faces = np.array([[0, 1, 2], [0, 2, 3]])[None] + 4 * np.arange(leaflets)[:, None, None]
            made.append(meshes.mesh(blade.reshape(-1, 3), faces))
    whole = meshes.joined(made)
    tone = float(rng.uniform(0, 1))
    shade = np.clip(0.35 + 0.9 * whole.vertices[:, 1], 0.3, 1.0)[:, None]
    return whole.painted((rgb(0.07, 0.15, 0.02) * (1 - tone) + rgb(0.17, 0.25, 0.04) * tone) * shade)


def undergrowth(trees: list[tuple[float, float, float]]) -> Mesh:
    """Ferns beside the path, grass and low leaves, and litter upon it."""
    rng, made = np.random.default_rng(35), []
    for _ in range(430):
        distance = 3.0 + 32 * rng.uniform() ** 1.5
        z = CAMERA.eye[2] - distance
        x = rng.uniform(-0.62, 0.62) * distance
        if abs(x - path_x(np.array(z))) < 0.95:
            continue
        place = (x, float(level(np.array(x), np.array(z))) - 0.03, z)
        made.append(fern(rng, 26 if distance < 12 else 12).scaled(float(rng.uniform(0.7, 1.35))).moved(place))
    count = 42000
    distance = 1.8 + 26 * rng.uniform(size=count) ** 1.7
    z = CAMERA.eye[2] - distance
    x = rng.uniform(-0.7, 0.7, count) * (distance + 1)
    on_path = np.abs(x - path_x(z)) < 0.85
    y = level(x, z) + np.where(on_path, 0.015, rng.uniform(0.0, 0.22, count))
    low = flat(x, y, z)
    size = (0.055 * rng.uniform(0.6, 1.5, count)).astype(np.float32)
    made.append(
        plants.leaves(
            rng, low[~on_path], size[~on_path] * 1.5, rgb(0.035, 0.075, 0.012), rgb(0.14, 0.22, 0.035)
        )
    )
    made.append(
        plants.leaves(
            rng, low[on_path], size[on_path], rgb(0.10, 0.05, 0.02), rgb(0.34, 0.20, 0.07), flatness=0.85
        )
    )
    return meshes.joined(made)


def shoot(size: tuple[int, int], samples: int) -> Shot:
    """The path into the wood, with the sun's light in its mist."""
    trees = stand()
    stems = [trunk(number, x, z, r, CAMERA.eye[2] - z < 13) for number, (x, z, r) in enumerate(trees)]
    parts: Scene = {
        "sky": SKY.emitter(),
        "floor": shape(floor(), matte()),
        "stems": shape(meshes.joined(stems), matte()),
        "crowns": shape(crowns(trees), leafy(0.9), smooth=False),
        "green": shape(undergrowth(trees), leafy(0.7), smooth=False),
    }
    scene = mi.load_dict({"type": "scene", **parts})
    shot = expose(scene, CAMERA, size, samples, depth=7)
    lit = sunlit_part(
        scene,
        CAMERA,
        size,
        SUN,
        45.0,
        40,
        shot.depth,
        lambda p: np.exp(-np.clip(p[:, 1], 0, None) / 7.0).astype(np.float32),
        5,
    )
    return replace(shot, shafts=lit)


def develop(shot: Shot) -> film.Pixels:
    """The picture of it."""
    light = film.denoised(shot)
    light = film.hazed(light, shot.depth, rgb(0.40, 0.44, 0.38), 0.006)
    shafts = film.softened(shot.shafts, 1.2)
    return film.developed(
        light + shafts[..., None] * rgb(1.25, 1.05, 0.68),
        1.6,
        [11, 7],
        bloom=0.10,
        warmth=rgb(1.03, 1.0, 0.90),
    )
