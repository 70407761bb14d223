"""What comes with the pictures: sound, subtitles, chapters, fonts, covers, words; and what cannot come is said."""

from __future__ import annotations

import re
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from media_facts import ask, encode, packets, pictures_as_subtitles, sound_md5, told_of
from PIL import Image
from rewriting import rewrite

from framestyle.kinds import TimeRange
from framestyle.media.verify.comparing import verify_against
from framestyle.media.video.carried import chapters_within
from framestyle.media.video.probe import probe
from framestyle.media.video.timecode import later_timecode
from framestyle.media.video.writer import SourceStreams, VideoSettings, VideoWriter

PICTURE = ("-f", "lavfi", "-i", "testsrc2=s=64x48:r=25:d=3")
WORDS = "1\n00:00:00,200 --> 00:00:00,900\nBefore\n\n2\n00:00:01,500 --> 00:00:02,500\nAfter\n"


def restyle(
    source: Path, target: Path, codec: str = "h264", start: str | None = None, end: str | None = None
) -> list[str]:
    """Grey frames with all that comes from the source: 25 a second, for 3 s or what is left of them."""
    part = SourceStreams(source, TimeRange(start and Fraction(start), end and Fraction(end)))
    info = probe(source)
    options: dict[str, Any] = {
        "frame_rate": Fraction(25),
        "settings": VideoSettings(codec, "draft"),
        "source": part,
    }
    size = {"width": info.width, "height": info.height}
    with VideoWriter(target, **size, **options) as writer:
        for number in range(int((Fraction(end or 3) - Fraction(start or 0)) * 25)):
            writer.write(np.full((info.height, info.width, 3), number, np.uint8))
    return writer.notes


def streams(path: Path, kind: str) -> list[str]:
    """ffmpeg's lines about streams, each with its language, and whether it is default or forced."""
    return [line.strip() for line in told_of(path).splitlines() if re.match(rf"  Stream #0.* {kind}: ", line)]


@pytest.fixture
def words(tmp_path: Path) -> Path:
    (tmp_path / "w.srt").write_text(WORDS)
    return tmp_path / "w.srt"


@pytest.fixture
def two_sounds(tmp_path: Path) -> Path:
    """Commentary in German beside English, which is the default."""
    source = tmp_path / "s.mkv"
    tones = [part for pitch in (300, 600) for part in ("-f", "lavfi", "-i", f"sine=frequency={pitch}:d=3")]
    named = (
        "-metadata:s:a:0",
        "language=eng",
        "-metadata:s:a:1",
        "language=ger",
        "-metadata:s:a:1",
        "title=Kommentar",
    )
    place = ("-disposition:a:0", "default", "-disposition:a:1", "0", "-c:a", "aac")
    encode(*PICTURE, *tones, "-map", "0", "-map", "1", "-map", "2", *named, *place, str(source))
    return source


@pytest.mark.parametrize("name", ["o.mkv", "o.mp4", "o.mov"])
def test_every_sound_comes_unchanged_with_its_language_and_title(
    two_sounds: Path, tmp_path: Path, name: str
) -> None:
    assert restyle(two_sounds, tmp_path / name) == []
    for number in (0, 1):
        assert sound_md5(two_sounds, f"0:a:{number}") == sound_md5(tmp_path / name, f"0:a:{number}")
    english, german = streams(tmp_path / name, "Audio")
    assert "(eng)" in english and "(default)" in english
    assert "(ger)" in german and "(default)" not in german
    # MP4 has titles of its own kind, which ffmpeg reads as a name.
    assert re.search(r" (title|name|handler_name) +: Kommentar", told_of(tmp_path / name))


def test_titles_of_mp4_come_through_mp4(two_sounds: Path, tmp_path: Path) -> None:
    restyle(two_sounds, tmp_path / "one.mp4")
    restyle(tmp_path / "one.mp4", tmp_path / "two.mkv")
    assert re.search(r" title +: Kommentar", told_of(tmp_path / "two.mkv"))


