"""Eigenvalues of symmetric matrices, of those too that LAPACK gives up on."""

from __future__ import annotations

import torch
from torch import Tensor

RIDGE = 1e-7
"""Of the largest entry; added to the diagonal and taken off the eigenvalues again: A + εI has A's eigenvectors."""


def eigen(matrix: Tensor) -> tuple[Tensor, Tensor]:
    """Eigenvalues, ascending, BN, and eigenvectors, BNN, in columns, of symmetric BNN; not finite where it is not.

    Features of a small picture span few of their channels, and some are asleep. On what has rows of zeros, MKL's divide
    and conquer gives up in float32, or gives NaN without a word, on four matrices of ten (decision 0026); a ridge of a
    rounding's size keeps it from that. Whatever fails all the same is done again in float64, on the CPU.
    """
    symmetric = (matrix + matrix.mT) / 2
    if symmetric.device.type == "cpu" and not _finite(symmetric):  # LAPACK would try for long
        return _lost(symmetric)
    try:
        values, vectors = _ridged(symmetric)
        if values.device.type != "cpu" or _finite(values, vectors):  # to look would hold up a GPU
            return values, vectors
    except torch.linalg.LinAlgError:  # type: ignore[attr-defined]
        pass
    if not _finite(symmetric):
        return _lost(symmetric)
    values, vectors = _ridged(symmetric.cpu().double())
    return values.to(matrix), vectors.to(matrix)


def matrix_root(matrix: Tensor) -> Tensor:
    """The symmetric square root of positive semi-definite BNN."""
    values, vectors = eigen(matrix)
    root: Tensor = (vectors * values.clamp_min(0).sqrt()[:, None, :]) @ vectors.mT
    return root


def factor_of(matrix: Tensor) -> Tensor:
    """F, 1NR, with F Fᵀ = positive semi-definite 1NN, without the directions that it does not have.

    R is the number of eigenvalues that stand above rounding. Found in float64: it is wanted once a clip.
    """
    values, vectors = eigen(matrix.cpu().double())
    kept = values[0] > torch.finfo(matrix.dtype).eps * values[0, -1]
    kept[-1] = True
    return (vectors[..., kept] * values[:, None, kept].clamp_min(0).sqrt()).to(matrix)


def _ridged(matrix: Tensor) -> tuple[Tensor, Tensor]:
    ridge = RIDGE * matrix.abs().amax((-2, -1)).clamp_min(torch.finfo(matrix.dtype).tiny)
    eye = torch.eye(matrix.shape[-1], dtype=matrix.dtype, device=matrix.device)
    values, vectors = torch.linalg.eigh(matrix + ridge[..., None, None] * eye)
    return values - ridge[..., None], vectors


def _finite(*tensors: Tensor) -> bool:
    return all(bool(tensor.isfinite().all()) for tensor in tensors)


def _lost(matrix: Tensor) -> tuple[Tensor, Tensor]:
    lost = torch.full_like(matrix, torch.nan)
    return lost[..., 0], lost
