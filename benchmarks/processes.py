"""Renders in processes of their own, whose time and memory are then theirs alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any


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


def told_by(command: Sequence[str], what: str) -> tuple[list[dict[str, Any]], Used]:
    """The events of a command that is run with `--progress json`, and what it used; it may import benchmarks."""
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment)
    assert process.stderr is not None
    events = [json.loads(line) for line in process.stderr if line.startswith("{")]
    return events, waited_for(process, what)
