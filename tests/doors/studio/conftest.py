"""A studio on a free port of the loopback, in a folder of the test's own, with a preset that is done in a blink."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

pytest.importorskip("uvicorn")

from studio_client import Client, Process, answers, wait_until

from framestyle.doors.studio.server import make_server
from framestyle.doors.studio.settings import Settings
from framestyle.presets import user_presets_dir
from tests import warm

QUICK = """\
schema: 1
name: quick
description: A few steps
extends: nightswirl
style: {layers: {relu1_1: 1, relu2_1: 1, relu3_1: 0, relu4_1: 0, relu5_1: 0}}
content: {layers: {relu2_1: 1, relu3_2: 0, relu4_2: 0, relu5_2: 0}}
optimizer: {precision: float32}
scales: {min_px: 16, max_side_px: 32, first_steps: 2, steps: 1}
video: {steps: 2, min_steps: 1}
output: {quality: draft, save_every_s: 0}
"""


@pytest.fixture
def root(workplace: Path) -> Path:
    """What the studio shows. Beside it, the user's presets with one of their own."""
    user_presets_dir().mkdir(parents=True)
    (user_presets_dir() / "quick.yaml").write_text(QUICK)
    return workplace


@pytest.fixture
def studio(root: Path, warm_python: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    """A running one, in this process."""
    monkeypatch.setattr(sys, "executable", str(warm_python))
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    settings = Settings(root, port=listening.getsockname()[1], weights="untrained", device="cpu")
    server = make_server(settings)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield Client(settings.port, settings.token)
    server.should_exit = True
    thread.join(60)
    listening.close()
    assert not thread.is_alive()


@pytest.fixture
def start(root: Path, warm_python: Path) -> Iterator[Callable[[], Process]]:
    """`start()`: `framestyle studio` in the root; ended with the test, and what it has left at work."""
    begun: list[Process] = []

    def started() -> Process:
        command = [sys.executable, "-m", "framestyle", "studio", "--root", str(root), "--port", "0"]
        process = warm.Popen(
            [*command, "--weights", "untrained", "--device", "cpu"],
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"OMP_NUM_THREADS": "1", warm.PYTHON: str(warm_python)},
        )
        assert process.stdout is not None
        for line in process.stdout:
            if found := re.search(r"http://127\.0\.0\.1:(\d+)/\?token=(\S+)", line):
                break
        else:
            raise AssertionError("the studio did not say where it is")
        one = Process(process, Client(int(found[1]), found[2]), found[0])
        begun.append(one)
        wait_until(lambda: answers(one.client))
        return one

    yield started
    for one in begun:
        if one.process.poll() is None:
            one.process.terminate()
            one.process.wait(60)


@pytest.fixture
def in_folder(studio: Client) -> Callable[[Path], str]:
    """`in_folder(path)`: the id of a file in the root."""

    def found(path: Path) -> str:
        entries = studio.get("/api/folders")["entries"]
        return next(entry["media"]["id"] for entry in entries if entry["name"] == path.name)

    return found


@pytest.fixture
def sample() -> Path:
    """A photo of the samples."""
    from framestyle.doors.demo import samples_dir

    return samples_dir() / "photos" / "harbour.jpg"
