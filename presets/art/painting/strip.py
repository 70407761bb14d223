"""A stroke's own coordinates: how far along it, and how far across it, each pixel lies.

With them a stroke is shaded as a function of length and width: bristles, drying, edges that stand wet.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from .base import Array, H, Rng, W


@dataclass
class Strip:
    """The window of the canvas a stroke touches; ``along`` and ``across`` are in pixels, ``across`` is signed."""

    window: tuple[slice, slice]
    along: Array
    across: Array
    length: float


def resample(path: Array, step: float = 1.0) -> Array:
    """Return a path with points evenly ``step`` pixels apart."""
    path = np.asarray(path, np.float32)
    run = np.concatenate([[0], np.cumsum(np.hypot(*np.diff(path, axis=0).T))])
    at = np.arange(0, max(run[-1], step * 2), step)
    return np.stack([np.interp(at, run, path[:, c]) for c in (0, 1)], -1).astype(np.float32)


def strip(path: Array, reach: float) -> Strip | None:
    """Measure the pixels within ``reach`` of a path; None where the path is off the canvas."""
    line = resample(path)
    x0, y0 = np.floor(line.min(0) - reach).astype(int)
    x1, y1 = np.ceil(line.max(0) + reach).astype(int) + 1
    x0, y0, x1, y1 = max(x0, 0), max(y0, 0), min(x1, W), min(y1, H)
    if x1 - x0 < 2 or y1 - y0 < 2:
        return None
    pad = int(reach) + 2
    spot = np.rint(line).astype(int) - (x0 - pad, y0 - pad)
    height, width = y1 - y0 + 2 * pad, x1 - x0 + 2 * pad
    inside = (spot >= 0).all(1) & (spot[:, 0] < width) & (spot[:, 1] < height)
    if not inside.any():
        return None
    marks = np.full((height, width), 255, np.uint8)
    index = np.flatnonzero(inside)
    marks[spot[index, 1], spot[index, 0]] = 0
    _, labels = cv2.distanceTransformWithLabels(marks, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    nearest = np.zeros(labels.max() + 1, np.int32)
    nearest[labels[spot[index, 1], spot[index, 0]]] = index
    k = nearest[labels[pad:-pad, pad:-pad]]
    tangent = np.gradient(line, axis=0)
    tangent /= np.linalg.norm(tangent, axis=1, keepdims=True) + 1e-6
    dx = np.arange(x0, x1, dtype=np.float32)[None] - line[k, 0]
    dy = np.arange(y0, y1, dtype=np.float32)[:, None] - line[k, 1]
    tx, ty = tangent[k, 0], tangent[k, 1]
    across = tx * dy - ty * dx
    along = k + tx * dx + ty * dy
    away = np.hypot(dx, dy)
    across = np.where(np.abs(across) < away - 1.5, np.sign(across + 1e-9) * away, across)
    return Strip(
        (slice(y0, y1), slice(x0, x1)), along.astype(np.float32), across.astype(np.float32), float(len(line))
    )


def ribbon(path: Array, widths: Sequence[float] | Array) -> Array:
    """Return the outline of a line of varying width."""
    tangent = np.gradient(np.asarray(path, np.float32), axis=0)
    normal = np.stack([-tangent[:, 1], tangent[:, 0]], -1) / (
        np.linalg.norm(tangent, axis=1, keepdims=True) + 1e-6
    )
    half = normal * (np.asarray(widths, np.float32) / 2)[:, None]
    return np.vstack([path + half, (path - half)[::-1]])


def swelling(count: int, belly: float = 0.5, blunt: float = 0.0) -> Array:
    """Return a brush's width along its path, 0..1: thin, fullest at ``belly``, thin; ``blunt`` ends are wide."""
    t = np.linspace(0, 1, count) ** (np.log(0.5) / np.log(belly))
    return blunt + (1 - blunt) * np.sin(np.pi * t) ** 0.8


def arc(
    start: Sequence[float] | Array, heading: float, length: float, turn: float = 0.0, count: int = 14
) -> Array:
    """Return a path that sets off at ``heading`` and turns evenly by ``turn`` radians in all."""
    theta = heading + turn * (np.linspace(0, 1, count) - 0.5)
    step = np.stack([np.cos(theta), np.sin(theta)], -1) * (length / (count - 1))
    return (np.asarray(start, np.float32) + np.cumsum(step, 0) - step[0]).astype(np.float32)


def streaks(rng: Rng, across: Array, along: Array, pitch: float, stretch: float = 40.0) -> Array:
    """Return bristle noise, unit deviation: fine across the stroke, slow along it."""
    rows = int((across.max() - across.min()) / pitch) + 3
    cols = int((along.max() - along.min()) / (pitch * stretch)) + 3
    lattice = rng.standard_normal((rows, cols)).astype(np.float32)
    u = ((along - along.min()) / (pitch * stretch)).astype(np.float32)
    v = ((across - across.min()) / pitch).astype(np.float32)
    return cv2.remap(lattice, u, v, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE) * 1.5
