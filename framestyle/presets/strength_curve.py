"""What `strength` does to a picture: the number is an exponent, and pictures answer to it in its middle alone."""

from __future__ import annotations

from bisect import bisect_right

PAINTED = (
    *(0.0, 0.001, 0.004, 0.024, 0.064, 0.112, 0.168, 0.263, 0.388, 0.53),
    *(0.67, 0.757, 0.82, 0.869, 0.905, 0.932, 0.951, 0.966, 0.978, 0.989, 1.0),
)
"""How far a picture is painted at strengths from 0 to 1, evenly apart: measured on a clip in `nightswirl`, and less at
the low end, which frames pass sooner because they follow late."""
_SPANS = len(PAINTED) - 1


def painted_at(strength: float) -> float:
    """How far a picture is painted at a strength, 0 to 1."""
    place = min(int(_SPANS * strength), _SPANS - 1)
    low, high = PAINTED[place : place + 2]
    return low + (_SPANS * strength - place) * (high - low)


def strength_at(painted: float) -> float:
    """At which strength it is painted so far, 0 to 1."""
    place = min(bisect_right(PAINTED, painted) - 1, _SPANS - 1)
    low, high = PAINTED[place : place + 2]
    return (place + (painted - low) / (high - low)) / _SPANS
