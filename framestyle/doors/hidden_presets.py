"""A preset's plain name never hides a built-in one without a word."""

from __future__ import annotations

from collections.abc import Iterable

from framestyle.events import Note
from framestyle.presets.library import hiding


def hidden_presets(names: Iterable[str]) -> list[Note]:
    """A note for each name by which one of the user's own is found in place of a built-in one."""
    found = {name: hiding(name) for name in names}
    return [
        Note(
            f"The preset {name!r} is yours, at {path}; the built-in one of that name is not used.",
            "warning",
        )
        for name, path in found.items()
        if path is not None
    ]
