"""Photos that are painted beside each other: when each will end."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from framestyle.doors.remaining.tasks import TimeLeft

PUNCTUAL = 0.8
"""Photos that are done after less than this part of the time were painted by more hands."""


@dataclass(frozen=True)
class Place:
    """A task's seconds by itself, and how many such are at work at once."""

    seconds: float
    at_once: int


def ends_of(places: Iterable[Place]) -> list[float]:
    """When each ends, where one begins as soon as another has; one that is alone waits for all."""
    running: list[float] = []
    alone_until, ends = 0.0, []
    for place in places:
        if place.at_once == 1:
            alone_until = max(running, default=alone_until) + place.seconds
            running.clear()
            ends.append(alone_until)
            continue
        begin = heapq.heappop(running) if len(running) >= place.at_once else alone_until
        heapq.heappush(running, begin + place.seconds)
        ends.append(begin + place.seconds)
    return ends


@dataclass
class Row:
    """Photos that are painted beside each other, since the first of them began: those of whose end was told."""

    at_once: int = 1
    began_at: float = 0.0
    done_s: list[float] = field(default_factory=list)
    """How long each took."""
    hands: int = 1
    """How many are really painted at once."""

    @classmethod
    def of(cls, at_once: int, now: float) -> Row:
        """That begins."""
        return cls(at_once, now, hands=at_once)

    def end(self, seconds: float, now: float) -> None:
        """One more is told to be done; so are all before it. Fewer may fit into memory than was planned."""
        self.done_s.append(seconds)
        passed_s = (now - self.began_at) * PUNCTUAL
        possible = range(self.at_once, 1, -1)
        foreseen = ((hands, max(ends_of([Place(one, hands) for one in self.done_s]))) for hands in possible)
        self.hands = next((hands for hands, end_s in foreseen if end_s >= passed_s), 1)

    def rest(self, here: Sequence[Place], later: Sequence[Place], now: float) -> TimeLeft:
        """Until all are done; `here`: the one whose news are heard, which is not."""
        passed_s, done = now - self.began_at, [Place(one, self.at_once) for one in self.done_s]
        places = [replace(one, at_once=min(one.at_once, self.hands)) for one in (*done, *here, *later)]
        place = len(done)
        if here and (late_s := passed_s - ends_of(places[: place + 1])[-1]) > 0:
            places[place] = replace(places[place], seconds=places[place].seconds + late_s)
        ends = ends_of(places)
        here_s = ends[place] if here else passed_s
        seconds = max(0.0, max(ends, default=passed_s) - passed_s)
        return TimeLeft(seconds, max(0.0, min(seconds, max(ends, default=passed_s) - here_s)))
