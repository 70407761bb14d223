"""What was named on the command line -> clips and photos: folders walked, patterns matched. Opens no picture."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import dataclass, field
from pathlib import Path

from framestyle.errors import FramestyleError, InputError
from framestyle.kinds import MediaKind
from framestyle.media.files import is_kept_aside, sniff, walk
from framestyle.media.photos import FORMATS, own_suffix
from framestyle.media.video.sequences import existing_files, numbering_of, sequence_in
from framestyle.paths import PHOTO_NAMES, is_folder, resolved

MAGIC = "*?["
CLIP_NAMES = {
    "mp4", "mov", "mkv", "webm", "avi", "m4v", "mpg", "mpeg", "wmv", "flv", "mts", "m2ts", "3gp", "ogv", "y4m",
    "mjpeg", "mjpg", "apng",
}  # fmt: skip
"""Files of these names are meant to be pictures: where one is none, that is said and not passed over."""
RECOGNISED = (
    "Photos (JPEG, PNG, WebP, TIFF, BMP, AVIF, HEIC, EXR) and clips are recognised by their contents."
)


@dataclass(frozen=True)
class Found:
    """A clip or a photo; `name` is its place below the input that led to it.

    An image sequence is a clip, but is called as a photo is; its path is a pattern. `suffix`: what the name of a photo
    of its format ends in, whatever its own does; None where that format is not written.
    """

    kind: MediaKind
    path: Path
    name: Path
    suffix: str | None = None


@dataclass(frozen=True)
class Unusable:
    """Something that was meant to be painted, or to be painted with, and cannot be."""

    path: Path
    error: FramestyleError


@dataclass(frozen=True)
class Inputs:
    """`alone`: one clip or photo was named, and no folder. `passed_over`: how many files are neither."""

    found: tuple[Found, ...]
    unusable: tuple[Unusable, ...] = ()
    alone: bool = False
    passed_over: int = 0

    def paths(self) -> Iterator[Path]:
        """Of all files that were meant to be painted."""
        for one in self.found:
            yield from existing_files(one.path)
        yield from (one.path for one in self.unusable)


@dataclass
class _Gathered:
    """What is named twice, by a folder and a pattern say, counts once: where its result would be the same."""

    found: list[Found] = field(default_factory=list)
    unusable: list[Unusable] = field(default_factory=list)
    passed_over: int = 0
    _seen: set[tuple[Path, Path]] = field(default_factory=set)

    def add(self, kind: MediaKind, path: Path, name: Path) -> None:
        if self._is_new(path, name):
            self.found.append(Found(kind, path, name, _suffix_of(kind, path)))

    def take(self, files: Iterable[Path], base: Path) -> None:
        for path in files:
            try:
                kind = sniff(path)
            except InputError as error:
                if not self._is_new(path, path.relative_to(base)):
                    continue
                if path.suffix.lower().lstrip(".") in PHOTO_NAMES | CLIP_NAMES:
                    self.unusable.append(Unusable(path, error))
                else:
                    self.passed_over += 1
                continue
            if kind is not None:  # a link to a folder
                self.add(kind, path, path.relative_to(base))

    def _is_new(self, path: Path, name: Path) -> bool:
        key = (resolved(path), name)
        new = key not in self._seen
        self._seen.add(key)
        return new

    def walk(self, folder: Path, base: Path, leave_out: Set[Path]) -> None:
        seen = walk(folder, leave_out)
        self.take(seen.files, base)
        for path, why in seen.shut:
            error = InputError(f"{path} cannot be looked into: {why}", next_step="Check its permissions.")
            self.unusable.append(Unusable(path, error))


def _suffix_of(kind: MediaKind, path: Path) -> str | None:
    if kind is MediaKind.PHOTO:
        return own_suffix(path)
    return path.suffix.lower() if kind is MediaKind.SEQUENCE and path.suffix.lower() in FORMATS else None


def gather(
    inputs: Sequence[Path],
    leave_out: Set[Path] = frozenset(),
    *,
    one_clip: bool = False,
    within: Path | None = None,
) -> Inputs:
    """Every clip and photo once, in the order given; a folder's and a pattern's sorted.

    `leave_out`: files and folders (resolved) that are passed over below folders: earlier results. A path that does
    not exist and holds `*`, `?` or `[` is a pattern; `**` stands for any folders. An image sequence is named as in
    `shot.%04d.png`; with `one_clip`, a single folder is one too. Raises InputError where something named is missing or
    unknown, or nothing is found.
    """
    gathered, folders = _Gathered(), False
    for path in inputs:
        name = Path(path.name) if within is None else path.relative_to(within)
        if numbering_of(path) is not None and existing_files(path):
            gathered.add(MediaKind.SEQUENCE, path, name)
        elif is_pattern(path):
            _match(path, gathered, leave_out)
        elif one_clip and len(inputs) == 1 and is_folder(path):
            sequence = sequence_in(path)
            gathered.add(MediaKind.SEQUENCE, sequence, Path(sequence.name))
        elif (kind := sniff(path)) is None:
            folders = True
            gathered.walk(path, path, leave_out)
        else:
            gathered.add(kind, path, name)
    if not gathered.found and not gathered.unusable:
        raise InputError(
            f"no photos or clips in {', '.join(str(path) for path in inputs)}", next_step=RECOGNISED
        )
    alone = not folders and len(gathered.found) == 1 and not gathered.unusable
    return Inputs(tuple(gathered.found), tuple(gathered.unusable), alone, gathered.passed_over)


def is_pattern(path: Path) -> bool:
    """Whether it is to be matched; a file or folder of that very name comes first."""
    return any(sign in str(path) for sign in MAGIC) and not os.path.lexists(path)


def _match(pattern: Path, gathered: _Gathered, leave_out: Set[Path]) -> None:
    """What a pattern matches; the tree below its first parts without signs is kept."""
    plain = 0
    while not any(sign in pattern.parts[plain] for sign in MAGIC):
        plain += 1
    base, signs = Path(*pattern.parts[:plain]), str(Path(*pattern.parts[plain:]))
    try:
        hits = sorted(set(base.glob(signs)))
    except ValueError as error:
        raise InputError(
            f"{pattern} is no pattern: {error}", next_step="Write it as in photos/**/*.jpg"
        ) from error
    hits = [path for path in hits if _wanted(path, base, leave_out)]
    if not hits:
        raise InputError(f"nothing matches {pattern}", next_step="Check the path; only local files are read.")
    folders = [path for path in hits if path.is_dir()]
    inside = set(folders)
    for folder in folders:
        if not inside & set(folder.parents):
            gathered.walk(folder, base, leave_out)
    gathered.take((path for path in hits if not inside & {path, *path.parents}), base)


def _wanted(path: Path, base: Path, leave_out: Set[Path]) -> bool:
    inner = path.relative_to(base)
    if any(map(is_kept_aside, inner.parts)):
        return False
    root = resolved(base)
    return not any(root / part in leave_out for part in _with_parents(inner))


def _with_parents(inner: Path) -> Iterator[Path]:
    yield inner
    yield from list(inner.parents)[:-1]
