"""Eigenvalues of what LAPACK likes and of what it gives up on; roots with them and without."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from framestyle.nst.statistics.spectrum import (
    SOFTENING,
    eigen,
    factor_of,
    matrix_root,
    root_by_products,
    root_of,
)


def _of_few_positions(seed: int, positions: int, dtype: torch.dtype = torch.float32) -> Tensor:
    """What a deep layer tells of a small picture: most channels asleep, the rest spanning little."""
    generator = torch.Generator().manual_seed(seed)
    features = torch.randn(512, positions, generator=generator).clamp_min(0).to(dtype)
    features[torch.rand(512, generator=generator) < 0.55] = 0
    return (features @ features.T / positions)[None]


@pytest.fixture(params=["error", "nan"])
def gives_up(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """LAPACK at its worst: what it is given first does not converge, or is NaN in the middle."""
    real = torch.linalg.eigh
    asked: list[Tensor] = []

    def eigh(matrix: Tensor) -> tuple[Tensor, Tensor]:
        values, vectors = real(matrix)
        asked.append(matrix)
        if len(asked) % 2:
            if request.param == "error":
                raise torch.linalg.LinAlgError("linalg.eigh: The algorithm failed to converge")
            values[..., len(values) // 2] = torch.nan
        return values, vectors

    monkeypatch.setattr(torch.linalg, "eigh", eigh)


def _check(matrix: Tensor) -> None:
    values, vectors = eigen(matrix)
    size = float(matrix.abs().max())
    assert values.dtype == vectors.dtype == torch.float32
    assert (values.diff() >= -1e-6 * size).all()
    wanted = torch.linalg.eigvalsh(matrix.double())
    torch.testing.assert_close(values.double(), wanted, atol=1e-12 * size, rtol=1e-6)
    torch.testing.assert_close((vectors * values[:, None, :]) @ vectors.mT, matrix, atol=2e-5 * size, rtol=0)
    torch.testing.assert_close(vectors.mT @ vectors, torch.eye(512)[None], atol=1e-4, rtol=0)


@pytest.mark.parametrize("positions", [1, 2, 4, 16, 600])
@pytest.mark.parametrize("seed", [0, 1])
def test_eigenvalues_of_any_picture_are_found(seed: int, positions: int) -> None:
    _check(_of_few_positions(seed, positions))


@pytest.mark.usefixtures("gives_up")
@pytest.mark.parametrize("positions", [1, 4, 600])
def test_where_it_does_not_converge_a_larger_ridge_helps(positions: int) -> None:
    _check(_of_few_positions(0, positions))
    _check(torch.zeros(1, 512, 512))


def test_what_is_not_finite_has_eigenvalues_that_are_not() -> None:
    """Not an error: a loss that is not finite is stepped back from."""
    values, vectors = eigen(torch.full((1, 64, 64), torch.nan))
    assert values.shape == (1, 64) and vectors.shape == (1, 64, 64)
    assert values.isnan().any()


def test_the_matrix_root_squares_to_the_matrix() -> None:
    square = _of_few_positions(3, 600).double()
    root = matrix_root(square)
    torch.testing.assert_close(root @ root, square)
    torch.testing.assert_close(root, root.mT)


@pytest.mark.parametrize("positions", [1, 4, 600])
def test_the_factor_is_as_thin_as_the_matrix_has_directions(positions: int) -> None:
    matrix = _of_few_positions(4, positions)
    factor = factor_of(matrix)
    alive = int((torch.diagonal(matrix[0]) > 0).sum())
    assert factor.dtype == torch.float32 and factor.shape == (1, 512, min(positions, alive))
    torch.testing.assert_close(factor @ factor.mT, matrix, atol=1e-5 * float(matrix.max()), rtol=1e-5)


# -- roots -------------------------------------------------------------------------------------------------


def _of_a_factor(seed: int, positions: int, wanted: int = 600) -> Tensor:
    """What the style loss asks the root of: FᵀCF, C of a picture, F of its style."""
    factor = factor_of(_of_few_positions(seed, wanted, torch.float64))
    matrix = factor.mT @ _of_few_positions(seed + 100, positions, torch.float64) @ factor
    return (matrix + matrix.mT) / 2


def _exact(matrix: Tensor) -> tuple[Tensor, Tensor]:
    """By the formula, in float64: the trace of the root, the softened inverse."""
    values, vectors = torch.linalg.eigh(matrix.double())
    values = values.clamp_min(0)
    softened = values + SOFTENING * values.pow(4).sum().pow(0.25)
    return values.sqrt().sum(1), vectors @ torch.diag_embed(softened.rsqrt()) @ vectors.mT


def _error(found: Tensor, wanted: Tensor) -> float:
    return float((found.double() - wanted).norm() / wanted.norm())


@pytest.mark.parametrize(("root", "rounding"), [(root_of, 1e-3), (root_by_products, 5e-3)])
@pytest.mark.parametrize("positions", [4, 40, 600])
def test_a_root_and_its_inverse(
    root: Callable[[Tensor], tuple[Tensor, Tensor]], rounding: float, positions: int
) -> None:
    """Though eigenvalues span more than float32 has digits; of what rounding has left of the smallest of them."""
    matrix = _of_a_factor(5, positions)
    trace, inverse = _exact(matrix)
    found_trace, found_inverse = root(matrix.float())
    assert found_trace.dtype == found_inverse.dtype == torch.float32
    assert _error(found_inverse, inverse) < rounding
    assert float(found_trace) == pytest.approx(float(trace), rel=2e-3)
    assert _error(root(matrix)[1], inverse) < 1e-6


@pytest.mark.parametrize("root", [root_of, root_by_products])
def test_the_root_of_next_to_nothing_is_finite(root: Callable[[Tensor], tuple[Tensor, Tensor]]) -> None:
    for matrix in (torch.zeros(1, 9, 9), 1e-12 * torch.eye(9)[None]):
        trace, inverse = root(matrix)
        assert float(trace) == pytest.approx(9e-6 if matrix.any() else 0.0, rel=0.2, abs=1e-9)
        assert inverse.isfinite().all()


@pytest.mark.parametrize("root", [root_of, root_by_products])
@pytest.mark.parametrize("scale", [1e-8, 1e16])
def test_the_root_of_the_large_and_the_small(
    root: Callable[[Tensor], tuple[Tensor, Tensor]], scale: float
) -> None:
    """As weights of other backbones make them: squares of squares leave float32's range."""
    matrix = _of_a_factor(6, 40).float()
    matrix /= matrix.abs().max()
    (trace, inverse), (found_trace, found_inverse) = root(matrix), root(scale * matrix)
    torch.testing.assert_close(found_trace / scale**0.5, trace, rtol=1e-3, atol=0)
    assert _error(found_inverse * scale**0.5, inverse.double()) < 5e-3


