"""Chapters, title and timecode of a result, held against its source's."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from framestyle.media.verify.comparing_streams import Sync
from framestyle.media.verify.listing import parsed_words
from framestyle.media.verify.verdict import DIFFERENCE, Problem, shift
from framestyle.media.video.carried import SILENT_MUXERS, chapters_within, later_timecode

CHAPTER_S = Fraction(1, 50)


def chapter_differences(sync: Sync, first_s: Fraction) -> Iterator[Problem]:
    """Starts and titles."""
    if sync.muxer in SILENT_MUXERS:
        return
    wanted = sync.source.words.chapters
    if not sync.span.is_all:
        # As they are written: counted from the part's first frame.
        span = sync.span.from_frame(first_s).later(sync.source.info.video_start_s)
        wanted = parsed_words(chapters_within(sync.source.words.text, span)).chapters
    there = sync.result.words.chapters
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
    """The file's title, and its timecode."""
    if sync.muxer in SILENT_MUXERS:
        return
    mine, theirs = sync.result.words.values.get("title"), sync.source.words.values.get("title")
    if mine != theirs:
        yield Problem(DIFFERENCE, f"its title is {mine or 'not told'}, the source's {theirs or 'not told'}")
    info = sync.source.info
    if info.timecode is None:
        return
    wanted = info.timecode
    if sync.span.start_s:
        wanted = later_timecode(wanted, round(first_s * info.frame_rate), info.frame_rate)
    there = sync.result.info.timecode or sync.result.words.values.get("timecode")
    if there != wanted:
        yield Problem(DIFFERENCE, f"its timecode is {there or 'not told'}, and should be {wanted}")
