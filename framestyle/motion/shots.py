"""Where a shot ends. PySceneDetect's detectors, fed with our own frames; no files here."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING

import cv2

from framestyle.frames import Frame, Pixels

if TYPE_CHECKING:
    from framestyle.motion.detectors import AdaptiveDetector, ContentDetector, FrameTimecode

DETECTION_SIDE_PX = 256
"""Longer side at which frames are compared: cuts are seen at any size, and noise less."""
SHORTEST_SHOT_FRAMES = 6
"""Flashes and single odd frames shorter than this do not make shots."""


@dataclass(frozen=True)
class Shot:
    """Frames `first` up to but not including `end`, by their index in the clip."""

    first: int
    end: int

    @property
    def frames(self) -> int:
        return self.end - self.first


class ShotFinder:
    """Takes a clip's frames in order, then names its shots.

    `method`: adaptive (compares each change with its neighbours', so that camera motion makes no cut), content
    (a fixed threshold), none (one shot).
    """

    def __init__(self, method: str, frame_rate: Fraction) -> None:
        self._rate = float(frame_rate)
        self._detector = _detector(method)
        self._is_adaptive = method == "adaptive"
        self._first: int | None = None
        self._count = 0
        self._cuts: set[int] = set()

    def add(self, frame: Frame) -> None:
        """The next frame."""
        if self._first is None:
            self._first = frame.index
            self._lead_in(frame)
        self._feed(frame)
        self._count += 1

    @property
    def look_ahead(self) -> int:
        """How many frames must be added after one before `is_cut` is sure of it."""
        if self._detector is None:
            return 0
        return int(self._detector.window_width) if self._is_adaptive else SHORTEST_SHOT_FRAMES

    def is_cut(self, number: int) -> bool:
        """Whether the frame that was added as this one, counted from 0, begins a shot, and is not the first."""
        return number > 0 and number in self._cuts

    def shots(self) -> list[Shot]:
        """The shots of all frames added, in order; together they cover them exactly."""
        if self._first is None:
            return []
        if self._detector is not None:
            self._note(self._detector.post_process(self._timecode(self._count - 1)))
        borders = [0, *sorted(cut for cut in self._cuts if 0 < cut < self._count), self._count]
        return [Shot(self._first + start, self._first + end) for start, end in pairwise(borders)]

    def _lead_in(self, frame: Frame) -> None:
        """The first frame held for a while: no detector takes a cut in its first frames, but a range may start there.

        Not for the fixed threshold, to which grain after a still is a cut.
        """
        if self._is_adaptive:
            for number in range(-SHORTEST_SHOT_FRAMES, 0):
                self._feed(frame, number)

    def _feed(self, frame: Frame, number: int | None = None) -> None:
        if self._detector is not None:
            at = self._timecode(self._count if number is None else number)
            self._note(self._detector.process_frame(at, _small_bgr(frame.pixels)))

    def _note(self, cuts: Iterable[FrameTimecode]) -> None:
        self._cuts.update(cut.frame_num - SHORTEST_SHOT_FRAMES for cut in cuts)

    def _timecode(self, number: int) -> FrameTimecode:
        """Counted from the lead-in."""
        from framestyle.motion.detectors import FrameTimecode

        return FrameTimecode(number + SHORTEST_SHOT_FRAMES, fps=self._rate)


def _detector(method: str) -> AdaptiveDetector | ContentDetector | None:
    """None: nobody looks for cuts."""
    if method == "none":
        return None
    from framestyle.motion.detectors import AdaptiveDetector, ContentDetector

    kind = AdaptiveDetector if method == "adaptive" else ContentDetector
    return kind(min_scene_len=SHORTEST_SHOT_FRAMES)


def find_shots(frames: Iterable[Frame], method: str, frame_rate: Fraction) -> list[Shot]:
    """The shots of a clip in memory."""
    finder = ShotFinder(method, frame_rate)
    for frame in frames:
        finder.add(frame)
    return finder.shots()


def with_cuts(frames: Iterable[Frame], method: str, frame_rate: Fraction) -> Iterator[tuple[Frame, bool]]:
    """Each frame, and whether it begins a shot after the first one: the shots of `find_shots`, told as frames come.

    At most SHORTEST_SHOT_FRAMES are read ahead.
    """
    finder, waiting, given = ShotFinder(method, frame_rate), deque[Frame](), 0
    for frame in frames:
        finder.add(frame)
        waiting.append(frame)
        if len(waiting) > finder.look_ahead:
            yield waiting.popleft(), finder.is_cut(given)
            given += 1
    for number, frame in enumerate(waiting, given):
        yield frame, finder.is_cut(number)


def _small_bgr(pixels: Pixels) -> Pixels:
    """PySceneDetect wants BGR, uint8."""
    eight = pixels if pixels.dtype.itemsize == 1 else (pixels >> 8).astype("uint8")
    height, width = eight.shape[:2]
    factor = DETECTION_SIDE_PX / max(height, width)
    if factor < 1:
        size = (max(1, round(width * factor)), max(1, round(height * factor)))
        eight = cv2.resize(eight, size, interpolation=cv2.INTER_AREA)
    small: Pixels = cv2.cvtColor(eight, cv2.COLOR_RGB2BGR)
    return small
