"""What has changed, told to every page that listens: server-sent events."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import contextmanager
from typing import Any

from framestyle.doors.studio.answers import RefusedError
from framestyle.doors.studio.limits import STREAMS

WAITING = 500
"""Messages that a page may be behind; then it is told to look at everything anew."""
BEAT_S = 15.0
"""A comment at least so often: so that a connection which is gone is noticed."""


class Hub:
    """Whoever listens gets what is published from then on. Nothing is kept: a page that connects reads first."""

    def __init__(self) -> None:
        self._queues: dict[asyncio.Queue[bytes], str] = {}
        self.on_leaving: Callable[[str], None] = lambda page: None
        self._streams = 0

    def publish(self, name: str, data: Any) -> None:
        """To all."""
        if not self._queues:
            return
        message = encoded(name, data)
        for queue in self._queues:
            if queue.full():
                while not queue.empty():
                    queue.get_nowait()
                queue.put_nowait(encoded("anew", {}))
            else:
                queue.put_nowait(message)

    @contextmanager
    def stream(self) -> Any:
        """Counts one more of what is streamed; refused where there are too many."""
        if self._streams >= STREAMS:
            raise RefusedError(503, "too-many-streams", "too many pages listen", "Close some.")
        self._streams += 1
        try:
            yield
        finally:
            self._streams -= 1

    @property
    def has_listeners(self) -> bool:
        """Whether anything need be told."""
        return bool(self._queues)

    async def listen(self, page: str) -> AsyncIterator[bytes]:
        """Until the page leaves."""
        with self.stream():
            queue: asyncio.Queue[bytes] = asyncio.Queue(WAITING)
            self._queues[queue] = page
            try:
                yield b"retry: 1000\n\n"
                while True:
                    try:
                        yield await asyncio.wait_for(queue.get(), BEAT_S)
                    except TimeoutError:
                        yield b": still here\n\n"
            finally:
                del self._queues[queue]
                if page not in self._queues.values():
                    self.on_leaving(page)


def encoded(name: str, data: Any, event_id: str | None = None) -> bytes:
    """One server-sent event."""
    head = "" if event_id is None else f"id: {event_id}\n"
    return f"{head}event: {name}\ndata: {json.dumps(data, separators=(',', ':'))}\n\n".encode()
