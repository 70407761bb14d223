"""Draws the sample photos and the sample clip, from seeds alone: `python samples/draw.py [--out DIR]`.

The scenes are height fields and solids marched by rays, with sun, shadow, haze, texture and grain; they stand
in for photographs in the demo, the tests and the README.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import tempfile
import wave
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import imageio_ffmpeg
import numpy as np
import numpy.typing as npt

Field = npt.NDArray[np.float32]
Rng = np.random.Generator
PHOTO = (640, 480)
CLIP = (480, 270)
FRAME_RATE, CUT, FRAMES = 24, 40, 72
SOUND_RATE = 44100


def noise(rng: Rng, width: int, height: int, size_px: float, octaves: int = 6) -> Field:
    """HW smooth noise, zero mean, unit deviation."""
    total = np.zeros((height, width), np.float32)
    for octave in range(octaves):
        cell = max(1.5, size_px / 2**octave)
        small = rng.standard_normal((int(height / cell) + 4, int(width / cell) + 4)).astype(np.float32)
        total += cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC) * 0.5**octave
    return (total - total.mean()) / total.std()


def mix(a: Field, b: Field, part: Field) -> Field:
    """Linear blend of HW3 (or colours) by HW."""
    return a * (1 - part[..., None]) + b * part[..., None]


def rgb(*values: float) -> Field:
    return np.array(values, np.float32)


def sky(rng: Rng, width: int, height: int, top: Field, low: Field, clouds: float) -> Field:
    """A graded sky with shaded clouds, HW3."""
    y = np.linspace(0, 1, height, dtype=np.float32)[:, None].repeat(width, 1)
    picture = mix(np.broadcast_to(top, (height, width, 3)), low, y)
    body = noise(rng, width, height, width / 3)
    cover = np.clip(body * 0.9 + clouds - 0.6 * (1 - y), 0, 1)
    shade = np.clip(0.75 + 0.25 * (body - np.roll(body, 6, 0)) * 4, 0.55, 1.05)
    return mix(picture, shade[..., None] * rgb(1.0, 0.97, 0.94), cover * 0.85)


def relief_light(height_map: Field, steepness: float, sun: tuple[float, float] = (-0.6, -0.5)) -> Field:
    """Lambert shading of a height map from the side, HW around 0.6."""
    down, right = np.gradient(height_map * steepness)
    return np.clip((0.8 - sun[0] * -right - sun[1] * -down) / np.sqrt(1 + down**2 + right**2), 0.1, 1.6)


def ridge(rng: Rng, width: int, base: float, size: float, rough: float) -> Field:
    """The outline of a range of hills: y by x."""
    return (base + size * noise(rng, width, 1, rough)[0]).astype(np.float32)


def hills(rng: Rng, picture: Field, outline: Field, near: Field, haze: Field, depth: float, grain_px: float) -> None:
    """A textured, lit range below its outline, paler with distance; in place."""
    height, width = picture.shape[:2]
    y = np.arange(height, dtype=np.float32)[:, None]
    texture = noise(rng, width, height, grain_px * 6) + 0.8 * noise(rng, width, height, grain_px)
    light = relief_light(texture, 1.2)
    body = mix(near * light[..., None], np.broadcast_to(haze, picture.shape), np.full((height, width), depth, np.float32))
    cover = np.clip(y - outline[None, :], 0, 1)
    picture[:] = mix(picture, body, cover)


def water(rng: Rng, above: Field, horizon: int, height: int, tint: Field) -> Field:
    """A rippled reflection of `above` (HW3, its last row at the horizon) filling `height` rows."""
    width = above.shape[1]
    depth = np.linspace(0.02, 1, height, dtype=np.float32)[:, None]
    ripples = cv2.resize(noise(rng, width, height * 3, 26, 5), (width, height), interpolation=cv2.INTER_AREA)
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    source_y = np.clip(horizon - 1 - y * 0.9 + ripples * 26 * depth, 0, horizon - 1)
    mirror = cv2.remap(above, x + ripples * 5, source_y.astype(np.float32), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    crest = np.clip(ripples - 0.9, 0, 1) * 0.35
    return mix(mirror, np.broadcast_to(tint, mirror.shape), 0.30 + 0.25 * depth.repeat(width, 1)) + crest[..., None]


def developed(rng: Rng, picture: Field, grain: float = 0.012) -> npt.NDArray[np.uint8]:
    """Tone curve, vignette, grain -> HWC uint8."""
    height, width = picture.shape[:2]
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    exposed = np.clip(picture, 0, None) * (1 - 0.22 * (x**2 + y**2) / 2)[..., None]
    toned = np.clip(exposed * (1 + 0.1 * exposed) / (0.25 + 0.85 * exposed) * 0.98, 0, 1)
    return np.rint(255 * np.clip(toned + rng.normal(0, grain, picture.shape), 0, 1)).astype(np.uint8)


# -- solids ------------------------------------------------------------------------------------------------


def sphere(p: Field, center: tuple[float, float, float], radius: float) -> Field:
    return np.linalg.norm(p - np.array(center, np.float32), axis=-1) - radius


def ellipsoid(p: Field, center: tuple[float, float, float], radii: tuple[float, float, float]) -> Field:
    scaled = (p - np.array(center, np.float32)) / np.array(radii, np.float32)
    return (np.linalg.norm(scaled, axis=-1) - 1) * min(radii)


def box(p: Field, center: tuple[float, float, float], half: tuple[float, float, float]) -> Field:
    q = np.abs(p - np.array(center, np.float32)) - np.array(half, np.float32)
    return np.linalg.norm(np.maximum(q, 0), axis=-1) + np.minimum(q.max(-1), 0)


Scene = Callable[[Field], tuple[Field, npt.NDArray[np.intp]]]
Paint = Callable[[Field, npt.NDArray[np.intp]], Field]


def union(*parts: Field) -> tuple[Field, npt.NDArray[np.intp]]:
    """The nearest solid's distance and number."""
    stack = np.stack(parts)
    return stack.min(0), stack.argmin(0)


