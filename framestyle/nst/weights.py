"""Find, fetch, verify and convert VGG19 weights.

Kinds: `imagenet` (torchvision's, fetched once), `caffe` (the original network, from a file that the user
imports), `learned` (made here, see learned.py), `untrained` (seeded random), or a path. There is never a
silent change from one to another: `auto` is imagenet where it is already at hand, else learned, and says so.
"""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import tempfile
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from framestyle.errors import StorageError, WeightsError
from framestyle.nst import learned
from framestyle.presets.library import cache_dir

KINDS = ("imagenet", "caffe", "learned", "untrained")
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
TIMEOUT_S = 30.0

IMAGENET_SHIFT, IMAGENET_FACTOR = (0.485, 0.456, 0.406), (1 / 0.229, 1 / 0.224, 1 / 0.225)
CAFFE_SHIFT, CAFFE_FACTOR = (103.939 / 255, 116.779 / 255, 123.68 / 255), (255.0, 255.0, 255.0)
"""For BGR in [0, 1]: 0-255 minus the mean, as the original network wants it."""

OnProgress = Callable[[float, str], None]


@dataclass(frozen=True, eq=False)
class Backbone:
    """Convolutions by name and how an RGB image in [0, 1] enters them: (x - shift) · factor, BGR if reversed."""

    kind: str
    convolutions: Mapping[str, tuple[Tensor, Tensor]]
    shift: tuple[float, float, float]
    factor: tuple[float, float, float]
    reverse_channels: bool = False
    native_pooling: str = "max"
    pads_deep: bool = False
    """Whether every convolution continues its input beyond the edge; pretrained ones expect zeros there."""
    fingerprint: str = ""
    description: str = ""


@dataclass(frozen=True)
class WeightsStatus:
    """One line of `framestyle weights list`."""

    kind: str
    at_hand: bool
    path: Path | None
    size_bytes: int
    note: str


@dataclass(frozen=True)
class WeightsStore:
    """The folder that keeps weights, and where the pretrained ones are published."""

    folder: Path = field(default_factory=lambda: default_folder())
    url: str | None = None
    """None: torchvision's own address."""

    def path(self, kind: str, seed: int = 0) -> Path:
        """Where the converted weights of `kind` are kept."""
        if kind == "learned":
            key = hashlib.sha256(learned.recipe_key(seed).encode()).hexdigest()[:12]
            return self.folder / f"vgg19-learned-{key}.safetensors"
        return self.folder / f"vgg19-{kind}.safetensors"

    def imagenet_url(self) -> str:
        """The publisher's address; its file name carries the first digits of the SHA-256."""
        if self.url is not None:
            return self.url
        from torchvision.models import VGG19_Weights

        return str(VGG19_Weights.IMAGENET1K_V1.url)


def default_folder() -> Path:
    """FRAMESTYLE_CACHE, or the platform's cache folder."""
    return cache_dir() / "weights"


def load_backbone(
    spec: str, *, seed: int = 0, store: WeightsStore | None = None, on_progress: OnProgress | None = None
) -> Backbone:
    """The weights that `spec` names: a kind or a path. May take seconds (learned) or a download (imagenet)."""
    store = store or WeightsStore()
    if spec == "imagenet":
        if not store.path("imagenet").exists():
            fetch_imagenet(store, on_progress)
        return _load_kept(store.path("imagenet"), "imagenet")
    if spec == "caffe":
        if not store.path("caffe").exists():
            raise WeightsError(
                "no caffe weights are at hand",
                next_step="Import the original network's file once: framestyle weights fetch caffe --file FILE",
            )
        return _load_kept(store.path("caffe"), "caffe")
    if spec == "learned":
        return _load_learned(store, seed, on_progress)
    if spec == "untrained":
        return _untrained(seed)
    return _load_path(Path(spec))


def choose_kind(spec: str, store: WeightsStore | None = None) -> str:
    """`auto` -> imagenet where it is at hand, else learned; anything else as it is."""
    if spec != "auto":
        return spec
    return "imagenet" if (store or WeightsStore()).path("imagenet").exists() else "learned"


