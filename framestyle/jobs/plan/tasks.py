"""Inputs and an output -> tasks: which clip or photo goes where. Looks at files, opens no picture."""

from __future__ import annotations

import os
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from framestyle.errors import Code, OutputError, UsageError
from framestyle.jobs.plan.inputs import Found, Inputs
from framestyle.kinds import MediaKind
from framestyle.media.files import file_identity
from framestyle.media.photos import FORMATS, check_photo_format
from framestyle.media.video.clips import check_clip_target
from framestyle.media.video.sequences import Numbering, existing_files, numbering_of
from framestyle.media.video.writer import CODECS
from framestyle.paths import PHOTO_NAMES, is_folder

PHOTO_SUFFIXES = {suffix.lstrip(".") for suffix in FORMATS}
VIDEO_SUFFIXES = {"mp4", "mov", "mkv", "webm", "avi", "m4v"}


@dataclass(frozen=True)
class Task:
    """One clip or one photo. A clip is of the kind VIDEO, and may be an image sequence, on either side: a pattern.

    `share`: where a photo stands among all photos of its command, from 0, the first, to 1: its time in a timeline.
    """

    kind: MediaKind
    source: Path
    target: Path
    share: Fraction = Fraction(0)

    def inputs(self) -> list[Path]:
        """The files that it is made from: of an image sequence, each."""
        return existing_files(self.source)

    def outputs(self) -> list[Path]:
        """The files at its target, as far as there are some."""
        if self.kind is MediaKind.VIDEO and numbering_of(self.target) is not None:
            return existing_files(self.target)
        return [self.target] if os.path.lexists(self.target) else []


@dataclass(frozen=True)
class Naming:
    """How outputs are called: what their format and codec make of the inputs' names.

    `whole_names`: where that is another name, it begins with the input's whole one, whatever else there is beside it.
    """

    photo_format: str | None = None
    video_codec: str = "h264"
    whole_names: bool = False

    def called(self, found: Sequence[Found]) -> list[Path]:
        """Each something else: a.jpg and a.png as PNG are a.jpg.png and a.png.png.

        Only inputs of one whole name (a.jpg of two folders, a.jpg and A.JPG) are left with one.
        """
        chosen = [self._called(one) for one in found]
        alike = _shared(one.name for one in found)
        while True:
            clashing = _shared(chosen)
            longer = [
                self._called(one, whole=True)
                if as_one(name) in clashing and as_one(one.name) not in alike
                else name
                for one, name in zip(found, chosen, strict=True)
            ]
            # Each is made longer once at most, so this comes to an end.
            if longer == chosen:
                return chosen
            chosen = longer

    def _called(self, one: Found, *, whole: bool = False) -> Path:
        usual = self._by_kind(one, whole)
        return self._by_kind(one, True) if self.whole_names and usual != one.name else usual

    def _by_kind(self, one: Found, whole: bool) -> Path:
        if one.kind is MediaKind.VIDEO:
            return self._video(one.name, whole)
        own = one.suffix if self.photo_format is None else f".{self.photo_format}"
        return self._photo(one.name, own, whole)

    def _photo(self, name: Path, suffix: str | None, whole: bool) -> Path:
        """a.jpg -> a.png where PNG is asked for, or a.jpg.png with its whole name.

        `suffix`: None where the photo's own format cannot be written: it becomes a PNG, and tells what it was.
        """
        if self.photo_format is None and name.suffix.lower() == suffix and not whole:
            return name
        is_kept = whole or suffix is None or name.suffix.lower().lstrip(".") not in PHOTO_NAMES
        return name.with_name(f"{name.name if is_kept else name.stem}{suffix or '.png'}")

    def _video(self, name: Path, whole: bool) -> Path:
        """The input's name, in a container that the codec goes into."""
        containers = CODECS[self.video_codec].containers
        if name.suffix.lower() in containers and not whole:
            return name
        return name.with_name(f"{name.name if whole else name.stem}{containers[0]}")


def _shared(names: Iterable[Path]) -> set[str]:
    return {name for name, count in Counter(map(as_one, names)).items() if count > 1}


