"""Sheets at the final size."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from .base import Array, Rng, ramp, rgb

WIDTH, HEIGHT = 640, 512


def sheet_grid() -> tuple[Array, Array]:
    """Pixel coordinates x, y."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
    return x, y


def sheet_noise(rng: Rng, size_px: float, octaves: int = 5) -> Array:
    """HW smooth noise of zero mean and unit deviation; largest features about `size_px`."""
    total = np.zeros((HEIGHT, WIDTH), np.float32)
    for octave in range(octaves):
        cell = max(2.0, size_px / 2**octave)
        small = rng.standard_normal((int(HEIGHT / cell) + 3, int(WIDTH / cell) + 3)).astype(np.float32)
        total += cv2.resize(small, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC) * 0.55**octave
    return (total - total.mean()) / total.std()


def landscape(rng: Rng, sky: Array, land: Array, sun: Array, at: tuple[float, float] = (0.72, 0.24)) -> tuple[Array, Array]:
    """A reference picture HW3 and a flow angle HW: sky, sun, rolling hills in depth."""
    x, y = sheet_grid()
    picture = ramp(y / (0.62 * HEIGHT) + 0.12 * sheet_noise(rng, 120), sky)
    angle = 0.5 * sheet_noise(rng, 220, 3)
    distance = np.hypot(x - at[0] * WIDTH, y - at[1] * HEIGHT)
    glow = np.exp(-distance / 70)[..., None]
    picture = picture * (1 - glow) + sun * glow
    picture[distance < 34] = sun
    for depth in range(4):
        top = HEIGHT * (0.46 + 0.14 * depth) + 34 * np.sin(x / (60 + 35 * depth) + rng.uniform(0, 6)) + 10 * sheet_noise(rng, 90)
        tone = ramp(np.clip((y - top) / 170 + 0.2 * sheet_noise(rng, 40), 0, 1), land[depth : depth + 3])
        mask = y > top
        picture[mask] = tone[mask]
        slope = np.arctan(np.gradient(top, axis=1)) + 0.3 * sheet_noise(rng, 60, 3)
        angle[mask] = slope[mask]
    return np.clip(picture, 0, 1).astype(np.float32), angle.astype(np.float32)


def swirls(rng: Rng, angle: Array, count: int) -> Array:
    """The angle field with vortices in its upper part."""
    x, y = sheet_grid()
    u, v = np.cos(angle), np.sin(angle)
    for _ in range(count):
        cx, cy, radius = rng.uniform(0, WIDTH), rng.uniform(0, 0.5 * HEIGHT), rng.uniform(40, 110)
        dx, dy = x - cx, y - cy
        weight = 3 * np.exp(-(dx**2 + dy**2) / (2 * radius**2))
        length = np.hypot(dx, dy) + 1
        u, v = u - weight * dy / length, v + weight * dx / length
    return np.arctan2(v, u).astype(np.float32)


def drag(
    rng: Rng, picture: Array, reference: Array, angle: Array, count: int, width: float, length: float, jitter: float, relief: Array
) -> None:
    """Strokes of parallel bristles along the angle field, over `picture` and its relief, in place."""
    for _ in range(count):
        px, py = rng.uniform(0, WIDTH), rng.uniform(0, HEIGHT)
        base = reference[min(int(py), HEIGHT - 1), min(int(px), WIDTH - 1)] + rng.normal(0, jitter, 3)
        points = [(px, py)]
        for _ in range(max(2, int(length / 5))):
            ix, iy = int(np.clip(points[-1][0], 0, WIDTH - 1)), int(np.clip(points[-1][1], 0, HEIGHT - 1))
            points.append((points[-1][0] + 5 * np.cos(angle[iy, ix]), points[-1][1] + 5 * np.sin(angle[iy, ix])))
        line = np.array(points, np.float32)
        ahead = line[-1] - line[0]
        normal = np.array([-ahead[1], ahead[0]], np.float32) / (np.hypot(*ahead) + 1e-6)
        bristles = max(2, int(width / 1.6))
        for offset in np.linspace(-width / 2, width / 2, bristles):
            shade = rng.normal(0, 0.05)
            color = tuple(float(c) for c in np.clip(base + shade, 0, 1))
            path = np.round((line + normal * offset) * 16).astype(np.int32)[None]
            cv2.polylines(picture, path, False, color, 2, cv2.LINE_AA, 4)
            cv2.polylines(relief, path, False, float(0.5 + 3 * shade), 2, cv2.LINE_AA, 4)


