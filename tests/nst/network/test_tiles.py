"""Tiles: read together they are the whole, to the last gradient, whatever is asked of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from framestyle.errors import Cancelled
from framestyle.nst.contents import feature_maps, kept_features
from framestyle.nst.image import Size, bands, size_of, to_pixels
from framestyle.nst.network.tiles import WHOLE, Tiling, reach, tiles
from framestyle.nst.network.vgg import VGG19, stages_up_to
from framestyle.nst.objective import (
    LossWeights,
    Objective,
    RegionStyle,
    TemporalTarget,
    loss_and_gradient,
    loss_parts,
)
from framestyle.nst.optimise.state import PixelState
from framestyle.nst.regions import weights_at_layers
from framestyle.nst.statistics.base import StyleTarget, statistic_of
from framestyle.nst.stylizer import Stylizer
from framestyle.nst.targets import blended_targets, read_style
from framestyle.nst.weights.backbone import (
    CAFFE_FACTOR,
    CAFFE_SHIFT,
    IMAGENET_FACTOR,
    IMAGENET_SHIFT,
    Backbone,
)
from framestyle.presets import Preset

Picture = Callable[..., Tensor]
STATISTICS = ("gram2015", "gram", "moments", "wasserstein")
SHALLOW = {"relu1_1": "wasserstein", "relu1_2": "gram", "conv2_1": "moments", "relu3_1": "gram2015"}
"""Each statistic on a layer of its own; where there are more positions than channels, roots are well conditioned."""
DEEP = {
    "relu1_1": "gram",
    "relu2_1": "moments",
    "relu3_1": "moments",
    "relu4_1": "gram",
    "relu5_1": "moments",
}


def _objective(
    network: VGG19,
    content: Tensor,
    style: Tensor,
    statistics: Mapping[str, str],
    content_layers: Mapping[str, float],
    tiling: Tiling = WHOLE,
) -> Objective:
    """All losses at once; the weights make their gradients about as large as each other's."""
    size, letter = size_of(content), "gram2015" in statistics.values() and len(statistics) == 1

    def fit(_: Size, work: Callable[[Tiling], object]) -> object:
        return work(tiling)

    targets = {
        name: blended_targets(
            [(read_style(network, style, [name], kind, size, 1.0, fit), 1.0)],  # type: ignore[arg-type]
            [name],
            kind,
        )[name]
        for name, kind in ((name, statistic_of(one)) for name, one in statistics.items())
    }
    weights = LossWeights(1.0, 1.0, 3.0, content_layers, dict.fromkeys(statistics, 1.0))
    reliability = torch.linspace(0, 1, content.shape[-1], dtype=content.dtype).expand(content[:, :1].shape)
    temporal = [
        TemporalTarget(style_like(content), reliability, 2.0),
        TemporalTarget(content, reliability, 1.0, 7),
    ]
    kept = kept_features(network, content, tiling, layers=list(content_layers), letter=letter)
    return Objective(weights, kept, _regions(targets, content), temporal)


def _regions(targets: Mapping[str, StyleTarget], content: Tensor) -> list[RegionStyle]:
    """The style everywhere, and once more in a region with soft edges."""
    height, width = content.shape[2:]
    across = (
        torch.linspace(-0.5, 1.5, height * width, dtype=content.dtype).view(1, 1, height, width).clamp(0, 1)
    )
    return [RegionStyle(targets), RegionStyle(targets, weights_at_layers(across, list(targets)), 0.5)]


def style_like(content: Tensor) -> Tensor:
    """Another picture of the content's size."""
    return content.flip(3).square()


def _compare(network: VGG19, image: Tensor, objective: Objective, other: Objective, tiling: Tiling) -> float:
    """The relative error of the tiled gradient; the losses must agree as well as that."""
    whole, values = loss_and_gradient(network, image, objective, WHOLE)
    tiled, tiled_values = loss_and_gradient(network, image, other, tiling)
    assert objective.part_names == other.part_names == ("content", "style", "tv", "temporal")
    of_losses = float(((tiled_values - values) / values).abs().max())
    assert bool((values > 0).all())
    return max(of_losses, float((tiled - whole).norm() / whole.norm()))


