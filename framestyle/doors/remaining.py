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
FIXED_RANGE = 4.0
"""How many times more or less a measurement may make of it: a few windows of steps are a rough measure."""
LEAST_GROWTH = 1.9
"""How many times the pixels tell how a step grows with them: those of one scale and the next."""
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
        self._latest_px = 0
        self._assumed_px = FIXED_PX["cpu"]
        self.measured_steps = 0

    def on(self, device: str) -> None:
        """Takes a device's fixed part for this one's, as long as none is measured."""
        self._assumed_px = FIXED_PX.get(device.split()[0].partition(":")[0], self._assumed_px)

    def add(self, area_px: int, steps: int, seconds: float) -> None:
        """Counts a window of steps in."""
        self._windows[area_px].append(seconds / steps)
        self._latest_px = area_px
        self.measured_steps += steps

    def seconds_at(self, fixed_px: float) -> float | None:
        """For a step at one megapixel, with so large a fixed part; None where none was measured."""
        if not self.measured_steps:
            return None
        latest_s = statistics.median(self._windows[self._latest_px])
        return latest_s / Work(1, self._latest_px / 1e6).at(fixed_px)

    @property
    def fixed_px(self) -> float:
        """The fixed part, in pixels that cost as much."""
        areas = sorted(self._windows)
        if not areas or areas[-1] < LEAST_GROWTH * areas[0]:
            return self._assumed_px
        # How the time grows is read from the fastest windows, which nothing held up.
        seconds = np.array([min(self._windows[area]) for area in areas])
        if not seconds.all():
            return self._assumed_px
        each, fixed = np.polyfit(areas, seconds, 1, w=1 / seconds)
        most, least = self._assumed_px * FIXED_RANGE, self._assumed_px / FIXED_RANGE
        return most if each <= 0 else float(min(most, max(least, fixed / each)))


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
        elif not self._row.tasks:
            self._row = _Row(plan.at_once, now)

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
        if not self._row.tasks:  # of a later photo the news may come all at once
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
            here = [] if self._task is None else [_planned(self._task.plan, rates)]
            return self._row.rest(here, later, self._heard_at)
        frame_s, behind_s = self._rest(rates)
        behind_s += max(_ends(later), default=0.0)
        return _Told(frame_s + behind_s, behind_s)

    def _rates(self) -> _Rates:
        fixed_px = self._costs.fixed_px
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
    tasks: list[_Place] = field(default_factory=list)
    slower: float = 1.0
    """How many times longer they took than by so many at once: fewer may fit into memory."""

    def end(self, seconds: float, now: float) -> None:
        """One more is told to be done; so are all before it."""
        self.tasks.append(_Place(seconds, self.at_once))
        foreseen_s = max(_ends(self.tasks))
        if foreseen_s > 0:
            self.slower = min(self.at_once, max(1.0, (now - self.began_at) / foreseen_s))

    def rest(self, here: Sequence[_Place], later: Sequence[_Place], now: float) -> _Told:
        """Until all are done; `here`: the one whose news are heard, which is not."""
        passed_s = (now - self.began_at) / self.slower
        ends = _ends([*self.tasks, *here])
        if here and ends[-1] < passed_s:  # it takes longer than was foreseen
            here = [replace(here[0], seconds=here[0].seconds + passed_s - ends[-1])]
        ends = _ends([*self.tasks, *here, *later])
        last_s = max(ends, default=passed_s)
        here_s = ends[len(self.tasks)] if here else passed_s
        seconds = max(0.0, last_s - passed_s) * self.slower
        return _Told(seconds, max(0.0, min(seconds, (last_s - here_s) * self.slower)))
