"""The engine of this machine, on one device: clips one after another, photos side by side where that is quicker."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

import torch

from framestyle.context import SILENT, Context
from framestyle.errors import FramestyleError
from framestyle.events import Event, JobDone, TaskDone, TaskFailed, TaskPlanned
from framestyle.jobs.engines.side_by_side import LARGEST_PX, Crew, Outcome, Places, SideBySide
from framestyle.jobs.plan.estimate import clip_bytes_expected, clip_plan, photo_plan
from framestyle.jobs.plan.survey import Survey, survey
from framestyle.jobs.plan.tasks import Task
from framestyle.jobs.resume.disk_space import shortage
from framestyle.jobs.resume.recorder import ManifestRecorder
from framestyle.jobs.resume.resume_key import ResumeKey
from framestyle.jobs.resume.scratch import Scratch
from framestyle.jobs.run.render import render_photo, render_video
from framestyle.jobs.run.reporting import NOTHING, JobWords, PriorResults, first_news, last_news
from framestyle.kinds import MediaKind, TimeRange
from framestyle.media.photos import photo_size
from framestyle.nst.sizes import Size, fit_within
from framestyle.presets import Preset
from framestyle.session import Session


def run(
    tasks: Sequence[Task],
    output: Path,
    span: TimeRange,
    session: Session,
    context: Context = SILENT,
    *,
    record: ManifestRecorder | None = None,
    before: PriorResults = NOTHING,
    alone: bool | None = None,
    scratch: Scratch | None = None,
) -> JobDone:
    """Do every task; one that fails is reported and the others go on. The error of one that is `alone` is raised.

    `record` hears of each task; `before` is the part of the job that needs no work. `alone`: by default, where there is
    one task. `scratch`: for what is not finished.
    """
    started = time.perf_counter()
    record = record or ManifestRecorder()
    alone = len(tasks) == 1 if alone is None else alone
    surveys = _survey_all(tasks, span, session.preset, context)
    total = sum(found.frames for found in surveys.values() if isinstance(found, Survey))
    total *= session.preset.video.painted_times
    total += sum(task.kind is MediaKind.PHOTO for task in tasks)
    crew = _crew(tasks, before, session.stylizer.device)
    words = JobWords(str(output), session.preset.name, session.weights, session.device, crew.pictures)
    for event in (*first_news(words, tasks, total, before), *_plans(tasks, surveys, session.preset, crew)):
        context.on_event(event)
    if (short := shortage(output, _bytes_needed(tasks, surveys, session.preset))) is not None:
        context.on_event(short)
    ledger = _Ledger(tasks, record, alone)
    places = Places(crew, session.stylizer.fitting)
    with SideBySide(crew.pictures, context, ledger.end) as beside:
        for index, task in enumerate(tasks):
            if task.kind is MediaKind.PHOTO and crew.pictures > 1:
                threads = places.wait_for(index, _size_of(task, session.preset), beside)
                record.begin(task)
                beside.begin(index, partial(_do_photo, task, index, session, scratch), threads)
                continue
            beside.wait_for_all()
            record.begin(task)
            found = surveys.get(task.source)
            facts = record.facts(task)
            outcome = _outcome(partial(_do, task, index, found, span, session, context, facts, scratch))
            context.on_event(ledger.end(index, outcome))
        beside.wait_for_all()
    result = last_news(ledger.done, ledger.failed, time.perf_counter() - started, before)
    context.on_event(result)
    return result


class _Ledger:
    """What became of each task; the record hears of it at once."""

    def __init__(self, tasks: Sequence[Task], record: ManifestRecorder, alone: bool) -> None:
        self._tasks, self._record, self._alone = tasks, record, alone
        self._done: dict[int, TaskDone] = {}
        self._failed: dict[int, str] = {}

    def end(self, index: int, outcome: Outcome) -> Event:
        """The last news of a task. Raises its error, where it is alone."""
        task = self._tasks[index]
        if isinstance(outcome, TaskDone):
            self._record.finish(task)
            self._done[index] = outcome
            return outcome
        self._record.fail(task, outcome)
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


def _crew(tasks: Sequence[Task], before: PriorResults, device: torch.device) -> Crew:
    """For all photos of the job, those done before with them. A GPU is one for all."""
    if device.type != "cpu":
        return Crew(1, torch.get_num_threads())
    photos = sum(task.kind is MediaKind.PHOTO for task in (*before.done, *tasks))
    return Crew.of(photos + len(before.failed), torch.get_num_threads())


def _plans(
    tasks: Sequence[Task], surveys: Mapping[Path, Survey | FramestyleError], preset: Preset, crew: Crew
) -> Iterator[TaskPlanned]:
    """Of each task, but for those that are known to fail."""
    for task in tasks:
        found = surveys.get(task.source)
        if isinstance(found, Survey):
            size = fit_within(Size(found.info.width, found.info.height), preset.scales.max_side_px)
            yield clip_plan(str(task.source), preset, size, found.frames, len(found.shots))
        elif task.kind is MediaKind.PHOTO and (of_photo := _size_of(task, preset)) is not None:
            at_once = 1 if of_photo.area_px > LARGEST_PX else crew.pictures
            yield photo_plan(str(task.source), preset, of_photo, at_once)


def _size_of(task: Task, preset: Preset) -> Size | None:
    """At which a photo is painted; None where its file does not say."""
    try:
        return fit_within(Size(*photo_size(task.source)), preset.scales.max_side_px)
    except FramestyleError:
        return None


def _do_photo(
    task: Task, index: int, session: Session, scratch: Scratch | None, context: Context
) -> TaskDone:
    return _do(task, index, None, TimeRange(), session, context, None, scratch)


def _survey_all(
    tasks: Sequence[Task], span: TimeRange, preset: Preset, context: Context
) -> dict[Path, Survey | FramestyleError]:
    found: dict[Path, Survey | FramestyleError] = {}
    for task in tasks:
        if task.kind is MediaKind.VIDEO:
            try:
                found[task.source] = survey(task.source, span, preset, context)
            except FramestyleError as error:
                found[task.source] = error
    return found


def _bytes_needed(
    tasks: Sequence[Task], surveys: Mapping[Path, Survey | FramestyleError], preset: Preset
) -> float:
    """By all clips together, and while the largest of them is made."""
    made, most_work = 0.0, 0.0
    for task in tasks:
        found = surveys.get(task.source)
        if isinstance(found, Survey):
            size = fit_within(Size(found.info.width, found.info.height), preset.scales.max_side_px)
            result, work = clip_bytes_expected(task.target, preset, size, found.frames)
            made, most_work = made + result, max(most_work, work)
    return made + most_work


def _outcome(work: Callable[[], TaskDone]) -> Outcome:
    """Of a task on this thread. A stop is none: it is raised."""
    try:
        return work()
    except FramestyleError as error:
        return error


def _do(
    task: Task,
    index: int,
    found: Survey | FramestyleError | None,
    span: TimeRange,
    session: Session,
    context: Context,
    facts: ResumeKey | None,
    scratch: Scratch | None,
) -> TaskDone:
    if isinstance(found, FramestyleError):
        raise found
    try:
        if found is None:
            return render_photo(task, index, session, context, scratch)
        return render_video(task, index, found, span, session, context, facts)
    except torch.OutOfMemoryError as error:
        raise session.out_of_memory(task.source, "render") from error
