"""Frames in, stylized frames out: the hub. Knows no files; every door brings frames to it.

Each frame of a shot starts from the last result, warped along the optical flow, with Adam's moments carried
along; where the warp cannot be trusted it starts from the content instead. A shot starts afresh.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Self, TypedDict, Unpack

import cv2
import numpy as np

from framestyle.context import SILENT, Context
from framestyle.events import ShotStarted
from framestyle.frames import Frame
from framestyle.motion.bookmark import Bookmark, OnBookmark, unmarked
from framestyle.motion.flow import Motion, OpticalFlow
from framestyle.motion.in_time import FrameStylizers
from framestyle.motion.key_frames import KeyFramePainting
from framestyle.motion.methods import make_flow
from framestyle.motion.painting import Prepared, ShotPainting, TwicePainting
from framestyle.motion.second_pass import FrameStore
from framestyle.motion.shots import Shot
from framestyle.nst.image import Size, fit_within
from framestyle.nst.optimise.replay import Replays
from framestyle.nst.stylizer import Stylizer
from framestyle.presets.instants import Timeline


def working_size(size: Size, max_side_px: int) -> Size:
    """The size at which frames are optimised and delivered."""
    return fit_within(size, max_side_px)


class ClipOptions(TypedDict, total=False):
    """What a `FramePainter` can be told beside the shots, where it paints a whole clip."""

    flow: OpticalFlow | None
    store: FrameStore | None
    on_bookmark: OnBookmark
    resume: Bookmark | None
    timeline: Timeline | None


def stylize_frames(
    frames: Iterable[Frame],
    shots: Sequence[Shot],
    stylizer: Stylizer,
    *,
    context: Context = SILENT,
    **options: Unpack[ClipOptions],
) -> Generator[Frame, None, None]:
    """Each frame stylized, in order, at the preset's size; index, pts and depth as they came.

    `shots` must cover the frames' indices. The pull form of a `FramePainter`, whose arguments the others are.
    """
    with FramePainter(stylizer, shots=shots, **options) as painter:
        for frame in frames:
            yield from painter.push(frame, context)
        yield from painter.finish(context)


class FramePainter:
    """Frames in, one after another, and stylized frames out as they are finished: those of one clip, on one thread.

    `shots` cover the frames' indices; where they are not known before, `cut` says that the next frame begins one. Flow
    for the frame that came last is computed on another thread while the device optimises the one before it: so frames
    come out one later than they go in, and with two passes when their shot has ended.

    `flow`: what measures motion; None: made as the preset says (WeightsError where it says raft and the weights are
    missing). With two passes a shot's frames wait in `store` (None: in memory) for the second one. `max_side_px`: in
    place of the preset's; 0 keeps every frame's size.

    `first_number`: which of its clip's shots the first of `shots` is, where a painter has but a part of them.
    `replays`: recorded steps, for painters of one clip that follow one another. `timeline`: the preset's, worked out on
    this clip; None: the style stays as it is.

    After each frame `on_bookmark` hears where the work stands. With a bookmark to `resume` at, the frames must be the
    same again from the first one, and `store` hold what it held then; those that were given before are not given again.

    A context manager: closing it ends its thread, and drops what is not finished.
    """

    def __init__(
        self,
        stylizer: Stylizer,
        *,
        shots: Sequence[Shot] = (),
        flow: OpticalFlow | None = None,
        store: FrameStore | None = None,
        on_bookmark: OnBookmark = unmarked,
        resume: Bookmark | None = None,
        max_side_px: int | None = None,
        first_number: int = 0,
        replays: Replays | None = None,
        timeline: Timeline | None = None,
    ) -> None:
        video = stylizer.preset.video
        if video.warm_start != "flow" or stylizer.is_identity:
            flow = None
        elif flow is None:
            flow = make_flow(video, stylizer.device)
        self._frames = FrameStylizers(stylizer, timeline)
        self._stylizer, self._flow, self._store = stylizer, flow, store
        self._on_bookmark, self._resume = on_bookmark, resume
        self._max_side_px = stylizer.preset.scales.max_side_px if max_side_px is None else max_side_px
        self._twice = video.painted_times == 2 and flow is not None
        self._shots = list(shots) or [Shot(0, 0)]
        self._first_number = first_number
        self._span = _Span.of(resume, shots, first_number, twice=self._twice)
        self._by_keys = video.frames_a_key_frame > 1 and flow is not None
        self._distances = [1] if flow is None else sorted({1, *video.long_term})
        if self._by_keys:
            self._distances = []  # which frame one goes on from is known later
        self._before: deque[Frame] = deque(maxlen=max(self._distances, default=1))
        self._number, self._cut = 0, False
        self._replays = stylizer.replays() if replays is None else replays
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="flow")
        self._coming: Future[Prepared] | None = None
        self._shot: ShotPainting | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends the thread; what is not finished is dropped."""
        self._coming = self._shot = None
        self._pool.shutdown(wait=True, cancel_futures=True)

    def push(self, frame: Frame, context: Context = SILENT) -> Iterator[Frame]:
        """The next frame; gives those that are finished by it. Lazy: they are painted as they are taken."""
        waiting = self._next(frame)
        if waiting is not None:
            before, self._coming = self._coming, self._pool.submit(waiting.measured, self._flow)
            if before is not None:
                yield from self._paint(before.result(), context)

    def cut(self) -> None:
        """The next frame begins a shot."""
        self._cut = True

    def finish(self, context: Context = SILENT) -> Iterator[Frame]:
        """No frame follows: gives those that are still at work. As lazy as `push`."""
        before, self._coming = self._coming, None
        if before is not None:
            yield from self._paint(before.result(), context)
        yield from self._end_shot(context)

    def _next(self, frame: Frame) -> _Waiting | None:
        """The frame with those before it; None where it was done before, and no frame to come needs it."""
        if self._cut and self._before:
            self._shots = [*self._shots[:-1], Shot(self._shots[-1].first, frame.index)]
            self._shots.append(Shot(frame.index, frame.index))
        self._cut = False
        while self._number + 1 < len(self._shots) and frame.index >= self._shots[self._number].end:
            self._number += 1
            self._before.clear()
        span = self._span
        if frame.index < span.first - max(self._distances, default=0):
            return None
        small = _at_working_size(frame, self._max_side_px)
        earlier = {far: self._before[far - 1] for far in self._distances if far <= len(self._before)}
        self._before.appendleft(replace(small, mask=None))
        if frame.index < span.first:
            return None
        number = self._first_number + self._number
        return _Waiting(small, earlier, number, frame.index < span.paint_from)

    def _paint(self, prepared: Prepared, context: Context) -> Iterator[Frame]:
        if self._shot is None or self._shot.number != prepared.shot:
            yield from self._end_shot(context)
            self._shot = self._begin_shot(prepared.shot, context)
        yield from self._shot.paint(prepared, context)

    def _begin_shot(self, number: int, context: Context) -> ShotPainting:
        shot, resume = self._shots[number - self._first_number], self._resume
        context.on_event(ShotStarted(number, shot.first, shot.frames))
        here = resume if resume is not None and resume.shot == number else None
        if self._by_keys and self._flow is not None:
            return KeyFramePainting(number, self._frames, self._replays, self._on_bookmark, here, self._flow)
        if not self._twice or self._flow is None:
            return ShotPainting(number, self._frames, self._replays, self._on_bookmark, here)
        store = {} if self._store is None else self._store
        return TwicePainting(number, self._frames, self._replays, self._on_bookmark, here, store, self._flow)

    def _end_shot(self, context: Context) -> Iterator[Frame]:
        ended, self._shot = self._shot, None
        if ended is not None:
            yield from ended.end(self._shots[ended.number - self._first_number], context)


