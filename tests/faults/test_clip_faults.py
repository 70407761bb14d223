"""Clips as people's cameras, editors and recorders make them: what players show is what is painted, and nothing is lost
without a word."""

from __future__ import annotations

import os
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from clips import make_clip
from fault_list import fault
from media_facts import ask, crop_in_container, decoded_times, encode, packets, told_of
from place import Place

from framestyle.media.ffmpeg import ffmpeg_exe
from framestyle.media.video.probe import probe

UNPAINTED = ("--set", "scales.first_steps=0", "--set", "scales.steps=0", "--set", "video.steps=0")
H264 = ("-c:v", "libx264", "-pix_fmt", "yuv420p")


def _painted(place: Place, source: Path, output: str = "out.mp4") -> str:
    """The source as it is; what was said on the way."""
    place.results.add(output)
    return place.paints(str(source), "-o", output, *UNPAINTED, progress="auto").err


def _copied(place: Place, name: str, *before: str, after: tuple[str, ...] = ()) -> Path:
    flat = make_clip(Path("flat.mp4"), *H264, size="64x48")
    encode(*before, "-i", str(flat), "-c", "copy", *after, str(place.sources / name))
    flat.unlink()
    return place.sources / name


def _grey(path: Path, width: int = 64, height: int = 48) -> np.ndarray:
    """The first picture as ffmpeg shows it."""
    raw = ask("-i", str(path), "-frames:v", "1", "-f", "rawvideo", "-pix_fmt", "rgb24", "-")
    return np.frombuffer(raw, np.uint8).reshape(height, width, 3).mean(axis=2)


def _shows_the_same(source: Path, result: Path, width: int = 64, height: int = 48) -> None:
    one, other = _grey(source, width, height), _grey(result, width, height)
    # Not less: ffmpeg turns the source for this look before chroma is enlarged, half a pixel off; ours is in its place.
    assert np.abs(one - other).mean() < 7 < 20 < np.abs(one - other[::-1, ::-1]).mean()
    assert not probe(result).is_transformed and not probe(result).is_cropped


@fault("a clip's name is no UTF-8", 0, "a name as any other; it ends no decoder")
def test_a_name_that_is_no_text(place: Place) -> None:
    source = make_clip(place.sources / "in.mp4").rename(place.sources / os.fsdecode(b"caf\xe9.mp4"))
    _painted(place, source)
    assert len(decoded_times(Path("out.mp4"))[1]) == 8


@pytest.mark.skipif(os.name != "posix", reason="a shell script stands for ffmpeg")
@fault(
    "a decoder crashes on one of several", 4, "that one has failed, with the signal; the others are painted"
)
def test_a_decoder_that_crashes(place: Place) -> None:
    make_clip(place.sources / "bad.mp4")
    make_clip(place.sources / "good.mp4")
    real, stand_in = ffmpeg_exe(), place.folder.parent / "ffmpeg"
    stand_in.write_text(f'#!/bin/sh\ncase "$*" in *bad.mp4*) kill -SEGV $$;; esac\nexec "{real}" "$@"\n')
    stand_in.chmod(0o755)
    place.monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", str(stand_in))
    place.results |= {"out/", "out/good.mp4", "out/.framestyle.json"}
    told = place.call(*place.stylize(("sources", "-o", "out", *UNPAINTED), "auto"))
    assert told.code == 4
    assert "sources/bad.mp4: cannot be decoded: ffmpeg was stopped by signal 11" in told.err


@pytest.mark.parametrize("name", ["in.mp4", "in.mov", "in.mkv"])
@fault("mirrored", 0, "as players show it, and stored so")
def test_mirrored(place: Place, name: str) -> None:
    source = _copied(place, name, "-display_hflip")
    _painted(place, source)
    _shows_the_same(source, Path("out.mp4"))


@pytest.mark.parametrize("flip", ["-display_hflip", "-display_vflip"])
@fault("mirrored and turned", 0, "as players show it, and stored so")
def test_mirrored_and_turned(place: Place, flip: str) -> None:
    source = _copied(place, "in.mov", "-display_rotation", "90", flip)
    _painted(place, source)
    _shows_the_same(source, Path("out.mp4"), 48, 64)