POOLINGS = ("average", "max", "l2")
PADDINGS = ("zeros", "replicate", "reflect")
TILINGS = (Tiling(2, 16), Tiling(3, 16), Tiling(3, 28))


@pytest.mark.parametrize(
    ("pooling", "padding", "tiling"),
    [
        (POOLINGS[(row + column) % len(POOLINGS)], padding, tiling)
        for row, padding in enumerate(PADDINGS)
        for column, tiling in enumerate(TILINGS)
    ],
)
def test_tiles_give_the_wholes_losses_and_gradient(
    untrained: Backbone, picture: Picture, pooling: str, padding: str, tiling: Tiling
) -> None:
    """Every statistic, at sizes that are odd at every level; each padding with each tiling, each pooling with both."""
    content_layers = {"relu2_2": 1.0, "pool1": 0.5}
    network = VGG19(
        untrained,
        {*SHALLOW, *content_layers},
        pooling=pooling,
        padding=padding,
        dtype=torch.float64,
    )
    content, image, style = (picture(seed, 37, 43, torch.float64) for seed in (1, 2, 3))
    one, other = (
        _objective(network, content, style, SHALLOW, content_layers, way) for way in (WHOLE, tiling)
    )
    assert _compare(network, image, one, other, tiling) < 1e-9


@pytest.mark.parametrize("statistic", STATISTICS)
def test_each_statistic_alone_is_the_same_in_tiles(
    untrained: Backbone, picture: Picture, statistic: str
) -> None:
    statistics = {"relu2_1": statistic}
    network = VGG19(untrained, {"relu2_1", "relu2_2"}, dtype=torch.float64)
    content, image, style = (picture(seed, 37, 43, torch.float64) for seed in (1, 2, 3))
    tiling = Tiling(2, 12)
    one, other = (
        _objective(network, content, style, statistics, {"relu2_2": 1.0}, way) for way in (WHOLE, tiling)
    )
    assert _compare(network, image, one, other, tiling) < 1e-9


def _deep_error(
    backbone: Backbone,
    picture: Picture,
    dtype: torch.dtype,
    tiling: Tiling,
    seed: int = 0,
    padding: str = "zeros",
) -> float:
    """Tiles whose surroundings end inside the picture, and others at its edges: in a long strip, lying or standing."""
    content_layers, size = {"relu4_2": 1.0}, (165, 19) if padding == "replicate" else (19, 165)
    network = VGG19(backbone, {*DEEP, *content_layers}, padding=padding, dtype=dtype)
    content, image, style = (picture(3 * seed + number, *size, dtype) for number in range(3))
    one, other = (_objective(network, content, style, DEEP, content_layers, way) for way in (WHOLE, tiling))
    return _compare(network, image, one, other, tiling)


@pytest.mark.parametrize(
    ("tiling", "padding"),
    [(Tiling(2, 32), "replicate"), (Tiling(3, 64), "zeros"), (Tiling(5, 48), "replicate")],
)
def test_the_whole_depth_is_the_same_in_tiles(
    untrained: Backbone, picture: Picture, tiling: Tiling, padding: str
) -> None:
    assert _deep_error(untrained, picture, torch.float64, tiling, padding=padding) < 1e-9


@pytest.mark.parametrize("tiling", [Tiling(2, 32), Tiling(5, 48)])
def test_in_float32_tiles_differ_by_rounding_alone(
    untrained: Backbone, picture: Picture, tiling: Tiling
) -> None:
    """In one of a few pictures: rounding can tip a unit over the kink of its ReLU, and then a part in a thousand of the
    gradient changes, between any two ways of computing."""
    errors = (_deep_error(untrained, picture, torch.float32, tiling, seed) for seed in range(6))
    assert any(error < 1e-5 for error in errors)