def march(scene: Scene, paint: Paint, size: tuple[int, int], eye: tuple[float, float, float], zoom: float, sun: Field, backdrop: Field) -> Field:
    """Sphere tracing with soft shadow and ambient occlusion, HW3."""
    width, height = size
    x, y = np.meshgrid(np.linspace(-1, 1, width), np.linspace(-height / width, height / width, height))
    rays = np.stack([x, -y, np.full_like(x, zoom)], -1).astype(np.float32)
    rays /= np.linalg.norm(rays, axis=-1, keepdims=True)
    origin = np.array(eye, np.float32)
    travelled = np.zeros((height, width), np.float32)
    for _ in range(70):
        distance, _ = scene(origin + rays * travelled[..., None])
        travelled += np.clip(distance, -0.1, 0.6) * 0.85
    points = origin + rays * travelled[..., None]
    distance, which = scene(points)
    steps = [np.array(v, np.float32) * 0.003 for v in ((1, 0, 0), (0, 1, 0), (0, 0, 1))]
    normal = np.stack([scene(points + s)[0] - scene(points - s)[0] for s in steps], -1)
    normal /= np.linalg.norm(normal, axis=-1, keepdims=True) + 1e-9
    shadow, reach = np.ones((height, width), np.float32), np.full((height, width), 0.04, np.float32)
    for _ in range(24):
        near, _ = scene(points + normal * 0.01 + sun * reach[..., None])
        shadow = np.minimum(shadow, np.clip(0.5 + 7 * near / reach, 0, 1))
        reach += np.clip(near, 0.03, 0.3)
    open_air = np.clip(scene(points + normal * 0.18)[0] / 0.18, 0.15, 1)
    lambert = np.clip((normal * sun).sum(-1), 0, 1)
    half = sun - rays
    half /= np.linalg.norm(half, axis=-1, keepdims=True)
    gloss = np.clip((normal * half).sum(-1), 0, 1) ** 40 * shadow
    light = (1.25 * lambert * shadow)[..., None] * rgb(1.0, 0.93, 0.82) + (0.38 * open_air)[..., None] * rgb(0.75, 0.85, 1.0)
    lit = paint(points, which) * light + 0.35 * gloss[..., None]
    far = np.clip((travelled - 7.5) * 3, 0, 1)
    return mix(lit, backdrop, far)


def grain_of(points: Field, scale: float) -> Field:
    """Cheap solid texture in [-1, 1] from positions."""
    a = np.sin(points[..., 0] * scale + 1.7 * np.sin(points[..., 2] * scale * 0.6))
    return a * np.sin(points[..., 2] * scale * 1.3 + 2.1 * np.sin(points[..., 1] * scale * 0.8)) * 0.6 + 0.4 * np.sin(points[..., 1] * scale * 2.7 + a)


