"""Inputs and an output -> tasks: which clip or photo goes where. Looks at files, opens no picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from framestyle.errors import InputError, OutputError, UsageError
from framestyle.media.files import InputKind, photos_in, same_file, sniff

PHOTO_SUFFIXES = {"jpg", "jpeg", "png", "webp", "tif", "tiff", "bmp"}
VIDEO_SUFFIXES = {"mp4", "mov", "mkv", "webm", "avi", "m4v"}


@dataclass(frozen=True)
class Task:
    """One clip or one photo: `kind` is video or photo."""

    kind: str
    source: Path
    target: Path


@dataclass(frozen=True)
class TimeRange:
    """Seconds from the clip's start; None = from the beginning, to the end."""

    start_s: Fraction | None = None
    end_s: Fraction | None = None


def plan(
    inputs: Sequence[Path], output: Path, *, photo_format: str | None = None, overwrite: bool = False
) -> list[Task]:
    """One task a clip or photo, in order. A folder is walked, and its tree mirrored under `output`.

    Raises InputError (missing, unknown, nothing to do), OutputError (exists, would overwrite a source), UsageError.
    """
    kinds = [(path, sniff(path)) for path in inputs]
    many = len(kinds) > 1 or any(kind is InputKind.FOLDER for _, kind in kinds)
    if many and output.suffix.lstrip(".").lower() in PHOTO_SUFFIXES | VIDEO_SUFFIXES:
        raise UsageError(
            f"{output} is one file, but there are several inputs", next_step="Name a folder with -o."
        )
    tasks: list[Task] = []
    for path, kind in kinds:
        tasks.extend(_tasks_of(path, kind, output, many, photo_format))
    if not tasks:
        raise InputError(
            f"no photos in {', '.join(str(path) for path in inputs)}",
            next_step="Photos are recognised by their contents: JPEG, PNG, WebP, TIFF, BMP.",
        )
    _check_targets(tasks, overwrite)
    return tasks


def _tasks_of(path: Path, kind: InputKind, output: Path, many: bool, photo_format: str | None) -> list[Task]:
    if kind is InputKind.FOLDER:
        photos = photos_in(path)
        names = [photo.relative_to(path) for photo in photos]
        stems = [name.with_suffix("") for name in names]
        return [
            # a.jpg and a.png become a.jpg and a.png, or a.jpg.png and a.png.png where one format is asked for.
            Task(
                "photo",
                photo,
                output / _photo_name(name, photo_format, stems.count(name.with_suffix("")) > 1),
            )
            for photo, name in zip(photos, names, strict=True)
        ]
    as_file = not many and not output.is_dir() and not str(output).endswith("/") and output.suffix
    if kind is InputKind.VIDEO:
        suffix = path.suffix.lower().lstrip(".")
        name = path.name if suffix in VIDEO_SUFFIXES else f"{path.stem}.mp4"
        return [Task("video", path, output if as_file else output / name)]
    return [
        Task("photo", path, output if as_file else output / _photo_name(Path(path.name), photo_format, False))
    ]


def _photo_name(name: Path, photo_format: str | None, crowded: bool) -> Path:
    suffix = name.suffix.lower().lstrip(".")
    if photo_format is None:
        return name if suffix in PHOTO_SUFFIXES else name.with_name(f"{name.name}.png")
    return name.with_name(f"{name.name if crowded else name.stem}.{photo_format}")


def _check_targets(tasks: Sequence[Task], overwrite: bool) -> None:
    seen: dict[Path, Path] = {}
    for task in tasks:
        if task.target in seen:
            raise UsageError(
                f"{seen[task.target]} and {task.source} would both become {task.target}",
                next_step="Give them one output each.",
            )
        seen[task.target] = task.source
        if same_file(task.source, task.target):
            raise OutputError(
                f"{task.target} is an input; sources are never written over", next_step="Choose another -o."
            )
        if task.target.exists() and not overwrite and not task.target.is_dir():
            raise OutputError(
                f"{task.target} exists already", next_step="Choose another -o, or add --overwrite."
            )
