"""`untrained`: seeded random filters, a quarter as many as VGG19's, for trying things out and for tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from framestyle.nst.weights.kind import Kind, OnProgress
from framestyle.nst.weights.paths import WeightsStore

if TYPE_CHECKING:
    from framestyle.nst.weights.backbone import Backbone, Channels


WIDTH = 4
"""VGG19 has so many times as many channels: to see that things work, a sixteenth of its multiplications will do."""


class _Untrained(Kind):
    name = "untrained"
    width = 1 / WIDTH
    caution = "Untrained weights: colours and mottle, but no strokes to expect."

    def identity(self, store: WeightsStore, seed: int) -> str:
        """The seed, and how wide they are."""
        return f"untrained seed={seed} width=1/{WIDTH}"

    def load(self, store: WeightsStore, seed: int, on_progress: OnProgress | None) -> Backbone:
        """`random_backbone`, a quarter as wide as VGG19."""
        from framestyle.nst.weights.backbone import CHANNELS

        one, two, three, four, five = (number // WIDTH for number in CHANNELS)
        return random_backbone(seed, (one, two, three, four, five), self.identity(store, seed))


def random_backbone(seed: int, channels: Channels, fingerprint: str = "") -> Backbone:
    """He-initialised filters (arXiv 1502.01852, gain √2) from the seed, so many of them in each block; zero biases."""
    import torch

    from framestyle.nst.weights.backbone import convolution_shapes, own_backbone

    generator = torch.Generator().manual_seed(seed)
    convolutions = {}
    for name, (outputs, inputs) in convolution_shapes(channels).items():
        weight = torch.randn(outputs, inputs, 3, 3, generator=generator) * (2 / (inputs * 9)) ** 0.5
        convolutions[name] = (weight, torch.zeros(outputs))
    return own_backbone("untrained", convolutions, fingerprint)


UNTRAINED = _Untrained()
