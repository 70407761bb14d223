"""What a render would take is computed from the steps of a preview: by pixels and steps of every scale."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from framestyle.events import Event, FrameDone, StepDone
from framestyle.jobs.preview.times import Source, StepTimes, full_render
from framestyle.nst.image import Size, scale_sizes
from framestyle.presets import Preset

SQUARE = Size(512, 512)


class _Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def _preset(**changes: Any) -> Preset:
    scales = {"min_px": 128, "max_side_px": 512, "first_steps": 30, "steps": 10}
    return Preset.model_validate({"scales": scales, **changes})


def _step(size: Size, steps: int) -> StepDone:
    return StepDone(steps, steps, 0, 1, size.width, size.height, (0.5,) * steps, ())


def _seen(windows: Iterable[tuple[Size, int, float]]) -> StepTimes:
    """Windows of steps: size, steps, seconds each."""
    clock = _Clock()
    times = StepTimes(clock)
    for size, steps, each_s in windows:
        clock.now += steps * each_s
        times(_step(size, steps))
    return times


def _cost(size: Size, fixed_s: float = 0.0) -> float:
    return fixed_s + size.area_px * 1e-6


@pytest.mark.parametrize("fixed_s", [0.0, 0.005])
def test_a_photo_costs_the_steps_of_all_its_scales(fixed_s: float) -> None:
    """Whether or not a step costs something whatever its size, as on a GPU."""
    small = scale_sizes(Size(256, 256), 128)
    times = _seen([(size, 10, _cost(size, fixed_s)) for size in small for _ in range(3)])
    expected = sum(
        (10 if n else 30) * _cost(size, fixed_s) for n, size in enumerate(scale_sizes(SQUARE, 128))
    )
    found = full_render(_preset(), [Source(Size(1024, 1024))], times)
    assert found is not None and not found.at_most
    assert found.seconds == pytest.approx(expected, rel=1e-6)
    twice = full_render(_preset(), [Source(SQUARE), Source(SQUARE)], times)
    assert twice is not None and twice.seconds == pytest.approx(2 * expected)


def test_one_size_alone_is_scaled_by_pixels_and_noise_makes_no_nonsense() -> None:
    times = _seen([(Size(100, 100), 10, 0.1)])
    assert times.step_s(40_000) == pytest.approx(0.4)
    # A smaller size that happened to be slower: the larger one counts.
    times = _seen([(Size(50, 50), 10, 0.3), (Size(100, 100), 10, 0.1)])
    assert times.step_s(40_000) == pytest.approx(0.4)


def test_sizes_that_are_hardly_apart_do_not_tell_how_a_step_grows() -> None:
    """By noise alone, a line through them says anything; then the estimate is an upper bound, and says so."""
    near = [(Size(106, 71), 10, 0.20), (Size(113, 75), 10, 0.201)]
    times = _seen(near)
    assert times.step_s(84_750) == pytest.approx(2.01)
    found = full_render(_preset(), [Source(SQUARE)], times)
    assert found is not None and found.at_most
    # What was itself measured is no bound.
    small = Source(Size(113, 75))
    measured = full_render(_preset(), [small], times)
    assert measured is not None and not measured.at_most


def test_what_else_the_machine_does_is_in_the_level_and_not_in_the_growth() -> None:
    """Half of the windows take twice as long, at the smaller size more of them."""
    small, large = Size(100, 100), Size(200, 100)
    windows = [(small, 10, _cost(small, 0.005) * factor) for factor in (1, 2, 2, 2)]
    windows += [(large, 10, _cost(large, 0.005) * factor) for factor in (1, 2, 2)]
    assert _seen(windows).step_s(200_000) == pytest.approx(2 * (0.005 + 0.2))


def test_the_making_of_targets_does_not_count_as_steps() -> None:
    times = _seen([(Size(100, 100), 10, each) for each in (0.9, 0.1, 0.1, 0.1)])
    assert times.step_s(10_000) == pytest.approx(0.1)


def test_a_clip_costs_a_start_for_each_shot_and_its_warm_frames() -> None:
    times = _seen([(size, 10, _cost(size)) for size in scale_sizes(Size(256, 256), 128)])
    start = full_render(_preset(), [Source(SQUARE)], times)
    assert start is not None
    clip = Source(SQUARE, frames=50, shots=2)
    unseen = full_render(_preset(video={"steps": 12}), [clip], times)
    assert unseen is not None and unseen.at_most
    assert unseen.seconds == pytest.approx(2 * start.seconds + 48 * 12 * _cost(SQUARE))
    # Where warm frames were seen, they say what one takes: here 2 s for a quarter of the pixels.
    for event in _warm_frames(2.0):
        times(event)
    seen = full_render(_preset(), [clip], times)
    assert seen is not None and not seen.at_most
    assert seen.seconds == pytest.approx(2 * start.seconds + 48 * 8.0, rel=0.01)
    both = full_render(_preset(video={"passes": 2}), [clip], times)
    assert both is not None and both.seconds == pytest.approx(2 * start.seconds + 98 * 8.0, rel=0.01)
    cold = full_render(_preset(video={"warm_start": "none", "passes": 2}), [clip], times)
    assert cold is not None and cold.seconds == pytest.approx(50 * start.seconds)


def _warm_frames(seconds: float) -> list[Event]:
    """A repeated frame takes no step, and tells nothing."""
    return [FrameDone(0, 0, 3, seconds, 0.1, True), FrameDone(1, 0, 0, 0.0, 0.1, True)]


def test_without_a_step_there_is_no_estimate() -> None:
    assert full_render(_preset(), [Source(SQUARE)], StepTimes(_Clock())) is None
