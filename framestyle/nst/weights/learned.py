"""`learned`: a weaker substitute that is made here (learning.py), and kept."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from framestyle.errors import WeightsError
from framestyle.nst.weights.kind import KeptKind, OnProgress
from framestyle.nst.weights.learned_recipe import recipe_key
from framestyle.nst.weights.paths import WeightsStore

if TYPE_CHECKING:
    from framestyle.nst.weights.backbone import Backbone


class _Learned(KeptKind):
    name = "learned"
    mends_itself = True

    @property
    def remedy(self) -> str:  # type: ignore[override]
        """Nothing has to be done."""
        return "It is learned anew when it is next used."

    def path(self, store: WeightsStore, seed: int) -> Path:
        """By its recipe and seed."""
        key = hashlib.sha256(recipe_key(seed).encode()).hexdigest()[:12]
        return store.kept(f"vgg19-learned-{key}")

    def identity(self, store: WeightsStore, seed: int) -> str:
        """What it is made from."""
        return recipe_key(seed)

    def load(self, store: WeightsStore, seed: int, on_progress: OnProgress | None) -> Backbone:
        """Kept where it was learned before; a damaged or unwritable cache is learned anew, never trusted."""
        import torch

        from framestyle.nst.weights import learning
        from framestyle.nst.weights.backbone import keep_convolutions, kept_convolutions, own_backbone

        path = self.path(store, seed)
        if path.exists():
            try:
                return own_backbone(self.name, *kept_convolutions(path))
            except WeightsError:
                path.unlink(missing_ok=True)
        convolutions = learning.learn(seed, on_progress=on_progress)
        # bfloat16 on disk, and the same rounding in memory: the first run equals every later one.
        keep_convolutions(path, convolutions, self.name, torch.bfloat16)
        return own_backbone(self.name, *kept_convolutions(path))


LEARNED = _Learned()
