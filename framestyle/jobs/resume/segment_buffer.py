"""Finished frames on their way into a segment."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

from framestyle.frames import Frame
from framestyle.media.video.segments import SegmentWriter

BUFFER_BYTES = 32 << 20
"""Frames wait in memory up to so many: short shots need an encoder only at their end."""


@dataclass
class SegmentBuffer:
    """The segment that is being filled: in memory first, then by an encoder."""

    frame_rate: Fraction
    pts: list[Fraction] = field(default_factory=list)
    """Of the frames that were added: when each is shown."""
    alpha: bool = False
    """Whether they have transparency."""
    _waiting: list[Frame] = field(default_factory=list)
    _writer: SegmentWriter | None = None

    def add(self, frame: Frame, path: Path) -> None:
        """One more frame; `path`: where the segment is to lie."""
        self._waiting.append(frame)
        self.pts.append(frame.pts)
        self.alpha = frame.alpha is not None
        if self._writer is not None or self.size_bytes > BUFFER_BYTES:
            self._flush(path)

    @property
    def size_bytes(self) -> int:
        """Of what waits in memory, at most."""
        return sum(
            one.pixels.nbytes + (0 if one.alpha is None else one.alpha.nbytes) for one in self._waiting
        )

    def _flush(self, path: Path) -> SegmentWriter:
        if self._writer is None:
            self._writer = SegmentWriter(path, self._waiting[0].pixels, self.frame_rate, alpha=self.alpha)
        for frame in self._waiting:
            self._writer.write(frame.pixels, frame.alpha)
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
