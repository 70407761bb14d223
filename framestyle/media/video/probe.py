"""What a video is: its size, rate, colours and streams, as ffmpeg describes it and decodes its first picture."""

from __future__ import annotations

import os
import re
import stat
import subprocess
import time
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from pathlib import Path

from framestyle.errors import InputError
from framestyle.kinds import MediaKind
from framestyle.media.animated import gif_shows_through, plays_of, png_shows_through, webp_shows_through
from framestyle.media.apng import png_frames
from framestyle.media.ffmpeg import ask, ffmpeg_exe, input_arguments
from framestyle.media.files import sniff
from framestyle.media.video.beside import PLAIN, Viewing, beside_in, viewing_in
from framestyle.media.video.boxes import Promise, promise_of
from framestyle.media.video.colors import SDR, Colors, colors_of
from framestyle.media.video.description import (
    Description,
    Stream,
    parse_description,
)
from framestyle.media.video.first_picture import ARGUMENTS, WHOLE_DEGREES, FirstPicture, parse_first_picture
from framestyle.media.video.mastering import mastering_in
from framestyle.media.video.matroska import Mastering
from framestyle.media.video.pixel_formats import bit_depth

UNPLAYABLE = "Is it complete? Does it play elsewhere?"
MEASURED_CONTAINERS = {"mpegts", "mpeg", "ogg"}
"""Containers that say nowhere how long they are: ffmpeg looks for the last time in them."""

REMEMBERED = 64
"""Videos whose facts a process keeps: each question is a start of ffmpeg, and a render asks several times."""
CLOCK_TICK_NS = 100_000_000
"""A file that is written again within the file system's clock tick may bear the same time: many times that."""

SHOWS_THROUGH = {"gif": gif_shows_through, "webp_anim": webp_shows_through, "apng": png_shows_through}
"""Of animations: what tells whether anything shows through them."""
ALPHA_DECODERS = {"vp8": "libvpx", "vp9": "libvpx-vp9"}
"""ffmpeg's own decoders of these drop transparency."""


@dataclass(frozen=True)
class VideoInfo:
    """A video's facts. Width, height and aspect are of pictures as players show them: upright, cropped.

    `rotation_degrees` (clockwise, 0–359) is already applied to them; `is_transformed` says whether the file has players
    turn or mirror its pictures, `is_cropped` whether its container has them crop what the codec gives.
    `frame_count_is_counted`: the container counted `frame_count_estimate`, which is else duration times rate.
    `video_start_s` is how much later than
    the container's earliest stream (the sound, say) the pictures begin; `video_end_s` when they end, where it says so.
    The `color_…` are as tagged, `colors` as they are understood. `time_base` is what the file counts time in;
    `streams` are all of its streams, of which `video_index` is the pictures' and `alpha_index` that of their
    transparency, where it is a stream of its own. `is_picture_sequence`: AVIF's or HEIC's. `plays`: how often an
    animation is shown, 0 for ever; None where that is not said. `viewing`: how the pictures are to be looked at;
    `beside`: what lies in their stream and would not be true of painted ones, in words.
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
    is_transformed: bool = False
    is_cropped: bool = False
    frame_count_is_counted: bool = False
    metadata: tuple[tuple[str, str], ...] = ()
    timecode: str | None = None
    has_chapters: bool = False
    video_end_s: Fraction | None = None
    is_interlaced: bool = False
    is_picture_sequence: bool = False
    alpha_index: int | None = None
    plays: int | None = None
    viewing: Viewing = PLAIN
    beside: tuple[str, ...] = ()

    @property
    def audio_streams(self) -> int:
        """How many sound streams there are."""
        return len(self.audio_codecs)

    @property
    def is_turned_oddly(self) -> bool:
        """By no quarter turn: within its frame, which cuts its corners off."""
        return min(self.rotation_degrees % 90, -self.rotation_degrees % 90) > WHOLE_DEGREES

    @property
    def duration_is_measured(self) -> bool:
        """Whether `duration_s` is where the file ends, rather than what its head promises."""
        return bool(MEASURED_CONTAINERS & set(self.container.split(",")))


def probe(path: Path) -> VideoInfo:
    """What it is; a file that stays as it is is asked once. InputError where it is no video that can be decoded."""
    stamp = _stamp(path)
    return _probed(path, stamp, ffmpeg_exe()) if stamp else _probed_now(path)


def _stamp(path: Path) -> tuple[int, ...] | None:
    """Changes with the file. None of one that this cannot be told of: it is no file, or was written just now."""
    try:
        found = path.stat()
    except OSError:
        return None
    is_settled = time.time_ns() - max(found.st_mtime_ns, found.st_ctime_ns) > CLOCK_TICK_NS
    stamp = (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
    return stamp if stat.S_ISREG(found.st_mode) and is_settled else None


@lru_cache(maxsize=REMEMBERED)
def _probed(path: Path, stamp: tuple[int, ...], exe: str) -> VideoInfo:
    return _probed_now(path)


def _probed_now(path: Path) -> VideoInfo:
    if sniff(path) is not MediaKind.VIDEO:
        raise InputError(f"{path} is not a video", next_step="Name a video file.")
    said = _ask(path, "-noautorotate", *input_arguments(path), "-map", "0:V:0", *ARGUMENTS)
    described = parse_description(said)
    if described.video_codec is None:
        raise _no_picture(path, described)
    if described.needs_dolby_vision:
        raise InputError(
            f"{path} is Dolby Vision without a base picture: its colours are not to be had without its decoder",
            next_step="Export it as HDR10, HLG or SDR first.",
        )
    if described.is_picture_sequence:  # its first stream is a still
        said = _ask(
            path, "-noautorotate", *input_arguments(path), "-map", f"0:{described.video_index}", *ARGUMENTS
        )
    first = parse_first_picture(said, described)
    if first is None:
        raise _undecodable(path, described)
    width, height, rate = first.width, first.height, first.frame_rate
    if width <= 0 or height <= 0:
        raise InputError(f"{path} has pictures of no size", next_step=UNPLAYABLE)
    promise = _promise(path, described)
    guessed = round(described.duration_s * rate) if described.duration_s else None
    colors = colors_of(
        pixel_format=described.pixel_format,
        width=width,
        height=height,
        matrix=described.color_matrix,
        primaries=described.color_primaries,
        transfer=described.color_transfer,
        color_range=described.color_range,
    )
    viewing = viewing_in(said)
    return VideoInfo(
        path=path,
        width=width,
        height=height,
        frame_rate=rate,
        frame_count_estimate=promise.frames or guessed,
        duration_s=described.duration_s,
        sample_aspect_ratio=first.sample_aspect_ratio,
        rotation_degrees=first.turn_degrees,
        pixel_format=described.pixel_format,
        bit_depth=bit_depth(described.pixel_format),
        has_alpha=_has_alpha(path, described),
        color_range=described.color_range,
        color_matrix=described.color_matrix,
        color_primaries=described.color_primaries,
        color_transfer=described.color_transfer,
        audio_codecs=described.audio_codecs,
        subtitle_codecs=described.subtitle_codecs,
        container=described.container,
        video_codec=described.video_codec,
        video_start_s=described.video_start_s,
        time_base=described.time_base or 1 / rate,
        colors=colors,
        mastering=described.mastering or (_mastering_in_picture(said) if colors.hdr else None),
        streams=described.streams,
        video_index=described.video_index,
        is_transformed=first.is_transformed,
        is_cropped=_is_cropped(described, first),
        frame_count_is_counted=promise.frames is not None,
        metadata=described.metadata,
        timecode=described.timecode,
        has_chapters=described.has_chapters,
        video_end_s=promise.end_s,
        is_interlaced=described.is_interlaced or first.is_interlaced,
        is_picture_sequence=described.is_picture_sequence,
        alpha_index=described.alpha_index,
        plays=plays_of(path) if described.video_codec in SHOWS_THROUGH else None,
        viewing=viewing,
        beside=beside_in(said, viewing),
    )


def _promise(path: Path, described: Description) -> Promise:
    """What a file's head says of its pictures' number and end."""
    if described.container.startswith("mov,mp4"):
        return promise_of(path, described.video_index)
    frames = png_frames(path) if described.video_codec == "apng" else None
    return Promise(frames, described.video_end_s)


def _has_alpha(path: Path, described: Description) -> bool:
    """What is said of a codec's transparency is true of some only: what their files hold counts."""
    looked_at = SHOWS_THROUGH.get(described.video_codec or "")
    return described.has_alpha if looked_at is None else looked_at(path)


