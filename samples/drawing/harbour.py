"""A small harbour late in the afternoon. One unit is 1 m; the quay with its houses lies across the water, toward -z."""

from __future__ import annotations

from collections.abc import Sequence

import mitsuba as mi
import numpy as np

from . import buildings, film, meshes
from .buildings import Built, Style
from .meshes import Mesh
from .noise import Array, fbm, flat, mix, rgb, smoothstep
from .studio import Camera, Scene, Shot, Sky, expose, glossy, matte, shape

CAMERA = Camera((-2.0, 3.4, 21.0), (1.0, 3.1, -30.0), fov=43)
SKY = Sky(
    (-0.72, 0.42, 0.30), rgb(0.10, 0.20, 0.46), rgb(0.62, 0.62, 0.66), rgb(5.6, 4.2, 2.7), cover=0.36, seed=5
)
QUAY = -34.0
AIR = rgb(0.64, 0.62, 0.60)


def waves(x: Array, z: Array, seconds: float, seed: int = 7, calm: float = 1.0) -> Array:
    """The height of the water: many small trains of waves, most of them down the wind."""
    rng = np.random.default_rng([51, seed])
    height = np.zeros_like(x)
    gusts = 0.55 + 0.6 * smoothstep(-0.5, 0.6, fbm(flat(x * 0.6, z), seed, 3, scale=9.0))
    for _ in range(46):
        length = 0.22 * (4.2 / 0.22) ** rng.uniform() ** 1.3
        heading = rng.normal(0.5, 0.75)
        number = 2 * np.pi / length
        phase = (
            number * (x * np.cos(heading) + z * np.sin(heading))
            - np.sqrt(9.81 * number) * seconds
            + rng.uniform(0, 6.28)
        )
        crest = np.sin(phase)
        height += calm * 0.0052 * length**0.85 * (crest + 0.25 * np.cos(2 * phase))
    return height * gusts


def water(
    eye: Sequence[float], ahead: float, half_angle: float, size: tuple[int, int], seconds: float = 0.0
) -> Mesh:
    """The surface, as fine as the picture needs at each distance."""
    rows, columns = size
    drop = np.geomspace(0.055, 0.92, rows)[::-1]
    distance = eye[1] / drop
    t = np.linspace(-1.15, 1.15, columns)
    angle = ahead + np.arctan(t * np.tan(half_angle))
    x = eye[0] + distance[:, None] * np.sin(angle)
    z = eye[2] - distance[:, None] * np.cos(angle)
    fade = np.clip(1.25 - distance / 75, 0.25, 1)[:, None]
    return meshes.sheet(flat(x, waves(x, z, seconds) * fade, z), rgb(0.012, 0.030, 0.032))


def hull(length: float, beam: float, height: float, color: Array, band: Array, seed: int) -> list[Mesh]:
    """A wooden boat along x, its bow at +x, floating: sides, deck and rail."""
    s, t = np.meshgrid(np.linspace(0, 1, 120), np.linspace(-1, 1, 61))
    full = np.clip(1 - np.abs(2 * s - 0.9) ** 2.6, 0, 1) ** 0.6 * (1 - 0.15 * smoothstep(0.4, 0.0, s))
    full = np.where(s < 0.03, np.clip(full, 0.35, 1), full)
    sheer = 1 + 0.42 * smoothstep(0.45, 1.0, s) ** 1.4 + 0.12 * smoothstep(0.35, 0.0, s)
    u = np.abs(t)
    y = height * (sheer * u**1.5 * 1.25 - 0.45)
    x = length * (s - 0.5) + 0.10 * length * u * smoothstep(0.7, 1.0, s)
    z = np.sign(t) * beam / 2 * full * u**0.55
    place = flat(x, y, z)
    planks = smoothstep(0.06, 0.0, np.abs((u * 9) % 1 - 0.5) - 0.40)
    worn = fbm(place * rgb(1, 3, 1), seed, 5, 0.6, 0.7)
    paint = color * (0.88 + 0.16 * planks + 0.16 * worn)[..., None]
    paint = mix(paint, band, smoothstep(0.90, 0.91, u) * 1.0)
    paint = mix(paint, rgb(0.20, 0.045, 0.03), smoothstep(0.06, 0.03, y))
    paint = mix(paint, rgb(0.05, 0.06, 0.035), smoothstep(0.02, -0.02, y + 0.02 * worn))
    side = meshes.sheet(place).painted(paint.reshape(-1, 3))
    floor = meshes.sheet(
        flat(x[:, :] * 0.97, height * (sheer * 1.25 - 0.45) - 0.16 * height, t * beam / 2 * full * 0.97)
    ).painted(rgb(0.30, 0.20, 0.11) * 0.9)
    rails = [meshes.tube(place[row], 0.035, 8, band * 0.8) for row in (0, -1)]
    return [side, floor, *rails]


