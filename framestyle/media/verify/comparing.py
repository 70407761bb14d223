"""A result held against its source: frames, times, streams, sync, shape, colours. What is announced is a note."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import zip_longest
from pathlib import Path

from framestyle.errors import FramestyleError, InputError
from framestyle.media.ffmpeg import ask, input_arguments
from framestyle.media.files import InputKind, sniff
from framestyle.media.verify.checking import (
    Clip,
    OnProgress,
    clip_report,
    container_of,
    damage_of,
    open_whole,
    unreadable,
    verify,
)
from framestyle.media.verify.listing import Shown, Track, parsed_words
from framestyle.media.verify.pictures import (
    compare_numbers,
    compare_photo,
    compare_with_sequence,
    numbers_within,
    shape_differences,
)
from framestyle.media.verify.verdict import DAMAGE, DIFFERENCE, NOTE, Problem, Report, told
from framestyle.media.video.carried import (
    MOV_LANGUAGES,
    SILENT_MUXERS,
    chapters_within,
    choices,
    keeps_cover,
    later_timecode,
)
from framestyle.media.video.clips import clip_info
from framestyle.media.video.codecs import HDR_BITS
from framestyle.media.video.colors import SDR, Colors, is_rgb, written_as
from framestyle.media.video.description import Stream, exact_rate
from framestyle.media.video.matroska import Mastering
from framestyle.media.video.probe import VideoInfo
from framestyle.media.video.reader import VideoReader, snapped
from framestyle.media.video.sequences import NO_FILES, SequenceReader, numbering_of
from framestyle.presets.schema import Video

CODED_AS = {"libopus": "opus", "srt": "subrip"}
"""Codecs by the names of their encoders, where those differ."""
SYNC_LEAST_S, SYNC_MOST_S = Fraction(3, 100), Fraction(1, 10)
"""Sound may be off by a frame, but no frame counts as shorter or longer than this."""
UNTIMED_CONTAINERS = {"avi", "mpeg"}
"""That leave times to be worked out, by which a picture may be one off."""
PART_ENDS_S = Fraction(1, 10)
"""The sound of a part may begin and end so much off: packets are not cut."""
CONVERTED_ENDS_S = Fraction(1, 10)
CHAPTER_S = Fraction(1, 50)
SUBTITLE_S = Fraction(1, 50)
DEFAULT_RATE = exact_rate(Video().sequence_rate)
"""Of image sequences, where nothing says another."""
NITS = 0.02


@dataclass(frozen=True)
class Part:
    """Which time of the source the result is of; None: from its start, to its end."""

    start_s: Fraction | None = None
    end_s: Fraction | None = None

    def holds(self, pts_s: Fraction) -> bool:
        return (self.start_s is None or pts_s >= self.start_s) and (self.end_s is None or pts_s < self.end_s)

    @property
    def is_all(self) -> bool:
        return self.start_s is None and self.end_s is None


WHOLE = Part()


def verify_against(
    path: Path, source: Path, part: Part = WHOLE, on_progress: OnProgress | None = None
) -> Report:
    """What is wrong with the file, and where it is not what its source asks for. InputError if that is unreadable."""
    kinds = [_kind(one) for one in (source, path)]
    if kinds[0] is None:
        sniff(source)  # says why
    if kinds[1] is None:
        return verify(path)
    if "photo" in kinds:
        report = verify(path, on_progress)
        if kinds[0] == "clip" and path.suffix.lower() == ".webp":
            report.problems.append(Problem(NOTE, "one picture: WebP makes one of frames that are all alike"))
        elif kinds != ["photo", "photo"]:
            report.problems.append(Problem(DIFFERENCE, f"it is a {kinds[1]}, its source a {kinds[0]}"))
        elif report.verdict == "whole":
            compare_photo(report, source)
        return report
    if kinds[1] == "sequence":
        return _sequence_against(path, source, part, on_progress)
    try:
        clip = open_whole(path, on_progress=on_progress)
    except FramestyleError as error:
        return unreadable(path, error)
    report = clip_report(clip, alone=False)
    if not clip.listing.pictures.frames:
        return report
    if kinds[0] == "sequence":
        report.problems += _against_sequence(clip, source, part)
    else:
        given = open_whole(source, strict=False, on_progress=on_progress)
        inherited = _inherited_streams(clip, given, part)
        report.problems = [
            replace(one, kind=NOTE, text=f"{one.text}; the source has it, too")
            if _is_inherited(one, inherited)
            else one
            for one in report.problems
        ]
        report.problems += compared(clip, given, part)
    return report


def _is_inherited(problem: Problem, inherited: set[int]) -> bool:
    """Damage in a stream that is the source's, byte for byte."""
    return problem.kind == DAMAGE and problem.stream in inherited


