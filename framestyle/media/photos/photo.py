"""A photo in memory: its pixels for the work, and all of its own that the result is to have."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from framestyle.frames import Pixels
from framestyle.media.photos.alpha import Alpha
from framestyle.media.photos.cicp import Coded
from framestyle.media.photos.colors import Excess


@dataclass
class Photo:
    """`pixels` HWC RGB uint8 or uint16, upright, in sRGB; `alpha` HW, or None.

    `bits` is what the file had in a channel: a converted profile needs 16 for 8. `icc_profile` is what the result is
    to be given back to; `excess` what sRGB could not hold of the colours. `exif` and `xmp` are those of an upright
    picture without thumbnail; `dpi` across, down; `format` is Pillow's name; `notes` say what was not kept, and why.

    `coded` is what the file says of its colours by numbers, above any profile. Where that is PQ or HLG, `pixels` are
    its codes as they are; `was_hdr` says what they were before they were made SDR. `texts` are a PNG's, by keyword.
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
    coded: Coded | None = None
    was_hdr: str | None = None
    texts: Mapping[str, str] = field(default_factory=dict)

    @property
    def hdr(self) -> str | None:
        """PQ or HLG, where the pixels are its codes."""
        return None if self.coded is None else self.coded.hdr

    def __post_init__(self) -> None:
        self.bits = self.bits or 8 * self.pixels.dtype.itemsize