@dataclass(frozen=True)
class _Span:
    """Which frames are still to be worked on: those from index `first`; of these, from `paint_from` on anew."""

    first: int = 0
    paint_from: int = 0

    @classmethod
    def of(cls, resume: Bookmark | None, shots: Sequence[Shot], first_number: int, *, twice: bool) -> _Span:
        if resume is None:
            return cls()
        if not twice or resume.shot - first_number == len(shots):
            return cls(resume.next_frame, resume.next_frame)
        # A second pass needs the whole shot, in order.
        shot = shots[resume.shot - first_number]
        return cls(shot.first, resume.next_frame if resume.pass_number == 1 else shot.end)


@dataclass(frozen=True, eq=False)
class _Waiting:
    """A frame at working size, those at the distances before it in the same shot, and the shot's number."""

    frame: Frame
    before: Mapping[int, Frame]
    shot: int
    is_painted: bool

    def measured(self, flow: OpticalFlow | None) -> Prepared:
        """With the motion."""
        earlier = {} if self.is_painted else self.before
        motions = {
            distance: _still(self.frame) if flow is None else flow(self.frame.pixels, one.pixels)
            for distance, one in earlier.items()
        }
        return Prepared(self.frame, motions, self.shot, self.is_painted)


def _at_working_size(frame: Frame, max_side_px: int) -> Frame:
    height, width = frame.pixels.shape[:2]
    size = working_size(Size(width, height), max_side_px)
    if size == (width, height):
        return frame
    small = cv2.resize(frame.pixels, size, interpolation=cv2.INTER_AREA)
    alpha = None if frame.alpha is None else cv2.resize(frame.alpha, size, interpolation=cv2.INTER_AREA)
    return replace(frame, pixels=small, alpha=alpha)


def _still(frame: Frame) -> Motion:
    height, width = frame.pixels.shape[:2]
    return Motion(np.zeros((height, width, 2), np.float32), np.ones((height, width), np.float32))
