"""Surveys of earlier commands, in the cache folder. Nothing depends on it: what cannot be had is surveyed anew."""

from __future__ import annotations

import hashlib
import json
import shutil
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path

import cv2

import framestyle
from framestyle.errors import FramestyleError
from framestyle.kinds import TimeRange
from framestyle.media.ffmpeg import ffmpeg_exe
from framestyle.media.files import atomic_output
from framestyle.media.video.description import exact_rate
from framestyle.media.video.probe import VideoInfo
from framestyle.media.video.sequences import existing_files
from framestyle.paths import absolute
from framestyle.presets import Preset
from framestyle.presets.library import cache_dir

MOST_KEPT = 200
"""Entries, the newest; one takes less than a kilobyte for a clip of fifty shots."""
SUFFIX = ".survey"


def survey_key(info: VideoInfo, span: TimeRange, preset: Preset) -> str | None:
    """Hexadecimal digits that are others as soon as a survey may find something else; None where the clip is gone.

    Take it before the clip is decoded: what is written meanwhile then has another key.
    """
    try:
        files = existing_files(info.path)
        data = {
            # As it was given, too: doubts call the clip by that name.
            "path": [str(info.path), str(absolute(info.path))],
            "files": [[file.name, *_stamp(file)] for file in files],
            "span": [str(span.start_s), str(span.end_s)],
            "cuts": preset.video.cuts,
            "sequence_rate": str(exact_rate(preset.video.sequence_rate)),
            # A clip that is none is the same to previews, which ask for SDR, and to renders.
            "hdr": preset.output.hdr if info.colors.hdr else None,
            "versions": _versions(),
        }
    except (OSError, FramestyleError):
        return None
    return hashlib.sha256(json.dumps(data).encode()).hexdigest() if files else None


def kept_survey(key: str | None) -> str | None:
    """The text that was kept under a key; None where there is none, or it is not as it was written."""
    if key is None:
        return None
    try:
        seal, _, text = _path(key).read_text(encoding="utf-8").partition("\n")
    except (OSError, ValueError):
        return None
    return text if seal == _seal(key, text) else None


def keep_survey(key: str | None, text: str) -> None:
    """Keep a text of one line under a key, and the newest `MOST_KEPT` in all."""
    if key is None:
        return
    with suppress(OSError, FramestyleError):
        with atomic_output(_path(key)) as temporary:
            temporary.write_text(f"{_seal(key, text)}\n{text}", encoding="utf-8")
        entries = sorted(_folder().glob(f"*{SUFFIX}"), key=lambda entry: entry.stat().st_mtime_ns)
        for entry in entries[:-MOST_KEPT]:
            entry.unlink(missing_ok=True)


def _stamp(file: Path) -> list[int]:
    """Where any of these is another, the file may be; the last also where a tool has put the time of change back."""
    stat = file.stat()
    return [stat.st_size, stat.st_mtime_ns, stat.st_ino, stat.st_ctime_ns]


def _versions() -> list[object]:
    """Of all that decodes and finds cuts. Of ffmpeg the file: it need not be the one that came with the install."""
    ffmpeg = shutil.which(ffmpeg_exe())
    stamp = [] if ffmpeg is None else _stamp(Path(ffmpeg))[:2]
    return [framestyle.__version__, cv2.__version__, version("scenedetect"), ffmpeg, *stamp]


def _seal(key: str, text: str) -> str:
    """Of an entry that is whole, and was written under this key."""
    return hashlib.sha256(f"{key}\n{text}".encode()).hexdigest()


def _folder() -> Path:
    return cache_dir() / "surveys"


def _path(key: str) -> Path:
    return _folder() / f"{key}{SUFFIX}"
