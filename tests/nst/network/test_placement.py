"""Pictures at several places on the pooling grid: what the network is shown, what comes back, what it is good for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from framestyle.nst.image import size_of
from framestyle.nst.network.placement import MARGIN_PX, PLACES_PX, Placement, placed_size, placements
from framestyle.nst.network.tiles import WHOLE, Tiling
from framestyle.nst.objective import loss_and_gradient, loss_parts
from framestyle.nst.sizes import Size
from framestyle.nst.stylizer import Stylizer
from framestyle.nst.weights.backbone import Backbone
from framestyle.nst.weights.catalog import load_backbone
from framestyle.presets import Preset

SIDES = st.integers(1, 24)


def _placements(size: Size) -> list[Placement]:
    return [one for one in placements(size, len(PLACES_PX)) if one is not None]


@given(SIDES, SIDES)
@settings(max_examples=40, deadline=None)
def test_the_picture_is_in_it_once_whole_and_beyond_its_edges_is_its_mirror_image(
    width: int, height: int
) -> None:
    size = Size(width, height)
    image = torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(1))
    for (left, top), placement in zip(PLACES_PX, _placements(size), strict=True):
        placed = placement.of(image)
        assert (
            size_of(placed)
            == placement.size
            == placed_size(size, 4)
            == (width + MARGIN_PX, height + MARGIN_PX)
        )
        assert torch.equal(placed[..., top : top + height, left : left + width], image)
        if width > MARGIN_PX:
            mirrored = torch.nn.functional.pad(image, (left, MARGIN_PX - left, 0, 0), mode="reflect")
            assert torch.equal(placed[..., top : top + height, :], mirrored)


@given(SIDES, SIDES)
@settings(max_examples=40, deadline=None)
def test_what_is_gathered_is_the_gradient_of_what_was_placed(width: int, height: int) -> None:
    generator = torch.Generator().manual_seed(2)
    image = torch.rand(1, 3, height, width, dtype=torch.float64, generator=generator, requires_grad=True)
    for placement in _placements(Size(width, height)):
        placed = placement.of(image)
        slope = torch.rand(placed.shape, dtype=torch.float64, generator=generator)
        (wanted,) = torch.autograd.grad((placed * slope).sum(), image)
        torch.testing.assert_close(placement.gathered(slope, Size(width, height)), wanted)


def test_one_place_is_the_origin_with_no_margin() -> None:
    assert placements(Size(9, 5), 1) == (None,) and placed_size(Size(9, 5), 1) == (9, 5)


@pytest.mark.parametrize("modulus", [2, 4, 8])
def test_places_differ_on_the_grids_of_the_first_poolings(modulus: int) -> None:
    few = PLACES_PX[: min(modulus, len(PLACES_PX))]
    for direction in (0, 1):
        assert len({place[direction] % modulus for place in few}) == len(few)
    assert len({(left % 2, top % 2) for left, top in PLACES_PX}) == 4
    assert max(max(place) for place in PLACES_PX) <= MARGIN_PX


def _stylizer(
    make_preset: Callable[..., Preset],
    backbone: Backbone,
    picture: Tensor,
    mask: Tensor | None = None,
    **changes: Any,
) -> Stylizer:
    return Stylizer(make_preset(**{"network": {"places": 4}, **changes}), backbone, [picture], mask=mask)


def _picture(seed: int) -> Tensor:
    return torch.rand(1, 3, 37, 43, generator=torch.Generator().manual_seed(seed))


def test_each_place_has_an_objective_of_its_own_whose_gradient_is_the_losses_slope(
    untrained: Backbone, make_preset: Callable[..., Preset]
) -> None:
    stylizer = _stylizer(make_preset, untrained, _picture(3))
    content, image = _picture(1), _picture(2)
    values = []
    for objective in stylizer.objectives(content, ()):
        gradient, losses = loss_and_gradient(stylizer.network, image, objective, WHOLE)
        step = 3e-3 * gradient / gradient.abs().max()
        ahead, behind = (
            sum(map(float, loss_parts(stylizer.network, image + sign * step, objective, WHOLE).values()))
            for sign in (1, -1)
        )
        assert float((gradient * step).sum()) == pytest.approx((ahead - behind) / 2, rel=5e-2)
        tiled, _ = loss_and_gradient(stylizer.network, image, objective, Tiling(2, 16))
        torch.testing.assert_close(tiled, gradient, rtol=1e-3, atol=1e-7)
        values.append(float(losses.sum()))
        # The content itself has no content loss, wherever it lies.
        assert float(loss_parts(stylizer.network, content, objective, WHOLE)["content"]) < 1e-10
    assert len(set(values)) == len(PLACES_PX)


def test_regions_lie_where_the_picture_does(untrained: Backbone, make_preset: Callable[..., Preset]) -> None:
    """A region that is the whole picture asks for what no region asks for, at each place."""
    image, style = _picture(2), _picture(3)
    white = torch.ones(1, 3, 37, 43)
    plain, masked = (
        [
            loss_and_gradient(stylizer.network, image, objective, WHOLE)[0]
            for objective in stylizer.objectives(_picture(1), ())
        ]
        for stylizer in (
            _stylizer(make_preset, untrained, style),
            _stylizer(make_preset, untrained, style, mask=white),
        )
    )
    for one, other in zip(plain, masked, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-8)


def test_lbfgs_has_one_place(untrained: Backbone, make_preset: Callable[..., Preset]) -> None:
    stylizer = _stylizer(make_preset, untrained, _picture(3), optimizer={"name": "lbfgs"})
    (objective,) = stylizer.objectives(_picture(1), ())
    assert objective.placement is None


def _lattice(image: Tensor) -> float:
    """Of a picture: how unlike its four kinds of pixels are, by the parity of row and column, in their mean slopes."""
    slopes = (image[..., 1:, :-1] - image[..., :-1, :-1]).square() + (
        image[..., :-1, 1:] - image[..., :-1, :-1]
    ).square()
    means = torch.stack([slopes[..., row::2, column::2].mean() for row in (0, 1) for column in (0, 1)])
    return float(means.std() / means.mean())


def test_taking_turns_leaves_no_trace_of_the_pooling_grid(make_preset: Callable[..., Preset]) -> None:
    """With the true network and max pooling, from grey: at one place rows and columns come to differ by parity."""
    backbone = load_backbone("original")
    coarse = torch.rand(1, 3, 16, 16, generator=torch.Generator().manual_seed(5))
    style = torch.nn.functional.interpolate(coarse, (96, 96), mode="bicubic").clamp(0, 1)
    grey = torch.full((1, 3, 96, 96), 0.25)
    found = {}
    for places in (1, 4):
        stylizer = _stylizer(
            make_preset,
            backbone,
            style,
            style={"layers": {"relu2_1": 1.0, "relu3_1": 1.0}, "statistic": "gram"},
            content={"layers": {"relu3_1": 1.0}, "weight": 0.0},
            network={"pooling": "max", "places": places},
            optimizer={"init": "gray", "precondition": False},
            scales={"min_px": 96, "first_steps": 40},
            tv_weight=0.0,
        )
        found[places] = _lattice(stylizer.stylize(grey).image)
    assert found[4] < 0.6 * found[1], found
