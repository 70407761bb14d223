"""`raft-small` and `raft-large`: RAFT's weights (raft_network.py), which measure optical flow and paint nothing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from framestyle.nst.weights.kind import KeptKind, OnProgress, no_picture
from framestyle.nst.weights.paths import WeightsStore

if TYPE_CHECKING:
    from framestyle.nst.weights.backbone import Backbone


class _Raft(KeptKind):
    def __init__(self, name: str) -> None:
        self.name = name

    @property
    def file_name(self) -> str:
        """As the kind."""
        return self.name

    def load(self, store: WeightsStore, seed: int, on_progress: OnProgress | None) -> Backbone:
        """WeightsError: see `raft_network.load_raft`."""
        raise no_picture(self.name)

    def fetch(self, store: WeightsStore, on_progress: OnProgress | None = None) -> Path:
        """Download, check against the publisher's hash, check keys, shapes and values, keep."""
        from framestyle.nst.weights import raft_network

        return raft_network.fetch(store, self.name, on_progress)

    def import_file(self, store: WeightsStore, source: Path) -> Path:
        """Keep a user's own file of torchvision's keys, checked as a fetched one is opened."""
        from framestyle.nst.weights import raft_network

        return raft_network.import_file(store, self.name, source)


RAFT_SMALL, RAFT_LARGE = _Raft("raft-small"), _Raft("raft-large")
