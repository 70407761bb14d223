"""The docker in Krita itself, without a screen: its list, layers, selections, errors, its end. Krita is started once.

Pixels, depths, transparency, progress and cancel are held by the contract of doors.
"""

from __future__ import annotations

import importlib.util
import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from host_programs import INTEGRATIONS, SYSTEMS_PYTHON, need
from krita_host import Krita, krita_missing
from PIL import Image

from framestyle.doors import cli
from framestyle.frames import Pixels

need(krita_missing())

SETTINGS = (
    "optimizer.precision=float32",
    "style.layers={relu1_1: 1, relu2_1: 1, relu3_1: 0, relu4_1: 0, relu5_1: 0}",
    "content.layers={relu2_1: 1, relu3_2: 0, relu4_2: 0, relu5_2: 0}",
    "scales.min_px=16",
    "scales.first_steps=2",
    "scales.steps=1",
)
WISH: dict[str, Any] = {
    "preset": "mosaic",
    "settings": SETTINGS,
    "max_side_px": 0,
    "weights": "untrained",
    "device": "cpu",
}
ENDLESS = WISH | {"settings": (*SETTINGS, "scales.first_steps=100000")}


def _picture(width: int = 37, height: int = 23) -> Pixels:
    """RGBA, with some transparency on the left."""
    y, x = np.mgrid[0:height, 0:width]
    waves = 0.5 + 0.5 * np.sin(np.dstack([x / 3, y / 2, (x + y) / 5]))
    return np.rint(np.dstack([waves, np.clip(x / 8, 0, 1)]) * 255).astype(np.uint8)


@pytest.fixture(scope="module")
def krita(tmp_path_factory: pytest.TempPathFactory, warm_python: Path) -> Iterator[Krita]:
    """One process for all tests; how it ends by itself, the contract of doors looks at."""
    host = Krita(tmp_path_factory.mktemp("krita"), warm_python)
    yield host
    host.close()


@pytest.fixture(scope="module")
def whole(krita: Krita) -> tuple[dict[str, Any], Pixels]:
    """Painted with what the docker's own controls say."""
    krita.ask("presets")
    controls = {"preset": "mosaic", "settings": "; ".join(SETTINGS), "side": 0}
    return krita.paint(_picture(), controls=controls)


def test_presets_are_listed_with_their_style_images(krita: Krita) -> None:
    assert {"mosaic", "wave", "nightswirl"} <= set(krita.ask("presets")["presets"])


def test_letters_choose_a_preset_and_are_no_shortcuts(krita: Krita) -> None:
    """What commands still does."""
    told = krita.ask("type", text="wat", shortcuts=["W", "A", "T", "Ctrl+W"])
    assert told == {"chosen": "watercolor", "taken": ["Ctrl+W"]}


def test_the_controls_say_what_is_painted(krita: Krita, whole: tuple[dict[str, Any], Pixels]) -> None:
    told, painted = whole
    assert told["button"] == ["Cancel", "Paint"]
    assert told["layers"] == ["content", "FrameStyle: mosaic"]
    assert told["told"] == "Painted onto the layer FrameStyle: mosaic."
    assert 100 in told["bar"] and told["bar"][:-1] == sorted(told["bar"][:-1])
    assert np.array_equal(painted[..., 3], _picture()[..., 3])
    assert krita.left == []


def test_a_smaller_painting_is_stretched_over_the_image(krita: Krita) -> None:
    picture = _picture(40, 24)
    _, painted = krita.paint(picture, wish=WISH | {"max_side_px": 16})
    small = np.asarray(Image.fromarray(painted).resize((16, 10), Image.Resampling.BOX), int)
    again = np.asarray(
        Image.fromarray(small.astype(np.uint8)).resize((40, 24), Image.Resampling.BICUBIC), int
    )
    assert painted.shape == picture.shape
    assert np.abs(again - painted)[..., :3].mean() < 12


def test_of_a_selection_the_layer_shows_what_is_inside(
    krita: Krita, whole: tuple[dict[str, Any], Pixels]
) -> None:
    selection = np.zeros((23, 37), np.uint8)
    selection[5:15, 3:20], selection[8:12, 20:26] = 255, 100
    _, everywhere = whole
    controls = {"preset": "mosaic", "settings": "; ".join(SETTINGS), "side": 0}
    _, painted = krita.paint(_picture(), controls=controls, selection=krita.file_of(selection))
    assert np.array_equal(painted[..., :3][selection > 0], everywhere[..., :3][selection > 0])
    wanted = np.rint(everywhere[..., 3] * (selection / 255.0))
    assert np.abs(painted[..., 3] - wanted).max() <= 1
    assert set(painted[..., 3][selection == 0]) == {0}


