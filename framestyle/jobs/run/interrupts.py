"""Ctrl-C and SIGTERM at a moment that suits: between steps at once, while work is being checkpointed only after it."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

STOPPING = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def held_back() -> Iterator[None]:
    """A first signal to stop waits until the end of the block, and is then what it would have been: whoever heard
    signals before hears it. Where nobody did it is KeyboardInterrupt. With a second one, both are heard at once.

    On other threads than the main one, which alone hears signals, nothing is changed.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    waiting: list[int] = []

    def on_signal(number: int, frame: FrameType | None) -> None:
        waiting.append(number)
        if len(waiting) > 1:
            hear()

    def hear() -> None:
        heard, waiting[:] = waiting[:], []
        for number in heard:
            handler = before[number]
            if not callable(handler):
                raise KeyboardInterrupt
            handler(number, None)

    # A background job may have been started so that it ignores Ctrl-C: it still does.
    listening = [number for number in STOPPING if signal.getsignal(number) is not signal.SIG_IGN]
    before = {int(number): signal.signal(number, on_signal) for number in listening}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        hear()  # where the block fails too: who wants it to stop does not wait for another try
