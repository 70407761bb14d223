"""Clips as they come: the right result, or one sentence on why there is none."""

from __future__ import annotations

import struct
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import pytest
from clips import make_clip
from fault_list import fault
from media_facts import decoded_times, encode, pictures_as_subtitles
from place import Place

from framestyle.media.video.opencv import end_waiting
from framestyle.media.video.probe import probe
from framestyle.media.video.reader import VideoReader

Codec = tuple[str, ...]


def _order(source: Path, output: str = "out.mp4") -> tuple[str, ...]:
    return str(source), "-o", output


def _frames(path: str) -> int:
    """As many as can be decoded."""
    with VideoReader(Path(path)) as reader:
        count = len(list(reader))
    end_waiting()  # the test's own decoder
    return count


def _painted(place: Place, source: Path, output: str = "out.mp4", *more: str) -> str:
    """What was said on the way."""
    place.results.add(output)
    return place.paints(*_order(source, output), *more, progress="auto").err


@fault("zero bytes", 5, "it says that the file is empty")
def test_zero_bytes(place: Place) -> None:
    (place.sources / "in.mp4").touch()
    place.refuses(*_order(place.sources / "in.mp4"), words=("sources/in.mp4 is empty",))


@fault("no moov", 5, "it says that the recording or the copy was cut off")
def test_no_moov(place: Place) -> None:
    source = make_clip(place.sources / "in.mp4")
    data = source.read_bytes()
    source.write_bytes(data[: data.rindex(b"moov") - 4])
    place.refuses(*_order(source), words=("sources/in.mp4 has no index", "cut off"))


