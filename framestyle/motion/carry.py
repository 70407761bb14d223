"""What one frame takes over from frames before it: the optimiser's whole state, moved along the motion.

Where the warp cannot be trusted, pixels start from the content and everything that was remembered of them is dropped.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from framestyle.motion.by_region import mended
from framestyle.motion.flow import Motion
from framestyle.motion.sampling import Sampler, blurred, sampler
from framestyle.nst.matching import matches_that_hold
from framestyle.nst.objective import TemporalTarget
from framestyle.nst.optimise.state import PixelState
from framestyle.nst.regions import apart
from framestyle.nst.stylizer import Stylized

FILL_SIGMA_PX = 12.0
"""How far colours are gathered from the reliable surroundings when disoccluded content is matched to them."""
SAME_BELOW, CHANGED_ABOVE = 0.03, 0.09
"""Between these differences of the content along the motion, blurred, the steps behind a pixel fade out: what is
lit anew or changes its shape must be free to follow. Sensor noise of 2/255 makes 0.01, resampling up to 0.02."""
CHANGE_SIGMA_PX = 1.5
ALIKE_SHARE = 0.25
"""How much of that range the content may differ by where strokes are taken over although the flow is vague: with all of
it, what came out from behind a thing was painted in the thing's own strokes."""
LEVEL_SHARE, LEVEL_FOLLOWS = 0.1, 0.5
"""The mean colour's part of the drift penalty, and how far it follows the content's: frames stylized one by one
followed it by half on a pan (-1.9 levels for -3.6)."""
REGION_STAYS, REGION_CHANGES = 0.3, 0.7
"""Between these shares of it that belong to another region than before, a pixel comes to be a new one: soft edges, and
what codecs make of hard ones, shift by less from frame to frame."""
DRIFT_CELLS = 12
"""Cells along the longer side whose mean colours the drift penalty holds: far broader than strokes; these stay free."""

Motions = Mapping[int, Motion]
"""Distance in frames -> the motion from that much earlier frame of the same shot, nearest first."""


@dataclass(frozen=True, eq=False)
class Painted:
    """A finished frame: the content it was made from, and the result with its state; the anchor, 1CHW, is how each
    part of the scene looked when it had had its first full share of steps; the level, 1311, the mean colour to keep."""

    content: Tensor
    result: Stylized
    anchor: Tensor
    level: Tensor
    regions: Tensor = field(default_factory=lambda: torch.zeros((1, 0, 1, 1)))
    """How far each pixel belonged to each region, 1RHW; without regions R is 0."""

    @classmethod
    def first(cls, content: Tensor, result: Stylized, regions: Tensor | None = None) -> Painted:
        """Of a shot: it is its own anchor."""
        shown = result.state.result()
        level = shown.mean((2, 3), keepdim=True)
        return cls(content, result, shown, level, kept_regions(content, regions))


def kept_regions(content: Tensor, regions: Tensor | None) -> Tensor:
    """As a `Painted` keeps them."""
    return content.new_zeros((1, 0, 1, 1)) if regions is None else regions


@dataclass(frozen=True, eq=False)
class Moved:
    """An earlier frame as it looks from the current one; maps are 11HW in [0, 1]."""

    before: Painted
    seen: Sampler
    """Of what belongs to the earlier frame, from the current one."""
    trusted: Tensor
    """How far the warp can be trusted."""
    same: Tensor
    """How far it leads to what the frame shows."""
    shown: Tensor
    """The result, 1CHW, sharp."""
    step_count: Tensor
    """The steps behind each pixel: none where the warp cannot be trusted or the content is not what it was."""


def move(before: Painted, content: Tensor, motion: Motion, regions: Tensor | None = None) -> Moved:
    """Along the motion to the frame that shows `content`, 1CHW, whose `regions` lie there, 1RHW.

    What comes to lie in another region is as little to be trusted as what comes out from behind something. Beside edges
    that move, the motion is that of each region's inside.
    """
    if regions is not None:
        motion = mended(motion, before.regions, regions, before.content, content)
    seen = sampler(motion.backward, content.device)
    trusted = torch.from_numpy(motion.reliability)[None, None].to(content.device)
    state = before.result.state.by_pixel()
    moved = seen.smooth(torch.cat([state.step_count, before.content], 1))
    same = shows_the_same(moved[:, 1:], content, seen)
    if regions is not None and before.regions.shape[1] == regions.shape[1]:
        stays = _stays_inside(seen.smooth(before.regions), regions)
        trusted, same = trusted * stays, same * stays
    shown = seen.sharp(state.result()).clamp(0, 1)
    return Moved(before, seen, trusted, same, shown, moved[:, :1] * trusted * same)


def shows_the_same(moved: Tensor, content: Tensor, seen: Sampler) -> Tensor:
    """How far an earlier content, moved to the frame that shows `content`, 1CHW, is the same: 11HW in [0, 1]."""
    change = blurred((moved - content).abs().mean(1, keepdim=True), CHANGE_SIGMA_PX)
    return ((CHANGED_ABOVE - change) / (CHANGED_ABOVE - SAME_BELOW)).clamp(0, 1) * seen.inside


def alike(same: Tensor) -> Tensor:
    """How far strokes may be taken over although the flow is vague, by how far the content is the same."""
    return (1 - (1 - same) / ALIKE_SHARE).clamp_min(0)


