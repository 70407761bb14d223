"""Masks that move: a clip, an image sequence, or the input's own transparency, matched to frames by time.

What is asked of a mask before work (`MaskCheck`) is asked of every one of its pictures: that it lasts as long as the
clip, has its shape, and shows no colour that stands for nothing.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable
from contextlib import closing
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any, cast

import cv2
import numpy as np

from framestyle.errors import InputError
from framestyle.frames import Alpha, Frame, Pixels
from framestyle.masks import moving_mask
from framestyle.media.video.clips import open_clip
from framestyle.media.video.description import exact_rate
from framestyle.media.video.protocols import FrameReader
from framestyle.presets import Preset
from framestyle.presets.paths import ALPHA_MASK

HALF_TICK_S = Fraction(1, 2000)
"""Times of containers are rounded to milliseconds at the coarsest: a picture of that time counts as shown."""
LOOKED_AT_PX = 256
"""Longer side at which a mask's colours are looked at."""
FAR_OFF, UNKNOWN_SHARE = 48.0, 0.02
"""A colour further than this from all that a mask may show, of 255, is unknown; codecs blur edges by less. So large a
part of the picture must have such colours."""
ASPECT_TOLERANCE = 0.02
"""Encoders want even sides."""


def with_masks(frames: Iterable[Frame], preset: Preset, source: Path) -> Generator[Frame, None, None]:
    """The frames of a clip, each with the mask that is shown at its time; as they came where the mask stands still.

    Of a mask at another rate, the picture that is shown then. InputError where it ends before the clip does, or a frame
    lacks the transparency that is to be its mask.
    """
    if preset.style.mask == ALPHA_MASK:
        for frame in frames:
            yield replace(frame, mask=mask_of_alpha(frame.alpha, source))
        return
    path = moving_mask(preset, source)
    if path is None:
        yield from frames
        return
    start_s = mask_start_s(preset)
    with open_mask(path, preset) as reader, closing(_shown(reader)) as shown:
        now, following = next(shown, None), next(shown, None)
        for frame in frames:
            at_s = frame.pts - start_s
            while following is not None and following.pts <= at_s + HALF_TICK_S:
                now, following = following, next(shown, None)
            if now is None or at_s < now.pts - HALF_TICK_S:
                raise begins_late(path, source, frame.index, frame.pts, start_s)
            if following is None and at_s >= now.pts + _length_s(reader) - HALF_TICK_S:
                raise ends_early(path, source, frame.index, frame.pts, now.pts + _length_s(reader) + start_s)
            yield replace(frame, mask=now.pixels)


def mask_at(
    preset: Preset, source: Path, at_s: Fraction | None, pixels: Pixels, alpha: Alpha | None
) -> Pixels | None:
    """Of one picture, a photo or a clip's moment; None where its mask does not move. `alpha`: HW, the picture's own.

    InputError as for `with_masks`; and where a photo's mask is a clip.
    """
    if at_s is None:
        refuse_for_photo(preset, source)
        return mask_of_alpha(alpha, source) if preset.style.mask == ALPHA_MASK else None
    moment = Frame(0, at_s, pixels, alpha)
    with closing(with_masks([moment], preset, source)) as found:
        return next(found).mask


def refuse_for_photo(preset: Preset, source: Path) -> None:
    """InputError where a photo's mask moves."""
    path = moving_mask(preset, source)
    if path is not None:
        raise InputError(
            f"the mask {path} is a clip, and {source} is a photo",
            next_step="Give a photo a picture as its mask, or a folder with a mask for each input.",
        )


def open_mask(path: Path, preset: Preset) -> FrameReader:
    """The reader of a mask that moves. InputError where it is no clip."""
    return open_clip(path, sequence_rate=exact_rate(preset.video.sequence_rate), tone_map=True)


def mask_of_alpha(alpha: Alpha | None, source: Path) -> Pixels:
    """HWC: white where a picture shows, black where it is hidden. InputError where it has no transparency."""
    if alpha is None:
        raise InputError(
            f"{source} has no transparency, which is to be its mask",
            next_step="Give the mask as a file, or an input with transparency.",
        )
    grey: Any = np.dstack([alpha, alpha, alpha])
    return cast("Pixels", grey)


def mask_start_s(preset: Preset) -> Fraction:
    """The clip's time at which its mask begins."""
    return Fraction(preset.style.mask_start).limit_denominator(1_000_000)


