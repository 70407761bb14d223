"""How long a job will still take: its planned steps, each at what steps of its size have cost so far.

A job's first steps are taken on its smallest pictures, a shot's first frame takes many times the steps of a warm one,
and photos of a folder are painted beside each other: so time is reckoned by steps and pixels, never by the frame.
"""

from __future__ import annotations

import heapq
import statistics
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from framestyle.events import (
    CellDone,
    Event,
    FrameDone,
    JobStarted,
    PhotoDone,
    ShotStarted,
    StepDone,
    TaskDone,
    TaskFailed,
    TaskPlanned,
    TaskResumed,
    TaskStarted,
)

Clock = Callable[[], float]
"""Seconds from any fixed moment."""
LEAST_STEPS = 5
"""Steps that are measured before anything is said."""
RECENT = 15
"""Frames of each kind, and windows of steps of each size, that costs are learnt from: they change with the scene."""
FIXED_PX = {"cpu": 6e3, "cuda": 250e3, "mps": 100e3}
"""What a step costs whatever its size, in pixels that cost as much: until two sizes are measured.

On a CPU a step at 128 px takes 1.42 times a sixteenth of one at 512 px (docs/benchmarks.md); a GPU's is reckoned from
the operations that a step asks for."""
FIXED_ERROR = 1.1
"""The standard error of that, as a logarithm."""
FACTORS = np.geomspace(0.1, 10, 31)
"""How many times less or more it may be found to be."""
PUNCTUAL = 0.8
"""Photos that are done after less than this part of the time were painted by more hands."""
LATEST = 5
"""Windows of whatever size that say how fast the machine is now."""
UNSEEN_WARM_SHARE = 0.75
"""Of its most steps that a warm frame is taken to need until one was measured: with most presets they need all."""
BESIDE_STEPS = 1
"""A frame's other work (motion, the content's features, reading and writing) as so many steps at its full size."""


@dataclass(frozen=True)
class Work:
    """Steps, and the same times the megapixels of each."""

    steps: float
    megapixel_steps: float

    def at(self, fixed_px: float) -> float:
        """As steps at one megapixel, the fixed part of each counted in."""
        return self.megapixel_steps + self.steps * fixed_px / 1e6


class StepCosts:
    """What a step costs, by its size: a fixed part, and one for each pixel."""

    def __init__(self) -> None:
        self._windows: dict[int, deque[float]] = defaultdict(lambda: deque(maxlen=RECENT))
        self._latest: deque[tuple[int, float]] = deque(maxlen=LATEST)
        self._assumed_px = FIXED_PX["cpu"]
        self.measured_steps = 0

    def on(self, device: str) -> None:
        """Starts from what is known of such a device."""
        self._assumed_px = FIXED_PX.get(device.split()[0].partition(":")[0], self._assumed_px)

    def add(self, area_px: int, steps: int, seconds: float) -> None:
        """Counts a window of steps in."""
        each = max(seconds / steps, 1e-9)
        self._windows[area_px].append(each)
        self._latest.append((area_px, each))
        self.measured_steps += steps

    def seconds_at(self, fixed_px: float) -> float | None:
        """For a step at one megapixel, with so large a fixed part; None where none was measured."""
        if not self._latest:
            return None
        return statistics.median(each / (fixed_px + area) for area, each in self._latest) * 1e6

    def fixed_px(self) -> float:
        """The fixed part, in pixels that cost as much: the likeliest of some, given what was measured."""
        if len(self._windows) < 2:
            return self._assumed_px
        areas = np.array(list(self._windows), float)
        logs = np.log([statistics.median(windows) for windows in self._windows.values()])
        weights = np.array([1 / _error(len(windows)) ** 2 for windows in self._windows.values()])
        differ = logs - np.log(areas + self._assumed_px * FACTORS[:, None])
        differ -= (differ @ weights / weights.sum())[:, None]
        unlike = differ**2 @ weights + (np.log(FACTORS) / FIXED_ERROR) ** 2
        return float(self._assumed_px * FACTORS[unlike.argmin()])


