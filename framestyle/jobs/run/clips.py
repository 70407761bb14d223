"""A clip made of its shots: joined in order, encoded, with the source's streams, checked, put in its place."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from framestyle.context import Context
from framestyle.errors import Cancelled, Code, OutputError
from framestyle.events import TaskDone, TaskResumed, TaskStarted, as_note
from framestyle.frames import Frame
from framestyle.jobs.plan.survey import Survey, clip_reader
from framestyle.jobs.plan.tasks import Task
from framestyle.jobs.plan.units import ShotTask, shot_tasks
from framestyle.jobs.resume.resume_key import ResumeKey
from framestyle.jobs.resume.shot_work import ShotWork
from framestyle.jobs.resume.work_folder import WorkFolder
from framestyle.jobs.run.interrupts import held_back
from framestyle.jobs.run.photos import photo_settings
from framestyle.jobs.run.provenance import Maker, provenance_of, recipe_of
from framestyle.jobs.run.queues import WriteBehind, read_ahead
from framestyle.jobs.run.shots import StepCount, frames_of, painted_frames
from framestyle.kinds import MediaKind, TimeRange
from framestyle.mattes import with_masks
from framestyle.media.video.clips import clip_bytes
from framestyle.media.video.protocols import FrameReader, FrameWriter
from framestyle.media.video.sequences import SequenceReader, SequenceWriter, numbering_of
from framestyle.media.video.writer import SourceStreams, VideoSettings, VideoWriter
from framestyle.nst.sizes import Size, fit_within
from framestyle.presets import Preset
from framestyle.session import Session

PaintApart = Callable[[Sequence[ShotTask], Context], None]
"""Paints shots into their folders, wherever; returns when all are whole."""


@dataclass(frozen=True)
class Clip:
    """A clip's task, what its survey found, its shots, and the size of its result."""

    task: Task
    found: Survey
    span: TimeRange
    size: Size
    shots: tuple[ShotTask, ...]

    @classmethod
    def of(
        cls, task: Task, found: Survey, span: TimeRange, preset: Preset, facts: ResumeKey | None = None
    ) -> Clip:
        """The clip with its shots; `facts`: what its work depends on."""
        size = fit_within(Size(found.info.width, found.info.height), preset.scales.max_side_px)
        return cls(task, found, span, size, shot_tasks(task, found, span, size, facts))

    @property
    def zero_s(self) -> Fraction:
        """The source's time at which the result begins."""
        return zero_s_of(self.found, self.span)


def zero_s_of(found: Survey, span: TimeRange) -> Fraction:
    """The source's time at which a result of this part begins."""
    return Fraction(0) if span.start_s is None else found.first_s


def render_video(
    task: Task,
    index: int,
    found: Survey,
    span: TimeRange,
    session: Session,
    context: Context,
    facts: ResumeKey | None = None,
    apart: PaintApart | None = None,
    on_published: Callable[[], None] = lambda: None,
) -> TaskDone:
    """Stylize a clip into its target, whole or not at all. Reader, writer and threads end with it.

    With `facts` its work is checkpointed, and resumed where it was stopped. Its shots are painted one after another,
    and encoded as they come; or by `apart`, and then joined. `on_published`: called once the result is in its place,
    before the work goes.
    """
    started, preset = time.perf_counter(), session.preset
    clip, steps = Clip.of(task, found, span, preset, facts), StepCount()
    context.on_event(_begun(clip, index, preset))
    context = context.also(steps)
    with WorkFolder(task.target, facts, clip.shots, every_s=preset.output.save_every_s) as folder:
        if folder.is_published:
            painted = found.frames * preset.video.painted_times
            context.on_event(TaskResumed(str(task.source), found.frames, painted, len(found.shots)))
            on_published()
            return _done(clip, started)
        source = _Streamed(session) if apart is None else _PaintedApart(session, apart)
        try:
            _assemble(clip, folder, source, context)
        except (KeyboardInterrupt, Cancelled) as stop:
            if not (kept := folder.painted):
                raise
            raise _stopped(clip, kept, preset) from stop
        on_published()
    return _done(clip, started, steps.taken)


def _begun(clip: Clip, index: int, preset: Preset) -> TaskStarted:
    found, size = clip.found, clip.size
    return TaskStarted(
        str(clip.task.source),
        MediaKind.VIDEO,
        index,
        found.frames,
        len(found.shots),
        size.width,
        size.height,
        preset.video.painted_times,
    )


def _done(clip: Clip, started: float, steps: int = 0) -> TaskDone:
    task, seconds = clip.task, time.perf_counter() - started
    size_bytes = clip_bytes(task.target)
    return TaskDone(str(task.source), str(task.target), clip.found.frames, size_bytes, seconds, steps)


def _stopped(clip: Clip, kept: int, preset: Preset) -> Cancelled:
    """What is kept, and how to go on."""
    total = clip.found.frames * preset.video.painted_times
    return Cancelled(
        f"stopped: of {clip.task.target}, {kept} of {total} frames are painted and kept",
        code=Code.INTERRUPTED_PART_WAY,
        facts={"path": str(clip.task.target), "painted": kept, "total": total},
    )


# -- where its frames come from ----------------------------------------------------------------------------


