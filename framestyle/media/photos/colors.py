"""A photo's colours to sRGB for the work, and the result's back into the photo's own profile."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageCms

from framestyle.frames import Pixels
from framestyle.media.photos.alpha import at_depth
from framestyle.media.photos.cicp import Coded
from framestyle.media.photos.icc import MatrixProfile, read_profile

Excess = npt.NDArray[np.int32]
"""HWC, in 16-bit codes of the photo's own profile: what a colour lacks after it was sRGB for a while."""
SAME_COLOUR, OTHER_COLOUR = 0.02, 0.25
"""How far a result may be from the photo's colour, channel by channel, to get all and none of its excess back."""
_FLAGS = ImageCms.Flags.BLACKPOINTCOMPENSATION
_INTENT = ImageCms.Intent.RELATIVE_COLORIMETRIC


def _srgb_profile() -> bytes:
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    profile[24:36] = b"\x07\xd0\0\x01\0\x01" + bytes(6)  # not the day it was made: same in, same out
    return bytes(profile)


SRGB_PROFILE = _srgb_profile()


@dataclass(frozen=True, eq=False)
class Space:
    """What a profile means: its way to sRGB, which gives uint16 where 8 bits would lose something, and back; all HWC.

    `is_grey`: it is of grey alone.
    """

    to_srgb: Callable[[Pixels], Pixels]
    from_srgb: Callable[[Pixels], Pixels]
    is_srgb: bool = False
    is_grey: bool = False


SAME_SPACE = Space(lambda pixels: pixels, lambda pixels: pixels, is_srgb=True)
"""sRGB, or taken for it."""


def _by_matrix(profile: MatrixProfile) -> Space:
    """A matrix and curves; `SAME_SPACE` where they are those of sRGB."""
    if profile.is_srgb:
        return SAME_SPACE
    return Space(
        profile.decode, lambda pixels: profile.encode(at_depth(pixels, np.uint16)), is_grey=profile.is_grey
    )


def _by_tables(profile: bytes) -> Space:
    """Tables both ways, by LittleCMS, at 8 bits."""
    return Space(
        lambda pixels: _converted(pixels, profile, SRGB_PROFILE),
        lambda pixels: _converted(at_depth(pixels, np.uint8), SRGB_PROFILE, profile),
    )


def excess_of(pixels: Pixels, held: Pixels, space: Space) -> Excess | None:
    """What of `pixels` did not survive as `held`, their sRGB; None where it is too little to see.

    Colours beyond sRGB are clipped for the work. Where the result still has such a colour it is to have all of it.
    """
    if space.is_srgb:
        return None
    back = at_depth(space.from_srgb(held), np.uint16).astype(np.int32)
    excess = at_depth(pixels, np.uint16).astype(np.int32) - back
    smallest = 64 if pixels.dtype == np.uint8 else 0
    return excess if np.abs(excess).max(initial=0) > smallest else None


def given_back(pixels: Pixels, content: Pixels, excess: Excess | None, space: Space) -> Pixels:
    """HWC sRGB -> HWC in the photo's own colours; where it is still as `content` was, with the excess."""
    codes = space.from_srgb(pixels)
    if excess is None or excess.shape != pixels.shape:
        return codes
    whole = at_depth(codes, np.uint16) + np.rint(_sameness(pixels, content) * excess)
    fitting: Pixels = whole.clip(0, 65535).astype(np.uint16)
    return fitting


def _sameness(pixels: Pixels, content: Pixels) -> npt.NDArray[np.float32]:
    """HW1: 1 where the colour is still the photo's own, 0 where it is another, smoothly between."""
    now, before = (at_depth(one, np.uint16).astype(np.float32) / 65535 for one in (pixels, content))
    distance = np.abs(now - before).max(axis=2, keepdims=True)
    ramp = ((OTHER_COLOUR - distance) / (OTHER_COLOUR - SAME_COLOUR)).clip(0, 1)
    smooth: npt.NDArray[np.float32] = ramp * ramp * (3 - 2 * ramp)
    return smooth


def _converted(pixels: Pixels, own: bytes, wanted: bytes) -> npt.NDArray[np.uint8]:
    image = Image.fromarray(np.ascontiguousarray(pixels))
    return np.array(convert(image, own, wanted), order="C")


def convert(image: Image.Image, own: bytes | ImageCms.ImageCmsProfile, wanted: bytes) -> Image.Image:
    """An 8-bit image between two profiles, as RGB; ImageCms.PyCMSError where one of them does not allow it."""
    source = ImageCms.ImageCmsProfile(io.BytesIO(own)) if isinstance(own, bytes) else own
    target = ImageCms.ImageCmsProfile(io.BytesIO(wanted))
    done = ImageCms.profileToProfile(
        image, source, target, renderingIntent=_INTENT, outputMode="RGB", flags=_FLAGS
    )
    if done is None:
        raise ImageCms.PyCMSError("nothing came back")
    return done


def space_of(profile: bytes | None, bits: int, coded: Coded | None = None) -> Space | None:
    """What RGB or grey pixels of so many bits mean under a profile; None where it cannot be used for them.

    `coded` stands above the profile. HDR is left as it is, and so is what has no meaning here.
    """
    if coded is not None:
        return SAME_SPACE if coded.profile is None else _by_matrix(coded.profile)
    if profile is None:
        return SAME_SPACE
    found = read_profile(profile)
    if found is not None:
        return _by_matrix(found)
    space = _by_tables(profile)
    return space if bits == 8 and _works_both_ways(space) else None


def _works_both_ways(space: Space) -> bool:
    try:
        space.from_srgb(space.to_srgb(np.zeros((1, 1, 3), np.uint8)))
    except (ImageCms.PyCMSError, OSError, ValueError):
        return False
    return True
