"""A change of `strength` that passes evenly: a frame ends where it has made its share of the way that is left."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from framestyle.nst.optimise.state import PixelState
from framestyle.nst.optimise.windows import EarlyStop

PAINTED = 0.12
"""The style distance of a picture painted in full, as a part of the content's own: 0.08 to 0.17 of clips measured."""
AHEAD = 1.4
"""So much more than its even share a frame may make, at first; the last ones then have the less to make. What the
content has to give way comes late: evenly in the style alone, it would leap at the end."""
LEAST_STEPS = 4
"""Of a frame that makes its share in fewer, some is taken back."""
MOST_LOOKS = 3
CLOSE = 0.05
"""A frame that differs from its share by no more than this part of it is left as it is."""
LEAST_MADE = 1e-9


def even_share(distance: float, of_content: float, share: float) -> float:
    """By how much a picture's style distance may change in a frame that is to make `share` of the way that is left.

    `share`: above 0 of the way to being painted in full, below 0 of the way back to the content.
    """
    left = abs(distance - (PAINTED * of_content if share > 0 else of_content))
    return AHEAD * abs(share) * left


class EvenStop(EarlyStop):
    """Stops where the frame has come as far as it may.

    Once strokes begin to show, a picture paints itself in a few frames, whatever its strength is: at which strength
    depends on the content, the style and the size, so that no course of strengths alone is even in all of them.
    `distance` measures a picture, that of `state` as it is shown; the way is looked at every few steps, and `land`
    takes back what was made too much.
    """

    window_steps = 2

    def __init__(
        self, state: PixelState, distance: Callable[[Tensor], float], of_content: float, share: float
    ) -> None:
        super().__init__(LEAST_STEPS, 0.0)
        self._state, self._distance = state, distance
        self._began = [part.clone() for part in _shown_parts(state)]
        self._before = distance(state.result())
        self._may = even_share(self._before, of_content, share)

    @property
    def _made(self) -> float:
        return abs(self._distance(self._state.result()) - self._before)

    def reached(self, step: int, totals: tuple[float, ...]) -> bool:
        return step >= self.min_steps and self._made >= self._may

    def land(self) -> None:
        """The state goes back to where it has made its share, straight along the way from where it began; in place."""
        part_of_way = 1.0
        for _ in range(MOST_LOOKS):
            made = self._made
            is_at_its_end = part_of_way == 1.0 and made <= self._may
            if is_at_its_end or abs(made - self._may) <= CLOSE * self._may:
                return
            further = min(self._may / max(made, LEAST_MADE), 1 / part_of_way)
            part_of_way *= further
            for began, part in zip(self._began, _shown_parts(self._state), strict=True):
                part.copy_(began.lerp(part, further))


def _shown_parts(state: PixelState) -> tuple[Tensor, ...]:
    """What the picture is shown from, and goes on from."""
    return state.image, state.average, state.average_weight