def _error(windows: int) -> float:
    """The standard error of what a step of one size is measured to cost, as a logarithm."""
    # The first window is longer by all that comes before its first step.
    return 0.4 if windows == 1 else 0.12


@dataclass
class _Task:
    """A clip or a photo, and what is left of it."""

    plan: TaskPlanned
    first_left: int = field(init=False)
    frames_left: int = field(init=False)
    begun_shots: int = 0

    def __post_init__(self) -> None:
        self.first_left = self.plan.first_frames
        self.frames_left = self.plan.first_frames + self.plan.warm_frames

    @property
    def warm_left(self) -> int:
        return self.frames_left - self.first_left

    def work(self, *, warm: bool) -> Work:
        """Of one of its frames; of a warm one, at most."""
        plan = self.plan
        full = plan.width * plan.height / 1e6
        if warm:
            steps = plan.warm_steps + BESIDE_STEPS
            return Work(steps, steps * full)
        return Work(plan.first_steps + BESIDE_STEPS, plan.first_megapixel_steps + BESIDE_STEPS * full)

    def unseen_share(self) -> float:
        """How much of a warm frame's work is expected until one was measured."""
        most = self.plan.warm_steps + BESIDE_STEPS
        return max(UNSEEN_WARM_SHARE, (self.plan.warm_least_steps + BESIDE_STEPS) / most)

    def took(self, *, warm: bool) -> None:
        """A frame is done."""
        self.frames_left = max(0, self.frames_left - 1)
        # A cut that was not found has made one more of them.
        self.first_left = min(self.frames_left, max(0, self.first_left - (not warm)))

    def resume(self, resumed: TaskResumed) -> None:
        """Without what was painted before."""
        self.frames_left = max(0, self.frames_left - resumed.painted)
        begun = min(resumed.shots, self.plan.first_frames) if self.plan.warm_frames else resumed.painted
        self.first_left = min(self.frames_left, self.first_left - begun)
        self.begun_shots = resumed.shots


@dataclass(frozen=True)
class _Taken:
    """How long a frame took, of which planned work; `seconds` of the whole machine."""

    work: Work
    seconds: float


