"""Every frame is shown when its source's was, at any rate, constant or not."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from media_facts import decoded_times, packets

from framestyle.media.video.reader import VideoReader
from framestyle.media.video.writer import VideoSettings, VideoWriter

Encode = Callable[..., None]
TICKS = (0, 3003, 6006, 9010, 20_000, 20_100, 35_555, 90_000, 180_001, 190_000)
TIMES = [Fraction(tick, 90_000) for tick in TICKS]
"""As a phone's camera may have it: even, uneven, close together, seconds apart."""
PAIRS = [
    ("h264", ".mp4"),
    ("h264", ".mov"),
    ("h264", ".mkv"),
    ("h265", ".mp4"),
    ("vp9", ".webm"),
    ("av1", ".mkv"),
    ("av1", ".mp4"),
    ("prores", ".mov"),
    ("dnxhr", ".mov"),
    ("ffv1", ".mkv"),
    ("gif", ".gif"),
    ("apng", ".apng"),
]


def write(target: Path, times: list[Fraction], codec: str = "h264", **more: Any) -> None:
    """Flat frames, each of another grey, shown at `times`."""
    options: dict[str, Any] = {"time_base": Fraction(1, 90_000), "frame_rate": Fraction(30)} | more
    settings = VideoSettings(codec, "draft")
    with VideoWriter(target, width=256, height=120, settings=settings, **options) as writer:
        for number, pts in enumerate(times):
            writer.write(np.full((120, 256, 3), number * 20 % 256, np.uint8), pts)


def movie_length(path: Path) -> Fraction:
    """Of an MP4: what its header says."""
    data = path.read_bytes()
    start = data.index(b"mvhd") + 4
    assert data[start] == 0
    scale, length = (int.from_bytes(data[start + at : start + at + 4], "big") for at in (12, 16))
    return Fraction(length, scale)


@pytest.mark.parametrize(("codec", "suffix"), PAIRS)
def test_every_container_shows_each_frame_within_half_a_tick_of_its_time(
    tmp_path: Path, codec: str, suffix: str
) -> None:
    write(tmp_path / f"o{suffix}", TIMES, codec, last_frame=(TIMES[-1], Fraction(2)))
    tick, shown, _ = packets(tmp_path / f"o{suffix}")
    assert len(shown) == len(TIMES)
    # Nothing that a container counts more coarsely can be nearer; two frames never share a tick.
    far = max(abs(at - wanted) for at, wanted in zip(shown, TIMES, strict=True))
    assert far <= (tick / 2 if codec not in ("gif", "apng") else tick)
    assert tick <= {".mkv": Fraction(1, 1000), ".webm": Fraction(1, 1000), ".gif": Fraction(1, 100)}.get(
        suffix, Fraction(1, 90_000)
    )
    if suffix in (".mp4", ".mov"):
        assert shown == TIMES
        assert movie_length(tmp_path / f"o{suffix}") == TIMES[-1] + 2


def test_a_player_shows_them_so_and_in_order(tmp_path: Path) -> None:
    for suffix in (".mp4", ".mkv"):
        write(tmp_path / f"o{suffix}", TIMES)
        with VideoReader(tmp_path / f"o{suffix}") as reader:
            frames = list(reader)
        assert [round(float(frame.pixels.mean()) / 20) for frame in frames] == list(range(10))
        far = Fraction(0) if suffix == ".mp4" else Fraction(1, 2000)
        assert all(abs(frame.pts - at) <= far for frame, at in zip(frames, TIMES, strict=True))
        assert reader.variable_rate


@pytest.mark.parametrize("name", ["30000/1001", "24000/1001", "60000/1001", "25", "12", "50/3", "1001/40"])
@pytest.mark.parametrize("suffix", [".mp4", ".mov"])
def test_constant_rates_are_exact_fractions(tmp_path: Path, name: str, suffix: str) -> None:
    rate = Fraction(name)
    times = [number / rate for number in range(40)]
    write(tmp_path / f"o{suffix}", times, frame_rate=rate, time_base=None)
    _, shown, lengths = packets(tmp_path / f"o{suffix}")
    assert shown == times
    assert set(lengths) == {1 / rate}
    with VideoReader(tmp_path / f"o{suffix}") as reader:
        assert [frame.pts for frame in reader] == times
        assert reader.info.frame_rate == rate and not reader.variable_rate


def test_frames_at_one_time_are_kept_apart(tmp_path: Path) -> None:
    write(tmp_path / "o.mp4", [Fraction(0), Fraction(0), Fraction(0), Fraction(1, 30)])
    _, shown, _ = packets(tmp_path / "o.mp4")
    assert shown == [Fraction(0), Fraction(1, 90_000), Fraction(2, 90_000), Fraction(1, 30)]


