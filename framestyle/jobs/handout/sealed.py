"""JSON files with their own hash, so that one which was edited, cut short or put in another's place is noticed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from framestyle.errors import InputError
from framestyle.media.files import atomic_output
from framestyle.spec import refuse_newer

PLAN_ANEW = "Plan the work anew, into another folder."


def digest_of(body: Mapping[str, Any]) -> str:
    """The hexadecimal SHA-256 of plain values, whatever their order."""
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()


def write_sealed(path: Path, key: str, version: int, body: Mapping[str, Any]) -> str:
    """Whole or not at all; gives the body's digest. `key` says in the file what it is, and of which version."""
    digest = digest_of(body)
    with atomic_output(path) as temporary:
        temporary.write_text(
            json.dumps({key: version, "sha256": digest, "body": body}, indent=1), encoding="utf-8"
        )
    return digest


def read_sealed(path: Path, key: str, version: int, what: str) -> tuple[dict[str, Any], str]:
    """Body and digest. InputError where it is not `what`, of a newer FrameStyle, or not as it was written."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        found = data[key]
        refuse_newer(found, version, f"{path} is {what}")
        if found != version:
            raise ValueError(f"its version is {found!r}")
        body, digest = data["body"], data["sha256"]
        if not isinstance(body, dict):
            raise TypeError("it holds no values")
    except OSError as error:
        raise InputError(
            f"{path} cannot be read: {error.strerror or error}",
            next_step="Check that the work folder is reached from this machine.",
        ) from error
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise InputError(f"{path} is not {what}: {error}", next_step=PLAN_ANEW) from error
    if digest_of(body) != digest:
        raise InputError(f"{path} was changed since it was written", next_step=PLAN_ANEW)
    return body, str(digest)
