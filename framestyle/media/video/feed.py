"""Frames on their way to a running ffmpeg: each with its time and its length, as a Matroska stream."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np

from framestyle.frames import Alpha, Pixels
from framestyle.media.ffmpeg import FFmpeg
from framestyle.media.video.beside import PLAIN, Viewing
from framestyle.media.video.matroska import Mastering, matroska_frame_header, matroska_header

FOURCC = {(3, 1): b"RGB\x18", (3, 2): b"RGB0", (4, 1): b"RGBA", (4, 2): b"RBA@"}
"""ffmpeg's names of raw RGB, by channels and bytes a value."""


class FrameFeed:
    """Writes frames to a process's standard input, from the stream's head on; `finish` sends the last one.

    `size`: width and height in pixels. `tick`: seconds that times are rounded to; `bits` above 8: frames are uint16.
    `alpha`: frames have it; `keeps_alpha`: what is made of them, too; else they are laid over black.
    """

    def __init__(
        self,
        process: FFmpeg,
        size: tuple[int, int],
        frame_rate: Fraction,
        *,
        tick: Fraction,
        bits: int,
        alpha: bool,
        keeps_alpha: bool,
        mastering: Mastering | None = None,
        viewing: Viewing = PLAIN,
    ) -> None:
        width, height = size
        self._process, self._rate, self._tick = process, frame_rate, tick
        self._shape = height, width, 3
        self._dtype: Any = np.uint16 if bits > 8 else np.uint8
        self._alpha, self._keeps_alpha = alpha, keeps_alpha
        self._held: tuple[int, Any] | None = None
        self._count = 0
        fourcc = FOURCC[4 if alpha and keeps_alpha else 3, 2 if bits > 8 else 1]
        process.write(matroska_header(fourcc, width, height, frame_rate, mastering, viewing))

    def write(self, pixels: Pixels, pts_s: Fraction | None = None, alpha: Alpha | None = None) -> None:
        """The next frame. `pts_s`: when it is shown; None: where the constant rate has it."""
        if pixels.shape != self._shape or pixels.dtype != self._dtype:
            height, width, _ = self._shape
            raise ValueError(
                f"expected {height}x{width}x3 {self._dtype.__name__}, got {pixels.shape} {pixels.dtype}"
            )
        tick = round((self._count / self._rate if pts_s is None else pts_s) / self._tick)
        # One frame waits: how long it is shown is known only when the next one comes.
        if self._held is not None:
            tick = max(tick, self._held[0] + 1)  # two at one time would be one
            self._send(*self._held, until=tick)
        self._held = tick, self._packed(pixels, alpha)
        self._count += 1

    def finish(self, length_s: Fraction) -> Fraction:
        """The last frame, which is shown for so long; gives when that is over. ValueError where there is no frame."""
        if self._held is None:
            raise ValueError("no frame was written")
        tick = self._held[0] + max(1, round(length_s / self._tick))
        self._send(*self._held, until=tick)
        self._held = None
        return tick * self._tick

    def _packed(self, pixels: Pixels, alpha: Alpha | None) -> Any:
        if alpha is None or not self._alpha:
            return np.ascontiguousarray(pixels)
        if self._keeps_alpha:
            return np.dstack([pixels, alpha])
        cover = alpha.astype(np.float32) / np.iinfo(alpha.dtype).max
        return np.rint(pixels * cover[..., None]).astype(pixels.dtype)

    def _send(self, tick: int, pixels: Any, *, until: int) -> None:
        data = pixels.data.cast("B")
        head = matroska_frame_header(tick * self._tick, (until - tick) * self._tick, len(data))
        self._process.write(head)
        self._process.write(data)
