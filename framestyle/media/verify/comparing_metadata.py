"""Chapters, metadata and timecode of a result, held against its source's."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from framestyle.media.verify.comparing_streams import Sync
from framestyle.media.verify.listing import parsed_metadata
from framestyle.media.verify.verdict import DIFFERENCE, NOTE, Problem, shift
from framestyle.media.video.carried import SILENT_MUXERS, chapters_within
from framestyle.media.video.metadata import (
    APPLE,
    MOV_MUXERS,
    NUMBERED_KEYS,
    keeps_as_apple,
    kept_metadata,
    own_metadata,
)
from framestyle.media.video.timecode import is_same_timecode, later_timecode, why_not_in_mp4

CHAPTER_S = Fraction(1, 50)


def chapter_differences(sync: Sync, first_s: Fraction) -> Iterator[Problem]:
    """Starts and titles."""
    if sync.muxer in SILENT_MUXERS:
        return
    wanted = sync.source.metadata.chapters
    if not sync.span.is_all:
        # As they are written: counted from the part's first frame.
        span = sync.span.from_frame(first_s).later(sync.source.info.video_start_s)
        wanted = parsed_metadata(chapters_within(sync.source.metadata.text, span)).chapters
    there = sync.result.metadata.chapters
    if len(there) != len(wanted):
        yield Problem(DIFFERENCE, f"{len(there)} chapters, the source has {len(wanted)}")
        return
    for number, (mine, theirs) in enumerate(zip(there, wanted, strict=True), 1):
        if abs(mine[0] - theirs[0]) > CHAPTER_S:
            text = f"chapter {number} begins {shift(mine[0] - theirs[0])} than in the source"
            yield Problem(DIFFERENCE, text, at_s=mine[0])
        if mine[2] != theirs[2]:
            text = f"chapter {number} is called {mine[2]!r}, in the source {theirs[2]!r}"
            yield Problem(DIFFERENCE, text, at_s=mine[0])


def metadata_differences(sync: Sync, first_s: Fraction) -> Iterator[Problem]:
    """What the file says of itself: title, place, camera, dates, timecode; as far as the container has a place."""
    muxer = sync.muxer
    if muxer in SILENT_MUXERS:
        return
    info, result = sync.source.info, sync.result.info
    there = own_metadata(result)
    wanted = kept_metadata(info, muxer, apple=keeps_as_apple(info, muxer))
    if lost := sorted(own_metadata(info).keys() - wanted.keys()):
        text = f"Metadata that {MOV_MUXERS[muxer]} has no place for was dropped: {', '.join(lost)}"
        yield Problem(NOTE, text)
    for key, value in {"title": None, **wanted}.items():
        mine, theirs = there.get(key), value
        if mine != theirs and not (mine and key in NUMBERED_KEYS):
            name = key.removeprefix(APPLE).replace("_", " ")
            yield Problem(
                DIFFERENCE, f"its {name} is {mine or 'not told'}, the source's {theirs or 'not told'}"
            )
    if info.timecode is not None:
        yield from _timecode_differences(sync, info.timecode, first_s)


def _timecode_differences(sync: Sync, wanted: str, first_s: Fraction) -> Iterator[Problem]:
    rate, there = sync.source.info.frame_rate, sync.result.info.timecode
    why_not = why_not_in_mp4(wanted, rate) if sync.muxer in MOV_MUXERS else None
    if why_not is not None:
        yield Problem(NOTE, f"The timecode {wanted} was dropped: {why_not}")
        return
    if sync.span.start_s:
        wanted = later_timecode(wanted, round(first_s * rate), rate)
    if not is_same_timecode(there, wanted, rate):
        yield Problem(DIFFERENCE, f"its timecode is {there or 'not told'}, and should be {wanted}")
