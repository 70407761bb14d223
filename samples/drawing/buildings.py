"""Houses with depth: plastered and brick fronts, reveals, frames, sills, shutters, doors, shops and roofs. One unit is 1 m."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np

from . import meshes
from .meshes import Mesh
from .noise import Array, fbm, flat, mix, rgb, smoothstep

CELL = 0.06
Rectangle = tuple[float, float, float, float]


@dataclass
class Built:
    """The parts of houses by material, and the panes of lit windows by how bright they are."""

    walls: list[Mesh] = field(default_factory=list)
    trim: list[Mesh] = field(default_factory=list)
    panes: list[Mesh] = field(default_factory=list)
    lit: dict[int, list[Mesh]] = field(default_factory=dict)

    def placed(self, turn: float, at: Sequence[float]) -> Built:
        """Turned about the vertical and moved."""

        def put(parts: list[Mesh]) -> list[Mesh]:
            return [part.turned(1, turn).moved(at) for part in parts]

        return Built(
            put(self.walls), put(self.trim), put(self.panes), {k: put(v) for k, v in self.lit.items()}
        )

    def add(self, other: Built) -> None:
        """Take in another's parts."""
        self.walls += other.walls
        self.trim += other.trim
        self.panes += other.panes
        for level, parts in other.lit.items():
            self.lit.setdefault(level, []).extend(parts)


@dataclass(frozen=True)
class Style:
    """What a house looks like."""

    width: float
    storeys: int
    color: Array
    brick: bool = False
    shutters: Array | None = None
    shop: str = ""
    awning: Array | None = None
    floor: float = 3.1
    roof: Array = field(default_factory=lambda: rgb(0.24, 0.10, 0.06))

    @property
    def height(self) -> float:
        return 0.7 + self.floor * self.storeys


def _plaster(x: Array, y: Array, style: Style, holes: Sequence[Rectangle], seed: int) -> Array:
    """Colour of a rendered wall, blotched, streaked below the sills, damp at its foot."""
    place = flat(x, y)
    color = (
        style.color
        * (1 + 0.10 * fbm(place, seed, 4, 0.6, 2.5) + 0.07 * fbm(place, seed + 1, 4, 0.7, 0.4))[..., None]
    )
    streaks = np.clip(fbm(flat(x * 6, y * 0.35), seed + 2, 4, 0.6, 1.0), 0, 1)
    stain = np.zeros_like(x)
    for x0, x1, y0, _ in holes:
        beside = smoothstep(0.35, 0.0, np.abs(x - np.clip(x, x0 - 0.1, x1 + 0.1)))
        stain = np.maximum(stain, beside * np.where(y < y0, np.exp(-(y0 - y) / 0.8), 0))
    color = mix(color, style.color * 0.42, np.clip(stain * (0.25 + streaks), 0, 0.8))
    damp = np.exp(-np.clip(y, 0, None) / 0.5) * np.clip(0.6 + 0.7 * fbm(place, seed + 3, 4, scale=0.8), 0, 1)
    color = mix(color, rgb(0.13, 0.12, 0.10), 0.75 * damp)
    bald = smoothstep(0.42, 0.50, fbm(place, seed + 4, 5, 0.55, 1.7) - 0.03 * y)
    return mix(
        color, rgb(0.30, 0.22, 0.16) * (1 + 0.25 * fbm(place, seed + 5, 3, scale=0.15))[..., None], 0.8 * bald
    )


def _bricks(x: Array, y: Array, style: Style, seed: int) -> tuple[Array, Array]:
    """Colour of brickwork, and where the mortar is."""
    row = np.floor(y / 0.12)
    along = x / 0.36 + 0.5 * (row % 2)
    brick = np.floor(along)
    mortar = np.maximum(
        smoothstep(0.42, 0.5, np.abs(along - brick - 0.5)),
        smoothstep(0.36, 0.5, np.abs(y / 0.12 - row - 0.5)),
    )
    tone = fbm(flat(brick * 3.7, row * 5.3), seed, 1)
    color = style.color * (1 + 0.35 * tone + 0.12 * fbm(flat(x, y), seed + 1, 4, scale=0.8))[..., None]
    color = mix(color, rgb(0.30, 0.27, 0.23), 0.6 * mortar)
    return mix(color, rgb(0.09, 0.08, 0.075), 0.6 * np.exp(-np.clip(y, 0, None) / 0.6)), mortar


