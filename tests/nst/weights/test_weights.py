"""Weights: fetched from a real server on this machine, checked, kept, and refused wherever they are not sound."""

from __future__ import annotations

import hashlib
import io
import json
import os
import pickle
import socket
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import torch
from loopback import Server
from safetensors.torch import load_file, save_file
from torch import Tensor

from framestyle.doors.advice import next_step
from framestyle.errors import StorageError, WeightsError
from framestyle.nst.weights.backbone import CONVOLUTION_INDICES
from framestyle.nst.weights.catalog import fetch, import_file, list_weights, load_backbone, verify
from framestyle.nst.weights.imagenet import publisher as imagenet_publisher
from framestyle.nst.weights.paths import choose_kind, weights_identity
from framestyle.nst.weights.store import WeightsStore, keep
from tests.kept_weights import AS_MADE

State = dict[str, Tensor]
SHAPES = {
    0: (64, 3),
    2: (64, 64),
    5: (128, 64),
    7: (128, 128),
    10: (256, 128),
    12: (256, 256),
    14: (256, 256),
    16: (256, 256),
    19: (512, 256),
    21: (512, 512),
    23: (512, 512),
    25: (512, 512),
    28: (512, 512),
    30: (512, 512),
    32: (512, 512),
    34: (512, 512),
}
"""Outputs and inputs of each convolution in torchvision's `vgg19().features`."""


@pytest.fixture(scope="session")
def state() -> State:
    """torchvision-style weights: each layer filled with a number of its own, and a classifier to leave out."""
    made: State = {"classifier.0.weight": torch.ones(4, 4)}
    for index, (outputs, inputs) in SHAPES.items():
        made[f"features.{index}.weight"] = torch.full((outputs, inputs, 3, 3), index + 0.25)
        made[f"features.{index}.bias"] = torch.full((outputs,), -float(index))
    return made


@dataclass
class Published:
    """A .pth file under the name that its publisher gives it: SHA-256 prefix at the end."""

    path: Path
    sha256: str = field(init=False)
    name: str = field(init=False)

    def __post_init__(self) -> None:
        self.sha256 = hashlib.sha256(self.path.read_bytes()).hexdigest()
        self.name = f"vgg19-{self.sha256[:8]}.pth"


@pytest.fixture(scope="session")
def published(state: State, tmp_path_factory: pytest.TempPathFactory) -> Published:
    path = tmp_path_factory.mktemp("published") / "vgg19.pth"
    torch.save(state, path)
    return Published(path)