@fault("turned by an odd angle", 0, "turned within its frame, as ffmpeg does, and it says so")
def test_an_odd_angle(place: Place) -> None:
    source = _copied(place, "in.mp4", "-display_rotation", "30")
    assert "is shown turned by 330°: within its frame" in _painted(place, source)
    _shows_the_same(source, Path("out.mp4"))


@pytest.mark.parametrize("name", ["in.mov", "in.mkv", "deep.mov"])
@fault("cropped by its container", 0, "what players show is painted, and its pixels' aspect is right")
def test_cropped(place: Place, name: str) -> None:
    coder = ("-c:v", "prores_ks") if name == "deep.mov" else H264
    whole = make_clip(place.sources / "whole.mov", *coder, size="64x48")
    crop_in_container(whole)
    source = place.sources / name
    encode("-i", str(whole), "-c", "copy", str(source)) if name == "in.mkv" else whole.rename(source)
    _painted(place, source)
    info = probe(Path("out.mp4"))
    assert (info.width, info.height, info.sample_aspect_ratio, info.is_cropped) == (48, 32, 1, False)
    assert np.abs(_grey(source, 48, 32) - _grey(Path("out.mp4"), 48, 32)).mean() < 6


@pytest.mark.parametrize("name", ["in.mp4", "in.mkv"])
@fault("interlaced", 0, "both fields are in each picture, and it says so")
def test_interlaced(place: Place, name: str) -> None:
    fields = ("-vf", "setfield=tff", "-flags", "+ilme+ildct")
    source = make_clip(place.sources / name, *fields, *H264, size="64x48")
    assert "is interlaced" in _painted(place, source)
    _shows_the_same(source, Path("out.mp4"))


@pytest.mark.parametrize("output", ["out.mkv", "out.mp4"])
@fault("subtitles that are not the default", 0, "they are not switched on in the result; forced ones stay so")
def test_subtitles_that_are_off(place: Place, output: str) -> None:
    (place.sources / "w.srt").write_text("1\n00:00:00,040 --> 00:00:00,200\nHo\n")
    words, source = ("-i", str(place.sources / "w.srt")), place.sources / "in.mkv"
    marks = ("-disposition:s:0", "0", "-disposition:s:1", "forced", "-c:s", "srt")
    picture = ("-f", "lavfi", "-i", "testsrc2=s=32x24:r=25:d=0.3")
    encode(*picture, *words, *words, "-map", "0", "-map", "1", "-map", "2", *marks, str(source))
    _painted(place, source, output)
    lines = [line for line in told_of(Path(output)).splitlines() if "Subtitle:" in line]
    assert ["(default)" in line for line in lines] == [False, False]
    assert ["(forced)" in line for line in lines] == [False, True]


def _whole_for_all_that(place: Place, source: Path, frames: int) -> None:
    assert "frames are missing" not in _painted(place, source)
    assert len(decoded_times(Path("out.mp4"))[1]) == frames
    told = place.call("verify", str(source))
    assert told.code == 0 and "damage" not in told.out


@pytest.mark.parametrize("name", ["in.mp4", "in.mov"])
@fault("an edit list", 0, "what it hides is not painted, and nothing is called missing")
def test_an_edit_list(place: Place, name: str) -> None:
    long = make_clip(Path("long.mp4"), *H264, "-g", "50", frames=40)
    encode("-ss", "0.4", "-i", str(long), "-t", "0.8", "-c", "copy", str(place.sources / name))
    long.unlink()
    _whole_for_all_that(place, place.sources / name, len(decoded_times(place.sources / name)[1]))


@fault("fragmented MP4", 0, "whole: its head counts no frames")
def test_fragments(place: Place) -> None:
    options = (*H264, "-movflags", "frag_keyframe+empty_moov", "-c:a", "aac")
    _whole_for_all_that(place, make_clip(place.sources / "in.mp4", *options, sound=True), 8)


