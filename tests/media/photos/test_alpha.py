"""What is hidden steers nothing, and edges get no halos."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from photo_makers import picture, save
from PIL import Image

from framestyle.media.photos import read_photo, with_hidden_filled
from framestyle.media.photos.alpha import over_white, shrunk, unpremultiplied

sizes = st.integers(1, 40)


def scene(height: int, width: int, seed: int, dtype: Any = np.uint8) -> tuple[Any, Any]:
    """Random colours under random blobs of transparency."""
    random = np.random.default_rng(seed)
    top = np.iinfo(dtype).max
    alpha = random.choice(np.array([0, 0, top // 3, top], dtype), ((height + 3) // 4, (width + 3) // 4))
    alpha = np.repeat(np.repeat(alpha, 4, axis=0), 4, axis=1)[:height, :width]
    return random.integers(0, top + 1, (height, width, 3)).astype(dtype), np.ascontiguousarray(alpha)


@given(height=sizes, width=sizes, seed=st.integers(0, 999), dtype=st.sampled_from([np.uint8, np.uint16]))
@settings(deadline=None, derandomize=True)
def test_hidden_colours_change_nothing(height: int, width: int, seed: int, dtype: Any) -> None:
    pixels, alpha = scene(height, width, seed, dtype)
    other = np.where(
        alpha[..., None] == 0, np.random.default_rng(seed + 1).integers(0, 256, pixels.shape), pixels
    )
    other = other.astype(dtype)
    half = ((width + 1) // 2, (height + 1) // 2)
    for size in ((width, height), half):
        one, two = (with_hidden_filled(*shrunk(each, alpha, size)) for each in (pixels, other))
        assert np.array_equal(one, two)


@given(height=sizes, width=sizes, seed=st.integers(0, 999), dtype=st.sampled_from([np.uint8, np.uint16]))
@settings(deadline=None, derandomize=True)
def test_filling_leaves_what_shows_and_adds_no_colour(height: int, width: int, seed: int, dtype: Any) -> None:
    pixels, alpha = scene(height, width, seed, dtype)
    filled = with_hidden_filled(pixels, alpha)
    shows = alpha > 0
    assert np.array_equal(filled[shows], pixels[shows]) and filled.dtype == dtype
    if shows.any():
        lowest, highest = pixels[shows].min(0).astype(int), pixels[shows].max(0).astype(int)
        assert ((filled >= lowest - 1) & (filled <= highest + 1)).all()


def test_a_picture_of_which_nothing_shows_is_grey() -> None:
    filled = with_hidden_filled(picture(), np.zeros((20, 30), np.uint8))
    assert (filled == 128).all()


def test_without_hidden_pixels_the_very_picture_is_given() -> None:
    pixels = picture()
    assert with_hidden_filled(pixels, None) is pixels
    assert with_hidden_filled(pixels, np.ones((20, 30), np.uint8)) is pixels


def test_the_fill_is_that_of_the_neighbourhood() -> None:
    pixels = np.zeros((64, 64, 3), np.uint8)
    pixels[:, :32], pixels[:, 32:] = (200, 0, 0), (0, 0, 200)
    alpha = np.full((64, 64), 255, np.uint8)
    alpha[:, 8:28] = alpha[:, 40:60] = 0
    filled = with_hidden_filled(pixels, alpha)
    assert (filled[:, 8:20] == (200, 0, 0)).all() and (filled[:, 48:60] == (0, 0, 200)).all()


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_smaller_cutout_has_no_halo(dtype: Any) -> None:
    """A red disc on hidden green: no green anywhere, on whatever ground it is laid."""
    top = np.iinfo(dtype).max
    y, x = np.mgrid[0:256, 0:256]
    distance = np.hypot(x - 127.5, y - 127.5)
    cover = (100.5 - distance).clip(0, 1)
    pixels = np.where(cover[..., None] > 0, np.array([top, 0, 0]), np.array([0, top, 0])).astype(dtype)
    alpha = np.rint(cover * top).astype(dtype)
    small, small_alpha = shrunk(pixels, alpha, (50, 50))
    assert small_alpha is not None
    assert small[small_alpha > 0][:, 1].max() == 0
    assert (small[small_alpha > 0][:, 0] >= top - 1).all()
    exact = alpha.astype(float).reshape(256, 256)[:250, :250].reshape(50, 5, 50, 5).mean((1, 3))
    assert abs(small_alpha.mean() - alpha.mean()) < 0.01 * top and exact.shape == small_alpha.shape


def test_over_white_is_what_a_page_shows() -> None:
    alpha = np.array([[0, 51, 255]], np.uint8)
    pixels = np.full((1, 3, 3), (0, 100, 255), np.uint8)
    assert over_white(pixels, alpha)[0].tolist() == [[255, 255, 255], [204, 224, 255], [0, 100, 255]]


@given(seed=st.integers(0, 200))
@settings(deadline=None, derandomize=True)
def test_unpremultiplying_undoes_premultiplying(seed: int) -> None:
    random = np.random.default_rng(seed)
    pixels, alpha = (
        random.integers(0, 65536, (5, 5, 3), np.uint16),
        random.integers(20000, 65536, (5, 5), np.uint16),
    )
    multiplied = np.rint(pixels * (alpha[..., None] / 65535)).astype(np.uint16)
    assert np.abs(unpremultiplied(multiplied, alpha).astype(int) - pixels).max() <= 2


def test_a_palette_with_a_clear_colour_is_transparent_there(tmp_path: Path) -> None:
    image = Image.fromarray(picture()).quantize(16)
    image.save(tmp_path / "a.png", transparency=3)
    photo = read_photo(tmp_path / "a.png")
    assert photo.alpha is not None
    assert np.array_equal(photo.alpha == 0, np.asarray(image) == 3)


def test_colours_convert_under_transparency_too(tmp_path: Path) -> None:
    from photo_makers import DISPLAY_P3

    layers = np.dstack([picture(), np.full((20, 30), 99, np.uint8)])
    save(tmp_path / "a.png", layers, icc_profile=DISPLAY_P3)
    save(tmp_path / "b.png", picture(), icc_profile=DISPLAY_P3)
    photo = read_photo(tmp_path / "a.png")
    assert np.array_equal(photo.pixels, read_photo(tmp_path / "b.png").pixels)
    assert photo.alpha is not None and (photo.alpha == 99).all()
