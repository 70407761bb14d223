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
from framestyle.nst.stylizer import Stylizer, TemporalTarget
from framestyle.presets import Preset

LEAST_RELIABLE = 0.2
"""Share of the frame that must be reached from the frame before; below it the frame starts afresh.

On hand-held and chase footage cuts reached 0.00 to 0.14, the fastest motion 0.43."""


@dataclass(frozen=True, eq=False)
class _Prepared:
    """A frame at working size, and its motion from frames before it in the same shot."""

    frame: Frame
    motions: Motions
    shot: int

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
) -> Generator[Frame, None, None]:
    """Each frame stylized, in order, at the preset's size; index, pts and depth as they came.

    `shots` must cover the frames' indices. Flow for the coming frame is computed on another thread while the
    device optimises this one. `flow`: what measures it; None: made as the preset says (WeightsError where it says raft
    and the weights are missing, before the first frame is taken). With two passes a shot's frames wait in `store`
    (None: in memory) for the second one.
    """
    video = stylizer.preset.video
    if video.warm_start != "flow" or stylizer.is_identity:
        flow = None
    elif flow is None:
        flow = make_flow(video, stylizer.device)
    kept: FrameStore = {} if store is None else store
    with closing(_prepare(frames, shots, stylizer.preset, flow)) as prepared:
        for number, of_shot in groupby(prepared, key=lambda one: one.shot):
            shot = shots[number]
            on_event(ShotStarted(number, shot.first, shot.frames))
            painted = _first_pass(of_shot, stylizer, on_event)
            if video.painted_times == 1 or flow is None:
                for frame, one in painted:
                    yield replace(frame, pixels=to_pixels(one.result.image, frame.pixels.dtype.type))
            else:
                waiting = [keep(frame, one, kept) for frame, one in painted]
                on_event(ShotStarted(number, shot.first, shot.frames, pass_number=2))
                yield from second_pass(waiting, number, kept, flow, stylizer, on_event)


def _first_pass(
    prepared_frames: Iterable[_Prepared], stylizer: Stylizer, on_event: OnEvent
) -> Iterator[tuple[Frame, Painted]]:
    """A shot's frames, each going on from those before it."""
    done: deque[Painted] = deque(maxlen=_farthest(stylizer.preset))
    for prepared in prepared_frames:
        started = time.perf_counter()
        base = _warm_from(prepared, stylizer)
        painted = _stylize_one(prepared, base, done, stylizer)
        done.appendleft(painted)
        result, frame = painted.result, prepared.frame
        seconds = time.perf_counter() - started
        on_event(FrameDone(frame.index, prepared.shot, result.steps, seconds, result.loss, base is not None))
        yield frame, painted


def _farthest(preset: Preset) -> int:
    """How many earlier results a frame may need."""
    return max(preset.video.long_term) if preset.video.warm_start == "flow" else 1


def _prepare(
    frames: Iterable[Frame], shots: Sequence[Shot], preset: Preset, flow: OpticalFlow | None
) -> Generator[_Prepared, None, None]:
    """Frames with their motion, one ahead of the consumer."""
    distances = [1] if flow is None else sorted({1, *preset.video.long_term})
    pairs = _with_previous(frames, shots, preset.scales.max_side_px, distances)
    return one_ahead(lambda pair: _measure(*pair, flow), pairs)


def _with_previous(
    frames: Iterable[Frame], shots: Sequence[Shot], max_side_px: int, distances: Sequence[int]
) -> Iterator[tuple[Frame, dict[int, Frame], int]]:
    """Each frame at working size, those at the distances before it in the same shot, and the shot's number."""
    before: deque[Frame] = deque(maxlen=distances[-1])
    number = 0
    for frame in frames:
        while number + 1 < len(shots) and frame.index >= shots[number].end:
            number += 1
            before.clear()
        small = _at_working_size(frame, max_side_px)
        yield small, {far: before[far - 1] for far in distances if far <= len(before)}, number
        before.appendleft(small)


def _at_working_size(frame: Frame, max_side_px: int) -> Frame:
    height, width = frame.pixels.shape[:2]
    size = working_size(Size(width, height), max_side_px)
    if size == (width, height):
        return frame
    small = cv2.resize(frame.pixels, size, interpolation=cv2.INTER_AREA)
    return replace(frame, pixels=small)


def _measure(frame: Frame, before: Mapping[int, Frame], shot: int, flow: OpticalFlow | None) -> _Prepared:
    motions = {
        distance: _still(frame) if flow is None else flow(frame.pixels, earlier.pixels)
        for distance, earlier in before.items()
    }
    return _Prepared(frame, motions, shot)


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
