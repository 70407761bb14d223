"""A photo held against the photo that it was made of: shape, way up, depth, transparency, colours, words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from PIL import ExifTags

from framestyle.media.photos import Photo, PhotoSettings
from framestyle.media.photos.alpha import Alpha, at_depth, over_white
from framestyle.media.photos.exif import WRITTEN_ANEW, tags_of
from framestyle.media.photos.formats import WITH_ALPHA, WITH_METADATA, most_bits
from framestyle.media.photos.icc import read_profile
from framestyle.media.photos.tags import Directory, Value
from framestyle.media.photos.writing import LARGEST_JPEG_EXIF, LARGEST_JPEG_XMP, tag_for
from framestyle.media.photos.xmp import properties_of
from framestyle.media.verify.verdict import DIFFERENCE, NOTE, Problem

LEAST_ALPHA_OFF = 3 / 255
"""Lossy formats may round transparency by so much of it, on average."""
SMALL_PX = 24
OTHER_WAY, SURELY = 0.25, 0.5
"""How much better a picture must fit when it is turned or mirrored, and how well."""
DPI_OFF, UNTOLD_DPI = 0.5, (72.0, 72.0)
"""EXIF means 72 where it says nothing."""
MOST_NAMED = 4

Output = Mapping[str, Any]
"""Of the preset that a result says it was made with: its `output`; empty where it does not say."""


def still_differences(photo: Photo, kind: str, source: Photo, output: Output) -> Iterator[Problem]:
    """`kind`: Pillow's name of the format that the result's name asks for."""
    height, width = photo.pixels.shape[:2]
    yield from shape_differences(width, height, source.pixels.shape[1], source.pixels.shape[0])
    yield from _way_up(photo, source)
    if photo.bits < min(source.bits, most_bits(kind)):
        yield Problem(DIFFERENCE, f"it has {photo.bits} bits a channel, the source {source.bits}")
    elif photo.bits < source.bits:
        yield Problem(
            NOTE, f"it has {photo.bits} bits a channel, the source {source.bits}: {kind} holds no more"
        )
    yield from _transparency(photo, kind, source)
    yield from _colours(photo, kind, source, output)
    yield from _metadata(photo, kind, source)
    yield from (Problem(NOTE, f"of the source: {note}") for note in source.notes)


def shape_differences(width: int, height: int, source_width: int, source_height: int) -> Iterator[Problem]:
    """A result is as large as its source or smaller, and of its shape; never larger."""
    if (width, height) == (source_width, source_height):
        return
    said = f"it is {width}x{height}, the source {source_width}x{source_height}"
    if width > source_width or height > source_height:
        yield Problem(DIFFERENCE, f"{said}: enlarged")
        return
    # Each side is rounded by itself.
    if abs(width * source_height - height * source_width) > max(source_width, source_height):
        yield Problem(DIFFERENCE, f"{said}: of another shape")
    else:
        yield Problem(NOTE, f"{said}: scaled down")


def _way_up(photo: Photo, source: Photo) -> Iterator[Problem]:
    """Painting leaves light and dark where they were: turned or mirrored, they fit better another way."""
    mine, theirs = _small(photo), _small(source)
    if mine is None or theirs is None:
        return
    fits = {
        (turns, mirrored): float((np.rot90(theirs[:, ::-1] if mirrored else theirs, turns) * mine).mean())
        for turns in range(4)
        for mirrored in (False, True)
    }
    best = max(fits, key=lambda way: fits[way])
    if fits[best] > max(SURELY, fits[0, False] + OTHER_WAY):
        how = " and ".join(
            [*(["mirrored"] if best[1] else []), *([f"turned by {90 * best[0]}°"] if best[0] else [])]
        )
        yield Problem(DIFFERENCE, f"it shows the source {how}")


def _small(photo: Photo) -> npt.NDArray[np.float32] | None:
    """Its luma in few pixels, of mean 0 and variance 1; None where there is nothing to see."""
    pixels = at_depth(photo.pixels, np.uint8)
    if photo.alpha is not None:
        pixels = over_white(pixels, at_depth(photo.alpha, np.uint8))
    small = cv2.resize(pixels, (SMALL_PX, SMALL_PX), interpolation=cv2.INTER_AREA).astype(np.float32).mean(2)
    spread = small.std()
    return None if spread < 1 else (small - small.mean()) / spread


def _transparency(photo: Photo, kind: str, source: Photo) -> Iterator[Problem]:
    mine, theirs = _seen(photo.alpha), _seen(source.alpha)
    if (mine is None) != (theirs is None):
        has = "no transparency, the source has" if mine is None else "transparency, the source has none"
        announced = mine is None and kind not in WITH_ALPHA
        yield Problem(NOTE if announced else DIFFERENCE, f"it has {has}")
    elif mine is not None and theirs is not None:
        fitting = cv2.resize(theirs, mine.shape[::-1], interpolation=cv2.INTER_AREA)
        if np.abs(fitting - mine).mean() > LEAST_ALPHA_OFF:
            yield Problem(DIFFERENCE, "its transparency is not the source's")


def _seen(alpha: Alpha | None) -> npt.NDArray[np.float32] | None:
    """From 0 to 1; None where nothing shows through: formats may leave that out."""
    if alpha is None or (alpha == np.iinfo(alpha.dtype).max).all():
        return None
    return alpha.astype(np.float32) / np.float32(np.iinfo(alpha.dtype).max)


def _colours(photo: Photo, kind: str, source: Photo, output: Output) -> Iterator[Problem]:
    """By what the writer tags such a source's result with, for what was asked for, or might have been."""
    made_sdr = source.hdr is not None and photo.hdr is None
    if made_sdr and photo.icc_profile is not None and output.get("hdr") != "keep":
        yield Problem(NOTE, f"{source.hdr} was made SDR: output.hdr=tonemap")
        return
    asked = output.get("color_profile")
    own = tag_for(kind, source, PhotoSettings(color_profile="source"))
    other = tag_for(kind, source, PhotoSettings(color_profile="srgb"))
    there = photo.icc_profile, photo.coded
    if asked != "srgb" and there == (own.profile, own.coded):
        if own.profile != source.icc_profile or own.coded != source.coded:
            yield Problem(NOTE, f"{kind} says its colours in another way than the source")
        return
    if asked != "source" and there == (other.profile, other.coded):
        yield Problem(NOTE, "its colours were made sRGB: output.color_profile=srgb")
        return
    meant = other if asked == "srgb" else own
    said = f"its colours are {_tag_name(*there)}, and should be {_tag_name(meant.profile, meant.coded)}"
    yield Problem(DIFFERENCE, said)


