"""`framestyle.load_preset`: presets for host programs, with errors in Python's words. Loads no torch."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from framestyle import presets
from framestyle.doors.advice import in_python_words
from framestyle.presets import Preset


def load_preset(
    name_or_path: str | Path, overrides: Sequence[str] = (), *, open_images: bool = False
) -> Preset:
    """A preset with all that it inherits and the overrides applied, checked and complete, its paths absolute.

    `overrides` are `KEY=VALUE`, the later one wins. `open_images`: every picture is decoded too, not only looked for.
    Raises PresetError with a line for each thing that is wrong: `file:line:column: key: what`.
    """
    with in_python_words():
        return presets.load_preset(name_or_path, overrides, open_images=open_images)
