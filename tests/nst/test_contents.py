"""What of the content must stay: its features, or how its own places differ from each other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.autograd import gradcheck

from framestyle.nst import contents
from framestyle.nst.contents import KeptRelations, relations, sample_places, sampled
from framestyle.nst.image import Size
from framestyle.nst.network.tiles import WHOLE, Tiling
from framestyle.nst.objective import loss_and_gradient
from framestyle.nst.stylizer import Stylizer
from framestyle.nst.weights.backbone import Backbone
from framestyle.presets import Preset

Picture = Callable[..., Tensor]
SIZE = Size(8, 6)
ALL = (slice(0, 6), slice(0, 8))


def _features(seed: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(1, 3, 6, 8, generator=generator, dtype=torch.float64)


def _target(features: Tensor) -> KeptRelations:
    places = sample_places(SIZE, 0)
    return KeptRelations(places, relations(sampled(features, places, ALL, SIZE).in_order()), SIZE)


def _loss(target: KeptRelations, features: Tensor) -> Tensor:
    return target.loss(target.read(features, ALL))


def test_relations_are_the_distances_of_the_formula() -> None:
    """Against loops: 1 - cosine, each place's over their sum."""
    features = _features(1).flatten(2)[0].T[:5]
    found = relations(features[None])[0]
    for column in range(5):
        distances = [
            1 - float(features[row] @ features[column] / features[row].norm() / features[column].norm())
            for row in range(5)
        ]
        torch.testing.assert_close(found[:, column], torch.tensor(distances).double() / sum(distances))


def test_the_content_itself_has_no_loss_and_neither_has_it_brighter() -> None:
    target = _target(_features(1))
    assert float(_loss(target, _features(1))) == pytest.approx(0, abs=1e-9)
    assert float(_loss(target, 3 * _features(1))) == pytest.approx(0, abs=1e-9)


def test_other_channels_do_not_matter_but_other_forms_do() -> None:
    """Colours may go: what differs must differ, whatever it is made of."""
    target = _target(_features(1))
    assert float(_loss(target, _features(1).flip(1))) == pytest.approx(0, abs=1e-9)
    assert float(_loss(target, _features(1).flip(3))) > 0.3


def test_without_any_form_the_loss_is_one() -> None:
    """All places equally far apart: by hand, unit vectors of as many channels as places."""
    target = _target(_features(1))
    apart = torch.eye(48, dtype=torch.float64).view(1, 48, 6, 8)
    assert float(_loss(target, apart)) == pytest.approx(1, abs=0.1)


def test_gradients_equal_finite_differences() -> None:
    target, features = _target(_features(1)), _features(2).requires_grad_(True)
    assert gradcheck(lambda x: _loss(target, x), (features,), eps=1e-7, atol=1e-5, rtol=1e-4)


def test_places_are_the_seeds_and_no_more_than_there_are() -> None:
    large = Size(100, 80)
    one, same, other = (sample_places(large, seed) for seed in (1, 1, 2))
    assert torch.equal(one, same) and not torch.equal(one, other)
    assert one.shape == (contents.MOST_SAMPLES, 2) and len(one.unique(dim=0)) == len(one)
    assert bool((one >= 0).all()) and bool((one < torch.tensor([80, 100])).all())
    assert sample_places(SIZE, 1).tolist() == [[row, column] for row in range(6) for column in range(8)]


# -- in a picture ------------------------------------------------------------------------------------------


@pytest.fixture
def make(
    make_preset: Callable[..., Preset], untrained: Backbone, picture: Picture
) -> Callable[..., Stylizer]:
    def made(statistic: str, **changes: Any) -> Stylizer:
        content = {"statistic": statistic, "layers": {"relu2_2": 1.0, "relu3_1": 1.0}, "weight": 1.0}
        return Stylizer(make_preset(content=content, **changes), untrained, [picture(50, 30, 26)])

    return made


@pytest.mark.parametrize("samples", [1024, 100])
def test_a_picture_in_tiles_has_the_wholes_losses_and_gradient(
    make: Callable[..., Stylizer], picture: Picture, samples: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(contents, "MOST_SAMPLES", samples)
    stylizer, image = make("self_similarity"), picture(2, 37, 45)
    objective = stylizer.objective(picture(1, 37, 45), ())
    whole, values = loss_and_gradient(stylizer.network, image, objective, WHOLE)
    for tiling in (Tiling(2, 20), Tiling(3, 16)):
        tiled, tiled_values = loss_and_gradient(stylizer.network, image, objective, tiling)
        torch.testing.assert_close(tiled_values, values, rtol=1e-3, atol=0)
        assert float((tiled - whole).norm() / whole.norm()) < 2e-3


def test_what_a_content_in_tiles_keeps_is_what_the_whole_keeps(
    make: Callable[..., Stylizer], picture: Picture
) -> None:
    stylizer = make("self_similarity")
    found = [
        contents.kept_relations(stylizer.network, picture(1, 37, 45), tiling, layers=["relu2_2"], seed=3)
        for tiling in (WHOLE, Tiling(2, 16))
    ]
    whole, tiled = (one["relu2_2"] for one in found)
    assert isinstance(whole, KeptRelations) and isinstance(tiled, KeptRelations)
    torch.testing.assert_close(tiled.relations, whole.relations)
    assert torch.equal(tiled.samples, whole.samples)


def test_steps_keep_the_form_and_let_colours_go(make: Callable[..., Stylizer], picture: Picture) -> None:
    """From grey a picture's form is found again; with features its colours are too."""
    content = picture(1, 32, 32)
    changes = {
        "style": {"weight": 0.0},
        "tv_weight": 0.0,
        "scales": {"min_px": 64, "first_steps": 20},
        "optimizer": {"init": "gray"},
    }
    alike = make("self_similarity", **changes)
    painted = alike.stylize(content).image
    gray = torch.full_like(content, 0.5)
    assert alike.losses_of(painted, content)["content"] < 0.7 * alike.losses_of(gray, content)["content"]
    featured = make("features", **changes)
    kept = featured.stylize(content).image
    assert float((kept - content).square().mean()) < 0.7 * float((painted - content).square().mean())
