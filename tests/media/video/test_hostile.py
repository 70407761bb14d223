"""Files are only files, whatever they are called or hold; and every ffmpeg that is started is ended."""

from __future__ import annotations

import io
import os
import signal
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from loopback import Server
from media_facts import ask, encode

from framestyle.errors import InputError
from framestyle.kinds import TimeRange
from framestyle.media.video.nut import NutError, NutReader
from framestyle.media.video.opencv import OpenCVLostError, end_waiting, opencv_pictures
from framestyle.media.video.probe import describe, probe
from framestyle.media.video.reader import VideoReader
from framestyle.media.video.writer import SourceStreams, VideoSettings, VideoWriter

NAMES = [
    "-i.mkv",
    "new\nline.mkv",
    "%04d.mkv",
    "concat:a|b.mkv",
    "http:x.mkv",
    "a b'c\"|d;e.mkv",
    "$(touch x).mkv",
]
NAMES += ["žluťoučký 馬.mkv", "file:x.mkv", "[0:v]scale=1,movie=a.mkv", "a\\b:c=d.mkv"]
BY_OPENCV = {"yuv420p": True, "yuv420p10le": False}
"""Which OpenCV takes."""


def clip(target: Path, pixel_format: str = "yuv420p", *more: str, seconds: float = 0.2) -> Path:
    picture = ("-f", "lavfi", "-i", f"testsrc2=s=64x48:r=25:d={seconds}")
    encode(*picture, *more, "-c:v", "ffv1", "-pix_fmt", pixel_format, f"file:{target}")
    return target


@pytest.mark.parametrize("pixel_format", BY_OPENCV)
@pytest.mark.parametrize("name", NAMES)
def test_odd_names_are_only_names_as_sources_too(
    tmp_path: Path, name: str, pixel_format: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With sound and chapters to be carried, by relative name."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "m.txt").write_text(";FFMETADATA1\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=100\ntitle=One\n")
    sound = ("-f", "lavfi", "-i", "sine=d=0.2", "-i", "m.txt", "-map_chapters", "2")
    source = clip(Path(name), pixel_format, *sound)
    with VideoReader(source) as reader:
        assert len(list(reader)) == 5 and reader.by_opencv == BY_OPENCV[pixel_format]
    part = SourceStreams(source, TimeRange(Fraction(0), Fraction(1, 5)))
    with VideoWriter(
        Path("out") / name,
        width=64,
        height=48,
        frame_rate=Fraction(25),
        settings=VideoSettings(),
        source=part,
    ) as writer:
        for number in range(5):
            writer.write(np.full((48, 64, 3), number, np.uint8))
    assert probe(Path("out") / name).audio_streams == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([name, "m.txt", "out"])
    assert [path.name for path in (tmp_path / "out").iterdir()] == [name]


LISTS = {
    "concat": "ffconcat version 1.0\nfile secret.mkv\n",
    "hls": "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{url}\n#EXT-X-ENDLIST\n",
    "sdp": "v=0\nc=IN IP4 127.0.0.1\nm=video 5004 RTP/AVP 96\n",
    "dash": '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011"><BaseURL>{url}</BaseURL></MPD>',
}


@pytest.mark.parametrize("kind", LISTS)
def test_lists_open_nothing_else_on_either_decoder(tmp_path: Path, kind: str, server: Server) -> None:
    clip(tmp_path / "secret.mkv")
    path = tmp_path / "a.mp4"
    path.write_text(
        LISTS[kind].format(url=server.url("secret.mkv") if hasattr(server, "url") else "http://127.0.0.1:9/x")
    )
    with pytest.raises(InputError):
        probe(path)
    assert describe(path).video_codec is None  # past the first look at its contents
    with pytest.raises(OpenCVLostError):
        next(opencv_pictures(path, too_dark=False))


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:9/a.mp4", "concat:a.mp4|b.mp4", "pipe:0", "data:video/mp4;base64,AA=="]
)
def test_a_url_is_a_missing_file(url: str) -> None:
    with pytest.raises(InputError, match="does not exist"):
        probe(Path(url))


