"""Frames come upright, in RGB, in order, with their true times, and the file is let go."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from framestyle.kinds import TimeRange
from framestyle.media.video.reader import VideoReader

MakeClip = Callable[..., Path]
Encode = Callable[..., None]


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.ts", "a.avi", "a.webm", "a.gif", "a.y4m"])
def test_every_container_gives_every_frame_at_its_exact_time(make_clip: MakeClip, name: str) -> None:
    path = make_clip(name, rate="10", sound=name.endswith(("mp4", "mkv", "ts")))
    with VideoReader(path) as reader:
        frames = list(reader)
    assert [frame.index for frame in frames] == list(range(10))
    assert [frame.pts for frame in frames] == [Fraction(n, 10) for n in range(10)]
    assert (reader.frames_read, reader.missing_estimate, reader.variable_rate) == (10, 0, False)
    assert all(f.pixels.shape == (48, 64, 3) and f.pixels.flags.c_contiguous for f in frames)
    assert all(f.pixels.dtype == np.uint8 for f in frames)


@pytest.mark.parametrize("color", [(200, 30, 30), (30, 200, 30), (30, 30, 200), (128, 128, 128)])
def test_red_is_red(tmp_path: Path, color: tuple[int, int, int], encode: Encode) -> None:
    path = tmp_path / "flat.mkv"
    name = "0x" + bytes(color).hex()
    encode("-f", "lavfi", "-i", f"color={name}:s=32x32:d=0.2,format=gbrp", "-c:v", "ffv1", str(path))
    with VideoReader(path) as reader:
        frame = next(iter(reader))
    assert np.abs(frame.pixels.astype(int) - color).max() <= 1


def test_a_range_is_cut_exactly_and_keeps_the_files_own_numbers(make_clip: MakeClip) -> None:
    with VideoReader(
        make_clip("a.mkv", rate="30000/1001"), TimeRange(Fraction(1, 4), Fraction(1, 2))
    ) as reader:
        frames = list(reader)
    assert [frame.index for frame in frames] == list(range(8, 15))  # 8 at 0.267 s, 14 at 0.467 s
    assert all(frame.pts == frame.index * Fraction(1001, 30000) for frame in frames)
    assert reader.missing_estimate == 0


@pytest.mark.parametrize("suffix", ["mkv", "mp4"])
def test_variable_rate_keeps_its_true_times(make_clip: MakeClip, suffix: str) -> None:
    keep = ("-vf", "select='not(mod(n,3))+gt(n,12)'", "-fps_mode", "vfr")
    with VideoReader(make_clip(f"v.{suffix}", *keep, rate="25")) as reader:
        times = [frame.pts for frame in reader]
    true = [Fraction(n, 25) for n in range(25) if n % 3 == 0 or n > 12]
    assert len(times) == len(true)
    assert max(abs(a - b) for a, b in zip(times, true, strict=True)) <= Fraction(2, 1000)
    assert reader.variable_rate
    assert reader.missing_estimate == 0


def test_a_turned_clip_comes_upright_once(make_clip: MakeClip, tmp_path: Path, encode: Encode) -> None:
    flat, turned = make_clip("flat.mp4", seconds=0.2), tmp_path / "turned.mp4"
    encode("-display_rotation", "90", "-i", str(flat), "-c", "copy", str(turned))
    with VideoReader(flat) as one, VideoReader(turned) as two:
        before, after = next(iter(one)).pixels, next(iter(two)).pixels
    # Chroma is made fine again otherwise by each decoder.
    wanted, found = np.rot90(before).mean(axis=2), after.mean(axis=2)
    assert np.abs(wanted - found).mean() < 4 < 20 < np.abs(wanted[::-1, ::-1] - found).mean()


@pytest.mark.parametrize("name", ["cut.mp4", "cut.mkv"])
def test_a_file_that_ends_early_tells_how_much_is_missing(
    make_clip: MakeClip, tmp_path: Path, name: str
) -> None:
    whole = (
        make_clip(name, "-movflags", "+faststart", seconds=2, sound=True)
        if "mp4" in name
        else make_clip(name, seconds=2)
    )
    data = whole.read_bytes()
    whole.write_bytes(data[: int(len(data) * 0.6)])
    with VideoReader(whole) as reader:
        frames = list(reader)
    assert 0 < len(frames) < 45
    assert reader.missing_estimate == pytest.approx(50 - len(frames), abs=2)


def test_nothing_stays_open(make_clip: MakeClip) -> None:
    path = make_clip("a.mp4")
    with pytest.raises(RuntimeError, match="mine"), VideoReader(path) as reader:
        for _ in reader:
            raise RuntimeError("mine")
    held = [link.readlink() for link in Path("/proc/self/fd").iterdir() if link.is_symlink()]
    assert path not in held
    with pytest.raises(ValueError, match="not open"):
        next(iter(reader))


@pytest.mark.parametrize(
    "name", ["-i.mp4", "new\nline.mp4", "%04d.mp4", "žluťoučký 馬.mp4", "a b'c\"|d.mp4", "http:x.mp4"]
)
def test_odd_names_are_only_names(make_clip: MakeClip, name: str) -> None:
    with VideoReader(make_clip(name, seconds=0.2)) as reader:
        assert len(list(reader)) == 5
