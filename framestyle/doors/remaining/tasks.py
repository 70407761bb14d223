"""What is left of a task, and what that will cost."""

from __future__ import annotations

from dataclasses import dataclass, field

from framestyle.doors.remaining.step_costs import Work
from framestyle.events import TaskPlanned, TaskResumed

UNSEEN_WARM_SHARE = 0.75
"""Of its most steps that a warm frame is taken to need until one was measured: with most presets they need all."""
BESIDE_STEPS = 1
"""A frame's other work (motion, the content's features, reading and writing) as so many steps at its full size."""


@dataclass
class TaskLeft:
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
class Rates:
    """Seconds of the whole machine for a step at one megapixel: of single steps, and within frames of each kind."""

    fixed_px: float
    step_s: float
    first_s: float | None
    warm_s: float | None

    def frame_s(self, task: TaskLeft, *, warm: bool) -> float:
        """One frame of a task."""
        work = task.work(warm=warm).at(self.fixed_px)
        if warm:
            return work * (self.step_s * task.unseen_share() if self.warm_s is None else self.warm_s)
        return work * (self.step_s if self.first_s is None else self.first_s)

    def task_s(self, task: TaskLeft) -> float:
        """All frames that are left of it."""
        first_s = task.first_left * self.frame_s(task, warm=False) if task.first_left else 0.0
        return first_s + (task.warm_left * self.frame_s(task, warm=True) if task.warm_left else 0.0)


@dataclass(frozen=True)
class TimeLeft:
    """An estimate, which runs down with time to no less than `stands_at_s`."""

    seconds: float
    stands_at_s: float
