"""Which unit goes where, and how long it takes, on so many workers: by estimate, without any of them. No torch.

The longest first, each to the worker that is free first (Graham's LPT rule, 1969): never longer than 4/3 of the best
possible, and near the bound where there are many units: the work shared out, or the longest unit if that is more.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Share:
    """What one worker does: units by their number, and when it is done."""

    units: tuple[int, ...]
    seconds: float


@dataclass(frozen=True)
class Schedule:
    """All workers' shares."""

    shares: tuple[Share, ...]

    @property
    def seconds(self) -> float:
        """Until all is done."""
        return max((share.seconds for share in self.shares), default=0.0)


def longest_first(seconds: Sequence[float]) -> list[int]:
    """The order in which units begin; equal ones in theirs."""
    return sorted(range(len(seconds)), key=lambda number: -seconds[number])


def schedule(seconds: Sequence[float], workers: int, *, in_order: bool = False) -> Schedule:
    """Units of so many seconds each, on so many workers; `in_order`: as they stand, as photos go."""
    free = [(0.0, worker) for worker in range(max(1, workers))]
    shares: list[list[int]] = [[] for _ in free]
    for number in range(len(seconds)) if in_order else longest_first(seconds):
        at_s, worker = heapq.heappop(free)
        shares[worker].append(number)
        heapq.heappush(free, (at_s + seconds[number], worker))
    ends = {worker: at_s for at_s, worker in free}
    return Schedule(tuple(Share(tuple(units), ends[worker]) for worker, units in enumerate(shares)))


def bound_s(seconds: Sequence[float], workers: int) -> float:
    """No schedule is shorter."""
    return max(sum(seconds) / max(1, workers), max(seconds, default=0.0))
