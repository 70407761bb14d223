"""What `strength` does to a picture: the number is an exponent, and pictures answer to it in its middle alone."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

LEAST_STEP = 0.01
"""From one strength to the next, where nothing that could be measured changes: the curve has a way back."""
DECIMALS = 4
"""Last bits of losses differ from machine to machine; what is painted by the curve should not."""


@dataclass(frozen=True)
class StrengthCurve:
    """How far a picture is painted at each strength.

    `painted`: at strengths from 0 to 1, evenly apart; from 0 to 1, each more than the one before. ValueError otherwise.
    """

    painted: tuple[float, ...]

    def __post_init__(self) -> None:
        ends = self.painted[:1] + self.painted[-1:]
        if ends != (0.0, 1.0) or any(after <= before for before, after in pairwise(self.painted)):
            raise ValueError(f"{self.painted} does not rise from 0 to 1")

    @classmethod
    def of_distances(cls, *distances: Sequence[float]) -> StrengthCurve:
        """From what was measured at strengths evenly apart, such as the distances to the style and to the content.

        A step of the curve is the largest that any of them makes there, each as a part of its own way: so an even
        change takes none of them in a leap.
        """
        ways = [(max(one) - min(one)) or 1.0 for one in distances]
        steps = [
            max(LEAST_STEP, *(abs(b - a) / way for (a, b), way in zip(moved, ways, strict=True)))
            for moved in zip(*(pairwise(one) for one in distances), strict=True)
        ]
        reached = list(accumulate(steps, initial=0.0))
        inner = (round(one / reached[-1], DECIMALS) for one in reached[1:-1])
        return cls((0.0, *inner, 1.0))

    def at(self, strength: float) -> float:
        """How far it is painted there, 0 to 1."""
        spans = len(self.painted) - 1
        place = min(int(spans * strength), spans - 1)
        low, high = self.painted[place : place + 2]
        return low + (spans * strength - place) * (high - low)

    def strength(self, painted: float) -> float:
        """At which strength it is painted so far, 0 to 1."""
        spans = len(self.painted) - 1
        place = min(bisect_right(self.painted, painted) - 1, spans - 1)
        low, high = self.painted[place : place + 2]
        return (place + (painted - low) / (high - low)) / spans


USUAL = StrengthCurve(
    (
        *(0.0, 0.006, 0.024, 0.053, 0.091, 0.139, 0.193, 0.285, 0.406, 0.555),
        *(0.695, 0.776, 0.833, 0.877, 0.912, 0.938, 0.956, 0.969, 0.98, 0.99, 1.0),
    )
)
"""Measured on a clip in `nightswirl`: for where nothing is painted, as in charts."""
