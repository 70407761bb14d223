"""What every reader of a clip's frames can do, and every writer of them, whatever form the clip has.

tests/media/video/test_contracts.py holds every reader and every writer to it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from types import TracebackType
from typing import Protocol, Self

from framestyle.events import Remark
from framestyle.frames import Alpha, Frame, Pixels
from framestyle.media.video.colors import Colors
from framestyle.media.video.probe import VideoInfo


class FrameReader(Protocol):
    """Gives the frames of a clip's part, in order. A context manager; iterating is for within it, once.

    Frames are upright HWC RGB of one size, that of `info`; uint16 where `bits` is above 8, else uint8; with alpha, HW
    of the same depth, where `info.has_alpha`. `index` counts in the whole clip, `pts` in seconds from its first frame;
    both only rise. Raises InputError where the clip cannot be read on.
    """

    @property
    def info(self) -> VideoInfo:
        """The clip, whole."""

    @property
    def bits(self) -> int:
        """How many bits of each value mean something, 8 to 16."""

    @property
    def colors(self) -> Colors:
        """What the frames' values mean: what a result of them is to be written as."""

    @property
    def variable_rate(self) -> bool:
        """Whether any frame so far was not where the constant rate has it."""

    @property
    def doubts(self) -> list[str]:
        """What the user should know of the input, in sentences; all of it once the clip was read."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None: ...

    def __iter__(self) -> Iterator[Frame]: ...

    def last_frame(self) -> tuple[Fraction, Fraction] | None:
        """When the part's last frame is shown and for how long, in seconds, once it was reached.

        None where the rate is constant, or where it cannot be known.
        """


class FrameWriter(Protocol):
    """Takes a clip's frames, in order, and puts the result in its place when it is left without an error.

    A context manager: left by an error it leaves no file, and what was there before as it was. What can be refused is
    refused on creation, by OutputError; so is a result without any frame, at the end.
    """

    @property
    def notes(self) -> Sequence[Remark]:
        """What was changed on the way, in sentences or as notes with a code."""

    @property
    def frames_written(self) -> int:
        """How many frames it was given."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None: ...

    def write(self, pixels: Pixels, pts_s: Fraction | None = None, alpha: Alpha | None = None) -> None:
        """The next frame: HWC RGB, uint16 where the writer was made for more than 8 bits; alpha HW of that depth.

        `pts_s`: when it is shown, in seconds from the result's start.
        """
