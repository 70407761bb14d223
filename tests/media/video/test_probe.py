"""What is told of a video is true, and no text makes the parser stumble."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from framestyle.errors import InputError
from framestyle.media.video.description import exact_rate, parse_description
from framestyle.media.video.pixel_formats import bit_depth
from framestyle.media.video.probe import CLOCK_TICK_NS, probe


def settle() -> None:
    """Until what was just written is old enough to be remembered."""
    time.sleep(1.5 * CLOCK_TICK_NS / 1e9)


MakeClip = Callable[..., Path]
Encode = Callable[..., None]
LINES = [
    "Input #0, mov,mp4,m4a,3gp,3g2,mj2, from '':",
    "  Duration: 00:01:02.50, start: 0.100000, bitrate: 111 kb/s",
    "  Duration: N/A, bitrate: N/A",
    "  Stream #0:0[0x1](und): Video: h264 (High), yuv420p10le(tv, bt2020nc/bt2020/smpte2084), 64x48"
    " [SAR 4:3 DAR 16:9], 24 fps, start 0.300000",
    "      Display Matrix: rotation of -90.00 degrees",
    "  Stream #0:1: Audio: aac (LC), 44100 Hz",
    "  Stream #0:2: Subtitle: mov_text (tx3g / 0x67337874)",
    "  Stream #0:3: Video: mjpeg, yuvj420p(pc), 9x9 (attached pic)",
    "SAR 0:0 SAR 1:0, start -99.5 rotation of 400 degrees",
]


@given(st.one_of(st.text(), st.lists(st.one_of(st.sampled_from(LINES), st.text())).map("\n".join)))
@example("  Stream #0:0: Video: ,(((")
def test_no_text_makes_the_parser_raise(text: str) -> None:
    told = parse_description(text)
    assert told.sample_aspect_ratio > 0
    assert 0 <= told.rotation_degrees < 360
    assert bit_depth(told.pixel_format) >= 8


def test_a_full_description_is_read() -> None:
    told = parse_description("\n".join([*LINES[:2], *LINES[3:8]]))
    assert (told.container, told.duration_s) == ("mov,mp4,m4a,3gp,3g2,mj2", Fraction(125, 2))
    assert (told.video_codec, told.pixel_format, told.color_range) == ("h264", "yuv420p10le", "tv")
    assert (told.color_matrix, told.color_primaries, told.color_transfer) == (
        "bt2020nc",
        "bt2020",
        "smpte2084",
    )
    # Upright pixels are turned as well: 4:3 on its side is 3:4.
    assert (told.rotation_degrees, told.sample_aspect_ratio) == (90, Fraction(3, 4))
    assert (told.audio_codecs, told.subtitle_codecs) == (("aac",), ("mov_text",))
    assert told.video_start_s == Fraction(1, 5)


@pytest.mark.parametrize(
    ("told", "tick"),
    [
        ("23.98 tbn", Fraction(1001, 24000)),
        ("29.97 tbn", Fraction(1001, 30000)),
        ("119.88 tbn", Fraction(1001, 120000)),
        ("24 tbn", Fraction(1, 24)),
        ("12.50 tbn", Fraction(2, 25)),
        ("90k tbn", Fraction(1, 90_000)),
        ("16k tbn", Fraction(1, 16_000)),
    ],
)
def test_a_tick_told_in_two_decimals_is_the_one_that_is_meant(told: str, tick: Fraction) -> None:
    line = f"  Stream #0:0: Video: rawvideo (I420), yuv420p, 160x96, 23.98 fps, 23.98 tbr, {told}"
    assert parse_description("\n".join([LINES[0], line])).time_base == tick


def test_a_cover_picture_is_no_video() -> None:
    assert parse_description("\n".join([LINES[0], LINES[5], LINES[7]])).video_codec is None


@pytest.mark.parametrize(
    ("rate", "exact"),
    [
        (29.97002997002997, Fraction(30000, 1001)),
        (29.97, Fraction(30000, 1001)),
        (23.976, Fraction(24000, 1001)),
        (59.94, Fraction(60000, 1001)),
        (25.0, Fraction(25)),
        (30.02, Fraction(1501, 50)),
        (12.5, Fraction(25, 2)),
        (0.0, Fraction(25)),
        (float("nan"), Fraction(25)),
        (float("inf"), Fraction(25)),
    ],
)
def test_decimal_rates_become_the_fractions_they_stand_for(rate: float, exact: Fraction) -> None:
    assert exact_rate(rate) == exact


@pytest.mark.parametrize(
    ("pixel_format", "bits"),
    [
        ("yuv420p", 8),
        ("yuv420p10le", 10),
        ("p010le", 10),
        ("p016le", 16),
        ("gbrp12be", 12),
        ("gray16le", 16),
        ("rgb48le", 16),
        ("rgba64be", 16),
        ("nv12", 8),
        ("rgb565le", 8),
        ("yuva444p12le", 12),
        ("x2rgb10le", 10),
        ("", 8),
    ],
)
def test_bits_of_a_pixel_format(pixel_format: str, bits: int) -> None:
    assert bit_depth(pixel_format) == bits


def test_a_clip_is_described_exactly(make_clip: MakeClip) -> None:
    info = probe(make_clip("a.mp4", rate="30000/1001", sound=True))
    assert (info.width, info.height, info.frame_rate) == (64, 48, Fraction(30000, 1001))
    assert (info.frame_count_estimate, info.audio_streams, info.audio_codecs) == (30, 1, ("aac",))
    assert abs(float(info.duration_s or 0) - 1) < 0.05
    assert (info.sample_aspect_ratio, info.rotation_degrees, info.bit_depth, info.has_alpha) == (
        1,
        0,
        8,
        False,
    )


def test_a_file_that_stays_is_asked_once_and_one_that_changed_again(
    make_clip: MakeClip, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    begun: list[object] = []
    run = subprocess.run

    def counting(*arguments: Any, **options: Any) -> Any:
        begun.append(arguments)
        return run(*arguments, **options)

    clip = make_clip("a.mp4")
    settle()
    monkeypatch.setattr(subprocess, "run", counting)

    def starts(path: Path) -> int:
        """Of ffmpeg."""
        before = len(begun)
        probe(path)
        return len(begun) - before

    assert [starts(clip), starts(clip)] == [1, 0]
    os.utime(clip, (1, 1))
    settle()
    assert starts(clip) == 1, "its times changed"
    other = make_clip("b.mp4", rate="10")
    settle()
    other.replace(clip)
    assert probe(clip).frame_rate == 10
    fresh = make_clip("c.mp4")
    os.utime(fresh)
    assert [starts(fresh), starts(fresh)] == [1, 1], (
        "it may still be written to, in the same tick of the clock"
    )


def test_what_was_refused_is_asked_again(make_clip: MakeClip, tmp_path: Path) -> None:
    clip = make_clip("a.mp4")
    whole, clip_again = clip.read_bytes(), tmp_path / "again.mp4"
    clip_again.write_bytes(whole[:600])
    settle()
    for _ in range(2):
        with pytest.raises(InputError):
            probe(clip_again)
    clip_again.write_bytes(whole)
    assert probe(clip_again).width == 64


def test_turned_pictures_are_told_upright(make_clip: MakeClip, tmp_path: Path, encode: Encode) -> None:

    flat = make_clip("flat.mp4", "-vf", "setsar=4/3")
    turned = tmp_path / "turned.mp4"
    encode("-display_rotation", "90", "-i", str(flat), "-c", "copy", str(turned))
    info = probe(turned)
    assert (info.width, info.height, info.rotation_degrees) == (48, 64, 270)
    assert info.sample_aspect_ratio == Fraction(3, 4)


def test_depth_alpha_and_colour_are_told(make_clip: MakeClip) -> None:
    tags = "setparams=range=tv:colorspace=bt709:color_primaries=bt709:color_trc=bt709"
    deep = probe(make_clip("deep.mkv", "-vf", f"format=yuv420p10le,{tags}", "-c:v", "ffv1", seconds=0.2))
    assert (deep.bit_depth, deep.color_range, deep.color_matrix) == (10, "tv", "bt709")
    assert (deep.color_primaries, deep.color_transfer) == ("bt709", "bt709")
    assert probe(make_clip("a.mov", "-vf", "format=yuva444p10le", "-c:v", "prores_ks", seconds=0.2)).has_alpha
    assert probe(make_clip("a.webm", "-vf", "format=yuva420p", "-c:v", "libvpx-vp9", seconds=0.2)).has_alpha


def test_a_name_cannot_pass_for_a_description(make_clip: MakeClip) -> None:
    path = make_clip("a.mkv", seconds=0.2)
    spoof = path.rename(path.with_name("x\n  Stream #0:7: Audio: aac.mkv"))
    assert probe(spoof).audio_codecs == ()


def test_sound_alone_and_a_file_cut_off_are_refused_with_their_cause(
    make_clip: MakeClip, tmp_path: Path, encode: Encode
) -> None:

    encode("-f", "lavfi", "-i", "sine=duration=0.2", str(tmp_path / "sound.m4a"))
    with pytest.raises(InputError, match="holds sound but no moving pictures"):
        probe(tmp_path / "sound.m4a")
    whole = make_clip("whole.mp4").read_bytes()
    (tmp_path / "cut.mp4").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match="cut off"):
        probe(tmp_path / "cut.mp4")


def test_opening_a_clip_leaves_the_environment_as_it_was(
    make_clip: MakeClip, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    import os

    monkeypatch.setenv("OPENCV_FFMPEG_CAPTURE_OPTIONS", "threads;1")
    before = dict(os.environ)
    probe(make_clip("a.mp4", seconds=0.2))
    assert dict(os.environ) == before
    assert capfd.readouterr() == ("", "")


def test_interlaced_pictures_are_told(make_clip: MakeClip) -> None:
    fields = ("-vf", "setfield=tff", "-flags", "+ilme+ildct", "-c:v", "mpeg2video")
    assert probe(make_clip("i.mkv", *fields)).is_interlaced
    assert not probe(make_clip("p.mkv")).is_interlaced
