"""The work of a contact sheet: every picture in every look, one after another, on one backbone."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import torch

from framestyle.context import SILENT, Context
from framestyle.errors import FramestyleError
from framestyle.events import CellDone, Note, TaskFailed, TaskPlanned, TaskStarted
from framestyle.jobs.plan.estimate import photo_plan
from framestyle.jobs.plan.tasks import share_of
from framestyle.jobs.plan.timeline_times import photo_instant, point_times
from framestyle.jobs.preview.pictures import Picture, Shown, SizesFor
from framestyle.jobs.preview.reduced import Reduced, reduced
from framestyle.jobs.preview.times import Estimate, StepTimes, full_render
from framestyle.kinds import MediaKind
from framestyle.mattes import mask_at
from framestyle.nst.devices import choose_device
from framestyle.nst.image import Size, fit_within, to_pixels, to_tensor
from framestyle.nst.weights.backbone import Backbone
from framestyle.opening import load_weights
from framestyle.presets import Preset
from framestyle.presets.instants import Instant, Timeline
from framestyle.resolve import PrecisionChoice
from framestyle.session import Session


@dataclass(frozen=True, eq=False)
class Look:
    """A preset as it would be rendered, and what the sheet calls it."""

    title: str
    preset: Preset


@dataclass(frozen=True, eq=False)
class CellResult:
    """One picture in one look, by their numbers: what to show, or why there is nothing."""

    look: int
    picture: int
    outcome: Shown | FramestyleError


@dataclass(frozen=True)
class LookDone:
    """All pictures are done in one look: what that took, and what rendering them all would take."""

    look: int
    seconds: float
    steps: int
    render: Estimate | None


@dataclass(frozen=True)
class Bench:
    """What all cells share."""

    side_px: int
    weights: str
    backbone: Backbone
    device: str
    seed: int


def open_bench(side_px: int, weights: str, device: str, seed: int, context: Context = SILENT) -> Bench:
    """What would fail for every cell fails here: DeviceError, WeightsError."""
    chosen = str(choose_device(device))
    kind, backbone = load_weights(weights, context)
    return Bench(side_px, kind, backbone, chosen, seed)


def sizes_for(looks: Sequence[Look], side_px: int) -> SizesFor:
    """The sizes at which a picture is shown and stylized."""

    def sizes(own: Size) -> list[Size]:
        painted = (reduced(look.preset, own, side_px).size for look in looks)
        return list(dict.fromkeys([fit_within(own, side_px), *painted]))

    return sizes


def cell_plans(looks: Sequence[Look], pictures: Sequence[Picture], side_px: int) -> Iterator[TaskPlanned]:
    """What each cell takes, in the order in which they are painted."""
    for look in looks:
        for picture in pictures:
            size = reduced(look.preset, picture.size, side_px)
            yield photo_plan(str(picture.path), size.preset, size.size)


def stylize_cells(
    looks: Sequence[Look], pictures: Sequence[Picture], bench: Bench, context: Context = SILENT
) -> Iterator[CellResult | LookDone]:
    """Look by look. A cell that fails carries its error, and the others go on."""
    choice = PrecisionChoice(choose_device(bench.device))
    for number, look in enumerate(looks):
        decided = replace(look, preset=choice.resolve(look.preset))
        yield from _one_look(number, decided, pictures, bench, context)


def _one_look(
    number: int, look: Look, pictures: Sequence[Picture], bench: Bench, context: Context
) -> Iterator[CellResult | LookDone]:
    times = StepTimes()
    context = context.also(times)
    session: Session | None = None
    seconds, steps, warned = 0.0, 0, False
    photos = [picture for picture in pictures if picture.at_s is None]
    for place, picture in enumerate(pictures):
        size = reduced(look.preset, picture.size, bench.side_px)
        path, index = str(picture.path), number * len(pictures) + place
        width, height = size.size
        context.on_event(TaskStarted(path, MediaKind.PHOTO, index, 1, 1, width, height, preset=look.title))
        try:
            if session is None or session.preset != size.preset:
                session = _session(size.preset, bench, context)
            if not (size.on_the_way or warned):
                context.on_event(_other_size(look, size))
                warned = True
            share = share_of(photos.index(picture), len(photos)) if picture in photos else Fraction(0)
            done, shown = _stylized(picture, size, session, look, bench.side_px, share, context)
        except FramestyleError as error:
            context.on_event(TaskFailed.of(path, error, f"{look.title}: {error.message}"))
            yield CellResult(number, place, error)
            continue
        seconds, steps = seconds + done.seconds, steps + done.steps
        context.on_event(done)
        yield CellResult(number, place, shown)
    # A clip counts once, however many of its moments are shown.
    sources = {picture.path: picture.source for picture in pictures}
    yield LookDone(number, seconds, steps, full_render(look.preset, list(sources.values()), times))


def _session(preset: Preset, bench: Bench, context: Context) -> Session:
    return Session.open(
        preset,
        weights=bench.weights,
        device=bench.device,
        seed=bench.seed,
        context=context,
        backbone=bench.backbone,
        masks_follow=False,
    )


def _other_size(look: Look, size: Reduced) -> Note:
    return Note(
        f"{look.title} has no scale near {size.size.longest_px} px: its preview is a small picture of its own, and "
        "the render can look finer.",
        "warning",
    )


def _instant_of(session: Session, picture: Picture, share: Fraction) -> Instant | None:
    """What holds at a clip's moment, or for a photo that stands at `share` of all."""
    preset = session.preset
    if picture.at_s is None or picture.times is None:
        return photo_instant(preset, picture.path, share)
    times_s, _ = point_times(preset, picture.path, picture.times)
    timeline = Timeline.of(preset, times_s, 1 / picture.times.frame_rate)
    return None if timeline is None else timeline.at(picture.at_s)


def _stylized(
    picture: Picture,
    size: Reduced,
    session: Session,
    look: Look,
    side_px: int,
    share: Fraction,
    context: Context,
) -> tuple[CellDone, Shown]:
    started = time.perf_counter()
    pixels, alpha = picture.layers[size.size]
    mask = mask_at(session.preset, picture.path, picture.at_s, pixels, alpha)
    stylizer = session.stylizer_for(picture.path, mask)
    if (instant := _instant_of(session, picture, share)) is not None:
        stylizer = stylizer.at(instant)
    content = to_tensor(picture.content(size.size), stylizer.device)
    try:
        result = stylizer.stylize(content, context)
    except torch.OutOfMemoryError as error:
        raise session.out_of_memory(picture.path, "preview") from error
    seconds = time.perf_counter() - started
    shown = picture.shown(to_pixels(result.image), side_px)
    return CellDone(str(picture.path), look.title, result.steps, seconds, result.loss), shown
