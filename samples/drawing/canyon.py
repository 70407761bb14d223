"""A river in a canyon of banded rock, the sun low at the left. One unit is 1 m; the view is along -z."""

from __future__ import annotations

import mitsuba as mi
import numpy as np

from . import film, meshes, plants
from .meshes import Mesh
from .noise import Array, fbm, flat, mix, rgb, ridged, smoothstep
from .studio import Camera, Scene, Shot, Sky, expose, glossy, matte, shape

CAMERA = Camera((-30.0, 118.0, 330.0), (25.0, 96.0, -260.0), fov=50)
SKY = Sky(
    (-0.55, 0.40, 0.58), rgb(0.08, 0.19, 0.46), rgb(0.58, 0.62, 0.68), rgb(6.4, 4.5, 2.7), cover=0.26, seed=21
)
DEPTH = 300.0
_WALL = np.array([0, 0.10, 0.15, 0.30, 0.335, 0.50, 0.55, 0.72, 0.76, 1.0])
_RISE = np.array([0, 0.045, 0.19, 0.265, 0.47, 0.525, 0.74, 0.79, 0.97, 1.0])


def river_x(z: Array) -> Array:
    """Where the middle of the river lies."""
    return 75 * np.sin(z / 210 + 0.5) + 40 * np.sin(z / 97 + 1.3)


def height(x: Array, z: Array) -> Array:
    """The land: a meandering trench whose sides step up over hard and soft beds, cut by gullies."""
    place = flat(x, z)
    away = np.abs(x - river_x(z)) + 70 * fbm(place, 201, 4, scale=190.0) + 14 * fbm(place, 202, 4, 0.6, 42.0)
    gully = ridged(place, 203, 4, 0.5, 150.0) - 0.62
    wall = (
        (away - 46) / 330
        - 0.20 * np.clip(gully, 0, 1) * smoothstep(20, 120, away)
        + 0.03 * fbm(place, 204, 3, scale=60.0)
    )
    tilt = 0.02 * np.sin(x / 260) + 0.015 * fbm(place, 205, 2, scale=260.0)
    rise = np.interp(wall + tilt, _WALL, _RISE) - tilt * 0.6 * (wall > 0.05)
    ledges = np.interp((wall * 31) % 1, [0, 0.55, 0.75, 1], [0, 0.15, 0.95, 1]) - ((wall * 31) % 1)
    land = DEPTH * rise + 5.0 * ledges * (wall > 0.04) + 2.2 * fbm(place, 206, 5, 0.6, 16.0)
    bed = -3 + 10 * smoothstep(-0.16, 0.06, wall) + 1.0 * fbm(place, 207, 4, scale=22.0)
    return np.where(wall < 0.02, bed, land + 6)


def _rock(p: Array, steep: Array) -> Array:
    """Beds of their own colour, varnish that runs down the faces, rubble and scrub where it is level."""
    level = p[:, 1] + 5 * fbm(p, 211, 3, scale=120.0) + 1.2 * fbm(p, 212, 3, scale=14.0)
    zero = np.zeros_like(level)
    broad, thin = (
        fbm(flat(zero, zero, level), 213, 3, 0.6, 34.0),
        fbm(flat(zero, zero, level), 214, 3, 0.7, 5.0),
    )
    color = mix(rgb(0.34, 0.135, 0.07), rgb(0.50, 0.30, 0.175), np.clip(0.5 + 0.9 * broad, 0, 1))
    color = mix(color, rgb(0.58, 0.46, 0.33), smoothstep(0.25, 0.55, thin))
    color = mix(color, rgb(0.20, 0.07, 0.045), 0.8 * smoothstep(0.20, 0.6, -thin))
    varnish = smoothstep(0.05, 0.55, fbm(p * rgb(1, 0.07, 1), 215, 4, 0.6, 9.0)) * smoothstep(
        0.55, 0.8, steep
    )
    color = mix(color, rgb(0.11, 0.06, 0.045), 0.6 * varnish)
    rubble = mix(
        rgb(0.42, 0.26, 0.165), rgb(0.30, 0.185, 0.12), np.clip(0.5 + fbm(p, 216, 4, 0.7, 5.0), 0, 1)
    )
    color = mix(color, rubble, smoothstep(0.55, 0.30, steep))
    scrub = smoothstep(
        0.10, 0.40, fbm(p, 217, 4, 0.75, 11.0) + 0.25 * fbm(p, 218, 2, scale=60.0)
    ) * smoothstep(0.5, 0.3, steep)
    color = mix(color, rgb(0.10, 0.105, 0.05), 0.8 * scrub)
    bank = smoothstep(13, 5, p[:, 1]) * smoothstep(0.3, 0.15, steep)
    color = mix(
        color, mix(rgb(0.11, 0.14, 0.045), rgb(0.42, 0.35, 0.25), smoothstep(3.4, 1.6, p[:, 1])), 0.85 * bank
    )
    return color * (1 + 0.14 * fbm(p, 219, 3, 0.7, 3.0))[:, None]


