"""The optimiser's state: Adam as torch has it, the average of iterates, and what a change of scale keeps."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from framestyle.nst.image import Size, size_of
from framestyle.nst.optimise.state import ADAM_EPSILON, ANNEAL_FLOOR, PixelState

Picture = Callable[..., Tensor]
BETAS = (0.9, 0.99)


@pytest.mark.parametrize("betas", [(0.9, 0.9), (0.9, 0.99), (0.0, 0.5)])
def test_adam_equals_torchs_own_for_many_steps(picture: Picture, betas: tuple[float, float]) -> None:
    start = 0.25 + 0.5 * picture(1, 8, 9)
    target = 0.25 + 0.5 * picture(2, 8, 9)
    state = PixelState.start(start)
    theirs = start.clone().requires_grad_(True)
    engine = torch.optim.Adam([theirs], lr=0.01, betas=betas, eps=ADAM_EPSILON)
    for _ in range(30):
        state.adam_step(2 * (state.image - target), 0.01, 0.0, betas)
        theirs.grad = 2 * (theirs.detach() - target)
        engine.step()
    assert float((state.image - start).abs().max()) > 0.05
    torch.testing.assert_close(state.image, theirs.detach(), rtol=1e-5, atol=1e-5)


def test_a_pixel_that_came_in_late_moves_as_at_a_start(picture: Picture) -> None:
    """Corrected as if it were as old as the rest, it would take steps twice too long, and look grainy."""
    start, target = picture(1, 8, 9), picture(2, 8, 9)
    old, fresh = PixelState.start(start).by_pixel(), PixelState.start(start)
    for _ in range(200):
        old.adam_step(2 * (old.image - target), 0.01, 0.0, BETAS)
    for tensor, first in ((old.image, start), (old.mean, 0), (old.square, 0), (old.total_weights, 0)):
        tensor[..., 4:] = first[..., 4:] if isinstance(first, Tensor) else first
    for _ in range(10):
        old.adam_step(2 * (old.image - target), 0.01, 0.0, BETAS)
        fresh.adam_step(2 * (fresh.image - target), 0.01, 0.0, BETAS)
    assert torch.equal(old.image[..., 4:], fresh.image[..., 4:])
    assert not torch.equal(old.image[..., :4], fresh.image[..., :4])


def test_pixels_stay_within_range() -> None:
    state = PixelState.start(torch.tensor([0.01, 0.99]).view(1, 1, 1, 2).expand(1, 3, 1, 2))
    for _ in range(5):
        state.adam_step(torch.tensor([1.0, -1.0]).view(1, 1, 1, 2).expand(1, 3, 1, 2), 0.1, 0.9, BETAS)
    assert state.image[0, 0, 0].tolist() == [0.0, 1.0]


def test_a_start_is_a_copy(picture: Picture) -> None:
    image = picture(3)
    before = image.clone()
    state = PixelState.start(image)
    state.adam_step(torch.ones_like(image), 0.1, 0.9, BETAS)
    assert torch.equal(image, before) and not torch.equal(state.image, before)


@given(decay=st.floats(0.05, 0.99), steps=st.integers(1, 12))
@settings(max_examples=30, deadline=None, derandomize=True)
def test_the_result_is_the_bias_corrected_average_of_the_iterates(decay: float, steps: int) -> None:
    generator = torch.Generator().manual_seed(steps)
    state = PixelState.start(torch.rand(1, 3, 4, 4, generator=generator))
    iterates = []
    for _ in range(steps):
        state.adam_step(torch.randn(1, 3, 4, 4, generator=generator), 0.05, decay, BETAS)
        iterates.append(state.image.double())
    weights = torch.tensor([decay ** (steps - 1 - i) for i in range(steps)]).double()
    wanted = (torch.stack(iterates) * (weights / weights.sum()).view(-1, 1, 1, 1, 1)).sum(0)
    torch.testing.assert_close(state.result().double(), wanted, rtol=1e-4, atol=1e-5)


def test_the_average_of_one_iterate_is_that_iterate_and_of_none_the_start(picture: Picture) -> None:
    state = PixelState.start(picture(4))
    assert torch.equal(state.result(), state.image)
    state.adam_step(torch.ones_like(state.image), 0.05, 0.99, BETAS)
    torch.testing.assert_close(state.result(), state.image)


def test_between_the_iterate_and_the_average_there_is_a_point(picture: Picture) -> None:
    state = PixelState.start(picture(4)).by_pixel()
    for _ in range(3):
        state.adam_step(picture(5) - 0.5, 0.05, 0.9, BETAS)
    state.total_weights[..., :4], state.average[..., :4] = 0.0, 0.0  # came into the picture just now
    point, wanted = state.towards_average(0.75), state.image.lerp(state.result(), 0.75)
    torch.testing.assert_close(point, wanted)
    assert torch.equal(point[..., :4], state.image[..., :4])
    assert not torch.allclose(point[..., 4:], state.image[..., 4:], atol=1e-3)
    assert torch.equal(state.towards_average(0.0), state.image)


def test_gradients_near_the_average_lead_it_on_sooner(picture: Picture) -> None:
    """A warm frame whose content has changed starts from an average that is where the last frame wanted it."""
    start, target = 0.3 + 0.1 * picture(1, 8, 9), 0.5 + 0.1 * picture(2, 8, 9)

    def left(gradient_at: float) -> float:
        state = PixelState.start(start)
        state.average.copy_(start)
        state.total_weights[:, 2:] = 1.0
        for _ in range(10):
            slope = 2 * (state.towards_average(gradient_at) - target)
            state.adam_step(slope, 0.04, 0.95, (0.5, 0.99))
        return float((state.result() - target).abs().mean())

    assert left(0.8) < 0.9 * left(0.0)


def test_without_a_decay_no_average_is_kept(picture: Picture) -> None:
    state = PixelState.start(picture(5))
    for _ in range(3):
        state.adam_step(
            torch.randn(state.image.shape, generator=torch.Generator().manual_seed(1)), 0.05, 0.0, BETAS
        )
    assert float(state.average_weight.max()) == 0 and torch.equal(state.result(), state.image)


def _travelled(picture: Picture, decay: float = 0.9) -> PixelState:
    state = PixelState.start(picture(6, 16, 20))
    for seed in range(4):
        gradient = torch.randn(state.image.shape, generator=torch.Generator().manual_seed(seed))
        state.adam_step(gradient, 0.02, decay, BETAS)
    return state


def test_the_next_scale_starts_from_the_average_with_the_steps_kept(picture: Picture) -> None:
    state = _travelled(picture)
    same = state.resampled(size_of(state.image))
    torch.testing.assert_close(same.image, state.result(), atol=1e-5, rtol=0)
    torch.testing.assert_close(same.mean, state.mean, atol=1e-5, rtol=0)
    torch.testing.assert_close(same.square, state.square, atol=1e-5, rtol=0)
    torch.testing.assert_close(same.total_weights[:, :2], state.total_weights[:, :2])
    assert float(same.average_weight.max()) == 0


def test_resampled_moments_have_the_size_and_no_negative_square(picture: Picture) -> None:
    larger = _travelled(picture).resampled(Size(29, 23))
    for tensor in (larger.image, larger.mean, larger.square, larger.average):
        assert tensor.shape == (1, 3, 23, 29)
    assert float(larger.square.min()) >= 0
    assert float(larger.image.min()) >= 0 and float(larger.image.max()) <= 1


def test_resampled_moments_speak_of_gradients_that_fell_with_the_pixels() -> None:
    """Twice the pixels: first moments halve, second ones quarter, and the step stays as it was."""
    state = PixelState.start(torch.full((1, 3, 10, 10), 0.5))
    state.adam_step(torch.full((1, 3, 10, 10), 0.3), 0.01, 0.9, BETAS)
    larger = state.resampled(Size(20, 10))
    torch.testing.assert_close(larger.mean, state.mean.mean().expand(1, 3, 10, 20) / 2)
    torch.testing.assert_close(larger.square, state.square.mean().expand(1, 3, 10, 20) / 4)
    ratio = larger.mean / larger.square.sqrt()
    assert float(ratio.mean()) == pytest.approx(float((state.mean / state.square.sqrt()).mean()), rel=1e-5)


def test_a_rate_by_pixel_moves_each_by_its_own() -> None:
    image = torch.full((1, 3, 1, 4), 0.5)
    one, other = PixelState.start(image), PixelState.start(image)
    gradient = torch.tensor([1.0, -2.0, 3.0, -4.0]).expand(1, 3, 1, 4)
    rates = torch.tensor([0.0, 0.01, 0.02, 0.04]).view(1, 1, 1, 4)
    for _ in range(3):
        one.adam_step(gradient, rates, 0.0, BETAS)
        other.adam_step(gradient, 0.02, 0.0, BETAS)
    torch.testing.assert_close(one.image - 0.5, (other.image - 0.5) * rates / 0.02, atol=1e-6, rtol=0)


def test_pixels_come_to_rest_after_their_full_share_of_steps() -> None:
    state = PixelState.start(torch.zeros(1, 3, 1, 4)).by_pixel()
    state.step_count[:] = torch.tensor([0.0, 80.0, 160.0, 1e9])
    rates = state.annealed(0.03, 80).flatten().tolist()
    assert rates == pytest.approx([0.03, 0.03, 0.015, 0.03 * ANNEAL_FLOOR])


@pytest.mark.parametrize("by_pixel", [False, True])
def test_steps_are_counted_and_begin_anew_at_each_scale(by_pixel: bool) -> None:
    state = PixelState.start(torch.zeros(1, 3, 4, 4))
    state = state.by_pixel() if by_pixel else state
    state.adam_step(torch.ones(1, 3, 4, 4), 0.01, 0.9, BETAS)
    state.adam_step(torch.ones(1, 3, 4, 4), 0.01, 0.9, BETAS)
    assert torch.equal(state.step_count, torch.full((1, 1, 4, 4) if by_pixel else (1, 1, 1, 1), 2.0))
    finer = state.resampled(Size(8, 6))
    assert torch.equal(finer.step_count, torch.zeros(1, 1, 6, 8) if by_pixel else torch.zeros(1, 1, 1, 1))


def test_ages_by_pixel_change_nothing_while_all_are_alike(picture: Picture) -> None:
    """And are not kept: those of a large photo would be a third of a gigabyte and more."""
    alike, by_pixel = _travelled(picture), _travelled(picture).by_pixel()
    assert alike.total_weights.numel() == 3 and by_pixel.total_weights.numel() == 3 * 16 * 20
    for _ in range(2):
        gradient = torch.randn(alike.image.shape, generator=torch.Generator().manual_seed(9))
        for state in (alike, by_pixel):
            state.adam_step(gradient, state.annealed(0.02, 3), 0.9, BETAS)
        alike, by_pixel = alike.resampled(Size(23, 19)), by_pixel.resampled(Size(23, 19))
    for name in ("image", "mean", "square", "average"):
        torch.testing.assert_close(getattr(alike, name), getattr(by_pixel, name), atol=1e-6, rtol=1e-6)
    assert torch.equal(alike.by_pixel().step_count, by_pixel.step_count)
