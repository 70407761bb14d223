"""The loop over scales: what it is given decides the pixels, and each preset key does what it says."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from framestyle.context import SILENT, Context
from framestyle.doors.advice import next_step
from framestyle.errors import DeviceError
from framestyle.events import Event, Note, StepDone
from framestyle.nst import color, losses
from framestyle.nst.image import Size, scale_sizes, size_of, to_pixels
from framestyle.nst.inits import Start, init_of
from framestyle.nst.network.vgg import VGG19
from framestyle.nst.objective import STRENGTH_SPAN, TemporalTarget
from framestyle.nst.optimise.state import PixelState
from framestyle.nst.optimise.windows import WINDOW_STEPS, EarlyStop
from framestyle.nst.statistics.base import Statistic, statistic_of
from framestyle.nst.statistics.moments import MOMENTS
from framestyle.nst.statistics.sums import moments
from framestyle.nst.stylizer import (
    Stylizer,
)
from framestyle.nst.targets import blended_targets, read_style
from framestyle.nst.weights.backbone import Backbone
from framestyle.presets import Preset

Picture = Callable[..., Tensor]
Make = Callable[..., Stylizer]
STYLE = {"images": [{"path": "style.png"}], "layers": {"relu1_1": 1.0, "relu2_1": 1.0}}


@pytest.fixture
def make(make_preset: Callable[..., Preset], untrained: Backbone, picture: Picture) -> Make:
    """`make(seed=1, optimizer={"init": "noise"})`: a Stylizer of the shallow preset, with one style picture."""

    def made(
        *, styles: list[Tensor] | None = None, changes: dict[str, Any] | None = None, **rest: Any
    ) -> Stylizer:
        preset = make_preset(**(changes or {}))
        return Stylizer(preset, untrained, styles or [picture(50, 30, 26)], **rest)

    return made


def _refine(stylizer: Stylizer, content: Tensor, start: Tensor, *targets: TemporalTarget) -> Any:
    return stylizer.refine(content, PixelState.start(start), targets)


# -- same in, same out -------------------------------------------------------------------------------------


@pytest.mark.parametrize("optimizer", ["adam", "lbfgs"])
@pytest.mark.parametrize("init", ["noise", "content"])
def test_the_same_seed_gives_the_same_pixels(make: Make, picture: Picture, optimizer: str, init: str) -> None:
    changes = {"optimizer": {"name": optimizer, "init": init}}
    one, same = (make(seed=3, changes=changes).stylize(picture(1)).image for _ in range(2))
    assert torch.equal(one, same)


def test_another_seed_gives_other_pixels_from_noise_and_the_same_from_the_content(
    make: Make, picture: Picture
) -> None:
    for init, differs in (("noise", True), ("content", False)):
        changes = {"optimizer": {"init": init}}
        one, other = (make(seed=seed, changes=changes).stylize(picture(1)).image for seed in (3, 4))
        assert torch.equal(one, other) != differs, init


def test_a_stylizer_used_before_gives_the_same_as_a_new_one(make: Make, picture: Picture) -> None:
    stylizer = make()
    stylizer.stylize(picture(2, 20, 28))
    assert torch.equal(stylizer.stylize(picture(1)).image, make().stylize(picture(1)).image)


def test_inputs_are_left_as_they_were(make: Make, picture: Picture) -> None:
    content, style = picture(1), picture(50, 30, 26)
    before = content.clone(), style.clone()
    make(styles=[style]).stylize(content)
    assert torch.equal(content, before[0]) and torch.equal(style, before[1])


# -- where it starts and where it goes ---------------------------------------------------------------------


@pytest.mark.parametrize("optimizer", ["adam", "lbfgs"])
@pytest.mark.parametrize("init", ["content", "noise", "style_stats", "gray", "start.png"])
def test_the_loss_falls_from_every_start(make: Make, picture: Picture, optimizer: str, init: str) -> None:
    seen: list[float] = []

    def note(event: Event) -> None:
        assert isinstance(event, StepDone)
        seen.extend(event.losses)

    changes = {
        "optimizer": {"name": optimizer, "init": init},
        "content": {"weight": 0.1},
        "scales": {"min_px": 64, "first_steps": 25},
    }
    stylizer = make(changes=changes, init_image=picture(9, 40, 40))
    done = stylizer.stylize(picture(1), Context(note))
    assert (
        done.image.shape == (1, 3, 24, 24) and float(done.image.min()) >= 0 and float(done.image.max()) <= 1
    )
    assert len(seen) == done.steps == 25 and done.loss == pytest.approx(seen[-1])
    assert seen[-1] < 0.7 * seen[0]


def test_each_start_is_what_its_name_says(picture: Picture) -> None:
    content, style = picture(1), picture(50, 30, 26)

    def start(init: str, seed: int = 0, init_image: Tensor | None = None) -> Tensor:
        return init_of(init, init_image)(Start(content, [style], seed))

    assert torch.equal(start("content"), content)
    gray = start("gray")
    assert float((gray - 0.5).abs().max()) <= 0.02 and float(gray.std()) > 0
    assert torch.equal(start("style_stats"), color.match_statistics(content, style))
    noise = start("noise", seed=5)
    assert noise.shape == content.shape and float(noise.std()) == pytest.approx(12**-0.5, rel=0.05)
    given = picture(7)
    assert torch.equal(start("mine.png", init_image=given), given)
    with pytest.raises(ValueError, match="needs an init_image"):
        start("mine.png")


def test_lbfgs_gets_further_than_adam_in_as_many_steps(make: Make, picture: Picture) -> None:
    base: dict[str, Any] = {"scales": {"min_px": 64, "first_steps": 30}, "content": {"weight": 0.01}}
    adam, lbfgs = (
        make(changes={**base, "optimizer": {"name": name, "init": "gray"}}).stylize(picture(1)).loss
        for name in ("adam", "lbfgs")
    )
    assert lbfgs < adam


def test_no_steps_leave_the_content_as_it_is(make: Make, picture: Picture) -> None:
    content = picture(1)
    changes = {
        "scales": {"first_steps": 0, "steps": 0},
        "video": {"steps": 0, "min_steps": 0},
        "optimizer": {"init": "noise"},
        "color": {"preserve": "luminance"},
    }
    done = make(changes=changes).stylize(content)
    assert torch.equal(done.image, content) and done.steps == 0 and math.isnan(done.loss)
    warm = _refine(make(changes=changes), content, picture(2))
    assert torch.equal(warm.image, content) and warm.steps == 0


def test_without_content_weight_the_content_does_not_matter_from_noise(make: Make, picture: Picture) -> None:
    changes = {"content": {"weight": 0.0}, "optimizer": {"init": "noise"}}
    one, other = (make(changes=changes).stylize(picture(seed)).image for seed in (1, 2))
    torch.testing.assert_close(one, other)


def test_without_style_weight_the_content_stays(make: Make, picture: Picture) -> None:
    content = picture(1)
    changes = {"style": {**STYLE, "weight": 0.0}, "tv_weight": 0.0, "scales": {"min_px": 64}}
    done = make(changes=changes).stylize(content)
    torch.testing.assert_close(done.image, content, atol=1e-6, rtol=0)
    assert done.loss == 0


# -- what is minimised -------------------------------------------------------------------------------------


def test_parts_are_the_weighted_losses_and_sum_to_the_loss(make: Make, picture: Picture) -> None:
    plain = {"content": {"weight": 1.0}, "style": {**STYLE, "weight": 1.0}, "tv_weight": 1.0}
    heavy = {"content": {"weight": 3.0}, "style": {**STYLE, "weight": 5.0}, "tv_weight": 7.0}
    image, content = picture(3), picture(1)
    ones, many = (make(changes=changes).losses_of(image, content) for changes in (plain, heavy))
    assert set(ones) == {"content", "style", "tv"}
    for name, weight in (("content", 3), ("style", 5), ("tv", 7)):
        assert many[name] == pytest.approx(weight * ones[name], rel=1e-5) and ones[name] > 0
    assert ones["tv"] == pytest.approx(float(losses.total_variation_loss(image)))
    assert ones["content"] > make(changes=plain).losses_of(content, content)["content"] == 0

    done = make(changes=heavy).stylize(content)
    assert sum(value for _, value in done.parts) == pytest.approx(done.loss, rel=1e-5)
    assert [name for name, _ in done.parts] == ["content", "style", "tv"]


def test_layer_weights_are_relative_but_the_2015_ones_are_not(make: Make, picture: Picture) -> None:
    def style_loss(statistic: str, factor: float) -> float:
        layers = {"relu1_1": 1.0 * factor, "relu2_1": 3.0 * factor}
        style = {**STYLE, "statistic": statistic, "layers": layers}
        return make(changes={"style": style}).losses_of(picture(3), picture(1))["style"]

    assert style_loss("wasserstein", 10) == pytest.approx(style_loss("wasserstein", 1), rel=1e-5)
    assert style_loss("gram2015", 10) == pytest.approx(10 * style_loss("gram2015", 1), rel=1e-5)


def test_strength_moves_the_content_weight_around_the_presets_own(make: Make) -> None:
    weights = {
        strength: make(changes={"content": {"weight": 0.3}, "strength": strength}).weights.content
        for strength in (None, 0.0, 0.5, 1.0)
    }
    assert weights[None] == weights[0.5] == pytest.approx(0.3)
    assert weights[0.0] == pytest.approx(0.3 * STRENGTH_SPAN)
    assert weights[1.0] == pytest.approx(0.3 / STRENGTH_SPAN)


@pytest.mark.parametrize("statistic", ["gram2015", "gram", "moments", "wasserstein"])
def test_the_style_loss_is_zero_for_the_style_image_itself(
    make: Make, picture: Picture, statistic: str
) -> None:
    style = picture(50)
    stylizer = make(styles=[style], changes={"style": {**STYLE, "statistic": statistic}})
    at_home = stylizer.losses_of(style, picture(1))["style"]
    elsewhere = stylizer.losses_of(picture(1), picture(1))["style"]
    assert abs(at_home) < 1e-3 * elsewhere


def test_the_gradient_is_that_of_the_summed_parts(make: Make, picture: Picture) -> None:
    """Along one direction, against a central difference."""
    stylizer = make()
    image, objective = picture(3), stylizer.objective(picture(1), ())
    gradient, values = stylizer.gradient(image, objective)
    direction = gradient / gradient.norm()
    step = 0.01
    up, down = (
        sum(float(v) for v in stylizer.parts(image + sign * step * direction, objective).values())
        for sign in (1, -1)
    )
    assert (up - down) / (2 * step) == pytest.approx(float(gradient.norm()), rel=0.02)
    assert len(values) == len(objective.part_names) == 3 and not values.requires_grad


# -- style images ------------------------------------------------------------------------------------------


def _targets(network: VGG19, images: Sequence[tuple[Tensor, float]], layer: str, kind: Statistic) -> Any:
    """Of style images and their weights, for a content of 24x24."""
    found = [
        (read_style(network, image, [layer], kind, Size(24, 24), 1.0), weight) for image, weight in images
    ]
    return blended_targets(found, [layer], kind)[layer]


def test_style_images_blend_linearly_by_weight(make: Make, picture: Picture) -> None:
    network = make().network
    a, b = picture(51), picture(52)

    def targets(statistic: str, *images: tuple[Tensor, float]) -> Any:
        return _targets(network, images, "relu2_1", statistic_of(statistic))

    def blends(statistic: str) -> list[Any]:
        return [targets(statistic, *images) for images in (((a, 1.0), (b, 3.0)), ((a, 1.0),), ((b, 9.0),))]

    both, one, two = blends("gram")
    torch.testing.assert_close(both.gram, 0.25 * one.gram + 0.75 * two.gram)
    both, one, two = blends("moments")
    torch.testing.assert_close(both.mean, 0.25 * one.mean + 0.75 * two.mean)


def test_a_blends_covariance_is_that_of_all_pixels_together(make: Make, picture: Picture) -> None:
    network = make().network
    a, b = picture(51), 0.5 * picture(52)
    pairs = [(a, 1.0), (b, 1.0)]
    blended = _targets(network, pairs, "relu1_1", MOMENTS)
    together = torch.cat([network(image)["relu1_1"] for image in (a, b)], dim=3)
    mean, covariance = moments(together)
    torch.testing.assert_close(blended.mean, mean, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(blended.covariance, covariance, rtol=1e-3, atol=1e-4)


def _passes(stylizer: Stylizer, monkeypatch: pytest.MonkeyPatch) -> list[Size]:
    """The sizes of all that goes through the network from now on."""
    seen: list[Size] = []
    entered = stylizer.network.entered

    def spy(image: Tensor) -> Tensor:
        seen.append(size_of(image))
        return entered(image)

    monkeypatch.setattr(stylizer.network, "entered", spy)
    return seen


def test_a_style_image_is_sized_by_the_contents_area_and_the_scale(
    make: Make, picture: Picture, monkeypatch: pytest.MonkeyPatch
) -> None:
    stylizer = make(styles=[picture(50, 60, 30)])
    seen = _passes(stylizer, monkeypatch)
    for scale in (1.0, 0.5, 2.0):
        read_style(
            stylizer.network, picture(50, 60, 30), ["relu1_1"], statistic_of("gram"), Size(32, 16), scale
        )
    assert seen == [Size(16, 32), Size(8, 16), Size(32, 64)]


def test_style_targets_are_made_once_for_each_size(
    make: Make, picture: Picture, monkeypatch: pytest.MonkeyPatch
) -> None:
    stylizer = make(changes={"scales": {"min_px": 16}})
    passes = _passes(stylizer, monkeypatch)
    stylizer.objective(picture(1), ())
    assert len(passes) == 2  # the content and the style
    stylizer.objective(picture(2), ())
    assert len(passes) == 3  # the content alone
    stylizer.objective(picture(3, 20, 24), ())
    assert len(passes) == 5
    assert stylizer.style_targets(picture(1)) is stylizer.style_targets(picture(2))


def test_style_targets_in_the_contents_colours_are_made_for_each_content(
    make: Make, picture: Picture
) -> None:
    stylizer = make(changes={"color": {"preserve": "style_stats"}, "style": {"statistic": "moments"}})
    (one,), (two,) = stylizer.style_targets(picture(1)), stylizer.style_targets(picture(2).square())
    assert not torch.equal(one["relu1_1"].mean, two["relu1_1"].mean)
    (again,) = stylizer.style_targets(picture(1))
    assert torch.equal(one["relu1_1"].mean, again["relu1_1"].mean)


# -- colours -----------------------------------------------------------------------------------------------


def test_colour_preservation_acts_on_the_result_as_named(make: Make, picture: Picture) -> None:
    content = picture(1)

    def result(preserve: str) -> Tensor:
        return make(changes={"color": {"preserve": preserve}}).stylize(content).image

    plain = result("none")
    assert torch.equal(result("luminance"), color.with_luminance_of(content, plain))
    assert torch.equal(result("histogram"), color.match_histogram(plain, content))
    assert torch.equal(result("content_stats"), color.match_statistics(plain, content))
    assert not torch.equal(result("style_stats"), plain)


def test_the_state_to_go_on_from_has_the_iterates_own_colours(make: Make, picture: Picture) -> None:
    plain, preserved = (
        make(changes={"color": {"preserve": preserve}}).stylize(picture(1))
        for preserve in ("none", "histogram")
    )
    assert torch.equal(plain.state.image, preserved.state.image)
    assert torch.equal(plain.image, plain.state.result())


# -- news --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("optimizer", ["adam", "lbfgs"])
def test_events_come_once_a_window_of_steps_over_every_scale(
    make: Make, picture: Picture, optimizer: str
) -> None:
    events: list[Event] = []
    changes = {
        "optimizer": {"name": optimizer},
        "scales": {"min_px": 16, "first_steps": 23, "steps": 10},
    }
    done = make(changes=changes).stylize(picture(1, 20, 32), Context(events.append))
    steps = [event for event in events if isinstance(event, StepDone)]
    assert len(steps) == len(events)
    sizes = scale_sizes(Size(32, 20), 16)
    assert len(sizes) == 3
    assert [(e.scale_index, e.step, e.steps) for e in steps] == [
        (0, 10, 23),
        (0, 20, 23),
        (0, 23, 23),
        (1, 10, 10),
        (2, 10, 10),
    ]
    assert [len(event.losses) for event in steps] == [WINDOW_STEPS, WINDOW_STEPS, 3, 10, 10]
    assert [Size(e.width, e.height) for e in steps] == [sizes[e.scale_index] for e in steps]
    assert all(e.scales == 3 and e.device_memory_bytes is None for e in steps)
    assert done.steps == 43 and done.loss == steps[-1].losses[-1] and done.parts == steps[-1].parts


class _Faulty(Stylizer):
    """Whose gradients, or losses, are no numbers at the calls given, as an overflow in half precision makes them."""

    def fail_at(self, *calls: int, loss: bool) -> Stylizer:
        self._left, self._loss = set(calls), loss
        self._calls = 0
        return self

    def gradient(self, image: Tensor, objective: Any, context: Any = SILENT) -> tuple[Tensor, Tensor]:
        gradient, values = super().gradient(image, objective, context)
        self._calls += 1
        if self._calls in self._left:
            return gradient * math.nan, values * math.nan if self._loss else values
        return gradient, values


@pytest.mark.parametrize(("call", "loss"), [(1, True), (7, False), (10, True), (10, False), (14, True)])
def test_after_a_loss_that_is_no_number_it_steps_back_and_goes_on_slower(
    make_preset: Callable[..., Preset], untrained: Backbone, picture: Picture, call: int, loss: bool
) -> None:
    events: list[Event] = []
    preset = make_preset(scales={"min_px": 64, "first_steps": 40}, optimizer={"learning_rate": 0.04})
    content, style = picture(1), [picture(50, 30, 26)]
    stylizer = _Faulty(preset, untrained, style)
    done = stylizer.fail_at(call, loss=loss).stylize(content, Context(events.append))
    assert bool(done.image.isfinite().all()) and math.isfinite(done.loss) and done.steps == 40
    (note,) = [event for event in events if isinstance(event, Note)]
    assert note.level == "warning" and "NaN" in note.message and "0.02" in note.message
    # Good steps before it count; those that were lost are taken again.
    lost = stylizer._calls - 40
    assert 0 < lost <= 2 * WINDOW_STEPS
    steps = [event.step for event in events if isinstance(event, StepDone)]
    assert steps[-1] == 40 and steps == sorted(steps)
    whole = Stylizer(preset, untrained, style).stylize(content)
    assert done.loss < 1.3 * whole.loss


def test_it_is_halved_again_and_at_last_an_error(
    make_preset: Callable[..., Preset], untrained: Backbone, picture: Picture
) -> None:
    events: list[Event] = []
    preset = make_preset(scales={"min_px": 64, "first_steps": 40})
    stylizer = _Faulty(preset, untrained, [picture(50, 30, 26)])
    stylizer.fail_at(5, 15, loss=True).stylize(picture(1), Context(events.append))
    assert len([event for event in events if isinstance(event, Note)]) == 2
    with pytest.raises(DeviceError, match="NaN"):
        stylizer.fail_at(*range(1, 1000), loss=True).stylize(picture(1))


def test_a_loss_that_is_no_number_is_refused_with_a_next_step(make: Make, picture: Picture) -> None:
    content = picture(1)
    content[0, 0, 0, 0] = float("nan")
    for name in ("adam", "lbfgs"):
        changes = {"optimizer": {"name": name}, "scales": {"min_px": 64}}
        with pytest.raises(DeviceError, match="NaN") as caught:
            make(changes=changes).stylize(content)
        assert next_step(caught.value) is not None and "learning_rate" in next_step(caught.value)


# -- warm starts -------------------------------------------------------------------------------------------


def test_a_frame_that_gains_nothing_more_stops_early(make: Make, picture: Picture) -> None:
    content = picture(1)
    video = {"steps": 60, "min_steps": 5}
    eager = make(changes={"video": {**video, "tolerance": 1.0}})
    stubborn = make(changes={"video": {**video, "tolerance": 0.0}})
    step_count = stubborn.stylize(content).image
    assert _refine(eager, content, step_count).steps == 5
    assert _refine(stubborn, content, picture(2)).steps > 10


def test_fewest_steps_are_taken_whatever_is_gained(make: Make, picture: Picture) -> None:
    slowly = {"learning_rate": 0.001}
    changes = {"optimizer": slowly, "video": {"steps": 60, "min_steps": 23, "tolerance": 1.0}}
    assert _refine(make(changes=changes), picture(1), picture(1)).steps == 25
    changes = {"optimizer": slowly, "video": {"steps": 7, "min_steps": 5, "tolerance": 1.0}}
    assert _refine(make(changes=changes), picture(1), picture(1)).steps == 5


def test_early_stop_asks_what_another_window_would_bring_at_the_last_slope() -> None:
    stop = EarlyStop(min_steps=5, tolerance=0.1)
    # What the first steps of a window brought does not count: 0.02 a step at its end makes 0.1 of 0.96 a window.
    assert not stop.reached(5, (9.0, 5.0, 1.0, 0.98, 0.96))
    assert stop.reached(5, (9.0, 5.0, 1.0, 0.99, 0.98))
    assert not stop.reached(4, (1.0, 1.0, 1.0))
    rising = EarlyStop(min_steps=0, tolerance=0.0)
    assert (
        rising.reached(5, (1.0, 1.1)) and not rising.reached(5, (1.0,)) and not rising.reached(5, (1.0, 0.9))
    )


def test_early_stop_compares_losses_at_one_place_on_the_pooling_grid() -> None:
    stop = EarlyStop(min_steps=5, tolerance=0.1, places=4)
    # From place to place losses differ by more than a step brings: 0.08 in four steps makes 0.1 of 0.92 a window.
    assert not stop.reached(5, (1.0, 3.0, 2.0, 5.0, 0.91))
    assert stop.reached(5, (1.0, 0.2, 0.1, 0.3, 0.98))
    assert not stop.reached(10, (1.0, 3.0, 1.0, 1.0))  # no two are of one place


def test_what_has_long_been_in_the_picture_moves_less(make: Make, picture: Picture) -> None:
    """Half of the pixels have a hundred times a first frame's steps behind them."""
    video = {"steps": 5, "min_steps": 5, "tolerance": 0.0}

    def moved(anneal: bool) -> list[float]:
        stylizer = make(changes={"video": {**video, "anneal": anneal}, "optimizer": {"average_decay": 0.0}})
        state = PixelState.start(picture(1)).by_pixel()
        state.step_count[..., :12] = 100.0 * stylizer.preset.scales.steps
        change = (stylizer.refine(picture(1), state).image - picture(1)).abs().mean((0, 1, 2))
        return [float(change[:12].mean()), float(change[12:].mean())]

    resting, free = moved(True)
    assert resting < 0.3 * free
    resting, free = moved(False)
    assert resting > 0.5 * free