def as_one(path: Path) -> str:
    """The same for all names that are one file on some system: letters' case, and how accents are composed."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", str(path)).casefold())


def names_a_clip(output: Path) -> bool:
    """Then a single folder is an image sequence, and not photos on their own."""
    containers = {suffix for codec in CODECS.values() for suffix in codec.containers}
    single = output.suffix.lower() in containers - {f".{suffix}" for suffix in PHOTO_SUFFIXES}
    return not is_folder(output) and (single or numbering_of(output) is not None)


def codec_for(target: Path) -> str | None:
    """The codec that a file's ending stands for; None where it is no clip's."""
    suffix = target.suffix.lower()
    return next((name for name, codec in CODECS.items() if suffix in codec.containers), None)


def is_one_file(output: Path, inputs: Inputs, *, into_folder: bool = False) -> bool:
    """Whether `output` is the result itself, and no folder for results.

    It is a folder where it is one already, where its name has no suffix, where `into_folder` says so, and where more
    than one clip or photo was named. UsageError where its name is a file's then.
    """
    many = not inputs.alone
    if many and not into_folder and output.suffix.lstrip(".").lower() in PHOTO_SUFFIXES | VIDEO_SUFFIXES:
        raise UsageError(
            f"{output} is one file, but there are several inputs",
            code=Code.OUTPUT_NOT_A_FOLDER,
            facts={"path": str(output)},
        )
    return not many and not into_folder and bool(output.suffix) and not is_folder(output)


def plan(
    inputs: Inputs,
    output: Path,
    naming: Naming,
    *,
    one_file: bool = False,
    style_images: Iterable[Path] = (),
) -> list[Task]:
    """One task a clip or photo, in order; the trees of folders are mirrored under `output`.

    Whether an output exists is not asked here, but for this: no input, no style image and no folder is written over.
    Raises OutputError (that, or a name that the format does not go with) and UsageError (two inputs with one output).
    """
    names = [output] if one_file else [output / name for name in naming.called(inputs.found)]
    photos = [one for one in inputs.found if one.kind is MediaKind.PHOTO]
    shares = {id(one): share_of(number, len(photos)) for number, one in enumerate(photos)}
    tasks = [
        Task(MediaKind.PHOTO, one.path, name, shares[id(one)])
        if one.kind is MediaKind.PHOTO
        else Task(MediaKind.VIDEO, one.path, name)
        for one, name in zip(inputs.found, names, strict=True)
    ]
    for task in tasks:
        if is_folder(task.target):
            raise OutputError(
                f"{task.target} is a folder, and is to be a file",
                code=Code.OUTPUT_IS_FOLDER,
                facts={"path": str(task.target)},
            )
        if task.kind is MediaKind.PHOTO:
            check_photo_format(task.target)
        else:
            _refuse_one_picture(task)
            check_clip_target(naming.video_codec, task.target)
    _refuse_shared(tasks)
    _refuse_written_over(tasks, style_images, "a style image")
    _refuse_written_over(tasks, inputs.paths(), "an input")
    return tasks


def share_of(number: int, count: int) -> Fraction:
    """Of one of so many photos, counted from 0; 0 where it is the only one."""
    return Fraction(number, max(1, count - 1))


def _refuse_one_picture(task: Task) -> None:
    """OutputError where a clip would become a single photo."""
    target = task.target
    if target.suffix.lower() in FORMATS and codec_for(target) is None and numbering_of(target) is None:
        frames, clip = target.with_name(f"{target.stem}.%04d{target.suffix}"), target.with_suffix(".mp4")
        raise OutputError(
            f"{target} is one picture, and {task.source} is a clip",
            next_step=f"Name its frames, as in {frames}, or a clip: {clip}.",
        )


def _refuse_shared(tasks: Sequence[Task]) -> None:
    """Two inputs with one output, here or on a system that does not tell a from A; an output in another one."""
    seen: dict[str, Task] = {}
    for task in tasks:
        other = seen.setdefault(as_one(task.target), task)
        if other is not task:
            differ = "" if other.target == task.target else f" or {task.target}, one file on many systems"
            raise UsageError(
                f"{other.source} and {task.source} would both become {other.target}{differ}",
                next_step="Rename one, or give them an output each; the tree of a folder that is named is kept.",
            )
    for task in tasks:
        numbering = numbering_of(task.target) if task.kind is MediaKind.VIDEO else None
        if numbering is not None:
            _refuse_among_frames(task, numbering, tasks)
        for folder in task.target.parents:
            if (above := seen.get(as_one(folder))) is not None:
                raise UsageError(
                    f"{above.source} would become {folder}, which is the folder of {task.target}",
                    next_step="Rename one, or give them an output each.",
                )


def _refuse_among_frames(task: Task, numbering: Numbering, tasks: Sequence[Task]) -> None:
    """Another output that would be one of a sequence's files."""
    for other in tasks:
        if other is not task and numbering.may_hold(other.target):
            raise UsageError(
                f"{task.source} would become {task.target}, and {other.source} {other.target}, which is one of these",
                next_step="Give them an output each.",
            )


def _refuse_written_over(tasks: Sequence[Task], sources: Iterable[Path], what: str) -> None:
    """`what`: what the sources are, in a word."""
    kept = set()
    for path in sources:
        try:
            kept.add(file_identity(path))
        except OSError:
            continue  # a link to nothing
    for path in (path for task in tasks for path in task.outputs()):
        if path.exists() and not path.is_dir() and file_identity(path) in kept:
            raise OutputError(
                f"{path} is {what}; sources are never written over",
                code=Code.OUTPUT_IS_INPUT,
                facts={"path": str(path)},
            )
