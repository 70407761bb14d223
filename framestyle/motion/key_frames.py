"""A shot by its key frames: these are optimised, each from the one before; frames between are warped from both.

Where the next key frame is due is not counted but seen: as far ahead as frames between are reached from one side or the
other. A frame of which neither side shows enough takes a few steps of the optimiser, held near what they do show.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import torch
from torch import Tensor

from framestyle.context import Context
from framestyle.events import FrameDone
from framestyle.frames import Frame
from framestyle.motion.carry import Moved, Painted, alike, carry, matched_fill, move, shows_the_same
from framestyle.motion.coarse import WarmStart, paint_coarsely
from framestyle.motion.flow import Motion, OpticalFlow
from framestyle.motion.measured import Measured
from framestyle.motion.painting import Prepared, ShotPainting
from framestyle.motion.sampling import sampler
from framestyle.motion.shots import Shot
from framestyle.nst.image import to_pixels, to_tensor
from framestyle.nst.objective import TemporalTarget
from framestyle.nst.optimise.state import PixelState
from framestyle.nst.stylizer import Stylizer

LEAST_COVERED = 0.85
"""Share of a frame between that its key frames must show: else there is a nearer one."""
LEAST_CARRIED, LEAST_TRUSTED = 0.6, 0.9
"""How much of a key frame must be reached from the one before, and of a frame between from either, as parts of what is
reached from one frame to the next: footage differs in how far any flow can be trusted, noise and crowds least."""
WELL_COVERED = 0.98
"""Share from which a frame between is shown as it was warped, without a step."""
VAGUE_WEIGHT = 0.02
"""How a place counts whose flow is vague although it leads to like content, against one that can be trusted."""


@dataclass(eq=False)
class KeyFramePainting(ShotPainting):
    """Frames wait until it is known which of them is the next key frame: at most `video.key_frame_gap` of them."""

    flow: OpticalFlow
    _is_frame_by_frame: ClassVar[bool] = False

    def __post_init__(self) -> None:
        super().__post_init__()
        self._waiting: deque[Prepared] = deque()
        self._video = self.stylizers.stylizer.preset.video
        self._motions = Measured(self.flow)

    @property
    def _farthest(self) -> int:
        return 1

    def _before_its_steps(self, begun: WarmStart, context: Context) -> int:
        return paint_coarsely(begun, self._video.coarse_steps, context)

    def paint(self, prepared: Prepared, context: Context) -> Iterator[Frame]:
        """Those up to the next key frame, once it is known; the shot's first frame is one."""
        self._waiting.append(prepared)
        if not self._done:
            yield from self._paint_first(context)
        elif len(self._waiting) == self._video.key_frame_gap:
            yield from self._paint_to_next_key(context)

    def end(self, shot: Shot, context: Context) -> Iterator[Frame]:
        """Those that are left; the shot's last frame is a key frame."""
        while self._waiting:
            yield from self._paint_to_next_key(context)

    def _last_key(self) -> Frame:
        """The last key frame as it was before it was painted, at the depth of those that wait."""
        next_one = self._waiting[0].frame
        pixels = to_pixels(self._done[0].content, next_one.pixels.dtype.type)
        return replace(next_one, index=next_one.index - 1, pixels=pixels)

    def _distance_to_next_key(self, last: Frame, context: Context) -> int:
        """How many frames further the next key frame lies: as far as may be, halved until it is near enough."""
        distance = len(self._waiting)
        if distance == 1:
            return distance
        next_one = _reached(self._motions.between(self._waiting[0].frame, last))
        while distance > 1 and not self._holds(distance, last, next_one, context):
            self._motions.forget(self._waiting[distance - 1].frame)
            distance = (distance + 1) // 2
        return distance

    def _holds(self, distance: int, last: Frame, next_one: float, context: Context) -> bool:
        """Whether the frame there is shown by the last key frame, and by both of them those between.

        Of these the middle ones are looked at, which are the farthest from both. `next_one`: how much of the frame
        right after the key frame is reached from it.
        """
        there = self._waiting[distance - 1].frame
        if _reached(self._motions.between(there, last)) < LEAST_CARRIED * next_one:
            return False
        for number in sorted({distance // 2, distance // 4, 3 * distance // 4} - {0}):
            context.check_cancelled()
            frame = self._waiting[number - 1].frame
            seen = [_Seen.of(frame, other, self._motions.between(frame, other)) for other in (last, there)]
            trusted = float(seen[0].trusted.maximum(seen[1].trusted).mean())
            covered = float(seen[0].shown.maximum(seen[1].shown).mean())
            if trusted < LEAST_TRUSTED * next_one or covered < LEAST_COVERED:
                return False
        return True

    def _paint_first(self, context: Context) -> Iterator[Frame]:
        first = self._waiting.popleft()
        yield from self._key(first, *self._optimised(first, context), context)

    def _paint_to_next_key(self, context: Context) -> Iterator[Frame]:
        """The frames up to the next key frame."""
        last = self._last_key()
        distance = self._distance_to_next_key(last, context)
        *between, key = (self._waiting.popleft() for _ in range(distance))
        before = self._done[0]
        key = replace(key, motions={1: self._motions.taken(key.frame, last)})
        painted, done = self._optimised(key, context)
        for number, one in enumerate(between, 1):
            motions = [self._motions.taken(one.frame, other) for other in (last, key.frame)]
            yield self._between(one, before, painted, motions, number / distance, context)
        yield from self._key(key, painted, done, context)

    def _key(self, key: Prepared, painted: Painted, done: FrameDone, context: Context) -> Iterator[Frame]:
        context.on_event(done)
        yield replace(key.frame, pixels=to_pixels(painted.result.image, key.frame.pixels.dtype.type))
        self._mark(key)

    def _between(
        self,
        prepared: Prepared,
        before: Painted,
        after: Painted,
        motions: Sequence[Motion],
        place: float,
        context: Context,
    ) -> Frame:
        """One frame, warped from both, to which its `motions` lead; `place`: how far it lies from the one to the
        other, 0 to 1."""
        context.check_cancelled()
        started, frame = time.perf_counter(), prepared.frame
        stylizer, dtype = self.stylizers.of(frame), frame.pixels.dtype.type
        content = to_tensor(frame.pixels, stylizer.device)
        regions = stylizer.regions_of(content)
        ends = [
            move(one, content, motion, regions) for one, motion in zip((before, after), motions, strict=True)
        ]
        found = Blend.of(content, ends[0], ends[1], place)
        is_covered = float(found.covered.mean()) >= WELL_COVERED
        steps = 0 if is_covered else self._video.polish_steps
        state = found.start(content, ends[round(place)]) if steps else PixelState.start(found.image)
        pace, targets = self.stylizers.pace(frame.pts), found.targets(stylizer)
        result = stylizer.refine(content, state, targets, context, self.replays, pace, steps)
        seconds, loss = time.perf_counter() - started, result.loss if result.steps else after.result.loss
        context.on_event(FrameDone(frame.index, prepared.shot, result.steps, seconds, loss, True))
        return replace(frame, pixels=to_pixels(result.image, dtype))


@dataclass(frozen=True, eq=False)
class Blend:
    """Two key frames as they look from a frame between: the picture, 1CHW, and how far they show it, 11HW."""

    image: Tensor
    covered: Tensor

    @classmethod
    def of(cls, content: Tensor, before: Moved, after: Moved, place: float) -> Blend:
        """Each by how far it can be trusted and how near it is.

        Where neither leads to what the frame shows it is the content, in the colours of what lies around.
        """
        weights = [share * _counts(one) for one, share in ((before, 1 - place), (after, place))]
        both = before.shown.lerp(after.shown, weights[1] / (weights[0] + weights[1]))
        covered = _leads_to(before).maximum(_leads_to(after))
        return cls(matched_fill(content, both, covered).lerp(both, covered), covered)

    def start(self, content: Tensor, nearer: Moved) -> PixelState:
        """At the picture, which the average stands for as far as it is covered; with the nearer key frame's moments."""
        state = carry(nearer, content, average=False)
        state.image = self.image
        state.average = self.image * self.covered
        state.total_weights[:, 2:] = self.covered
        return state

    def targets(self, stylizer: Stylizer) -> list[TemporalTarget]:
        """Near the picture, where it is covered."""
        weight = stylizer.preset.video.temporal_weight
        return [TemporalTarget(self.image, self.covered, weight)] if weight > 0 else []


@dataclass(frozen=True, eq=False)
class _Seen:
    """A frame from another one: how far the motion between them can be trusted, and what it shows of it, 11HW each."""

    trusted: Tensor
    shown: Tensor

    @classmethod
    def of(cls, frame: Frame, other: Frame, motion: Motion) -> _Seen:
        seen = sampler(motion.backward, torch.device("cpu"))
        same = shows_the_same(seen.smooth(to_tensor(other.pixels)), to_tensor(frame.pixels), seen)
        trusted = torch.from_numpy(motion.reliability)[None, None]
        return cls(trusted, (trusted * same).maximum(alike(same)))


def _reached(motion: Motion) -> float:
    return float(motion.reliability.mean())


def _leads_to(moved: Moved) -> Tensor:
    return (moved.trusted * moved.same).maximum(alike(moved.same))


def _counts(moved: Moved) -> Tensor:
    return moved.trusted * moved.same + VAGUE_WEIGHT * alike(moved.same) + 1e-6
