"""What a run refuses before its first step, for those who only ask: the same errors, and nothing that takes long.

Nothing is fetched or learned, no clip is decoded, and torch is loaded only for what cannot be told without it.
"""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

from framestyle.errors import Code, InputError
from framestyle.jobs.plan.tasks import Task
from framestyle.jobs.plan.timeline_times import photo_instant
from framestyle.kinds import MediaKind, TimeRange
from framestyle.masks import mask_of, moving_mask
from framestyle.mattes import MaskCheck, mask_of_alpha, open_mask, refuse_for_photo
from framestyle.media.photos import read_style_image
from framestyle.media.video.clips import clip_info
from framestyle.media.video.codecs import VideoSettings
from framestyle.media.video.description import exact_rate
from framestyle.media.video.encoding import choose_encoding
from framestyle.media.video.probe import VideoInfo
from framestyle.media.video.sequences import numbering_of
from framestyle.nst.sizes import Size, fit_within
from framestyle.nst.weights.catalog import check_layers, check_weights
from framestyle.presets import Preset
from framestyle.presets.paths import ALPHA_MASK
from framestyle.registries import INITS

WITHOUT_TORCH = {"auto", "cpu"}
"""Devices that are always there."""


def refuse_job(preset: Preset, weights: str, device: str, *, clips: bool) -> None:
    """The errors of a session that would be opened for it: its device, weights, and the pictures that it names."""
    if device not in WITHOUT_TORCH:
        from framestyle.nst.devices import choose_device

        choose_device(device)
    if clips and preset.video.warm_start == "flow" and preset.video.flow != "dis":
        from framestyle.motion.methods import make_flow

        make_flow(preset.video, "cpu")
    check_weights(weights)
    check_layers(weights, (*preset.style.layers, *preset.content.layers))
    init = preset.optimizer.init
    for path in (*(image.path for image in preset.style.images), *([] if init in INITS else [init])):
        read_style_image(Path(path))
    mask_of(preset, None)


def refuse_task(task: Task, preset: Preset, span: TimeRange) -> None:
    """The errors of one task: its mask, its range, how it is to be encoded."""
    mask_of(preset, task.source)
    if task.kind is MediaKind.PHOTO:
        refuse_for_photo(preset, task.source)
        photo_instant(preset, task.source, task.share)
    if task.kind is MediaKind.VIDEO:
        info = clip_info(task.source, sequence_rate=exact_rate(preset.video.sequence_rate))
        _refuse_range(info, span)
        _refuse_mask(task.source, preset, info)
        if numbering_of(task.target) is None:
            _refuse_encoding(task, preset, info)


def _refuse_mask(source: Path, preset: Preset, info: VideoInfo) -> None:
    """As far as the heads of both files tell: the rest is found when the clip is surveyed."""
    if preset.style.mask == ALPHA_MASK and not info.has_alpha:
        mask_of_alpha(None, source)
    path = moving_mask(preset, source)
    if path is not None:
        aspect = Fraction(info.width, info.height) * info.sample_aspect_ratio
        MaskCheck(preset, source, aspect).shape(path, open_mask(path, preset))


def _refuse_range(info: VideoInfo, span: TimeRange) -> None:
    """Where it begins after the clip's end, as far as the file tells that without being decoded."""
    if span.start_s is not None and info.duration_s is not None and span.start_s >= info.duration_s:
        raise InputError(
            f"{info.path} has no frames in the chosen range",
            code=Code.RANGE_EMPTY,
            facts={"path": str(info.path)},
        )


def _refuse_encoding(task: Task, preset: Preset, info: VideoInfo) -> None:
    output = preset.output
    size = fit_within(Size(info.width, info.height), preset.scales.max_side_px)
    choose_encoding(
        VideoSettings(output.video_codec, output.quality, output.bit_depth, output.hardware),
        task.target,
        *size,
        bits=info.bit_depth,
        alpha=info.has_alpha,
        hdr=info.colors.hdr if output.hdr == "keep" else None,
    )