def land() -> Mesh:
    """The rock, its faces broken by beds and cracks; finer near the camera."""
    z = CAMERA.eye[2] - 12 - np.geomspace(14, 2600, 1150) + 14
    half = np.linspace(-1, 1, 1150)
    spread = np.sign(half) * (0.65 * np.abs(half) + 0.35 * np.abs(half) ** 3)
    reach = np.clip(150 + 0.62 * (CAMERA.eye[2] - z), 150, 1500)
    x = CAMERA.eye[0] + spread[None] * reach[:, None]
    z = np.broadcast_to(z[:, None], x.shape)
    ground = meshes.sheet(flat(x, height(x, z), z)[::-1])
    ground = meshes.Mesh(ground.vertices, ground.faces, ground.colors)
    if ground.normals()[:, 1].mean() < 0:
        ground = meshes.Mesh(ground.vertices, ground.faces[:, ::-1], ground.colors)
    p, steep = ground.vertices, 1 - np.clip(ground.normals()[:, 1], 0, 1)
    zero = np.zeros(len(p), np.float32)
    beds = 2.6 * fbm(flat(zero, zero, p[:, 1] + 3 * fbm(p, 221, 2, scale=90.0)), 222, 4, 0.65, 9.0)
    cracks = -3.4 * ridged(p * rgb(1, 0.10, 1), 223, 3, 0.55, 15.0) ** 3
    lumps = 1.8 * fbm(p, 224, 4, 0.65, 11.0)
    part = smoothstep(0.12, 0.55, steep)
    broken = ground.inflated((beds + cracks + lumps) * part + 0.35 * fbm(p, 225, 3, 0.7, 3.0))
    return broken.painted(_rock(broken.vertices, steep))


def river() -> Mesh:
    """Smooth water with the ripples of its stream."""
    z = CAMERA.eye[2] - np.geomspace(120, 2600, 900)
    x = np.linspace(-130, 130, 260)
    x, z = np.meshgrid(x, z)
    x = x + river_x(z)
    ripple = 0.055 * fbm(flat(x, z * 0.5), 231, 4, 0.6, 5.0) + 0.10 * fbm(flat(x, z), 232, 2, scale=24.0)
    return meshes.sheet(flat(x, 1.6 + ripple, z), rgb(0.030, 0.055, 0.045))


def shrubs() -> Mesh:
    """Bushes and small trees by the river and on the nearer ledges."""
    rng = np.random.default_rng(24)
    x = rng.uniform(-230, 230, 9000)
    z = CAMERA.eye[2] - rng.uniform(60, 700, 9000)
    y, dx, dz = height(x, z), height(x + 2, z), height(x, z + 2)
    slope = np.hypot(dx - y, dz - y) / 2
    want = (slope < 0.5) & (y > 3.2) & (rng.uniform(size=9000) < np.where(y < 22, 0.9, 0.28))
    made = []
    for px, py, pz in list(zip(x[want], y[want], z[want], strict=True))[:900]:
        size = rng.uniform(0.8, 2.2) * (1.9 if py < 16 else 1.0)
        count = int(np.clip(26000 / (CAMERA.eye[2] - pz), 40, 260))
        made.append(
            plants.bush(
                rng,
                rgb(px, py + 0.5 * size, pz),
                rgb(size, 0.85 * size, size),
                count,
                0.42 * size,
                rgb(0.045, 0.06, 0.02),
                rgb(0.15, 0.16, 0.06),
            )
        )
    return meshes.joined(made)


def shoot(size: tuple[int, int], samples: int) -> Shot:
    """The canyon from a ledge."""
    parts: Scene = {
        "sky": SKY.emitter(),
        "land": shape(land(), matte()),
        "river": shape(river(), glossy(0.004, 1.333)),
        "shrubs": shape(shrubs(), matte(), smooth=False),
    }
    return expose(mi.load_dict({"type": "scene", **parts}), CAMERA, size, samples, depth=5)


def develop(shot: Shot) -> film.Pixels:
    """The picture of it."""
    air = film.hazed(film.denoised(shot), shot.depth, rgb(0.62, 0.60, 0.62), 0.00030)
    return film.developed(air, 1.6, [11, 6], warmth=rgb(1.04, 1.0, 0.93))
