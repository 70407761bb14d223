"""Transparency of a clip, and how often an animation is played, held against its source's."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from fractions import Fraction

import cv2
import numpy as np
import numpy.typing as npt

from framestyle.kinds import WHOLE_CLIP, TimeRange
from framestyle.media.animated import FOR_EVER
from framestyle.media.verify.clip import Clip, container_of
from framestyle.media.verify.verdict import DIFFERENCE, NOTE, Problem, summarized
from framestyle.media.video.codecs import ALPHA_CONTAINERS, CODECS
from framestyle.media.video.probe import VideoInfo
from framestyle.media.video.reader import VideoReader

SMALL_PX = 64
ALPHA_OFF = 0.06
"""Codecs may be off by so much of it, on average over a picture."""
LENGTH_OFF_S = Fraction(1, 50)
ALPHA_CODECS = {name for name, codec in CODECS.items() if codec.alpha} | {"webp_anim"}
"""By ffmpeg's names, which are ours but for WebP."""

Small = npt.NDArray[np.float32]


def animation_differences(
    result: VideoInfo, source: VideoInfo, span: TimeRange = WHOLE_CLIP
) -> Iterator[Problem]:
    """Whether it has its source's transparency, picture by picture, and is played as often."""
    index, holds = result.video_index, _holds_alpha(result)
    if source.has_alpha and not result.has_alpha:
        text = (
            "it has no transparency, the source has"
            if holds
            else "the source's transparency was laid over black"
        )
        yield Problem(DIFFERENCE if holds else NOTE, text, index)
    elif result.has_alpha and not source.has_alpha:
        yield Problem(DIFFERENCE, "it has transparency, the source has none", index)
    elif result.has_alpha:
        yield from summarized(list(_alpha_differences(result, source, span)), "{} further frames' is another")
    if result.plays is not None:
        wanted = FOR_EVER if source.plays is None else source.plays
        if result.plays != wanted:
            text = f"it is played {_times(result.plays)}, the source {_times(wanted)}"
            yield Problem(DIFFERENCE, text, index)
    elif source.plays is not None and source.plays > 1:
        yield Problem(
            NOTE, f"the source is played {_times(source.plays)}, which this container does not say", index
        )


def length_differences(result: Clip, wanted_s: Fraction) -> Iterator[Problem]:
    """Where WebP holds fewer frames: shown for as long as those that they stand for, which is `wanted_s` together."""
    frames, info = result.listing.pictures.frames, result.info
    if info.video_codec != "webp_anim" or not frames:
        return
    there_s = frames[-1].end_s - frames[0].at_s
    if abs(there_s - wanted_s) > LENGTH_OFF_S:
        text = f"it lasts {float(there_s):.3f} s, the source {float(wanted_s):.3f} s"
        yield Problem(DIFFERENCE, text, info.video_index)


def _holds_alpha(result: VideoInfo) -> bool:
    return result.video_codec in ALPHA_CODECS and container_of(result) in ALPHA_CONTAINERS


def _times(plays: int) -> str:
    return "for ever" if plays == FOR_EVER else "once" if plays == 1 else f"{plays} times"


def _alpha_differences(result: VideoInfo, source: VideoInfo, span: TimeRange) -> Iterator[Problem]:
    theirs = list(_alphas(source, span))
    if not theirs:
        return
    starts = [at for at, _ in theirs]
    first_s = starts[0]
    for number, (at, mine) in enumerate(_alphas(result, WHOLE_CLIP)):
        # Of what is shown then: WebP makes one of neighbours that are alike.
        place = bisect_right(starts, at + first_s + max(result.time_base, source.time_base)) - 1
        wanted = theirs[max(0, place)][1]
        if result.video_codec == "gif":
            wanted = (wanted >= 0.5).astype(np.float32)
        if np.abs(wanted - mine).mean() > ALPHA_OFF:
            text = f"frame {number}'s transparency is not the source's"
            yield Problem(DIFFERENCE, text, result.video_index, number, at)


def _alphas(info: VideoInfo, span: TimeRange) -> Iterator[tuple[Fraction, Small]]:
    """Each frame's, small, from 0 to 1."""
    with VideoReader(info.path, span) as reader:
        for frame in reader:
            if frame.alpha is not None:
                cover = frame.alpha.astype(np.float32) / np.float32(np.iinfo(frame.alpha.dtype).max)
                yield frame.pts, cv2.resize(cover, (SMALL_PX, SMALL_PX), interpolation=cv2.INTER_AREA)
