"""Clips made here with ffmpeg's own test sources: small, exact, and never fetched."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from framestyle.media.ffmpeg import ffmpeg_exe

MakeClip = Callable[..., Path]


@pytest.fixture
def make_clip(tmp_path: Path) -> MakeClip:
    """`make_clip("a.mp4", *ffmpeg arguments)`: 64x48 test pattern at `rate`, with a tone where `sound`."""

    def make(
        name: str,
        *options: str,
        rate: str = "25",
        seconds: float = 1,
        sound: bool = False,
        size: str = "64x48",
    ) -> Path:
        target = tmp_path / name
        inputs = ["-f", "lavfi", "-i", f"testsrc2=size={size}:rate={rate}:duration={seconds}"]
        if sound:
            inputs += ["-f", "lavfi", "-i", f"sine=frequency=440:duration={seconds}"]
        _encode(*inputs, *options, f"file:{target}")
        return target

    return make


@pytest.fixture
def encode() -> Callable[..., None]:
    """`encode(*arguments)`: ffmpeg, for clips that `make_clip` does not make."""
    return _encode


def _encode(*arguments: str) -> None:
    subprocess.run([ffmpeg_exe(), "-v", "error", "-nostdin", "-y", *arguments], check=True)
