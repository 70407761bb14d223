"""Eigenvalues of symmetric matrices, of those too that LAPACK gives up on; roots by products alone, for GPUs."""

from __future__ import annotations

from functools import cache

import torch
from torch import Tensor

RIDGES = (1e-7, 1e-3)
"""Of the largest entry; added to the diagonal and taken off the eigenvalues again: A + εI has A's eigenvectors."""
SOFTENING = 1e-7
"""Of a matrix' norm (Schatten's of order 4, hardly more than its largest eigenvalue): see `root_of`."""
ROUNDING = 3e-6
"""Of what was taken away to get a matrix. A covariance of a picture far from its style's mean is a small difference of
large sums: float32 left eigenvalues of -1.1e-6 of these at the most (learned weights, a picture of one colour)."""
LEAST_NORM = 1e-8
_HARDLY_THERE = (-0.5, 0.703, -1.203)
"""Of t, t² and t³: see `root_by_products`."""


def eigen(matrix: Tensor) -> tuple[Tensor, Tensor]:
    """Eigenvalues, ascending, BN, and eigenvectors, BNN, in columns, of symmetric BNN; not finite where it is not.

    In float64: float32 mixes up all that is below a ten-millionth of the largest, and what a picture hardly has yet is
    what its style asks for. On the CPU: GPUs are slow at it, hold up their host with it, or cannot; what is wanted
    at each step is `root_of`, without them.

    Features of a small picture span few of their channels, and some are asleep. On what has rows of zeros, MKL's divide
    and conquer can give up, or give NaN without a word (decision 0026); a ridge keeps it from that.
    """
    wide = matrix.cpu().double()
    symmetric = (wide + wide.mT) / 2
    if _finite(symmetric):  # LAPACK would try for long
        for ridge in RIDGES:
            try:
                values, vectors = _ridged(symmetric, ridge)
            except torch.linalg.LinAlgError:  # type: ignore[attr-defined]
                continue
            if _finite(values, vectors):
                return values.to(matrix), vectors.to(matrix)
    return torch.full_like(matrix[..., 0], torch.nan), torch.full_like(matrix, torch.nan)


def matrix_root(matrix: Tensor) -> Tensor:
    """The symmetric square root of positive semi-definite BNN."""
    values, vectors = eigen(matrix)
    root: Tensor = (vectors * values.clamp_min(0).sqrt()[:, None, :]) @ vectors.mT
    return root


def root_of(matrix: Tensor, less: Tensor | float = 0.0) -> tuple[Tensor, Tensor]:
    """tr(M^½), B, and (M + εI)^-½, BNN, of symmetric positive semi-definite BNN.

    Without ε what the matrix hardly has would outweigh all else in the inverse. It is `SOFTENING` of the matrix' norm,
    and `ROUNDING` of `less`, B: the norm of what was taken away to get the matrix. On a CPU by eigenvalues.
    """
    if matrix.device.type != "cpu":
        return root_by_products(matrix, less)
    values, vectors = eigen(matrix)
    values = values.clamp_min(0)
    peak = values[:, -1:].clamp_min(LEAST_NORM)  # fourth powers would leave float32's range
    epsilon = _softening(peak[:, 0] * torch.linalg.vector_norm(values / peak, 4, dim=1), less)
    return values.sqrt().sum(1), (vectors * (values + epsilon[:, None]).rsqrt()[:, None, :]) @ vectors.mT


def _softening(norm: Tensor, less: Tensor | float) -> Tensor:
    return SOFTENING * norm.clamp_min(LEAST_NORM) + ROUNDING * less


