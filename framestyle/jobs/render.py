"""One task: reader -> sequence -> writer. Decoding and encoding run beside the optimiser; see queues.py."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from framestyle.errors import InputError
from framestyle.events import Event, FrameDone, Note, OnEvent, PhotoDone, Preparing, TaskDone, TaskStarted
from framestyle.jobs.frame_store import DiskStore
from framestyle.jobs.plan import Task, TimeRange
from framestyle.jobs.queues import WriteBehind, read_ahead
from framestyle.jobs.workshop import Workshop
from framestyle.media.photos import PhotoSettings, read_photo, with_hidden_filled, write_photo
from framestyle.media.probe import VideoInfo
from framestyle.media.video_reader import VideoReader
from framestyle.media.video_writer import SourceStreams, VideoSettings, VideoWriter
from framestyle.motion.sequence import passes_of, stylize_frames, working_size
from framestyle.motion.shots import Shot, ShotFinder
from framestyle.nst.image import Size, fit_within, to_pixels, to_tensor


@dataclass(frozen=True)
class Survey:
    """What a first pass over a clip found: its shots, and how many frames it really has."""

    info: VideoInfo
    shots: list[Shot]
    frames: int


def survey(path: Path, span: TimeRange, cuts: str, on_event: OnEvent) -> Survey:
    """Decode once, at full speed: counting frames and finding cuts costs little beside a single optimised frame."""
    with VideoReader(path, span.start_s, span.end_s) as reader:
        finder = ShotFinder(cuts, reader.info.frame_rate)
        count = 0
        for frame in reader:
            finder.add(frame)
            count += 1
            expected = reader.info.frame_count_estimate
            if expected and count % 50 == 0:
                on_event(Preparing("shots", min(1.0, count / expected), f"frame {count}"))
        on_event(Preparing("shots", 1.0, f"{count} frames"))
        if count == 0:
            raise InputError(
                f"{path} has no frames in the chosen range",
                next_step="Check --start and --end against its duration.",
            )
        for note in _doubts(reader):
            on_event(note)
        return Survey(reader.info, finder.shots(), count)


def _doubts(reader: VideoReader) -> Iterator[Note]:
    if reader.missing_estimate > 1:
        yield Note(f"{reader.info.path} ends early: {reader.missing_estimate} frames are missing.", "warning")
    if reader.variable_rate:
        yield Note(
            f"{reader.info.path} has a variable frame rate; its frames are written evenly, at "
            f"{float(reader.info.frame_rate):.3f} per second, so sound and pictures can drift apart.",
            "warning",
        )
    if reader.info.bit_depth > 8:
        yield Note(
            f"{reader.info.path} has {reader.info.bit_depth} bits a channel; it is processed at 8.", "warning"
        )


def render_video(task: Task, index: int, found: Survey, span: TimeRange, workshop: Workshop) -> TaskDone:
    """Stylize a clip into its target, whole or not at all. Reader, writer and threads end with it."""
    started = time.perf_counter()
    preset = workshop.preset
    size = working_size(Size(found.info.width, found.info.height), preset.scales.max_side_px)
    workshop.on_event(
        TaskStarted(
            str(task.source),
            "video",
            index,
            found.frames,
            len(found.shots),
            size.width,
            size.height,
            passes_of(preset),
        )
    )
    writer = VideoWriter(
        task.target,
        width=size.width,
        height=size.height,
        frame_rate=found.info.frame_rate,
        settings=VideoSettings(preset.output.video_codec, preset.output.quality),
        source=SourceStreams(task.source, span.start_s, span.end_s),
        sample_aspect_ratio=found.info.sample_aspect_ratio,
        metadata=workshop.provenance(),
    )
    frames_done = steps = 0

    def heard(event: Event) -> None:
        nonlocal steps
        if isinstance(event, FrameDone):
            steps += event.steps
        workshop.on_event(event)

    with (
        VideoReader(task.source, span.start_s, span.end_s) as reader,
        # Closed here, not when it is collected: the thread must be gone before the reader is.
        closing(read_ahead(reader)) as frames,
        writer,
        WriteBehind(writer) as encoder,
        DiskStore(task.target.parent) as store,
        closing(
            stylize_frames(
                frames, found.shots, workshop.stylizer, flow=workshop.flow, store=store, on_event=heard
            )
        ) as stylized,
    ):
        for frame in stylized:
            encoder.put(frame.pixels)
            frames_done += 1
        if frames_done < found.frames:
            # Inside: a file that lacks frames is not put in place.
            raise InputError(
                f"{task.source} gave {found.frames} frames at first, and only {frames_done} when they were rendered",
                next_step="Check that the file is whole and its disk or network is well, then give the same command.",
            )
    for note in writer.notes:
        workshop.on_event(Note(note))
    seconds = time.perf_counter() - started
    return TaskDone(
        str(task.source), str(task.target), found.frames, task.target.stat().st_size, seconds, steps
    )


def render_photo(task: Task, index: int, workshop: Workshop) -> TaskDone:
    """Stylize a photo into its target, whole or not at all."""
    started = time.perf_counter()
    max_side_px = workshop.preset.scales.max_side_px
    photo = read_photo(task.source, lambda width, height: fit_within(Size(width, height), max_side_px))
    height, width = photo.pixels.shape[:2]
    workshop.on_event(TaskStarted(str(task.source), "photo", index, 1, 1, width, height))
    photo.pixels = with_hidden_filled(photo.pixels, photo.alpha)
    result = workshop.stylizer.stylize(to_tensor(photo.pixels, workshop.stylizer.device))
    deep = photo.pixels.dtype == np.uint16
    pixels = to_pixels(result.image, np.uint16 if deep else np.uint8)
    words = {**workshop.provenance(), "recipe": workshop.recipe}
    lost = write_photo(task.target, pixels, photo, words, _photo_settings(workshop))
    for note in (*photo.notes, *lost):
        workshop.on_event(Note(f"{task.source}: {note}.", "warning"))
    seconds = time.perf_counter() - started
    workshop.on_event(PhotoDone(str(task.source), str(task.target), result.steps, seconds, result.loss))
    return TaskDone(str(task.source), str(task.target), 1, task.target.stat().st_size, seconds, result.steps)


def _photo_settings(workshop: Workshop) -> PhotoSettings:
    output = workshop.preset.output
    return PhotoSettings(output.photo_quality, output.photo_subsampling, output.color_profile)