def raised(picture: Array, relief: Array, strength: float) -> Array:
    """The picture with its relief lit from the upper left."""
    soft = cv2.GaussianBlur(relief, (0, 0), 0.8)
    slope = cv2.Sobel(soft, cv2.CV_32F, 1, 0) + cv2.Sobel(soft, cv2.CV_32F, 0, 1)
    return np.clip(picture + strength * np.clip(-slope, -1, 1)[..., None], 0, 1)


def painted(rng: Rng, reference: Array, angle: Array, sizes: Sequence[tuple[int, float, float]], jitter: float, relief_strength: float) -> Array:
    """From big brush to small: (count, width, length) each."""
    picture, relief = reference.copy(), np.zeros((HEIGHT, WIDTH), np.float32)
    for count, width, length in sizes:
        drag(rng, picture, reference, angle, count, width, length, jitter, relief)
    return raised(picture, relief, relief_strength)


def sheet_cells(points: Array) -> tuple[Array, Array]:
    """Voronoi: index of the nearest point, and the distance to the border between cells, HW."""
    x, y = sheet_grid()
    index = np.zeros((HEIGHT, WIDTH), np.int32)
    first = np.full((HEIGHT, WIDTH), 1e9, np.float32)
    second = first.copy()
    for number, (px, py) in enumerate(points):
        reach = 150
        x0, x1 = max(0, int(px) - reach), min(WIDTH, int(px) + reach)
        y0, y1 = max(0, int(py) - reach), min(HEIGHT, int(py) + reach)
        distance = np.hypot(x[y0:y1, x0:x1] - px, y[y0:y1, x0:x1] - py)
        f, s = first[y0:y1, x0:x1], second[y0:y1, x0:x1]
        closer = distance < f
        s[:] = np.where(closer, f, np.minimum(s, distance))
        index[y0:y1, x0:x1][closer] = number
        f[closer] = distance[closer]
    return index, (second - first) / 2


def scattered(rng: Rng, spacing: float, jitter: float) -> Array:
    """Points on a jittered grid, N2."""
    ys, xs = np.mgrid[0 : HEIGHT + spacing : spacing, 0 : WIDTH + spacing : spacing]
    points = np.stack([xs.ravel(), ys.ravel()], 1) + rng.normal(0, spacing * jitter, (xs.size, 2))
    return points.astype(np.float32)


def carved(rng: Rng, tone: Array, angle_deg: float, period: float, bend: Array) -> Array:
    """1 where ink stands: lines whose thickness follows the tone (0 dark … 1 light)."""
    x, y = sheet_grid()
    a = np.deg2rad(angle_deg)
    phase = (np.cos(a) * x + np.sin(a) * y) / period * 2 * np.pi + bend
    wobble = 0.18 * sheet_noise(rng, 2 * period)
    return np.clip(((0.5 + 0.5 * np.sin(phase)) - (tone + wobble)) * period * 0.9 + 0.5, 0, 1)


def washes(rng: Rng, paper: Array, colors: Array, layers: int, size_px: float, strength: float) -> Array:
    """Transparent layers with dark edges and granulation, multiplied over paper."""
    sheet = np.broadcast_to(paper, (HEIGHT, WIDTH, 3)).astype(np.float32) * (1 + 0.03 * sheet_noise(rng, 4, 2)[..., None])
    _, y = sheet_grid()
    for layer in range(layers):
        shape = sheet_noise(rng, size_px * rng.uniform(0.4, 1.4)) + 1.2 * np.cos((y / HEIGHT - rng.uniform(0, 1)) * 4)
        cover = np.clip((shape - rng.uniform(0.8, 1.6)) * 9, 0, 1)
        edge = cover - cv2.GaussianBlur(cover, (0, 0), 5)
        depth = cover * (0.55 + 0.25 * sheet_noise(rng, 50)) + 1.3 * np.clip(edge, 0, 1) + 0.10 * cover * sheet_noise(rng, 4, 2)
        depth = np.clip(depth * strength, 0, 1)[..., None]
        sheet = sheet * (1 - depth * (1 - colors[layer % len(colors)]))
    return np.clip(sheet, 0, 1)


