"""Work that is handed out: planned into files, painted unit by unit wherever the files can be read, and joined.

A clip's plan lies in its work folder, so that the ordinary command resumes what is painted. Beside each unit's
file lies the render spec, spec.json. Paths are written as they are from there: a folder that holds sources and results
can be moved, or be mounted elsewhere; the pictures that the preset names are found where it says.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from framestyle.context import SILENT, Context
from framestyle.errors import InputError
from framestyle.events import TaskDone
from framestyle.jobs.plan.survey import Survey, clip_reader, survey
from framestyle.jobs.plan.tasks import Task
from framestyle.jobs.plan.units import (
    PhotoTask,
    ShotTask,
    Unit,
    path_from,
    path_to,
    read_unit,
    refuse_newer,
    write_unit,
)
from framestyle.jobs.resume.fingerprint import FileFingerprint
from framestyle.jobs.resume.resume_key import (
    PLAN,
    ResumeKey,
    begun_otherwise,
    facts_in,
    refuse_change,
    work_folder_of,
)
from framestyle.jobs.resume.work_folder import begin_work
from framestyle.jobs.run.clips import Clip, join_clip
from framestyle.jobs.run.provenance import MadeBy
from framestyle.jobs.run.shots import ShotDone
from framestyle.jobs.run.units import paint_unit
from framestyle.kinds import MediaKind
from framestyle.media.files import atomic_output
from framestyle.media.video.sequences import existing_files
from framestyle.nst.devices import choose_device
from framestyle.resolve import PrecisionChoice
from framestyle.session import Session
from framestyle.spec import RenderSpec

VERSION, VERSION_KEY = 1, "framestyle_clip"
SPEC, CLIP = "spec.json", "clip.json"


def plan(tasks: Sequence[Task], spec: RenderSpec, photos: Path, context: Context = SILENT) -> list[Path]:
    """The units of these tasks as files, which `paint` takes: of clips in their work folders, of photos in a folder.

    Clips are surveyed. What the spec leaves open (`optimizer.precision: auto`, no device) is decided here. Raises
    InputError where an input cannot be read, OutputError where a clip was begun otherwise.
    """
    spec = _decided(spec)
    clips = [
        path for task in tasks if task.kind is MediaKind.VIDEO for path in _plan_clip(task, spec, context)
    ]
    return [*clips, *_plan_photos(tasks, spec, photos)]


def _decided(spec: RenderSpec) -> RenderSpec:
    device = choose_device(spec.device or "auto")
    precision = spec.decided_precision or PrecisionChoice(device).resolve(spec.preset).optimizer.precision
    return replace(spec, device=device.type, precision=precision)


def _plan_clip(task: Task, spec: RenderSpec, context: Context) -> Iterator[Path]:
    refuse_change(task, spec)
    facts = ResumeKey.of(spec, task.kind, FileFingerprint.of(task.inputs()))
    found = survey(task.source, spec.span, spec.preset, context)
    work = work_folder_of(task.target)
    folder = work / PLAN
    begin_work(work, task.target, facts, anew=True)
    data = {
        VERSION_KEY: VERSION,
        "source": path_from(folder, task.source),
        "target": path_from(folder, task.target),
        "survey": found.to_json(),
    }
    _write(folder / SPEC, spec.to_json())
    _write(folder / CLIP, json.dumps(data, indent=1))
    for shot in Clip.of(task, found, spec.span, spec.preset, facts).shots:
        path = folder / f"shot-{shot.number:05d}.json"
        write_unit(path, shot)
        yield path


def _plan_photos(tasks: Sequence[Task], spec: RenderSpec, folder: Path) -> Iterator[Path]:
    for index, task in enumerate(tasks):
        if task.kind is MediaKind.PHOTO:
            if not (folder / SPEC).exists() or (folder / SPEC).read_text(encoding="utf-8") != spec.to_json():
                _write(folder / SPEC, spec.to_json())
            path, given = folder / f"photo-{index:05d}.json", FileFingerprint.of(task.inputs())
            write_unit(
                path, PhotoTask(task.source, task.target, index, spec.key(task.kind), given, task.share)
            )
            yield path


def _write(path: Path, text: str) -> None:
    with atomic_output(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def paint(path: Path, context: Context = SILENT, *, device: str | None = None) -> TaskDone | ShotDone:
    """Paint the unit of a file: a photo into its place, a shot into its clip's work folder.

    Done twice it is the same; a shot that was stopped is resumed. `device`: which one of the spec's kind. Raises
    InputError where the unit's input is another one by now, OutputError where it was planned with other versions.
    """
    unit = read_unit(path)
    spec = RenderSpec.from_json(_read(path.with_name(SPEC)))
    given = _refuse_other_input(unit)
    if isinstance(unit, ShotTask):
        now = ResumeKey.of(spec, MediaKind.VIDEO, given)
        if (change := now.change_since(_facts(unit.work))) is not None:
            raise begun_otherwise(unit.work, change)
    with Session(spec, context, device=device, masks_follow=False) as session:
        return paint_unit(unit, session, context)


def _refuse_other_input(unit: Unit) -> FileFingerprint:
    """What the input is. InputError where it is not what it was when the work was planned."""
    files = existing_files(unit.source)
    try:
        if unit.given is None:
            return FileFingerprint.of(files)
        if (now := unit.given.of_same(files)) is not None:
            return now
    except OSError as error:
        raise InputError(
            f"{unit.source} cannot be read: {error.strerror or error}",
            next_step="Put it where it was when the work was planned.",
        ) from error
    raise InputError(
        f"{unit.source} is not what it was when the work was planned", next_step="Plan the work anew."
    )


def join(work: Path, context: Context = SILENT) -> TaskDone:
    """The clip of a work folder, all of whose shots are painted, into its place; the folder is removed.

    OutputError where a shot is not painted to its end, InputError where the folder holds no plan.
    """
    folder = work / PLAN
    spec = RenderSpec.from_json(_read(folder / SPEC))
    clip = _read_clip(folder, spec)
    facts = replace(_facts(work), other_keys=spec.resumable_keys(MediaKind.VIDEO))
    maker = MadeBy(spec, f"{spec.device} {spec.decided_precision}")
    return join_clip(clip, facts, maker, context)


def _read_clip(folder: Path, spec: RenderSpec) -> Clip:
    text = _read(folder / CLIP)
    try:
        data = json.loads(text)
        refuse_newer(data[VERSION_KEY], VERSION, "a plan")
        task = Task(MediaKind.VIDEO, path_to(folder, data["source"]), path_to(folder, data["target"]))
        info = clip_reader(task.source, spec.span, spec.preset).info
        found = Survey.from_json(data["survey"], info)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise InputError(f"{folder / CLIP} is no plan: {error}", next_step="Plan the work anew.") from error
    return Clip.of(task, found, spec.span, spec.preset)


def _facts(work: Path) -> ResumeKey:
    try:
        return facts_in(work)
    except (OSError, ValueError) as error:
        raise InputError(f"{work} holds no work: {error}", next_step="Plan the work anew.") from error


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read: {error}", next_step="Plan the work anew.") from error
