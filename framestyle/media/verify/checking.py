"""Whether a file is whole, and as its source asks for: clips, image sequences, photos.

listing.py decodes; this says what that means; comparing.py holds a clip against its source; verify_pictures.py is for
photos and sequences; verdict.py has the words for what is found.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

from framestyle.errors import FramestyleError
from framestyle.media.files import InputKind, sniff
from framestyle.media.verify.listing import (
    CORRUPT,
    UNFLAGGED,
    Listing,
    Track,
    Words,
    corrupt_frames,
    list_clip,
    words_of,
)
from framestyle.media.verify.pictures import verify_photo, verify_sequence
from framestyle.media.verify.verdict import DAMAGE, NOTE, Problem, Report, made_by, seconds, told
from framestyle.media.video.codecs import MUXERS
from framestyle.media.video.probe import VideoInfo, probe
from framestyle.media.video.sequences import numbering_of

OnProgress = Callable[[float], None]
EARLY_END_S = Fraction(1, 4)
"""A file may promise to last this much longer than it does."""
LONG_FRAMES = Fraction(3, 2)
"""A frame shown for so many frames' time makes a pause."""
STEADY_SHARE = 0.9
"""Of a clip whose frames are so many of one length, pauses are told."""
SOUND_GAP_S = Fraction(1, 20)
MOST_WORDS = 3
"""Of ffmpeg's on a stream."""
EMPTY_WORDS = ("Error submitting packet to decoder", "Decoding error")
"""That something is wrong, and not what."""


@dataclass(frozen=True)
class Clip:
    """A video, decoded whole."""

    info: VideoInfo
    listing: Listing
    words: Words

    @property
    def times(self) -> list[Fraction]:
        """When each frame is shown, as the file counts."""
        return [frame.at_s for frame in self.listing.pictures.frames]


def verify(path: Path, on_progress: OnProgress | None = None) -> Report:
    """All of a clip, photo or image sequence decoded. Whatever is wrong with it stands in the report; none raises."""
    try:
        if numbering_of(path) is not None:
            return verify_sequence(path, on_progress)
        if sniff(path) is InputKind.PHOTO:
            return verify_photo(path)
        return clip_report(open_whole(path, on_progress=on_progress))
    except FramestyleError as error:
        return unreadable(path, error)


def unreadable(path: Path, error: FramestyleError) -> Report:
    """Of a file that cannot even be opened."""
    return Report(path, problems=[Problem(DAMAGE, error.message)])


def check_clip(path: Path, *, frames: int, on_progress: OnProgress | None = None) -> list[Problem]:
    """What is wrong with a video that is to hold `frames` frames; empty where it is whole.

    For a file that was just written, before it is put in its place: every stream is decoded strictly to its end, once,
    and nothing is converted or kept. Problems of kind `damage` alone. InputError where it cannot be opened at all.
    WebP may hold fewer frames: it makes one of neighbours that are nearly equal.
    """
    info = probe(path)
    listing = list_clip(info, on_progress=on_progress)
    found = damage_of(listing)
    count = len(listing.pictures.frames)
    if count > frames or (count < frames and info.video_codec != "webp_anim"):
        text = f"{count} frames can be decoded, not {frames}"
        found.append(Problem(DAMAGE, text, info.video_index, min(count, frames)))
    return found


def open_whole(path: Path, *, strict: bool = True, on_progress: OnProgress | None = None) -> Clip:
    """InputError where it is no video that can be decoded."""
    info = probe(path)
    return Clip(info, list_clip(info, strict=strict, on_progress=on_progress), words_of(path))


def clip_report(clip: Clip, *, alone: bool = True) -> Report:
    """Of the file by itself. Not `alone`: doubts are left to its source, which settles them."""
    problems = damage_of(clip.listing)
    if alone and not problems:
        problems += [*_pauses(clip.listing), *_silences(clip.listing)]
    if alone:
        problems += _untagged(clip.info)
    return Report(clip.info.path, "clip", facts_of(clip), problems)


# -- facts -------------------------------------------------------------------------------------------------