def test_refining_keeps_the_size_and_goes_on_from_the_state(make: Make, picture: Picture) -> None:
    changes = {"video": {"steps": 10, "min_steps": 10}}
    stylizer = make(changes=changes)
    first = stylizer.stylize(picture(1))
    steps_before = float(first.state.step_count.mean())
    second = stylizer.refine(picture(1), first.state)
    assert float(second.state.step_count.mean()) == steps_before + second.steps
    assert second.image.shape == first.image.shape and second.loss < first.loss


def test_the_temporal_weight_draws_reliable_pixels_to_the_warped_frame(make: Make, picture: Picture) -> None:
    content, warped = picture(1), picture(2)
    reliability = torch.zeros(1, 1, 24, 24)
    reliability[..., :12] = 1
    distances = []
    changes = {"video": {"steps": 40, "min_steps": 40, "tolerance": 0.0}, "tv_weight": 0.0}
    for weight in (0.0, 20.0, 2000.0):
        target = TemporalTarget(warped, reliability, weight)
        image = _refine(make(changes=changes), content, content, target).image
        distances.append(float((image - warped)[..., :10].square().mean()))
    assert distances[2] < distances[1] < distances[0]
    assert distances[2] < 0.02 * distances[0]


def test_unreliable_pixels_are_free(make: Make, picture: Picture) -> None:
    target = TemporalTarget(picture(2), torch.zeros(1, 1, 24, 24), 1e4)
    changes = {"video": {"steps": 10, "min_steps": 10}}
    free = _refine(make(changes=changes), picture(1), picture(1))
    held = _refine(make(changes=changes), picture(1), picture(1), target)
    assert torch.equal(free.image, held.image)
    assert dict(held.parts)["temporal"] == 0 and "temporal" not in dict(free.parts)


