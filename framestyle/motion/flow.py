"""Dense optical flow, warping along it, and how far the warp can be trusted.

Flow arrays are HW2 float32, (dx, dy) in pixels. Backward flow leads from the current frame to the previous
one: `previous[p + backward[p]]` is what `current[p]` was, so it is the one that warps earlier results.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from framestyle.frames import Pixels

FloatArray = npt.NDArray[np.float32]

CONSISTENCY_SLOPE, CONSISTENCY_FLOOR = 0.01, 0.5
"""Occluded where |w̃ + ŵ|² > slope · (|w̃|² + |ŵ|²) + floor px² (Ruder 2016, eq. 5, after Sundaram 2010)."""
BOUNDARY_SLOPE, BOUNDARY_FLOOR = 0.01, 0.02
"""Motion boundary where |∇u|² + |∇v|² > slope · |w|² + floor (Ruder 2016, eq. 6). The paper's floor, 0.002, flags a
tenth of the pixels of noisy still film; ten times that flags none and still finds real boundaries."""
SOFTEN_PX = 1.0
"""Standard deviation of the blur that makes the reliability soft, so that no seam is drawn into the picture."""
LEAST_SIDE_PX = 32
"""Smaller frames are enlarged by copies of their edge for DIS: below that its pyramid has no level to work on, and
OpenCV 5.0.0 ends the whole process (64x12 at medium, 400x24 at fast) or refuses."""

PRESETS = {"ultrafast": cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST, "fast": cv2.DISOPTICAL_FLOW_PRESET_FAST}
"""OpenCV's own: at a quarter of the resolution."""
PATCH_STRIDES_PX = {"medium": 2, "fine": 1}
"""At full resolution, with OpenCV's medium preset otherwise. As it is, at half the resolution, that one is 0.09 px off
where this is 0.035 (docs/decisions/0093): too little to be seen in one warp, and most of a clip's warping error."""


@dataclass(frozen=True, eq=False)
class Motion:
    """What lies between two frames: backward flow HW2 and reliability HW in [0, 1] (1 = the warp can be trusted)."""

    backward: FloatArray
    reliability: FloatArray


class OpticalFlow(ABC):
    """The motion between two frames, measured at no more than `max_side_px`; a method says only how it measures.

    It keeps nothing between calls: the same frames give the same flow, whatever was asked before or beside.
    """

    def __init__(self, max_side_px: int = 1 << 15) -> None:
        self._max_side_px = max_side_px

    def __call__(self, current: Pixels, previous: Pixels) -> Motion:
        """Two HWC uint8 or uint16 RGB frames of one size -> Motion, at their size."""
        height, width = current.shape[:2]
        factor = min(1.0, self._max_side_px / max(height, width))
        if factor == 1.0:
            return self._measure(current, previous)
        size = (max(1, round(width * factor)), max(1, round(height * factor)))
        small = [cv2.resize(frame, size, interpolation=cv2.INTER_AREA) for frame in (current, previous)]
        return _enlarged(self._measure(small[0], small[1]), height, width)

    @abstractmethod
    def both_ways(self, current: Pixels, previous: Pixels) -> tuple[FloatArray, FloatArray]:
        """HWC uint8 or uint16 RGB, twice -> backward and forward flow HW2 in pixels, at the frames' own size."""

    def _measure(self, current: Pixels, previous: Pixels) -> Motion:
        backward, forward = self.both_ways(current, previous)
        return Motion(backward, reliability(backward, forward))


class DISFlow(OpticalFlow):
    """OpenCV's dense inverse search (Kroeger 2016, arXiv 1603.03590), both ways."""

    def __init__(self, quality: str = "medium", max_side_px: int = 1 << 15) -> None:
        super().__init__(max_side_px)
        self._quality = quality

    def both_ways(self, current: Pixels, previous: Pixels) -> tuple[FloatArray, FloatArray]:
        """Backward and forward flow HW2, at the frames' own size."""
        now, before = _grey(current), _grey(previous)
        height, width = current.shape[:2]
        backward = _engine(self._quality).calc(now, before, None)[:height, :width]
        forward = _engine(self._quality).calc(before, now, None)[:height, :width]
        return backward, forward


def _engine(quality: str) -> cv2.DISOpticalFlow:
    """A new one for each call, in microseconds: on small frames OpenCV 5.0.0's reads what its last call left behind."""
    if quality in PRESETS:
        return cv2.DISOpticalFlow.create(PRESETS[quality])
    engine = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    engine.setFinestScale(0)
    engine.setPatchStride(PATCH_STRIDES_PX[quality])
    return engine


