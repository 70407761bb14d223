"""A work folder whose tasks are painted, joined: photos put in their places, clips encoded, checked, published.

It is the ordinary job, done by an engine that paints nothing: it takes each unit from the folder. So what is written,
the manifest, and what is reported, are those of the work done in one go.
"""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Sequence
from pathlib import Path

from framestyle.context import SILENT, Context
from framestyle.errors import Code, FramestyleError, InputError, OutputError
from framestyle.events import JobDone, TaskDone
from framestyle.jobs.engines.elsewhere import SessionElsewhere
from framestyle.jobs.engines.engine import Ledger, Outcome, Setting
from framestyle.jobs.handout.folder import CLIPS, JOINED, MADE, TASK_KEY, VERSION, Handed, Handout
from framestyle.jobs.handout.outcomes import Failed, Made, Record, read_record, retold
from framestyle.jobs.handout.sealed import PLAN_ANEW, read_sealed, write_sealed
from framestyle.jobs.plan.survey import clip_reader
from framestyle.jobs.plan.survey_cache import keep_survey, survey_key
from framestyle.jobs.plan.units import PhotoTask, ShotTask, Unit
from framestyle.jobs.resume.resume_key import work_folder_of
from framestyle.jobs.resume.scratch import for_target
from framestyle.jobs.resume.shot_work import whole_folder
from framestyle.jobs.run.batch import paint, prepare
from framestyle.jobs.run.shots import ShotDone
from framestyle.media.files import atomic_output, put_folder_in_place, storage_error
from framestyle.media.video.sequences import existing_files
from framestyle.session import Session
from framestyle.spec import RenderSpec

NAMED = 5
"""Tasks that are named where some are not painted yet."""


def join(folder: Path, context: Context = SILENT) -> list[JobDone]:
    """The results of a work folder into their places; what is painted then goes from the folder.

    Nothing is published before every task is known to be painted, or to fail on any machine: OutputError otherwise,
    InputError where a file of the folder was changed. A task that has failed is reported and the others are published.
    Joined before: nothing is done, and the list is empty.
    """
    handout = Handout.read(folder)
    if _is_joined(handout):
        return []
    records = {one.number: (one, read_record(handout, one)) for one in handout.all_handed()}
    if missing := [number for number, (_, record) in records.items() if record is None]:
        raise _unfinished(handout, missing)
    for job, source, text in handout.surveys():
        _keep_survey(handout.specs[job], source, text)
    order = handout.order
    jobs = prepare(order)
    engine = HandedOut(handout, [(one, record) for one, record in records.values() if record is not None])
    done = paint(jobs, order, context, engine)
    write_sealed(folder / JOINED, TASK_KEY, VERSION, {"job_id": handout.identity})
    for name in (MADE, CLIPS):
        shutil.rmtree(folder / name, ignore_errors=True)
    return done


def _is_joined(handout: Handout) -> bool:
    path = handout.folder / JOINED
    if not path.exists():
        return False
    body, _ = read_sealed(path, TASK_KEY, VERSION, "a record of FrameStyle")
    return body.get("job_id") == handout.identity


def _unfinished(handout: Handout, missing: Sequence[int]) -> OutputError:
    names = ", ".join(map(str, missing[:NAMED])) + (", …" if len(missing) > NAMED else "")
    return OutputError(
        f"of the {handout.count} tasks of {handout.folder}, {len(missing)} are not painted to their end: {names}",
        code=Code.WORK_UNFINISHED,
        facts={"path": str(handout.folder), "missing": len(missing), "tasks": handout.count},
        next_step="Paint them, then join again. Nothing was published.",
    )


def _keep_survey(spec: RenderSpec, source: Path, text: str) -> None:
    """As if it had been taken on this machine: the clip need not be decoded again to count its frames."""
    try:
        reader = clip_reader(source, spec.span, spec.preset)
    except FramestyleError:
        return  # whoever wants it says so
    keep_survey(survey_key(reader.info, spec.span, spec.preset), text)


