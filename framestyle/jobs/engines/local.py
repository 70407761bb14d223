"""The engine of this machine: tasks one after another, on one device."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch

from framestyle.errors import FramestyleError, InterruptedByUserError
from framestyle.events import JobDone, TaskDone, TaskFailed
from framestyle.jobs.estimate import clip_bytes_expected
from framestyle.jobs.facts import Facts
from framestyle.jobs.news import NOTHING, Beforehand, JobWords, first_news, last_news
from framestyle.jobs.plan import Task, TimeRange
from framestyle.jobs.record import Record
from framestyle.jobs.render import Survey, render_photo, render_video, survey
from framestyle.jobs.room import shortage
from framestyle.jobs.scratch import Scratch
from framestyle.jobs.workshop import Workshop
from framestyle.nst.sizes import Size, fit_within
from framestyle.presets import Preset


def run(
    tasks: Sequence[Task],
    output: Path,
    span: TimeRange,
    workshop: Workshop,
    *,
    record: Record | None = None,
    before: Beforehand = NOTHING,
    alone: bool | None = None,
    scratch: Scratch | None = None,
) -> JobDone:
    """Do every task; one that fails is reported and the others go on. The error of one that is `alone` is raised.

    `record` hears of each task; `before` is the part of the job that needs no work. `alone`: by default, where there is
    one task. `scratch`: for what is not finished.
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
    if (short := shortage(output, _bytes_needed(tasks, surveys, workshop.preset))) is not None:
        workshop.on_event(short)
    done: list[TaskDone] = []
    failed: list[str] = []
    for index, task in enumerate(tasks):
        record.begin(task)
        try:
            finished = _do(task, index, surveys.get(task.source), span, workshop, record.facts(task), scratch)
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


def _do(
    task: Task,
    index: int,
    found: Survey | FramestyleError | None,
    span: TimeRange,
    workshop: Workshop,
    facts: Facts | None,
    scratch: Scratch | None,
) -> TaskDone:
    if isinstance(found, FramestyleError):
        raise found
    try:
        if found is None:
            return render_photo(task, index, workshop, scratch)
        return render_video(task, index, found, span, workshop, facts)
    except torch.OutOfMemoryError as error:
        raise workshop.out_of_memory(task.source, "--max-side") from error
