"""The second pass over a shot, from its last frame to its first.

What a shot shows late is painted to the end by then: the second pass brings it back to where it first came into the
picture, and draws each frame and the one after it together (after the multi-pass algorithm of Ruder 2016, section 4.3;
theirs blends by a fixed share, this one by how often each pixel has been painted).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, MutableMapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from framestyle.context import SILENT, Context
from framestyle.events import FrameDone
from framestyle.frames import Frame, Pixels
from framestyle.motion.bookmark import Bookmark, OnBookmark, unmarked
from framestyle.motion.carry import Painted, carry, move, share_of_steps
from framestyle.motion.flow import Motion, OpticalFlow
from framestyle.motion.in_time import FrameStylizers
from framestyle.nst.image import to_pixels, to_tensor
from framestyle.nst.objective import TemporalTarget
from framestyle.nst.optimise.replay import Replays
from framestyle.nst.optimise.state import PixelState
from framestyle.presets import Preset

Arrays = Mapping[str, npt.NDArray[Any]]
FrameStore = MutableMapping[int, Arrays]
"""A shot's frames by number: a dict, or something that keeps them on disk."""

In = TypeVar("In")
Out = TypeVar("Out")


@dataclass(frozen=True, eq=False)
class _Kept:
    """A frame after the first pass."""

    image: Tensor
    step_count: Tensor


def keep(frame: Frame, painted: Painted, store: FrameStore) -> None:
    """Lay what the second pass needs of a frame in the store."""
    state = painted.result.state.by_pixel()
    store[frame.index] = {
        "pixels": frame.pixels,
        # 16 bits a value: a tenth of what eight can show.
        "image": to_pixels(state.result(), np.uint16),
        "step_count": state.step_count[0, 0].clamp(0, 60_000).cpu().numpy().astype(np.uint16),
        **({} if frame.alpha is None else {"alpha": frame.alpha}),
        **({} if frame.mask is None else {"mask": frame.mask}),
    }


def second_pass(
    frames: Sequence[Frame],
    shot: int,
    store: FrameStore,
    flow: OpticalFlow,
    stylizers: FrameStylizers,
    on_bookmark: OnBookmark = unmarked,
    resume: Bookmark | None = None,
    context: Context = SILENT,
    replays: Replays | None = None,
) -> Iterator[Frame]:
    """The frames of one shot, in order, painted anew from the last to the first. Empties the store of them.

    `frames` carry index, pts and depth; their pixels, alpha and results lie in `store`. `resume`: a bookmark in this
    shot; one of its first pass begins the second one. `replays`: the clip's, see `Stylizer.stylize`.
    """
    after: Painted | None = None
    stylizer = stylizers.stylizer
    next_frame = frames[-1].index
    if resume is not None and resume.pass_number == 2:
        after, next_frame = resume.painted[0], resume.next_frame
    next_pixels = None if after is None else to_pixels(after.content, frames[0].pixels.dtype.type)
    indices = [frame.index for frame in reversed(frames) if frame.index <= next_frame]
    by_index = {frame.index: frame for frame in frames}

    def measured(pair: tuple[int, Pixels, Pixels | None]) -> tuple[int, Pixels, Motion | None]:
        index, pixels, next_pixels = pair
        return index, pixels, None if next_pixels is None else flow(pixels, next_pixels)

    for index, pixels, motion in one_ahead(measured, _pairs(indices, store, next_pixels)):
        started = time.perf_counter()
        content = to_tensor(pixels, stylizer.device)
        frame = replace(by_index[index], mask=store[index].get("mask"))
        own = stylizers.of(frame)
        regions, kept = own.regions_of(content), _taken(store[index], stylizer.device)
        start, targets = _together(kept, content, after, motion, regions, stylizer.preset)
        result = own.refine(content, start, targets, context, replays, stylizers.pace(frame.pts))
        after = Painted.first(content, result, regions)
        alpha = {name: one for name, one in store[index].items() if name == "alpha"}
        store[index] = {"shown": to_pixels(result.image, pixels.dtype.type), **alpha}
        seconds = time.perf_counter() - started
        context.on_event(FrameDone(index, shot, result.steps, seconds, result.loss, True))
        on_bookmark(Bookmark(shot, 2, index - 1, (after,)))
    for frame in frames:
        done = store.pop(frame.index)
        yield replace(frame, pixels=done["shown"], alpha=done.get("alpha"))


def _pairs(
    indices: Sequence[int], store: FrameStore, after: Pixels | None
) -> Iterator[tuple[int, Pixels, Pixels | None]]:
    """Each frame and the one that comes after it in the clip (`after`: that of the first), from the last on.

    Read here, one ahead: a frame that is done keeps no content in the store.
    """
    for index in indices:
        pixels = store[index]["pixels"]
        yield index, pixels, after
        after = pixels


def _taken(arrays: Arrays, device: torch.device) -> _Kept:
    step_count = torch.from_numpy(arrays["step_count"].astype(np.float32))[None, None].to(device)
    return _Kept(to_tensor(arrays["image"], device), step_count)


def _together(
    kept: _Kept,
    content: Tensor,
    after: Painted | None,
    motion: Motion | None,
    regions: Tensor | None,
    preset: Preset,
) -> tuple[PixelState, list[TemporalTarget]]:
    """Where a frame starts, and what it is held near: its own result and the next frame's, each by the steps that are
    behind its pixels.
    """
    if after is None or motion is None:
        return _resting(kept.image, kept.step_count), []
    video = preset.video
    moved = move(after, content, motion, regions)
    state = carry(moved, content, moments=video.carry_moments, average=False)
    share = moved.step_count / (moved.step_count + kept.step_count).clamp_min(1.0)
    start = _resting(kept.image.lerp(moved.shown, share), kept.step_count.maximum(moved.step_count))
    start.mean, start.square = state.mean, state.square
    start.total_weights[:, :2] = state.total_weights[:, :2]
    start.matches = state.matches
    targets = []
    if video.temporal_weight > 0:
        holds = share_of_steps(moved.step_count, preset.scales.steps)
        targets = [TemporalTarget(moved.shown, holds, video.temporal_weight)]
    return start, targets


def _resting(image: Tensor, step_count: Tensor) -> PixelState:
    """A state whose average is at the pixels from the start: it moves away from them only as far as it must."""
    state = PixelState.start(image).by_pixel()
    state.average, state.step_count = image.clone(), step_count.clone()
    state.average_weight.fill_(1.0)
    return state


def one_ahead(work: Callable[[In], Out], items: Iterable[In]) -> Generator[Out, None, None]:
    """`work` on each item, on another thread, one ahead of the consumer."""
    with ThreadPoolExecutor(1, thread_name_prefix="flow") as pool:
        waiting: Future[Out] | None = None
        for item in items:
            coming = pool.submit(work, item)
            if waiting is not None:
                yield waiting.result()
            waiting = coming
        if waiting is not None:
            yield waiting.result()