def list_weights(store: WeightsStore | None = None, seed: int = 0) -> list[WeightsStatus]:
    """What each kind needs and whether it is at hand; opens nothing."""
    store = store or WeightsStore()
    notes = {
        "imagenet": "torchvision's VGG19, a 548 MB download: framestyle weights fetch",
        "caffe": "the original network, from your file: framestyle weights fetch caffe --file FILE",
        "learned": "learned here without labels in under a minute, no download",
        "untrained": "seeded random filters, for trying things out; no strokes to expect",
    }
    rows = []
    for kind in KINDS:
        path = store.path(kind, seed)
        there = path.exists()
        size = path.stat().st_size if there else 0
        rows.append(
            WeightsStatus(kind, there or kind == "untrained", path if there else None, size, notes[kind])
        )
    return rows


def verify(store: WeightsStore | None = None, seed: int = 0) -> dict[str, str]:
    """Every kept file checked whole against its recorded SHA-256: {kind: 'ok' or what is wrong}."""
    store = store or WeightsStore()
    found: dict[str, str] = {}
    for kind in ("imagenet", "caffe", "learned"):
        path = store.path(kind, seed)
        if path.exists():
            try:
                _load_kept(path, kind)
                found[kind] = "ok"
            except WeightsError as error:
                found[kind] = error.message
    return found


def fetch_imagenet(store: WeightsStore, on_progress: OnProgress | None = None) -> Path:
    """Download, check against the publisher's hash, open with `weights_only`, convert, keep."""
    url = store.imagenet_url()
    expected = Path(url).stem.rpartition("-")[2]
    with _scratch(store.folder) as folder:
        download = Path(folder) / "download.pth"
        digest = _download(url, download, on_progress)
        if not digest.startswith(expected):
            raise WeightsError(
                f"the download from {url} is damaged: its SHA-256 begins {digest[:8]}, not {expected}",
                next_step="Try again; if it stays, something between you and the publisher changes the file.",
            )
        state = _open_pickle(download)
    return _keep(store.path("imagenet"), _from_torchvision(state, url), "imagenet")


def import_file(store: WeightsStore, kind: str, source: Path) -> Path:
    """Convert a user's own file of torchvision-style keys and keep it as `kind`."""
    return _keep(store.path(kind), _from_torchvision(_open_any(source), str(source)), kind)