@pytest.fixture(scope="session")
def safetensors_file(state: State, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("published") / "vgg19.safetensors"
    save_file(state, path)
    return path


def _leftovers(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def _pickle_of(value: Any) -> bytes:
    buffer = io.BytesIO()
    torch.save(value, buffer)
    return buffer.getvalue()


# -- fetching ----------------------------------------------------------------------------------------------


def test_imagenet_weights_are_fetched_once_then_kept(
    published: Published, server: Server, tmp_path: Path
) -> None:
    server.bodies[published.name] = published.path.read_bytes()
    store = WeightsStore(tmp_path / "weights", server.url(published.name))
    fractions: list[float] = []
    first = load_backbone("imagenet", store=store, on_progress=lambda done, text: fractions.append(done))
    second = load_backbone("imagenet", store=store)

    assert server.asked == [published.name]
    assert fractions == sorted(fractions) and fractions[-1] == 1.0
    assert list(first.convolutions) == list(CONVOLUTION_INDICES)
    for name, index in CONVOLUTION_INDICES.items():
        weight, bias = first.convolutions[name]
        assert (float(weight.flatten()[0]), float(bias[0])) == (index + 0.25, -index)
        assert weight.shape[:2] == SHAPES[index]
    assert (first.kind, first.native_pooling, first.reverse_channels) == ("imagenet", "max", False)
    assert first.fingerprint == second.fingerprint != ""
    assert _leftovers(store.folder) == ["vgg19-imagenet.json", "vgg19-imagenet.safetensors"]
    kept = load_file(store.path("imagenet"))
    assert len(kept) == 32 and not any("classifier" in key for key in kept)


def test_a_download_with_another_hash_is_refused_unopened(
    published: Published, server: Server, tmp_path: Path
) -> None:
    server.bodies["vgg19-00000000.pth"] = b"not what was published"
    store = WeightsStore(tmp_path / "weights", server.url("vgg19-00000000.pth"))
    with pytest.raises(WeightsError, match="is damaged: its SHA-256 begins") as caught:
        fetch(store, "imagenet")
    assert "not 00000000" in caught.value.message and next_step(caught.value)
    assert _leftovers(store.folder) == []


def test_a_download_cut_short_is_refused(server: Server, tmp_path: Path) -> None:
    server.bodies["vgg19-12345678.pth"] = b"x" * 1000
    server.promised["vgg19-12345678.pth"] = 5000
    store = WeightsStore(tmp_path / "weights", server.url("vgg19-12345678.pth"))
    with pytest.raises(WeightsError, match="1000 of 5000 bytes") as caught:
        fetch(store, "imagenet")
    assert caught.value.exit_code == 8
    assert _leftovers(store.folder) == []


def test_a_page_that_is_not_there_is_a_weights_error(server: Server, tmp_path: Path) -> None:
    store = WeightsStore(tmp_path / "weights", server.url("vgg19-12345678.pth"))
    with pytest.raises(WeightsError, match="cannot be fetched") as caught:
        load_backbone("imagenet", store=store)
    assert caught.value.exit_code == 8 and next_step(caught.value)
    assert not store.path("imagenet").exists()


def test_no_network_is_a_weights_error_with_a_way_out(tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    store = WeightsStore(tmp_path / "weights", f"http://127.0.0.1:{port}/vgg19-12345678.pth")
    with pytest.raises(WeightsError, match="cannot be fetched") as caught:
        load_backbone("imagenet", store=store)
    assert caught.value.exit_code == 8
    assert next_step(caught.value) is not None and "--weights learned" in next_step(caught.value)


def test_a_server_that_speaks_no_http_is_a_weights_error(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/vgg19-12345678.pth"

        def answer() -> None:
            peer, _ = listening.accept()
            with peer:
                peer.recv(4096)
                peer.sendall(b"SSH-2.0-surprise\r\n\r\n")

        thread = Thread(target=answer)
        thread.start()
        with pytest.raises(WeightsError, match="cannot be fetched"):
            fetch(WeightsStore(tmp_path / "weights", url), "imagenet")
        thread.join()


@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
def test_a_malicious_pickle_is_refused_and_never_run(server: Server, tmp_path: Path) -> None:
    flag = tmp_path / "ran"
    body = _pickle_of({"features.0.weight": _Mischief(flag)})
    digest = hashlib.sha256(body).hexdigest()
    name = f"vgg19-{digest[:8]}.pth"
    server.bodies[name] = body
    with pytest.raises(WeightsError, match="holds more than tensors"):
        fetch(WeightsStore(tmp_path / "weights", server.url(name)), "imagenet")
    plain = tmp_path / "plain.pth"
    plain.write_bytes(pickle.dumps(_Mischief(flag)))
    with pytest.raises(WeightsError, match="holds more than tensors"):
        load_backbone(str(plain))
    assert not flag.exists()


@dataclass
class _Mischief:
    flag: Path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.flag),)


def test_the_publishers_address_carries_the_hash_and_is_torchvisions() -> None:
    assert imagenet_publisher().url == "https://download.pytorch.org/models/vgg19-dcbb9e9d.pth"


# -- what is refused ---------------------------------------------------------------------------------------


def _broken(state: State, **changes: Tensor | None) -> State:
    made = {**state, **{key.replace("__", "."): value for key, value in changes.items()}}
    return {key: value for key, value in made.items() if value is not None}


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("features__0__weight", torch.zeros(64, 1, 3, 3)),
        ("features__34__bias", torch.zeros(511)),
        ("features__10__weight", None),
    ],
)
def test_other_shapes_are_no_vgg19(state: State, tmp_path: Path, key: str, value: Tensor | None) -> None:
    path = tmp_path / "other.safetensors"
    save_file(_broken(state, **{key: value}), path)
    with pytest.raises(WeightsError, match="is no VGG19: features") as caught:
        load_backbone(str(path))
    assert str(path) in caught.value.message


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_values_that_are_not_finite_are_refused(state: State, tmp_path: Path, bad: float) -> None:
    bias = torch.zeros(64)
    bias[3] = bad
    path = tmp_path / "nan.safetensors"
    save_file(_broken(state, features__2__bias=bias), path)
    with pytest.raises(WeightsError, match="conv1_2 holds values that are not finite"):
        load_backbone(str(path))


