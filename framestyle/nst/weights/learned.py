"""`learned`: a weaker substitute that is made here (learning.py), and kept."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from framestyle.errors import StorageError, WeightsError
from framestyle.nst.weights.kind import KeptKind, OnProgress
from framestyle.nst.weights.learned_recipe import LAST_CONVOLUTION, recipe_key
from framestyle.nst.weights.paths import WeightsStore
from framestyle.paths import is_there

if TYPE_CHECKING:
    from framestyle.nst.weights.backbone import Backbone


class _Learned(KeptKind):
    name = "learned"
    mends_itself = True
    last_convolution = LAST_CONVOLUTION

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
        from framestyle.nst.weights.backbone import (
            keep_convolutions,
            kept_convolutions,
            own_backbone,
            unkept_convolutions,
        )

        path = self.path(store, seed)
        if is_there(path):
            try:
                return own_backbone(self.name, *kept_convolutions(path))
            except WeightsError:
                with suppress(OSError):
                    path.unlink()
        convolutions = learning.learn(seed, on_progress=on_progress)
        # bfloat16 on disk, and the same rounding in memory: the first run equals every later one.
        try:
            keep_convolutions(path, convolutions, self.name, torch.bfloat16)
            return own_backbone(self.name, *kept_convolutions(path))
        except (
            StorageError
        ):  # the cache cannot be written: another time they are learned again, and that is all
            return own_backbone(self.name, *unkept_convolutions(convolutions, self.name, torch.bfloat16))


LEARNED = _Learned()
