"""A preset of the user's own, deleted; and its imported pictures, where no other preset uses them."""

from __future__ import annotations

import difflib
import shutil
from collections.abc import Iterator
from pathlib import Path

from framestyle.errors import Code, OutputError, PresetError, StorageError
from framestyle.presets.bundle import IN_LIBRARY
from framestyle.presets.library import SUFFIXES, find_builtin, own_preset, user_presets_dir
from framestyle.presets.loading import load_preset
from framestyle.presets.paths import pictures_of
from framestyle.presets.yaml_source import read_file


def remove_preset(name: str) -> list[Path]:
    """Delete the user's preset of that name; what was deleted.

    PresetError where the user has none, OutputError where it is a built-in one or others extend it, StorageError where
    the disk refuses.
    """
    path = own_preset(name) if name and name == Path(name).name else None
    if path is None:
        raise _no_such(name)
    others = [other for other in _own() if other != path]
    if find_builtin(name) is None and (heirs := [other.stem for other in others if _extends(other, name)]):
        raise OutputError(
            f"{', '.join(heirs)} {'extend' if len(heirs) > 1 else 'extends'} {name!r}",
            next_step="Remove that first, or give it another base.",
        )
    folders = _art_of(path) - {folder for other in others for folder in _art_of(other)}
    try:
        path.unlink()
        for folder in folders:
            shutil.rmtree(folder)
    except OSError as error:
        raise StorageError(
            f"{error.filename or path} cannot be removed: {error.strerror}",
            next_step="Check its permissions.",
        ) from error
    return [path, *sorted(folders)]


def _no_such(name: str) -> PresetError | OutputError:
    if find_builtin(name) is not None:
        return OutputError(
            f"{name!r} is a built-in preset, and stays",
            code=Code.PRESET_BUILT_IN,
            facts={"preset": name},
            next_step="Only presets of your own can be removed.",
        )
    near = difflib.get_close_matches(name[:100], [path.stem for path in _own()], 3)
    return PresetError(
        f"no preset of yours is called {name[:100]!r}",
        code=Code.PRESET_UNKNOWN,
        facts={"name": name, "near": near},
    )


def _own() -> Iterator[Path]:
    folder = user_presets_dir()
    paths = sorted(folder.iterdir()) if folder.is_dir() else []
    return (path for path in paths if path.suffix in SUFFIXES)


def _extends(path: Path, name: str) -> bool:
    try:
        base = read_file(path)[0].value.get("extends")
    except PresetError:
        return False
    return base is not None and base.value == name


def _art_of(path: Path) -> set[Path]:
    """The folders of imported pictures that a preset uses; none of one that does not load."""
    art = user_presets_dir() / IN_LIBRARY
    try:
        pictures = [Path(picture) for picture in pictures_of(load_preset(path))]
    except PresetError:
        return set()
    return {folder for picture in pictures for folder in picture.parents if folder.parent == art.resolve()}
