"""A clip is surveyed once: the next command takes what was kept, while clip and question are the same."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ready import Ready

from framestyle.context import Context
from framestyle.errors import InputError
from framestyle.events import Event, Note, Preparing
from framestyle.jobs.plan import survey_cache
from framestyle.jobs.plan.survey import Survey, survey
from framestyle.jobs.plan.survey_cache import keep_survey
from framestyle.jobs.plan.tasks import Task
from framestyle.jobs.run.job import run
from framestyle.kinds import WHOLE_CLIP, MediaKind, TimeRange
from framestyle.media.photos import write_photo
from framestyle.media.video.probe import probe
from framestyle.media.video.reader import VideoReader
from framestyle.media.video.sequences import SequenceReader
from framestyle.motion.shots import Shot
from framestyle.presets import Preset
from framestyle.presets.library import cache_dir

MakeClip = Callable[..., Path]
MakePreset = Callable[..., Preset]
MakeWorkshop = Callable[..., Ready]


@pytest.fixture
def cache() -> Path:
    """Where surveys are kept."""
    return cache_dir() / "surveys"


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The clips whose frames were asked for, one entry each time."""
    asked: list[Path] = []

    def counted(reader: Any, frames: Callable[[Any], Any]) -> Any:
        asked.append(reader.info.path)
        return frames(reader)

    for kind in (VideoReader, SequenceReader):
        frames = kind.__iter__
        monkeypatch.setattr(kind, "__iter__", lambda reader, frames=frames: counted(reader, frames))
    return asked


@pytest.fixture
def ask(make_preset: MakePreset) -> Callable[..., tuple[Survey, list[Event]]]:
    """`ask(clip, span, video={"cuts": "none"})`: its survey, and what was told."""

    def asked(path: Path, span: TimeRange = WHOLE_CLIP, **changes: Any) -> tuple[Survey, list[Event]]:
        news: list[Event] = []
        return survey(path, span, make_preset(**changes), Context(news.append)), news

    return asked


Ask = Callable[..., tuple[Survey, list[Event]]]


def _notes(news: list[Event]) -> list[Note]:
    return [event for event in news if isinstance(event, Note)]


def _numbered(folder: Path, *numbers: int) -> Path:
    folder.mkdir(exist_ok=True)
    for number in numbers:
        write_photo(folder / f"{number:03d}.png", np.full((24, 32, 3), number, np.uint8), None, {})
    return folder / "%03d.png"


# -- a second command --------------------------------------------------------------------------------------


def test_a_second_command_decodes_a_clip_once_and_makes_the_same_pixels(
    make_clip: MakeClip, make_workshop: MakeWorkshop, tmp_path: Path, decoded: list[Path]
) -> None:
    clip, results = make_clip("in.mp4", shots=(9, 9)), []
    for name, times in (("first.mkv", 2), ("second.mkv", 1)):
        target = tmp_path / name
        workshop = make_workshop(output={"quality": "lossless"})
        run([Task(MediaKind.VIDEO, clip, target)], target, WHOLE_CLIP, *workshop)
        assert decoded.count(clip) == times
        decoded.clear()
        with VideoReader(target) as reader:
            results.append([frame.pixels for frame in reader])
        decoded.clear()
    first, second = results
    assert len(first) == len(second) == 18
    assert all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))


def test_a_kept_survey_is_the_one_that_was_taken(make_clip: MakeClip, ask: Ask, decoded: list[Path]) -> None:
    clip = make_clip("in.mkv", shots=(9, 9), keep="select='not(eq(n,3))'")  # a gap: the rate is not constant
    (taken, told), (kept, told_again) = ask(clip), ask(clip)
    assert decoded == [clip]
    assert kept == taken and len(kept.shots) == 2 and kept.frames == 17
    assert kept.time_base and kept.last_frame
    assert told == told_again and isinstance(told[-1], Preparing)


