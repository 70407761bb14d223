"""Eigenvalues of what LAPACK likes and of what it gives up on."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from framestyle.nst.spectrum import eigen, factor_of, matrix_root


def _of_few_positions(seed: int, positions: int) -> Tensor:
    """What a deep layer tells of a small picture: most channels asleep, the rest spanning little."""
    generator = torch.Generator().manual_seed(seed)
    features = torch.randn(512, positions, generator=generator).clamp_min(0)
    features[torch.rand(512, generator=generator) < 0.55] = 0
    return (features @ features.T / positions)[None]


@pytest.fixture(params=["error", "nan"])
def gives_up(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """LAPACK at its worst: what it is given in float32 does not converge, or is NaN in the middle."""
    real = torch.linalg.eigh

    def eigh(matrix: Tensor) -> tuple[Tensor, Tensor]:
        values, vectors = real(matrix)
        if matrix.dtype == torch.float32:
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
    torch.testing.assert_close(values.double(), wanted, atol=2e-5 * size, rtol=1e-5)
    torch.testing.assert_close((vectors * values[:, None, :]) @ vectors.mT, matrix, atol=2e-5 * size, rtol=0)
    torch.testing.assert_close(vectors.mT @ vectors, torch.eye(512)[None], atol=1e-4, rtol=0)


@pytest.mark.parametrize("positions", [1, 2, 4, 16, 600])
@pytest.mark.parametrize("seed", [0, 1])
def test_eigenvalues_of_any_picture_are_found(seed: int, positions: int) -> None:
    _check(_of_few_positions(seed, positions))


@pytest.mark.usefixtures("gives_up")
@pytest.mark.parametrize("positions", [1, 4, 600])
def test_where_float32_does_not_converge_float64_is_asked(positions: int) -> None:
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


def test_the_factor_of_nothing_is_nothing() -> None:
    assert not factor_of(torch.zeros(1, 8, 8)).any()
