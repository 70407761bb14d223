"""Signals that stop a command: what they are taken for, and that none is lost."""

from __future__ import annotations

import _thread
import os
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from types import FrameType
from typing import Any

AGAIN_S = 0.05
"""Until then Python is out of what swallowed a signal."""


def hear_signals() -> None:
    """SIGTERM is a Ctrl-C, and so is the end of the terminal, where nobody (`nohup`) has that ignored."""
    signal.signal(signal.SIGTERM, _stop)
    hang_up = getattr(signal, "SIGHUP", None)
    if hang_up is not None and signal.getsignal(hang_up) is signal.SIG_DFL:
        signal.signal(hang_up, _stop)
    if not isinstance(sys.unraisablehook, _Swallowed):
        sys.unraisablehook = _Swallowed(sys.unraisablehook)


def ignore_signals() -> None:
    """The end has come: a signal now would only break off what is said about it."""
    for number in (signal.SIGINT, signal.SIGTERM, *filter(None, [getattr(signal, "SIGHUP", None)])):
        signal.signal(number, signal.SIG_IGN)


class _Stopped(KeyboardInterrupt):
    """By another signal than Ctrl-C's."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number


def _stop(number: int, frame: FrameType | None) -> None:
    raise _Stopped(number)


class _Swallowed:
    """A hook for what Python cannot raise: a signal to stop is sent once more, soon; all else goes to `before`.

    In a finalizer, or while a module's lock is given back, what a signal raises goes nowhere: Python goes on as if it
    had not come.
    """

    def __init__(self, before: Callable[[Any], object]) -> None:
        self._before = before

    def __call__(self, unraisable: Any) -> None:
        if not issubclass(unraisable.exc_type, KeyboardInterrupt):
            self._before(unraisable)
            return
        number = getattr(unraisable.exc_value, "number", signal.SIGINT)
        again = threading.Timer(AGAIN_S, _send, [number])
        again.daemon = True
        with suppress(RuntimeError):  # the interpreter ends anyhow
            again.start()


def _send(number: int) -> None:
    if os.name == "posix":
        os.kill(os.getpid(), number)  # it also ends what waits for the system
    else:
        _thread.interrupt_main(signal.Signals(number))