SUN = rgb(-0.55, 0.65, -0.5) / np.float32(np.linalg.norm([0.55, 0.65, 0.5]))


def still_life(rng: Rng, size: tuple[int, int] = PHOTO, ball_x: float = -9.0, zoom: float = 1.9) -> Field:
    """Fruit and a jug on a wooden table; `ball_x` rolls an orange across the front."""
    grapes = [(0.95 + 0.17 * rng.uniform(-1.4, 1.4), -0.72 + 0.13 * rng.uniform(0, 2.2), 2.5 + 0.17 * rng.uniform(-1, 1)) for _ in range(14)]

    def scene(p: Field) -> tuple[Field, npt.NDArray[np.intp]]:
        table = p[..., 1] + 0.85
        jug = np.minimum(ellipsoid(p, (-0.55, -0.25, 3.6), (0.5, 0.62, 0.5)), box(p, (-0.55, 0.45, 3.6), (0.2, 0.28, 0.2)) - 0.07)
        apples = np.minimum(sphere(p, (0.25, -0.5, 2.9), 0.36), sphere(p, (-0.25, -0.55, 2.5), 0.31))
        pear = np.minimum(sphere(p, (0.75, -0.46, 3.3), 0.4), ellipsoid(p, (0.72, -0.02, 3.3), (0.2, 0.34, 0.2)))
        bunch = np.min([sphere(p, g, 0.125) for g in grapes], axis=0)
        return union(table, jug, apples, pear, bunch, sphere(p, (ball_x, -0.58, 1.95), 0.27))

    def paint(p: Field, which: npt.NDArray[np.intp]) -> Field:
        wood = np.clip(0.8 + 0.22 * np.sin(p[..., 0] * 34 + 5 * grain_of(p, 1.9)) + 0.12 * grain_of(p, 30), 0.4, 1.2)
        base = np.array([[0.50, 0.30, 0.16], [0.22, 0.40, 0.52], [0.75, 0.13, 0.10], [0.72, 0.66, 0.18], [0.30, 0.12, 0.32], [0.95, 0.48, 0.08]], np.float32)
        color = base[which]
        marks = np.where(which == 0, wood, 1 + 0.16 * grain_of(p, 13) + 0.08 * grain_of(p, 47))
        return np.clip(color * marks[..., None], 0, 1.2)

    width, height = size
    wall = mix(np.broadcast_to(rgb(0.36, 0.33, 0.28), (height, width, 3)), rgb(0.62, 0.56, 0.46), np.linspace(0, 1, width, dtype=np.float32)[None].repeat(height, 0))
    wall = wall * (1 + 0.07 * noise(rng, width, height, 60))[..., None]
    return march(scene, paint, size, (0.0, 0.25, -0.6), zoom, SUN, wall)


def portrait(rng: Rng) -> Field:
    """A bust in window light before a blurred room."""

    def scene(p: Field) -> tuple[Field, npt.NDArray[np.intp]]:
        head = np.minimum(ellipsoid(p, (0, 0.35, 3.2), (0.56, 0.72, 0.6)), ellipsoid(p, (0, 0.02, 3.08), (0.4, 0.46, 0.46)))
        nose = ellipsoid(p, (0, 0.28, 2.58), (0.085, 0.19, 0.15))
        skin = np.minimum(np.minimum(head, nose), np.minimum(ellipsoid(p, (0, -0.55, 3.3), (0.25, 0.5, 0.26)), ellipsoid(p, (0, 0.0, 2.69), (0.16, 0.05, 0.07))))
        sockets = np.minimum(sphere(p, (-0.22, 0.42, 2.57), 0.12), sphere(p, (0.22, 0.42, 2.57), 0.12))
        skin = np.maximum(skin, -sockets)
        eyes = np.minimum(sphere(p, (-0.21, 0.42, 2.74), 0.10), sphere(p, (0.21, 0.42, 2.74), 0.10))
        hair = np.maximum(ellipsoid(p, (0, 0.52, 3.34), (0.68, 0.76, 0.66)), -ellipsoid(p, (0, 0.16, 2.62), (0.5, 0.66, 0.5))) + 0.015 * np.sin(p[..., 0] * 40 + 6 * p[..., 1])
        coat = ellipsoid(p, (0, -1.42, 3.4), (1.25, 0.8, 0.62)) + 0.012 * np.sin(p[..., 0] * 18 + 3 * p[..., 1])
        lips = ellipsoid(p, (0, 0.0, 2.66), (0.15, 0.045, 0.07))
        return union(skin, hair, coat, eyes, lips)

    def paint(p: Field, which: npt.NDArray[np.intp]) -> Field:
        base = np.array([[0.80, 0.56, 0.44], [0.22, 0.13, 0.08], [0.18, 0.28, 0.42], [0.85, 0.85, 0.85], [0.68, 0.28, 0.26]], np.float32)
        color = base[which] * (1 + 0.09 * grain_of(p, 30))[..., None]
        iris = (which == 3) & (np.hypot(np.abs(p[..., 0]) - 0.21, p[..., 1] - 0.42) < 0.052)
        return np.where(iris[..., None], rgb(0.10, 0.16, 0.14), color)

    width, height = 480, 640
    room = 0.42 + 0.22 * cv2.GaussianBlur(noise(rng, width, height, 200, 2), (0, 0), 12)
    backdrop = room[..., None] * rgb(0.75, 0.72, 0.60)
    return march(scene, paint, (width, height), (0, 0.0, -0.2), 1.9, SUN, backdrop.astype(np.float32))


