"""A marble bust of a young woman by a window. The head is about two and a half units high."""

from __future__ import annotations

import mitsuba as mi
import numpy as np

from . import film, meshes
from .meshes import Mesh
from .noise import Array, fbm, flat, mix, rgb, ridged, smoothstep
from .solids import capsule, carved, ellipsoid, joint
from .studio import Camera, Scene, Shot, expose, glossy, matte, shape

CAMERA = Camera((0.0, 0.05, 12.2), (0.0, -0.42, 0.0), fov=16.2, aperture=0.16, focus=11.35)
STEP = 0.014


def _v(*values: float) -> Array:
    return np.array(values, np.float32)


def _mirrored(p: Array) -> Array:
    """Both halves of the face as its left one."""
    q = p.copy()
    q[..., 0] = np.abs(q[..., 0])
    return q


def skull(p: Array, q: Array) -> Array:
    """Cranium, cheekbones, jaw and chin."""
    d = ellipsoid(p, (0, 0.40, -0.14), (0.80, 0.84, 0.97))
    d = joint(d, ellipsoid(p, (0, -0.20, 0.16), (0.66, 0.80, 0.66)), 0.22)
    d = joint(d, capsule(q, (0.50, -0.52, 0.02), (0.12, -0.96, 0.50), 0.16, 0.19), 0.24)
    d = joint(d, ellipsoid(p, (0, -0.99, 0.60), (0.19, 0.155, 0.16)), 0.20)
    d = joint(d, ellipsoid(q, (0.43, -0.20, 0.51), (0.22, 0.17, 0.18)), 0.24)
    return joint(d, ellipsoid(q, (0.36, -0.46, 0.54), (0.20, 0.24, 0.17)), 0.20)


def nose(p: Array, q: Array, d: Array) -> Array:
    """Bridge, tip, wings and nostrils."""
    d = joint(d, capsule(p, (0, 0.16, 0.765), (0, -0.36, 0.985), 0.070, 0.082), 0.12)
    d = joint(d, ellipsoid(p, (0, -0.39, 0.99), (0.105, 0.092, 0.105)), 0.07)
    d = joint(d, ellipsoid(q, (0.115, -0.425, 0.875), (0.068, 0.070, 0.095)), 0.045)
    d = joint(d, capsule(p, (0, -0.43, 0.98), (0, -0.50, 0.84), 0.035, 0.04), 0.04)
    return carved(d, ellipsoid(q, (0.062, -0.475, 0.915), (0.036, 0.045, 0.058)), 0.03)


def mouth(p: Array, q: Array, d: Array) -> Array:
    """Muzzle, the groove under the nose, two lips and the line between them."""
    d = joint(d, ellipsoid(p, (0, -0.67, 0.62), (0.34, 0.25, 0.20)), 0.16)
    d = carved(d, capsule(p, (0, -0.51, 0.90), (0, -0.575, 0.87), 0.022, 0.028), 0.05)
    upper = joint(
        capsule(q, (0.045, -0.635, 0.825), (0.235, -0.695, 0.69), 0.047, 0.016),
        ellipsoid(p, (0, -0.645, 0.835), (0.05, 0.04, 0.04)),
        0.03,
    )
    lower = joint(
        capsule(q, (0.0, -0.745, 0.815), (0.21, -0.705, 0.70), 0.060, 0.018),
        ellipsoid(q, (0.06, -0.75, 0.81), (0.075, 0.05, 0.055)),
        0.04,
    )
    d = joint(d, upper, 0.028)
    d = joint(d, lower, 0.030)
    course = -0.697 + 0.012 * np.cos(q[..., 0] * 26) * np.exp(-q[..., 0] * 9) - 0.05 * q[..., 0] ** 2
    front = smoothstep(0.45, 0.6, p[..., 2]) * smoothstep(0.285, 0.22, q[..., 0])
    d = d + 0.040 * np.exp(-(((p[..., 1] - course) / 0.013) ** 2)) * front
    corner = np.hypot((q[..., 0] - 0.262) / 0.04, (p[..., 1] + 0.703) / 0.035)
    d = d + 0.022 * np.exp(-(corner**2)) * smoothstep(0.4, 0.5, p[..., 2])
    return carved(d, ellipsoid(p, (0, -0.855, 0.80), (0.16, 0.050, 0.06)), 0.09)