def test_a_day_of_timestamps_does_not_overflow(tmp_path: Path) -> None:
    times = [Fraction(hour * 3600) + Fraction(hour, 90_000) for hour in range(25)]
    for suffix in (".mp4", ".mkv"):
        write(tmp_path / f"o{suffix}", times)
        tick, shown, _ = packets(tmp_path / f"o{suffix}")
        assert max(abs(at - wanted) for at, wanted in zip(shown, times, strict=True)) <= tick / 2
        with VideoReader(tmp_path / f"o{suffix}") as reader:
            read = [frame.pts for frame in reader]
        assert max(abs(at - wanted) for at, wanted in zip(read, shown, strict=True)) <= tick


def test_encoders_are_told_the_rate(tmp_path: Path) -> None:
    """Fine ticks are not taken for 90000 frames a second: the level is that of 256x120 at 30."""
    write(tmp_path / "o.mp4", TIMES)
    data = (tmp_path / "o.mp4").read_bytes()
    level = data[data.index(b"avcC") + 7]
    assert level <= 13


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".ts", ".mov"])
@pytest.mark.parametrize("by_opencv", [True, False])
def test_both_roads_tell_the_same_times(
    tmp_path: Path, encode: Encode, suffix: str, by_opencv: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    uneven = "settb=1/90000,setpts='N*3000+mod(N,3)*777'"
    source = tmp_path / f"s{suffix}"
    picture = "testsrc2=s=64x48:r=30:d=1"
    ticks = (
        "-enc_time_base",
        "1/90000",
        "-c:v",
        "libx264",
        *(("-video_track_timescale", "90000") if "m" in suffix else ()),
    )
    encode("-f", "lavfi", "-i", picture, "-vf", uneven, "-fps_mode", "passthrough", *ticks, str(source))
    monkeypatch.setattr(VideoReader, "by_opencv", by_opencv)
    with VideoReader(source) as reader:
        frames = list(reader)
    tick, shown, _ = packets(source)
    wanted = [at - shown[0] for at in shown]
    assert len(frames) == 30 and reader.variable_rate
    assert max(abs(frame.pts - at) for frame, at in zip(frames, wanted, strict=True)) <= tick
    assert suffix == ".mkv" or wanted[:3] == [Fraction(0), Fraction(3777, 90_000), Fraction(7554, 90_000)]


B_FRAMES = ("-c:v", "libx264", "-bf", "3")
OTHERS = {
    "b.mkv": B_FRAMES,
    "b.ts": B_FRAMES,
    "b.flv": B_FRAMES,
    "b.avi": B_FRAMES,
    "asp.avi": ("-c:v", "mpeg4", "-bf", "2"),
    "j.avi": ("-c:v", "mjpeg"),
    "m.mpg": ("-c:v", "mpeg2video", "-bf", "2"),
    "t.ogv": ("-c:v", "libtheora"),
    "w.wmv": ("-c:v", "wmv2"),
    "x.mxf": ("-c:v", "mpeg2video", "-bf", "2"),
    "v.ivf": ("-c:v", "libvpx"),
    "a.mp4": ("-c:v", "libsvtav1", "-preset", "12"),
}


@pytest.mark.parametrize("name", OTHERS)
@pytest.mark.parametrize("rate", ["25", "24000/1001"])
def test_every_container_tells_each_frames_time(
    tmp_path: Path, encode: Encode, name: str, rate: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """AVI and MPEG-PS, with frames that are stored out of order, as the others."""
    monkeypatch.setenv("SVT_LOG", "1")
    source = tmp_path / name
    encode("-f", "lavfi", "-i", f"testsrc2=s=64x48:r={rate}:d=1", *OTHERS[name], str(source))
    with VideoReader(source) as reader:
        times = [frame.pts for frame in reader]
    tick, wanted = decoded_times(source)
    assert len(times) == len(wanted) >= 15
    later = [is_at - at for is_at, at in zip(times, wanted, strict=True)]
    assert max(later) - min(later) <= 2 * tick  # each within one of its own
    assert reader.missing_estimate == 0
    assert reader.info.frame_rate == Fraction(rate) or name == "b.flv"


@pytest.mark.parametrize("name", ["late.mp4", "late.mkv", "late.ts", "late.mpg"])
def test_sound_that_goes_on_is_no_missing_picture(tmp_path: Path, encode: Encode, name: str) -> None:
    sound = ("-f", "lavfi", "-i", "sine=d=2")
    encode("-f", "lavfi", "-i", "testsrc2=s=64x48:r=25:d=1", *sound, str(tmp_path / name))
    with VideoReader(tmp_path / name) as reader:
        assert len(list(reader)) == 25 and reader.missing_estimate == 0
