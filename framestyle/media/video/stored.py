"""How a file's stored pictures become those that are shown, where ffmpeg's description does not say: turned, cropped.

ffmpeg turns pictures before they become RGB. Their colours are stored for every other pixel only, at its left; turned,
they lie above or below it, which ffmpeg does not reckon with: they would come out half a pixel beside their place.
"""

from __future__ import annotations

import math
import re
import struct
import subprocess
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory

from framestyle.media.ffmpeg import ask, input_arguments, output_argument
from framestyle.media.video.boxes import inside, movie
from framestyle.media.video.first_picture import WHOLE_DEGREES
from framestyle.media.video.probe import VideoInfo

CROPPING_CODECS = {"h264", "hevc"}
_CROP = re.compile(r"\b(?:frame_crop|conf_win)_(?:left|top)_offset\s.*= [1-9]", re.M)
MATRIX_AT, MATRIX = 40, struct.Struct(">9i")
"""Where a track's head has its display matrix, but for longer times in version 1."""


def crops_at_start(info: VideoInfo) -> bool:
    """Whether the codec crops its pictures at the left or at the top, which OpenCV does by some pixels less or more."""
    if info.video_codec not in CROPPING_CODECS:
        return False
    found = info.path.stat()
    return _crops_at_start(info.path, info.video_index, found.st_size, found.st_mtime_ns)


@lru_cache(maxsize=64)
def _crops_at_start(path: Path, index: int, size_bytes: int, changed_ns: int) -> bool:
    one = ["-map", f"0:{index}", "-c", "copy", "-frames:v", "1", "-bsf:v", "trace_headers", "-f", "null", "-"]
    try:
        _, said = ask([*input_arguments(path), *one])
    except subprocess.TimeoutExpired:
        return False
    return _CROP.search(said) is not None


def turning(info: VideoInfo) -> str | None:
    """ffmpeg's filters that turn and mirror stored pictures as its display matrix asks, as ffmpeg itself reads it.

    None where the container says nothing of it (the codec may), or where it is no quarter turn.
    """
    found = info.path.stat()
    matrix = _matrix(info.path, info.video_index, found.st_size, found.st_mtime_ns)
    return None if matrix is None else _filters(matrix)


@lru_cache(maxsize=64)
def _matrix(path: Path, index: int, size_bytes: int, changed_ns: int) -> tuple[int, ...] | None:
    """Whatever the container, MOV's form of it is what ffmpeg writes of its first packet."""
    one = ["-map", f"0:{index}", "-c", "copy", "-frames:v", "1", "-strict", "experimental", "-f", "mov"]
    with TemporaryDirectory(prefix="framestyle-") as folder:
        file = Path(folder) / "one.mov"
        try:
            ask(["-v", "error", *input_arguments(path), *one, output_argument(file)])
        except subprocess.TimeoutExpired:
            return None
        if not file.exists():
            return None
        with file.open("rb") as opened:
            moov = movie(opened)
            head = next(inside(opened, moov, b"trak", b"tkhd"), None) if moov else None
            if head is None:
                return None
            opened.seek(head.start)
            version = opened.read(1)[0]
            opened.seek(head.start + MATRIX_AT + (12 if version else 0))
            data = opened.read(MATRIX.size)
    return MATRIX.unpack(data) if len(data) == MATRIX.size else None


def _filters(matrix: tuple[int, ...]) -> str | None:
    across, right, _, down, below, *_ = matrix
    degrees = math.degrees(math.atan2(right, across)) % 360
    quarter = round(degrees / 90) % 4
    if min(abs(degrees - 90 * quarter), abs(degrees - 360)) > WHOLE_DEGREES and quarter:
        return None
    if quarter == 1:
        return "transpose=cclock_flip" if down > 0 else "transpose=clock"
    if quarter == 3:
        return "transpose=clock_flip" if down < 0 else "transpose=cclock"
    if quarter == 2:
        return ",".join([*(["hflip"] if across < 0 else []), *(["vflip"] if below < 0 else [])]) or None
    if min(degrees, 360 - degrees) > WHOLE_DEGREES:
        return None
    return "vflip" if below < 0 else None
