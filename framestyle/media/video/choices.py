"""What becomes of each of a source's streams in another container: copied, converted, or left out, and what is said."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from framestyle.media.video.probe import VideoInfo
from framestyle.media.video.streams import Stream

_MP4_AUDIO = {"aac", "mp3", "ac3", "eac3", "alac", "opus", "flac"}
COPIED_AUDIO: Mapping[str, set[str]] = {
    "mp4": _MP4_AUDIO,
    "mov": {
        "aac",
        "mp3",
        "ac3",
        "eac3",
        "alac",
        *(f"pcm_s{n}{e}" for n in (16, 24, 32) for e in ("le", "be")),
    },
    "webm": {"opus", "vorbis"},
}
"""Sound that each container keeps as it is; Matroska keeps all."""
TEXT_SUBTITLES = {"subrip", "srt", "ass", "ssa", "mov_text", "webvtt", "text"}
DRAWN_SUBTITLES = {"ass", "ssa"}
"""Texts with fonts, colours and places of their own."""
PICTURE_SUBTITLES = {"hdmv_pgs_subtitle", "dvd_subtitle", "dvb_subtitle", "xsub"}
MATROSKA_SUBTITLES = (TEXT_SUBTITLES - {"mov_text"}) | (PICTURE_SUBTITLES - {"xsub"})
COPIED_SUBTITLES: Mapping[str, set[str]] = {
    "matroska": MATROSKA_SUBTITLES,
    "mp4": {"ttml"},
    "mov": {"eia_608"},
}
"""Subtitles that each container keeps as they are."""


@dataclass(frozen=True)
class SoundEncoder:
    """`layouts`: the channels that it takes as they are, by ffmpeg's names; `most_hz`: its most samples a second."""

    encoder: str
    name: str
    layouts: frozenset[str]
    most_hz: int


OPUS = SoundEncoder(
    "libopus", "Opus", frozenset({"mono", "stereo", "3.0", "quad", "5.0", "5.1", "6.1", "7.1"}), 48_000
)
AAC = SoundEncoder(
    "aac",
    "AAC",
    OPUS.layouts
    | {"2.1", "3.0(back)", "4.0", "quad(side)", "3.1", "5.0(side)", "4.1", "5.1(side)", "6.0", "6.0(front)"}
    | {"hexagonal", "6.1(back)", "6.1(front)", "7.0", "7.0(front)", "7.1(wide)", "7.1(wide-side)"}
    | {"5.1.2(back)", "octagonal"},
    96_000,
)
NAMED_LAYOUTS = {
    "mono": 1,
    "stereo": 2,
    "binaural": 2,
    "downmix": 2,
    "quad": 4,
    "hexagonal": 6,
    "octagonal": 8,
}
NAMED_LAYOUTS |= {"cube": 8, "hexadecagonal": 16}
"""How many channels there are in layouts whose names do not count them."""
GUESSED_CHANNELS = 8
"""ffmpeg takes so many channels without places for the usual ones of as many."""
KBIT_A_CHANNEL, LEAST_KBIT, MOST_KBIT = 96, 192, 768
OWN_TAGS = {"tmcd", "text"}
"""Timecodes and the text of chapters, which MP4 keeps in streams: carried as what they are."""
DATA_NAMES = {
    "gpmd": "GoPro's telemetry",
    "rtmd": "Sony's telemetry",
    "djmd": "DJI's telemetry",
    "camm": "the camera's motion",
    "mebx": "Apple's timed metadata",
}
"""What data is, by the form that MP4 names."""


@dataclass(frozen=True)
class Choice:
    """What becomes of one of the source's streams: `coder` is ffmpeg's name of an encoder, `copy`, or None: dropped.

    `options` are the encoder's own; `note` is what the user should know; `channels`: how many sound has then.
    """

    stream: Stream
    coder: str | None
    options: Mapping[str, str] = field(default_factory=dict)
    note: str | None = None
    channels: int | None = None


def choices(info: VideoInfo, kind: str, muxer: str) -> list[Choice]:
    """For all streams of a kind (audio, subtitle, attachment), in order."""
    choose = {"audio": _audio, "subtitle": _subtitle, "attachment": _attachment}[kind]
    streams = [one for one in info.streams if one.kind == kind]
    return [choose(stream, number, muxer) for number, stream in enumerate(streams, 1)]


