"""ffmpeg's text about a file, parsed: what it is asked for there is no other way to ask without ffprobe."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from framestyle.media.video.mastering import mastering_in
from framestyle.media.video.matroska import Mastering
from framestyle.media.video.pixel_formats import has_alpha
from framestyle.media.video.streams import DISPOSITIONS as DISPOSITIONS
from framestyle.media.video.streams import STREAM, stream_of
from framestyle.media.video.streams import Stream as Stream

CLOSE_RATE = 1e-5
"""Relative distance within which a decimal rate is taken for the exact fraction it stands for."""
TEXT_CHARACTERS = 1_000_000


@dataclass(frozen=True)
class Description:
    """What ffmpeg's text says of a file; sizes are as stored, before any rotation."""

    container: str = ""
    duration_s: Fraction | None = None
    streams: tuple[Stream, ...] = ()
    video_index: int = 0
    video_codec: str | None = None
    width: int = 0
    height: int = 0
    frame_rate: Fraction | None = None
    time_base: Fraction | None = None
    pixel_format: str = ""
    color_range: str | None = None
    color_matrix: str | None = None
    color_primaries: str | None = None
    color_transfer: str | None = None
    sample_aspect_ratio: Fraction = Fraction(1)
    rotation_degrees: int = 0
    is_transformed: bool = False
    has_alpha: bool = False
    is_interlaced: bool = False
    mastering: Mastering | None = None
    needs_dolby_vision: bool = False
    metadata: tuple[tuple[str, str], ...] = ()
    timecode: str | None = None
    has_chapters: bool = False
    video_start_s: Fraction = Fraction(0)
    video_end_s: Fraction | None = None
    is_picture_sequence: bool = False
    alpha_index: int | None = None
    errors: tuple[str, ...] = ()

    @property
    def audio_codecs(self) -> tuple[str, ...]:
        return tuple(stream.codec for stream in self.streams if stream.kind == "audio")

    @property
    def subtitle_codecs(self) -> tuple[str, ...]:
        return tuple(stream.codec for stream in self.streams if stream.kind == "subtitle")


_GROUP = re.compile(r"  Stream group #0:[0-9]+")
_DURATION = re.compile(
    r"  Duration: (?:([0-9]{1,9}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?)|N/A)"
    r"(?:, start: (-?[0-9]{1,12}\.[0-9]{1,9}))?"
)
_ROTATION = re.compile(r" +display ?matrix: rotation of (-?[0-9]{1,4}(?:\.[0-9]+)?) degrees", re.IGNORECASE)
_INPUT = re.compile(r"Input #0, ([\w,]+), from ")
_DOLBY_VISION = re.compile(r" +DOVI configuration record: .*compatibility id: ([0-9]+)")

_StreamLines = tuple[Stream, list[str]]
"""A stream, and the rest of its line with the lines below it."""


def parse_description(text: str) -> Description:
    """What ffmpeg says of its one input -> Description; never raises."""
    lines = _of_the_input(text[:TEXT_CHARACTERS].split("\n"))
    found_streams: list[_StreamLines] = []
    container, duration, start, in_group = "", None, Fraction(0), False
    for line in lines:
        if len(line) > 2 and line.startswith("  ") and line[2] != " ":
            in_group = _GROUP.match(line) is not None
        indent = "    " if in_group else "  "
        found = STREAM.fullmatch(line.rstrip("\r")[len(indent) :]) if line.startswith(indent) else None
        if found:
            found_streams.append((stream_of(found), [found[5]]))
        elif found_streams:
            found_streams[-1][1].append(line)
        elif found := _INPUT.match(line):
            container = container or found[1]
        elif found := _DURATION.match(line):
            duration, start = _seconds(found[1]), Fraction(found[2] or 0)
    found_streams.sort(key=lambda one: one[0].index)
    described = Description(
        container=container,
        duration_s=duration,
        streams=tuple(
            replace(stream, name=_value("name", below), title=_value("title", below))
            for stream, (_, *below) in found_streams
        ),
        metadata=_file_metadata(lines),
        has_chapters=any(re.match(r"    Chapter #0:[0-9]+: start ", line) for line in lines),
        errors=tuple(
            re.sub(r"^\[[^]]*\] ", "", line).strip()
            for line in lines
            if line.startswith("[") and not line.startswith("[out#")
        ),
    )
    pictures = [one for one in found_streams if one[0].kind == "video" and not one[0].is_cover]
    if _brand(lines) in SEQUENCE_BRANDS:
        return _with_sequence(described, pictures, start)
    return described if not pictures else _with_picture(described, pictures[0], start)


