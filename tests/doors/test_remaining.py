"""The first estimate of the time left, and each after it, is within a factor of two: by scripted jobs on a clock."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from heapq import heapify, heapreplace

import pytest

from framestyle.doors.remaining import LEAST_STEPS, Remaining
from framestyle.events import (
    Event,
    FrameDone,
    JobDone,
    JobStarted,
    MachinesAtWork,
    PhotoDone,
    ShotStarted,
    StepDone,
    TaskDone,
    TaskFailed,
    TaskPlanned,
    TaskResumed,
    TaskStarted,
)
from framestyle.jobs.plan.estimate import clip_plan, photo_plan
from framestyle.kinds import MediaKind
from framestyle.nst.sizes import Size, steps_by_scale
from framestyle.presets import Preset

Timed = tuple[float, Event]
"""Seconds after the last one, and the event."""
LARGE, SMALL = Size(1024, 768), Size(384, 288)


class _Clock:
    now = 50.0

    def __call__(self) -> float:
        return self.now


def _preset(**video: object) -> Preset:
    """The default's steps: 100, 30 at each scale between, 80; but at most 20 for a warm frame."""
    return Preset.model_validate({"video": {"steps": 20, **video}})


@dataclass(frozen=True)
class _Machine:
    """What steps cost there. `fixed_px`: how many pixels cost as much as what a step costs whatever its size."""

    megapixel_s: float
    fixed_px: float
    device: str = "cpu float32"
    noise: float = 0.15

    def window_s(self, size: Size, steps: int, dice: random.Random) -> float:
        each = self.megapixel_s * (size.area_px + self.fixed_px) / 1e6
        return each * steps * dice.uniform(1 - self.noise, 1 + self.noise)

    def begin_s(self, size: Size) -> float:
        """Features of a scale's content and style, before its first step."""
        return 2 * self.megapixel_s * (size.area_px + self.fixed_px) / 1e6


CORE = _Machine(9.0, 6e3)
MACHINES = [
    pytest.param(CORE, id="core"),
    pytest.param(_Machine(30.0, 2e3), id="busy"),
    pytest.param(_Machine(5.0, 10e3), id="small steps dear"),
    pytest.param(_Machine(0.05, 250e3, "cuda:0 float32"), id="gpu"),
    pytest.param(_Machine(0.05, 150e3, "cuda:0 float32"), id="gpu, small steps cheap"),
    pytest.param(_Machine(0.05, 450e3, "cuda:0 float32"), id="gpu, small steps dear"),
]


def _windows(
    size: Size, steps: int, place: tuple[int, int], every: int, of: _Machine, dice: random.Random
) -> Iterator[Timed]:
    before = of.begin_s(size)
    for done in range(0, steps, every):
        count = min(every, steps - done)
        seconds = before + of.window_s(size, count, dice)
        yield seconds, StepDone(done + count, steps, *place, *size, (0.5,) * count, ())
        before = 0.0


def _whole(preset: Preset, size: Size, of: _Machine, dice: random.Random) -> Iterator[Timed]:
    """A picture over all scales."""
    scales = steps_by_scale(size, preset.scales)
    for number, (scale, steps) in enumerate(scales):
        yield from _windows(scale, steps, (number, len(scales)), 10, of, dice)


def _photo(path: str, preset: Preset, size: Size, of: _Machine, dice: random.Random) -> list[Timed]:
    news: list[Timed] = [
        (0.05, TaskStarted(path, MediaKind.PHOTO, 0, 1, 1, *size)),
        *_whole(preset, size, of, dice),
    ]
    seconds = sum(after for after, _ in news) + 0.1
    return [
        *news,
        (0.1, PhotoDone(path, f"out/{path}", 1, seconds, 0.5)),
        (0.01, TaskDone(path, f"out/{path}", 1, 1, seconds)),
    ]


