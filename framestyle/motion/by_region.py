"""Motion beside the edge of a region that moves: what its mask knows of where one thing ends and another begins.

Flow is measured on patches. Beside something that moves, its motion is smeared over what lies behind it, for as far
as a patch reaches: there the warp leads astray, and strokes start afresh in each frame. A moving mask shows where the
edge is: each side goes on as the inside of its own region does, wherever that leads to what the frame shows.
"""

from __future__ import annotations

import cv2
import numpy as np
import torch
from torch import Tensor

from framestyle.motion.flow import FloatArray, Motion, off_frame, warp

SMEARED_PX, MEASURED_SIDE_PX = 12.0, 640
"""How far flow is smeared over an edge, in pixels of frames up to this side; of larger ones it is measured at that."""
GATHER_SIGMA_PX = 6.0
"""How far beyond that the inside's motion is gathered from."""
INWARDS = 4.0
"""The inside counts by this power of how deep it lies: of what is nowhere deeper than the smear, the middle."""
MATCH_SIGMA_PX = 1.0
ALIKE_BELOW, OTHER_ABOVE = 0.02, 0.06
"""Between these differences of the content along the inside's motion trust in it fades; resampling makes up to 0.02."""
BETTER_BY = 0.005
"""A flow that fits the content by this much better than the inside's is no smear."""
LEAST_SHARE = 0.5


def mended(motion: Motion, before: Tensor, now: Tensor, earlier: Tensor, content: Tensor) -> Motion:
    """The same with the motion beside edges that move taken from inside of each region.

    `before` and `now`, 1RHW: where regions lie in the earlier frame and in this one; `earlier` and `content`, 1CHW:
    what these show. Where no region moves, it is as it came.
    """
    if before.shape != now.shape or torch.equal(before, now):
        return motion
    pictures = _hwc(earlier), _hwc(content)
    backward, reliability = motion.backward.copy(), motion.reliability.copy()
    reach_px = SMEARED_PX * max(1.0, max(reliability.shape) / MEASURED_SIDE_PX)
    for was, lies in zip(_hwc(before).transpose(2, 0, 1), _hwc(now).transpose(2, 0, 1), strict=True):
        own = lies > LEAST_SHARE
        depth = _depth(own)
        beside = own & (depth < reach_px)
        trusted = motion.reliability * own * np.minimum(depth / reach_px, 1) ** INWARDS
        if not beside.any() or not trusted.any():
            continue
        inside = _gathered(motion.backward, trusted, reach_px + GATHER_SIGMA_PX)
        off = _mismatch(inside, was, own, *pictures)
        takes = beside & (off < _mismatch(motion.backward, was, own, *pictures) + BETTER_BY)
        trust = _led_inside(inside, was) * np.clip((OTHER_ABOVE - off) / (OTHER_ABOVE - ALIKE_BELOW), 0, 1)
        backward[takes] = inside[takes]
        reliability[takes] = trust[takes]
    return Motion(backward, reliability)


def _depth(own: np.ndarray) -> FloatArray:
    """How far each pixel of a region lies from its edge, HW; the frame's edge is none."""
    framed = np.pad(own.astype(np.uint8), 1, mode="edge")
    return np.asarray(cv2.distanceTransform(framed, cv2.DIST_L2, 5)[1:-1, 1:-1], np.float32)


def _gathered(flow: FloatArray, weight: FloatArray, sigma_px: float) -> FloatArray:
    """HW2: the flow of the surroundings, by weight."""
    total = cv2.GaussianBlur(weight, (0, 0), sigma_px)
    found = cv2.GaussianBlur(flow * weight[..., None], (0, 0), sigma_px)
    return np.asarray(found / np.maximum(total, 1e-12)[..., None], np.float32)


def _led_inside(flow: FloatArray, was: FloatArray) -> FloatArray:
    """How far it leads to the region as it lay before, HW in [0, 1]; not off the frame."""
    led = warp(was, flow, interpolation=cv2.INTER_LINEAR)
    return np.where(off_frame(flow), np.float32(0), led)


def _mismatch(
    flow: FloatArray, was: FloatArray, own: np.ndarray, earlier: FloatArray, content: FloatArray
) -> FloatArray:
    """How far it leads to other content, HW, of the region's own pixels alone: the other side's are none of its."""
    led = warp(earlier, flow, interpolation=cv2.INTER_LINEAR)
    counts = (own * _led_inside(flow, was)).astype(np.float32)
    off = np.abs(led - content).mean(2) * counts
    return np.asarray(
        cv2.GaussianBlur(off, (0, 0), MATCH_SIGMA_PX)
        / np.maximum(cv2.GaussianBlur(counts, (0, 0), MATCH_SIGMA_PX), 1e-3),
        np.float32,
    )


def _hwc(tensor: Tensor) -> FloatArray:
    return np.ascontiguousarray(tensor[0].permute(1, 2, 0).cpu().numpy())