def _kind(path: Path) -> str | None:
    if numbering_of(path) is not None:
        return "sequence"
    try:
        return {InputKind.PHOTO: "photo", InputKind.VIDEO: "clip"}.get(sniff(path))
    except InputError:
        return None


def _sequence_against(path: Path, source: Path, part: Part, on_progress: OnProgress | None) -> Report:
    report = verify(path, on_progress)
    if report.what != "sequence":
        return report
    numbering = numbering_of(source)
    if numbering is not None:
        # Numbers tell time by a rate; where the part is told, by the one that is the default.
        numbers = numbering.numbers()
        if not numbers:
            raise InputError(f"{source} stands for no file", next_step=NO_FILES)
        compare_with_sequence(
            report, numbering, numbers_within(numbers, DEFAULT_RATE, part.start_s, part.end_s)
        )
        return report
    info, times = _source_times(open_whole(source, strict=False, on_progress=on_progress))
    compare_numbers(report, [n for n, at in enumerate(times) if part.holds(at)])
    report.problems += shape_differences(
        report.facts["width"], report.facts["height"], info.width, info.height
    )
    return report


def _against_sequence(clip: Clip, source: Path, part: Part) -> Iterator[Problem]:
    """The clip's own rate is that of the sequence: it has none."""
    info = clip_info(source, sequence_rate=clip.info.frame_rate)
    reader = SequenceReader(source, clip.info.frame_rate)
    wanted = numbers_within(reader.numbers, clip.info.frame_rate, part.start_s, part.end_s)
    times = [(n - wanted[0]) / clip.info.frame_rate for n in wanted] if wanted else []
    yield from _frames(clip, times, Fraction(0))
    yield from shape_differences(clip.info.width, clip.info.height, info.width, info.height)
    yield from _pixels(clip.info, info, written_as(SDR))


def _source_times(source: Clip) -> tuple[VideoInfo, list[Fraction]]:
    """When each frame of a source is shown, counted from its first one, as its reader has it."""
    info, raw = source.info, source.times
    if damage_of(source.listing):
        # What is left of a frame is given by one decoder and dropped by another: the reader's own counts.
        with VideoReader(info.path) as reader:
            return info, [frame.pts for frame in reader]
    return info, [snapped(at - raw[0], n, info) for n, at in enumerate(raw)]


def compared(result: Clip, source: Clip, part: Part = WHOLE) -> list[Problem]:
    """Of a clip and the clip that it was made of."""
    info, all_times = _source_times(source)
    chosen = [n for n, at in enumerate(all_times) if part.holds(at)]
    if not chosen:
        return [Problem(DIFFERENCE, "the source has no frame in that part of its time")]
    times = [all_times[n] - all_times[chosen[0]] for n in chosen]
    sync = _Sync(result, source, source.times[0] + all_times[chosen[0]], part)
    return [
        *_of_the_source(source),
        *_frames(result, times, info.time_base),
        *shape_differences(result.info.width, result.info.height, info.width, info.height),
        *_pixels(result.info, info, written_as(info.colors)),
        *_streams(sync),
        *_chapters(sync, all_times[chosen[0]]),
        *_words(sync, all_times[chosen[0]]),
    ]


