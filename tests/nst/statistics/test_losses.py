"""The losses: the 2015 ones against an independent NumPy version of the paper, all against finite differences."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.autograd import gradcheck

from framestyle.nst import losses
from framestyle.nst.network.vgg import VGG19
from framestyle.nst.statistics import sums
from framestyle.nst.statistics.base import StyleTarget, statistic_of
from framestyle.nst.statistics.gram2015 import style_loss_2015
from framestyle.nst.statistics.spectrum import factor_of
from framestyle.nst.statistics.wasserstein import wasserstein_distance
from framestyle.nst.stylizer import Stylizer
from framestyle.nst.weights.backbone import Backbone
from framestyle.presets import load_preset

Array = npt.NDArray[np.float64]
CONFIGURATION = ((1, 2), (2, 2), (3, 4), (4, 4), (5, 1))
"""Block and convolutions, as far as relu5_1: from the paper's table, not from the code under test."""


def _randn(seed: int, *shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def _features(seed: int, channels: int = 3, height: int = 4, width: int = 5) -> Tensor:
    return _randn(seed, 1, channels, height, width)


# -- Gatys 2015 in NumPy -----------------------------------------------------------------------------------


def numpy_convolution(x: Array, weight: Array, bias: Array) -> Array:
    """CHW, OI33, O -> OHW; zeros outside."""
    _, height, width = x.shape
    padded = np.pad(x, ((0, 0), (1, 1), (1, 1)))
    out = np.zeros((len(weight), height, width)) + bias[:, None, None]
    for dy in range(3):
        for dx in range(3):
            shifted = padded[:, dy : dy + height, dx : dx + width]
            out += np.tensordot(weight[:, :, dy, dx], shifted, axes=(1, 0))
    return out


def numpy_average_pool(x: Array) -> Array:
    """CHW -> CHW at half the size; an odd last row or column is averaged over what there is."""
    height, width = x.shape[1:]
    return np.stack(
        [
            np.stack(
                [x[:, i : i + 2, j : j + 2].mean(axis=(1, 2)) for j in range(0, width, 2)],
                axis=-1,
            )
            for i in range(0, height, 2)
        ],
        axis=1,
    )


def numpy_vgg(image: Array, backbone: Backbone) -> dict[str, Array]:
    """CHW -> {relu name: CHW}."""
    x = (image - np.array(backbone.shift)[:, None, None]) * np.array(backbone.factor)[:, None, None]
    found: dict[str, Array] = {}
    for block, count in CONFIGURATION:
        for number in range(1, count + 1):
            weight, bias = (t.double().numpy() for t in backbone.convolutions[f"conv{block}_{number}"])
            x = np.maximum(numpy_convolution(x, weight, bias), 0)
            found[f"relu{block}_{number}"] = x
        x = numpy_average_pool(x)
    return found


def numpy_gram(features: Array) -> Array:
    flat = features.reshape(len(features), -1)
    return np.array(flat @ flat.T)


def numpy_style(features: Array, style: Array) -> float:
    """Eq. 4; A is brought to the content's number of positions."""
    n, m = len(features), features[0].size
    target = numpy_gram(style) * (m / style[0].size)
    return float(((numpy_gram(features) - target) ** 2).sum() / (4 * n**2 * m**2))


@pytest.fixture(scope="module")
def gatys(untrained: Backbone) -> Callable[..., Stylizer]:
    """The `gatys2015` preset on seeded random filters, its network at the given precision."""

    def made(style_image: Tensor, dtype: torch.dtype) -> Stylizer:
        return Stylizer(load_preset("gatys2015"), untrained, [style_image], seed=0, dtype=dtype)

    return made


@pytest.mark.parametrize(("height", "width"), [(24, 24), (17, 22)])
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-9), (torch.float32, 1e-4)])
def test_the_2015_preset_equals_the_papers_formulas(
    gatys: Callable[..., Stylizer],
    untrained: Backbone,
    height: int,
    width: int,
    dtype: torch.dtype,
    tolerance: float,
) -> None:
    rng = np.random.default_rng(7)
    noise, content = rng.random((3, height, width)), rng.random((3, height, width))
    style = rng.random((3, height, width))
    stylizer = gatys(torch.from_numpy(style)[None].to(dtype), dtype)
    made = stylizer.losses_of(
        torch.from_numpy(noise)[None].to(dtype), torch.from_numpy(content)[None].to(dtype)
    )

    x, p, a = (numpy_vgg(image, untrained) for image in (noise, content, style))
    wanted_content = 0.5 * float(((x["relu4_2"] - p["relu4_2"]) ** 2).sum())
    wanted_style = 1000 * sum(0.2 * numpy_style(x[n], a[n]) for n in [f"relu{b}_1" for b in range(1, 6)])

    assert wanted_content > 0 and wanted_style > 0
    assert set(made) == {"content", "style"}
    assert made["content"] == pytest.approx(wanted_content, rel=tolerance)
    assert made["style"] == pytest.approx(wanted_style, rel=tolerance)
    assert sum(made.values()) == pytest.approx(wanted_content + wanted_style, rel=tolerance)


