"""An order -> a work folder: every input surveyed, every shot and photo a task, with all that decides pixels."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from framestyle.context import SILENT, Context
from framestyle.errors import Code, FramestyleError, OutputError, UsageError
from framestyle.jobs.handout.carried import carry, portable
from framestyle.jobs.handout.deciding import decided, is_here
from framestyle.jobs.handout.folder import (
    CLIPS,
    DONE,
    JOB,
    JOINED,
    MADE,
    TASKS,
    Handed,
    Handout,
    order_told,
    task_path,
)
from framestyle.jobs.handout.sealed import digest_of
from framestyle.jobs.plan.estimate import photo_size_painted, photo_work, shot_work
from framestyle.jobs.plan.survey import Survey
from framestyle.jobs.plan.surveys import Surveys
from framestyle.jobs.plan.tasks import Task
from framestyle.jobs.plan.units import PhotoTask, path_from
from framestyle.jobs.resume.fingerprint import FileFingerprint
from framestyle.jobs.resume.resume_key import ResumeKey, versions
from framestyle.jobs.run.batch import Job, Order, prepare
from framestyle.jobs.run.clips import Clip
from framestyle.jobs.run.refusals import refuse_job, refuse_task
from framestyle.kinds import MediaKind
from framestyle.nst.devices import devices_of
from framestyle.paths import resolved
from framestyle.spec import RenderSpec


@dataclass(frozen=True)
class Planned:
    """A work folder; `handout` is None where nothing is left to do. `done`: outputs that are done already."""

    handout: Handout | None
    units: tuple[Handed, ...]
    done: int


def plan(order: Order, folder: Path, context: Context = SILENT) -> Planned:
    """Write an order's tasks into a work folder. The same plan again changes nothing; a folder that was joined is used
    anew.

    Clips are surveyed; what `auto` leaves open (device, precision, weights) is decided here, for all. Raises what the
    work itself would refuse, and OutputError where the folder holds another job.
    """
    _refuse_among_inputs(order, folder)
    jobs = prepare(order)
    begun = Handout.read(folder).specs if (folder / JOB).exists() else ()
    alone = sum(job.tasks for job in jobs) == 1
    planners = [
        _JobPlanner(number, _as_begun(job, begun, number), order, folder, context)
        for number, job in enumerate(jobs)
    ]
    units: list[Handed] = []
    for planner in planners:
        units += planner.units(len(units), alone)
    done = sum(len(job.done) for job in jobs)
    if not any(planner.tasks for planner in planners):
        return Planned(None, (), done)
    order = replace(order, device=planners[0].spec.device)
    told = {
        "order": order_told(order, folder),
        "specs": [portable(planner.spec) for planner in planners],
        "surveys": [one for planner in planners for one in planner.surveys_told()],
    }
    given = [one for planner in planners for one in planner.given]
    identity = digest_of({**told, "given": given, "versions": versions()})[:16]
    return Planned(_written(folder, identity, told, units, planners), tuple(units), done)


def _as_begun(job: Job, begun: Sequence[RenderSpec], number: int) -> Job:
    """In the precision that the folder's plan was made in: what `auto` comes to is measured once."""
    if number >= len(begun) or job.spec.decided_precision is not None:
        return job
    return replace(job, spec=replace(job.spec, precision=begun[number].precision))


def _written(
    folder: Path, identity: str, told: dict[str, Any], units: list[Handed], planners: list[_JobPlanner]
) -> Handout:
    if (folder / JOINED).exists():
        for name in (TASKS, DONE, MADE, CLIPS):
            shutil.rmtree(folder / name, ignore_errors=True)
        for name in (JOB, JOINED):
            (folder / name).unlink(missing_ok=True)
    if (folder / JOB).exists():
        there = Handout.read(folder)
        if there.identity != identity:
            raise OutputError(
                f"{folder} holds the work of another job",
                code=Code.WORK_CHANGED,
                facts={"path": str(folder), "change": "for another job"},
                next_step="Choose another work folder, or delete this one.",
            )
        if all(task_path(folder, one.number).exists() for one in units):
            return there
    for name in (MADE, CLIPS, DONE):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for planner in planners:
        carry(planner.spec, folder)
    return Handout.write(folder, identity, told, units)


def _refuse_among_inputs(order: Order, folder: Path) -> None:
    """A folder that is painted must not hold what is painted of it."""
    place = resolved(folder)
    for path in order.inputs:
        if path.is_dir() and place.is_relative_to(resolved(path)):
            raise UsageError(
                f"the work folder {folder} lies in {path}, which is an input",
                next_step="Choose a work folder beside it.",
            )


class _JobPlanner:
    """One job's tasks as units."""

    def __init__(self, number: int, job: Job, order: Order, folder: Path, context: Context) -> None:
        self._number, self._job, self._order, self._folder = number, job, order, folder
        self.tasks = job.to_do
        self.given: list[object] = []
        """What each task is made from, for the plan's identity."""
        self._surveys = Surveys()
        self.spec = job.spec
        if self.tasks:
            clips = any(task.kind is MediaKind.VIDEO for task in self.tasks)
            device = order.device if is_here(order.device) else "cpu"
            refuse_job(job.preset, order.weights, device, clips=clips)
            self._surveys = Surveys.of(self.tasks, order.span, job.preset, context)
            self.spec = decided(job.spec, devices_of(order.device)[0], context)

    def surveys_told(self) -> Iterator[list[Any]]:
        """What folder.Handout.surveys reads."""
        for path, found in self._surveys.found.items():
            if isinstance(found, Survey):
                yield [self._number, path_from(self._folder, path), found.to_json()]

    def units(self, first: int, alone: bool) -> list[Handed]:
        """From this number on. What cannot be is left to the join, which says why; raised where it is `alone`."""
        units: list[Handed] = []
        for index, task in enumerate(self.tasks):
            try:
                refuse_task(task, self._job.preset, self._order.span)
                units += self._of_task(first + len(units), index, task)
            except (FramestyleError, OSError):
                if alone:
                    raise
        return units

    def _of_task(self, first: int, index: int, task: Task) -> Iterator[Handed]:
        given = FileFingerprint.of(task.inputs())
        self.given.append([str(task.source), given.size, given.sha256, str(task.target)])
        if task.kind is MediaKind.PHOTO:
            size = photo_size_painted(task.source, self.spec.preset)
            work = photo_work(self.spec.preset, size) if size else 0.0
            made = self._folder / MADE / f"{first:05d}" / task.target.name
            unit = PhotoTask(task.source, made, index, self.spec.key(task.kind), given)
            yield Handed(first, self._number, unit, task.target, work)
            return
        found = self._surveys.clip(task)
        facts = ResumeKey.of(self.spec, task.kind, given)
        shots = Clip.of(task, found, self._order.span, self.spec.preset, facts).shots
        work_folder = self._folder / CLIPS / f"{first:05d}"
        for number, shot in enumerate(shots, first):
            work = shot_work(self.spec.preset, shot.size, shot.shot.frames)
            yield Handed(number, self._number, replace(shot, work=work_folder), task.target, work)
