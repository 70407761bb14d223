"""Whether an output can appear at its place: tried before the work."""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from framestyle.errors import FramestyleError, OutputError
from framestyle.media.files import storage_error
from framestyle.paths import is_folder

MOST_SIGNS = 40


def unwritable(targets: Iterable[Path]) -> dict[Path, FramestyleError]:
    """Those that `atomic_output` would refuse, each with its error; before the work whose results they are.

    It is tried, by empty hidden files that are gone again, one for each folder and kind of name: permissions alone do
    not tell, and no folder is made. What already is a folder counts, too.
    """
    refused: dict[Path, FramestyleError] = {}
    tried: dict[tuple[Path, str], FramestyleError | None] = {}
    for target in targets:
        try:
            key = _place_of(target), _unusual_signs(target.name)
        except FramestyleError as error:
            refused[target] = error
            continue
        if key not in tried:
            tried[key] = _trial(*key, target)
        if (found := tried[key]) is not None:
            refused[target] = found if str(target) in found.message else _trial(*key, target) or found
    return refused


def check_writable(target: Path) -> None:
    """The errors of `atomic_output`, before the work is done whose result is to be written."""
    for error in unwritable([target]).values():
        raise error


def check_name(target: Path) -> None:
    """OutputError where no file can have that name."""
    try:
        target.lstat()
    except FileNotFoundError:
        return
    except (OSError, ValueError) as error:
        raise storage_error(error, target) from error


def _place_of(target: Path) -> Path:
    """The nearest folder above it that is there. An error where there can be no file of that name, or no folder."""
    if not target.name:
        raise OutputError(f"{target} is a folder", next_step="Name a file in it.")
    try:
        with suppress(FileNotFoundError):
            if stat.S_ISDIR(target.lstat().st_mode):
                raise OutputError(f"{target} is a folder", next_step="Name a file in it.")
        missing = [target.name]
        for folder in target.parents:
            if is_folder(folder):
                for name in missing:
                    with suppress(FileNotFoundError):
                        (folder / name).lstat()
                return folder
            missing.append(folder.name)
            if os.path.lexists(folder):
                raise OutputError(
                    f"{target} cannot be written: {folder} is no folder", next_step="Name another folder."
                )
    except (OSError, ValueError) as error:
        raise storage_error(error, target) from error
    return Path()


def _unusual_signs(name: str) -> str:
    """What some file system does not hold in a name: each sign once."""
    return "".join(
        sorted({sign for sign in name if not (sign.isascii() and sign.isalnum()) and sign not in " ._-"})
    )


def _trial(folder: Path, signs: str, target: Path) -> FramestyleError | None:
    trial = folder / f".framestyle-{secrets.token_hex(6)}{signs[:MOST_SIGNS]}"
    try:
        os.close(os.open(trial, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        trial.unlink()
    except (OSError, ValueError) as error:
        return storage_error(error, target)
    return None