def _backbones(untrained: Backbone) -> dict[str, Backbone]:
    """The ways in which the kinds of weights differ: where and how pictures enter, and what lies beyond an edge."""
    return {
        "untrained": untrained,
        "as learned": replace(untrained, native_pooling="average"),
        "as imagenet": replace(untrained, shift=IMAGENET_SHIFT, factor=IMAGENET_FACTOR, native_pooling="max"),
        "as caffe": replace(
            untrained,
            shift=CAFFE_SHIFT,
            factor=tuple(one / 64 for one in CAFFE_FACTOR),  # the filters are not Caffe's
            reverse_channels=True,
            native_pooling="max",
        ),
    }


@pytest.mark.parametrize(
    ("statistic", "kind", "with_regions"),
    # Every two of the three together.
    [
        (statistic, kind, (one + other) % 2 == 1)
        for one, statistic in enumerate(STATISTICS)
        for other, kind in enumerate(["untrained", "as learned", "as imagenet", "as caffe"])
    ],
)
def test_a_presets_own_objective_has_the_same_gradient_in_tiles(
    untrained: Backbone,
    picture: Picture,
    make_preset: Callable[..., Preset],
    statistic: str,
    kind: str,
    with_regions: bool,
) -> None:
    """In float32, with three style images, two of them blended, and each for a part of the picture or for all of it."""
    regions = ("#ff0000", "#ff0000", "#0000ff") if with_regions else ("rest",) * 3
    images = [{"path": f"{n}.png", "weight": n + 1.0, "region": region} for n, region in enumerate(regions)]
    preset = make_preset(style={"images": images, "statistic": statistic})
    mask = torch.zeros(1, 3, 61, 75)
    mask[:, 0, :, :40], mask[:, 2, :, 40:] = 1, 1
    stylizer = Stylizer(
        preset,
        _backbones(untrained)[kind],
        [picture(10 + n, 30 + n, 34) for n in range(3)],
        mask=mask if with_regions else None,
    )
    content = picture(1, 61, 75)
    objective = stylizer.objective(content, ())
    assert len(objective.style) == (2 if with_regions else 1)

    def error(seed: int) -> float:
        image = picture(seed, 61, 75)
        whole, values = loss_and_gradient(stylizer.network, image, objective, WHOLE)
        tiled, tiled_values = loss_and_gradient(stylizer.network, image, objective, Tiling(2, 24))
        # Wasserstein's distance is a small difference of large sums: in float32 its last digits are rounding.
        rtol = 1e-3 if statistic == "wasserstein" else 1e-4
        torch.testing.assert_close(tiled_values, values, rtol=rtol, atol=0)
        return float((tiled - whole).norm() / whole.norm())

    # In one of them at least no unit tips over the kink of its ReLU.
    assert any(error(seed) < 1e-4 for seed in (2, 3, 4))


