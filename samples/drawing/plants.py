"""Leaves: clouds of them for bushes and crowns, and fronds."""

from __future__ import annotations

import numpy as np

from . import meshes
from .meshes import Mesh
from .noise import Array, fbm, mix

_LEAF = np.array([[0, 0, 0], [0.32, 0.45, 0.10], [0, 1, -0.05], [-0.32, 0.45, 0.10]], np.float32)
_LEAF_FACES = np.array([[0, 1, 2], [0, 2, 3]], np.uint32)


def leaves(
    rng: np.random.Generator, places: Array, length: Array, dark: Array, light: Array, flatness: float = 0.4
) -> Mesh:
    """One leaf, folded along its middle, at each place; its lie is random but for a liking for the level."""
    count = len(places)
    forward = rng.standard_normal((count, 3)) * (1, 1 - flatness, 1)
    forward /= np.linalg.norm(forward, axis=1, keepdims=True)
    up = rng.standard_normal((count, 3)) * (1 - flatness) + (0, flatness * 2.5, 0)
    side = np.cross(forward, up)
    side /= np.linalg.norm(side, axis=1, keepdims=True) + 1e-9
    normal = np.cross(side, forward)
    axes = np.stack([side, forward, normal], 1)
    vertices = np.einsum("vk,nkc->nvc", _LEAF, axes) * length[:, None, None] + places[:, None]
    faces = _LEAF_FACES[None] + 4 * np.arange(count, dtype=np.uint32)[:, None, None]
    tone = np.clip(
        0.5 + 0.5 * fbm(places, 51, 2, scale=float(length.mean()) * 9) + 0.3 * rng.standard_normal(count),
        0,
        1,
    )
    colors = mix(dark, light, tone.astype(np.float32))
    made = meshes.mesh(vertices.reshape(-1, 3), faces)
    return made.painted(np.repeat(colors, 4, 0))


def bush(
    rng: np.random.Generator,
    center: Array,
    radii: Array,
    count: int,
    length: float,
    dark: Array,
    light: Array,
) -> Mesh:
    """Leaves in a lumpy ellipsoid, denser outside."""
    ray = rng.standard_normal((count, 3))
    ray /= np.linalg.norm(ray, axis=1, keepdims=True)
    lump = 1 + 0.35 * fbm((ray * 1.0 + center).astype(np.float32), 52, 3, scale=0.6)
    places = center + ray * radii * (lump * rng.uniform(0.25, 1, count) ** 0.35)[:, None]
    return leaves(
        rng,
        places.astype(np.float32),
        (length * rng.uniform(0.6, 1.3, count)).astype(np.float32),
        dark,
        light,
    )