def _clip(
    path: str,
    preset: Preset,
    size: Size,
    shots: Sequence[int],
    of: _Machine,
    dice: random.Random,
    warm_steps: Callable[[int], int] = lambda number: 20,
    resumed: TaskResumed | None = None,
) -> Iterator[Timed]:
    """Its shots have so many frames each; warm frame `number` takes `warm_steps(number)`."""
    yield (
        0.2,
        TaskStarted(path, MediaKind.VIDEO, 0, sum(shots), len(shots), *size, preset.video.painted_times),
    )
    if resumed is not None:
        yield 0.1, resumed
    number, left_out = 0, 0 if resumed is None else resumed.frames
    for shot, frames in enumerate(shots):
        if number + frames <= left_out:
            number += frames
            continue
        for pass_number in range(1, preset.video.painted_times + 1):
            yield 0.0, ShotStarted(shot, number, frames, pass_number)
            for place in range(frames):
                if number + place < left_out:
                    continue
                warm = place > 0 or pass_number > 1
                steps = warm_steps(number + place)
                if warm and steps:
                    yield from _windows(size, steps, (0, 1), 5, of, dice)
                elif not warm:
                    yield from _whole(preset, size, of, dice)
                yield of.begin_s(size) / 4, FrameDone(number + place, shot, steps, 1.0, 0.5, warm)
        number += frames
    yield 0.3, TaskDone(path, f"out/{path}", sum(shots), 1, 1.0)


def _started(of: _Machine, frames: int = 1) -> Timed:
    return 0.0, JobStarted(("in",), "out", "wave", "original", of.device, 1, frames)


def _at_once(*each: list[Timed], hands: int) -> list[Timed]:
    """Photos beside each other, told as if one had followed the other."""
    free, told, begun = [0.0] * hands, [], []
    heapify(free)
    for news in each:
        begun.append(free[0])
        heapreplace(free, free[0] + sum(after for after, _ in news))
    over = 0.0
    for begin, news in zip(begun, each, strict=True):
        now = begin
        for after, event in news:
            now += after
            over = max(over, now)
            told.append((over, event))
    before = [0.0, *(at for at, _ in told)]
    return [(at - last, event) for (at, event), last in zip(told, before, strict=False)]


def _shots_at_once(begin: Timed, *each: list[Timed], hands: int, slower: float) -> list[Timed]:
    """Shots beside each other, told as it comes. Each hand is so many times slower than if it were alone."""
    free, happens = [0.0] * hands, list[Timed]()
    for news in each:
        begun = now = free[0]
        for after, event in news:
            now += after * slower
            if isinstance(event, FrameDone):
                event, begun = replace(event, seconds=now - begun), now
            happens.append((now, event))
        heapreplace(free, now)
    happens.sort(key=lambda one: one[0])
    before = [0.0, *(at for at, _ in happens)]
    return [begin, *((at - last, event) for (at, event), last in zip(happens, before, strict=False))]


def _from_elsewhere(news: Sequence[Timed], hands: int) -> list[Timed]:
    """Shots that so many machines paint: each tells what there is twice a second, and how long its steps took."""
    told = [(0.0, news[0][1]), (0.0, MachinesAtWork(hands, 0, hands))]
    now, heard_at = 0.0, dict[int | None, float]()
    for after, event in news[1:]:
        now += after
        shot = event.index if isinstance(event, ShotStarted) else getattr(event, "shot", None)
        if isinstance(event, StepDone):
            event = replace(event, seconds=now - heard_at[shot])
        heard_at[shot] = now
        told.append((math.ceil(now / 0.5) * 0.5, event))
    before = [0.0, *(at for at, _ in told)]
    return [(at - last, event) for (at, event), last in zip(told, before, strict=False)]


def _estimates(news: Sequence[Timed]) -> Iterator[tuple[int, float, float | None]]:
    """After each event: steps measured so far, what is really left, what is said."""
    clock, steps = _Clock(), 0
    remaining = Remaining(clock)
    left = sum(after for after, _ in news)
    for after, event in news:
        clock.now += after
        left -= after
        remaining(event)
        steps += len(event.losses) if isinstance(event, StepDone) else 0
        yield steps, left, remaining.seconds()


