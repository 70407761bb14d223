"""A worker: opens a session on its device, and does unit after unit, as its standard input has them (processes.py)."""

from __future__ import annotations

import os
import pickle
import queue
import signal
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from framestyle.context import Context
from framestyle.errors import Cancelled, FramestyleError
from framestyle.jobs.engines.processes import Ended, Opening
from framestyle.jobs.plan.units import Unit
from framestyle.jobs.run.interrupts import STOPPING
from framestyle.spec import RenderSpec


def serve(orders: IO[bytes], messages: IO[bytes]) -> None:
    """Until there are no more orders; what is at work then ends between two steps."""
    from framestyle.jobs.run.units import paint_unit
    from framestyle.session import Session

    pending = _Orders(orders)
    opening = pending.next()
    if not isinstance(opening, Opening):
        return
    context = Context(lambda event: _send(messages, event), pending.check_cancelled)
    scratch = None if opening.scratch is None else Path(opening.scratch)
    error: FramestyleError | None = None
    session: Session | None = None
    try:
        session = Session(
            RenderSpec.from_json(opening.spec),
            Context(check_cancelled=pending.check_cancelled),
            device=opening.device,
            masks_follow=False,
            memory_limit_bytes=opening.memory_limit_bytes,
        )
    except FramestyleError as failure:
        error = failure
    while not isinstance(unit := pending.next(), Opening | None):
        if session is None:
            assert error is not None
            _send(messages, Ended(error))
            continue
        try:
            _send(messages, Ended(paint_unit(unit, session, context, scratch)))
        except FramestyleError as failure:
            _send(messages, Ended(failure))
    if session is not None:
        session.close()


class _Orders:
    """What is read from the standard input, on a thread: its end is noticed while a unit is at work."""

    def __init__(self, orders: IO[bytes]) -> None:
        self._waiting: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._over = threading.Event()
        threading.Thread(target=self._read, args=(orders,), name="orders", daemon=True).start()

    def _read(self, orders: IO[bytes]) -> None:
        with suppress(EOFError, OSError, pickle.UnpicklingError):
            while True:
                self._waiting.put(pickle.load(orders))
        self._over.set()
        self._waiting.put(None)

    def next(self) -> Opening | Unit | None:
        """The next order; None: there is none any more."""
        return None if self._over.is_set() else self._waiting.get()

    def check_cancelled(self) -> None:
        """Raises Cancelled where there are no more orders: whoever gives them waits for each to be done."""
        if self._over.is_set():
            raise Cancelled


def _send(messages: IO[bytes], one: object) -> None:
    # Whoever reads it may be gone; then so are the orders.
    with suppress(OSError, ValueError):
        pickle.dump(one, messages)
        messages.flush()


def main() -> None:
    """Serve on standard input and output. Signals to stop are for whoever started this, who says so by ending both."""
    for number in STOPPING:
        signal.signal(number, signal.SIG_IGN)
    messages = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what libraries print is no message
    with suppress(Cancelled):
        serve(sys.stdin.buffer, messages)


if __name__ == "__main__":
    main()
