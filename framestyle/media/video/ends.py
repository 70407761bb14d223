"""Where a clip ends: its last packets, which tell what its head only promises, and how long the last frame is shown."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

from framestyle.media.ffmpeg import FFmpegDecoder, input_arguments
from framestyle.media.video.probe import VideoInfo

TOLERANCE_S = Fraction(1, 100)
"""ffmpeg tells a file's length in hundredths of a second."""
HEAD_TICK_S = Fraction(2, 1000)
"""Heads of MP4 count in milliseconds, mostly."""
ROUNDED_S = Fraction(1, 1000)
"""Containers that count in milliseconds, and heads, are off by as much."""
MICROSECOND = Fraction(1, 1_000_000)
"""In which ffmpeg tells when streams start."""
NOT_SHOWN = 0x4
"""ffmpeg's flag of packets that are decoded and not shown, as an edit list says."""
TIMED = ("video", "audio", "subtitle")
_BASE = re.compile(rb"#tb ([0-9]{1,4}): ([0-9]{1,12})/([0-9]{1,12})\s*$")
_ROW = re.compile(
    rb"([0-9]{1,4}), *-?[0-9]{1,19}, *(-?[0-9]{1,19}), *([0-9]{1,19}), *[0-9]{1,12}, 0x[0-9a-f]{8}"
    rb"(?:, F=0x([0-9A-F]+))?"
)


@dataclass(frozen=True)
class Ends:
    """Of a whole file, from its packets, none decoded; in seconds from its start.

    `packets`: how many the pictures have, of which `not_shown` are only needed by others; `last_s`, `last_length_s`:
    when the last picture is shown, and for how long, 0 where that is not said; `end_s`: when the last packet of all
    streams is over.
    """

    packets: int
    not_shown: int
    last_s: Fraction
    last_length_s: Fraction
    end_s: Fraction


def find_ends(info: VideoInfo) -> Ends:
    """Reads all of the file."""
    timed = [one.index for one in info.streams if one.kind in TIMED and not one.is_cover]
    timed.sort(key=lambda index: index != info.video_index)
    mapped = [argument for index in timed for argument in ("-map", f"0:{index}")]
    listed = ("-c", "copy", "-copy_unknown", "-f", "framecrc", "-")
    process = FFmpegDecoder([*input_arguments(info.path), *mapped, *listed])
    bases: dict[int, Fraction] = {}
    last = length = end = Fraction(0)
    count = not_shown = 0
    try:
        for line in process.output:
            if found := _BASE.match(line):
                bases[int(found[1])] = Fraction(int(found[2]), int(found[3]) or 1)
            elif found := _ROW.match(line):
                base = bases.get(int(found[1]), Fraction(0))
                at, for_s = int(found[2]) * base, int(found[3]) * base
                end = max(end, at + for_s)
                if int(found[1]) == 0:  # the pictures are mapped first
                    count += 1
                    not_shown += bool(int(found[4] or b"0", 16) & NOT_SHOWN)
                    last, length = max((last, length), (at, for_s))
    finally:
        process.kill()
    return Ends(count, not_shown, last, length, end)


def stated_length(info: VideoInfo, ends: Ends, last_s: Fraction) -> Fraction:
    """How long a file shows its last picture, which comes at `last_s`, from the first one; 0 where it does not say.

    MP4 says lengths in the order in which pictures are decoded; its head says when the last one is over. Where packets
    are missing, that is not the last one.
    """
    last_s += info.video_start_s
    if info.duration_is_measured or abs(ends.last_s - last_s) > 2 * info.time_base + MICROSECOND:
        return Fraction(0)
    by_head = info.frame_count_is_counted and ends.packets >= (info.frame_count_estimate or 0)
    if by_head and info.video_end_s is not None:
        left_s = info.video_end_s - last_s
        if left_s > 0 and abs(left_s - ends.last_length_s) > HEAD_TICK_S:
            return left_s
    return ends.last_length_s


def may_be_held(info: VideoInfo, last_s: Fraction) -> bool:
    """Whether the file lasts until another time than that at which its last frame, from the first one, is over at the
    clip's rate."""
    promised_s = info.video_end_s or info.duration_s
    if promised_s is None:
        return True
    if info.duration_is_measured:
        return False
    return abs(promised_s - info.video_start_s - last_s - 1 / info.frame_rate) > TOLERANCE_S


def last_length(
    info: VideoInfo, last_s: Fraction, stated_s: Fraction, end_s: Fraction | None, *, constant: bool
) -> Fraction | None:
    """How long a part's last frame is shown, which is shown at `last_s`. None: as long as any, or not to be known.

    `stated_s`: how long the file shows it, 0 where it does not say; `end_s`: when the part is over, None: at the file's
    end.
    """
    if end_s is not None and last_s + stated_s > end_s:
        stated_s = end_s - last_s
    if not constant:
        return stated_s or None
    frames = max(1, round(stated_s * info.frame_rate))
    if abs(stated_s - frames / info.frame_rate) <= ROUNDED_S:
        stated_s = frames / info.frame_rate
    return stated_s if stated_s and stated_s != 1 / info.frame_rate else None