def front(style: Style, holes: Sequence[Rectangle], seed: int, cell: float = CELL) -> Mesh:
    """The wall between the openings, in the plane z = 0, facing +z."""
    xs, ys = (
        _lines(style.width, cell, [v for h in holes for v in h[:2]]),
        _lines(style.height, cell, [v for h in holes for v in h[2:]]),
    )
    x, y = np.meshgrid(xs, ys)
    if style.brick:
        color, mortar = _bricks(x, y, style, seed)
        relief = -0.012 * mortar
    else:
        color, relief = _plaster(x, y, style, holes, seed), 0.012 * fbm(flat(x, y), seed + 8, 5, 0.6, 0.9)
    wall = meshes.sheet(flat(x, y, relief)).painted(color.reshape(-1, 3))
    centers = wall.vertices[wall.faces].mean(1)
    inside = np.zeros(len(centers), bool)
    for x0, x1, y0, y1 in holes:
        inside |= (centers[:, 0] > x0) & (centers[:, 0] < x1) & (centers[:, 1] > y0) & (centers[:, 1] < y1)
    return Mesh(wall.vertices, wall.faces[~inside][:, ::-1], wall.colors)


def _lines(length: float, cell: float, through: Sequence[float]) -> Array:
    """Grid lines about `cell` apart, some of them exactly at the edges of openings."""
    lines = np.linspace(0, length, int(length / cell) + 1)
    for value in through:
        if 0 < value < length:
            lines[np.argmin(np.abs(lines - value))] = value
    return np.unique(lines).astype(np.float32)


def window(hole: Rectangle, style: Style, rng: np.random.Generator, lit: float) -> Built:
    """A sash window in its reveal: frame, bars, sill, curtain or glow, and shutters."""
    x0, x1, y0, y1 = hole
    built, deep, paint = Built(), 0.22, rgb(0.62, 0.60, 0.55) * rng.uniform(0.75, 1.1)
    reveal = style.color * 0.9
    built.trim += [
        meshes.box((x0 - 0.002, y0, -deep), (x0 + 0.02, y1, 0.004), reveal), meshes.box((x1 - 0.02, y0, -deep), (x1 + 0.002, y1, 0.004), reveal),
        meshes.box((x0, y1 - 0.02, -deep), (x1, y1 + 0.002, 0.004), reveal),
        meshes.box((x0 - 0.12, y0 - 0.09, -deep), (x1 + 0.12, y0, 0.11), rgb(0.42, 0.40, 0.36)),
        meshes.box((x0 - 0.10, y1, -0.02), (x1 + 0.10, y1 + 0.16, 0.05), rgb(0.42, 0.40, 0.36)),
    ]  # fmt: skip
    back = -deep + 0.02
    bars = [
        (x0, x0 + 0.07, y0, y1),
        (x1 - 0.07, x1, y0, y1),
        (x0, x1, y0, y0 + 0.08),
        (x0, x1, y1 - 0.07, y1),
    ]
    middle, cross = (x0 + x1) / 2, y0 + 0.62 * (y1 - y0)
    bars += [(middle - 0.03, middle + 0.03, y0, y1), (x0, x1, cross - 0.03, cross + 0.03)]
    built.trim += [meshes.box((a, c, back), (b, d, back + 0.06), paint) for a, b, c, d in bars]
    pane = meshes.polygons(
        [[(x0, y0, back + 0.015), (x1, y0, back + 0.015), (x1, y1, back + 0.015), (x0, y1, back + 0.015)]]
    )
    if rng.uniform() < lit:
        built.add(_glow(hole, back + 0.015, rng))
    else:
        tilt = rng.uniform(-0.02, 0.02, 2)
        pane = pane.bent(
            lambda p: p + flat(0 * p[:, 0], 0 * p[:, 0], tilt[0] * (p[:, 0] - x0) + tilt[1] * (p[:, 1] - y0))
        )
        built.panes.append(pane.painted(rgb(0.012, 0.014, 0.017)))
        if rng.uniform() < 0.55:
            left, right = x0 + (x1 - x0) * rng.uniform(0.18, 0.34), x1 - (x1 - x0) * rng.uniform(0.18, 0.34)
            tone = rgb(0.36, 0.34, 0.30) * rng.uniform(0.5, 1.0)
            for a, b in ((x0, left), (right, x1)):
                built.panes.append(
                    meshes.polygons(
                        [
                            [
                                (a, y0, back + 0.04),
                                (b, y0, back + 0.04),
                                (b, y1, back + 0.04),
                                (a, y1, back + 0.04),
                            ]
                        ],
                        tone,
                    )
                )
    if style.shutters is not None and y0 > 2.5:
        built.trim += _shutters(hole, style.shutters * rng.uniform(0.85, 1.1), rng)
    return built