def _check(news: Sequence[Timed], but_for: float = 0.01) -> None:
    """Within a factor of two, but for a hundredth of the whole: how long a file takes to be written is not known."""
    slack = max(0.5, but_for * sum(after for after, _ in news))
    first = True
    for steps, left, said in _estimates(news):
        if steps < LEAST_STEPS:
            assert said is None
            continue
        assert said is not None
        assert left / 2 - slack <= said <= left * 2 + slack, (steps, left, said)
        assert not first or left / 2 <= said <= left * 2
        first = False
    assert not first


@pytest.mark.parametrize("of", MACHINES)
@pytest.mark.parametrize("size", [SMALL, LARGE], ids=str)
def test_a_photo_over_its_scales(of: _Machine, size: Size) -> None:
    preset, dice = _preset(), random.Random(1)
    _check(
        [
            _started(of),
            (0.0, photo_plan("a.jpg", preset, size)),
            *_photo("a.jpg", preset, size, of, dice),
            (0.0, JobDone((), (), 1, 1.0, 1)),
        ]
    )


@pytest.mark.parametrize("of", MACHINES)
@pytest.mark.parametrize("lengths", [(40, 40), (30, 25, 40, 20, 30, 35)], ids=str)
@pytest.mark.parametrize("hands", [2, 4])
def test_a_clip_whose_shots_are_painted_beside_each_other(
    of: _Machine, lengths: tuple[int, ...], hands: int
) -> None:
    hands = min(hands, len(lengths))
    job, started, shots, done = _apart(of, lengths)
    at_once = _shots_at_once(started, *shots, hands=hands, slower=hands * 0.8)  # they gain a little together
    # Towards the end hands are idle, which nobody tells it.
    _check([*job, *at_once, done], but_for=0.1)


@pytest.mark.parametrize("of", MACHINES)
@pytest.mark.parametrize("hands", [1, 3])
def test_a_clip_whose_shots_are_painted_on_other_machines(of: _Machine, hands: int) -> None:
    job, started, shots, done = _apart(of, (30, 25, 40, 20, 30, 35))
    at_once = _shots_at_once(started, *shots, hands=hands, slower=1.0)
    _check([*job, *_from_elsewhere(at_once, hands), done], but_for=0.1)


def _apart(of: _Machine, lengths: Sequence[int]) -> tuple[list[Timed], Timed, list[list[Timed]], Timed]:
    """A clip: the job's beginning, the task's, each of its shots by itself, and its end."""
    preset, dice, shots = _preset(), random.Random(4), list[list[Timed]]()
    for number, frames in enumerate(lengths):
        begin, *news = list(_clip("a.mp4", preset, SMALL, [frames], of, dice))[:-1]
        first = sum(lengths[:number])
        shots.append([(after, _of_shot(event, number, first)) for after, event in news])
    started = begin[0], TaskStarted("a.mp4", MediaKind.VIDEO, 0, sum(lengths), len(lengths), *SMALL)
    job = [_started(of, sum(lengths)), (0.0, clip_plan("a.mp4", preset, SMALL, sum(lengths), len(lengths)))]
    return job, started, shots, (0.3, TaskDone("a.mp4", "out/a.mp4", sum(lengths), 1, 1.0))


def _of_shot(event: Event, number: int, first: int) -> Event:
    if isinstance(event, ShotStarted):
        return replace(event, index=number, first_frame=first)
    if isinstance(event, FrameDone):
        return replace(event, shot=number, index=first + event.index)
    return replace(event, shot=number) if isinstance(event, StepDone) else event


@pytest.mark.parametrize("of", MACHINES)
def test_a_folder_of_three_of_several_sizes(of: _Machine) -> None:
    preset, dice = _preset(), random.Random(2)
    sizes = {"a.jpg": SMALL, "b.jpg": LARGE, "c.jpg": Size(600, 800)}
    plans = [(0.0, photo_plan(path, preset, size)) for path, size in sizes.items()]
    photos = [event for path, size in sizes.items() for event in _photo(path, preset, size, of, dice)]
    _check([_started(of, 3), *plans, *photos])


