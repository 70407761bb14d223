"""Whether a file is whole, and as its source asks for: clips, image sequences, photos.

listing.py decodes, damage.py says what that means; pictures.py is for photos and sequences; verdict.py has the words
for what is found.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from framestyle.errors import Code, FramestyleError
from framestyle.kinds import MediaKind
from framestyle.media.files import sniff
from framestyle.media.verify.clip import Clip, facts_of
from framestyle.media.verify.damage import damage_of, pauses, silences, untagged
from framestyle.media.verify.listing import list_clip, metadata_of
from framestyle.media.verify.pictures import verify_photo, verify_sequence
from framestyle.media.verify.verdict import DAMAGE, MISSING, Problem, Report
from framestyle.media.video.probe import probe
from framestyle.media.video.sequences import numbering_of

OnProgress = Callable[[float], None]


def verify(path: Path, on_progress: OnProgress | None = None) -> Report:
    """All of a clip, photo or image sequence decoded. Whatever is wrong with it stands in the report; none raises."""
    try:
        if numbering_of(path) is not None:
            return verify_sequence(path, on_progress)
        if sniff(path) is MediaKind.PHOTO:
            return verify_photo(path)
        return clip_report(open_whole(path, on_progress=on_progress))
    except FramestyleError as error:
        return unreadable(path, error)


def unreadable(path: Path, error: FramestyleError) -> Report:
    """Of a file that cannot even be opened, or is not there."""
    kind = MISSING if error.code == Code.INPUT_MISSING else DAMAGE
    return Report(path, problems=[Problem(kind, error.message)])


def check_clip(path: Path, *, frames: int, on_progress: OnProgress | None = None) -> list[Problem]:
    """What is wrong with a video that is to hold `frames` frames; empty where it is whole.

    For a file that was just written, before it is put in its place: every stream is decoded strictly to its end, once,
    and nothing is converted or kept. Problems of kind `damage` alone. InputError where it cannot be opened at all.
    WebP may hold fewer frames: it makes one of neighbours that are nearly equal, and a still picture where all are.
    """
    if path.suffix.lower() == ".webp" and sniff(path) is MediaKind.PHOTO:
        return [replace(one, stream=0) for one in verify_photo(path).problems if one.kind == DAMAGE]
    info = probe(path)
    listing = list_clip(info, on_progress=on_progress)
    found = damage_of(listing)
    count = len(listing.pictures.frames)
    if count > frames or (count < frames and info.video_codec != "webp_anim"):
        text = f"{count} frames can be decoded, not {frames}"
        found.append(Problem(DAMAGE, text, info.video_index, min(count, frames)))
    return found


def open_whole(path: Path, *, strict: bool = True, on_progress: OnProgress | None = None) -> Clip:
    """InputError where it is no video that can be decoded."""
    info = probe(path)
    return Clip(info, list_clip(info, strict=strict, on_progress=on_progress), metadata_of(path))


def clip_report(clip: Clip, *, alone: bool = True) -> Report:
    """Of the file by itself. Not `alone`: doubts are left to its source, which settles them."""
    problems = damage_of(clip.listing)
    if alone and not problems:
        problems += [*pauses(clip.listing), *silences(clip.listing)]
    if alone:
        problems += untagged(clip.info)
    return Report(clip.info.path, MediaKind.VIDEO, facts_of(clip), problems)
