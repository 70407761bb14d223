"""NVENC is used where a trial frame shows that it works, and nowhere else; what it was is said."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import pytest

from framestyle.media.ffmpeg import encoders
from framestyle.media.video.codecs import CODECS
from framestyle.media.video.encoder_trials import refusal
from framestyle.media.video.probe import probe
from framestyle.media.video.reader import VideoReader
from framestyle.media.video.writer import VideoSettings, VideoWriter

STAND_IN = """#!{python}
import os, sys
names = {{"h264_nvenc": "libx264", "hevc_nvenc": "libx265", "p010le": "yuv420p10le"}}
dropped = {{"-cq", "-rc", "-b:v:0"}}
given, kept = sys.argv[1:], []
trial = "lavfi" in given
while given:
    word = given.pop(0)
    if word in dropped:
        given.pop(0)
    elif word == "-preset" and given[0].startswith("p"):
        given.pop(0)
    else:
        kept.append(names.get(word, word).replace("format=p010le", "format=yuv420p10le"))
with open({log!r}, "a") as log:
    print("trial" if trial else "job" if any("nvenc" in word for word in sys.argv) else "other", file=log)
os.execv({ffmpeg!r}, [{ffmpeg!r}, *kept])
"""


@pytest.fixture(autouse=True)
def _forget_trials() -> Iterator[None]:
    refusal.cache_clear()
    yield
    refusal.cache_clear()
    encoders.cache_clear()


@pytest.fixture
def with_nvenc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An ffmpeg whose NVENC works, since the CPU does its work, and the log of how it was called: for want of a GPU."""
    log, stand_in = tmp_path / "log", tmp_path / "ffmpeg"
    real = imageio_ffmpeg.get_ffmpeg_exe()
    stand_in.write_text(STAND_IN.format(python=sys.executable, log=str(log), ffmpeg=real))
    stand_in.chmod(0o755)
    monkeypatch.setattr(imageio_ffmpeg, "get_ffmpeg_exe", lambda: str(stand_in))
    return log


def write(
    target: Path, codec: str, quality: str = "good", *, size: tuple[int, int] = (64, 48), bits: int = 8
) -> list[str]:
    settings = VideoSettings(codec, quality, hardware="nvenc")
    frame = np.full((size[1], size[0], 3), 100, np.uint8 if bits == 8 else np.uint16)
    with VideoWriter(
        target, width=size[0], height=size[1], frame_rate=Fraction(25), settings=settings, bits=bits
    ) as writer:
        for _ in range(2):
            writer.write(frame)
    with VideoReader(target) as reader:
        assert len(list(reader)) == 2
    return [note if isinstance(note, str) else note.message for note in writer.notes]


@pytest.mark.parametrize(("codec", "suffix"), [("h264", ".mp4"), ("h265", ".mkv"), ("av1", ".mkv")])
def test_without_a_gpu_the_cpu_does_it_and_the_reason_is_said(
    tmp_path: Path, codec: str, suffix: str
) -> None:
    notes = write(tmp_path / f"o{suffix}", codec)
    assert len(notes) == 1 and notes[0].startswith("NVENC cannot be used here (") and "on the CPU" in notes[0]
    assert CODECS[codec].encoder in notes[0]


@pytest.mark.parametrize(
    ("codec", "suffix", "bits"), [("h264", ".mp4", 8), ("h265", ".mp4", 10), ("h265", ".mkv", 8)]
)
def test_where_a_trial_frame_encodes_it_is_used(
    with_nvenc: Path, tmp_path: Path, codec: str, suffix: str, bits: int
) -> None:
    assert write(tmp_path / f"o{suffix}", codec, bits=bits) == []
    called = with_nvenc.read_text().split()
    assert called.count("trial") == 1 and called.count("job") >= 1
    write(tmp_path / f"p{suffix}", codec, bits=bits)
    assert with_nvenc.read_text().split().count("trial") == 1, "one trial is enough"
    assert probe(tmp_path / f"o{suffix}").bit_depth == bits
    if suffix == ".mp4" and codec == "h265":
        assert b"hvc1" in (tmp_path / "o.mp4").read_bytes()


@pytest.mark.parametrize(
    ("codec", "suffix", "quality", "size", "bits"),
    [
        ("h264", ".mp4", "lossless", (64, 48), 8),
        ("h264", ".mp4", "good", (63, 48), 8),
        ("h264", ".mp4", "good", (64, 48), 10),
        ("vp9", ".webm", "good", (64, 48), 8),
    ],
)
def test_what_it_cannot_do_the_cpu_does(
    with_nvenc: Path, tmp_path: Path, codec: str, suffix: str, quality: str, size: tuple[int, int], bits: int
) -> None:
    notes = write(tmp_path / f"o{suffix}", codec, quality, size=size, bits=bits)
    assert any("NVENC cannot be used here (it has no" in note for note in notes)
    assert "job" not in with_nvenc.read_text()
