"""A change of `strength` that passes evenly: a frame ends when it has made its share of the way that is left."""

from __future__ import annotations

from collections.abc import Callable

from framestyle.nst.optimise.windows import EarlyStop

PAINTED = 0.12
"""The style distance of a picture painted in full, as a part of the content's own: 0.08 to 0.17 of clips measured."""
AHEAD, AHEAD_AT_LAST = 1.25, 1.55
"""So much more than its even share a frame may make, at first and where none is left: those before it may have come
late, and what the content has to give way comes after what shows of the style."""


def even_share(distance: float, of_content: float, share: float) -> float:
    """By how much a picture's style distance may change in a frame that is to make `share` of the way that is left.

    `share`: above 0 of the way to being painted in full, below 0 of the way back to the content.
    """
    painted = PAINTED * of_content
    left = abs(distance - (painted if share > 0 else of_content))
    passed = 1 - min(1.0, left / max(of_content - painted, 1e-9))
    return (AHEAD + (AHEAD_AT_LAST - AHEAD) * passed) * abs(share) * left


class EvenStop(EarlyStop):
    """Stops where the frame has come as far as it may; after `least_steps`.

    Once strokes begin to show, a picture paints itself in a few frames, whatever its strength is: at which strength
    depends on the content, the style and the size, so that no course of strengths alone is even in all of them.
    `distance` measures the picture as it is shown; the way is looked at every few steps.
    """

    window_steps = 2

    def __init__(
        self, least_steps: int, distance: Callable[[], float], of_content: float, share: float
    ) -> None:
        super().__init__(least_steps, 0.0)
        self._distance, self._before = distance, distance()
        self._may = even_share(self._before, of_content, share)
        self._made: float | None = None

    def reached(self, step: int, totals: tuple[float, ...]) -> bool:
        if step < self.min_steps - self.window_steps / 2:
            return False
        last, self._made = self._made, abs(self._distance() - self._before)
        gain = self._made * self.window_steps / step if last is None else self._made - last
        return self._made + gain / 2 >= self._may
