"""Which optical flow a preset asks for."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import torch

from framestyle.motion.flow import DISFlow, OpticalFlow
from framestyle.motion.raft import RAFTFlow
from framestyle.nst.weights.raft_network import load_raft
from framestyle.nst.weights.store import WeightsStore
from framestyle.presets.schema import Video
from framestyle.registries import FLOWS

RAFT_QUALITIES = {
    "ultrafast": ("raft-small", 6),
    "fast": ("raft-small", 12),
    "medium": ("raft-large", 12),
    "fine": ("raft-large", 24),
}
"""Weights, and updates of the flow: 12 as in training. The authors' own tests take 24 to 32."""


Make = Callable[[Video, torch.device | str, WeightsStore], OpticalFlow]
"""(a preset's `video`, the work's device, where weights are kept) -> what measures motion; it may lie elsewhere."""


def make_flow(video: Video, device: torch.device | str, store: WeightsStore | None = None) -> OpticalFlow:
    """The method that `video` names, at its quality and size; RAFT on `device`, DIS on the CPU.

    WeightsError where RAFT's weights are missing or damaged; never the other method in its place. PresetError where a
    plugin's method breaks.
    """
    with FLOWS.blamed(video.flow):
        return cast("Make", FLOWS.load(video.flow))(video, device, store or WeightsStore())


def make_dis(video: Video, device: torch.device | str, store: WeightsStore) -> OpticalFlow:
    """DIS, on the CPU whatever the device."""
    return DISFlow(video.flow_quality, video.flow_max_side_px)


def make_raft(video: Video, device: torch.device | str, store: WeightsStore) -> OpticalFlow:
    """RAFT on the device, with its kept weights; WeightsError where they are missing or damaged."""
    kind, updates = RAFT_QUALITIES[video.flow_quality]
    network = load_raft(kind, store)
    return RAFTFlow(network, updates=updates, max_side_px=video.flow_max_side_px, device=device)
