"""What the C library keeps of memory that is free."""

from __future__ import annotations

import ctypes
import sys

import torch


def release_free_memory(device: torch.device) -> None:
    """What is free in the C library's heap, where work is done there: glibc holds on to hundreds of megabytes of
    former maps. Of other devices the heap holds none."""
    if device.type != "cpu" or sys.platform != "linux":
        return
    if (trim := getattr(ctypes.CDLL(None), "malloc_trim", None)) is not None:
        trim(0)
