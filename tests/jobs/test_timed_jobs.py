"""Timelines on clips and photos of jobs: where points are, stopped and resumed work, parts, folders, plans."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from moving import Bytes, textured, write_clip
from PIL import Image

from framestyle.context import SILENT, Context
from framestyle.doors.dry_run import dry_run
from framestyle.errors import Cancelled, InputError
from framestyle.events import Event, FrameDone, Note
from framestyle.jobs.plan.survey import survey
from framestyle.jobs.plan.timeline_times import ClipTimes, photo_instant, point_times
from framestyle.jobs.plan.units import PhotoTask, ShotTask, unit_from_json, unit_to_json
from framestyle.jobs.run.batch import Order, paint, prepare
from framestyle.kinds import WHOLE_CLIP, TimeRange
from framestyle.media.photos import read_photo
from framestyle.media.video.reader import VideoReader
from framestyle.motion.shots import Shot
from framestyle.nst.sizes import Size
from framestyle.presets import Preset

FRAMES = 8
SOURCE = Path("clip.mkv")


@pytest.fixture(autouse=True)
def own_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def _preset(style_image: Path, *points: dict[str, Any], **video: Any) -> Preset:
    return Preset.model_validate(
        {
            "style": {"images": [{"path": str(style_image)}], "layers": {"relu1_1": 1.0}},
            "content": {"layers": {"relu1_2": 1.0}, "weight": 0.01},
            "optimizer": {"precision": "float32"},
            "scales": {"min_px": 64, "max_side_px": 0, "first_steps": 3, "steps": 1},
            "video": {"steps": 2, "min_steps": 1, "cuts": "none", **video},
            "output": {"video_codec": "ffv1", "quality": "lossless", "save_every_s": 0.0},
            "timeline": list(points),
        }
    )


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return write_clip(tmp_path / "clip.mkv", textured(FRAMES))


def _do(
    preset: Preset, inputs: Path, output: Path, span: TimeRange = WHOLE_CLIP, context: Context = SILENT
) -> None:
    order = Order([inputs], output, [preset], weights="untrained", device="cpu", span=span)
    paint(prepare(order), order, context)


def _pixels(path: Path) -> list[Bytes]:
    with VideoReader(path) as reader:
        return [frame.pixels.astype(np.uint8) for frame in reader]


GROWS = ({"at": "0s", "mix": 0.0, "strength": 0.0}, {"at": "frame 6", "mix": 1.0, "strength": 1.0})


@pytest.mark.parametrize("passes", [1, 2])
def test_a_clip_stopped_in_the_middle_of_a_change_ends_as_if_it_was_not(
    clip: Path, photo: Path, tmp_path: Path, passes: int
) -> None:
    preset, target = _preset(photo, *GROWS, passes=passes), tmp_path / "o.mkv"
    _do(preset, clip, tmp_path / "whole.mkv")
    painted: list[int] = []

    def stop(event: Event) -> None:
        if isinstance(event, FrameDone):
            painted.append(event.index)
        if len(painted) > 3:
            raise KeyboardInterrupt

    with pytest.raises(Cancelled):
        _do(preset, clip, target, context=Context(stop))
    _do(preset, clip, target)
    for one, two in zip(_pixels(tmp_path / "whole.mkv"), _pixels(target), strict=True):
        assert np.array_equal(one, two)


def test_a_part_keeps_the_times_of_the_whole(clip: Path, photo: Path, tmp_path: Path) -> None:
    points = (
        {"at": "0s", "mix": 1.0, "ease": "hold"},
        {"at": "0.5s", "mix": 0.0},
        {"at": "100%", "mix": 0.0},
    )
    preset, span = _preset(photo, *points), TimeRange(Fraction(4, 10))
    assert (
        survey(clip, span, preset, SILENT).timeline_s == survey(clip, WHOLE_CLIP, preset, SILENT).timeline_s
    )
    _do(preset, clip, tmp_path / "o.mkv", span)
    same = [
        np.array_equal(*pair) for pair in zip(_pixels(clip)[4:], _pixels(tmp_path / "o.mkv"), strict=True)
    ]
    assert same == [False, True, True, True]


def test_percentages_of_photos_count_over_a_folder(photo: Path, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    for name in ("a.png", "b.png", "c.png"):
        Image.open(photo).save(folder / name)
    _do(_preset(photo, {"at": "0%", "mix": 0.0}, {"at": "100%", "mix": 1.0}), folder, tmp_path / "out")
    before, *painted = (
        read_photo(path).pixels.astype(float) for path in (photo, *sorted((tmp_path / "out").glob("*.png")))
    )
    assert np.array_equal(before, painted[0])
    assert np.abs(painted[1] - (before + painted[2]) / 2).max() <= 1
    assert np.abs(painted[2] - before).mean() > 2


TIMES = ClipTimes(Fraction(10), Fraction(8), (Fraction(0), Fraction(3)))


def _at(*times: str) -> Preset:
    return _preset(Path("a.png"), *({"at": one, "mix": 0.5} for one in times))


def test_points_are_found_in_a_clip() -> None:
    times_s, notes = point_times(_at("0.5s", "frame 12", "25%", "shot 2", "100%"), SOURCE, TIMES)
    assert times_s == (Fraction(1, 2), Fraction(6, 5), Fraction(2), Fraction(3), Fraction(8)) and notes == ()
    _, (note,) = point_times(_at("1s", "9s", "10s"), SOURCE, TIMES)
    assert isinstance(note, Note) and "two" not in note.message and "after its end (9s, 10s)" in note.message


@pytest.mark.parametrize(
    ("preset", "clip", "told"),
    [
        (_at("1s", "shot 3"), TIMES, r"timeline.1: there is no shot 3 in clip.mkv: it has 2 shots"),
        (_at("50%", "3s"), TIMES, r"timeline.1: 3s is at 3.000 s of .*50%.* at 4.000 s"),
        (_at("frame 30", "shot 2"), TIMES, r"timeline.1: shot 2 is at 3.000 s of .*frame 30"),
        (_at("50%"), ClipTimes(Fraction(10)), r"timeline.0: 50% of .*: how long it is is not known"),
        (
            _at("1s", "shot 1"),
            ClipTimes(Fraction(10)),
            r"timeline.1: shot 1 of .*: where its cuts are is not known",
        ),
    ],
)
def test_points_that_a_clip_does_not_have_are_said(preset: Preset, clip: ClipTimes, told: str) -> None:
    with pytest.raises(InputError, match=told) as caught:
        point_times(preset, SOURCE, clip)
    assert caught.value.next_step


def test_a_photo_has_no_seconds() -> None:
    with pytest.raises(InputError, match=r"timeline.1: 3s of a.png: a photo has no time") as caught:
        photo_instant(_at("0%", "3s"), Path("a.png"), Fraction(0))
    assert caught.value.next_step and photo_instant(_at(), Path("a.png"), Fraction(0)) is None


def test_units_tell_their_times_elsewhere(tmp_path: Path) -> None:
    clip, rate = tmp_path / "c.mkv", Fraction(10)
    shot = ShotTask(
        clip, 0, Shot(0, 4), Size(32, 24), WHOLE_CLIP, rate, tmp_path, timeline_s=(Fraction(1, 3),)
    )
    photo = PhotoTask(tmp_path / "a.png", tmp_path / "b.png", share=Fraction(1, 7))
    for unit in (shot, photo):
        assert unit_from_json(unit_to_json(unit, tmp_path), tmp_path) == unit


def test_the_plan_draws_the_timeline(clip: Path, photo: Path, tmp_path: Path) -> None:
    order = Order([clip], tmp_path / "o.mkv", [_preset(photo, *GROWS)], weights="untrained", device="cpu")
    lines = list(dry_run(prepare(order), order))
    assert any("timeline: 0s, frame 6" in line for line in lines)
    assert any("strength" in line and "▁" in line and "█" in line for line in lines)
