"""Right results, broken in one property after another: `--against` names each, and says nothing of those left alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from media_facts import crop_in_container, encode
from rewriting import rewrite

from framestyle.media.verify.checking import clip_report, open_whole
from framestyle.media.verify.clip import Clip
from framestyle.media.verify.comparing import compared, verify_against
from framestyle.media.verify.verdict import DAMAGE, DIFFERENCE
from framestyle.media.video.dispositions import switch_subtitles_off

PICTURES = ("-f", "lavfi", "-i", "testsrc2=s=64x48:r=25:d=0.48")
TONE = ("-f", "lavfi", "-i", "sine=d=0.48")
WORDS = "1\n00:00:00,040 --> 00:00:00,300\nHo\n"
CHAPTERS = ";FFMETADATA1\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=480\ntitle=A\n"
MARKS = (
    *("-disposition:a:0", "default", "-disposition:a:1", "comment"),
    *("-disposition:s:0", "forced", "-disposition:s:1", "0"),
)
NAMES = (
    *("-metadata", "title=Ferien", "-metadata", "location=+35.0000-120.0000/", "-metadata", "artist=Ada"),
    *("-metadata:s:a:0", "language=ger", "-metadata:s:a:1", "title=Talk", "-metadata:s:s:1", "language=fre"),
)
APPLE = {
    "com.apple.quicktime.make": "Apple",
    "com.apple.quicktime.model": "iPhone 15",
    "com.apple.quicktime.location.ISO6709": "+35.000-120.000+10.000/",
    "com.apple.quicktime.creationdate": "2024-05-05T12:11:12+0200",
}
RESULTS = {"mp4": "h264", "mkv": "h264", "mov": "h264"}
"""Suffixes, and what a result in them is encoded by."""


@dataclass(frozen=True)
class Results:
    """o.mp4, o.mkv and o.mov in a folder, and of each the clip that it was made of, decoded once."""

    folder: Path
    sources: dict[str, Clip]

    def of(self, suffix: str) -> Path:
        return self.folder / f"o.{suffix}"


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    """Of s.mkv, with all that a clip can have beside its pictures, and of s.mov, as phones write them."""
    made = tmp_path_factory.mktemp("results")
    (made / "w.srt").write_text(WORDS)
    (made / "c.txt").write_text(CHAPTERS)
    words = ("-i", str(made / "w.srt"), "-i", str(made / "w.srt"), "-i", str(made / "c.txt"))
    maps = tuple(part for n in range(5) for part in ("-map", str(n)))
    held = (
        "-vf",
        "setsar=4/3,setpts=N/25/TB",
        "-timecode",
        "01:00:00:00",
        *NAMES,
        *MARKS,
        "-map_chapters",
        "5",
    )
    encode(*PICTURES, *TONE, *TONE, *words, *maps, *held, "-c:a", "aac", "-c:s", "srt", str(made / "s.mkv"))
    keys = [part for key, value in APPLE.items() for part in ("-metadata", f"{key}={value}")]
    encode(*PICTURES, *TONE, *keys, "-movflags", "use_metadata_tags", "-c:a", "aac", str(made / "s.mov"))
    for suffix in ("mp4", "mkv"):
        rewrite(made / "s.mkv", made / f"o.{suffix}")
    rewrite(made / "s.mov", made / "o.mov")
    mkv, mov = (open_whole(made / name, strict=False) for name in ("s.mkv", "s.mov"))
    return Results(made, {"mp4": mkv, "mkv": mkv, "mov": mov})


@dataclass(frozen=True)
class Mutation:
    """One property broken while ffmpeg copies a result, by options for its input and its output; what is then said."""

    name: str
    said: str
    after: tuple[str, ...] = ()
    before: tuple[str, ...] = ()
    only: tuple[str, ...] = ("mp4", "mkv")
    """Of results of these suffixes."""
    by_hand: Callable[[Path], None] | None = None


LATER = "setts=pts=PTS+if(gte(PTS*TB\\,0.24)\\,0.2/TB\\,0):dts=DTS"
HELD = "setts=pts=PTS:dts=DTS:duration=if(gte(PTS*TB\\,0.44)+eq(NEXT_DTS\\,NOPTS)\\,1/TB\\,DURATION)"
ANEW = ("-c:v", "libx264", "-vf")
BOTH, ALL, MOV, MP4, MKV = ("mp4", "mkv"), ("mp4", "mkv", "mov"), ("mov",), ("mp4",), ("mkv",)
MUTATIONS = [
    Mutation("mirrored", "turned by 180° or mirrored", before=("-display_hflip",), only=ALL),
    Mutation("upside down", "it is stored mirrored", before=("-display_vflip",), only=ALL),
    Mutation("turned", "turned by 270° or mirrored", before=("-display_rotation", "90"), only=ALL),
    Mutation("turned and mirrored", "or mirrored", before=("-display_rotation", "90", "-display_hflip"), only=ALL),
    Mutation("turned by the codec", "or mirrored", ("-bsf:v", "h264_metadata=display_orientation=insert:rotate=180")),
    Mutation("cropped by the container", "crop its pictures", by_hand=crop_in_container, only=("mp4", "mov")),
    Mutation("cropped by the codec", "it is 48x48", ("-bsf:v", "h264_metadata=crop_right=16"), only=MKV),
    Mutation("pixel aspect", "its pixels are 3/2, the source's 4/3", ("-aspect", "2:1")),
    Mutation("square pixels", "its pixels are 1, the source's 4/3", ("-aspect", "4:3")),
    Mutation("sound is no default", "sound 1 (aac) is not marked", ("-disposition:a:0", "0"), only=MKV),
    Mutation("another default", "sound 2 (aac) is comment, default", ("-disposition:a:1", "default+comment")),
    Mutation("no commentary", "sound 2 (aac) is not marked", ("-disposition:a:1", "0")),
    Mutation("not forced", "is not marked, in the source forced", ("-disposition:s:0", "0")),
    Mutation("subtitles are on", "is default, forced", ("-disposition:s:0", "default+forced"), only=MKV),
    Mutation("for the deaf", "is hearing impaired", ("-disposition:s:1", "hearing_impaired")),
    Mutation("the last frame is held", "its last frame is over 0.9", ("-bsf:v", HELD)),
    Mutation("a pause", "frame 6 is shown 0.200 s later", ("-bsf:v", LATER)),
    Mutation("title", "its title is X", ("-metadata", "title=X")),
    Mutation("no artist", "its artist is not told", ("-metadata", "artist=")),
    Mutation("another place", "its location is", ("-metadata", "location=+01.0000+002.0000/")),
    Mutation("no camera", "its make is not told", ("-metadata", "com.apple.quicktime.make="), only=MOV),
    Mutation("no local date", "its creationdate is", ("-metadata", "com.apple.quicktime.creationdate="), only=MOV),
    Mutation("no place", "its location.iso6709", ("-metadata", "com.apple.quicktime.location.ISO6709="), only=MOV),
    Mutation("timecode", "its timecode is 02:00:00:00",
             ("-metadata", "timecode=02:00:00:00", "-metadata:s:v:0", "timecode=02:00:00:00")),
    Mutation("no timecode", "its timecode is not told", ("-write_tmcd", "0"), only=MP4),
    Mutation("no chapters", "0 chapters, the source has 1", ("-map_chapters", "-1")),
    Mutation("a language", "its language is dut", ("-metadata:s:a:0", "language=dut")),
    Mutation("a stream's title", "its title is Chat", ("-metadata:s:a:1", "title=Chat")),
    Mutation("no second sound", "sound 2 (aac) of the source is missing", ("-map", "-0:a:1")),
    Mutation("no second subtitles", "subtitles 2 (subrip) of the source is missing", ("-map", "-0:s:1")),
    Mutation("sound comes late", "is out of step", ("-bsf:a:0", "setts=pts=PTS+0.2/TB:dts=DTS+0.2/TB")),
    Mutation("a text comes late", "text 1 is shown 0.100 s later",
             ("-bsf:s:0", "setts=pts=PTS+0.1/TB:dts=DTS+0.1/TB"), only=MKV),
    Mutation("primaries", "its colour primaries is bt2020", (*ANEW, "setparams=color_primaries=bt2020")),
    Mutation("range", "its colour range is pc", (*ANEW, "setparams=range=pc")),
]  # fmt: skip
CASES = [(mutation, suffix) for mutation in MUTATIONS for suffix in mutation.only]


def _differences(path: Path, source: Clip) -> list[str]:
    """As `verify_against` finds them."""
    clip = open_whole(path)
    found = [*clip_report(clip, alone=False).problems, *compared(clip, source)]
    assert not [one for one in found if one.kind == DAMAGE], found
    return [one.text for one in found if one.kind == DIFFERENCE]


@pytest.mark.parametrize("suffix", RESULTS)
def test_nothing_is_said_of_results_that_are_left_alone(
    results: Results, tmp_path: Path, suffix: str
) -> None:
    """Nor of one that was copied by ffmpeg, as each mutant is."""
    source = results.sources[suffix]
    assert verify_against(results.of(suffix), source.info.path).verdict == "whole"
    copied = _copied(results.of(suffix), tmp_path / f"copied.{suffix}", Mutation("", ""))
    assert _differences(copied, source) == []


@pytest.mark.parametrize(
    ("mutation", "suffix"), CASES, ids=[f"{mutation.name}, {suffix}" for mutation, suffix in CASES]
)
def test_what_is_broken_is_named(results: Results, tmp_path: Path, mutation: Mutation, suffix: str) -> None:
    mutant = _copied(results.of(suffix), tmp_path / f"m.{suffix}", mutation)
    found = _differences(mutant, results.sources[suffix])
    assert any(mutation.said in text for text in found), found


def _copied(result: Path, target: Path, mutation: Mutation) -> Path:
    """Told all that a copy forgets unless it is: marks, names of MP4's streams, Apple's form of keys."""
    kept: tuple[str, ...] = (*MARKS, "-metadata:s:a:1", "title=Talk", "-map", "0")
    if result.suffix == ".mov":
        kept = ("-map", "0", "-movflags", "+use_metadata_tags")
    if result.suffix == ".mp4":
        kept = (*kept, "-map", "-0:d")
    encode(*mutation.before, "-i", str(result), *kept, "-c", "copy", *mutation.after, str(target))
    if result.suffix == ".mp4":
        switch_subtitles_off(target)
    if mutation.by_hand is not None:
        mutation.by_hand(target)
    return target
