"""What a kind of weights is, and what those have in common whose file is kept in the cache. Loads no torch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

from framestyle.errors import Code, UsageError, WeightsError
from framestyle.nst.weights.hashes import recorded_hash
from framestyle.nst.weights.paths import NOT_HERE, WeightsStore
from framestyle.paths import is_there
from framestyle.registries import WEIGHTS

if TYPE_CHECKING:
    from framestyle.nst.weights.backbone import Backbone

OnProgress = Callable[[float, str], None]
"""(fraction done, a few words): while weights are fetched or made."""


class WeightsKind(Protocol):
    """One of the weights that a user can name. Its module loads no torch: plans ask for `path` and `identity`.

    `seed` is for kinds that are made from one. Beside these, a kind that can be fetched has `fetch` and
    `import_file`, as `KeptKind` has; `remedy`, `is_missed`, `mends_itself`, `comes_by_itself`, `caution`,
    `width` and `last_convolution` may say more about it.
    """

    def path(self, store: WeightsStore, seed: int) -> Path | None:
        """Where its file lies, or would lie; None where it has none."""

    def is_there(self, store: WeightsStore, seed: int) -> bool:
        """Whether it can be loaded without a network."""

    def identity(self, store: WeightsStore, seed: int) -> str:
        """Another text for other weights, as far as it can be told without opening them."""

    def load(self, store: WeightsStore, seed: int, on_progress: OnProgress | None) -> Backbone:
        """The weights; may take long. WeightsError where they cannot be had."""

    def check(self, store: WeightsStore, seed: int) -> None:
        """WeightsError where its file is not what it should be; opens nothing."""


class Kind:
    """What most kinds answer. A plugin may start from it, and then defines `path`, `identity` and `load`."""

    name = ""
    remedy: str | None = None
    """The next step where the file is damaged or missing; None: it is fetched anew, where it can be."""
    is_missed = False
    """Whether it is worth a warning where it is not there."""
    mends_itself = False
    """Whether a damaged file is replaced at its next use."""
    comes_by_itself = True
    """Whether `load` makes it or brings it here where it is not there."""
    caution: str | None = None
    """Said whenever it is used."""
    width = 1.0
    """Its channels, as a share of VGG19's: what a step costs goes by them."""
    last_convolution = "conv5_4"
    """Beyond which it has none."""

    def path(self, store: WeightsStore, seed: int) -> Path | None:
        """None: it has no file."""
        return None

    def is_there(self, store: WeightsStore, seed: int) -> bool:
        """Where its file is, or where it needs none."""
        path = self.path(store, seed)
        return path is None or is_there(path)

    def check(self, store: WeightsStore, seed: int) -> None:
        """Nothing to check, where there is no file."""

    def fetch(self, store: WeightsStore, on_progress: OnProgress | None = None) -> Path:
        """UsageError: it is not fetched."""
        raise UsageError(f"the {self.name} weights are not fetched", next_step=self.remedy)

    def import_file(self, store: WeightsStore, source: Path) -> Path:
        """UsageError: it is not imported."""
        raise UsageError(f"the {self.name} weights are not imported from a file", next_step=self.remedy)


class KeptKind(Kind):
    """Its file lies in the cache, beside a record of its hash, which is checked at each load."""

    @property
    def file_name(self) -> str:
        """Without its suffix."""
        return f"vgg19-{self.name}"

    def path(self, store: WeightsStore, seed: int) -> Path:
        """In the cache."""
        return store.kept(self.file_name)

    def identity(self, store: WeightsStore, seed: int) -> str:
        """By the recorded hash."""
        path = self.path(store, seed)
        return f"{self.name} {(recorded_hash(path) if is_there(path) else None) or NOT_HERE}"

    def check(self, store: WeightsStore, seed: int) -> None:
        """Against the record, and whether it opens."""
        from framestyle.nst.weights.store import load_kept

        load_kept(self.path(store, seed))


@dataclass(frozen=True)
class WeightsStatus:
    """A kind of weights, and whether it is cached."""

    kind: str
    installed: bool
    path: Path | None
    size_bytes: int
    note: str


def weights_kind(name: str) -> WeightsKind:
    """The registered kind of that name. WeightsError where there is none, or its plugin breaks."""
    return cast("WeightsKind", WEIGHTS.load(name))


def no_picture(kind: str) -> WeightsError:
    """For weights that paint nothing."""
    from framestyle.registries import FLOW

    painting = [name for name in WEIGHTS.names() if FLOW not in WEIGHTS.entry(name).plugin.traits]
    return WeightsError(
        f"the {kind} weights measure optical flow; no picture can be painted with them",
        code=Code.WEIGHTS_OF_FLOW,
        facts={"kind": kind, "kinds": painting},
    )


def weights_end(kind: str, layer: str, last: str) -> WeightsError:
    """For weights that have no such layer."""
    return WeightsError(
        f"the {kind!r} weights end before layer {layer}",
        next_step=f"Use layers up to {last}, or other weights.",
    )
