"""What `strength` does in a preset, measured on a small picture: painted on through rising strengths, as in a clip."""

from __future__ import annotations

from copy import copy

import torch
from torch import Tensor

from framestyle.context import CheckCancelled, Context, never_cancelled
from framestyle.nst.image import fit_within, resize, size_of
from framestyle.nst.optimise.state import PixelState
from framestyle.nst.regions import EXTREMES, Color
from framestyle.nst.stylizer import Stylizer
from framestyle.presets.instants import Instant, looks_of
from framestyle.presets.strength_curve import StrengthCurve

SIDE_PX = 64
"""Longer side of the picture: `strength` means about the same at every size."""
STRENGTHS = tuple(number / 10 for number in range(11))
STEPS = 8
"""Steps at each strength, before they are multiplied for the change."""
HASTE = 2.0
"""So many times the preset's learning rate: at its own the picture would lag behind a strength by more than it may."""
PACE = 1.0
"""As fast as a style changes."""


def measured_curve(
    stylizer: Stylizer, content: Tensor, check_cancelled: CheckCancelled = never_cancelled
) -> StrengthCurve:
    """Of the preset on a 1CHW content image in [0, 1]: by how far its distances to style and content have come.

    From the content on, which strength 0 leaves nearly as it is, whatever the preset starts pictures from.
    """
    context, stylizer = Context(check_cancelled=check_cancelled), _hasty(stylizer)
    content = resize(content, fit_within(size_of(content), SIDE_PX)).to(stylizer.device)
    if stylizer.needs_mask:
        stylizer = stylizer.with_mask(striped_mask(stylizer.regions))
    others = len(looks_of(stylizer.preset))
    state = PixelState.start(content).by_pixel()
    distances: list[tuple[float, float]] = []
    for strength in STRENGTHS:
        one = stylizer.at(Instant((1.0, *[0.0] * others), strength))
        state = one.refine(content, state, context=context, pace=PACE, steps=STEPS).state
        losses = one.losses_of(state.result(), content)
        distances.append((losses["style"] / one.weights.style, losses["content"] / one.weights.content))
    return StrengthCurve.of_distances(*zip(*distances, strict=True))


def _hasty(stylizer: Stylizer) -> Stylizer:
    optimizer = stylizer.preset.optimizer
    faster = optimizer.model_copy(update={"learning_rate": HASTE * optimizer.learning_rate})
    hasty = copy(stylizer)
    hasty.preset = stylizer.preset.model_copy(update={"optimizer": faster})
    return hasty


def striped_mask(regions: tuple[Color | None, ...]) -> Tensor:
    """A mask that shows each of these regions on as much of a picture, 1CHW: one pixel each, side by side."""
    free = next((color for color in EXTREMES if color not in regions), EXTREMES[0])
    row = [free if region is None else region for region in regions]
    return torch.tensor(row, dtype=torch.float32).T[None, :, None, :] / 255
