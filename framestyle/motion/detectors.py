"""PySceneDetect, imported where cuts are looked for: it takes half a second, and asks ffmpeg something meanwhile."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def _no_terminal() -> Iterator[None]:
    """What is started inside has no terminal as its input.

    ffmpeg sets up a terminal that it has. In the background of one (`framestyle … &`, a worker of a cluster) the kernel
    stops it for that (SIGTTOU), and with it whoever waits for its answer, for ever.
    """
    if not os.isatty(0):  # nor where it is closed
        yield
        return
    kept, nowhere = os.dup(0), os.open(os.devnull, os.O_RDONLY)
    try:
        os.dup2(nowhere, 0)
        yield
    finally:
        os.dup2(kept, 0)
        os.close(kept)
        os.close(nowhere)


with _no_terminal():
    from scenedetect import FrameTimecode
    from scenedetect.detectors import AdaptiveDetector, ContentDetector

__all__ = ["AdaptiveDetector", "ContentDetector", "FrameTimecode"]
