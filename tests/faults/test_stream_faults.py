"""What lies in a clip beside its pictures and its words: kept where the container has a place for it, else said."""

from __future__ import annotations

from pathlib import Path

import pytest
from clips import make_clip
from fault_list import fault
from media_facts import encode, told_of
from place import Place
from stream_makers import (
    ALL_AROUND,
    CAPTION,
    ONE_ABOVE_THE_OTHER,
    add_to_pictures,
    dolby_vision,
    hdr10_plus,
    rename_track,
    with_message,
)

from framestyle.media.verify.comparing import verify_against
from framestyle.media.verify.verdict import DIFFERENCE
from framestyle.media.video.beside import Viewing
from framestyle.media.video.choices import channels_in
from framestyle.media.video.probe import probe

UNPAINTED = ("--set", "scales.first_steps=0", "--set", "scales.steps=0", "--set", "video.steps=0")
H264 = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p")
HEVC = ("-c:v", "libx265", "-x265-params", "log-level=error:keyint=1", "-pix_fmt", "yuv420p10le")
PICTURES = ("-f", "lavfi", "-i", "testsrc2=s=64x32:r=25:d=0.24")
LONGER = (*PICTURES[:-1], "testsrc2=s=64x32:r=25:d=0.6")
"""Of a clip of words and six frames, ffmpeg takes the words' beginning for its own."""
WORDS = "1\n00:00:00,040 --> 00:00:00,200\nHo\n"
DRAWN = """\
[Script Info]
ScriptType: v4.00+

[V4+ Styles]
Format: Name, Fontname, Fontsize
Style: Default,Odd Font,16

[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
Dialogue: 0,0:00:00.05,0:00:00.20,Default,,0,0,0,,{\\pos(10,5)}Ho
"""


def _painted(place: Place, source: Path, output: str) -> str:
    """The source as it is; what was said. The result is what the source asks for."""
    place.results.add(output)
    said = place.paints(str(source), "-o", output, *UNPAINTED, progress="auto").err
    problems = verify_against(Path(output), source).problems
    assert not [one for one in problems if one.kind == DIFFERENCE], problems
    return said


@fault(
    "pictures all around, or for two eyes",
    0,
    "said to be so in MP4, MKV and WebM; of MOV and others it is said that they do not",
)
def test_ways_of_looking(place: Place) -> None:
    around, eyes = (
        make_clip(place.sources / "around.mp4", *H264),
        make_clip(place.sources / "eyes.mp4", *H264),
    )
    add_to_pictures(around, ALL_AROUND)
    add_to_pictures(eyes, ONE_ABOVE_THE_OTHER)
    for source, viewing in ((around, Viewing(pose=(30.0, 0.0, 0.0))), (eyes, Viewing(stereo=3))):
        assert probe(source).viewing == viewing
        for suffix in ("mp4", "mkv"):
            _painted(place, source, f"{source.stem}.{suffix}")
            assert probe(Path(f"{source.stem}.{suffix}")).viewing == viewing
    _painted(place, eyes, "eyes.webm")
    said = _painted(place, around, "around.mov")
    assert "does not say that the pictures are all around (360°): MP4, MKV and WebM do" in said
    for name, lost in (
        ("around", "flat, the source's are all around"),
        ("eyes", "flat, the source's are for two"),
    ):
        encode("-i", f"{name}.mp4", "-c", "copy", "flat.mp4")
        found = verify_against(Path("flat.mp4"), place.sources / f"{name}.mp4").problems
        assert any(one.kind == DIFFERENCE and lost in one.text for one in found), found
        Path("flat.mp4").unlink()


@fault(
    "Dolby Vision, HDR10+, captions in the pictures' stream",
    0,
    "the base picture is painted; what is left out is said, by name",
)
def test_what_lies_in_the_pictures_stream(place: Place) -> None:
    plain = make_clip(place.sources / "plain.mp4", *H264)
    dolby = make_clip(place.sources / "dolby.mp4", *HEVC, "-tag:v", "hvc1")
    add_to_pictures(dolby, dolby_vision(8, 4))
    for name, kind, codec, message in (
        ("plus", "hevc", HEVC, hdr10_plus()),
        ("told", "h264", (*H264, "-bf", "0"), CAPTION),
    ):
        encode(*PICTURES, *codec, "-f", kind, "raw")
        raw = with_message(Path("raw").read_bytes(), message, hevc=kind == "hevc")
        encode("-f", kind, "-i", "-", "-c", "copy", str(place.sources / f"{name}.mp4"), data=raw)
        Path("raw").unlink()
    assert "Dolby Vision's metadata" in _painted(place, dolby, "dolby.mkv")
    assert "HDR10+ metadata" in _painted(place, place.sources / "plus.mp4", "plus.mkv")
    assert "captions within the pictures' stream" in _painted(place, place.sources / "told.mp4", "told.mkv")
    assert "Left out" not in _painted(place, plain, "plain.mkv")


