"""The peer: the scheme of Ruder, Dosovitskiy and Brox (2016, arXiv 1604.08610), rebuilt from the paper.

What is theirs: L-BFGS with a fixed step and a long memory; the first frame from noise, each next one from the last
result warped bilinearly everywhere; hard masks with the paper's constants (eq. 5 and 6); the short-term temporal loss;
an optimisation that stops where the loss changes by less than a ten-thousandth in 50 iterations, with at most as many
as the authors' program allows by default (2000, then 1000). What is not: the content, style and total-variation losses,
the network and its weights, and the optical flow are FrameStyle's, so that losses can be compared and only the scheme
differs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from torch import Tensor

from benchmarks.known_clips import Floats
from framestyle.frames import Frame, Pixels
from framestyle.motion.flow import DISFlow, hard_mask, warp
from framestyle.nst.image import to_tensor
from framestyle.nst.objective import TemporalTarget
from framestyle.nst.stylizer import Stylizer

FIRST_ITERATIONS, NEXT_ITERATIONS = 2000, 1000
STOP_BELOW, STOP_WINDOW = 1e-4, 50
HISTORY = 100
BOUNDARY_FLOOR = 0.002


@dataclass(frozen=True, eq=False)
class PeerFrame:
    """One result, HWC in [0, 1], and how many iterations it took."""

    picture: Floats
    steps: int


def ruder_frames(frames: Sequence[Frame], stylizer: Stylizer, seed: int = 0) -> Iterator[PeerFrame]:
    """Each frame of one shot, in order."""
    flow = DISFlow("medium")
    before: Floats | None = None
    for number, frame in enumerate(frames):
        content = to_tensor(frame.pixels, stylizer.device)
        if before is None:
            generator = torch.Generator().manual_seed(seed)
            start, targets = torch.rand(content.shape, generator=generator).to(content), []
            most = FIRST_ITERATIONS
        else:
            carried, mask = _carried(flow, frame.pixels, frames[number - 1].pixels, before)
            start = _tensor(carried, stylizer)
            targets = [
                TemporalTarget(
                    start, _tensor(mask[..., None], stylizer), stylizer.preset.video.temporal_weight
                )
            ]
            most = NEXT_ITERATIONS
        result, steps = _lbfgs(start, content, targets, stylizer, most)
        before = np.ascontiguousarray(result[0].permute(1, 2, 0).cpu().numpy())
        yield PeerFrame(before, steps)


def _carried(flow: DISFlow, current: Pixels, previous: Pixels, before: Floats) -> tuple[Floats, Floats]:
    backward, forward = flow.both_ways(current, previous)
    mask = hard_mask(backward, forward, boundary_floor=BOUNDARY_FLOOR)
    return warp(before, backward, interpolation=cv2.INTER_LINEAR), mask


def _tensor(picture: Floats, stylizer: Stylizer) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(picture.transpose(2, 0, 1)))[None].to(stylizer.device)


def _lbfgs(
    start: Tensor, content: Tensor, targets: list[TemporalTarget], stylizer: Stylizer, most: int
) -> tuple[Tensor, int]:
    objective = stylizer.objective(content, targets)
    leaf = start.clone().requires_grad_(True)
    # The loss is a mean, the authors' is nearer a sum, and the first step's length depends on that.
    unit = float(leaf.numel())
    engine = torch.optim.LBFGS(
        [leaf],
        max_iter=STOP_WINDOW,
        max_eval=10 * STOP_WINDOW,
        history_size=HISTORY,
        tolerance_grad=0,
        tolerance_change=0,
    )
    last = float("nan")

    def closure() -> Tensor:
        gradient, values = stylizer.gradient(leaf, objective)
        leaf.grad = (gradient * unit).contiguous()
        return values.sum() * unit

    done = 0
    while done < most:
        now = float(engine.step(closure)) / unit  # the loss at the window's start
        done += STOP_WINDOW
        if abs(last - now) < STOP_BELOW * abs(last):
            break
        last = now
    return leaf.detach().clamp(0, 1), done
