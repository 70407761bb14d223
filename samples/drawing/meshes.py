"""Triangle meshes with a colour at each vertex, and the ways in which the scenes build them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from .noise import Array

Faces = npt.NDArray[np.uint32]
Vector = Sequence[float] | Array


@dataclass(frozen=True)
class Mesh:
    """Vertices (N, 3), faces (M, 3) and linear colours (N, 3)."""

    vertices: Array
    faces: Faces
    colors: Array

    def moved(self, by: Vector) -> Mesh:
        return replace(self, vertices=(self.vertices + np.asarray(by, np.float32)).astype(np.float32))

    def scaled(self, by: float | Vector) -> Mesh:
        return replace(self, vertices=(self.vertices * np.asarray(by, np.float32)).astype(np.float32))

    def turned(self, axis: int, degrees: float) -> Mesh:
        """Rotated about the x, y or z axis (0, 1, 2)."""
        c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
        i, j = (axis + 1) % 3, (axis + 2) % 3
        matrix = np.eye(3, dtype=np.float32)
        matrix[i, i], matrix[i, j], matrix[j, i], matrix[j, j] = c, -s, s, c
        return replace(self, vertices=(self.vertices @ matrix.T).astype(np.float32))

    def painted(self, color: Vector | Array) -> Mesh:
        """In one colour, or in one for each vertex."""
        colors = np.broadcast_to(np.asarray(color, np.float32), self.vertices.shape)
        return replace(self, colors=np.clip(colors, 0, 1).astype(np.float32))

    def bent(self, bend: Callable[[Array], Array]) -> Mesh:
        return replace(self, vertices=bend(self.vertices).astype(np.float32))

    def normals(self) -> Array:
        """Smooth vertex normals, weighted by area."""
        a, b, c = (self.vertices[self.faces[:, k]] for k in range(3))
        face = np.cross(b - a, c - a)
        total = np.zeros_like(self.vertices)
        for k in range(3):
            for axis in range(3):
                total[:, axis] += np.bincount(self.faces[:, k], face[:, axis], len(total)).astype(np.float32)
        return total / (np.linalg.norm(total, axis=1, keepdims=True) + 1e-12)

    def inflated(self, by: Array) -> Mesh:
        """Displaced along its normals by a length for each vertex."""
        return replace(self, vertices=(self.vertices + self.normals() * by[:, None]).astype(np.float32))


GREY = np.array([0.5, 0.5, 0.5], np.float32)


def mesh(vertices: Array, faces: npt.ArrayLike, color: Vector = GREY) -> Mesh:
    """A mesh in one colour."""
    points = np.ascontiguousarray(vertices, np.float32).reshape(-1, 3)
    return Mesh(points, np.asarray(faces, np.uint32).reshape(-1, 3), np.zeros_like(points)).painted(color)


def joined(parts: Sequence[Mesh]) -> Mesh:
    """All parts as one mesh."""
    starts = np.cumsum([0, *(len(part.vertices) for part in parts)])
    return Mesh(
        np.concatenate([part.vertices for part in parts]),
        np.concatenate([part.faces + np.uint32(start) for part, start in zip(parts, starts, strict=False)]),
        np.concatenate([part.colors for part in parts]),
    )


def grid_faces(rows: int, columns: int, around: bool = False) -> Faces:
    """Two triangles for each cell of a grid of vertices; `around` closes each row."""
    number = np.arange(rows * columns, dtype=np.uint32).reshape(rows, columns)
    if around:
        number = np.concatenate([number, number[:, :1]], 1)
    a, b, c, d = number[:-1, :-1], number[:-1, 1:], number[1:, :-1], number[1:, 1:]
    return np.concatenate([np.stack([a, c, b], -1).reshape(-1, 3), np.stack([b, c, d], -1).reshape(-1, 3)])


def sheet(points: Array, color: Vector = GREY) -> Mesh:
    """A surface through a grid of points (rows, columns, 3)."""
    return mesh(points, grid_faces(*points.shape[:2]), color)


def revolved(profile: Sequence[tuple[float, float]] | Array, sides: int = 64, color: Vector = GREY) -> Mesh:
    """(radius, height) from the bottom up, turned about the y axis."""
    outline = np.asarray(profile, np.float32)
    angle = np.linspace(0, 2 * np.pi, sides, endpoint=False, dtype=np.float32)
    radius, height = outline[:, :1], outline[:, 1:]
    points = np.stack(np.broadcast_arrays(radius * np.cos(angle), height, radius * np.sin(angle)), -1)
    return mesh(points, grid_faces(len(outline), sides, around=True), color)


def smooth_profile(points: Sequence[tuple[float, float]], count: int = 80) -> Array:
    """A rounded line through a few points, by centripetal distance."""
    from scipy.interpolate import PchipInterpolator

    knots = np.asarray(points, float)
    along = np.concatenate([[0], np.cumsum(np.sqrt(np.linalg.norm(np.diff(knots, axis=0), axis=1)) + 1e-6)])
    return PchipInterpolator(along, knots)(np.linspace(0, along[-1], count)).astype(np.float32)


def tube(path: Array, radii: float | Array, sides: int = 12, color: Vector = GREY) -> Mesh:
    """A round body along a path (N, 3), its ends closed."""
    line = np.asarray(path, np.float32)
    radius = np.broadcast_to(np.asarray(radii, np.float32), (len(line),))
    ahead = np.gradient(line, axis=0)
    ahead /= np.linalg.norm(ahead, axis=1, keepdims=True) + 1e-9
    helper = (
        np.array([0, 0, 1], np.float32) if abs(ahead[:, 2]).mean() < 0.8 else np.array([1, 0, 0], np.float32)
    )
    side = np.cross(ahead, helper)
    side /= np.linalg.norm(side, axis=1, keepdims=True) + 1e-9
    up = np.cross(side, ahead)
    angle = np.linspace(0, 2 * np.pi, sides, endpoint=False)
    ring = np.cos(angle)[None, :, None] * side[:, None] + np.sin(angle)[None, :, None] * up[:, None]
    points = line[:, None] + ring * radius[:, None, None]
    ends = [np.broadcast_to(line[end], (1, sides, 3)) for end in (0, -1)]
    return mesh(
        np.concatenate([ends[0], points, ends[1]]), grid_faces(len(line) + 2, sides, around=True), color
    )


def box(low: Vector, high: Vector, color: Vector = GREY) -> Mesh:
    """A box whose faces share no vertices, so that its edges are sharp under smooth normals too."""
    (x0, y0, z0), (x1, y1, z1) = low, high
    sides = [
        [(x0, y0, z1), (x1, y0, z1), (x1, y1, z1), (x0, y1, z1)],
        [(x1, y0, z0), (x0, y0, z0), (x0, y1, z0), (x1, y1, z0)],
        [(x0, y0, z0), (x0, y0, z1), (x0, y1, z1), (x0, y1, z0)],
        [(x1, y0, z1), (x1, y0, z0), (x1, y1, z0), (x1, y1, z1)],
        [(x0, y1, z1), (x1, y1, z1), (x1, y1, z0), (x0, y1, z0)],
        [(x0, y0, z0), (x1, y0, z0), (x1, y0, z1), (x0, y0, z1)],
    ]
    return polygons(sides, color)


def polygons(corners: Sequence[Sequence[Vector]], color: Vector = GREY) -> Mesh:
    """Flat convex polygons, each a fan about its first corner."""
    vertices, faces, start = [], [], 0
    for polygon in corners:
        vertices += list(polygon)
        faces += [(start, start + k, start + k + 1) for k in range(1, len(polygon) - 1)]
        start += len(polygon)
    return mesh(np.array(vertices, np.float32), faces, color)


def ball(center: Vector, radii: float | Vector, color: Vector = GREY, sides: int = 32) -> Mesh:
    """An ellipsoid."""
    angle = np.linspace(-np.pi / 2, np.pi / 2, sides // 2 + 1)
    outline = np.stack([np.cos(angle), np.sin(angle)], 1)
    return revolved(outline, sides, color).scaled(np.broadcast_to(radii, (3,))).moved(center)


def solid(distance: Callable[[Array], Array], low: Vector, high: Vector, step: float) -> Mesh:
    """The zero surface of a distance field, by marching cubes."""
    from skimage.measure import marching_cubes

    axes = [np.arange(a, b + step, step, dtype=np.float32) for a, b in zip(low, high, strict=True)]
    field = np.empty([len(axis) for axis in axes], np.float32)
    for number, x in enumerate(axes[0]):
        plane = np.stack(np.broadcast_arrays(x, axes[1][:, None], axes[2][None]), -1)
        field[number] = distance(plane.astype(np.float32))
    vertices, faces, _, _ = marching_cubes(field, 0.0, spacing=(step, step, step))
    return mesh(vertices + np.array([axis[0] for axis in axes], np.float32), faces)