def woodcut(rng: Rng) -> Array:
    """Carved lines whose width follows the tone, and one red sun."""
    grey = rgb("303030", "707070", "b0b0b0", "e8e8e8")
    land = rgb("909090", "303030", "c0c0c0", "202020", "808080", "101010")
    ref, angle = landscape(rng, grey, land, rgb("ffffff")[0])
    tone = ref.mean(2)
    bend = 3 * angle + 2.2 * sheet_noise(rng, 90, 3)
    ink = np.maximum(carved(rng, tone, 78, 15, bend), (tone < 0.17).astype(np.float32))
    paper = rgb("efe4cb")[0] + 0.02 * sheet_noise(rng, 5)[..., None]
    x, y = sheet_grid()
    red = (np.hypot(x - 0.72 * WIDTH, y - 0.24 * HEIGHT) < 60).astype(np.float32)[..., None]
    sheet = paper * (1 - red) + rgb("b8261c")[0] * red
    return np.clip(sheet * (1 - ink[..., None]) + rgb("16120f")[0] * ink[..., None], 0, 1)


def inkwash(rng: Rng) -> Array:
    """Wet ink washes with strokes of vermilion."""
    sheet = washes(rng, rgb("efe9dc")[0], rgb("505560", "2a2c33", "8a8d92", "17181c"), 9, 150, 0.62)
    relief = np.zeros((HEIGHT, WIDTH), np.float32)
    dark = np.full((HEIGHT, WIDTH, 3), 0.10, np.float32)
    angle = 1.2 * sheet_noise(rng, 140, 3)
    drag(rng, sheet, dark, angle, 60, 12, 90, 0.006, relief)
    red = np.broadcast_to(rgb("c23a22")[0], (HEIGHT, WIDTH, 3))
    drag(rng, sheet, red, angle, 14, 9, 26, 0.03, relief)
    return np.clip(sheet + 0.03 * sheet_noise(rng, 4, 2)[..., None], 0, 1)


def watercolor(rng: Rng) -> Array:
    """Transparent washes with dark edges and granulation."""
    colors = rgb("6fb1d6", "e7a0a0", "f0cf72", "7cbf8e", "9a86c8", "e88b58", "4f86b8")
    return washes(rng, rgb("fbf8f0")[0], colors, 10, 110, 0.6)


def pointillist(rng: Rng) -> Array:
    """Hills in dots of pure colour."""
    sky = rgb("5a8fd8", "9cc4ea", "f4d9b0", "f7e9c8")
    land = rgb("4f9f5a", "2f7f6a", "8fbf4a", "d8b84a", "3f6fa0", "7a4f8f")
    ref, _ = landscape(rng, sky, land, rgb("fff3b0")[0])
    sheet = np.broadcast_to(rgb("e9dfc9")[0], (HEIGHT, WIDTH, 3)).copy()
    for count, radius in ((9000, 4.6), (15000, 3.3), (12000, 2.3)):
        for px, py in rng.uniform(0, 1, (count, 2)) * (WIDTH - 1, HEIGHT - 1):
            color = ref[int(py), int(px)]
            if rng.uniform() < 0.22:
                color = 1.05 - color[[1, 2, 0]]
            color = np.clip(0.5 + 1.35 * (color - 0.5) + rng.normal(0, 0.10, 3), 0, 1)
            center = (int(px * 16), int(py * 16))
            cv2.circle(sheet, center, int(radius * rng.uniform(0.7, 1.2) * 16), tuple(map(float, color)), -1, cv2.LINE_AA, 4)
    return sheet