class Remaining:
    """Hears a job's events; `seconds()` is how long it will still take, None as long as too little is known.

    A frame of each kind costs what the recent ones of its kind did, by their planned work; before the first of them,
    its steps at what steps have cost.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._costs = StepCosts()
        self._taken: dict[bool, deque[_Taken]] = {warm: deque(maxlen=RECENT) for warm in (False, True)}
        self._heard_at = self._frame_at = clock()
        self._begin_anew()

    def _begin_anew(self) -> None:
        self._waiting: deque[TaskPlanned] = deque()
        self._is_planned = False
        self._task: _Task | None = None
        self._is_first_next = True
        self._steps_taken = Work(0, 0)
        self._row = _Row()
        self._told: _Told | None = None
        """What is said until the next event, once it was asked for."""

    def __call__(self, event: Event) -> None:
        now = self._clock()
        if isinstance(event, JobStarted):
            # One display may see several jobs: what a step costs is kept.
            self._begin_anew()
            self._costs.on(event.device)
        elif isinstance(event, TaskPlanned):
            self._waiting.append(event)
            self._is_planned = True
        elif isinstance(event, TaskStarted):
            self._start(event, now)
        elif isinstance(event, TaskResumed) and self._task is not None:
            self._task.resume(event)
        elif isinstance(event, ShotStarted) and self._task is not None:
            self._is_first_next = event.pass_number == 1 and event.index >= self._task.begun_shots
        elif isinstance(event, StepDone):
            self._step(event, now)
        elif isinstance(event, FrameDone | PhotoDone | CellDone):
            self._frame(event, now)
        elif isinstance(event, TaskDone | TaskFailed):
            self._end(event, now)
        self._heard_at, self._told = now, None

    def _start(self, started: TaskStarted, now: float) -> None:
        plan = self._taken_from_plan(started.path)
        self._task = None if plan is None else _Task(plan)
        self._begin_frame(now)
        self._is_first_next = True
        if plan is None or plan.at_once == 1:
            self._row = _Row()
        elif not self._row.done_s:
            self._row = _Row.of(plan.at_once, now)

    def _taken_from_plan(self, path: str) -> TaskPlanned | None:
        """The plan of a task that begins or fails; those before it have failed."""
        if all(plan.path != path for plan in self._waiting):
            return None
        while (plan := self._waiting.popleft()).path != path:
            pass
        return plan

    def _begin_frame(self, now: float) -> None:
        self._frame_at, self._steps_taken = now, Work(0, 0)

    def _step(self, event: StepDone, now: float) -> None:
        count, area_px = len(event.losses), event.width * event.height
        if not self._row.done_s:  # of a later photo the news may come all at once
            seconds = (now - self._heard_at) / self._row.at_once
            self._costs.add(area_px, count, seconds)
        before = self._steps_taken
        self._steps_taken = Work(before.steps + count, before.megapixel_steps + count * area_px / 1e6)

    def _frame(self, event: FrameDone | PhotoDone | CellDone, now: float) -> None:
        if self._task is None:
            return
        warm = isinstance(event, FrameDone) and event.warm
        # The time from the end of the one before: waiting for the decoder or the encoder counts too.
        seconds = now - self._frame_at
        if self._row.at_once > 1:
            # Of photos that are painted beside each other only their own time tells.
            seconds = event.seconds / self._row.at_once
        self._taken[warm].append(_Taken(self._task.work(warm=warm), seconds))
        self._task.took(warm=warm)
        self._begin_frame(now)
        self._is_first_next = False
        if isinstance(event, PhotoDone) and self._row.at_once > 1:
            self._row.end(event.seconds, now)

    def _end(self, event: TaskDone | TaskFailed, now: float) -> None:
        has_begun = self._task is not None and self._task.plan.path == event.path
        if isinstance(event, TaskFailed) and not has_begun:
            self._taken_from_plan(event.path)
        self._task = None
        self._begin_frame(now)

    # -- asking --------------------------------------------------------------------------------------------

    def seconds(self) -> float | None:
        """None before a few steps were measured, and where nothing was planned.

        It runs down until the frame at work should be done, and stands then: nothing is known of the others.
        """
        if self._told is None:
            self._told = self._reckoned()
        if self._told is _UNKNOWN:
            return None
        return max(self._told.stands_at_s, self._told.seconds - (self._clock() - self._heard_at))

    def _reckoned(self) -> _Told:
        """At the last event."""
        is_measured = self._costs.measured_steps >= LEAST_STEPS or any(self._taken.values())
        if not (self._is_planned and is_measured):
            return _UNKNOWN
        rates = self._rates()
        later = [_planned(plan, rates) for plan in self._waiting]
        if self._row.at_once > 1:
            here = [_planned(one.plan, rates) for one in (self._task,) if one and one.frames_left]
            return self._row.rest(here, later, self._heard_at)
        frame_s, behind_s = self._rest(rates)
        behind_s += max(_ends(later), default=0.0)
        return _Told(frame_s + behind_s, behind_s)

    def _rates(self) -> _Rates:
        fixed_px = self._costs.fixed_px()
        usual = {
            warm: _usual([one.seconds / one.work.at(fixed_px) for one in taken]) if taken else None
            for warm, taken in self._taken.items()
        }
        step_s = self._costs.seconds_at(fixed_px)
        return _Rates(fixed_px, step_s or usual[True] or 0.0, usual[False], usual[True])

    def _rest(self, rates: _Rates) -> tuple[float, float]:
        """Of the task at work: what is left of the present frame, and the frames behind it."""
        task = self._task
        if task is None or not task.frames_left:
            return 0.0, 0.0
        warm = task.warm_left > 0 and not (self._is_first_next and task.first_left)
        whole_s = rates.frame_s(task, warm=warm)
        if warm:
            left_s = max(0.0, whole_s - (self._heard_at - self._frame_at))
        else:
            work = task.work(warm=False)
            left_s = whole_s * max(0.0, 1 - self._steps_taken.at(rates.fixed_px) / work.at(rates.fixed_px))
        return left_s, rates.task_s(task) - whole_s


@dataclass(frozen=True)
class _Told:
    """An estimate, which runs down with time to no less than `stands_at_s`."""

    seconds: float
    stands_at_s: float


_UNKNOWN = _Told(0.0, 0.0)


@dataclass(frozen=True)
class _Rates:
    """Seconds of the whole machine for a step at one megapixel: of single steps, and within frames of each kind."""

    fixed_px: float
    step_s: float
    first_s: float | None
    warm_s: float | None

    def frame_s(self, task: _Task, *, warm: bool) -> float:
        """One frame of a task."""
        work = task.work(warm=warm).at(self.fixed_px)
        if warm:
            return work * (self.step_s * task.unseen_share() if self.warm_s is None else self.warm_s)
        return work * (self.step_s if self.first_s is None else self.first_s)

    def task_s(self, task: _Task) -> float:
        """All frames that are left of it."""
        first_s = task.first_left * self.frame_s(task, warm=False) if task.first_left else 0.0
        return first_s + (task.warm_left * self.frame_s(task, warm=True) if task.warm_left else 0.0)


def _usual(values: Sequence[float]) -> float:
    """The mean without the largest and the smallest fifth: some frames take no step, some wait for something else."""
    cut = max(len(values) // 5, len(values) >= 3)
    return statistics.fmean(sorted(values)[cut : len(values) - cut])


# -- photos beside each other ------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Place:
    """A task's seconds by itself, and how many such are at work at once."""

    seconds: float
    at_once: int


