"""A result held against its source: frames, times, streams, sync, shape, colours. What is announced is a note."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

from framestyle.errors import FramestyleError, InputError
from framestyle.kinds import WHOLE_CLIP, MediaKind, TimeRange
from framestyle.media.files import sniff
from framestyle.media.verify.checking import OnProgress, clip_report, open_whole, unreadable, verify
from framestyle.media.verify.clip import Clip
from framestyle.media.verify.comparing_animation import animation_differences, length_differences
from framestyle.media.verify.comparing_metadata import chapter_differences, metadata_differences
from framestyle.media.verify.comparing_pictures import (
    frame_differences,
    last_frame_differences,
    pixel_differences,
)
from framestyle.media.verify.comparing_stills import shape_differences
from framestyle.media.verify.comparing_streams import Sync, inherited_streams, stream_differences
from framestyle.media.verify.damage import damage_of
from framestyle.media.verify.pictures import (
    compare_numbers,
    compare_photo,
    compare_with_sequence,
    hdr_differences,
    numbers_within,
)
from framestyle.media.verify.verdict import DAMAGE, DIFFERENCE, KIND_NAMES, NOTE, Problem, Report
from framestyle.media.video.clips import clip_info
from framestyle.media.video.colors import written_as
from framestyle.media.video.description import exact_rate
from framestyle.media.video.probe import VideoInfo
from framestyle.media.video.reader import VideoReader, snapped
from framestyle.media.video.sequences import NO_FILES, SequenceReader, numbering_of
from framestyle.presets.schema import Video

DEFAULT_RATE = exact_rate(Video().sequence_rate)
"""Of image sequences, where nothing says another."""


def verify_against(
    path: Path, source: Path, span: TimeRange = WHOLE_CLIP, on_progress: OnProgress | None = None
) -> Report:
    """What is wrong with the file, and where it is not what its source asks for. InputError if that is unreadable.

    `span`: which time of the source the file is of.
    """
    kind, source_kind = _kind(path), _kind(source)
    if source_kind is None:
        sniff(source)  # says why, but of a folder
        raise InputError(f"{source} is a folder", next_step="Name the file that the result was made of.")
    if kind is None:
        return verify(path)
    if MediaKind.PHOTO in (kind, source_kind):
        return _with_a_photo(path, kind, source, source_kind, on_progress)
    if kind is MediaKind.SEQUENCE:
        return _sequence_against(path, source, span, on_progress)
    try:
        clip = open_whole(path, on_progress=on_progress)
    except FramestyleError as error:
        return unreadable(path, error)
    report = clip_report(clip, alone=False)
    if not clip.listing.pictures.frames:
        return report
    if source_kind is MediaKind.SEQUENCE:
        report.problems += _against_sequence(clip, source, span)
        return report
    given = open_whole(source, strict=False, on_progress=on_progress)
    inherited = _inherited_streams(clip, given, span)
    report.problems = [
        replace(one, kind=NOTE, text=f"{one.text}; the source has it, too")
        if _is_inherited(one, inherited)
        else one
        for one in report.problems
    ]
    report.problems += compared(clip, given, span)
    return report


def _with_a_photo(
    path: Path,
    kind: MediaKind,
    source: Path,
    source_kind: MediaKind,
    on_progress: OnProgress | None,
) -> Report:
    """Where one of the two is a photo: both have to be."""
    report = verify(path, on_progress)
    if source_kind is MediaKind.VIDEO and path.suffix.lower() == ".webp":
        report.problems.append(Problem(NOTE, "one picture: WebP makes one of frames that are all alike"))
    elif kind is not source_kind:
        said = f"it is a {KIND_NAMES[kind]}, its source a {KIND_NAMES[source_kind]}"
        report.problems.append(Problem(DIFFERENCE, said))
    elif report.verdict == "whole":
        compare_photo(report, source)
    return report


def _is_inherited(problem: Problem, inherited: set[int]) -> bool:
    """Damage in a stream that is the source's, byte for byte."""
    return problem.kind == DAMAGE and problem.stream in inherited


def _kind(path: Path) -> MediaKind | None:
    if numbering_of(path) is not None:
        return MediaKind.SEQUENCE
    try:
        return sniff(path)
    except InputError:
        return None


