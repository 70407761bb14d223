"""When the points of a timeline are in one clip, in seconds; and what the user should know of that. Loads no torch."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from framestyle.errors import InputError
from framestyle.events import Note
from framestyle.presets import Preset
from framestyle.presets.instants import Instant, Timeline
from framestyle.presets.timeline import TimelinePoint

if TYPE_CHECKING:
    from framestyle.jobs.plan.survey import Survey


@dataclass(frozen=True)
class ClipTimes:
    """What times of a clip are known: how long it is, and when its shots begin; None where it is not known before.

    Of a whole clip, whichever part of it is painted.
    """

    frame_rate: Fraction
    length_s: Fraction | None = None
    starts_s: tuple[Fraction, ...] | None = None

    @classmethod
    def of(cls, whole: Survey) -> ClipTimes:
        """As the survey of the whole clip found it."""
        rate = whole.info.frame_rate
        length_s = whole.last_frame[1] if whole.last_frame else 1 / rate
        return cls(rate, whole.last[1] + length_s, whole.starts_s)


def point_times(
    preset: Preset, source: Path, clip: ClipTimes
) -> tuple[tuple[Fraction, ...], tuple[Note, ...]]:
    """Of each point, in order; and notes on those that lie outside of the clip.

    InputError where points do not come one after another in this clip, or one needs what is not known of it.
    """
    times_s = tuple(_time_of(point, number, source, clip) for number, point in enumerate(preset.timeline))
    for number, (before_s, at_s) in enumerate(pairwise(times_s), 1):
        if at_s <= before_s:
            one, other = preset.timeline[number - 1].at, preset.timeline[number].at
            raise InputError(
                f"timeline.{number}: {other} is at {_told(at_s)} of {source}, and {one}, which stands before it, at "
                f"{_told(before_s)}",
                next_step="Put the points of the timeline in the order of their times.",
            )
    return times_s, tuple(_outside(preset, times_s, source, clip))


def _time_of(point: TimelinePoint, number: int, source: Path, clip: ClipTimes) -> Fraction:
    when = point.when
    if when.kind == "s":
        return when.number
    if when.kind == "frame":
        return when.number / clip.frame_rate
    if when.kind == "%":
        if clip.length_s is None:
            raise _not_known(point, number, source, "how long it is")
        return when.number / 100 * clip.length_s
    if clip.starts_s is None:
        raise _not_known(point, number, source, "where its cuts are")
    if when.number > len(clip.starts_s):
        count = len(clip.starts_s)
        raise InputError(
            f"timeline.{number}: there is no {point.at} in {source}: it has {count} shot{'s' if count > 1 else ''}",
            next_step="Give the point a time in seconds, or another shot.",
        )
    return clip.starts_s[int(when.number) - 1]


def _not_known(point: TimelinePoint, number: int, source: Path, what: str) -> InputError:
    return InputError(
        f"timeline.{number}: {point.at} of {source}: {what} is not known before it was read",
        next_step="Give the point a time in seconds or frames.",
    )


def photo_instant(preset: Preset, source: Path, share: Fraction) -> Instant | None:
    """What holds for a photo that stands at `share`, 0 to 1, of all; None where nothing changes in time.

    InputError where a point is at another time than a percentage.
    """
    for number, point in enumerate(preset.timeline):
        if point.when.kind != "%":
            raise InputError(
                f"timeline.{number}: {point.at} of {source}: a photo has no time",
                next_step="Give points percentages: they count over the photos, in order.",
            )
    times = [point.when.number / 100 for point in preset.timeline]
    timeline = Timeline.of(preset, times, Fraction(1))
    return None if timeline is None else timeline.at(share)


def _outside(preset: Preset, times_s: tuple[Fraction, ...], source: Path, clip: ClipTimes) -> list[Note]:
    if clip.length_s is None:
        return []
    late = [point.at for point, at_s in zip(preset.timeline, times_s, strict=True) if at_s > clip.length_s]
    if not late:
        return []
    are = "points lie" if len(late) > 1 else "point lies"
    return [
        Note(
            f"{source} is {_told(clip.length_s)} long: the timeline's {are} after its end ({', '.join(late)}).",
            "warning",
        )
    ]


def _told(at_s: Fraction) -> str:
    return f"{float(at_s):.3f} s"
