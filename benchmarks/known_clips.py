"""Clips whose motion is known exactly: photos under a moving camera, with or without something moving in front.

A frame's pixel p shows the photo at A_t p, A_t affine. So the flow between any two frames, however far apart, is known
without error, and so is what is hidden.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

import cv2
import numpy as np
import numpy.typing as npt

from framestyle.frames import Frame, Pixels

Floats = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]
Affine = npt.NDArray[np.float64]
FRAME_RATE = Fraction(25)
ROOM = 1.3
"""The photo is this much larger than the frame, so that the camera can move before it."""


@dataclass(frozen=True, eq=False)
class KnownClip:
    """Frames, and the backward flow HW2 (frame t to frame s) with the mask HW of pixels that are visible in both."""

    name: str
    frames: list[Frame]
    flow: Callable[[int, int], tuple[Floats, Mask]]
    frame_rate: Fraction = FRAME_RATE
    front: Callable[[int], Mask] | None = None
    """Where the foremost layer is seen in a frame, HW; None: not known."""


@dataclass(frozen=True, eq=False)
class _Layer:
    """A picture under a moving camera; `inside` tells which of its own places belong to it (None: all)."""

    picture: Pixels
    camera: Callable[[int], Affine]
    inside: Callable[[Floats], Mask] | None = None

    def places(self, t: int, pixels: Floats) -> Floats:
        return _moved(self.camera(t), pixels)

    def covers(self, t: int, pixels: Floats) -> Mask:
        if self.inside is None:
            return np.ones(pixels.shape[:-1], bool)
        return self.inside(self.places(t, pixels))

    def draw(self, t: int, pixels: Floats) -> Floats:
        x, y = np.moveaxis(self.places(t, pixels), -1, 0)
        drawn = cv2.remap(
            self.picture.astype(np.float32), x, y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT
        )
        return np.asarray(drawn, np.float32)

    def flow(self, t: int, s: int, pixels: Floats) -> Floats:
        back = np.linalg.inv(_square(self.camera(s))) @ _square(self.camera(t))
        return _moved(back[:2], pixels) - pixels


def _square(matrix: Affine) -> Affine:
    return np.vstack([matrix, [0.0, 0.0, 1.0]])


def _moved(matrix: Affine, pixels: Floats) -> Floats:
    return np.asarray(pixels @ matrix[:, :2].T + matrix[:, 2], np.float32)


def _grid(height: int, width: int) -> Floats:
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    return np.stack([x, y], -1)


def camera_clip(kind: str, photo: Pixels, frames: int, height: int, width: int) -> KnownClip:
    """`kind`: pan (1.7 px right and 0.6 px down a frame), zoom (1 % a frame), rotation (0.5 degrees), still."""
    layer = _Layer(_fitted(photo, height, width), _camera(kind, height, width))
    return _clip(kind, [layer], frames, height, width)


def foreground_clip(photo: Pixels, front: Pixels, frames: int, height: int, width: int) -> KnownClip:
    """A slow pan; an oval piece of another photo crosses it, 2.3 px a frame the other way."""
    background = _Layer(_fitted(photo, height, width), _camera("slow", height, width))
    centre = np.asarray([0.3 * width, 0.55 * height], np.float32) * ROOM
    radii = np.asarray([0.13 * width, 0.24 * height], np.float32)

    def inside(places: Floats) -> Mask:
        return np.asarray(np.square((places - centre) / radii).sum(-1) < 1)

    def camera(t: int) -> Affine:
        return np.asarray([[1.0, 0.0, 0.1 * width - 2.3 * t], [0.0, 1.0, 0.1 * height + 0.4 * t]])

    return _clip(
        "foreground",
        [_Layer(_fitted(front, height, width), camera, inside), background],
        frames,
        height,
        width,
    )


def noisy_still_clip(photo: Pixels, frames: int, height: int, width: int, sigma: float = 2.0) -> KnownClip:
    """A still camera whose sensor adds noise, of `sigma` of 255."""
    still = camera_clip("still", photo, frames, height, width)
    rng = np.random.default_rng(0)
    noisy = [
        Frame(one.index, one.pts, _rounded(one.pixels + rng.normal(0, sigma, one.pixels.shape)))
        for one in still.frames
    ]
    return KnownClip("still", noisy, still.flow)


def cut_clip(photo: Pixels, other: Pixels, frames: int, height: int, width: int) -> KnownClip:
    """A pan over one photo, and from half of the frames on a zoom into another: nothing is visible in both."""
    half = frames // 2
    shots = (
        camera_clip("pan", photo, half, height, width),
        camera_clip("zoom", other, frames - half, height, width),
    )
    late = [Frame(half + one.index, (half + one.index) / FRAME_RATE, one.pixels) for one in shots[1].frames]

    def flow(t: int, s: int) -> tuple[Floats, Mask]:
        if (t < half) != (s < half):
            return np.zeros((height, width, 2), np.float32), np.zeros((height, width), bool)
        return shots[0].flow(t, s) if t < half else shots[1].flow(t - half, s - half)

    return KnownClip("cut", [*shots[0].frames, *late], flow)


def _camera(kind: str, height: int, width: int) -> Callable[[int], Affine]:
    margin = np.asarray([width, height]) * (ROOM - 1) / 2
    centre = np.asarray([width, height]) / 2

    def at(t: int) -> Affine:
        angle, factor, shift = 0.0, 1.0, np.zeros(2)
        if kind == "pan":
            shift = np.asarray([1.7, 0.6]) * t - margin * 0.8
        elif kind == "slow":
            shift = np.asarray([0.6, 0.2]) * t
        elif kind == "zoom":
            factor = 0.99**t
        elif kind == "rotation":
            angle = np.radians(0.5) * t
        elif kind != "still":
            raise ValueError(f"no such motion: {kind!r}")
        turn = factor * np.asarray([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        return np.column_stack([turn, centre - turn @ centre + margin + shift])

    return at


def _fitted(photo: Pixels, height: int, width: int) -> Pixels:
    """Cut to the frame's shape and scaled to ROOM times its size."""
    tall, wide = photo.shape[:2]
    scale = max(ROOM * height / tall, ROOM * width / wide)
    small = cv2.resize(photo, (round(wide * scale), round(tall * scale)), interpolation=cv2.INTER_AREA)
    fitted: Pixels = small
    return fitted