class HandedOut:
    """An engine whose units were painted elsewhere: each is taken from where it lies."""

    def __init__(self, handout: Handout, records: Sequence[tuple[Handed, Record]]) -> None:
        self._handout = handout
        self._by_key = {_key(one.unit, one.target): (one, record) for one, record in records}

    def open(self, spec: RenderSpec, context: Context) -> Session:
        """Nothing is painted here, so nothing is loaded."""
        return SessionElsewhere(spec)

    def photos_at_once(self, setting: Setting) -> int:
        """One after another."""
        return 1

    def paints_apart(self, setting: Setting) -> bool:
        """Every clip."""
        return True

    def run(self, units: Sequence[Unit], setting: Setting, ledger: Ledger, context: Context) -> None:
        """Photos into their places, shots into their clip's work folder."""
        for number, unit in enumerate(units):
            context.check_cancelled()
            ledger.begin(number)
            outcome = self._taken(unit, setting, context)
            if (event := ledger.end(number, outcome)) is not None:
                context.on_event(event)

    def _taken(self, unit: Unit, setting: Setting, context: Context) -> Outcome:
        found = self._by_key.get(_key(unit))
        if found is None or not _is_same(unit, found[0].unit):
            return InputError(
                f"{unit.source} was not there, or was another, when the work was planned", next_step=PLAN_ANEW
            )
        handed, record = found
        if isinstance(record, Failed):
            return record.here(unit.source)
        try:
            return self._put(unit, handed, record, setting, context)
        except FramestyleError as error:
            return error

    def _put(
        self, unit: Unit, handed: Handed, made: Made, setting: Setting, context: Context
    ) -> TaskDone | ShotDone:
        if isinstance(unit, ShotTask):
            assert isinstance(handed.unit, ShotTask)
            if not whole_folder(unit).is_dir():
                put_shot(whole_folder(handed.unit), whole_folder(unit))
        else:
            assert isinstance(handed.unit, PhotoTask)
            with atomic_output(unit.target, for_target(setting.scratch, unit.target)) as temporary:
                shutil.copyfile(handed.unit.target, temporary)
        for event in retold(made.news, unit):
            context.on_event(event)
        return _as_here(made.done, unit)


def _as_here(done: TaskDone | ShotDone, unit: Unit) -> TaskDone | ShotDone:
    if isinstance(done, ShotDone) or isinstance(unit, ShotTask):
        return done
    size_bytes = unit.target.stat().st_size
    return TaskDone(str(unit.source), str(unit.target), 1, size_bytes, done.seconds, done.steps)


def _key(unit: Unit, target: Path | None = None) -> tuple[Path, int]:
    """By which a unit of the job is found among those that were handed out. `target`: of one that was."""
    if isinstance(unit, PhotoTask):
        return (target or unit.target).absolute(), 0
    return (unit.work if target is None else work_folder_of(target)).absolute(), unit.number


def _is_same(unit: Unit, handed: Unit) -> bool:
    """Whether the job has the very unit that was handed out: of the same input, as it is now, and the same frames."""
    if handed.given is None or handed.given.of_same(existing_files(unit.source)) is None:
        return False
    if isinstance(unit, ShotTask) and isinstance(handed, ShotTask):
        return unit.shot == handed.shot and unit.size == handed.size and unit.key in (None, handed.key)
    return type(unit) is type(handed)


def put_shot(source: Path, target: Path) -> None:
    """A whole shot's folder to another place, all at once. Its files are not written to again: a link will do."""
    unfinished = target.with_name(f"{target.name}.{secrets.token_hex(4)}")
    try:
        unfinished.mkdir(parents=True)
        for path in sorted(source.iterdir()):
            if path.is_file():
                _linked(path, unfinished / path.name)
    except OSError as error:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise storage_error(error, target) from error
    put_folder_in_place(unfinished, target)


def _linked(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
