"""The clip: a boat sails across the harbour before a camera that moves aside; then a cyclist crosses the street."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import cv2
import mitsuba as mi
import numpy as np

from . import figures, film, harbour, meshes, street
from .meshes import Mesh
from .noise import Array, rgb
from .solids import capsule, ellipsoid, joint
from .studio import Camera, Scene, Shot, Sky, expose, glossy, shape

SIZE = (480, 270)
CUT, FRAMES = 40, 72
Frame = tuple[Camera, dict[str, Mesh]]


def _refresh(scene: Any, name: str, body: Mesh) -> None:
    """Put a moved mesh in its earlier place, without building the scene again."""
    params = mi.traverse(scene)
    params[f"{name}.vertex_positions"] = body.vertices.ravel()
    params[f"{name}.vertex_normals"] = body.normals().ravel()
    params.update()


def _frames(
    parts: Scene,
    moving: dict[str, Scene],
    at: Callable[[int], Frame],
    numbers: range,
    samples: int,
    depth: int,
) -> Iterator[Shot]:
    """Each frame of one shot, the same noise in all of them."""
    scene = None
    for number in numbers:
        camera, bodies = at(number)
        if scene is None:
            made = {name: shape(body, moving[name]) for name, body in bodies.items()}
            scene = mi.load_dict({"type": "scene", **parts, **made})
        else:
            for name, body in bodies.items():
                _refresh(scene, name, body)
        yield expose(scene, camera, SIZE, samples, depth=depth, passes=3, guides=3)


def harbour_frames(samples: int, numbers: Sequence[int]) -> Iterator[Shot]:
    """The first shot."""
    boat = meshes.joined(harbour.sail_boat(11, True)).turned(0, 5).turned(1, -6)

    def at(number: int) -> Frame:
        t = number / (CUT - 1)
        eye = (-3.4 + 1.9 * t, 2.7, 20.5 - 0.5 * t)
        camera = Camera(eye, (eye[0] + 2.2, 3.3, -30.0), fov=40)
        sea = harbour.water((-2.4, 2.6, 20.8), 0.04, np.radians(25), (440, 420), number / 24)
        heave = 0.05 * np.sin(number / 7)
        return camera, {"water": sea, "sloop": boat.moved((-8.2 + 6.4 * t, 0.04 + heave, 4.5 - 0.5 * t))}

    return _frames(harbour.shore(), {"water": harbour.WATER, "sloop": glossy(0.2)}, at, numbers, samples, 3)


def cyclist() -> Mesh:
    """Someone who coasts on a bicycle, along z."""

    def body(p: Array) -> Array:
        d = joint(
            capsule(p, (0, 0.98, -0.27), (0, 1.42, -0.06), 0.13, 0.14),
            capsule(p, (-0.15, 1.45, -0.04), (0.15, 1.45, -0.04), 0.07, 0.07),
            0.10,
        )
        for side, low in ((-1, 0.10), (1, 0.36)):
            knee, foot = (
                (side * 0.10, low + 0.50, 0.16 + 0.15 * (low > 0.2)),
                (side * 0.11, low, -0.06 + 0.14 * (low > 0.2)),
            )
            d = joint(d, capsule(p, (side * 0.09, 0.98, -0.24), knee, 0.10, 0.07), 0.05)
            d = joint(d, capsule(p, knee, foot, 0.065, 0.045), 0.02)
            d = joint(d, capsule(p, foot, (foot[0], foot[1] - 0.02, foot[2] + 0.18), 0.045, 0.04), 0.02)
            elbow = (side * 0.27, 1.18, 0.10)
            d = joint(d, capsule(p, (side * 0.19, 1.43, -0.04), elbow, 0.06, 0.05), 0.03)
            d = joint(d, capsule(p, elbow, (side * 0.27, 1.08, 0.20), 0.05, 0.04), 0.02)
        d = joint(d, capsule(p, (0, 1.46, -0.03), (0, 1.60, 0.02), 0.055, 0.05), 0.03)
        return joint(d, ellipsoid(p, (0, 1.70, 0.04), (0.085, 0.12, 0.105)), 0.02)

    rider = meshes.solid(body, (-0.5, 0.0, -0.6), (0.5, 1.9, 0.6), 0.02)
    y, z = rider.vertices[:, 1], rider.vertices[:, 2]
    color = np.where((y < 1.02)[:, None], rgb(0.05, 0.06, 0.10), rgb(0.50, 0.36, 0.10))
    color = np.where(((y > 1.50) | ((z > 0.14) & (y > 1.0)))[:, None], rgb(0.42, 0.25, 0.18), color)
    color = np.where(((y > 1.62) & (z < 0.06 + (y - 1.72)))[:, None], rgb(0.05, 0.03, 0.02), color)
    return meshes.joined([rider.painted(color), figures.bicycle(rgb(0.30, 0.04, 0.03))])


def street_frames(samples: int, numbers: Sequence[int]) -> Iterator[Shot]:
    """The second shot."""
    things, bulbs = street.furniture()
    sky = Sky(
        street.SUN, rgb(0.10, 0.22, 0.52), rgb(0.50, 0.62, 0.78), rgb(5.2, 4.7, 3.9), cover=0.32, seed=9
    )
    parts: Scene = {"sky": sky.emitter(), "ground": shape(street.ground(street.DAY), glossy(0.25))}
    parts |= street.materials(street.houses(0.0), [*things, *street.people(False), *bulbs], 0.25)
    rider = cyclist().turned(2, 3).turned(1, 78)

    def at(number: int) -> Frame:
        t = number / (FRAMES - CUT - 1)
        eye = (-1.5 + 0.9 * t, 1.66, 7.4 - 1.3 * t)
        return Camera(eye, (0.15, 2.2, -12.0), fov=56), {
            "rider": rider.moved((-3.6 + 6.3 * t, 0.03, 2.3 - 1.35 * t))
        }

    return _frames(parts, {"rider": glossy(0.2)}, at, numbers, samples, 4)


def harbour_developed(shot: Shot, number: int) -> film.Pixels:
    air = film.hazed(film.denoised(shot, 1.3, levels=3), shot.depth, harbour.AIR, 0.0021)
    return film.developed(air, 1.6, [12, number], grain=0.0, warmth=rgb(1.05, 1.0, 0.92))


def street_developed(shot: Shot, number: int) -> film.Pixels:
    air = film.hazed(film.denoised(shot, 1.3, levels=3), shot.depth, street.AIR, 0.0022)
    return film.developed(air, 1.9, [13, number], grain=0.0, warmth=rgb(1.04, 1.0, 0.94))


def keys(count: int) -> list[int]:
    """The frames of a shot that are rendered: every second one and the last."""
    return [*range(0, count - 1, 2), count - 1]


def _between(before: film.Pixels, after: film.Pixels) -> film.Pixels:
    """The frame halfway, each neighbour moved along the motion that is seen between them."""
    finder = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    grey = [cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in (before, after)]
    x, y = np.meshgrid(
        np.arange(before.shape[1], dtype=np.float32), np.arange(before.shape[0], dtype=np.float32)
    )
    halves = []
    for (frame, own), other in zip(zip((before, after), grey, strict=True), grey[::-1], strict=True):
        flow = 0.5 * finder.calc(other, own, None)
        halves.append(
            cv2.remap(
                frame, x + flow[..., 0], y + flow[..., 1], cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
            )
        )
    return cv2.addWeighted(halves[0], 0.5, halves[1], 0.5, 0)


def filled(numbers: Sequence[int], pictures: Iterable[film.Pixels]) -> Iterator[film.Pixels]:
    """All frames from those with these numbers."""
    last: tuple[int, film.Pixels] | None = None
    for number, picture in zip(numbers, pictures, strict=True):
        if last is not None and number - last[0] == 2:
            yield _between(last[1], picture)
        yield picture
        last = (number, picture)


def frames(samples: int) -> Iterator[film.Pixels]:
    """All frames, developed."""
    first, second = keys(CUT), keys(FRAMES - CUT)
    yield from filled(
        first,
        (harbour_developed(shot, n) for n, shot in zip(first, harbour_frames(samples, first), strict=True)),
    )
    yield from filled(
        second,
        (street_developed(shot, n) for n, shot in zip(second, street_frames(samples, second), strict=True)),
    )
