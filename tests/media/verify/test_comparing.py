"""A result that is as its source asks for is called so; whatever is not is found, and what was announced is a note."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from media_facts import encode, pictures_as_subtitles
from PIL import Image
from rewriting import rewrite

from framestyle.errors import InputError
from framestyle.kinds import WHOLE_CLIP, TimeRange
from framestyle.media.verify.checking import verify
from framestyle.media.verify.comparing import verify_against
from framestyle.media.verify.verdict import DIFFERENCE, NOTE, Problem
from framestyle.media.video.colors import SDR, Colors

PICTURE = ("-f", "lavfi", "-i", "testsrc2=s=64x48:r=30000/1001:d=2")
WORDS = "1\n00:00:00,200 --> 00:00:00,900\nBefore\n\n2\n00:00:01,300 --> 00:00:01,700\nAfter\n"
CHAPTERS = (
    ";FFMETADATA1\ntitle=Ferien\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=800\ntitle=A\n"
    "[CHAPTER]\nTIMEBASE=1/1000\nSTART=800\nEND=2000\ntitle=B\n"
)
HALF, END = Fraction(1, 2), Fraction(8, 5)


@pytest.fixture(scope="session")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with s.mkv, s.mp4 and s.ts: two sounds, and, but for the last, subtitles, chapters and a title."""
    folder = tmp_path_factory.mktemp("sources")
    (folder / "w.srt").write_text(WORDS)
    (folder / "m.txt").write_text(CHAPTERS)
    sounds = [part for pitch in (300, 700) for part in ("-f", "lavfi", "-i", f"sine=frequency={pitch}:d=2")]
    words = ("-i", str(folder / "w.srt"), "-i", str(folder / "m.txt"), "-map_metadata", "4", "-map", "3")
    named = (
        "-metadata:s:a:0",
        "language=ger",
        "-metadata:s:a:1",
        "title=Talk",
        "-metadata:s:s:0",
        "language=fre",
    )
    maps = ("-map", "0", "-map", "1", "-map", "2")
    encode(*PICTURE, *sounds, *words, *maps, *named, "-c:a", "flac", "-c:s", "srt", str(folder / "s.mkv"))
    encode(*PICTURE, *sounds, *words, *maps, *named, "-c:a", "aac", "-c:s", "mov_text", str(folder / "s.mp4"))
    encode(*PICTURE, *sounds, *maps, "-c:a", "aac", str(folder / "s.ts"))
    return folder


def differences(path: Path, source: Path, part: TimeRange | None = None) -> list[Problem]:
    report = verify_against(path, source, part or WHOLE_CLIP)
    assert report.verdict != "damaged", report.problems
    return [problem for problem in report.problems if problem.kind == DIFFERENCE]


def notes(path: Path, source: Path, part: TimeRange | None = None) -> str:
    return "\n".join(
        one.text for one in verify_against(path, source, part or WHOLE_CLIP).problems if one.kind == NOTE
    )


def only(found: list[Problem], *words: str) -> Problem:
    (problem,) = found
    assert all(word in problem.text for word in words), problem
    return problem


@pytest.mark.parametrize("part", [(None, None), (HALF, END)])
@pytest.mark.parametrize("source", ["s.mkv", "s.mp4", "s.ts"])
@pytest.mark.parametrize(
    ("codec", "name"), [("h264", "o.mp4"), ("ffv1", "o.mkv"), ("prores", "o.mov"), ("vp9", "o.webm")]
)
def test_what_comes_out_of_the_writer_is_as_its_source_asks_for(
    sources: Path, tmp_path: Path, source: str, codec: str, name: str, part: tuple[Any, Any]
) -> None:
    rewrite(sources / source, tmp_path / name, codec, *part)
    assert differences(tmp_path / name, sources / source, TimeRange(*part)) == []


@pytest.mark.parametrize("part", [(None, END), (HALF, None)])
def test_a_part_may_be_open_at_one_end(sources: Path, tmp_path: Path, part: tuple[Any, Any]) -> None:
    rewrite(sources / "s.mp4", tmp_path / "o.mp4", "h264", *part)
    assert differences(tmp_path / "o.mp4", sources / "s.mp4", TimeRange(*part)) == []
    assert differences(tmp_path / "o.mp4", sources / "s.mp4") != []


