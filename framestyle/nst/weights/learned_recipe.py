"""What the `learned` filters depend on, as a text that names them. Loads no torch."""

from __future__ import annotations

from dataclasses import asdict, dataclass

BLOCKS = {"conv1": (2, 64), "conv2": (2, 128), "conv3": (4, 256), "conv4": (4, 512), "conv5": (2, 512)}
"""Convolutions and channels a block. Nothing is learned beyond the deepest layer that presets use by default."""
LAST_CONVOLUTION = f"conv5_{BLOCKS['conv5'][0]}"


@dataclass(frozen=True)
class Recipe:
    """Everything that the filters depend on beside the seed; a change of code that changes them raises `version`."""

    version: int = 4
    pictures: int = 32
    picture_px: int = 192
    leaves: int = 260
    patches: int = 8000
    full_whitening_up_to: int = 1152
    """Patch dimensions whitened whole (ZCA); larger patches are whitened over channels only."""
    whitening_floor: float = 1.0
    """Added to the eigenvalues, as a multiple of their mean."""
    rounds: int = 8
    rounds_large: int = 3
    bias_quantile: float = 0.6
    first_bias_quantiles: tuple[float, float] = (0.3, 0.8)
    """Spread evenly over the first layer's filters: with one quantile above a half for all, a flat mid-grey patch makes
    every response 0, less than every threshold, and has neither features nor gradient: it would stay as it is."""
    divisor_floor: float = 0.2
    """Of the median channel's mean activation: a dead channel would otherwise explode."""


RECIPE = Recipe()


def recipe_key(seed: int, recipe: Recipe = RECIPE) -> str:
    """A text that names the backbone: same text, same filters (on the same versions and device)."""
    return f"learned seed={seed} " + " ".join(f"{k}={v}" for k, v in asdict(recipe).items())