@pytest.mark.parametrize("root", [root_of, root_by_products])
def test_what_a_difference_leaves_below_zero_does_no_harm(
    root: Callable[..., tuple[Tensor, Tensor]],
) -> None:
    """Eigenvalues of -1e-6 of what was taken away: a picture of one colour, far from its style's mean."""
    values = torch.tensor([1.0, 1e-4, -1e-3, -1e-3])
    turn = torch.linalg.qr(torch.randn(4, 4, generator=torch.Generator().manual_seed(0)))[0]
    matrix = (turn * values @ turn.T)[None]
    trace, inverse = root(matrix, torch.tensor([1e3]))
    assert inverse.isfinite().all() and float(inverse.abs().max()) < 40
    assert float(trace) == pytest.approx(1.0, abs=0.25)  # of a distance of 1e3


@pytest.mark.parametrize("root", [root_of, root_by_products])
def test_what_is_not_finite_has_a_root_that_is_not(root: Callable[[Tensor], tuple[Tensor, Tensor]]) -> None:
    assert not root(torch.full((1, 4, 4), torch.nan))[0].isfinite()


def test_the_trace_of_a_root_is_found_for_eigenvalues_of_all_sizes() -> None:
    """To a tenth of the root of the softening, and exactly where they are large or nothing."""
    for exponent in range(-12, 1):
        matrix = torch.diag(torch.tensor([1.0, 10.0**exponent], dtype=torch.float64))[None]
        trace, _ = root_by_products(matrix)
        off = abs(float(trace) - 1 - 10 ** (exponent / 2))
        assert off < 0.11 * SOFTENING**0.5, exponent
        assert off < 1e-6 or exponent in range(-11, -5), exponent


def test_the_factor_of_nothing_is_nothing() -> None:
    assert not factor_of(torch.zeros(1, 8, 8)).any()
