"""A jug, a glass and fruit on a cloth, in the light of a window at the left. One unit is 10 cm."""

from __future__ import annotations

import mitsuba as mi
import numpy as np

from . import film, meshes
from .meshes import Mesh
from .noise import Array, fbm, flat, mix, rgb, ridged, smoothstep
from .studio import Camera, Scene, Shot, expose, glossy, matte, shape

CAMERA = Camera((0.9, 3.1, 8.6), (0.05, 1.12, 0.0), fov=36, aperture=0.10, focus=8.2)


def table(seed: int) -> Mesh:
    """Old boards, their grain along x."""
    x, z = np.meshgrid(np.linspace(-6, 6, 900), np.linspace(-3.2, 3.0, 460))
    board = np.floor(z / 1.05)
    place = flat(x * 0.16 + 7 * board, z + 3 * board)
    rings = fbm(place * rgb(1, 1, 1), seed, 5, scale=0.5)
    lines = np.sin(26 * (z + 0.5 * rings) + 5 * board) * 0.5 + fbm(
        place * rgb(1, 6, 1), seed + 1, 4, scale=0.25
    )
    gap = smoothstep(0.035, 0.0, np.abs(z / 1.05 - np.round(z / 1.05)))
    color = mix(
        rgb(0.20, 0.105, 0.05),
        rgb(0.40, 0.25, 0.13),
        np.clip(0.5 + 0.35 * lines + 0.25 * np.sin(board * 2.3), 0, 1),
    )
    color = (
        color * (1 - 0.85 * gap)[..., None] * (1 + 0.2 * fbm(flat(x, z), seed + 2, 3, scale=1.5))[..., None]
    )
    height = 0.008 * lines - 0.05 * gap
    top = meshes.sheet(flat(x, height - 0.02, z)[::-1]).painted(color[::-1].reshape(-1, 3))
    return meshes.joined([top, meshes.box((-6, -0.5, 2.85), (6, -0.06, 3.0), rgb(0.2, 0.11, 0.055))])


def wall(seed: int) -> Mesh:
    """Limewashed plaster."""
    x, y = np.meshgrid(np.linspace(-8, 8, 500), np.linspace(-2, 9, 340))
    place = flat(x, y)
    bump = 0.05 * fbm(place, seed, 6, 0.6, 1.4)
    blotch = fbm(place, seed + 3, 5, 0.6, 3.0)
    color = mix(rgb(0.30, 0.33, 0.31), rgb(0.47, 0.47, 0.41), np.clip(0.5 + 0.6 * blotch, 0, 1))
    return meshes.sheet(flat(x, y, -3.2 + bump)[::-1]).painted(color[::-1].reshape(-1, 3))


def cloth(seed: int) -> Mesh:
    """A linen cloth, rumpled, that hangs over the front edge."""
    u, v = np.meshgrid(np.linspace(-2.5, 2.3, 800), np.linspace(-1.5, 3.6, 700))
    turn = np.radians(-9)
    x, z = u * np.cos(turn) - v * np.sin(turn), u * np.sin(turn) + v * np.cos(turn)
    place = flat(x, z)
    warp = fbm(place, seed, 3, scale=1.8)[..., None] * rgb(0.5, 0.6, 0)
    creases = ridged(place * rgb(0.75, 1.1, 1) + warp, seed + 1, 3, 0.35, 1.5) ** 4
    calm = smoothstep(0.2, 1.5, np.hypot(x / 2.2, (z + 0.1) / 1.35))
    rumple = 0.05 + creases * (0.05 + 0.30 * calm) + 0.06 * (1 + fbm(place, seed + 2, 3, scale=0.8)) * calm
    over = np.clip(z - 2.96, 0, None)
    drop = np.clip(over - 0.12, 0, None)
    depth = (
        np.minimum(z, 3.03)
        + 0.05
        + 0.16 * np.sin(3.1 * x + 1.2 * fbm(place, seed + 4, 2, scale=1.2)) * smoothstep(0, 0.6, over)
    )
    y = np.where(over > 0, rumple * np.exp(-3 * over) - drop, rumple)
    weave = 0.5 + 0.25 * np.sin(u * 190) + 0.25 * np.sin(v * 190)
    stripe = smoothstep(0.05, 0.03, np.abs(np.abs(u + 0.1) - 1.95)) + smoothstep(
        0.02, 0.01, np.abs(np.abs(u + 0.1) - 1.82)
    )
    color = mix(rgb(0.74, 0.70, 0.62), rgb(0.17, 0.24, 0.42), 0.85 * np.clip(stripe, 0, 1))
    color = (
        color * (0.9 + 0.1 * weave)[..., None] * (1 + 0.05 * fbm(place, seed + 6, 4, scale=0.4))[..., None]
    )
    return meshes.sheet(flat(x, y, depth)[::-1]).painted(color[::-1].reshape(-1, 3))


