"""What of the content must stay: its features, or how its own places differ from each other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.autograd import gradcheck

from framestyle.nst import contents
from framestyle.nst.contents import (
    KeptFeatures,
    KeptRelations,
    at_size,
    relations,
    salience,
    sample_places,
    sampled,
)
from framestyle.nst.image import Size
from framestyle.nst.network.tiles import WHOLE, Tiling
from framestyle.nst.network.vgg import VGG19
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


def _focused(features: Tensor) -> KeptRelations:
    """The first row counts ten times as much as any other."""
    target = _target(features)
    return replace(target, weight=torch.where(target.samples[:, 0] == 0, 10.0, 1.0))


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


def test_a_change_of_what_counts_more_costs_more() -> None:
    plain, focused = _target(_features(1)), _focused(_features(1))
    first, last = _features(1), _features(1)
    first[..., 0, 2:5] = _features(2)[..., 0, 2:5]
    last[..., -1, 2:5] = _features(2)[..., -1, 2:5]
    shares = [float(_loss(focused, one)) / float(_loss(plain, one)) for one in (first, last)]
    assert shares[0] > 1.2 > 1 > shares[1]
    assert float(_loss(focused, _features(1))) == pytest.approx(0, abs=1e-9)
    even = replace(plain, weight=torch.full((len(plain.samples),), 3.0))
    torch.testing.assert_close(_loss(even, first), _loss(plain, first))


def test_gradients_equal_finite_differences() -> None:
    features = _features(2).requires_grad_(True)
    for target in (_target(_features(1)), _focused(_features(1))):
        assert gradcheck(partial(_loss, target), (features,), eps=1e-7, atol=1e-5, rtol=1e-4)


def test_places_are_the_seeds_and_no_more_than_there_are() -> None:
    large = Size(100, 80)
    one, same, other = (sample_places(large, seed) for seed in (1, 1, 2))
    assert torch.equal(one, same) and not torch.equal(one, other)
    assert one.shape == (contents.MOST_SAMPLES, 2) and len(one.unique(dim=0)) == len(one)
    assert bool((one >= 0).all()) and bool((one < torch.tensor([80, 100])).all())
    assert sample_places(SIZE, 1).tolist() == [[row, column] for row in range(6) for column in range(8)]


# -- what stands out ----------------------------------------------------------------------------------------


def _with_a_thing(channels: int = 3) -> Tensor:
    """Flat, but for 4 by 4 positions of a map of 12 by 16."""
    maps = 0.2 + 0.01 * torch.rand(1, channels, 12, 16, generator=torch.Generator().manual_seed(1))
    maps[..., 4:8, 6:10] += 2 * torch.rand(1, channels, 4, 4, generator=torch.Generator().manual_seed(2))
    return maps


def test_a_thing_on_flat_ground_stands_out_with_what_is_next_to_it() -> None:
    found = salience(_with_a_thing(), 1.0)[0, 0]
    assert float(found[5:7, 7:9].min()) > 4 * float(found[9:].max())
    assert float(found[3, 7]) > 4 * float(found[0, 0])


def test_salience_is_the_energy_about_the_mean_around_each_position() -> None:
    """Against loops, at a place inside and one at the corner, whose edge is repeated."""
    maps = _features(1)
    energy = (maps - maps.mean((2, 3), keepdim=True)).square().mean(1)[0]
    found = salience(maps, 2.0)[0, 0].sqrt()
    inside = sum(energy[row, column] for row in (1, 2, 3) for column in (4, 5, 6)) / 9
    corner = (4 * energy[0, 0] + 2 * energy[0, 1] + 2 * energy[1, 0] + energy[1, 1]) / 9
    torch.testing.assert_close(found[2, 5] / found[0, 0], inside / corner)


def test_of_a_flat_content_all_places_count_alike() -> None:
    found = at_size(salience(torch.full((1, 3, 4, 5), 0.7), 1.0), Size(10, 8))
    torch.testing.assert_close(found, torch.ones(1, 1, 8, 10))


def test_the_same_change_costs_more_where_things_are_and_as_much_in_the_mean() -> None:
    content = _with_a_thing().double()
    weight = at_size(salience(content, 1.0), Size(16, 12))
    everywhere = (slice(0, 12), slice(0, 16))
    focused, plain = (
        KeptFeatures(content, torch.ones((), dtype=torch.float64), weight=one) for one in (weight, None)
    )

    def loss(target: KeptFeatures, rows: slice, columns: slice) -> float:
        changed = content.clone()
        changed[..., rows, columns] += 0.1
        return float(target.loss(target.read(changed, everywhere)))

    thing, ground = (slice(4, 8), slice(6, 10)), (slice(0, 4), slice(0, 4))
    assert loss(plain, *thing) == pytest.approx(loss(plain, *ground))
    assert loss(focused, *thing) > 4 * loss(focused, *ground)
    assert loss(focused, *everywhere) == pytest.approx(loss(plain, *everywhere))


def test_the_gradient_of_weighted_features_equals_finite_differences() -> None:
    weight = at_size(salience(_features(1), 1.0), SIZE)
    target = KeptFeatures(_features(1), torch.ones((), dtype=torch.float64), weight=weight)
    changed = _features(2).requires_grad_(True)
    assert gradcheck(lambda x: target.loss(target.read(x, ALL)), (changed,))


# -- in a picture ------------------------------------------------------------------------------------------


@pytest.fixture
def make(make_preset: Callable[..., Preset], vgg19: Backbone, picture: Picture) -> Callable[..., Stylizer]:
    def made(statistic: str, **changes: Any) -> Stylizer:
        content = {
            "statistic": statistic,
            "layers": {"relu2_2": 1.0, "relu3_1": 1.0},
            "weight": 1.0,
            "focus": 1.0,
        }
        return Stylizer(make_preset(content=content, **changes), vgg19, [picture(50, 30, 26)])

    return made


@pytest.mark.parametrize(
    ("statistic", "samples"), [("self_similarity", 1024), ("self_similarity", 100), ("features", 0)]
)
def test_a_picture_in_tiles_has_the_wholes_losses_and_gradient(
    make: Callable[..., Stylizer],
    picture: Picture,
    statistic: str,
    samples: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(contents, "MOST_SAMPLES", samples)
    stylizer, image = make(statistic), picture(2, 37, 45)
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


@pytest.mark.parametrize("layers", [["relu2_2", "relu3_1"], ["relu3_1", "relu2_2"]])
@pytest.mark.parametrize("coarse", [False, True])
@pytest.mark.parametrize("statistic", ["features", "self_similarity"])
def test_what_stands_out_counts_more_in_the_deepest_layer_and_at_the_smallest_scale_in_all(
    make_preset: Callable[..., Preset],
    untrained: Backbone,
    picture: Picture,
    layers: list[str],
    coarse: bool,
    statistic: str,
) -> None:
    """Whatever their order; 1 in the mean (of these small maps all places are sampled), and not everywhere."""
    of = {"layers": dict.fromkeys(layers, 1.0), "focus": 2.0, "statistic": statistic}
    content = make_preset(content=of).content
    keep = contents.content_keeper(content, 0, coarse=coarse)
    kept = keep(VGG19(untrained, layers), picture(1, 40, 48), WHOLE)
    weights = {
        name: one.weight for name, one in kept.items() if isinstance(one, KeptFeatures | KeptRelations)
    }
    assert set(weights) == set(layers)
    assert (weights["relu2_2"] is not None) == coarse
    for weight in (weights["relu3_1"], *([weights["relu2_2"]] if coarse else [])):
        assert weight is not None
        assert float(weight.mean()) == pytest.approx(1)
        assert float(weight.max()) > 1.3


def test_the_smallest_of_several_scales_is_coarse_and_no_warm_start_is(
    make: Callable[..., Stylizer], picture: Picture, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[int, bool]] = []
    plain = contents.kept_features

    def spied(network: VGG19, content: Tensor, tiling: Tiling, **how: Any) -> dict[str, Any]:
        seen.append((content.shape[3], how["in_all_layers"]))
        return plain(network, content, tiling, **how)

    monkeypatch.setattr(contents, "kept_features", spied)
    stylizer = make("features", scales={"min_px": 16, "first_steps": 1, "between_steps": 1, "steps": 1})
    painted = stylizer.stylize(picture(1, 40, 48))
    assert {width for width, _ in seen} >= {17, 24, 48}
    assert {width for width, coarse in seen if coarse} <= {17, 18, 19, 20}
    assert {coarse for width, coarse in seen if width < 21} == {True}
    seen.clear()
    stylizer.refine(picture(2, 40, 48), painted.state)
    assert {coarse for _, coarse in seen} == {False}


@pytest.mark.parametrize(("statistic", "focuses"), [("gram", True), ("gram2015", False)])
def test_the_letter_of_2015_knows_no_focus(
    make_preset: Callable[..., Preset], untrained: Backbone, picture: Picture, statistic: str, focuses: bool
) -> None:
    losses = [
        Stylizer(
            make_preset(content={"focus": focus}, style={"statistic": statistic}), untrained, [picture(50)]
        ).losses_of(picture(2), picture(1))["content"]
        for focus in (0.0, 1.0)
    ]
    assert (losses[0] != losses[1]) == focuses


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