def eyes(p: Array, q: Array, d: Array) -> Array:
    """Sockets under a brow, balls with drilled pupils, and lids with their crease."""
    d = joint(d, capsule(q, (0.10, 0.215, 0.735), (0.36, 0.275, 0.675), 0.055, 0.055), 0.13)
    d = joint(d, capsule(q, (0.36, 0.275, 0.675), (0.58, 0.175, 0.485), 0.055, 0.045), 0.13)
    d = carved(d, ellipsoid(q, (0.19, 0.07, 0.82), (0.10, 0.12, 0.12)), 0.12)
    d = carved(d, ellipsoid(q, (0.34, 0.045, 0.80), (0.235, 0.135, 0.14)), 0.10)
    center = _v(0.325, 0.035, 0.475)
    r = np.linalg.norm(q - center, axis=-1)
    rel = q - center
    ball = r - 0.255
    iris = np.hypot(rel[..., 0] + 0.008, rel[..., 1] + 0.004)
    front = rel[..., 2] > 0
    ball = ball + np.where(
        front, 0.010 * np.exp(-(((iris - 0.078) / 0.012) ** 2)) + 0.040 * smoothstep(0.042, 0.016, iris), 0
    )
    # The slit between the lids is an almond: above and below, two arcs over the width of the eye.
    u = rel[..., 0] / 0.185
    upper_edge = 0.078 * np.sqrt(np.clip(1 - np.abs(u - 0.02) ** 2.2, 0, 1)) + 0.012 * u - 0.012
    lower_edge = -0.056 * np.sqrt(np.clip(1 - np.abs(u) ** 2.4, 0, 1)) + 0.012 * u - 0.012
    outside = np.maximum(rel[..., 1] - upper_edge, lower_edge - rel[..., 1])
    shell = np.abs(r - 0.272) - 0.024
    lid = np.maximum(shell, -outside * 0.8) - 0.004
    lid = np.maximum(lid, -(rel[..., 2] - 0.02))
    lid = np.maximum(lid, np.hypot(rel[..., 0] / 1.5, rel[..., 1]) - 0.150)
    d = joint(d, lid, 0.045)
    arc = 0.128 * np.sqrt(np.clip(1.25 - u**2, 0, 2)) + 0.012 * u - 0.012
    fold = (
        np.exp(-(((rel[..., 1] - arc) / 0.015) ** 2))
        * smoothstep(1.15, 0.8, np.abs(u))
        * smoothstep(0.0, 0.1, rel[..., 2])
    )
    d = d + 0.028 * fold
    opening = np.maximum(outside, 0.20 - r)
    opening = np.maximum(opening, -(rel[..., 2] - 0.08))
    d = carved(d, np.maximum(opening, rel[..., 2] - 0.40), 0.010)
    d = np.minimum(d, ball)
    return carved(d, ellipsoid(q, (0.155, 0.012, 0.700), (0.025, 0.018, 0.03)), 0.015)


def ears(q: Array, d: Array) -> Array:
    """Mostly under the hair: the rim and the bowl."""
    rel = (q - _v(0.74, -0.04, -0.06)) @ _v(1, 0, 0.35, 0, 1, 0.1, -0.35, -0.1, 1).reshape(3, 3)
    ear = ellipsoid(rel, (0, 0, 0), (0.07, 0.22, 0.15))
    ear = carved(ear, ellipsoid(rel, (0.09, 0.04, 0.03), (0.07, 0.17, 0.085)), 0.04)
    return joint(d, ear, 0.06)


def neck(p: Array, q: Array, d: Array) -> Array:
    d = joint(d, capsule(p, (0, -0.55, -0.22), (0, -1.85, -0.36), 0.42, 0.47), 0.14)
    d = joint(d, capsule(q, (0.56, -0.55, -0.26), (0.10, -1.92, 0.12), 0.07, 0.085), 0.12)
    return carved(d, ellipsoid(p, (0, -1.93, 0.22), (0.09, 0.09, 0.10)), 0.09)


def locks(p: Array) -> Array:
    """The relief of hair combed in waves from the parting to the nape, in about [-1, 1]."""
    side = np.sign(p[..., 0]) * 0.7
    over = np.arctan2(np.abs(p[..., 0]), p[..., 1] - 0.25)
    back = np.arctan2(p[..., 2] + 0.15, np.hypot(p[..., 0], p[..., 1] - 0.25))
    wave = 0.13 * np.sin(5.5 * over + 1.8 * back + side) + 0.07 * fbm(p, 71, 2, scale=0.5)
    course = back + wave
    wide = np.abs(np.sin(11.0 * course + 0.8 * side))
    fine = np.sin(46 * course + 5 * fbm(p, 72, 2, scale=0.35)) * 0.5 + np.sin(93 * course + 4 * over) * 0.25
    return (1 - wide**1.0) * -0.9 + 0.25 * fine + 0.5


