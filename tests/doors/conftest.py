"""A workplace of the test's own: no one's presets or weights reach it, and a preset that is done in a blink."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from framestyle.media.ffmpeg import ffmpeg_exe
from tests import warm

QUICK = """\
schema: 1
extends: nightswirl
style: {layers: {relu1_1: 1, relu2_1: 1, relu3_1: 0, relu4_1: 0, relu5_1: 0}}
content: {layers: {relu2_1: 1, relu3_2: 0, relu4_2: 0, relu5_2: 0}}
optimizer: {precision: float32}
scales: {min_px: 16, max_side_px: 32, first_steps: 2, steps: 1}
video: {steps: 2, min_steps: 1}
output: {quality: draft}
"""
Call = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(autouse=True)
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The current folder, with its own cache and configuration beside it."""
    for name, value in (("FRAMESTYLE_CACHE", "cache"), ("XDG_CONFIG_HOME", "config"), ("HOME", "home")):
        monkeypatch.setenv(name, str(tmp_path / value))
    monkeypatch.delenv("http_proxy", raising=False)
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.chdir(folder)
    before = signal.getsignal(signal.SIGTERM)
    yield folder
    signal.signal(signal.SIGTERM, before)


@pytest.fixture
def quick(workplace: Path) -> str:
    """The path of a preset of a few steps on two shallow layers."""
    (workplace / "quick.yaml").write_text(QUICK)
    return "quick.yaml"


@pytest.fixture
def photo(workplace: Path) -> Path:
    """A small picture that no symmetry leaves the same."""
    y, x = np.mgrid[0:24, 0:32]
    path = workplace / "photo.png"
    Image.fromarray(np.dstack([x * 7, y * 10, (x + y) * 4]).astype(np.uint8)).save(path)
    return path


@pytest.fixture
def clip(workplace: Path) -> Path:
    """Twelve frames with a tone."""
    path = workplace / "clip.mp4"
    picture, tone = "testsrc2=size=64x48:rate=24:duration=0.5", "sine=frequency=440:duration=0.5"
    command = [ffmpeg_exe(), "-v", "error", "-nostdin", "-f", "lavfi", "-i", picture]
    subprocess.run([*command, "-f", "lavfi", "-i", tone, str(path)], check=True)
    return path


@pytest.fixture
def call(warm_server: None) -> Call:
    """`call(*arguments)`: the command as a process of its own."""

    def called(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "framestyle", *arguments]
        env = os.environ | {"OMP_NUM_THREADS": "1"}
        return warm.run(command, capture_output=True, text=True, timeout=600, env=env)

    return called


@pytest.fixture
def stopped_at_work(
    workplace: Path, children_of: Callable[[int], list[int]], warm_server: None
) -> Callable[..., tuple[str, list[int]]]:
    """`stopped_at_work(*arguments, whole_group=…, threads=…)`: the command as a process, sent a Ctrl-C when it has
    taken its first steps. It ends with 130; what it still said, and the processes that it had started."""

    def stopped(*arguments: str, whole_group: bool = False, threads: int = 1) -> tuple[str, list[int]]:
        process = warm.Popen(
            [sys.executable, "-m", "framestyle", *arguments, "--device", "cpu", "--progress", "json"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            env=os.environ | {"OMP_NUM_THREADS": str(threads)},
        )
        try:
            assert process.stderr is not None
            for line in process.stderr:
                if '"event": "step_done"' in line:
                    break
            children = children_of(process.pid)
            (os.killpg if whole_group else os.kill)(process.pid, signal.SIGINT)
            rest = process.stderr.read()
            assert process.wait(30) == 130
        finally:
            process.kill()
            process.wait()
        return rest, children

    return stopped