@pytest.mark.parametrize("name", ["in.mp4", "in.mkv", "in.ts"])
@fault("truncated tail", 0, "what is there is painted, and it says how many frames are missing")
def test_truncated_tail(place: Place, name: str) -> None:
    whole = make_clip(place.sources / name, "-g", "5", "-bf", "0", "-movflags", "+faststart", frames=50)
    data = whole.read_bytes()
    whole.write_bytes(data[: len(data) * 6 // 10])
    there = _frames(str(whole))
    said = _painted(place, whole)
    assert 5 < there < 45 and _frames("out.mp4") == there
    if name != "in.ts":  # which says nowhere how long it is
        assert f"in.{name[3:]} ends early: {50 - there} frames are missing" in said


@pytest.mark.parametrize("codec", ["libx264", "mjpeg", "ffv1"])
@fault(
    "corrupt middle",
    0,
    "what the decoder gives of it is painted, each frame at its time; missing ones are told",
)
def test_corrupt_middle(place: Place, codec: str) -> None:
    name = "in.mkv" if codec == "ffv1" else "in.mp4"
    source = make_clip(place.sources / name, "-c:v", codec, "-g", "5", "-bf", "0", frames=20, size="64x48")
    data = bytearray(source.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 100] = b"\xa5" * 100
    source.write_bytes(data)
    there = _frames(str(source))
    said = _painted(place, source)
    assert 15 < there <= 20 and _frames("out.mp4") == there
    assert ("frames are missing" in said) == (there < 19), (there, said)


@pytest.mark.parametrize("name", ["in.avi", "in.mkv", "in.mp4"])
@fault("lying frame count", 0, "the frames are counted; what was promised and did not come is told")
def test_lying_frame_count(place: Place, name: str) -> None:
    source = make_clip(place.sources / name, "-c:v", "mjpeg" if name == "in.avi" else "libx264")
    data = bytearray(source.read_bytes())
    if name == "in.avi":
        for place_of, at in ((b"avih", 8 + 16), (b"strh", 8 + 32)):
            start = data.index(place_of) + at
            data[start : start + 4] = struct.pack("<I", 1000)
    elif name == "in.mkv":  # the length of all, of which the count is guessed
        start = data.index(b"\x44\x89\x88") + 3
        data[start : start + 8] = struct.pack(">d", 40_000.0)
    else:  # each frame of the table, and 992 more than there are
        start = data.index(b"stts") + 12
        data[start : start + 4] = struct.pack(">I", 1000)
    source.write_bytes(data)
    said = _painted(place, source)
    assert _frames("out.mp4") == 8
    assert ("992 frames are missing" in said) == (name != "in.mkv"), (
        said
    )  # whose streams tell their own lengths


@fault("variable rate", 0, "each frame is shown when its source's was")
def test_variable_rate(place: Place) -> None:
    source = make_clip(
        place.sources / "in.mp4", "-vf", "select='not(eq(mod(n,3),1))'", "-fps_mode", "vfr", frames=12
    )
    _painted(place, source)
    (_, wanted), (_, shown) = decoded_times(source), decoded_times(Path("out.mp4"))
    assert shown == wanted and len({b - a for a, b in pairwise(shown)}) == 2


@pytest.mark.parametrize("turn", [90, 180, -90])
@fault("rotation", 0, "upright, once")
def test_rotation(place: Place, turn: int) -> None:
    flat = make_clip(place.sources / "flat.mp4")
    source = place.sources / "in.mp4"
    encode("-display_rotation", str(turn), "-i", str(flat), "-c", "copy", str(source))
    _painted(place, source)
    info = probe(Path("out.mp4"))
    assert (info.width, info.height) == ((32, 24) if turn == 180 else (24, 32)) and info.rotation_degrees == 0


@fault("SAR ≠ 1", 0, "the pixels' aspect is the source's")
def test_pixel_aspect(place: Place) -> None:
    source = make_clip(place.sources / "in.mp4", "-vf", "setsar=64/45")
    _painted(place, source)
    info = probe(Path("out.mp4"))
    assert (info.width, info.height, info.sample_aspect_ratio) == (32, 24, Fraction(64, 45))


@fault("321×241", 0, "not a pixel more or less")
def test_odd_size(place: Place) -> None:
    source = make_clip(place.sources / "in.mkv", "-c:v", "ffv1", "-vf", "scale=321:241", frames=2)
    _painted(place, source, "out.mp4", "--set", "scales.first_steps=1", "--set", "scales.min_px=320")
    info = probe(Path("out.mp4"))
    assert (info.width, info.height) == (321, 241)


@pytest.mark.parametrize(
    ("transfer", "kind"), [("bt709", None), ("smpte2084", "PQ"), ("arib-std-b67", "HLG")]
)
@fault("10-bit and HDR", 0, "10 bits stay 10; HDR stays HDR, and it says so")
def test_ten_bits_and_hdr(place: Place, transfer: str, kind: str | None) -> None:
    space, primaries = ("bt709", "bt709") if kind is None else ("bt2020nc", "bt2020")
    tags = f"setparams=range=tv:colorspace={space}:color_primaries={primaries}:color_trc={transfer}"
    source = make_clip(
        place.sources / "in.mkv", "-vf", f"format=yuv420p10le,{tags}", "-c:v", "ffv1", frames=3, size="64x48"
    )
    said = _painted(place, source, "out.mkv", "--set", "output.video_codec=h265")
    info = probe(Path("out.mkv"))
    assert (info.bit_depth, info.color_transfer, info.colors.hdr) == (10, transfer, kind)
    assert kind is None or f"is HDR ({kind}), and stays so" in said


@fault("audio only", 5, "it says that there are no moving pictures")
def test_audio_only(place: Place) -> None:
    encode("-f", "lavfi", "-i", "sine=duration=0.2", str(place.sources / "in.mp4"))
    place.refuses(*_order(place.sources / "in.mp4"), words=("holds sound but no moving pictures",))


@fault("one frame", 0, "a clip of one frame")
def test_one_frame(place: Place) -> None:
    source = make_clip(place.sources / "in.mp4", frames=1)
    _painted(place, source)
    assert _frames("out.mp4") == 1


@pytest.mark.parametrize("depth", ["yuv420p", "yuv420p10le"])
@fault("size change mid-stream", 0, "every frame has the first one's size, as players show it")
def test_size_change_mid_stream(place: Place, depth: str) -> None:
    """By either decoder: OpenCV's and ffmpeg's."""
    parts = []
    for number, size in enumerate(("64x48", "96x64")):
        later = ("-output_ts_offset", str(number * 8 / 25), "-bf", "0")
        part = make_clip(Path(f"{number}.ts"), "-pix_fmt", depth, "-c:v", "libx264", *later, size=size)
        parts.append(part.read_bytes())
        part.unlink()
    source = place.sources / "in.ts"
    source.write_bytes(b"".join(parts))
    _painted(place, source, "out.mp4", "--set", "scales.first_steps=0", "--set", "video.steps=0")
    with VideoReader(source) as reader, VideoReader(Path("out.mp4")) as result:
        pairs = [(one.pixels / 1.0, other.pixels / 1.0) for one, other in zip(reader, result, strict=True)]
    end_waiting()
    assert len(pairs) == 16 and {other.shape for _, other in pairs} == {(48, 64, 3)}


@fault("bitmap subtitles into MP4", 0, "they are left out, and it says so; MKV keeps them")
def test_bitmap_subtitles(place: Place) -> None:
    pictures_as_subtitles(place.sources / "w.sup")
    source, subtitles = place.sources / "in.mkv", str(place.sources / "w.sup")
    picture = ("-f", "lavfi", "-i", "testsrc2=size=32x24:rate=5:duration=3")
    encode(*picture, "-i", subtitles, "-map", "0", "-map", "1", "-c:s", "copy", str(source))
    said = _painted(place, source)
    assert "Subtitles 1 (hdmv_pgs_subtitle) were dropped" in said and "MKV" in said
    assert probe(Path("out.mp4")).subtitle_codecs == ()
    assert "dropped" not in _painted(place, source, "out.mkv")
    assert probe(Path("out.mkv")).subtitle_codecs == ("hdmv_pgs_subtitle",)


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
@fault("24 h of timestamps", 0, "each frame at its time, to the tick")
def test_a_day_of_timestamps(place: Place, suffix: str) -> None:
    """In 90000ths of a second they need more than 32 bits."""
    source = place.sources / f"in{suffix}"
    hourly = (
        "-vf",
        "settb=1/90000,setpts=N*3600*90000",
        "-fps_mode",
        "passthrough",
        "-enc_time_base",
        "1/90000",
    )
    make_clip(source, *hourly, "-video_track_timescale", "90000", "-bf", "0", frames=25)
    _painted(place, source, f"out{suffix}")
    (_, wanted), (_, shown) = decoded_times(source), decoded_times(Path(f"out{suffix}"))
    assert shown == wanted and wanted[-1] == 24 * 3600
