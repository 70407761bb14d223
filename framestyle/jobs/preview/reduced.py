"""At which size a preset is previewed, so that the preview shows what the render will.

A render goes from a small scale to its own size, and takes the style at each scale's own size: what it is at one of
its smaller scales is what it will be, without the finest strokes. So a preview is the render's beginning: it stops at
the scale nearest to the size asked for. See docs/previews.md for what was measured.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from framestyle.nst.image import SCALE_STEP, Size, fit_within, scale_sizes
from framestyle.nst.statistics.base import statistic_of
from framestyle.presets import Preset


@dataclass(frozen=True)
class Reduced:
    """A preset for a preview of one picture: `preset` does it at `size`; the render itself would be of size `full`."""

    preset: Preset
    size: Size
    full: Size
    on_the_way: bool
    """Whether the render has a scale of about this size; else the preview is a smaller picture of its own."""


def reduced(preset: Preset, source: Size, side_px: int) -> Reduced:
    """The preset as the beginning of the render of a picture of size `source`: about `side_px` on the longer side."""
    full = fit_within(source, preset.scales.max_side_px)
    ladder = scale_sizes(full, preset.scales.min_px)
    if full.longest_px <= side_px:
        return Reduced(preset, full, full, True)
    nearest = min(ladder, key=lambda size: abs(math.log(size.longest_px / side_px)))
    on_the_way = nearest.longest_px <= side_px * SCALE_STEP
    longest_px = nearest.longest_px if on_the_way else side_px
    size = fit_within(source, longest_px)
    # The first scale is the render's own: rounding must not bring in one below it, nor leave it out.
    first_px = ladder[0].longest_px - 1 if on_the_way else side_px
    scales = preset.scales.model_copy(update={"max_side_px": longest_px, "min_px": first_px})
    return Reduced(
        preset.model_copy(update={"scales": scales, **_as_weighed_at(preset, full, size)}),
        size,
        full,
        on_the_way,
    )


def sketched(preset: Preset, source: Size, side_px: int, steps: int) -> Reduced:
    """The first steps of a small picture of its own, `side_px` on the longer side: quicker than the render's nearest
    scale, which may be larger, and rougher."""
    full = fit_within(source, preset.scales.max_side_px)
    size = fit_within(full, side_px)
    first_steps = min(steps, preset.scales.first_steps)
    scales = preset.scales.model_copy(
        update={
            "max_side_px": size.longest_px,
            "min_px": max(size.longest_px, 16),
            "first_steps": first_steps,
        }
    )
    weighed = _as_weighed_at(preset, full, size)
    return Reduced(preset.model_copy(update={"scales": scales, **weighed}), size, full, False)


def _as_weighed_at(preset: Preset, full: Size, size: Size) -> dict[str, object]:
    """The content loss of 2015 is a sum over positions, its style loss none: what counts is their balance at the
    render's own size. All other losses are means."""
    if not statistic_of(preset.style.statistic).as_in_2015:
        return {}
    weight = preset.content.weight * full.area_px / size.area_px
    return {"content": preset.content.model_copy(update={"weight": weight})}