def fishing_boat(seed: int, color: Array, band: Array) -> list[Mesh]:
    """A decked boat with a wheelhouse, mast, rigging and gear."""
    parts = hull(7.6, 2.7, 0.95, color, band, seed)
    white, glass, wood = rgb(0.62, 0.60, 0.55), rgb(0.015, 0.018, 0.02), rgb(0.30, 0.18, 0.08)
    x0, x1, y0, y1 = -1.9, 0.1, 0.55, 2.25
    parts.append(meshes.box((x0, y0, -0.8), (x1, y1, 0.8), white))
    parts.append(meshes.box((x0 - 0.15, y1, -0.95), (x1 + 0.25, y1 + 0.09, 0.95), band * 0.9))
    for k in range(3):
        parts.append(
            meshes.box((x0 + 0.18 + 0.60 * k, 1.45, 0.78), (x0 + 0.62 + 0.60 * k, 1.98, 0.815), glass)
        )
        parts.append(
            meshes.box((x1 - 0.01, 1.45, -0.70 + 0.49 * k), (x1 + 0.02, 1.98, -0.28 + 0.49 * k), glass)
        )
    mast, boom = (0.7, 5.6), (-1.9, 3.1)
    parts.append(
        meshes.tube(
            np.array([[mast[0], 0.5, 0], [mast[0] - 0.1, mast[1], 0]], np.float32), [0.075, 0.045], 10, wood
        )
    )
    parts.append(
        meshes.tube(np.array([[mast[0], 1.7, 0], [boom[0], boom[1], 0.1]], np.float32), 0.045, 8, wood)
    )
    for end in ((3.7, 1.35, 0), (-3.5, 0.95, 0.5), (-3.5, 0.95, -0.5), (0.4, 0.85, 1.2), (0.4, 0.85, -1.2)):
        parts.append(
            meshes.tube(
                np.array([[mast[0] - 0.1, mast[1] - 0.1, 0], end], np.float32),
                0.011,
                5,
                rgb(0.06, 0.06, 0.06),
            )
        )
    roll = np.linspace(0, 1, 40)
    furled = flat(mast[0] - 0.2 - 2.3 * roll, 1.95 + 1.25 * roll + 0.05 * np.sin(9 * roll), 0.05 + 0 * roll)
    parts.append(meshes.tube(furled, 0.11 + 0.03 * np.sin(19 * roll), 12, rgb(0.36, 0.10, 0.05)))
    rng = np.random.default_rng([52, seed])
    for x in (2.2, 1.1, -0.5):
        parts.append(
            meshes.ball((x, 0.45, 1.30 - 0.12 * abs(x)), (0.15, 0.22, 0.13), rgb(0.55, 0.22, 0.05), 20)
        )
    parts += [
        meshes.box((x, 0.6, z), (x + 0.5, 0.9, z + 0.4), rng.uniform(0.1, 0.4, 3).astype(np.float32))
        for x, z in ((-2.9, -0.5), (-2.8, 0.2), (1.6, -0.3))
    ]
    return parts


def sail_boat(seed: int, sails: bool) -> list[Mesh]:
    """A sloop, with or without her sails up."""
    parts = hull(6.4, 2.0, 0.75, rgb(0.60, 0.60, 0.57), rgb(0.05, 0.10, 0.22), seed)
    parts.append(meshes.box((-0.9, 0.45, -0.55), (1.1, 0.95, 0.55), rgb(0.60, 0.58, 0.52)))
    top, spar = 8.2, rgb(0.48, 0.46, 0.42)
    parts.append(meshes.tube(np.array([[0.5, 0.4, 0], [0.4, top, 0]], np.float32), [0.06, 0.035], 10, spar))
    parts.append(meshes.tube(np.array([[0.5, 1.35, 0], [-2.6, 1.3, 0.0]], np.float32), 0.045, 8, spar))
    for end in ((3.5, 0.95, 0), (-3.1, 0.8, 0), (0.3, 0.7, 0.95), (0.3, 0.7, -0.95)):
        parts.append(
            meshes.tube(np.array([[0.4, top - 0.1, 0], end], np.float32), 0.010, 5, rgb(0.1, 0.1, 0.1))
        )
    if not sails:
        roll = np.linspace(0, 1, 30)
        parts.append(
            meshes.tube(
                flat(0.3 - 2.7 * roll, 1.52 + 0.03 * np.sin(14 * roll), 0 * roll),
                0.13 + 0.02 * np.sin(23 * roll),
                12,
                rgb(0.08, 0.13, 0.24),
            )
        )
        return parts
    u, v = np.meshgrid(np.linspace(0, 1, 60), np.linspace(0, 1, 90))
    canvas, belly = rgb(0.66, 0.62, 0.53), np.sin(np.pi * np.clip(u, 0, 1)) * np.sin(np.pi * v * 0.9 + 0.2)
    main = flat(0.42 - (2.9 * u) * (1 - v) ** 0.9, 1.45 + (top - 1.75) * v, 0.42 * belly)
    jib = flat(
        3.35 - 2.95 * v - (2.6 * u) * (1 - v) * 0.95, 1.0 + (top - 2.3) * v + 0.25 * u * (1 - v), 0.40 * belly
    )
    seam = 1 - 0.14 * smoothstep(0.03, 0.0, np.abs((v * 11) % 1 - 0.5))
    parts += [meshes.sheet(piece).painted((canvas * seam[..., None]).reshape(-1, 3)) for piece in (main, jib)]
    return parts


