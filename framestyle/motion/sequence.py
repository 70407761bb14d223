"""Frames in, stylized frames out: the hub. Knows no files; every door brings frames to it.

Each frame of a shot starts from the last result, warped along the optical flow, with Adam's moments carried
along; where the warp cannot be trusted it starts from the content instead. A shot starts afresh.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from torch import Tensor

from framestyle.events import FrameDone, OnEvent, ShotStarted, ignore
from framestyle.frames import Frame
from framestyle.motion.flow import FloatArray, Motion, OpticalFlow, warp
from framestyle.motion.methods import make_flow
from framestyle.motion.shots import Shot
from framestyle.nst.image import Size, fit_within, to_pixels, to_tensor
from framestyle.nst.optim import PixelState
from framestyle.nst.stylizer import Stylized, Stylizer, TemporalTarget
from framestyle.presets import Preset

FILL_SIGMA_PX = 12.0
"""How far colours are gathered from the reliable surroundings when disoccluded content is matched to them."""
LEAST_RELIABLE = 0.2
"""Share of the frame that must be reached from the frame before; below it the frame starts afresh.

On hand-held and chase footage cuts reached 0.00 to 0.14, the fastest motion 0.43."""

Motions = Mapping[int, Motion]
"""Distance in frames -> the motion from that much earlier frame of the same shot, nearest first."""


@dataclass(frozen=True, eq=False)
class _Prepared:
    """A frame at working size, and its motion from frames before it in the same shot (none: a shot starts)."""

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


@dataclass(frozen=True, eq=False)
class Painted:
    """A finished frame, and how many steps each of its pixels has had since it came into the picture, 11HW."""

    result: Stylized
    settled: Tensor


def working_size(size: Size, max_side_px: int) -> Size:
    """The size at which frames are optimised and delivered."""
    return fit_within(size, max_side_px)


def stylize_frames(
    frames: Iterable[Frame],
    shots: Sequence[Shot],
    stylizer: Stylizer,
    *,
    flow: OpticalFlow | None = None,
    on_event: OnEvent = ignore,
) -> Generator[Frame, None, None]:
    """Each frame stylized, in order, at the preset's size; index and pts as they came, pixels uint8.

    `shots` must cover the frames' indices. Flow for the coming frame is computed on another thread while the
    device optimises this one. `flow`: what measures it; None: made as the preset says (WeightsError where it says raft
    and the weights are missing, before the first frame is taken).
    """
    done: deque[Painted] = deque(maxlen=_farthest(stylizer.preset))
    for prepared in _prepare(frames, shots, stylizer, flow):
        if not prepared.motions:
            done.clear()
            shot = shots[prepared.shot]
            on_event(ShotStarted(prepared.shot, shot.first, shot.frames))
        started = time.perf_counter()
        base = _warm_from(prepared, stylizer)
        painted = _stylize_one(prepared, base, done, stylizer)
        done.appendleft(painted)
        result = painted.result
        pixels = to_pixels(result.image)
        seconds = time.perf_counter() - started
        warm = base is not None
        on_event(FrameDone(prepared.frame.index, prepared.shot, result.steps, seconds, result.loss, warm))
        yield Frame(prepared.frame.index, prepared.frame.pts, pixels)


def _farthest(preset: Preset) -> int:
    """How many earlier results a frame may need."""
    return max(preset.video.long_term) if preset.video.warm_start == "flow" else 1


def _prepare(
    frames: Iterable[Frame], shots: Sequence[Shot], stylizer: Stylizer, flow: OpticalFlow | None
) -> Iterator[_Prepared]:
    """Frames with their motion, one ahead of the consumer."""
    video = stylizer.preset.video
    wanted = video.warm_start == "flow" and not stylizer.is_identity
    method = (flow or make_flow(video, stylizer.device)) if wanted else None
    distances = sorted({1, *video.long_term}) if wanted else [1]
    with ThreadPoolExecutor(1, thread_name_prefix="flow") as pool:
        waiting: Future[_Prepared] | None = None
        for frame, before, shot in _with_previous(
            frames, shots, stylizer.preset.scales.max_side_px, distances
        ):
            coming = pool.submit(_measure, frame, before, shot, method)
            if waiting is not None:
                yield waiting.result()
            waiting = coming
        if waiting is not None:
            yield waiting.result()


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
    return Frame(frame.index, frame.pts, small)


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
    preset = stylizer.preset
    if base is None:
        result = stylizer.stylize(content)
        return Painted(result, torch.full_like(content[:, :1], float(preset.scales.steps)))
    before, motion, video = done[base - 1], prepared.motions[base], preset.video
    state = carry(
        before.result.state, content, motion, moments=video.carry_moments, average=video.carry_average
    )
    targets: list[TemporalTarget] = []
    if video.temporal_weight > 0 and video.warm_start == "flow":
        wanted = {far: one for far, one in prepared.motions.items() if far in video.long_term}
        targets = temporal_targets(done, wanted, preset.scales.steps)
    result = stylizer.refine(content, state, targets)
    return Painted(result, _carried_settled(before, motion) + result.steps)


def _carried_settled(before: Painted, motion: Motion) -> Tensor:
    trusted = torch.from_numpy(motion.reliability)[None, None].to(before.settled.device)
    return trusted * _warp_tensor(before.settled, motion.backward, cv2.INTER_LINEAR, before.settled.device)


def carry(
    state: PixelState, content: Tensor, motion: Motion, *, moments: bool = True, average: bool = True
) -> PixelState:
    """The optimiser's whole state carried along the motion to the current frame.

    Where the warp is unreliable the pixels are the content in the stylized surroundings' colours, and the
    moments are zero, so that such pixels are free to move. Without `moments` Adam starts anew from the warped pixels;
    without `average` so does the average of the iterates.
    """
    device = content.device
    trusted = torch.from_numpy(motion.reliability)[None, None].to(device)
    # The pixels that are optimised: a result may have got back the content's colours.
    stack = torch.cat([state.image, state.result(), state.average], 1)
    moved = _warp_tensor(stack, motion.backward, cv2.INTER_LANCZOS4, device)
    image, shown, averaged = moved[:, :3].clamp(0, 1), moved[:, 3:6].clamp(0, 1), moved[:, 6:]
    fill = _matched_fill(content, shown, trusted)
    if not average:
        # What was shown is the average; the iterate beside it is noisier.
        carried = PixelState.start(trusted * shown + (1 - trusted) * fill)
    else:
        weight = state.average_weight
        carried = PixelState.start(trusted * image + (1 - trusted) * fill)
        carried.average = trusted * averaged + (1 - trusted) * fill * weight
        carried.average_weight = weight
    if moments:
        # Moments are not pictures: linear keeps the second one from ringing below zero.
        both = torch.cat([state.mean, state.square], 1)
        warped = trusted * _warp_tensor(both, motion.backward, cv2.INTER_LINEAR, device)
        carried.mean, carried.square, carried.step = warped[:, :3], warped[:, 3:].clamp_min(0), state.step
    return carried


def temporal_targets(done: Sequence[Painted], motions: Motions, settled_steps: int) -> list[TemporalTarget]:
    """What the frame should stay near: earlier frames (`done`, latest first) warped to it.

    Each counts only where no nearer one does: c_long(j) = max(c(j) - Σ_{k<j} c(k), 0) (Ruder 2016, eq. 9), so that what
    comes out from behind something looks as it did before. Beyond the paper, a pixel counts in full only after
    `settled_steps`: one that came into the picture lately is half painted, and would be held so.
    """
    targets: list[TemporalTarget] = []
    nearer = torch.zeros(())
    for distance, motion in sorted(motions.items()):
        painted = done[distance - 1]
        device = painted.settled.device
        shown = _warp_tensor(painted.result.state.result(), motion.backward, cv2.INTER_LANCZOS4, device)
        trusted = torch.from_numpy(motion.reliability)[None, None]
        share = (_carried_settled(painted, motion) / max(1, settled_steps)).clamp(0, 1)
        weight = (trusted - nearer).clamp_min(0).to(device)
        targets.append(TemporalTarget(shown.clamp(0, 1), weight * share))
        nearer = nearer + trusted
    return targets


def _warp_tensor(tensor: Tensor, backward: FloatArray, interpolation: int, device: torch.device) -> Tensor:
    """1CHW warped on the CPU by OpenCV, at most four channels at a time."""
    pieces = []
    for piece in torch.split(tensor, 3, dim=1):
        hwc = np.ascontiguousarray(piece[0].permute(1, 2, 0).cpu().numpy())
        # OpenCV drops the axis of a single channel.
        pieces.append(warp(hwc, backward, interpolation=interpolation).reshape(*backward.shape[:2], -1))
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
