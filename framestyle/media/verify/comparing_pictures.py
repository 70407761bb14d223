"""Frames of a result, held against its source's: how many, when each is shown, their pixels' shape, depth, colours."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import zip_longest

from framestyle.media.verify.clip import Clip, container_of, is_constant, length_of_last
from framestyle.media.verify.verdict import DIFFERENCE, NOTE, Problem, shift, summarized
from framestyle.media.video.beside import lost_viewing
from framestyle.media.video.carried import SILENT_MUXERS
from framestyle.media.video.colors import SDR, Colors, is_rgb
from framestyle.media.video.encoding import HDR_BITS
from framestyle.media.video.ends import TOLERANCE_S
from framestyle.media.video.matroska import Mastering
from framestyle.media.video.probe import VideoInfo

NITS = 0.02
"""Luminances of an HDR master may be off by so much, or by this part of them."""


def frame_differences(result: Clip, wanted: Sequence[Fraction], source_tick_s: Fraction) -> Iterator[Problem]:
    """How many frames there are, and when each is shown. `wanted`: when the source's are, from the first one."""
    times, info = result.times, result.info
    if info.video_codec == "webp_anim" and len(times) < len(wanted):
        said = f"{len(times)} frames for {len(wanted)}"
        yield Problem(NOTE, f"{said}: WebP makes one of neighbours that are alike")
        wanted = [_nearest(wanted, at - times[0]) for at in times]
    elif len(times) != len(wanted):
        text = f"{len(times)} frames, the source has {len(wanted)}"
        yield Problem(DIFFERENCE, text, info.video_index, min(len(times), len(wanted)))
    allowed_s = max(info.time_base, source_tick_s)
    off = [
        Problem(
            DIFFERENCE,
            f"frame {n} is shown {shift(at - times[0] - meant)} than in the source",
            info.video_index,
            n,
            at,
        )
        for n, (at, meant) in enumerate(zip(times, wanted, strict=False))
        # The first frame is rounded too, from which the others are counted.
        if abs(at - times[0] - meant) > allowed_s + min(info.time_base, source_tick_s)
    ]
    yield from summarized(off, "{} further frames are shown at other times")


def last_frame_differences(
    result: Clip, source: Clip, chosen: Sequence[Fraction], end_s: Fraction | None, *, goes_on: bool
) -> Iterator[Problem]:
    """When the last frame is over.

    `chosen`: when the source's frames of the part are shown, from its first one; `end_s`: when the part ends;
    `goes_on`: whether the source has frames after it.
    """
    info, last_s = source.info, chosen[-1]
    rate_s, stated_s = 1 / info.frame_rate, length_of_last(source)
    if goes_on and end_s is not None:
        wanted_s = rate_s if is_constant(chosen, info) else end_s - last_s
    elif stated_s:
        stated_s = stated_s if end_s is None else min(stated_s, end_s - last_s)
        # Readers do not look for what is less than files tell of their lengths.
        wanted_s = rate_s if abs(stated_s - rate_s) <= TOLERANCE_S else stated_s
    else:
        return  # the source does not say
    there_s = length_of_last(result)
    if not there_s and wanted_s <= 2 * rate_s:
        return
    later_s = result.times[-1] - result.times[0] + there_s - (last_s - chosen[0] + wanted_s)
    if abs(later_s) > result.info.time_base + info.time_base + TOLERANCE_S:
        text = f"its last frame is over {shift(later_s)} than in the source"
        yield Problem(DIFFERENCE, text, result.info.video_index, len(result.times) - 1, result.times[-1])


def _nearest(times: Sequence[Fraction], at: Fraction) -> Fraction:
    """Of times in order."""
    after = bisect_left(times, at)
    return min(times[max(0, after - 1) : after + 1], key=lambda one: abs(one - at))


def pixel_differences(result: VideoInfo, source: VideoInfo, colors: Colors) -> Iterator[Problem]:
    """Shape of pixels, rotation, depth, colours."""
    index, muxer = result.video_index, container_of(result)
    across = source.sample_aspect_ratio
    if result.is_transformed:
        turned = (
            f"turned by {result.rotation_degrees}° or mirrored" if result.rotation_degrees else "mirrored"
        )
        yield Problem(DIFFERENCE, f"it is stored {turned}, not upright", index)
    if result.is_cropped:
        yield Problem(DIFFERENCE, "its container has players crop its pictures", index)
    if lost := lost_viewing(source.viewing, muxer):
        yield Problem(NOTE, lost, index)
    elif (result.viewing.stereo, result.viewing.pose) != (source.viewing.stereo, source.viewing.pose):
        text = f"its pictures are said to be {result.viewing}, the source's are {source.viewing}"
        yield Problem(DIFFERENCE, text, index)
    if muxer in SILENT_MUXERS:
        if across != 1:
            yield Problem(NOTE, f"{SILENT_MUXERS[muxer]} has square pixels, the source's are {across}", index)
        return
    if abs(result.sample_aspect_ratio / across - 1) > Fraction(1, 1000):
        yield Problem(
            DIFFERENCE, f"its pixels are {result.sample_aspect_ratio}, the source's {across}", index
        )
    if result.bit_depth < source.bit_depth:
        yield Problem(NOTE, f"{result.bit_depth} bits a channel, the source has {source.bit_depth}", index)
    yield from _colors(result, source, colors)


def _colors(result: VideoInfo, source: VideoInfo, colors: Colors) -> Iterator[Problem]:
    """By the tags that a result is meant to have."""
    if source.colors.hdr and not result.colors.hdr:
        yield Problem(NOTE, f"{source.colors.hdr} was made SDR", result.video_index)
        colors = SDR
    elif source.colors.hdr and result.bit_depth < HDR_BITS:
        yield Problem(
            DIFFERENCE, f"{source.colors.hdr} with {result.bit_depth} bits a channel", result.video_index
        )
    rgb = is_rgb(result.pixel_format, result.color_matrix)
    wanted = {
        "range": ("pc" if rgb else "tv", result.color_range),
        "matrix": ("gbr" if rgb else colors.matrix, result.color_matrix),
        "primaries": (colors.primaries, result.color_primaries),
        "transfer": (colors.transfer, result.color_transfer),
    }
    for name, (meant, there) in wanted.items():
        if there != meant:
            text = f"its colour {name} is {there or 'not tagged'}, and should be {meant}"
            yield Problem(DIFFERENCE, text, result.video_index)
    if (
        result.colors.hdr
        and source.mastering is not None
        and not _same_master(result.mastering, source.mastering)
    ):
        yield Problem(
            DIFFERENCE, "what the HDR master says of itself is not the source's", result.video_index
        )


def _same_master(one: Mastering | None, other: Mastering) -> bool:
    def numbers(said: Mastering) -> list[float | None]:
        rest = (said.luminance_min, said.luminance_max, said.max_cll, said.max_fall)
        return [*(said.chromaticities or ()), *rest]

    return one is not None and all(
        a is not None and b is not None and abs(a - b) <= NITS * max(1.0, abs(b)) if a != b else True
        for a, b in zip_longest(numbers(one), numbers(other))
    )
