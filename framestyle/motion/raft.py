"""Optical flow by RAFT: recurrent all-pairs field transforms (Teed and Deng 2020, arXiv 2003.12039)."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from framestyle.frames import Pixels
from framestyle.motion.flow import FloatArray, OpticalFlow, edge_padded
from framestyle.nst.image import to_tensor

SIDE_MULTIPLE_PX, LEAST_SIDE_PX = 8, 128
"""RAFT works at an eighth of the size, and its coarsest level, an eighth of that, must have two pixels a side."""
UPDATES = 12
"""Rounds of its recurrent unit, each of which refines the flow; as many as in training."""


class RAFTFlow(OpticalFlow):
    """A RAFT network of torchvision's form, both ways in one batch.

    `network(image1, image2, num_flow_updates=N)`: two BCHW batches in [-1, 1] -> flows B2HW from the first to the
    second, one for each update, the last one the best. It is moved to `device`. It compares all pixels with all at an
    eighth of the size: at most half a GB at 640x360, and near 16 times as much at twice the sides.
    """

    def __init__(
        self,
        network: nn.Module,
        *,
        updates: int = UPDATES,
        max_side_px: int = 1 << 15,
        device: torch.device | str = "cpu",
    ) -> None:
        super().__init__(max_side_px)
        self._network = network.eval().to(device)
        self._updates = updates
        self._device = torch.device(device)

    def both_ways(self, current: Pixels, previous: Pixels) -> tuple[FloatArray, FloatArray]:
        """HWC uint8 or uint16 RGB, twice -> backward and forward flow HW2 in pixels, at the frames' own size."""
        height, width = current.shape[:2]
        now, before = (self._entered(frame) for frame in (current, previous))
        with torch.inference_mode():
            flows: list[Tensor] = self._network(
                torch.cat([now, before]), torch.cat([before, now]), num_flow_updates=self._updates
            )
        cropped = flows[-1][:, :, :height, :width].permute(0, 2, 3, 1).to("cpu", torch.float32).numpy()
        backward, forward = (np.ascontiguousarray(flow) for flow in cropped)
        return backward, forward

    def _entered(self, frame: Pixels) -> Tensor:
        """HWC -> 1CHW in [-1, 1], its sides as RAFT needs them."""
        return to_tensor(edge_padded(frame, LEAST_SIDE_PX, SIDE_MULTIPLE_PX), self._device) * 2 - 1
