"""Tiny clips and photos, and a workshop of few layers and steps to render them in."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from PIL import Image
from ready import Ready
from torch_threads import torch_threads

from framestyle.context import Context
from framestyle.events import OnEvent, ignore
from framestyle.media.ffmpeg import ffmpeg_exe
from framestyle.nst.stylizer import Stylizer
from framestyle.nst.weights.backbone import Backbone
from framestyle.presets import Preset
from framestyle.session import Session
from framestyle.spec import RenderSpec

MakeClip = Callable[..., Path]
MakeWorkshop = Callable[..., Ready]
MakePreset = Callable[..., Preset]

QUICK: dict[str, Any] = {
    "name": "quick",
    "style": {"images": [{"path": "style.png"}], "layers": {"relu1_1": 1.0}},
    "content": {"layers": {"relu1_2": 1.0}},
    "optimizer": {"precision": "float32"},
    "scales": {"min_px": 64, "max_side_px": 0, "first_steps": 2, "steps": 1},
    "video": {"steps": 1, "min_steps": 1},
    "output": {"quality": "draft"},
}


@pytest.fixture
def two_threads() -> Iterator[None]:
    with torch_threads(2):
        yield


@pytest.fixture
def make_workshop(untrained: Backbone) -> MakeWorkshop:
    """`make_workshop(news.append, output={"quality": "lossless"})`: the quick preset, sections merged in."""

    def made(on_event: OnEvent = ignore, **changes: Any) -> Ready:
        data = {key: dict(value) if isinstance(value, dict) else value for key, value in QUICK.items()}
        for key, value in changes.items():
            data[key] = {**data.get(key, {}), **value} if isinstance(value, dict) else value
        preset = Preset.model_validate(data)
        style = torch.rand(1, 3, 16, 16, generator=torch.Generator().manual_seed(3))
        spec = RenderSpec(preset, "untrained", "untrained seed=0 width=1/4")
        return Ready(Session.over(spec, Stylizer(preset, untrained, [style])), Context(on_event))

    return made


@pytest.fixture
def make_clip(tmp_path: Path) -> MakeClip:
    """`make_clip("a.mp4", *ffmpeg's options, shots=(9, 9), rate="25", sound=True)`: each shot another picture.

    `keep`: one more filter, such as a select.
    """

    def made(
        name: str,
        *options: str,
        shots: tuple[int, ...] = (8,),
        rate: str = "25",
        sound: bool = False,
        size: str = "32x24",
        keep: str = "",
    ) -> Path:
        target = tmp_path / name
        inputs: list[str] = []
        for number, frames in enumerate(shots):
            # Test pictures whose colours no cut detector takes for one another's.
            look = (
                "testsrc2=size={}:rate={}",
                "color=c=0x103060:size={}:rate={}",
                "smptebars=size={}:rate={}",
            )[number]
            picture = look.format(size, rate)
            inputs += ["-f", "lavfi", "-i", f"{picture},trim=end_frame={frames},setpts=N/FR/TB"]
        joined = "".join(f"[{n}:v]" for n in range(len(shots)))
        graph = f"{joined}concat=n={len(shots)}:v=1:a=0,fps={rate}{',' if keep else ''}{keep}[v]"
        if sound:
            seconds = sum(shots) / float(eval_rate(rate))
            inputs += ["-f", "lavfi", "-i", f"sine=frequency=440:duration={seconds}"]
        maps = ["-map", "[v]", *(["-map", f"{len(shots)}:a"] if sound else [])]
        encode(*inputs, "-filter_complex", graph, *maps, *options, f"file:{target}")
        return target

    return made


def eval_rate(rate: str) -> float:
    """30000/1001 -> 29.97."""
    top, _, bottom = rate.partition("/")
    return int(top) / int(bottom or 1)


def encode(*arguments: str) -> None:
    """ffmpeg."""
    subprocess.run([ffmpeg_exe(), "-v", "error", "-nostdin", "-y", *arguments], check=True)


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """A small picture that no symmetry leaves the same."""
    y, x = np.mgrid[0:24, 0:32]
    path = tmp_path / "photo.png"
    Image.fromarray(np.dstack([x * 7, y * 10, (x + y) * 4]).astype(np.uint8)).save(path)
    return path


@pytest.fixture(autouse=True)
def _few_threads() -> None:
    cv2.setNumThreads(1)


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """What earlier tests kept reaches no other; and it lies where no test looks for what a render leaves behind."""
    monkeypatch.setenv("FRAMESTYLE_CACHE", str(tmp_path_factory.mktemp("cache")))


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with a cache of its own."""
    monkeypatch.setenv("FRAMESTYLE_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def make_preset(photo: Path) -> MakePreset:
    """`make_preset("wave", tv_weight=2.0)`: few steps on shallow layers."""

    def made(name: str = "quick", **changes: Any) -> Preset:
        data: dict[str, Any] = {
            "name": name,
            "style": {"images": [{"path": str(photo)}], "layers": {"relu1_1": 1.0}},
            "content": {"layers": {"relu1_2": 1.0}},
            "optimizer": {"precision": "float32"},
            "scales": {"min_px": 64, "first_steps": 2},
            "video": {"steps": 1, "min_steps": 1},
            "output": {"quality": "draft"},
        }
        for key, value in changes.items():
            data[key] = {**data.get(key, {}), **value} if isinstance(value, dict) else value
        return Preset.model_validate(data)

    return made