def alpha_decoder(info: VideoInfo) -> str | None:
    """ffmpeg's name of the decoder that the pictures need; None: its own choice."""
    return ALPHA_DECODERS.get(info.video_codec) if info.has_alpha else None


def _no_picture(path: Path, described: Description) -> InputError:
    if described.audio_codecs:
        return InputError(f"{path} holds sound but no moving pictures", next_step="Name a video file.")
    if any("moov atom not found" in line for line in described.errors):
        return InputError(
            f"{path} has no index: the recording or the copy was cut off",
            next_step="Copy it again.",
        )
    cause = next((line for line in reversed(described.errors) if line), "ffmpeg finds no picture in it")
    return InputError(f"{path} cannot be decoded: {cause}", next_step=UNPLAYABLE)


def describe(path: Path) -> Description:
    """What ffmpeg says of a local file; its name cannot pass for part of the answer."""
    return parse_description(_ask(path, *input_arguments(path)))


def _ask(path: Path, *arguments: str) -> str:
    """What ffmpeg says, without the file's name."""
    try:
        _, said = ask(arguments)
    except subprocess.TimeoutExpired as error:
        raise InputError(
            f"{path} cannot be opened within {error.timeout:.0f} s", next_step="Copy it here."
        ) from error
    name = os.fsencode(path).decode("utf-8", "replace")  # as `ask` reads it
    return said.replace(f"file:{name}", "")


def _undecodable(path: Path, described: Description) -> InputError:
    """With ffmpeg's own last word on it."""
    one = ("-map", f"0:{described.video_index}", "-frames:v", "1", "-f", "null", "-")
    lines = _ask(path, "-v", "error", *input_arguments(path), *one).splitlines()
    cause = next((line for line in reversed(lines) if line.strip()), f"no {described.video_codec} picture")
    cause = re.sub(r"^\[[^]]*\] ", "", cause)
    return InputError(f"{path} cannot be decoded: {cause}", next_step=UNPLAYABLE)


def _is_cropped(described: Description, first: FirstPicture) -> bool:
    """Whether the picture is not of the size that its codec says. Some say none."""
    shown = (first.width, first.height) if not first.lies_down else (first.height, first.width)
    return described.width > 0 and shown != (described.width, described.height)


def _mastering_in_picture(said: str) -> Mastering | None:
    """Where the container says nothing of it."""
    return mastering_in([line for line in said.splitlines() if "side data - " in line])
