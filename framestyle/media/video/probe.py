"""What a video is: its size, rate, colours and streams, from ffmpeg's own description and from OpenCV."""

from __future__ import annotations

import os
import re
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import cv2

from framestyle.errors import InputError
from framestyle.kinds import MediaKind
from framestyle.media.animated import gif_shows_through, plays_of, webp_shows_through
from framestyle.media.ffmpeg import FORMATS_READ, FFmpegDecoder, ask, input_arguments, lists_a_packet
from framestyle.media.files import sniff
from framestyle.media.video.colors import SDR, Colors, colors_of
from framestyle.media.video.description import (
    Description,
    Stream,
    bit_depth,
    exact_rate,
    mastering_in,
    parse_description,
)
from framestyle.media.video.matroska import Mastering

UNPLAYABLE = "Is it complete? Does it play elsewhere?"
COUNTING_CONTAINERS = {"mov", "mp4"}
"""Containers whose header says how many frames there are; elsewhere the count is duration times rate."""
MEASURED_CONTAINERS = {"mpegts", "mpeg", "ogg"}
"""Containers that say nowhere how long they are: ffmpeg looks for the last time in them."""

ALPHA_DECODERS = {"vp8": "libvpx", "vp9": "libvpx-vp9"}
"""ffmpeg's own decoders of these drop transparency."""


@dataclass(frozen=True)
class VideoInfo:
    """A video's facts. Width, height and aspect are of upright pictures, as OpenCV gives them.

    `rotation_degrees` (clockwise, 0–359) is already applied to them. `video_start_s` is how much later than
    the container's earliest stream (the sound, say) the pictures begin; `video_end_s` when they end, where it says so.
    The `color_…` are as tagged, `colors` as they are understood. `time_base` is what the file counts time in;
    `streams` are all of its streams, of which `video_index` is the pictures' and `alpha_index` that of their
    transparency, where it is a stream of its own. `is_picture_sequence`: AVIF's or HEIC's. `plays`: how often an
    animation is shown, 0 for ever; None where that is not said.
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
    time_base: Fraction = Fraction(1, 1_000_000)
    colors: Colors = SDR
    mastering: Mastering | None = None
    streams: tuple[Stream, ...] = ()
    video_index: int = 0
    opencv_decodes: bool = True
    timecode: str | None = None
    has_chapters: bool = False
    video_end_s: Fraction | None = None
    is_interlaced: bool = False
    is_picture_sequence: bool = False
    alpha_index: int | None = None
    plays: int | None = None

    @property
    def audio_streams(self) -> int:
        """How many sound streams there are."""
        return len(self.audio_codecs)

    @property
    def frame_count_is_counted(self) -> bool:
        """Whether the container counted `frame_count_estimate`, rather than it being duration times rate."""
        return bool(COUNTING_CONTAINERS & set(self.container.split(",")))

    @property
    def duration_is_measured(self) -> bool:
        """Whether `duration_s` is where the file ends, rather than what its head promises."""
        return bool(MEASURED_CONTAINERS & set(self.container.split(",")))


def probe(path: Path) -> VideoInfo:
    """InputError where it is no video that can be decoded."""
    if sniff(path) is not MediaKind.VIDEO:
        raise InputError(f"{path} is not a video", next_step="Name a video file.")
    told = describe(path)
    if told.video_codec is None:
        raise _no_picture(path, told)
    if told.needs_dolby_vision:
        raise InputError(
            f"{path} is Dolby Vision without a base picture: its colours are not to be had without its decoder",
            next_step="Export it as HDR10, HLG or SDR first.",
        )
    # Of a sequence's streams OpenCV takes the first one, which is a still.
    by_opencv = None if told.is_picture_sequence else _ask_opencv(path)
    width, height, rate, count = by_opencv if by_opencv and by_opencv[0] else _ask_ffmpeg(path, told)
    count = by_opencv[3] if by_opencv else count
    if width <= 0 or height <= 0:
        raise InputError(f"{path} has pictures of no size", next_step=UNPLAYABLE)
    colors = colors_of(
        pixel_format=told.pixel_format,
        width=width,
        height=height,
        matrix=told.color_matrix,
        primaries=told.color_primaries,
        transfer=told.color_transfer,
        color_range=told.color_range,
    )
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
        has_alpha=_has_alpha(path, told),
        color_range=told.color_range,
        color_matrix=told.color_matrix,
        color_primaries=told.color_primaries,
        color_transfer=told.color_transfer,
        audio_codecs=told.audio_codecs,
        subtitle_codecs=told.subtitle_codecs,
        container=told.container,
        video_codec=told.video_codec,
        video_start_s=told.video_start_s,
        time_base=told.time_base or 1 / rate,
        colors=colors,
        mastering=told.mastering or (_mastering_in_pictures(path, told) if colors.hdr else None),
        streams=told.streams,
        video_index=told.video_index,
        opencv_decodes=by_opencv is not None and by_opencv[0] > 0,
        timecode=told.timecode,
        has_chapters=told.has_chapters,
        video_end_s=told.video_end_s,
        is_interlaced=told.is_interlaced,
        is_picture_sequence=told.is_picture_sequence,
        alpha_index=told.alpha_index,
        plays=plays_of(path) if told.video_codec in ("gif", "webp_anim") else None,
    )


def _has_alpha(path: Path, told: Description) -> bool:
    """What is said of a codec's transparency is true of some only: what their files hold counts."""
    looked_at = {"gif": gif_shows_through, "webp_anim": webp_shows_through}.get(told.video_codec or "")
    return told.has_alpha if looked_at is None else looked_at(path)