@pytest.mark.parametrize(
    ("codec", "name", "kept"),
    [
        ("h264", "o.mkv", "subrip"),
        ("h264", "o.mp4", "mov_text"),
        ("prores", "o.mov", "mov_text"),
        ("vp9", "o.webm", "webvtt"),
    ],
)
@pytest.mark.parametrize("start", [None, "1"])
def test_subtitles_come_in_the_containers_own_form_at_their_times(
    tmp_path: Path, words: Path, codec: str, name: str, kept: str, start: str | None
) -> None:
    source = tmp_path / "s.mkv"
    encode(
        *PICTURE,
        "-i",
        str(words),
        "-map",
        "0",
        "-map",
        "1",
        "-metadata:s:s:0",
        "language=fre",
        "-c:s",
        "srt",
        str(source),
    )
    assert restyle(source, tmp_path / name, codec, start) == []
    assert probe(tmp_path / name).subtitle_codecs == (kept,)
    assert ("(fra)" if name == "o.mov" else "(fre)") in streams(tmp_path / name, "Subtitle")[0]
    text = ask("-i", str(tmp_path / name), "-map", "0:s", "-f", "srt", "-").decode()
    assert ("Before" in text) == (start is None)
    shown = "00:00:01,500 --> 00:00:02,500" if start is None else "00:00:00,500 --> 00:00:01,500"
    assert f"{shown}\nAfter" in text


def test_bitmap_subtitles_stay_in_matroska_and_are_warned_of_elsewhere(tmp_path: Path) -> None:
    pictures_as_subtitles(tmp_path / "w.sup")
    source = tmp_path / "s.mkv"
    encode(*PICTURE, "-i", str(tmp_path / "w.sup"), "-map", "0", "-map", "1", "-c:s", "copy", str(source))
    assert probe(source).subtitle_codecs == ("hdmv_pgs_subtitle",)
    assert restyle(source, tmp_path / "o.mkv") == []
    assert sound_md5(source, "0:s") == sound_md5(tmp_path / "o.mkv", "0:s")
    for name, codec in (("o.mp4", "h264"), ("o.webm", "vp9"), ("o.mov", "prores")):
        notes = restyle(source, tmp_path / name, codec)
        assert (
            len(notes) == 1
            and "Subtitles 1 (hdmv_pgs_subtitle) were dropped" in notes[0]
            and "MKV" in notes[0]
        )
        assert probe(tmp_path / name).subtitle_codecs == ()


@pytest.fixture
def with_chapters(tmp_path: Path) -> Path:
    told = ";FFMETADATA1\ntitle=Ferien; eins = zwei\nartist=Ada\n"
    for number, (start, end) in enumerate(((0, 800), (800, 2000), (2000, 3000)), 1):
        told += f"[CHAPTER]\nTIMEBASE=1/1000\nSTART={start}\nEND={end}\ntitle=Part {number}\n"
    (tmp_path / "m.txt").write_text(told)
    encode(*PICTURE, "-i", str(tmp_path / "m.txt"), "-map_metadata", "1", str(tmp_path / "s.mkv"))
    return tmp_path / "s.mkv"


def chapters(path: Path) -> list[tuple[str, str, str]]:
    """Start, end, title."""
    found = re.findall(
        r"Chapter #0:\d+: start ([\d.]+), end ([\d.]+)\n +Metadata:\n +title +: (.*)", told_of(path)
    )
    return [(start[:5], end[:5], title) for start, end, title in found]


@pytest.mark.parametrize("name", ["o.mkv", "o.mp4", "o.mov"])
def test_chapters_and_words_come_along(with_chapters: Path, tmp_path: Path, name: str) -> None:
    assert restyle(with_chapters, tmp_path / name) == []
    three = [("0.000", "0.800", "Part 1"), ("0.800", "2.000", "Part 2"), ("2.000", "3.000", "Part 3")]
    assert chapters(tmp_path / name) == three
    assert re.search(r"title +: Ferien; eins = zwei\n", told_of(tmp_path / name))
    assert re.search(r"artist +: Ada\n", told_of(tmp_path / name), re.IGNORECASE)


