"""What a result carries beside its pictures, held against its source: sound, subtitles, fonts, covers; in step."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from framestyle.kinds import TimeRange
from framestyle.media.ffmpeg import ask, input_arguments
from framestyle.media.verify.clip import Clip, container_of
from framestyle.media.verify.listing import Shown, Track
from framestyle.media.verify.verdict import DIFFERENCE, NOTE, Problem, shift
from framestyle.media.video.carried import MOV_LANGUAGES, SILENT_MUXERS, keeps_cover
from framestyle.media.video.choices import channels_in, choices, dropped_beside
from framestyle.media.video.description import DISPOSITIONS, Stream
from framestyle.media.video.dispositions import HELD, dispositions_of, lost_dispositions
from framestyle.media.video.metadata import MOV_MUXERS

CODED_AS = {"libopus": "opus", "srt": "subrip"}
"""Codecs by the names of their encoders, where those differ."""
SYNC_LEAST_S, SYNC_MOST_S = Fraction(3, 100), Fraction(1, 10)
"""Sound may be off by a frame, but no frame counts as shorter or longer than this."""
UNTIMED_CONTAINERS = {"avi", "mpeg"}
"""That leave times to be worked out, by which a picture may be one off."""
PART_ENDS_S = Fraction(1, 10)
"""The sound of a part may begin and end so much off: packets are not cut."""
CONVERTED_ENDS_S = Fraction(1, 10)
SUBTITLE_S = Fraction(1, 50)


@dataclass(frozen=True)
class Sync:
    """Result and source, and the source's time at which the result's first picture is shown."""

    result: Clip
    source: Clip
    source_zero_s: Fraction
    span: TimeRange

    @property
    def muxer(self) -> str:
        """The result's container, as ffmpeg calls what it writes."""
        return container_of(self.result.info)

    def in_result(self, at_s: Fraction) -> Fraction:
        """A time of the result, counted from its first picture."""
        return at_s - self.result.times[0]

    def in_source(self, at_s: Fraction) -> Fraction:
        """A time of the source, counted from the same picture."""
        return at_s - self.source_zero_s

    @property
    def end_s(self) -> Fraction | None:
        """When the part is over, counted from its first picture; None: at the clip's end."""
        if self.span.end_s is None:
            return None
        return self.span.end_s - (self.source_zero_s - self.source.times[0])

    @property
    def allowed_s(self) -> Fraction:
        """By how much sound may be off."""
        frame_s = 1 / self.result.info.frame_rate
        if UNTIMED_CONTAINERS & set(self.source.info.container.split(",")):
            frame_s *= 2
        return min(max(frame_s, SYNC_LEAST_S), SYNC_MOST_S)


def stream_differences(sync: Sync) -> Iterator[Problem]:
    """Of each stream that the source has and the container holds; and further ones, that are not the source's."""
    muxer = sync.muxer
    if muxer in SILENT_MUXERS:
        if sync.source.info.audio_codecs:
            yield Problem(NOTE, f"{SILENT_MUXERS[muxer]} holds no sound: it was dropped")
        return
    for kind in ("audio", "subtitle", "attachment"):
        yield from _streams_of(sync, kind)
    yield from _covers(sync)


def _streams_of(sync: Sync, kind: str) -> Iterator[Problem]:
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
        if kind != "attachment":
            yield from _marked_alike(sync, track.stream, choice.stream, name)
        if kind == "audio" and (there := channels_in(track.stream.layout)) != (choice.channels or there):
            text = f"{name} has {there} channels, and should have {choice.channels}"
            yield Problem(DIFFERENCE, text, track.stream.index)
        if kind == "attachment":
            if track.head != wanted.head:
                yield Problem(DIFFERENCE, f"{name} is not the source's", track.stream.index)
        elif kind == "subtitle" and wanted.is_decoded:
            yield from _metadata_alike(sync, track, wanted, name)
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


def _marked_alike(sync: Sync, stream: Stream, source: Stream, name: str) -> Iterator[Problem]:
    """What players are told of it. Sound in MP4 has a default whatever is said."""
    held, info = HELD.get(sync.muxer, DISPOSITIONS), sync.source.info
    wanted, there = dispositions_of(info, source) & held, stream.dispositions & held
    if sync.muxer in MOV_MUXERS and source.kind == "audio" and not _has_default(sync.source, "audio"):
        wanted, there = wanted - {"default"}, there - {"default"}
    if wanted != there:
        mine, theirs = (", ".join(sorted(one)).replace("_", " ") or "not marked" for one in (there, wanted))
        yield Problem(DIFFERENCE, f"{name} is {mine}, in the source {theirs}", stream.index)
    if lost := lost_dispositions(info, source, sync.muxer):
        named = ", ".join(sorted(lost)).replace("_", " ")
        yield Problem(NOTE, f"{name} is marked {named}: this container has no place for that", stream.index)


def _has_default(clip: Clip, kind: str) -> bool:
    return any("default" in dispositions_of(clip.info, one) for one in clip.info.streams if one.kind == kind)


