"""Frames in, stylized frames out: the hub. Knows no files; every door brings frames to it.

Each frame of a shot starts from the last result, warped along the optical flow, with Adam's moments carried
along; where the warp cannot be trusted it starts from the content instead. A shot starts afresh.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from torch import Tensor

from framestyle.events import FrameDone, OnEvent, ShotStarted, ignore
from framestyle.frames import Frame
from framestyle.motion.flow import DISFlow, FloatArray, Motion, warp
from framestyle.motion.shots import Shot
from framestyle.nst.image import Size, fit_within, to_pixels, to_tensor
from framestyle.nst.optim import PixelState
from framestyle.nst.stylizer import Stylized, Stylizer, TemporalTarget

FILL_SIGMA_PX = 12.0
"""How far colours are gathered from the reliable surroundings when disoccluded content is matched to them."""


LEAST_RELIABLE = 0.2
"""Share of the frame that must be reached from the frame before; below it the frame starts afresh.

On hand-held and chase footage cuts reached 0.00 to 0.14, the fastest motion 0.43."""


@dataclass(frozen=True, eq=False)
class _Prepared:
    """A frame at working size, and the motion from the frame before it in the same shot (None: a shot starts)."""

    frame: Frame
    motion: Motion | None
    shot: int


def working_size(size: Size, max_side_px: int) -> Size:
    """The size at which frames are optimised and delivered."""
    return fit_within(size, max_side_px)


def stylize_frames(
    frames: Iterable[Frame], shots: Sequence[Shot], stylizer: Stylizer, *, on_event: OnEvent = ignore
) -> Generator[Frame, None, None]:
    """Each frame stylized, in order, at the preset's size; index and pts as they came, pixels uint8.

    `shots` must cover the frames' indices. Flow for the coming frame is computed on another thread while the
    device optimises this one.
    """
    last: Stylized | None = None
    for prepared in _prepare(frames, shots, stylizer):
        if prepared.motion is None:
            shot = shots[prepared.shot]
            on_event(ShotStarted(prepared.shot, shot.first, shot.frames))
        started = time.perf_counter()
        last = _stylize_one(prepared, last, stylizer)
        pixels = to_pixels(last.image)
        seconds = time.perf_counter() - started
        warm = _is_warm(prepared, stylizer)
        on_event(FrameDone(prepared.frame.index, prepared.shot, last.steps, seconds, last.loss, warm))
        yield Frame(prepared.frame.index, prepared.frame.pts, pixels)


def _prepare(frames: Iterable[Frame], shots: Sequence[Shot], stylizer: Stylizer) -> Iterator[_Prepared]:
    """Frames with their motion, one ahead of the consumer."""
    video = stylizer.preset.video
    wanted = video.warm_start == "flow" and not stylizer.is_identity
    flow = DISFlow(video.flow_quality) if wanted else None
    with ThreadPoolExecutor(1, thread_name_prefix="flow") as pool:
        waiting: Future[_Prepared] | None = None
        for frame, before, shot in _with_previous(frames, shots, stylizer.preset.scales.max_side_px):
            coming = pool.submit(_measure, frame, before, shot, flow)
            if waiting is not None:
                yield waiting.result()
            waiting = coming
        if waiting is not None:
            yield waiting.result()


def _with_previous(
    frames: Iterable[Frame], shots: Sequence[Shot], max_side_px: int
) -> Iterator[tuple[Frame, Frame | None, int]]:
    """Each frame at working size, the one before it in the same shot, and the shot's number."""
    before: Frame | None = None
    number = 0
    for frame in frames:
        while number + 1 < len(shots) and frame.index >= shots[number].end:
            number, before = number + 1, None
        small = _at_working_size(frame, max_side_px)
        yield small, before, number
        before = small


def _at_working_size(frame: Frame, max_side_px: int) -> Frame:
    height, width = frame.pixels.shape[:2]
    size = working_size(Size(width, height), max_side_px)
    if size == (width, height):
        return frame
    small = cv2.resize(frame.pixels, size, interpolation=cv2.INTER_AREA)
    return Frame(frame.index, frame.pts, small)


