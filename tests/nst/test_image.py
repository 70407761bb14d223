"""The border between pictures and tensors, and the arithmetic of sizes."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from framestyle.nst.image import (
    Size,
    fit_within,
    resize,
    scale_sizes,
    size_of,
    to_pixels,
    to_tensor,
    with_area,
)

Picture = Callable[..., Tensor]
sides = st.integers(1, 5000)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_every_value_comes_back_as_it_went_in(dtype: type[np.uint8] | type[np.uint16]) -> None:
    levels = np.arange(np.iinfo(dtype).max + 1, dtype=dtype)
    pixels = np.stack([levels, levels[::-1], np.roll(levels, 77)], axis=-1).reshape(16, -1, 3)
    tensor = to_tensor(pixels)
    assert tensor.dtype == torch.float32 and tensor.shape == (1, 3, *pixels.shape[:2])
    assert (float(tensor.min()), float(tensor.max())) == (0.0, 1.0)
    back = to_pixels(tensor, dtype)
    assert back.dtype == dtype
    np.testing.assert_array_equal(back, pixels)


def test_rows_columns_and_channels_keep_their_places() -> None:
    pixels = np.zeros((2, 3, 3), dtype=np.uint8)
    pixels[1, 2] = (255, 51, 0)
    tensor = to_tensor(pixels)
    torch.testing.assert_close(tensor[0, :, 1, 2], torch.tensor([1.0, 0.2, 0.0]))
    assert float(tensor.sum()) == pytest.approx(1.2)
    assert size_of(tensor) == Size(width=3, height=2)


def test_values_outside_are_clipped_and_the_rest_rounded_to_nearest() -> None:
    image = torch.tensor([-0.5, 1.5, 0.4 / 255, 0.6 / 255]).expand(1, 3, 1, 4)
    assert to_pixels(image)[0, :, 0].tolist() == [0, 255, 0, 1]


@pytest.mark.parametrize(
    "pixels",
    [
        np.zeros((4, 4), np.uint8),
        np.zeros((4, 4, 4), np.uint8),
        np.zeros((3, 4, 4), np.uint8),
        np.zeros((4, 4, 3), np.float32),
    ],
)
def test_other_pixels_are_refused(pixels: np.ndarray) -> None:
    with pytest.raises(ValueError, match="expected"):
        to_tensor(pixels)


@given(width=sides, height=sides, limit=st.integers(0, 6000))
@settings(deadline=None, derandomize=True)
def test_fitting_never_enlarges_and_keeps_the_shape(width: int, height: int, limit: int) -> None:
    size = Size(width, height)
    fitted = fit_within(size, limit)
    if limit == 0 or max(width, height) <= limit:
        assert fitted == size
        return
    assert fitted.longest_px == limit
    factor = limit / max(width, height)
    assert abs(fitted.width - width * factor) <= 1 and abs(fitted.height - height * factor) <= 1
    assert min(fitted) >= 1


@given(width=st.integers(20, 3000), height=st.integers(20, 3000), area=st.integers(2500, 10**6))
@settings(deadline=None, derandomize=True)
def test_an_area_is_met_in_the_same_shape(width: int, height: int, area: int) -> None:
    sized = with_area(Size(width, height), area)
    factor = math.sqrt(area / (width * height))
    assert abs(sized.width - width * factor) <= 1 and abs(sized.height - height * factor) <= 1


@given(width=sides, height=sides, min_px=st.integers(16, 4096))
@settings(deadline=None, derandomize=True)
def test_scales_grow_by_the_root_of_two_from_the_smallest_to_the_full_size(
    width: int, height: int, min_px: int
) -> None:
    full = Size(width, height)
    sizes = scale_sizes(full, min_px)
    longest = [size.longest_px for size in sizes]
    assert sizes[-1] == full
    for i, px in enumerate(reversed(longest)):
        assert abs(px - full.longest_px / 2 ** (i / 2)) <= 0.5 + 1e-6
    if len(sizes) > 1:
        assert longest == sorted(set(longest))
        assert min_px * 0.99 - 0.5 <= longest[0] <= min_px * math.sqrt(2) + 1
    else:
        assert full.longest_px <= min_px * math.sqrt(2)


def test_scales_of_a_round_case() -> None:
    assert scale_sizes(Size(512, 256), 128) == [
        Size(128, 64),
        Size(181, 90),
        Size(256, 128),
        Size(362, 181),
        Size(512, 256),
    ]


def test_resizing_keeps_a_constant_and_stays_within_range(picture: Picture) -> None:
    constant = torch.full((1, 3, 20, 30), 0.25)
    torch.testing.assert_close(resize(constant, Size(13, 7)), torch.full((1, 3, 7, 13), 0.25))
    steps = (torch.arange(24) % 12 >= 6).float().expand(1, 3, 24, 24)
    enlarged = resize(steps, Size(60, 50))
    assert enlarged.shape == (1, 3, 50, 60)
    assert float(enlarged.min()) >= 0 and float(enlarged.max()) <= 1
    image = picture(1)
    assert resize(image, size_of(image)) is image


def test_shrinking_averages_and_makes_no_moire() -> None:
    stripes = (torch.arange(64) % 2).float().expand(1, 3, 64, 64)
    small = resize(stripes, Size(20, 20))[..., 3:-3]
    assert float((small - 0.5).abs().max()) < 0.05
