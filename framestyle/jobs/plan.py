"""Inputs and an output -> tasks: which clip or photo goes where. Looks at files, opens no picture."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from framestyle.errors import InputError, OutputError, UsageError
from framestyle.media.clips import check_clip_target
from framestyle.media.files import InputKind, file_identity, photos_in, sniff
from framestyle.media.photos import FORMATS, check_photo_format
from framestyle.media.sequences import existing_files, numbering_of, sequence_in
from framestyle.media.video_writer import CODECS

PHOTO_SUFFIXES = {suffix.lstrip(".") for suffix in FORMATS}
VIDEO_SUFFIXES = {"mp4", "mov", "mkv", "webm", "avi", "m4v"}


@dataclass(frozen=True)
class Task:
    """One clip or one photo: `kind` is video or photo. A clip may be an image sequence, on either side: a pattern."""

    kind: str
    source: Path
    target: Path


@dataclass(frozen=True)
class TimeRange:
    """Seconds from the clip's start; None = from the beginning, to the end."""

    start_s: Fraction | None = None
    end_s: Fraction | None = None


@dataclass(frozen=True)
class _Naming:
    """How outputs are called: `file` is the output itself where it names one file."""

    output: Path
    file: Path | None
    photo_format: str | None
    video_containers: tuple[str, ...]

    def photo(self, name: Path, *, whole: bool = False) -> Path:
        """a.jpg -> a.png where PNG is asked for, or a.jpg.png with its whole name."""
        suffix = name.suffix.lower().lstrip(".")
        if self.photo_format is None and suffix in PHOTO_SUFFIXES and not whole:
            return name
        keep_suffix = whole or self.photo_format is None
        return name.with_name(f"{name.name if keep_suffix else name.stem}.{self.photo_format or 'png'}")

    def photos(self, names: Sequence[Path]) -> list[Path]:
        """Each called something else: a.jpg and a.png as PNG are a.jpg.png and a.png.png."""
        chosen = [self.photo(name) for name in names]
        # Whole names with one more suffix never meet each other, so this comes to an end.
        while clashing := {name for name, count in Counter(chosen).items() if count > 1}:
            chosen = [
                self.photo(name, whole=True) if short in clashing else short
                for name, short in zip(names, chosen, strict=True)
            ]
        return chosen

    def video(self, path: Path) -> Path:
        """The input's name, in a container that the codec goes into."""
        fits = path.suffix.lower() in self.video_containers
        return Path(path.name if fits else f"{path.stem}{self.video_containers[0]}")


def plan(
    inputs: Sequence[Path],
    output: Path,
    *,
    into_folder: bool = False,
    photo_format: str | None = None,
    video_codec: str = "h264",
    overwrite: bool = False,
) -> list[Task]:
    """One task a clip or photo, in order. A folder is walked, and its tree mirrored under `output`.

    An image sequence is named by a pattern (`shot.%04d.png`), or by its folder where `output` names a clip.
    `output` is a folder where there are several inputs, where it is one already, where its name has no suffix,
    or where `into_folder` says so. Raises InputError (missing, unknown, nothing to do), OutputError (exists, would
    overwrite a source), UsageError.
    """
    kinds = [_known(path) for path in inputs]
    if len(kinds) == 1 and kinds[0][1] is InputKind.FOLDER and not into_folder and _names_a_clip(output):
        kinds = [(sequence_in(inputs[0]), InputKind.SEQUENCE)]
    many = len(kinds) > 1 or any(kind is InputKind.FOLDER for _, kind in kinds)
    if many and not into_folder and output.suffix.lstrip(".").lower() in PHOTO_SUFFIXES | VIDEO_SUFFIXES:
        raise UsageError(
            f"{output} is one file, but there are several inputs", next_step="Name a folder with -o."
        )
    is_file = not many and not into_folder and bool(output.suffix) and not output.is_dir()
    naming = _Naming(output, output if is_file else None, photo_format, CODECS[video_codec].containers)
    tasks = [task for path, kind in kinds for task in _tasks_of(path, kind, naming)]
    if not tasks:
        raise InputError(
            f"no photos in {', '.join(str(path) for path in inputs)}",
            next_step="Photos are recognised by their contents: JPEG, PNG, WebP, TIFF, BMP, AVIF, HEIC.",
        )
    for task in tasks:
        if task.kind == "photo":
            check_photo_format(task.target)
        else:
            check_clip_target(video_codec, task.target)
    _check_targets(tasks, overwrite)
    return tasks


def _known(path: Path) -> tuple[Path, InputKind]:
    return path, InputKind.SEQUENCE if existing_files(path) and numbering_of(path) else sniff(path)


def _names_a_clip(output: Path) -> bool:
    """Then a folder is an image sequence, and not photos on their own."""
    containers = {suffix for codec in CODECS.values() for suffix in codec.containers}
    single = output.suffix.lower() in containers - {f".{suffix}" for suffix in PHOTO_SUFFIXES}
    return not output.is_dir() and (single or numbering_of(output) is not None)


def _tasks_of(path: Path, kind: InputKind, naming: _Naming) -> list[Task]:
    if kind is InputKind.FOLDER:
        photos = _photos_outside(naming.output, path)
        names = naming.photos([photo.relative_to(path) for photo in photos])
        return [Task("photo", photo, naming.output / name) for photo, name in zip(photos, names, strict=True)]
    if kind is InputKind.VIDEO:
        return [Task("video", path, naming.file or naming.output / naming.video(path))]
    if kind is InputKind.SEQUENCE:
        return [Task("video", path, naming.file or naming.output / naming.photo(Path(path.name)))]
    return [Task("photo", path, naming.file or naming.output / naming.photo(Path(path.name)))]


def _photos_outside(output: Path, folder: Path) -> list[Path]:
    """The folder's photos without those of an output inside it: results are not stylized again."""
    photos, inner = photos_in(folder), output.resolve()
    if inner == folder.resolve():
        return photos
    return [photo for photo in photos if not photo.resolve().is_relative_to(inner)]


def _check_targets(tasks: Sequence[Task], overwrite: bool) -> None:
    sources = {file_identity(path) for task in tasks for path in existing_files(task.source)}
    seen: dict[Path, Path] = {}
    for task in tasks:
        if task.target in seen:
            raise UsageError(
                f"{seen[task.target]} and {task.source} would both become {task.target}",
                next_step="Give them one output each.",
            )
        seen[task.target] = task.source
        for path in existing_files(task.target):
            if path.is_dir():
                continue
            if file_identity(path) in sources:
                raise OutputError(
                    f"{path} is an input; sources are never written over", next_step="Choose another -o."
                )
            if not overwrite:
                raise OutputError(
                    f"{path} exists already", next_step="Choose another -o, or add --overwrite."
                )