def jug(seed: int) -> list[Mesh]:
    """Glazed stoneware, thrown and a little uneven; the glaze ends above the foot."""
    outside = [
        (0.0, 0.0),
        (0.62, 0.0),
        (0.68, 0.06),
        (0.92, 0.5),
        (1.02, 1.0),
        (0.9, 1.55),
        (0.55, 2.05),
        (0.46, 2.35),
        (0.52, 2.62),
        (0.6, 2.72),
    ]
    inside = [(0.55, 2.74), (0.46, 2.6), (0.4, 2.35), (0.5, 2.0), (0.8, 1.5), (0.5, 1.2), (0.0, 1.15)]
    profile = np.concatenate([meshes.smooth_profile(outside, 150), meshes.smooth_profile(inside, 60)])
    body = meshes.revolved(profile, 160)
    lip = np.clip(body.vertices[:, 1] - 2.2, 0, None) ** 2
    toward = np.exp(-((np.arctan2(body.vertices[:, 2], body.vertices[:, 0]) - 2.6) ** 2) / 0.12)
    body = body.bent(lambda p: p * (1 + flat(lip * toward, 0 * lip, lip * toward) * 1.6))
    body = body.inflated(
        0.006 * np.sin(body.vertices[:, 1] * 42) + 0.015 * fbm(body.vertices, seed, 3, scale=1.0)
    )
    t = np.linspace(0, 1, 60)
    path = flat(
        0.5 + 0.85 * np.sin(np.pi * t) ** 0.8 + 0.40 * t, 2.5 - 1.6 * t + 0.18 * np.sin(np.pi * t), 0 * t
    )
    handle = meshes.tube(path, 0.10 - 0.02 * np.sin(np.pi * t), 20).bent(lambda p: p * rgb(1, 1, 1.5))
    whole = meshes.joined([body, handle]).turned(1, -28)
    p = whole.vertices
    edge = p[:, 1] - 0.42 - 0.09 * fbm(p, seed + 1, 3, scale=0.5)
    speckle = smoothstep(0.52, 0.66, fbm(p, seed + 2, 2, scale=0.035))
    pooled = np.clip(0.5 + 0.55 * fbm(p * rgb(1, 0.35, 1), seed + 3, 4, scale=0.45), 0, 1)
    glaze = mix(rgb(0.045, 0.13, 0.17), rgb(0.13, 0.27, 0.29), pooled)
    glaze = mix(glaze, rgb(0.30, 0.20, 0.10), 0.75 * smoothstep(2.62, 2.72, p[:, 1]))
    glaze = mix(glaze, rgb(0.03, 0.03, 0.03), 0.55 * speckle)
    clay = mix(
        rgb(0.36, 0.22, 0.13), rgb(0.46, 0.30, 0.19), np.clip(0.5 + fbm(p, seed + 4, 4, scale=0.1), 0, 1)
    )
    return [whole.painted(mix(clay, glaze, smoothstep(-0.015, 0.015, edge))).moved((-0.95, 0.08, -0.55))]


def glass() -> tuple[Mesh, Mesh]:
    """A tumbler, and the water in it."""
    outer = [(0.0, 0.0), (0.36, 0.0), (0.40, 0.05), (0.43, 0.5), (0.47, 1.25)]
    inner = [(0.455, 1.27), (0.44, 1.25), (0.40, 0.5), (0.37, 0.18), (0.3, 0.14), (0.0, 0.13)]
    profile = np.concatenate([meshes.smooth_profile(outer, 60), meshes.smooth_profile(inner, 50)])
    water = [(0.0, 0.132), (0.29, 0.142), (0.362, 0.182), (0.392, 0.5), (0.4045, 0.72), (0.0, 0.715)]
    return (
        meshes.revolved(profile, 96).moved((1.62, 0.085, -0.55)),
        meshes.revolved(np.array(water), 96).moved((1.62, 0.085, -0.55)),
    )