@pytest.mark.parametrize(("codec", "name"), [("gif", "o.gif"), ("webp", "o.webp")])
def test_what_is_announced_is_a_note(sources: Path, tmp_path: Path, codec: str, name: str) -> None:
    rewrite(sources / "s.mkv", tmp_path / name, codec)
    assert differences(tmp_path / name, sources / "s.mkv") == []
    assert "holds no sound: it was dropped" in notes(tmp_path / name, sources / "s.mkv")


def test_sound_that_was_converted_is_a_note(sources: Path, tmp_path: Path) -> None:
    rewrite(sources / "s.mkv", tmp_path / "o.webm", "vp9")
    assert "converted from flac to Opus" in notes(tmp_path / "o.webm", sources / "s.mkv")


def test_a_frame_that_was_left_out_is_found_at_its_place(sources: Path, tmp_path: Path) -> None:
    rewrite(sources / "s.mkv", tmp_path / "o.mkv", drop=20)
    counted, *shifted = differences(tmp_path / "o.mkv", sources / "s.mkv")
    assert counted.text == "59 frames, the source has 60"
    assert shifted[0].frame == 20 and "s later than in the source" in shifted[0].text


def test_another_rate_is_found(sources: Path, tmp_path: Path) -> None:
    rewrite(sources / "s.mkv", tmp_path / "o.mp4", time_base=Fraction(1, 90_000))
    assert differences(tmp_path / "o.mp4", sources / "s.mkv") == []
    slower = ("-itsscale", "1.05", "-i", str(tmp_path / "o.mp4"), "-i", str(tmp_path / "o.mp4"))
    encode(*slower, "-map", "0:v", "-map", "1:a", "-c", "copy", str(tmp_path / "b.mkv"))
    found = differences(tmp_path / "b.mkv", sources / "s.mkv")
    assert "later than in the source" in found[0].text and found[0].frame in (1, 2)


def test_sound_that_is_missing_or_another_is_found(sources: Path, tmp_path: Path) -> None:
    silent = tmp_path / "silent.mkv"
    rewrite(sources / "s.mkv", tmp_path / "o.mkv")
    encode("-i", str(tmp_path / "o.mkv"), "-map", "0", "-map", "-0:a:1", "-c", "copy", str(silent))
    only(differences(silent, sources / "s.mkv"), "sound 2 (flac) of the source is missing")
    other = tmp_path / "other.mkv"
    tone = ("-f", "lavfi", "-i", "sine=frequency=90:d=2")
    maps = ("-map", "0:v", "-map", "1:a", "-map", "0:a:1", "-map", "0:s", "-map_metadata:s:a:0", "0:s:a:0")
    encode("-i", str(tmp_path / "o.mkv"), *tone, *maps, "-c", "copy", "-c:a:0", "flac", str(other))
    assert "sound 1 (flac) is not what the source holds" in differences(other, sources / "s.mkv")[0].text


@pytest.mark.parametrize("name", ["o.mp4", "o.mkv"])
@pytest.mark.parametrize("later", ["0.2", "-0.2"])
def test_sound_that_is_out_of_step_is_found(sources: Path, tmp_path: Path, name: str, later: str) -> None:
    rewrite(sources / "s.mp4", tmp_path / name)
    shifted = tmp_path / f"shifted{name}"
    both = ("-i", str(tmp_path / name), "-itsoffset", later, "-i", str(tmp_path / name))
    maps = ("-map", "0:v", "-map", "1:a:0", "-map", "0:a:1", "-map", "0:s", "-map_metadata", "0")
    encode(*both, *maps, "-c", "copy", "-video_track_timescale", "30000", str(shifted))
    found = differences(shifted, sources / "s.mp4")
    assert (
        f"sound 1 (aac) is out of step: 0.200 s {'later' if later == '0.2' else 'earlier'}" in found[0].text
    )
    assert all("out of step" not in one.text for one in found[1:])


