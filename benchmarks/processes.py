"""Renders in processes of their own, whose time and memory are then theirs alone."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass


@dataclass(frozen=True)
class Used:
    """Of a process and, as to time, the encoders that it waited for."""

    peak_bytes: int
    processor_s: float


def waited_for(process: subprocess.Popen[str], what: str) -> Used:
    """What it used, once it has ended; RuntimeError where it failed at `what`."""
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        raise RuntimeError(f"{what} failed")
    peak_bytes = usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    return Used(peak_bytes, usage.ru_utime + usage.ru_stime)
