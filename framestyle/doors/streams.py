"""stdout and stderr as a command needs them: what cannot be told never ends what can still be done.

The reader of a pipe goes away (`| head`), a log's disk is full, a terminal is closed, a daemon has no streams at all:
the work goes on, and the exit code is that of the work. A full disk below stdout is told, as an error of its own.
"""

from __future__ import annotations

import errno
import io
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Any, Self, TextIO, cast

from framestyle.errors import StorageError

READER_GONE = {errno.EPIPE, errno.ECONNRESET, errno.EIO, errno.ENXIO, errno.EBADF}
"""Nobody reads any more: a pipe or a terminal that was closed."""


class Steadfast:
    """A text stream that never raises: after its first failure it is silent, and `failure` says why.

    What the locale's encoding has no place for is written as an escape.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self.failure: OSError | None = None
        if isinstance(stream, io.TextIOWrapper):
            with suppress(OSError, ValueError):
                stream.reconfigure(errors="backslashreplace")

    def write(self, text: str) -> int:
        """All of it, as far as the caller is told."""
        if self.failure is None:
            self._try(lambda: self._stream.write(text))
        return len(text)

    def flush(self) -> None:
        """As far as it can be."""
        if self.failure is None:
            self._try(self._stream.flush)

    def isatty(self) -> bool:
        """Not once it is closed."""
        return not self._stream.closed and self._stream.isatty()

    def _try(self, call: Callable[[], object]) -> None:
        try:
            call()
        except OSError as error:
            self._give_up(error)
        except ValueError:
            if not self._stream.closed:
                raise
            self.failure = OSError(errno.EBADF, os.strerror(errno.EBADF))

    def _give_up(self, error: OSError) -> None:
        """What is still buffered goes nowhere, or the interpreter would fail with it at its end."""
        self.failure = error
        with suppress(OSError, ValueError):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self._stream.fileno())
            os.close(nowhere)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


class StandardStreams:
    """A context manager: sys.stdout and sys.stderr are steadfast in it."""

    def __enter__(self) -> Self:
        _open_what_is_closed()
        self._before = sys.stdout, sys.stderr
        self.out, self.err = (
            Steadfast(stream) for stream in (_or_nowhere(sys.stdout), _or_nowhere(sys.stderr))
        )
        sys.stdout, sys.stderr = cast("TextIO", self.out), cast("TextIO", self.err)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.flush()
        sys.stdout, sys.stderr = self._before

    def flush(self) -> None:
        """Both: what is refused is known then."""
        self.out.flush()
        self.err.flush()

    def lost(self) -> StorageError | None:
        """Of what a disk refused on stdout; None where nobody wanted to read on."""
        self.flush()
        failure = self.out.failure
        if failure is None or failure.errno in READER_GONE:
            return None
        return StorageError(
            f"what was to be said on stdout could not be written: {failure.strerror}",
            next_step="Free some space there, or name another file, then give the same command again.",
        )


def _open_what_is_closed() -> None:
    """Descriptors 0, 1 and 2 that lead nowhere: else the next file that is opened, a result say, is taken for them by
    every library that complains on stderr."""
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            with suppress(OSError):
                os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)


def _or_nowhere(stream: TextIO | None) -> TextIO:
    """Python has none where it found the descriptor closed."""
    return stream if stream is not None else io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
