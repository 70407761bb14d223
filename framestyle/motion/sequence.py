"""Frames in, stylized frames out: the hub. Knows no files; every door brings frames to it.

Each frame of a shot starts from the last result, warped along the optical flow, with Adam's moments carried
along; where the warp cannot be trusted it starts from the content instead. A shot starts afresh.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import groupby

import cv2
import numpy as np
import torch

from framestyle.events import FrameDone, OnEvent, ShotStarted, ignore
from framestyle.frames import Frame
from framestyle.motion.bookmark import Bookmark, OnBookmark, unmarked
from framestyle.motion.carry import (
    Motions,
    Painted,
    carry,
    followed_level,
    leashes,
    move,
    moved_anchor,
    settled_share,
    temporal_targets,
)
from framestyle.motion.flow import Motion, OpticalFlow
from framestyle.motion.methods import make_flow
from framestyle.motion.second_pass import FrameStore, keep, one_ahead, second_pass
from framestyle.motion.shots import Shot
from framestyle.nst.image import Size, fit_within, to_pixels, to_tensor
from framestyle.nst.objective import TemporalTarget
from framestyle.nst.stylizer import Stylizer
from framestyle.presets import Preset

LEAST_RELIABLE = 0.2
"""Share of the frame that must be reached from the frame before; below it the frame starts afresh.

On hand-held and chase footage cuts reached 0.00 to 0.14, the fastest motion 0.43."""


@dataclass(frozen=True, eq=False)
class _Prepared:
    """A frame at working size, and its motion from frames before it in the same shot.

    `is_painted`: the first pass has been over it already, and only a second one needs it.
    """

    frame: Frame
    motions: Motions
    shot: int
    is_painted: bool = False

    def nearest_reached(self) -> int | None:
        """The distance of the nearest earlier frame that the warp reaches; None where there is none.

        Where next to nothing of the warp can be trusted there is nothing to go on from: a cut that was not found, or
        a flash, after which the frame before it may be reached again.
        """
        for distance, motion in self.motions.items():
            if float(motion.reliability.mean()) >= LEAST_RELIABLE:
                return distance
        return None


def working_size(size: Size, max_side_px: int) -> Size:
    """The size at which frames are optimised and delivered."""
    return fit_within(size, max_side_px)


def stylize_frames(
    frames: Iterable[Frame],
    shots: Sequence[Shot],
    stylizer: Stylizer,
    *,
    flow: OpticalFlow | None = None,
    store: FrameStore | None = None,
    on_event: OnEvent = ignore,
    on_bookmark: OnBookmark = unmarked,
    resume: Bookmark | None = None,
) -> Generator[Frame, None, None]:
    """Each frame stylized, in order, at the preset's size; index, pts and depth as they came.

    `shots` must cover the frames' indices. Flow for the coming frame is computed on another thread while the
    device optimises this one. `flow`: what measures it; None: made as the preset says (WeightsError where it says raft
    and the weights are missing, before the first frame is taken). With two passes a shot's frames wait in `store`
    (None: in memory) for the second one.

    After each frame `on_bookmark` hears where the work stands. With a bookmark to `resume` at, `frames` must be the
    same again from the first one, and `store` hold what it held then; those that were given before are not given again.
    """
    video = stylizer.preset.video
    if video.warm_start != "flow" or stylizer.is_identity:
        flow = None
    elif flow is None:
        flow = make_flow(video, stylizer.device)
    twice = video.painted_times == 2 and flow is not None
    span = _Span.of(resume, shots, twice=twice)
    with closing(_prepare(frames, shots, stylizer.preset, flow, span)) as prepared:
        for number, of_shot in groupby(prepared, key=lambda one: one.shot):
            shot = shots[number]
            on_event(ShotStarted(number, shot.first, shot.frames))
            here = resume if resume is not None and resume.shot == number else None
            painting = _Painting(stylizer, here, on_event, on_bookmark)
            if not twice or flow is None:
                yield from painting.once(of_shot)
                continue
            kept: FrameStore = {} if store is None else store
            waiting = painting.first_of_two(of_shot, kept)
            on_event(ShotStarted(number, shot.first, shot.frames, pass_number=2))
            yield from second_pass(waiting, number, kept, flow, stylizer, on_event, on_bookmark, here)
            on_bookmark(Bookmark(number + 1, 1, shot.end, ()))


@dataclass(frozen=True)
class _Span:
    """Which frames are still to be worked on: those from index `first`; of these, from `paint_from` on anew."""

    first: int = 0
    paint_from: int = 0

    @classmethod
    def of(cls, resume: Bookmark | None, shots: Sequence[Shot], *, twice: bool) -> _Span:
        if resume is None:
            return cls()
        if not twice or resume.shot == len(shots):
            return cls(resume.next_frame, resume.next_frame)
        # A second pass needs the whole shot, in order.
        shot = shots[resume.shot]
        return cls(shot.first, resume.next_frame if resume.pass_number == 1 else shot.end)


class _Painting:
    """Of one shot, each frame going on from those before it. `resume`: a bookmark in this shot."""

    def __init__(
        self, stylizer: Stylizer, resume: Bookmark | None, on_event: OnEvent, on_bookmark: OnBookmark
    ) -> None:
        self._stylizer, self._on_event, self._on_bookmark = stylizer, on_event, on_bookmark
        before = () if resume is None or resume.pass_number > 1 else resume.painted
        self._done: deque[Painted] = deque(before, maxlen=_farthest(stylizer.preset))

    def once(self, prepared_frames: Iterable[_Prepared]) -> Iterator[Frame]:
        """As they are to be shown."""
        for prepared in prepared_frames:
            painted, frame = self._paint(prepared), prepared.frame
            yield replace(frame, pixels=to_pixels(painted.result.image, frame.pixels.dtype.type))
            self._mark(prepared)

    def first_of_two(self, prepared_frames: Iterable[_Prepared], store: FrameStore) -> list[Frame]:
        """All of them, without pixels: those lie in the store."""
        waiting = []
        for prepared in prepared_frames:
            if not prepared.is_painted:
                keep(prepared.frame, self._paint(prepared), store)
                self._mark(prepared)
            waiting.append(replace(prepared.frame, pixels=prepared.frame.pixels[:0]))
        return waiting

    def _paint(self, prepared: _Prepared) -> Painted:
        started = time.perf_counter()
        base = _warm_from(prepared, self._stylizer)
        painted = _stylize_one(prepared, base, self._done, self._stylizer)
        self._done.appendleft(painted)
        result, seconds = painted.result, time.perf_counter() - started
        news = FrameDone(
            prepared.frame.index, prepared.shot, result.steps, seconds, result.loss, base is not None
        )
        self._on_event(news)
        return painted

    def _mark(self, prepared: _Prepared) -> None:
        self._on_bookmark(Bookmark(prepared.shot, 1, prepared.frame.index + 1, tuple(self._done)))


def _farthest(preset: Preset) -> int:
    """How many earlier results a frame may need."""
    return max(preset.video.long_term) if preset.video.warm_start == "flow" else 1


def _prepare(
    frames: Iterable[Frame], shots: Sequence[Shot], preset: Preset, flow: OpticalFlow | None, span: _Span
) -> Generator[_Prepared, None, None]:
    """Frames with their motion, one ahead of the consumer."""
    distances = [1] if flow is None else sorted({1, *preset.video.long_term})
    waiting = _with_previous(frames, shots, preset.scales.max_side_px, distances, span)
    return one_ahead(lambda one: one.measured(flow), waiting)


@dataclass(frozen=True, eq=False)
class _Waiting:
    """A frame at working size, those at the distances before it in the same shot, and the shot's number."""

    frame: Frame
    before: Mapping[int, Frame]
    shot: int
    is_painted: bool

    def measured(self, flow: OpticalFlow | None) -> _Prepared:
        """With the motion."""
        earlier = {} if self.is_painted else self.before
        motions = {
            distance: _still(self.frame) if flow is None else flow(self.frame.pixels, one.pixels)
            for distance, one in earlier.items()
        }
        return _Prepared(self.frame, motions, self.shot, self.is_painted)


