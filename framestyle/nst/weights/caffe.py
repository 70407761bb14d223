"""`caffe`: the original network in full precision, from a file that the user imports once."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from framestyle.errors import Code, UsageError, WeightsError
from framestyle.nst.weights.kind import KeptKind, OnProgress
from framestyle.nst.weights.paths import WeightsStore
from framestyle.paths import is_there

if TYPE_CHECKING:
    from framestyle.nst.weights.backbone import Backbone


class _Caffe(KeptKind):
    name = "caffe"
    comes_by_itself = False

    def load(self, store: WeightsStore, seed: int, on_progress: OnProgress | None) -> Backbone:
        """WeightsError where it was not imported."""
        from framestyle.nst.weights.backbone import caffe_backbone, kept_convolutions

        path = self.path(store, seed)
        if not is_there(path):
            raise WeightsError(
                "no caffe weights are installed", code=Code.WEIGHTS_MISSING, facts={"kind": self.name}
            )
        return caffe_backbone(self.name, *kept_convolutions(path))

    def fetch(self, store: WeightsStore, on_progress: OnProgress | None = None) -> Path:
        """UsageError: nobody publishes it in a form that can be checked."""
        raise UsageError(
            "the caffe weights come from a file of yours",
            code=Code.WEIGHTS_FROM_FILE,
            facts={"kind": self.name},
        )

    def import_file(self, store: WeightsStore, source: Path) -> Path:
        """Keep a user's own file of torchvision's keys."""
        from framestyle.nst.weights.backbone import import_torchvision

        return import_torchvision(self.path(store, 0), source, self.name)


CAFFE = _Caffe()