@pytest.mark.parametrize(("then", "said"), [("close", "was closed"), ("convert", "Convert it to RGB")])
def test_an_image_that_is_another_by_the_end_is_left_alone(then: str, said: str, krita: Krita) -> None:
    pixels = krita.temporary / "in.raw"
    pixels.write_bytes(_picture().tobytes())
    told = krita.ask("paint", size=(37, 23), pixels=str(pixels), wish=WISH, then=then)
    assert said in told["told"]
    assert told.get("layers", ["content"]) == ["content"]
    assert krita.left == []


def test_errors_are_told_with_what_to_do(krita: Krita) -> None:
    told, _ = krita.paint(_picture(), wish={"preset": "mosiac"})
    assert "no preset is called 'mosiac'" in told["told"] and "Did you mean mosaic" in told["told"]
    assert told["layers"] == ["content"]
    assert krita.left == []


@pytest.fixture
def left_at_work(children_of: Callable[[int], list[int]]) -> Callable[[Krita], Callable[[], bool]]:
    """`left_at_work(krita)`: it paints without an end. What that gives tells whether FrameStyle goes on."""

    def painting(host: Krita) -> Callable[[], bool]:
        pixels = host.temporary.parent / "in.raw"
        pixels.write_bytes(_picture().tobytes())
        host.ask("paint", size=(37, 23), pixels=str(pixels), wish=ENDLESS, then="leave")
        (process,) = children_of(host.process.pid)
        assert len(host.left) == 1
        return lambda: Path(f"/proc/{process}").exists() or bool(host.left)

    return painting


def _ends(goes_on: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while goes_on():
        assert time.monotonic() < end, "FrameStyle goes on"
        time.sleep(0.05)


def test_where_krita_ends_at_work_nothing_goes_on(
    krita: Krita, left_at_work: Callable[[Krita], Callable[[], bool]]
) -> None:
    """The last that is asked of it: kritarunner crashes on its way out where a document is open."""
    goes_on = left_at_work(krita)
    krita.close()
    _ends(goes_on)


@pytest.mark.slow
def test_where_krita_is_killed_at_work_nothing_goes_on(
    tmp_path: Path, left_at_work: Callable[[Krita], Callable[[], bool]]
) -> None:
    host = Krita(tmp_path, Path(sys.executable))
    goes_on = left_at_work(host)
    host.process.kill()
    host.close()
    _ends(goes_on)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere Krita brings its Python")
def test_the_install_says_where_krita_would_find_another_python(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["integrations", "install", "krita", "--dir", str(tmp_path)]
    monkeypatch.setenv("PATH", SYSTEMS_PYTHON["PATH"])
    assert cli.main(command) == 0
    assert "cannot be loaded" not in capsys.readouterr().out
    monkeypatch.setenv("PATH", os.pathsep.join([str(tmp_path), os.environ["PATH"]]))
    (tmp_path / "python3").write_text('#!/bin/sh\nexec /usr/bin/python3 -I -S "$@"\n')
    (tmp_path / "python3").chmod(0o755)
    assert cli.main(command) == 0
    told = capsys.readouterr().out
    assert f"takes {tmp_path / 'python3'} for its Python" in told and "PATH=/usr/bin:$PATH krita" in told


# -- what of it needs no Krita -----------------------------------------------------------------------------


@pytest.mark.parametrize("depth", [np.uint8, np.uint16])
@pytest.mark.parametrize("soft", [False, True], ids=["hard", "soft"])
@pytest.mark.parametrize("opaque", [False, True], ids=["transparent", "opaque"])
def test_alpha_is_multiplied_by_what_is_selected(depth: type[Any], soft: bool, opaque: bool) -> None:
    spec = importlib.util.spec_from_file_location(
        "selections", INTEGRATIONS / "krita" / "framestyle_krita" / "selections.py"
    )
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert "numpy" not in vars(module) and module.__name__ not in sys.modules
    numbers, top = np.random.default_rng(0), np.iinfo(depth).max
    pixels = numbers.integers(0, top, (7, 9, 4), dtype=depth, endpoint=True)
    if opaque:
        pixels[..., 3] = top
    selection = numbers.choice([0, 255], (7, 9)).astype(np.uint8)
    if soft:
        selection = numbers.integers(0, 255, (7, 9), dtype=np.uint8, endpoint=True)
    confined = module.confine(pixels.tobytes(), selection.tobytes(), pixels.itemsize)
    found = np.frombuffer(confined, depth).reshape(pixels.shape)
    assert np.array_equal(found[..., :3], pixels[..., :3])
    assert np.array_equal(found[..., 3], np.floor(pixels[..., 3] * (selection / 255.0) + 0.5 + 1e-9))
