"""What a manifest's file holds, as values: to JSON, and from JSON that is not trusted."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import PurePosixPath
from typing import Any

from framestyle.jobs.resume.fingerprint import FileFingerprint

VERSION = 1
VERSION_KEY = "framestyle_manifest"


@dataclass(frozen=True)
class Done:
    """A finished output: by which work, from what, what it was then, and in which precision (None: not known)."""

    work: str
    input: FileFingerprint
    output: FileFingerprint
    precision: str | None = None


@dataclass(frozen=True)
class Failed:
    """An input that could not be read."""

    input: FileFingerprint
    message: str


@dataclass
class Contents:
    """What the file holds. Outputs by their path below the folder, with slashes; works by key, in words.

    `begun`: by which work, where that is known.
    """

    done: dict[str, Done] = field(default_factory=dict)
    failed: dict[str, Failed] = field(default_factory=dict)
    begun: dict[str, str | None] = field(default_factory=dict)
    works: dict[str, dict[str, Any]] = field(default_factory=dict)

    def text(self) -> str:
        """As JSON."""
        # Those of what is only begun too: the same command then finds the precision that was decided on.
        used = {entry.work for entry in self.done.values()} | set(self.begun.values())
        return json.dumps(
            {
                VERSION_KEY: VERSION,
                "works": {key: data for key, data in self.works.items() if key in used},
                "done": {name: asdict(entry) for name, entry in sorted(self.done.items())},
                "failed": {name: asdict(entry) for name, entry in sorted(self.failed.items())},
                "begun": dict(sorted(self.begun.items())),
            },
            indent=1,
        )


def parse(text: str) -> Contents:
    """ValueError where it is no manifest of this version, whole."""
    try:
        data = json.loads(text)
        version = data[VERSION_KEY]
        if version != VERSION:
            raise ValueError(f"its version is {version!r}, not {VERSION}")
        return Contents(
            {_inside(name): _done(entry) for name, entry in data["done"].items()},
            {
                _inside(name): Failed(_mark(entry["input"]), _text(entry["message"]))
                for name, entry in data["failed"].items()
            },
            _begun(data["begun"]),
            {_text(key): dict(data) for key, data in data["works"].items()},
        )
    except ValueError:
        raise
    except (KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError("it is not as it was written") from error


def _done(entry: Mapping[str, Any]) -> Done:
    work, given, output = _text(entry["work"]), _mark(entry["input"]), _mark(entry["output"])
    return Done(work, given, output, _text_or_none(entry.get("precision")))


def _begun(entries: Any) -> dict[str, str | None]:
    """It was a list of names once."""
    named = entries.items() if isinstance(entries, dict) else ((name, None) for name in entries)
    return {_inside(name): _text_or_none(work) for name, work in named}


def _text_or_none(value: Any) -> str | None:
    return None if value is None else _text(value)


def _mark(entry: Mapping[str, Any]) -> FileFingerprint:
    size, mtime_ns = entry["size"], entry["mtime_ns"]
    if type(size) is not int or type(mtime_ns) is not int:
        raise TypeError(size)
    return FileFingerprint(size, mtime_ns, _text(entry["sha256"]))


def _inside(value: Any) -> str:
    """A path below the folder."""
    path = PurePosixPath(_text(value))
    if path.is_absolute() or not path.parts or ".." in path.parts:
        raise ValueError(f"{value!r} is no path below the folder")
    return str(value)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(value)
    return value
