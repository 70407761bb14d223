"""Paints the style artworks of the built-in presets, from seeds alone: `python presets/art/paint.py [NAME...] [--out DIR]`.

Each picture is a small scene (sky, hills, a sun, water) rendered in one technique, so that its regions vary
while strokes, tesserae, hatching or washes cover the whole sheet at several sizes.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

Field = npt.NDArray[np.float32]
Rng = np.random.Generator
WIDTH, HEIGHT = 640, 512


def hex_colors(*codes: str) -> Field:
    """'#rrggbb' … -> N3 in [0, 1]."""
    return np.array([[int(c[i : i + 2], 16) / 255 for i in (1, 3, 5)] for c in codes], np.float32)


def grid() -> tuple[Field, Field]:
    """Pixel coordinates x, y."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
    return x, y


def fbm(rng: Rng, size_px: float, octaves: int = 5) -> Field:
    """HW smooth noise of zero mean and unit deviation; largest features about `size_px`."""
    total = np.zeros((HEIGHT, WIDTH), np.float32)
    for octave in range(octaves):
        cell = max(2.0, size_px / 2**octave)
        small = rng.standard_normal((int(HEIGHT / cell) + 3, int(WIDTH / cell) + 3)).astype(np.float32)
        total += cv2.resize(small, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC) * 0.55**octave
    return (total - total.mean()) / total.std()


def ramp(value: Field, colors: Field) -> Field:
    """HW in [0, 1] -> HW3 along the colours."""
    place = np.clip(value, 0, 1) * (len(colors) - 1)
    low = np.minimum(place.astype(int), len(colors) - 2)
    part = (place - low)[..., None]
    return colors[low] * (1 - part) + colors[low + 1] * part


def landscape(rng: Rng, sky: Field, land: Field, sun: Field, at: tuple[float, float] = (0.72, 0.24)) -> tuple[Field, Field]:
    """A reference picture HW3 and a flow angle HW: sky, sun, rolling hills in depth."""
    x, y = grid()
    picture = ramp(y / (0.62 * HEIGHT) + 0.12 * fbm(rng, 120), sky)
    angle = 0.5 * fbm(rng, 220, 3)
    distance = np.hypot(x - at[0] * WIDTH, y - at[1] * HEIGHT)
    glow = np.exp(-distance / 70)[..., None]
    picture = picture * (1 - glow) + sun * glow
    picture[distance < 34] = sun
    for depth in range(4):
        top = HEIGHT * (0.46 + 0.14 * depth) + 34 * np.sin(x / (60 + 35 * depth) + rng.uniform(0, 6)) + 10 * fbm(rng, 90)
        tone = ramp(np.clip((y - top) / 170 + 0.2 * fbm(rng, 40), 0, 1), land[depth : depth + 3])
        mask = y > top
        picture[mask] = tone[mask]
        slope = np.arctan(np.gradient(top, axis=1)) + 0.3 * fbm(rng, 60, 3)
        angle[mask] = slope[mask]
    return np.clip(picture, 0, 1).astype(np.float32), angle.astype(np.float32)


def swirls(rng: Rng, angle: Field, count: int) -> Field:
    """The angle field with vortices in its upper part."""
    x, y = grid()
    u, v = np.cos(angle), np.sin(angle)
    for _ in range(count):
        cx, cy, radius = rng.uniform(0, WIDTH), rng.uniform(0, 0.5 * HEIGHT), rng.uniform(40, 110)
        dx, dy = x - cx, y - cy
        weight = 3 * np.exp(-(dx**2 + dy**2) / (2 * radius**2))
        length = np.hypot(dx, dy) + 1
        u, v = u - weight * dy / length, v + weight * dx / length
    return np.arctan2(v, u).astype(np.float32)