def test_the_network_equals_numpy_layer_by_layer(untrained: Backbone) -> None:
    image = np.random.default_rng(3).random((3, 18, 21))
    wanted = numpy_vgg(image, untrained)
    network = VGG19(untrained, list(wanted), rescale_pooling=False, padding="zeros", dtype=torch.float64)
    found = network(torch.from_numpy(image)[None])
    for name, features in wanted.items():
        np.testing.assert_allclose(found[name][0].numpy(), features, rtol=1e-9, atol=1e-10, err_msg=name)


def test_a_larger_style_image_asks_for_its_density_alone(untrained: Backbone) -> None:
    """The 2015 target of an image and of the same image tiled twice are one target."""
    features = _features(1, 4, 6, 6)
    style = _features(2, 4, 6, 6)
    tiled = torch.cat([style, style], dim=3)
    one, two = (_loss(_target_of("gram2015", wanted), features) for wanted in (style, tiled))
    torch.testing.assert_close(one, two, rtol=1e-12, atol=0)
    # The plain formula, at equal sizes.
    torch.testing.assert_close(one, style_loss_2015(features, sums.self_product(style)))


def test_gram_and_moments_equal_numpy() -> None:
    features = _features(4, 5, 6, 7)
    flat = features[0].flatten(1).numpy()
    np.testing.assert_allclose(sums.self_product(features)[0].numpy(), flat @ flat.T, rtol=1e-12)
    np.testing.assert_allclose(sums.gram_matrix(features)[0].numpy(), flat @ flat.T / 42, rtol=1e-12)
    mean, covariance = sums.moments(features)
    np.testing.assert_allclose(mean[0].numpy(), flat.mean(1), rtol=1e-12)
    np.testing.assert_allclose(covariance[0].numpy(), np.cov(flat, bias=True), rtol=1e-10)
    assert float(losses.feature_variance(features)) == pytest.approx(float(flat.var(axis=1).mean()))


def test_the_wasserstein_distance_of_known_gaussians() -> None:
    """Commuting covariances: the squared distance is |μ-μ'|² + Σ (σ-σ')²."""
    sigma, other = torch.tensor([3.0, 1.0, 0.5]).double(), torch.tensor([1.0, 4.0, 0.25]).double()
    rotation = torch.linalg.qr(_randn(5, 3, 3)).Q
    c = (rotation * sigma.square()) @ rotation.T
    d = (rotation * other.square()) @ rotation.T
    mean, target = torch.tensor([[1.0, 2.0, 3.0]]).double(), torch.tensor([[0.0, 2.5, 3.0]]).double()
    found = wasserstein_distance(mean, c[None], target, d[None], factor_of(d[None]))
    wanted = (mean - target).square().sum() + (sigma - other).square().sum()
    assert float(found) == pytest.approx(float(wanted), rel=1e-12)