def _stays_inside(before: Tensor, regions: Tensor) -> Tensor:
    """How far each pixel lies in the regions that it lay in, 11HW in [0, 1]."""
    return ((REGION_CHANGES - apart(before, regions)) / (REGION_CHANGES - REGION_STAYS)).clamp(0, 1)


def carry(moved: Moved, content: Tensor, *, moments: bool = True, average: bool = True) -> PixelState:
    """The optimiser's whole state carried along the motion to the current frame.

    Where the warp is unreliable the moments are forgotten, so that such pixels are free to move. They start from the
    warp where it leads to like content all the same (beside moving things the flow is vague, and sky is sky): strokes
    in the wrong place are mended sooner than none. Elsewhere they are the content in the stylized surroundings'
    colours, without an average to hold them back. Without `moments` Adam starts anew from the warped pixels; without
    `average` so does the average of the iterates.
    """
    state, trusted, seen = moved.before.result.state, moved.trusted, moved.seen
    fill = matched_fill(content, moved.shown, trusted)
    painted = trusted.maximum(alike(moved.same))
    total_weights = seen.smooth(state.total_weights)
    if average:
        # The pixels that are optimised: a result may have got back the content's colours.
        pictures = seen.sharp(torch.cat([state.image, state.average], 1))
        carried = PixelState.start(fill.lerp(pictures[:, :3].clamp(0, 1), painted)).by_pixel()
        carried.average = painted * pictures[:, 3:]
        carried.total_weights[:, 2:] = painted * total_weights[:, 2:]
    else:
        # What was shown is the average; the iterate beside it is noisier.
        carried = PixelState.start(fill.lerp(moved.shown, painted)).by_pixel()
    if moments:
        # Moments are not pictures: linear keeps the second one from ringing below zero.
        both = torch.cat([state.mean, state.square], 1)
        warped = trusted * seen.smooth(both)
        carried.mean, carried.square = warped[:, :3], warped[:, 3:].clamp_min(0)
        carried.total_weights[:, :2] = trusted * total_weights[:, :2]
    carried.step_count = moved.step_count
    if state.matches.shape[1]:
        # Where the place is what it was it stays matched with the same of the style's: else pictures boil.
        carried.matches = matches_that_hold(seen.nearest(state.matches), trusted * moved.same)
    return carried


def temporal_targets(
    earlier: Mapping[int, Moved], full_step_count: int, weight: float
) -> list[TemporalTarget]:
    """What the frame should stay near: earlier frames, by their distance, moved to it.

    Each counts only where no nearer one does: c_long(j) = max(c(j) - Σ_{k<j} c(k), 0) (Ruder 2016, eq. 9), so that what
    comes out from behind something looks as it did before. Beyond the paper, a pixel counts in full only after
    `full_step_count`: one that came into the picture lately is half painted, and would be held so.
    """
    targets: list[TemporalTarget] = []
    nearer: Tensor | float = 0.0
    for _, moved in sorted(earlier.items()):
        counts = (moved.trusted - nearer).clamp_min(0) * share_of_steps(moved.step_count, full_step_count)
        targets.append(TemporalTarget(moved.shown, counts, weight))
        nearer = nearer + moved.trusted
    return targets


def share_of_steps(step_count: Tensor, full_step_count: int) -> Tensor:
    """How far the steps behind each pixel are a full share of them: 11HW in [0, 1]."""
    return (step_count / max(1, full_step_count)).clamp(0, 1)


def moved_anchor(moved: Moved) -> Tensor:
    """The anchor as it looks from the current frame, 1CHW.

    It is what keeps colours from creeping: each frame may differ from the one before by next to nothing, always the
    same way, but not from how the place looked at first. It holds by the `share_of_steps`.
    """
    return moved.seen.sharp(moved.before.anchor).clamp(0, 1)


def drift_penalties(
    anchor: Tensor, holds: Tensor, level: Tensor, weight: float, level_holds: float = 1.0
) -> list[TemporalTarget]:
    """The broad colours of the anchor, and the frame's mean colour, as targets.

    The style loss hardly tells a darker picture from a lighter one: what is newly painted would make up for what is
    held, and the mean of a panning shot wander off (by ten levels in twenty frames, measured).
    """
    cell_px = max(2, max(anchor.shape[2:]) // DRIFT_CELLS)
    mean_colour = level.expand_as(anchor)
    return [
        TemporalTarget(anchor, holds, weight, cell_px),
        TemporalTarget(mean_colour, torch.full_like(holds, level_holds), weight * LEVEL_SHARE, 0),
    ]


def followed_level(before: Painted, content: Tensor) -> Tensor:
    """The mean colour that the frame should have, 1311: the shot's at first, following the content's half way."""
    change = content.mean((2, 3), keepdim=True) - before.content.mean((2, 3), keepdim=True)
    return before.level + LEVEL_FOLLOWS * change


def matched_fill(content: Tensor, stylized: Tensor, trusted: Tensor) -> Tensor:
    """The content with its local mean colour moved to that of the trusted stylized pixels around."""
    if bool((trusted > 0.999).all()):
        return content
    weight = blurred(trusted, FILL_SIGMA_PX)
    offset = blurred((stylized - content) * trusted, FILL_SIGMA_PX) / (weight + 1e-3)
    return (content + offset).clamp(0, 1)
