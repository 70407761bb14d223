"""A frame ends where it has made its share of a change."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from framestyle.nst.optimise.even import AHEAD, CLOSE, LEAST_STEPS, PAINTED, EvenStop, even_share
from framestyle.nst.optimise.state import PixelState


def test_the_share_is_of_the_way_that_is_left() -> None:
    assert even_share(1.0, 1.0, 0.1) == pytest.approx(AHEAD * 0.1 * (1 - PAINTED))
    assert even_share(0.5, 1.0, 0.1) == pytest.approx(AHEAD * 0.1 * (0.5 - PAINTED))
    assert even_share(PAINTED, 1.0, -0.1) == pytest.approx(even_share(1.0, 1.0, 0.1))
    assert even_share(PAINTED, 1.0, 0.1) == 0


def _distance(picture: Tensor) -> float:
    """Not the straight line that landing takes it for."""
    return float(picture.mean()) ** 2


def _at(distance: float) -> PixelState:
    state = PixelState.start(torch.full((1, 3, 4, 5), distance**0.5))
    state.keep_average(0.9)
    return state


def _moved(state: PixelState, distance: float) -> None:
    state.image.fill_(distance**0.5)
    state.average.copy_(state.image * state.average_weight)


@pytest.mark.parametrize("way", [1, -1])
def test_it_ends_where_the_share_is_made(way: int) -> None:
    start = 1.0 if way > 0 else PAINTED
    state = _at(start)
    stop = EvenStop(state, _distance, 1.0, way * 0.1)
    may = AHEAD * 0.1 * (1 - PAINTED)
    _moved(state, start - way * 2 * may)
    assert not stop.reached(LEAST_STEPS - 1, ())  # too few steps to tell a picture's from the warp's
    _moved(state, start - way * 0.9 * may)
    assert not stop.reached(LEAST_STEPS, ())
    _moved(state, start - way * 1.1 * may)
    assert stop.reached(LEAST_STEPS + 2, ())


@pytest.mark.parametrize("way", [1, -1])
@pytest.mark.parametrize("made", [0.5, 1.0, 1.5, 4.0])
def test_what_was_made_too_much_is_taken_back(way: int, made: float) -> None:
    start = 1.0 if way > 0 else 0.3
    state = _at(start)
    stop = EvenStop(state, _distance, 1.0, way * 0.1)
    may = even_share(start, 1.0, way * 0.1)
    _moved(state, start - way * made * may)
    stop.land()
    assert abs(_distance(state.result()) - start) == pytest.approx(min(made, 1.0) * may, rel=2 * CLOSE)
    torch.testing.assert_close(state.result(), state.image)
