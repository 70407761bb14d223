"""How a unit reaches a worker, and what is made of it the driver: by folders that both see, or through a store."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from framestyle.errors import FramestyleError, StorageError
from framestyle.events import Event, TaskDone
from framestyle.jobs.engines.cluster.orders import Result, Setup, Work
from framestyle.jobs.engines.engine import Outcome
from framestyle.jobs.handout.outcomes import Failed, retold
from framestyle.jobs.plan.units import PhotoTask, Unit
from framestyle.nst.weights.hashes import sha256_of

if TYPE_CHECKING:
    from framestyle.events import OnEvent


class Traveller:
    """On a worker, where all machines see the same folders: nothing travels."""

    def __init__(self, work: Work) -> None:
        self._work = work

    @staticmethod
    def of(setup: Setup, work: Work) -> Traveller:
        """As the job wants it."""
        if setup.store is None:
            return Traveller(work)
        from framestyle.jobs.engines.cluster.store import StoreTraveller

        return StoreTraveller(setup, work)

    @contextmanager
    def unit_here(self) -> Iterator[Unit]:
        """The unit, by paths of this machine."""
        yield self._work.unit

    def hearing(self, on_event: OnEvent) -> Callable[[Event], None]:
        """The listener, and whoever sends what is kept on the way."""
        return on_event

    def sent(self, outcome: Outcome) -> str:
        """Where what was made lies; empty where that needs no word."""
        return ""


class Arrivals:
    """On the driver, where all machines see the same folders: units by whole paths, and what was made of them, seen."""

    @staticmethod
    def of(setup: Setup) -> Arrivals:
        """As the job wants it."""
        if setup.store is None:
            return Arrivals()
        from framestyle.jobs.engines.cluster.store import StoreArrivals

        return StoreArrivals(setup)

    def packed(self, number: int, unit: Unit) -> Work:
        """A unit for a worker, whose current folder is another."""
        return Work(number, absolute(unit))

    def news(self, events: Iterable[Event], unit: Unit) -> Iterator[Event]:
        """What was told of a unit, by the paths that it has here."""
        return retold(events, unit)

    def arrived(self, unit: Unit, result: Result) -> Outcome:
        """What became of a unit, once it is seen from here."""
        outcome = result.outcome
        if isinstance(outcome, FramestyleError):
            return Failed(outcome, str(absolute(unit).source)).here(unit.source)
        if isinstance(unit, PhotoTask) and isinstance(outcome, TaskDone):
            try:
                if sha256_of(unit.target) != result.made:
                    raise OSError("its bytes are others")
            except OSError as error:
                return StorageError(
                    f"{unit.target} is not what {result.machine} has made: {error}",
                    next_step="Check that this machine and the others see the same disk.",
                )
            size_bytes = unit.target.stat().st_size
            return replace(outcome, path=str(unit.source), output=str(unit.target), size_bytes=size_bytes)
        return outcome


def absolute(unit: Unit) -> Unit:
    """By whole paths."""
    if isinstance(unit, PhotoTask):
        return replace(unit, source=unit.source.absolute(), target=unit.target.absolute())
    return replace(unit, source=unit.source.absolute(), work=unit.work.absolute())
