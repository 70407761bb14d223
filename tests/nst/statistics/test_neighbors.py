"""Nearest neighbours: which of the style's places each of a picture's is matched with, and what comes of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from framestyle.nst.matching import matches_that_hold
from framestyle.nst.optimise.state import PixelState
from framestyle.nst.statistics import neighbors
from framestyle.nst.statistics.base import Compared, StyleTarget
from framestyle.nst.statistics.gram import GramTarget
from framestyle.nst.statistics.matches import NONE_BEFORE, Matched
from framestyle.nst.statistics.neighbors import NEIGHBORS
from framestyle.nst.stylizer import Stylizer
from framestyle.nst.weights.backbone import Backbone
from framestyle.presets import Preset

Picture = Callable[..., Tensor]
LAYERS = {"relu3_1": 1.0, "relu4_1": 1.0}


def _maps(seed: int, height: int = 8, width: int = 12, channels: int = 5) -> dict[str, Tensor]:
    """Of two layers, the second of half the size."""
    generator = torch.Generator().manual_seed(seed)
    return {
        "relu3_1": torch.randn(1, channels, height, width, generator=generator),
        "relu4_1": torch.randn(1, channels, -(-height // 2), -(-width // 2), generator=generator),
    }


def _style(*images: tuple[dict[str, Tensor], float]) -> Any:
    return NEIGHBORS.joined(
        {
            name: NEIGHBORS.target([(NEIGHBORS.read(maps[name]), share) for maps, share in images])
            for name in LAYERS
        }
    )


def _matches(style: Any, picture: dict[str, Tensor], **how: Any) -> Tensor:
    compared = Compared(picture, how.pop("weights", None), LAYERS, **how)
    return _matched(NEIGHBORS.matched(style, compared)).matches


def _matched(targets: Any, layer: str = "relu3_1") -> Matched:
    found: StyleTarget = targets[layer]
    assert isinstance(found, Matched)
    return found


@pytest.fixture
def in_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    """The style's places are counted row by row: it has one part."""
    monkeypatch.setattr(neighbors, "PARTS", 1)


def _numbers(height: int = 8, width: int = 12) -> Tensor:
    return torch.arange(height * width).view(1, height, width)


# -- which place -------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("in_rows")
def test_a_picture_is_matched_with_itself_place_by_place() -> None:
    assert torch.equal(_matches(_style((_maps(1), 1.0)), _maps(1)), _numbers())


@pytest.mark.usefixtures("in_rows")
@pytest.mark.parametrize(("height", "width"), [(7, 11), (8, 12), (1, 3)])
def test_so_it_is_at_every_size_and_however_few_at_once(
    height: int, width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(neighbors, "CHUNK_BYTES", 1)
    maps = _maps(1, height, width)
    assert torch.equal(_matches(_style((maps, 1.0)), maps), _numbers(height, width))


@pytest.mark.usefixtures("in_rows")
def test_a_picture_turned_round_is_matched_with_the_places_it_came_from() -> None:
    turned = {name: one.flip(3) for name, one in _maps(1).items()}
    assert torch.equal(_matches(_style((_maps(1), 1.0)), turned), _numbers().flip(2))


@pytest.mark.usefixtures("in_rows")
def test_brightness_and_contrast_of_a_whole_picture_do_not_matter() -> None:
    """Each is seen about its own mean, and by direction alone."""
    other = {name: 0.2 * one + 3 for name, one in _maps(1).items()}
    assert torch.equal(_matches(_style((_maps(1), 1.0)), other), _numbers())


@pytest.mark.usefixtures("in_rows")
def test_all_layers_together_decide() -> None:
    """By hand: the fine layer is for the first half of the style, the coarse one, which counts more, for the second."""
    style, picture = _maps(1), _maps(2)
    picture["relu3_1"] = torch.cat([style["relu3_1"][..., :6]] * 2, 3)
    picture["relu4_1"] = torch.cat([style["relu4_1"][..., 3:]] * 2, 3)
    target = _style((style, 1.0))
    for weight, first in ((0.02, True), (50.0, False)):
        layers = {"relu3_1": 1.0, "relu4_1": weight}
        found = _matched(NEIGHBORS.matched(target, Compared(picture, None, layers))).matches % 12
        assert bool(((found < 6) == first).float().mean() > 0.9)


@pytest.mark.usefixtures("in_rows")
def test_what_does_not_count_does_not_shift_the_mean_of_what_does() -> None:
    half = torch.ones(1, 1, 8, 12)
    half[..., 6:] = 0
    weights = {"relu3_1": half, "relu4_1": half[..., ::2, ::2]}
    picture = {name: one.clone() for name, one in _maps(1).items()}
    changed = {name: torch.where(weights[name] > 0, one, 9.0) for name, one in picture.items()}
    style = _style((_maps(3), 1.0))
    found, wanted = (_matches(style, one, weights=weights)[..., :6] for one in (changed, picture))
    assert torch.equal(found, wanted)


@pytest.mark.usefixtures("in_rows")
def test_of_a_large_style_every_second_place_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neighbors, "MOST_PLACES", 30)
    found = _matches(_style((_maps(1), 1.0)), _maps(1))
    assert torch.equal(found[:, ::2, ::2], torch.arange(24).view(1, 4, 6))