def _inherited_streams(result: Clip, source: Clip, part: Part) -> set[int]:
    """Streams of a result, other than the pictures, whose packets are a run of one of its source's."""
    if not source.times or not result.times:
        return set()
    sync = _Sync(result, source, source.times[0] + (part.start_s or 0), part)
    return {
        mine.stream.index
        for kind in ("audio", "subtitle")
        for mine in result.listing.of_kind(kind)
        for theirs in source.listing.of_kind(kind)
        # Where the source's can be decoded and these cannot, it is the result's own fault.
        if (mine.frames or not theirs.frames) and _place(sync, mine.packets, theirs.packets) is not None
    }


def _of_the_source(source: Clip) -> Iterator[Problem]:
    """Its own damage, which the result is not to be blamed for."""
    for problem in damage_of(source.listing):
        if problem.kind == DAMAGE:
            yield Problem(NOTE, f"the source itself: {problem.text}", frame=problem.frame, at_s=problem.at_s)


# -- frames and times --------------------------------------------------------------------------------------


def _frames(result: Clip, wanted: Sequence[Fraction], source_tick_s: Fraction) -> Iterator[Problem]:
    """`wanted`: when the source's frames are shown, from the first one."""
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
            f"frame {n} is shown {_by(at - times[0] - meant)} than in the source",
            info.video_index,
            n,
            at,
        )
        for n, (at, meant) in enumerate(zip(times, wanted, strict=False))
        # The first frame is rounded too, from which the others are counted.
        if abs(at - times[0] - meant) > allowed_s + min(info.time_base, source_tick_s)
    ]
    yield from told(off, "{} further frames are shown at other times")


def _nearest(times: Sequence[Fraction], at: Fraction) -> Fraction:
    """Of times in order."""
    after = bisect_left(times, at)
    return min(times[max(0, after - 1) : after + 1], key=lambda one: abs(one - at))


def _by(later_s: Fraction) -> str:
    return f"{abs(float(later_s)):.3f} s {'later' if later_s > 0 else 'earlier'}"


# -- pictures ----------------------------------------------------------------------------------------------


def _pixels(result: VideoInfo, source: VideoInfo, colors: Colors) -> Iterator[Problem]:
    """Shape of pixels, rotation, depth, transparency, colours."""
    index, muxer = result.video_index, container_of(result)
    across = source.sample_aspect_ratio
    if result.rotation_degrees:
        yield Problem(DIFFERENCE, f"it is stored turned by {result.rotation_degrees}°, not upright", index)
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
    if source.has_alpha and not result.has_alpha:
        yield Problem(NOTE, "the source's transparency was laid over black", index)
    elif result.has_alpha and not source.has_alpha:
        yield Problem(DIFFERENCE, "it has transparency, the source has none", index)
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


# -- streams beside the pictures ---------------------------------------------------------------------------


@dataclass(frozen=True)
class _Sync:
    """Result and source, and the source's time at which the result's first picture is shown."""

    result: Clip
    source: Clip
    source_zero_s: Fraction
    part: Part

    @property
    def muxer(self) -> str:
        return container_of(self.result.info)

    def in_result(self, at_s: Fraction) -> Fraction:
        """From the first picture on."""
        return at_s - self.result.times[0]

    def in_source(self, at_s: Fraction) -> Fraction:
        return at_s - self.source_zero_s

    @property
    def end_s(self) -> Fraction | None:
        """Of the part, from its first picture on."""
        if self.part.end_s is None:
            return None
        return self.part.end_s - (self.source_zero_s - self.source.times[0])

    @property
    def allowed_s(self) -> Fraction:
        frame_s = 1 / self.result.info.frame_rate
        if UNTIMED_CONTAINERS & set(self.source.info.container.split(",")):
            frame_s *= 2
        return min(max(frame_s, SYNC_LEAST_S), SYNC_MOST_S)


