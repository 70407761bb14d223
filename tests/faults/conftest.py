"""Each case has a workplace of its own. What is looked at after it: see Place."""

from __future__ import annotations

import os
import signal
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image
from place import PRESET, Place

from framestyle.media.video.opencv import end_waiting


@pytest.fixture
def place(
    tmp_path: Path,
    request: pytest.FixtureRequest,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    loads: list[str],
    warm_server: None,
    children_of: Callable[[int], list[int]],
) -> Iterator[Place]:
    """See Place. Looked at again after the test."""
    cv2.setNumThreads(1)
    for name, value in (("FRAMESTYLE_CACHE", "cache"), ("XDG_CONFIG_HOME", "config"), ("HOME", "home")):
        monkeypatch.setenv(name, str(tmp_path / value))
    (tmp_path / "tmp").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    monkeypatch.setattr(tempfile, "tempdir", None)  # looked for again
    monkeypatch.delenv("http_proxy", raising=False)
    folder = tmp_path / "work"
    (folder / "sources").mkdir(parents=True)
    (folder / "presets").mkdir()
    y, x = np.mgrid[0:24, 0:32]
    style = np.dstack([x * 7, y * 10, (x + y) * 4]).astype(np.uint8)
    Image.fromarray(style).save(folder / "presets" / "style.png")
    (folder / "presets" / "quick.yaml").write_text(PRESET)
    monkeypatch.chdir(folder)
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    processes = set(children_of(os.getpid()))
    made = Place(folder, request.function.fault, capfd, monkeypatch)
    try:
        yield made
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    made.check()
    end_waiting()  # a decoder that has looked at a result waits for the next clip
    assert not [path for path in (tmp_path / "tmp").iterdir() if not path.name.startswith("torch")]
    assert not set(children_of(os.getpid())) - processes, "a process was left behind"
