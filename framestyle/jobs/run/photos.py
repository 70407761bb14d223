"""One photo: read, painted, written."""

from __future__ import annotations

import time
from pathlib import Path

from framestyle.context import Context
from framestyle.events import Note, PhotoDone, TaskDone, TaskStarted
from framestyle.frames import Pixels
from framestyle.jobs.plan.survey import hdr_notes
from framestyle.jobs.plan.timeline_times import photo_instant
from framestyle.jobs.plan.units import PhotoTask
from framestyle.jobs.resume.scratch import for_target
from framestyle.jobs.run.provenance import provenance_of, recipe_text
from framestyle.kinds import MediaKind
from framestyle.mattes import mask_at
from framestyle.media.photos import PhotoSettings, check_holds, read_photo, with_hidden_filled, write_photo
from framestyle.nst.image import to_pixels, to_tensor
from framestyle.nst.sizes import Size, fit_within
from framestyle.nst.stylizer import Stylizer
from framestyle.presets import Preset
from framestyle.session import Session


def render_photo(
    task: PhotoTask, session: Session, context: Context, scratch: Path | None = None
) -> TaskDone:
    """Stylize a photo into its target, whole or not at all. `scratch`: a folder for what is not finished."""
    started = time.perf_counter()
    preset = session.preset
    photo = read_photo(
        task.source,
        lambda width, height: fit_within(Size(width, height), preset.scales.max_side_px),
        tone_map=preset.output.hdr == "tonemap",
    )
    check_holds(task.target, photo.hdr)
    height, width = photo.pixels.shape[:2]
    context.on_event(TaskStarted(str(task.source), MediaKind.PHOTO, task.index, 1, 1, width, height))
    photo.pixels = with_hidden_filled(photo.pixels, photo.alpha)
    mask = mask_at(preset, task.source, None, photo.pixels, photo.alpha)
    stylizer = session.stylizer_for(task.source, mask)
    if (instant := photo_instant(preset, task.source, task.share)) is not None:
        stylizer = stylizer.at(instant)
    pixels, steps, loss = _painted(photo.pixels, stylizer, context)
    metadata = {**provenance_of(session), "recipe": recipe_text(session)}
    unfinished = for_target(scratch, task.target)
    lost = write_photo(task.target, pixels, photo, metadata, photo_settings(preset), unfinished)
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


def photo_settings(preset: Preset) -> PhotoSettings:
    """How a preset has photos written."""
    output = preset.output
    return PhotoSettings(output.photo_quality, output.photo_subsampling, output.color_profile)
