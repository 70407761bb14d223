"""RAFT's weights: fetched from a real server on this machine, checked against the module, and never by themselves."""

from __future__ import annotations

import hashlib
import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from loopback import Server
from safetensors.torch import load_file
from torch import Tensor

from framestyle.doors.advice import next_step, weights_text
from framestyle.errors import WeightsError
from framestyle.nst.weights import raft_network as raft_weights
from framestyle.nst.weights.catalog import fetch, import_file, list_weights, load_backbone, verify
from framestyle.nst.weights.paths import choose_kind
from framestyle.nst.weights.raft_network import load_raft
from framestyle.nst.weights.store import WeightsStore

RaftFile = Callable[[str], Path]
NEVER_ASKED = "http://127.0.0.1:9/never-asked-00000000.pth"


@pytest.fixture
def kept(raft_file: RaftFile, tmp_path: Path) -> WeightsStore:
    """A store that holds raft-small, with nowhere to fetch it again."""
    store = WeightsStore(tmp_path / "weights", NEVER_ASKED)
    import_file(store, "raft-small", raft_file("raft-small"))
    return store


def _publish(server: Server, body: bytes) -> str:
    name = f"raft_small-{hashlib.sha256(body).hexdigest()[:8]}.pth"
    server.bodies[name] = body
    return server.url(name)


def _state(path: Path) -> dict[str, Tensor]:
    return dict(torch.load(path, weights_only=True))


# -- fetching ----------------------------------------------------------------------------------------------


def test_what_is_fetched_is_what_the_network_then_has(
    raft_file: RaftFile, server: Server, tmp_path: Path
) -> None:
    published = raft_file("raft-small")
    store = WeightsStore(tmp_path / "weights", _publish(server, published.read_bytes()))
    fractions: list[float] = []
    path = fetch(store, "raft-small", lambda done, text: fractions.append(done))
    network = load_raft("raft-small", store)

    assert len(server.asked) == 1
    assert fractions == sorted(fractions) and fractions[-1] == 1.0
    assert path == store.path("raft-small")
    assert sorted(file.name for file in store.folder.iterdir()) == [
        "raft-small.json",
        "raft-small.safetensors",
    ]
    wanted, loaded = _state(published), network.state_dict()
    assert list(loaded) == list(wanted)
    assert all(torch.equal(loaded[name], wanted[name]) for name in wanted)
    assert not network.training
    assert not any(parameter.requires_grad for parameter in network.parameters())


def test_a_download_with_another_hash_is_refused(raft_file: RaftFile, server: Server, tmp_path: Path) -> None:
    url = _publish(server, raft_file("raft-small").read_bytes())
    name = url.rpartition("/")[2]
    server.bodies[name] = server.bodies[name][:-1] + b"?"
    store = WeightsStore(tmp_path / "weights", url)
    with pytest.raises(WeightsError, match="is damaged: its SHA-256 begins"):
        fetch(store, "raft-small")
    assert list(store.folder.iterdir()) == []