@pytest.mark.parametrize("name", ["o.mkv", "o.mp4"])
def test_a_part_has_its_own_chapters(with_chapters: Path, tmp_path: Path, name: str) -> None:
    restyle(with_chapters, tmp_path / name, start="1", end="2.4")
    assert chapters(tmp_path / name) == [("0.000", "1.000", "Part 2"), ("1.000", "1.400", "Part 3")]


def test_chapters_that_are_none_stop_nothing() -> None:
    assert chapters_within("", TimeRange()) == ";FFMETADATA1"
    broken = (
        "[CHAPTER]\nTIMEBASE=1/0\nSTART=0\nEND=9\n[CHAPTER]\nEND\n[CHAPTER]\nTIMEBASE=1/1\nSTART=9\nEND=3\n"
    )
    assert chapters_within(broken, TimeRange()) == ";FFMETADATA1"


def test_fonts_stay_in_matroska_and_are_warned_of_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "a.ttf").write_bytes(b"\0\1\0\0a font, as far as anybody here knows")
    source = tmp_path / "s.mkv"
    font = ("-attach", str(tmp_path / "a.ttf"), "-metadata:s:t", "mimetype=font/ttf")
    encode(*PICTURE, *font, str(source))
    assert restyle(source, tmp_path / "o.mkv") == []
    taken = tmp_path / "taken.ttf"
    encode_out = (
        "-dump_attachment:t:0",
        str(taken),
        "-i",
        str(tmp_path / "o.mkv"),
        "-t",
        "0",
        "-f",
        "null",
        "-",
    )
    encode(*encode_out)
    assert taken.read_bytes() == (tmp_path / "a.ttf").read_bytes()
    assert re.search(r"filename +: a.ttf\n +mimetype +: font/ttf", told_of(tmp_path / "o.mkv"))
    notes = restyle(source, tmp_path / "o.mp4")
    assert len(notes) == 1 and "Attachment 1 was dropped" in notes[0]


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_a_cover_is_no_video_and_comes_along(tmp_path: Path, suffix: str) -> None:
    Image.new("RGB", (20, 20), "teal").save(tmp_path / "cover.jpg")
    source = tmp_path / f"s{suffix}"
    if suffix == ".mp4":
        cover = ("-i", str(tmp_path / "cover.jpg"), "-map", "0", "-map", "1", "-c:v:1", "copy")
        encode(*PICTURE, *cover, "-disposition:v:1", "attached_pic", str(source))
    else:
        mime = ("-metadata:s:t", "mimetype=image/jpeg", "-metadata:s:t", "filename=cover.jpg")
        encode(*PICTURE, "-attach", str(tmp_path / "cover.jpg"), *mime, str(source))
    assert (probe(source).width, probe(source).height) == (64, 48)
    for name in ("o.mkv", "o.mp4"):
        assert restyle(source, tmp_path / name) == []
        assert any("attached pic" in line for line in streams(tmp_path / name, "Video"))
        assert len(packets(tmp_path / name)[1]) == 75
    assert "Cover picture 1 was dropped" in restyle(source, tmp_path / "o.webm", "vp9")[0]


def test_gif_and_webp_say_that_they_are_silent(two_sounds: Path, tmp_path: Path) -> None:
    assert restyle(two_sounds, tmp_path / "o.gif", "gif") == ["GIF holds no sound: it was dropped."]
    assert restyle(two_sounds, tmp_path / "o.webp", "webp") == ["WebP holds no sound: it was dropped."]


@pytest.mark.parametrize(
    ("timecode", "frames", "rate", "later"),
    [
        ("01:00:00:00", 30, "25", "01:00:01:05"),
        ("23:59:59:24", 1, "25", "00:00:00:00"),
        ("00:00:59;29", 1, "30000/1001", "00:01:00;02"),
        ("00:09:59;29", 1, "30000/1001", "00:10:00;00"),
        ("00:00:59;59", 1, "60000/1001", "00:01:00;04"),
        ("nonsense", 5, "25", "nonsense"),
    ],
)
def test_timecodes_count_on(timecode: str, frames: int, rate: str, later: str) -> None:
    assert later_timecode(timecode, frames, Fraction(rate)) == later