def test_sound_that_was_cut_short_is_found(sources: Path, tmp_path: Path) -> None:
    rewrite(sources / "s.mkv", tmp_path / "o.mkv")
    short = tmp_path / "short.mkv"
    both = ("-i", str(tmp_path / "o.mkv"), "-t", "1.2", "-i", str(tmp_path / "o.mkv"))
    maps = ("-map", "0:v", "-map", "1:a:0", "-map", "0:a:1", "-map", "0:s")
    encode(*both, *maps, "-c", "copy", str(short))
    problem = differences(short, sources / "s.mkv")[0]
    assert "sound 1 (flac) lacks" in problem.text and "at its end" in problem.text
    assert problem.at_s is not None and abs(problem.at_s - Fraction(12, 10)) < Fraction(1, 5)


def test_lost_subtitles_chapters_titles_and_languages_are_found(sources: Path, tmp_path: Path) -> None:
    rewrite(sources / "s.mkv", tmp_path / "o.mkv")
    bare = tmp_path / "bare.mkv"
    gone = ("-map", "0:v", "-map", "0:a", "-map_chapters", "-1", "-map_metadata", "-1")
    encode("-i", str(tmp_path / "o.mkv"), *gone, "-c", "copy", str(bare))
    said = "\n".join(one.text for one in differences(bare, sources / "s.mkv"))
    for words in (
        "subtitles 1 (subrip) of the source is missing",
        "its language is not told, the source's ger",
        "its title is not told, the source's Talk",
        "0 chapters, the source has 2",
        "its title is not told, the source's Ferien",
    ):
        assert words in said


def test_wrong_colour_tags_are_found(sources: Path, tmp_path: Path) -> None:
    rewrite(sources / "s.mkv", tmp_path / "o.mp4", colors=Colors("bt2020nc", "bt2020", "bt709"))
    found = [one.text for one in differences(tmp_path / "o.mp4", sources / "s.mkv")]
    assert found == [
        "its colour matrix is bt2020nc, and should be smpte170m",
        "its colour primaries is bt2020, and should be bt709",
    ]


def test_other_shapes_are_found(sources: Path, tmp_path: Path) -> None:
    rewrite(sources / "s.mkv", tmp_path / "o.mp4", sample_aspect_ratio=Fraction(4, 3))
    only(differences(tmp_path / "o.mp4", sources / "s.mkv"), "its pixels are 4/3, the source's 1")
    for size, kind in (("32:24", NOTE), ("33:25", NOTE), ("32:32", DIFFERENCE), ("128:96", DIFFERENCE)):
        scaled = tmp_path / "scaled.mkv"
        tags = "setparams=range=tv:colorspace=smpte170m:color_primaries=bt709:color_trc=bt709"
        copied = ("-map", "0:v", "-map", "0:a", "-c:a", "copy", "-c:v", "ffv1", "-pix_fmt", "yuv420p")
        look = ("-vf", f"scale={size},setsar=1,{tags}")
        encode("-i", str(tmp_path / "o.mp4"), *look, *copied, str(scaled))
        report = verify_against(scaled, sources / "s.mkv")
        assert [
            one.kind for one in report.problems if "x" in one.text and "the source 64x48" in one.text
        ] == [kind]


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
@pytest.mark.parametrize("part", [(None, None), (Fraction(1, 3), Fraction(6, 5))])
def test_a_variable_rate_is_kept_and_held_against(tmp_path: Path, suffix: str, part: tuple[Any, Any]) -> None:
    source, target = tmp_path / f"in{suffix}", tmp_path / "out.mp4"
    uneven = "setpts='(N*3000+mod(N,3)*777+gte(N,20)*45000)/90000/TB'"
    times = ("-vf", uneven, "-fps_mode", "passthrough", "-enc_time_base", "1/90000")
    sound = ("-f", "lavfi", "-i", "sine=d=2", "-c:a", "aac")
    picture = ("-f", "lavfi", "-i", "testsrc2=s=32x24:r=30,trim=end_frame=40")
    scale = ("-video_track_timescale", "90000") if suffix == ".mp4" else ()
    encode(*picture, *sound[:4], *times, *scale, *sound[4:], str(source))
    rewrite(source, target, "h264", *part)
    assert differences(target, source, TimeRange(*part)) == []
    constant = tmp_path / "constant.mp4"
    rewrite(source, constant, "h264", *part, at_rate=True)
    with_rate = differences(constant, source, TimeRange(*part))
    assert with_rate and all("than in the source" in one.text or "further" in one.text for one in with_rate)


