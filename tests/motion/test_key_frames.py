"""Key frames and what lies between them: which they are, what they cost, and what the frames between look like."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scenes import clip, grainy

from framestyle.context import Context
from framestyle.events import Event, FrameDone, StepDone
from framestyle.frames import Frame, Pixels
from framestyle.motion.flow import DISFlow, FloatArray
from framestyle.motion.sequence import stylize_frames
from framestyle.motion.shots import Shot
from framestyle.nst.stylizer import Stylizer

MakeStylizer = Callable[..., Stylizer]
BY_KEYS: dict[str, Any] = {"method": "key_frames", "key_frame_gap": 4, "polish_steps": 2, "tolerance": 0.0}


def _still(frames: int, height: int = 48, width: int = 64) -> list[Frame]:
    return grainy(clip([(1, frames)], height=height, width=width, pan_px=0.0))


def _painted(
    frames: Sequence[Frame], stylizer: Stylizer, shots: Sequence[Shot] | None = None
) -> tuple[list[Frame], list[FrameDone]]:
    events: list[Event] = []
    whole = shots or [Shot(0, len(frames))]
    done = list(stylize_frames(frames, whole, stylizer, context=Context(events.append)))
    return done, [event for event in events if isinstance(event, FrameDone)]


def test_a_still_shot_has_key_frames_as_far_apart_as_may_be(make_stylizer: MakeStylizer) -> None:
    frames = _still(11)
    done, told = _painted(frames, make_stylizer(video=BY_KEYS))
    assert [(one.index, one.pts) for one in done] == [(one.index, one.pts) for one in frames]
    assert [one.index for one in told] == list(range(11)), "news of frames come in their order"
    assert [one.index for one in told if one.steps] == [0, 4, 8, 10], "the last frame of a shot is one too"
    assert [one.warm for one in told] == [False] + 10 * [True]


def test_frames_between_show_what_the_key_frames_do(make_stylizer: MakeStylizer) -> None:
    frames = grainy(clip([(1, 5)], height=96, width=128, pan_px=2.0))
    by_keys, _ = _painted(frames, make_stylizer(video=BY_KEYS))
    one_by_one, _ = _painted(frames, make_stylizer(video={"tolerance": 0.0}))

    def apart(one: Frame, other: Frame) -> float:
        inner = (slice(8, -8), slice(16, -16))
        return float(np.abs(one.pixels[inner].astype(float) - other.pixels[inner]).mean())

    content = apart(frames[2], one_by_one[2])
    assert apart(by_keys[2], one_by_one[2]) < 0.35 * content


def test_a_frame_that_neither_key_frame_shows_is_optimised(make_stylizer: MakeStylizer) -> None:
    """A flash over half of the picture in one frame: it is seen from neither side."""
    frames = _still(9)
    flash = frames[2].pixels.copy()
    flash[:, :32] = 255
    frames[2] = replace(frames[2], pixels=flash)
    done, told = _painted(frames, make_stylizer(video=BY_KEYS))
    assert told[2].steps > 0
    shown = [float(done[number].pixels[:, :28].mean()) for number in (1, 2, 3)]
    assert shown[1] > max(shown[0], shown[2]) + 30, "the flash is there, and nowhere else"


def test_fast_motion_brings_key_frames_nearer(make_stylizer: MakeStylizer) -> None:
    def keys(pan_px: float) -> int:
        frames = grainy(clip([(1, 9)], height=48, width=64, pan_px=pan_px))
        video = {**BY_KEYS, "key_frame_gap": 8, "polish_steps": 0}
        return sum(one.steps > 0 for one in _painted(frames, make_stylizer(video=video))[1])

    assert keys(0.0) == 2 < keys(6.0)


class _CountingFlow(DISFlow):
    def __init__(self) -> None:
        super().__init__()
        self.asked: list[tuple[int, int]] = []

    def both_ways(self, current: Pixels, previous: Pixels) -> tuple[FloatArray, FloatArray]:
        self.asked.append((zlib.crc32(current), zlib.crc32(previous)))
        return super().both_ways(current, previous)


def test_no_motion_is_measured_twice(make_stylizer: MakeStylizer) -> None:
    flow, frames = _CountingFlow(), grainy(clip([(1, 9)], height=48, width=64, pan_px=3.0))
    stylizer = make_stylizer(video={**BY_KEYS, "key_frame_gap": 8})
    list(stylize_frames(frames, [Shot(0, 9)], stylizer, flow=flow))
    assert len(flow.asked) == len(set(flow.asked)) >= 9


def test_regions_stay_apart(make_stylizer: MakeStylizer) -> None:
    """Half of the picture is for no style: there it stays the content, wherever the mask's edge has moved to."""
    frames = grainy(clip([(1, 5)], height=48, width=64, pan_px=0.0))
    masks = [np.zeros((48, 64, 3), np.uint8) for _ in frames]
    for number, mask in enumerate(masks):
        mask[:, : 24 + 4 * number, 0] = 255
    style = {"images": [{"path": "style.png", "region": "#ff0000"}]}
    stylizer = make_stylizer(video=BY_KEYS, style=style)
    masked = [replace(one, mask=mask) for one, mask in zip(frames, masks, strict=True)]
    done, told = _painted(masked, stylizer)
    assert [one.index for one in told if one.steps] == [0, 4]
    for number, one in enumerate(done):
        changed = np.abs(one.pixels.astype(int) - frames[number].pixels).mean(-1)
        edge = 24 + 4 * number
        assert changed[:, edge + 3 :].max() <= 1 < changed[:, : edge - 3].mean()


