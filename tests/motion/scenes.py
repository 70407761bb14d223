"""Pairs of frames whose motion is known exactly, and clips of several shots."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from fractions import Fraction

import cv2
import numpy as np
import numpy.typing as npt

from framestyle.frames import Frame

Floats = npt.NDArray[np.float32]
Bytes = npt.NDArray[np.uint8]
MARGIN_PX = 40
RATE = Fraction(25)


def texture(seed: int, height: int, width: int) -> Floats:
    """HWC in [0, 255]: smooth shading with blobs and grain on it, nothing finer than what bilinear sampling keeps."""
    noise = np.random.default_rng(seed)
    picture = np.zeros((height, width, 3), np.float32)
    for sigma_px, share in ((16.0, 30.0), (4.0, 25.0), (1.5, 20.0)):
        layer = cv2.GaussianBlur(
            noise.standard_normal((height, width, 3)).astype(np.float32), (0, 0), sigma_px
        )
        picture += share * layer / layer.std()
    return np.clip(picture + 128, 0, 255)


def grid(height: int, width: int) -> Floats:
    """HW2: each pixel's own (x, y)."""
    return np.dstack(np.meshgrid(np.arange(width), np.arange(height))).astype(np.float32)


@dataclass(frozen=True, eq=False)
class Pair:
    """Two frames, the true backward flow of the current one, and where it has no origin in the previous one."""

    previous: Bytes
    current: Bytes
    backward: Floats
    occluded: npt.NDArray[np.bool_]


Place = Callable[[Floats], Floats]
"""Where in the world a frame's pixels (HW2) look: HW2."""


def _look(world: Floats, places: Floats) -> Floats:
    x, y = np.ascontiguousarray(places[..., 0] + MARGIN_PX), np.ascontiguousarray(places[..., 1] + MARGIN_PX)
    return np.asarray(cv2.remap(world, x, y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT), np.float32)


def _rounded(picture: Floats) -> Bytes:
    return np.clip(np.rint(picture), 0, 255).astype(np.uint8)


def _off_frame(backward: Floats) -> npt.NDArray[np.bool_]:
    height, width = backward.shape[:2]
    to = grid(height, width) + backward
    inside = (to >= 0).all(-1) & (to[..., 0] <= width - 1) & (to[..., 1] <= height - 1)
    return np.asarray(~inside)


def camera_pair(kind: str, height: int = 96, width: int = 128, seed: int = 1) -> Pair:
    """The camera moves before a still world: translation, zoom, rotation, still."""
    centre = np.asarray([(width - 1) / 2, (height - 1) / 2], np.float32)
    angle = np.radians(2.0)
    turn = np.asarray([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    matrix, shift = {
        "still": (np.eye(2), (0.0, 0.0)),
        "translation": (np.eye(2), (5.4, -2.7)),
        "zoom": (np.eye(2) * 0.95, (0.0, 0.0)),
        "rotation": (turn, (0.0, 0.0)),
    }[kind]
    pixels = grid(height, width)
    places = ((pixels - centre) @ matrix.T + centre + np.asarray(shift)).astype(np.float32)
    world = texture(seed, height + 2 * MARGIN_PX, width + 2 * MARGIN_PX)
    # The previous frame looks straight: a pixel's place in the world is its place there.
    backward = places - pixels
    return Pair(
        _rounded(_look(world, pixels)), _rounded(_look(world, places)), backward, _off_frame(backward)
    )


def foreground_pair(height: int = 96, width: int = 128, seed: int = 1) -> Pair:
    """A textured square moves 6 px to the right over a still background, and uncovers a band behind it."""
    shift = 6
    back = texture(seed, height, width)
    front = texture(seed + 100, 40, 40)[..., ::-1]
    top, left = 28, 44
    previous, current = back.copy(), back.copy()
    previous[top : top + 40, left : left + 40] = front
    current[top : top + 40, left + shift : left + shift + 40] = front
    backward = np.zeros((height, width, 2), np.float32)
    backward[top : top + 40, left + shift : left + shift + 40, 0] = -shift
    occluded = np.zeros((height, width), bool)
    occluded[top : top + 40, left : left + shift] = True
    return Pair(_rounded(previous), _rounded(current), backward, occluded)


def clip(
    shots: Iterable[tuple[int, int]], *, height: int = 32, width: int = 40, pan_px: float = 0.5
) -> list[Frame]:
    """`clip([(seed, frames), …])`: for each shot another world, before which the camera pans."""
    frames: list[Frame] = []
    for seed, count in shots:
        world = texture(seed, height + 2 * MARGIN_PX, width + 2 * MARGIN_PX)
        # Shots differ in brightness too, as real ones do.
        world = np.clip(world * (0.5 if seed % 2 else 1.0) + (110 if seed % 3 == 0 else 0), 0, 255)
        for n in range(count):
            index = len(frames)
            places = grid(height, width) + np.asarray([pan_px * n, 0], np.float32)
            frames.append(Frame(index, index / RATE, _rounded(_look(world, places))))
    return frames


def grainy(frames: Iterable[Frame], sigma: float = 2.0) -> list[Frame]:
    """The frames with a sensor's noise, of `sigma` of 255."""
    noise = np.random.default_rng(0)
    return [
        replace(frame, pixels=_rounded(frame.pixels + noise.normal(0, sigma, frame.pixels.shape)))
        for frame in frames
    ]
