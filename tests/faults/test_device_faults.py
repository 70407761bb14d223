"""Devices that are not there, and weights that are not what they should be: told before any work, never half-used."""

from __future__ import annotations

import hashlib
import json
import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from clips import make_clip
from fault_list import fault
from loopback import Server
from photo_makers import picture, save
from place import Place

from framestyle import opening
from framestyle.media.photos import read_photo
from framestyle.nst import memory_plan, stylizer
from framestyle.nst.network import vgg
from framestyle.nst.weights.catalog import check_layers, load_backbone
from framestyle.presets import load_preset

ORDER = ("sources/in.png", "-o", "out.png")


@pytest.fixture(autouse=True)
def photo(place: Place) -> None:
    save(place.sources / "in.png", picture(height=24, width=32))


@pytest.fixture
def real_weights(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are loaded as asked for, and not the untrained ones made before."""
    monkeypatch.setattr(opening, "load_backbone", load_backbone)


@pytest.fixture
def published(server: Server, raft_file: Callable[[str], Path]) -> str:
    """The address of weights on this machine: the smallest there are."""
    body = raft_file("raft-small").read_bytes()
    name = f"raft_small-{hashlib.sha256(body).hexdigest()[:8]}.pth"
    server.bodies[name] = body
    return server.url(name)


def _kept(place: Place) -> list[str]:
    return sorted(path.name for path in (place.folder.parent / "cache").rglob("*") if path.is_file())


def _fetch(place: Place, url: str, *words: str) -> None:
    told = place.call("weights", "fetch", "raft-small", "--url", url)
    if not words:
        assert told.code == 0, told.err
        return
    assert told.code == place.fault.code
    lines = [line for line in told.err.splitlines() if line and not line.startswith("[")]
    assert len(lines) == 2 and lines[0].startswith("framestyle: ") and lines[1].startswith("  "), told.err
    for word in words:
        assert word in told.err, told.err
    assert _kept(place) == []


@fault("no CUDA", 9, "it says that the device is not there")
def test_no_cuda(place: Place) -> None:
    there = torch.cuda.device_count()
    place.refuses(
        *ORDER, "--device", f"cuda:{there}", words=(f"device 'cuda:{there}' is not on this machine",)
    )
    place.refuses(*ORDER, "--device", "quantum", words=("no such device: 'quantum'",))


@fault("hash mismatch", 8, "a download is not opened, a kept file not used; it says how to get on")
def test_hash_mismatch(place: Place, server: Server, published: str, real_weights: None) -> None:
    name = published.rpartition("/")[2]
    other = f"raft_small-{'0' * 8}.pth"
    server.bodies[other] = server.bodies[name]
    _fetch(place, server.url(other), "is damaged: its SHA-256 begins", "not 00000000")
    kept = place.folder.parent / "cache" / "weights" / "vgg19-imagenet.safetensors"
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.write_bytes(b"not what was written")
    kept.with_suffix(".json").write_text('{"kind": "imagenet", "sha256": "0"}')
    place.refuses(*ORDER, "--weights", "imagenet", words=(str(kept), "its SHA-256 differs", "fetch"))


class _Payload:
    """Runs when it is unpickled."""

    def __reduce__(self) -> object:
        return os.mkdir, ("owned",)


@pytest.mark.parametrize("how", ["pickle", "torch"])
@fault("pickle payload", 8, "refused; nothing of it runs")
def test_pickle_payload(place: Place, how: str, real_weights: None) -> None:
    weights = Path("presets/evil.pth")
    if how == "pickle":
        weights.write_bytes(pickle.dumps({"features.0.weight": _Payload()}))
    else:
        torch.save({"features.0.weight": _Payload()}, weights)
    place.refuses(*ORDER, "--weights", str(weights), words=(str(weights), "not opened further"))
    told = place.call("weights", "fetch", "--file", str(weights))
    assert told.code == place.fault.code and _kept(place) == []
    assert not Path("owned").exists()


@fault("a download cut in half", 8, "nothing of it is kept; the same command fetches it anew")
def test_a_download_cut_in_half(place: Place, server: Server, published: str) -> None:
    name = published.rpartition("/")[2]
    whole = server.bodies[name]
    server.bodies[name], server.promised[name] = whole[: len(whole) // 2], len(whole)
    _fetch(place, published, f"ended after {len(whole) // 2} of {len(whole)} bytes")
    server.bodies[name] = whole
    _fetch(place, published)
    assert _kept(place) == ["raft-small.json", "raft-small.safetensors"]
    assert server.asked == [name] * 2
    assert place.call("weights", "verify").code == 0


SMALLEST_TILES = (16,)
MOST_VALUES = 64 * 24 * 24
"""Of a map: a tile of 16 px with its surroundings takes no more, a picture of 48x40 does."""


class SmallAllocator:
    """Refuses convolutions whose results are large, from the call given on; as torch's own does on a CPU."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, from_call: int = 0) -> None:
        self._convolve, self._left, self.refused = vgg.F.conv2d, from_call, 0
        monkeypatch.setattr(vgg.F, "conv2d", self)
        monkeypatch.setattr(memory_plan, "TILE_SIDES_PX", SMALLEST_TILES)
        monkeypatch.setattr(memory_plan, "FIXED_BYTES", 0)

    def __call__(self, x: torch.Tensor, weight: torch.Tensor, *rest: Any, **named: Any) -> torch.Tensor:
        if weight.shape[1] == 1:  # no layer's, but the preconditioner's
            return self._convolve(x, weight, *rest, **named)
        self._left -= 1
        if self._left < 0 and weight.shape[0] * x.shape[2] * x.shape[3] > MOST_VALUES:
            self.refused += 1
            raise RuntimeError(
                "DefaultCPUAllocator: can't allocate memory: you tried to allocate 9999999 bytes."
            )
        return self._convolve(x, weight, *rest, **named)


@fault("out of memory at the first step", 0, "it is said; the picture is read in tiles, with the same result")
def test_out_of_memory_at_the_first_step(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    save(place.sources / "large.png", picture(height=40, width=48))
    place.results |= {"whole.png", "out.png"}
    place.paints("sources/large.png", "-o", "whole.png")
    allocator = SmallAllocator(monkeypatch)
    told = place.paints("sources/large.png", "-o", "out.png", progress="json")
    assert allocator.refused and "memory ran out" in told.err and "tiles of 16 px" in told.err
    assert _far_apart(Path("out.png"), Path("whole.png")) <= 2


@fault("out of memory mid-clip", 0, "it is said; the clip goes on in tiles from that frame on, and is whole")
def test_out_of_memory_mid_clip(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    make_clip(place.sources / "in.mp4", size="48x40")
    place.results |= {"f/"} | {f"f/{number}.png" for number in range(8)}
    allocator = SmallAllocator(monkeypatch, from_call=14)
    told = place.paints("sources/in.mp4", "-o", "f/%d.png", progress="json")
    news = [json.loads(line) for line in told.err.splitlines() if line.startswith("{")]
    at = next(n for n, one in enumerate(news) if "memory ran out" in one.get("message", ""))
    before = sum(one["event"] == "frame_done" for one in news[:at])
    assert allocator.refused and 0 < before < 8
    assert sum(one["event"] == "frame_done" for one in news) == 8


@fault("NaN loss", 0, "it steps back to the last good pixels, says so, and goes on at half the rate")
def test_nan_loss(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = 0
    real = stylizer.loss_and_gradient

    def overflowing(*arguments: Any, **options: Any) -> Any:
        nonlocal calls
        calls += 1
        gradient, values = real(*arguments, **options)
        return (gradient * float("nan"), values * float("nan")) if calls == 2 else (gradient, values)

    monkeypatch.setattr(stylizer, "loss_and_gradient", overflowing)
    place.results.add("out.png")
    told = place.paints(*ORDER, progress="json")
    assert "NaN" in told.err
    monkeypatch.undo()
    assert read_photo(Path(place.folder / "out.png")).pixels.std() > 5


def _far_apart(one: Path, other: Path) -> float:
    """The mean difference in levels of 255."""
    pixels = [read_photo(path).pixels.astype(float) for path in (one, other)]
    return float(np.abs(pixels[0] - pixels[1]).mean())


@fault(
    "a layer that the weights do not have", 8, "refused before they are learned or loaded, and by --dry-run"
)
def test_a_layer_beyond_the_weights(place: Place) -> None:
    deep = ("--set", "content.layers={relu5_4: 1}", "sources/in.png", "-o", "out.png")
    for more in ((), ("--dry-run",)):
        told = place.call("stylize", "-p", "presets/quick.yaml", "--weights", "learned", *deep, *more)
        assert told.code == place.fault.code, told.err
        told.is_one_sentence("end before layer relu5_4", "up to relu5_2")
    default = load_preset("wave")
    check_layers("learned", (*default.style.layers, *default.content.layers))
