"""What a video is: its size, rate, colours and streams, from ffmpeg's own description and from OpenCV."""

from __future__ import annotations

import os
import re
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import cv2

from framestyle.errors import InputError
from framestyle.media.ffmpeg import FORMATS_READ, ask, input_arguments
from framestyle.media.files import InputKind, sniff

CLOSE_RATE = 1e-5
"""Relative distance within which a decimal rate is taken for the exact fraction it stands for."""
TEXT_CHARACTERS = 1_000_000
UNPLAYABLE = "Is it complete? Does it play elsewhere?"
COUNTING_CONTAINERS = {"mov", "mp4", "avi"}
"""Containers whose header says how many frames there are; elsewhere the count is duration times rate."""


@dataclass(frozen=True)
class VideoInfo:
    """A video's facts. Width, height and aspect are of upright pictures, as OpenCV gives them.

    `rotation_degrees` (clockwise, 0–359) is already applied to them. `video_start_s` is how much later than
    the container's earliest stream (the sound, say) the pictures begin.
    """

    path: Path
    width: int
    height: int
    frame_rate: Fraction
    frame_count_estimate: int | None
    duration_s: Fraction | None
    sample_aspect_ratio: Fraction
    rotation_degrees: int
    pixel_format: str
    bit_depth: int
    has_alpha: bool
    color_range: str | None
    color_matrix: str | None
    color_primaries: str | None
    color_transfer: str | None
    audio_codecs: tuple[str, ...]
    subtitle_codecs: tuple[str, ...]
    container: str
    video_codec: str
    video_start_s: Fraction = Fraction(0)

    @property
    def audio_streams(self) -> int:
        """How many sound streams there are."""
        return len(self.audio_codecs)

    @property
    def frame_count_is_counted(self) -> bool:
        """Whether the container counted `frame_count_estimate`, rather than it being duration times rate."""
        return bool(COUNTING_CONTAINERS & set(self.container.split(",")))


@dataclass(frozen=True)
class Description:
    """What ffmpeg's text says of a file."""

    container: str = ""
    duration_s: Fraction | None = None
    video_codec: str | None = None
    pixel_format: str = ""
    color_range: str | None = None
    color_matrix: str | None = None
    color_primaries: str | None = None
    color_transfer: str | None = None
    sample_aspect_ratio: Fraction = Fraction(1)
    rotation_degrees: int = 0
    has_alpha: bool = False
    video_start_s: Fraction = Fraction(0)
    audio_codecs: tuple[str, ...] = ()
    subtitle_codecs: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()


# Two spaces and no more: metadata, which anybody can write, is indented further.
_STREAM = re.compile(r"  Stream #0:[0-9]+(?:\[\w+\])?(?:\([^)]*\))?: (Video|Audio|Subtitle): ([^\s,]*)(.*)")
_DURATION = re.compile(
    r"  Duration: (?:([0-9]{1,9}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?)|N/A)"
    r"(?:, start: (-?[0-9]{1,12}\.[0-9]{1,9}))?"
)
_ROTATION = re.compile(r" +display ?matrix: rotation of (-?[0-9]{1,4}(?:\.[0-9]+)?) degrees", re.IGNORECASE)
_INPUT = re.compile(r"Input #0, ([\w,]+), from ")


_Stream = tuple[str, str, list[str]]
"""Kind, codec, and the rest of its line with the lines below it."""


def parse_description(text: str) -> Description:
    """ffmpeg's `-i` output -> Description; never raises."""
    lines = text[:TEXT_CHARACTERS].split("\n")
    streams: list[_Stream] = []
    container, duration, start = "", None, Fraction(0)
    for line in lines:
        if found := _STREAM.fullmatch(line.rstrip("\r")):
            streams.append((found[1], found[2], [found[3]]))
        elif streams:
            streams[-1][2].append(line)
        elif found := _INPUT.match(line):
            container = container or found[1]
        elif found := _DURATION.match(line):
            duration, start = _seconds(found[1]), Fraction(found[2] or 0)
    described = Description(
        container=container,
        duration_s=duration,
        audio_codecs=tuple(codec for kind, codec, _ in streams if kind == "Audio"),
        subtitle_codecs=tuple(codec for kind, codec, _ in streams if kind == "Subtitle"),
        errors=tuple(re.sub(r"^\[[^]]*\] ", "", line).strip() for line in lines if line.startswith("[")),
    )
    moving = (item for item in streams if item[0] == "Video" and "(attached pic)" not in item[2][0])
    picture = next(moving, None)
    return described if picture is None else _with_picture(described, picture, start)