def test_no_part_of_the_style_is_taken_for_much_more_than_its_share() -> None:
    """A flat picture is most like one place; by shares it is given places from all over the style."""
    height, width = 16, 24
    style = _maps(1, height, width)
    flat = {
        name: one[..., :1, :1] + 0.3 * _maps(2, height, width)[name][..., : one.shape[2], :]
        for name, one in style.items()
    }
    flat = {name: one.expand(style[name].shape) for name, one in flat.items()}
    used = [len(_matches(_style((style, 1.0)), flat).unique())]
    assert used[0] > 64


def test_shares_are_the_same_in_bands(monkeypatch: pytest.MonkeyPatch) -> None:
    """A large picture's places are compared with the style's parts some at a time."""
    style, picture = _style((_maps(1, 16, 24), 1.0)), _maps(2, 16, 24)
    at_once = _matches(style, picture)
    assert len(at_once.unique()) > 64
    monkeypatch.setattr(neighbors, "CHUNK_BYTES", 4 * 64 * 50)
    assert torch.equal(_matches(style, picture), at_once)


# -- several images ----------------------------------------------------------------------------------------


@pytest.mark.usefixtures("in_rows")
@pytest.mark.parametrize("share", [0.5, 0.25, 0.9])
def test_each_image_gets_its_share_of_the_places(share: float) -> None:
    """Although the first one is like the picture everywhere."""
    height, width = 30, 40
    style = _style((_maps(1, height, width), share), (_maps(2, height, width), 1 - share))
    alike = {name: one + 0.8 * _maps(3, height, width)[name] for name, one in _maps(1, height, width).items()}
    of_first = _matches(style, alike) < height * width
    assert float(of_first.float().mean()) == pytest.approx(share, abs=0.1)


@pytest.mark.usefixtures("in_rows")
def test_where_an_image_is_alike_it_is_taken() -> None:
    """One half of the picture is the one image's, the other half the other's."""
    one, other = _maps(1), _maps(2)
    picture = {name: torch.cat([one[name].chunk(2, 3)[0], other[name].chunk(2, 3)[1]], 3) for name in one}
    found = _matches(_style((one, 0.5), (other, 0.5)), picture)
    assert torch.equal(found[..., :6], _numbers()[..., :6])
    assert torch.equal(found[..., 6:], 96 + _numbers()[..., 6:])


# -- what was there before ---------------------------------------------------------------------------------


@pytest.mark.usefixtures("in_rows")
def test_a_match_stays_unless_another_is_clearly_better() -> None:
    style = _style((_maps(1), 1.0))
    nearly = {name: one + 0.01 * _maps(2)[name] for name, one in _maps(1).items()}
    style_twice = _style(({name: torch.cat([one, nearly[name]], 3) for name, one in _maps(1).items()}, 1.0))
    twins = _numbers(8, 24)[..., 12:]
    free = _matches(style_twice, _maps(1))
    assert float((free == _numbers(8, 24)[..., :12]).float().mean()) > 0.9
    assert torch.equal(_matches(style_twice, _maps(1), before=twins), twins)
    # Of other places, and of none, it takes the best.
    strange = torch.full((1, 8, 12), 5)
    strange[0, 0, 5] = NONE_BEFORE
    assert torch.equal(_matches(style, _maps(1), before=strange), _numbers())