def facts_of(clip: Clip) -> dict[str, Any]:
    """What a clip is, ready for JSON; docs/reliability.md names each."""
    info, times = clip.info, clip.times
    frames = clip.listing.pictures.frames
    return {
        "container": container_of(info),
        "codec": info.video_codec,
        "frames": len(times),
        "frame_rate": str(info.frame_rate),
        "constant_rate": is_constant(times, info),
        "first_s": seconds(times[0] if times else None),
        "last_s": seconds(times[-1] if times else None),
        "end_s": seconds(frames[-1].end_s if frames else None),
        "duration_s": seconds(info.duration_s),
        "width": info.width,
        "height": info.height,
        "sample_aspect_ratio": str(info.sample_aspect_ratio),
        "rotation_degrees": info.rotation_degrees,
        "pixel_format": info.pixel_format,
        "bit_depth": info.bit_depth,
        "alpha": info.has_alpha,
        "hdr": info.colors.hdr,
        "color": {
            "range": info.color_range,
            "matrix": info.color_matrix,
            "primaries": info.color_primaries,
            "transfer": info.color_transfer,
        },
        "streams": [_stream_facts(track) for track in clip.listing.tracks.values()],
        "chapters": [
            {"start_s": seconds(start), "end_s": seconds(end), "title": title}
            for start, end, title in clip.words.chapters
        ],
        "timecode": info.timecode,
        "made_by": made_by(clip.words.values.get("comment")),
    }


def container_of(info: VideoInfo) -> str:
    """As ffmpeg calls what it writes: by the name that FrameStyle would give it, else by what is in it."""
    names = info.container.split(",")
    by_name = MUXERS.get(info.path.suffix.lower())
    if by_name is not None and (by_name in names or len(names) == 1):
        return by_name
    return "mp4" if "mp4" in names else names[0]


def _stream_facts(track: Track) -> dict[str, Any]:
    stream, packets = track.stream, track.packets
    return {
        "index": stream.index,
        "kind": "cover" if stream.is_cover else stream.kind,
        "codec": stream.codec,
        "language": None if stream.language == "und" else stream.language,
        "title": stream.title or stream.name,
        "packets": len(packets),
        "decoded": len(track.frames) if track.is_decoded else None,
        "start_s": seconds(min((one.at_s for one in packets), default=None)),
        "end_s": seconds(track.end_s),
    }


def is_constant(times: Sequence[Fraction], info: VideoInfo) -> bool:
    """Whether each frame is where the rate puts it, to the tick that the file counts in."""
    return all(abs(at - times[0] - n / info.frame_rate) <= info.time_base for n, at in enumerate(times))


# -- damage ------------------------------------------------------------------------------------------------


def damage_of(listing: Listing) -> list[Problem]:
    """What is wrong with the file, whatever it was made of."""
    return [
        *_promises(listing),
        *_endings(listing.info),
        *_lost_frames(listing),
        *_corrupt_frames(listing),
        *_order(listing),
        *_mute(listing),
        *_complaints(listing),
    ]


def _named(track: Track) -> str:
    kind = {"video": "pictures", "audio": "sound"}.get(track.stream.kind, track.stream.kind)
    return f"stream {track.stream.index} ({track.stream.codec} {kind})"


def _complaints(listing: Listing) -> Iterator[Problem]:
    """ffmpeg's own words, those of a stream together."""
    by_stream: dict[int | None, list[str]] = {}
    for complaint in listing.complaints:
        by_stream.setdefault(complaint.stream, []).append(complaint.text.rstrip("."))
    for index, texts in by_stream.items():
        track = None if index is None else listing.tracks.get(index)
        where = "the container" if track is None else _named(track)
        words = list(dict.fromkeys(text for text in texts if not text.startswith(EMPTY_WORDS))) or texts
        more = f"; and {len(words) - MOST_WORDS} more" if len(words) > MOST_WORDS else ""
        yield Problem(DAMAGE, f"{where}: ffmpeg says: {'; '.join(words[:MOST_WORDS])}{more}", index)


def _lost_frames(listing: Listing) -> list[Problem]:
    """Packets that give no picture. Where nobody complains they are hidden on purpose, by an edit list say."""
    pictures = listing.pictures
    if not pictures.frames:
        return [Problem(DAMAGE, "no frame can be decoded", pictures.stream.index)]
    if not listing.complaints:
        return []
    given = {frame.at_s for frame in pictures.frames}
    problems = [
        Problem(DAMAGE, f"frame {n} cannot be decoded", pictures.stream.index, n, at)
        for n, at in enumerate(sorted(packet.at_s for packet in pictures.packets))
        if at not in given
    ]
    return told(problems, "{} further frames cannot be decoded")


def _corrupt_frames(listing: Listing) -> list[Problem]:
    """Frames that are shown with damage in them."""
    index = listing.info.video_index
    said = [one.text for one in listing.complaints if one.stream == index]
    if not said or (CORRUPT not in said and listing.info.video_codec not in UNFLAGGED):
        return []
    numbers = {at: n for n, at in enumerate(sorted(packet.at_s for packet in listing.pictures.packets))}
    given = {frame.at_s for frame in listing.pictures.frames}
    problems = []
    for about_s in corrupt_frames(listing.info, index):
        at = min(numbers, key=lambda one: abs(one - about_s))
        if at in given:
            problems.append(Problem(DAMAGE, f"frame {numbers[at]} is shown damaged", index, numbers[at], at))
    return told(problems, "{} further frames are shown damaged")


