"""Convolutions with fewer multiplications: the same as with all of them."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from framestyle.nst import memory
from framestyle.nst.image import Size
from framestyle.nst.memory import TilingPlanner
from framestyle.nst.memory_plan import Demand
from framestyle.nst.network import winograd
from framestyle.nst.network.tiles import WHOLE, Tiling
from framestyle.nst.network.vgg import VGG19
from framestyle.nst.network.winograd import Filters, at_points, convolve, pays
from framestyle.nst.weights.backbone import Backbone


def _randn(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).to(dtype)


@given(
    st.integers(1, 2),
    st.integers(1, 7),
    st.integers(1, 7),
    st.integers(3, 23),
    st.integers(3, 23),
    st.booleans(),
)
@settings(max_examples=60, deadline=None, derandomize=True)
def test_it_is_a_convolution_at_every_size(
    batch: int, inputs: int, outputs: int, height: int, width: int, channels_last: bool
) -> None:
    x, weight = _randn(batch, inputs, height, width), _randn(outputs, inputs, 3, 3, seed=1)
    if channels_last:
        x = x.contiguous(memory_format=torch.channels_last)
    for mode in ("constant", "replicate", "reflect"):
        for edge in (0, 1, 2):
            found = convolve(x, at_points(weight), edge, mode)
            assert found.is_contiguous(memory_format=torch.channels_last)
            wanted = F.conv2d(F.pad(x, (edge,) * 4, mode=mode), weight)
            torch.testing.assert_close(found, wanted, rtol=1e-10, atol=1e-10)


def test_more_tiles_than_are_taken_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """In bands of one row of tiles, of several, and with a last one that is smaller; each in full fours of tiles."""
    x, weight = _randn(1, 3, 54, 30), _randn(5, 3, 3, 3, seed=1)
    wanted = F.conv2d(x, weight)
    for at_once in (1, 14, 21, 10**6):
        monkeypatch.setattr(winograd, "TILES_AT_ONCE", at_once)
        torch.testing.assert_close(convolve(x, at_points(weight)), wanted, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("edge", [0, 1, 2])
def test_bias_and_rectifier_on_the_way(edge: int) -> None:
    """Both are taken along with passes that are made anyway."""
    x, gave, weight, bias = (
        _randn(2, 4, 11, 18),
        _randn(2, 4, 11, 18, seed=2),
        _randn(5, 4, 3, 3, seed=1),
        _randn(5),
    )
    found = convolve(x, at_points(weight), edge, bias=bias, rectified=gave.relu())
    wanted = F.conv2d(x * (gave > 0), weight, bias, padding=edge)
    torch.testing.assert_close(found, wanted, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("edge", [0, 1, 2])
def test_the_same_filters_serve_the_way_back(edge: int) -> None:
    grad, weight = _randn(2, 5, 13, 22), _randn(5, 4, 3, 3, seed=1)
    found = convolve(grad, at_points(weight), edge, back=True)
    wanted = F.conv_transpose2d(grad, weight, padding=2 - edge)
    torch.testing.assert_close(found, wanted, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("channels", [128, 512])
def test_in_float32_it_rounds_hardly_more_than_a_plain_sum(channels: int) -> None:
    x = _randn(1, channels, 34, 34, dtype=torch.float32).relu()
    weight = _randn(channels, channels, 3, 3, seed=1, dtype=torch.float32)
    exact = F.conv2d(x.double(), weight.double())
    error = (convolve(x, at_points(weight)) - exact).norm() / exact.norm()
    assert float(error) < 4e-6
    exact = F.conv_transpose2d(x.double(), weight.double())
    error = (convolve(x, at_points(weight), 2, back=True) - exact).norm() / exact.norm()
    assert float(error) < 4e-6


@pytest.mark.parametrize("padding", [0, 1])
@pytest.mark.parametrize("side", [8, 22], ids=["directly", "at the points"])
def test_both_ways_are_those_of_torch(padding: int, side: int) -> None:
    weight, bias = _randn(160, 128, 3, 3, dtype=torch.float32) / 34, _randn(160, seed=1, dtype=torch.float32)
    filters = Filters(weight, bias)
    x = _randn(1, 128, side, side + 5, seed=2, dtype=torch.float32)
    grad = _randn(1, 160, side, side + 5, seed=3, dtype=torch.float32)
    assert pays(weight, side, side + 5) == (side == 22)
    torch.testing.assert_close(
        filters.forward(x, "constant"), F.conv2d(x, weight, bias, padding=1), rtol=1e-4, atol=1e-4
    )
    back = filters.back(grad, padding)
    torch.testing.assert_close(back, F.conv_transpose2d(grad, weight, padding=padding), rtol=1e-4, atol=1e-4)
    gave = filters.forward(x, "constant").relu()
    through = F.conv_transpose2d(grad * (gave > 0), weight, padding=padding)
    torch.testing.assert_close(filters.back(grad, padding, gave), through, rtol=1e-4, atol=1e-4)


def test_it_is_for_what_it_pays_for() -> None:
    wide, narrow = torch.zeros(128, 128, 3, 3), torch.zeros(128, 64, 3, 3)
    assert pays(wide, 12, 16) and pays(wide, 13, 9)
    assert not pays(wide, 12, 12) and not pays(narrow, 64, 64)
    assert not pays(wide.double(), 64, 64) and not pays(wide.bfloat16(), 64, 64)


def test_filters_at_the_points_are_made_when_they_are_needed(vgg19: Backbone) -> None:
    network = VGG19(vgg19, ["relu3_2"])
    of_pair = 36 * 4
    coming = of_pair * (128 * 128 + 128 * 256 + 256 * 256)
    assert network.coming_bytes == coming
    with torch.no_grad():
        network(torch.rand(1, 3, 24, 24))
    assert network.coming_bytes == coming, "too small a picture for it"
    with torch.no_grad():
        network(torch.rand(1, 3, 64, 64))
    assert network.coming_bytes == 0, "the way back takes the same"
    half = VGG19(vgg19, ["relu3_2"], dtype=torch.bfloat16)
    assert half.coming_bytes == 0


def test_what_the_filters_will_take_is_planned_for(vgg19: Backbone, monkeypatch: pytest.MonkeyPatch) -> None:
    """They take from the room that there is for a picture."""
    demand = Demand.of(VGG19(vgg19, ["relu3_2"]), [], "adam")
    monkeypatch.setattr(memory, "room_bytes", lambda *_: 2 << 30)

    def tiling(coming_bytes: int) -> Tiling:
        fitting = TilingPlanner(demand, torch.device("cpu"), coming_bytes=lambda: coming_bytes)
        return fitting.tiling(Size(640, 640))

    assert tiling(0) == WHOLE
    assert tiling((2 << 30) - (500 << 20)) != WHOLE


@pytest.mark.parametrize("padding", ["zeros", "replicate", "reflect"])
def test_a_deep_gradient_is_that_of_float64(vgg19: Backbone, padding: str) -> None:
    image = torch.rand(1, 3, 140, 166, generator=torch.Generator().manual_seed(4))

    def gradient(dtype: torch.dtype) -> Tensor:
        network = VGG19(vgg19, ["relu1_1", "relu4_3"], padding=padding, dtype=dtype)
        leaf = image.to(dtype).requires_grad_(True)
        found = network(leaf)
        loss = found["relu4_3"].square().mean() + found["relu1_1"].mean()
        (slope,) = torch.autograd.grad(loss, leaf)
        assert dtype == torch.float64 or network.coming_bytes == 0
        return slope

    exact = gradient(torch.float64)
    error = (gradient(torch.float32) - exact).norm() / exact.norm()
    assert float(error) < 1e-4
