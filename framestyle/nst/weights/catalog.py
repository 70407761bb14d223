"""All kinds of weights together: which are here, and one loaded, fetched, imported or checked by its name.

There is never a silent change from one to another: `auto` is original where its package is installed, else learned, and
whoever resolves it says so.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from framestyle.errors import UsageError, WeightsError
from framestyle.nst.weights.kind import (
    Kind,
    OnProgress,
    WeightsKind,
    WeightsStatus,
    no_picture,
    weights_end,
    weights_kind,
)
from framestyle.nst.weights.paths import WeightsStore, choose_kind
from framestyle.paths import is_there
from framestyle.registries import FETCH, FLOW, WEIGHTS

if TYPE_CHECKING:
    from framestyle.nst.weights.backbone import Backbone


def painting_kinds() -> tuple[str, ...]:
    """What a user can name beside a path."""
    return tuple(one.name for one in WEIGHTS.entries() if FLOW not in one.plugin.traits)


def load_backbone(
    spec: str, *, seed: int = 0, store: WeightsStore | None = None, on_progress: OnProgress | None = None
) -> Backbone:
    """The weights that `spec` names: a kind or a path. May take seconds (learned) or a download (imagenet)."""
    if spec not in WEIGHTS and WEIGHTS.why_broken(spec) is None:
        from framestyle.nst.weights.backbone import backbone_from_file

        return backbone_from_file(Path(spec), kinds=painting_kinds())
    from framestyle.nst.weights.backbone import Backbone

    kind = weights_kind(spec)
    with WEIGHTS.blamed(spec):
        found = kind.load(store or WeightsStore(), seed, on_progress)
        if not isinstance(found, Backbone):
            raise TypeError(f"it gave a {type(found).__name__}, not a Backbone")
    return found


def check_weights(spec: str, *, store: WeightsStore | None = None, seed: int = 0) -> None:
    """WeightsError where loading what `spec` names (`auto`, a kind, a path) could only fail.

    Nothing is fetched or learned.
    """
    name, store = choose_kind(spec), store or WeightsStore()
    if name not in WEIGHTS and WEIGHTS.why_broken(name) is None:
        load_backbone(name)
        return
    kind, traits = weights_kind(name), traits_of(name)
    if FLOW in WEIGHTS.entry(name).plugin.traits:
        raise no_picture(name)
    with WEIGHTS.blamed(name):
        if not kind.is_there(store, seed):
            if not traits.comes_by_itself:
                kind.load(store, seed, None)
        elif not traits.mends_itself:
            kind.check(store, seed)


def check_layers(spec: str, layers: Iterable[str]) -> None:
    """WeightsError where what `spec` names is known to end before one of these layers; nothing is loaded for it."""
    name = choose_kind(spec)
    if name not in WEIGHTS:
        return
    last = traits_of(name).last_convolution
    for layer in layers:
        if _place(layer) > _place(last):
            raise weights_end(name, layer, last.replace("conv", "relu"))


def width_of(spec: str) -> float:
    """The channels of what `spec` names, as a share of VGG19's; those of a file are its."""
    name = choose_kind(spec)
    return traits_of(name).width if name in WEIGHTS else 1.0


def _place(layer: str) -> str:
    """conv5_2, relu5_2 -> 5_2; a pooling comes after its block's convolutions."""
    return layer[4:] if layer[:4] in ("conv", "relu") else f"{layer[-1]}_9"


def list_weights(store: WeightsStore | None = None, seed: int = 0) -> list[WeightsStatus]:
    """What each kind needs and whether it is here; opens nothing. A plugin that breaks says so in its note."""
    store = store or WeightsStore()
    rows = []
    for entry in WEIGHTS.entries():
        note = entry.plugin.help if entry.is_built_in else f"{entry.plugin.help} ({entry.package})"
        try:
            rows.append(_status(entry.name, note, weights_kind(entry.name), store, seed))
        except Exception as error:
            if entry.is_built_in:
                raise
            rows.append(WeightsStatus(entry.name, False, None, 0, f"cannot be used: {error}"))
    return rows


def _status(name: str, note: str, kind: WeightsKind, store: WeightsStore, seed: int) -> WeightsStatus:
    path = kind.path(store, seed)
    if path is not None and not is_there(path):
        path = None
    size = 0 if path is None else path.stat().st_size
    return WeightsStatus(name, kind.is_there(store, seed), path, size, note)


def verify(store: WeightsStore | None = None, seed: int = 0) -> dict[str, str]:
    """Every file that is there checked whole against its SHA-256: {kind: 'ok' or what is wrong}.

    Kept ones against what was recorded of them; `original`, which is there with the install, always.
    """
    store = store or WeightsStore()
    found = {}
    for row in list_weights(store, seed):
        if row.kind in WEIGHTS and (row.path is not None or traits_of(row.kind).is_missed):
            found[row.kind] = _state_of(row.kind, store, seed)
    return found


def traits_of(name: str) -> Kind:
    """What else is known of a registered kind: `remedy`, `caution`, and so on, of a plugin too that says nothing."""
    kind = weights_kind(name)
    return kind if isinstance(kind, Kind) else Kind()


def _state_of(name: str, store: WeightsStore, seed: int) -> str:
    try:
        weights_kind(name).check(store, seed)
    except WeightsError as error:
        return error.message
    except Exception as error:
        if WEIGHTS.entry(name).is_built_in:
            raise
        return f"cannot be checked: {type(error).__name__}: {error}"
    return "ok"


def fetch(store: WeightsStore, kind: str, on_progress: OnProgress | None = None) -> Path:
    """Download a published kind, check and convert it, keep it.

    WeightsError or StorageError where that fails, UsageError where the kind is not fetched.
    """
    return _fetched_kind(kind).fetch(store, on_progress)


def import_file(store: WeightsStore, kind: str, source: Path) -> Path:
    """Convert a user's own file and keep it as `kind`. UsageError where the kind is not made from a file."""
    return _fetched_kind(kind).import_file(store, source)


def _fetched_kind(name: str) -> Kind:
    kind = weights_kind(name)
    if not (hasattr(kind, "fetch") and hasattr(kind, "import_file")):
        raise UsageError(
            f"the {name} weights are not fetched", next_step=f"Those are: {', '.join(WEIGHTS.names(FETCH))}."
        )
    return kind  # type: ignore[return-value]
