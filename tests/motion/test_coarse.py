"""What came into the picture lately is painted at half the size first: how often, and what changes by it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from scenes import texture

from framestyle.context import SILENT
from framestyle.motion.coarse import WarmStart, coarse_steps, paint_coarsely
from framestyle.nst.optimise.state import PixelState
from framestyle.nst.stylizer import Stylizer

MakeStylizer = Callable[..., Stylizer]
HEIGHT, WIDTH, EDGE = 32, 48, 36


def _begun(stylizer: Stylizer, young_from: int = EDGE) -> WarmStart:
    """What lies right of a column has just come in."""
    content = torch.from_numpy(texture(3, HEIGHT, WIDTH) / 255).permute(2, 0, 1)[None].contiguous()
    state = PixelState.start(content).by_pixel()
    state.keep_average(0.8)
    painted = torch.ones(1, 1, HEIGHT, WIDTH)
    painted[..., young_from:] = 0
    state.step_count = 80 * painted
    return WarmStart(stylizer, content, state, [], painted)


def test_only_what_is_young_changes(make_stylizer: MakeStylizer) -> None:
    begun = _begun(make_stylizer())
    image, shown = begun.state.image.clone(), begun.state.result()
    assert paint_coarsely(begun, 6, SILENT) == 6
    for before, after in ((image, begun.state.image), (shown, begun.state.result())):
        assert torch.equal(before[..., :EDGE], after[..., :EDGE])
        assert float((before - after)[..., EDGE:].abs().mean()) > 0.01
    counts = begun.state.step_count
    assert counts[..., :EDGE].unique().tolist() == [80.0] and counts[..., EDGE:].unique().tolist() == [6.0]


@pytest.mark.parametrize(("young_from", "steps"), [(WIDTH, 0), (WIDTH - 2, 8), (EDGE, 20)])
def test_the_less_is_young_the_fewer_steps(make_stylizer: MakeStylizer, young_from: int, steps: int) -> None:
    begun = _begun(make_stylizer(), young_from)
    assert coarse_steps(begun, 20) == steps
    assert coarse_steps(begun, 0) == 0