def test_pictures_that_begin_after_the_sound_do_so_still(tmp_path: Path) -> None:
    source, target = tmp_path / "in.mkv", tmp_path / "out.mp4"
    late = ("-vf", "setpts=PTS+0.52/TB", "-fps_mode", "passthrough")
    encode(*PICTURE, "-f", "lavfi", "-i", "sine=d=3", *late, "-c:a", "aac", str(source))
    rewrite(source, target)
    assert differences(target, source) == []
    at_once = tmp_path / "once.mkv"
    both = ("-itsoffset", "-0.52", "-i", str(source), "-i", str(target))
    encode(*both, "-map", "1:v", "-map", "0:a", "-c", "copy", str(at_once))
    found = differences(at_once, source)
    assert any("out of step" in one.text for one in found)


def test_bitmap_subtitles_dropped_in_mp4_are_a_note(tmp_path: Path) -> None:
    pictures_as_subtitles(tmp_path / "w.sup")
    source = tmp_path / "s.mkv"
    encode(*PICTURE, "-i", str(tmp_path / "w.sup"), "-map", "0", "-map", "1", "-c:s", "copy", str(source))
    for name in ("o.mp4", "o.mkv"):
        rewrite(source, tmp_path / name)
        assert differences(tmp_path / name, source) == []
        assert ("were dropped" in notes(tmp_path / name, source)) == (name == "o.mp4")


def test_fonts_and_covers_are_held_against(tmp_path: Path) -> None:
    Image.new("RGB", (20, 20), "teal").save(tmp_path / "cover.jpg")
    (tmp_path / "a.ttf").write_bytes(b"\0\1\0\0a font")
    font = ("-attach", str(tmp_path / "a.ttf"), "-metadata:s:t:0", "mimetype=font/ttf")
    cover = ("-attach", str(tmp_path / "cover.jpg"), "-metadata:s:t:1", "mimetype=image/jpeg")
    source, target = tmp_path / "s.mkv", tmp_path / "o.mkv"
    encode(*PICTURE, *font, *cover, "-metadata:s:t:1", "filename=cover.jpg", str(source))
    rewrite(source, target)
    assert differences(target, source) == []
    bare = tmp_path / "bare.mkv"
    encode("-i", str(target), "-map", "0:0", "-c", "copy", str(bare))
    assert {one.text for one in differences(bare, source)} >= {"cover picture 1 of the source is missing"}
    assert any("attachment 1" in one.text and "missing" in one.text for one in differences(bare, source))


def test_hdr_keeps_its_tags_and_its_master(tmp_path: Path) -> None:
    source = tmp_path / "s.mkv"
    tags = "setparams=color_primaries=bt2020:color_trc=smpte2084:colorspace=bt2020nc:range=tv"
    master = (
        "master-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,1):max-cll=1000,400"
    )
    options = ("-c:v", "libx265", "-x265-params", f"log-level=error:{master}:hdr10=1")
    encode(*PICTURE, "-vf", f"format=yuv420p10le,{tags}", *options, str(source))
    rewrite(source, tmp_path / "o.mp4", "h265")
    assert differences(tmp_path / "o.mp4", source) == []
    rewrite(source, tmp_path / "bare.mp4", "h265", mastering=None)
    only(differences(tmp_path / "bare.mp4", source), "HDR master")


