"""Signals that stop a command."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator

import pytest

from framestyle.doors.signals import hear_signals


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    hook, handler = sys.unraisablehook, signal.getsignal(signal.SIGTERM)
    hear_signals()
    yield
    sys.unraisablehook = hook
    signal.signal(signal.SIGTERM, handler)


@pytest.mark.skipif(os.name != "posix", reason="elsewhere this ends the process")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_one_that_comes_where_python_has_no_place_for_it_comes_again(number: int) -> None:
    """As in the finalizer of an object, or while a module is imported."""
    went_on = []

    class Falls:
        def __del__(self) -> None:
            os.kill(os.getpid(), number)
            for _ in range(1000):
                pass
            went_on.append("within")

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            Falls()
            went_on.append("after")
            time.sleep(20)
    finally:
        signal.signal(signal.SIGINT, before)
    assert went_on == ["after"]
