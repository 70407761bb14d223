"""A clip that comes or goes through a pipe: read once, in order, its cuts found on the way, written as it is painted.

Nothing is laid by: a stream cannot be had again. What would need a second look at it is refused before the first.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import replace
from fractions import Fraction
from math import lcm
from pathlib import Path

import cv2
import torch

from framestyle.context import SILENT, Context
from framestyle.errors import Code, InputError
from framestyle.events import Event, FrameDone, JobDone, Note, TaskDone, TaskStarted, as_note
from framestyle.frames import Alpha, Frame
from framestyle.jobs.plan.estimate import clip_plan
from framestyle.jobs.plan.mask_survey import survey_mask
from framestyle.jobs.plan.tasks import Task
from framestyle.jobs.plan.timeline_times import ClipTimes, point_times
from framestyle.jobs.run.interrupts import held_back
from framestyle.jobs.run.provenance import provenance_of
from framestyle.jobs.run.queues import WriteBehind, read_ahead
from framestyle.jobs.run.reporting import NOTHING, JobDescription, closing_event, starting_events
from framestyle.jobs.run.stream_order import StreamOrder
from framestyle.kinds import MediaKind
from framestyle.mattes import with_masks
from framestyle.media.photos import with_hidden_filled
from framestyle.media.pipes.stream import StreamOrigin
from framestyle.media.pipes.writer import Y4M, PipeWriter, closed_by_reader, reader_is_gone
from framestyle.media.video.clips import open_clip
from framestyle.media.video.description import exact_rate
from framestyle.media.video.protocols import FrameReader, FrameWriter
from framestyle.media.video.reader import VideoReader
from framestyle.media.video.writer import VideoSettings, VideoWriter
from framestyle.motion.sequence import FramePainter, working_size
from framestyle.motion.shots import Shot, with_cuts
from framestyle.nst.image import Size
from framestyle.presets.instants import Timeline
from framestyle.session import Session

FINEST_BASE = 1_000_000
"""No file is counted finer than in microseconds."""


def paint_stream(order: StreamOrder, context: Context = SILENT) -> JobDone:
    """The clip painted, from its first frame to its last; JobDone when it is all in the pipe or in its place.

    Raises InputError where the stream is none or ends in the middle, Cancelled where nobody reads the result any more.
    """
    if isinstance(order.target, int):
        context = _until_reader_leaves(order.target, context)
    with ExitStack() as stack:
        origin = StreamOrigin(order.source, order.tags) if isinstance(order.source, int) else None
        if origin is not None:
            stack.enter_context(closing(origin))
        reader = _reader(order, origin)
        session = stack.enter_context(
            Session(
                order.spec,
                context,
                device=order.device,
                clips=True,
                masks_follow=False,
                memory_limit_bytes=order.memory_limit_bytes,
                asked_weights=order.weights,
            )
        )
        return _Stream(order, reader, origin, session).paint(context)


def _until_reader_leaves(descriptor: int, context: Context) -> Context:
    """Asked before each step: a result that nobody reads is not painted on."""
    frames = 0

    def count(event: Event) -> None:
        nonlocal frames
        frames += isinstance(event, FrameDone)

    def check() -> None:
        context.check_cancelled()
        if reader_is_gone(descriptor):
            raise closed_by_reader(frames)

    return replace(context, check_cancelled=check).also(count)


def _reader(order: StreamOrder, origin: StreamOrigin | None) -> FrameReader:
    preset = order.spec.preset
    tone_map = preset.output.hdr == "tonemap"
    if origin is not None:
        return VideoReader(origin, order.span, tone_map=tone_map)
    assert isinstance(order.source, Path)
    rate = exact_rate(preset.video.sequence_rate)
    return open_clip(order.source, order.span, tone_map=tone_map, sequence_rate=rate)


def exact_tick(frame_rate: Fraction, time_base: Fraction) -> Fraction:
    """In which both the frames of a constant rate and the source's own times are whole numbers, where there is one."""
    ticks = lcm(frame_rate.numerator, time_base.denominator)
    return Fraction(1, ticks) if ticks <= FINEST_BASE else time_base