def _copied(sync: Sync, track: Track, source: Track, name: str) -> Iterator[Problem]:
    """The same bytes, each at its time. A part holds a run of the source's packets."""
    # Some containers cut packets otherwise: what they decode to tells then.
    for mine, theirs in ((track.packets, source.packets), (track.frames, source.frames)):
        at = _place(sync, mine, theirs)
        if at is not None:
            yield from _in_step(sync, track, mine, theirs[at : at + len(mine)], name)
            yield from _all_there(sync, track, mine, theirs, at, name)
            return
    if sync.span.is_all and _bytes_of(sync.result, track) == _bytes_of(sync.source, source):
        yield from _ends_alike(sync, track, source, name)
    elif track.stream.codec.startswith("pcm_"):
        yield Problem(
            NOTE, f"{name}: cut otherwise than in the source; compared by its times alone", track.stream.index
        )
        yield from _ends_alike(sync, track, source, name)
    else:
        yield Problem(DIFFERENCE, f"{name} is not what the source holds", track.stream.index)


def _place(sync: Sync, mine: Sequence[Shown], theirs: Sequence[Shown]) -> int | None:
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
    sync: Sync, track: Track, mine: Sequence[Shown], theirs: Sequence[Shown], name: str
) -> Iterator[Problem]:
    """Against the pictures, at the first place where it is not."""
    for one, other in zip(mine, theirs, strict=True):
        later_s = sync.in_result(one.at_s) - sync.in_source(other.at_s)
        if abs(later_s) > sync.allowed_s:
            text = f"{name} is out of step: {shift(later_s)} against the pictures than in the source"
            yield Problem(DIFFERENCE, text, track.stream.index, at_s=one.at_s)
            return


def _all_there(
    sync: Sync, track: Track, mine: Sequence[Shown], theirs: Sequence[Shown], at: int, name: str
) -> Iterator[Problem]:
    """A whole clip has all of it; a part what is heard in its time."""
    before, after = theirs[:at], theirs[at + len(mine) :]
    if not sync.span.is_all:
        end_s = sync.end_s
        before = [
            one for one in before if sync.in_source(one.end_s) > PART_ENDS_S and sync.span.start_s is not None
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


def _ends_alike(sync: Sync, track: Track, source: Track, name: str) -> Iterator[Problem]:
    """Sound that is not the same bytes: it begins and ends with the source's."""
    mine, theirs = track.frames, source.frames
    if sync.span.start_s is not None:
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
    if sync.span.start_s is not None:
        start_s = max(Fraction(0), start_s)
    later_s = sync.in_result(mine[0].at_s) - start_s
    if abs(later_s) > sync.allowed_s:
        text = f"{name} is out of step: it begins {shift(later_s)} against the pictures than in the source"
        yield Problem(DIFFERENCE, text, track.stream.index, at_s=mine[0].at_s)
    end_s = sync.in_source(theirs[-1].end_s)
    longer_s = sync.in_result(mine[-1].end_s) - (end_s if sync.end_s is None else min(end_s, sync.end_s))
    if abs(longer_s) > CONVERTED_ENDS_S:
        text = f"{name} ends {shift(longer_s)} than in the source"
        yield Problem(DIFFERENCE, text, track.stream.index, at_s=mine[-1].end_s)


def _metadata_alike(sync: Sync, track: Track, source: Track, name: str) -> Iterator[Problem]:
    """Subtitles that are text, whatever form they are kept in: as many, each at its time."""
    mine = [sync.in_result(one.at_s) for one in track.frames]
    theirs = [sync.in_source(one.at_s) for one in source.frames]
    if not sync.span.is_all:
        theirs = [
            at
            for at in theirs
            if (sync.span.start_s is None or at >= 0) and (sync.end_s is None or at < sync.end_s)
        ]
    if len(mine) != len(theirs):
        text = f"{name}: {len(mine)} texts, the source has {len(theirs)}"
        yield Problem(DIFFERENCE, text, track.stream.index)
        return
    for n, (at, meant) in enumerate(zip(mine, theirs, strict=True)):
        if abs(at - meant) > max(SUBTITLE_S, sync.allowed_s):
            text = f"{name}: text {n + 1} is shown {shift(at - meant)} than in the source"
            yield Problem(DIFFERENCE, text, track.stream.index, at_s=track.frames[n].at_s)
            return


def _covers(sync: Sync) -> Iterator[Problem]:
    there = [[packet.content for packet in track.packets] for track in sync.result.listing.covers]
    for number, track in enumerate(sync.source.listing.covers, 1):
        if not keeps_cover(track.stream, sync.muxer):
            yield Problem(NOTE, f"Cover picture {number} was dropped: this container cannot hold it")
        elif (content := [packet.content for packet in track.packets]) in there:
            there.remove(content)
        else:
            yield Problem(DIFFERENCE, f"cover picture {number} of the source is missing")
    for said in dropped_beside(sync.source.info):
        yield Problem(NOTE, said.rstrip("."))


def inherited_streams(sync: Sync) -> set[int]:
    """Streams of a result, other than the pictures, whose packets are a run of one of its source's."""
    return {
        mine.stream.index
        for kind in ("audio", "subtitle")
        for mine in sync.result.listing.of_kind(kind)
        for theirs in sync.source.listing.of_kind(kind)
        # Where the source's can be decoded and these cannot, it is the result's own fault.
        if (mine.frames or not theirs.frames) and _place(sync, mine.packets, theirs.packets) is not None
    }
