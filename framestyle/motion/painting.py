"""One shot, frame by frame: where each starts, what it is held near, and in two passes what waits for the second."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import torch
from torch import Tensor

from framestyle.context import Context
from framestyle.events import FrameDone, ShotStarted
from framestyle.frames import Frame
from framestyle.motion.bookmark import Bookmark, OnBookmark
from framestyle.motion.carry import (
    Motions,
    Painted,
    carry,
    drift_penalties,
    followed_level,
    kept_regions,
    move,
    moved_anchor,
    share_of_steps,
    temporal_targets,
)
from framestyle.motion.coarse import WarmStart
from framestyle.motion.flow import OpticalFlow
from framestyle.motion.in_time import FrameStylizers, hold, let_go
from framestyle.motion.second_pass import FrameStore, keep, second_pass
from framestyle.motion.shots import Shot
from framestyle.nst.image import to_pixels, to_tensor
from framestyle.nst.objective import TemporalTarget
from framestyle.nst.optimise.replay import Replays
from framestyle.nst.stylizer import Stylizer
from framestyle.presets.instants import REST, Passage

Prepare = Callable[[WarmStart, Context], int]
LEAST_RELIABLE = 0.2
"""Share of the frame that must be reached from the frame before; below it the frame starts afresh.

On hand-held and chase footage cuts reached 0.00 to 0.14, the fastest motion 0.43."""


@dataclass(frozen=True, eq=False)
class Prepared:
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


@dataclass(eq=False)
class ShotPainting:
    """Of one shot, each frame going on from those before it. `resume`: a bookmark in this shot.

    Other ways with a shot are its kinds: each takes the frames in order, and gives them in order, when it has them.
    """

    number: int
    stylizers: FrameStylizers
    replays: Replays
    on_bookmark: OnBookmark
    resume: Bookmark | None
    _is_frame_by_frame: ClassVar[bool] = True
    """Each frame goes on from the one right before it."""

    def __post_init__(self) -> None:
        resume = self.resume
        before = () if resume is None or resume.pass_number > 1 else resume.painted
        self._done: deque[Painted] = deque(before, maxlen=self._farthest)

    @property
    def _farthest(self) -> int:
        """How many earlier results a frame may need."""
        video = self.stylizers.stylizer.preset.video
        return max(video.long_term) if video.warm_start == "flow" else 1

    def paint(self, prepared: Prepared, context: Context) -> Iterator[Frame]:
        """The frame as it is to be shown."""
        painted, frame = self._paint(prepared, context), prepared.frame
        yield replace(frame, pixels=to_pixels(painted.result.image, frame.pixels.dtype.type))
        self._mark(prepared)

    def end(self, shot: Shot, context: Context) -> Iterator[Frame]:
        """Those that waited for the shot's end."""
        return iter(())

    def _paint(self, prepared: Prepared, context: Context) -> Painted:
        painted, done = self._optimised(prepared, context)
        context.on_event(done)
        return painted

    def _optimised(self, prepared: Prepared, context: Context) -> tuple[Painted, FrameDone]:
        """The frame, and what is to be told of it."""
        started = time.perf_counter()
        base = _warm_from(prepared, self.stylizers.stylizer)
        passage = (
            self.stylizers.passage(prepared.frame.pts) if self._is_frame_by_frame and base == 1 else REST
        )
        painted = _paint_one(
            prepared, base, self._done, self.stylizers, context, self.replays, self._before_its_steps, passage
        )
        self._done.appendleft(painted)
        result, seconds = painted.result, time.perf_counter() - started
        index, is_warm = prepared.frame.index, base is not None
        return painted, FrameDone(index, prepared.shot, result.steps, seconds, result.loss, is_warm)

    def _before_its_steps(self, begun: WarmStart, context: Context) -> int:
        """What a kind does to a warm frame first; how many steps that took."""
        return 0

    def _mark(self, prepared: Prepared) -> None:
        self.on_bookmark(Bookmark(prepared.shot, 1, prepared.frame.index + 1, tuple(self._done)))


