"""Devices that are not there, and weights that are not what they should be: told before any work, never half-used."""

from __future__ import annotations

import hashlib
import os
import pickle
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from fault_list import fault
from loopback import Server
from photo_makers import picture, save
from place import Place

from framestyle.jobs import workshop
from framestyle.nst.weights import load_backbone

ORDER = ("sources/in.png", "-o", "out.png")


@pytest.fixture(autouse=True)
def photo(place: Place) -> None:
    save(place.sources / "in.png", picture(height=24, width=32))


@pytest.fixture
def real_weights(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are loaded as asked for, and not the untrained ones made before."""
    monkeypatch.setattr(workshop, "load_backbone", load_backbone)


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
