"""The package of docs/extending.md, built as a wheel and installed: one of each at work, beside one that breaks."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

REPOSITORY = Path(__file__).parents[1]
BLOCK = re.compile(r"```(?:toml|python)\n# (\S+)\n(.*?)```", re.DOTALL)
BROKEN = """[framestyle.statistics]
crooked = broken_example:STATISTIC
[framestyle.commands]
stylize = broken_example:COMMAND
crooked = broken_example:COMMAND
"""
QUICK = [
    "scales.first_steps=2",
    "scales.steps=1",
    "scales.between_steps=1",
    "video.steps=2",
    "scales.min_px=16",
]
LAYERS = ["style.layers={relu1_1: 1, relu2_1: 1, relu3_1: 0, relu4_1: 0, relu5_1: 0}"]

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
Call = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for Python's path, with the example and with a package that is broken."""
    source, target = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("installed")
    for name, text in BLOCK.findall((REPOSITORY / "docs" / "extending.md").read_text(encoding="utf-8")):
        path = source / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(source / "dist")]
    subprocess.run(build, cwd=source, check=True, capture_output=True)
    (wheel,) = (source / "dist").glob("*.whl")
    install = [sys.executable, "-m", "pip", "install", "--no-index", "--no-deps", "--target", str(target)]
    subprocess.run([*install, str(wheel)], check=True, capture_output=True)
    (target / "broken_example.py").write_text("raise ImportError('libbroken.so is not there')")
    info = target / "broken_example-0.3.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: broken-example\nVersion: 0.3\n")
    (info / "entry_points.txt").write_text(BROKEN)
    return target


@pytest.fixture
def framestyle(installed: Path, tmp_path: Path) -> Call:
    """`framestyle("weights", "list")`, where both packages are installed."""
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join((str(REPOSITORY), str(installed))),
        "FRAMESTYLE_CACHE": str(tmp_path / "cache"),
        "XDG_CONFIG_HOME": str(tmp_path / "config"),
        "COLUMNS": "200",
    }

    def call(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "framestyle", *arguments]
        return subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)

    return call


def _picture(path: Path, shift: int = 0) -> None:
    y, x = np.mgrid[0:24, 0:32]
    Image.fromarray(np.dstack([(x + shift) * 7 % 256, y * 10, (x + y) * 4]).astype(np.uint8)).save(path)


def _sets(*changes: str) -> list[str]:
    # Left open, the precision is that which is quicker just now: not the same in every run.
    fixed = (*QUICK, *LAYERS, "optimizer.precision=float32")
    return [word for change in (*fixed, *changes) for word in ("--set", change)]


def test_help_and_lists_show_one_of_each(framestyle: Call) -> None:
    commands = framestyle("--help")
    assert re.search(r"^ +hello +say hello$", commands.stdout, re.MULTILINE), commands.stderr
    assert "crooked" not in commands.stdout and commands.stderr == ""
    options = " ".join(framestyle("stylize", "--help").stdout.split())
    assert "untrained | other-seed | PATH" in options and "local | ray | talkative" in options
    keys = framestyle("presets", "keys").stdout
    for names in (r"neighbors \| nearest", r"dis \| raft \| still", r"gray \| upside_down"):
        assert re.search(names, " ".join(keys.split())), names
    rows = {line.split()[0]: line for line in framestyle("weights", "list").stdout.splitlines()}
    assert "installed" in rows["other-seed"] and "(framestyle-example 1.2)" in rows["other-seed"]
    schema = json.loads(framestyle("presets", "schema").stdout)
    assert "nearest" not in json.dumps(schema), "an editor's schema is the same everywhere"


def test_the_doctor_names_them_and_whose_is_broken(framestyle: Call) -> None:
    told = json.loads(framestyle("doctor", "--json").stdout)
    found = [one for one in told["findings"] if one["area"] == "plugins"]
    fine = {one["name"]: one for one in found if one["state"] == "ok"}
    assert set(fine) == {"other-seed", "nearest", "upside_down", "still", "talkative", "hello"}
    assert all(one["facts"]["package"] == "framestyle-example 1.2" for one in fine.values())
    broken = [one for one in found if one["state"] != "ok"]
    assert {(one["name"], one["state"]) for one in broken} == {("crooked", "warning"), ("stylize", "warning")}
    assert all(one["facts"]["package"] == "broken-example 0.3" for one in broken)
    assert any("libbroken.so is not there" in one["text"] for one in broken)
    assert told["exit_code"] == 0
    assert any((one["area"], one["name"]) == ("weights", "other-seed") for one in told["findings"])


def test_a_photo_is_painted_with_all_of_them(framestyle: Call, tmp_path: Path) -> None:
    _picture(tmp_path / "photo.png")
    with_plugins = _sets("style.statistic=nearest", "optimizer.init=upside_down")
    paint = ["stylize", "photo.png", "-p", "wave", "--progress", "json", "-o"]
    done = framestyle(*paint, "ours.png", *with_plugins, "--weights", "other-seed", "--engine", "talkative")
    assert done.returncode == 0, done.stderr
    assert "The talkative engine has 1 to do." in done.stderr + done.stdout
    assert "Random filters: no strokes to expect." in done.stderr + done.stdout
    plain = framestyle(*paint, "plain.png", *_sets(), "--weights", "untrained")
    assert plain.returncode == 0, plain.stderr
    ours, other = (np.asarray(Image.open(tmp_path / name)) for name in ("ours.png", "plain.png"))
    assert ours.shape == other.shape and not np.array_equal(ours, other)
    again = framestyle(*paint, "ours2.png", *with_plugins, "--weights", "other-seed")
    assert again.returncode == 0 and np.array_equal(ours, np.asarray(Image.open(tmp_path / "ours2.png")))


def test_a_clip_is_painted_with_its_flow(framestyle: Call, tmp_path: Path) -> None:
    for number in range(3):
        _picture(tmp_path / f"in{number}.png", number)
    done = framestyle(
        "stylize", "in%d.png", "-o", "out%d.png", "-p", "wave", *_sets("video.flow=still", "video.cuts=none"),
        "--weights", "untrained", "--progress", "none",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert len(list(tmp_path.glob("out*.png"))) == 3


def test_a_command_runs_and_a_broken_one_is_named(framestyle: Call) -> None:
    assert framestyle("hello", "--to", "all").stdout == "Hello to all.\n"
    refused = framestyle("stylize", "x.png", "-o", "y.png", "-p", "wave", "--set", "style.statistic=crooked")
    assert refused.returncode == 3 and "broken-example 0.3" in refused.stderr
    near = framestyle("stylize", "x.png", "-o", "y.png", "-p", "wave", "--set", "style.statistic=nearst")
    assert near.returncode == 3
    assert (
        "gram2015 | gram | moments | wasserstein | neighbors | nearest, not 'nearst' (did you mean nearest?)"
        in near.stderr
    )
