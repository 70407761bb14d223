"""What a preset comes to at one instant of its timeline: weights of losses, and what its style is measured from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from framestyle.nst.objective import LossWeights, strength_factor
from framestyle.nst.statistics.base import Statistic
from framestyle.presets import Preset
from framestyle.presets.instants import Instant, looks_of
from framestyle.presets.schema import Color
from framestyle.presets.timeline import Look

MOST_STEPS = 2.0
"""So many times the steps of a warm frame are taken at the fastest pace."""
MOST_EVEN_STEPS = 4.0
"""The same where each frame ends when it has made its share of a change (`nst/optimise/even.py`)."""
FULL_PACE = 0.05
"""What changes by this much a frame, as from nothing to all in 20 frames, is as fast as what needs most steps."""


@dataclass(frozen=True)
class Ingredient:
    """A style image: of which look, 0 being the preset itself, which of its images, at which `style.scale`."""

    look: int
    image: int
    scale: float


Blend = tuple[tuple[Ingredient, float], ...]
"""Ingredients and their shares, which sum to 1."""


def haste(pace: float) -> float:
    """0 where nothing changes, 1 from the pace on that needs the most steps."""
    return min(1.0, pace / FULL_PACE)


def steps_at(steps: int, pace: float, *, is_even: bool = False) -> int:
    """Those of a warm frame at a pace of change (`Timeline.pace`). `is_even`: it ends when it has made its share."""
    most = MOST_EVEN_STEPS if is_even else MOST_STEPS
    return round(steps * (1 + (most - 1) * haste(pace)))


def weights_at(preset: Preset, instant: Instant, statistic: Statistic) -> LossWeights:
    """Blended by the shares of the looks; what a point says itself holds in their place."""
    # Strength in time is in place of the looks' own.
    looks: list[Preset | Look] = [preset, *looks_of(preset)]
    if instant.strength is not None:
        looks = [look.model_copy(update={"strength": instant.strength}) for look in looks]
    parts = list(zip((LossWeights.of(look, statistic) for look in looks), instant.looks, strict=True))
    if len(parts) == 1:
        ((found, _),) = parts
    else:
        found = LossWeights(
            sum(one.content * share for one, share in parts),
            sum(one.style * share for one, share in parts),
            sum(one.tv * share for one, share in parts),
            _mixed([(one.content_layers, share) for one, share in parts]),
            _mixed([(one.style_layers, share) for one, share in parts]),
        )
    if instant.content_weight is not None:
        strength = preset.strength if instant.strength is None else instant.strength
        factor = 1.0 if strength is None else strength_factor(strength)
        found = replace(found, content=instant.content_weight * factor)
    if instant.style_weight is not None:
        found = replace(found, style=instant.style_weight)
    return found


def layers_of(preset: Preset) -> tuple[list[str], list[str]]:
    """All content and all style layers that its looks need."""
    looks: list[Preset | Look] = [preset, *looks_of(preset)]
    content = dict.fromkeys(name for look in looks for name in look.content.layers)
    return list(content), list(dict.fromkeys(name for look in looks for name in look.style.layers))


def _mixed(parts: Sequence[tuple[Mapping[str, float], float]]) -> dict[str, float]:
    """Those with a weight."""
    names = dict.fromkeys(name for weights, share in parts if share > 0 for name in weights)
    return {name: sum(weights.get(name, 0.0) * share for weights, share in parts) for name in names}


def blends_at(
    preset: Preset, instant: Instant, regions: Sequence[tuple[int, int, int] | None]
) -> list[Blend]:
    """What each region's style is at an instant; looks are for every region."""
    own = preset.style.images
    weights = instant.images or tuple(image.weight for image in own)
    scales = instant.scales or ((preset.style.scale, 1.0),)
    blends = []
    for region in regions:
        of_region = [number for number, image in enumerate(own) if image.region_color == region]
        total = sum(weights[number] for number in of_region)
        found = {
            Ingredient(0, number, scale): instant.looks[0] * part * weights[number] / total
            for number in of_region
            for scale, part in scales
        }
        for place, look in enumerate(looks_of(preset), 1):
            in_all = sum(image.weight for image in look.style.images)
            found |= {
                Ingredient(place, number, look.style.scale): instant.looks[place] * image.weight / in_all
                for number, image in enumerate(look.style.images)
            }
        blends.append(tuple((one, share) for one, share in found.items() if share > 0))
    return blends


def region_factors(
    instant: Instant, regions: Sequence[tuple[int, int, int] | None], preset: Preset
) -> list[float] | None:
    """How far each region is painted; None: in full."""
    if not instant.regions:
        return None
    named = {str(image.region): image.region_color for image in preset.style.images}
    by_color = {named[name]: share for name, share in instant.regions if name in named}
    return [by_color.get(region, 1.0) for region in regions]


def colors_at(preset: Preset, instant: Instant) -> Color:
    """`color`, with the share of that time."""
    if instant.color_share is None:
        return preset.color
    return preset.color.model_copy(update={"share": instant.color_share})


def mix_at(preset: Preset, instant: Instant) -> float:
    """How much of the painted picture is shown."""
    return preset.mix if instant.mix is None else instant.mix
