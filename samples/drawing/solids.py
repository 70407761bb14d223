"""Distance fields, from which rounded bodies are put together."""

from __future__ import annotations

import numpy as np

from .meshes import Vector
from .noise import Array


def ellipsoid(p: Array, center: Vector, radii: Vector) -> Array:
    """An almost true distance to an ellipsoid."""
    q = (p - np.asarray(center, np.float32)) / np.asarray(radii, np.float32)
    length = np.linalg.norm(q, axis=-1)
    slope = np.linalg.norm(q / np.asarray(radii, np.float32), axis=-1)
    return length * (length - 1) / (slope + 1e-6)


def capsule(p: Array, a: Vector, b: Vector, ra: float, rb: float) -> Array:
    """A stick between two points that changes its thickness."""
    start, along = np.asarray(a, np.float32), np.subtract(b, a).astype(np.float32)
    t = np.clip(((p - start) @ along) / (along @ along), 0, 1)
    return np.linalg.norm(p - start - t[..., None] * along, axis=-1) - (ra + (rb - ra) * t)


def joint(a: Array, b: Array, soft: float) -> Array:
    """A union with a fillet."""
    h = np.clip(0.5 + 0.5 * (b - a) / soft, 0, 1)
    return b + (a - b) * h - soft * h * (1 - h)


def carved(a: Array, b: Array, soft: float) -> Array:
    """`a` without `b`, the edge rounded."""
    return -joint(-a, b, soft)
