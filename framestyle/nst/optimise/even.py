"""A change of `strength` that passes evenly: a frame ends where it has made its share of the way that is left."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import NamedTuple

from torch import Tensor

from framestyle.nst.optimise.state import PixelState
from framestyle.nst.optimise.windows import EarlyStop
from framestyle.presets.instants import Passage

PAINTED = 0.12
"""The style distance of a picture painted in full, as a part of the content's own: 0.08 to 0.17 of clips measured."""
AHEAD = 1.36
"""So much more than its even share a frame may make, at first; the last ones then have the less to make. What the
content has to give way comes late: evenly in the style alone, it would leap at the end."""
CONTENT_AHEAD, CONTENT_FROM = 1.45, 0.7
"""So much more than the frames before it in the mean a frame may take from the content, once so much of the time of the
change has passed: how far the content gives way in the end is not known before."""
LEAST_STEPS = 4
"""Of a frame that makes its share in fewer, some is taken back."""
MOST_LOOKS = 3
CLOSE = 0.05
"""A frame that differs from its share by no more than this part of it is left as it is."""
LEAST_MADE = 1e-9


class Distances(NamedTuple):
    """A picture's from the style and from the content."""

    style: float
    content: float

    @classmethod
    def of(cls, parts: Mapping[str, float | Tensor]) -> Distances:
        """Weighted losses by name."""
        return cls(float(parts["style"]), float(parts["content"]))


def even_shares(now: Distances, of_content: float, passage: Passage) -> Distances:
    """By how much each distance may change in a frame that is to make its share of the way that is left.

    `of_content`: the style distance of the content itself.
    """
    share, before = passage
    left = abs(now.style - (PAINTED * of_content if share > 0 else of_content))
    is_late = share > 0 and before > CONTENT_FROM * (before + 1 / share)
    content = CONTENT_AHEAD * now.content / before if is_late else math.inf
    return Distances(AHEAD * abs(share) * left, content)


class EvenStop(EarlyStop):
    """Stops where the frame has come as far as it may.

    Once strokes begin to show, a picture paints itself in a few frames, whatever its strength is: at which strength
    depends on the content, the style and the size, so that no course of strengths alone is even in all of them.
    `measure` looks at a picture, that of `state` as it is shown; the way is looked at every few steps, and `land` takes
    back what was made too much.
    """

    window_steps = 2

    def __init__(
        self, state: PixelState, measure: Callable[[Tensor], Distances], of_content: float, passage: Passage
    ) -> None:
        super().__init__(LEAST_STEPS, 0.0)
        self._state, self._measure = state, measure
        self._began = [part.clone() for part in _shown_parts(state)]
        self._before = measure(state.result())
        self._may = even_shares(self._before, of_content, passage)

    def _made(self) -> float:
        """How far the frame has come, in the one of both distances that has come farther; 1: as far as it may."""
        now = self._measure(self._state.result())
        return max(
            abs(one - before) / max(may, LEAST_MADE)
            for one, before, may in zip(now, self._before, self._may, strict=True)
        )

    def reached(self, step: int, totals: tuple[float, ...]) -> bool:
        return step >= self.min_steps and self._made() >= 1

    def land(self) -> None:
        """The state goes back to where it has made its share, straight along the way from where it began; in place."""
        part_of_way = 1.0
        for _ in range(MOST_LOOKS):
            made = self._made()
            if (part_of_way == 1 and made <= 1) or abs(made - 1) <= CLOSE:
                return
            further = min(1 / max(made, LEAST_MADE), 1 / part_of_way)
            part_of_way *= further
            for began, part in zip(self._began, _shown_parts(self._state), strict=True):
                part.copy_(began.lerp(part, further))


def _shown_parts(state: PixelState) -> tuple[Tensor, ...]:
    """What the picture is shown from, and goes on from."""
    return state.image, state.average, state.average_weight