def test_total_variation_of_a_ramp_and_of_one_step() -> None:
    ramp = (torch.arange(5.0) * 0.1).expand(1, 3, 4, 5)
    assert float(losses.total_variation_loss(ramp)) == pytest.approx(0.01)
    step = torch.tensor([[0.0, 1.0], [0.0, 1.0]]).expand(1, 3, 2, 2)
    assert float(losses.total_variation_loss(step)) == pytest.approx(1.0)
    assert float(losses.total_variation_loss(step.transpose(2, 3))) == pytest.approx(1.0)


def test_the_temporal_loss_counts_reliable_pixels_and_divides_by_all() -> None:
    image, warped = torch.zeros(1, 3, 2, 4), torch.full((1, 3, 2, 4), 0.5)
    reliability = torch.zeros(1, 1, 2, 4)
    reliability[..., :2] = 1
    assert float(losses.temporal_loss(image, warped, reliability)) == pytest.approx(0.125)
    assert float(losses.temporal_loss(image, warped, reliability * 0)) == 0


def test_the_temporal_loss_of_cells_sees_mean_colours_alone() -> None:
    """Cells of 2 px over 5: the last one is cut off, and counts as one."""
    difference = torch.tensor([0.3, 0.1, -0.2, 0.2, 0.4]).expand(1, 1, 2, 5)
    reliability = torch.tensor([1.0, 0.0, 1.0, 1.0, 0.5]).expand(1, 1, 2, 5)
    found = losses.temporal_loss(difference, torch.zeros(1, 1, 2, 5), reliability, 2)
    assert float(found) == pytest.approx((0.15**2 + 0.0 + 0.2**2) / 3)
    whole = losses.temporal_loss(difference, torch.zeros(1, 1, 2, 5), reliability, 0)
    assert float(whole) == pytest.approx(((0.3 - 0.2 + 0.2 + 0.2) / 5) ** 2)


# -- gradients ---------------------------------------------------------------------------------------------


def _target_of(statistic: str, style: Tensor) -> StyleTarget:
    kind = statistic_of(statistic)
    return kind.target([(kind.read(style), 1.0)])


def _target(statistic: str, seed: int = 11) -> StyleTarget:
    return _target_of(statistic, _features(seed, 3, 5, 6))


def _loss(target: StyleTarget, features: Tensor) -> Tensor:
    return target.loss(target.read(features))


STATISTICS = ("gram2015", "gram", "moments", "wasserstein")


@pytest.mark.parametrize("statistic", STATISTICS)
def test_a_style_gradient_equals_finite_differences(statistic: str) -> None:
    features = _features(12).requires_grad_(True)
    target = _target(statistic)
    assert gradcheck(lambda x: _loss(target, x), (features,), eps=1e-6, atol=1e-7, rtol=1e-5)


OTHERS: dict[str, Callable[[Tensor], Tensor]] = {
    "content": lambda x: losses.content_loss(x, _features(13), losses.feature_variance(_features(13))),
    "content_2015": lambda x: losses.content_loss_2015(x, _features(13)),
    "total_variation": losses.total_variation_loss,
    "temporal of cells": lambda x: losses.temporal_loss(x, _features(14), _features(15)[:, :1].sigmoid(), 2),
    "temporal": lambda x: losses.temporal_loss(x, _features(14), _features(15)[:, :1].sigmoid()),
    "self_product": sums.self_product,
    "moments": lambda x: sums.moments(x)[1],
}


@pytest.mark.parametrize("name", OTHERS)
def test_a_gradient_equals_finite_differences(name: str) -> None:
    assert gradcheck(OTHERS[name], (_features(12).requires_grad_(True),), eps=1e-6, atol=1e-7, rtol=1e-5)


