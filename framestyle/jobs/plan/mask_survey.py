"""A moving mask looked through before the work, as its clip is: what would fail at a frame fails here. No torch."""

from __future__ import annotations

import hashlib
from fractions import Fraction
from pathlib import Path

from framestyle.context import Context
from framestyle.events import Preparing
from framestyle.jobs.plan.survey_cache import keep_survey, kept_survey, survey_key
from framestyle.kinds import WHOLE_CLIP
from framestyle.masks import moving_mask
from framestyle.mattes import (
    HALF_TICK_S,
    MaskCheck,
    begins_late,
    ends_early,
    mask_of_alpha,
    mask_start_s,
    open_mask,
)
from framestyle.media.video.probe import VideoInfo
from framestyle.presets import Preset
from framestyle.presets.paths import ALPHA_MASK

GOOD = "good"


Moment = tuple[int, Fraction]
"""A frame's index, and when it is shown."""


def survey_mask(
    preset: Preset,
    source: Path,
    info: VideoInfo,
    context: Context,
    first: Moment = (0, Fraction(0)),
    last: Moment | None = None,
) -> None:
    """Looks through the mask of a clip, where it has one that moves: once, as long as neither changes.

    `first`, `last`: of the frames that are to be painted; None: not known, as of a stream. InputError where the mask
    begins too late, is too short, of another shape, or shows colours that no style image is for; with the frame's time.
    """
    if preset.style.mask == ALPHA_MASK:
        if not info.has_alpha:
            mask_of_alpha(None, source)
        return
    path = moving_mask(preset, source)
    if path is None:
        return
    reader = open_mask(path, preset)
    aspect = Fraction(info.width, info.height) * info.sample_aspect_ratio
    check = MaskCheck(preset, source, aspect)
    check.shape(path, reader)
    if first[1] < mask_start_s(preset) - HALF_TICK_S:
        raise begins_late(path, source, *first, mask_start_s(preset))
    key = _key(survey_key(reader.info, WHOLE_CLIP, preset), preset, source, aspect, last)
    if kept_survey(key) == GOOD:
        return
    start_s, pts = mask_start_s(preset), Fraction(0)
    with reader:
        for frame in reader:
            context.check_cancelled()
            pts = frame.pts
            if last is not None and pts + start_s > last[1] + HALF_TICK_S:
                break
            check.colors(path, frame)
            expected = reader.info.frame_count_estimate
            if expected and frame.index % 50 == 0:
                context.on_event(Preparing("mask", min(1.0, frame.index / expected), str(path)))
    end_s = pts + 1 / reader.info.frame_rate + start_s
    if last is not None and last[1] >= end_s - HALF_TICK_S:
        raise ends_early(path, source, *last, end_s)
    keep_survey(key, GOOD)


def _key(
    of_mask: str | None, preset: Preset, source: Path, aspect: Fraction, last: Moment | None
) -> str | None:
    """Others as soon as the mask, or what is asked of it, is another."""
    if of_mask is None:
        return None
    told = [str(one) for one in (of_mask, source, aspect, last, preset.style.mask_start)]
    told += [str(image.region_color) for image in preset.style.images]
    return hashlib.sha256("\n".join(told).encode()).hexdigest()
