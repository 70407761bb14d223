"""What Adam is given: evened out over frequencies and directions, and still a descent."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor

from framestyle import load_preset, stylize_image
from framestyle.nst.optimise.preconditioning import RADIUS_PX, kernel, preconditioned

Picture = Callable[..., Tensor]
CPU = torch.device("cpu")


def transfer(across: float, down: float) -> float:
    """What the kernel multiplies a wave by, of so many cycles a pixel."""
    reach = torch.arange(-RADIUS_PX, RADIUS_PX + 1.0)
    wave = torch.outer(torch.cos(2 * math.pi * down * reach), torch.cos(2 * math.pi * across * reach))
    return float((kernel(CPU)[0, 0] * wave).sum())


def test_every_wave_keeps_its_sign() -> None:
    """A positive transfer function: what is downhill stays so."""
    cycles = np.linspace(0, 0.5, 21)
    assert min(transfer(x, y) for x in cycles for y in cycles) > 0.2


def test_fine_diagonals_are_raised_and_fine_rows_are_not() -> None:
    broad, row, diagonal = transfer(0, 0.02), transfer(0, 0.45), transfer(0.33, 0.33)
    assert row < 0.4 * broad and diagonal > 1.5 * broad


def test_rows_and_columns_are_alike() -> None:
    found = kernel(CPU)[0, 0]
    for other in (found.T, found.flip(0), found.flip(1)):
        torch.testing.assert_close(found, other)


@pytest.mark.parametrize("size", [(1, 1), (3, 40), (17, 23)])
def test_whatever_the_size_it_is_one_of_descent(picture: Picture, size: tuple[int, int]) -> None:
    slope = picture(1, *size) - 0.5
    found = preconditioned(slope)
    assert found.shape == slope.shape and float((found * slope).sum()) > 0


def test_fine_detail_is_less_of_a_weave() -> None:
    """With the true network: of a grey ground, in strokes."""
    grey = np.full((48, 48, 3), 128, np.uint8)
    cycles = np.abs(np.fft.fftfreq(48))
    across, down = np.meshgrid(cycles, cycles)
    fine = (np.hypot(across, down) > 0.3) & (np.hypot(across, down) <= 0.5)
    straight = np.minimum(across, down) < 0.41 * np.maximum(across, down)

    def woven(precondition: str) -> float:
        small = "scales.max_side_px=48", "scales.min_px=48", "scales.first_steps=12"
        preset = load_preset("nightswirl", [*small, "optimizer.precision=float32", precondition])
        painted = stylize_image(grey, preset, device="cpu").mean(2)
        energy = np.square(np.abs(np.fft.fft2(painted)))
        return float(energy[fine & straight].mean() / energy[fine & ~straight].mean())

    assert woven("optimizer.precondition=false") > 1.5 * woven("optimizer.precondition=true")