def test_what_comes_in_is_painted_at_half_the_size_first(make_stylizer: MakeStylizer) -> None:
    def windows(pan_px: float) -> set[tuple[int, int]]:
        """At which size windows of steps ended, and at which step, in frames after the first one."""
        frames = grainy(clip([(1, 5)], height=48, width=64, pan_px=pan_px))
        events: list[Event] = []
        stylizer = make_stylizer(video={**BY_KEYS, "polish_steps": 0, "coarse_steps": 3})
        list(stylize_frames(frames, [Shot(0, 5)], stylizer, context=Context(events.append)))
        first = next(number for number, event in enumerate(events) if isinstance(event, FrameDone))
        return {(one.width, one.step) for one in events[first:] if isinstance(one, StepDone)}

    assert windows(0.0) == {(64, 5)}
    assert windows(2.0) == {(32, 3), (64, 5)}


def test_each_shot_begins_afresh(make_stylizer: MakeStylizer) -> None:
    frames, shots = clip([(1, 5), (2, 4)]), [Shot(0, 5), Shot(5, 9)]
    together, _ = _painted(frames, make_stylizer(video=BY_KEYS), shots)
    alone, _ = _painted(frames[5:], make_stylizer(video=BY_KEYS), shots[1:])
    for one, other in zip(together[5:], alone, strict=True):
        assert np.array_equal(one.pixels, other.pixels)


def test_alpha_and_depth_ride_along(make_stylizer: MakeStylizer) -> None:
    frames = [
        replace(
            one,
            pixels=one.pixels.astype(np.uint16) * 257,
            alpha=np.full(one.pixels.shape[:2], 1000 * one.index, np.uint16),
        )
        for one in _still(6)
    ]
    done, _ = _painted(frames, make_stylizer(video=BY_KEYS))
    assert {one.pixels.dtype for one in done} == {np.dtype(np.uint16)}
    assert len(np.unique(done[2].pixels % 257)) > 1, "sixteen bits, not eight enlarged"
    assert [int(one.alpha[0, 0]) for one in done if one.alpha is not None] == [1000 * n for n in range(6)]


def test_frames_between_have_their_own_contents_colours(make_stylizer: MakeStylizer) -> None:
    done, _ = _painted(
        frames := _still(5), make_stylizer(video=BY_KEYS, color={"preserve": "luminance"}, mix=0.0)
    )
    assert np.array_equal(done[2].pixels, frames[2].pixels)


def test_few_frames_wait(make_stylizer: MakeStylizer) -> None:
    """However long the shot, no more of its frames are held than lie between two key frames."""
    taken: list[int] = []

    def coming() -> Any:
        for frame in _still(20, 24, 32):
            taken.append(frame.index)
            yield frame

    given = stylize_frames(coming(), [Shot(0, 20)], make_stylizer(video=BY_KEYS))
    for frame in given:
        assert taken[-1] - frame.index <= BY_KEYS["key_frame_gap"] + 1


@pytest.mark.parametrize("warm_start", ["previous", "none"])
def test_without_flow_all_frames_are_optimised(make_stylizer: MakeStylizer, warm_start: str) -> None:
    frames = clip([(1, 4)])
    with_keys, _ = _painted(frames, make_stylizer(video={**BY_KEYS, "warm_start": warm_start}))
    without, _ = _painted(frames, make_stylizer(video={"warm_start": warm_start, "tolerance": 0.0}))
    for one, other in zip(with_keys, without, strict=True):
        assert np.array_equal(one.pixels, other.pixels)
