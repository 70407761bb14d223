"""One task: reader -> sequence -> writer. Decoding and encoding run beside the optimiser; see queues.py."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np

from framestyle.context import Context
from framestyle.errors import Cancelled, Code, InputError
from framestyle.events import (
    Event,
    FrameDone,
    Note,
    PhotoDone,
    TaskDone,
    TaskResumed,
    TaskStarted,
    as_note,
)
from framestyle.frames import Frame, Pixels
from framestyle.jobs.plan.survey import Survey, clip_reader, hdr_notes
from framestyle.jobs.plan.tasks import Task
from framestyle.jobs.resume.resume_key import ResumeKey
from framestyle.jobs.resume.scratch import Scratch
from framestyle.jobs.resume.work_folder import WorkFolder
from framestyle.jobs.run.interrupts import held_back
from framestyle.jobs.run.provenance import provenance_of, recipe_of
from framestyle.jobs.run.queues import WriteBehind, read_ahead
from framestyle.kinds import MediaKind, TimeRange
from framestyle.media.photos import PhotoSettings, check_holds, read_photo, with_hidden_filled, write_photo
from framestyle.media.video.clips import clip_bytes
from framestyle.media.video.protocols import FrameReader, FrameWriter
from framestyle.media.video.sequences import SequenceReader, SequenceWriter, numbering_of
from framestyle.media.video.writer import SourceStreams, VideoSettings, VideoWriter
from framestyle.motion.sequence import FramePainter, working_size
from framestyle.nst.image import Size, fit_within, to_pixels, to_tensor
from framestyle.nst.stylizer import Stylizer
from framestyle.presets import Preset
from framestyle.session import Session


def _writer(
    task: Task,
    found: Survey,
    span: TimeRange,
    size: Size,
    reader: FrameReader,
    session: Session,
    scratch: Path,
) -> FrameWriter:
    output = session.preset.output
    from_sequence = isinstance(reader, SequenceReader)
    if numbering_of(task.target) is not None:
        numbers = reader.numbers if isinstance(reader, SequenceReader) else range(found.shots[-1].end)
        return SequenceWriter(
            task.target,
            numbers=numbers[found.shots[0].first :],
            settings=_photo_settings(session),
            source=task.source if from_sequence else None,
            metadata={**provenance_of(session), "recipe": recipe_of(session).text()},
            bits=reader.bits,
            alpha=found.info.has_alpha,
            colors=reader.colors,
            scratch=scratch,
        )
    # What comes from the source begins with the first frame, not between two.
    streams = SourceStreams(task.source, span.from_frame(found.first_s))
    return VideoWriter(
        task.target,
        width=size.width,
        height=size.height,
        frame_rate=found.info.frame_rate,
        settings=VideoSettings(output.video_codec, output.quality, output.bit_depth, output.hardware),
        source=None if from_sequence else streams,
        sample_aspect_ratio=found.info.sample_aspect_ratio,
        metadata=provenance_of(session),
        time_base=found.time_base,
        last_frame=found.last_frame and (found.last_frame[0] - zero_s_of(found, span), found.last_frame[1]),
        bits=reader.bits,
        alpha=found.info.has_alpha,
        colors=reader.colors,
        mastering=found.info.mastering,
        scratch=scratch,
        verify_output=True,
    )


def zero_s_of(found: Survey, span: TimeRange) -> Fraction:
    """The source's time at which the result begins."""
    return Fraction(0) if span.start_s is None else found.first_s