def _planned(plan: TaskPlanned, rates: _Rates) -> _Place:
    return _Place(rates.task_s(_Task(plan)) * plan.at_once, plan.at_once)


def _ends(places: Iterable[_Place]) -> list[float]:
    """When each ends, where one begins as soon as another has; one that is alone waits for all."""
    running: list[float] = []
    alone_until, ends = 0.0, []
    for place in places:
        if place.at_once == 1:
            alone_until = max(running, default=alone_until) + place.seconds
            running.clear()
            ends.append(alone_until)
            continue
        begin = heapq.heappop(running) if len(running) >= place.at_once else alone_until
        heapq.heappush(running, begin + place.seconds)
        ends.append(begin + place.seconds)
    return ends


@dataclass
class _Row:
    """Photos that are painted beside each other, since the first of them began: those of whose end was told."""

    at_once: int = 1
    began_at: float = 0.0
    done_s: list[float] = field(default_factory=list)
    """How long each took."""
    hands: int = 1
    """How many are really painted at once."""

    @classmethod
    def of(cls, at_once: int, now: float) -> _Row:
        """That begins."""
        return cls(at_once, now, hands=at_once)

    def end(self, seconds: float, now: float) -> None:
        """One more is told to be done; so are all before it. Fewer may fit into memory than was planned."""
        self.done_s.append(seconds)
        passed_s = (now - self.began_at) * PUNCTUAL
        possible = range(self.at_once, 1, -1)
        foreseen = ((hands, max(_ends([_Place(one, hands) for one in self.done_s]))) for hands in possible)
        self.hands = next((hands for hands, end_s in foreseen if end_s >= passed_s), 1)

    def rest(self, here: Sequence[_Place], later: Sequence[_Place], now: float) -> _Told:
        """Until all are done; `here`: the one whose news are heard, which is not."""
        passed_s, done = now - self.began_at, [_Place(one, self.at_once) for one in self.done_s]
        places = [replace(one, at_once=min(one.at_once, self.hands)) for one in (*done, *here, *later)]
        place = len(done)
        if here and (late_s := passed_s - _ends(places[: place + 1])[-1]) > 0:
            places[place] = replace(places[place], seconds=places[place].seconds + late_s)
        ends = _ends(places)
        here_s = ends[place] if here else passed_s
        seconds = max(0.0, max(ends, default=passed_s) - passed_s)
        return _Told(seconds, max(0.0, min(seconds, max(ends, default=passed_s) - here_s)))
