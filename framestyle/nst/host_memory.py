"""What this machine has of memory, and what this process holds: by psutil, and by a container's own limits."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psutil


def available_bytes() -> int | None:
    """What can be had without swapping, by the system's own account; None where it does not tell."""
    with suppress(psutil.Error, OSError, RuntimeError):
        return int(psutil.virtual_memory().available)
    return None


def resident_bytes() -> int:
    """Physical memory of this process, now; 0 where nobody knows."""
    with suppress(psutil.Error, OSError):
        return int(psutil.Process().memory_info().rss)
    return 0


def free_host_bytes(
    root: Path = Path("/"), available: Callable[[], int | None] = available_bytes
) -> int | None:
    """Physical memory that can be had without swapping, within a container's limit; None where nobody knows.

    `root` and `available` are there for tests.
    """
    found = [one for one in (available(), *_cgroup_rooms(root)) if one is not None]
    return max(0, min(found)) if found else None


def _cgroup_rooms(root: Path) -> Iterator[int | None]:
    """Limit less use, of this process's group and those above it: version 2, then version 1."""
    folders = {"": "sys/fs/cgroup", "memory": "sys/fs/cgroup/memory"}
    for line in _lines(root / "proc/self/cgroup"):
        _, controllers, path = line.split(":", 2)
        for controller, folder in folders.items():
            if controller in controllers.split(","):
                top = root / folder
                own = top / path.strip("/")
                names = ("memory.max", "memory.current")
                if controller:
                    names = ("memory.limit_in_bytes", "memory.usage_in_bytes")
                for group in (own, *own.parents):
                    if group.is_relative_to(top):
                        yield _group_room(group, *names)


def _group_room(group: Path, limit: str, use: str) -> int | None:
    limits, uses = _lines(group / limit), _lines(group / use)
    if not limits or not uses or not limits[0].isdecimal():
        return None
    # Files that the system keeps for later are counted as use, and given up when memory is asked for.
    kept = [
        int(line.split()[1]) for line in _lines(group / "memory.stat") if line.startswith("inactive_file ")
    ]
    return int(limits[0]) - int(uses[0]) + sum(kept)


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return []