def _tag_name(profile: bytes | None, coded: Any) -> str:
    if coded is not None:
        return f"tagged {coded}"
    if profile is None:
        return "not tagged"
    known = read_profile(profile)
    return "tagged sRGB" if known is not None and known.is_srgb else f"of a profile of {len(profile)} bytes"


def _metadata(photo: Photo, kind: str, source: Photo) -> Iterator[Problem]:
    """EXIF, XMP, PNG's texts, resolution."""
    if source.exif is not None and kind in WITH_METADATA:
        fits = kind != "JPEG" or len(source.exif) <= LARGEST_JPEG_EXIF
        lost = _lost_tags(source.exif, photo.exif)
        if lost:
            said = (
                "the source's EXIF is missing"
                if photo.exif is None
                else f"of the source's EXIF it lacks {_few(lost)}"
            )
            yield Problem(DIFFERENCE if fits else NOTE, said)
    if source.xmp is not None and kind in WITH_METADATA:
        missing = [name for name, _ in sorted(properties_of(source.xmp) - properties_of(photo.xmp))]
        if missing and (kind != "JPEG" or len(source.xmp) < LARGEST_JPEG_XMP):
            yield Problem(DIFFERENCE, f"of the source's XMP it lacks {_few(missing)}")
    if gone := [key for key, text in source.texts.items() if not _is_kept(text, photo.texts.get(key))]:
        yield Problem(DIFFERENCE if kind == "PNG" else NOTE, f"of the source's texts it lacks {_few(gone)}")
    mine, theirs = photo.dpi or UNTOLD_DPI, source.dpi or UNTOLD_DPI
    if source.dpi is not None and any(abs(a - b) > DPI_OFF for a, b in zip(mine, theirs, strict=True)):
        stated = "not told" if photo.dpi is None else f"{photo.dpi[0]:g} dpi"
        yield Problem(DIFFERENCE, f"its resolution is {stated}, the source's {source.dpi[0]:g}")


def _is_kept(text: str, there: str | None) -> bool:
    """Ours may stand behind it."""
    return there is not None and (there == text or there.startswith(f"{text}\n"))


def _lost_tags(source: bytes, result: bytes | None) -> list[str]:
    """Names of tags that are missing, or have other values; where byte orders differ, of those that are missing."""
    order, wanted = tags_of(source)
    other, there = tags_of(result)
    return list(_unlike(wanted, there, of_values=order == other))


def _unlike(wanted: Directory, there: Directory, *, of_values: bool) -> Iterator[str]:
    for tag, value in wanted.items():
        mine = there.get(tag)
        if tag in WRITTEN_ANEW:
            continue
        if isinstance(value, dict):
            yield from _unlike(value, mine if isinstance(mine, dict) else {}, of_values=of_values)
        elif not isinstance(mine, Value) or (of_values and mine.data != value.data):
            yield str(ExifTags.TAGS.get(tag) or ExifTags.GPSTAGS.get(tag) or f"tag {tag}")


def _few(names: list[str]) -> str:
    shown = list(dict.fromkeys(names))
    more = [f"{len(shown) - MOST_NAMED} more"] if len(shown) > MOST_NAMED else []
    return ", ".join([*shown[:MOST_NAMED], *more])