def apple(seed: int, radius: float, blush: Array) -> Mesh:
    """A dimpled, streaked apple with its stalk, standing on the ground."""
    t = np.linspace(-np.pi / 2, np.pi / 2, 140)
    r = np.cos(t) ** 0.85 * (1 + 0.06 * np.sin(t))
    y = (
        0.93 * np.sin(t)
        - 0.30 * np.exp(-((r / 0.22) ** 2)) * (t > 0)
        + 0.14 * np.exp(-((r / 0.2) ** 2)) * (t < 0)
    )
    body = meshes.revolved(np.stack([r, y], 1), 140)
    p = body.vertices
    angle = np.arctan2(p[:, 2], p[:, 0])
    body = body.bent(
        lambda q: (
            q
            * (
                1
                + 0.035 * np.cos(5 * angle + seed) * (p[:, 1] < 0) * p[:, 1]
                + 0.06 * fbm(p, seed, 2, scale=1.3)
            )[:, None]
        )
    )
    streak = fbm(flat(np.cos(angle) * 5, np.sin(angle) * 5, p[:, 1] * 0.5), seed + 1, 4, 0.6, 0.6)
    patch = fbm(p, seed + 2, 3, scale=1.2)
    color = mix(rgb(0.55, 0.45, 0.09), blush, smoothstep(-0.45, 0.35, patch + 0.45 * streak + 0.25 * p[:, 1]))
    dots = smoothstep(0.55, 0.68, fbm(p, seed + 3, 1, scale=0.055))
    color = mix(color, rgb(0.62, 0.46, 0.22), 0.6 * dots)
    color = mix(
        color, rgb(0.28, 0.26, 0.06), smoothstep(0.28, 0.08, np.hypot(p[:, 0], p[:, 2])) * (p[:, 1] > 0)
    )
    s = np.linspace(0, 1, 16)
    stalk = meshes.tube(
        flat(0.13 * s**2, 0.58 + 0.5 * s, 0.03 * s), 0.028 + 0.02 * s**4, 10, rgb(0.13, 0.075, 0.035)
    )
    return meshes.joined([body.painted(color), stalk]).scaled(radius).moved((0, 0.9 * radius, 0))


def pear(seed: int, size: float) -> Mesh:
    """A russet pear, lying against what is beside it."""
    outline = [
        (0.0, -0.92),
        (0.12, -0.98),
        (0.62, -0.85),
        (0.92, -0.25),
        (0.82, 0.3),
        (0.48, 0.85),
        (0.36, 1.25),
        (0.24, 1.5),
        (0.08, 1.56),
        (0.0, 1.5),
    ]
    body = meshes.revolved(meshes.smooth_profile(outline, 140), 120)
    body = body.inflated(0.05 * fbm(body.vertices, seed, 3, scale=0.9))
    p = body.vertices
    color = mix(
        rgb(0.42, 0.40, 0.08),
        rgb(0.50, 0.27, 0.07),
        smoothstep(-0.4, 0.6, fbm(p, seed + 1, 3, scale=1.1) + 0.5 * p[:, 0]),
    )
    color = mix(color, rgb(0.24, 0.14, 0.06), 0.75 * smoothstep(0.3, 0.6, fbm(p, seed + 2, 2, scale=0.06)))
    color = mix(
        color, rgb(0.26, 0.15, 0.06), smoothstep(1.1, 1.55, p[:, 1] + 0.2 * fbm(p, seed + 3, 3, scale=0.3))
    )
    s = np.linspace(0, 1, 16)
    stalk = meshes.tube(
        flat(0.2 * s**2, 1.45 + 0.55 * s, 0 * s), 0.045 + 0.03 * s**5, 10, rgb(0.12, 0.07, 0.035)
    )
    return meshes.joined([body.painted(color), stalk]).scaled(size).moved((0, 0.96 * size, 0))


def orange(seed: int, radius: float) -> Mesh:
    """An orange, pitted all over, about the origin."""
    body = meshes.ball((0, 0, 0), 1.0, sides=360)
    p = body.vertices
    pits = fbm(p, seed, 2, 0.5, 0.055)
    body = body.bent(
        lambda q: q * (1 + 0.010 * pits + 0.02 * fbm(p, seed + 1, 2, scale=0.9))[:, None] * rgb(1, 0.95, 1)
    )
    color = mix(
        rgb(0.80, 0.27, 0.02),
        rgb(0.86, 0.37, 0.035),
        np.clip(0.5 + 0.6 * fbm(p, seed + 2, 3, scale=0.8) + 0.3 * pits, 0, 1),
    )
    color = mix(
        color, rgb(0.20, 0.21, 0.05), smoothstep(0.16, 0.09, np.hypot(p[:, 0], p[:, 2])) * (p[:, 1] > 0)
    )
    return body.painted(color).scaled(radius)


