"""The picture that is being painted, as a small JPEG that is replaced about once a second."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from PIL import Image

from framestyle.frames import Pixels

LONGEST_PX = 512
EVERY_S = 1.0
QUALITY = 85


class LivePicture:
    """A context's `on_picture`. What the disk refuses is passed over: the work does not depend on it."""

    def __init__(
        self, path: Path, clock: Callable[[], float] = time.monotonic, *, every_s: float = EVERY_S
    ) -> None:
        self._path, self._clock, self._every_s = path, clock, every_s
        self._next_s = clock()
        self._writing = threading.Lock()

    def __call__(self, picture: Callable[[], Pixels]) -> None:
        """Writes `picture()` where the last one is old enough, and no other thread is at it."""
        if self._clock() < self._next_s or not self._writing.acquire(blocking=False):
            return
        try:
            with suppress(OSError):
                write_small(picture(), self._path)
            self._next_s = self._clock() + self._every_s
        finally:
            self._writing.release()


def write_small(pixels: Pixels, path: Path, longest_px: int = LONGEST_PX) -> None:
    """`pixels` (HWC, uint8) as a JPEG of at most `longest_px`; whoever reads `path` sees a whole picture. OSError."""
    image = Image.fromarray(pixels)
    image.thumbnail((longest_px, longest_px), reducing_gap=2.0)
    temporary = path.with_name(f".{path.name}-{os.getpid()}")
    try:
        image.save(temporary, "JPEG", quality=QUALITY)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
