"""From file to file each frame is shown when its source's was, and what is heard with it is still heard with it."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from media_facts import encode, packets, sound_md5
from ready import Ready

from framestyle.jobs.plan.tasks import Task
from framestyle.jobs.run.job import run
from framestyle.kinds import MediaKind, TimeRange
from framestyle.media.ffmpeg import ffmpeg_exe
from framestyle.media.video.reader import VideoReader

MakeWorkshop = Callable[..., Ready]
IDENTITY: dict[str, Any] = {
    "scales": {"first_steps": 0, "steps": 0},
    "video": {"steps": 0, "min_steps": 0},
}
UNEVEN = "settb=1/90000,setpts='N*3000+mod(N,3)*777+gte(N,20)*45000'"
"""30 a second, unsteady, with a pause of half a second."""
SHOWN = [Fraction(n * 3000 + n % 3 * 777 + (n >= 20) * 45_000, 90_000) for n in range(40)]


def uneven_clip(target: Path, rate: str = "30") -> Path:
    """40 frames with a click at SHOWN[25]."""
    click = f"aevalsrc='0.9*sin(2000*t)*gte(t,{float(SHOWN[25])})':d=2"
    inputs = ("-f", "lavfi", "-i", "testsrc2=s=32x24:r=30,trim=end_frame=40", "-f", "lavfi", "-i", click)
    scale = ("-video_track_timescale", "90000") if target.suffix == ".mp4" else ()
    times = ("-vf", UNEVEN, "-fps_mode", "passthrough", "-enc_time_base", "1/90000", *scale)
    encode(*inputs, *times, "-c:v", "libx264", "-qp", "0", "-c:a", "aac", str(target))
    return target


def render(
    source: Path, target: Path, workshop: Ready, start: Fraction | None = None, end: Fraction | None = None
) -> None:
    run([Task(MediaKind.VIDEO, source, target)], target, TimeRange(start, end), *workshop)


def click_s(path: Path) -> float:
    """When its sound begins to be loud, seconds after its first picture is shown."""
    command = [ffmpeg_exe(), "-v", "error", "-copyts", "-i", str(path), "-vn", "-ac", "1", "-ar", "8000"]
    command += ["-af", "aresample=async=1:first_pts=0", "-f", "s16le", "-"]
    sound = np.frombuffer(subprocess.run(command, check=True, capture_output=True).stdout, np.int16)
    return float(np.argmax(np.abs(sound) > 4000)) / 8000 - float(packets(path)[1][0])


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
@pytest.mark.parametrize(
    ("codec", "container"), [("h264", ".mp4"), ("h265", ".mkv"), ("vp9", ".webm"), ("av1", ".mp4")]
)
def test_an_uneven_clip_stays_as_it_is(
    make_workshop: MakeWorkshop, tmp_path: Path, suffix: str, codec: str, container: str
) -> None:
    source, target = uneven_clip(tmp_path / f"in{suffix}"), tmp_path / f"out{container}"
    render(source, target, make_workshop(**IDENTITY, output={"quality": "draft", "video_codec": codec}))
    was_tick, was, _ = packets(source)
    tick, became, _ = packets(target)
    assert len(became) == len(was) == 40
    far = max(abs(a - b) for a, b in zip(was, became, strict=True))
    assert far <= max(tick, was_tick)
    assert suffix == ".mkv" or container != ".mp4" or far == 0
    if container != ".webm":  # Opus, there
        assert sound_md5(source) == sound_md5(target)
    assert click_s(target) == pytest.approx(click_s(source), abs=0.01)


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
@pytest.mark.parametrize(
    ("start", "end"), [(SHOWN[7], None), (SHOWN[7] - Fraction(1, 200), SHOWN[30]), (None, Fraction(3, 2))]
)
def test_a_part_of_an_uneven_clip_keeps_its_times_and_its_sound(
    make_workshop: MakeWorkshop, tmp_path: Path, suffix: str, start: Fraction | None, end: Fraction | None
) -> None:
    source, target = uneven_clip(tmp_path / f"in{suffix}"), tmp_path / f"out{suffix}"
    with VideoReader(source, TimeRange(start, end)) as reader:
        wanted = list(reader)
    workshop = make_workshop(**IDENTITY, output={"quality": "lossless"})
    render(source, target, workshop, start, end)
    with VideoReader(target) as reader:
        got = list(reader)
    first = wanted[0].pts
    assert len(got) == len(wanted)
    tick = packets(target)[0]
    assert max(abs(a.pts - (b.pts - first)) for a, b in zip(got, wanted, strict=True)) <= tick
    assert all(np.array_equal(a.pixels, b.pixels) for a, b in zip(got, wanted, strict=True))
    # A packet of AAC is 23 ms: less than one frame.
    assert click_s(target) == pytest.approx(float(SHOWN[25] - first), abs=0.03)
    assert packets(target)[1][0] == 0


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_pictures_that_begin_after_the_sound_do_so_still(
    make_workshop: MakeWorkshop, tmp_path: Path, suffix: str
) -> None:
    source, target = tmp_path / f"in{suffix}", tmp_path / f"out{suffix}"
    sound = ("-f", "lavfi", "-i", "sine=d=2")
    late = ("-vf", "setpts=PTS+0.52/TB", "-fps_mode", "passthrough")
    encode("-f", "lavfi", "-i", "testsrc2=s=32x24:r=25:d=1", *sound, *late, "-c:a", "aac", str(source))
    render(source, target, make_workshop(**IDENTITY))
    far = [a - b for a, b in zip(packets(source)[1], packets(target)[1], strict=True)]
    assert max(abs(a) for a in far) <= Fraction(1, 1000)
    assert sound_md5(source) == sound_md5(target)