def _streams(sync: _Sync) -> Iterator[Problem]:
    muxer = sync.muxer
    if muxer in SILENT_MUXERS:
        if sync.source.info.audio_codecs:
            yield Problem(NOTE, f"{SILENT_MUXERS[muxer]} holds no sound: it was dropped")
        return
    for kind in ("audio", "subtitle", "attachment"):
        yield from _streams_of(sync, kind)
    yield from _covers(sync)


def _streams_of(sync: _Sync, kind: str) -> Iterator[Problem]:
    """Each that the source has and the container holds, in order."""
    rest = iter(sync.result.listing.of_kind(kind))
    for number, choice in enumerate(choices(sync.source.info, kind, sync.muxer), 1):
        if choice.note is not None:
            yield Problem(NOTE, choice.note.rstrip("."))
        if choice.coder is None:
            continue
        name = f"{_KINDS[kind]} {number} ({choice.stream.codec})"
        track = next(rest, None)
        if track is None:
            yield Problem(DIFFERENCE, f"{name} of the source is missing")
            continue
        wanted = sync.source.listing.tracks[choice.stream.index]
        codec = choice.stream.codec if choice.coder == "copy" else CODED_AS.get(choice.coder, choice.coder)
        if track.stream.codec != codec and {track.stream.codec, codec} != {"srt", "subrip"}:
            yield Problem(DIFFERENCE, f"{name} is {track.stream.codec}, not {codec}", track.stream.index)
            continue
        yield from _named_alike(track.stream, choice.stream, name, sync.muxer)
        if kind == "attachment":
            if track.head != wanted.head:
                yield Problem(DIFFERENCE, f"{name} is not the source's", track.stream.index)
        elif kind == "subtitle" and wanted.is_decoded:
            yield from _words_alike(sync, track, wanted, name)
        elif choice.coder == "copy":
            yield from _copied(sync, track, wanted, name)
        else:
            yield from _ends_alike(sync, track, wanted, name)
    for track in rest:
        yield Problem(
            DIFFERENCE, f"stream {track.stream.index} ({kind}) is not from the source", track.stream.index
        )


_KINDS = {"audio": "sound", "subtitle": "subtitles", "attachment": "attachment"}


def _named_alike(stream: Stream, source: Stream, name: str, muxer: str) -> Iterator[Problem]:
    mine, theirs = (None if one == "und" else one for one in (stream.language, source.language))
    if muxer == "mov":
        mine, theirs = (one and MOV_LANGUAGES.get(one, one) for one in (mine, theirs))
    if mine != theirs:
        announced = muxer == "mov" and mine is None
        text = f"{name}: its language is {mine or 'not told'}, the source's {theirs or 'not told'}"
        yield Problem(NOTE if announced else DIFFERENCE, text, stream.index)
    mine, theirs = stream.title or stream.name, source.title or source.name
    if muxer != "mov" and mine != theirs:
        text = f"{name}: its title is {mine or 'not told'}, the source's {theirs or 'not told'}"
        yield Problem(DIFFERENCE, text, stream.index)


def _copied(sync: _Sync, track: Track, source: Track, name: str) -> Iterator[Problem]:
    """The same bytes, each at its time. A part holds a run of the source's packets."""
    # Some containers cut packets otherwise: what they decode to tells then.
    for mine, theirs in ((track.packets, source.packets), (track.frames, source.frames)):
        at = _place(sync, mine, theirs)
        if at is not None:
            yield from _in_step(sync, track, mine, theirs[at : at + len(mine)], name)
            yield from _all_there(sync, track, mine, theirs, at, name)
            return
    if sync.part.is_all and _bytes_of(sync.result, track) == _bytes_of(sync.source, source):
        yield from _ends_alike(sync, track, source, name)
    elif track.stream.codec.startswith("pcm_"):
        yield Problem(
            NOTE, f"{name}: cut otherwise than in the source; compared by its times alone", track.stream.index
        )
        yield from _ends_alike(sync, track, source, name)
    else:
        yield Problem(DIFFERENCE, f"{name} is not what the source holds", track.stream.index)