@pytest.mark.parametrize(("start", "timecode"), [(None, "10:00:00:00"), ("1", "10:00:01:00")])
def test_a_timecode_comes_along_and_counts_from_the_parts_start(
    tmp_path: Path, start: str | None, timecode: str
) -> None:
    source = tmp_path / "s.mov"
    encode(*PICTURE, "-timecode", "10:00:00:00", str(source))
    restyle(source, tmp_path / "o.mov", start=start)
    assert re.search(rf"timecode +: {timecode}", told_of(tmp_path / "o.mov"))


@pytest.mark.parametrize("codec", ["h264", "prores"])
def test_sound_of_many_kinds_is_copied_or_said_to_be_converted(tmp_path: Path, codec: str) -> None:
    for sound in ("pcm_s24le", "flac", "ac3", "libmp3lame", "libopus"):
        source = tmp_path / "s.mkv"
        encode(*PICTURE, "-f", "lavfi", "-i", "sine=d=3:r=48000", "-c:a", sound, str(source))
        name = "o.mp4" if codec == "h264" else "o.mov"
        notes = restyle(source, tmp_path / name, codec)
        same = sound_md5(source) == sound_md5(tmp_path / name)
        assert same == (notes == []), (sound, notes)


def test_a_source_without_sound_or_words_brings_nothing(tmp_path: Path) -> None:
    encode(*PICTURE, str(tmp_path / "s.mp4"))
    assert restyle(tmp_path / "s.mp4", tmp_path / "o.mkv") == []
    assert [len(streams(tmp_path / "o.mkv", kind)) for kind in ("Video", "Audio", "Subtitle")] == [1, 0, 0]


# -- what players are told of streams ----------------------------------------------------------------------


@pytest.fixture
def marked(tmp_path: Path, words: Path) -> Path:
    """Two sounds and three subtitles, of which none is the default."""
    source, tone = tmp_path / "marked.mkv", ("-f", "lavfi", "-i", "sine=d=3")
    inputs = (*PICTURE, *tone, *tone, *(("-i", str(words)) * 3))
    maps = [part for number in range(6) for part in ("-map", str(number))]
    sounds = ("-disposition:a:0", "visual_impaired", "-disposition:a:1", "default+comment")
    texts = ("-disposition:s:0", "0", "-disposition:s:1", "forced", "-disposition:s:2", "hearing_impaired")
    encode(*inputs, *maps, *sounds, *texts, "-c:a", "aac", "-c:s", "srt", str(source))
    return source


def marks(path: Path, kind: str) -> list[set[str]]:
    return [set(re.findall(r"\(([a-z ]{5,})\)", line)) - {"progressive"} for line in streams(path, kind)]


@pytest.mark.parametrize("name", ["o.mkv", "o.mp4"])
def test_streams_are_marked_as_in_the_source(marked: Path, tmp_path: Path, name: str) -> None:
    assert restyle(marked, tmp_path / name) == []
    first, second = marks(tmp_path / name, "Audio")
    assert "visual impaired" in first and "default" not in first
    assert second == {"default", "comment"}
    assert [one - {"captions"} for one in marks(tmp_path / name, "Subtitle")] == [
        set(),
        {"forced"},
        {"hearing impaired"},
    ]


def test_marks_that_mov_has_no_place_for_are_told(marked: Path, tmp_path: Path) -> None:
    notes = restyle(marked, tmp_path / "o.mov")
    assert [note.split(" is marked ")[1].split(":")[0] for note in notes] == [
        "visual impaired",
        "comment",
        "forced",
        "hearing impaired",
    ]
    assert marks(tmp_path / "o.mov", "Subtitle") == [set(), set(), set()]


