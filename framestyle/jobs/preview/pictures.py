"""The rows of a sheet: photos, and moments of clips, at any size that is asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from framestyle.errors import FramestyleError, InputError
from framestyle.events import Note, OnEvent
from framestyle.frames import Frame, Pixels
from framestyle.jobs.plan import TimeRange
from framestyle.jobs.preview.times import Source
from framestyle.jobs.render import survey
from framestyle.media.files import InputKind, photos_in, sniff
from framestyle.media.photos import read_photo, with_hidden_filled
from framestyle.media.photos.alpha import Alpha, at_depth, over_white
from framestyle.media.video_reader import VideoReader
from framestyle.motion.excerpts import moments
from framestyle.nst.image import Size, fit_within

MOMENTS = 3
"""Frames that stand for a clip."""
Layers = tuple[Pixels, Alpha | None]
Shown = npt.NDArray[np.uint8]


@dataclass(eq=False)
class Picture:
    """A photo, or a moment of a clip (`at_s` seconds from its start).

    `size`: as it is decoded. `load` gives it at another size. `aspect`: how much wider a pixel is than high.
    """

    path: Path
    source: Source
    load: Callable[[Size], Layers]
    at_s: Fraction | None = None
    aspect: Fraction = Fraction(1)
    _loaded: dict[Size, Layers] = field(default_factory=dict)

    @property
    def size(self) -> Size:
        return self.source.size

    def content(self, size: Size) -> Pixels:
        """As it is stylized: hidden pixels filled from those that show."""
        return with_hidden_filled(*self._at(size))

    def shown(self, pixels: Pixels, side_px: int) -> Shown:
        """A stylized `pixels` as the sheet shows it: over white, in its true shape, of the sheet's size."""
        height, width = pixels.shape[:2]
        alpha = self._at(Size(width, height))[1]
        eight = at_depth(pixels, np.uint8)
        eight = eight if alpha is None else over_white(eight, at_depth(alpha, np.uint8))
        size = self.shown_size(side_px)
        if size == (width, height):
            return eight
        method = cv2.INTER_AREA if size.area_px <= width * height else cv2.INTER_CUBIC
        resized: Shown = cv2.resize(eight, size, interpolation=method)
        return resized

    def original(self, side_px: int) -> Shown:
        """The picture itself, as the sheet shows it."""
        return self.shown(self._at(fit_within(self.size, side_px))[0], side_px)

    def shown_size(self, side_px: int) -> Size:
        """The same whatever the presets' own sizes are."""
        true = Size(max(1, round(self.size.width * self.aspect)), self.size.height)
        return fit_within(true, side_px)

    def _at(self, size: Size) -> Layers:
        if size not in self._loaded:
            self._loaded[size] = self.load(size)
        return self._loaded[size]


@dataclass(frozen=True, eq=False)
class Unusable:
    """An input that gives no picture, and why."""

    path: Path
    error: FramestyleError


def pictures_of(
    inputs: Sequence[Path], span: TimeRange, side_px: int, cuts: str, on_event: OnEvent
) -> list[Picture | Unusable]:
    """Every photo, also those in folders, and moments of every clip within `span`, in order."""
    found: list[Picture | Unusable] = []
    for path in inputs:
        try:
            found += _of_input(path, span, side_px, cuts, on_event)
        except FramestyleError as error:
            found.append(Unusable(path, error))
    return found


def _of_input(
    path: Path, span: TimeRange, side_px: int, cuts: str, on_event: OnEvent
) -> list[Picture | Unusable]:
    kind = sniff(path)
    if kind is InputKind.VIDEO:
        return [*_of_clip(path, span, cuts, on_event)]
    if kind is InputKind.PHOTO:
        return [_of_photo(path, side_px, on_event)]
    photos = photos_in(path)
    if not photos:
        raise InputError(f"no photos in {path}", next_step="Photos are recognised by their contents.")
    return pictures_of(photos, span, side_px, cuts, on_event)


def _of_photo(path: Path, side_px: int, on_event: OnEvent) -> Picture:
    """Decoded once for each size that is wanted: a full photo would fill memory, and most presets want one size."""
    seen: list[Size] = []

    def noting(width: int, height: int) -> Size:
        seen.append(Size(width, height))
        return fit_within(seen[0], side_px)

    def load(size: Size) -> Layers:
        photo = read_photo(path, lambda width, height: size)
        return photo.pixels, photo.alpha

    first = read_photo(path, noting)
    for note in first.notes:
        on_event(Note(f"{path}: {note}.", "warning"))
    picture = Picture(path, Source(seen[0]), load)
    picture._loaded[fit_within(seen[0], side_px)] = first.pixels, first.alpha
    return picture


def _of_clip(path: Path, span: TimeRange, cuts: str, on_event: OnEvent) -> Iterator[Picture]:
    found = survey(path, span, cuts, on_event)
    wanted = set(moments(found.shots, MOMENTS))
    source = Source(Size(found.info.width, found.info.height), found.frames, len(found.shots))
    with VideoReader(path, span.start_s, span.end_s) as reader:
        for frame in reader:
            if frame.index in wanted:
                wanted.remove(frame.index)
                yield Picture(path, source, _shrinking(frame), frame.pts, found.info.sample_aspect_ratio)
            if not wanted:
                break


def _shrinking(frame: Frame) -> Callable[[Size], Layers]:
    """As a clip's frames are brought to working size."""

    def load(size: Size) -> Layers:
        height, width = frame.pixels.shape[:2]
        if size == (width, height):
            return frame.pixels, None
        return cv2.resize(frame.pixels, size, interpolation=cv2.INTER_AREA), None

    return load