def _seconds(clock: str | None) -> Fraction | None:
    """00:01:02.50 -> 62.5 s."""
    if clock is None:
        return None
    hours, minutes, seconds = clock.split(":")
    return int(hours) * 3600 + int(minutes) * 60 + Fraction(seconds)


def _with_picture(described: Description, picture: _Stream, container_start: Fraction) -> Description:
    """The facts of the first stream of moving pictures (a cover picture is none)."""
    _, codec, (head, *below) = picture
    parts = _split_outside_brackets(head)
    pixel_format, _, notes = (parts[1] if len(parts) > 1 else "").partition("(")
    color = _color_facts(notes.removesuffix(")"))
    rotation = _rotation(below)
    start = re.search(r", start (-?[0-9]{1,12}\.[0-9]{1,9})", head)
    return replace(
        described,
        video_codec=codec,
        pixel_format=pixel_format.strip(),
        color_range=color[0],
        color_matrix=color[1],
        color_primaries=color[2],
        color_transfer=color[3],
        sample_aspect_ratio=_aspect(head, turned=rotation % 180 == 90),
        rotation_degrees=rotation,
        has_alpha=codec != "gif" and _has_alpha(pixel_format.strip(), below),
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
            told = note.split("/") if "/" in note else [note] * 3
            names = [None if name in ("unknown", "reserved") else name for name in told]
    return span, names[0], names[1], names[2]


def _aspect(head: str, *, turned: bool) -> Fraction:
    """The last ratio is the container's, which is above the codec's. Turned pictures have turned pixels."""
    for across, down in reversed(re.findall(r"\bSAR ([0-9]{1,9}):([0-9]{1,9})", head)):
        if int(across) and int(down):
            ratio = Fraction(int(across), int(down))
            return 1 / ratio if turned else ratio
    return Fraction(1)


def _rotation(below: list[str]) -> int:
    """Clockwise, 0–359; ffmpeg counts the other way."""
    for line in below:
        if found := _ROTATION.match(line):
            return -round(float(found[1])) % 360
    return 0


def _has_alpha(pixel_format: str, below: list[str]) -> bool:
    by_format = re.match(r"yuva|gbrap|ya\d|rgba|bgra|argb|abgr|ayuv|vuya", pixel_format) is not None
    return by_format or any(re.match(r" +alpha_mode +: 1", line) for line in below)


def bit_depth(pixel_format: str) -> int:
    """Bits a channel of ffmpeg's pixel format: yuv420p10le -> 10, p010le -> 10, rgb48le -> 16; else 8."""
    found = re.fullmatch(r"(.*?)([0-9]+)(?:le|be)", pixel_format)
    if found is None:
        return 8
    name, digits = found[1], int(found[2][-2:])
    if name in ("rgb", "bgr") and digits in (44, 55, 65):
        return 8
    by_pixel = {("rgb", 48): 16, ("bgr", 48): 16, ("rgba", 64): 16, ("bgra", 64): 16, ("ayuv", 64): 16}
    by_pixel |= {("xv", 30): 10, ("xv", 36): 12, ("xv", 48): 16, ("nv", 20): 10}
    return by_pixel.get((name, digits), digits if 8 <= digits <= 32 else 8)


def exact_rate(rate: float) -> Fraction:
    """A decimal rate as the fraction it stands for: 29.97002997 -> 30000/1001; 25 where it says nothing."""
    if not 0 < rate < 10_000:
        return Fraction(25)
    for candidate in (Fraction(round(rate)), Fraction(round(rate * 1.001) * 1000, 1001)):
        if candidate > 0 and abs(float(candidate) / rate - 1) < CLOSE_RATE:
            return candidate
    return max(Fraction(rate).limit_denominator(100_000), Fraction(1, 100_000))


def probe(path: Path) -> VideoInfo:
    """InputError where it is no video that can be decoded."""
    if sniff(path) is not InputKind.VIDEO:
        raise InputError(f"{path} is not a video", next_step="Name a video file.")
    told = describe(path)
    if told.video_codec is None:
        raise _no_picture(path, told)
    width, height, rate, count = _ask_opencv(path, told.video_codec)
    return VideoInfo(
        path=path,
        width=width,
        height=height,
        frame_rate=rate,
        frame_count_estimate=count,
        duration_s=told.duration_s,
        sample_aspect_ratio=told.sample_aspect_ratio,
        rotation_degrees=told.rotation_degrees,
        pixel_format=told.pixel_format,
        bit_depth=bit_depth(told.pixel_format),
        has_alpha=told.has_alpha,
        color_range=told.color_range,
        color_matrix=told.color_matrix,
        color_primaries=told.color_primaries,
        color_transfer=told.color_transfer,
        audio_codecs=told.audio_codecs,
        subtitle_codecs=told.subtitle_codecs,
        container=told.container,
        video_codec=told.video_codec,
        video_start_s=told.video_start_s,
    )


def _no_picture(path: Path, told: Description) -> InputError:
    if told.audio_codecs:
        return InputError(f"{path} holds sound but no moving pictures", next_step="Name a video file.")
    if any("moov atom not found" in line for line in told.errors):
        return InputError(
            f"{path} has no index: the recording or the copy was cut off",
            next_step="Copy it again.",
        )
    cause = next((line for line in reversed(told.errors) if line), "ffmpeg finds no picture in it")
    return InputError(f"{path} cannot be decoded: {cause}", next_step=UNPLAYABLE)


def describe(path: Path) -> Description:
    """What ffmpeg says of a local file; its name cannot pass for part of the answer."""
    try:
        _, said = ask(input_arguments(path))
    except subprocess.TimeoutExpired as error:
        raise InputError(
            f"{path} cannot be opened within {error.timeout:.0f} s", next_step="Copy it here."
        ) from error
    return parse_description(said.replace(f"file:{path}", ""))


def _ask_opencv(path: Path, codec: str) -> tuple[int, int, Fraction, int | None]:
    """Upright width and height in pixels, exact rate, and the number of frames, None where not said."""
    capture = open_capture(path)
    try:
        width, height = (int(capture.get(k)) for k in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT))
        rate = exact_rate(capture.get(cv2.CAP_PROP_FPS))
        count = int(capture.get(cv2.CAP_PROP_FRAME_COUNT))
        decodable = capture.grab()
    finally:
        capture.release()
    if not decodable:  # OpenCV opens AV1, say, and then gives no frame
        raise InputError(
            f"{path}: OpenCV here decodes no {codec} picture of it",
            next_step="Convert it first: ffmpeg -i INPUT -c:v libx264 -crf 10 -c:a copy OUTPUT.mkv",
        )
    if width <= 0 or height <= 0:
        raise InputError(f"{path} has pictures of no size", next_step=UNPLAYABLE)
    return width, height, rate, count if 0 < count < 1 << 40 else None