@pytest.mark.parametrize("pixel_format", BY_OPENCV)
@pytest.mark.parametrize("error", [None, RuntimeError("mine"), KeyboardInterrupt()])
def test_a_reader_that_is_left_early_leaves_no_process(
    tmp_path: Path, pixel_format: str, error: BaseException | None, our_ffmpegs: Callable[[], list[int]]
) -> None:
    path = clip(tmp_path / "a.mkv", pixel_format, seconds=8)
    end_waiting()
    before = set(Path("/proc/self/fd").iterdir())
    for _ in range(2):
        try:
            with VideoReader(path) as reader:
                frames = iter(reader)
                next(frames)
                assert bool(our_ffmpegs()) != BY_OPENCV[pixel_format]
                if error is not None:
                    raise error
        except type(error or RuntimeError()) as caught:
            assert caught is error
        assert our_ffmpegs() == []
    assert set(Path("/proc/self/fd").iterdir()) == before


def test_a_decoder_that_is_killed_is_an_input_error(
    tmp_path: Path, our_ffmpegs: Callable[[], list[int]]
) -> None:
    path = clip(tmp_path / "a.mkv", "yuv420p10le", seconds=20)
    with (
        VideoReader(path) as reader,
        pytest.raises(InputError, match=r"frame \d+ cannot be used: .*signal 9"),
    ):
        for frame in reader:
            if frame.index == 0:
                os.kill(our_ffmpegs()[0], signal.SIGKILL)
    assert our_ffmpegs() == []


@pytest.mark.parametrize("pixel_format", BY_OPENCV)
def test_a_file_that_ends_early_gives_what_it_has(tmp_path: Path, pixel_format: str) -> None:
    path = clip(tmp_path / "a.mkv", pixel_format, seconds=2)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 6 // 10])
    with VideoReader(path) as reader:
        count = len(list(reader))
    assert 20 < count < 40 and reader.doubts and "frames are missing" in reader.doubts[0]


@pytest.mark.parametrize("pixel_format", BY_OPENCV)
@pytest.mark.parametrize("seed", range(4))
def test_a_damaged_file_gives_frames_or_an_input_error(
    tmp_path: Path, pixel_format: str, seed: int, our_ffmpegs: Callable[[], list[int]]
) -> None:
    path = clip(tmp_path / "a.mkv", pixel_format)
    data, generator = bytearray(path.read_bytes()), np.random.default_rng(seed)
    for at in generator.integers(100, len(data), 60):
        data[at] = generator.integers(256)
    path.write_bytes(data)
    try:
        with VideoReader(path) as reader:
            assert all(frame.pixels.shape == (reader.info.height, reader.info.width, 3) for frame in reader)
    except InputError as error:
        assert str(path) in error.message
    assert our_ffmpegs() == []


# -- NUT, as it comes from the pipe ------------------------------------------------------------------------


@pytest.fixture(scope="module")
def nut() -> bytes:
    picture = (
        "-f",
        "lavfi",
        "-i",
        "testsrc2=s=16x8:r=30000/1001:d=0.2",
        "-c:v",
        "rawvideo",
        "-pix_fmt",
        "rgb24",
    )
    return ask(*picture, "-enc_time_base", "1001/30000", "-f", "nut", "-write_index", "0", "-")


def test_nut_gives_every_frame_with_its_time(nut: bytes) -> None:
    reader = NutReader(io.BytesIO(nut))
    frames = list(reader)
    assert (reader.width, reader.height) == (16, 8)
    assert [frame.ticks * reader.time_base for frame in frames] == [
        Fraction(n * 1001, 30000) for n in range(6)
    ]
    assert {len(frame.data) for frame in frames} == {16 * 8 * 3}


@settings(max_examples=80, deadline=None)
@given(data=st.data())
def test_no_bytes_make_the_nut_reader_do_anything_but_read_or_refuse(nut: bytes, data: Any) -> None:
    changed = bytearray(nut[: data.draw(st.integers(0, len(nut)))])
    for _ in range(data.draw(st.integers(0, 8))):
        if changed:
            changed[data.draw(st.integers(0, min(len(changed), 400) - 1))] = data.draw(st.integers(0, 255))
    try:
        for frame in NutReader(io.BytesIO(bytes(changed))):
            assert len(frame.data) <= 1 << 32
    except (NutError, MemoryError):
        pass