@pytest.mark.parametrize("hands", [2, 3, 8])
@pytest.mark.parametrize("count", [3, 7, 20])
def test_a_folder_painted_beside_each_other(hands: int, count: int) -> None:
    preset, dice = _preset(), random.Random(hands)
    hands = min(hands, count)
    sizes = {f"{number}.jpg": dice.choice([LARGE, Size(800, 600)]) for number in range(count)}
    plans = [(0.0, photo_plan(path, preset, size, hands)) for path, size in sizes.items()]
    photos = [_photo(path, preset, size, CORE, dice) for path, size in sizes.items()]
    # How far those are whose news are not told yet is not known.
    _check([_started(CORE, count), *plans, *_at_once(*photos, hands=hands)], but_for=0.1)


def test_where_fewer_photos_fit_into_memory_that_is_learnt_from_the_first_ones() -> None:
    preset, dice, size = _preset(), random.Random(3), LARGE
    paths = [f"{number}.jpg" for number in range(8)]
    plans = [(0.0, photo_plan(path, preset, size, 4)) for path in paths]
    photos = [event for path in paths for event in _photo(path, preset, size, CORE, dice)]
    told = [_started(CORE), *plans, *photos]
    at = [number for number, (_, event) in enumerate(told) if isinstance(event, TaskDone)]
    for _, left, said in list(_estimates(told))[at[1] : at[-2]]:
        assert said is not None and left / 2 <= said <= left * 2, (left, said)


@pytest.mark.parametrize("of", MACHINES)
@pytest.mark.parametrize("passes", [1, 2])
@pytest.mark.parametrize(
    "warm_steps",
    [lambda n: 20, lambda n: 10, lambda n: 20 if n % 3 else 10, lambda n: 20 * (n % 2)],
    ids=["all steps", "half of them", "now and then half", "on twos"],
)
def test_a_clip_of_two_shots(of: _Machine, passes: int, warm_steps: Callable[[int], int]) -> None:
    preset, dice, size = _preset(passes=passes), random.Random(4), Size(640, 360)
    plan = clip_plan("a.mp4", preset, size, 40, 2)
    _check([_started(of, 40), (0.0, plan), *_clip("a.mp4", preset, size, (25, 15), of, dice, warm_steps)])


def test_a_clip_that_never_warms_up() -> None:
    preset, dice = _preset(warm_start="none"), random.Random(5)
    plan = clip_plan("a.mp4", preset, SMALL, 6, 1)
    frames = [
        event
        for number in range(6)
        for event in (*_whole(preset, SMALL, CORE, dice), (0.2, FrameDone(number, 0, 1, 1.0, 0.5, False)))
    ]
    begin = [_started(CORE, 6), (0.0, plan), (0.0, TaskStarted("a.mp4", MediaKind.VIDEO, 0, 6, 1, *SMALL))]
    _check([*begin, (0.0, ShotStarted(0, 0, 6)), *frames])


@pytest.mark.parametrize(("frames", "shots"), [(10, 1), (20, 1), (21, 2), (33, 2)])
def test_a_clip_that_is_resumed(frames: int, shots: int) -> None:
    preset, dice, size = _preset(), random.Random(6), Size(640, 360)
    plan = clip_plan("a.mp4", preset, size, 40, 2)
    resumed = TaskResumed("a.mp4", frames, frames, shots)
    clip = _clip("a.mp4", preset, size, (20, 20), CORE, dice, resumed=resumed)
    _check([_started(CORE, 40), (0.0, plan), *clip])


def test_a_folder_of_a_photo_and_a_clip() -> None:
    preset, dice, size = _preset(), random.Random(7), Size(640, 360)
    plans = [(0.0, photo_plan("a.jpg", preset, SMALL)), (0.0, clip_plan("b.mp4", preset, size, 30, 2))]
    photo = _photo("a.jpg", preset, SMALL, CORE, dice)
    _check([_started(CORE, 31), *plans, *photo, *_clip("b.mp4", preset, size, (10, 20), CORE, dice)])