def _shown(reader: Iterable[Frame]) -> Generator[Frame, None, None]:
    """Without transparency, which means nothing in a mask."""
    for frame in reader:
        yield replace(frame, alpha=None)


def _length_s(reader: FrameReader) -> Fraction:
    """How long its last picture is shown, where nothing else is known."""
    return 1 / reader.info.frame_rate


def begins_late(path: Path, source: Path, index: int, pts: Fraction, start_s: Fraction) -> InputError:
    """The error of a mask that a frame of the clip has none of yet."""
    return InputError(
        f"the mask {path} begins at {_told(start_s)} of {source}: frame {index}, at {_told(pts)}, has none",
        next_step="Set style.mask_start to the clip's time at which the mask begins, or begin the range there.",
    )


def ends_early(path: Path, source: Path, index: int, pts: Fraction, end_s: Fraction) -> InputError:
    """The error of a mask that a frame of the clip has none of any more."""
    return InputError(
        f"the mask {path} ends at {_told(end_s)} of {source}: frame {index}, at {_told(pts)}, has none",
        next_step="Give a mask as long as the clip, set style.mask_start, or end the range before.",
    )


def _told(at_s: Fraction) -> str:
    return f"{float(at_s):.3f} s"


# -- before work -------------------------------------------------------------------------------------------


class MaskCheck:
    """What is asked of a mask before work. `first_s`, `last_s`: when the clip's first and last frame are shown."""

    def __init__(self, preset: Preset, source: Path, aspect: Fraction) -> None:
        self._preset, self._source, self._aspect = preset, source, aspect
        self._colors = _known_colors(preset)

    def shape(self, path: Path, reader: FrameReader) -> None:
        """InputError where it has another shape than the clip."""
        info = reader.info
        own = Fraction(info.width, info.height) * info.sample_aspect_ratio
        if abs(own / self._aspect - 1) > ASPECT_TOLERANCE:
            raise InputError(
                f"the mask {path} is {info.width}x{info.height}, {float(own):.3f} times as wide as high, and "
                f"{self._source} {float(self._aspect):.3f} times (from its frame at {_told(Fraction(0))} on)",
                next_step="Render the mask in the clip's own shape; its size may differ.",
            )

    def colors(self, path: Path, frame: Frame) -> None:
        """InputError where a picture of the mask shows, on a part that counts, a colour that stands for nothing."""
        unknown = _unknown_color(frame.pixels, self._colors)
        if unknown is not None:
            color, share = unknown
            at_s = frame.pts + mask_start_s(self._preset)
            raise InputError(
                f"the mask {path} shows #{bytes(color).hex()} on {share:.0%} of the picture at {_told(at_s)} of "
                f"{self._source}, and no style image is for it",
                next_step="Give style.images a region of that colour, or draw the mask in those that they have.",
            )


def _known_colors(preset: Preset) -> list[tuple[int, int, int]]:
    """Of the regions; and black and white, which stand for the rest."""
    named = [image.region_color for image in preset.style.images]
    return list(dict.fromkeys([*(one for one in named if one is not None), (0, 0, 0), (255, 255, 255)]))


def _unknown_color(
    mask: Pixels, known: list[tuple[int, int, int]]
) -> tuple[tuple[int, int, int], float] | None:
    """The colour that most such pixels have, and their share: those far from every mixture of two that are known."""
    eight = (mask >> 8).astype(np.uint8) if mask.dtype == np.uint16 else mask
    scale = LOOKED_AT_PX / max(eight.shape[:2])
    if scale < 1:
        eight = cv2.resize(eight, None, fx=scale, fy=scale, interpolation=cv2.INTER_NEAREST)
    pixels = eight.reshape(-1, 3).astype(np.float32)
    off = np.full(len(pixels), np.inf, np.float32)
    anchors = [np.array(color, np.float32) for color in known]
    for number, a in enumerate(anchors):
        for b in anchors[number + 1 :]:
            way = b - a
            share = ((pixels - a) @ way / (way @ way)).clip(0, 1)
            off = np.minimum(off, np.linalg.norm(pixels - a - share[:, None] * way, axis=1))
    far = pixels[off > FAR_OFF]
    if len(far) < UNKNOWN_SHARE * len(pixels):
        return None
    red, green, blue = (int(value) for value in np.median(far, axis=0))
    return (red, green, blue), len(far) / len(pixels)
