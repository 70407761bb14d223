"""The order in which events of units that are at work at once are reported."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Set

from framestyle.errors import FramestyleError
from framestyle.events import Event, TaskDone
from framestyle.jobs.engines.engine import Outcome
from framestyle.jobs.run.shots import ShotDone


class EventOrder:
    """`on_end` is called as soon as a unit has ended, and gives its last event.

    `in_turn`: a unit's events wait until all that began before it were reported to their end; else each is reported as
    it comes.
    """

    def __init__(self, on_end: Callable[[int, Outcome], Event | None], *, in_turn: bool) -> None:
        self._on_end, self._in_turn = on_end, in_turn
        self._held: dict[int, list[Event]] = {}
        """Of the units whose end was not reported yet, in the order in which they began."""
        self._running: dict[int, None] = {}  # in the order in which they began

    @property
    def running(self) -> Set[int]:
        """Units that have begun, and whose end was not reported yet."""
        return self._running.keys()

    @property
    def first(self) -> int | None:
        """The unit at work that began before all others; None where none is."""
        return next(iter(self._running), None)

    def begin(self, number: int) -> None:
        """A unit is at work from now on."""
        if self._in_turn:
            self._held[number] = []
        self._running[number] = None

    def received(self, number: int, report: Event | Outcome) -> Iterator[Event]:
        """The events to report, now that a unit has reported this."""
        if has_ended := isinstance(report, TaskDone | ShotDone | FramestyleError):
            del self._running[number]
            last = self._on_end(number, report)
            events = [] if last is None else [last]
        else:
            events = [report]
        if not self._in_turn:
            yield from events
            return
        if number == next(iter(self._held)):
            yield from events
        else:
            self._held[number] += events
        while has_ended and self._held and (first := next(iter(self._held))) not in self._running:
            del self._held[first]
            yield from next(iter(self._held.values()), [])
