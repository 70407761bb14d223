"""The plug-in in Krita itself, without a screen: docker, pixels, progress, cancel, errors. Krita is started once."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from host_programs import missing, need
from PIL import Image

from framestyle.doors import cli
from framestyle.frames import Pixels
from framestyle.media.photos import read_photo

need(missing("Krita", programs=("kritarunner",)))

SETTINGS = [
    "optimizer.precision=float32",
    "style.layers={relu1_1: 1, relu2_1: 1, relu3_1: 0, relu4_1: 0, relu5_1: 0}",
    "content.layers={relu2_1: 1, relu3_2: 0, relu4_2: 0, relu5_2: 0}",
    "scales.min_px=16",
    "scales.first_steps=12",
    "scales.steps=6",
]
SIZES = {"plain": (37, 23), "deep": (24, 16), "large": (40, 24)}


def _picture(name: str) -> Pixels:
    """RGBA, with some transparency."""
    width, height = SIZES[name]
    y, x = np.mgrid[0:height, 0:width]
    waves = 0.5 + 0.5 * np.sin(np.dstack([x / 3, y / 2, (x + y) / 5, x / 20 + 1]))
    depth: Any = np.uint16 if name == "deep" else np.uint8
    return np.rint(waves * np.iinfo(depth).max).astype(depth)


def _bgra(pixels: Pixels) -> Pixels:
    return np.ascontiguousarray(pixels[..., [2, 1, 0, 3]])


@pytest.fixture(scope="module")
def krita(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what Krita left of a whole run: `found.json`, and layers' pixels."""
    folder = tmp_path_factory.mktemp("krita")
    home, here, temporary = folder / "home", folder / "here", folder / "tmp"
    data = home / ".local" / "share"
    for one in (data / "kritarunner", here, temporary):
        one.mkdir(parents=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CONFIG_HOME", str(folder / "config"))
        assert cli.main(["integrations", "install", "krita", "--dir", str(data / "kritarunner")]) == 0
    shutil.copy(Path(__file__).parents[1] / "krita_driver.py", data / "kritarunner" / "pykrita")
    for name in SIZES:
        (here / f"{name}.raw").write_bytes(_bgra(_picture(name)).tobytes())
    (here / "asked.json").write_text(json.dumps({"sizes": SIZES, "settings": SETTINGS}))
    environment = os.environ | {
        "HOME": str(home),
        "XDG_DATA_HOME": str(data),
        "XDG_CONFIG_HOME": str(home / ".config"),
        "XDG_CACHE_HOME": str(home / ".cache"),
        "TMPDIR": str(temporary),
        "KRITA_TEST": str(here),
        "QT_QPA_PLATFORM": "offscreen",
        "OMP_NUM_THREADS": "1",
    }
    command = ["kritarunner", "-s", "krita_driver", "-f", "main"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=280)
    assert (here / "found.json").is_file(), done.stdout + done.stderr
    return here


@pytest.fixture(scope="module")
def found(krita: Path) -> dict[str, Any]:
    """What the driver noted."""
    noted: dict[str, Any] = json.loads((krita / "found.json").read_text())
    assert "error" not in noted, noted["error"]
    return noted


def _painted(krita: Path, name: str) -> Pixels:
    width, height = SIZES[name]
    like = _picture(name)
    flat = np.frombuffer((krita / f"{name}-painted.raw").read_bytes(), like.dtype)
    return _bgra(flat.reshape(height, width, 4))


def _by_command_line(name: str, folder: Path, max_side_px: int = 0) -> Pixels:
    """RGBA."""
    pixels = _picture(name)
    source, target = folder / f"{name}.png", folder / f"{name}-out.png"
    if pixels.dtype == np.uint8:
        Image.fromarray(pixels).save(source)
    else:
        import cv2

        cv2.imwrite(str(source), _bgra(pixels))
    sets = [part for setting in SETTINGS for part in ("--set", setting)]
    asked = [
        str(source),
        "-o",
        str(target),
        "-p",
        "mosaic",
        "--max-side",
        str(max_side_px),
        "--device",
        "cpu",
    ]
    process = [sys.executable, "-m", "framestyle", "stylize", *asked, "--progress", "none", *sets]
    subprocess.run(process, check=True, env=os.environ | {"OMP_NUM_THREADS": "1"})
    photo = read_photo(target)
    assert photo.alpha is not None
    return np.dstack([photo.pixels, photo.alpha])


def test_presets_are_listed_with_their_style_images(found: dict[str, Any]) -> None:
    assert {"mosaic", "wave", "nightswirl"} <= set(found["presets"])


def test_the_docker_paints_onto_a_layer_of_its_own(
    krita: Path, found: dict[str, Any], tmp_path: Path
) -> None:
    assert found["button"] == ["Cancel", "Paint"]
    docker = found["docker"]
    assert docker["layers"] == ["content", "FrameStyle: mosaic"]
    assert docker["told"] == "Painted onto the layer FrameStyle: mosaic."
    assert 100 in docker["bar"] and docker["bar"][:-1] == sorted(docker["bar"][:-1])
    assert np.array_equal(_painted(krita, "plain"), _by_command_line("plain", tmp_path))


def test_sixteen_bits_stay_sixteen(krita: Path, found: dict[str, Any], tmp_path: Path) -> None:
    assert found["deep"]["ended"] == ["painted"]
    assert np.array_equal(_painted(krita, "deep"), _by_command_line("deep", tmp_path))


def test_a_smaller_painting_is_stretched_over_the_image(
    krita: Path, found: dict[str, Any], tmp_path: Path
) -> None:
    progress = found["large"]["progress"]
    assert progress[0] == 0 and progress[-1] == 1 and progress == sorted(progress) and len(set(progress)) > 2
    painted, small = _painted(krita, "large"), _by_command_line("large", tmp_path, 16)
    assert small.shape[1] == 16 and painted.shape[1] == 40
    again = np.asarray(Image.fromarray(painted).resize(small.shape[1::-1], Image.Resampling.BOX), int)
    assert np.abs(again - small).mean() < 12


def test_a_cancel_ends_it_and_nothing_is_left(krita: Path, found: dict[str, Any]) -> None:
    ended = found["endless"]
    assert ended["ended"] == ["cancelled"] and ended["layers"] == ["content"] and not ended["at_work"]
    assert list((krita.parent / "tmp").glob("framestyle-krita-*")) == []


def test_errors_are_told_with_what_to_do(found: dict[str, Any]) -> None:
    assert "no preset is called 'mosiac'" in found["unknown"]["ended"][0]
    assert "Did you mean mosaic" in found["unknown"]["ended"][0]
    assert "Convert it to RGB" in found["grey"]["ended"][0]
    assert found["unknown"]["layers"] == ["content"]
