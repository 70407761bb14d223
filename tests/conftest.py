"""What several rooms' tests ask of the system."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest


def _children_of(parent: int) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rsplit(")", 1)[1].split()
            except OSError:
                continue
            if int(fields[1]) == parent and fields[0] != "Z":
                found.append(int(entry.name))
    return found


def _is_ffmpeg(process: int) -> bool:
    try:
        return b"ffmpeg" in Path(f"/proc/{process}/cmdline").read_bytes()
    except OSError:
        return False


@pytest.fixture
def children_of() -> Callable[[int], list[int]]:
    """`children_of(process)`: its living children."""
    return _children_of


@pytest.fixture
def our_ffmpegs() -> Callable[[], list[int]]:
    """`our_ffmpegs()`: living ffmpeg processes whose parent is this one."""
    return lambda: [child for child in _children_of(os.getpid()) if _is_ffmpeg(child)]