def test_what_failed_is_not_waited_for() -> None:
    preset, dice = _preset(), random.Random(8)
    plans = [(0.0, photo_plan(path, preset, LARGE)) for path in ("a.jpg", "b.jpg", "c.jpg", "d.jpg")]
    failed = [(0.0, TaskFailed("b.jpg", "it is damaged")), (0.0, TaskFailed("c.jpg", "it is damaged"))]
    whole = _photo("a.jpg", preset, LARGE, CORE, dice)
    last = _photo("d.jpg", preset, LARGE, CORE, dice)
    told = [_started(CORE), *plans, *whole, *failed, *last]
    after = list(_estimates(told))[len(plans) + len(whole) + len(failed) :]
    assert all(said is not None and left / 2 <= said <= left * 2 for _, left, said in after[:-3])
    assert after[-1][2] == 0


# -- between events ----------------------------------------------------------------------------------------


def _at_a_clip(frames: int, shots: int = 1) -> tuple[_Clock, Remaining]:
    clock = _Clock()
    remaining = Remaining(clock)
    preset = _preset()
    for event in (
        _started(CORE, frames)[1],
        clip_plan("a.mp4", preset, SMALL, frames, shots),
        TaskStarted("a.mp4", MediaKind.VIDEO, 0, frames, shots, *SMALL),
        ShotStarted(0, 0, frames),
    ):
        remaining(event)
    return clock, remaining


def _frames(clock: _Clock, remaining: Remaining, *each: tuple[float, bool]) -> None:
    for seconds, warm in each:
        clock.now += seconds
        remaining(FrameDone(0, 0, 1, seconds / 2, 0.1, warm))


def test_nothing_is_said_before_five_steps_or_without_a_plan() -> None:
    clock, remaining = _at_a_clip(10)
    clock.now += 4
    remaining(StepDone(4, 10, 0, 1, *SMALL, (0.5,) * 4, ()))
    assert remaining.seconds() is None
    clock.now += 1
    remaining(StepDone(5, 10, 0, 1, *SMALL, (0.5,), ()))
    assert remaining.seconds() is not None
    remaining(_started(CORE)[1])
    remaining(TaskStarted("b.mp4", MediaKind.VIDEO, 0, 5, 1, *SMALL))
    assert remaining.seconds() is None


def test_it_runs_down_while_a_frame_is_made_and_then_stands() -> None:
    clock, remaining = _at_a_clip(30)
    _frames(clock, remaining, (40.0, False), (4.0, True))
    before = remaining.seconds()
    assert before == pytest.approx(28 * 4)
    clock.now += 1.5
    assert remaining.seconds() == pytest.approx(before - 1.5)
    clock.now += 100
    assert remaining.seconds() == pytest.approx(before - 4)


def test_frames_of_each_kind_are_counted_at_what_they_took() -> None:
    clock, remaining = _at_a_clip(30, shots=3)
    _frames(clock, remaining, (10.0, False), (2.0, True), (2.0, True))
    assert remaining.seconds() == pytest.approx(2 * 10 + 25 * 2)
    _frames(clock, remaining, (12.0, False))
    assert remaining.seconds() == pytest.approx(11 + 25 * 2)


def test_it_follows_recent_frames_and_forgives_a_single_slow_one() -> None:
    clock, remaining = _at_a_clip(200)
    _frames(clock, remaining, (9.0, False), *[(1.0, True)] * 9, (60.0, True))
    assert remaining.seconds() == pytest.approx(189 * 1.0)
    _frames(clock, remaining, *[(3.0, True)] * 15)
    assert remaining.seconds() == pytest.approx(174 * 3.0)


def test_a_long_folder_is_reckoned_quickly() -> None:
    """It is asked for eight times a second."""
    clock, remaining = _Clock(), Remaining(_Clock())
    remaining(_started(CORE)[1])
    plan = TaskPlanned("0.jpg", *SMALL, 1, 240, 10.0, at_once=8)
    for _ in range(5000):
        remaining(plan)
    remaining(TaskStarted("0.jpg", MediaKind.PHOTO, 0, 1, 1, *SMALL))
    clock.now += 5
    remaining(StepDone(10, 10, 0, 1, *SMALL, (0.5,) * 10, ()))
    said = remaining.seconds()
    assert remaining.seconds() == said