def _place(sync: _Sync, mine: Sequence[Shown], theirs: Sequence[Shown]) -> int | None:
    """Where a run of packets lies among the source's: where it is nearest in time, if it lies at several places."""
    if not mine or len(mine) > len(theirs):
        return None
    wanted, given = [one.content for one in mine], [one.content for one in theirs]
    zero_s = sync.in_result(mine[0].at_s)
    places = [n for n in range(len(given) - len(wanted) + 1) if given[n] == wanted[0]]
    for n in sorted(places, key=lambda n: abs(sync.in_source(theirs[n].at_s) - zero_s)):
        if given[n : n + len(wanted)] == wanted:
            return n
    return None


def _in_step(
    sync: _Sync, track: Track, mine: Sequence[Shown], theirs: Sequence[Shown], name: str
) -> Iterator[Problem]:
    """Against the pictures, at the first place where it is not."""
    for one, other in zip(mine, theirs, strict=True):
        later_s = sync.in_result(one.at_s) - sync.in_source(other.at_s)
        if abs(later_s) > sync.allowed_s:
            text = f"{name} is out of step: {_by(later_s)} against the pictures than in the source"
            yield Problem(DIFFERENCE, text, track.stream.index, at_s=one.at_s)
            return


def _all_there(
    sync: _Sync, track: Track, mine: Sequence[Shown], theirs: Sequence[Shown], at: int, name: str
) -> Iterator[Problem]:
    """A whole clip has all of it; a part what is heard in its time."""
    before, after = theirs[:at], theirs[at + len(mine) :]
    if not sync.part.is_all:
        end_s = sync.end_s
        before = [
            one for one in before if sync.in_source(one.end_s) > PART_ENDS_S and sync.part.start_s is not None
        ]
        after = [one for one in after if end_s is None or sync.in_source(one.at_s) < end_s - PART_ENDS_S]
    for lost, where in ((before, "beginning"), (after, "end")):
        if lost:
            length_s = lost[-1].end_s - lost[0].at_s
            text = f"{name} lacks {float(length_s):.3f} s at its {where}"
            place = mine[0].at_s if where == "beginning" else mine[-1].end_s
            yield Problem(DIFFERENCE, text, track.stream.index, at_s=place)


def _bytes_of(clip: Clip, track: Track) -> str:
    """A hash over all of a stream's packets, one after another."""
    one = ["-map", f"0:{track.stream.index}", "-c", "copy", "-f", "md5", "-"]
    hashed, _ = ask(["-v", "error", *input_arguments(clip.info.path), *one], timeout_s=3600)
    return hashed


def _ends_alike(sync: _Sync, track: Track, source: Track, name: str) -> Iterator[Problem]:
    """Sound that is not the same bytes: it begins and ends with the source's."""
    mine, theirs = track.frames, source.frames
    if sync.part.start_s is not None:
        theirs = [one for one in theirs if sync.in_source(one.end_s) > 0]
    if sync.end_s is not None:
        theirs = [one for one in theirs if sync.in_source(one.at_s) < sync.end_s]
    if bool(mine) != bool(theirs):
        yield Problem(
            DIFFERENCE, f"{name} is {'empty' if theirs else 'not empty as in the source'}", track.stream.index
        )
    if not mine or not theirs:
        return
    start_s = sync.in_source(theirs[0].at_s)
    if sync.part.start_s is not None:
        start_s = max(Fraction(0), start_s)
    later_s = sync.in_result(mine[0].at_s) - start_s
    if abs(later_s) > sync.allowed_s:
        text = f"{name} is out of step: it begins {_by(later_s)} against the pictures than in the source"
        yield Problem(DIFFERENCE, text, track.stream.index, at_s=mine[0].at_s)
    end_s = sync.in_source(theirs[-1].end_s)
    longer_s = sync.in_result(mine[-1].end_s) - (end_s if sync.end_s is None else min(end_s, sync.end_s))
    if abs(longer_s) > CONVERTED_ENDS_S:
        text = f"{name} ends {_by(longer_s)} than in the source"
        yield Problem(DIFFERENCE, text, track.stream.index, at_s=mine[-1].end_s)


