"""What a result takes of its content: whose colours it has, and where."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from pydantic import ValidationError
from torch import Tensor

from framestyle.nst import color
from framestyle.nst.finishing import Finish
from framestyle.presets import Color

Picture = Callable[..., Tensor]
MATCH = Color(match=True)


def _dim(image: Tensor, mean: float = 0.5) -> Tensor:
    """Far from black and white, so that nothing is clipped."""
    return mean + 0.2 * (image - 0.5)


def _chroma(image: Tensor) -> Tensor:
    return image - color.luminance(image)


def test_a_matched_result_has_its_own_light_and_the_contents_colours_moved_to_the_styles(
    picture: Picture,
) -> None:
    painted, content, style = _dim(picture(1)), _dim(picture(2)), _dim(picture(3, 30, 20), 0.6)
    found = Finish(MATCH, [[(style, 1.0)]]).of(painted, content, None)
    torch.testing.assert_close(color.luminance(found), color.luminance(painted), atol=1e-5, rtol=0)
    moved = color.match_statistics(content, style)
    torch.testing.assert_close(_chroma(found), _chroma(moved), atol=1e-5, rtol=0)
    assert float((_chroma(found) - _chroma(painted)).abs().mean()) > 0.01


def test_several_images_match_by_their_weights(picture: Picture) -> None:
    painted, content, one, other = (_dim(picture(seed)) for seed in range(4))
    both = Finish(MATCH, [[(one, 1.0), (other, 3.0)]]).of(painted, content, None)
    each = [Finish(MATCH, [[(style, 2.0)]]).of(painted, content, None) for style in (one, other)]
    torch.testing.assert_close(both, 0.25 * each[0] + 0.75 * each[1], atol=1e-5, rtol=0)


def test_each_region_matches_its_own_style_and_what_no_style_is_for_stays(picture: Picture) -> None:
    painted, content, one, other = (_dim(picture(seed)) for seed in range(4))
    weights = torch.zeros(1, 2, 24, 24)
    weights[:, 0, :, :8] = 1
    weights[:, 1, :, 8:16] = 1
    found = Finish(MATCH, [[(one, 1.0)], [(other, 1.0)]]).of(painted, content, weights)
    for style, columns in ((one, slice(0, 8)), (other, slice(8, 16))):
        alone = Finish(MATCH, [[(style, 1.0)]]).of(painted, content, None)
        torch.testing.assert_close(found[..., columns], alone[..., columns], atol=1e-5, rtol=0)
    assert torch.equal(found[..., 16:], content[..., 16:])


def test_content_is_needed_only_where_something_is_taken_of_it(picture: Picture) -> None:
    mask = torch.ones(1, 1, 4, 4)
    assert Finish(MATCH, []).needs_content(None) and Finish(Color(), []).needs_content(mask)
    assert Finish(Color(preserve="histogram"), []).needs_content(None)
    assert not Finish(Color(), []).needs_content(None)
    assert not Finish(Color(preserve="style_stats"), []).needs_content(None)


@pytest.mark.parametrize("preserve", ["luminance", "histogram", "content_stats", "style_stats"])
def test_colours_are_either_kept_or_matched(preserve: str) -> None:
    with pytest.raises(ValidationError, match="set one of them"):
        Color.model_validate({"match": True, "preserve": preserve})