def _measure(frame: Frame, before: Frame | None, shot: int, flow: DISFlow | None) -> _Prepared:
    if before is None:
        return _Prepared(frame, None, shot)
    if flow is None:
        height, width = frame.pixels.shape[:2]
        still = Motion(np.zeros((height, width, 2), np.float32), np.ones((height, width), np.float32))
        return _Prepared(frame, still, shot)
    return _Prepared(frame, flow(frame.pixels, before.pixels), shot)


def _is_warm(prepared: _Prepared, stylizer: Stylizer) -> bool:
    """Whether it goes on from the frame before, rather than from the full coarse-to-fine start.

    Where next to nothing of the warp can be trusted there is nothing to go on from: a cut that was not found, a flash.
    """
    if prepared.motion is None or stylizer.preset.video.warm_start == "none":
        return False
    return float(prepared.motion.reliability.mean()) >= LEAST_RELIABLE


def _stylize_one(prepared: _Prepared, last: Stylized | None, stylizer: Stylizer) -> Stylized:
    content = to_tensor(prepared.frame.pixels, stylizer.device)
    video = stylizer.preset.video
    if prepared.motion is None or last is None or not _is_warm(prepared, stylizer):
        return stylizer.stylize(content)
    state, temporal = carry(last, content, prepared.motion)
    targets = [temporal] if video.temporal_weight > 0 and video.warm_start == "flow" else []
    return stylizer.refine(content, state, targets)


def carry(result: Stylized, content: Tensor, motion: Motion) -> tuple[PixelState, TemporalTarget]:
    """The optimiser's whole state carried along the motion to the current frame, and the temporal target.

    Where the warp is unreliable the pixels are the content in the stylized surroundings' colours, and the
    moments are zero, so that such pixels are free to move.
    """
    device, state = content.device, result.state
    trusted = torch.from_numpy(motion.reliability)[None, None].to(device)
    # In the colours that are optimised: `result.image` may have got back those of the content.
    painted = state.result()
    stack = torch.cat([state.image, painted, state.average, state.mean, state.square], 1)
    moved = _warp_tensor(stack[:, :9], motion.backward, cv2.INTER_LANCZOS4, device)
    # Moments are not pictures: linear keeps the second one from ringing below zero.
    moments = _warp_tensor(stack[:, 9:], motion.backward, cv2.INTER_LINEAR, device)
    image, shown, average = moved[:, :3].clamp(0, 1), moved[:, 3:6].clamp(0, 1), moved[:, 6:]
    fill = _matched_fill(content, shown, trusted)
    weight = state.average_weight
    carried = PixelState(
        image=trusted * image + (1 - trusted) * fill,
        mean=trusted * moments[:, :3],
        square=(trusted * moments[:, 3:]).clamp_min(0),
        average=trusted * average + (1 - trusted) * fill * weight,
        step=state.step,
        average_weight=weight,
    )
    return carried, TemporalTarget(shown, trusted)


def _warp_tensor(tensor: Tensor, backward: FloatArray, interpolation: int, device: torch.device) -> Tensor:
    """1CHW warped on the CPU by OpenCV, at most four channels at a time."""
    pieces = [
        warp(
            np.ascontiguousarray(piece[0].permute(1, 2, 0).cpu().numpy()),
            backward,
            interpolation=interpolation,
        )
        for piece in torch.split(tensor, 3, dim=1)
    ]
    stacked = np.concatenate(pieces, axis=2).transpose(2, 0, 1)
    return torch.from_numpy(np.ascontiguousarray(stacked))[None].to(device)


def _matched_fill(content: Tensor, stylized: Tensor, trusted: Tensor) -> Tensor:
    """The content with its local mean colour moved to that of the trusted stylized pixels around."""

    def blurred(image: Tensor) -> Tensor:
        hwc = np.ascontiguousarray(image[0].permute(1, 2, 0).cpu().numpy())
        soft = cv2.GaussianBlur(hwc, (0, 0), FILL_SIGMA_PX, borderType=cv2.BORDER_REFLECT)
        soft = soft[..., None] if soft.ndim == 2 else soft
        return torch.from_numpy(np.ascontiguousarray(soft.transpose(2, 0, 1)))[None].to(image.device)

    if bool((trusted > 0.999).all()):
        return content
    weight = blurred(trusted)
    offset = blurred((stylized - content) * trusted) / (weight + 1e-3)
    return (content + offset).clamp(0, 1)
