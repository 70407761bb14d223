"""How large, how long, how much disk: told before the work, without torch, and nearly without decoding."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from math import ceil
from pathlib import Path

from framestyle.errors import FramestyleError
from framestyle.events import TaskPlanned
from framestyle.jobs.plan.tasks import Task
from framestyle.kinds import WHOLE_CLIP, MediaKind, TimeRange
from framestyle.media.photos import FORMATS, check_holds, photo_hdr, photo_size
from framestyle.media.video.clips import clip_info
from framestyle.media.video.description import exact_rate
from framestyle.media.video.probe import VideoInfo
from framestyle.media.video.sequences import numbering_of
from framestyle.nst.sizes import Size, fit_within, steps_by_scale
from framestyle.presets import Preset

BYTES_PER_PIXEL = {
    "JPEG": 1.2, "PNG": 2.6, "WEBP": 2.0, "TIFF": 2.8, "BMP": 3.0, "AVIF": 0.9, "HEIF": 0.9,
}  # fmt: skip
"""Of painted photos at 8 bits and the default quality: strokes are harder to pack than skies."""
BYTES_PER_FRAME_PIXEL = {
    "h264": 0.4, "h265": 0.3, "vp9": 0.3, "av1": 0.25, "prores": 0.8, "dnxhr": 0.8, "ffv1": 1.9, "gif": 0.8,
    "webp": 0.8, "apng": 2.0,
}  # fmt: skip
ROUGHER = {"draft": 0.25, "good": 0.5}
"""The named qualities below the default, as parts of it."""
WAITING_BYTES_PER_PIXEL = 11.0
"""Of a frame that waits for a second pass: its pixels, its result at 16 bits, the steps behind each pixel."""


@dataclass(frozen=True)
class Estimate:
    """Of one task. `megapixel_steps`: steps times megapixels, the most that may be taken.

    `work_bytes`: what is needed besides until it is done.
    """

    was: Size
    becomes: Size
    frames: int
    megapixel_steps: float
    size_bytes: float
    work_bytes: float = 0.0


def estimate(task: Task, preset: Preset, span: TimeRange) -> Estimate:
    """InputError where the input cannot be read, OutputError where its result could not be written."""
    return _photo(task, preset) if task.kind is MediaKind.PHOTO else _clip(task, preset, span)


def _photo(task: Task, preset: Preset) -> Estimate:
    was = Size(*photo_size(task.source))
    if preset.output.hdr == "keep":
        check_holds(task.target, photo_hdr(task.source))
    becomes = fit_within(was, preset.scales.max_side_px)
    size = BYTES_PER_PIXEL[FORMATS[task.target.suffix.lower()]] * becomes.area_px
    return Estimate(was, becomes, 1, _whole(preset, becomes), size)


def _clip(task: Task, preset: Preset, span: TimeRange) -> Estimate:
    info = clip_info(task.source, sequence_rate=exact_rate(preset.video.sequence_rate))
    was = Size(info.width, info.height)
    becomes = fit_within(was, preset.scales.max_side_px)
    frames = frames_expected(info, span)
    warm = preset.video.warm_steps * becomes.area_px / 1e6
    if preset.video.warm_start == "none":
        warm = _whole(preset, becomes)
    steps = _whole(preset, becomes) + (frames * preset.video.painted_times - 1) * warm
    return Estimate(was, becomes, frames, steps, *clip_bytes_expected(task.target, preset, becomes, frames))


def clip_bytes_expected(target: Path, preset: Preset, size: Size, frames: int) -> tuple[float, float]:
    """Of a result, and of its work folder while it is made."""
    if numbering_of(target) is not None:
        each = BYTES_PER_PIXEL[FORMATS[target.suffix.lower()]]
    else:
        each = BYTES_PER_FRAME_PIXEL[preset.output.video_codec] * ROUGHER.get(str(preset.output.quality), 1.0)
    laid_by = BYTES_PER_FRAME_PIXEL["ffv1"]
    if preset.video.painted_times > 1:
        laid_by += WAITING_BYTES_PER_PIXEL  # for the longest shot; that may be all of it
    return each * size.area_px * frames, laid_by * size.area_px * frames


def photo_plan(path: str, preset: Preset, size: Size, at_once: int = 1) -> TaskPlanned:
    """The steps of a photo that becomes `size`; `at_once`: how many such photos are painted beside each other."""
    steps = sum(steps for _, steps in steps_by_scale(size, preset.scales))
    return TaskPlanned(path, *size, 1, steps, _whole(preset, size), at_once=at_once)


def clip_plan(path: str, preset: Preset, size: Size, frames: int, shots: int) -> TaskPlanned:
    """The steps of a clip of so many frames and shots, whose frames become `size`."""
    video, photo = preset.video, photo_plan(path, preset, size)
    if video.warm_start == "none":
        return replace(photo, first_frames=frames)
    # An improvement below a tolerance of 0 is a loss that rises: next to none stop there.
    least = min(video.min_steps, video.steps) if video.tolerance > 0 else video.steps
    gap = video.frames_a_key_frame
    return replace(
        photo,
        first_frames=shots,
        warm_frames=frames * video.painted_times - shots,
        warm_steps=ceil(video.warm_steps),
        warm_least_steps=least // gap,
        key_frame_gap=gap,
    )


def shot_work(preset: Preset, size: Size, frames: int) -> float:
    """Megapixel steps of a shot, at most: what shots are weighed by against each other."""
    plan = clip_plan("", preset, size, frames, 1)
    return (
        plan.first_frames * plan.first_megapixel_steps
        + plan.warm_frames * plan.warm_steps * size.area_px / 1e6
    )


def photo_work(preset: Preset, size: Size) -> float:
    """Megapixel steps of a photo: what photos are weighed by against each other."""
    return _whole(preset, size)


def photo_size_painted(source: Path, preset: Preset) -> Size | None:
    """At which a photo is painted; None where its file does not say."""
    try:
        return fit_within(Size(*photo_size(source)), preset.scales.max_side_px)
    except FramestyleError:
        return None


def _whole(preset: Preset, size: Size) -> float:
    """Megapixel steps of a picture made from its beginning, over all scales."""
    return sum(steps * scale.area_px for scale, steps in steps_by_scale(size, preset.scales)) / 1e6


def frames_expected(info: VideoInfo, span: TimeRange = WHOLE_CLIP) -> int:
    """By what the file says of itself; at least one."""
    length = info.duration_s
    if length is None:
        length = Fraction(info.frame_count_estimate or 1) / info.frame_rate
    end = length if span.end_s is None else min(span.end_s, length)
    frames = max(1, round((end - (span.start_s or 0)) * info.frame_rate))
    # Fewer where not every tick has one: variable rates, gaps in a sequence's numbers.
    return min(frames, info.frame_count_estimate or frames)