SEQUENCE_BRANDS = {"avis", "hevc", "hevx", "msf1"}
"""Of AVIF and HEIC sequences."""


def _brand(lines: Sequence[str]) -> str | None:
    """A file's own, of the MP4 family."""
    found = (re.fullmatch(r"    major_brand *: (\w+)", line.rstrip("\r")) for line in lines[:50])
    return next((one[1] for one in found if one), None)


def _with_sequence(described: Description, pictures: Sequence[_StreamLines], start: Fraction) -> Description:
    """Of pictures shown one after another: beside their track stands a still one, of which no language is told.

    A second track, of greys, is their transparency.
    """
    tracks = [one for one in pictures if one[0].language is not None] or list(pictures)
    if not tracks:
        return described
    found = replace(_with_picture(described, tracks[0], start), is_picture_sequence=True)
    if len(tracks) == 2 and re.match(r"[^,]*, gray", tracks[1][1][0]):
        return replace(found, has_alpha=True, alpha_index=tracks[1][0].index)
    return found


def _file_metadata(lines: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """The file's own, as it comes before any stream's; of a text of many lines the first."""
    found: list[tuple[str, str]] = []
    for line in lines:
        if line.startswith(("  Duration:", "  Chapters:", "  Stream", "  Program")):
            break
        if named := re.fullmatch(r"    (\S.{0,200}?) *: (.*)", line.rstrip("\r")):
            found.append((named[1], named[2]))
    return tuple(found)


def _of_the_input(lines: list[str]) -> list[str]:
    """Not what is said of what is made of it."""
    return lines[: lines.index("Stream mapping:")] if "Stream mapping:" in lines else lines


def _seconds(clock: str | None) -> Fraction | None:
    """00:01:02.50 -> 62.5 s."""
    if clock is None:
        return None
    hours, minutes, seconds = clock.split(":")
    return int(hours) * 3600 + int(minutes) * 60 + Fraction(seconds)


def _clock(said: str | None) -> str | None:
    """Matroska's 00:00:01.480000000, where it is one."""
    return said if said and re.fullmatch(r"[0-9]{1,9}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?", said) else None


def _with_picture(described: Description, picture: _StreamLines, container_start: Fraction) -> Description:
    """The facts of the first stream of moving pictures (a cover picture is none)."""
    stream, (head, *below) = picture
    parts = _split_outside_brackets(head)
    pixel_format, _, notes = (parts[1] if len(parts) > 1 else "").partition("(")
    color = _color_facts(notes.removesuffix(")"))
    matrix = _rotation(below)
    rotation = matrix or 0
    start = re.search(r", start (-?[0-9]{1,12}\.[0-9]{1,9})", head)
    size = re.search(r", ([0-9]{1,6})x([0-9]{1,6})\b", head)
    return replace(
        described,
        video_index=stream.index,
        video_codec=stream.codec,
        width=int(size[1]) if size else 0,
        height=int(size[2]) if size else 0,
        frame_rate=_rate(head),
        time_base=_time_base(head),
        pixel_format=pixel_format.strip(),
        color_range=color[0],
        color_matrix=color[1],
        color_primaries=color[2],
        color_transfer=color[3],
        sample_aspect_ratio=_aspect(head, turned=rotation % 180 == 90),
        rotation_degrees=rotation,
        is_transformed=matrix is not None,
        is_interlaced=re.search(r"\b(top|bottom) (coded )?first\b", notes) is not None,
        has_alpha=stream.codec != "gif" and (has_alpha(pixel_format.strip()) or _says_alpha(below)),
        mastering=mastering_in(below),
        needs_dolby_vision=any((found := _DOLBY_VISION.match(line)) and found[1] == "0" for line in below),
        timecode=_value("timecode", below) or _value_of(described, "timecode"),
        video_end_s=_seconds(_clock(_value("DURATION", below))),
        video_start_s=max(Fraction(0), Fraction(start[1]) - container_start) if start else Fraction(0),
    )


def _split_outside_brackets(text: str) -> list[str]:
    """At commas that stand in no ( ) or [ ]."""
    parts, depth = [""], 0
    for character in text:
        depth += (character in "([") - (character in ")]")
        if character == "," and depth <= 0:
            parts.append("")
        else:
            parts[-1] += character
    return [part.strip() for part in parts]


def _rate(head: str) -> Fraction | None:
    """The average rate, else the guessed one."""
    for name in ("fps", "tbr"):
        if (found := _number_before(name, head)) is not None and found > 0:
            return _meant(found)
    return None


def _time_base(head: str) -> Fraction | None:
    """`15360 tbn`, `90k tbn`, `29.97 tbn` -> the length of a tick in seconds."""
    found = _number_before("tbn", head)
    return None if found is None or found <= 0 else 1 / _meant(found, most=1e12)


def _meant(told: float, most: float = 10_000) -> Fraction:
    """What ffmpeg tells with two decimals: 23.98 stands for 24000/1001, of which 2 hours differ by a second."""
    film = Fraction(round(told * 1.001) * 1000, 1001)
    return film if round(float(film), 2) == told != round(told) else exact_rate(told, most)


def _number_before(name: str, head: str) -> float | None:
    found = re.search(rf", ([0-9]{{1,12}}(?:\.[0-9]{{1,9}})?)(k?) {name}\b", head)
    return None if found is None else float(found[1]) * (1000 if found[2] else 1)


_THREE_NAMES = re.compile(r"[a-z][\w-]*(?:/[a-z][\w-]*){2}")
_ONE_NAME = re.compile(r"(?:bt|smpte|gbr|fcc|ycgco)\w*")


def _color_facts(notes: str) -> tuple[str | None, str | None, str | None, str | None]:
    """`tv, bt2020nc/bt2020/smpte2084` -> range, matrix, primaries, transfer; `bt709` is the last three."""
    span: str | None = None
    names: list[str | None] = [None, None, None]
    for note in (part.strip() for part in notes.split(",")):
        if note in ("tv", "pc"):
            span = note
        elif _THREE_NAMES.fullmatch(note) or _ONE_NAME.fullmatch(note):
            given = note.split("/") if "/" in note else [note] * 3
            names = [None if name in ("unknown", "reserved") else name for name in given]
    return span, names[0], names[1], names[2]


def _aspect(head: str, *, turned: bool) -> Fraction:
    """The last ratio is the container's, which is above the codec's. Turned pictures have turned pixels."""
    for across, down in reversed(re.findall(r"\bSAR ([0-9]{1,9}):([0-9]{1,9})", head)):
        if int(across) and int(down):
            ratio = Fraction(int(across), int(down))
            return 1 / ratio if turned else ratio
    return Fraction(1)


def _value_of(described: Description, key: str) -> str | None:
    """Of the file's metadata."""
    return next((value for name, value in described.metadata if name.lower() == key), None)


def _value(key: str, below: Sequence[str]) -> str | None:
    """Of a stream's metadata."""
    for line in below:
        if found := re.fullmatch(rf" {{6,8}}{key} *: (.{{1,500}})", line.rstrip("\r"), re.IGNORECASE):
            return found[1]
    return None


def _rotation(below: Sequence[str]) -> int | None:
    """Clockwise, 0–359; ffmpeg counts the other way. None where no display matrix is told of."""
    for line in below:
        if found := _ROTATION.match(line):
            return -round(float(found[1])) % 360
    return None


def _says_alpha(below: Sequence[str]) -> bool:
    """As Matroska does of VP9, whose transparency is a stream of its own."""
    return any(re.match(r" +alpha_mode +: 1", line) for line in below)


def exact_rate(rate: float, most: float = 10_000) -> Fraction:
    """A decimal rate as the fraction it stands for: 29.97002997 -> 30000/1001; 25 where it says nothing."""
    if not 0 < rate < most:
        return Fraction(25)
    for candidate in (Fraction(round(rate)), Fraction(round(rate * 1.001) * 1000, 1001)):
        if candidate > 0 and abs(float(candidate) / rate - 1) < CLOSE_RATE:
            return candidate
    return max(Fraction(rate).limit_denominator(100_000), Fraction(1, 100_000))
