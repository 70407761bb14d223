"""Where a clip's bytes come from: a file, which is opened as often as one likes, or a stream, which passes once."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from framestyle.media.ffmpeg import FFmpegDecoder, input_arguments
from framestyle.media.video.opencv import can_be_named
from framestyle.media.video.probe import VideoInfo, probe


class Origin(Protocol):
    """What a VideoReader decodes: by `for_opencv` or by `decoder`; once, where it is not repeatable."""

    @property
    def info(self) -> VideoInfo:
        """What the clip is."""

    @property
    def is_repeatable(self) -> bool:
        """Whether it can be read again from its beginning."""

    @property
    def suits_opencv(self) -> bool:
        """Whether OpenCV can be told of it."""

    def for_opencv(self) -> Path:
        """What OpenCV is told to open."""

    def decoder(self, before: Sequence[str], after: Sequence[str]) -> FFmpegDecoder:
        """A running ffmpeg, with arguments before and after its input."""

    def check_end(self, frames: int) -> None:
        """InputError where it ended in the middle; `frames`: how many were decoded, all that came."""

    def close(self) -> None:
        """Lets go of what it holds; nothing more is decoded."""


class FileOrigin:
    """A local file. Nothing is held open between two calls."""

    is_repeatable = True

    def __init__(self, path: Path) -> None:
        self.info = probe(path)

    @property
    def suits_opencv(self) -> bool:
        """See `Origin`, here and below."""
        return can_be_named(self.info.path)

    def for_opencv(self) -> Path:
        return self.info.path

    def decoder(self, before: Sequence[str], after: Sequence[str]) -> FFmpegDecoder:
        return FFmpegDecoder([*before, *input_arguments(self.info.path), *after])

    def check_end(self, frames: int) -> None:
        """What is missing of a file is a doubt: `VideoReader.doubts`."""

    def close(self) -> None:
        """Nothing is held."""