def harbour_layers(rng: Rng, width: int, height: int, horizon: int) -> Field:
    """Evening sky, hazy hills, houses on a quay, and their reflection, HW3."""
    picture = sky(rng, width, horizon, rgb(0.22, 0.36, 0.62), rgb(0.98, 0.72, 0.46), 0.15)
    haze = rgb(0.92, 0.72, 0.56)
    hills(rng, picture, ridge(rng, width, horizon * 0.66, 15, 150), rgb(0.30, 0.34, 0.36), haze, 0.66, 8)
    hills(rng, picture, ridge(rng, width, horizon * 0.80, 10, 90), rgb(0.24, 0.30, 0.22), haze, 0.32, 5)
    x = 0.0
    while x < width:
        w, h = rng.uniform(24, 52), rng.uniform(0.12, 0.30) * horizon
        house(rng, picture, int(x), int(horizon - h), int(w), int(h))
        x += w + (rng.uniform(10, 60) if rng.uniform() < 0.3 else 1)
    sea = water(rng, picture, horizon, height - horizon, rgb(0.10, 0.22, 0.30))
    return np.concatenate([picture, sea]).astype(np.float32)


def house(rng: Rng, picture: Field, x: int, y: int, width: int, height: int) -> None:
    """A plastered front with windows, a roof and its shadow side; in place."""
    wall = rgb(*rng.uniform(0.45, 0.95, 3)) * rgb(1.0, 0.9, 0.78)
    part = picture[max(0, y) : y + height, x : x + width]
    if part.size == 0:
        return
    h, w = part.shape[:2]
    shade = np.linspace(1.05, 0.62, w, dtype=np.float32)[None].repeat(h, 0) * (1 + 0.10 * noise(rng, w, h, 9))
    part[:] = wall * shade[..., None]
    for wy in range(8, h - 10, 15):
        for wx in range(5, w - 7, 12):
            glow = rgb(0.98, 0.82, 0.45) if rng.uniform() < 0.2 else rgb(0.10, 0.12, 0.16)
            part[wy : wy + 8, wx : wx + 5] = glow
            part[wy + 8 : wy + 9, wx - 1 : wx + 6] *= 1.25
    roof = np.array([[x - 2, y + 1], [x + width + 1, y + 1], [x + width - 5, y - 9], [x + 5, y - 9]], np.int32)
    cv2.fillPoly(picture, [roof], tuple(float(c) for c in rgb(0.50, 0.24, 0.16) * rng.uniform(0.7, 1.1)), cv2.LINE_AA)


