"""The curve by which `strength` goes: there and back, and even in what it was measured from."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from framestyle.presets.strength_curve import USUAL, StrengthCurve

_distances = st.lists(st.floats(0, 10), min_size=11, max_size=11)


@settings(max_examples=40, deadline=None)
@given(_distances, _distances, st.floats(0, 1))
def test_it_leads_there_and_back_whatever_was_measured(
    style: list[float], content: list[float], share: float
) -> None:
    curve = StrengthCurve.of_distances(style, content)
    assert curve.at(curve.strength(share)) == pytest.approx(share, abs=1e-9)
    assert (curve.strength(0), curve.strength(1), curve.at(0), curve.at(1)) == (0, 1, 0, 1)
    assert curve.strength(share) <= curve.strength(min(1.0, share + 0.1))


def test_evenly_along_it_no_distance_leaps() -> None:
    """Of a preset that is painted within a fifth of the way, and whose content follows a little later."""
    strengths = np.linspace(0, 1, 11)
    style, content = (lambda s, at=at: 1 / (1 + np.exp(25 * (s - at))) for at in (0.3, 0.36))
    curve = StrengthCurve.of_distances(style(strengths), 1 - content(strengths))
    way = [curve.strength(share) for share in np.linspace(0, 1, 21)]
    for distance in (style, content):
        steps = [abs(b - a) for a, b in pairwise(float(distance(s)) for s in way)]
        evenly = [abs(b - a) for a, b in pairwise(float(distance(s)) for s in np.linspace(0, 1, 21))]
        assert max(steps) / np.mean(steps) < 2 < max(evenly) / np.mean(evenly) / 2


@pytest.mark.parametrize(
    "painted", [(), (0.0,), (0.0, 0.5), (0.1, 1.0), (0.0, 0.6, 0.6, 1.0), (0.0, 0.9, 0.4, 1.0)]
)
def test_what_does_not_rise_from_0_to_1_is_no_curve(painted: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="does not rise"):
        StrengthCurve(painted)


def test_the_usual_one_begins_late() -> None:
    assert USUAL.at(0.25) < 0.2 < USUAL.at(0.5) < USUAL.at(0.75) < 1