def render_video(
    task: Task,
    index: int,
    found: Survey,
    span: TimeRange,
    session: Session,
    context: Context,
    facts: ResumeKey | None = None,
) -> TaskDone:
    """Stylize a clip into its target, whole or not at all. Reader, writer and threads end with it.

    With `facts` its work is checkpointed, and resumed where it was stopped.
    """
    started = time.perf_counter()
    preset = session.preset
    size = working_size(Size(found.info.width, found.info.height), preset.scales.max_side_px)
    context.on_event(
        TaskStarted(
            str(task.source),
            MediaKind.VIDEO,
            index,
            found.frames,
            len(found.shots),
            size.width,
            size.height,
            preset.video.painted_times,
        )
    )
    reader = clip_reader(task.source, span, session.preset)
    with WorkFolder(
        task.target, facts, every_s=preset.output.save_every_s, frame_rate=found.info.frame_rate
    ) as folder:
        if folder.is_published:
            return _published(task, found, preset, started, context)
        writer = _writer(task, found, span, size, reader, session, folder.folder)
        for note in (*folder.notes, *(known := tuple(writer.notes))):
            context.on_event(as_note(note, "warning"))
        render = _Render(task, found, size, session, folder)
        try:
            with ExitStack() as stack:
                with held_back():  # processes and threads are started whole, or not at all
                    for one in (reader, writer):
                        stack.enter_context(one)
                    encoder = stack.enter_context(WriteBehind(writer))
                render.run(reader, encoder, zero_s_of(found, span), context)
                folder.publishing()
        except (KeyboardInterrupt, Cancelled) as stop:
            folder.save()
            if not folder.found.entries:
                raise
            raise render.stopped() from stop
        for note in writer.notes[len(known) :]:
            context.on_event(as_note(note, "warning"))
    seconds = time.perf_counter() - started
    size_bytes = clip_bytes(task.target)
    return TaskDone(str(task.source), str(task.target), found.frames, size_bytes, seconds, render.steps)


def _published(task: Task, found: Survey, preset: Preset, started: float, context: Context) -> TaskDone:
    """Nothing is left to do but to say so."""
    painted = found.frames * preset.video.painted_times
    context.on_event(TaskResumed(str(task.source), found.frames, painted, len(found.shots)))
    seconds = time.perf_counter() - started
    return TaskDone(str(task.source), str(task.target), found.frames, clip_bytes(task.target), seconds)


class _Render:
    """One clip on its way: what was checkpointed first, then what is painted now."""

    def __init__(self, task: Task, found: Survey, size: Size, session: Session, folder: WorkFolder) -> None:
        self._task, self._found, self._size = task, found, size
        self._session, self._folder = session, folder
        self._resume = folder.bookmark(session.stylizer.device)
        self._painted = folder.found.entries[-1].painted if folder.found.entries else 0
        self.frames_done = self.steps = 0

    def run(self, reader: FrameReader, encoder: WriteBehind, zero_s: Fraction, context: Context) -> None:
        """All frames to the encoder."""
        context = context.also(self._count)
        if self._resume is not None:
            # A bookmark with nothing painted stands before its shot.
            done, shots = self._folder.found.frames, self._resume.shot + bool(self._resume.painted)
            context.on_event(TaskResumed(str(self._task.source), done, self._painted, shots))
        dtype = np.uint16 if reader.bits > 8 else np.uint8
        width, height = self._size
        with (
            # Closed here, not when it is collected: the thread must be gone before the reader is.
            closing(read_ahead(reader)) as decoded,
            closing(self._folder.finished(width, height, dtype)) as finished,
            self._painter() as painter,
        ):
            for decoded_frame in decoded:
                frame = self._opaque(decoded_frame)
                if (pixels := next(finished, None)) is not None:
                    # Done before: it goes to the encoder as it was checkpointed.
                    self._put(encoder, replace(frame, pixels=pixels), zero_s)
                self._keep(painter.push(frame, context), encoder, zero_s)
            self._keep(painter.finish(context), encoder, zero_s)
        if self.frames_done < self._found.frames:
            # Inside: a file that lacks frames is not put in place.
            raise InputError(
                f"{self._task.source} gave {self._found.frames} frames at first, and only {self.frames_done} when they"
                " were rendered",
                next_step="Check that the file is whole and its disk or network is well, then give the same command.",
            )

    def _painter(self) -> FramePainter:
        return FramePainter(
            self._session.stylizer_for(self._task.source),
            shots=self._found.shots,
            flow=self._session.flow,
            store=self._folder.frames,
            on_bookmark=lambda bookmark: self._folder.mark(bookmark, self._painted),
            resume=self._resume,
        )

    def _count(self, event: Event) -> None:
        if isinstance(event, FrameDone):
            self.steps += event.steps
            self._painted += 1

    def _opaque(self, frame: Frame) -> Frame:
        """Without its transparency, which waits until it is painted; what it hides steers nothing."""
        if frame.alpha is None:
            return frame
        alpha = cv2.resize(frame.alpha, self._size, interpolation=cv2.INTER_AREA)
        self._folder.alphas[frame.index] = {"alpha": alpha}
        return replace(frame, pixels=with_hidden_filled(frame.pixels, frame.alpha), alpha=None)

    def _keep(self, painted: Iterator[Frame], encoder: WriteBehind, zero_s: Fraction) -> None:
        """What comes out of the painter, to the encoder and to what is checkpointed."""
        for frame in painted:
            self._put(encoder, frame, zero_s)
            self._folder.write(frame.pixels)

    def _put(self, encoder: WriteBehind, frame: Frame, zero_s: Fraction) -> None:
        alphas = self._folder.alphas
        alpha = alphas.pop(frame.index)["alpha"] if frame.index in alphas else None
        encoder.put(frame.pixels, frame.pts - zero_s, alpha)
        self.frames_done += 1

    def stopped(self) -> Cancelled:
        """What is kept, and how to go on."""
        kept = self._folder.found.entries[-1].painted
        total = self._found.frames * self._session.preset.video.painted_times
        return Cancelled(
            f"stopped: of {self._task.target}, {kept} of {total} frames are painted and kept",
            code=Code.INTERRUPTED_PART_WAY,
            facts={"path": str(self._task.target), "painted": kept, "total": total},
        )


