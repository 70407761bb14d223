"""The hub: frames in, stylized frames out, in order; a shot remembers itself and nothing before it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from scenes import clip, grainy, texture

from framestyle.context import Context
from framestyle.events import Event, FrameDone, ShotStarted, StepDone
from framestyle.frames import Frame
from framestyle.motion.carry import (
    Painted,
    carry,
    drift_penalties,
    followed_level,
    move,
    moved_anchor,
    temporal_targets,
)
from framestyle.motion.flow import Motion
from framestyle.motion.sequence import stylize_frames, working_size
from framestyle.motion.shots import Shot
from framestyle.nst.image import Size, to_tensor
from framestyle.nst.losses import temporal_loss
from framestyle.nst.objective import TemporalTarget
from framestyle.nst.optimise.state import PixelState
from framestyle.nst.statistics.matches import NONE_BEFORE
from framestyle.nst.stylizer import Stylized, Stylizer

MakeStylizer = Callable[..., Stylizer]
TWO_SHOTS = (Shot(0, 3), Shot(3, 6))
WARM_STARTS = ("flow", "previous", "none")
FEW: dict[str, Any] = {"scales": {"first_steps": 1, "steps": 1}, "video": {"steps": 1, "min_steps": 1}}
"""Where it is the motion that decides."""
IDENTITY: dict[str, Any] = {
    "scales": {"first_steps": 0, "steps": 0},
    "video": {"steps": 0, "min_steps": 0},
}


@pytest.fixture
def two_shots() -> list[Frame]:
    """Two shots of three frames."""
    return clip([(1, 3), (2, 3)], height=24, width=32)


def _run(frames: Sequence[Frame], shots: Sequence[Shot], stylizer: Stylizer) -> list[Frame]:
    return list(stylize_frames(frames, shots, stylizer))


def _same(one: Sequence[Frame], other: Sequence[Frame]) -> bool:
    return all(np.array_equal(a.pixels, b.pixels) for a, b in zip(one, other, strict=True))


# -- what comes out ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("warm_start", WARM_STARTS)
def test_every_frame_comes_out_once_in_order_with_its_index_and_time(
    make_stylizer: MakeStylizer, two_shots: list[Frame], warm_start: str
) -> None:
    uneven = [replace(frame, index=frame.index + 7, pts=Fraction(frame.index**2, 30)) for frame in two_shots]
    shots = [Shot(shot.first + 7, shot.end + 7) for shot in TWO_SHOTS]
    done = _run(uneven, shots, make_stylizer(video={"warm_start": warm_start}))
    assert [(frame.index, frame.pts) for frame in done] == [(frame.index, frame.pts) for frame in uneven]
    for frame, source in zip(done, uneven, strict=True):
        assert frame.pixels.shape == source.pixels.shape and frame.pixels.dtype == np.uint8
        assert frame.pixels.flags.c_contiguous
        assert np.abs(frame.pixels.astype(int) - source.pixels).mean() > 2, "not stylized"


@pytest.mark.parametrize("warm_start", WARM_STARTS)
def test_no_frames_in_are_no_frames_out(make_stylizer: MakeStylizer, warm_start: str) -> None:
    assert _run([], [], make_stylizer(video={"warm_start": warm_start})) == []


def test_the_frames_that_came_in_are_left_as_they_were(
    make_stylizer: MakeStylizer, two_shots: list[Frame]
) -> None:
    before = [frame.pixels.copy() for frame in two_shots]
    _run(two_shots, TWO_SHOTS, make_stylizer())
    assert all(np.array_equal(frame.pixels, old) for frame, old in zip(two_shots, before, strict=True))


@pytest.mark.parametrize("warm_start", WARM_STARTS)
def test_one_seed_gives_the_same_pixels(
    make_stylizer: MakeStylizer, two_shots: list[Frame], warm_start: str
) -> None:
    noise = {"optimizer": {"init": "noise"}, "video": {"warm_start": warm_start}}
    one, same = (_run(two_shots, TWO_SHOTS, make_stylizer(seed=5, **noise)) for _ in range(2))
    assert _same(one, same)
    assert not _same(one, _run(two_shots, TWO_SHOTS, make_stylizer(seed=6, **noise)))


def test_frames_are_delivered_at_the_presets_size(
    make_stylizer: MakeStylizer, two_shots: list[Frame]
) -> None:
    done = _run(two_shots, TWO_SHOTS, make_stylizer(scales={"max_side_px": 16}))
    assert {frame.pixels.shape for frame in done} == {(12, 16, 3)}
    assert working_size(Size(32, 24), 16) == Size(16, 12)
    assert working_size(Size(32, 24), 100) == working_size(Size(32, 24), 0) == Size(32, 24)


@pytest.mark.parametrize(("height", "width"), [(12, 64), (64, 12), (9, 17), (16, 1), (1, 16)])
def test_thin_and_odd_frames_work(make_stylizer: MakeStylizer, height: int, width: int) -> None:
    frames = clip([(1, 3)], height=height, width=width)
    assert [frame.pixels.shape for frame in _run(frames, [Shot(0, 3)], make_stylizer())] == [
        (height, width, 3)
    ] * 3


@pytest.mark.parametrize("passes", [1, 2])
def test_sixteen_bit_frames_are_stylized_as_their_eight_bit_likes_and_stay_deep(
    make_stylizer: MakeStylizer, two_shots: list[Frame], passes: int
) -> None:
    deep = [replace(frame, pixels=frame.pixels.astype(np.uint16) * 257) for frame in two_shots]
    sixteen, eight = (
        _run(frames, TWO_SHOTS, make_stylizer(video={"passes": passes})) for frames in (deep, two_shots)
    )
    for one, other in zip(sixteen, eight, strict=True):
        assert one.pixels.dtype == np.uint16 and other.pixels.dtype == np.uint8
        assert np.abs(one.pixels / 257 - other.pixels).max() <= 1
    assert any((frame.pixels % 257).any() for frame in sixteen), "cut to eight bits on the way"


# -- shots -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("warm_start", WARM_STARTS)
def test_a_shot_is_stylized_as_if_it_were_alone(
    make_stylizer: MakeStylizer, two_shots: list[Frame], warm_start: str
) -> None:
    video = {"warm_start": warm_start}
    together = _run(two_shots, TWO_SHOTS, make_stylizer(video=video))
    assert _same(together[:3], _run(two_shots[:3], [Shot(0, 3)], make_stylizer(video=video)))
    assert _same(together[3:], _run(two_shots[3:], [Shot(3, 6)], make_stylizer(video=video)))


def test_without_the_cut_the_first_shot_would_show_in_the_second(
    make_stylizer: MakeStylizer, two_shots: list[Frame]
) -> None:
    """The test above can fail."""
    video = {"warm_start": "previous"}
    uncut = _run(two_shots, [Shot(0, 6)], make_stylizer(video=video))
    assert not _same(uncut[3:], _run(two_shots[3:], [Shot(3, 6)], make_stylizer(video=video)))


def test_a_cut_that_nobody_found_starts_afresh(make_stylizer: MakeStylizer) -> None:
    frames = clip([(1, 3), (2, 3)], height=72, width=96)
    events: list[Event] = []
    stylizer = make_stylizer(**FEW)
    uncut = list(stylize_frames(frames, [Shot(0, 6)], stylizer, context=Context(events.append)))
    assert [event.warm for event in events if isinstance(event, FrameDone)] == [False, True, True] * 2
    assert _same(uncut[3:], _run(frames[3:], [Shot(3, 6)], make_stylizer(**FEW)))


def test_a_shot_of_one_frame_and_a_shot_with_no_frame_of_its_own_are_no_hindrance(
    make_stylizer: MakeStylizer, two_shots: list[Frame]
) -> None:
    shots = [Shot(0, 1), Shot(1, 3), Shot(3, 6)]
    done = _run(two_shots, shots, make_stylizer())
    assert _same(done[1:3], _run(two_shots[1:3], [Shot(1, 3)], make_stylizer()))
    # A range that begins in the second shot: the first one's frames never come.
    assert _same(
        _run(two_shots[4:], TWO_SHOTS, make_stylizer()), _run(two_shots[4:], [Shot(4, 6)], make_stylizer())
    )


# -- warm starts -------------------------------------------------------------------------------------------


def test_without_warm_start_every_frame_is_made_as_a_photo_is(
    make_stylizer: MakeStylizer, two_shots: list[Frame]
) -> None:
    stylizer = make_stylizer(video={"warm_start": "none"})
    done = _run(two_shots, TWO_SHOTS, stylizer)
    alone = [_run([frame], [Shot(frame.index, frame.index + 1)], stylizer)[0] for frame in two_shots]
    assert _same(done, alone)


def test_the_kinds_of_warm_start_differ_from_the_second_frame_on(make_stylizer: MakeStylizer) -> None:
    frames = clip([(1, 3)], pan_px=2)
    flow, previous, none = (
        _run(frames, [Shot(0, 3)], make_stylizer(video={"warm_start": kind})) for kind in WARM_STARTS
    )
    assert _same(flow[:1], previous[:1]) and _same(flow[:1], none[:1])
    for one, other in ((flow, previous), (flow, none), (previous, none)):
        assert not np.array_equal(one[1].pixels, other[1].pixels)


def test_a_still_clip_needs_no_flow_to_start_from_the_frame_before(make_stylizer: MakeStylizer) -> None:
    still = clip([(1, 3)], pan_px=0)
    video = {"temporal_weight": 0.0}
    flow, previous = (
        _run(still, [Shot(0, 3)], make_stylizer(video={**video, "warm_start": kind}))
        for kind in ("flow", "previous")
    )
    for one, other in zip(flow, previous, strict=True):
        assert np.abs(one.pixels.astype(int) - other.pixels).max() <= 1


def test_what_flow_carries_moves_with_the_scene(make_stylizer: MakeStylizer) -> None:
    """After few steps from noise, a frame is the warped earlier result rather than the earlier result in its place."""
    frames = clip([(1, 2)], height=48, width=64, pan_px=4)
    few = {"scales": {"first_steps": 10, "steps": 0, "min_px": 64}, "video": {"steps": 1, "min_steps": 1}}
    first, second = _run(frames, [Shot(0, 2)], make_stylizer(optimizer={"init": "noise"}, **few))
    moved = np.roll(first.pixels, -4, axis=1)[:, 4:-12].astype(int)
    stayed = first.pixels[:, 4:-12].astype(int)
    now = second.pixels[:, 4:-12]
    assert np.abs(now - moved).mean() < 0.5 * np.abs(now - stayed).mean()


def test_the_temporal_weight_holds_a_frame_near_the_warped_one(make_stylizer: MakeStylizer) -> None:
    frames = clip([(1, 4)], pan_px=0.05)

    def change(weight: float) -> float:
        done = _run(frames, [Shot(0, 4)], make_stylizer(video={"temporal_weight": weight, "steps": 20}))
        return float(np.abs(np.diff([frame.pixels.astype(int) for frame in done], axis=0)).mean())

    assert change(1000.0) < 0.5 * change(0.0)


def test_a_warm_frame_takes_the_steps_of_video_and_a_first_frame_those_of_the_scales(
    make_stylizer: MakeStylizer, two_shots: list[Frame]
) -> None:
    seen: list[Event] = []
    list(
        stylize_frames(
            two_shots, TWO_SHOTS, make_stylizer(video={"tolerance": 0.0}), context=Context(seen.append)
        )
    )
    done = [event for event in seen if isinstance(event, FrameDone)]
    # 32 px from 16 px: three scales.
    cold = 6 + 3 + 3
    assert [event.steps for event in done] == [cold, 5, 5, cold, 5, 5]
    assert [event.warm for event in done] == [False, True, True, False, True, True]


def test_a_frame_that_is_made_afresh_is_not_called_warm(
    make_stylizer: MakeStylizer, two_shots: list[Frame]
) -> None:
    seen: list[Event] = []
    stylizer = make_stylizer(video={"warm_start": "none"})
    list(stylize_frames(two_shots, TWO_SHOTS, stylizer, context=Context(seen.append)))
    assert [event.warm for event in seen if isinstance(event, FrameDone)] == [False] * 6


# -- identity ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("warm_start", WARM_STARTS)
def test_no_steps_at_all_give_the_content_back(
    make_stylizer: MakeStylizer, two_shots: list[Frame], warm_start: str
) -> None:
    changes = {**IDENTITY, "video": {**IDENTITY["video"], "warm_start": warm_start}}
    assert _same(_run(two_shots, TWO_SHOTS, make_stylizer(**changes)), two_shots)


def test_no_steps_for_warm_frames_carry_the_first_one_along(make_stylizer: MakeStylizer) -> None:
    """Not the bare content: that is for presets with no steps anywhere."""
    none = {"steps": 0, "min_steps": 0}
    still = _run(clip([(1, 3)], pan_px=0), [Shot(0, 3)], make_stylizer(video=none))
    for frame in still[1:]:
        assert np.abs(frame.pixels.astype(int) - still[0].pixels).max() <= 1
    first, _, third = _run(clip([(1, 3)], width=64, pan_px=2), [Shot(0, 3)], make_stylizer(video=none))
    moved = np.abs(np.roll(first.pixels, -4, axis=1).astype(int) - third.pixels)[4:-4, 8:-16]
    assert moved.mean() < 3


# -- carrying ----------------------------------------------------------------------------------------------


def _result(seed: int, height: int = 24, width: int = 32) -> Stylized:
    """A made-up result with a state whose parts differ."""
    image, mean, square, average = (
        to_tensor(texture(seed + n, height, width).astype(np.uint8)) for n in range(4)
    )
    step_count = torch.zeros(1, 1, height, width)
    weights = torch.tensor([0.7, 0.1, 0.6]).view(1, 3, 1, 1).repeat(1, 1, height, width)
    state = PixelState(image, mean - 0.5, square, 0.6 * average, weights, step_count)
    return Stylized(state.result(), state, 12, 1.0)


def _painted(result: Stylized, content: torch.Tensor) -> Painted:
    """From a frame that showed the same, with enough steps behind every pixel."""
    result.state.step_count = torch.full_like(result.image[:, :1], 1000.0)
    return Painted.first(content, result)


def _carried(before: Painted, content: torch.Tensor, motion: Motion) -> tuple[PixelState, TemporalTarget]:
    moved = move(before, content, motion)
    (target,) = temporal_targets({1: moved}, 80, 1.0)
    return carry(moved, content), target


def test_without_motion_the_whole_state_is_carried_as_it_is() -> None:
    last, content = _result(1), to_tensor(texture(9, 24, 32).astype(np.uint8))
    still = Motion(np.zeros((24, 32, 2), np.float32), np.ones((24, 32), np.float32))
    before = _painted(last, content)
    state, target = _carried(before, content, still)
    for name in ("image", "mean", "square", "average"):
        torch.testing.assert_close(getattr(state, name), getattr(last.state, name), atol=1e-6, rtol=0)
    torch.testing.assert_close(state.total_weights, last.state.total_weights)
    torch.testing.assert_close(target.warped, last.image, atol=1e-6, rtol=0)
    assert float(target.reliability.min()) == 1


def test_the_whole_state_moves_by_the_flow() -> None:
    last, content = _result(1), to_tensor(texture(9, 24, 32).astype(np.uint8))
    backward = np.zeros((24, 32, 2), np.float32)
    backward[..., 0] = 3
    motion = Motion(backward, np.ones((24, 32), np.float32))
    before = _painted(last, content)
    state, target = _carried(before, content, motion)
    for name in ("image", "mean", "square", "average"):
        torch.testing.assert_close(
            getattr(state, name)[..., :-3], getattr(last.state, name)[..., 3:], atol=1e-5, rtol=0
        )
    torch.testing.assert_close(target.warped[..., :-3], last.image[..., 3:], atol=1e-5, rtol=0)


def test_where_the_warp_cannot_be_trusted_the_content_comes_in_and_the_moments_go() -> None:
    last, content = _result(1), to_tensor(texture(9, 24, 32).astype(np.uint8))
    trusted = np.ones((24, 32), np.float32)
    trusted[:, 20:] = 0
    motion = Motion(np.zeros((24, 32, 2), np.float32), trusted)
    # Something else stood there.
    earlier = content.clone()
    earlier[..., 20:] = (earlier[..., 20:] + 0.5) % 1
    before = _painted(last, earlier)
    state, target = _carried(before, content, motion)
    assert float(state.mean[..., 20:].abs().max()) == float(state.square[..., 20:].max()) == 0
    torch.testing.assert_close(state.image[..., :20], last.state.image[..., :20], atol=1e-6, rtol=0)
    # Its detail is the content's, whatever its colour; and nothing of the earlier picture shines through.
    detail = [one[0, :, :, 22:].flatten(1) for one in (state.image, content, last.image)]
    with_content = np.corrcoef(_high(detail[0]), _high(detail[1]))[0, 1]
    with_ghost = np.corrcoef(_high(detail[0]), _high(detail[2]))[0, 1]
    assert with_content > 0.9 and abs(with_ghost) < 0.3
    torch.testing.assert_close(state.result()[..., 20:], state.image[..., 20:], atol=1e-5, rtol=0)
    assert float(target.reliability[..., 20:].max()) == 0 and float(target.reliability[..., :12].min()) == 1
    # And no average of another picture holds them back.
    assert float(state.average_weight[..., 20:].max()) == 0
    torch.testing.assert_close(state.average_weight[..., :20], last.state.average_weight[..., :20])


def test_where_the_flow_is_vague_and_the_content_alike_strokes_are_taken_over() -> None:
    """Beside a moving thing, before an even sky."""
    last, sky = _result(1), torch.full((1, 3, 24, 32), 0.6)
    trusted = np.ones((24, 32), np.float32)
    trusted[:, 20:] = 0
    motion = Motion(np.zeros((24, 32, 2), np.float32), trusted)
    state, _ = _carried(_painted(last, sky), sky, motion)
    torch.testing.assert_close(state.image, last.state.image, atol=1e-6, rtol=0)
    # They are free to move, and nothing is behind them.
    assert float(state.mean[..., 20:].abs().max()) == float(state.step_count[..., 20:].max()) == 0
    # What differs by so little that it could be the same thing lit anew is another thing where the flow is vague.
    darker = sky - 0.055
    taken = _carried(_painted(last, sky), darker, motion)[0].image
    torch.testing.assert_close(taken[..., :20], last.state.image[..., :20], atol=1e-6, rtol=0)
    assert float(taken[..., 26:].diff().abs().mean()) < 0.2 * float(
        last.state.image[..., 26:].diff().abs().mean()
    )
    # From beyond the frame's edge nothing is taken.
    beyond = Motion(np.full((24, 32, 2), 40, np.float32), trusted * 0)
    from_beyond, _ = _carried(_painted(last, sky), sky, beyond)
    torch.testing.assert_close(from_beyond.image, sky, atol=1e-6, rtol=0)


def _high(flat: torch.Tensor) -> np.ndarray:
    return (flat - flat.mean(1, keepdim=True)).flatten().numpy()


def test_filled_in_content_takes_on_the_colour_of_the_stylized_surroundings() -> None:
    grey = torch.full((1, 3, 24, 32), 0.5)
    red = torch.tensor([0.8, 0.4, 0.4]).view(1, 3, 1, 1).expand(1, 3, 24, 32).contiguous()
    last = Stylized(red, PixelState.start(red), 1, 1.0)
    trusted = np.ones((24, 32), np.float32)
    trusted[8:16, 12:20] = 0
    before = _painted(last, torch.zeros_like(grey))
    state, _ = _carried(before, grey, Motion(np.zeros((24, 32, 2), np.float32), trusted))
    torch.testing.assert_close(state.image, red, atol=0.02, rtol=0)


def test_carried_pixels_and_moments_stay_in_their_ranges() -> None:
    """Lanczos rings at edges; a second moment below zero would give NaN."""
    checks = (np.indices((24, 32)).sum(0) // 4 % 2).astype(np.float32)
    image = torch.from_numpy(checks).expand(1, 3, 24, 32).contiguous()
    last = Stylized(
        image, PixelState(image, image, image, image, torch.ones_like(image), image[:, :1]), 3, 1.0
    )
    motion = Motion(np.full((24, 32, 2), 0.4, np.float32), np.ones((24, 32), np.float32))
    before = _painted(last, image)
    state, target = _carried(before, image, motion)
    for picture in (state.image, state.result(), target.warped):
        assert float(picture.min()) >= 0 and float(picture.max()) <= 1
    assert float(state.square.min()) >= 0


def test_each_part_of_the_state_can_be_left_behind() -> None:
    last, content = _result(1), to_tensor(texture(9, 24, 32).astype(np.uint8))
    still = Motion(np.zeros((24, 32, 2), np.float32), np.ones((24, 32), np.float32))
    moved = move(_painted(last, content), content, still)
    without = carry(moved, content, moments=False)
    assert float(without.mean.abs().max()) == float(without.square.max()) == 0
    assert float(without.total_weights[:, :2].max()) == 0
    torch.testing.assert_close(without.result(), last.image, atol=1e-6, rtol=0)
    fresh = carry(moved, content, average=False)
    assert float(fresh.average_weight.max()) == 0 and float(fresh.total_weights[:, :2].min()) > 0
    # What was shown goes on, not the iterate behind it.
    torch.testing.assert_close(fresh.image, last.image, atol=1e-6, rtol=0)


def test_an_earlier_frame_speaks_only_where_no_nearer_one_does() -> None:
    """Ruder 2016, eq. 9, on masks that overlap."""
    masks = [np.zeros((24, 32), np.float32) for _ in range(3)]
    masks[0][:, :16], masks[1][:, 8:24], masks[2][:] = 1.0, 0.75, 0.5
    still = np.zeros((24, 32, 2), np.float32)
    motions = {
        far: Motion(still, mask) for far, mask in zip((4, 1, 2), (masks[2], masks[0], masks[1]), strict=True)
    }
    done = [_result(seed) for seed in (1, 2, 3, 4)]
    grey = torch.full((1, 3, 24, 32), 0.5)
    earlier = {far: move(_painted(done[far - 1], grey), grey, motion) for far, motion in motions.items()}
    targets = temporal_targets(earlier, 80, 1.0)
    for target, one in zip(targets, (done[0], done[1], done[3]), strict=True):
        torch.testing.assert_close(target.warped, one.image, atol=1e-6, rtol=0)
    wanted = [masks[0], np.maximum(masks[1] - masks[0], 0), np.maximum(masks[2] - masks[1] - masks[0], 0)]
    for target, mask in zip(targets, wanted, strict=True):
        assert np.array_equal(target.reliability[0, 0].numpy(), mask)


def test_pixels_that_came_in_lately_are_held_less() -> None:
    last = _result(1)
    step_count = torch.zeros(1, 1, 24, 32)
    step_count[..., 8:16], step_count[..., 16:] = 20.0, 80.0
    still = Motion(np.zeros((24, 32, 2), np.float32), np.ones((24, 32), np.float32))
    before = _painted(last, last.image)
    last.state.step_count = step_count
    (target,) = temporal_targets({1: move(before, last.image, still)}, 40, 1.0)
    assert torch.equal(target.reliability, (step_count / 40).clamp(0, 1))


def test_after_a_flash_the_shot_goes_on_from_before_it(make_stylizer: MakeStylizer) -> None:
    frames = clip([(1, 6)], height=72, width=96)
    frames[3] = replace(frames[3], pixels=clip([(5, 1)], height=72, width=96)[0].pixels)

    def warm(long_term: list[int]) -> list[bool]:
        events: list[Event] = []
        stylizer = make_stylizer(scales=FEW["scales"], video=FEW["video"] | {"long_term": long_term})
        list(stylize_frames(frames, [Shot(0, 6)], stylizer, context=Context(events.append)))
        return [event.warm for event in events if isinstance(event, FrameDone)]

    assert warm([1, 2]) == [False, True, True, False, True, True]
    assert warm([1]) == [False, True, True, False, False, True]


def test_what_comes_out_from_behind_something_looks_as_before(make_stylizer: MakeStylizer) -> None:
    """A bar hides the left half for one frame: the long-term target alone remembers it."""
    frames = grainy(clip([(1, 4)], height=48, width=64, pan_px=0.0))
    bar = frames[2].pixels.copy()
    bar[:, :24] = (250, 20, 20)
    frames[2] = replace(frames[2], pixels=bar)

    def change(long_term: list[int]) -> float:
        video = {"long_term": long_term, "temporal_weight": 2000.0, "steps": 20, "min_steps": 20}
        done = _run(frames, [Shot(0, 4)], make_stylizer(video=video))
        before, after = (done[n].pixels[:, 2:16].astype(float) for n in (1, 3))
        return float(np.square(after - before).mean())

    assert change([1, 2]) < 0.5 * change([1])


def test_a_frame_shown_once_more_costs_no_step_and_does_not_flicker(make_stylizer: MakeStylizer) -> None:
    frames = clip([(1, 2)])
    twice = [replace(frames[n // 2], index=n) for n in range(4)]
    events: list[Event] = []
    done = list(stylize_frames(twice, [Shot(0, 4)], make_stylizer(), context=Context(events.append)))
    steps = [event.steps for event in events if isinstance(event, FrameDone)]
    assert steps[1] == steps[3] == 0 and steps[2] > 0
    assert _same(done[:1], done[1:2]) and _same(done[2:3], done[3:]) and not _same(done[1:2], done[2:3])


def test_the_steps_behind_a_pixel_are_forgotten_where_the_content_changes() -> None:
    grey = torch.full((1, 3, 24, 32), 0.5)
    before = _painted(_result(1), grey)
    still = Motion(np.zeros((24, 32, 2), np.float32), np.ones((24, 32), np.float32))
    lit = grey.clone()
    lit[..., 16:] += 0.2
    step_count = move(before, lit, still).step_count[0, 0]
    assert float(step_count[:, 22:].max()) == 0 and float(step_count[:, :10].min()) == 1000
    # Sensor noise is no change.
    noise = torch.randn(grey.shape, generator=torch.Generator().manual_seed(1)) * 2 / 255
    assert float(move(before, grey + noise, still).step_count.min()) == 1000


def test_the_drift_penalty_keeps_broad_colours_from_creeping(make_stylizer: MakeStylizer) -> None:
    """A still camera with a noisy sensor, and a picture that is far from done after its first frame."""
    frames = grainy(clip([(1, 12)], height=48, width=64, pan_px=0.0))

    def drift(weight: float) -> float:
        video = {"leash_weight": weight, "temporal_weight": 0.0, "steps": 10, "min_steps": 10}
        done = _run(frames, [Shot(0, 12)], make_stylizer(video=video))
        levels = [frame.pixels.mean((0, 1)) for frame in done]
        return float(np.abs(levels[-1] - levels[1]).max())

    assert drift(4000.0) < 0.25 * drift(0.0)


def test_the_anchor_moves_by_the_flow() -> None:
    last = _result(1)
    before = replace(_painted(last, last.image), anchor=torch.zeros_like(last.image))
    backward = np.zeros((24, 32, 2), np.float32)
    backward[..., 0] = 3
    before.anchor[..., 5:] = 0.75
    anchor = moved_anchor(move(before, last.image, Motion(backward, np.ones((24, 32), np.float32))))
    torch.testing.assert_close(anchor[..., 8:], torch.full((1, 3, 24, 24), 0.75))


def test_the_drift_penalty_lets_strokes_be() -> None:
    anchor, holds = torch.full((1, 3, 24, 36), 0.5), torch.ones(1, 1, 24, 36)
    target, level = drift_penalties(anchor, holds, torch.full((1, 3, 1, 1), 0.4), 10.0)
    assert (target.cell_px, target.weight, level.cell_px, level.weight) == (3, 10.0, 0, 1.0)
    assert torch.equal(level.warped, torch.full_like(anchor, 0.4))
    strokes = anchor.clone()
    strokes[..., 0::3] += 0.2
    strokes[..., 1::3] -= 0.2

    def loss(image: torch.Tensor) -> float:
        return float(temporal_loss(image, target.warped, target.reliability, target.cell_px))

    assert loss(strokes) < 1e-9
    assert loss(anchor + 0.02) == pytest.approx(0.02**2, rel=1e-4)


def test_the_level_follows_the_content_half_way() -> None:
    before = _painted(_result(1), torch.full((1, 3, 24, 32), 0.5))
    level = followed_level(before, torch.full((1, 3, 24, 32), 0.7))
    torch.testing.assert_close(level, before.result.state.result().mean((2, 3), keepdim=True) + 0.1)


# -- news, order, stopping ---------------------------------------------------------------------------------


def test_news_tell_each_shot_and_each_frame_in_order(
    make_stylizer: MakeStylizer, two_shots: list[Frame]
) -> None:
    seen: list[Event] = []
    stylizer = make_stylizer()
    list(stylize_frames(two_shots, TWO_SHOTS, stylizer, context=Context(seen.append)))
    assert [event for event in seen if isinstance(event, ShotStarted)] == [
        ShotStarted(0, 0, 3),
        ShotStarted(1, 3, 3),
    ]
    told = [event for event in seen if not isinstance(event, StepDone)]
    kinds = [type(event).__name__[0] for event in told]
    assert "".join(kinds) == "SFFFSFFF"
    done = [event for event in told if isinstance(event, FrameDone)]
    assert [(event.index, event.shot) for event in done] == [(0, 0), (1, 0), (2, 0), (3, 1), (4, 1), (5, 1)]
    assert all(event.seconds > 0 and np.isfinite(event.loss) for event in done)
    # Each frame's steps are told before the frame.
    assert isinstance(seen[-2], StepDone) and isinstance(seen[-1], FrameDone)


def _flow_threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("flow")]


class _Source:
    """Frames that count how many were taken, and know whether they were closed."""

    def __init__(self, frames: Sequence[Frame], fail_at: int | None = None) -> None:
        self.frames, self.fail_at, self.taken, self.closed = frames, fail_at, 0, False

    def __iter__(self) -> Iterator[Frame]:
        try:
            for number, frame in enumerate(self.frames):
                if number == self.fail_at:
                    raise OSError("the disk is gone")
                self.taken += 1
                yield frame
        finally:
            self.closed = True


def test_frames_are_taken_at_most_one_ahead(make_stylizer: MakeStylizer) -> None:
    source = _Source(clip([(1, 8)], height=16, width=16))
    for number, _ in enumerate(stylize_frames(source, [Shot(0, 8)], make_stylizer()), 1):
        assert source.taken <= number + 1


def test_closing_in_the_middle_stops_the_source_and_the_thread(
    make_stylizer: MakeStylizer, two_shots: list[Frame]
) -> None:
    source = _Source(two_shots)
    running = stylize_frames(iter(source), TWO_SHOTS, make_stylizer())
    next(running)
    assert _flow_threads() and not source.closed
    running.close()
    assert not _flow_threads()
    assert source.taken < len(two_shots)
    assert list(running) == []


def test_an_error_of_the_source_comes_through_after_the_frames_before_it(
    make_stylizer: MakeStylizer, two_shots: list[Frame]
) -> None:
    running = stylize_frames(_Source(two_shots, fail_at=3), TWO_SHOTS, make_stylizer())
    got = []
    with pytest.raises(OSError, match="the disk is gone"):
        for frame in running:
            got.append(frame.index)
    assert got == [0, 1, 2][: len(got)] and len(got) >= 2
    assert not _flow_threads()


def test_an_error_in_the_callback_stops_the_work(make_stylizer: MakeStylizer, two_shots: list[Frame]) -> None:
    def stop(event: Event) -> None:
        if isinstance(event, FrameDone) and event.index == 1:
            raise KeyboardInterrupt

    got = []
    with pytest.raises(KeyboardInterrupt):
        for frame in stylize_frames(two_shots, TWO_SHOTS, make_stylizer(), context=Context(stop)):
            got.append(frame.index)
    assert got == [0]
    deadline = time.monotonic() + 5
    while _flow_threads() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not _flow_threads()


def test_sizes_that_differ_between_shots_are_no_hindrance(make_stylizer: MakeStylizer) -> None:
    """A host may bring what it likes: at a cut nothing is compared."""
    frames = clip([(1, 2)], height=16, width=24)
    other = [replace(frame, index=frame.index + 2) for frame in clip([(2, 2)], height=24, width=16)]
    done = _run([*frames, *other], [Shot(0, 2), Shot(2, 4)], make_stylizer())
    assert [frame.pixels.shape[:2] for frame in done] == [(16, 24), (16, 24), (24, 16), (24, 16)]


def test_shrinking_averages(make_stylizer: MakeStylizer) -> None:
    frames = clip([(1, 1)], height=48, width=64)
    scales = {**IDENTITY["scales"], "max_side_px": 32}
    (done,) = _run(frames, [Shot(0, 1)], make_stylizer(**{**IDENTITY, "scales": scales}))
    assert np.array_equal(done.pixels, cv2.resize(frames[0].pixels, (32, 24), interpolation=cv2.INTER_AREA))


def test_matches_with_the_style_move_along_and_are_forgotten_where_something_else_is_shown() -> None:
    last, content = _result(1), to_tensor(texture(9, 24, 32).astype(np.uint8))
    last.state.matches = torch.arange(2 * 24 * 32, dtype=torch.int16).view(1, 2, 24, 32)
    backward = np.zeros((24, 32, 2), np.float32)
    backward[..., 0] = 3
    trusted = np.ones((24, 32), np.float32)
    trusted[:6] = 0
    earlier = content.roll(3, 3)  # what it shows is what is seen
    state, _ = _carried(_painted(last, earlier), content, Motion(backward, trusted))
    assert torch.equal(state.matches[..., 6:, :-3], last.state.matches[..., 6:, 3:])
    assert bool((state.matches[..., :6, :] == NONE_BEFORE).all())
    changed, _ = _carried(_painted(last, 1 - earlier), content, Motion(backward, trusted))
    assert float((changed.matches == NONE_BEFORE).float().mean()) > 0.8