@fault("a camera's data beside the pictures", 0, "left out, and it says whose")
def test_camera_data(place: Place) -> None:
    names = {"gpmd": "gpmd: GoPro's telemetry", "mebx": "mebx: Apple's timed metadata", "fdsc": "fdsc"}
    Path("w.srt").write_text(WORDS)
    for tag in names:
        source = place.sources / f"{tag}.mp4"
        encode(*PICTURES, "-i", "w.srt", *H264, "-c:s", "mov_text", str(source))
        rename_track(source, tag.encode(), b"meta")
    Path("w.srt").unlink()
    encode(*PICTURES, *H264, "-timecode", "01:00:00:00", str(place.sources / "time.mov"))
    for tag, named in names.items():
        assert f"data ({named}), was dropped" in _painted(place, place.sources / f"{tag}.mp4", f"{tag}.mp4")
    assert "dropped" not in _painted(place, place.sources / "time.mov", "time.mov")


@fault(
    "subtitles with fonts and places, and of rarer forms",
    0,
    "MKV keeps fonts; elsewhere the words are kept, or it says who holds them",
)
def test_drawn_subtitles(place: Place) -> None:
    Path("w.ass").write_text(DRAWN)
    Path("w.srt").write_text(WORDS)
    encode(*LONGER, "-i", "w.ass", *H264, "-c:s", "ass", str(place.sources / "drawn.mkv"))
    encode(*LONGER, "-i", "w.srt", *H264, "-c:s", "ttml", str(place.sources / "rare.mp4"))
    Path("w.ass").unlink()
    Path("w.srt").unlink()
    drawn, rare = place.sources / "drawn.mkv", place.sources / "rare.mp4"
    assert "Subtitles" not in _painted(place, drawn, "drawn.mkv")
    for suffix in ("mp4", "webm"):
        assert "(ass) keep their words, not their fonts" in _painted(place, drawn, f"drawn.{suffix}")
    assert "Subtitles" not in _painted(place, rare, "rare.mp4")
    assert "Subtitle: ttml" in told_of(Path("rare.mp4"))
    assert "Subtitles 1 (ttml) were dropped: only MP4 holds them" in _painted(place, rare, "rare.mkv")


SOUNDS = {
    "9.1.6": ("mp4", "aac", 8, "mixed from 9.1.6 to 7.1"),
    "4.0": ("webm", "opus", 6, "mixed from 4.0 to 5.1"),
    "5.1(side)": ("webm", "opus", 6, ""),
    "quad": ("mp4", "aac", 4, ""),
}


@pytest.mark.parametrize("layout", SOUNDS)
@fault(
    "sound of more channels than its codec has places for",
    0,
    "mixed to those that it has, and it says so; not refused at the end",
)
def test_many_channels(place: Place, layout: str) -> None:
    suffix, codec, channels, words = SOUNDS[layout]
    noise = ("-f", "lavfi", "-i", f"anoisesrc=d=0.24,aformat=channel_layouts={layout}")
    name = place.sources / ("in.mov" if layout == "5.1(side)" else "in.mkv")
    encode(*PICTURES, *noise, *H264, "-c:a", "pcm_s16le", "-ar", "96000", str(name))
    said = _painted(place, name, f"out.{suffix}")
    (sound,) = [one for one in probe(Path(f"out.{suffix}")).streams if one.kind == "audio"]
    assert (sound.codec, channels_in(sound.layout)) == (codec, channels)
    assert words in said and ("mixed" in said) == bool(words)
    assert ("48000 samples a second for 96000" in said) == (codec == "opus")
    if words:
        encode("-i", f"out.{suffix}", "-c:v", "copy", "-ac", "2", f"two.{suffix}")
        found = verify_against(Path(f"two.{suffix}"), name).problems
        assert any(one.text.endswith(f"has 2 channels, and should have {channels}") for one in found), found
        Path(f"two.{suffix}").unlink()


def _changing(place: Place, name: str, *second: str) -> Path:
    """A transport stream that goes on otherwise, as recordings of streams do."""
    first = make_clip(place.sources / "a.ts", *H264)
    later = make_clip(place.sources / "b.ts", *second, "-output_ts_offset", "0.32")
    first.with_name(name).write_bytes(first.read_bytes() + later.read_bytes())
    first.unlink()
    later.unlink()
    return first.with_name(name)


OTHERWISE = {
    "deeper": ("-c:v", "libx264", "-pix_fmt", "yuv420p10le"),
    "in other colours": (
        *H264,
        "-colorspace",
        "bt2020nc",
        "-color_trc",
        "smpte2084",
        "-color_primaries",
        "bt2020",
    ),
    "larger": (*H264, "-s", "64x48"),
}


@pytest.mark.parametrize("second", OTHERWISE)
@fault(
    "depth, colours or size that change on the way",
    0,
    "every frame is as the first one's are, and it says so",
)
def test_changes_on_the_way(place: Place, second: str) -> None:
    source = _changing(place, "in.ts", *OTHERWISE[second])
    place.results.add("out.mp4")
    told = place.paints(str(source), "-o", "out.mp4", *UNPAINTED, progress="auto")
    assert "in.ts changes on the way: its pictures are all read as the first ones are." in told.err
    assert "16 frames" in told.err
