"""A preset with its pictures as one zip: made, read, and put into the user's preset folder.

A bundle stands alone: what the preset inherits is written out, and every picture is inside. What is imported is
written anew from the checked preset: no text, no name and no path of the zip reaches the disk.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
import shutil
import stat
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count
from pathlib import Path, PurePosixPath
from typing import IO

from framestyle.errors import Code, OutputError, PresetError
from framestyle.presets.library import (
    SUFFIXES,
    find_builtin,
    find_preset,
    is_plain_name,
    own_preset,
    user_presets_dir,
)
from framestyle.presets.loading import load_alone, load_preset
from framestyle.presets.paths import pictures_of, with_pictures
from framestyle.presets.pictures import picture_problem
from framestyle.presets.schema import Preset
from framestyle.presets.writing import resolved_yaml
from framestyle.presets.yaml_source import LARGEST_FILE_BYTES, beginning_of
from framestyle.presets.zip_source import (
    LARGEST_UNPACKED_BYTES,
    MOST_ENTRIES,
    SafeZip,
    open_zip,
    refused,
)

IN_ZIP, IN_LIBRARY = "images", "art"
"""Folders of the pictures."""
LONGEST_STEM, LONGEST_SUFFIX = 60, 8
EPOCH = (1980, 1, 1, 0, 0, 0)
"""A zip's earliest time: the same preset gives the same bytes at any hour."""


@dataclass(frozen=True)
class Bundle:
    """A preset that stands alone: its pictures' paths are `images/NAME`, and `pictures` has the bytes of each NAME.

    Names are plain, and differ in any letter case.
    """

    name: str
    preset: Preset
    pictures: Mapping[str, bytes]

    def yaml(self, folder: str) -> str:
        """The preset's file, with the pictures in a folder beside it."""
        placed = with_pictures(self.preset, lambda path: f"{folder}/{PurePosixPath(path).name}")
        return f"# Complete: inherits nothing.\n{resolved_yaml(placed)}"


# -- out ---------------------------------------------------------------------------------------------------


def bundle_of(name_or_path: str | Path) -> Bundle:
    """A preset by name or path with all that it inherits, and its pictures. PresetError where it is no good."""
    path = find_preset(name_or_path)
    _check_name(path.stem)
    preset = load_preset(path)
    names = _plain_names(pictures_of(preset))
    if len(names) >= MOST_ENTRIES:
        raise PresetError(
            f"{path} names more than {MOST_ENTRIES - 1} pictures; no zip of a preset holds more",
            next_step="Leave some out.",
        )
    pictures: dict[str, bytes] = {}
    for picture, name in names.items():
        pictures[name] = _picture(Path(picture), LARGEST_UNPACKED_BYTES - _size(pictures))
    return Bundle(path.stem, _inside(preset, names), pictures)


def _inside(preset: Preset, names: Mapping[str, str]) -> Preset:
    return with_pictures(preset, lambda path: f"{IN_ZIP}/{names[path]}")


def _size(pictures: Mapping[str, bytes]) -> int:
    return LARGEST_FILE_BYTES + sum(len(data) for data in pictures.values())


def _picture(path: Path, most: int) -> bytes:
    data = beginning_of(path, most + 1)
    if len(data) > most:
        raise PresetError(
            f"with {path} the preset is larger than {LARGEST_UNPACKED_BYTES:,} bytes",
            next_step="Use a smaller picture: style images are scaled down anyway.",
        )
    if problem := picture_problem(io.BytesIO(data)):
        raise PresetError(f"{path} {problem}", next_step="Put an image there.")
    return data


def _plain_names(paths: tuple[str, ...]) -> dict[str, str]:
    """Path -> a short name in ASCII, none twice in any letter case."""
    names: dict[str, str] = {}
    taken: set[str] = set()
    for path in paths:
        stem, suffix = _plain_name(PurePosixPath(path.replace("\\", "/")).name)
        numbered = (f"{stem}{suffix}" if n == 1 else f"{stem}-{n}{suffix}" for n in count(1))
        names[path] = next(name for name in numbered if name.lower() not in taken)
        taken.add(names[path].lower())
    return names


def _plain_name(name: str) -> tuple[str, str]:
    """Stem and suffix, with `_` for whatever may mean something to some system."""
    stem, dot, suffix = name.rpartition(".") if "." in name.lstrip(".") else (name, "", "")
    stem = re.sub(r"[^A-Za-z0-9_-]", "_", stem)[:LONGEST_STEM].lstrip("-") or "picture"
    return stem, dot + re.sub(r"[^A-Za-z0-9]", "_", suffix)[:LONGEST_SUFFIX]


def write_bundle(bundle: Bundle, file: IO[bytes]) -> None:
    """The bundle as a zip: the same bundle gives the same bytes.

    Stored, not deflated: pictures are compressed already, and zlib's bytes differ between its versions.
    """
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        _add(archive, f"{bundle.name}.yaml", bundle.yaml(IN_ZIP).encode())
        for name, data in bundle.pictures.items():
            _add(archive, f"{IN_ZIP}/{name}", data)


