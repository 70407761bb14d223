"""Runs of finished frames on disk, lossless: what a long job has done so far, as MKV files that any player shows."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from framestyle.errors import Code, InputError
from framestyle.frames import Pixels
from framestyle.media.ffmpeg import FFmpeg, FFmpegDecoder, input_arguments, output_argument
from framestyle.media.files import atomic_output

RAW = {1: "rgb24", 2: "rgb48le"}
STORED = {1: "gbrp", 2: "gbrp16le"}
"""By bytes a value. Between them nothing is computed: the planes are taken apart, and put together again."""


class SegmentWriter:
    """FFV1 in Matroska. `finish` puts the file in its place, whole and on the disk; `discard` leaves nothing."""

    def __init__(self, path: Path, like: Pixels, frame_rate: Fraction) -> None:
        self.path, self._shape, self._dtype = path, like.shape, like.dtype
        height, width, _ = like.shape
        size = like.dtype.itemsize
        raw = ["-f", "rawvideo", "-pix_fmt", RAW[size], "-s", f"{width}x{height}", "-r", str(frame_rate)]
        coded = ["-c:v", "ffv1", "-level", "3", "-g", "1", "-slicecrc", "1", "-pix_fmt", STORED[size]]
        self._stack = ExitStack()
        with ExitStack() as stack:
            temporary = stack.enter_context(atomic_output(path))
            out = ["-fps_mode", "passthrough", "-f", "matroska", output_argument(temporary)]
            self._process = FFmpeg([*raw, "-i", "pipe:0", *coded, *out], path)
            stack.callback(self._process.kill)
            self._stack = stack.pop_all()

    def write(self, pixels: Pixels) -> None:
        """HWC RGB, of the first one's size and depth. OutputError or StorageError where ffmpeg has ended."""
        if pixels.shape != self._shape or pixels.dtype != self._dtype:
            raise ValueError(f"expected {self._shape} {self._dtype}, got {pixels.shape} {pixels.dtype}")
        self._process.write(np.ascontiguousarray(pixels).data.cast("B"))

    def finish(self) -> None:
        """Waits for the encoder."""
        with self._stack:
            self._process.close()

    def discard(self) -> None:
        """Where it is not to be kept; may be repeated, and after `finish`."""
        self._stack.pop_all().__exit__(InterruptedError, InterruptedError(), None)


def read_segment(path: Path, width: int, height: int, dtype: type[Any]) -> Generator[Pixels, None, None]:
    """Its frames, HWC RGB. InputError where it cannot be decoded to its end."""
    size = np.dtype(dtype).itemsize
    process = FFmpegDecoder(
        [*input_arguments(path), "-f", "rawvideo", "-fps_mode", "passthrough", "-pix_fmt", RAW[size], "-"]
    )
    length = width * height * 3 * size
    try:
        while data := process.output.read(length):
            if len(data) < length:
                break
            yield np.frombuffer(data, dtype).reshape(height, width, 3)
        if data or process.process.wait() != 0:
            raise InputError(
                f"{path} cannot be decoded: {process.failure()}",
                code=Code.WORK_DAMAGED,
                facts={"path": str(path)},
            )
    finally:
        process.kill()