def boat(picture: Field, x: float, y: float, size: float) -> None:
    """A sailing boat with its dark reflection; in place."""
    def poly(points: list[tuple[float, float]], color: Field) -> None:
        corners = np.round((np.array(points) * size + (x, y)) * 16).astype(np.int32)
        cv2.fillPoly(picture, [corners], tuple(float(c) for c in color), cv2.LINE_AA, 4)

    poly([(-0.5, 0.02), (0.5, 0.02), (0.42, 0.30), (-0.40, 0.30)], rgb(0.12, 0.15, 0.17))
    poly([(-0.62, -0.18), (0.66, -0.18), (0.5, 0.04), (-0.48, 0.04)], rgb(0.42, 0.14, 0.10))
    poly([(-0.62, -0.18), (0.66, -0.18), (0.64, -0.13), (-0.60, -0.13)], rgb(0.90, 0.86, 0.78))
    poly([(0.02, -0.22), (0.02, -1.5), (0.55, -0.26)], rgb(0.95, 0.90, 0.80))
    poly([(-0.04, -0.22), (-0.04, -1.35), (-0.5, -0.26)], rgb(0.80, 0.72, 0.62))


def harbour(rng: Rng) -> Field:
    picture = harbour_layers(rng, *PHOTO, 250)
    boat(picture, 210, 350, 84)
    boat(picture, 490, 300, 44)
    return picture


def forest(rng: Rng) -> Field:
    """Trunks in depth, light between them, ferns below."""
    width, height = PHOTO
    picture = mix(np.broadcast_to(rgb(0.86, 0.88, 0.66), (height, width, 3)), rgb(0.28, 0.36, 0.16), np.linspace(0, 1, height, dtype=np.float32)[:, None].repeat(width, 1))
    picture = picture * (1 + 0.16 * noise(rng, width, height, 60))[..., None]
    y = np.arange(height, dtype=np.float32)[:, None]
    for depth in np.linspace(0.85, 0.0, 7):
        leaves = np.clip(noise(rng, width, height, 70 - 40 * depth) * 1.2 - 0.5 - 1.6 * (y / height - 0.25), 0, 1)
        light = relief_light(noise(rng, width, height, 14), 1.4)
        picture = mix(picture, mix(rgb(0.16, 0.30, 0.08) * light[..., None], np.broadcast_to(rgb(0.80, 0.84, 0.60), picture.shape), np.full((height, width), depth, np.float32)), leaves * 0.9)
        for _ in range(int(3 + 7 * depth)):
            trunk(rng, picture, rng.uniform(0, width), 6 + 34 * (1 - depth) ** 1.5, float(depth))
        floor = np.clip(y - (height * (0.62 + 0.22 * (1 - depth)) + 12 * noise(rng, width, 1, 50)), 0, 1)
        ground = rgb(0.26, 0.30, 0.10) * relief_light(noise(rng, width, height, 9 + 10 * (1 - depth)), 2.2)[..., None]
        picture = mix(picture, mix(ground, np.broadcast_to(rgb(0.74, 0.76, 0.50), picture.shape), np.full((height, width), depth * 0.8, np.float32)), floor)
    x = np.arange(width, dtype=np.float32)[None]
    shafts = np.clip(np.sin((x + 0.6 * y) / 37) * np.sin((x + 0.6 * y) / 91) - 0.2, 0, 1) * (1 - y / height) * 0.45
    return picture + shafts[..., None] * rgb(1.0, 0.92, 0.62)


