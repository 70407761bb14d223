"""Folders that are written to: whether they can be, and how much room there is."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from framestyle.doctor.finding import FAILURE, OK, WARNING, Finding, failed
from framestyle.errors import Code, StorageError
from framestyle.jobs.resume.disk_space import nearest_folder
from framestyle.paths import absolute
from framestyle.presets.library import cache_dir, user_presets_dir

LITTLE_SPACE_BYTES = 2e9


def folders() -> Iterator[Finding]:
    yield _folder("cache", cache_dir(), "Set FRAMESTYLE_CACHE to a folder that can be written to.", size=True)
    yield _folder("presets", user_presets_dir(), "Check its permissions.", essential=False)
    yield _folder("current", absolute(Path()), Code.FOLDER_OF_RESULTS, essential=False)
    yield _folder("temporary", Path(tempfile.gettempdir()), "Set TMPDIR to a folder that can be written to.")


def _folder(
    name: str, path: Path, advice: str | Code, *, size: bool = False, essential: bool = True
) -> Finding:
    """Whether it can be written to, or made, and how much room there is."""
    there = nearest_folder(path)
    shown = _shown(path)
    writes = _can_write(there)
    with suppress(OSError):
        free = shutil.disk_usage(there).free
        facts: dict[str, Any] = {
            "path": shown,
            "exists": path.exists(),
            "writable": writes,
            "free_bytes": free,
        }
        used = _size_bytes(path) if size else 0
        if size:
            facts["size_bytes"] = used
        parts = [shown, *([] if path.exists() else ["not there yet"])]
        parts += [f"holds {used / 1e6:.0f} MB"] if used else []
        parts.append(f"{free / 1e9:.1f} GB free")
        if not writes:
            parts.append("cannot be written to")
            finding = failed("folders", name, ", ".join(parts), StorageError, advice)
            state, exit_code = (FAILURE, finding.exit_code) if essential else (WARNING, 0)
            return replace(finding, state=state, exit_code=exit_code, facts=facts)
        if free < LITTLE_SPACE_BYTES:
            return Finding("folders", name, WARNING, ", ".join(parts), "Free some space.", facts=facts)
        return Finding("folders", name, OK, ", ".join(parts), facts=facts)
    return failed("folders", name, f"{shown} cannot be reached", StorageError, advice)


def _can_write(folder: Path) -> bool:
    """By writing: permissions alone do not tell."""
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"x")
    except OSError:
        return False
    return True


def _size_bytes(folder: Path) -> int:
    total = 0
    for at, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):
                total += (Path(at) / name).lstat().st_size
    return total


def _shown(path: Path) -> str:
    """With `~` for the home folder: a report may be published."""
    with suppress(RuntimeError, ValueError):
        return str(Path("~") / path.relative_to(Path.home()))
    return str(path)