def render_photo(
    task: Task, index: int, session: Session, context: Context, scratch: Scratch | None = None
) -> TaskDone:
    """Stylize a photo into its target, whole or not at all."""
    started = time.perf_counter()
    preset = session.preset
    photo = read_photo(
        task.source,
        lambda width, height: fit_within(Size(width, height), preset.scales.max_side_px),
        tone_map=preset.output.hdr == "tonemap",
    )
    check_holds(task.target, photo.hdr)
    height, width = photo.pixels.shape[:2]
    context.on_event(TaskStarted(str(task.source), MediaKind.PHOTO, index, 1, 1, width, height))
    photo.pixels = with_hidden_filled(photo.pixels, photo.alpha)
    stylizer = session.stylizer_for(task.source)
    pixels, steps, loss = _painted(photo.pixels, stylizer, context)
    words = {**provenance_of(session), "recipe": recipe_of(session).text()}
    unfinished = None if scratch is None else scratch.for_target(task.target)
    lost = write_photo(task.target, pixels, photo, words, _photo_settings(session), unfinished)
    for said in hdr_notes(task.source, photo.hdr, photo.was_hdr):
        context.on_event(said)
    for note in (*photo.notes, *lost):
        context.on_event(Note(f"{task.source}: {note}.", "warning"))
    seconds = time.perf_counter() - started
    context.on_event(PhotoDone(str(task.source), str(task.target), steps, seconds, loss))
    return TaskDone(str(task.source), str(task.target), 1, task.target.stat().st_size, seconds, steps)


def _painted(pixels: Pixels, stylizer: Stylizer, context: Context) -> tuple[Pixels, int, float]:
    """The result at the depth of its content, steps and loss; nothing else of the work outlives it."""
    result = stylizer.stylize(to_tensor(pixels, stylizer.device), context)
    return to_pixels(result.image, pixels.dtype.type), result.steps, result.loss


def _photo_settings(session: Session) -> PhotoSettings:
    output = session.preset.output
    return PhotoSettings(output.photo_quality, output.photo_subsampling, output.color_profile)
