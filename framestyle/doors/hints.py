"""When to look at a watched folder again: after a while, or at once where the system tells that something happened.

What the system tells is a hint and no more: shares tell nothing, and every system forgets something.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

Rest = Callable[[float], object]
"""Waits for so many seconds, or less."""


@contextmanager
def hints(folder: Path, leave_out: Path) -> Iterator[Rest]:
    """With watchdog where it is installed and works here, else by the clock alone. `leave_out`: where results go."""
    try:
        from watchdog.events import FileSystemEvent, FileSystemEventHandler
        from watchdog.observers import Observer
    except ImportError:
        yield time.sleep
        return
    logging.getLogger("watchdog").setLevel(logging.CRITICAL)  # it tells of its own end as of a fault
    happened, results = threading.Event(), leave_out.resolve()

    class Handler(FileSystemEventHandler):  # type: ignore[misc]
        def on_any_event(self, event: FileSystemEvent) -> None:
            path = Path(str(event.dest_path or event.src_path))
            # Our own looks are told of too, and our results.
            if event.event_type in CHANGES and results not in (path.resolve(), *path.resolve().parents):
                happened.set()

    observer = Observer()
    observer.daemon = True
    try:
        observer.schedule(Handler(), str(folder), recursive=True)
        observer.start()
    except OSError:  # no more watches to be had, or a system without
        yield time.sleep
        return

    def rest(seconds: float) -> None:
        happened.wait(seconds)
        happened.clear()

    try:
        yield rest
    finally:
        observer.stop()
        observer.join()


CHANGES = {"created", "modified", "moved", "deleted", "closed"}