def _sequence_against(path: Path, source: Path, span: TimeRange, on_progress: OnProgress | None) -> Report:
    report = verify(path, on_progress)
    if report.kind is not MediaKind.SEQUENCE:
        return report
    numbering = numbering_of(source)
    if numbering is not None:
        # Numbers tell time by a rate; where the part is told, by the one that is the default.
        numbers = numbering.numbers()
        if not numbers:
            raise InputError(f"{source} stands for no file", next_step=NO_FILES)
        compare_with_sequence(report, numbering, numbers_within(numbers, DEFAULT_RATE, span))
        return report
    info, times = _source_times(open_whole(source, strict=False, on_progress=on_progress))
    compare_numbers(report, [n for n, at in enumerate(times) if span.holds(at)])
    report.problems += shape_differences(
        report.facts["width"], report.facts["height"], info.width, info.height
    )
    report.problems += hdr_differences(report, info.colors.hdr)
    return report


def _against_sequence(clip: Clip, source: Path, span: TimeRange) -> Iterator[Problem]:
    """The clip's own rate is that of the sequence: it has none."""
    info = clip_info(source, sequence_rate=clip.info.frame_rate)
    reader = SequenceReader(source, clip.info.frame_rate)
    wanted = numbers_within(reader.numbers, clip.info.frame_rate, span)
    times = [(n - wanted[0]) / clip.info.frame_rate for n in wanted] if wanted else []
    yield from frame_differences(clip, times, Fraction(0))
    yield from shape_differences(clip.info.width, clip.info.height, info.width, info.height)
    yield from pixel_differences(clip.info, info, written_as(info.colors))


def _source_times(source: Clip) -> tuple[VideoInfo, list[Fraction]]:
    """When each frame of a source is shown, counted from its first one, as its reader has it."""
    info, raw = source.info, source.times
    if damage_of(source.listing):
        # What is left of a frame is given by one decoder and dropped by another: the reader's own counts.
        with VideoReader(info.path) as reader:
            return info, [frame.pts for frame in reader]
    return info, [snapped(at - raw[0], n, info) for n, at in enumerate(raw)]


def compared(result: Clip, source: Clip, span: TimeRange = WHOLE_CLIP) -> list[Problem]:
    """Of a clip and the clip that it was made of."""
    info, all_times = _source_times(source)
    chosen = [n for n, at in enumerate(all_times) if span.holds(at)]
    if not chosen:
        return [Problem(DIFFERENCE, "the source has no frame in that part of its time")]
    times = [all_times[n] - all_times[chosen[0]] for n in chosen]
    sync = Sync(result, source, source.times[0] + all_times[chosen[0]], span)
    return [
        *_of_the_source(source),
        *frame_differences(result, times, info.time_base),
        *last_frame_differences(
            result,
            source,
            [all_times[n] for n in chosen],
            span.end_s,
            goes_on=chosen[-1] + 1 < len(all_times),
        ),
        *shape_differences(result.info.width, result.info.height, info.width, info.height),
        *pixel_differences(result.info, info, written_as(info.colors)),
        *animation_differences(result.info, info, span),
        *_lengths(result, source, all_times, chosen),
        *stream_differences(sync),
        *chapter_differences(sync, all_times[chosen[0]]),
        *metadata_differences(sync, all_times[chosen[0]]),
    ]


def _lengths(result: Clip, source: Clip, times: list[Fraction], chosen: list[int]) -> Iterator[Problem]:
    """Of fewer frames than the source's, where the source's last one is the result's."""
    frames = source.listing.pictures.frames
    if len(result.times) < len(chosen) and chosen[-1] == len(times) - 1 == len(frames) - 1:
        length_s = frames[-1].length_s or 1 / source.info.frame_rate
        yield from length_differences(result, times[-1] + length_s - times[chosen[0]])


def _inherited_streams(result: Clip, source: Clip, span: TimeRange) -> set[int]:
    """Those of the result that are the source's; none where one of them shows nothing."""
    if not source.times or not result.times:
        return set()
    return inherited_streams(Sync(result, source, source.times[0] + (span.start_s or 0), span))


def _of_the_source(source: Clip) -> Iterator[Problem]:
    """Its own damage, which the result is not to be blamed for."""
    for problem in damage_of(source.listing):
        if problem.kind == DAMAGE:
            yield Problem(NOTE, f"the source itself: {problem.text}", frame=problem.frame, at_s=problem.at_s)