def _glow(hole: Rectangle, z: float, rng: np.random.Generator) -> Built:
    """A window with light behind it: a bright middle between the folds of curtains, dimmer at the top."""
    x0, x1, y0, y1 = hole
    built, base, columns, rows = Built(), int(rng.integers(0, 3)), 14, 5
    part = rng.uniform(0.15, 0.4)
    for column in range(columns):
        curtain = not part < (column + 0.5) / columns < 1 - part
        for row in range(rows):
            level = (
                base + (1 if row < 3 else 0) + (1 + column % 2 if curtain else 0) + int(rng.integers(0, 2))
            )
            a, b = (x0 + (x1 - x0) * (column + k) / columns for k in (0, 1))
            c, d = (y0 + (y1 - y0) * (row + k) / rows for k in (0, 1))
            built.lit.setdefault(min(level, 5), []).append(
                meshes.polygons([[(a, c, z), (b, c, z), (b, d, z), (a, d, z)]])
            )
    return built


def _shutters(hole: Rectangle, color: Array, rng: np.random.Generator) -> list[Mesh]:
    """Louvred, folded back against the wall, not quite flat."""
    x0, x1, y0, y1 = hole
    half, parts = (x1 - x0) / 2, []
    for left in (True, False):
        leaf = [meshes.box((0, 0, 0), (half, y1 - y0, 0.02), color * 0.7)]
        leaf += [
            meshes.box((a, 0, 0), (b, y1 - y0, 0.05), color) for a, b in ((0, 0.06), (half - 0.06, half))
        ]
        leaf += [meshes.box((0, y, 0), (half, y + 0.055, 0.045), color) for y in np.arange(0, y1 - y0, 0.085)]
        whole = meshes.joined(leaf).turned(1, -rng.uniform(3, 14))
        if left:
            whole = whole.scaled((-1, 1, 1))
            whole = Mesh(whole.vertices, whole.faces[:, ::-1], whole.colors)
        parts.append(whole.moved((x0 if left else x1, y0, 0.03)))
    return parts


def door(hole: Rectangle, color: Array) -> Built:
    """A panelled door over a step, with a light above it."""
    x0, x1, y0, y1 = hole
    built = Built()
    built.trim += [meshes.box((x0, y0, -0.3), (x1, y1, -0.22), color)]
    for a, b in ((0.10, 0.46), (0.54, 0.90)):
        for c, d in ((0.06, 0.34), (0.40, 0.74)):
            w, h = x1 - x0, y1 - y0
            built.trim.append(
                meshes.box((x0 + a * w, y0 + c * h, -0.22), (x0 + b * w, y0 + d * h, -0.195), color * 1.25)
            )
    built.panes.append(
        meshes.polygons(
            [
                [
                    (x0 + 0.1, y1 - 0.45, -0.2),
                    (x1 - 0.1, y1 - 0.45, -0.2),
                    (x1 - 0.1, y1 - 0.08, -0.2),
                    (x0 + 0.1, y1 - 0.08, -0.2),
                ]
            ],
            rgb(0.02, 0.02, 0.025),
        )
    )
    built.trim += [
        meshes.box((x0 - 0.18, -0.02, -0.3), (x1 + 0.18, y0, 0.32), rgb(0.34, 0.33, 0.31)),
        meshes.box((x0 - 0.16, y0, -0.3), (x0, y1 + 0.16, 0.05), rgb(0.42, 0.40, 0.36)), meshes.box((x1, y0, -0.3), (x1 + 0.16, y1 + 0.16, 0.05), rgb(0.42, 0.40, 0.36)),
        meshes.box((x0 - 0.22, y1, -0.3), (x1 + 0.22, y1 + 0.2, 0.14), rgb(0.42, 0.40, 0.36)), meshes.ball((x1 - 0.14, y0 + 1.0, -0.17), 0.04, rgb(0.45, 0.32, 0.1), 12),
    ]  # fmt: skip
    return built