def _scratch(folder: Path) -> tempfile.TemporaryDirectory[str]:
    """A folder for the download, beside where the weights will be kept."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return tempfile.TemporaryDirectory(dir=folder, prefix=".fetch-")
    except OSError as error:
        raise StorageError(f"weights cannot be kept in {folder}: {error.strerror}") from error


def _download(url: str, target: Path, on_progress: OnProgress | None) -> str:
    """To `target`; the SHA-256 of what arrived. A download cut short is an error, never half-used."""
    digest = hashlib.sha256()
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT_S) as response, target.open("wb") as out:
            total, got = int(response.headers.get("Content-Length") or 0), 0
            while block := response.read(1 << 20):
                out.write(block)
                digest.update(block)
                got += len(block)
                if on_progress is not None and total:
                    on_progress(got / total, f"{got >> 20} of {total >> 20} MB")
    except (urllib.error.URLError, http.client.HTTPException, TimeoutError, ConnectionError) as error:
        reason = getattr(error, "reason", error)
        raise WeightsError(
            f"the imagenet weights cannot be fetched from {url}: {reason}",
            next_step="Check the network, or use --weights learned, which needs none.",
        ) from error
    except OSError as error:
        raise StorageError(f"the download cannot be written to {target.parent}: {error.strerror}") from error
    if total and got != total:
        raise WeightsError(
            f"the download from {url} ended after {got} of {total} bytes", next_step="Try again."
        )
    return digest.hexdigest()


def _open_pickle(path: Path) -> dict[str, Any]:
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise WeightsError(
            f"{path} is no file of weights, or holds more than tensors; it was not opened further"
        ) from error
    if not isinstance(state, dict):
        raise WeightsError(f"{path} holds no table of weights")
    return state


def _open_any(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise WeightsError(
            f"no weights file at {path}",
            next_step=f"Name a file that is there, or a kind: {', '.join(KINDS)}.",
        )
    if path.suffix != ".safetensors":
        return _open_pickle(path)
    try:
        return dict(load_file(path))
    except (SafetensorError, OSError) as error:
        raise WeightsError(f"{path} is no safetensors file: {error}") from error


def _from_torchvision(state: Mapping[str, Any], origin: str) -> dict[str, tuple[Tensor, Tensor]]:
    """`features.N.weight` keys -> convolutions by name, shapes and values checked."""
    convolutions: dict[str, tuple[Tensor, Tensor]] = {}
    inputs = 3
    for name, index in CONVOLUTION_INDICES.items():
        outputs = CHANNELS[int(name[4])]
        pair = state.get(f"features.{index}.weight"), state.get(f"features.{index}.bias")
        shapes = [tuple(t.shape) if isinstance(t, Tensor) else None for t in pair]
        if shapes != [(outputs, inputs, 3, 3), (outputs,)]:
            raise WeightsError(f"{origin} is no VGG19: features.{index} has shapes {shapes}")
        weight, bias = (t.float() for t in pair if isinstance(t, Tensor))
        if not (weight.isfinite().all() and bias.isfinite().all()):
            raise WeightsError(f"{origin}: {name} holds values that are not finite")
        convolutions[name] = (weight, bias)
        inputs = outputs
    return convolutions


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _keep(
    path: Path,
    convolutions: Mapping[str, tuple[Tensor, Tensor]],
    kind: str,
    dtype: torch.dtype = torch.float32,
) -> Path:
    """Write safetensors and, beside it, its SHA-256; each whole or not at all."""
    tensors = {}
    for name, (weight, bias) in convolutions.items():
        tensors[f"{name}.weight"] = weight.to(dtype).contiguous()
        tensors[f"{name}.bias"] = bias.float().contiguous()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=".keep-") as folder:
            made = Path(folder) / path.name
            save_file(tensors, made, metadata={"kind": kind})
            record = Path(folder) / "record.json"
            record.write_text(json.dumps({"kind": kind, "sha256": _sha256(made)}))
            # The record first: a file without its record is not trusted, a record without its file is nothing.
            os.replace(record, _record(path))
            os.replace(made, path)
    except OSError as error:
        raise StorageError(f"weights cannot be kept in {path.parent}: {error.strerror}") from error
    return path


def _record(path: Path) -> Path:
    return path.with_suffix(".json")


def _load_kept(path: Path, kind: str) -> Backbone:
    """A file that `_keep` wrote, its hash checked against the record before it is opened."""
    again = "Delete it and fetch or import the weights again."
    try:
        expected = json.loads(_record(path).read_text())["sha256"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise WeightsError(f"{path} has no readable record of its hash", next_step=again) from error
    digest = _sha256(path)
    if digest != expected:
        raise WeightsError(f"{path} is not what was written: its SHA-256 differs", next_step=again)
    tensors = _open_any(path)
    names = [name for name in CONVOLUTION_INDICES if f"{name}.weight" in tensors]
    convolutions = {n: (tensors[f"{n}.weight"].float(), tensors[f"{n}.bias"].float()) for n in names}
    return _backbone(kind, convolutions, digest)


def _backbone(kind: str, convolutions: Mapping[str, tuple[Tensor, Tensor]], fingerprint: str) -> Backbone:
    if kind == "caffe":
        return Backbone(kind, convolutions, CAFFE_SHIFT, CAFFE_FACTOR, True, "max", False, fingerprint)
    if kind in ("learned", "untrained"):
        deep = kind == "learned"
        return Backbone(
            kind, convolutions, learned.SHIFT, learned.FACTOR, False, "average", deep, fingerprint
        )
    return Backbone(kind, convolutions, IMAGENET_SHIFT, IMAGENET_FACTOR, False, "max", False, fingerprint)


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
    convolutions, inputs = {}, 3
    for name in CONVOLUTION_INDICES:
        outputs = CHANNELS[int(name[4])]
        weight = torch.randn(outputs, inputs, 3, 3, generator=generator) * (2 / (inputs * 9)) ** 0.5
        convolutions[name] = (weight, torch.zeros(outputs))
        inputs = outputs
    return _backbone("untrained", convolutions, f"untrained seed={seed}")


def _load_path(path: Path) -> Backbone:
    """torchvision-style keys (taken as ImageNet weights) in .pth or .safetensors."""
    convolutions = _from_torchvision(_open_any(path), str(path))
    return _backbone("imagenet", convolutions, _sha256(path))