def _words_alike(sync: _Sync, track: Track, source: Track, name: str) -> Iterator[Problem]:
    """Subtitles that are text, whatever form they are kept in: as many, each at its time."""
    mine = [sync.in_result(one.at_s) for one in track.frames]
    theirs = [sync.in_source(one.at_s) for one in source.frames]
    if not sync.part.is_all:
        theirs = [
            at
            for at in theirs
            if (sync.part.start_s is None or at >= 0) and (sync.end_s is None or at < sync.end_s)
        ]
    if len(mine) != len(theirs):
        text = f"{name}: {len(mine)} texts, the source has {len(theirs)}"
        yield Problem(DIFFERENCE, text, track.stream.index)
        return
    for n, (at, meant) in enumerate(zip(mine, theirs, strict=True)):
        if abs(at - meant) > max(SUBTITLE_S, sync.allowed_s):
            text = f"{name}: text {n + 1} is shown {_by(at - meant)} than in the source"
            yield Problem(DIFFERENCE, text, track.stream.index, at_s=track.frames[n].at_s)
            return


def _covers(sync: _Sync) -> Iterator[Problem]:
    there = [[packet.content for packet in track.packets] for track in sync.result.listing.covers]
    for number, track in enumerate(sync.source.listing.covers, 1):
        if not keeps_cover(track.stream, sync.muxer):
            yield Problem(NOTE, f"Cover picture {number} was dropped: this container cannot hold it")
        elif (content := [packet.content for packet in track.packets]) in there:
            there.remove(content)
        else:
            yield Problem(DIFFERENCE, f"cover picture {number} of the source is missing")
    for track in sync.source.listing.of_kind("video"):
        if track.stream.index != sync.source.info.video_index:
            yield Problem(
                NOTE, f"Stream {track.stream.index}, further pictures, was dropped: one stream is stylized"
            )


# -- words -------------------------------------------------------------------------------------------------


def _chapters(sync: _Sync, first_s: Fraction) -> Iterator[Problem]:
    """Starts and titles."""
    if sync.muxer in SILENT_MUXERS:
        return
    wanted = sync.source.words.chapters
    if not sync.part.is_all:
        # As they are written: counted from the part's first frame.
        info, part = sync.source.info, sync.part
        start_s = first_s + info.video_start_s if part.start_s is not None else Fraction(0)
        end_s = None if part.end_s is None else part.end_s + info.video_start_s
        wanted = parsed_words(chapters_within(sync.source.words.text, start_s, end_s)).chapters
    there = sync.result.words.chapters
    if len(there) != len(wanted):
        yield Problem(DIFFERENCE, f"{len(there)} chapters, the source has {len(wanted)}")
        return
    for number, (mine, theirs) in enumerate(zip(there, wanted, strict=True), 1):
        if abs(mine[0] - theirs[0]) > CHAPTER_S:
            text = f"chapter {number} begins {_by(mine[0] - theirs[0])} than in the source"
            yield Problem(DIFFERENCE, text, at_s=mine[0])
        if mine[2] != theirs[2]:
            text = f"chapter {number} is called {mine[2]!r}, in the source {theirs[2]!r}"
            yield Problem(DIFFERENCE, text, at_s=mine[0])


def _words(sync: _Sync, first_s: Fraction) -> Iterator[Problem]:
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
    if sync.part.start_s:
        wanted = later_timecode(wanted, round(first_s * info.frame_rate), info.frame_rate)
    there = sync.result.info.timecode or sync.result.words.values.get("timecode")
    if there != wanted:
        yield Problem(DIFFERENCE, f"its timecode is {there or 'not told'}, and should be {wanted}")
