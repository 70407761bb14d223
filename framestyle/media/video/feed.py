"""Frames on their way to a running ffmpeg: each with its time and its length, as a Matroska stream."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from framestyle.frames import Alpha, Pixels
from framestyle.media.ffmpeg import FFmpeg
from framestyle.media.video.beside import PLAIN, Viewing
from framestyle.media.video.colors import Colors, from_rgb
from framestyle.media.video.encoding import Encoding
from framestyle.media.video.matroska import Mastering, matroska_frame_header, matroska_header

FOURCC = {(3, 1): b"RGB\x18", (3, 2): b"RGB0", (4, 1): b"RGBA", (4, 2): b"RBA@"}
"""ffmpeg's names of raw RGB, by channels and bytes a value."""


@dataclass(frozen=True)
class FrameForm:
    """What the frames are like that a writer is given: HWC RGB, of one size in pixels.

    `bits` above 8: they are uint16. `alpha`: they come with transparency. `colors`: what their values mean;
    `mastering`: what an HDR master says of itself, which is told of HDR alone.
    """

    width: int
    height: int
    frame_rate: Fraction
    bits: int
    alpha: bool
    colors: Colors
    mastering: Mastering | None

    def filters(self, encoding: Encoding) -> str:
        """ffmpeg's, from such frames to what is encoded."""
        return from_rgb(
            self.colors,
            pixel_format=encoding.pixel_format,
            odd=bool(self.width % 2 or self.height % 2),
            deep=self.bits > 8,
            to_eight=encoding.bits == 8,
        )


class FrameFeed:
    """Writes frames to an ffmpeg's standard input, from the stream's head on; `finish` sends the last one.

    `encoding`: what is made of them; where that holds no transparency, they are laid over black. `tick`: seconds that
    times are rounded to. `count`: how many frames there were.
    """

    def __init__(
        self, form: FrameForm, encoding: Encoding, *, tick: Fraction, viewing: Viewing = PLAIN
    ) -> None:
        self._form, self._tick, self._viewing = form, tick, viewing
        self._shape = form.height, form.width, 3
        self._dtype: Any = np.uint16 if form.bits > 8 else np.uint8
        self._keeps_alpha = encoding.has_alpha
        self._process: FFmpeg | None = None
        self._held: tuple[int, Any] | None = None
        self.count = 0

    @property
    def exact_times(self) -> list[str]:
        """ffmpeg's arguments for not one frame more or less, and each at its time."""
        tick = f"{self._tick.numerator}/{self._tick.denominator}"
        return ["-fps_mode:v:0", "passthrough", "-enc_time_base:v:0", tick]

    @contextmanager
    def into(self, process: FFmpeg) -> Iterator[None]:
        """Frames go to this ffmpeg, which is killed at the end where it still runs."""
        try:
            process.write(self._head())
            self._process = process
            yield
        finally:
            process.kill()

    def _head(self) -> bytes:
        form = self._form
        fourcc = FOURCC[4 if form.alpha and self._keeps_alpha else 3, 2 if form.bits > 8 else 1]
        mastering = form.mastering if form.colors.hdr else None
        return matroska_header(fourcc, form.width, form.height, form.frame_rate, mastering, self._viewing)

    def write(self, pixels: Pixels, pts_s: Fraction | None = None, alpha: Alpha | None = None) -> None:
        """The next frame. `pts_s`: when it is shown; None: where the constant rate has it."""
        if self._process is None:
            raise ValueError("the writer is not open")
        if pixels.shape != self._shape or pixels.dtype != self._dtype:
            height, width, _ = self._shape
            raise ValueError(
                f"expected {height}x{width}x3 {self._dtype.__name__}, got {pixels.shape} {pixels.dtype}"
            )
        tick = round((self.count / self._form.frame_rate if pts_s is None else pts_s) / self._tick)
        # One frame waits: how long it is shown is known only when the next one comes.
        if self._held is not None:
            tick = max(tick, self._held[0] + 1)  # two at one time would be one
            self._send(self._process, *self._held, until=tick)
        self._held = tick, self._packed(pixels, alpha)
        self.count += 1

    def finish(self, length_s: Fraction) -> Fraction:
        """The last frame, which is shown for so long, and ffmpeg's end; gives when the frame's time is over.

        ValueError where there is no frame.
        """
        if self._process is None or self._held is None:
            raise ValueError("no frame was written")
        tick = self._held[0] + max(1, round(length_s / self._tick))
        self._send(self._process, *self._held, until=tick)
        self._held = None
        self._process.close()
        return tick * self._tick

    def _packed(self, pixels: Pixels, alpha: Alpha | None) -> Any:
        if alpha is None or not self._form.alpha:
            return np.ascontiguousarray(pixels)
        if self._keeps_alpha:
            return np.dstack([pixels, alpha])
        cover = alpha.astype(np.float32) / np.iinfo(alpha.dtype).max
        return np.rint(pixels * cover[..., None]).astype(pixels.dtype)

    def _send(self, process: FFmpeg, tick: int, pixels: Any, *, until: int) -> None:
        data = pixels.data.cast("B")
        head = matroska_frame_header(tick * self._tick, (until - tick) * self._tick, len(data))
        process.write(head)
        process.write(data)
