"""A video's frames, decoded forward by OpenCV: upright, RGB, with their true timestamps."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from framestyle.errors import InputError
from framestyle.frames import Frame
from framestyle.media.probe import open_capture, probe

SNAP_S = Fraction(2, 1000)
"""How far a timestamp may be from the constant rate's and be taken for it: Matroska rounds to 1 ms."""
QUIET_END_S = Fraction(1, 4)
"""Sound may outlast the pictures by this much before pictures count as missing, where nobody counted them."""


class VideoReader:
    """A context manager; iterating gives frames with `start_s` <= pts < `end_s`, indexed in the whole file.

    Never seeks: seeking is unreliable. `frames_read` counts what was decoded, also outside the range;
    `variable_rate` says whether any timestamp so far was off the constant rate.
    """

    def __init__(self, path: Path, start_s: Fraction | None = None, end_s: Fraction | None = None) -> None:
        self.info = probe(path)
        self.frames_read = 0
        self.variable_rate = False
        self._start_s, self._end_s = start_s, end_s
        self._capture: cv2.VideoCapture | None = None
        self._last_pts = Fraction(0)
        self._exhausted = False

    def __enter__(self) -> VideoReader:
        self._capture = open_capture(self.info.path)
        return self

    def __exit__(self, *_: object) -> None:
        if self._capture is not None:
            self._capture.release()
            self._capture = None

    def __iter__(self) -> Iterator[Frame]:
        if self._capture is None:
            raise ValueError("the reader is not open")
        capture = self._capture
        while (frame := self._next(capture)) is not None:
            if self._end_s is not None and frame.pts >= self._end_s:
                return
            if self._start_s is None or frame.pts >= self._start_s:
                yield frame
        self._exhausted = True

    def _next(self, capture: cv2.VideoCapture) -> Frame | None:
        index = self.frames_read
        try:
            there, bgr = capture.read()
        except cv2.error as error:
            raise self._broken(index, str(error)) from error
        if not there:
            return None
        self.frames_read += 1
        # Only after read() is this the timestamp of the frame just read.
        self._last_pts = self._snapped(capture.get(cv2.CAP_PROP_POS_MSEC), index)
        return Frame(index, self._last_pts, self._rgb(bgr, index))

    def _rgb(self, bgr: Any, index: int) -> np.ndarray[Any, np.dtype[np.uint8]]:
        expected = (self.info.height, self.info.width, 3)
        if bgr.shape != expected:
            raise self._broken(
                index, f"it is {bgr.shape[1]}x{bgr.shape[0]}, the others are {expected[1]}x{expected[0]}"
            )
        return np.ascontiguousarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB))

    def _broken(self, index: int, cause: str) -> InputError:
        return InputError(
            f"{self.info.path}: frame {index} cannot be used: {cause}",
            next_step="Re-encode it, or leave that part out.",
        )

    def _snapped(self, milliseconds: float, index: int) -> Fraction:
        """The exact time at constant rate, where the decoder's (in whole or rounded ms) agrees with it."""
        exact = index / self.info.frame_rate
        told = Fraction(milliseconds).limit_denominator(1_000_000) / 1000
        if abs(told - exact) <= min(SNAP_S, 1 / (4 * self.info.frame_rate)):
            return exact
        self.variable_rate = True
        return told

    @property
    def missing_estimate(self) -> int:
        """Frames that the container promised and the decoder did not give; 0 until the end was reached."""
        info = self.info
        if not self._exhausted:
            return 0
        if info.frame_count_is_counted:
            return max(0, (info.frame_count_estimate or 0) - self.frames_read)
        rest_s = (info.duration_s or Fraction(0)) - info.video_start_s - self._last_pts - 1 / info.frame_rate
        return round(rest_s * info.frame_rate) if rest_s > QUIET_END_S else 0