def _order(listing: Listing) -> list[Problem]:
    frames = listing.pictures.frames
    problems = [
        Problem(
            DAMAGE,
            f"frame {n} is shown at the time of frame {n - 1}, or before it",
            listing.info.video_index,
            n,
            frames[n].at_s,
        )
        for n in range(1, len(frames))
        if frames[n].at_s <= frames[n - 1].at_s
    ]
    return told(problems, "{} further frames are not in order")


def _promises(listing: Listing) -> Iterator[Problem]:
    """What the head says, and what comes."""
    info, pictures = listing.info, listing.pictures
    if info.frame_count_is_counted and info.frame_count_estimate:
        missing = info.frame_count_estimate - len(pictures.packets)
        if missing > 0:
            text = f"its head counts {info.frame_count_estimate} frames; {missing} of them are not there"
            yield Problem(DAMAGE, text, info.video_index, len(pictures.packets))
    ends = [end for track in listing.tracks.values() if (end := track.end_s) is not None]
    # Sound may begin before 0, to be decoded and not heard; Matroska's duration counts that.
    before_s = max(
        [-one.at_s for track in listing.tracks.values() for one in track.packets[:1]] + [Fraction(0)]
    )
    allowed_s = max(EARLY_END_S, 2 / info.frame_rate)
    for promised_s, end_s, what in (
        (info.duration_s, max(ends) + before_s if ends else None, "the file"),
        (info.video_end_s, pictures.end_s, "the pictures"),
    ):
        if promised_s is None or end_s is None or info.duration_is_measured:
            continue
        if promised_s - end_s > allowed_s:
            text = f"{what} should last {float(promised_s):.3f} s, and end at {float(end_s):.3f} s"
            yield Problem(DAMAGE, text, None if what == "the file" else info.video_index, at_s=end_s)


def _endings(info: VideoInfo) -> Iterator[Problem]:
    """Containers whose own end shows what ffmpeg does not miss."""
    size = info.path.stat().st_size
    with info.path.open("rb") as file:
        head = file.read(8)
        file.seek(max(0, size - 1))
        last = file.read(1)
    if info.video_codec == "gif" and last != b";":
        yield Problem(DAMAGE, "the GIF has no end: it was cut off")
    elif info.video_codec == "webp_anim" and head[:4] == b"RIFF":
        promised = int.from_bytes(head[4:8], "little") + 8
        if promised > size:
            yield Problem(DAMAGE, f"the WebP should have {promised} bytes, and has {size}")


def _pauses(listing: Listing) -> list[Problem]:
    """Frames shown for longer than others, where most are of one length. A variable rate may mean them."""
    frames, info = listing.pictures.frames, listing.info
    lengths = [b.at_s - a.at_s for a, b in pairwise(frames)]
    if len(lengths) < 3:
        return []
    usual = median(lengths)
    steady = sum(abs(length - usual) <= info.time_base for length in lengths)
    if steady < STEADY_SHARE * len(lengths):
        return []
    problems = [
        Problem(
            NOTE,
            f"frame {n} is shown for {float(length):.3f} s, others for {float(usual):.3f} s: a pause, or frames are"
            " missing",
            info.video_index,
            n,
            frames[n].at_s,
        )
        for n, length in enumerate(lengths)
        if length > LONG_FRAMES * usual + info.time_base
    ]
    return told(problems, "{} further pauses")


def _mute(listing: Listing) -> Iterator[Problem]:
    for track in listing.of_kind("audio"):
        if track.packets and track.is_decoded and not track.frames:
            yield Problem(DAMAGE, f"{_named(track)}: nothing of it can be decoded", track.stream.index)


def _silences(listing: Listing) -> Iterator[Problem]:
    for track in listing.of_kind("audio"):
        index, frames = track.stream.index, track.frames
        gaps = [
            Problem(
                NOTE, f"{_named(track)} has a gap of {float(b.at_s - a.end_s):.3f} s", index, at_s=a.end_s
            )
            for a, b in pairwise(frames)
            if b.at_s - a.end_s > SOUND_GAP_S
        ]
        yield from told(gaps, "{} further gaps in it")


def _untagged(info: VideoInfo) -> Iterator[Problem]:
    if info.video_codec in ("gif", "webp_anim"):
        return
    told_of = (info.color_range, info.color_matrix, info.color_primaries, info.color_transfer)
    names = ("range", "matrix", "primaries", "transfer")
    missing = [name for name, value in zip(names, told_of, strict=True) if value is None]
    if missing:
        yield Problem(
            NOTE, f"its colours are not tagged ({', '.join(missing)}): players guess", info.video_index
        )
