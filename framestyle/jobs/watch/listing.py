"""What lies in a watched folder, told by each file's size, time and inode; no file is opened."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator, Mapping, Set
from pathlib import Path
from typing import TypeAlias

from framestyle.errors import InputError
from framestyle.media.photos import FORMATS
from framestyle.media.video.sequences import existing_files, numbering_of, sequence_in

Signature: TypeAlias = tuple[int, int, int]
"""Size, time in nanoseconds, inode: another one where a file was written to, or another has taken its place."""
Listing: TypeAlias = Mapping[Path, Signature]
DONE, FAILED = "done", "failed"
"""Folders in a watched one where files are put that were dealt with."""
UNFINISHED = (".part", ".tmp", ".crdownload", ".download", ".filepart", ".partial", "~")
"""What programs call files that they are still writing."""
NOT_OURS = ("~$",)
"""Lock files of office programs."""
OTHERS_FOLDERS = {"@eaDir", "#recycle", "lost+found", "$RECYCLE.BIN", "System Volume Information"}
"""What storage devices and systems put into every folder."""
FEWEST_FRAMES = 2


def listed(folder: Path, leave_out: Set[Path] = frozenset()) -> Listing:
    """Every file below that may be meant; `leave_out`: files and folders, resolved. OSError where it cannot be read.

    Links to folders are not followed. A folder below that cannot be read is passed over: it may be there again later.
    """
    root = folder.resolve()
    with os.scandir(folder):
        pass  # what is not there at all is not empty
    return dict(_walked(folder, root, leave_out | {root / DONE, root / FAILED}))


def _walked(folder: Path, resolved: Path, leave_out: Set[Path]) -> Iterator[tuple[Path, Signature]]:
    inner = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if _is_ignored(entry.name) or resolved / entry.name in leave_out:
                    continue
                if entry.is_dir(follow_symlinks=False):
                    inner.append(entry.name)
                elif (found := _signature(entry)) is not None:
                    yield folder / entry.name, found
    except OSError:
        return
    for name in inner:
        yield from _walked(folder / name, resolved / name, leave_out)


def _is_ignored(name: str) -> bool:
    return name.startswith((".", *NOT_OURS)) or name.lower().endswith(UNFINISHED) or name in OTHERS_FOLDERS


def _signature(entry: os.DirEntry[str]) -> Signature | None:
    """None where it is no file, or just gone."""
    try:
        if not entry.is_file():
            return None
        found = entry.stat()
    except OSError:
        return None
    return found.st_size, found.st_mtime_ns, found.st_ino


def signature_of(path: Path) -> Signature | None:
    """Of one file, or of a sequence's files together; None where there are none."""
    try:
        stats = [(file.name, file.stat()) for file in existing_files(path)]
    except OSError:
        return None
    if numbering_of(path) is None and len(stats) == 1:
        found = stats[0][1]
        return found.st_size, found.st_mtime_ns, found.st_ino
    return _together({name: (one.st_size, one.st_mtime_ns, one.st_ino) for name, one in stats})


def _together(files: Mapping[str, Signature]) -> Signature | None:
    if not files:
        return None
    return sum(size for size, _, _ in files.values()), hash(tuple(sorted(files.items()))), len(files)


def with_sequences(listing: Listing, root: Path) -> Listing:
    """The same, with each folder's numbered photos as one clip, by its pattern: below `root`, not in it."""
    photos: dict[Path, dict[Path, Signature]] = defaultdict(dict)
    for path, signature in listing.items():
        if path.parent != root and path.suffix.lower() in FORMATS:
            photos[path.parent][path] = signature
    grouped = dict(listing)
    for folder, files in photos.items():
        pattern = _sequence_in(folder)
        if pattern is not None and len(files) >= FEWEST_FRAMES:
            for path in files:
                grouped.pop(path)
            together = _together({path.name: signature for path, signature in files.items()})
            if together is not None:
                grouped[pattern] = together
    return grouped


def _sequence_in(folder: Path) -> Path | None:
    try:
        return sequence_in(folder)
    except (InputError, OSError):
        return None