def test_no_network_is_a_weights_error_that_names_the_other_method(tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    store = WeightsStore(tmp_path / "weights", f"http://127.0.0.1:{port}/raft_small-12345678.pth")
    with pytest.raises(WeightsError, match="the raft-small weights cannot be fetched") as caught:
        fetch(store, "raft-small")
    assert next_step(caught.value) is not None and "--set video.flow=dis" in next_step(caught.value)


@pytest.mark.parametrize(
    ("kind", "name"),
    [("raft-small", "raft_small_C_T_V2-01064c6d.pth"), ("raft-large", "raft_large_C_T_SKHT_V2-ff5fadd5.pth")],
)
def test_the_publishers_address_carries_the_hash_and_is_torchvisions(kind: str, name: str) -> None:
    assert raft_weights.publisher(kind).url == f"https://download.pytorch.org/models/{name}"


# -- what is refused ---------------------------------------------------------------------------------------


def _without(state: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in state.items() if key != name}


FLOW_HEAD = "update_block.flow_head.conv2.bias"
BROKEN: dict[str, tuple[Callable[[dict[str, Any]], dict[str, Any]], str]] = {
    "missing": (lambda state: _without(state, FLOW_HEAD), f"{FLOW_HEAD} has shape None, not"),
    "extra": (lambda state: {**state, "module.bias": torch.zeros(2)}, "it holds 'module.bias' too"),
    "shape": (lambda state: {**state, FLOW_HEAD: torch.zeros(3)}, r"has shape \(3,\), not \(2,\)"),
    "no tensor": (lambda state: {**state, FLOW_HEAD: 1.0}, "has shape None"),
    "nan": (lambda state: {**state, FLOW_HEAD: torch.tensor([0.0, float("nan")])}, "not finite"),
    "inf": (lambda state: {**state, FLOW_HEAD: torch.tensor([float("inf"), 0.0])}, "not finite"),
    "wrapped": (lambda state: {"model": state}, "is no raft-small"),
}


@pytest.mark.parametrize("how", BROKEN)
def test_a_published_file_that_is_not_the_network_is_not_kept(
    raft_file: RaftFile, server: Server, tmp_path: Path, how: str
) -> None:
    change, words = BROKEN[how]
    other = tmp_path / "other.pth"
    torch.save(change(_state(raft_file("raft-small"))), other)
    url = _publish(server, other.read_bytes())
    store = WeightsStore(tmp_path / "weights", url)
    with pytest.raises(WeightsError, match=words) as caught:
        fetch(store, "raft-small")
    assert url in caught.value.message
    assert list(store.folder.iterdir()) == []


def test_the_small_network_is_not_taken_for_the_large_one(raft_file: RaftFile, tmp_path: Path) -> None:
    store = WeightsStore(tmp_path / "weights", NEVER_ASKED)
    with pytest.raises(WeightsError, match="is no raft-large"):
        import_file(store, "raft-large", raft_file("raft-small"))
    assert not store.folder.exists()


def test_weights_that_measure_flow_are_no_backbone(kept: WeightsStore) -> None:
    for kind in ("raft-small", "raft-large"):
        assert choose_kind(kind) == kind
        with pytest.raises(WeightsError, match=f"the {kind} weights measure optical flow") as caught:
            load_backbone(kind, store=kept)
        assert next_step(caught.value) is not None and "video.flow=raft" in next_step(caught.value)
    with pytest.raises(WeightsError, match="is no VGG19"):
        load_backbone(str(kept.path("raft-small")), store=kept)


# -- what is kept ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["raft-small", "raft-large"])
def test_missing_weights_are_said_with_both_ways_on_and_never_fetched(
    server: Server, tmp_path: Path, kind: str
) -> None:
    with pytest.raises(WeightsError, match=f"needs the {kind} weights") as caught:
        load_raft(kind, WeightsStore(tmp_path / "empty", server.url("raft-00000000.pth")))
    assert next_step(caught.value) is not None
    assert f"framestyle weights fetch {kind}" in next_step(caught.value)
    assert "--set video.flow=dis" in next_step(caught.value)
    assert server.asked == []


def test_a_kept_file_that_was_damaged_is_refused(kept: WeightsStore) -> None:
    assert verify(kept) == {"original": "ok", "raft-small": "ok"}
    with kept.path("raft-small").open("r+b") as file:
        file.seek(-1, os.SEEK_END)
        last = file.read(1)
        file.seek(-1, os.SEEK_END)
        file.write(bytes([last[0] ^ 1]))
    with pytest.raises(WeightsError, match="its SHA-256 differs"):
        load_raft("raft-small", kept)
    assert "SHA-256 differs" in verify(kept)["raft-small"]


def test_a_sound_file_in_the_others_place_is_refused(kept: WeightsStore) -> None:
    for suffix in (".safetensors", ".json"):
        kept.path("raft-small").with_suffix(suffix).rename(kept.path("raft-large").with_suffix(suffix))
    with pytest.raises(WeightsError, match="is no raft-large"):
        load_raft("raft-large", kept)


def test_the_list_says_which_of_them_is_at_hand(kept: WeightsStore) -> None:
    rows = {row.kind: row for row in list_weights(kept)}
    assert (rows["raft-small"].installed, rows["raft-large"].installed) == (True, False)
    assert rows["raft-small"].path == kept.path("raft-small")
    assert rows["raft-small"].size_bytes == kept.path("raft-small").stat().st_size > 3_900_000
    for kind in ("raft-small", "raft-large"):
        assert f"framestyle weights fetch {kind}" in weights_text(kind, rows[kind].note)


def test_building_the_network_draws_nothing_from_torchs_generator(kept: WeightsStore) -> None:
    before = torch.random.get_rng_state()
    load_raft("raft-small", kept)
    assert torch.equal(torch.random.get_rng_state(), before)


def test_float32_is_kept_whatever_the_file_had(raft_file: RaftFile, tmp_path: Path) -> None:
    half = tmp_path / "half.pth"
    torch.save({name: tensor.half() for name, tensor in _state(raft_file("raft-small")).items()}, half)
    store = WeightsStore(tmp_path / "weights", NEVER_ASKED)
    import_file(store, "raft-small", half)
    assert {tensor.dtype for tensor in load_file(store.path("raft-small")).values()} == {torch.float32}
