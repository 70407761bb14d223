"""Where a clip's bytes come from: a file, which is opened as often as one likes, or a stream, which passes once."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Protocol

import cv2

from framestyle.media.ffmpeg import FFmpegDecoder, input_arguments
from framestyle.media.video.probe import VideoInfo, last_frame_s, open_capture, probe


class Origin(Protocol):
    """What a VideoReader decodes: by `capture` or by `decoder`, once."""

    @property
    def info(self) -> VideoInfo:
        """What the clip is."""

    def capture(self) -> cv2.VideoCapture:
        """OpenCV at its first picture. InputError where it does not open."""

    def decoder(self, before: Sequence[str], after: Sequence[str]) -> FFmpegDecoder:
        """A running ffmpeg, with arguments before and after its input."""

    def last_frame_s(self) -> Fraction | None:
        """How long the last picture is said to be shown, in seconds; None where that cannot be known."""

    def check_end(self, frames: int) -> None:
        """InputError where it ended in the middle; `frames`: how many were decoded, all that came."""

    def close(self) -> None:
        """Lets go of what it holds; nothing more is decoded."""


class FileOrigin:
    """A local file. Nothing is held open between two calls."""

    def __init__(self, path: Path) -> None:
        self.info = probe(path)

    def capture(self) -> cv2.VideoCapture:
        """See `Origin`, here and below."""
        return open_capture(self.info.path)

    def decoder(self, before: Sequence[str], after: Sequence[str]) -> FFmpegDecoder:
        return FFmpegDecoder([*before, *input_arguments(self.info.path), *after])

    def last_frame_s(self) -> Fraction | None:
        """Reads the file once more."""
        return last_frame_s(self.info)

    def check_end(self, frames: int) -> None:
        """What is missing of a file is a doubt: `VideoReader.doubts`."""

    def close(self) -> None:
        """Nothing is held."""
