"""What every registered statistic promises, whatever it is made of. One that is no function of sums passes as well."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.autograd import gradcheck

from framestyle.nst.image import Size, size_of
from framestyle.nst.memory_plan import Demand, options
from framestyle.nst.network.tiles import WHOLE, Place, Tiling
from framestyle.nst.objective import TemporalTarget, loss_and_gradient
from framestyle.nst.optimise import replay
from framestyle.nst.optimise.state import PixelState
from framestyle.nst.statistics.base import (
    Compared,
    Matching,
    Statistic,
    StyleTarget,
    statistic_at,
    statistic_of,
)
from framestyle.nst.stylizer import Stylizer
from framestyle.nst.weights.backbone import Backbone
from framestyle.plugins import Plugin
from framestyle.presets import Preset
from framestyle.registries import STATISTICS
from tests.pretend_device import DEVICE, PretendedRecording, held, pretended_device

Picture = Callable[..., Tensor]

# -- a statistic that is no function of sums ---------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Bag:
    """Features as they are, BCN, with their weights, one part's after another's."""

    features: tuple[Tensor, ...]
    weights: tuple[Tensor, ...]

    def __add__(self, other: Bag) -> Bag:
        return Bag(self.features + other.features, self.weights + other.weights)

    @property
    def differentiable(self) -> tuple[Tensor, ...]:
        return self.features

    def replaced(self, tensors: Sequence[Tensor]) -> Bag:
        return replace(self, features=tuple(tensors))


def _bag(features: Tensor, weight: Tensor | None, place: Place | None = None) -> Bag:
    """At every second row and column of the whole map, wherever the part lies."""
    rows, columns = ((one.start or 0) % 2 for one in place) if place is not None else (0, 0)
    kept = features[..., rows::2, columns::2].flatten(2)
    weight = torch.ones_like(features[:, :1]) if weight is None else weight
    return Bag((kept,), (weight[..., rows::2, columns::2].flatten(2),))


@dataclass(frozen=True, eq=False)
class NearestTarget:
    """Every position is to have the style's feature that is nearest to it."""

    of_style: Tensor

    def read(self, features: Tensor, weight: Tensor | None = None, place: Place | None = None) -> Bag:
        return _bag(features, weight, place)

    def loss(self, reading: Bag) -> Tensor:
        own, weight = torch.cat(reading.features, 2), torch.cat(reading.weights, 2)
        square = own.square().sum(1)[:, :, None] + self.of_style.square().sum(1)[:, None, :]
        nearest = (square - 2 * own.mT @ self.of_style).amin(2)
        return (nearest * weight[:, 0]).sum() / weight.sum().clamp_min(1e-8) / self.of_style.square().mean()


