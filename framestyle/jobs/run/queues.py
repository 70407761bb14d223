"""Reading ahead and writing behind: decoding and encoding on threads of their own, behind bounded queues.

A Ctrl-C may come at any moment of the main thread, also within a queue's own code. `queue.Queue` is written in Python,
and is left locked, or with a sleeper that nobody wakes, where it is broken off there: so SimpleQueue, which cannot be,
and whose length is watched. The start of a thread is no better; a signal waits for its end.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Generator, Iterable
from fractions import Fraction
from typing import Any

from framestyle.frames import Alpha, Frame, Pixels
from framestyle.jobs.run.interrupts import held_back
from framestyle.media.video.protocols import FrameWriter

QUEUE_FRAMES = 8
"""Frames that may wait on either side of the optimiser."""
LOOK_AGAIN_S = 0.01
"""How often whoever waits for room looks whether there is some."""


def read_ahead(
    frames: Iterable[Frame], let_go: Callable[[], None] | None = None
) -> Generator[Frame, None, None]:
    """The same frames, read on another thread, at most QUEUE_FRAMES ahead, and its error where it fails.

    Closing the generator ends the thread: do so (contextlib.closing) before what it reads from is closed. `let_go` has
    `frames` come to their end where that thread waits for more, which may never come; it is called in every way out.
    """
    waiting: queue.SimpleQueue[Frame | BaseException | None] = queue.SimpleQueue()
    left = False

    def put(item: Frame | BaseException | None) -> bool:
        while waiting.qsize() >= QUEUE_FRAMES and not left:
            time.sleep(LOOK_AGAIN_S)
        waiting.put(item)
        return not left

    def decode() -> None:
        try:
            for frame in frames:
                if not put(frame):
                    return
            put(None)
        except BaseException as error:  # handed to the consumer, which raises it
            put(error)

    thread = threading.Thread(target=decode, name="decode", daemon=True)
    try:
        with held_back():
            thread.start()
        while (item := waiting.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item
    finally:
        left = True
        if let_go is not None:
            let_go()
        if thread.ident is not None:
            thread.join()


class WriteBehind:
    """Feeds a writer from another thread; an error there is raised at the next `put` or at the end.

    Left by an error, it drops what still waits: the file will not be kept.
    """

    def __init__(self, writer: FrameWriter) -> None:
        self._writer = writer
        self._waiting: queue.SimpleQueue[tuple[Any, ...] | None] = queue.SimpleQueue()
        self._error: BaseException | None = None
        self._given_up = False
        self._thread = threading.Thread(target=self._run, name="encode", daemon=True)

    def __enter__(self) -> WriteBehind:
        try:
            with held_back():
                self._thread.start()
        except BaseException:
            self._given_up = True
            self._waiting.put(None)
            raise
        return self

    def put(self, pixels: Pixels, pts_s: Fraction | None = None, alpha: Alpha | None = None) -> None:
        """The next frame, as the writer takes it. Blocks while the queue is full."""
        while self._waiting.qsize() >= QUEUE_FRAMES and self._error is None:
            time.sleep(LOOK_AGAIN_S)
        self._raise()
        self._waiting.put((pixels,) if pts_s is None else (pixels, pts_s, alpha))

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._given_up = kind is not None
        self._waiting.put(None)
        self._thread.join()
        if kind is None:
            self._raise()

    def _run(self) -> None:
        while (frame := self._waiting.get()) is not None:
            # After an error the queue is still emptied, so that nobody waits on a dead encoder.
            if self._error is None and not self._given_up:
                try:
                    self._writer.write(*frame)
                except BaseException as error:
                    self._error = error

    def _raise(self) -> None:
        if self._error is not None:
            raise self._error
