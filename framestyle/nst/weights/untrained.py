"""`untrained`: seeded random filters, for trying things out and for tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from framestyle.nst.weights.kind import Kind, OnProgress
from framestyle.nst.weights.paths import WeightsStore

if TYPE_CHECKING:
    from framestyle.nst.weights.backbone import Backbone


class _Untrained(Kind):
    name = "untrained"
    caution = "Untrained weights: colours and mottle, but no strokes to expect."

    def identity(self, store: WeightsStore, seed: int) -> str:
        """The seed."""
        return f"untrained seed={seed}"

    def load(self, store: WeightsStore, seed: int, on_progress: OnProgress | None) -> Backbone:
        """He-initialised filters (arXiv 1502.01852, gain √2) from the seed; zero biases."""
        import torch

        from framestyle.nst.weights.backbone import convolution_shapes, own_backbone

        generator = torch.Generator().manual_seed(seed)
        convolutions = {}
        for name, (outputs, inputs) in convolution_shapes().items():
            weight = torch.randn(outputs, inputs, 3, 3, generator=generator) * (2 / (inputs * 9)) ** 0.5
            convolutions[name] = (weight, torch.zeros(outputs))
        return own_backbone(self.name, convolutions, self.identity(store, seed))


UNTRAINED = _Untrained()
