"""A job's tasks done: photos and shots by an engine, clips joined; one that fails is reported and the others go on."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from itertools import groupby
from pathlib import Path

from framestyle.context import SILENT, Context
from framestyle.errors import FramestyleError
from framestyle.events import Event, JobDone, TaskDone, TaskFailed
from framestyle.jobs.engines.engine import Engine, Outcome, Setting
from framestyle.jobs.engines.local import LocalEngine
from framestyle.jobs.plan.surveys import Surveys
from framestyle.jobs.plan.tasks import Task
from framestyle.jobs.plan.units import PhotoTask, ShotTask, photo_task
from framestyle.jobs.resume.disk_space import shortage
from framestyle.jobs.resume.recorder import ManifestRecorder
from framestyle.jobs.resume.scratch import Scratch
from framestyle.jobs.run.clips import Clip, PaintApart, render_video
from framestyle.jobs.run.reporting import (
    NOTHING,
    JobDescription,
    PriorResults,
    closing_event,
    starting_events,
)
from framestyle.kinds import MediaKind, TimeRange
from framestyle.session import Session


def run(
    tasks: Sequence[Task],
    output: Path,
    span: TimeRange,
    session: Session,
    context: Context = SILENT,
    *,
    surveys: Surveys | None = None,
    record: ManifestRecorder | None = None,
    before: PriorResults = NOTHING,
    alone: bool | None = None,
    scratch: Scratch | None = None,
    engine: Engine | None = None,
) -> JobDone:
    """Do every task; one that fails is reported and the others go on. The error of one that is `alone` is raised.

    `surveys`: of its clips; None: they are taken first. `record` hears of each task; `before` is the part of the job
    that needs no work. `alone`: by default, where there is one task. `scratch`: for what is not finished.
    """
    surveys = surveys or Surveys.of(tasks, span, session.preset, context)
    started = time.perf_counter() - surveys.seconds
    engine = engine or LocalEngine()
    photos = sum(task.kind is MediaKind.PHOTO for task in (*before.done, *tasks)) + len(before.failed)
    setting = Setting(session, photos, scratch=None if scratch is None else scratch.folder)
    at_once, preset = engine.photos_at_once(setting), session.preset
    description = JobDescription(str(output), preset.name, session.weights, session.device, at_once)
    starting = starting_events(description, tasks, surveys.frames(tasks, preset), before)
    for event in (*starting, *surveys.plans(tasks, preset, at_once)):
        context.on_event(event)
    if (short := shortage(output, surveys.bytes_needed(tasks, preset))) is not None:
        context.on_event(short)
    alone = len(tasks) == 1 if alone is None else alone
    ledger = _TaskLedger(tasks, record or ManifestRecorder(), alone)
    work = _Work(engine, setting, ledger, surveys, span, context)
    for kind, row in groupby(enumerate(tasks), lambda one: one[1].kind):
        if kind is MediaKind.PHOTO:
            work.do_photos([photo_task(task, index) for index, task in row])
        else:
            for index, task in row:
                work.do_clip(index, task)
    result = closing_event(ledger.done, ledger.failed, time.perf_counter() - started, before)
    context.on_event(result)
    return result


class _Work:
    """The work of one job."""

    def __init__(
        self,
        engine: Engine,
        setting: Setting,
        ledger: _TaskLedger,
        surveys: Surveys,
        span: TimeRange,
        context: Context,
    ) -> None:
        self._engine, self._setting, self._ledger = engine, setting, ledger
        self._surveys, self._span, self._context = surveys, span, context

    def do_photos(self, photos: Sequence[PhotoTask]) -> None:
        """Photos that follow one another."""
        self._engine.run(photos, self._setting, _PhotoLedger(self._ledger, photos), self._context)

    def do_clip(self, index: int, task: Task) -> None:
        """One clip. A stop is no outcome of it: it is raised."""
        self._ledger.begin(index)
        outcome: Outcome
        try:
            outcome = self._render(index, task)
        except FramestyleError as error:
            outcome = error
        self._context.on_event(self._ledger.end(index, outcome))

    def _render(self, index: int, task: Task) -> TaskDone:
        session, facts = self._setting.session, self._ledger.record.facts(task)
        found = self._surveys.clip(task)
        shots = Clip.of(task, found, self._span, session.preset, facts).shots
        setting = replace(self._setting, shots=shots)
        apart: PaintApart | None = None
        if self._engine.paints_apart(setting):
            apart = partial(self._paint_apart, setting)
        with session.blaming_memory(task.source, "render"):
            published = partial(self._ledger.record.finish, task)
            return render_video(
                task, index, found, self._span, session, self._context, facts, apart, published
            )

    def _paint_apart(self, setting: Setting, shots: Sequence[ShotTask], context: Context) -> None:
        self._engine.run(shots, setting, _ShotLedger(), context)


class _TaskLedger:
    """What became of each task; the record hears of it at once."""

    def __init__(self, tasks: Sequence[Task], record: ManifestRecorder, alone: bool) -> None:
        self._tasks, self.record, self._alone = tasks, record, alone
        self._done: dict[int, TaskDone] = {}
        self._failed: dict[int, str] = {}

    def begin(self, index: int) -> None:
        self.record.begin(self._tasks[index])

    def end(self, index: int, outcome: Outcome) -> Event:
        """The last news of a task. Raises its error, where it is alone."""
        task = self._tasks[index]
        if isinstance(outcome, TaskDone):
            if task.kind is MediaKind.PHOTO:  # of a clip it was told before its work went
                self.record.finish(task)
            self._done[index] = outcome
            return outcome
        if not isinstance(outcome, FramestyleError):
            raise TypeError(f"{outcome} is no outcome of {task}")
        self.record.fail(task, outcome)
        if self._alone:
            raise outcome
        self._failed[index] = str(task.source)
        return TaskFailed.of(str(task.source), outcome)

    @property
    def done(self) -> list[TaskDone]:
        """In the tasks' order."""
        return [one for _, one in sorted(self._done.items())]

    @property
    def failed(self) -> list[str]:
        """Inputs, in the tasks' order."""
        return [one for _, one in sorted(self._failed.items())]


class _PhotoLedger:
    """A row of photos: each is a task of the job."""

    def __init__(self, tasks: _TaskLedger, photos: Sequence[PhotoTask]) -> None:
        self._tasks, self._photos = tasks, photos

    def begin(self, number: int) -> None:
        """A photo begins."""
        self._tasks.begin(self._photos[number].index)

    def end(self, number: int, outcome: Outcome) -> Event:
        """A photo has ended."""
        return self._tasks.end(self._photos[number].index, outcome)


class _ShotLedger:
    """Shots of a clip: one that fails fails the clip, and what the others have done is kept."""

    def begin(self, number: int) -> None:
        """Nobody is told."""

    def end(self, number: int, outcome: Outcome) -> None:
        """Raises an error."""
        if isinstance(outcome, FramestyleError):
            raise outcome
