"""What an input or a task is, and which part of a clip's time is meant. Loads nothing beyond the standard library."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from fractions import Fraction


class MediaKind(StrEnum):
    """What can be painted. Each is written as its value in JSON: manifests, events, reports.

    A sequence of numbered photos is a clip as a video is; a task of either is of the kind VIDEO.
    """

    PHOTO = "photo"
    VIDEO = "video"
    SEQUENCE = "sequence"


@dataclass(frozen=True)
class TimeRange:
    """A part of a clip, in seconds from its first frame: `start_s` <= t < `end_s`. None: no bound on that side."""

    start_s: Fraction | None = None
    end_s: Fraction | None = None

    @property
    def is_all(self) -> bool:
        """Whether it has no bounds, and is the whole clip."""
        return self.start_s is None and self.end_s is None

    def is_over(self, pts_s: Fraction) -> bool:
        """Whether a time lies at its end or after it."""
        return self.end_s is not None and pts_s >= self.end_s

    def holds(self, pts_s: Fraction) -> bool:
        """Whether a frame that is shown at this time is of the part."""
        return (self.start_s is None or pts_s >= self.start_s) and not self.is_over(pts_s)

    def from_frame(self, first_s: Fraction) -> TimeRange:
        """The same part, begun with its first frame and not between two; without a bound there, as it is."""
        return self if self.start_s is None else replace(self, start_s=first_s)

    def later(self, by_s: Fraction) -> TimeRange:
        """The same part on a clock that is ahead by so much; what has no bound keeps none."""
        start_s, end_s = (None if one is None else one + by_s for one in (self.start_s, self.end_s))
        return TimeRange(start_s, end_s)


WHOLE_CLIP = TimeRange()