def edge_padded(pixels: Pixels, least_px: int, multiple_px: int = 1) -> Pixels:
    """HW or HWC, its lower and right edge repeated until each side is a multiple, and at least `least_px`."""
    missing = [-(-max(side, least_px) // multiple_px) * multiple_px - side for side in pixels.shape[:2]]
    if not any(missing):
        return pixels
    padded: Pixels = cv2.copyMakeBorder(pixels, 0, missing[0], 0, missing[1], cv2.BORDER_REPLICATE)
    return padded


def _enlarged(motion: Motion, height: int, width: int) -> Motion:
    """Flow measured on smaller frames, in the pixels of the full ones.

    The mask is made where the flow was measured and enlarged with it: its thresholds, which are in pixels, then mean
    what they were made for.
    """
    small_height, small_width = motion.reliability.shape
    stretch = np.array([width / small_width, height / small_height], np.float32)
    backward = cv2.resize(motion.backward, (width, height), interpolation=cv2.INTER_LINEAR) * stretch
    trusted = cv2.resize(motion.reliability, (width, height), interpolation=cv2.INTER_LINEAR)
    # Where enlarging moved a vector over the frame's edge there is nothing to warp from.
    return Motion(backward, np.where(off_frame(backward), np.float32(0), trusted))


def _grey(pixels: Pixels) -> Pixels:
    eight = pixels if pixels.dtype == np.uint8 else (pixels >> 8).astype(np.uint8)
    return edge_padded(cv2.cvtColor(eight, cv2.COLOR_RGB2GRAY), LEAST_SIDE_PX)


def reliability(backward: FloatArray, forward: FloatArray) -> FloatArray:
    """HW2, HW2 -> soft mask HW: 0 where occluded, off the frame, or at a motion boundary."""
    hard = 1 - cv2.dilate(1 - hard_mask(backward, forward), np.ones((3, 3), np.uint8))
    soft = cv2.GaussianBlur(hard, (0, 0), SOFTEN_PX)
    # Softened inwards only: what is unreliable stays at zero.
    return np.asarray(np.minimum(hard, np.clip(2 * soft - 1, 0, 1)), dtype=np.float32)


def hard_mask(
    backward: FloatArray, forward: FloatArray, *, boundary_floor: float = BOUNDARY_FLOOR
) -> FloatArray:
    """HW2, HW2 -> HW, 1 or 0: the paper's mask (Ruder 2016, eq. 5 and 6), and 0 off the frame."""
    returned = warp(forward, backward, interpolation=cv2.INTER_LINEAR)
    mismatch = _square(returned + backward)
    bound = CONSISTENCY_SLOPE * (_square(returned) + _square(backward)) + CONSISTENCY_FLOOR
    bad = (mismatch > bound) | off_frame(backward) | _motion_boundary(backward, boundary_floor)
    return np.asarray(~bad, dtype=np.float32)


def warp(image: FloatArray, backward: FloatArray, *, interpolation: int = cv2.INTER_LANCZOS4) -> FloatArray:
    """HW or HWC float32 sampled at p + backward[p]; Lanczos keeps texture sharp over many warps; edges repeat."""
    warped = cv2.remap(image, *places(backward), interpolation, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(warped, dtype=np.float32)


def places(flow: FloatArray) -> tuple[FloatArray, FloatArray]:
    """HW2 -> where it leads, x and y, HW each, in pixels."""
    height, width = flow.shape[:2]
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    return x + flow[..., 0], y + flow[..., 1]


def _square(flow: FloatArray) -> FloatArray:
    return np.asarray(np.square(flow).sum(-1), dtype=np.float32)


def off_frame(flow: FloatArray) -> npt.NDArray[np.bool_]:
    """HW: where the flow, HW2, leads out of the frame."""
    return beyond(*places(flow))


def beyond(x: FloatArray, y: FloatArray) -> npt.NDArray[np.bool_]:
    """HW: which of these places, one for each pixel of a frame, lie outside of it."""
    height, width = x.shape
    outside = (x < -0.5) | (x > width - 0.5) | (y < -0.5) | (y > height - 0.5)
    return np.asarray(outside)


def _motion_boundary(flow: FloatArray, floor: float) -> npt.NDArray[np.bool_]:
    change = np.zeros(flow.shape[:2], np.float32)
    # A difference needs two pixels: a frame of one row or column has its edge repeated.
    missing = [(0, max(0, 2 - side)) for side in flow.shape[:2]]
    for component in (flow[..., 0], flow[..., 1]):
        down, right = np.gradient(np.pad(component, missing, mode="edge"))
        change += (np.square(down) + np.square(right))[: flow.shape[0], : flow.shape[1]]
    return np.asarray(change > BOUNDARY_SLOPE * _square(flow) + floor)
