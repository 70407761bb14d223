"""Memory that is free, given back: what the C library keeps of it, and what torch does."""

from __future__ import annotations

import ctypes
import gc
import sys

import torch


def release_free_memory(device: torch.device) -> None:
    """What is free in the C library's heap, where work is done there: glibc holds on to hundreds of megabytes of
    former maps. Of other devices the heap holds none."""
    if device.type != "cpu" or sys.platform != "linux":
        return
    if (trim := getattr(ctypes.CDLL(None), "malloc_trim", None)) is not None:
        trim(0)


def free_device(device: torch.device) -> None:
    """Lets go of what nobody holds any more, for other programs to have."""
    gc.collect()
    if device.type == "cuda":
        torch.cuda.empty_cache()
    elif device.type == "mps":
        torch.mps.empty_cache()
    else:
        release_free_memory(device)