class _Stream:
    """One clip on its way."""

    def __init__(
        self, order: StreamOrder, reader: FrameReader, origin: StreamOrigin | None, session: Session
    ) -> None:
        info = reader.info
        self._order, self._reader, self._origin, self._session = order, reader, origin, session
        self._size = working_size(Size(info.width, info.height), session.preset.scales.max_side_px)
        self._expected = (info.frame_count_estimate or 0) if order.span.is_all else 0
        self._zero_s = Fraction(0)
        self._timeline: Timeline | None = None
        self._alphas: dict[int, Alpha] = {}
        self._frames = self._steps = 0

    @property
    def _names(self) -> tuple[str, str]:
        """As the command has them."""
        source, target = (
            str(one) if isinstance(one, Path) else "-" for one in (self._order.source, self._order.target)
        )
        return source, target

    def paint(self, context: Context) -> JobDone:
        started, (source, target) = time.perf_counter(), self._names
        writer = self._writer()
        description = JobDescription(
            target, self._session.preset.name, self._session.weights, self._session.device
        )
        task = Task(MediaKind.VIDEO, Path(source), Path(target))
        for event in starting_events(description, (task,), self._expected, NOTHING):
            context.on_event(event)
        if self._expected:
            context.on_event(clip_plan(source, self._session.preset, self._size, self._expected, 1))
        context.on_event(TaskStarted(source, MediaKind.VIDEO, 0, self._expected, 0, *self._size))
        self._report_before(writer, context)
        preset, info = self._session.preset, self._reader.info
        survey_mask(preset, info.path, info, context)
        times_s, _ = point_times(preset, info.path, ClipTimes(info.frame_rate))
        self._timeline = Timeline.of(preset, times_s, 1 / info.frame_rate)
        try:
            self._run(writer, context.also(self._count))
        except torch.OutOfMemoryError as error:
            raise self._session.out_of_memory(Path(source), "render") from error
        self._report_after(context)
        seconds = time.perf_counter() - started
        size_bytes = self._order.target.stat().st_size if isinstance(self._order.target, Path) else 0
        done = TaskDone(source, target, self._frames, size_bytes, seconds, self._steps)
        context.on_event(done)
        result = closing_event((done,), (), seconds, NOTHING)
        context.on_event(result)
        return result

    # -- frames --------------------------------------------------------------------------------------------

    def _run(self, writer: FrameWriter, context: Context) -> None:
        with ExitStack() as stack:
            with held_back():  # processes and threads are started whole, or not at all
                for one in (self._reader, writer):
                    stack.enter_context(one)
                encoder = stack.enter_context(WriteBehind(writer))
            let_go = None if self._origin is None else self._origin.abort
            decoded = stack.enter_context(closing(read_ahead(self._reader, let_go)))
            preset, info = self._session.preset, self._reader.info
            masked = stack.enter_context(closing(with_masks(decoded, preset, info.path)))
            painter: FramePainter | None = None
            for frame, is_cut in with_cuts(masked, preset.video.cuts, info.frame_rate):
                painter = painter or stack.enter_context(self._painter(frame))
                if is_cut:
                    painter.cut()
                self._put(encoder, painter.push(self._opaque(frame), context))
            if painter is None:
                raise InputError(
                    f"{self._reader.info.path} has no frames in the chosen range",
                    code=Code.RANGE_EMPTY,
                    facts={"path": str(self._reader.info.path)},
                )
            self._put(encoder, painter.finish(context))

    def _painter(self, first: Frame) -> FramePainter:
        self._zero_s = Fraction(0) if self._order.span.start_s is None else first.pts
        return FramePainter(
            self._session.stylizer_for(self._reader.info.path),
            shots=(Shot(first.index, first.index),),
            flow=self._session.flow,
            timeline=self._timeline,
        )

    def _opaque(self, frame: Frame) -> Frame:
        """Without its transparency, which waits until it is painted; what it hides steers nothing."""
        if frame.alpha is None:
            return frame
        self._alphas[frame.index] = cv2.resize(frame.alpha, self._size, interpolation=cv2.INTER_AREA)
        return replace(frame, pixels=with_hidden_filled(frame.pixels, frame.alpha), alpha=None)

    def _put(self, encoder: WriteBehind, painted: Iterator[Frame]) -> None:
        for frame in painted:
            encoder.put(frame.pixels, frame.pts - self._zero_s, self._alphas.pop(frame.index, None))
            self._frames += 1

    def _count(self, event: Event) -> None:
        if isinstance(event, FrameDone):
            self._steps += event.steps

    # -- where they go -------------------------------------------------------------------------------------

    def _writer(self) -> FrameWriter:
        info, output = self._reader.info, self._session.preset.output
        tick = exact_tick(info.frame_rate, info.time_base)
        if isinstance(self._order.target, int):
            return PipeWriter(
                self._order.target,
                self._order.carrier,
                width=self._size.width,
                height=self._size.height,
                frame_rate=info.frame_rate,
                time_base=tick,
                stored_as=info.pixel_format,
                bits=self._reader.bits,
                bit_depth=output.bit_depth,
                alpha=info.has_alpha,
                colors=self._reader.colors,
                mastering=info.mastering,
                sample_aspect_ratio=info.sample_aspect_ratio,
                metadata=provenance_of(self._session),
            )
        return VideoWriter(
            self._order.target,
            width=self._size.width,
            height=self._size.height,
            frame_rate=info.frame_rate,
            settings=VideoSettings(output.video_codec, output.quality, output.bit_depth, output.hardware),
            sample_aspect_ratio=info.sample_aspect_ratio,
            metadata=provenance_of(self._session),
            time_base=None if tick == 1 / info.frame_rate else tick,
            bits=self._reader.bits,
            alpha=info.has_alpha,
            colors=self._reader.colors,
            mastering=info.mastering,
            verify_output=True,
        )

    def _report_before(self, writer: FrameWriter, context: Context) -> None:
        for note in writer.notes:
            context.on_event(as_note(note, "warning"))
        if sounds := len(self._reader.info.audio_codecs):
            left = f"{sounds} sound stream{'s' if sounds > 1 else ''}"
            context.on_event(Note(f"Frames alone go through a pipe: {left} did not come along.", "warning"))

    def _report_after(self, context: Context) -> None:
        for doubt in self._reader.doubts:
            context.on_event(Note(doubt, "warning"))
        if self._order.carrier == Y4M and isinstance(self._order.target, int) and self._reader.variable_rate:
            rate = float(self._reader.info.frame_rate)
            context.on_event(
                Note(
                    f"The rate was not constant, and y4m holds no times: it says {rate:g} frames/s.",
                    "warning",
                )
            )
