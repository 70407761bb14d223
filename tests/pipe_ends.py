"""A test's own standard input and output as two pipes, for what takes the place of a process between them."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress


@contextmanager
def at_the_ends_of_pipes(given: bytes) -> Iterator[list[bytes]]:
    """Standard input gives these bytes; what is yielded gathers what goes to standard output."""
    kept = os.dup(0), os.dup(1)
    (taking, giving), (reading, writing) = os.pipe(), os.pipe()
    os.dup2(taking, 0)
    os.dup2(writing, 1)
    os.close(taking)
    os.close(writing)
    out: list[bytes] = []

    def give() -> None:
        with suppress(BrokenPipeError), os.fdopen(giving, "wb") as pipe:
            pipe.write(given)

    def gather() -> None:
        with os.fdopen(reading, "rb") as pipe:
            out.append(pipe.read())

    threads = [threading.Thread(target=one) for one in (give, gather)]
    for thread in threads:
        thread.start()
    try:
        yield out
    finally:
        for number, descriptor in enumerate(kept):
            os.dup2(descriptor, number)
            os.close(descriptor)
        for thread in threads:
            thread.join()
