"""What is heard of units that are at work at once, in the order in which it is told."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Set

from framestyle.errors import FramestyleError
from framestyle.events import Event, TaskDone
from framestyle.jobs.engines.engine import Outcome
from framestyle.jobs.run.shots import ShotDone


class Telling:
    """`on_end` is called as soon as a unit has ended, and gives the last that is told of it.

    `in_turn`: what is heard of a unit waits until all that began before it were told to their end; else it is told as
    it comes.
    """

    def __init__(self, on_end: Callable[[int, Outcome], Event | None], *, in_turn: bool) -> None:
        self._on_end, self._in_turn = on_end, in_turn
        self._untold: dict[int, list[Event]] = {}
        """Of the units whose end was not told yet, in the order in which they began."""
        self._running: dict[int, None] = {}  # in the order in which they began

    @property
    def running(self) -> Set[int]:
        """Units that have begun, and of whose end nothing was heard yet."""
        return self._running.keys()

    @property
    def first(self) -> int | None:
        """The unit at work that began before all others; None where none is."""
        return next(iter(self._running), None)

    def begin(self, number: int) -> None:
        """A unit is at work from now on."""
        if self._in_turn:
            self._untold[number] = []
        self._running[number] = None

    def heard(self, number: int, news: Event | Outcome) -> Iterator[Event]:
        """What is told now that this is heard of a unit."""
        if has_ended := isinstance(news, TaskDone | ShotDone | FramestyleError):
            del self._running[number]
            last = self._on_end(number, news)
            events = [] if last is None else [last]
        else:
            events = [news]
        if not self._in_turn:
            yield from events
            return
        if number == next(iter(self._untold)):
            yield from events
        else:
            self._untold[number] += events
        while has_ended and self._untold and (first := next(iter(self._untold))) not in self._running:
            del self._untold[first]
            yield from next(iter(self._untold.values()), [])