def test_the_next_frame_keeps_its_matches_at_every_place_on_the_pooling_grid(
    make: Callable[..., Stylizer], picture: Picture
) -> None:
    """What shows nearly the same would be matched otherwise here and there, and boil."""
    stylizer = make(network={"places": 4}, scales={"min_px": 64, "first_steps": 1}, video={"steps": 1})
    content = picture(1, 41, 54)
    state = stylizer.stylize(content).state
    assert state.matches.shape == (1, 4, 41, 54) and state.matches.dtype == torch.int16
    assert int(state.matches.min()) >= 0
    next_content = (content + 0.03 * (picture(2, 41, 54) - 0.5)).clamp(0, 1)
    start = PixelState.start(state.image)
    anew = stylizer.refine(next_content, start).state.matches
    start = PixelState.start(state.image)
    start.matches = state.matches
    kept = stylizer.refine(next_content, start).state.matches
    changed_anew, changed = ((one != state.matches).float().mean((2, 3))[0] for one in (anew, kept))
    assert bool((changed < 0.02).all()) and float(changed.sum()) < 0.1 * float(changed_anew.sum())


def test_matches_that_do_not_hold_are_forgotten() -> None:
    holds = torch.tensor([[1.0, 0.6], [0.4, 0.0]])[None, None]
    found = matches_that_hold(torch.full((1, 3, 2, 2), 7, dtype=torch.int16), holds)
    assert found.dtype == torch.int16
    assert found[0].tolist() == [[[7, 7], [NONE_BEFORE, NONE_BEFORE]]] * 3


# -- in a picture ------------------------------------------------------------------------------------------


@pytest.fixture
def make(
    make_preset: Callable[..., Preset], untrained: Backbone, picture: Picture
) -> Callable[..., Stylizer]:
    def made(*styles: Tensor, **changes: Any) -> Stylizer:
        layers = {"relu1_1": 1.0, "relu2_1": 1.0, "relu3_1": 2.0}
        images = styles or (picture(50, 40, 48),)
        style = {
            "statistic": "neighbors",
            "layers": layers,
            "images": [{"path": f"{number}.png"} for number in range(len(images))],
            **changes.pop("style", {}),
        }
        return Stylizer(make_preset(style=style, **changes), untrained, images)

    return made


def test_fine_layers_are_held_by_their_gram_matrix_and_the_others_by_matches(
    make: Callable[..., Stylizer], picture: Picture
) -> None:
    (region,) = make().objective(picture(1), ()).style
    kinds = {name: type(one) for name, one in region.targets.items()}
    assert kinds == {"relu1_1": GramTarget, "relu2_1": GramTarget, "relu3_1": Matched}


def test_without_layers_to_match_it_is_gram(make: Callable[..., Stylizer], picture: Picture) -> None:
    layers = {"relu1_1": 1.0, "relu2_1": 1.0}
    one, other = (
        make(style={"layers": layers, "statistic": name}).stylize(picture(1)).image
        for name in ("neighbors", "gram")
    )
    assert torch.equal(one, other)


def test_the_style_loss_is_zero_for_the_style_itself(make: Callable[..., Stylizer], picture: Picture) -> None:
    style = picture(50, 40, 40)
    stylizer = make(style)
    at_home, elsewhere = (
        stylizer.losses_of(one, picture(1, 40, 40))["style"] for one in (style, picture(1, 40, 40))
    )
    assert abs(at_home) < 1e-3 * elsewhere


@pytest.mark.parametrize(("optimizer", "steps", "falls_to"), [("adam", 8, 0.7), ("lbfgs", 2, 0.95)])
def test_steps_bring_a_picture_nearer(
    make: Callable[..., Stylizer], picture: Picture, optimizer: str, steps: int, falls_to: float
) -> None:
    scales = {"min_px": 64, "first_steps": steps}
    stylizer = make(scales=scales, optimizer={"name": optimizer}, content={"weight": 0.0})
    content = picture(1, 32, 32)
    painted = stylizer.stylize(content)
    assert (
        stylizer.losses_of(painted.image, content)["style"]
        < falls_to * stylizer.losses_of(content, content)["style"]
    )
    assert torch.equal(stylizer.stylize(content).image, painted.image)


@pytest.mark.parametrize("statistic", ["gram", "neighbors"])
def test_a_turned_style_is_read_in_all_directions(
    make: Callable[..., Stylizer], picture: Picture, statistic: str
) -> None:
    """A picture in a style and in the same style lying on its side are one, if it is turned anyway."""
    style = picture(50, 40, 40)
    views = [style, torch.rot90(style, 1, (2, 3)), style.flip(3)]

    def losses(turned: bool) -> list[float]:
        changes = {"style": {"statistic": statistic, "turned": turned}}
        return [make(one, **changes).losses_of(picture(1), picture(1))["style"] for one in views]

    first, *others = losses(True)
    assert others == pytest.approx([first] * 2, rel=1e-3)
    first, *others = losses(False)
    assert all(abs(one - first) > 1e-3 * first for one in others)
