"""The engine of this machine: tasks one after another, on one device."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import torch

from framestyle.errors import DeviceError, FramestyleError, InterruptedByUserError
from framestyle.events import JobDone, TaskDone, TaskFailed
from framestyle.jobs.manifest import Record
from framestyle.jobs.news import NOTHING, Beforehand, JobWords, first_news, last_news
from framestyle.jobs.plan import Task, TimeRange
from framestyle.jobs.render import Survey, render_photo, render_video, survey
from framestyle.jobs.workshop import Workshop


def run(
    tasks: Sequence[Task],
    output: Path,
    span: TimeRange,
    workshop: Workshop,
    *,
    record: Record | None = None,
    before: Beforehand = NOTHING,
    alone: bool | None = None,
) -> JobDone:
    """Do every task; one that fails is reported and the others go on. The error of one that is `alone` is raised.

    `record` hears of each task; `before` is the part of the job that needs no work. `alone`: by default, where there is
    one task.
    """
    started = time.perf_counter()
    record = record or Record()
    alone = len(tasks) == 1 if alone is None else alone
    surveys = _survey_all(tasks, span, workshop)
    total = sum(found.frames for found in surveys.values() if isinstance(found, Survey))
    total *= workshop.preset.video.painted_times
    total += sum(task.kind == "photo" for task in tasks)
    words = JobWords(str(output), workshop.preset.name, workshop.weights, workshop.device)
    for event in first_news(words, tasks, total, before):
        workshop.on_event(event)
    done: list[TaskDone] = []
    failed: list[str] = []
    for index, task in enumerate(tasks):
        record.begin(task)
        try:
            finished = _do(task, index, surveys.get(task.source), span, workshop)
        except InterruptedByUserError:
            raise
        except FramestyleError as error:
            record.fail(task, error)
            if alone:
                raise
            failed.append(str(task.source))
            workshop.on_event(TaskFailed(str(task.source), error.message, error.next_step))
            continue
        record.finish(task)
        done.append(finished)
        workshop.on_event(finished)
    result = last_news(done, failed, time.perf_counter() - started, before)
    workshop.on_event(result)
    return result


def _survey_all(
    tasks: Sequence[Task], span: TimeRange, workshop: Workshop
) -> dict[Path, Survey | FramestyleError]:
    found: dict[Path, Survey | FramestyleError] = {}
    for task in tasks:
        if task.kind == "video":
            try:
                found[task.source] = survey(task.source, span, workshop.preset, workshop.on_event)
            except FramestyleError as error:
                found[task.source] = error
    return found


def _do(
    task: Task, index: int, found: Survey | FramestyleError | None, span: TimeRange, workshop: Workshop
) -> TaskDone:
    if isinstance(found, FramestyleError):
        raise found
    try:
        if found is None:
            return render_photo(task, index, workshop)
        return render_video(task, index, found, span, workshop)
    except torch.OutOfMemoryError as error:
        raise DeviceError(
            f"{task.source} needs more memory than {workshop.device} has",
            next_step="Lower --max-side, or use --device cpu.",
        ) from error
