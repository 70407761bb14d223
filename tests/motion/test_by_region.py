"""Motion beside the edge of a moving region: what is smeared over it, as flow smears it, is mended by the mask."""

from __future__ import annotations

import numpy as np
import torch
from moving import Bytes
from torch import Tensor

from framestyle.motion.by_region import mended
from framestyle.motion.flow import Motion
from framestyle.nst.image import to_tensor

SIZE, SIDE, LEFT, TOP, SMEAR = (80, 96), 28, 20, 26, 6
SHIFT = 3
"""A square moves so far to the right; what lies behind it stands still."""


def _texture(seed: int) -> Bytes:
    coarse = np.random.default_rng(seed).integers(40, 216, (20, 24, 3), dtype=np.uint8)
    return np.asarray(coarse.repeat(4, 0).repeat(4, 1))


def _inside(x: int, grow: int = 0) -> np.ndarray:
    inside = np.zeros(SIZE, bool)
    inside[TOP - grow : TOP + SIDE + grow, x - grow : x + SIDE + grow] = True
    return inside


def _content(x: int, behind: Bytes) -> Tensor:
    picture = behind.copy()
    picture[_inside(x)] = _texture(1)[:SIDE, :SIDE].reshape(-1, 3)
    return to_tensor(picture)


def _regions(x: int) -> Tensor:
    front = torch.from_numpy(_inside(x).astype(np.float32))
    return torch.stack([front, 1 - front])[None]


def _smeared() -> Motion:
    """The square's motion, for some pixels around it too, and trusted there by half."""
    backward = np.zeros((*SIZE, 2), np.float32)
    backward[_inside(LEFT + SHIFT, SMEAR)] = (-SHIFT, 0)
    trusted = np.ones(SIZE, np.float32)
    trusted[_inside(LEFT + SHIFT, SMEAR) & ~_inside(LEFT + SHIFT)] = 0.5
    return Motion(backward, trusted)


def _mended(behind: Bytes, before: Tensor | None = None) -> Motion:
    contents = _content(LEFT, behind), _content(LEFT + SHIFT, behind)
    return mended(_smeared(), _regions(LEFT) if before is None else before, _regions(LEFT + SHIFT), *contents)


def test_what_lies_behind_keeps_its_own_motion_up_to_the_edge() -> None:
    found, front = _mended(_texture(0)), _inside(LEFT + SHIFT)
    uncovered = _inside(LEFT) & ~front
    seen = ~front & ~uncovered
    assert np.abs(_smeared().backward[seen]).max() == SHIFT
    assert np.abs(found.backward[seen]).max() < 0.05 and found.reliability[seen].min() > 0.8
    assert np.abs(found.backward[front] - (-SHIFT, 0)).max() < 0.05
    assert found.reliability[uncovered].max() < 0.2


def test_where_the_inside_shows_something_else_the_flow_stays() -> None:
    """Behind the square something moves that the rest of its region does not go with."""
    behind = _texture(0)
    contents = _content(LEFT, np.roll(behind, -SHIFT, 1)), _content(LEFT + SHIFT, behind)
    found = mended(_smeared(), _regions(LEFT), _regions(LEFT + SHIFT), *contents)
    ring = _inside(LEFT + SHIFT, 4) & ~_inside(LEFT + SHIFT, 1)
    ring[:, : LEFT + SHIFT] = False  # uncovered on that side
    kept = (found.backward[ring] == (-SHIFT, 0)).all(-1)
    assert kept.mean() > 0.8 and (found.reliability[ring][kept] == 0.5).all()


def test_without_a_mask_that_moves_nothing_is_touched() -> None:
    found, given = _mended(_texture(0), _regions(LEFT + SHIFT)), _smeared()
    assert np.array_equal(found.backward, given.backward)
    assert np.array_equal(found.reliability, given.reliability)


def test_a_region_that_nothing_is_trusted_of_stays_as_it_is() -> None:
    given = _smeared()
    given = Motion(given.backward, np.zeros_like(given.reliability))
    found = mended(
        given,
        _regions(LEFT),
        _regions(LEFT + SHIFT),
        *(_content(x, _texture(0)) for x in (LEFT, LEFT + SHIFT)),
    )
    assert np.array_equal(found.backward, given.backward) and not found.reliability.any()
