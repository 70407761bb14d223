"""Clips in and out, whatever they are: video files, or image sequences."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

from framestyle.kinds import WHOLE_CLIP, TimeRange
from framestyle.media.video.codecs import check_container
from framestyle.media.video.probe import VideoInfo, probe
from framestyle.media.video.protocols import FrameReader
from framestyle.media.video.reader import VideoReader
from framestyle.media.video.sequences import SequenceReader, existing_files, numbering_of


def open_clip(
    path: Path,
    span: TimeRange = WHOLE_CLIP,
    *,
    sequence_rate: Fraction,
    tone_map: bool = False,
) -> FrameReader:
    """A reader of the range. `tone_map`: HDR comes as SDR. `sequence_rate`: of image sequences, which have none."""
    if numbering_of(path) is not None:
        return SequenceReader(path, sequence_rate, span, tone_map=tone_map)
    return VideoReader(path, span, tone_map=tone_map)


def clip_info(path: Path, *, sequence_rate: Fraction) -> VideoInfo:
    """What a clip is; of an image sequence, its first frame is decoded. InputError where it cannot be read."""
    return probe(path) if numbering_of(path) is None else SequenceReader(path, sequence_rate).info


def check_clip_target(codec: str, target: Path) -> None:
    """OutputError where the target's name is neither a container that the codec goes into, nor an image sequence's."""
    if numbering_of(target) is None:
        check_container(codec, target)


def clip_bytes(path: Path) -> int:
    """How much room a clip takes."""
    return sum(file.stat().st_size for file in existing_files(path))
