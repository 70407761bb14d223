"""A zip made safe: what may be taken out of it is known before anything is, and bytes are counted, not believed.

Refused: names that lead out (absolute, `..`, backslash, drive letter), links and devices, a name that is there
twice or differs only by case, encryption, unusual compression, too many entries, too many bytes. Names of
the zip are never used as names on disk; see bundle.py.
"""

from __future__ import annotations

import mmap
import re
import stat
import unicodedata
import zipfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path

from framestyle.errors import Code, InputError, PresetError, foreign_errors
from framestyle.presets.library import is_file

MOST_ENTRIES = 200
LARGEST_UNPACKED_BYTES = 200_000_000
LARGEST_ZIP_BYTES = LARGEST_UNPACKED_BYTES + 1_000_000
"""Packing never needs more than this beside the contents."""
CHUNK_BYTES = 1 << 16
ENTRY_SIGNATURE = re.compile(rb"PK\x01\x02")
COMPRESSION = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
ENCRYPTED = 0x1 | 0x40 | 0x2000
"""Flag bits of a zip entry: encrypted, strongly encrypted, names hidden."""


class SafeZip:
    """The files of a checked zip, by name. `read` counts what it gives out over all calls."""

    def __init__(self, archive: zipfile.ZipFile, path: Path) -> None:
        self._archive, self._path = archive, path
        self._left = LARGEST_UNPACKED_BYTES
        entries = archive.infolist()
        _check_sizes(entries, path)
        _check_names(entries, path)
        self._entries = {_name(entry): entry for entry in entries if not entry.is_dir()}
        self.names = tuple(self._entries)

    def read(self, name: str, most: int = LARGEST_UNPACKED_BYTES) -> bytes:
        """A file's bytes; PresetError where they are more than `most`, or than is left for the zip."""
        allowed, parts, count = min(most, self._left), [], 0
        with _damage_as_error(self._path), self._archive.open(self._entries[name]) as file:
            while chunk := file.read(CHUNK_BYTES):
                parts.append(chunk)
                count += len(chunk)
                if count > allowed:
                    raise refused(self._path, f"{name!r} is larger than {allowed:,} bytes")
        self._left -= count
        return b"".join(parts)


@contextmanager
def open_zip(path: Path) -> Iterator[SafeZip]:
    """A zip whose entries are checked. InputError where it is none, or damaged; PresetError where it is refused."""
    if not is_file(path):
        raise InputError(f"there is no file at {path}", next_step="Check the path.")
    with ExitStack() as opened:
        with _damage_as_error(path):
            _check_file(path)
            archive = opened.enter_context(zipfile.ZipFile(path))
            safe = SafeZip(archive, path)
        yield safe


def _damage_as_error(path: Path) -> AbstractContextManager[None]:
    return foreign_errors(
        lambda error: InputError(
            f"{path} is no zip file, or a damaged one: {error}", next_step="Copy or download it again."
        )
    )


def _check_file(path: Path) -> None:
    """zipfile reads the whole list of entries into memory at once: so its length is found before."""
    size = path.stat().st_size
    if size > LARGEST_ZIP_BYTES:
        raise refused(path, f"it is larger than {LARGEST_ZIP_BYTES:,} bytes")
    if not size:
        raise InputError(f"{path} is empty", next_step="Copy or download it again.")
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        for count, _ in enumerate(ENTRY_SIGNATURE.finditer(data), 1):
            if count > MOST_ENTRIES:
                raise refused(path, f"it has more than {MOST_ENTRIES} entries")


def _check_sizes(entries: list[zipfile.ZipInfo], path: Path) -> None:
    if len(entries) > MOST_ENTRIES:
        raise refused(path, f"it has more than {MOST_ENTRIES} entries")
    if sum(entry.file_size for entry in entries) > LARGEST_UNPACKED_BYTES:
        raise refused(path, f"it unpacks to more than {LARGEST_UNPACKED_BYTES:,} bytes")


def _check_names(entries: list[zipfile.ZipInfo], path: Path) -> None:
    seen: dict[str, str] = {}
    for entry in entries:
        if problem := _entry_problem(entry):
            raise refused(path, problem)
        name = _name(entry).removesuffix("/")
        folded = unicodedata.normalize("NFC", name).casefold()
        if folded in seen:
            twice = "is there twice" if seen[folded] == name else f"and {seen[folded]!r} differ only by case"
            raise refused(path, f"{name!r} {twice}")
        seen[folded] = name


def _name(entry: zipfile.ZipInfo) -> str:
    """As written in the zip: zipfile cuts `filename` at a zero byte and may turn backslashes."""
    return entry.orig_filename


def _entry_problem(entry: zipfile.ZipInfo) -> str | None:
    name = _name(entry)
    if problem := name_problem(name):
        return f"the name {name[:200]!r} {problem}"
    if stat.S_IFMT(entry.external_attr >> 16) not in (0, stat.S_IFREG, stat.S_IFDIR):
        return f"{name!r} is a link or a device, not a file"
    if entry.flag_bits & ENCRYPTED:
        return f"{name!r} is encrypted"
    if entry.compress_type not in COMPRESSION:
        return f"{name!r} is packed in a way that is not read here"
    return None


def name_problem(name: str) -> str | None:
    """Why an entry's name is not taken; None where it is a plain path below the zip."""
    if not name.isprintable():
        return "has control characters"
    if "\\" in name:
        return "has a backslash"
    if name.startswith("/"):
        return "is absolute"
    if re.match(r"[A-Za-z]:", name):
        return "has a drive letter"
    parts = name.removesuffix("/").split("/")
    if ".." in parts:
        return "leads out of the zip"
    return "is no plain path" if "" in parts or "." in parts else None


def refused(path: Path, reason: str) -> PresetError:
    """The refusal of a whole zip."""
    return PresetError(
        f"{path} is refused: {reason}",
        code=Code.PRESET_ZIP_REFUSED,
        facts={"path": str(path)},
    )