@pytest.mark.parametrize("name", ["in.flv", "in.mkv"])
@fault("sound that outlasts the pictures", 0, "nothing is called missing")
def test_long_sound(place: Place, name: str) -> None:
    tone = ("-f", "lavfi", "-i", "sine=d=1.5:sample_rate=44100", "-fflags", "+bitexact")
    encode("-f", "lavfi", "-i", "testsrc2=s=32x24:r=25:d=0.32", *tone, str(place.sources / name))
    _whole_for_all_that(place, place.sources / name, 8)


@pytest.mark.parametrize("output", ["out.mp4", "out.mkv"])
@fault("a held last frame", 0, "it is held as long in the result")
def test_a_held_last_frame(place: Place, output: str) -> None:
    hold = "setts=pts=PTS:dts=DTS:duration=if(eq(NEXT_DTS\\,NOPTS)\\,2/TB\\,DURATION)"
    source = make_clip(place.sources / "in.mkv", *H264, "-bf", "0", "-bsf:v", hold)
    assert "missing" not in _painted(place, source, output)
    _, shown, lengths = packets(Path(output))
    end = max(at + length for at, length in zip(shown, lengths, strict=True))
    assert len(shown) == 8 and abs(end - Fraction(228, 100)) < Fraction(1, 500)


@fault("a clock that starts again", 0, "each frame is shown when its source's was")
def test_a_clock_that_starts_again(place: Place) -> None:
    """OpenCV's, of H.264 in Matroska whose first frames are seconds apart."""
    slides = ("-vf", "setpts=N*10/TB", "-fps_mode", "passthrough", *H264, "-preset", "ultrafast")
    source = make_clip(place.sources / "in.mkv", *slides)
    assert "missing" not in _painted(place, source)
    assert decoded_times(Path("out.mp4"))[1] == [Fraction(10 * n) for n in range(8)]


@pytest.mark.parametrize("output", ["out.mp4", "out.mov"])
@fault(
    "a timecode above 255 frames a second",
    0,
    "left out where there is no place for it, and it says so at once",
)
def test_a_fast_timecode(place: Place, output: str) -> None:
    source = place.sources / "in.mkv"
    fast = ("-f", "lavfi", "-i", "testsrc2=s=32x24:r=300,trim=end_frame=8")
    encode(*fast, "-timecode", "01:00:00:00", *H264, str(source))
    said = _painted(place, source, output)
    assert "The timecode 01:00:00:00 was dropped: MP4 and MOV hold none above 255" in said
    assert probe(Path(output)).timecode is None and len(decoded_times(Path(output))[1]) == 8


@fault("a drop-frame timecode at another rate", 0, "left out of MP4, and it says so; MKV keeps it")
def test_a_drop_frame_timecode(place: Place) -> None:
    source = make_clip(place.sources / "in.mkv", "-metadata", "timecode=01:00:00;00")
    assert "01:00:00;00 was dropped" in _painted(place, source)
    assert "dropped" not in _painted(place, source, "out.mkv")
    assert probe(Path("out.mkv")).timecode == "01:00:00;00"


@pytest.mark.parametrize("output", ["out.mov", "out.mp4"])
@fault("a phone's place, make and local date", 0, "they come along, in the phone's own form")
def test_a_phones_metadata(place: Place, output: str) -> None:
    keys = {
        "make": "Apple",
        "location.ISO6709": "+35.0-120.0+10/",
        "creationdate": "2024-05-05T12:11:12+0200",
    }
    told = [
        part for key, value in keys.items() for part in ("-metadata", f"com.apple.quicktime.{key}={value}")
    ]
    source = make_clip(place.sources / "in.mov", *told, "-movflags", "use_metadata_tags")
    _painted(place, source, output)
    found = dict(probe(Path(output)).metadata)
    assert {key: found.get(f"com.apple.quicktime.{key}") for key in keys} == keys
    assert found["comment"].startswith("framestyle ")


@fault("metadata without a place in the container", 0, "left out, and it says which")
def test_metadata_without_a_place(place: Place) -> None:
    source = make_clip(place.sources / "in.mkv", "-metadata", "director=Ada", "-metadata", "title=Sea")
    assert "Metadata that MP4 has no place for was dropped: director." in _painted(place, source)
    assert dict(probe(Path("out.mp4")).metadata)["title"] == "Sea"
