"""The rows of a sheet: photos, and moments of clips, at any size that is asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from framestyle.context import Context
from framestyle.errors import FramestyleError
from framestyle.events import Note
from framestyle.frames import Alpha, Pixels
from framestyle.jobs.plan.inputs import Inputs, Unusable
from framestyle.jobs.plan.survey import clip_reader, clip_times, survey
from framestyle.jobs.plan.timeline_times import ClipTimes
from framestyle.jobs.preview.times import Source, whole_source
from framestyle.kinds import MediaKind, TimeRange
from framestyle.media.photos import read_photo, with_hidden_filled
from framestyle.media.photos.alpha import at_depth, over_white, shrunk
from framestyle.motion.excerpts import moments
from framestyle.nst.image import Size, fit_within
from framestyle.presets import Preset

MOMENTS = 3
"""Frames that stand for a clip."""
Layers = tuple[Pixels, Alpha | None]
Shown = npt.NDArray[np.uint8]
SizesFor = Callable[[Size], Iterable[Size]]
"""A picture's own size -> those that it is wanted at."""


@dataclass(frozen=True, eq=False)
class Picture:
    """A photo, or a moment of a clip (`at_s` seconds from its start), at each size that it is wanted at and no other:
    a hundred of them fit into memory.

    `aspect`: how much wider a pixel is than high.
    """

    path: Path
    source: Source
    layers: Mapping[Size, Layers]
    at_s: Fraction | None = None
    aspect: Fraction = Fraction(1)
    times: ClipTimes | None = None
    """What times of its clip are known."""

    @property
    def size(self) -> Size:
        """As it is decoded."""
        return self.source.size

    def content(self, size: Size) -> Pixels:
        """As it is stylized: hidden pixels filled from those that show."""
        return with_hidden_filled(*self.layers[size])

    def shown(self, pixels: Pixels, side_px: int) -> Shown:
        """A stylized `pixels` as the sheet shows it: over white, in its true shape, of the sheet's size."""
        height, width = pixels.shape[:2]
        eight = eight_bits(pixels, self.layers[Size(width, height)][1])
        size = self.shown_size(side_px)
        if size == (width, height):
            return eight
        method = cv2.INTER_AREA if size.area_px <= width * height else cv2.INTER_CUBIC
        resized: Shown = cv2.resize(eight, size, interpolation=method)
        return resized

    def original(self, side_px: int) -> Shown:
        """The picture itself, as the sheet shows it."""
        return self.shown(self.layers[fit_within(self.size, side_px)][0], side_px)

    def shown_size(self, side_px: int) -> Size:
        """The same whatever the presets' own sizes are."""
        true = Size(max(1, round(self.size.width * self.aspect)), self.size.height)
        return fit_within(true, side_px)


def in_sdr(preset: Preset) -> Preset:
    """What a preview is read with: neither a sheet nor a screen beside it is HDR."""
    return preset.model_copy(update={"output": preset.output.model_copy(update={"hdr": "tonemap"})})


def pictures_of(
    inputs: Inputs,
    span: TimeRange,
    sizes_for: SizesFor,
    preset: Preset,
    context: Context,
    *,
    in_time: bool = False,
) -> list[Picture | Unusable]:
    """Every photo, and moments of every clip within `span`, in order; then what could not be opened.

    `preset` says how clips are read, and how their cuts are found. `in_time`: for presets that have a timeline, which
    counts in whole clips.
    """
    found: list[Picture | Unusable] = []
    for one in inputs.found:
        try:
            if one.kind is MediaKind.PHOTO:
                found.append(_of_photo(one.path, sizes_for, context))
            else:
                found += _of_clip(one.path, span, sizes_for, in_sdr(preset), context, in_time)
        except FramestyleError as error:
            found.append(Unusable(one.path, error))
    return [*found, *inputs.unusable]


def _of_photo(path: Path, sizes_for: SizesFor, context: Context) -> Picture:
    """Decoded for each size, as a render decodes it for its own: there are one or two."""
    own: Size | None = None

    def first_size(width: int, height: int) -> Size:
        nonlocal own
        own = Size(width, height)
        return next(iter(sizes_for(own)))

    first = read_photo(path, first_size, tone_map=True)
    for note in first.notes:
        context.on_event(Note(f"{path}: {note}.", "warning"))
    assert own is not None
    first_wanted, *others = dict.fromkeys(sizes_for(own))
    layers = {first_wanted: (first.pixels, first.alpha)}
    for size in others:
        layers[size] = _photo_at(path, size)
    return Picture(path, Source(own), layers)


def _photo_at(path: Path, size: Size) -> Layers:
    photo = read_photo(path, lambda width, height: size, tone_map=True)
    return photo.pixels, photo.alpha


def _of_clip(
    path: Path, span: TimeRange, sizes_for: SizesFor, preset: Preset, context: Context, in_time: bool
) -> Iterator[Picture]:
    found = survey(path, span, preset, context)
    wanted = set(moments(found.shots, MOMENTS))
    source = whole_source(found, span)
    times = clip_times(found, path, span, preset, context) if in_time else None
    with clip_reader(path, span, preset) as reader:
        for frame in reader:
            if frame.index in wanted:
                wanted.remove(frame.index)
                layers = {size: shrunk(frame.pixels, frame.alpha, size) for size in sizes_for(source.size)}
                yield Picture(path, source, layers, frame.pts, found.info.sample_aspect_ratio, times)
            if not wanted:
                break


def eight_bits(pixels: Pixels, alpha: Alpha | None) -> Shown:
    """As a screen shows it: what is transparent lies over white."""
    eight = at_depth(pixels, np.uint8)
    shown: Shown = eight if alpha is None else over_white(eight, at_depth(alpha, np.uint8))
    return shown
