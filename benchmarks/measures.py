"""Measures of steadiness, and of what it must not cost, on clips whose motion is known. Pictures are HWC in [0, 1].

A blur, or a picture that was not stylized, is steady too: read the warping error beside style loss and sharpness.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from benchmarks.known_clips import Floats, KnownClip
from framestyle.motion.flow import DISFlow, warp

EDGE_PX = 3
"""Visible areas are taken this much smaller: near their edge the warp's kernel (Lanczos, 8 px) mixes what is seen
with what is not."""


def warping_error(pictures: Sequence[Floats], clip: KnownClip, gap: int) -> float:
    """Mean over frames of Σ M (x_t - warp(x_{t-gap}))² / Σ M, by the true flow; M = 1 where visible in both."""
    errors = []
    for t in range(gap, len(pictures)):
        backward, visible = clip.flow(t, t - gap)
        inner = cv2.erode(visible.astype(np.uint8), np.ones((2 * EDGE_PX + 1,) * 2, np.uint8)).astype(bool)
        if inner.any():
            before = warp(pictures[t - gap], backward)
            errors.append(float(np.square(pictures[t] - before)[inner].mean()))
    return float(np.mean(errors)) if errors else float("nan")


def shower_door(pictures: Sequence[Floats], clip: KnownClip) -> float:
    """Mean distance in pixels of the stylized clip's own flow (DIS) from the true one: strokes that stay on the glass
    while the scene moves behind it score the scene's speed."""
    flow, misses = DISFlow("medium"), []
    bytes_ = [np.rint(picture * 255).astype(np.uint8) for picture in pictures]
    for t in range(1, len(pictures)):
        backward, visible = clip.flow(t, t - 1)
        found = flow(bytes_[t], bytes_[t - 1]).backward
        misses.append(float(np.linalg.norm(found - backward, axis=-1)[visible].mean()))
    return float(np.mean(misses))


def luma(picture: Floats) -> float:
    """Mean luma (BT.709 weights), in 255ths."""
    return float((picture @ np.asarray([0.2126, 0.7152, 0.0722], np.float32)).mean() * 255)


def luma_drift(pictures: Sequence[Floats], first: int = 10) -> float:
    """Largest change of mean luma since frame `first`, in 255ths; for still clips."""
    levels = [luma(picture) for picture in pictures[min(first, len(pictures) - 1) :]]
    return max(abs(level - levels[0]) for level in levels)


def laplacian_energy(picture: Floats) -> float:
    """Mean squared Laplacian: sharpness."""
    return float(np.square(cv2.Laplacian(picture, cv2.CV_32F)).mean())
