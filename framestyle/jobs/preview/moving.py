"""A clip's preview that moves: the source on the left, stylized on the right."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Unpack

import numpy as np

from framestyle.context import SILENT, Context
from framestyle.errors import InputError
from framestyle.events import Event, FrameDone, JobDone, JobStarted, Note, TaskDone, TaskStarted, as_note
from framestyle.frames import Frame
from framestyle.jobs.plan.estimate import clip_plan
from framestyle.jobs.plan.survey import Survey, clip_reader, survey
from framestyle.jobs.plan.tasks import Task, codec_for
from framestyle.jobs.preview.pictures import Layers, eight_bits, in_sdr
from framestyle.jobs.preview.reduced import Reduced, reduced
from framestyle.jobs.preview.times import Estimate, Source, StepTimes, full_render, whole_source
from framestyle.jobs.resume.frame_store import DiskStore
from framestyle.jobs.run.clips import zero_s_of
from framestyle.jobs.run.provenance import provenance_of
from framestyle.jobs.run.queues import WriteBehind, read_ahead
from framestyle.kinds import MediaKind, TimeRange
from framestyle.mattes import with_masks
from framestyle.media.photos import with_hidden_filled
from framestyle.media.photos.alpha import shrunk
from framestyle.media.video.clips import clip_info
from framestyle.media.video.colors import Colors
from framestyle.media.video.description import exact_rate
from framestyle.media.video.sequences import numbering_of
from framestyle.media.video.writer import SourceStreams, VideoSettings, VideoWriter
from framestyle.motion.excerpts import excerpts
from framestyle.motion.sequence import stylize_frames
from framestyle.motion.shots import Shot
from framestyle.nst.image import Size
from framestyle.opening import SessionOptions
from framestyle.presets import Preset
from framestyle.presets.instants import Timeline
from framestyle.session import Session

SECONDS = 3
"""How much is shown where no range is chosen."""


@dataclass(frozen=True)
class Moving:
    """What was made, and what the whole would take."""

    done: TaskDone
    size: Size
    parts_s: tuple[tuple[Fraction, Fraction], ...]
    """From where to where, in the source."""
    source: Source
    render: Estimate | None


def preview_clip(
    task: Task,
    span: TimeRange,
    preset: Preset,
    side_px: int,
    *,
    context: Context = SILENT,
    **options: Unpack[SessionOptions],
) -> Moving:
    """The range, or a few seconds of the longest shots where there is none, beside itself stylized.

    `weights`, `device` and `seed` are those of the command line.
    """
    times = StepTimes()
    context = context.also(times)
    info = clip_info(task.source, sequence_rate=exact_rate(preset.video.sequence_rate))
    size = reduced(preset, Size(info.width, info.height), side_px)
    if not size.on_the_way:
        context.on_event(
            Note(f"{preset.name} has no scale near {side_px} px: the render can look finer.", "warning")
        )
    session = Session.open(size.preset, context=context, clips=True, masks_follow=False, **options)
    found = survey(task.source, span, in_sdr(preset), context)
    chosen: Sequence[Shot] = found.shots
    if span.is_all:
        chosen = excerpts(found.shots, round(SECONDS * info.frame_rate))
    shown = sum(shot.frames for shot in chosen)
    frames = shown * preset.video.painted_times
    target = str(task.target)
    context.on_event(
        JobStarted((str(task.source),), target, preset.name, session.weights, session.device, 1, frames)
    )
    context.on_event(clip_plan(str(task.source), session.preset, size.size, shown, len(chosen)))
    done = _render(task, found, chosen, span, size, session, context)
    context.on_event(done)
    context.on_event(JobDone((target,), (), done.frames, done.seconds, done.steps))
    source = whole_source(found, span)
    rate = info.frame_rate
    parts = tuple((shot.first / rate, shot.end / rate) for shot in chosen)
    return Moving(done, size.size, parts, source, full_render(preset, [source], times))


def _render(
    task: Task,
    found: Survey,
    chosen: Sequence[Shot],
    span: TimeRange,
    size: Reduced,
    session: Session,
    context: Context,
) -> TaskDone:
    started = time.perf_counter()
    width, height = size.size
    total = sum(shot.frames for shot in chosen)
    passes = session.preset.video.painted_times
    context.on_event(
        TaskStarted(str(task.source), MediaKind.VIDEO, 0, total, len(chosen), width, height, passes)
    )
    reader = clip_reader(task.source, span, in_sdr(session.preset))
    zero_s = zero_s_of(found, span) if total == found.frames else None
    writer = _writer(task, found, span, size.size, reader.colors, zero_s, session)
    steps = shown = 0

    def count(event: Event) -> None:
        nonlocal steps
        if isinstance(event, FrameDone):
            steps += event.steps

    waiting: deque[Layers] = deque()
    with (
        reader,
        closing(read_ahead(_those_in(reader, chosen))) as decoded,
        closing(with_masks(decoded, session.preset, task.source)) as frames,
        writer,
        WriteBehind(writer) as encoder,
        TemporaryDirectory(dir=task.target.parent, prefix=".framestyle-frames-") as beside,
        closing(
            stylize_frames(
                _small(frames, size.size, waiting),
                chosen,
                session.stylizer_for(task.source),
                flow=session.flow,
                store=DiskStore(Path(beside)),
                context=context.also(count),
                timeline=Timeline.of(session.preset, found.timeline_s, 1 / found.info.frame_rate),
            )
        ) as stylized,
    ):
        for frame in stylized:
            pixels, alpha = waiting.popleft()
            both = np.concatenate([eight_bits(pixels, alpha), eight_bits(frame.pixels, alpha)], axis=1)
            # Parts are shown one after another, a whole range at its own times.
            encoder.put(both[: _even(height)], None if zero_s is None else frame.pts - zero_s)
            shown += 1
        if shown < total:
            raise InputError(
                f"{task.source} gave {total} frames at first, and only {shown} when they were previewed",
                next_step="Check that the file is whole, then give the same command.",
            )
    for note in writer.notes:
        context.on_event(as_note(note))
    seconds = time.perf_counter() - started
    return TaskDone(str(task.source), str(task.target), total, task.target.stat().st_size, seconds, steps)


def _writer(
    task: Task,
    found: Survey,
    span: TimeRange,
    size: Size,
    colors: Colors,
    zero_s: Fraction | None,
    session: Session,
) -> VideoWriter:
    """`zero_s`: when the first picture was shown, where they are all there; times and sound then go with them."""
    streams = time_base = last_frame = None
    if zero_s is not None:
        time_base = found.time_base
        last_frame = found.last_frame and (found.last_frame[0] - zero_s, found.last_frame[1])
        if numbering_of(task.source) is None:
            streams = SourceStreams(task.source, span.from_frame(found.first_s))
    return VideoWriter(
        task.target,
        width=2 * size.width,
        height=_even(size.height),
        frame_rate=found.info.frame_rate,
        settings=VideoSettings(codec_for(task.target) or "h264"),
        source=streams,
        sample_aspect_ratio=found.info.sample_aspect_ratio,
        metadata=provenance_of(session),
        time_base=time_base,
        last_frame=last_frame,
        colors=colors,
    )


def _even(side_px: int) -> int:
    """Players want even sides."""
    return side_px - side_px % 2


def _those_in(frames: Iterable[Frame], chosen: Sequence[Shot]) -> Iterator[Frame]:
    """The frames of the chosen parts; nothing is decoded beyond them."""
    for frame in frames:
        if frame.index >= chosen[-1].end:
            return
        if any(shot.first <= frame.index < shot.end for shot in chosen):
            yield frame


def _small(frames: Iterable[Frame], size: Size, waiting: deque[Layers]) -> Iterator[Frame]:
    """At the preview's size, without transparency; `waiting` keeps each as it was."""
    for frame in frames:
        pixels, alpha = shrunk(frame.pixels, frame.alpha, size)
        waiting.append((pixels, alpha))
        yield replace(frame, pixels=with_hidden_filled(pixels, alpha), alpha=None)
