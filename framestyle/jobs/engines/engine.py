"""What every engine is: somebody who does units of work, each by itself, in whatever order, wherever it likes.

tests/jobs/test_engine_contract.py holds every engine to it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeAlias, runtime_checkable

from framestyle.context import Context
from framestyle.errors import FramestyleError
from framestyle.events import Event, TaskDone
from framestyle.jobs.plan.units import ShotTask, Unit
from framestyle.jobs.run.shots import ShotDone
from framestyle.session import Session
from framestyle.spec import RenderSpec

Outcome: TypeAlias = TaskDone | ShotDone | FramestyleError
"""What became of a unit: of a photo, of a shot, of one that failed."""


@dataclass(frozen=True)
class Machine:
    """What an engine may use. `devices`: one, or several of a kind, by name; `memory_limit_bytes`: most on each."""

    devices: tuple[str, ...] = ("auto",)
    memory_limit_bytes: int | None = None
    engine: str = "local"
    """The engine's name as it was given: of one that is elsewhere, with its address."""
    work: str | None = None
    """A folder or URL through which all travels, where machines do not see the same folders."""


@dataclass(frozen=True, eq=False)
class Setting:
    """What units are done with. `session` is open here; an engine elsewhere opens another one from its spec.

    `photos`: how many the whole job has, those done before with them. `shots`: all of the clip that units are shots of,
    those done before with them. `scratch`: a folder for what is not finished.
    """

    session: Session
    photos: int = 0
    shots: tuple[ShotTask, ...] = ()
    scratch: Path | None = None


class Ledger(Protocol):
    """Is told of each unit, by its number in the row, on the caller's thread."""

    def begin(self, number: int) -> None:
        """It begins: before anything of it is read."""

    def end(self, number: int, outcome: Outcome) -> Event | None:
        """It has ended; gives what is told of that, if anything. What it raises ends the others."""


class Engine(Protocol):
    """Does units of work.

    Units do not depend on one another: an engine may do them in any order and several at a time, and what comes of each
    is the same. One that fails ends no other. Events reach the context on the caller's thread: those of one unit in
    their order, of photos those of one after those of another. What the context's check or listener raises ends the
    units at work between two of their steps; shots keep what is finished. Whatever ends `run`, no thread, process or
    unfinished file is left.
    """

    def photos_at_once(self, setting: Setting) -> int:
        """How many photos of a job are painted at a time, at most."""

    def paints_apart(self, setting: Setting) -> bool:
        """Whether the setting's clip is better done by `run` than by painting its shots one after another here.

        Decided by the machine, its free memory and the clip, never by what is left of it: pixels' last bits may depend
        on it.
        """

    def run(self, units: Sequence[Unit], setting: Setting, ledger: Ledger, context: Context) -> None:
        """Do all of them."""


@runtime_checkable
class NeedsNoSession(Protocol):
    """An engine that needs no live session here, not even to be described, may say what it paints with itself."""

    def open(self, spec: RenderSpec, context: Context) -> Session:
        """The session of a job with this spec, device and precision decided on: as a rule a `SessionElsewhere`."""


def paints_elsewhere(engine: Engine) -> bool:
    """Whether an engine never paints with its setting's session, which may then be closed.

    It says so by an attribute of this name, if it likes.
    """
    return bool(getattr(engine, "paints_elsewhere", False))


MakeEngine = Callable[[Machine], Engine]
"""What the registry of engines names."""