def grapes(seed: int) -> Mesh:
    """A bunch: berries pushed apart until they only touch, with a bloom on them."""
    rng = np.random.default_rng(seed)
    count = 46
    place = rng.uniform(-1, 1, (count, 3)) * (0.75, 0.2, 0.42) + (0, 0.3, 0)
    radius = rng.uniform(0.165, 0.20, count)
    for _ in range(160):
        gap = place[:, None] - place[None]
        distance = np.linalg.norm(gap, axis=-1) + np.eye(count) * 9
        overlap = np.clip(radius[:, None] + radius[None] - distance, 0, None)
        place = place + 0.35 * (gap / distance[..., None] * overlap[..., None]).sum(1)
        place = place * (0.992, 1, 0.992) - (0, 0.01, 0)
        place[:, 1] = np.maximum(place[:, 1], radius)
    berries = []
    for number in range(count):
        berry = meshes.ball((0, 0, 0), (1, 1.08, 1), sides=36)
        dull = np.clip(0.45 + 0.7 * fbm(berry.vertices + number, seed, 4, 0.6, 0.8), 0, 1)
        skin = rgb(0.085, 0.018, 0.045) * rng.uniform(0.7, 1.5) + rgb(0.05, 0.01, 0.0) * rng.uniform(0, 1)
        berry = berry.painted(mix(skin, rgb(0.17, 0.17, 0.26), 0.65 * dull))
        berries.append(berry.scaled(float(radius[number])).moved(place[number]))
    s = np.linspace(0, 1, 24)
    stem = meshes.tube(
        flat(-0.5 - 0.75 * s, 0.45 + 0.28 * s - 0.3 * s**3, 0.1 * s), 0.04, 8, rgb(0.22, 0.17, 0.06)
    )
    return meshes.joined([*berries, stem])


def window(strength: float) -> Scene:
    """Six panes of daylight at the left, and what the room gives back."""
    lights: Scene = {
        "room": {"type": "constant", "radiance": {"type": "rgb", "value": [0.045, 0.043, 0.042]}}
    }
    for row in range(3):
        for column in range(2):
            pane = mi.ScalarTransform4f().translate([-6.5, 2.0 + 1.55 * row, 0.4 + 1.75 * column])
            pane = pane.rotate([0, 1, 0], 90).scale([0.8, 0.72, 1])
            glow = {
                "type": "area",
                "radiance": {"type": "rgb", "value": [strength * c for c in (0.92, 0.98, 1.06)]},
            }
            lights[f"pane{row}{column}"] = {"type": "rectangle", "to_world": pane, "emitter": glow}
    return lights


def scene(seed: int = 3) -> Scene:
    """All but the orange that rolls through the clip."""
    tumbler, water = glass()
    fruit = [
        apple(11, 0.50, rgb(0.42, 0.025, 0.02)).turned(2, 14).moved((0.42, 0.06, -0.1)),
        apple(23, 0.47, rgb(0.36, 0.05, 0.02)).turned(0, 68).moved((-0.42, 0.36, 0.95)),
        pear(31, 0.52).turned(2, -10).moved((0.72, 0.06, -1.25)),
        pear(37, 0.48).turned(2, 97).turned(1, 24).moved((2.05, 0.46, 0.75)),
    ]
    return {
        **window(26.0),
        "table": shape(table(seed), glossy(0.28, 1.35)),
        "wall": shape(wall(seed + 1), matte()),
        "cloth": shape(cloth(seed + 2), matte()),
        "jug": shape(jug(seed + 3)[0], glossy(0.09)),
        "fruit": shape(meshes.joined(fruit), glossy(0.16, 1.4)),
        "grapes": shape(grapes(seed + 4).turned(1, 18).moved((0.85, 0.1, 1.15)), glossy(0.22, 1.4)),
        "glass": shape(tumbler, {"type": "dielectric", "int_ior": 1.5, "ext_ior": 1.0}),
        "water": shape(water, {"type": "dielectric", "int_ior": 1.33, "ext_ior": 1.0}),
    }


def shoot(size: tuple[int, int], samples: int) -> Shot:
    """The still life with its orange."""
    parts = scene()
    parts["orange"] = shape(orange(41, 0.46).turned(2, 40).moved((-1.75, 0.53, 0.55)), glossy(0.3, 1.4))
    return expose(mi.load_dict({"type": "scene", **parts}), CAMERA, size, samples, depth=10)


def develop(shot: Shot) -> film.Pixels:
    """The picture of it."""
    return film.developed(film.denoised(shot), 2.0, [11, 1], warmth=rgb(1.06, 1.0, 0.90))
