"""The second pass: the same frames in the same order, drawn together from the shot's end to its start."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scenes import clip, grainy

from framestyle.context import Context
from framestyle.events import Event, FrameDone, ShotStarted
from framestyle.frames import Frame
from framestyle.motion.second_pass import one_ahead
from framestyle.motion.sequence import stylize_frames
from framestyle.motion.shots import Shot
from framestyle.nst.stylizer import Stylizer

MakeStylizer = Callable[..., Stylizer]
TWO_SHOTS = (Shot(0, 3), Shot(3, 6))


def _run(frames: Sequence[Frame], shots: Sequence[Shot], stylizer: Stylizer, **more: Any) -> list[Frame]:
    return list(stylize_frames(frames, shots, stylizer, **more))


def _twice(make_stylizer: MakeStylizer, **video: Any) -> Stylizer:
    return make_stylizer(video={"passes": 2, **video})


def test_every_frame_comes_out_once_in_order(make_stylizer: MakeStylizer) -> None:
    frames = clip([(1, 3), (2, 3)])
    done = _run(frames, TWO_SHOTS, _twice(make_stylizer))
    assert [(frame.index, frame.pts) for frame in done] == [(frame.index, frame.pts) for frame in frames]
    assert {(frame.pixels.shape, frame.pixels.dtype) for frame in done} == {((32, 40, 3), np.dtype(np.uint8))}
    once = _run(frames, TWO_SHOTS, make_stylizer())
    assert not np.array_equal(done[0].pixels, once[0].pixels), "the first frame learns from those after it"


def test_a_shot_is_painted_as_if_it_were_alone_and_the_store_is_left_empty(
    make_stylizer: MakeStylizer,
) -> None:
    frames, store = clip([(1, 3), (2, 3)]), {}
    together = _run(frames, TWO_SHOTS, _twice(make_stylizer), store=store)
    alone = _run(frames[3:], TWO_SHOTS[1:], _twice(make_stylizer))
    for one, other in zip(together[3:], alone, strict=True):
        assert np.array_equal(one.pixels, other.pixels)
    assert store == {}


def test_news_tell_both_passes(make_stylizer: MakeStylizer) -> None:
    events: list[Event] = []
    _run(
        clip([(1, 3), (2, 1)]),
        (Shot(0, 3), Shot(3, 4)),
        _twice(make_stylizer),
        context=Context(events.append),
    )
    shots = [(event.index, event.pass_number) for event in events if isinstance(event, ShotStarted)]
    assert shots == [(0, 1), (0, 2), (1, 1), (1, 2)]
    done = [(event.index, event.warm) for event in events if isinstance(event, FrameDone)]
    first, second = [(0, False), (1, True), (2, True)], [(2, True), (1, True), (0, True)]
    assert done == [*first, *second, (3, False), (3, True)]


def test_a_shots_frames_come_before_the_next_shot_is_begun(make_stylizer: MakeStylizer) -> None:
    events: list[Event] = []
    frames = clip([(1, 3), (2, 3)])
    running = stylize_frames(frames, TWO_SHOTS, _twice(make_stylizer), context=Context(events.append))
    for _ in range(3):
        next(running)
    assert {event.index for event in events if isinstance(event, ShotStarted)} == {0}
    running.close()


@pytest.mark.parametrize("warm_start", ["previous", "none"])
def test_without_flow_one_pass_is_all_there_is(make_stylizer: MakeStylizer, warm_start: str) -> None:
    stylizer = _twice(make_stylizer, warm_start=warm_start)
    frames = clip([(1, 3)])
    once = _run(frames, [Shot(0, 3)], make_stylizer(video={"warm_start": warm_start}))
    for one, other in zip(_run(frames, [Shot(0, 3)], stylizer), once, strict=True):
        assert np.array_equal(one.pixels, other.pixels)
    times = [one.preset.video.painted_times for one in (stylizer, _twice(make_stylizer))]
    assert times == [1, 2]


def test_frames_of_a_still_come_nearer_to_each_other(make_stylizer: MakeStylizer) -> None:
    frames = grainy(clip([(1, 5)], height=48, width=64, pan_px=0.0))

    def far_apart(passes: int) -> float:
        video = {"passes": passes, "leash_weight": 0.0, "temporal_weight": 0.0}
        done = _run(frames, [Shot(0, 5)], make_stylizer(video=video))
        return float(np.abs(done[0].pixels.astype(float) - done[-1].pixels).mean())

    assert far_apart(2) < 0.8 * far_apart(1)


def test_what_is_uncovered_late_is_brought_back_from_when_it_had_been_painted(
    make_stylizer: MakeStylizer,
) -> None:
    """A bar hides the left third in the first frame alone, and few steps follow."""
    frames = grainy(clip([(1, 6)], height=48, width=64, pan_px=0.0))
    covered = frames[0].pixels.copy()
    covered[:, :24] = (250, 20, 20)
    frames[0] = replace(frames[0], pixels=covered)

    def left_behind(passes: int) -> float:
        video = {"passes": passes, "steps": 3, "min_steps": 3, "tolerance": 0.0}
        done = _run(frames, [Shot(0, 6)], make_stylizer(video=video))
        return float(np.abs(done[1].pixels[:, 2:18].astype(float) - done[-1].pixels[:, 2:18]).mean())

    assert left_behind(2) < 0.6 * left_behind(1)


def test_work_is_done_one_ahead_and_in_order() -> None:
    begun: list[int] = []

    def work(number: int) -> int:
        begun.append(number)
        return number * number

    running = one_ahead(work, range(5))
    assert next(running) == 0 and len(begun) <= 2
    assert list(running) == [1, 4, 9, 16] and begun == [0, 1, 2, 3, 4]
    assert list(one_ahead(work, [])) == []
