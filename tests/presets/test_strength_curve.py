"""The curve by which `strength` goes: there and back, and late."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from framestyle.presets.strength_curve import painted_at, strength_at


@settings(max_examples=40, deadline=None)
@given(st.floats(0, 1))
def test_it_leads_there_and_back(share: float) -> None:
    assert painted_at(strength_at(share)) == pytest.approx(share, abs=1e-9)
    assert strength_at(share) <= strength_at(min(1.0, share + 0.1))


def test_at_its_ends_it_is_the_number() -> None:
    assert (strength_at(0), strength_at(1), painted_at(0), painted_at(1)) == (0, 1, 0, 1)


def test_it_begins_late() -> None:
    assert painted_at(0.25) < 0.2 < painted_at(0.5) < painted_at(0.75) < 1
