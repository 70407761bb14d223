"""An old street in the sun, and the same street on a wet night. One unit is 1 m; the street leads along -z."""

from __future__ import annotations

import mitsuba as mi
import numpy as np

from . import buildings, figures, film, meshes
from .buildings import Built, Style
from .meshes import Mesh
from .noise import Array, fbm, flat, mix, rgb, smoothstep
from .studio import Camera, Scene, Shot, Sky, expose, glossy, matte, shape

DAY = Camera((-1.3, 1.72, 7.5), (0.15, 2.55, -12.0), fov=58, aperture=0.012, focus=11)
NIGHT = Camera((1.1, 1.25, 5.5), (-0.35, 2.15, -12.0), fov=56, aperture=0.012, focus=10)
AIR = rgb(0.62, 0.66, 0.70)
SUN = (0.42, 0.74, -0.52)
HALF_ROAD, HALF_STREET, KERB = 2.7, 4.6, 0.13


def _stones(x: Array, z: Array, long: float, wide: float, seed: int) -> tuple[Array, Array]:
    """The height in [0, 1] of stones laid in rows, and a number in [-1, 1] for each."""
    row = np.floor(z / wide)
    shift = fbm(flat(row * 7.7, 0 * row), seed, 1) + 0.5 * (row % 2)
    along = x / long + shift
    stone = np.floor(along)
    wobble = 0.06 * fbm(flat(x, z), seed + 1, 2, scale=0.12)
    u, v = 2 * np.abs(along - stone - 0.5) + wobble, 2 * np.abs(z / wide - row - 0.5) + wobble
    dome = np.clip(1 - np.clip(u, 0, 1) ** 6, 0, 1) * np.clip(1 - np.clip(v, 0, 1) ** 5, 0, 1)
    return dome, fbm(flat(stone * 3.3 + 0.4, row * 5.1 + 0.2), seed + 2, 1)


def ground(camera: Camera) -> Mesh:
    """Cobbles between kerbs and slabs, finer near the camera."""
    near = camera.eye[2] - 1.2
    z = near - np.concatenate([np.linspace(0, 9, 850, endpoint=False), np.geomspace(9, 75, 420)])
    x = np.linspace(-HALF_STREET - 0.2, HALF_STREET + 0.2, 720)
    x, z = np.meshgrid(x, z)
    dome, number = _stones(x, z, 0.19, 0.125, 41)
    slab, slab_number = _stones(z, x, 0.9, 0.62, 47)
    place = flat(x, z)
    road = np.abs(x) < HALF_ROAD
    kerb = (np.abs(x) >= HALF_ROAD) & (np.abs(x) < HALF_ROAD + 0.16)
    camber = 0.07 * (1 - (x / HALF_ROAD) ** 2) + 0.025 * fbm(place, 43, 3, scale=1.8)
    height = np.where(
        road,
        camber - 0.07 + 0.030 * dome + 0.009 * number,
        KERB + 0.006 * np.minimum(slab * 3, 1) + 0.005 * slab_number,
    )
    dirt = fbm(place, 44, 5, 0.6, 1.4)
    fine = fbm(place, 46, 2, scale=0.03)
    cobble = mix(
        rgb(0.105, 0.10, 0.098), rgb(0.25, 0.225, 0.20), np.clip(0.5 + 0.5 * number + 0.2 * dirt, 0, 1)
    )
    cobble = mix(rgb(0.050, 0.043, 0.035), cobble, smoothstep(0.15, 0.6, dome))
    pave = mix(
        rgb(0.20, 0.19, 0.175), rgb(0.31, 0.295, 0.265), np.clip(0.5 + 0.5 * slab_number + 0.35 * dirt, 0, 1)
    )
    pave = mix(rgb(0.07, 0.065, 0.055), pave, smoothstep(0.0, 0.12, slab))
    color = np.where(road[..., None], cobble, np.where(kerb[..., None], rgb(0.30, 0.29, 0.27), pave))
    gutter = np.exp(-np.clip(HALF_ROAD - np.abs(x), 0, 9) / 0.2) * road
    color = color * (1 + 0.15 * fine + 0.12 * dirt - 0.5 * gutter)[..., None]
    return meshes.sheet(flat(x, height, z)).painted(np.clip(color, 0, 1).reshape(-1, 3))