def hair(p: Array, q: Array) -> Array:
    """A cap parted in the middle, full over the ears, and a knot behind."""
    cap = ellipsoid(p, (0, 0.43, -0.20), (0.90, 0.92, 1.02))
    cap = joint(cap, ellipsoid(q, (0.66, 0.10, 0.02), (0.27, 0.36, 0.42)), 0.14)
    cap = joint(cap, ellipsoid(q, (0.56, 0.50, 0.30), (0.30, 0.30, 0.34)), 0.18)
    cap = joint(cap, ellipsoid(p, (0, -0.12, -1.12), (0.42, 0.38, 0.34)), 0.12)
    # The hairline: an arch over the forehead that comes down before the ears.
    face = ellipsoid(q, (0, -0.16, 1.02), (0.62, 0.92, 0.74))
    cap = carved(cap, face, 0.07)
    cap = carved(cap, ellipsoid(p, (0, -1.10, 0.1), (1.3, 0.95, 1.3)), 0.12)
    parting = 0.05 * np.exp(-((p[..., 0] / 0.035) ** 2)) * smoothstep(0.2, 0.6, p[..., 1])
    return cap + parting - 0.050 * locks(p)


def ribbon(p: Array) -> Array:
    """A band about the hair."""
    tilted = p @ np.array([[1, 0, 0], [0, 0.87, 0.5], [0, -0.5, 0.87]], np.float32)
    ring = ellipsoid(p, (0, 0.43, -0.20), (0.965, 0.985, 1.085))
    return np.maximum(ring, np.abs(tilted[..., 1] - 0.78) - 0.055)


def head(p: Array) -> Array:
    """All of the head and the neck."""
    q = _mirrored(p)
    d = nose(p, q, skull(p, q))
    d = eyes(p, q, mouth(p, q, d))
    d = neck(p, q, ears(q, d))
    d = joint(d, hair(p, q), 0.018)
    return joint(d, ribbon(p), 0.02)


def torso(p: Array) -> Array:
    """Shoulders under a tunic, in folds that hang from them."""
    q = _mirrored(p)
    d = joint(
        capsule(q, (0.0, -2.45, -0.40), (1.32, -2.50, -0.42), 0.52, 0.40),
        ellipsoid(p, (0, -2.95, -0.22), (1.28, 0.95, 0.66)),
        0.30,
    )
    d = joint(d, capsule(q, (1.42, -2.60, -0.42), (1.62, -4.2, -0.3), 0.38, 0.34), 0.25)
    d = joint(d, capsule(q, (0.35, -1.75, -0.45), (1.0, -2.18, -0.45), 0.22, 0.24), 0.3)
    d = joint(d, ellipsoid(q, (0.52, -3.15, 0.20), (0.50, 0.50, 0.42)), 0.25)
    bare = d
    sag = (
        p[..., 1] + 0.42 * np.cos(np.clip(p[..., 0] * 1.35, -1.6, 1.6)) + 0.10 * np.sin(2.2 * p[..., 0] + 0.6)
    )
    warp = 0.22 * fbm(p, 81, 3, scale=0.9)
    deep = np.abs(np.sin(7.5 * (sag + warp))) ** 0.7
    steep = np.abs(np.sin(6.0 * (q[..., 0] - 0.25 * p[..., 1]) + 3 * warp)) ** 0.7
    fold = np.where(q[..., 0] < 0.95, deep, 0) + smoothstep(0.75, 1.15, q[..., 0]) * (
        steep - np.where(q[..., 0] < 0.95, deep, 0)
    )
    neckline = smoothstep(-0.02, 0.03, -(p[..., 1] + 2.42 - 0.62 * q[..., 0] ** 1.6))
    cloth = bare - (0.045 + 0.085 * fold) * neckline
    return joint(cloth, np.where(neckline > 0, 1.0, 1.0) + np.abs(bare), 0.01) * 0.8


def hollows(body: Mesh, rounds: int) -> Array:
    """How deep each vertex lies below those about it, in units."""
    edges = np.concatenate([body.faces[:, [0, 1]], body.faces[:, [1, 2]], body.faces[:, [2, 0]]]).astype(
        np.int64
    )
    count = np.bincount(edges[:, 0], minlength=len(body.vertices)).clip(1)
    mean = body.vertices
    for _ in range(rounds):
        mean = np.stack(
            [np.bincount(edges[:, 0], mean[edges[:, 1], k], len(mean)) / count for k in range(3)], 1
        )
    return ((mean - body.vertices) * body.normals()).sum(1).astype(np.float32)


