"""What a video is: its size, rate, colours and streams. Read from ffmpeg's own description and from OpenCV."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import cv2

from framestyle.errors import InputError
from framestyle.media.ffmpeg import ffmpeg_exe, input_arguments
from framestyle.media.files import InputKind, sniff

PROBE_TIMEOUT_S = 60.0
CLOSE_RATE = 1e-5
"""Relative distance within which a decimal rate is taken for the exact fraction it stands for."""


@dataclass(frozen=True)
class VideoInfo:
    """Width and height are upright, as OpenCV delivers them; absent facts are None."""

    path: Path
    width: int
    height: int
    frame_rate: Fraction
    frame_count_estimate: int | None
    duration_s: Fraction | None
    sample_aspect_ratio: Fraction
    pixel_format: str
    bit_depth: int
    audio_codecs: tuple[str, ...]
    subtitle_codecs: tuple[str, ...]

    @property
    def audio_streams(self) -> int:
        return len(self.audio_codecs)


@dataclass(frozen=True)
class Description:
    """What ffmpeg's text says of a file."""

    video_codec: str | None
    pixel_format: str
    sample_aspect_ratio: Fraction
    duration_s: Fraction | None
    audio_codecs: tuple[str, ...]
    subtitle_codecs: tuple[str, ...]


_STREAM = re.compile(r"^\s*Stream #\d+:\d+.*?: (Video|Audio|Subtitle): (\S+?)(?:,| |$)(.*)$", re.MULTILINE)
_DURATION = re.compile(r"Duration: (\d{1,9}):(\d{2}):(\d{2}(?:\.\d{1,9})?)")


def parse_description(text: str) -> Description:
    """ffmpeg's `-i` output -> Description; never raises."""
    streams = _STREAM.findall(text)
    videos = [(codec, rest) for kind, codec, rest in streams if kind == "Video"]
    rest = videos[0][1] if videos else ""
    ratio = re.search(r"SAR (\d{1,9}):(\d{1,9})", rest)
    aspect = Fraction(1)
    if ratio and int(ratio[1]) and int(ratio[2]):
        aspect = Fraction(int(ratio[1]), int(ratio[2]))
    pixel = re.search(r"\b((?:yuv|yuvj|yuva|rgb|bgr|gbr|gray|nv|p0|pal|argb|rgba|bgra|bgr0)[a-z0-9]*)\b", rest)
    length = _DURATION.search(text)
    duration = None
    if length:
        duration = int(length[1]) * 3600 + int(length[2]) * 60 + Fraction(length[3])
    return Description(
        videos[0][0] if videos else None,
        pixel[1] if pixel else "",
        aspect,
        duration,
        tuple(codec for kind, codec, _ in streams if kind == "Audio"),
        tuple(codec for kind, codec, _ in streams if kind == "Subtitle"),
    )


def probe(path: Path) -> VideoInfo:
    """InputError where it is no video that can be decoded."""
    if sniff(path) is not InputKind.VIDEO:
        raise InputError(f"{path} is not a video")
    description = _describe(path)
    if description.video_codec is None:
        raise InputError(f"{path} holds no picture that can be decoded", next_step="Is it complete, and a video?")
    capture = open_capture(path)
    try:
        width, height = (int(capture.get(k)) for k in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT))
        rate = exact_rate(capture.get(cv2.CAP_PROP_FPS))
        count = int(capture.get(cv2.CAP_PROP_FRAME_COUNT))
    finally:
        capture.release()
    return VideoInfo(
        path,
        width,
        height,
        rate,
        count if 0 < count < 1 << 40 else None,
        description.duration_s,
        description.sample_aspect_ratio,
        description.pixel_format,
        bit_depth(description.pixel_format),
        description.audio_codecs,
        description.subtitle_codecs,
    )


def _describe(path: Path) -> Description:
    command = [ffmpeg_exe(), "-hide_banner", "-nostdin", *input_arguments(path)]
    try:
        done = subprocess.run(command, capture_output=True, timeout=PROBE_TIMEOUT_S, check=False)
    except subprocess.TimeoutExpired as error:
        raise InputError(f"{path} cannot be opened within {PROBE_TIMEOUT_S:.0f} s") from error
    return parse_description(done.stderr.decode("utf-8", "replace"))


def open_capture(path: Path) -> cv2.VideoCapture:
    """OpenCV's decoder on a local file; InputError where it does not open."""
    capture = cv2.VideoCapture(f"file:{path}", cv2.CAP_FFMPEG)
    if not capture.isOpened():
        capture.release()
        raise InputError(f"{path} cannot be decoded", next_step="Is it complete? Does it play elsewhere?")
    return capture


def exact_rate(rate: float) -> Fraction:
    """A decimal rate as the fraction it stands for: 29.97002997 -> 30000/1001, 25.0 -> 25."""
    if not 0 < rate < 10_000:
        return Fraction(25)
    for candidate in (Fraction(round(rate)), Fraction(round(rate * 1.001) * 1000, 1001)):
        if candidate > 0 and abs(float(candidate) / rate - 1) < CLOSE_RATE:
            return candidate
    return Fraction(rate).limit_denominator(100_000)


def bit_depth(pixel_format: str) -> int:
    """Bits a channel of an ffmpeg pixel format: yuv420p10le -> 10."""
    found = re.search(r"(?:p|gray|p0)(9|10|12|14|16)(?:le|be)?$", pixel_format)
    if found:
        return int(found[1])
    return 16 if re.search(r"(?:48|64)(?:le|be)$", pixel_format) else 8