def alpha_decoder(info: VideoInfo) -> str | None:
    """ffmpeg's name of the decoder that the pictures need; None: its own choice."""
    return ALPHA_DECODERS.get(info.video_codec) if info.has_alpha else None


def last_frame_s(info: VideoInfo) -> Fraction | None:
    """How long the file says that its last picture is shown; None where it does not say. Reads all of it."""
    process = FFmpegDecoder(
        [*input_arguments(info.path), "-map", f"0:{info.video_index}", "-c", "copy", "-f", "framecrc", "-"]
    )
    time_base, last, length = Fraction(0), -1, 0
    try:
        for line in process.output:
            if found := re.match(rb"#tb 0: ([0-9]{1,12})/([0-9]{1,12})\s*$", line):
                time_base = Fraction(int(found[1]), int(found[2]) or 1)
            elif found := re.match(rb"0, *-?[0-9]{1,19}, *([0-9]{1,19}), *([0-9]{1,19}),", line):
                last, length = max((last, length), (int(found[1]), int(found[2])))
    finally:
        process.kill()
    return length * time_base or None


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


_Facts = tuple[int, int, Fraction, int | None]
"""Upright width and height in pixels, exact rate, and the number of frames, None where not said."""


def _ask_opencv(path: Path) -> _Facts | None:
    """None where it does not open it; of no size where it opens it and gives no frame, as this OpenCV does with AV1."""
    try:
        capture = open_capture(path)
    except InputError:
        return None
    try:
        width, height = (int(capture.get(k)) for k in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT))
        rate = exact_rate(capture.get(cv2.CAP_PROP_FPS))
        count = int(capture.get(cv2.CAP_PROP_FRAME_COUNT))
        decodable = capture.grab()
    finally:
        capture.release()
    if not decodable:
        width = height = 0
    return width, height, rate, count if 0 < count < 1 << 40 else None


def _ask_ffmpeg(path: Path, told: Description) -> _Facts:
    """From its description, once it has decoded a picture."""
    one = ["-map", f"0:{told.video_index}", "-frames:v", "1", "-f", "framecrc", "-"]
    listed, said = ask(["-v", "error", *input_arguments(path), *one])
    if not lists_a_packet(listed):
        cause = next(
            (line for line in reversed(said.splitlines()) if line.strip()), f"no {told.video_codec} picture"
        )
        raise InputError(f"{path} cannot be decoded: {cause}", next_step=UNPLAYABLE)
    rate = told.frame_rate or Fraction(25)
    turned = told.rotation_degrees % 180 == 90
    width, height = (told.height, told.width) if turned else (told.width, told.height)
    return width, height, rate, round(told.duration_s * rate) if told.duration_s else None


def _mastering_in_pictures(path: Path, told: Description) -> Mastering | None:
    """What the first picture says, where the container says nothing."""
    show = ["-map", f"0:{told.video_index}", "-frames:v", "1", "-vf", "showinfo", "-f", "null", "-"]
    _, said = ask([*input_arguments(path), *show])
    return mastering_in([line for line in said.splitlines() if "side data - " in line])


_opening = threading.Lock()


def open_capture(path: Path) -> cv2.VideoCapture:
    """OpenCV's decoder on a local file, no names in it followed; InputError where it does not open."""
    with _opening, _guarded_opencv():
        try:
            capture = cv2.VideoCapture(f"file:{path}", cv2.CAP_FFMPEG)
        except (cv2.error, UnicodeError) as error:
            raise InputError(
                f"{path} cannot be opened: {' '.join(str(error).split())}",
                next_step="Rename it, or copy it again.",
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