def root_by_products(matrix: Tensor, less: Tensor | float = 0.0) -> tuple[Tensor, Tensor]:
    """The same by matrix products alone, which nothing on a GPU waits for.

    Newton-Schulz for a root and its inverse at once (Higham, Functions of Matrices, 2008, eq. 6.35), each round with
    the cubic that brings the eigenvalues, by then within known bounds, nearest to 1 (Chen and Chow, 2014: half of the
    rounds). The trace is of (λ + ε)^½ p(t), t = ε/(λ + ε): a polynomial that is (1 - t)^½ to its first order, 0 where λ
    is, and gives λ^½ to a tenth of ε^½ (found by weighted least squares). Float32 is enough: what comes of a factor
    (`factor_of`) is graded, so that its small eigenvalues are as exact as its large ones. One that is negative by more
    than ε would grow without end; see `ROUNDING`.
    """
    symmetric = (matrix + matrix.mT) / 2
    peak = symmetric.abs().amax((1, 2)).clamp_min(LEAST_NORM)
    of_peak = symmetric / peak[:, None, None]
    norm = peak * (of_peak @ of_peak).square().sum((1, 2)).pow(0.25).clamp_min(1.0)
    epsilon = _softening(norm, less)
    unit = (norm + epsilon)[:, None, None]
    share = epsilon[:, None, None] / unit
    eye = torch.eye(matrix.shape[-1], dtype=matrix.dtype, device=matrix.device)
    root, inverse = symmetric / unit + share * eye, eye.expand_as(matrix)
    for linear, cubic in _cubics(SOFTENING / (1 + SOFTENING)):
        towards_one = torch.baddbmm(eye, inverse, root, beta=linear, alpha=-cubic)
        root, inverse = root @ towards_one, towards_one @ inverse
    inverse = (inverse + inverse.mT) / 2
    square = inverse @ inverse
    odd_powers = _trace(inverse), (square * inverse).sum((1, 2)), (square @ inverse * square).sum((1, 2))
    trace = _trace(root)
    for order, (factor, power) in enumerate(zip(_HARDLY_THERE, odd_powers, strict=True), start=1):
        trace = trace + factor * share[:, 0, 0] ** order * power
    return trace * unit[:, 0, 0].sqrt(), inverse * unit.rsqrt()


@cache
def _cubics(least: float) -> tuple[tuple[float, float], ...]:
    """(a, b) of each round: x -> ax - bx³ takes √eigenvalues in [√least, 1] to 1, to float32's rounding.

    Of all cubics without a square, each errs least over the bounds [l, u] that the one before it left: as much at both
    of them as at its peak between, 1 - b l u (l + u).
    """
    low, high = least**0.5, 1.0
    found: list[tuple[float, float]] = []
    while low < high - 1e-6:
        squares = low * low + low * high + high * high
        b = 2 / (low * high * (low + high) + 2 / 3 * squares * (squares / 3) ** 0.5)
        found.append((b * squares, b))
        low = b * low * high * (low + high)
        high = 2 - low
    return tuple(found)


def _trace(matrix: Tensor) -> Tensor:
    return torch.diagonal(matrix, dim1=1, dim2=2).sum(1)


def factor_of(matrix: Tensor) -> Tensor:
    """F, 1NR, with F Fᵀ = positive semi-definite 1NN, without the directions that it does not have.

    R is the number of eigenvalues that stand above rounding.
    """
    values, vectors = eigen(matrix.cpu().double())
    kept = values[0] > torch.finfo(matrix.dtype).eps * values[0, -1]
    kept[-1] = True
    return (vectors[..., kept] * values[:, None, kept].clamp_min(0).sqrt()).to(matrix)


def _ridged(matrix: Tensor, ridge: float) -> tuple[Tensor, Tensor]:
    added = ridge * matrix.abs().amax((-2, -1)).clamp_min(torch.finfo(matrix.dtype).tiny)
    eye = torch.eye(matrix.shape[-1], dtype=matrix.dtype, device=matrix.device)
    values, vectors = torch.linalg.eigh(matrix + added[..., None, None] * eye)
    return values - added[..., None], vectors


def _finite(*tensors: Tensor) -> bool:
    return all(bool(tensor.isfinite().all()) for tensor in tensors)
