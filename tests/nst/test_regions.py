"""Regions: a mask's colours become soft weights, at every layer; each region gets its own style and no other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from framestyle.nst.image import Size
from framestyle.nst.network.vgg import VGG19
from framestyle.nst.optimise.state import PixelState
from framestyle.nst.regions import MASK_SIDE_PX, region_weights, resized_weights, weights_at_layers
from framestyle.nst.statistics.base import StyleTarget, statistic_of
from framestyle.nst.stylizer import Stylizer
from framestyle.nst.weights.backbone import Backbone
from framestyle.presets import LAYER_NAMES, Preset

Picture = Callable[..., Tensor]
Make = Callable[..., Stylizer]
STATISTICS = ("gram2015", "gram", "moments", "wasserstein")
RED, BLUE, GREY = (255, 0, 0), (0, 0, 255), (128, 128, 128)
BLACK, WHITE = (0, 0, 0), (255, 255, 255)


def _mask(*colors: tuple[float, ...]) -> Tensor:
    """One row of pixels."""
    return torch.tensor(colors, dtype=torch.float32).T[None, :, None, :] / 255


def _weights(mask: Tensor, *regions: tuple[int, int, int] | None) -> list[list[float]]:
    """For each pixel of a row, how far it belongs to each region."""
    return [
        [round(value, 3) for value in pixel] for pixel in region_weights(mask, regions)[0, :, 0].T.tolist()
    ]


# -- the mask ----------------------------------------------------------------------------------------------


def test_each_colour_is_its_region_alone() -> None:
    mask = _mask(RED, BLUE, GREY, WHITE)
    assert _weights(mask, RED, BLUE, GREY, None) == [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]


def test_between_two_colours_a_pixel_belongs_to_both() -> None:
    assert _weights(_mask((191.25, 0, 63.75)), RED, BLUE) == [[0.75, 0.25]]
    assert _weights(_mask((64,) * 3, (192,) * 3), BLACK, (128,) * 3, WHITE) == [
        [0.5, 0.5, 0],
        pytest.approx([0, 0.496, 0.504], abs=0.002),
    ]


def test_a_soft_edge_between_two_regions_does_not_touch_a_third_that_lies_apart() -> None:
    weights = region_weights(_mask(*((255 - n, 0, n) for n in range(256))), (RED, BLUE, (0, 255, 0)))
    assert float(weights[:, 2].max()) == 0
    torch.testing.assert_close(weights[0, 1, 0], torch.linspace(0, 1, 256), atol=1e-5, rtol=0)


def test_black_and_white_are_the_rest_where_no_region_has_them() -> None:
    mask = _mask(BLACK, (51,) * 3, WHITE)
    assert _weights(mask, WHITE, None) == [[0, 1], [0.2, 0.8], [1, 0]]
    assert _weights(mask, BLACK, None) == [[1, 0], [0.8, 0.2], [0, 1]]
    assert _weights(mask, GREY, None)[::2] == [[0, 1], [0, 1]]


def test_without_a_style_for_the_rest_it_belongs_to_none() -> None:
    assert _weights(_mask(BLACK, (51,) * 3, WHITE), WHITE) == [[0], [0.2], [1]]
    assert _weights(_mask(RED, WHITE, BLACK), RED) == [[1], [0], [0]]


@given(
    pixel=st.tuples(*[st.integers(0, 255)] * 3),
    regions=st.lists(
        st.one_of(st.none(), st.tuples(*[st.integers(0, 255)] * 3)), min_size=1, max_size=5, unique=True
    ),
)
@settings(max_examples=60, deadline=None, derandomize=True)
def test_any_colour_has_weights_that_are_shares(
    pixel: tuple[int, int, int], regions: list[tuple[int, int, int] | None]
) -> None:
    weights = region_weights(_mask(pixel), regions)[0, :, 0, 0]
    assert bool((weights >= 0).all()) and float(weights.sum()) <= 1 + 1e-6
    if None in regions or {BLACK, WHITE} <= set(regions):
        assert float(weights.sum()) == pytest.approx(1)
    if pixel in regions:
        assert float(weights[regions.index(pixel)]) == pytest.approx(1)


def test_a_huge_mask_is_thinned_out_without_mixing_its_colours() -> None:
    mask = torch.zeros(1, 3, 8, 2 * MASK_SIDE_PX)
    mask[..., ::2] = 1
    weights = region_weights(mask, (BLACK, WHITE))
    assert weights.shape == (1, 2, 4, MASK_SIDE_PX)
    assert set(weights.unique().tolist()) == {0.0, 1.0}


@pytest.mark.parametrize("size", [Size(7, 5), Size(40, 30), Size(12, 90)])
def test_weights_keep_their_sum_at_any_size(picture: Picture, size: Size) -> None:
    weights = region_weights((picture(3, 30, 40) > 0.5).float(), (RED, BLUE, None))
    resized = resized_weights(weights, size)
    assert resized.shape == (1, 3, size.height, size.width)
    torch.testing.assert_close(resized.sum(1), torch.ones_like(resized[:, 0]))


# -- at the layers -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("height", "width"), [(32, 32), (33, 47), (20, 1)])
def test_weights_have_the_size_of_every_layers_features(untrained: Backbone, height: int, width: int) -> None:
    features = VGG19(untrained, LAYER_NAMES)(torch.zeros(1, 3, height, width))
    weights = weights_at_layers(torch.ones(1, 2, height, width), LAYER_NAMES)
    assert set(weights) == set(LAYER_NAMES)
    for name, one in weights.items():
        assert one.shape[2:] == features[name].shape[2:], name
        assert bool((one == 1).all())


def test_a_layers_weights_are_means_over_what_its_positions_stand_for() -> None:
    mask = torch.rand(1, 1, 16, 24, generator=torch.Generator().manual_seed(0))
    found = weights_at_layers(mask, ["relu1_2", "conv3_1", "pool3"])
    assert torch.equal(found["relu1_2"], mask)
    torch.testing.assert_close(found["conv3_1"], mask.view(1, 1, 4, 4, 6, 4).mean((3, 5)))
    torch.testing.assert_close(found["pool3"], mask.view(1, 1, 2, 8, 3, 8).mean((3, 5)))


# -- statistics of a part ----------------------------------------------------------------------------------


def _features(seed: int, height: int = 6, width: int = 8) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(1, 4, height, width, generator=generator, dtype=torch.float64)


def _target(statistic: str, dtype: torch.dtype = torch.float64) -> StyleTarget:
    kind = statistic_of(statistic)
    return kind.target([(kind.read(_features(1).to(dtype)), 1.0)])


def _loss(target: StyleTarget, features: Tensor, weight: Tensor | None = None) -> Tensor:
    return target.loss(target.read(features, weight))


def _half(height: int = 6, width: int = 8) -> Tensor:
    """The left three eighths."""
    weight = torch.zeros(1, 1, height, width, dtype=torch.float64)
    weight[..., : 3 * width // 8] = 1
    return weight


@pytest.mark.parametrize("statistic", STATISTICS)
def test_a_part_by_weights_is_that_part_cut_out(statistic: str) -> None:
    features, target = _features(2), _target(statistic)
    by_weight, alone = _loss(target, features, _half()), _loss(target, features[..., :3])
    torch.testing.assert_close(by_weight, alone)
    assert float((by_weight - _loss(target, features)).abs()) > 1e-3


@pytest.mark.parametrize("statistic", STATISTICS)
def test_what_counts_is_how_weights_compare_not_how_large_they_are(statistic: str) -> None:
    features, target = _features(2), _target(statistic)
    torch.testing.assert_close(
        _loss(target, features, 0.01 * torch.ones_like(_half())), _loss(target, features)
    )
    # A position that counts double is one that is there twice.
    weight = torch.full_like(_half(), 0.5)
    weight[..., -1] = 1
    twice = torch.cat([features, features[..., -1:]], 3)
    torch.testing.assert_close(_loss(target, features, weight), _loss(target, twice))


@pytest.mark.parametrize("statistic", STATISTICS)
@pytest.mark.parametrize("weight", [0.0, 1e-12, 1.0])
def test_a_part_of_nothing_or_of_one_position_gives_no_nan(statistic: str, weight: float) -> None:
    features = _features(3).float().relu().requires_grad_(True)
    one = torch.zeros(1, 1, 6, 8)
    one[..., 2, 3] = weight
    loss = _loss(_target(statistic, torch.float32), features, one)
    (gradient,) = torch.autograd.grad(loss, features)
    assert bool(loss.isfinite()) and bool(gradient.isfinite().all())
    outside = gradient.clone()
    outside[..., 2, 3] = 0
    assert not outside.any()


# -- pictures ----------------------------------------------------------------------------------------------


@pytest.fixture
def make(make_preset: Callable[..., Preset], vgg19: Backbone, picture: Picture) -> Make:
    """`make([0, 255], mask=...)`: a shallow stylizer with a style image for each region: dark red, then light green."""
    styles = [
        picture(50, 30, 26) * torch.tensor([0.8, 0.1, 0.1]).view(1, 3, 1, 1),
        0.6 + 0.4 * picture(51, 30, 26) * torch.tensor([0.1, 1.0, 0.1]).view(1, 3, 1, 1),
    ]

    def made(regions: list[Any], mask: Tensor | None = None, **changes: Any) -> Stylizer:
        images = [{"path": "style.png", "region": region} for region in regions]
        style = {"images": images, **changes.pop("style", {})}
        preset = make_preset(style={"layers": {"relu1_1": 1.0, "relu2_1": 1.0}, **style}, **changes)
        return Stylizer(preset, vgg19, styles[: len(regions)], mask=mask)

    return made


def _left_black(height: int = 24, width: int = 24) -> Tensor:
    mask = torch.ones(1, 3, height, width)
    mask[..., : width // 2] = 0
    return mask


@pytest.mark.parametrize(
    ("statistic", "optimizer"), [*((one, "adam") for one in STATISTICS), ("wasserstein", "lbfgs")]
)
def test_each_region_takes_on_its_own_style(
    make: Make, picture: Picture, statistic: str, optimizer: str
) -> None:
    style = {"statistic": statistic, "weight": 1e4 if statistic == "gram2015" else 1.0}
    changes: dict[str, Any] = {
        "style": style,
        "content": {"weight": 0.0},
        "optimizer": {"name": optimizer, "average_decay": 0.0},
        "scales": {"min_px": 64, "first_steps": 60},
        "tv_weight": 0.0,
    }
    done = make([0, 255], _left_black(), **changes).stylize(picture(1)).image
    left, right = (part.mean((0, 2, 3)) for part in (done[..., :10], done[..., 14:]))
    assert float(left[0]) > float(left[1]) + 0.1, "the left is not dark red"
    assert float(right[1]) > float(right[0]) + 0.1, "the right is not light green"
    assert float(right.sum()) > float(left.sum()) + 0.5


def test_a_region_that_a_picture_lacks_changes_nothing(make: Make, picture: Picture) -> None:
    all_black = torch.zeros(1, 3, 24, 24)
    with_both = make([0, 255], all_black).stylize(picture(1)).image
    torch.testing.assert_close(with_both, make(["rest"]).stylize(picture(1)).image)


def test_one_style_in_two_regions_draws_as_hard_as_everywhere(
    make_preset: Callable[..., Preset], untrained: Backbone, picture: Picture
) -> None:
    """Two halves that are alike but for their edges: each pixel feels what it would feel without a mask."""
    style, half = picture(50, 30, 26), picture(1, 32, 32)
    content = torch.cat([half, half], 3)

    def gradient(regions: list[Any], mask: Tensor | None) -> Tensor:
        images = [{"path": "style.png", "region": region} for region in regions]
        preset = make_preset(style={"images": images, "layers": {"relu1_1": 1.0}}, tv_weight=0.0)
        stylizer = Stylizer(preset, untrained, [style] * len(images), mask=mask)
        return stylizer.gradient(content, stylizer.objective(content, ()))[0]

    whole, parts = gradient(["rest"], None), gradient([0, 255], _left_black(32, 64))
    assert float((parts - whole).norm()) < 0.1 * float(whole.norm())


def test_where_no_style_is_for_the_content_stays_to_the_bit(make: Make, picture: Picture) -> None:
    content = picture(1)
    done = make([255], _left_black()).stylize(content).image
    assert torch.equal(done[..., :12], content[..., :12])
    assert float((done - content)[..., 12:].abs().mean()) > 0.01
    nothing = make(["#ff0000"], torch.zeros(1, 3, 8, 8)).stylize(content).image
    assert torch.equal(nothing, content)


def test_a_soft_edge_makes_a_soft_border(make: Make, picture: Picture) -> None:
    content = picture(1)
    ramp = torch.linspace(0, 1, 24).expand(1, 3, 24, 24)
    change = (make([255], ramp).stylize(content).image - content).abs().mean((0, 1, 2))
    assert float(change[:6].mean()) < 0.5 * float(change[9:15].mean()) < float(change[18:].mean())


def test_a_mask_is_stretched_over_the_picture(make: Make, picture: Picture) -> None:
    small, large = (
        make([0, 255], _left_black(*size), optimizer={"learning_rate": 0.01}).stylize(picture(1)).image
        for size in ((6, 4), (48, 96))
    )
    assert float((small - large)[..., :9].abs().mean()) < 0.02


def test_images_of_one_region_blend_and_colours_may_be_written_both_ways(make: Make) -> None:
    assert make([255, "#ffffff"]).regions == (WHITE,)
    assert make([0, "rest"]).regions == (BLACK, None)


def test_regions_need_a_mask_and_another_mask_needs_no_new_targets(make: Make, picture: Picture) -> None:
    bare = make([0, 255])
    assert bare.needs_mask and not make(["rest"]).needs_mask
    with pytest.raises(ValueError, match="need a mask"):
        bare.stylize(picture(1))
    one, two = bare.with_mask(_left_black()), bare.with_mask(1 - _left_black())
    assert not one.needs_mask and bare.needs_mask
    left, right = one.stylize(picture(1)).image, two.stylize(picture(1)).image
    assert not torch.equal(left, right)
    assert one.styles is two.styles


def test_warm_frames_keep_to_their_regions(make: Make, picture: Picture) -> None:
    content = picture(1)
    stylizer = make([255], _left_black(), video={"steps": 5, "min_steps": 5})
    first = stylizer.stylize(content)
    second = stylizer.refine(picture(2), PixelState.start(first.state.image)).image
    assert torch.equal(second[..., :12], picture(2)[..., :12])
    assert float((second - picture(2))[..., 12:].abs().mean()) > 0.01


def test_colour_preservation_goes_along_with_regions(make: Make, picture: Picture) -> None:
    content = picture(1)
    for preserve in ("luminance", "histogram", "content_stats", "style_stats"):
        done = make([255], _left_black(), color={"preserve": preserve}).stylize(content).image
        assert bool(done.isfinite().all()) and torch.equal(done[..., :12], content[..., :12]), preserve