def _styles() -> tuple[list[Style], list[Style], Style]:
    """The houses at the left, at the right, and across the end."""
    left = [
        Style(
            7.2,
            3,
            rgb(0.56, 0.40, 0.20),
            shutters=rgb(0.07, 0.15, 0.13),
            shop="BOULANGERIE",
            awning=rgb(0.38, 0.045, 0.03),
        ),
        Style(6.2, 4, rgb(0.26, 0.10, 0.065), brick=True),
        Style(
            7.6,
            3,
            rgb(0.50, 0.46, 0.38),
            shutters=rgb(0.11, 0.17, 0.24),
            shop="CAFE ROSA",
            awning=rgb(0.045, 0.16, 0.10),
        ),
        Style(6.0, 4, rgb(0.50, 0.27, 0.17)),
        Style(7.0, 3, rgb(0.55, 0.48, 0.30), shutters=rgb(0.16, 0.06, 0.04)),
        Style(8.0, 4, rgb(0.42, 0.41, 0.38)),
        Style(8.0, 3, rgb(0.52, 0.36, 0.22)),
    ]
    right = [
        Style(6.6, 3, rgb(0.47, 0.45, 0.40), shutters=rgb(0.10, 0.14, 0.10)),
        Style(7.0, 3, rgb(0.50, 0.31, 0.23), shop="LIBRI & ARTE", awning=rgb(0.05, 0.11, 0.25)),
        Style(6.4, 2, rgb(0.52, 0.47, 0.33), shutters=rgb(0.14, 0.07, 0.04)),
        Style(7.4, 3, rgb(0.24, 0.11, 0.075), brick=True, shop="FARMACIA"),
        Style(6.6, 3, rgb(0.46, 0.43, 0.36)),
        Style(8.0, 3, rgb(0.50, 0.36, 0.26)),
        Style(8.0, 4, rgb(0.40, 0.38, 0.34)),
    ]
    return left, right, Style(12.0, 4, rgb(0.52, 0.44, 0.30), shutters=rgb(0.12, 0.16, 0.15))


def houses(lit: float) -> Built:
    """Both sides and the end of the street."""
    left, right, end = _styles()
    built = Built()
    z = 6.2
    for number, style in enumerate(left):
        built.add(buildings.house(style, 1 + number, lit).placed(90, (-HALF_STREET, KERB, z)))
        z -= style.width
    z = 4.4
    for number, style in enumerate(right):
        built.add(buildings.house(style, 20 + number, lit).placed(-90, (HALF_STREET, KERB, z - style.width)))
        z -= style.width
    built.add(buildings.house(end, 40, lit).placed(0, (-6.0, 0.0, -46.0)))
    return built


def _hanging_sign() -> list[Mesh]:
    """A board on an iron arm, across the pavement."""
    board = buildings.lettering("OPTIK", 0.95, 0.5, rgb(0.05, 0.09, 0.16), rgb(0.65, 0.58, 0.40))
    behind = meshes.box((0, 0, -0.04), (0.95, 0.5, -0.005), rgb(0.05, 0.09, 0.16))
    arm = meshes.tube(
        np.array([[-0.1, 0.62, -0.02], [1.0, 0.62, -0.02]], np.float32), 0.02, 8, rgb(0.03, 0.03, 0.03)
    )
    return [part.moved((-HALF_STREET + 0.1, 3.9, -7.6)) for part in (board, behind, arm)]


def furniture() -> tuple[list[Mesh], list[Mesh]]:
    """Posts, pots, bicycles and signs, and the lamps' lights."""
    parts, bulbs = _hanging_sign(), []
    for x, z in ((3.15, -2.2), (-3.15, -9.5), (3.15, -17.0), (-3.15, -25.0)):
        post, bulb = figures.lamp_post()
        parts.append(post.moved((x, KERB, z)))
        bulbs.append(bulb.moved((x, KERB, z)))
    for number, (x, z) in enumerate(
        ((-4.2, 1.2), (-4.2, -0.4), (4.15, -1.2), (-4.15, -11.6), (4.2, -9.0), (-4.2, -14.5))
    ):
        parts.append(figures.pot_plant(number, 1.15).moved((x, KERB, z)))
    parts.append(figures.bicycle(rgb(0.05, 0.15, 0.14)).turned(2, 9).moved((4.25, KERB, -3.9)))
    parts.append(figures.bicycle(rgb(0.22, 0.03, 0.025)).turned(2, -9).turned(1, 6).moved((-4.2, KERB, -5.7)))
    return parts, bulbs


def people(umbrellas: bool) -> list[Mesh]:
    """Two who walk together, and some further on."""
    cast = [
        (
            figures.person(1, rgb(0.045, 0.06, 0.11), rgb(0.05, 0.05, 0.055), rgb(0.05, 0.03, 0.02), 0.26),
            186,
            (0.55, 0.0, -5.2),
        ),
        (
            figures.person(
                2, rgb(0.36, 0.07, 0.05), rgb(0.06, 0.05, 0.05), rgb(0.16, 0.09, 0.04), -0.24, skirt=True
            ),
            174,
            (1.15, 0.0, -5.4),
        ),
        (
            figures.person(3, rgb(0.25, 0.19, 0.11), rgb(0.05, 0.06, 0.09), rgb(0.04, 0.03, 0.02), 0.28),
            4,
            (-3.5, KERB, -13.0),
        ),
        (
            figures.person(4, rgb(0.09, 0.09, 0.09), rgb(0.10, 0.10, 0.12), rgb(0.06, 0.04, 0.03), 0.2),
            170,
            (3.6, KERB, -20.0),
        ),
    ]
    made = []
    for number, (body, turn, place) in enumerate(cast):
        if umbrellas and number != 1:
            body = meshes.joined(
                [
                    body,
                    figures.umbrella(
                        [rgb(0.03, 0.03, 0.035), rgb(0.25, 0.03, 0.03), rgb(0.03, 0.05, 0.09)][number % 3]
                    ),
                ]
            )
        made.append(body.turned(1, turn).moved(place))
    return made