@pytest.mark.parametrize("padding", ["zeros", "replicate", "reflect"])
def test_bands_of_rows_change_nothing(
    untrained: Backbone, picture: Picture, padding: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sums, distances, total variation, the picture's gradient, Adam, the way to pixels: two rows at a time."""
    network = VGG19(untrained, {*SHALLOW, "relu2_2"}, padding=padding, dtype=torch.float64)
    content, image, style = (picture(seed, 23, 26, torch.float64) for seed in (1, 2, 3))

    def made() -> tuple[Tensor, Tensor, Tensor, Tensor]:
        objective = _objective(network, content, style, SHALLOW, {"relu2_2": 1.0})
        gradient, values = loss_and_gradient(network, image, objective, WHOLE)
        state = PixelState.start(image)
        state.adam_step(gradient, 0.02, 0.9, (0.9, 0.99))
        state.adam_step(
            gradient.square(), torch.linspace(0.01, 0.02, 23).double().view(1, 1, 23, 1), 0.9, (0.9, 0.99)
        )
        return gradient, values, state.result(), torch.from_numpy(to_pixels(state.result()))

    wanted = made()
    monkeypatch.setattr("framestyle.nst.image.BAND_BYTES", 2 * 4 * 64 * 26 + 1)
    assert len(list(bands(torch.empty(1, 64, 23, 26)))) == 12
    for found, one in zip(made(), wanted, strict=True):
        torch.testing.assert_close(found, one, rtol=1e-10, atol=1e-12)


def test_feature_maps_read_in_tiles_are_the_networks(untrained: Backbone, picture: Picture) -> None:
    network = VGG19(untrained, ["conv1_1", "relu2_2", "pool2"])
    image = picture(4, 37, 45)
    wanted = network(image)
    for tiling in (WHOLE, Tiling(1, 8), Tiling(2, 16)):
        found = feature_maps(network, image, list(wanted), tiling)
        for name, features in wanted.items():
            torch.testing.assert_close(found[name], features, msg=f"{name} {tiling}")


def test_losses_alone_are_those_that_come_with_the_gradient(untrained: Backbone, picture: Picture) -> None:
    network = VGG19(untrained, {*SHALLOW, "relu2_2"})
    content, image, style = (picture(seed, 32, 40) for seed in (1, 2, 3))
    objective = _objective(network, content, style, SHALLOW, {"relu2_2": 1.0})
    for tiling in (WHOLE, Tiling(3, 16)):
        _, values = loss_and_gradient(network, image, objective, tiling)
        alone = loss_parts(network, image, objective, tiling)
        assert tuple(alone) == objective.part_names
        torch.testing.assert_close(torch.stack(list(alone.values())), values)


def test_a_tile_sees_as_far_as_the_network() -> None:
    """By hand: two convolutions, two at twice the size, four at four times, four at eight, one at sixteen."""
    deep = stages_up_to({"relu5_1"})
    assert 2 * 1 + 2 * 2 + 4 * 4 + 4 * 8 + 16 == 70
    assert reach(deep) == (80, 16)
    assert reach(stages_up_to({"relu1_1"})) == (1, 1)
    assert reach([stage for stage in deep if stage.block <= 2]) == (8, 4)
    assert reach([]) == (0, 1)


@given(
    width=st.integers(1, 400),
    height=st.integers(1, 60),
    tile_px=st.integers(1, 300),
    deepest=st.sampled_from(["relu1_2", "pool1", "relu2_2", "pool3", "relu5_1"]),
)
@settings(max_examples=80, deadline=None, derandomize=True)
def test_tiles_cover_a_picture_once_on_the_poolings_grid(
    width: int, height: int, tile_px: int, deepest: str
) -> None:
    of = reach(stages_up_to({deepest}))
    covered = torch.zeros(height, width, dtype=torch.int64)
    for row in tiles(Size(width, height), tile_px, of):
        for kept, seen in row:
            covered[kept.top : kept.bottom, kept.left : kept.right] += 1
            for start, end, first, last, side in (
                (kept.top, kept.bottom, seen.top, seen.bottom, height),
                (kept.left, kept.right, seen.left, seen.right, width),
            ):
                assert 0 <= first <= start < end <= last <= side
                assert end - start <= max(tile_px, of.stride_px)
                assert start % of.stride_px == first % of.stride_px == 0
                assert first == 0 or start - first >= of.halo_px
                assert last == side or (last - end >= of.halo_px and last % of.stride_px == 0)
    assert bool((covered == 1).all())


def test_a_step_in_tiles_can_be_ended_between_them(untrained: Backbone, picture: Picture) -> None:
    """Of a large picture a step takes minutes."""
    network = VGG19(untrained, {*SHALLOW, "relu2_2"})
    content, image, style = (picture(seed, 61, 75) for seed in (1, 2, 3))
    objective = _objective(network, content, style, SHALLOW, {"relu2_2": 1.0})
    asked: list[int] = []
    loss_and_gradient(network, image, objective, Tiling(2, 24), lambda: asked.append(1))
    assert len(asked) > 4
    left = iter(range(3))

    def third_time() -> None:
        if next(left) == 2:
            raise Cancelled

    with pytest.raises(Cancelled):
        loss_and_gradient(network, image, objective, Tiling(2, 24), third_time)
    assert next(left, None) is None