def brush(
    rng: Rng, picture: Field, reference: Field, angle: Field, count: int, width: float, length: float, jitter: float, relief: Field
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


def lit(picture: Field, relief: Field, strength: float) -> Field:
    """The picture with its relief lit from the upper left."""
    soft = cv2.GaussianBlur(relief, (0, 0), 0.8)
    slope = cv2.Sobel(soft, cv2.CV_32F, 1, 0) + cv2.Sobel(soft, cv2.CV_32F, 0, 1)
    return np.clip(picture + strength * np.clip(-slope, -1, 1)[..., None], 0, 1)


def painted(rng: Rng, reference: Field, angle: Field, sizes: Sequence[tuple[int, float, float]], jitter: float, relief_strength: float) -> Field:
    """From big brush to small: (count, width, length) each."""
    picture, relief = reference.copy(), np.zeros((HEIGHT, WIDTH), np.float32)
    for count, width, length in sizes:
        brush(rng, picture, reference, angle, count, width, length, jitter, relief)
    return lit(picture, relief, relief_strength)


def cells(points: Field) -> tuple[npt.NDArray[np.int32], Field]:
    """Voronoi: index of the nearest point, and the distance to the border between cells, HW."""
    x, y = grid()
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


def scattered(rng: Rng, spacing: float, jitter: float) -> Field:
    """Points on a jittered grid, N2."""
    ys, xs = np.mgrid[0 : HEIGHT + spacing : spacing, 0 : WIDTH + spacing : spacing]
    points = np.stack([xs.ravel(), ys.ravel()], 1) + rng.normal(0, spacing * jitter, (xs.size, 2))
    return points.astype(np.float32)


def tiles(rng: Rng, reference: Field, spacing: float, jitter: float, variation: float) -> tuple[Field, Field, Field]:
    """One colour a cell: HW3, the border distance, and a random value a cell HW."""
    points = scattered(rng, spacing, jitter)
    index, border = cells(points)
    at = np.clip(points.astype(int), 0, [WIDTH - 1, HEIGHT - 1])
    colors = np.clip(reference[at[:, 1], at[:, 0]] + rng.normal(0, variation, (len(points), 3)), 0, 1).astype(np.float32)
    chance = rng.uniform(0, 1, len(points)).astype(np.float32)
    return colors[index], border, chance[index]


def nightswirl(rng: Rng) -> Field:
    sky = hex_colors("#0b1a4a", "#17398c", "#3f74c4", "#8fb6d8")
    land = hex_colors("#2c4f74", "#1c3550", "#16324a", "#0e1f33", "#24402f", "#0a141f")
    ref, angle = landscape(rng, sky, land, hex_colors("#ffe27a")[0])
    x, y = grid()
    for _ in range(9):
        cx, cy, r = rng.uniform(20, 620), rng.uniform(15, 220), rng.uniform(7, 15)
        halo = np.exp(-np.hypot(x - cx, y - cy) / (2.2 * r))[..., None]
        ref = ref * (1 - halo) + hex_colors("#fff0a8")[0] * halo
    angle = swirls(rng, angle, 9)
    return painted(rng, ref, angle, [(900, 16, 70), (2200, 9, 46), (3200, 5, 30)], 0.07, 0.30)


def sunfield(rng: Rng) -> Field:
    sky = hex_colors("#f2b63c", "#f7d774", "#bcd6c4", "#f3e3a1")
    land = hex_colors("#9aa03a", "#d8a92e", "#c9812a", "#e6b93c", "#6f7f2d", "#7a4a1d")
    ref, angle = landscape(rng, sky, land, hex_colors("#fff6c9")[0])
    return painted(rng, ref, angle + 0.9 * (fbm(rng, 30) > 0), [(900, 14, 30), (3000, 7, 20), (3500, 4, 14)], 0.09, 0.34)


def mosaic(rng: Rng) -> Field:
    sky = hex_colors("#1f6f9f", "#3fa7c9", "#9ed8d8", "#f0e0b0")
    land = hex_colors("#c8903a", "#2f8f6f", "#d9b45a", "#8f2f2f", "#1f4f5f", "#b85a2f")
    ref, _ = landscape(rng, sky, land, hex_colors("#ffd24a")[0])
    color, border, chance = tiles(rng, ref, 13, 0.16, 0.08)
    color = np.clip(color * (0.8 + 0.4 * chance[..., None]) + 0.04 * fbm(rng, 6)[..., None], 0, 1)
    shine = np.clip(border / 5, 0, 1)[..., None]
    return np.where(border[..., None] < 1.1, hex_colors("#d8d0bd")[0] * 0.75, color * (0.75 + 0.3 * shine))


def stainedglass(rng: Rng) -> Field:
    sky = hex_colors("#1a2f9f", "#2f6fd0", "#7f3fb0", "#e0a030")
    land = hex_colors("#0f8f5f", "#d02f3f", "#f0b020", "#2f5fd0", "#8f1f6f", "#0f6f4f")
    ref, _ = landscape(rng, sky, land, hex_colors("#ffe060")[0])
    color, border, chance = tiles(rng, ref, 52, 0.28, 0.16)
    glow = np.clip(border / 22, 0, 1)[..., None]
    glass = color * (0.55 + 0.6 * glow) + 0.10 * chance[..., None] + 0.05 * fbm(rng, 18)[..., None]
    lead = np.clip(1 - (border - 2.2), 0, 1)[..., None]
    return np.clip(glass * (1 - lead) + 0.05 * lead, 0, 1)


def carved(rng: Rng, tone: Field, angle_deg: float, period: float, bend: Field) -> Field:
    """1 where ink stands: lines whose thickness follows the tone (0 dark … 1 light)."""
    x, y = grid()
    a = np.deg2rad(angle_deg)
    phase = (np.cos(a) * x + np.sin(a) * y) / period * 2 * np.pi + bend
    wobble = 0.18 * fbm(rng, 14)
    return np.clip(((0.5 + 0.5 * np.sin(phase)) - (tone + wobble)) * period * 0.9 + 0.5, 0, 1)


def woodcut(rng: Rng) -> Field:
    grey = hex_colors("#303030", "#707070", "#b0b0b0", "#e8e8e8")
    land = hex_colors("#909090", "#303030", "#c0c0c0", "#202020", "#808080", "#101010")
    ref, angle = landscape(rng, grey, land, hex_colors("#ffffff")[0])
    tone = ref.mean(2)
    bend = 5 * angle + 2.2 * fbm(rng, 90, 3)
    ink = np.maximum(carved(rng, tone, 78, 9, bend), (tone < 0.17).astype(np.float32))
    paper = hex_colors("#efe4cb")[0] + 0.02 * fbm(rng, 5)[..., None]
    x, y = grid()
    red = (np.hypot(x - 0.72 * WIDTH, y - 0.24 * HEIGHT) < 60).astype(np.float32)[..., None]
    sheet = paper * (1 - red) + hex_colors("#b8261c")[0] * red
    return np.clip(sheet * (1 - ink[..., None]) + hex_colors("#16120f")[0] * ink[..., None], 0, 1)


def washes(rng: Rng, paper: Field, colors: Field, layers: int, size_px: float, strength: float) -> Field:
    """Transparent layers with dark edges and granulation, multiplied over paper."""
    sheet = np.broadcast_to(paper, (HEIGHT, WIDTH, 3)).astype(np.float32) * (1 + 0.03 * fbm(rng, 4, 2)[..., None])
    _, y = grid()
    for layer in range(layers):
        shape = fbm(rng, size_px * rng.uniform(0.4, 1.4)) + 1.2 * np.cos((y / HEIGHT - rng.uniform(0, 1)) * 4)
        cover = np.clip((shape - rng.uniform(0.8, 1.6)) * 9, 0, 1)
        edge = cover - cv2.GaussianBlur(cover, (0, 0), 5)
        depth = cover * (0.55 + 0.25 * fbm(rng, 50)) + 1.3 * np.clip(edge, 0, 1) + 0.10 * cover * fbm(rng, 4, 2)
        depth = np.clip(depth * strength, 0, 1)[..., None]
        sheet = sheet * (1 - depth * (1 - colors[layer % len(colors)]))
    return np.clip(sheet, 0, 1)


def inkwash(rng: Rng) -> Field:
    sheet = washes(rng, hex_colors("#efe9dc")[0], hex_colors("#505560", "#2a2c33", "#8a8d92", "#17181c"), 9, 150, 0.62)
    relief = np.zeros((HEIGHT, WIDTH), np.float32)
    dark = np.full((HEIGHT, WIDTH, 3), 0.10, np.float32)
    angle = 1.2 * fbm(rng, 140, 3)
    brush(rng, sheet, dark, angle, 60, 12, 90, 0.006, relief)
    red = np.broadcast_to(hex_colors("#c23a22")[0], (HEIGHT, WIDTH, 3))
    brush(rng, sheet, red, angle, 14, 9, 26, 0.03, relief)
    return np.clip(sheet + 0.03 * fbm(rng, 4, 2)[..., None], 0, 1)


def watercolor(rng: Rng) -> Field:
    colors = hex_colors("#6fb1d6", "#e7a0a0", "#f0cf72", "#7cbf8e", "#9a86c8", "#e88b58", "#4f86b8")
    return washes(rng, hex_colors("#fbf8f0")[0], colors, 24, 150, 0.6)


def pointillist(rng: Rng) -> Field:
    sky = hex_colors("#5a8fd8", "#9cc4ea", "#f4d9b0", "#f7e9c8")
    land = hex_colors("#4f9f5a", "#2f7f6a", "#8fbf4a", "#d8b84a", "#3f6fa0", "#7a4f8f")
    ref, _ = landscape(rng, sky, land, hex_colors("#fff3b0")[0])
    sheet = np.broadcast_to(hex_colors("#e9dfc9")[0], (HEIGHT, WIDTH, 3)).copy()
    for count, radius in ((9000, 4.6), (15000, 3.3), (12000, 2.3)):
        for px, py in rng.uniform(0, 1, (count, 2)) * (WIDTH - 1, HEIGHT - 1):
            color = ref[int(py), int(px)]
            if rng.uniform() < 0.22:
                color = 1.05 - color[[1, 2, 0]]
            color = np.clip(0.5 + 1.35 * (color - 0.5) + rng.normal(0, 0.10, 3), 0, 1)
            center = (int(px * 16), int(py * 16))
            cv2.circle(sheet, center, int(radius * rng.uniform(0.7, 1.2) * 16), tuple(map(float, color)), -1, cv2.LINE_AA, 4)
    return sheet


def crosshatch(rng: Rng) -> Field:
    grey = hex_colors("#808080", "#c0c0c0", "#e0e0e0", "#f8f8f8")
    land = hex_colors("#b0b0b0", "#606060", "#909090", "#404040", "#707070", "#202020")
    ref, _ = landscape(rng, grey, land, hex_colors("#ffffff")[0])
    tone = ref.mean(2) + 0.06 * fbm(rng, 60)
    ink = np.zeros((HEIGHT, WIDTH), np.float32)
    for number, degrees in enumerate((38, 128, 82, 8)):
        level = np.clip(0.55 + 1.2 * (tone - 0.72 + 0.19 * number), 0.30, 1.2)
        ink = np.maximum(ink, carved(rng, level, degrees, 6.5, 0.8 * fbm(rng, 70, 3)))
    paper = hex_colors("#f3ead2")[0] + 0.02 * fbm(rng, 5)[..., None]
    ink = (ink * np.clip(0.85 + 0.2 * fbm(rng, 9), 0, 1))[..., None]
    return np.clip(paper * (1 - ink) + hex_colors("#3a2416")[0] * ink, 0, 1)


def pastel(rng: Rng) -> Field:
    sky = hex_colors("#f4b6c8", "#cdb4e0", "#a8dcd8", "#f9e0c8")
    land = hex_colors("#8fc8c0", "#b79ad0", "#e89aa8", "#6fa8b8", "#f0c090", "#7f7fb8")
    ref, angle = landscape(rng, sky, land, hex_colors("#fff4dc")[0])
    picture = painted(rng, ref, angle + 0.6, [(700, 22, 60), (1500, 13, 40), (1200, 7, 28)], 0.07, 0.05)
    tooth = np.clip(0.55 + 0.8 * fbm(rng, 3.5, 2), 0, 1)[..., None]
    return np.clip(picture * (0.72 + 0.28 * tooth) + (1 - tooth) * 0.24, 0, 1)


def cubist(rng: Rng) -> Field:
    sky = hex_colors("#8c7a5a", "#c2a878", "#5f6b73", "#d9cba8")
    land = hex_colors("#a5793f", "#4a4f55", "#c9a26a", "#6b4a2a", "#8a8f8f", "#3a2f26")
    ref, _ = landscape(rng, sky, land, hex_colors("#efe2c0")[0])
    picture = ref.copy()
    for _ in range(340):
        center = rng.uniform(0, 1, 2) * (WIDTH, HEIGHT)
        size, turn = rng.uniform(18, 95), rng.uniform(0, 6.28)
        corners = turn + np.sort(rng.uniform(0, 6.28, rng.integers(3, 5)))
        shape = (center + size * np.stack([np.cos(corners), np.sin(corners)], 1)).astype(np.int32)
        mask = np.zeros((HEIGHT, WIDTH), np.float32)
        cv2.fillPoly(mask, [shape], 1.0, cv2.LINE_AA)
        x0, y0, w, h = cv2.boundingRect(shape)
        x0, y0, x1, y1 = max(0, x0), max(0, y0), min(WIDTH, x0 + w), min(HEIGHT, y0 + h)
        if x1 <= x0 or y1 <= y0:
            continue
        gy, gx = np.mgrid[y0:y1, x0:x1].astype(np.float32)
        shade = 0.30 * ((gx - center[0]) * np.cos(turn) + (gy - center[1]) * np.sin(turn)) / size
        color = ref[int(np.clip(center[1], 0, HEIGHT - 1)), int(np.clip(center[0], 0, WIDTH - 1))] + rng.normal(0, 0.10, 3)
        part = mask[y0:y1, x0:x1, None] * 0.88
        picture[y0:y1, x0:x1] = picture[y0:y1, x0:x1] * (1 - part) + (color + shade[..., None]) * part
        cv2.polylines(picture, [shape], True, (0.12, 0.10, 0.09), 2 if size > 45 else 1, cv2.LINE_AA)
    grain = fbm(rng, 5, 2) * 0.035 + fbm(rng, 16) * 0.03
    return np.clip(picture + grain[..., None], 0, 1).astype(np.float32)


def wave(rng: Rng) -> Field:
    x, y = grid()
    blues = hex_colors("#10284f", "#1f4f86", "#5f93b8", "#b9d3d6", "#f0ead6")
    picture = ramp(y / HEIGHT * 0.9 + 0.03 * fbm(rng, 8), hex_colors("#c8c0a4", "#eadfc2", "#f1e8d0"))
    ink = hex_colors("#0d1b33")[0]
    for row in range(7):
        base = HEIGHT * (0.30 + 0.11 * row)
        shift = rng.uniform(0, 6)
        crest = base - 46 * np.abs(np.sin(x / 95 + shift)) ** 0.6 - 16 * np.sin(x / 37 + 2 * shift) - 5 * np.sin(x / 11)
        depth = y - crest
        bands = 0.5 + 0.5 * np.sin(depth / 6.5 + 1.6 * np.sin(x / 95 + shift) + 0.4 * fbm(rng, 60))
        body = ramp(np.clip(0.15 + 0.65 * np.round(bands * 3) / 3 - depth / 420, 0, 1), blues[:4])
        foam = (depth < 9 + 5 * np.sin(x / 5.0 + shift) * np.sin(x / 13.0))[..., None]
        body = np.where(foam, blues[4], body)
        outline = (np.abs(depth) < 1.8) | (np.abs(depth - 9 - 5 * np.sin(x / 5.0 + shift) * np.sin(x / 13.0)) < 1.1)
        body = np.where(outline[..., None], ink, body)
        picture = np.where((depth > -1.8)[..., None], body, picture)
    grain = 0.03 * np.sin(y / 1.7 + 3 * fbm(rng, 120, 3)) + 0.015 * fbm(rng, 4, 2)
    return np.clip(picture + grain[..., None], 0, 1)


def fresco(rng: Rng) -> Field:
    sky = hex_colors("#9fb0a0", "#c8b890", "#d9c8a0", "#b98a5a")
    land = hex_colors("#b0603a", "#7a8a60", "#c89a5a", "#8a4a30", "#5f6a58", "#6a3a28")
    ref, angle = landscape(rng, sky, land, hex_colors("#f0dca8")[0])
    picture = painted(rng, ref, angle, [(700, 20, 46), (1600, 10, 30)], 0.06, 0.10)
    faded = np.clip(0.5 + 0.5 * fbm(rng, 90), 0, 1)[..., None] * 0.45
    picture = picture * (1 - faded) + hex_colors("#d8c9a6")[0] * faded + 0.05 * fbm(rng, 4, 3)[..., None]
    cracks = np.ones((HEIGHT, WIDTH), np.float32)
    for spacing in (44, 17):
        _, border = cells(scattered(rng, spacing, 0.3) + rng.normal(0, 1, 2).astype(np.float32))
        x, y = grid()
        bent = cv2.remap(border, x + 5 * fbm(rng, 20), y + 5 * fbm(rng, 20), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
        cracks *= np.where(bent < (0.9 if spacing > 20 else 0.45), 0.45, 1.0).astype(np.float32)
    return np.clip(picture * cracks[..., None], 0, 1)


def neon(rng: Rng) -> Field:
    colors = hex_colors("#ff2fb0", "#18e8ff", "#9bff2f", "#7a4bff", "#ff7a18")
    light = np.zeros((HEIGHT, WIDTH, 3), np.float32)
    angle = swirls(rng, 1.5 * fbm(rng, 160, 3), 5)
    for number in range(70):
        tube = np.zeros_like(light)
        relief = np.zeros((HEIGHT, WIDTH), np.float32)
        color = np.broadcast_to(colors[number % len(colors)], light.shape)
        brush(rng, tube, color, angle, 3, float(rng.uniform(2, 6)), float(rng.uniform(60, 190)), 0.02, relief)
        light = np.maximum(light, tube)
    glow = cv2.GaussianBlur(light, (0, 0), 5) * 0.9 + cv2.GaussianBlur(light, (0, 0), 18) * 0.8
    core = np.clip(light * 1.1 + 0.35 * (light.max(2, keepdims=True) > 0.6), 0, 1)
    ground = hex_colors("#0a0718")[0] + 0.02 * fbm(rng, 30)[..., None]
    return np.clip(np.maximum(core, ground + glow), 0, 1)


PAINTINGS: dict[str, Callable[[Rng], Field]] = {
    painting.__name__: painting
    for painting in (
        nightswirl, sunfield, mosaic, stainedglass, woodcut, inkwash, watercolor,
        pointillist, crosshatch, pastel, cubist, wave, fresco, neon,
    )
}  # fmt: skip


def main() -> None:
    """Paint the named pictures, or all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(PAINTINGS))
    parser.add_argument("--out", type=Path, default=Path(__file__).parent)
    args = parser.parse_args()
    cv2.setNumThreads(1)
    for number, (name, painting) in enumerate(PAINTINGS.items()):
        if not args.names or name in args.names:
            picture = np.rint(painting(np.random.default_rng([7, number])) * 255).astype(np.uint8)
            target = args.out / f"{name}.jpg"
            cv2.imwrite(str(target), picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 88])
            print(target)


if __name__ == "__main__":
    main()
