"""What the contract asks of a door: the same clip through it as through the command line, and what it says meanwhile.

A door joins by a file of its own beside this one, `door_NAME.py`, with a list `DOORS`; nothing else is to be changed.
"""

from __future__ import annotations

import subprocess
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any, ClassVar

import cv2
import numpy as np
import numpy.typing as npt

from framestyle.media.ffmpeg import ffmpeg_exe

Frames = npt.NDArray[Any]
"""NHWC, RGB or RGBA, uint8 or uint16; colours are not multiplied by alpha."""
RATE = 25
RAW = {(3, 1): "rgb24", (3, 2): "rgb48le", (4, 1): "rgba", (4, 2): "rgba64le"}
STORED = {(3, 1): "bgr0", (3, 2): "gbrp16le", (4, 1): "bgra", (4, 2): "gbrap16le"}
"""FFV1's formats; from raw frames to them and back nothing is computed."""


@dataclass(frozen=True, eq=False)
class Job:
    """One clip to be painted: its frames at RATE, the preset's file, and an empty folder for whatever a door needs."""

    frames: Frames
    preset: Path
    folder: Path


@dataclass(frozen=True, eq=False)
class Painted:
    """What a door gave. `progress`: how many frames were finished, each time that the host was told so."""

    frames: Frames
    progress: Sequence[float]


@dataclass(frozen=True)
class Stopped:
    """What came of a cancel: what the host said of it, and how many steps it was still told of afterwards."""

    said: str
    steps_after: int = 0


@dataclass(frozen=True)
class Case:
    """A clip that every door of the kind `needs` must carry."""

    name: str
    frames: int = 4
    width: int = 32
    height: int = 24
    depth: type[Any] = np.uint8
    alpha: bool = False
    cut_at: int | None = None
    needs: frozenset[str] = field(default_factory=frozenset)

    def made(self) -> Frames:
        """Something that moves, and something else after the cut."""
        drawn = [_picture(self, number) for number in range(self.frames)]
        top = np.iinfo(self.depth).max
        return np.rint(np.stack(drawn) * top).astype(self.depth)


ALPHA, DEEP, ODD, CUTS = "alpha", "deep", "odd", "cuts"
CASES = (
    Case("plain"),
    Case("cut", frames=16, cut_at=8, needs=frozenset({CUTS})),
    Case("odd", frames=3, width=31, height=23, needs=frozenset({ODD})),
    Case("deep", frames=3, depth=np.uint16, needs=frozenset({DEEP})),
    Case("alpha", frames=3, alpha=True, needs=frozenset({ALPHA})),
)


def _picture(case: Case, number: int) -> npt.NDArray[np.float64]:
    y, x = np.mgrid[0 : case.height, 0 : case.width]
    after = case.cut_at is not None and number >= case.cut_at
    x = x + number
    waves = 0.5 + 0.5 * np.sin(np.dstack([x / 3, y / 2, (x + y) / 5]))
    colours = np.dstack([waves[..., 1], 1 - waves[..., 0], 0 * waves[..., 2]]) if after else waves
    if case.depth is np.uint8:
        colours = np.rint(colours * 255) / 255
    if not case.alpha:
        return colours
    return np.dstack([colours, np.clip((x - 4) / 16, 0, 1)])


class Door(ABC):
    """A way into FrameStyle. `levels`: by how much, of 255, its carrier may round; `carries`: which cases it can."""

    name: ClassVar[str] | str
    levels: float = 0.0
    carries: frozenset[str] = frozenset()
    paints_photos: bool = False
    """Whether it has no clips: it is given the first frame, and the command line the same as a photo."""
    paints_together: bool = False
    """Whether several clips go through one of its processes at once: starting one takes longer than painting."""

    def start(self, python: Path) -> None:  # noqa: B027 - most have none
        """A host that is started once for all tests, and starts FrameStyle by `python`; asked for before each."""

    def stop(self) -> None:  # noqa: B027
        """Its end, after the last test."""

    def missing(self) -> str | None:
        """Why it can't be tried on this machine, in a sentence; None: it can."""
        return None

    def as_carried(self, frames: Frames) -> Frames:
        """The frames as they arrive: what the command line is given to compare with."""
        return frames

    @abstractmethod
    def paint(self, job: Job) -> Painted:
        """The clip through the door, whole."""

    def paint_together(self, jobs: Sequence[Job]) -> list[Painted]:
        """The same for several at once, by one process."""
        return [self.paint(job) for job in jobs]

    @abstractmethod
    def cancel(self, job: Job) -> Stopped:
        """Begins, cancels in the host's own way once a step is told of, and comes back when the host has let go.

        The job has so many steps that it would not end by itself.
        """

    @abstractmethod
    def broken(self, job: Job) -> str:
        """What the host says of a clip that is broken, in the host's own way of erring: AssertionError where none."""

    def __repr__(self) -> str:
        return self.name


def all_doors() -> list[Door]:
    """Of every `door_NAME.py` beside this file."""
    files = sorted(Path(__file__).parent.glob("door_*.py"))
    return [door for file in files for door in import_module(file.stem).DOORS]


def write_clip(path: Path, frames: Frames) -> Path:
    """FFV1 in Matroska, as lossless as the frames."""
    _, height, width, channels = frames.shape
    kind = channels, frames.dtype.itemsize
    raw = [
        "-f",
        "rawvideo",
        "-pix_fmt",
        RAW[kind],
        "-s",
        f"{width}x{height}",
        "-r",
        str(RATE),
        "-i",
        "pipe:0",
    ]
    command = [ffmpeg_exe(), "-v", "error", "-y", *raw, "-c:v", "ffv1", "-pix_fmt", STORED[kind], str(path)]
    subprocess.run(command, input=frames.tobytes(), check=True)
    return path


def read_clip(path: Path, like: Frames) -> Frames:
    """What `write_clip` wrote, or a result in FFV1: of the size, depth and channels of `like`."""
    _, height, width, channels = like.shape
    kind = RAW[channels, like.dtype.itemsize]
    command = [ffmpeg_exe(), "-v", "error", "-i", str(path), "-f", "rawvideo", "-pix_fmt", kind, "pipe:1"]
    done = subprocess.run(command, capture_output=True, check=True)
    return np.frombuffer(done.stdout, like.dtype).reshape(-1, height, width, channels)


def write_photo(path: Path, frames: Frames) -> Path:
    """The one picture as a PNG."""
    assert len(frames) == 1
    cv2.imwrite(str(path), frames[0][..., [2, 1, 0, *range(3, frames.shape[3])]])
    return path


def read_photo(path: Path, like: Frames) -> Frames:
    """What `write_photo` wrote, or a result: of as many channels as `like`."""
    stored = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    return stored[None, ..., [2, 1, 0, *range(3, like.shape[3])]]