def dropped_beside(info: VideoInfo) -> Iterator[str]:
    """What no container gets of the source: further pictures, data, and what lies within the pictures' own stream."""
    for stream in info.streams:
        if stream.kind == "video" and not stream.is_cover and stream.index != info.video_index:
            # Beside a sequence's pictures lie the still that stands for all, and the transparency.
            if not info.is_picture_sequence:
                yield f"Stream {stream.index}, further pictures, was dropped: one stream is stylized."
        elif stream.kind == "data" and stream.tag not in OWN_TAGS:
            yield f"Stream {stream.index}, data ({_name_of(stream)}), was dropped."
    for words in info.beside:
        yield f"Left out, as it would not fit what is painted: {words}."


def _name_of(data: Stream) -> str:
    form = data.tag or (data.codec if data.codec not in ("none", "bin_data") else "of no known kind")
    return f"{form}: {DATA_NAMES[form]}" if form in DATA_NAMES else form


def channels_in(layout: str | None) -> int | None:
    """How many channels a layout has, by ffmpeg's name of it; None where it does not say."""
    name = (layout or "").partition("(")[0].strip()
    if found := re.fullmatch(r"([0-9]{1,3}) channels", name):
        return int(found[1])
    if found := re.fullmatch(r"ambisonic ([0-9])", name):
        return (int(found[1]) + 1) ** 2
    if re.fullmatch(r"[0-9]{1,2}(\.[0-9]){1,2}", name):
        return sum(map(int, name.split(".")))
    return NAMED_LAYOUTS.get(name)


def _audio(stream: Stream, number: int, muxer: str) -> Choice:
    """Copied where the container holds its codec, else converted."""
    codec, channels = stream.codec, channels_in(stream.layout)
    if codec in ("none", "unknown", ""):
        return Choice(stream, None, note=f"Sound stream {number} was dropped: its codec is not known.")
    allowed = COPIED_AUDIO.get(muxer)
    if allowed is None or codec in allowed:
        return Choice(stream, "copy", channels=channels)
    coder = OPUS if muxer == "webm" else AAC
    converted = f"converted from {codec} to {coder.name}"
    if _has_no_places(stream.layout):
        cause = f"{stream.layout} cannot be {converted}; MKV keeps it"
        return Choice(stream, None, note=f"Sound stream {number} was dropped: {cause}.")
    options, mixed = {}, ""
    if stream.layout not in coder.layouts and channels is not None:
        layout = "stereo" if channels <= 2 else "5.1" if channels <= 6 else "7.1"
        options["filter"] = f"aformat=channel_layouts={layout}"
        if (stream.layout or "").partition("(")[0] != layout:
            mixed = f", and mixed from {stream.layout} to {layout}"
        channels = channels_in(layout)
    options["b"] = f"{min(MOST_KBIT, max(LEAST_KBIT, KBIT_A_CHANNEL * (channels or 2)))}k"
    if stream.rate_hz is not None and stream.rate_hz > coder.most_hz:
        mixed += f", with {coder.most_hz} samples a second for {stream.rate_hz}"
    note = f"Sound stream {number} was {converted} for this container{mixed}."
    return Choice(stream, coder.encoder, options, note, channels)


def _has_no_places(layout: str | None) -> bool:
    """Whether nobody can say from where each channel is to be heard."""
    if layout is None or not re.match(r"ambisonic|[0-9]+ channels", layout):
        return False
    return layout.startswith("ambisonic") or (channels_in(layout) or 0) > GUESSED_CHANNELS


def _subtitle(stream: Stream, number: int, muxer: str) -> Choice:
    """Copied, or converted from text to text, or dropped with a note."""
    codec = stream.codec
    if codec in COPIED_SUBTITLES.get(muxer, ()):
        return Choice(stream, "copy")
    if codec in TEXT_SUBTITLES:
        kept = "keep their words, not their fonts, colours and places"
        note = f"Subtitles {number} ({codec}) {kept}: MKV holds these." if codec in DRAWN_SUBTITLES else None
        return Choice(stream, {"matroska": "srt", "webm": "webvtt"}.get(muxer, "mov_text"), note=note)
    cause = "they are of a form that is not converted"
    if codec in PICTURE_SUBTITLES:
        cause = "only MKV holds subtitles that are pictures"
    elif holders := [name.upper() for name, held in COPIED_SUBTITLES.items() if codec in held]:
        cause = f"only {' and '.join(holders)} holds them"
    return Choice(stream, None, note=f"Subtitles {number} ({codec}) were dropped: {cause}.")


def _attachment(stream: Stream, number: int, muxer: str) -> Choice:
    """Fonts, mostly."""
    if muxer == "matroska":
        return Choice(stream, "copy")
    return Choice(stream, None, note=f"Attachment {number} was dropped: only MKV holds attachments.")
