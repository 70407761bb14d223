"""Motion between frames of a shot, each pair measured once for as long as it may be asked for again."""

from __future__ import annotations

from framestyle.frames import Frame
from framestyle.motion.flow import Motion, OpticalFlow


class Measured:
    """Looking for a key frame and painting what lies before it ask for the same motions."""

    def __init__(self, flow: OpticalFlow) -> None:
        self._flow = flow
        self._known: dict[tuple[int, int], Motion] = {}
        """By the indices of the frame and of the other one."""

    def between(self, frame: Frame, other: Frame) -> Motion:
        """That leads from `frame` to `other`, of the same size."""
        pair = (frame.index, other.index)
        if pair not in self._known:
            self._known[pair] = self._flow(frame.pixels, other.pixels)
        return self._known[pair]

    def taken(self, frame: Frame, other: Frame) -> Motion:
        """The same, which is not asked for again."""
        found = self.between(frame, other)
        del self._known[frame.index, other.index]
        return found

    def forget(self, other: Frame) -> None:
        """What leads to it: no key frame comes to lie there."""
        self._known = {pair: motion for pair, motion in self._known.items() if pair[1] != other.index}

    def __len__(self) -> int:
        return len(self._known)
