"""Colour preservation: each function gives the moments, quantiles or luminance that it is named after."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor

from framestyle.nst import color

Picture = Callable[..., Tensor]


def _moments(image: Tensor) -> tuple[np.ndarray, np.ndarray]:
    flat = image[0].flatten(1).double().numpy()
    return flat.mean(1), np.cov(flat, bias=True)


def _gently(image: Tensor, mean: float) -> Tensor:
    """Far from black and white, so that nothing is clipped."""
    return mean + 0.15 * (image - 0.5)


def test_matching_statistics_gives_the_wanted_mean_and_covariance(picture: Picture) -> None:
    image, like = _gently(picture(1, 40, 40), 0.4), _gently(picture(2, 30, 50), 0.6)
    like = (torch.tensor([[1.0, 0.4, 0.0], [0.0, 0.8, 0.3], [0.1, 0.0, 0.6]]) @ like.flatten(2)).view_as(like)
    matched = color.match_statistics(image, like)
    mean, covariance = _moments(matched)
    wanted_mean, wanted_covariance = _moments(like)
    np.testing.assert_allclose(mean, wanted_mean, atol=1e-5)
    # The ridge of 1e-5 on both sides leaves less than that between them.
    np.testing.assert_allclose(covariance, wanted_covariance, atol=2e-5)
    before = np.abs(_moments(image)[1] - wanted_covariance).max()
    assert before > 2e-4
    assert matched.shape == image.shape


def test_matching_statistics_to_itself_changes_nothing(picture: Picture) -> None:
    image = picture(3)
    torch.testing.assert_close(color.match_statistics(image, image), image, atol=1e-4, rtol=0)


def test_matching_statistics_of_grey_and_constant_pictures_is_finite(picture: Picture) -> None:
    grey = picture(4)[:, :1].expand(1, 3, 24, 24).contiguous()
    constant = torch.full((1, 3, 24, 24), 0.3)
    for image, like in ((grey, picture(5)), (picture(5), grey), (constant, picture(5)), (constant, constant)):
        matched = color.match_statistics(image, like)
        assert bool(matched.isfinite().all())
        np.testing.assert_allclose(_moments(matched)[0], _moments(like)[0], atol=0.02)


def test_matching_histograms_gives_each_channels_quantiles(picture: Picture) -> None:
    image, like = picture(6, 20, 30), picture(7, 30, 20).square()
    matched = color.match_histogram(image, like)
    for channel in range(3):
        assert torch.equal(
            matched[0, channel].flatten().sort().values, like[0, channel].flatten().sort().values
        )
        order = image[0, channel].flatten().argsort()
        assert bool((matched[0, channel].flatten()[order].diff() >= 0).all())


def test_matching_histograms_across_sizes_keeps_range_and_median(picture: Picture) -> None:
    image, like = picture(8, 31, 17), picture(9, 50, 60)
    matched = color.match_histogram(image, like)
    for channel in range(3):
        assert float(matched[0, channel].min()) == float(like[0, channel].min())
        assert float(matched[0, channel].max()) == float(like[0, channel].max())
        assert float(matched[0, channel].median()) == pytest.approx(
            float(like[0, channel].median()), abs=5e-3
        )


def test_luminance_is_bt709() -> None:
    image = torch.eye(3).view(1, 3, 1, 3)
    torch.testing.assert_close(color.luminance(image).flatten(), torch.tensor([0.2126, 0.7152, 0.0722]))


def test_luminance_comes_from_one_picture_and_chroma_from_the_other(picture: Picture) -> None:
    colours, light = _gently(picture(10), 0.5), _gently(picture(11), 0.5)
    mixed = color.with_luminance_of(colours, light)
    torch.testing.assert_close(color.luminance(mixed), color.luminance(light))
    torch.testing.assert_close(mixed - color.luminance(mixed), colours - color.luminance(colours))