_opening = threading.Lock()


def open_capture(path: Path) -> cv2.VideoCapture:
    """OpenCV's decoder on a local file, no names in it followed; InputError where it does not open."""
    with _opening, _guarded_opencv():
        try:
            capture = cv2.VideoCapture(f"file:{path}", cv2.CAP_FFMPEG)
        except (cv2.error, UnicodeError) as error:
            raise InputError(
                f"{path} cannot be opened: {error}", next_step="Rename it, or copy it again."
            ) from error
    if not capture.isOpened():
        capture.release()
        raise InputError(f"{path} cannot be decoded", next_step=UNPLAYABLE)
    return capture


@contextmanager
def _guarded_opencv() -> Iterator[None]:
    """OpenCV takes demuxer options from the environment alone, when a capture opens. Put back afterwards."""
    options = {
        "OPENCV_FFMPEG_CAPTURE_OPTIONS": f"protocol_whitelist;file|format_whitelist;{FORMATS_READ}",
        "OPENCV_FFMPEG_LOGLEVEL": os.environ.get("OPENCV_FFMPEG_LOGLEVEL", "-8"),
    }
    before = {name: os.environ.get(name) for name in options}
    level = cv2.utils.logging.getLogLevel()
    os.environ.update(options)
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    try:
        yield
    finally:
        cv2.utils.logging.setLogLevel(level)
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
