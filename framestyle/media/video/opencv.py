"""Frames by OpenCV, in a process of its own, and whether they are to be believed.

OpenCV ends the whole process on some files. So it decodes in a child (opencv_child.py): what becomes of that is an
answer as any other. A child that gave a file to its end waits a few seconds for the next one.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from collections.abc import Generator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from framestyle.frames import Pixels
from framestyle.media.ffmpeg import FORMATS_READ
from framestyle.media.video import opencv_child
from framestyle.media.video.opencv_child import ENDED, HEAD, LENGTH, PICTURE

SURROGATES = re.compile("[\ud800-\udfff]")
"""Stand in Python for bytes of a name that are no text."""
CLOCK_FRAMES = 1.01
"""OpenCV's two clocks, of which one counts whole frames, may be so much apart, and no more than at the first frame."""
OPTIONS = {
    "OPENCV_FFMPEG_CAPTURE_OPTIONS": f"protocol_whitelist;file|format_whitelist;{FORMATS_READ}",
    "OPENCV_FFMPEG_LOGLEVEL": "-8",
    "OPENCV_LOG_LEVEL": "OFF",
}


class OpenCVLostError(Exception):
    """OpenCV gives no picture where there may be one, or what it gives is not to be believed, or it crashed."""


@dataclass(frozen=True)
class OpenCVPicture:
    """HWC RGB, uint8, and when it is shown, in milliseconds from the start that the stream says."""

    milliseconds: float
    pixels: Pixels


def can_be_named(path: Path) -> bool:
    """Whether OpenCV can be told this name: it takes text alone, and crashes on the bytes of others."""
    return SURROGATES.search(str(path)) is None


def opencv_pictures(path: Path, *, too_dark: bool) -> Generator[OpenCVPicture, None, None]:
    """All that OpenCV gives of a local file, in order; no names in it are followed. OpenCVLostError instead of the end
    where that is not the file's: after it, whatever was given before is right."""
    child = _taken_or_started()
    count, last_ms, apart = 0, 0.0, 0.0
    finished = False
    try:
        child.ask(path, too_dark=too_dark)
        while (answer := child.answer())[0] == PICTURE:
            _, height, width, at_ms, at_frames, rate = answer
            pixels = child.pixels(height, width)
            # Its clock counts from where the stream starts, which it may come to see otherwise on the way.
            now_apart = at_frames - at_ms / 1000 * rate
            apart = now_apart if count == 0 else apart
            if count and (at_ms <= last_ms or abs(now_apart - apart) > CLOCK_FRAMES):
                raise OpenCVLostError("its times do not rise")
            yield OpenCVPicture(at_ms, pixels)
            count, last_ms = count + 1, at_ms
        finished = answer[0] == ENDED
        if not finished or not count:
            raise OpenCVLostError("it cannot be decoded")
    finally:
        if finished:
            _keep(child)
        else:
            child.end()


class _Child:
    """One process, and the pipes to it. `end` ends it, and may be repeated."""

    def __init__(self) -> None:
        if not Path(sys.executable or "-").name.lower().startswith(("python", "pypy")):
            raise OpenCVLostError("this program is no Python, and cannot start one")  # inside another program
        try:
            # Its own session: a Ctrl-C in the terminal reaches us alone. -P: its neighbours are not for it to import.
            self._process = subprocess.Popen(
                [sys.executable, "-P", opencv_child.__file__],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
                env={**os.environ, **OPTIONS},
            )
        except OSError as error:
            raise OpenCVLostError(str(error)) from error
        assert self._process.stdin is not None and self._process.stdout is not None
        self._questions, self._answers = self._process.stdin, self._process.stdout

    @property
    def is_alive(self) -> bool:
        return self._process.poll() is None

    def ask(self, path: Path, *, too_dark: bool) -> None:
        name = os.fsencode(path.absolute())  # it was started in another folder, maybe
        try:
            self._questions.write(LENGTH.pack(len(name)) + name + bytes([too_dark]))
            self._questions.flush()
        except OSError as error:
            raise OpenCVLostError("it has ended") from error

    def answer(self) -> tuple[int, int, int, float, float, float]:
        kind, height, width, at_ms, at_frames, rate = HEAD.unpack(self._exactly(HEAD.size))
        return kind, height, width, at_ms, at_frames, rate

    def pixels(self, height: int, width: int) -> Pixels:
        return np.frombuffer(self._exactly(height * width * 3), np.uint8).reshape(height, width, 3)

    def _exactly(self, size: int) -> bytearray:
        data = bytearray(size)
        view, done = memoryview(data), 0
        while done < size:
            count = self._answers.readinto(view[done:])  # type: ignore[attr-defined]
            if not count:
                raise OpenCVLostError("it has crashed")
            done += count
        return data

    def end(self) -> None:
        """At once: nothing of it is wanted any more."""
        if self.is_alive:
            self._process.kill()
        self._process.wait()
        for pipe in (self._questions, self._answers):
            with suppress(OSError):
                pipe.close()


_waiting: list[_Child] = []
_waiting_lock = threading.Lock()


def _taken_or_started() -> _Child:
    with _waiting_lock:
        waiting = [_waiting.pop() for _ in range(len(_waiting))]
        alive = [child for child in waiting if child.is_alive]
        _waiting.extend(alive[1:])
    for child in waiting:
        if child not in alive:
            child.end()
    return alive[0] if alive else _Child()


def _keep(child: _Child) -> None:
    with _waiting_lock:
        _waiting.append(child)


def end_waiting() -> None:
    """The processes that wait for a next file. They end by themselves too, in a few seconds."""
    with _waiting_lock:
        waiting, _waiting[:] = list(_waiting), []
    for child in waiting:
        child.end()
