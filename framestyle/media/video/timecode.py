"""Timecodes: hours, minutes, seconds and frames that a clip's first picture has on the tape or in the edit."""

from __future__ import annotations

import re
from fractions import Fraction

MOST_FRAMES = 255
"""MP4 and MOV count a timecode's frames of a second in one byte."""
NTSC = Fraction(30000, 1001)
TIMECODE = re.compile(r"([0-9]{1,3}):([0-9]{1,3}):([0-9]{1,3})([:;.])([0-9]{1,3})")


def why_not_in_mp4(timecode: str, frame_rate: Fraction) -> str | None:
    """Why MP4 and MOV have no place for a timecode; None: they have."""
    found = TIMECODE.fullmatch(timecode)
    if found is None:
        return "it is none"
    if round(frame_rate) > MOST_FRAMES:
        return f"MP4 and MOV hold none above {MOST_FRAMES} frames a second"
    if found[4] != ":" and (frame_rate / NTSC).denominator != 1:
        return "MP4 and MOV drop frame numbers at multiples of 29.97 frames a second only"
    return None


def is_same_timecode(one: str | None, other: str, frame_rate: Fraction) -> bool:
    """Whether two stand for one frame, however they are written."""
    return one == other or (
        one is not None and later_timecode(one, 0, frame_rate) == later_timecode(other, 0, frame_rate)
    )


def later_timecode(timecode: str, frames: int, frame_rate: Fraction) -> str:
    """`01:00:00:00` by so many frames later. With `;` frame numbers are dropped: 2 a minute at 29.97, 4 at 59.94."""
    found = TIMECODE.fullmatch(timecode)
    if found is None:
        return timecode
    rate, drops = round(frame_rate), found[4] != ":"
    dropped = round(frame_rate / 15) if drops else 0
    minutes = int(found[1]) * 60 + int(found[2])
    number = (
        (minutes * 60 + int(found[3])) * rate + int(found[5]) - dropped * (minutes - minutes // 10) + frames
    )
    # Back: of every ten minutes, all but the first have `dropped` numbers less.
    tens, rest = divmod(number, 600 * rate - 9 * dropped)
    number += 9 * dropped * tens + (
        dropped * ((rest - dropped) // (60 * rate - dropped)) if rest > dropped else 0
    )
    seconds, frame = divmod(number, rate)
    hours = seconds // 3600 % 24
    return f"{hours:02}:{seconds // 60 % 60:02}:{seconds % 60:02}{found[4]}{frame:02}"