def test_a_sources_own_damage_is_not_its_results(sources: Path, tmp_path: Path) -> None:
    data = (sources / "s.mkv").read_bytes()
    source = tmp_path / "cut.mkv"
    source.write_bytes(data[: len(data) * 3 // 4])
    rewrite(source, tmp_path / "o.mkv")
    assert differences(tmp_path / "o.mkv", source) == []
    assert "the source itself: " in notes(tmp_path / "o.mkv", source)


def test_sound_that_is_damaged_in_the_source_too_is_a_note(sources: Path, tmp_path: Path) -> None:
    encode("-i", str(sources / "s.mkv"), "-map", "0:a:1", "-c", "copy", str(tmp_path / "one.flac"))
    piece = (tmp_path / "one.flac").read_bytes()[-900:-860]
    data = bytearray((sources / "s.mkv").read_bytes())
    data[data.index(piece) + 20] ^= 0x10
    source, target = tmp_path / "s.mkv", tmp_path / "o.mkv"
    source.write_bytes(data)
    rewrite(source, target)
    assert verify(target).verdict == "damaged"
    assert differences(target, source) == []
    assert "the source has it, too" in notes(target, source)


def test_hdr_that_was_made_sdr_is_a_note(tmp_path: Path) -> None:
    source, target = tmp_path / "s.mkv", tmp_path / "o.mp4"
    tags = "setparams=color_primaries=bt2020:color_trc=arib-std-b67:colorspace=bt2020nc:range=tv"
    look = ("-vf", f"format=yuv420p10le,{tags}", "-c:v", "libx265", "-x265-params", "log-level=error")
    encode(*PICTURE, *look, str(source))
    rewrite(source, target, colors=SDR)
    assert differences(target, source) == []
    assert "HLG was made SDR" in notes(target, source)


# -- photos and sequences ----------------------------------------------------------------------------------


def picture(path: Path, size: tuple[int, int] = (40, 30), **options: Any) -> Path:
    x, y = np.meshgrid(np.arange(size[0]), np.arange(size[1]))
    pixels = np.dstack([x * 6, y * 8, (x * y) % 256]).astype(np.uint8)
    Image.fromarray(pixels).save(path, **options)
    return path


@pytest.mark.parametrize("name", ["a.png", "a.jpg"])
def test_a_damaged_photo_is_found(tmp_path: Path, name: str) -> None:
    path = picture(tmp_path / name)
    assert verify_against(path, path).verdict == "whole"
    data = bytearray(path.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 12] = bytes(12)
    path.write_bytes(data)

    assert verify(path).verdict == "damaged"


def test_a_photo_of_another_shape_or_without_its_exif_differs(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x010E] = "a tower"
    source = picture(tmp_path / "s.jpg", exif=exif)
    only(differences(picture(tmp_path / "bare.jpg"), source), "EXIF is missing")
    only(differences(picture(tmp_path / "tall.jpg", (20, 30), exif=exif), source), "another shape")
    assert differences(picture(tmp_path / "small.jpg", (20, 15), exif=exif), source) == []
    clip = tmp_path / "c.mkv"
    encode(*PICTURE, str(clip))
    only(differences(tmp_path / "small.jpg", clip), "it is a photo, its source a clip")
    with pytest.raises(InputError, match="is a folder"):
        verify_against(tmp_path / "small.jpg", tmp_path)


def test_missing_damaged_and_further_frames_of_a_sequence_are_named(sources: Path, tmp_path: Path) -> None:
    for number in range(60):
        picture(tmp_path / f"f.{number:03d}.png", (64, 48))
    pattern = tmp_path / "f.%03d.png"
    assert differences(pattern, sources / "s.mkv") == []
    (tmp_path / "f.007.png").unlink()
    picture(tmp_path / "f.060.png", (64, 48))
    found = differences(pattern, sources / "s.mkv")
    assert [(one.frame, one.kind) for one in found] == [(7, DIFFERENCE), (60, DIFFERENCE)]
    data = bytearray((tmp_path / "f.009.png").read_bytes())
    data[80] ^= 0xFF
    (tmp_path / "f.009.png").write_bytes(data)
    report = verify_against(pattern, sources / "s.mkv")
    assert report.verdict == "damaged" and report.problems[0].frame == 9


def test_a_clip_of_a_sequence_is_held_against_its_numbers(tmp_path: Path) -> None:
    for number in (3, 4, 5, 8, 9):
        picture(tmp_path / f"f.{number:03d}.png", (64, 48))
    pattern, target = tmp_path / "f.%03d.png", tmp_path / "o.mkv"
    rewrite(pattern, target, "ffv1")
    assert differences(target, pattern) == []
    (tmp_path / "f.008.png").unlink()
    assert "5 frames, the source has 4" in differences(target, pattern)[0].text
