"""Finished frames on their way into a segment."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

from framestyle.frames import Pixels
from framestyle.media.video.segments import SegmentWriter

BUFFER_BYTES = 32 << 20
"""Frames wait in memory up to so many: short clips need no encoder for their segments."""


@dataclass
class SegmentBuffer:
    """The segment that is being filled: in memory first, then by an encoder."""

    frame_rate: Fraction
    frames: int = 0
    _waiting: list[Pixels] = field(default_factory=list)
    _writer: SegmentWriter | None = None

    def add(self, pixels: Pixels, path: Path) -> None:
        """One more frame; `path`: where the segment is to lie."""
        self._waiting.append(pixels)
        self.frames += 1
        if self._writer is not None or self.size_bytes > BUFFER_BYTES:
            self._flush(path)

    @property
    def size_bytes(self) -> int:
        """Of what waits in memory, at most."""
        return sum(one.nbytes for one in self._waiting)

    def _flush(self, path: Path) -> SegmentWriter:
        if self._writer is None:
            self._writer = SegmentWriter(path, self._waiting[0], self.frame_rate)
        for pixels in self._waiting:
            self._writer.write(pixels)
        self._waiting.clear()
        return self._writer

    def finish(self, path: Path) -> Path:
        """Where it lies."""
        self._flush(path).finish()
        return path

    def discard(self) -> None:
        """Without what is in it."""
        if self._writer is not None:
            self._writer.discard()
