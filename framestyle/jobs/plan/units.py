"""The units of work, a shot of a clip or a photo: values that can be written to a file and read elsewhere. No torch.

Inside a shot a frame needs the one before it; between shots, and between photos, nothing is needed: so a unit is what
is painted beside others, by another process or machine, and what is done again where one has failed.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, TypeAlias

from framestyle.errors import InputError
from framestyle.jobs.plan.survey import Survey
from framestyle.jobs.plan.tasks import Task
from framestyle.jobs.resume.fingerprint import FileFingerprint
from framestyle.jobs.resume.resume_key import ResumeKey, work_folder_of
from framestyle.kinds import MediaKind, TimeRange
from framestyle.media.files import atomic_output
from framestyle.motion.shots import Shot
from framestyle.nst.sizes import Size
from framestyle.spec import refuse_newer

VERSION, VERSION_KEY = 1, "framestyle_unit"


@dataclass(frozen=True)
class ShotTask:
    """One shot of a clip. It becomes lossless segments in the clip's work folder.

    `number` counts the clip's shots from 0; `shot` says its frames, by their index in the clip, `span` when they are
    shown, in seconds from the clip's first frame. `size` is that of the result, `work` the clip's work folder. `key`:
    of the render spec that it is painted with, `given`: the clip's fingerprint; None where nobody asks.
    """

    source: Path
    number: int
    shot: Shot
    size: Size
    span: TimeRange
    frame_rate: Fraction
    work: Path
    key: str | None = None
    given: FileFingerprint | None = None
    timeline_s: tuple[Fraction, ...] = ()
    """When the points of the preset's timeline are, in seconds from the clip's start."""


@dataclass(frozen=True)
class PhotoTask:
    """One photo. It becomes the picture itself, at `target`. `index`: its place among its job's tasks, from 0.

    `key`: of the render spec that it is painted with, `given`: the photo's fingerprint; None where nobody asks.
    """

    source: Path
    target: Path
    index: int = 0
    key: str | None = None
    given: FileFingerprint | None = None
    share: Fraction = Fraction(0)
    """Where it stands among all photos of its command, from 0 to 1."""


Unit: TypeAlias = ShotTask | PhotoTask


def shot_tasks(
    task: Task, found: Survey, span: TimeRange, size: Size, facts: ResumeKey | None = None
) -> tuple[ShotTask, ...]:
    """The shots of a clip, or of the part of it that `span` says, as its survey found them; `size`: of the result."""
    ends_s = (*found.starts_s[1:], span.end_s)
    spans = [TimeRange(start_s, end_s) for start_s, end_s in zip(found.starts_s, ends_s, strict=False)]
    return tuple(
        ShotTask(
            task.source,
            number,
            shot,
            size,
            spans[number] if spans else span,
            found.info.frame_rate,
            work_folder_of(task.target),
            None if facts is None else facts.work,
            None if facts is None else facts.input,
            found.timeline_s,
        )
        for number, shot in enumerate(found.shots)
    )


# -- files -------------------------------------------------------------------------------------------------


def write_unit(path: Path, unit: Unit) -> None:
    """Whole or not at all. Paths are written as they are from the file's folder, so that both may be moved together."""
    with atomic_output(path) as temporary:
        temporary.write_text(unit_to_json(unit, path.parent), encoding="utf-8")


def read_unit(path: Path) -> Unit:
    """InputError where it is none, or was written by a newer FrameStyle."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read: {error}", next_step="Plan the work anew.") from error
    return unit_from_json(text, path.parent)


def unit_to_json(unit: Unit, folder: Path) -> str:
    """All of it; `unit_from_json` reads it, with the same folder or one that the same files lie around."""
    data: dict[str, Any] = {
        VERSION_KEY: VERSION,
        "kind": "shot" if isinstance(unit, ShotTask) else "photo",
        "source": path_from(folder, unit.source),
        "key": unit.key,
        "given": None if unit.given is None else asdict(unit.given),
    }
    if isinstance(unit, ShotTask):
        data |= {
            "number": unit.number,
            "size": list(unit.size),
            "frames": [unit.shot.first, unit.shot.end],
            "span": [None if one is None else str(one) for one in (unit.span.start_s, unit.span.end_s)],
            "frame_rate": str(unit.frame_rate),
            "work": path_from(folder, unit.work),
            "timeline": [str(at_s) for at_s in unit.timeline_s],
        }
    else:
        data |= {
            "target": path_from(folder, unit.target),
            "index": unit.index,
            "share": str(unit.share),
        }
    return json.dumps(data, indent=1)


def unit_from_json(text: str, folder: Path) -> Unit:
    """What `unit_to_json` wrote. InputError where it is none, or was written by a newer FrameStyle."""
    try:
        data = json.loads(text)
        refuse_newer(data[VERSION_KEY], VERSION, "this is a unit of work")
        source, key = path_to(folder, data["source"]), None if data["key"] is None else str(data["key"])
        given = None if data["given"] is None else FileFingerprint(**data["given"])
        if data["kind"] == "photo":
            target, share = path_to(folder, data["target"]), Fraction(data.get("share", 0))
            return PhotoTask(source, target, int(data["index"]), key, given, share)
        return _shot_of(data, source, folder, key, given)
    except (ValueError, TypeError, KeyError, AttributeError, ArithmeticError, RecursionError) as error:
        raise InputError(f"this is no unit of work: {error}", next_step="Plan the work anew.") from error


def _shot_of(
    data: Mapping[str, Any], source: Path, folder: Path, key: str | None, given: FileFingerprint | None
) -> ShotTask:
    start_s, end_s = (None if one is None else Fraction(one) for one in data["span"])
    first, end = map(int, data["frames"])
    size = Size(*map(int, data["size"]))
    if data["kind"] != "shot" or not 0 <= first < end:
        raise ValueError(f"{data['kind']!r} of frames {first} to {end}")
    span, rate = TimeRange(start_s, end_s), Fraction(data["frame_rate"])
    work = path_to(folder, data["work"])
    times_s = tuple(map(Fraction, data.get("timeline", ())))
    return ShotTask(
        source, int(data["number"]), Shot(first, end), size, span, rate, work, key, given, times_s
    )


def path_from(folder: Path, path: Path) -> str:
    """A path as it is from a folder, with slashes; absolute where they have no folder in common but the root."""
    absolute, base = path.absolute(), folder.absolute()
    try:
        common = Path(os.path.commonpath([absolute, base]))
    except ValueError:  # two drives
        return absolute.as_posix()
    return (
        absolute.as_posix()
        if common == Path(common.anchor)
        else Path(os.path.relpath(absolute, base)).as_posix()
    )


def path_to(folder: Path, path: str) -> Path:
    """What `path_from` wrote."""
    if not isinstance(path, str):
        raise TypeError(f"{path!r} is no path")
    return Path(os.path.normpath(folder / path))


def photo_task(task: Task, index: int, key: str | None = None) -> PhotoTask:
    """Of a task that is a photo."""
    if task.kind is not MediaKind.PHOTO:
        raise ValueError(f"{task.source} is no photo")
    return PhotoTask(task.source, task.target, index, key, share=task.share)