def marble(body: Mesh) -> Mesh:
    """Veined stone, with the dust of years in its hollows."""
    p = body.vertices
    warp = fbm(p, 91, 4, scale=1.0)[:, None] * rgb(0.5, 0.7, 0.4)
    vein = ridged(p * rgb(1, 0.6, 1) + warp, 92, 4, 0.5, 1.9) ** 9
    cloud = fbm(p, 93, 4, scale=0.7)
    color = mix(rgb(0.74, 0.70, 0.64), rgb(0.66, 0.60, 0.53), np.clip(0.45 + 0.6 * cloud, 0, 1))
    color = mix(color, rgb(0.40, 0.38, 0.37), 0.45 * np.clip(vein, 0, 1))
    dust = np.clip(hollows(body, 24) / 0.035, 0, 1)
    color = mix(color, rgb(0.22, 0.16, 0.11), 0.75 * dust)
    return body.inflated(0.0022 * fbm(p, 94, 2, scale=0.035)).painted(color)


def room() -> Scene:
    """A painted wall with a picture frame, a window at the left, and a little light from elsewhere."""
    x, y = np.meshgrid(np.linspace(-9, 9, 300), np.linspace(-7, 7, 240))
    tone = fbm(flat(x, y), 95, 5, 0.6, 3.0)
    paint = mix(rgb(0.10, 0.15, 0.145), rgb(0.17, 0.215, 0.19), np.clip(0.5 + 0.6 * tone, 0, 1))
    wall = meshes.sheet(flat(x, y, -4.0)[::-1]).painted(paint[::-1].reshape(-1, 3))
    frame = [
        meshes.box((1.3, 0.35, -4.0), (4.6, 0.62, -3.75), rgb(0.33, 0.20, 0.07)),
        meshes.box((1.3, 0.62, -4.0), (1.57, 4.5, -3.75), rgb(0.33, 0.20, 0.07)),
        meshes.box((1.57, 0.62, -4.0), (4.6, 4.5, -3.95), rgb(0.20, 0.15, 0.10)),
        meshes.box((-9, -2.2, -4.0), (9, -1.95, -3.8), rgb(0.14, 0.10, 0.07)),
        meshes.box((-9, -7, -4.0), (9, -2.2, -3.9), rgb(0.075, 0.06, 0.05)),
    ]
    lights: Scene = {"room": {"type": "constant", "radiance": {"type": "rgb", "value": [0.05, 0.048, 0.05]}}}
    for row in range(2):
        for column in range(2):
            pane = (
                mi.ScalarTransform4f()
                .look_at([-6.0, 1.0 + 2.3 * row, 1.6 + 2.0 * column], [0, -0.6, 0], [0, 1, 0])
                .scale([0.9, 1.05, 1])
            )
            glow = {"type": "area", "radiance": {"type": "rgb", "value": [14.5, 14.9, 15.4]}}
            lights[f"pane{row}{column}"] = {"type": "rectangle", "to_world": pane, "emitter": glow}
    bounce = mi.ScalarTransform4f().look_at([6.5, -1.5, 3.0], [0, -1, 0], [0, 1, 0]).scale([2.5, 2.5, 1])
    lights["bounce"] = {
        "type": "rectangle",
        "to_world": bounce,
        "emitter": {"type": "area", "radiance": {"type": "rgb", "value": [0.85, 0.68, 0.5]}},
    }
    return {
        **lights,
        "wall": shape(wall, matte()),
        "frame": shape(meshes.joined(frame), glossy(0.2), smooth=False),
    }


def bust(step: float) -> Mesh:
    """The sculpture, its head turned a little toward the window."""
    upper = (
        marble(meshes.solid(head, (-1.15, -2.3, -1.6), (1.15, 1.55, 1.25), step))
        .turned(0, 3)
        .turned(2, 2.5)
        .turned(1, -20)
    )
    lower = marble(meshes.solid(torso, (-2.2, -4.1, -1.3), (2.2, -1.4, 0.9), step * 1.6)).turned(1, 12)
    return meshes.joined([upper, lower])


def shoot(size: tuple[int, int], samples: int) -> Shot:
    """The bust in its room."""
    parts = {**room(), "bust": shape(bust(STEP), glossy(0.20, 1.4))}
    return expose(mi.load_dict({"type": "scene", **parts}), CAMERA, size, samples, depth=6)


def develop(shot: Shot) -> film.Pixels:
    """The picture of it."""
    return film.developed(film.denoised(shot), 1.25, [11, 2], warmth=rgb(1.05, 1.0, 0.93))