def test_what_there_is_to_know_of_a_clip_is_told_each_time(
    make_clip: MakeClip, ask: Ask, decoded: list[Path]
) -> None:
    clip = make_clip("in.mp4", "-movflags", "+faststart", "-g", "5", shots=(50,))
    with clip.open("r+b") as file:
        file.truncate(clip.stat().st_size * 6 // 10)
    (_, told), (_, told_again) = ask(clip), ask(clip)
    assert decoded == [clip]
    assert [note.level for note in _notes(told)] == ["warning"] and "ends early" in _notes(told)[0].message
    assert _notes(told_again) == _notes(told)


def test_that_a_clip_is_hdr_is_told_each_time_and_tone_mapped_it_is_another(
    make_clip: MakeClip, ask: Ask, decoded: list[Path]
) -> None:
    tags = "colorspace=bt2020nc:color_primaries=bt2020:color_trc=smpte2084:range=tv"
    clip = make_clip(
        "in.mkv", "-c:v", "ffv1", "-pix_fmt", "yuv420p10le", shots=(4,), keep=f"setparams={tags}"
    )
    for hdr, words in (("keep", "stays so"), ("tonemap", "is made SDR")):
        for _ in range(2):
            (note,) = _notes(ask(clip, output={"hdr": hdr})[1])
            assert words in note.message
    assert decoded == [clip, clip]


def test_of_a_clip_in_sdr_a_preview_and_a_render_share_the_survey(
    make_clip: MakeClip, ask: Ask, decoded: list[Path]
) -> None:
    clip = make_clip("in.mp4")
    ask(clip, output={"hdr": "tonemap"})
    ask(clip, output={"hdr": "keep"})
    assert decoded == [clip]


def test_surveying_loads_no_torch() -> None:
    code = "import framestyle.jobs.plan.survey, sys; sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


# -- surveyed anew -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("span", "changes"),
    [
        (TimeRange(start_s=Fraction(1, 25)), {}),
        (TimeRange(end_s=Fraction(1, 5)), {}),
        (WHOLE_CLIP, {"video": {"cuts": "none"}}),
    ],
)
def test_another_question_is_answered_anew(
    make_clip: MakeClip, ask: Ask, decoded: list[Path], span: TimeRange, changes: dict[str, Any]
) -> None:
    clip = make_clip("in.mp4", shots=(9, 9))
    whole, _ = ask(clip)
    other, _ = ask(clip, span, **changes)
    assert decoded == [clip, clip] and other.shots != whole.shots
    assert ask(clip)[0] == whole and ask(clip, span, **changes)[0] == other
    assert decoded == [clip, clip]


def test_a_clip_that_was_written_over_is_surveyed_anew(
    make_clip: MakeClip, ask: Ask, decoded: list[Path]
) -> None:
    clip, longer = make_clip("in.mp4", shots=(8,)), make_clip("longer.mp4", shots=(11,))
    ask(clip)
    clip.write_bytes(longer.read_bytes())
    assert ask(clip)[0].frames == 11
    assert decoded == [clip, clip]


def test_so_is_one_of_the_same_size_whose_time_was_put_back(
    make_clip: MakeClip, ask: Ask, decoded: list[Path]
) -> None:
    clip = make_clip("in.mp4", shots=(8,))
    ask(clip)
    before = clip.stat()
    with clip.open("r+b") as file:
        file.write(file.read(1))
    os.utime(clip, ns=(before.st_atime_ns, before.st_mtime_ns))
    shutil.copy2(clip, moved := clip.with_name("moved.mp4"))
    ask(clip)
    os.replace(moved, clip)
    assert (clip.stat().st_size, clip.stat().st_mtime_ns) == (before.st_size, before.st_mtime_ns)
    ask(clip)
    assert decoded == [clip] * 3


def test_each_file_of_a_sequence_counts(tmp_path: Path, ask: Ask, decoded: list[Path]) -> None:
    source = _numbered(tmp_path / "in", 1, 2, 5)
    (taken, told), (kept, told_again) = ask(source), ask(source)
    assert decoded == [source] and kept == taken and kept.frames == 3
    assert _notes(told_again) == _notes(told) and "lacks 3, 4" in _notes(told)[0].message
    ask(source, video={"sequence_rate": 12})
    assert decoded == [source] * 2
    _numbered(tmp_path / "in", 2)
    ask(source)
    assert decoded == [source] * 3
    _numbered(tmp_path / "in", 6)
    assert ask(source)[0].frames == 4