def _add(archive: zipfile.ZipFile, name: str, data: bytes) -> None:
    entry = zipfile.ZipInfo(name, EPOCH)
    entry.create_system = 3  # Unix, wherever it is made
    entry.external_attr = (stat.S_IFREG | 0o644) << 16
    archive.writestr(entry, data)


# -- in ----------------------------------------------------------------------------------------------------


def read_bundle(path: Path, name: str | None = None) -> Bundle:
    """A zip's preset, checked in full, under its own or another name. Nothing is written.

    InputError where it is no zip; PresetError where it is refused, or the preset in it is no good. Files
    that the preset does not name are passed over.
    """
    if name is not None:
        _check_name(name)
    with open_zip(path) as archive:
        member = _yaml_in(archive, path)
        text = archive.read(member, LARGEST_FILE_BYTES)
        preset = load_alone(text, f"{path}/{member}", lambda written: _member(written, member, archive))
        names = _plain_names(pictures_of(preset))
        pictures = {
            plain: _picture_in(archive, found.removeprefix("./"), path) for found, plain in names.items()
        }
    stem = PurePosixPath(member).stem
    if name is None:
        _check_name(stem)
    renamed = preset if name is None else preset.model_copy(update={"name": name})
    return Bundle(name or stem, _inside(renamed, names), pictures)


def _check_name(name: str) -> None:
    if not is_plain_name(name):
        raise PresetError(
            f"{name[:200]!r} cannot be a preset's name",
            next_step="Use letters, digits, - and _, such as my-style.",
        )


def _yaml_in(archive: SafeZip, path: Path) -> str:
    """The one preset's file; what a system hides in a zip (`__MACOSX/._x.yaml`) does not count."""
    found = [name for name in archive.names if PurePosixPath(name).suffix.lower() in SUFFIXES]
    found = [name for name in found if not re.search(r"(^|/)(\.|__MACOSX/)", name)]
    if len(found) != 1:
        raise refused(path, f"it must hold exactly one preset (.yaml), and holds {len(found)}")
    return found[0]


def _member(written: str, yaml: str, archive: SafeZip) -> str | None:
    """`./` and the zip's name of a path that the preset names; None where it is no file of the zip."""
    name = (PurePosixPath(yaml).parent / written).as_posix()
    return f"./{name}" if name in archive.names else None


def _picture_in(archive: SafeZip, name: str, path: Path) -> bytes:
    data = archive.read(name)
    if problem := picture_problem(io.BytesIO(data)):
        raise refused(path, f"{name!r} {problem}")
    return data


# -- into the library --------------------------------------------------------------------------------------


def install(bundle: Bundle, *, overwrite: bool = False) -> Path:
    """Puts a bundle into the user's preset folder: the pictures first, the preset's file last, each at once.

    OutputError where a preset has that name already and `overwrite` is not given. Pictures of a preset that is
    replaced stay: another may use them. OSError where the disk refuses; then nothing new is left.
    """
    target = _target(bundle.name, overwrite)
    folder = target.parent
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".framestyle-", dir=folder) as temporary:
        workplace = Path(temporary)
        art = _art_folder(bundle, folder)
        for name, data in bundle.pictures.items():
            _write(workplace / art / name, data)
        _write(workplace / target.name, bundle.yaml(art.as_posix()).encode())
        load_preset(workplace / target.name)
        _publish(workplace, folder, art, target.name)
    return target


def _target(name: str, overwrite: bool) -> Path:
    there = own_preset(name)
    if there is not None and not overwrite:
        raise OutputError(f"{there} exists already", code=Code.PRESET_EXISTS, facts={"path": str(there)})
    if there is None and not overwrite and find_builtin(name) is not None:
        raise OutputError(
            f"{name!r} is the name of a built-in preset",
            code=Code.PRESET_BUILT_IN,
            facts={"preset": name},
        )
    return there or user_presets_dir() / f"{name}.yaml"


def _art_folder(bundle: Bundle, folder: Path) -> Path:
    """Where the pictures go: a folder named by their contents, so that the same import meets its own again."""
    digest = hashlib.sha256()
    for name, data in bundle.pictures.items():
        digest.update(name.encode() + b"\0" + hashlib.sha256(data).digest())
    base = f"{bundle.name}-{digest.hexdigest()[:8]}"
    places = (Path(IN_LIBRARY, base if n == 1 else f"{base}-{n}") for n in count(1))
    return next(
        place
        for place in places
        if not os.path.lexists(folder / place) or _holds(folder / place, bundle.pictures)
    )


def _holds(place: Path, pictures: Mapping[str, bytes]) -> bool:
    try:
        return all((place / name).read_bytes() == data for name, data in pictures.items())
    except OSError:
        return False


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _publish(workplace: Path, folder: Path, art: Path, name: str) -> None:
    """Two renames; the first is taken back where the second fails."""
    new = (workplace / art).is_dir() and not (folder / art).exists()
    if new:
        (folder / art).parent.mkdir(exist_ok=True)
        os.replace(workplace / art, folder / art)
    try:
        os.replace(workplace / name, folder / name)
    except OSError:
        if new:
            shutil.rmtree(folder / art, ignore_errors=True)
        raise
