"""What the C library keeps of memory that is free."""

from __future__ import annotations

import ctypes
import sys


def give_back_to_the_host() -> None:
    """What is free in the C library's heap, where it can: glibc holds on to hundreds of megabytes of former maps."""
    if sys.platform == "linux" and (trim := getattr(ctypes.CDLL(None), "malloc_trim", None)) is not None:
        trim(0)