class _Nearest:
    as_in_2015 = False

    def read(self, features: Tensor, place: Place | None = None) -> Bag:
        return _bag(features, None, place)

    def target(self, readings: Sequence[tuple[Bag, float]]) -> NearestTarget:
        """A blend takes from all of them."""
        return NearestTarget(torch.cat([one for bag, _ in readings for one in bag.features], 2))

    def needs_bytes(self, channels: int, positions: int) -> int:
        return 4 * (channels * positions // 2 + (positions // 4) ** 2)


NEAREST = _Nearest()
OURS = "nearest_of_tests"


@pytest.fixture(params=[*STATISTICS.names(), OURS])
def name(request: pytest.FixtureRequest) -> Iterator[str]:
    """Each by its name in the registry; the last one is there for these tests alone."""
    if request.param != OURS:
        yield request.param
        return
    STATISTICS.register(OURS, Plugin("", f"{__name__}:NEAREST"))
    yield OURS
    STATISTICS.unregister(OURS)


@pytest.fixture
def statistic(name: str) -> Statistic:
    return statistic_of(name)


# -- one layer ---------------------------------------------------------------------------------------------


def _features(seed: int, height: int = 6, width: int = 8, channels: int = 3) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(1, channels, height, width, generator=generator, dtype=torch.float64)


def _soft_weight(height: int = 6, width: int = 8) -> Tensor:
    return (
        torch.linspace(-0.3, 1.2, height * width, dtype=torch.float64).clamp(0, 1).view(1, 1, height, width)
    )


LAYER = "relu3_1"
"""For statistics to whom it matters."""


@dataclass(frozen=True)
class Made:
    """The target of pictures: of those that look like some features, where it hangs on what they look like."""

    statistic: Statistic
    of_style: StyleTarget

    def of(self, features: Tensor, weight: Tensor | None = None) -> StyleTarget:
        if not isinstance(self.statistic, Matching):
            return self.of_style
        weights = None if weight is None else {LAYER: weight}
        style = self.statistic.joined({LAYER: self.of_style})
        picture = Compared({LAYER: features.detach()}, weights, {LAYER: 1.0})
        return self.statistic.matched(style, picture)[LAYER]


def _made(statistic: Statistic, *readings: Any) -> Made:
    return Made(statistic, statistic.target([(one, 1 / len(readings)) for one in readings]))


def _target(statistic: Statistic, *seeds: int) -> Made:
    return _made(statistic, *(statistic.read(_features(seed)) for seed in seeds))


def _whole(made: Made, features: Tensor, weight: Tensor | None = None) -> Tensor:
    target = made.of(features, weight)
    return target.loss(target.read(features, weight))


PARTS = tuple(
    (rows, columns) for rows in (slice(0, 3), slice(3, 6)) for columns in (slice(0, 5), slice(5, 8))
)
"""Four unequal ones."""


def _added(readings: Sequence[Any]) -> Any:
    return reduce(lambda total, one: total + one, readings)


def _in_parts(made: Made, features: Tensor, weight: Tensor | None = None) -> Tensor:
    """Whose readings are added up."""
    target = made.of(features, weight)
    of_parts = [(part, None if weight is None else weight[..., part[0], part[1]]) for part in PARTS]
    return target.loss(
        _added([target.read(features[..., part[0], part[1]], own, part) for part, own in of_parts])
    )


@pytest.mark.parametrize("weighted", [False, True])
def test_readings_of_parts_add_up_to_the_wholes(statistic: Statistic, weighted: bool) -> None:
    target, features = _target(statistic, 1), _features(2)
    weight = _soft_weight() if weighted else None
    torch.testing.assert_close(_in_parts(target, features, weight), _whole(target, features, weight))


def test_a_style_read_in_parts_is_the_same_style(statistic: Statistic) -> None:
    style = _features(1)
    in_parts = _added([statistic.read(style[..., part[0], part[1]], part) for part in PARTS])
    losses = [_whole(_made(statistic, one), _features(2)) for one in (in_parts, statistic.read(style))]
    torch.testing.assert_close(*losses)


@pytest.mark.parametrize("weighted", [False, True])
def test_gradients_equal_finite_differences(statistic: Statistic, weighted: bool) -> None:
    target, features = _target(statistic, 1), _features(2, 4, 6).requires_grad_(True)
    weight = _soft_weight(4, 6) if weighted else None
    assert gradcheck(lambda x: _whole(target, x, weight), (features,), eps=1e-6, atol=1e-7, rtol=1e-5)


def test_a_loss_is_zero_at_its_own_style_and_positive_elsewhere(statistic: Statistic) -> None:
    target = _target(statistic, 1)
    assert abs(float(_whole(target, _features(1)))) < 1e-10
    assert float(_whole(target, 1.5 * _features(1) + 0.3)) > 1e-4


def test_what_does_not_count_is_not_seen(statistic: Statistic) -> None:
    target, features, weight = _target(statistic, 1), _features(2), torch.ones(1, 1, 6, 8).double()
    weight[..., 4:] = 0
    changed = features.clone()
    changed[..., 4:] += 5
    torch.testing.assert_close(_whole(target, changed, weight), _whole(target, features, weight))
    assert float((_whole(target, features, weight) - _whole(target, features)).abs()) > 1e-6


def test_a_blend_of_a_style_with_itself_is_that_style(statistic: Statistic) -> None:
    once, twice = _target(statistic, 1), _target(statistic, 1, 1)
    torch.testing.assert_close(_whole(twice, _features(2)), _whole(once, _features(2)))
    assert not torch.equal(_whole(_target(statistic, 1, 3), _features(2)), _whole(once, _features(2)))


def test_half_precision_and_dead_channels_give_finite_gradients(statistic: Statistic) -> None:
    features = _features(2).bfloat16().relu()
    features[:, 1:] = 0
    leaf = features.requires_grad_(True)
    loss = _whole(_made(statistic, statistic.read(_features(1).bfloat16().relu())), leaf)
    (gradient,) = torch.autograd.grad(loss, leaf)
    assert bool(loss.isfinite()) and bool(gradient.isfinite().all())


def test_what_it_needs_never_falls_with_the_picture(statistic: Statistic) -> None:
    needs = [statistic.needs_bytes(64, positions) for positions in (1, 1_000, 1_000_000)]
    assert needs == sorted(needs) and needs[0] >= 0


STYLE_LAYERS = ("relu1_1", "relu2_1", "relu3_1")
"""The last of them has places that can be matched."""


# -- a picture ---------------------------------------------------------------------------------------------


@pytest.fixture
def make(
    name: str, make_preset: Callable[..., Preset], untrained: Backbone, picture: Picture
) -> Callable[..., Stylizer]:
    def made(device: Any = "cpu", *, masked: bool = False, **changes: Any) -> Stylizer:
        regions = ("#000000", "#ffffff") if masked else ("rest", "rest")
        images = [{"path": f"{n}.png", "weight": n + 1.0, "region": one} for n, one in enumerate(regions)]
        layers = dict.fromkeys(STYLE_LAYERS, 1.0)
        preset = make_preset(style={"images": images, "statistic": name, "layers": layers}, **changes)
        mask = torch.zeros(1, 3, 24, 40)
        mask[..., 17:] = 1
        styles = [picture(50, 30, 26), picture(51, 28, 30)]
        return Stylizer(preset, untrained, styles, device=device, mask=mask if masked else None)

    return made


@pytest.mark.parametrize("masked", [False, True])
def test_a_picture_in_tiles_has_the_wholes_losses_and_gradient(
    make: Callable[..., Stylizer], picture: Picture, masked: bool
) -> None:
    stylizer = make(masked=masked)
    image = picture(2, 37, 45)
    objective = stylizer.objective(picture(1, 37, 45), ())
    assert len(objective.style) == (2 if masked else 1)
    # Tiles that begin at odd rows of a layer as well.
    size = size_of(objective.placed(image))
    assert size.width > 24
    whole, values = loss_and_gradient(stylizer.network, image, objective, WHOLE)
    tiled, tiled_values = loss_and_gradient(stylizer.network, image, objective, Tiling(2, 20))
    torch.testing.assert_close(tiled_values, values, rtol=1e-3, atol=0)
    assert float((tiled - whole).norm() / whole.norm()) < 2e-3


@pytest.fixture
def recordings(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[PretendedRecording]]:
    """On the pretended device, where few steps are worth a recording."""
    made: list[PretendedRecording] = []
    with pretended_device() as place:

        def recorder(device: torch.device) -> PretendedRecording:
            made.append(PretendedRecording(place))
            return made[-1]

        monkeypatch.setattr(replay, "FEWEST_TO_COME", 2)
        monkeypatch.setitem(replay.RECORDINGS, DEVICE.type, recorder)
        yield made


def test_recorded_frames_are_the_computed_ones(
    make: Callable[..., Stylizer],
    picture: Picture,
    recordings: list[PretendedRecording],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With other contents of the same size and of another: their targets are put into the recording."""
    steps = replay.EAGER_STEPS + 2
    changes = {
        "scales": {"min_px": 4096, "first_steps": steps},
        "video": {"steps": steps, "min_steps": steps},
    }

    def frames() -> list[Tensor]:
        stylizer, images = make(DEVICE, **changes), []
        for seed, (height, width) in enumerate([(16, 24), (16, 24), (24, 16)]):
            content = picture(seed, height, width).to(DEVICE)
            still = stylizer.stylize(content)
            target = TemporalTarget(still.image, torch.ones_like(content[:, :1]), 10.0)
            images.append(
                held(stylizer.refine(content, PixelState.start(still.image).by_pixel(), [target]).image)
            )
        return images

    replayed = frames()
    assert recordings and all(one.replayed for one in recordings)
    monkeypatch.delitem(replay.RECORDINGS, DEVICE.type)
    for one, other in zip(replayed, frames(), strict=True):
        assert torch.equal(one, other)


def test_the_planner_counts_what_it_needs(
    make: Callable[..., Stylizer], untrained: Backbone, statistic: Statistic
) -> None:
    size, network = Size(200, 100), make().network
    bare = Demand.of(network, ["relu2_2"], "adam")
    asked = Demand.of(network, ["relu2_2"], "adam", style_layers=STYLE_LAYERS, statistic=statistic)
    layers = zip(STYLE_LAYERS, untrained.channels[:3], (200 * 100, 100 * 50, 50 * 25), strict=True)
    more = sum(
        statistic_at(statistic, name).needs_bytes(channels, positions) for name, channels, positions in layers
    )
    for one, other in zip(options(size, bare), options(size, asked), strict=True):
        assert abs(other.needs_bytes - one.needs_bytes - more) <= 1