def trunk(rng: Rng, picture: Field, x: float, radius: float, haze: float) -> None:
    """A round, barked trunk from top to ground; in place."""
    height, width = picture.shape[:2]
    foot = int(height * (0.66 + 0.24 * (1 - haze)))
    y = np.arange(foot, dtype=np.float32)[:, None]
    across = (np.arange(width, dtype=np.float32)[None] - x - 6 * np.sin(y / 90 + x)) / (radius * (1 + 0.25 * (y / foot) ** 6))
    cover = np.clip((1 - np.abs(across)) * radius, 0, 1)
    bark = 1 + 0.30 * cv2.resize(noise(rng, width, max(8, foot // 5), 9), (width, foot))
    light = np.clip(0.75 - 0.55 * across, 0.1, 1.3) * np.sqrt(np.clip(1 - across**2, 0.05, 1)) * bark
    body = mix(rgb(0.36, 0.26, 0.18) * light[..., None], np.broadcast_to(rgb(0.78, 0.80, 0.58), (foot, width, 3)), np.full((foot, width), haze * 0.85, np.float32))
    picture[:foot] = mix(picture[:foot], body, cover)


def canyon(rng: Rng) -> Field:
    """Layered rock walls, haze between them, a river."""
    width, height = PHOTO
    picture = sky(rng, width, height, rgb(0.20, 0.42, 0.78), rgb(0.90, 0.88, 0.80), 0.35)
    y = np.arange(height, dtype=np.float32)[:, None]
    x = np.arange(width, dtype=np.float32)[None]
    for depth in np.linspace(0.8, 0.0, 5):
        near = 1 - depth
        opening = np.abs(x - width * (0.52 + 0.1 * np.sin(9 * depth))) / width
        outline = height * (0.62 - 0.95 * np.clip(opening - 0.10 * near - 0.04, 0, 0.34) ** 0.75 - 0.02 * near) + 9 * noise(rng, width, 1, 40)
        strata = np.sin((y + 9 * noise(rng, width, height, 160)) / (5 + 5 * near)) * 0.5 + np.sin(y / (17 + 9 * near))
        light = relief_light(noise(rng, width, height, 40) + 0.12 * strata, 2.4 + 3 * near)
        rock = (rgb(0.66, 0.34, 0.19) * (1 + 0.14 * strata)[..., None]) * light[..., None]
        body = mix(rock.astype(np.float32), np.broadcast_to(rgb(0.80, 0.72, 0.70), picture.shape), np.full((height, width), depth * 0.8, np.float32))
        picture = mix(picture, body, np.clip(y - outline, 0, 1).astype(np.float32))
    bank = height * 0.80 + 10 * np.sin(x / 90)
    river = np.clip(y - bank, 0, 1) * np.clip(1.25 - np.abs(x - width * 0.5) / (60 + 2.2 * (y - height * 0.78)), 0, 1)
    stream = water(rng, picture[: int(height * 0.8)], int(height * 0.8), height, rgb(0.14, 0.30, 0.30))
    return mix(picture, stream, np.clip(river * 2, 0, 1).astype(np.float32))


def street(rng: Rng) -> Field:
    """Two rows of houses in perspective over cobbles, by rays against planes."""
    width, height = PHOTO
    x, y = np.meshgrid(np.linspace(-1, 1, width, dtype=np.float32), np.linspace(-0.62, 0.88, height, dtype=np.float32) * 0.75)
    top = sky(rng, width, height, rgb(0.36, 0.55, 0.82), rgb(0.92, 0.88, 0.80), 0.3)
    to_ground, to_wall = 0.42 / np.maximum(y, 1e-3), 0.75 / np.maximum(np.abs(x), 1e-3)
    z = np.minimum(to_wall, 14)
    up = 0.42 - y * z
    front = np.floor(z / 0.85 + 100 * (x > 0)).astype(int)
    tall = np.random.default_rng(5).uniform(1.25, 2.1, 400)[front]
    colors = np.random.default_rng(6).uniform(0.42, 0.92, (400, 3)).astype(np.float32)[front] * rgb(1.0, 0.92, 0.80)
    along, storey = (z / 0.85) % 1 * 3 % 1, up / 0.42 % 1
    window = (along > 0.28) & (along < 0.72) & (storey > 0.25) & (storey < 0.8)
    plaster = (1 + 0.08 * noise(rng, width, height, 30) + 0.06 * noise(rng, width, height, 5))[..., None]
    side = np.where(x > 0, 0.58, 1.05)[..., None]
    wall = np.where(window[..., None], rgb(0.13, 0.16, 0.21) * (1 + 0.5 * storey[..., None]), colors * plaster) * side
    stones = np.sin(x * to_ground * 42 + 3 * (np.floor(to_ground * 7) % 2)) * np.sin(to_ground * 7 * np.pi)
    shade = np.where(x * to_ground > 0.1, 0.55, 1.0) * (0.85 + 0.16 * stones) * (1 + 0.09 * noise(rng, width, height, 6))
    cobbles = rgb(0.48, 0.45, 0.42) * shade[..., None]
    is_ground = (y > 0) & (to_ground < to_wall)
    is_wall = ~is_ground & (up < tall) & (z < 13)
    picture = np.where(is_ground[..., None], cobbles, np.where(is_wall[..., None], wall, top))
    distance = np.where(is_ground, to_ground, z)
    return mix(picture.astype(np.float32), np.broadcast_to(rgb(0.86, 0.84, 0.80), picture.shape), np.where(is_ground | is_wall, np.clip(distance / 13, 0, 0.8), 0).astype(np.float32))


PHOTOS: dict[str, Callable[[Rng], Field]] = {
    "harbour": harbour, "forest": forest, "portrait": portrait, "stilllife": still_life, "canyon": canyon, "street": street,
}  # fmt: skip


# -- the clip ----------------------------------------------------------------------------------------------


def clip_frames() -> Iterator[npt.NDArray[np.uint8]]:
    """Shot 1 pans over the harbour with a boat in front; shot 2 pushes in on the still life, an orange rolls by."""
    rng = np.random.default_rng(100)
    width, height = CLIP
    panorama = harbour_layers(rng, 760, height, 150)
    for number in range(CUT):
        shift = np.array([[1, 0, -20 - 3.1 * number], [0, 1, 1.5 * np.sin(number / 9)]], np.float32)
        view = cv2.warpAffine(panorama, shift, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT)
        boat(view, 60 + 6.5 * number, 212 + 1.5 * np.sin(number / 5), 66)
        yield developed(np.random.default_rng([200, number]), view, 0.006)
    for number in range(FRAMES - CUT):
        t = number / (FRAMES - CUT)
        view = still_life(np.random.default_rng(101), CLIP, -1.7 + 3.2 * t, 1.7 + 0.35 * t)
        yield developed(np.random.default_rng([300, number]), view, 0.006)


def sound() -> npt.NDArray[np.int16]:
    """Stereo: two plucked phrases, one a shot, and a click at the cut."""
    count = SOUND_RATE * FRAMES // FRAME_RATE
    t = np.arange(count) / SOUND_RATE
    mono = np.zeros(count)
    for start, pitch in zip(np.arange(0, 3, 0.25), (262, 330, 392, 523, 392, 330, 294, 349, 440, 587, 440, 349), strict=True):
        age = np.clip(t - start, 0, None)
        mono += np.where(t >= start, np.exp(-5 * age) * np.sin(2 * np.pi * pitch * age), 0) * 0.3
    cut = CUT / FRAME_RATE
    mono += np.where(t >= cut, np.exp(-90 * np.clip(t - cut, 0, None)), 0) * np.random.default_rng(3).uniform(-0.6, 0.6, count)
    stereo = np.stack([mono, np.roll(mono, 400)], 1)
    return np.rint(np.clip(stereo, -1, 1) * 30000).astype(np.int16)


def write_clip(target: Path) -> None:
    """H.264 and AAC in MP4, put in its place when whole."""
    with tempfile.TemporaryDirectory() as folder:
        track, made = Path(folder) / "sound.wav", Path(folder) / "clip.mp4"
        with wave.open(str(track), "wb") as file:
            file.setnchannels(2)
            file.setsampwidth(2)
            file.setframerate(SOUND_RATE)
            file.writeframes(sound().tobytes())
        size = f"{CLIP[0]}x{CLIP[1]}"
        tags = "scale=out_color_matrix=bt709:out_range=tv,setparams=range=tv:colorspace=bt709:color_primaries=bt709:color_trc=bt709"
        command = [imageio_ffmpeg.get_ffmpeg_exe(), "-y", "-loglevel", "error", "-f", "rawvideo", "-pix_fmt", "rgb24"]
        command += ["-s", size, "-r", str(FRAME_RATE), "-i", "pipe:0", "-i", str(track), "-vf", tags, "-pix_fmt", "yuv420p"]
        command += ["-c:v", "libx264", "-crf", "20", "-preset", "slow", "-c:a", "aac", "-b:a", "128k", "-movflags", "+faststart"]
        data = b"".join(frame.tobytes() for frame in clip_frames())
        subprocess.run([*command, str(made)], input=data, check=True)
        beside = target.with_name(f".{target.name}")
        beside.write_bytes(made.read_bytes())
        os.replace(beside, target)


def main() -> None:
    """Draw all photos and the clip."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent)
    args = parser.parse_args()
    cv2.setNumThreads(1)
    (args.out / "photos").mkdir(parents=True, exist_ok=True)
    for number, (name, draw) in enumerate(PHOTOS.items()):
        rng = np.random.default_rng([11, number])
        pixels = developed(rng, draw(rng))
        cv2.imwrite(str(args.out / "photos" / f"{name}.jpg"), pixels[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 88])
        print(name)
    write_clip(args.out / "clip.mp4")
    print("clip")


if __name__ == "__main__":
    main()
