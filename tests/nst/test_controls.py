"""The controls of a photographer: turning one moves the picture, or its losses, the way that its name says.

What each key computes is tested where it is computed; here whole pictures are made.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import pytest
import torch
from torch import Tensor

from framestyle.nst.stylizer import Stylizer
from framestyle.nst.weights.backbone import Backbone
from framestyle.presets import Preset

Picture = Callable[..., Tensor]
Make = Callable[..., Stylizer]
LAYERS = {"relu1_1": 1.0, "relu2_1": 1.0}
STEPS = {"min_px": 64, "first_steps": 30}


@pytest.fixture
def make(make_preset: Callable[..., Preset], vgg19: Backbone, picture: Picture) -> Make:
    """`make(style={"scale": 2})`: a shallow stylizer of forty steps with one style picture, or those given."""

    def made(styles: Sequence[Tensor] = (), weights: Sequence[float] = (), **changes: Any) -> Stylizer:
        styles = styles or [picture(50, 30, 26)]
        images = [{"path": "style.png", "weight": weight} for weight in weights or [1.0] * len(styles)]
        style = {"images": images, "layers": LAYERS, **changes.pop("style", {})}
        changes.setdefault("scales", STEPS)
        return Stylizer(make_preset(style=style, **changes), vgg19, list(styles))

    return made


def _plain_losses(stylizer: Stylizer, image: Tensor, content: Tensor) -> tuple[float, float]:
    """Style and content loss without their weights."""
    found = stylizer.losses_of(image, content)
    return found["style"] / stylizer.preset.style.weight, found["content"] / stylizer.weights.content


def _rising(values: Sequence[float], by: float = 1.0) -> bool:
    return all(after > by * before for before, after in pairwise(values))


def test_more_strength_is_more_style_and_less_content(make: Make, picture: Picture) -> None:
    content = picture(1)
    style_losses, content_losses = [], []
    for strength in (0.0, 0.25, 0.5, 0.75, 1.0):
        stylizer = make(strength=strength, content={"weight": 0.4})
        style, kept = _plain_losses(stylizer, stylizer.stylize(content).image, content)
        style_losses.append(style)
        content_losses.append(kept)
    assert _rising(content_losses, 1.2) and _rising(style_losses[::-1], 1.1)


@pytest.mark.parametrize("strength", [0.3, 0.7])
def test_a_strength_is_the_same_balance_at_twice_the_size(
    make: Make, picture: Picture, strength: float
) -> None:
    """The same texture on four times the pixels: as much is left of the style, and as much of the content.

    Sums over pixels, or losses that are not relative to their targets, would shift the balance four- to sixteenfold.
    """
    found = []
    for times in (1, 2):
        scene, style = (one.repeat(1, 1, times, times) for one in (picture(1), picture(50)))
        stylizer = make([style], strength=strength, content={"weight": 0.4})
        found.append(_plain_losses(stylizer, stylizer.stylize(scene).image, scene))
    small, large = found
    # A quarter of the small one's positions see its edge.
    assert all(0.5 < b / a < 2 for a, b in zip(small, large, strict=True))


def test_weights_of_style_and_content_pull_against_each_other(make: Make, picture: Picture) -> None:
    content = picture(1)

    def losses(style: float, content_weight: float) -> tuple[float, float]:
        stylizer = make(style={"weight": style}, content={"weight": content_weight})
        return _plain_losses(stylizer, stylizer.stylize(content).image, content)

    even, styled, kept = losses(1, 1), losses(10, 1), losses(1, 10)
    assert styled[0] < even[0] < kept[0] and kept[1] < even[1] < styled[1]


def test_a_layer_of_more_weight_comes_nearer_to_its_target(make: Make, picture: Picture) -> None:
    content = picture(1)

    def left(of: str, first: float, second: float) -> float:
        layers = {"relu1_1": first, "relu2_1": second}
        image = make(style={"layers": layers}, content={"weight": 0.2}).stylize(content).image
        return make(style={"layers": {of: 1.0}}).losses_of(image, content)["style"]

    for layer in LAYERS:
        heavy = {"relu1_1": (20.0, 1.0), "relu2_1": (1.0, 20.0)}
        assert left(layer, *heavy[layer]) < min(
            left(layer, *heavy[other]) for other in LAYERS if other != layer
        )


def test_a_heavier_style_image_gives_more_of_its_colours(make: Make, picture: Picture) -> None:
    dark, light = 0.3 * picture(51), 0.7 + 0.3 * picture(52)
    means = [
        float(make([dark, light], [1.0, weight], content={"weight": 0.01}).stylize(picture(1)).image.mean())
        for weight in (0.1, 1.0, 10.0)
    ]
    assert _rising(means, 1.1)


def test_a_larger_style_scale_makes_coarser_strokes(make: Make) -> None:
    """The style is a fine checkerboard: enlarged, its fields are wider, and so is what neighbours have in common."""
    fields = torch.arange(48) // 2 % 2
    board = (fields[:, None] ^ fields[None, :]).float().expand(1, 3, 48, 48)
    gray = torch.full((1, 3, 48, 48), 0.5)
    likeness = []
    for scale in (1.0, 2.0):
        stylizer = make(
            [board],
            style={"scale": scale},
            content={"weight": 0.0},
            tv_weight=0.0,
            optimizer={"init": "noise"},
            scales={"min_px": 64, "first_steps": 80},
        )
        image = stylizer.stylize(gray).image
        image = image - image.mean()
        likeness.append(float((image[..., 1:] * image[..., :-1]).mean() / image.square().mean()))
    assert likeness[1] > likeness[0] + 0.15


@pytest.mark.parametrize("statistic", ["gram2015", "gram", "moments", "wasserstein"])
def test_each_statistic_is_brought_near_its_target(make: Make, picture: Picture, statistic: str) -> None:
    style = {"statistic": statistic, "weight": 100.0 if statistic == "gram2015" else 1.0}
    stylizer = make(style=style, content={"weight": 0.0}, tv_weight=0.0)
    content = picture(1)
    before = stylizer.losses_of(content, content)["style"]
    assert stylizer.losses_of(stylizer.stylize(content).image, content)["style"] < 0.3 * before


def test_statistics_differ_in_what_they_see(make: Make, picture: Picture) -> None:
    images = [
        make(style={"statistic": statistic}).stylize(picture(1)).image
        for statistic in ("gram", "moments", "wasserstein")
    ]
    assert all(float((a - b).abs().mean()) > 1e-3 for a, b in pairwise(images))


def test_more_total_variation_weight_is_smoother(make: Make, picture: Picture) -> None:
    def roughness(weight: float) -> float:
        image = make(tv_weight=weight).stylize(picture(1)).image
        return float(image.diff(dim=3).square().mean())

    assert _rising([roughness(weight) for weight in (100.0, 10.0, 0.0)], 1.05)


def test_more_steps_at_either_place_of_the_schedule_go_further(make: Make, picture: Picture) -> None:
    """The first scale's are judged where it is the only one: a picture of 16 px is far from one of 32 px."""
    content = picture(1, 32, 32)

    def loss(first: int, others: int, min_px: int = 16) -> float:
        scales = {"min_px": min_px, "first_steps": first, "steps": others}
        stylizer = make(scales=scales)
        return sum(stylizer.losses_of(stylizer.stylize(content).image, content).values())

    assert loss(10, 40) < 0.98 * loss(10, 10) and loss(60, 0, 32) < 0.95 * loss(5, 0, 32)


