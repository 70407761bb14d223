"""Which files are quiet, and so to be tried: by what was seen of them at one time and another."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from framestyle.jobs.watch.listing import Listing, Signature

Clock = Callable[[], float]
"""Seconds from any fixed moment."""


@dataclass
class _Waiting:
    """A file that is not dealt with: since when it is as it is, and until when it is left alone."""

    signature: Signature
    since_s: float
    next_s: float


class Arrivals:
    """Remembers what was seen of each file. One is quiet where nothing of it has changed for `settle_s` seconds.

    One that is quiet and does not open whole may be in a pause of its copying: it is tried again after twice that time,
    and twice that, until it has been quiet for `patience_s`. What was dealt with is left alone until it changes.
    """

    def __init__(self, settle_s: float, patience_s: float, clock: Clock) -> None:
        self._settle_s, self._patience_s, self._clock = settle_s, patience_s, clock
        self._waiting: dict[Path, _Waiting] = {}
        self._dealt_with: dict[Path, Signature] = {}

    def see(self, listing: Listing) -> set[Path]:
        """What there is now; gives what is gone since the last time."""
        now, gone = self._clock(), (self._waiting.keys() | self._dealt_with.keys()) - listing.keys()
        for path in gone:
            self._waiting.pop(path, None)
            self._dealt_with.pop(path, None)
        for path, signature in listing.items():
            if self._dealt_with.get(path) == signature:
                continue
            self._dealt_with.pop(path, None)
            known = self._waiting.get(path)
            if known is None or known.signature != signature:
                self._waiting[path] = _Waiting(signature, now, now + self._settle_s)
        return gone

    def quiet(self) -> list[Path]:
        """Those to be tried now, in the order of their names."""
        now = self._clock()
        return sorted(path for path, one in self._waiting.items() if now >= one.next_s)

    def not_whole(self, path: Path) -> bool:
        """It does not open: whether it is to be given up, or waits longer."""
        one, now = self._waiting[path], self._clock()
        quiet_s = max(now - one.since_s, self._settle_s)
        one.next_s = now + quiet_s
        return quiet_s >= self._patience_s

    def deal_with(self, path: Path) -> Signature | None:
        """It is taken up as it was seen; None where it is not known any more."""
        one = self._waiting.pop(path, None)
        if one is None:
            return self._dealt_with.get(path)
        self._dealt_with[path] = one.signature
        return one.signature

    @property
    def waiting(self) -> list[Path]:
        """All that are not dealt with."""
        return sorted(self._waiting)

    def next_s(self) -> float | None:
        """In how many seconds the next one is to be tried; None where none waits."""
        if not self._waiting:
            return None
        return max(0.0, min(one.next_s for one in self._waiting.values()) - self._clock())
