"""A photo in memory: its pixels for the work, and all of its own that the result is to have."""

from __future__ import annotations

from dataclasses import dataclass, field

from framestyle.frames import Pixels
from framestyle.media.photos.alpha import Alpha
from framestyle.media.photos.colors import Excess


@dataclass
class Photo:
    """`pixels` HWC RGB uint8 or uint16, upright, in sRGB; `alpha` HW, or None.

    `bits` is what the file had in a channel: a converted profile needs 16 for 8. `icc_profile` is what the result is
    to be given back to; `excess` what sRGB could not hold of the colours. `exif` and `xmp` are those of an upright
    picture without thumbnail; `dpi` across, down; `format` is Pillow's name; `notes` say what was not kept, and why.
    """

    pixels: Pixels
    alpha: Alpha | None = None
    exif: bytes | None = None
    icc_profile: bytes | None = None
    dpi: tuple[float, float] | None = None
    format: str = "PNG"
    xmp: bytes | None = None
    bits: int = 0
    excess: Excess | None = None
    notes: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.bits = self.bits or 8 * self.pixels.dtype.itemsize
