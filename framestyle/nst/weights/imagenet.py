"""`imagenet`: torchvision's VGG19, fetched once from its publisher."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from framestyle.nst.weights.kind import KeptKind, OnProgress
from framestyle.nst.weights.paths import WeightsStore
from framestyle.paths import is_there

if TYPE_CHECKING:
    from framestyle.nst.weights.backbone import Backbone
    from framestyle.nst.weights.store import Publisher


class _ImageNet(KeptKind):
    name = "imagenet"

    def load(self, store: WeightsStore, seed: int, on_progress: OnProgress | None) -> Backbone:
        """Fetched first where it is not kept."""
        from framestyle.nst.weights.backbone import imagenet_backbone, kept_convolutions

        path = self.path(store, seed)
        if not is_there(path):
            self.fetch(store, on_progress)
        return imagenet_backbone(*kept_convolutions(path))

    def fetch(self, store: WeightsStore, on_progress: OnProgress | None = None) -> Path:
        """Download, check against the publisher's hash, check shapes and values, keep."""
        from framestyle.nst.weights.backbone import from_torchvision, keep_convolutions
        from framestyle.nst.weights.store import fetch_file

        state, origin = fetch_file(store, publisher(), on_progress)
        return keep_convolutions(self.path(store, 0), from_torchvision(state, origin), self.name)

    def import_file(self, store: WeightsStore, source: Path) -> Path:
        """Keep a user's own file of torchvision's keys."""
        from framestyle.nst.weights.backbone import import_torchvision

        return import_torchvision(self.path(store, 0), source, self.name)


def publisher() -> Publisher:
    """torchvision, and its own address."""
    from torchvision.models import VGG19_Weights

    from framestyle.nst.weights.store import Publisher

    url = str(VGG19_Weights.IMAGENET1K_V1.url)
    return Publisher("imagenet", url)


IMAGENET = _ImageNet()
