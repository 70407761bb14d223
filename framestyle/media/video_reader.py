"""A video's frames, decoded forward by OpenCV: upright, RGB, with their true timestamps."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np

from framestyle.frames import Frame
from framestyle.media.probe import open_capture, probe


class VideoReader:
    """Iterating gives frames with `start_s` ≤ pts < `end_s`. Never seeks: seeking is unreliable."""

    def __init__(self, path: Path, start_s: Fraction | None = None, end_s: Fraction | None = None) -> None:
        self.info = probe(path)
        self._start, self._end = start_s or Fraction(0), end_s
        self._capture: cv2.VideoCapture | None = None
        self.frames_decoded = 0
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
        while True:
            ok, bgr = self._capture.read()
            if not ok:
                self._exhausted = True
                return
            index = self.frames_decoded
            self.frames_decoded += 1
            # Only after read() is this the timestamp of the frame just read.
            pts = self._snapped(self._capture.get(cv2.CAP_PROP_POS_MSEC), index)
            if self._end is not None and pts >= self._end:
                return
            if pts >= self._start:
                yield Frame(index, pts, np.ascontiguousarray(bgr[..., ::-1]))

    @property
    def missing_estimate(self) -> int:
        """Frames that the container promised and the decoder did not give; 0 until the end was reached."""
        if not self._exhausted or self.info.frame_count_estimate is None:
            return 0
        return max(0, self.info.frame_count_estimate - self.frames_decoded)

    def _snapped(self, milliseconds: float, index: int) -> Fraction:
        """The exact time at constant rate, where the decoder's (in whole or rounded ms) agrees with it."""
        exact = index / self.info.frame_rate
        told = Fraction(milliseconds).limit_denominator(1_000_000) / 1000
        return exact if abs(told - exact) <= Fraction(2, 1000) else told
