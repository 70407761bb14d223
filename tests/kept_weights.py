"""Untrained filters, made once for all tests of a process: they are a third of a second, a thousand times."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING

from framestyle.nst.weights.kind import OnProgress
from framestyle.nst.weights.paths import WeightsStore
from framestyle.nst.weights.untrained import UNTRAINED

if TYPE_CHECKING:
    from framestyle.nst.weights.backbone import Backbone

AS_MADE: Callable[[WeightsStore, int, OnProgress | None], Backbone] = UNTRAINED.load


@lru_cache(maxsize=2)
def _made(seed: int) -> Backbone:
    return AS_MADE(WeightsStore(), seed, None)


def kept(store: WeightsStore, seed: int, on_progress: OnProgress | None) -> Backbone:
    """In the place of `UNTRAINED.load`."""
    return _made(seed)


def keep() -> None:
    """From now on, in this process and in those that are forked from it."""
    UNTRAINED.load = kept  # type: ignore[method-assign]
