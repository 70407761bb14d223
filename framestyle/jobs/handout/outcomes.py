"""What became of a unit that was handed out, as a file: what it made, by its hash, and what was told of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from framestyle.errors import Code, FramestyleError, InputError, OutputError, PresetError
from framestyle.events import Event, FrameDone, Note, PhotoDone, ShotStarted, TaskDone, TaskStarted
from framestyle.jobs.handout.folder import DONE, TASK_KEY, VERSION, Handed, Handout
from framestyle.jobs.handout.sealed import read_sealed, write_sealed
from framestyle.jobs.plan.units import PhotoTask, ShotTask
from framestyle.jobs.resume.shot_work import shot_found
from framestyle.jobs.run.shots import ShotDone
from framestyle.kinds import MediaKind
from framestyle.nst.weights.hashes import has_sha256, sha256_of

RETOLD = (TaskStarted, Note, PhotoDone, ShotStarted, FrameDone)
"""What is told again where the job is joined."""
FINAL: tuple[type[FramestyleError], ...] = (InputError, OutputError, PresetError)
"""What is wrong with a unit itself, and not with the machine that painted it."""


@dataclass(frozen=True)
class Made:
    """A unit that is done. `news`: what was told on the way."""

    done: TaskDone | ShotDone
    news: tuple[Event, ...] = ()


@dataclass(frozen=True)
class Failed:
    """A unit that cannot be painted, on any machine. `source`: its input, as the painter called it."""

    error: FramestyleError
    source: str

    def here(self, source: Path) -> FramestyleError:
        """The error, by the path that the input has here."""
        error = self.error
        facts = {name: str(source) if one == self.source else one for name, one in error.facts.items()}
        return error.retold(error.message.replace(self.source, str(source)), facts)


Record = Made | Failed


def record_path(handout: Handout, number: int) -> Path:
    """Where it is said what became of a unit."""
    return handout.folder / DONE / f"{number:05d}.json"


def write_record(handout: Handout, handed: Handed, record: Record) -> None:
    """Whole or not at all. Of two painters' records either stands: both have made the same."""
    body: dict[str, Any] = {
        "job_id": handout.identity,
        "task": handout.told["tasks"][handed.number]["sha256"],
    }
    if isinstance(record, Failed):
        error = record.error
        body["source"] = record.source
        body["failed"] = {
            "kind": type(error).__name__,
            "message": error.message,
            "code": error.code,
            "facts": error.facts,
            "next_step": error.next_step,
        }
    else:
        body["done"] = asdict(record.done)
        if isinstance(handed.unit, PhotoTask):
            body["sha256"] = sha256_of(handed.unit.target)
        body["news"] = [[type(event).__name__, asdict(event)] for event in record.news]
    write_sealed(record_path(handout, handed.number), TASK_KEY, VERSION, body)


def read_record(handout: Handout, handed: Handed) -> Record | None:
    """What became of a unit, and is there still, whole; None: it is to be painted.

    InputError where the record was changed, or is another job's.
    """
    path = record_path(handout, handed.number)
    if not path.exists():
        return None
    body, _ = read_sealed(path, TASK_KEY, VERSION, "a record of FrameStyle")
    if (
        body.get("job_id") != handout.identity
        or body["task"] != handout.told["tasks"][handed.number]["sha256"]
    ):
        raise InputError(f"{path} belongs to another job", next_step="Delete it, and paint that task again.")
    if "failed" in body:
        return Failed(_error(body["failed"]), str(body["source"]))
    done = body["done"]
    news = tuple(_event(name, fields) for name, fields in body["news"])
    if isinstance(handed.unit, ShotTask):
        is_whole = shot_found(handed.unit).is_whole
        return Made(ShotDone(**done), news) if is_whole else None
    is_whole = has_sha256(handed.unit.target, body["sha256"])
    return Made(TaskDone(**done), news) if is_whole else None


def is_recorded(handout: Handout, number: int) -> bool:
    """Whether it is said what became of a unit; no file of it is looked at."""
    return record_path(handout, number).exists()


def _error(told: Mapping[str, Any]) -> FramestyleError:
    kinds = {kind.__name__: kind for kind in FINAL}
    kind = kinds.get(str(told["kind"]), FramestyleError)
    return kind(
        str(told["message"]), code=Code(told["code"]), facts=told["facts"], next_step=told["next_step"]
    )


_KINDS: Mapping[str, Callable[..., Event]] = {kind.__name__: kind for kind in RETOLD}


def _event(name: str, fields: Mapping[str, Any]) -> Event:
    values = dict(fields)
    if "kind" in values:
        values["kind"] = MediaKind(values["kind"])
    if values.get("code") is not None:
        values["code"] = Code(values["code"])
    return _KINDS[name](**values)


def retold(events: Iterable[Event], unit: PhotoTask | ShotTask) -> Iterator[Event]:
    """What was told of a unit, by the paths that it has here."""
    for event in events:
        if isinstance(event, TaskStarted):
            index = unit.index if isinstance(unit, PhotoTask) else event.index
            yield replace(event, path=str(unit.source), index=index)
        elif isinstance(event, PhotoDone) and isinstance(unit, PhotoTask):
            yield replace(event, path=str(unit.source), output=str(unit.target))
        else:
            yield event
