"""The stylizer of each frame of a clip: with the mask that the frame brings along, at its time in the timeline."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from framestyle.frames import Frame
from framestyle.nst.image import to_tensor
from framestyle.nst.in_time import haste
from framestyle.nst.stylizer import Stylizer
from framestyle.presets.instants import REST, Passage, Timeline

LET_GO = 0.9
"""How much of what holds a picture to its first look is let go of in a frame where the style changes fastest."""

HELD_IN_A_CHANGE = 0.17
"""So much of the hold on the warped last frame is left while `strength` changes: how far a frame goes is measured."""
HELD_IN_A_FADE = 2.0
"""So much more it is where all else changes fastest: frames take twice the steps there, at the full rate."""


@dataclass(frozen=True, eq=False)
class FrameStylizers:
    """`timeline`: None where the style stays as it is."""

    stylizer: Stylizer
    timeline: Timeline | None = None

    def of(self, frame: Frame) -> Stylizer:
        """Of one frame."""
        found = self.stylizer if self.timeline is None else self.stylizer.at(self.timeline.at(frame.pts))
        return found if frame.mask is None else found.with_mask(to_tensor(frame.mask, found.device))

    def pace(self, pts: Fraction) -> float:
        """How fast the style changes there; see `Timeline.pace`."""
        return 0.0 if self.timeline is None else self.timeline.pace(pts)

    def passage(self, pts: Fraction) -> Passage:
        """What passes in that frame of a change of `strength`."""
        return REST if self.timeline is None else self.timeline.passage(pts)

    def rests(self, pts: Fraction) -> bool:
        """Whether a picture that is shown once more stays as it is."""
        return self.timeline is None or self.timeline.rests(pts)


def hold(pace: float, passage: Passage) -> float:
    """How far a frame is held near the warped last one, at a pace of change, as a part of what it is at rest."""
    return HELD_IN_A_CHANGE if passage.share else 1 + (HELD_IN_A_FADE - 1) * haste(pace)


def let_go(pace: float) -> float:
    """How much of the first look's hold is let go of at a pace of change: 0 where nothing changes."""
    return LET_GO * haste(pace)