class _Joined:
    """Shots that are whole, or will be once they are asked for."""

    def __init__(self, maker: Maker) -> None:
        self.maker = maker

    def read_from(self, clip: Clip, folder: WorkFolder) -> TimeRange:
        """Which part of the source is still to be decoded."""
        return clip.span

    def prepare(self, clip: Clip, folder: WorkFolder, context: Context) -> None:
        """What is to be done before the encoder starts."""

    def frames(
        self, clip: Clip, folder: WorkFolder, reader: FrameReader, context: Context
    ) -> Generator[Frame, None, None]:
        """All of them, in order."""
        form = _form(clip, reader)
        for shot in clip.shots:
            with ShotWork(shot, every_s=None, found=folder.whole(shot)) as work:
                if not work.is_whole:
                    raise OutputError(
                        f"shot {shot.number + 1} of {clip.task.source} is not painted to its end",
                        code=Code.WORK_UNFINISHED,
                        facts={"path": str(clip.task.target), "shot": shot.number},
                        next_step="Paint it, then join them again.",
                    )
                yield from work.finished(*form)


class _PaintedApart(_Joined):
    """Shots that somebody paints first."""

    def __init__(self, maker: Maker, apart: PaintApart) -> None:
        super().__init__(maker)
        self._apart = apart

    def prepare(self, clip: Clip, folder: WorkFolder, context: Context) -> None:
        """They are painted."""
        left = [shot for shot in clip.shots if not folder.is_whole(shot)]
        if left:
            self._apart(left, context)


class _Streamed(_Joined):
    """Shots that are painted here one after another, each frame given as it comes."""

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._session = session

    def read_from(self, clip: Clip, folder: WorkFolder) -> TimeRange:
        """From the first shot on that is not whole."""
        left = next((shot for shot in clip.shots if not folder.is_whole(shot)), None)
        if left is None or left is clip.shots[0]:
            return clip.span
        return TimeRange(left.span.start_s, clip.span.end_s)

    def frames(
        self, clip: Clip, folder: WorkFolder, reader: FrameReader, context: Context
    ) -> Generator[Frame, None, None]:
        """Those that were finished before, and those that are painted now."""
        form = _form(clip, reader)
        stylizer = self._session.stylizer_for(clip.task.source)
        replays = stylizer.replays()
        # Closed here, not when it is collected: the thread must be gone before the reader is.
        with (
            closing(read_ahead(reader)) as decoded,
            closing(with_masks(decoded, self._session.preset, clip.task.source)) as masked,
        ):
            for shot in clip.shots:
                with folder.shot(shot) as work:
                    yield from work.finished(*form)
                    if not work.is_whole:
                        frames = frames_of(masked, shot)
                        yield from painted_frames(work, frames, stylizer, self._session, context, replays)


def _form(clip: Clip, reader: FrameReader) -> tuple[int, int, type[Any]]:
    """Width, height and depth of its results."""
    return *clip.size, np.uint16 if reader.bits > 8 else np.uint8


# -- putting it together -----------------------------------------------------------------------------------


def _assemble(clip: Clip, folder: WorkFolder, source: _Joined, context: Context) -> None:
    """All frames of a clip to its encoder, and the result into its place."""
    reader = clip_reader(clip.task.source, source.read_from(clip, folder), source.maker.spec.preset)
    writer = _writer(clip, reader, source.maker, folder.folder)
    for note in (*folder.notes, *(known := tuple(writer.notes))):
        context.on_event(as_note(note, "warning"))
    if folder.found:
        context.on_event(_resumed(clip, folder))
    source.prepare(clip, folder, context)
    with ExitStack() as stack:
        with held_back():  # processes and threads are started whole, or not at all
            for one in (reader, writer):
                stack.enter_context(one)
            encoder = stack.enter_context(WriteBehind(writer))
        with closing(source.frames(clip, folder, reader, context)) as frames:
            for frame in frames:
                encoder.put(frame.pixels, frame.pts - clip.zero_s, frame.alpha)
        folder.publishing()
    for note in writer.notes[len(known) :]:
        context.on_event(as_note(note, "warning"))


def _resumed(clip: Clip, folder: WorkFolder) -> TaskResumed:
    found = folder.found.values()
    frames, painted = sum(one.frames for one in found), sum(one.painted for one in found)
    return TaskResumed(str(clip.task.source), frames, painted, len(found))


def _writer(clip: Clip, reader: FrameReader, maker: Maker, scratch: Path) -> FrameWriter:
    task, found, preset = clip.task, clip.found, maker.spec.preset
    size, output = clip.size, preset.output
    from_sequence = isinstance(reader, SequenceReader)
    if numbering_of(task.target) is not None:
        numbers = reader.numbers if isinstance(reader, SequenceReader) else range(found.shots[-1].end)
        return SequenceWriter(
            task.target,
            numbers=numbers[found.shots[0].first :],
            settings=photo_settings(preset),
            source=task.source if from_sequence else None,
            metadata={**provenance_of(maker), "recipe": recipe_of(maker).text()},
            bits=reader.bits,
            alpha=found.info.has_alpha,
            colors=reader.colors,
            scratch=scratch,
        )
    # What comes from the source begins with the first frame, not between two.
    streams = SourceStreams(task.source, clip.span.from_frame(found.first_s))
    return VideoWriter(
        task.target,
        width=size.width,
        height=size.height,
        frame_rate=found.info.frame_rate,
        settings=VideoSettings(output.video_codec, output.quality, output.bit_depth, output.hardware),
        source=None if from_sequence else streams,
        sample_aspect_ratio=found.info.sample_aspect_ratio,
        metadata=provenance_of(maker),
        time_base=found.time_base,
        last_frame=found.last_frame and (found.last_frame[0] - clip.zero_s, found.last_frame[1]),
        bits=reader.bits,
        alpha=found.info.has_alpha,
        colors=reader.colors,
        mastering=found.info.mastering,
        scratch=scratch,
        verify_output=True,
    )
