"""Runs of finished frames on disk, lossless: what a long job has done so far, as MKV files that any player shows."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from framestyle.errors import Code, InputError
from framestyle.frames import Alpha, Pixels
from framestyle.media.ffmpeg import FFmpeg, FFmpegDecoder, input_arguments, output_argument
from framestyle.media.files import atomic_output

RAW = {(3, 1): "rgb24", (3, 2): "rgb48le", (4, 1): "rgba", (4, 2): "rgba64le"}
STORED = {(3, 1): "gbrp", (3, 2): "gbrp16le", (4, 1): "bgra", (4, 2): "gbrap16le"}
"""By channels and bytes a value. Between them nothing is computed: values are taken apart, and put together again."""


class SegmentWriter:
    """FFV1 in Matroska. `finish` puts the file in its place, whole and on the disk; `discard` leaves nothing.

    `like`: a frame of the size and depth that all have; `alpha`: whether they come with transparency.
    """

    def __init__(self, path: Path, like: Pixels, frame_rate: Fraction, *, alpha: bool = False) -> None:
        self.path, self._shape, self._dtype, self._alpha = path, like.shape, like.dtype, alpha
        height, width, _ = like.shape
        form = 4 if alpha else 3, like.dtype.itemsize
        raw = ["-f", "rawvideo", "-pix_fmt", RAW[form], "-s", f"{width}x{height}", "-r", str(frame_rate)]
        coded = ["-c:v", "ffv1", "-level", "3", "-g", "1", "-slicecrc", "1", "-pix_fmt", STORED[form]]
        self._stack = ExitStack()
        with ExitStack() as stack:
            temporary = stack.enter_context(atomic_output(path))
            out = ["-fps_mode", "passthrough", "-f", "matroska", output_argument(temporary)]
            self._process = FFmpeg([*raw, "-i", "pipe:0", *coded, *out], path)
            stack.callback(self._process.kill)
            self._stack = stack.pop_all()

    def write(self, pixels: Pixels, alpha: Alpha | None = None) -> None:
        """HWC RGB, of the first one's size and depth, with alpha HW. OutputError or StorageError: ffmpeg has ended."""
        if pixels.shape != self._shape or pixels.dtype != self._dtype or (alpha is not None) != self._alpha:
            raise ValueError(f"expected {self._shape} {self._dtype}, got {pixels.shape} {pixels.dtype}")
        packed = pixels if alpha is None else np.dstack([pixels, alpha])
        self._process.write(np.ascontiguousarray(packed).data.cast("B"))

    def finish(self) -> None:
        """Waits for the encoder."""
        with self._stack:
            self._process.close()

    def discard(self) -> None:
        """Where it is not to be kept; may be repeated, and after `finish`."""
        self._stack.pop_all().__exit__(InterruptedError, InterruptedError(), None)


def read_segment(
    path: Path, width: int, height: int, dtype: type[Any], *, alpha: bool = False
) -> Generator[tuple[Pixels, Alpha | None], None, None]:
    """Its frames, HWC RGB, each with its alpha, HW, or None. InputError where it cannot be decoded to its end."""
    form = 4 if alpha else 3, np.dtype(dtype).itemsize
    process = FFmpegDecoder(
        [*input_arguments(path), "-f", "rawvideo", "-fps_mode", "passthrough", "-pix_fmt", RAW[form], "-"]
    )
    length = width * height * form[0] * form[1]
    try:
        while data := process.output.read(length):
            if len(data) < length:
                break
            values = np.frombuffer(data, dtype).reshape(height, width, form[0])
            if alpha:
                yield np.ascontiguousarray(values[..., :3]), np.ascontiguousarray(values[..., 3])
            else:
                yield values, None
        if data or process.process.wait() != 0:
            raise InputError(
                f"{path} cannot be decoded: {process.failure()}",
                code=Code.WORK_DAMAGED,
                facts={"path": str(path)},
            )
    finally:
        process.kill()