def test_the_self_products_gradient_holds_for_an_unsymmetric_weight() -> None:
    weight = _randn(16, 1, 3, 3)
    features = _features(12).requires_grad_(True)
    assert gradcheck(lambda x: (sums.self_product(x) * weight).sum(), (features,))


# -- properties --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("statistic", STATISTICS)
@given(seed=st.integers(0, 2**31))
@settings(max_examples=15, deadline=None, derandomize=True)
def test_a_style_loss_is_zero_at_its_target_and_positive_elsewhere(statistic: str, seed: int) -> None:
    style = _features(seed, 3, 5, 6)
    target = _target(statistic, seed)
    assert abs(float(_loss(target, style))) < 1e-12
    assert float(_loss(target, style * 1.5 + 0.3)) > 1e-3


@pytest.mark.parametrize("statistic", STATISTICS)
def test_a_style_loss_does_not_see_where_things_are(statistic: str) -> None:
    features, target = _features(17), _target(statistic)
    shuffled = features.flatten(2)[..., torch.randperm(20, generator=torch.Generator().manual_seed(0))]
    torch.testing.assert_close(_loss(target, shuffled.view_as(features)), _loss(target, features))


@pytest.mark.parametrize("statistic", ["gram", "moments", "wasserstein"])
@given(repeats=st.integers(2, 4), factor=st.floats(0.1, 100))
@settings(max_examples=15, deadline=None, derandomize=True)
def test_a_relative_style_loss_holds_across_sizes_and_scales(
    statistic: str, repeats: int, factor: float
) -> None:
    features, style = _features(18), _features(19)

    def loss(x: Tensor, wanted: Tensor) -> float:
        return float(_loss(_target_of(statistic, wanted), x))

    once = loss(features, style)
    assert loss(features.repeat(1, 1, repeats, repeats), style) == pytest.approx(once, rel=1e-9)
    assert loss(features * factor, style * factor) == pytest.approx(once, rel=1e-3)


@given(repeats=st.integers(2, 4), factor=st.floats(0.1, 100))
@settings(max_examples=15, deadline=None, derandomize=True)
def test_the_relative_content_loss_holds_across_sizes_and_scales(repeats: int, factor: float) -> None:
    features, target = _features(20), _features(21)

    def loss(x: Tensor, wanted: Tensor) -> float:
        return float(losses.content_loss(x, wanted, losses.feature_variance(wanted)))

    once = loss(features, target)
    assert loss(features.repeat(1, 1, repeats, 1), target.repeat(1, 1, repeats, 1)) == pytest.approx(once)
    assert loss(features * factor, target * factor) == pytest.approx(once, rel=1e-5)
    assert loss(target, target) == 0


@pytest.mark.parametrize("statistic", STATISTICS)
@pytest.mark.parametrize("dead", ["features", "style", "both"])
def test_dead_channels_give_no_nan(statistic: str, dead: str) -> None:
    style, features = _features(22, 4).float().relu(), _features(23, 4).float().relu()
    if dead in ("features", "both"):
        features[:, 1:] = 0
    if dead in ("style", "both"):
        style[:] = 0
    target = _target_of(statistic, style)
    leaf = features.requires_grad_(True)
    loss = _loss(target, leaf)
    (gradient,) = torch.autograd.grad(loss, leaf)
    assert bool(loss.isfinite()) and bool(gradient.isfinite().all())


def test_half_precision_features_are_summed_in_float32() -> None:
    """A sum over 1e5 positions in bfloat16 would stop growing at 256."""
    features = torch.ones(1, 2, 320, 320, dtype=torch.bfloat16)
    assert sums.self_product(features).dtype == torch.float32
    assert float(sums.self_product(features)[0, 0, 0]) == 320 * 320
    assert float(sums.gram_matrix(features)[0, 0, 1]) == 1
    assert sums.moments(features)[0].dtype == torch.float32
    assert losses.content_loss_2015(features, features * 0).item() == 320 * 320
