"""`framestyle`, with a watch on each part of a clip's way: python -m benchmarks.parts OUT.json stylize CLIP …

Decoding, flow and encoding run on threads of their own, beside the optimiser: each part's seconds by the clock are what
it was at work, whether or not something else was, so that together they may be more than the whole. What ffmpeg does in
its own process is not in them, but for what the encoder keeps its thread waiting. Writes {part: seconds}.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from functools import wraps
from pathlib import Path
from typing import Any

from framestyle.doors.cli import main as framestyle
from framestyle.media.video.reader import VideoReader
from framestyle.media.video.sequences import SequenceReader, SequenceWriter
from framestyle.media.video.writer import VideoWriter
from framestyle.motion.flow import OpticalFlow
from framestyle.nst.stylizer import Stylizer

CALLS: dict[str, tuple[tuple[type[Any], str], ...]] = {
    "flow": ((OpticalFlow, "__call__"),),
    "optimise": ((Stylizer, "stylize"), (Stylizer, "refine")),
    "encode": ((VideoWriter, "write"), (SequenceWriter, "write")),
}
READERS = (VideoReader, SequenceReader)
DECODING_THREAD = "decode"
"""The first look at a clip, for its cuts, reads it too, on another thread."""
PARTS = ("decode", *CALLS)


class Watch:
    """Seconds by part, from all threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.seconds: Counter[str] = Counter(dict.fromkeys(PARTS, 0))

    def add(self, part: str, seconds: float) -> None:
        with self._lock:
            self.seconds[part] += seconds

    def over(self, part: str, call: Callable[..., Any]) -> Callable[..., Any]:
        """The same call, watched."""

        @wraps(call)
        def watched(*given: Any, **named: Any) -> Any:
            started = time.perf_counter()
            try:
                return call(*given, **named)
            finally:
                self.add(part, time.perf_counter() - started)

        return watched

    def over_frames(self, iterate: Callable[[Any], Iterator[Any]]) -> Callable[[Any], Iterator[Any]]:
        """The same frames; watched is what it takes to make each, where a render reads them."""

        @wraps(iterate)
        def watched(reader: Any) -> Iterator[Any]:
            frames = iterate(reader)
            while True:
                started = time.perf_counter()
                frame = next(frames, None)
                if threading.current_thread().name == DECODING_THREAD:
                    self.add("decode", time.perf_counter() - started)
                if frame is None:
                    return
                yield frame

        return watched


def watch_all(watch: Watch) -> None:
    """From here on, in this process."""
    for part, calls in CALLS.items():
        for owner, name in calls:
            setattr(owner, name, watch.over(part, getattr(owner, name)))
    for reader in READERS:
        setattr(reader, "__iter__", watch.over_frames(reader.__iter__))  # noqa: B010  (mypy: a method is assigned)


def main() -> int:
    """The command's own exit code."""
    path, *arguments = sys.argv[1:]
    watch = Watch()
    watch_all(watch)
    code = framestyle(arguments)
    Path(path).write_text(json.dumps(watch.seconds), encoding="utf-8")
    return code


if __name__ == "__main__":
    sys.exit(main())
