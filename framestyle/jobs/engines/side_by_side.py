"""Units side by side on a CPU: one picture keeps several threads far less busy than as many pictures, a thread each.

What is heard of them is told on the caller's thread. Of photos task by task, as if one had followed the other: a
display, a log or a meter need not know. Of shots, which take hours, as it comes. A Ctrl-C, too, is the caller's:
whatever is at work then ends before its next step.
"""

from __future__ import annotations

import heapq
import math
import queue
from collections.abc import Callable, Sequence, Set
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import torch

from framestyle.context import Context, OnPicture
from framestyle.errors import Cancelled, FramestyleError
from framestyle.events import Event, TaskDone
from framestyle.frames import Pixels
from framestyle.jobs.engines.engine import Outcome
from framestyle.jobs.engines.event_order import EventOrder
from framestyle.jobs.run.interrupts import held_back
from framestyle.jobs.run.shots import ShotDone
from framestyle.nst.memory import TilingPlanner
from framestyle.nst.sizes import LARGEST_BESIDE_PX, Size

MOST_PICTURES = 8
"""At a time. Python itself is one for all threads: at 128 px it takes 6 % of a step (docs/measured/benchmarks.md)."""
UNSEEN_ROOM_BYTES = 2 << 30
"""Where the system does not say how much memory is free: what small machines have to spare."""

SPEEDUP = 0.68
"""So many threads to this power: how much sooner a picture is done than by one. Two side by side on two cores took 0.69
to 0.88 of the time that two one after another take (docs/decisions/0032); beyond two it is reckoned, not measured."""

Work = Callable[[Context], TaskDone | ShotDone]
"""Does a unit, in a context of its own."""


@dataclass(frozen=True)
class Crew:
    """How many pictures are painted at a time, by how many threads each.

    By the machine and the job alone, not by what is left of it: a picture's last bits depend on its threads.
    """

    pictures: int
    threads: int

    @classmethod
    def of(cls, photos: int, threads: int) -> Crew:
        """For a job of so many photos, on a machine of so many threads."""
        pictures = max(1, min(MOST_PICTURES, photos, threads))
        return cls(pictures, max(1, threads // pictures))

    @classmethod
    def of_shots(cls, works: Sequence[float], threads: int) -> Crew:
        """For a clip whose shots take so much work each: as many at a time as are done soonest, one where that is best.

        Towards the end fewer are left than there are hands: shots of unlike lengths may be done sooner one by one.
        """
        best, best_s = cls(1, threads), sum(works)
        for pictures in range(2, min(MOST_PICTURES, len(works), threads) + 1):
            crew, ends_s = cls(pictures, threads // pictures), [0.0] * pictures
            for work in works:  # each begins where one has ended
                heapq.heapreplace(ends_s, ends_s[0] + work * crew.slower_than(threads))
            if max(ends_s) < best_s:
                best, best_s = crew, max(ends_s)
        return best

    def slower_than(self, threads: int) -> float:
        """How many times as long a picture takes as with so many threads, by reckoning."""
        return float((threads / self.threads) ** SPEEDUP)


class Places:
    """Which picture may begin beside those at work: as many as there are hands and, for each read whole, memory for."""

    def __init__(self, crew: Crew, fitting: TilingPlanner) -> None:
        self._crew, self._fitting = crew, fitting
        self._needs: dict[int, float] = {}
        self._room = 0

    def wait_for(self, number: int, size: Size | None, beside: SideBySide) -> int:
        """Until this one may: how many threads it has; all, where it has no room beside another.

        None, of a size that its file does not tell: it will fail.
        """
        needs: float = 0
        if size is not None:
            needs = math.inf if size.area_px > LARGEST_BESIDE_PX else self._fitting.whole_bytes(size)
        while beside.running and not self._has_room_for(needs, beside.running):
            beside.wait()
        if not beside.running:
            room = self._fitting.room_bytes()
            self._room = UNSEEN_ROOM_BYTES if room is None else room
        alone = needs > self._room
        self._needs[number] = math.inf if alone else needs
        return torch.get_num_threads() if alone else self._crew.threads

    def _has_room_for(self, needs: float, running: Set[int]) -> bool:
        together = needs + sum(self._needs[number] for number in running)
        return len(running) < self._crew.pictures and together <= self._room


class SideBySide:
    """A context manager. `on_end` is called as soon as a unit has ended, and gives the last that is told of it.

    `in_turn`: what is told of each is told after all of those that began before it. An error that is no FramestyleError
    is raised where it is heard of. Left by an error, it ends what is at work.
    """

    def __init__(
        self,
        pictures: int,
        context: Context,
        on_end: Callable[[int, Outcome], Event | None],
        *,
        in_turn: bool = True,
    ) -> None:
        self._context, self._on_end = context, on_end
        self._pool = ThreadPoolExecutor(pictures, thread_name_prefix="paint")
        self._messages: queue.SimpleQueue[tuple[int, Event | Outcome | BaseException]] = queue.SimpleQueue()
        self._event_order = EventOrder(on_end, in_turn=in_turn)
        self._stopped = False
        self._threads_before = torch.get_num_threads()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopped = kind is not None
        try:
            with held_back():  # a second Ctrl-C: they end within a step, and keep what they have
                self._pool.shutdown(wait=True, cancel_futures=True)
            while not self._messages.empty():  # what has ended before it heard of the stop has ended well
                number, message = self._messages.get()
                if isinstance(message, TaskDone | ShotDone):
                    self._on_end(number, message)
        finally:
            torch.set_num_threads(self._threads_before)  # theirs would be that of threads to come

    @property
    def running(self) -> Set[int]:
        """Units that have begun, and of whose end nothing was heard yet."""
        return self._event_order.running

    def begin(self, number: int, work: Work, threads: int) -> None:
        """On a thread of the pool: with more of them than there are pictures it would wait for one."""
        self._event_order.begin(number)
        with held_back():
            self._pool.submit(self._do, number, work, threads)

    def wait(self) -> None:
        """Until one more has ended; meanwhile tells what is heard."""
        before = len(self.running)
        while len(self.running) == before:
            number, message = self._messages.get()
            if not isinstance(message, Event | ShotDone | FramestyleError):
                raise message
            for event in self._event_order.received(number, message):
                self._context.on_event(event)

    def wait_for_all(self) -> None:
        """Until none is at work."""
        while self.running:
            self.wait()

    def _check_cancelled(self) -> None:
        if self._stopped:
            raise Cancelled
        self._context.check_cancelled()

    def _shown_in_turn(self, number: int) -> OnPicture | None:
        """Pictures of the unit that began first, and of no other: they would be seen in turns."""
        on_picture = self._context.on_picture
        if on_picture is None:
            return None

        def shown(picture: Callable[[], Pixels]) -> None:
            if number == self._event_order.first:
                on_picture(picture)

        return shown

    def _do(self, number: int, work: Work, threads: int) -> None:
        try:
            self._check_cancelled()
            torch.set_num_threads(threads)
            outcome: Outcome | BaseException = work(
                Context(
                    lambda event: self._messages.put((number, event)),
                    self._check_cancelled,
                    self._shown_in_turn(number),
                )
            )
        except BaseException as error:  # for the caller's thread
            outcome = error
        self._messages.put((number, outcome))