def test_a_start_shows_where_no_steps_follow_it_far(make: Make, picture: Picture) -> None:
    """From noise the content is not there yet; from the content it still is."""
    content = picture(1)

    def away(init: str) -> float:
        stylizer = make(optimizer={"init": init}, scales={"min_px": 64, "first_steps": 3})
        return _plain_losses(stylizer, stylizer.stylize(content).image, content)[1]

    assert max(away("content"), away("style_stats")) < 0.5 * away("noise")


def test_kept_colours_are_the_contents_and_others_the_styles(make: Make, picture: Picture) -> None:
    """A blue content in a red style."""
    blue, red = torch.tensor([0.2, 0.3, 0.9]).view(1, 3, 1, 1), torch.tensor([0.9, 0.2, 0.1]).view(1, 3, 1, 1)
    content, style = blue * (0.5 + 0.5 * picture(1)), red * (0.5 + 0.5 * picture(50, 30, 26))

    def blueness(preserve: str) -> float:
        stylizer = make([style], color={"preserve": preserve}, content={"weight": 0.01})
        means = stylizer.stylize(content).image.mean((0, 2, 3))
        return float(means[2] - means[0])

    own = float(content.mean((0, 2, 3))[2] - content.mean((0, 2, 3))[0])
    assert blueness("none") < 0
    for preserve in ("luminance", "histogram", "content_stats", "style_stats"):
        assert blueness(preserve) == pytest.approx(own, abs=0.12), preserve
