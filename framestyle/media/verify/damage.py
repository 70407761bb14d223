"""What is wrong with a clip by itself: frames that are lost or spoilt, ends that are missing, ffmpeg's complaints."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise
from statistics import median

from framestyle.media.apng import ends_whole
from framestyle.media.verify.listing import CORRUPT, UNFLAGGED, Listing, Track, corrupt_frames
from framestyle.media.verify.verdict import DAMAGE, NOTE, Problem, summarized
from framestyle.media.video.probe import VideoInfo

EARLY_END_S = Fraction(1, 4)
"""A file may promise to last this much longer than it does."""
LONG_FRAMES = Fraction(3, 2)
"""A frame shown for so many frames' time makes a pause."""
STEADY_SHARE = 0.9
"""Of a clip whose frames are so many of one length, pauses are told."""
SOUND_GAP_S = Fraction(1, 20)
MOST_MESSAGES = 3
"""Of ffmpeg's on a stream."""
EMPTY_MESSAGES = ("Error submitting packet to decoder", "Decoding error")
"""That something is wrong, and not what."""


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
        messages = list(dict.fromkeys(text for text in texts if not text.startswith(EMPTY_MESSAGES))) or texts
        more = f"; and {len(messages) - MOST_MESSAGES} more" if len(messages) > MOST_MESSAGES else ""
        yield Problem(DAMAGE, f"{where}: ffmpeg says: {'; '.join(messages[:MOST_MESSAGES])}{more}", index)


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
    return summarized(problems, "{} further frames cannot be decoded")


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
    return summarized(problems, "{} further frames are shown damaged")


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
    return summarized(problems, "{} further frames are not in order")


def _promises(listing: Listing) -> Iterator[Problem]:
    """What the head says, and what comes."""
    info, pictures = listing.info, listing.pictures
    pictures_end_s = pictures.end_s
    if info.frame_count_is_counted and info.frame_count_estimate:
        missing = info.frame_count_estimate - len(pictures.packets)
        if missing > 0:
            text = f"its head counts {info.frame_count_estimate} frames; {missing} of them are not there"
            yield Problem(DAMAGE, text, info.video_index, len(pictures.packets))
        elif info.video_end_s is not None and pictures_end_s is not None:
            pictures_end_s = max(pictures_end_s, info.video_end_s)  # the last one is held
    ends = [end for track in listing.tracks.values() if (end := track.end_s) is not None]
    ends += [] if pictures_end_s is None else [pictures_end_s]
    # Sound may begin before 0, to be decoded and not heard; Matroska's duration counts that.
    before_s = max(
        [-one.at_s for track in listing.tracks.values() for one in track.packets[:1]] + [Fraction(0)]
    )
    allowed_s = max(EARLY_END_S, 2 / info.frame_rate)
    for promised_s, end_s, what in (
        (info.duration_s, max(ends) + before_s if ends else None, "the file"),
        (info.video_end_s, pictures_end_s, "the pictures"),
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
    elif info.video_codec == "apng" and not ends_whole(info.path):
        yield Problem(DAMAGE, "the PNG has no end: it was cut off")


def pauses(listing: Listing) -> list[Problem]:
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
    return summarized(problems, "{} further pauses")


def _mute(listing: Listing) -> Iterator[Problem]:
    for track in listing.of_kind("audio"):
        if track.packets and track.is_decoded and not track.frames:
            yield Problem(DAMAGE, f"{_named(track)}: nothing of it can be decoded", track.stream.index)


def silences(listing: Listing) -> Iterator[Problem]:
    """Gaps between pieces of sound."""
    for track in listing.of_kind("audio"):
        index, frames = track.stream.index, track.frames
        gaps = [
            Problem(
                NOTE, f"{_named(track)} has a gap of {float(b.at_s - a.end_s):.3f} s", index, at_s=a.end_s
            )
            for a, b in pairwise(frames)
            if b.at_s - a.end_s > SOUND_GAP_S
        ]
        yield from summarized(gaps, "{} further gaps in it")


def untagged(info: VideoInfo) -> Iterator[Problem]:
    """Colours that the file leaves to players."""
    if info.video_codec in ("gif", "webp_anim", "apng"):
        return
    stated = (info.color_range, info.color_matrix, info.color_primaries, info.color_transfer)
    names = ("range", "matrix", "primaries", "transfer")
    missing = [name for name, value in zip(names, stated, strict=True) if value is None]
    if missing:
        yield Problem(
            NOTE, f"its colours are not tagged ({', '.join(missing)}): players guess", info.video_index
        )