@pytest.mark.parametrize("name", ["o.mkv", "o.mp4"])
def test_subtitles_that_are_on_stay_on(tmp_path: Path, words: Path, name: str) -> None:
    source = tmp_path / "s.mkv"
    on = ("-disposition:s:0", "0", "-disposition:s:1", "default+forced", "-c:s", "srt")
    encode(
        *PICTURE, "-i", str(words), "-i", str(words), "-map", "0", "-map", "1", "-map", "2", *on, str(source)
    )
    restyle(source, tmp_path / name)
    assert marks(tmp_path / name, "Subtitle") == [set(), {"default", "forced"}]


def test_where_the_source_marks_nothing_its_first_sound_is_the_default(tmp_path: Path) -> None:
    tone = ("-f", "lavfi", "-i", "sine=d=3")
    encode(*PICTURE, *tone, *tone, "-map", "0", "-map", "1", "-map", "2", str(tmp_path / "s.avi"))
    restyle(tmp_path / "s.avi", tmp_path / "o.mkv")
    assert marks(tmp_path / "o.mkv", "Audio") == [{"default"}, set()]


# -- metadata and timecodes --------------------------------------------------------------------------------

PHONE = {
    "com.apple.quicktime.make": "Apple",
    "com.apple.quicktime.model": "iPhone 15",
    "com.apple.quicktime.location.ISO6709": "+35.000-120.000+10.000/",
    "com.apple.quicktime.creationdate": "2024-05-05T12:11:12+0200",
}


@pytest.mark.parametrize("way", [("o.mov",), ("o.mp4",), ("o.mkv", "back.mov"), ("o.mp4", "back.mov")])
def test_a_phones_place_make_and_local_date_come_along(tmp_path: Path, way: tuple[str, ...]) -> None:
    """Through Matroska too, which writes their names in capitals."""
    at = tmp_path / "s.mov"
    keys = [part for key, value in PHONE.items() for part in ("-metadata", f"{key}={value}")]
    encode(*PICTURE, *keys, "-movflags", "use_metadata_tags", str(at))
    for name in way:
        assert restyle(at, tmp_path / name) == []
        at = tmp_path / name
    found = {key: value for key, value in probe(at).metadata if "quicktime" in key.lower()}
    assert {key.lower(): value for key, value in found.items()} == {
        key.lower(): value for key, value in PHONE.items()
    }
    assert at.suffix == ".mkv" or set(found) == set(PHONE)


@pytest.mark.parametrize(
    ("name", "lost"), [("o.mp4", "director, mood"), ("o.mov", "composer, director, mood"), ("o.mkv", None)]
)
def test_metadata_without_a_place_is_told(tmp_path: Path, name: str, lost: str | None) -> None:
    told = ("-metadata", "director=Ada", "-metadata", "mood=blue", "-metadata", "composer=Bob")
    encode(*PICTURE, *told, "-metadata", "title=Sea", str(tmp_path / "s.mkv"))
    notes = restyle(tmp_path / "s.mkv", tmp_path / name)
    assert [note.split("dropped: ")[1] for note in notes] == ([] if lost is None else [f"{lost}."])
    assert re.search(r"title +: Sea", told_of(tmp_path / name))


@pytest.mark.parametrize(
    ("timecode", "rate", "why"),
    [
        ("01:00:00:00", "300", "hold none above 255 frames a second"),
        ("01:00:00;00", "25", "drop frame numbers at multiples of 29.97"),
        ("noon", "25", "it is none"),
        ("01:00:00;00", "60000/1001", None),
        ("01:00:00:00", "240", None),
    ],
)
def test_a_timecode_that_mp4_cannot_hold_is_told_before_the_work(
    tmp_path: Path, timecode: str, rate: str, why: str | None
) -> None:
    source, target = tmp_path / "s.mkv", tmp_path / "o.mp4"
    picture = ("-f", "lavfi", "-i", f"testsrc2=s=64x48:r={rate},trim=end_frame=6")
    encode(*picture, "-metadata", f"timecode={timecode}", str(source))
    notes = rewrite(source, target)
    assert len(notes) == (why is not None) and all(why in note for note in notes if why)
    assert bool(probe(target).timecode) == (why is None)
    assert verify_against(target, source).verdict == "whole"
