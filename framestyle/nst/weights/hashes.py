"""SHA-256 of files, and the records that are kept of them. Loads no torch."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path


def sha256_of(path: Path) -> str:
    """The hexadecimal SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def has_sha256(path: Path, digest: str) -> bool:
    """Whether a file is there, can be read, and is the one whose SHA-256 is known."""
    try:
        return sha256_of(path) == digest
    except OSError:
        return False


def record_of(path: Path) -> Path:
    """Where a kept file's hash is recorded."""
    return path.with_suffix(".json")


def recorded_hash(path: Path) -> str | None:
    """The SHA-256 that a kept file was recorded with; None where there is no readable record."""
    try:
        return str(json.loads(record_of(path).read_text())["sha256"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
