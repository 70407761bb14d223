"""Hears a job, and says how long it will still take."""

from __future__ import annotations

import statistics
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from framestyle.doors.remaining.frame_times import FrameTimes
from framestyle.doors.remaining.photos_at_once import Place, Row, ends_of
from framestyle.doors.remaining.step_costs import RECENT, StepCosts, Work
from framestyle.doors.remaining.tasks import Rates, TaskLeft, TimeLeft
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
UNKNOWN = TimeLeft(0.0, 0.0)
"""Too little was measured."""


@dataclass(frozen=True)
class Taken:
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
        self._taken: dict[bool, deque[Taken]] = {warm: deque(maxlen=RECENT) for warm in (False, True)}
        self._event_at = clock()
        self._begin_anew()

    def _begin_anew(self) -> None:
        self._waiting: deque[TaskPlanned] = deque()
        self._is_planned = False
        self._task: TaskLeft | None = None
        self._is_first_next = True
        self._steps_taken = Work(0, 0)
        self._row = Row()
        self._by_keys: list[float] = []
        """Seconds of warm frames since the last that were counted."""
        self._times = FrameTimes(self._event_at)
        self._shots_at: dict[int, float] = {}
        """When each shot that names its steps was last heard of."""
        self._reported: TimeLeft | None = None
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
            self._shots_at[event.index] = now
            self._is_first_next = event.pass_number == 1 and event.index >= self._task.begun_shots
        elif isinstance(event, StepDone):
            self._step(event, now)
        elif isinstance(event, FrameDone | PhotoDone | CellDone):
            self._frame(event, now)
        elif isinstance(event, TaskDone | TaskFailed):
            self._end(event, now)
        self._times(event, now)
        self._event_at, self._reported = now, None

    def _start(self, started: TaskStarted, now: float) -> None:
        self._shots_at.clear()
        plan = self._taken_from_plan(started.path)
        self._task = None if plan is None else TaskLeft(plan)
        self._steps_taken = Work(0, 0)
        self._is_first_next = True
        if plan is None or plan.at_once == 1:
            self._row = Row()
        elif not self._row.done_s:
            self._row = Row.of(plan.at_once, now)

    def _taken_from_plan(self, path: str) -> TaskPlanned | None:
        """The plan of a task that begins or fails; those before it have failed."""
        if all(plan.path != path for plan in self._waiting):
            return None
        while (plan := self._waiting.popleft()).path != path:
            pass
        return plan

    def _step(self, event: StepDone, now: float) -> None:
        count, area_px = len(event.losses), event.width * event.height
        if not self._row.done_s:  # of a later photo the news may come all at once
            since = self._since(event.shot, now)
            seconds = now - since if event.seconds is None else event.seconds
            self._costs.add(area_px, count, seconds / self._hands)
        before = self._steps_taken
        self._steps_taken = Work(before.steps + count, before.megapixel_steps + count * area_px / 1e6)

    def _since(self, shot: int | None, now: float) -> float:
        """When whoever has taken a window of steps was last heard of."""
        if shot is None:
            return self._event_at
        before, self._shots_at[shot] = self._shots_at.get(shot, self._event_at), now
        return before

    @property
    def _hands(self) -> int:
        """How many pictures are painted beside each other."""
        return max(self._row.at_once, len(self._times.shots.at_work))

    def _frame(self, event: FrameDone | PhotoDone | CellDone, now: float) -> None:
        if self._task is None:
            return
        warm = isinstance(event, FrameDone) and event.warm
        beside = self._row.at_once
        # Photos are told as if one had followed the other.
        seconds = event.seconds / beside if beside > 1 else self._times.seconds(event, now)
        if isinstance(event, FrameDone) and event.shot in self._shots_at:
            self._shots_at[event.shot] = now
        self._count(warm, seconds, self._task)
        self._task.took(warm=warm)
        self._steps_taken = Work(0, 0)
        self._is_first_next = False
        if isinstance(event, PhotoDone) and self._row.at_once > 1:
            self._row.end(event.seconds, now)

    def _count(self, warm: bool, seconds: float, task: TaskLeft) -> None:
        """Warm frames by key frames cost nothing or much: so many together as one key frame stands for."""
        if warm and task.plan.key_frame_gap > 1:
            self._by_keys.append(seconds)
            if len(self._by_keys) < task.plan.key_frame_gap:
                return
            seconds = statistics.fmean(self._by_keys)
            self._by_keys.clear()
        self._taken[warm].append(Taken(task.work(warm=warm), seconds))

    def _end(self, event: TaskDone | TaskFailed, now: float) -> None:
        has_begun = self._task is not None and self._task.plan.path == event.path
        if isinstance(event, TaskFailed) and not has_begun:
            self._taken_from_plan(event.path)
        self._task = None
        self._steps_taken = Work(0, 0)

    # -- asking --------------------------------------------------------------------------------------------

    def seconds(self) -> float | None:
        """None before a few steps were measured, and where nothing was planned.

        It runs down until the frame at work should be done, and stands then: nothing is known of the others.
        """
        if self._reported is None:
            self._reported = self._reckoned()
        if self._reported is UNKNOWN:
            return None
        return max(self._reported.stands_at_s, self._reported.seconds - (self._clock() - self._event_at))

    def _reckoned(self) -> TimeLeft:
        """At the last event."""
        is_measured = self._costs.measured_steps >= LEAST_STEPS or any(self._taken.values())
        if not (self._is_planned and is_measured):
            return UNKNOWN
        rates = self._rates()
        later = [_place_of(plan, rates) for plan in self._waiting]
        if self._row.at_once > 1:
            here = [_place_of(one.plan, rates) for one in (self._task,) if one and one.frames_left]
            return self._row.rest(here, later, self._event_at)
        frame_s, behind_s = self._rest(rates)
        behind_s += max(ends_of(later), default=0.0)
        return TimeLeft(frame_s + behind_s, behind_s)

    def _rates(self) -> Rates:
        fixed_px = self._costs.fixed_px()
        usual = {
            warm: _usual([one.seconds / one.work.at(fixed_px) for one in taken]) if taken else None
            for warm, taken in self._taken.items()
        }
        step_s = self._costs.seconds_at(fixed_px)
        return Rates(fixed_px, step_s or usual[True] or 0.0, usual[False], usual[True])

    def _rest(self, rates: Rates) -> tuple[float, float]:
        """Of the task at work: what is left of the present frame, and the frames behind it."""
        task = self._task
        if task is None or not task.frames_left:
            return 0.0, 0.0
        warm = task.warm_left > 0 and not (self._is_first_next and task.first_left)
        whole_s = rates.frame_s(task, warm=warm)
        if self._hands > 1:
            left_s = whole_s  # some of them have just begun, some are nearly done
        elif warm:
            left_s = max(0.0, whole_s - (self._event_at - self._times.begun_at))
        else:
            work = task.work(warm=False)
            left_s = whole_s * max(0.0, 1 - self._steps_taken.at(rates.fixed_px) / work.at(rates.fixed_px))
        return left_s, rates.task_s(task) - whole_s


def _usual(values: Sequence[float]) -> float:
    """The mean without the largest and the smallest fifth: some frames take no step, some wait for something else."""
    cut = max(len(values) // 5, len(values) >= 3)
    return statistics.fmean(sorted(values)[cut : len(values) - cut])


def _place_of(plan: TaskPlanned, rates: Rates) -> Place:
    return Place(rates.task_s(TaskLeft(plan)) * plan.at_once, plan.at_once)