def materials(built: Built, others: list[Mesh], gloss: float) -> Scene:
    """The houses and all that stands about, `gloss` the duller the drier."""
    return {
        "walls": shape(meshes.joined(built.walls), matte(), smooth=False),
        "trim": shape(meshes.joined(built.trim), glossy(0.25 if gloss > 0.1 else 0.12), smooth=False),
        "panes": shape(meshes.joined(built.panes), glossy(0.002), smooth=False),
        "things": shape(meshes.joined(others), glossy(0.2)),
    }


def shoot(size: tuple[int, int], samples: int) -> Shot:
    """The street about noon."""
    sky = Sky(SUN, rgb(0.10, 0.22, 0.52), rgb(0.50, 0.62, 0.78), rgb(5.2, 4.7, 3.9), cover=0.32, seed=9)
    things, bulbs = furniture()
    parts: Scene = {"sky": sky.emitter(), "ground": shape(ground(DAY), glossy(0.25))}
    parts |= materials(
        houses(0.0), [*things, *people(False), *(bulb.painted(rgb(0.5, 0.5, 0.48)) for bulb in bulbs)], 0.25
    )
    return expose(mi.load_dict({"type": "scene", **parts}), DAY, size, samples, depth=6)


def develop(shot: Shot) -> film.Pixels:
    """The picture of it."""
    air = film.hazed(film.denoised(shot), shot.depth, AIR, 0.0022)
    return film.developed(air, 1.9, [11, 3], warmth=rgb(1.04, 1.0, 0.94))


def puddles(camera: Camera) -> Mesh:
    """Where rain stands: a level film that the higher stones come out of."""
    x, z = np.meshgrid(
        np.linspace(-HALF_STREET, HALF_STREET, 260), camera.eye[2] - 1.0 - np.geomspace(0.2, 70, 420)
    )
    level = (
        -0.075
        + 0.085 * (1 - (x / HALF_ROAD) ** 2) * (np.abs(x) < HALF_ROAD)
        + 0.030 * fbm(flat(x, z), 53, 3, scale=1.6)
    )
    level = np.where(
        np.abs(x) > HALF_ROAD + 0.05, KERB - 0.010 + 0.022 * fbm(flat(x, z), 54, 3, scale=1.1), level
    )
    return meshes.sheet(flat(x, level, z), rgb(0.012, 0.012, 0.013))


GLOWS = [
    rgb(0.5, 0.27, 0.09),
    rgb(0.9, 0.52, 0.2),
    rgb(1.5, 0.9, 0.38),
    rgb(2.2, 1.4, 0.62),
    rgb(3.0, 2.0, 1.0),
    rgb(3.8, 2.7, 1.5),
]


def shoot_night(size: tuple[int, int], samples: int) -> Shot:
    """The street after rain, late in the dusk."""
    dusk = Sky(
        (0.2, 0.25, -1.0),
        rgb(0.011, 0.021, 0.055),
        rgb(0.045, 0.055, 0.095),
        rgb(0.0001, 0.0001, 0.0001),
        glow=0.2,
        cover=0.3,
        seed=14,
    )
    built, (things, bulbs) = houses(0.42), furniture()
    parts: Scene = {
        "sky": dusk.emitter(256),
        "ground": shape(ground(NIGHT), glossy(0.10)),
        "puddles": shape(puddles(NIGHT), glossy(0.004, 1.33)),
    }
    parts |= materials(built, [*things, *people(True)], 0.05)
    parts["lamps"] = shape(meshes.joined(bulbs), matte(), glow=rgb(125, 80, 36))
    for level, panes in built.lit.items():
        parts[f"lit{level}"] = shape(meshes.joined(panes), matte(), smooth=False, glow=GLOWS[level])
    return expose(mi.load_dict({"type": "scene", **parts}), NIGHT, size, samples, depth=6)


def develop_night(shot: Shot) -> film.Pixels:
    """The picture of it."""
    air = film.hazed(film.denoised(shot, 1.5), shot.depth, rgb(0.020, 0.020, 0.026), 0.010)
    return film.developed(air, 1.7, [11, 4], grain=0.026, bloom=0.16, vignette=0.35)
