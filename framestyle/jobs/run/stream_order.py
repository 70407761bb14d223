"""What is asked of a stream: one clip and one preset, pipes on one side or both. Refused before anything is read."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from framestyle.errors import Code, OutputError, UsageError
from framestyle.jobs.plan.inputs import gather
from framestyle.jobs.run.batch import Order
from framestyle.kinds import WHOLE_CLIP, MediaKind, TimeRange
from framestyle.media.pipes.stream import ColorTags
from framestyle.media.pipes.writer import MATROSKA
from framestyle.media.video.codecs import check_container
from framestyle.media.video.sequences import numbering_of
from framestyle.media.writable import check_writable
from framestyle.presets import Preset
from framestyle.resolve import render_spec
from framestyle.spec import RenderSpec


@dataclass(frozen=True)
class StreamOrder:
    """What is to be painted. `source` and `target` are paths or, for pipes, descriptors, which stay open.

    `carrier`: `media.pipes.writer.MATROSKA` or `Y4M`, for a target that is a pipe. `tags`: what is known of the colours
    of a source that is one.
    """

    source: Path | int
    target: Path | int
    spec: RenderSpec
    carrier: str = MATROSKA
    tags: ColorTags = field(default_factory=ColorTags)
    span: TimeRange = WHOLE_CLIP
    weights: str = "auto"
    device: str = "auto"
    memory_limit_bytes: int | None = None


@dataclass(frozen=True)
class Pipes:
    """Which side of an order is a pipe, by its descriptor, and what is known of them; None: the order's own path."""

    source: int | None = None
    target: int | None = None
    carrier: str = MATROSKA
    tags: ColorTags = field(default_factory=ColorTags)


def stream_order(order: Order, pipes: Pipes) -> StreamOrder:
    """The order as a stream's. UsageError, InputError and OutputError for what cannot be; nothing is read yet."""
    if len(order.inputs) != 1 or len(order.presets) != 1:
        raise UsageError(
            "frames go through a pipe one clip at a time, in one preset",
            next_step="Give the command once for each.",
        )
    if order.engine != "local":
        raise UsageError(
            "what comes through a pipe is painted where it comes out, not elsewhere",
            code=Code.STREAM_ONCE,
            next_step="Save the clip to a file, and name that.",
        )
    (preset,) = order.presets
    check_streamable(preset)
    source = _clip(order.inputs[0]) if pipes.source is None else pipes.source
    if pipes.target is None:
        _check_target(order, preset)
    return StreamOrder(
        source,
        order.output if pipes.target is None else pipes.target,
        render_spec(preset, weights=order.weights, seed=order.seed, span=order.span),
        pipes.carrier,
        pipes.tags,
        order.span,
        order.weights,
        order.device,
        order.memory_limit_bytes,
    )


def check_streamable(preset: Preset) -> None:
    """UsageError where a preset needs more than one look at the frames."""
    if preset.video.painted_times > 1:
        raise UsageError(
            f"preset {preset.name!r} goes over each shot twice, and what comes through a pipe passes once",
            code=Code.STREAM_ONCE,
            next_step="Set video.passes to 1, or save the clip to a file, and name that.",
        )


def _clip(path: Path) -> Path:
    inputs = gather([path], one_clip=True)
    if not inputs.found:
        raise inputs.unusable[0].error
    found = inputs.found[0]
    if len(inputs.found) > 1 or inputs.unusable or found.kind is MediaKind.PHOTO:
        raise UsageError(
            f"{path} is no clip, and only a clip's frames go through a pipe",
            next_step="Name a clip or an image sequence.",
        )
    return found.path


def _check_target(order: Order, preset: Preset) -> None:
    target = order.output
    if order.into_folder or target.is_dir():
        raise OutputError(
            f"{target} is a folder, and is to be a file",
            code=Code.OUTPUT_IS_FOLDER,
            facts={"path": str(target)},
        )
    if numbering_of(target) is not None:
        raise UsageError(
            f"{target} is an image sequence, whose numbers a pipe does not tell",
            next_step="Name a video file.",
        )
    check_container(preset.output.video_codec, target)
    if os.path.lexists(target) and not order.overwrite:
        raise OutputError(
            f"{target} exists already",
            code=Code.OUTPUT_EXISTS,
            facts={"path": str(target), "outputs": 1},
        )
    check_writable(target)
