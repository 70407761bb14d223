"""Clips painted with masks that move: through jobs, resumed, in parts, by pipe and by pushed frames."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from moving import Bytes, disc, textured, write_clip

from framestyle.context import Context
from framestyle.errors import Cancelled
from framestyle.events import FrameDone
from framestyle.jobs.plan.tasks import Task
from framestyle.jobs.run.batch import Order, paint, prepare
from framestyle.jobs.run.job import run
from framestyle.kinds import WHOLE_CLIP, MediaKind, TimeRange
from framestyle.media.video.reader import VideoReader
from framestyle.presets import Preset
from framestyle.session import Session

FRAMES = 6


def _preset(style_image: Path, mask: Path | str | None, **video: Any) -> Preset:
    """One style, for the white of the mask alone."""
    return Preset.model_validate(
        {
            "style": {
                "images": [{"path": str(style_image), "region": 255}],
                "layers": {"relu1_1": 1.0},
                "mask": None if mask is None else str(mask),
            },
            "content": {"layers": {"relu1_2": 1.0}, "weight": 0.01},
            "optimizer": {"precision": "float32"},
            "scales": {"min_px": 64, "max_side_px": 0, "first_steps": 3, "steps": 1},
            "video": {"steps": 2, "min_steps": 1, "cuts": "none", **video},
            "output": {"video_codec": "ffv1", "quality": "lossless", "save_every_s": 0.0},
        }
    )


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return write_clip(tmp_path / "clip.mkv", textured(FRAMES))


@pytest.fixture
def mask(tmp_path: Path) -> Path:
    return write_clip(tmp_path / "mask.mkv", [disc(n / (FRAMES - 1)) for n in range(FRAMES)])


def _open(preset: Preset, *, masks_follow: bool = False) -> Session:
    return Session.open(preset, weights="untrained", device="cpu", masks_follow=masks_follow, clips=True)


def _painted(preset: Preset, clip: Path, target: Path, span: TimeRange = WHOLE_CLIP) -> list[Bytes]:
    run([Task(MediaKind.VIDEO, clip, target)], target, span, _open(preset))
    return _pixels(target)


def _pixels(path: Path) -> list[Bytes]:
    with VideoReader(path) as reader:
        return [frame.pixels.astype(np.uint8) for frame in reader]


@pytest.mark.parametrize("passes", [1, 2])
def test_outside_of_its_regions_a_clip_stays_as_it_is_and_the_inside_moves_along(
    clip: Path, mask: Path, photo: Path, tmp_path: Path, passes: int
) -> None:
    painted = _painted(_preset(photo, mask, passes=passes), clip, tmp_path / "o.mkv")
    for number, (before, after) in enumerate(zip(_pixels(clip), painted, strict=True)):
        inside = disc(number / (FRAMES - 1))[..., 0] > 0
        assert np.array_equal(before[~inside], after[~inside])
        assert np.abs(before[inside].astype(int) - after[inside]).mean() > 3


def test_a_part_of_a_clip_has_the_masks_of_its_time(
    clip: Path, mask: Path, photo: Path, tmp_path: Path
) -> None:
    painted = _painted(_preset(photo, mask), clip, tmp_path / "o.mkv", TimeRange(Fraction(3, 10)))
    assert len(painted) == FRAMES - 3
    before, inside = _pixels(clip)[3], disc(3 / (FRAMES - 1))[..., 0] > 0
    assert np.array_equal(before[~inside], painted[0][~inside])
    assert not np.array_equal(before[inside], painted[0][inside])


@pytest.mark.parametrize("passes", [1, 2])
def test_a_clip_that_was_stopped_goes_on_with_its_mask(
    clip: Path, mask: Path, photo: Path, tmp_path: Path, passes: int
) -> None:
    preset, target = _preset(photo, mask, passes=passes), tmp_path / "o.mkv"
    whole = _painted(preset, clip, tmp_path / "whole.mkv")
    order = Order([clip], target, [preset], weights="untrained", device="cpu")
    painted: list[int] = []

    def stop_after_three(event: object) -> None:
        if isinstance(event, FrameDone):
            painted.append(event.index)
        if len(painted) > 3:
            raise KeyboardInterrupt

    with pytest.raises(Cancelled):
        paint(prepare(order), order, Context(stop_after_three))
    painted.clear()
    paint(
        prepare(order),
        order,
        Context(lambda event: painted.append(0) if isinstance(event, FrameDone) else None),
    )
    assert 0 < len(painted) < FRAMES * passes
    for one, two in zip(whole, _pixels(target), strict=True):
        assert np.array_equal(one, two)


def test_a_region_may_be_empty_for_a_while(clip: Path, photo: Path, tmp_path: Path) -> None:
    empty = np.zeros((24, 32, 3), np.uint8)
    masks = [empty, disc(0.2), disc(0.4), empty, disc(0.8), empty]
    painted = _painted(_preset(photo, write_clip(tmp_path / "m.mkv", masks)), clip, tmp_path / "o.mkv")
    same = [np.array_equal(*pair) for pair in zip(_pixels(clip), painted, strict=True)]
    assert same == [True, False, False, True, False, True]


def test_pushed_frames_bring_their_masks_along(photo: Path) -> None:
    frames = textured(3)
    masks = [disc(n / 2)[..., 0] for n in range(3)]
    with _open(_preset(photo, None), masks_follow=True) as session:
        pushed = [
            one for pair in zip(frames, masks, strict=True) for one in session.push(pair[0], mask=pair[1])
        ]
        pushed += session.finish()
        given = list(session.frames(frames, mask=np.stack(masks)))
        last_goes_on = list(session.frames(frames, mask=masks[:1]))
    for frame, mask, one, two in zip(frames, masks, pushed, given, strict=True):
        assert np.array_equal(one, two)
        assert np.array_equal(frame[mask == 0], one[mask == 0])
        assert not np.array_equal(frame[mask > 0], one[mask > 0])
    assert np.array_equal(frames[2][masks[0] == 0], last_goes_on[2][masks[0] == 0])