@pytest.mark.parametrize("name", ["junk.pth", "junk.safetensors"])
@pytest.mark.parametrize("body", [b"", b"junk" * 100])
def test_files_that_are_no_weights(tmp_path: Path, name: str, body: bytes) -> None:
    (tmp_path / name).write_bytes(body)
    with pytest.raises(WeightsError, match=r"is no (file of weights|safetensors file)"):
        load_backbone(str(tmp_path / name))


def test_a_file_that_holds_a_list(tmp_path: Path) -> None:
    torch.save([torch.zeros(2)], tmp_path / "list.pth")
    with pytest.raises(WeightsError, match="holds no table"):
        load_backbone(str(tmp_path / "list.pth"))


def test_a_path_that_is_not_there_names_the_kinds(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="no weights file at") as caught:
        load_backbone(str(tmp_path / "gone.pth"))
    assert next_step(caught.value) is not None and "imagenet, caffe, learned, untrained" in next_step(
        caught.value
    )


# -- paths and imports -------------------------------------------------------------------------------------


def test_a_safetensors_path_and_a_pth_path_give_the_same_weights(
    published: Published, safetensors_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FRAMESTYLE_CACHE", str(tmp_path / "cache"))
    one, two = load_backbone(str(published.path)), load_backbone(str(safetensors_file))
    for name in CONVOLUTION_INDICES:
        for a, b in zip(one.convolutions[name], two.convolutions[name], strict=True):
            assert torch.equal(a, b)
    assert one.fingerprint == published.sha256 != two.fingerprint
    assert not (tmp_path / "cache").exists()


def test_caffe_weights_come_from_the_users_file_alone(safetensors_file: Path, tmp_path: Path) -> None:
    store = WeightsStore(tmp_path / "weights", "http://127.0.0.1:9/never-asked.pth")
    with pytest.raises(WeightsError, match="no caffe weights") as caught:
        load_backbone("caffe", store=store)
    assert next_step(caught.value) is not None and "fetch caffe --file" in next_step(caught.value)
    import_file(store, "caffe", safetensors_file)
    backbone = load_backbone("caffe", store=store)
    assert backbone.reverse_channels and backbone.factor == (255.0,) * 3
    assert [shift * 255 for shift in backbone.shift] == pytest.approx([103.939, 116.779, 123.68])


# -- what is kept ------------------------------------------------------------------------------------------


@pytest.fixture
def kept(safetensors_file: Path, tmp_path: Path) -> WeightsStore:
    """A store that holds imagenet weights, with nowhere to fetch them again."""
    store = WeightsStore(tmp_path / "weights", "http://127.0.0.1:9/never-asked.pth")
    import_file(store, "imagenet", safetensors_file)
    return store


def test_a_kept_file_that_was_tampered_with_is_refused(kept: WeightsStore) -> None:
    path = kept.path("imagenet")
    assert verify(kept) == {"original": "ok", "imagenet": "ok"}
    with path.open("r+b") as file:
        file.seek(-1, os.SEEK_END)
        file.write(b"\x01")
    with pytest.raises(WeightsError, match="its SHA-256 differs") as caught:
        load_backbone("imagenet", store=kept)
    assert next_step(caught.value)
    assert "SHA-256 differs" in verify(kept)["imagenet"]


@pytest.mark.parametrize("record", [None, "", "[]", "{}", "null"])
def test_a_kept_file_without_its_record_is_refused(kept: WeightsStore, record: str | None) -> None:
    path = kept.path("imagenet").with_suffix(".json")
    path.unlink()
    if record is not None:
        path.write_text(record)
    with pytest.raises(WeightsError, match="no readable record"):
        load_backbone("imagenet", store=kept)
    assert "no readable record" in verify(kept)["imagenet"]


def test_the_record_is_the_files_full_hash(kept: WeightsStore) -> None:
    record = json.loads(kept.path("imagenet").with_suffix(".json").read_text())
    digest = hashlib.sha256(kept.path("imagenet").read_bytes()).hexdigest()
    assert record == {"kind": "imagenet", "sha256": digest}
    assert load_backbone("imagenet", store=kept).fingerprint == digest


def test_only_auto_is_ever_another_kind() -> None:
    for spec in ("original", "imagenet", "caffe", "learned", "untrained", "a/path.pth"):
        assert choose_kind(spec) == spec


def test_the_list_says_what_is_at_hand(kept: WeightsStore) -> None:
    rows = {row.kind: row for row in list_weights(kept)}
    assert list(rows) == ["original", "imagenet", "caffe", "learned", "untrained", "raft-small", "raft-large"]
    assert {kind for kind, row in rows.items() if row.installed} == {"original", "imagenet", "untrained"}
    assert rows["imagenet"].path == kept.path("imagenet")
    assert rows["imagenet"].size_bytes == kept.path("imagenet").stat().st_size > 0
    assert (rows["caffe"].path, rows["caffe"].size_bytes) == (None, 0)


def test_of_an_empty_store_only_what_is_installed_is_verified(tmp_path: Path) -> None:
    assert verify(WeightsStore(tmp_path / "empty")) == {"original": "ok"}


def test_the_cache_folder_can_be_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FRAMESTYLE_CACHE", str(tmp_path))
    assert WeightsStore().folder == tmp_path / "weights"
    monkeypatch.delenv("FRAMESTYLE_CACHE")
    assert WeightsStore().folder.parts[-2:] == ("framestyle", "weights")


def test_weights_that_cannot_be_kept_are_a_storage_error(safetensors_file: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StorageError) as caught:
        import_file(WeightsStore(tmp_path / "file"), "caffe", safetensors_file)
    assert caught.value.exit_code == 7


def test_a_cache_that_cannot_be_made_is_a_storage_error_before_the_download(
    published: Published, server: Server, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StorageError):
        load_backbone(
            "imagenet", store=WeightsStore(tmp_path / "file" / "weights", server.url(published.name))
        )
    assert server.asked == []


# -- untrained ---------------------------------------------------------------------------------------------


def test_untrained_weights_follow_from_the_seed_alone() -> None:
    one, same, other = (AS_MADE(WeightsStore(), seed, None) for seed in (3, 3, 4))
    assert torch.equal(one.convolutions["conv5_4"][0], same.convolutions["conv5_4"][0])
    assert not torch.equal(one.convolutions["conv1_1"][0], other.convolutions["conv1_1"][0])
    assert one.fingerprint == same.fingerprint != other.fingerprint
    assert float(one.convolutions["conv4_1"][0].std()) == pytest.approx((2 / (64 * 9)) ** 0.5, rel=0.01)


# -- which they are ----------------------------------------------------------------------------------------


def test_weights_are_told_apart_without_opening_them(tmp_path: Path) -> None:
    store = WeightsStore(tmp_path / "weights")
    assert weights_identity("untrained", store) != weights_identity("untrained", store, seed=1)
    assert weights_identity("auto", store) == weights_identity("original", store)
    absent = weights_identity("imagenet", store)
    kept = []
    for number in (1.0, 2.0):
        keep(store.path("imagenet"), {"a": torch.full((2,), number)}, "imagenet")
        kept.append(weights_identity("imagenet", store))
        assert kept[-1].endswith(hashlib.sha256(store.path("imagenet").read_bytes()).hexdigest())
    others = (weights_identity("learned", store), weights_identity("original", store))
    assert len({absent, *kept, *others}) == 5


def test_a_file_of_weights_is_known_by_its_bytes(tmp_path: Path) -> None:
    for name, content in (("a.pth", b"one"), ("b.pth", b"one"), ("c.pth", b"two")):
        (tmp_path / name).write_bytes(content)
    one, same, other = (weights_identity(str(tmp_path / f"{name}.pth")) for name in "abc")
    assert one == same != other
    assert "not there" in weights_identity(str(tmp_path / "gone.pth"))