@dataclass(eq=False)
class TwicePainting(ShotPainting):
    """The same, in two passes: frames wait in the store until the shot has ended."""

    store: FrameStore
    flow: OpticalFlow

    def __post_init__(self) -> None:
        super().__post_init__()
        self._waiting: list[Frame] = []
        """All of them, without pixels, alpha and mask: those lie in the store."""

    def paint(self, prepared: Prepared, context: Context) -> Iterator[Frame]:
        """None yet."""
        if not prepared.is_painted:
            keep(prepared.frame, self._paint(prepared, context), self.store)
            self._mark(prepared)
        self._waiting.append(replace(prepared.frame, pixels=prepared.frame.pixels[:0], alpha=None, mask=None))
        return iter(())

    def end(self, shot: Shot, context: Context) -> Iterator[Frame]:
        """All of the shot, once the second pass has been over it."""
        context.on_event(ShotStarted(self.number, shot.first, shot.frames, pass_number=2))
        yield from second_pass(
            self._waiting,
            self.number,
            self.store,
            self.flow,
            self.stylizers,
            self.on_bookmark,
            self.resume,
            context,
            self.replays,
        )
        self.on_bookmark(Bookmark(self.number + 1, 1, shot.end, ()))


def _lies_as_it_did(regions: Tensor | None, before: Painted) -> bool:
    """Whether regions lie where they lay."""
    return regions is None or torch.equal(before.regions, regions)


def _warm_from(prepared: Prepared, stylizer: Stylizer) -> int | None:
    """How far back the frame lies that this one goes on from; None: the full coarse-to-fine start."""
    return None if stylizer.preset.video.warm_start == "none" else prepared.nearest_reached()


def _paint_one(
    prepared: Prepared,
    base: int | None,
    done: Sequence[Painted],
    stylizers: FrameStylizers,
    context: Context,
    replays: Replays,
    prepare: Prepare,
    passage: Passage,
) -> Painted:
    """Optimise one frame: from its beginning (`base` None), or from the one that lies `base` back in `done`.

    `passage`: what may pass in it of a change of `strength`.
    """
    stylizer, pts = stylizers.of(prepared.frame), prepared.frame.pts
    content = to_tensor(prepared.frame.pixels, stylizer.device)
    regions = stylizer.regions_of(content)
    if base is None:
        return Painted.first(content, stylizer.stylize(content, context, replays), regions)
    before, motion = done[base - 1], prepared.motions[base]
    if torch.equal(before.content, content) and _lies_as_it_did(regions, before) and stylizers.rests(pts):
        # Shown once more (animation on twos, pulldown, a still): no step would better it.
        return replace(before, result=replace(before.result, steps=0))
    video, full_step_count = stylizer.preset.video, stylizer.preset.scales.steps
    pace = stylizers.pace(pts)
    moved = move(before, content, motion, regions)
    loose = let_go(pace)
    state = carry(moved, content, moments=video.carry_moments, average=video.carry_average)
    targets: list[TemporalTarget] = []
    if video.temporal_weight > 0 and video.warm_start == "flow":
        earlier = {
            far: moved if far == base else move(done[far - 1], content, other, regions)
            for far, other in prepared.motions.items()
            if far in video.long_term
        }
        held = video.temporal_weight * hold(pace, passage)
        targets = temporal_targets(earlier, full_step_count, held)
    # Where the style changes, what was painted first is no longer how it is to look.
    anchor, holds = moved_anchor(moved), share_of_steps(moved.step_count, full_step_count) * (1 - loose)
    level = followed_level(before, content)
    if video.leash_weight > 0 and video.warm_start == "flow":
        targets += drift_penalties(anchor, holds, level, video.leash_weight, 1 - loose)
    before_it = prepare(WarmStart(stylizer, content, state, targets, holds), context)
    result = stylizer.refine(content, state, targets, context, replays, pace, passage=passage)
    result = replace(result, steps=result.steps + before_it)
    shown = result.state.result()
    anchored, level = shown.lerp(anchor, holds), level.lerp(shown.mean((2, 3), keepdim=True), loose)
    return Painted(content, result, anchored, level, kept_regions(content, regions))