def _rounded(picture: npt.NDArray[np.floating]) -> Pixels:
    pixels: Pixels = np.clip(np.rint(picture), 0, 255).astype(np.uint8)
    return pixels


def _clip(name: str, layers: list[_Layer], frames: int, height: int, width: int) -> KnownClip:
    """Layers from front to back; the last one covers everything."""
    pixels = _grid(height, width)

    def front(t: int, at: Floats) -> npt.NDArray[np.intp]:
        """The number of the layer that is seen at each place."""
        return np.argmax(np.stack([layer.covers(t, at) for layer in layers]), axis=0)

    def frame(t: int) -> Frame:
        seen = front(t, pixels)
        picture = np.zeros((height, width, 3), np.float32)
        for number, layer in enumerate(layers):
            picture[seen == number] = layer.draw(t, pixels)[seen == number]
        return Frame(t, Fraction(t) / FRAME_RATE, _rounded(picture))

    def flow(t: int, s: int) -> tuple[Floats, Mask]:
        seen = front(t, pixels)
        backward = np.zeros((height, width, 2), np.float32)
        visible = np.zeros((height, width), bool)
        for number, layer in enumerate(layers):
            move = layer.flow(t, s, pixels)
            to = pixels + move
            inside = (to >= 0).all(-1) & (to[..., 0] <= width - 1) & (to[..., 1] <= height - 1)
            mine = seen == number
            backward[mine] = move[mine]
            visible[mine] = (inside & (front(s, to) == number))[mine]
        return backward, visible

    return KnownClip(
        name, [frame(t) for t in range(frames)], flow, front=lambda t: np.asarray(front(t, pixels) == 0)
    )
