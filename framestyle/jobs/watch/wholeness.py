"""Whether a file is a whole photo, clip or sequence: by its first bytes, then decoded to its end."""

from __future__ import annotations

from pathlib import Path

from framestyle.errors import FramestyleError, InputError
from framestyle.jobs.plan.inputs import CLIP_NAMES
from framestyle.media.files import sniff
from framestyle.media.verify.checking import verify
from framestyle.media.verify.verdict import DAMAGE
from framestyle.media.video.sequences import numbering_of
from framestyle.paths import PHOTO_NAMES


def why_unknown(path: Path) -> FramestyleError | None:
    """What is wrong with its first bytes; None: they are a photo's or a clip's."""
    if numbering_of(path) is not None:
        return None
    try:
        sniff(path)
    except InputError as error:
        return error
    return None


def why_not_whole(path: Path) -> FramestyleError | None:
    """What is wrong with it, decoded to its end; None: it is whole."""
    damage = [problem.text for problem in verify(path).problems if problem.kind == DAMAGE]
    if not damage:
        return None
    what = damage[0].removeprefix(str(path)).lstrip(" :")
    return InputError(f"{path}: {what}", next_step="Put a whole file there.")


def is_meant(path: Path) -> bool:
    """Whether its name says that it is a picture."""
    return path.suffix.lower().lstrip(".") in PHOTO_NAMES | CLIP_NAMES