def test_temporal_targets_add_up_by_their_weights(make: Make, picture: Picture) -> None:
    stylizer = make()
    image, near, far = picture(1), picture(2), picture(3)
    reliability = torch.full((1, 1, 24, 24), 0.5)
    targets = [TemporalTarget(near, reliability, 10.0), TemporalTarget(far, reliability, 2.5)]
    found = stylizer.parts(image, stylizer.objective(image, targets))["temporal"]
    wanted = 10 * 0.5 * ((image - near).square().mean() + 0.25 * (image - far).square().mean())
    assert float(found) == pytest.approx(float(wanted), rel=1e-5)


# -- precision ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("precondition", "most"), [(False, 0.01), (True, 0.015)])
def test_half_precision_gives_nearly_the_same_picture(
    make: Make, picture: Picture, precondition: bool, most: float
) -> None:
    """Fine detail that is evened out has more of it to differ in."""
    full, half = (
        make(changes={"optimizer": {"precision": precision, "precondition": precondition}})
        .stylize(picture(1))
        .image
        for precision in ("float32", "bfloat16")
    )
    assert 0 < float((full - half).abs().mean()) < most


def test_the_picture_in_the_making_is_shown_each_window_and_changes_nothing(
    make: Make, picture: Picture
) -> None:
    content = picture(0)
    shown: list[Any] = []
    seen = make(changes={"scales": {"first_steps": 25}}).stylize(
        content, Context(on_picture=lambda so_far: shown.append(so_far()))
    )
    unseen = make(changes={"scales": {"first_steps": 25}}).stylize(content)
    assert torch.equal(seen.image, unseen.image)
    assert all(one.dtype == np.uint8 and one.shape[2] == 3 for one in shown) and len(shown) >= 3
    # The last one is the result.
    assert np.array_equal(shown[-1], to_pixels(seen.image))
