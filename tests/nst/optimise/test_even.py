"""A frame ends where it has made its share of a change."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from framestyle.nst.optimise.even import (
    AHEAD,
    CLOSE,
    CONTENT_AHEAD,
    LEAST_STEPS,
    PAINTED,
    Distances,
    EvenStop,
    even_shares,
)
from framestyle.nst.optimise.state import PixelState
from framestyle.presets.instants import Passage


def test_the_share_is_of_the_way_that_is_left() -> None:
    def style(distance: float, share: float) -> float:
        return even_shares(Distances(distance, 0.3), 1.0, Passage(share, 0.0)).style

    assert style(1.0, 0.1) == pytest.approx(AHEAD * 0.1 * (1 - PAINTED))
    assert style(0.5, 0.1) == pytest.approx(AHEAD * 0.1 * (0.5 - PAINTED))
    assert style(PAINTED, -0.1) == pytest.approx(style(1.0, 0.1))
    assert style(PAINTED, 0.1) == 0


def test_late_frames_take_no_more_from_the_content_than_those_before_them_and_somewhat() -> None:
    """A change over twenty frames, seventeen of them passed: with a content distance of 8.5 they took a half each."""

    def content(share: float, frames_before: float) -> float:
        return even_shares(Distances(0.5, 8.5), 1.0, Passage(share, frames_before)).content

    assert content(1 / 3, 17.0) == pytest.approx(CONTENT_AHEAD * 0.5)
    assert content(1 / 10, 10.0) == math.inf  # half of it is to come, and the content gives way late
    assert content(-1 / 3, 17.0) == math.inf


def _distances(picture: Tensor) -> Distances:
    """Not the straight line that landing takes it for."""
    return Distances(float(picture.mean()) ** 2, 0.0)


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
    stop = EvenStop(state, _distances, 1.0, Passage(way * 0.1, 0.0))
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
    stop = EvenStop(state, _distances, 1.0, Passage(way * 0.1, 0.0))
    may = even_shares(Distances(start, 0.0), 1.0, Passage(way * 0.1, 0.0)).style
    _moved(state, start - way * made * may)
    stop.land()
    assert abs(_distances(state.result()).style - start) == pytest.approx(min(made, 1.0) * may, rel=2 * CLOSE)
    torch.testing.assert_close(state.result(), state.image)
