"""The work folder of a job that is handed out: what is to be done, as files that any machine can read.

job.json says what was asked for, the render specs, the surveys, and each unit's file by its hash; tasks/00007.json is a
unit; what is painted of it lies below made/ or clips/, and done/00007.json says what became of it. Paths are written as
they are from the folder: what lies around it can be moved with it, or be mounted elsewhere.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import Any

from framestyle.errors import Code, InputError, OutputError
from framestyle.jobs.handout.carried import located
from framestyle.jobs.handout.sealed import PLAN_ANEW, read_sealed, write_sealed
from framestyle.jobs.plan.units import Unit, path_from, path_to, unit_from_json, unit_to_json
from framestyle.jobs.resume.resume_key import versions
from framestyle.jobs.run.batch import Order
from framestyle.kinds import TimeRange
from framestyle.spec import RenderSpec

JOB, TASKS, MADE, CLIPS, DONE, JOINED = "job.json", "tasks", "made", "clips", "done", "joined.json"
JOB_KEY, TASK_KEY, VERSION = "framestyle_job", "framestyle_task", 1


@dataclass(frozen=True)
class Handed:
    """A unit that is handed out. `job`: which of the order's jobs it is of, `target`: what it is to be, or be part of.

    `megapixel_steps`: its work, at most.
    """

    number: int
    job: int
    unit: Unit
    target: Path
    megapixel_steps: float


@dataclass(frozen=True)
class Handout:
    """What a work folder holds. `surveys`: of each clip, by its job's number and its path."""

    folder: Path
    identity: str
    told: Mapping[str, Any]

    # -- files ---------------------------------------------------------------------------------------------

    @classmethod
    def read(cls, folder: Path) -> Handout:
        """InputError where the folder holds no work, or it was changed; OutputError where other versions planned it."""
        told, _ = read_sealed(folder / JOB, JOB_KEY, VERSION, "a job that was handed out")
        found = cls(folder, str(told["id"]), told)
        found._refuse_other_versions()
        return found

    def _refuse_other_versions(self) -> None:
        then, now = self.told["versions"], versions()
        differing = [name for name in now if then.get(name) != now[name]]
        if differing:
            names = ", ".join(f"{name} {then.get(name, '?')} (here {now[name]})" for name in differing)
            raise OutputError(
                f"the work of {self.folder} was planned by {names}",
                code=Code.WORK_CHANGED,
                facts={"path": str(self.folder), "change": names},
                next_step="Install the same versions on all machines, or plan the work anew.",
            )

    @classmethod
    def write(cls, folder: Path, identity: str, told: Mapping[str, Any], units: Sequence[Handed]) -> Handout:
        """Each unit's file, then what names them."""
        rows = []
        for one in units:
            path = task_path(folder, one.number)
            body = {
                "job_id": identity,
                "number": one.number,
                "job": one.job,
                "target": path_from(folder, one.target),
                "megapixel_steps": one.megapixel_steps,
                "unit": json.loads(unit_to_json(one.unit, folder)),
            }
            rows.append({"task": path.relative_to(folder).as_posix()})
            rows[-1]["sha256"] = write_sealed(path, TASK_KEY, VERSION, body)
        body = {"id": identity, "versions": versions(), **told, "tasks": rows}
        write_sealed(folder / JOB, JOB_KEY, VERSION, body)
        return cls(folder, identity, body)

    # -- what is in it -------------------------------------------------------------------------------------

    @property
    def count(self) -> int:
        """How many units there are."""
        return len(self.told["tasks"])

    def handed(self, number: int) -> Handed:
        """One unit. InputError where its file was changed, or is another job's."""
        path = task_path(self.folder, number)
        body, digest = read_sealed(path, TASK_KEY, VERSION, "a task of FrameStyle")
        if body.get("job_id") != self.identity:
            raise InputError(f"{path} belongs to another job", next_step=PLAN_ANEW)
        if not 0 <= number < self.count or self.told["tasks"][number]["sha256"] != digest:
            raise InputError(f"{path} was changed since it was planned", next_step=PLAN_ANEW)
        try:
            unit = unit_from_json(json.dumps(body["unit"]), self.folder)
            target = path_to(self.folder, body["target"])
            return Handed(number, int(body["job"]), unit, target, float(body["megapixel_steps"]))
        except (ValueError, TypeError, KeyError) as error:
            raise InputError(f"{path} is not a task of FrameStyle: {error}", next_step=PLAN_ANEW) from error

    def all_handed(self) -> Iterator[Handed]:
        """All units, in order."""
        return map(self.handed, range(self.count))

    @cached_property
    def specs(self) -> tuple[RenderSpec, ...]:
        """The render spec of each job, with pictures where they are on this machine."""
        return tuple(located(text, self.folder) for text in self.told["specs"])

    @property
    def order(self) -> Order:
        """What was asked for, as `order_told` has told it."""
        told, specs = self.told["order"], self.specs
        start_s, end_s = (None if one is None else Fraction(one) for one in told["span"])
        return Order(
            [path_to(self.folder, one) for one in told["inputs"]],
            path_to(self.folder, told["output"]),
            [spec.preset for spec in specs],
            weights=told["weights"],
            device=told["device"],
            seed=told["seed"],
            span=TimeRange(start_s, end_s),
            into_folder=told["into_folder"],
            overwrite=told["overwrite"],
            fresh=told["fresh"],
            memory_limit_bytes=told["memory_limit_bytes"],
            specs=specs,
        )

    def surveys(self) -> Iterator[tuple[int, Path, str]]:
        """Of each clip: its job's number, its path, and the survey's JSON."""
        for job, source, text in self.told["surveys"]:
            yield int(job), path_to(self.folder, source), str(text)


def order_told(order: Order, folder: Path) -> dict[str, Any]:
    """An order as plain values; its presets are told by specs."""
    return {
        "inputs": [path_from(folder, path) for path in order.inputs],
        "output": path_from(folder, order.output),
        "weights": order.weights,
        "device": order.device,
        "seed": order.seed,
        "span": [None if one is None else str(one) for one in (order.span.start_s, order.span.end_s)],
        "into_folder": order.into_folder,
        "overwrite": order.overwrite,
        "fresh": order.fresh,
        "memory_limit_bytes": order.memory_limit_bytes,
    }


def task_path(folder: Path, number: int) -> Path:
    """The file of a unit."""
    return folder / TASKS / f"{number:05d}.json"


def number_of(path: Path) -> int:
    """Which unit a file is of, by its name. InputError where it is none's."""
    if path.parent.name != TASKS or not path.stem.isdigit():
        raise InputError(
            f"{path} is no task: tasks lie in the folder {TASKS} of their work folder",
            next_step="Name a file there, as in WORK/tasks/00000.json.",
        )
    return int(path.stem)