def _with_previous(
    frames: Iterable[Frame], shots: Sequence[Shot], max_side_px: int, distances: Sequence[int], span: _Span
) -> Iterator[_Waiting]:
    before: deque[Frame] = deque(maxlen=distances[-1])
    number = 0
    for frame in frames:
        while number + 1 < len(shots) and frame.index >= shots[number].end:
            number += 1
            before.clear()
        if frame.index < span.first - distances[-1]:
            continue
        small = _at_working_size(frame, max_side_px)
        if frame.index >= span.first:
            earlier = {far: before[far - 1] for far in distances if far <= len(before)}
            yield _Waiting(small, earlier, number, frame.index < span.paint_from)
        before.appendleft(small)


def _at_working_size(frame: Frame, max_side_px: int) -> Frame:
    height, width = frame.pixels.shape[:2]
    size = working_size(Size(width, height), max_side_px)
    if size == (width, height):
        return frame
    small = cv2.resize(frame.pixels, size, interpolation=cv2.INTER_AREA)
    return replace(frame, pixels=small)


def _still(frame: Frame) -> Motion:
    height, width = frame.pixels.shape[:2]
    return Motion(np.zeros((height, width, 2), np.float32), np.ones((height, width), np.float32))


def _warm_from(prepared: _Prepared, stylizer: Stylizer) -> int | None:
    """How far back the frame lies that this one goes on from; None: the full coarse-to-fine start."""
    return None if stylizer.preset.video.warm_start == "none" else prepared.nearest_reached()


def _stylize_one(
    prepared: _Prepared, base: int | None, done: Sequence[Painted], stylizer: Stylizer
) -> Painted:
    content = to_tensor(prepared.frame.pixels, stylizer.device)
    if base is None:
        return Painted.first(content, stylizer.stylize(content))
    before, motion = done[base - 1], prepared.motions[base]
    if torch.equal(before.content, content):
        # Shown once more (animation on twos, pulldown, a still): no step would better it.
        return replace(before, result=replace(before.result, steps=0))
    video, settled_steps = stylizer.preset.video, stylizer.preset.scales.steps
    moved = move(before, content, motion)
    state = carry(moved, content, moments=video.carry_moments, average=video.carry_average)
    targets: list[TemporalTarget] = []
    if video.temporal_weight > 0 and video.warm_start == "flow":
        earlier = {
            far: moved if far == base else move(done[far - 1], content, other)
            for far, other in prepared.motions.items()
            if far in video.long_term
        }
        targets = temporal_targets(earlier, settled_steps, video.temporal_weight)
    anchor, holds = moved_anchor(moved), settled_share(moved.settled, settled_steps)
    level = followed_level(before, content)
    if video.leash_weight > 0 and video.warm_start == "flow":
        targets += leashes(anchor, holds, level, video.leash_weight)
    result = stylizer.refine(content, state, targets)
    return Painted(content, result, result.state.result().lerp(anchor, holds), level)