def rowing_boat(seed: int, color: Array) -> list[Mesh]:
    """Open, with thwarts and oars."""
    parts = hull(3.6, 1.35, 0.52, color, rgb(0.45, 0.40, 0.30), seed)
    parts += [
        meshes.box((x, 0.24, -0.55), (x + 0.22, 0.28, 0.55), rgb(0.36, 0.24, 0.12)) for x in (-1.0, 0.0, 0.8)
    ]
    parts += [
        meshes.tube(
            np.array([[-1.2, 0.38, s * 0.25], [1.3, 0.45, s * 0.35]], np.float32),
            0.025,
            8,
            rgb(0.40, 0.28, 0.14),
        )
        for s in (-1, 1)
    ]
    return parts


def quay() -> list[Mesh]:
    """The stone wall, weedy at the water, with ladders and bollards, and the paving above."""
    x, y = np.meshgrid(np.linspace(-60, 64, 2000), np.linspace(-0.5, 1.5, 60))
    row = np.floor(y / 0.42)
    along = x / 0.95 + 0.5 * (row % 2)
    seam = np.maximum(
        smoothstep(0.45, 0.5, np.abs(along % 1 - 0.5)), smoothstep(0.43, 0.5, np.abs((y / 0.42) % 1 - 0.5))
    )
    tone = fbm(flat(np.floor(along) * 3.1, row * 7.7), 61, 1)
    color = mix(
        rgb(0.20, 0.185, 0.16),
        rgb(0.36, 0.33, 0.28),
        np.clip(0.5 + 0.5 * tone + 0.4 * fbm(flat(x, y), 62, 5, 0.6, 0.6), 0, 1),
    )
    color = mix(
        color, rgb(0.035, 0.05, 0.02), smoothstep(0.75, 0.35, y + 0.15 * fbm(flat(x, y), 63, 4, scale=1.2))
    )
    wall = meshes.sheet(flat(x, y, QUAY + 0.04 * tone - 0.05 * seam)).painted(
        (color * (1 - 0.6 * seam)[..., None]).reshape(-1, 3)
    )
    top = meshes.box((-60, 1.2, QUAY - 12), (64, 1.5, QUAY - 0.02), rgb(0.34, 0.31, 0.27))
    parts = [wall, top, meshes.box((-60, 1.44, QUAY - 0.5), (64, 1.62, QUAY + 0.08), rgb(0.37, 0.35, 0.31))]
    for x0 in np.arange(-34, 40, 5.7):
        parts.append(
            meshes.revolved(
                [(0.16, 0), (0.12, 0.3), (0.2, 0.42), (0.14, 0.52), (0.0, 0.54)], 16, rgb(0.05, 0.05, 0.05)
            ).moved((x0, 1.6, QUAY - 0.25))
        )
        parts += [
            meshes.box((x0 + 2, y0, QUAY + 0.02), (x0 + 2.45, y0 + 0.05, QUAY + 0.12), rgb(0.12, 0.06, 0.03))
            for y0 in np.arange(0, 1.5, 0.28)
        ]
    return parts


