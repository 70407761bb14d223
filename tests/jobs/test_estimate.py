"""What is told before the work is what the work then takes: sizes and steps to the last, time and bytes roughly."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from photo_makers import orientation_exif, picture, save, stored
from PIL import Image, ImageFile
from ready import Ready

from framestyle.errors import InputError
from framestyle.events import Event, FrameDone, JobStarted, StepDone, TaskPlanned, TaskStarted
from framestyle.jobs.plan.estimate import BYTES_PER_FRAME_PIXEL, BYTES_PER_PIXEL, estimate
from framestyle.jobs.plan.surveys import Surveys
from framestyle.jobs.plan.tasks import Task
from framestyle.jobs.run.job import run
from framestyle.kinds import MediaKind, TimeRange
from framestyle.media.photos import FORMATS, read_photo
from framestyle.media.video.writer import CODECS
from framestyle.nst.sizes import Size
from framestyle.presets import Preset

MakeClip = Callable[..., Path]
MakeWorkshop = Callable[..., Ready]
SCALES = {"min_px": 24, "max_side_px": 48, "first_steps": 3, "steps": 2}


def _megapixel_steps(news: list[Event]) -> float:
    return sum(
        len(event.losses) * event.width * event.height / 1e6 for event in news if isinstance(event, StepDone)
    )


@pytest.mark.parametrize("max_side_px", [16, 30, 48, 0])
def test_a_photos_size_and_steps_are_told_exactly(
    tmp_path: Path, make_workshop: MakeWorkshop, max_side_px: int
) -> None:
    save(tmp_path / "in.jpg", stored(picture(height=40, width=60), 6), exif=orientation_exif(6))
    task = Task(MediaKind.PHOTO, tmp_path / "in.jpg", tmp_path / "out.png")
    news: list[Event] = []
    workshop = make_workshop(news.append, scales=SCALES | {"max_side_px": max_side_px})
    told = estimate(task, workshop.preset, TimeRange())
    run([task], task.target, TimeRange(), *workshop)
    height, width = read_photo(task.target).pixels.shape[:2]
    assert (told.was, told.becomes, told.frames) == (Size(60, 40), Size(width, height), 1)
    assert told.megapixel_steps == pytest.approx(_megapixel_steps(news))


@pytest.mark.parametrize(
    "video",
    [{}, {"passes": 2}, {"warm_start": "none"}, {"warm_start": "previous", "passes": 2}],
    ids=str,
)
def test_a_clips_frames_and_most_steps_are_told(
    make_clip: MakeClip, make_workshop: MakeWorkshop, tmp_path: Path, video: dict[str, Any]
) -> None:
    clip, span = make_clip("in.mp4", shots=(10,)), TimeRange(Fraction(2, 25), Fraction(8, 25))
    task, news = Task(MediaKind.VIDEO, clip, tmp_path / "out.mp4"), list[Event]()
    workshop = make_workshop(
        news.append, scales=SCALES | {"max_side_px": 24}, video={"steps": 2, "min_steps": 1, **video}
    )
    told = estimate(task, workshop.preset, span)
    done = run([task], task.target, span, *workshop)
    assert told.frames == done.frames == 6
    assert (told.was, told.becomes) == (Size(32, 24), Size(24, 18))
    assert 0 < _megapixel_steps(news) <= told.megapixel_steps + 1e-9


def _plans(news: list[Event]) -> list[TaskPlanned]:
    return [event for event in news if isinstance(event, TaskPlanned)]


def test_a_photos_steps_are_planned_before_it_begins(tmp_path: Path, make_workshop: MakeWorkshop) -> None:
    save(tmp_path / "in.png", picture(height=40, width=60))
    task, news = Task(MediaKind.PHOTO, tmp_path / "in.png", tmp_path / "out.png"), list[Event]()
    run([task], task.target, TimeRange(), *make_workshop(news.append, scales=SCALES))
    (plan,) = _plans(news)
    steps = [event for event in news if isinstance(event, StepDone)]
    assert (plan.path, plan.width, plan.height) == (str(task.source), 48, 32)
    assert (plan.first_frames, plan.warm_frames, plan.at_once) == (1, 0, 1)
    assert plan.first_steps == sum(len(event.losses) for event in steps)
    assert plan.first_megapixel_steps == pytest.approx(_megapixel_steps(news))
    kinds = [type(event) for event in news]
    assert kinds.index(JobStarted) < kinds.index(TaskPlanned) < kinds.index(TaskStarted)


@pytest.mark.parametrize(
    "video", [{}, {"passes": 2}, {"warm_start": "none"}, {"tolerance": 0.0}, {"min_steps": 9}], ids=str
)
def test_a_clips_frames_of_each_kind_are_planned(
    make_clip: MakeClip, make_workshop: MakeWorkshop, tmp_path: Path, video: dict[str, Any]
) -> None:
    clip = make_clip("in.mp4", shots=(5, 6))
    task, news = Task(MediaKind.VIDEO, clip, tmp_path / "out.mp4"), list[Event]()
    video = {"steps": 3, "min_steps": 1, "cuts": "content", **video}
    run([task], task.target, TimeRange(), *make_workshop(news.append, scales=SCALES, video=video))
    (plan,) = _plans(news)
    frames = [event for event in news if isinstance(event, FrameDone)]
    assert plan.first_frames == sum(not event.warm for event in frames)
    assert plan.warm_frames == sum(event.warm for event in frames)
    for event in frames:
        if event.warm and event.steps:
            assert plan.warm_least_steps <= event.steps <= plan.warm_steps
        elif not event.warm:
            assert event.steps == plan.first_steps


def test_large_photos_are_planned_one_by_one(tmp_path: Path) -> None:
    preset = Preset.model_validate({"name": "mine", "scales": {"max_side_px": 0}})
    tasks = []
    for name, side_px in (("small", 64), ("large", 1100)):
        Image.new("RGB", (side_px, side_px)).save(tmp_path / f"{name}.png")
        tasks.append(Task(MediaKind.PHOTO, tmp_path / f"{name}.png", tmp_path / "out" / f"{name}.png"))
    assert [plan.at_once for plan in Surveys().plans(tasks, preset, 4)] == [4, 1]


def test_an_image_sequence_is_told_by_its_frames(make_workshop: MakeWorkshop, tmp_path: Path) -> None:
    for number in (1, 2, 3, 7):
        save(tmp_path / f"s.{number}.png", picture(height=24, width=32))
    task = Task(MediaKind.VIDEO, tmp_path / "s.%d.png", tmp_path / "out" / "s.%d.jpg")
    workshop = make_workshop()
    told = estimate(task, workshop.preset, TimeRange())
    done = run([task], task.target, TimeRange(), *workshop)
    assert told.was == Size(32, 24) and told.frames == done.frames == 4
    photo = estimate(
        Task(MediaKind.PHOTO, tmp_path / "s.1.png", tmp_path / "1.jpg"), workshop.preset, TimeRange()
    )
    assert told.size_bytes == pytest.approx(4 * photo.size_bytes)


def test_a_range_beyond_the_clips_end_is_not_counted(make_clip: MakeClip, tmp_path: Path) -> None:
    task = Task(MediaKind.VIDEO, make_clip("in.mp4", shots=(10,)), tmp_path / "out.mp4")
    preset = Preset.model_validate({"name": "mine"})
    assert estimate(task, preset, TimeRange(None, Fraction(60))).frames == 10
    assert estimate(task, preset, TimeRange(Fraction(8, 25), None)).frames == 2
    assert estimate(task, preset, TimeRange(Fraction(60), None)).frames == 1


def test_every_format_and_codec_has_its_bytes() -> None:
    assert BYTES_PER_PIXEL.keys() >= set(FORMATS.values())
    assert BYTES_PER_FRAME_PIXEL.keys() >= CODECS.keys()


def test_more_quality_and_more_pixels_are_more_bytes(make_clip: MakeClip, tmp_path: Path) -> None:
    task = Task(MediaKind.VIDEO, make_clip("in.mp4", shots=(4,)), tmp_path / "out.mp4")

    def told(quality: str | int, max_side_px: int = 0) -> float:
        preset = Preset.model_validate(
            {"name": "mine", "output": {"quality": quality}, "scales": {"max_side_px": max_side_px}}
        )
        return estimate(task, preset, TimeRange()).size_bytes

    assert told("draft") < told("good") < told("visually_lossless")
    assert told("good", 16) < told("good")
    assert told(20) > 0


def test_what_cannot_be_read_is_said(tmp_path: Path) -> None:
    for kind, name in ((MediaKind.PHOTO, "in.png"), (MediaKind.VIDEO, "in.mp4")):
        (tmp_path / name).write_bytes(b"\x89PNG\r\n\x1a\n")
        with pytest.raises(InputError, match=name):
            estimate(
                Task(kind, tmp_path / name, tmp_path / "out.png"),
                Preset.model_validate({"name": "mine"}),
                TimeRange(),
            )


@pytest.mark.parametrize("name", ["in.jpg", "in.webp", "in.tif"])
def test_a_photo_is_not_decoded_for_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    Image.fromarray(np.zeros((30, 40, 3), np.uint8)).save(tmp_path / name)

    def refuse(*_: Any) -> None:
        raise AssertionError("decoded")

    monkeypatch.setattr(ImageFile.ImageFile, "load", refuse)
    task = Task(MediaKind.PHOTO, tmp_path / name, tmp_path / "out.png")
    assert estimate(task, Preset.model_validate({"name": "mine"}), TimeRange()).was == Size(40, 30)


def test_a_clip_by_key_frames_is_planned_by_their_mean(
    make_clip: MakeClip, make_workshop: MakeWorkshop, tmp_path: Path
) -> None:
    clip = make_clip("in.mp4", shots=(9,))
    task, news = Task(MediaKind.VIDEO, clip, tmp_path / "out.mp4"), list[Event]()
    video = {
        "method": "key_frames",
        "key_frame_gap": 4,
        "steps": 10,
        "min_steps": 8,
        "polish_steps": 2,
        "coarse_steps": 8,
    }
    run([task], task.target, TimeRange(), *make_workshop(news.append, scales=SCALES, video=video))
    (plan,) = _plans(news)
    assert (plan.first_frames, plan.warm_frames, plan.key_frame_gap) == (1, 8, 4)
    assert (plan.warm_least_steps, plan.warm_steps) == (2, 5)
    warm = [event.steps for event in news if isinstance(event, FrameDone) and event.warm]
    assert len(warm) == 8 and sum(warm) <= 8 * plan.warm_steps
