"""A frame ends when it has made its share of a change."""

from __future__ import annotations

import pytest

from framestyle.nst.optimise.even import AHEAD, AHEAD_AT_LAST, PAINTED, EvenStop, even_share


def test_the_share_is_of_the_way_that_is_left() -> None:
    assert even_share(1.0, 1.0, 0.1) == pytest.approx(AHEAD * 0.1 * (1 - PAINTED))
    assert even_share(0.5, 1.0, 0.1) < even_share(1.0, 1.0, 0.1)
    assert even_share(PAINTED, 1.0, -0.1) == pytest.approx(even_share(1.0, 1.0, 0.1))
    assert AHEAD * 0.1 * 0.5 < even_share(0.5, 1.0, -0.1) < AHEAD_AT_LAST * 0.1 * 0.5
    assert even_share(PAINTED, 1.0, 0.1) == 0


@pytest.mark.parametrize("way", [1, -1])
def test_it_ends_by_the_step_that_comes_nearest_to_it(way: int) -> None:
    """Which lies before it, where another two steps would go farther beyond it than it is short of."""
    start = 1.0 if way > 0 else PAINTED
    distances = [start - way * moved for moved in (0.0, 0.01, 0.03, 0.05, 0.09)]
    taken = iter(distances)
    stop = EvenStop(4, lambda: next(taken), 1.0, way * 0.045 / (AHEAD * (1 - PAINTED)))
    assert not stop.reached(2, (1.0,))  # too few steps: nothing is measured
    assert not stop.reached(4, (1.0,))
    assert stop.reached(6, (1.0,)) is False
    assert stop.reached(8, (1.0,)) is True
