"""Where presets lie and how one is found by name or path."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from platformdirs import user_cache_path, user_config_path

from framestyle.errors import Code, PresetError
from framestyle.paths import PHOTO_NAMES, near_names, resolved

SUFFIXES = (".yaml", ".yml")
LONGEST_NAME_BYTES = 200
NOT_IN_NAMES = '<>:"/\\|?*'
"""What some system takes for a folder, a drive or a pattern."""


def builtin_presets_dir() -> Path:
    """Where the built-in presets lie: inside the package in a wheel, beside it in a checkout."""
    return _presets_of(Path(__file__).resolve().parents[1])


def _presets_of(package: Path) -> Path:
    wheel = package / "_data" / "presets"
    return wheel if wheel.is_dir() else package.parent / "presets"


def preset_dirs() -> list[Path]:
    """Where names are looked up, in order: the user's folder, then the built-in one."""
    return [user_presets_dir(), builtin_presets_dir()]


def user_presets_dir() -> Path:
    """Where the user's own presets lie; it need not be there yet."""
    return user_config_path("framestyle") / "presets"


def own_preset(name: str) -> Path | None:
    """What the user's preset folder has under that name, be it a file or not."""
    paths = (user_presets_dir() / f"{name}{suffix}" for suffix in SUFFIXES)
    return next((path for path in paths if os.path.lexists(path)), None)


def find_builtin(name: str) -> Path | None:
    """The file of the built-in preset of that name, in whatever case: on many disks one stands for the other."""
    return next(
        (path for path in _presets_in(builtin_presets_dir()) if path.stem.casefold() == name.casefold()), None
    )


def hiding(name: str) -> Path | None:
    """The user's own preset that is found by a built-in one's name, in its place."""
    there = own_preset(name) if name and not looks_like_path(name) else None
    return there if there is not None and is_file(there) and find_builtin(name) is not None else None


def cache_dir() -> Path:
    """What can be made again: FRAMESTYLE_CACHE, or the platform's cache folder."""
    named = os.environ.get("FRAMESTYLE_CACHE")
    return Path(named) if named else user_cache_path("framestyle")


def preset_names() -> list[str]:
    """All names, sorted."""
    return sorted({path.stem for folder in preset_dirs() for path in _presets_in(folder)})


def _presets_in(folder: Path) -> Iterable[Path]:
    try:
        return [path for path in folder.iterdir() if path.suffix in SUFFIXES and is_file(path)]
    except OSError:
        return []


def is_file(path: Path) -> bool:
    """Whether there is a regular file; False too for names that no file can have."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def absolute(text: str, folder: Path) -> Path:
    """A path as written, relative to `folder`, made absolute; `~` is the home folder."""
    path = Path(text)
    with suppress(RuntimeError):  # nobody's home
        path = path.expanduser()
    return resolved(folder / path)


def looks_like_path(name: str | Path) -> bool:
    """Whether a preset is named by path: it ends as YAML does, or holds a folder's separator."""
    if isinstance(name, Path):
        return True
    separators = {"/", os.sep, os.altsep or os.sep}
    return name.endswith(SUFFIXES) or any(separator in name for separator in separators)


def is_plain_name(name: str) -> bool:
    """Whether a preset can be kept under this name: printable, a file's name on every system, found by name again."""
    wrong = name.startswith((".", "-")) or name.endswith((".", " ")) or looks_like_path(name)
    short = 0 < len(name.encode(errors="replace")) <= LONGEST_NAME_BYTES
    return short and name.isprintable() and not wrong and not set(name) & set(NOT_IN_NAMES)


def find_preset(
    name_or_path: str | Path, near: Path | None = None, *, apart_from: Path | None = None
) -> Path:
    """The file of a preset, by path (relative to the folder `near`, or to the current one) or by name.

    A name is looked up first among the user's presets, then among the built-in ones. `apart_from` is passed
    over where another file has the name too: so a user's `mosaic` can extend the built-in `mosaic`.
    """
    text = str(name_or_path)
    if Path(text).suffix.lower().lstrip(".") in PHOTO_NAMES:  # the style that somebody wants
        raise PresetError(
            f"{text[:100]} is named as a picture, not as a preset",
            code=Code.PRESET_IS_PICTURE,
            facts={"name": text},
        )
    if looks_like_path(name_or_path):
        path = absolute(text, near or Path())
        if not is_file(path):
            raise PresetError(
                f"no preset file at {path}",
                code=Code.PRESET_UNKNOWN,
                facts={"name": text, "near": near_names(path)},
            )
        return path
    candidates = [folder / f"{text}{suffix}" for folder in preset_dirs() for suffix in SUFFIXES]
    found = [resolved(path) for path in candidates if text and is_file(path)]
    others = [path for path in found if path != apart_from]
    if found:
        return (others or found)[0]
    close = difflib.get_close_matches(text, preset_names(), 3) if len(text) <= 100 else []
    raise PresetError(
        f"no preset is called {text[:100]!r}", code=Code.PRESET_UNKNOWN, facts={"name": text, "near": close}
    )