def town() -> Built:
    """A row of houses on the quay, and some that look over it."""
    rng = np.random.default_rng([53, 2])
    tones = [
        rgb(0.56, 0.38, 0.18),
        rgb(0.52, 0.24, 0.16),
        rgb(0.52, 0.49, 0.40),
        rgb(0.58, 0.44, 0.28),
        rgb(0.30, 0.12, 0.075),
        rgb(0.48, 0.50, 0.46),
        rgb(0.55, 0.34, 0.25),
        rgb(0.36, 0.41, 0.45),
    ]
    shutters = [rgb(0.07, 0.15, 0.13), None, rgb(0.11, 0.17, 0.24), rgb(0.16, 0.06, 0.04)]
    names = {2: "TRATTORIA", 5: "AL PORTO", 8: "BAR MARINA"}
    awnings = {2: rgb(0.36, 0.05, 0.03), 5: rgb(0.05, 0.12, 0.26), 8: rgb(0.05, 0.16, 0.10)}
    built, x = Built(), -36.0
    for number in range(12):
        style = Style(
            float(rng.uniform(5.4, 7.4)), int(rng.integers(2, 5)), tones[number % 8], brick=number % 8 == 4, shutters=shutters[number % 4],
            shop=names.get(number, ""), awning=awnings.get(number), floor=float(rng.uniform(2.9, 3.2)),
        )  # fmt: skip
        built.add(
            buildings.house(style, 60 + number).placed(0, (x, 1.5, QUAY - 5.5 - float(rng.uniform(0, 0.5))))
        )
        x += style.width
    return built


def hills() -> Mesh:
    """Wooded slopes behind the town."""
    x, z = np.meshgrid(np.linspace(-190, 190, 700), -np.linspace(70, 330, 260))
    place = flat(x, z)
    rise = smoothstep(-70, -260, z) * (26 + 17 * fbm(place, 64, 4, scale=95.0) + 10 * np.sin(x / 70 + 1))
    trees = 2.2 * fbm(place, 65, 4, 0.6, 7.0)
    tone = np.clip(0.5 + 0.6 * fbm(place, 66, 5, 0.65, 20.0), 0, 1)
    color = mix(rgb(0.035, 0.06, 0.022), rgb(0.15, 0.15, 0.06), tone)
    return meshes.sheet(flat(x, rise + trees * smoothstep(2, 8, rise) - 1, z)).painted(color.reshape(-1, 3))


def fleet() -> list[Mesh]:
    """The boats that lie still, each turned and heeled a little."""
    berths = [
        (fishing_boat(1, rgb(0.05, 0.17, 0.27), rgb(0.60, 0.58, 0.52)), 22, (3.4, 0.10, 1.0)),
        (fishing_boat(2, rgb(0.34, 0.06, 0.04), rgb(0.55, 0.50, 0.40)), 172, (-9.5, 0.05, -14.0)),
        (rowing_boat(3, rgb(0.52, 0.50, 0.44)), -28, (-5.2, 0.06, 6.2)),
        (sail_boat(4, False), 8, (11.0, 0.05, -16.0)),
        (sail_boat(5, False), 185, (-17.5, 0.05, -25.0)),
        (fishing_boat(6, rgb(0.06, 0.20, 0.12), rgb(0.58, 0.52, 0.36)), 5, (2.5, 0.05, -29.5)),
        (rowing_boat(7, rgb(0.08, 0.20, 0.30)), 60, (8.2, 0.05, -8.0)),
        (sail_boat(8, False), 176, (17.5, 0.05, -28.5)),
        (rowing_boat(9, rgb(0.45, 0.12, 0.05)), 12, (-5.0, 0.05, -31.5)),
    ]
    return [part.turned(0, 1.5).turned(1, turn).moved(place) for boat, turn, place in berths for part in boat]


def shore() -> Scene:
    """All but the water and what moves on it."""
    built = town()
    return {
        "sky": SKY.emitter(),
        "walls": shape(meshes.joined(built.walls), matte(), smooth=False),
        "trim": shape(meshes.joined(built.trim), matte(), smooth=False),
        "panes": shape(meshes.joined(built.panes), glossy(0.004), smooth=False),
        "quay": shape(meshes.joined(quay()), matte(), smooth=False),
        "hills": shape(hills(), matte()),
        "fleet": shape(meshes.joined(fleet()), glossy(0.14)),
    }


WATER = glossy(0.003, 1.333)


def shoot(size: tuple[int, int], samples: int) -> Shot:
    """The harbour from a pier."""
    parts = shore()
    parts["water"] = shape(water(CAMERA.eye, 0.06, np.radians(24), (1100, 900)), WATER)
    return expose(mi.load_dict({"type": "scene", **parts}), CAMERA, size, samples, depth=6)


def develop(shot: Shot) -> film.Pixels:
    """The picture of it."""
    air = film.hazed(film.denoised(shot), shot.depth, AIR, 0.0021)
    return film.developed(air, 1.6, [11, 5], warmth=rgb(1.05, 1.0, 0.92))