@pytest.mark.parametrize(
    "damage",
    [
        lambda entry: entry.write_bytes(entry.read_bytes()[:-9]),
        lambda entry: entry.write_bytes(entry.read_bytes().replace(b"[[0, 9], [9", b"[[0, 8], [8")),
        lambda entry: entry.write_bytes(b""),
        lambda entry: entry.write_bytes(b"\xff\x00 no text"),
        lambda entry: (entry.unlink(), entry.mkdir()),
        lambda entry: keep_survey(entry.stem, "[" * 100_000),
        lambda entry: keep_survey(entry.stem, '{"framestyle_survey": 0}'),
    ],
    ids=["short", "another number", "empty", "no text", "a folder", "no JSON", "another version"],
)
def test_an_entry_that_is_not_as_it_was_written_is_not_used(
    make_clip: MakeClip, ask: Ask, decoded: list[Path], cache: Path, damage: Callable[[Path], Any]
) -> None:
    clip = make_clip("in.mp4", shots=(9, 9))
    taken, told = ask(clip)
    (entry,) = cache.iterdir()
    damage(entry)
    again, told_again = ask(clip)
    assert decoded == [clip, clip] and again == taken and told_again == told


def test_an_entry_of_another_clip_is_not_used(
    make_clip: MakeClip, ask: Ask, decoded: list[Path], cache: Path
) -> None:
    one, other = make_clip("one.mp4", shots=(8,)), make_clip("other.mp4", shots=(11,))
    ask(one)
    (of_one,) = cache.iterdir()
    ask(other)
    (of_other,) = set(cache.iterdir()) - {of_one}
    shutil.copy(of_one, of_other)
    assert ask(other)[0].frames == 11
    assert decoded == [one, other, other]


def test_a_cache_that_cannot_be_written_is_no_ones_trouble(
    make_clip: MakeClip, ask: Ask, decoded: list[Path], cache: Path
) -> None:
    cache.write_bytes(b"a file where the folder would be")
    clip = make_clip("in.mp4")
    assert ask(clip) == ask(clip)
    assert decoded == [clip, clip]


def test_a_survey_that_failed_is_not_kept(
    make_clip: MakeClip, ask: Ask, decoded: list[Path], cache: Path
) -> None:
    clip = make_clip("in.mp4")
    for _ in range(2):
        with pytest.raises(InputError, match="no frames in the chosen range"):
            ask(clip, TimeRange(start_s=Fraction(9)))
    assert decoded == [clip, clip] and not cache.exists()


def test_only_the_newest_surveys_are_kept(
    make_clip: MakeClip, ask: Ask, decoded: list[Path], cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(survey_cache, "MOST_KEPT", 2)
    clip = make_clip("in.mp4")
    parts = [TimeRange(end_s=Fraction(frames, 25)) for frames in (2, 3, 4)]
    for age, part in zip((30, 20, 10), parts, strict=True):
        before = set(cache.glob("*"))
        ask(clip, part)
        (entry,) = set(cache.iterdir()) - before
        os.utime(entry, (age_s := entry.stat().st_mtime - age, age_s))
    assert len(list(cache.iterdir())) == 2
    decoded.clear()
    ask(clip, parts[2])
    ask(clip, parts[1])
    assert decoded == []
    ask(clip, parts[0])
    assert decoded == [clip]


# -- the value ---------------------------------------------------------------------------------------------


def test_a_survey_goes_through_json_exactly(make_clip: MakeClip) -> None:
    info = probe(make_clip("in.mp4"))
    one = Survey(
        info,
        (Shot(7, 12), Shot(12, 40)),
        33,
        Fraction(7007, 30000),
        Fraction(1, 90000),
        (Fraction(4004, 3000), Fraction(1, 3)),
        ("it ends \u00e9arly \udcff",),
    )
    plain = replace(one, first_s=Fraction(0), time_base=None, last_frame=None, doubts=())
    for found in (one, plain):
        assert Survey.from_json(found.to_json(), info) == found


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("[12, 40]", "[13, 40]"),
        ("[12, 40]", "[12, 12]"),
        ("[12, 40]", "[12, 40.0]"),
        ("[[7, 12], [12, 40]]", "[]"),
        ('"1/3"', '"1/0"'),
        ('"1/3"', "null"),
        ("first_s", "first"),
    ],
)
def test_what_is_no_survey_is_refused(make_clip: MakeClip, old: str, new: str) -> None:
    info = probe(make_clip("in.mp4"))
    shots = (Shot(7, 12), Shot(12, 40))
    text = Survey(info, shots, 33, last_frame=(Fraction(1), Fraction(1, 3))).to_json()
    assert old in text
    with pytest.raises(ValueError, match="no survey"):
        Survey.from_json(text.replace(old, new), info)
