"""The element in a program of GStreamer's own Python: sizes that change, flushes, states, latency, errors."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from host_programs import SYSTEMS_PYTHON, gstreamer_environment, gstreamer_missing, need

from framestyle.doctor.integrations import integrations
from framestyle.doors import cli
from framestyle.media.ffmpeg import ffmpeg_exe

need(gstreamer_missing())

QUICK = """\
schema: 1
extends: nightswirl
style: {layers: {relu1_1: 1, relu2_1: 0, relu3_1: 0, relu4_1: 0, relu5_1: 0}}
content: {layers: {relu2_1: 1, relu3_2: 0, relu4_2: 0, relu5_2: 0}}
optimizer: {precision: float32}
scales: {min_px: 16, max_side_px: 32, first_steps: 1, steps: 1}
video: {steps: 1, min_steps: 1}
"""
DRIVER = Path(__file__).parents[1] / "gstreamer_driver.py"


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the driver saw."""
    folder = tmp_path_factory.mktemp("gstreamer")
    (folder / "quick.yaml").write_text(QUICK)
    done = subprocess.run(
        ["/usr/bin/python3", str(DRIVER), str(folder / "quick.yaml")],
        env=gstreamer_environment(folder),
        capture_output=True,
        text=True,
        timeout=290,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    seen: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return seen


def test_a_new_size_begins_a_clip_and_the_end_gives_the_rest(found: dict[str, Any]) -> None:
    assert found["sizes"] == [[0, 32, 3072], [1, 32, 3072], [2, 40, 4800], [3, 40, 4800]]


def test_a_flush_drops_what_is_at_work_and_painting_goes_on(found: dict[str, Any]) -> None:
    told, frames = found["flushed"]
    assert told == "framestyle-frame" and [number for number, *_ in frames][-2:] == [7, 8]


def test_it_can_be_stopped_and_played_again(found: dict[str, Any]) -> None:
    assert found["again"] == [2, 2] and found["threads"] == []


def test_a_live_pipeline_is_told_how_late_frames_are(found: dict[str, Any]) -> None:
    answered, seconds = found["latency"]
    assert answered and 1 / 25 < seconds <= 7 / 25 + 0.001


def test_errors_are_told_on_the_bus(found: dict[str, Any]) -> None:
    assert found["unknown"] == "no preset is called 'mosiac'"
    assert "scales.steps" in found["setting"]
    assert found["device"] == "device 'cuda:9' is not on this machine"


def test_the_doctor_and_the_install_say_why_gstreamer_does_not_load_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """By GStreamer itself: one that finds its Python, one that remembers that it did not, one that does not."""
    monkeypatch.setenv("GST_REGISTRY", str(tmp_path / "registry.bin"))
    for name, value in SYSTEMS_PYTHON.items():
        monkeypatch.setenv(name, value)
    assert cli.main(["integrations", "install", "gstreamer", "--dir", str(tmp_path)]) == 0
    assert "cannot be loaded" not in capsys.readouterr().out
    (found,) = integrations()
    assert found.state == "ok"
    monkeypatch.setenv("PATH", os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))
    (found,) = integrations()
    assert found.state == "warning" and "beside the first python3 of PATH" in found.text
    assert "export PATH=/usr/bin:$PATH" in (found.next_step or "")
    (tmp_path / "registry.bin").unlink()
    broken = subprocess.run(["gst-inspect-1.0", "python"], capture_output=True)
    assert broken.returncode != 0
    monkeypatch.setenv("PATH", SYSTEMS_PYTHON["PATH"])
    (found,) = integrations()
    assert found.state == "warning" and "remembers" in found.text
    assert cli.main(["integrations", "install", "gstreamer", "--dir", str(tmp_path)]) == 0
    assert "remembers" in capsys.readouterr().out


def test_installed_it_is_found_where_gstreamer_looks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the user's folder, by what the install noted alone: no variable of the environment tells where it lies."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    assert cli.main(["integrations", "install", "gstreamer"]) == 0
    (tmp_path / "quick.yaml").write_text(QUICK)
    left_out = ("GST_", "PYTHON", "VIRTUAL_ENV")
    plain = {name: value for name, value in os.environ.items() if not name.startswith(left_out)}
    painting = ["framestyle", "preset=quick.yaml", "weights=untrained", "device=cpu", "!", "fakesink"]
    source = [
        "videotestsrc",
        "num-buffers=2",
        "!",
        "video/x-raw,width=32,height=32",
        "!",
        "videoconvert",
        "!",
    ]
    done = subprocess.run(
        ["gst-launch-1.0", *source, *painting],
        env=plain | SYSTEMS_PYTHON | {"HOME": str(tmp_path), "GST_REGISTRY": str(tmp_path / "registry.bin")},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert done.returncode == 0 and "Got EOS" in done.stdout, done.stdout + done.stderr


PAGE = Path(__file__).parents[2] / "docs" / "gstreamer.md"
RECIPES = re.findall(r"^(gst-launch-1\.0 .*)$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)


@pytest.fixture
def webm(workplace: Path) -> Path:
    """Four frames with a tone."""
    path = workplace / "clip.webm"
    inputs = [
        "-f",
        "lavfi",
        "-i",
        "testsrc2=size=64x48:rate=25:duration=0.16",
        "-f",
        "lavfi",
        "-i",
        "sine=duration=0.16",
    ]
    codecs = ["-c:v", "libvpx", "-c:a", "libvorbis"]
    subprocess.run([ffmpeg_exe(), "-v", "error", *inputs, *codecs, str(path)], check=True)
    return path


@pytest.mark.parametrize("recipe", RECIPES, ids=("picture", "file", "sound"))
@pytest.mark.usefixtures("webm")
def test_a_recipe_of_the_page_runs(recipe: str, workplace: Path) -> None:
    """As it is written, with a small preset under the name that it uses."""
    folder = workplace.parent / "config" / "framestyle" / "presets"
    folder.mkdir(parents=True)
    (folder / "mosaic.yaml").write_text(QUICK.replace("nightswirl", "mosaic"))
    environment = gstreamer_environment(workplace.parent)
    done = subprocess.run(
        ["sh", "-c", recipe], env=environment, capture_output=True, text=True, timeout=200, cwd=workplace
    )
    assert done.returncode == 0 and "Got EOS" in done.stdout, done.stdout + done.stderr
    (made, *_) = sorted(workplace.glob("*-sound.webm")) or sorted(workplace.glob("painted*"))
    assert made.stat().st_size > 300
    if made.suffix == ".webm":
        from framestyle.media.video.probe import probe

        with_sound = made.stem == "with-sound"
        told = subprocess.run([ffmpeg_exe(), "-i", str(made)], capture_output=True, text=True).stderr
        assert probe(made).width == 64 and ("Audio: vorbis" in told) == with_sound