def crosshatch(rng: Rng) -> Array:
    """Hills in layers of sepia pen hatching."""
    grey = rgb("808080", "c0c0c0", "e0e0e0", "f8f8f8")
    land = rgb("b0b0b0", "606060", "909090", "404040", "707070", "202020")
    ref, _ = landscape(rng, grey, land, rgb("ffffff")[0])
    tone = ref.mean(2) + 0.06 * sheet_noise(rng, 60)
    ink = np.zeros((HEIGHT, WIDTH), np.float32)
    for number, degrees in enumerate((38, 128, 82, 8)):
        level = np.clip(0.55 + 1.2 * (tone - 0.72 + 0.19 * number), 0.56, 1.2)
        ink = np.maximum(ink, carved(rng, level, degrees, 12, 0.8 * sheet_noise(rng, 70, 3)))
    paper = rgb("f3ead2")[0] + 0.02 * sheet_noise(rng, 5)[..., None]
    ink = (ink * np.clip(0.85 + 0.2 * sheet_noise(rng, 9), 0, 1))[..., None]
    return np.clip(paper * (1 - ink) + rgb("3a2416")[0] * ink, 0, 1)


def pastel(rng: Rng) -> Array:
    """Hills in chalk on toothed paper."""
    sky = rgb("f4b6c8", "cdb4e0", "a8dcd8", "f9e0c8")
    land = rgb("8fc8c0", "b79ad0", "e89aa8", "6fa8b8", "f0c090", "7f7fb8")
    ref, angle = landscape(rng, sky, land, rgb("fff4dc")[0])
    picture = painted(rng, ref, angle + 0.6, [(700, 22, 60), (1500, 13, 40), (1200, 7, 28)], 0.07, 0.05)
    tooth = np.clip(0.55 + 0.8 * sheet_noise(rng, 3.5, 2), 0, 1)[..., None]
    return np.clip(picture * (0.72 + 0.28 * tooth) + (1 - tooth) * 0.24, 0, 1)


def fresco(rng: Rng) -> Array:
    """Hills in earth pigments on cracked plaster."""
    sky = rgb("9fb0a0", "c8b890", "d9c8a0", "b98a5a")
    land = rgb("b0603a", "7a8a60", "c89a5a", "8a4a30", "5f6a58", "6a3a28")
    ref, angle = landscape(rng, sky, land, rgb("f0dca8")[0])
    picture = painted(rng, ref, angle, [(700, 20, 46), (1600, 10, 30)], 0.025, 0.10)
    faded = np.clip(0.5 + 0.5 * sheet_noise(rng, 90), 0, 1)[..., None] * 0.45
    picture = picture * (1 - faded) + rgb("d8c9a6")[0] * faded + 0.05 * sheet_noise(rng, 4, 3)[..., None]
    cracks = np.ones((HEIGHT, WIDTH), np.float32)
    for spacing in (90, 40):
        _, border = sheet_cells(scattered(rng, spacing, 0.3) + rng.normal(0, 1, 2).astype(np.float32))
        x, y = sheet_grid()
        bent = cv2.remap(border, x + 6 * sheet_noise(rng, 24), y + 6 * sheet_noise(rng, 24), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
        cracks *= np.where(bent < (2.2 if spacing > 40 else 1.0), 0.45, 1.0).astype(np.float32)
    return np.clip(picture * cracks[..., None], 0, 1)


def neon(rng: Rng) -> Array:
    """Stirred glowing tubes in the dark."""
    colors = rgb("ff2fb0", "18e8ff", "9bff2f", "7a4bff", "ff7a18")
    light = np.zeros((HEIGHT, WIDTH, 3), np.float32)
    angle = swirls(rng, 1.5 * sheet_noise(rng, 160, 3), 5)
    for number in range(70):
        tube = np.zeros_like(light)
        relief = np.zeros((HEIGHT, WIDTH), np.float32)
        color = np.broadcast_to(colors[number % len(colors)], light.shape)
        drag(rng, tube, color, angle, 3, float(rng.uniform(2, 6)), float(rng.uniform(60, 190)), 0.02, relief)
        light = np.maximum(light, tube)
    glow = cv2.GaussianBlur(light, (0, 0), 5) * 0.9 + cv2.GaussianBlur(light, (0, 0), 18) * 0.8
    core = np.clip(light * 1.1 + 0.35 * (light.max(2, keepdims=True) > 0.6), 0, 1)
    ground = rgb("0a0718")[0] + 0.02 * sheet_noise(rng, 30)[..., None]
    return np.clip(np.maximum(core, ground + glow), 0, 1)
