"""uvicorn around the app: one process, one loop, with an end to its patience."""

from __future__ import annotations

import contextlib
import signal
import socket
import threading
import webbrowser
from collections.abc import Iterator

import uvicorn

from framestyle.doors.studio import limits
from framestyle.doors.studio.app import make_app
from framestyle.doors.studio.patience import PatientProtocol
from framestyle.doors.studio.settings import Settings
from framestyle.doors.studio.studio import Studio

GOODBYE_S = 1
"""Pages that still listen when the studio ends are cut off after so long."""


class Server(uvicorn.Server):
    """Ends by a signal as every command does: with its work checkpointed, and without a word of uvicorn's."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Ctrl-C and SIGTERM end it; the first time gently."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {
            number: signal.signal(number, self.handle_exit) for number in (signal.SIGINT, signal.SIGTERM)
        }
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def make_server(settings: Settings) -> Server:
    """Not started yet; StorageError where the studio's folder is in use, or cannot be."""
    config = uvicorn.Config(
        make_app(Studio(settings)),
        http=PatientProtocol,
        ws="none",
        lifespan="on",
        # What goes wrong in a call is told by the app; what uvicorn adds is the cutting off of calls at the end.
        log_level="critical",
        access_log=False,
        server_header=False,
        date_header=False,
        proxy_headers=False,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=GOODBYE_S,
        backlog=256,
        h11_max_incomplete_event_size=limits.HEADER_BYTES,
    )
    return Server(config)


def serve(settings: Settings, listening: socket.socket, *, open_page: str | None = None) -> None:
    """Until a signal ends it."""
    server = make_server(settings)
    if open_page is not None:
        threading.Timer(0.7, webbrowser.open, (open_page,)).start()
    server.run(sockets=[listening])
