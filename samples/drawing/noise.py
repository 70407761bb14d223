"""Seeded noise: the irregularity of stone, bark, plaster, water and cloud."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float32]


def _lattice(cell: npt.NDArray[np.int32], seed: int) -> Array:
    """A hash of whole-numbered places (..., 3) in [-1, 1]."""
    with np.errstate(over="ignore"):
        mixed = cell.astype(np.uint32) * np.array([0x9E3779B1, 0x85EBCA77, 0xC2B2AE3D], np.uint32)
        h = (
            mixed[..., 0]
            ^ mixed[..., 1]
            ^ mixed[..., 2]
            ^ np.uint32((seed * 0x27D4EB2F + 0x165667B1) & 0xFFFFFFFF)
        )
        h = (h ^ (h >> np.uint32(15))) * np.uint32(0x2C1B3C6D)
        h = (h ^ (h >> np.uint32(12))) * np.uint32(0x297A2D39)
        h ^= h >> np.uint32(15)
    return (h & np.uint32(0xFFFFFF)).astype(np.float32) / np.float32(0x7FFFFF) - np.float32(1)


def value_noise(points: Array, seed: int) -> Array:
    """Smooth noise in about [-1, 1] at points (..., 3), one feature a unit."""
    floor = np.floor(points)
    cell = floor.astype(np.int32)
    t = (points - floor).astype(np.float32)
    t = t * t * t * (t * (t * 6 - 15) + 10)
    total = np.zeros(points.shape[:-1], np.float32)
    for dx in (0, 1):
        for dy in (0, 1):
            wxy = (t[..., 0] if dx else 1 - t[..., 0]) * (t[..., 1] if dy else 1 - t[..., 1])
            for dz in (0, 1):
                corner = _lattice(cell + np.array([dx, dy, dz], np.int32), seed)
                total += corner * wxy * (t[..., 2] if dz else 1 - t[..., 2])
    return total


def fbm(points: Array, seed: int, octaves: int = 5, gain: float = 0.5, scale: float = 1.0) -> Array:
    """Fractal noise in about [-1, 1]; the largest features measure `scale`."""
    places = np.asarray(points, np.float32) / np.float32(scale)
    total, weight, weights = np.zeros(places.shape[:-1], np.float32), 1.0, 0.0
    for octave in range(octaves):
        total += weight * value_noise(places + np.float32(17.3 * octave), seed + 101 * octave)
        weights += weight
        weight *= gain
        places = places * np.float32(2.03)
    return total * np.float32(1.6 / weights)


def ridged(points: Array, seed: int, octaves: int = 5, gain: float = 0.5, scale: float = 1.0) -> Array:
    """Fractal noise in [0, 1] with sharp crests, as of eroded rock."""
    places = np.asarray(points, np.float32) / np.float32(scale)
    total, weight, weights = np.zeros(places.shape[:-1], np.float32), 1.0, 0.0
    for octave in range(octaves):
        total += weight * (
            1 - np.abs(1.5 * value_noise(places + np.float32(9.1 * octave), seed + 57 * octave))
        )
        weights += weight
        weight *= gain
        places = places * np.float32(2.07)
    return total / np.float32(weights)


def flat(x: Array, y: Array, z: float | Array = 0.0) -> Array:
    """Points (..., 3) of coordinates that are given one by one."""
    return np.stack(np.broadcast_arrays(x, y, z), -1).astype(np.float32)


def smoothstep(low: float, high: float, x: Array) -> Array:
    """0 below `low`, 1 above `high`, smooth between."""
    t = np.clip((x - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


def mix(a: Array, b: Array, part: Array) -> Array:
    """From a to b, both (..., 3) or one colour, by parts (...)."""
    return a + (b - a) * part[..., None]


def rgb(*values: float) -> Array:
    """A colour, linear."""
    return np.array(values, np.float32)
