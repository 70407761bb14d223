"""Presets: the built-in ones, and those of the user's own that cannot be used."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from framestyle.doctor.finding import OK, WARNING, Finding, failed
from framestyle.errors import Code, PresetError
from framestyle.presets.library import SUFFIXES, user_presets_dir


def presets() -> Iterator[Finding]:
    """The built-in ones, and each of the user's own that cannot be used."""
    from framestyle.presets import builtin_presets_dir, load_preset

    def wrong(folder: Path) -> tuple[int, list[tuple[str, str]]]:
        files = sorted(one for one in folder.glob("*") if one.suffix in SUFFIXES) if folder.is_dir() else []
        complaints = []
        for file in files:
            try:
                load_preset(file)
            except PresetError as error:
                complaints.append((file.name, error.message.splitlines()[0]))
        return len(files), complaints

    count, complaints = wrong(builtin_presets_dir())
    if complaints or not count:
        text = complaints[0][1] if complaints else "none are there"
        again = "Install FrameStyle anew: pip install --force-reinstall framestyle"
        yield failed("presets", "built-in", text, PresetError, again)
    else:
        yield Finding("presets", "built-in", OK, f"{count} presets", facts={"count": count})
    count, complaints = wrong(user_presets_dir())
    usable = count - len(complaints)
    text = f"{usable} of {count} can be used" if count else "none yet"
    yield Finding("presets", "your own", OK, text, facts={"count": count, "usable": usable})
    for name, text in complaints:
        yield Finding("presets", name, WARNING, text, code=Code.PRESET_UNUSABLE)
