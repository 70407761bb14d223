"""RAFT's weights (Teed and Deng 2020, arXiv 2003.12039), as torchvision trained and publishes them.

`raft-small` has 1 million parameters, `raft-large` 5 million. They come in the same way as VGG19's (store.py), but
never by themselves: a clip that wants them and lacks them is refused, and no other flow is taken in their place.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from framestyle.errors import Code, WeightsError
from framestyle.nst.weights.store import (
    OnProgress,
    Publisher,
    WeightsStore,
    fetch_file,
    keep,
    load_kept,
    open_file,
)


def publisher(kind: str) -> Publisher:
    """torchvision, and its own address for `raft-small` or `raft-large`."""
    from torchvision.models.optical_flow import Raft_Large_Weights, Raft_Small_Weights

    small = kind == "raft-small"
    url = Raft_Small_Weights.C_T_V2.url if small else Raft_Large_Weights.C_T_SKHT_V2.url
    return Publisher(kind, str(url))


def fetch(store: WeightsStore, kind: str, on_progress: OnProgress | None = None) -> Path:
    """Download, check against the publisher's hash, check keys, shapes and values, keep."""
    state, origin = fetch_file(store, publisher(kind), on_progress)
    return keep(store.path(kind), _checked(state, _shape_only(kind), kind, origin), kind)


def import_file(store: WeightsStore, kind: str, source: Path) -> Path:
    """Keep a user's own file of torchvision's keys as `kind`, checked as a fetched one is opened."""
    return keep(store.path(kind), _checked(open_file(source), _shape_only(kind), kind, str(source)), kind)


def load_raft(kind: str, store: WeightsStore) -> nn.Module:
    """The network with its kept weights, on the CPU, in eval mode, without gradients. Never downloads.

    WeightsError where the weights are missing, or not what was kept.
    """
    path = store.path(kind)
    if not path.exists():
        raise WeightsError(
            f"video.flow=raft needs the {kind} weights, and they are not installed",
            code=Code.WEIGHTS_MISSING,
            facts={"kind": kind},
        )
    tensors, _ = load_kept(path)
    network = _shape_only(kind)
    network.load_state_dict(_checked(tensors, network, kind, str(path)), assign=True)
    return network.eval().requires_grad_(False)


def _shape_only(kind: str) -> nn.Module:
    """The module without memory or numbers: nothing is drawn from torch's generator, which others' seeds set."""
    from torchvision.models.optical_flow import raft_large, raft_small

    with torch.device("meta"):
        network: nn.Module = (raft_small if kind == "raft-small" else raft_large)(weights=None)
    return network


def _checked(state: Mapping[str, Any], network: nn.Module, kind: str, origin: str) -> dict[str, Tensor]:
    """Exactly the module's tensors, in its shapes and types, all finite; else WeightsError."""
    wanted = network.state_dict()
    wrong = _difference(state, wanted)
    if wrong is not None:
        raise WeightsError(f"{origin} is no {kind}: {wrong}", code=Code.WEIGHTS_DAMAGED, facts={"kind": kind})
    checked = {name: state[name].to(like.dtype).contiguous() for name, like in wanted.items()}
    for name, tensor in checked.items():
        if not tensor.isfinite().all():
            raise WeightsError(
                f"{origin}: {name} holds values that are not finite",
                code=Code.WEIGHTS_DAMAGED,
                facts={"kind": kind},
            )
    return checked


def _difference(state: Mapping[str, Any], wanted: Mapping[str, Tensor]) -> str | None:
    """The first name, in order, that only one of them has or whose shapes differ."""
    for name in sorted({*wanted, *map(str, state)}):
        if name not in wanted:
            return f"it holds {name[:80]!r} too"
        found = state.get(name)
        shape, like = tuple(found.shape) if isinstance(found, Tensor) else None, tuple(wanted[name].shape)
        if shape != like:
            return f"{name} has shape {shape}, not {like}"
    return None