def lettering(text: str, width: float, height: float, ground: Array, ink: Array) -> Mesh:
    """A painted board, fine enough for its letters, in the plane z = 0."""
    columns, rows = 560, max(40, int(560 * height / width))
    board = np.zeros((rows * 4, columns * 4), np.uint8)
    scale = 1.0
    while (
        cv2.getTextSize(text, cv2.FONT_HERSHEY_COMPLEX, scale, int(4 * scale))[0][0] < columns * 3.4
        and scale < rows * 4 / 36
    ):
        scale *= 1.03
    size, _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_COMPLEX, scale, int(4 * scale))
    cv2.putText(
        board,
        text,
        ((columns * 4 - size[0]) // 2, (rows * 4 + size[1]) // 2),
        cv2.FONT_HERSHEY_COMPLEX,
        scale,
        255,
        int(4 * scale),
        cv2.LINE_AA,
    )
    cv2.rectangle(board, (24, 24), (columns * 4 - 25, rows * 4 - 25), 200, 8)
    mask = cv2.resize(board, (columns, rows), interpolation=cv2.INTER_AREA)[::-1].astype(np.float32) / 255
    x, y = np.meshgrid(np.linspace(0, width, columns), np.linspace(0, height, rows))
    worn = np.clip(0.92 + 0.25 * fbm(flat(x, y), len(text) + 61, 5, 0.7, 0.6), 0, 1.1)
    face = meshes.sheet(flat(x, y)).painted((mix(ground, ink, mask * 0.95) * worn[..., None]).reshape(-1, 3))
    return Mesh(face.vertices, face.faces[:, ::-1], face.colors)


def shop(style: Style, holes: Sequence[Rectangle], rng: np.random.Generator, lit: bool) -> Built:
    """A shop front: display windows, sign board and awning."""
    built, width = Built(), style.width
    tone = rgb(0.05, 0.10, 0.09) if style.awning is None else style.awning * 0.35
    for x0, x1, y0, y1 in holes:
        pane = meshes.polygons([[(x0, y0, -0.12), (x1, y0, -0.12), (x1, y1, -0.12), (x0, y1, -0.12)]])
        if lit:
            built.lit.setdefault(4, []).append(pane)
        else:
            built.panes.append(pane.painted(rgb(0.02, 0.018, 0.016)))
        built.trim += [meshes.box((x0 - 0.1, y0 - 0.1, -0.14), (x1 + 0.1, y0, 0.08), tone * 1.2)]
        built.trim += [
            meshes.box((x - 0.05, y0, -0.14), (x + 0.05, y1, 0.03), tone) for x in np.linspace(x0, x1, 4)
        ]
        for x in np.arange(x0 + 0.25, x1 - 0.2, 0.28):
            h = float(rng.uniform(0.2, 0.75))
            built.trim.append(
                meshes.box(
                    (x, y0, -0.11), (x + 0.2, y0 + h, -0.09), rng.uniform(0.08, 0.45, 3).astype(np.float32)
                )
            )
    board = lettering(style.shop, width - 1.2, 0.52, tone, rgb(0.62, 0.52, 0.28))
    built.walls.append(board.moved((0.6, 2.86, 0.13)))
    built.trim.append(meshes.box((0.55, 2.83, 0), (width - 0.55, 3.41, 0.12), tone * 0.9))
    if style.awning is not None:
        built.walls.append(_awning(style.awning, width - 1.0).moved((0.5, 2.78, 0.12)))
    return built


def _awning(color: Array, width: float) -> Mesh:
    """Striped canvas that sags a little between its arms, with a scalloped edge."""
    x, t = np.meshgrid(np.linspace(0, width, 320), np.linspace(0, 1.16, 80))
    over = np.clip(t - 1, 0, None)
    z = np.minimum(t, 1) * 1.25
    scallop = 1 + 0.5 * np.abs(np.sin(x * np.pi / 0.3))
    y = (
        -0.62 * np.minimum(t, 1) ** 1.1
        - 0.05 * np.sin(np.pi * np.minimum(t, 1))
        - 1.1 * over * scallop
        + 0.012 * np.sin(9 * x)
    )
    stripe = smoothstep(-0.15, 0.15, np.sin(x * 2 * np.pi / 0.6))
    canvas = (
        mix(color, rgb(0.62, 0.58, 0.50), stripe) * (1 + 0.1 * fbm(flat(x, t), 67, 4, scale=0.7))[..., None]
    )
    return meshes.sheet(flat(x, y, z)).painted(canvas.reshape(-1, 3))


def house(style: Style, seed: int, lit: float = 0.0) -> Built:
    """A whole front, its roof, and the sides that hide what is behind."""
    rng = np.random.default_rng([21, seed])
    built, count = Built(), max(2, round(style.width / 2.3))
    pitch = style.width / count
    wide, tall = 1.02 + 0.1 * rng.uniform(-1, 1), 1.75
    windows, below = [], []
    for storey in range(style.storeys):
        for column in range(count):
            x = (column + 0.5) * pitch
            y = 0.7 + style.floor * storey + 0.55
            windows.append((storey, (x - wide / 2, x + wide / 2, y, y + tall)))
    entrance = int(rng.integers(0, count))
    if style.shop:
        below = [(0.7, style.width - 2.0, 0.75, 2.6)]
        way = (style.width - 1.75, style.width - 0.7, 0.16, 2.6)
        upper = [hole for storey, hole in windows if storey > 0]
        built.add(shop(style, below, rng, lit > 0))
    else:
        x = (entrance + 0.5) * pitch
        way = (x - 0.6, x + 0.6, 0.16, 2.75)
        upper = [hole for number, (_, hole) in enumerate(windows) if number != entrance]
    holes = [*upper, *below, way]
    built.walls.append(front(style, holes, seed * 10))
    for hole in upper:
        built.add(window(hole, style, rng, lit))
    built.add(
        door(
            way,
            [rgb(0.05, 0.10, 0.07), rgb(0.16, 0.04, 0.03), rgb(0.04, 0.06, 0.12), rgb(0.12, 0.07, 0.04)][
                int(rng.integers(0, 4))
            ],
        )
    )
    built.trim += _cornice(style)
    built.trim += _pipe(style, rng)
    built.walls += _roof(style, seed)
    return built


def _cornice(style: Style) -> list[Mesh]:
    stone, top, width = rgb(0.42, 0.39, 0.34), style.height, style.width
    parts = [
        meshes.box((0, top - 0.32 + k * 0.1, -0.1), (width, top - 0.22 + k * 0.1, 0.1 + 0.09 * k), stone)
        for k in range(3)
    ]
    parts.append(meshes.box((0, 3.55, -0.02), (width, 3.68, 0.07), stone))
    parts += [
        meshes.box((x, top - 0.5, 0), (x + 0.12, top - 0.3, 0.14), stone)
        for x in np.arange(0.2, width - 0.2, 0.45)
    ]
    parts.append(meshes.box((0, -0.02, -0.02), (width, 0.42, 0.05), rgb(0.26, 0.25, 0.23)))
    return parts


def _pipe(style: Style, rng: np.random.Generator) -> list[Mesh]:
    x = style.width - 0.12
    y = np.linspace(0.1, style.height - 0.2, 20)
    return [meshes.tube(flat(x + 0 * y, y, 0.09 + 0 * y), 0.05, 10, rgb(0.10, 0.10, 0.10))]


def _roof(style: Style, seed: int) -> list[Mesh]:
    """Pantiles over the front, a ridge, chimneys, and plain sides and back."""
    width, top, rise, deep = style.width, style.height, 0.22 * 9, 4.5
    x, t = np.meshgrid(np.linspace(-0.05, width + 0.05, 200), np.linspace(0, 1, 90))
    course = t * 22
    bump = 0.05 * np.abs(np.sin(x * np.pi / 0.24)) - 0.05 * (course % 1)
    tone = (
        1
        + 0.25 * fbm(flat(np.floor(x / 0.24) * 3.1, np.floor(course) * 2.7), seed, 1)
        + 0.2 * fbm(flat(x, 4 * t), seed + 1, 4)
    )
    slope = meshes.sheet(flat(x, top + 0.05 + rise * t + bump, 0.3 - deep * t)).painted(
        np.clip(style.roof * tone[..., None], 0, 1).reshape(-1, 3)
    )
    back = [
        [(0, 0, -0.3), (0, top, -0.3), (0, top + rise, -deep), (0, 0, -deep)],
        [(width, 0, -0.3), (width, top, -0.3), (width, top + rise, -deep), (width, 0, -deep)],
    ]
    dark = [
        [(0, 0, -0.34), (width, 0, -0.34), (width, top, -0.34), (0, top, -0.34)],
        [(0, 0, -deep), (width, 0, -deep), (width, top + rise, -deep), (0, top + rise, -deep)],
    ]
    stack = style.width * (0.25 + 0.5 * ((seed * 37) % 10) / 10)
    chimney = meshes.box((stack, top, -3.4), (stack + 0.9, top + rise + 1.0, -2.7), rgb(0.24, 0.12, 0.08))
    pots = [
        meshes.revolved([(0.14, 0), (0.11, 0.5)], 12, rgb(0.34, 0.16, 0.09)).moved(
            (stack + 0.25 + k * 0.4, top + rise + 1.0, -3.05)
        )
        for k in range(2)
    ]
    return [
        slope,
        meshes.polygons(back, style.color * 0.8),
        meshes.polygons(dark, rgb(0.03, 0.03, 0.03)),
        chimney,
        *pots,
    ]
