"""What came into the picture lately, painted coarse to fine while all else is held, as a first frame is.

At full size alone a few steps only colour it: they find no strokes that are broader than what they see at once.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch.nn.functional as F
from torch import Tensor

from framestyle.context import Context
from framestyle.nst.image import Size, resize, size_of
from framestyle.nst.objective import TemporalTarget
from framestyle.nst.optimise.state import PixelState
from framestyle.nst.stylizer import Stylizer

COARSE = 0.5
"""The size of it, as a part of the frame's: a step costs a quarter."""
LEAST_YOUNG = 0.003
"""Share of the picture below which it is left to the steps at full size."""
FULL_SHARE = 0.1
"""Share of the picture from which it takes all of its steps."""


@dataclass(frozen=True, eq=False)
class WarmStart:
    """A frame before its steps: what is painted (1CHW), the state that was carried to it, and what it is held near.

    `painted`, 11HW in [0, 1]: how far the steps behind each pixel are a full share of them.
    """

    stylizer: Stylizer
    content: Tensor
    state: PixelState
    targets: list[TemporalTarget]
    painted: Tensor


def coarse_steps(begun: WarmStart, most: int) -> int:
    """How many steps at the small size the frame is worth, by how much of it is young."""
    young = float((1 - begun.painted).mean())
    return 0 if young < LEAST_YOUNG else round(most * min(1.0, young / FULL_SHARE))


def paint_coarsely(begun: WarmStart, most: int, context: Context) -> int:
    """Up to `most` steps at the small size; what they change is brought to the state, by how young each pixel is.

    So fine strokes that are there already stay. Returns the steps taken.
    """
    steps, young, full = coarse_steps(begun, most), 1 - begun.painted, size_of(begun.content)
    if steps == 0:
        return 0
    size = Size(max(1, round(full.width * COARSE)), max(1, round(full.height * COARSE)))
    before = resize(begun.state.result(), size)
    small = PixelState.start(before)
    weight = begun.stylizer.preset.video.temporal_weight
    held = [TemporalTarget(before, resize(begun.painted, size), weight)]
    held += [_smaller(one, size) for one in begun.targets if one.cell_px != 1]
    content = resize(begun.content, size)
    taken = begun.stylizer.refine(content, small, held, context, steps=steps, anew=True).steps
    change = F.interpolate(small.result() - before, (full.height, full.width), mode="bicubic") * young
    state = begun.state
    state.image = (state.image + change).clamp_(0, 1)
    state.average = state.average + state.average_weight * change
    state.step_count = state.step_count + taken * young
    return taken


def _smaller(target: TemporalTarget, size: Size) -> TemporalTarget:
    """The same for a picture of this size; its cells are as large a part of that one."""
    cell_px = target.cell_px and max(2, round(target.cell_px * COARSE))
    return replace(
        target,
        warped=resize(target.warped, size),
        reliability=resize(target.reliability, size),
        cell_px=cell_px,
    )
