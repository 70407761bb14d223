"""Colours that are told by numbers, not by an ICC profile: cICP and nclx (ITU-T H.273), and PNG's gAMA and cHRM."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import numpy as np

from framestyle.media.photos.icc import (
    CODES,
    SRGB_LIGHT,
    Doubles,
    MatrixProfile,
    colorants_of,
    profile_bytes,
    profile_of,
)

Chromaticities: TypeAlias = tuple[float, ...]
"""x and y of red, green, blue and white."""
SRGB_PRIMARIES, UNSPECIFIED = 1, 2
SRGB_TRANSFER, LINEAR, PQ, HLG = 13, 8, 16, 18
HDR_TRANSFERS = {PQ: "PQ", HLG: "HLG"}
_D65 = (0.3127, 0.3290)
PRIMARIES: dict[int, Chromaticities] = {
    1: (0.640, 0.330, 0.300, 0.600, 0.150, 0.060, *_D65),
    4: (0.670, 0.330, 0.210, 0.710, 0.140, 0.080, 0.310, 0.316),
    5: (0.640, 0.330, 0.290, 0.600, 0.150, 0.060, *_D65),
    6: (0.630, 0.340, 0.310, 0.595, 0.155, 0.070, *_D65),
    7: (0.630, 0.340, 0.310, 0.595, 0.155, 0.070, *_D65),
    9: (0.708, 0.292, 0.170, 0.797, 0.131, 0.046, *_D65),
    11: (0.680, 0.320, 0.265, 0.690, 0.150, 0.060, 0.314, 0.351),
    12: (0.680, 0.320, 0.265, 0.690, 0.150, 0.060, *_D65),
    22: (0.630, 0.340, 0.295, 0.605, 0.155, 0.077, *_D65),
}
"""H.273, table 2."""
PRIMARIES_NAMES = {
    1: "bt709", 4: "bt470m", 5: "bt470bg", 6: "smpte170m", 7: "smpte240m", 9: "bt2020", 11: "smpte431",
    12: "smpte432", 22: "ebu3213",
}  # fmt: skip
TRANSFER_NAMES = {
    1: "bt709", 4: "bt470m", 5: "bt470bg", 6: "smpte170m", 8: "linear", 13: "iec61966-2-1",
    14: "bt2020-10", 15: "bt2020-12", PQ: "smpte2084", HLG: "arib-std-b67",
}  # fmt: skip
"""What ffmpeg calls them."""
_CURVES: dict[int, Doubles] = {
    # A camera's curves are shown by screens as sRGB's is (as browsers do, and as clips are painted).
    **dict.fromkeys((1, 6, SRGB_TRANSFER, 14, 15), SRGB_LIGHT),
    4: CODES**2.2,
    5: CODES**2.8,
    LINEAR: CODES,
}


@dataclass(frozen=True)
class Cicp:
    """Primaries and transfer by H.273's code points; in memory pixels are RGB of the full range."""

    primaries: int
    transfer: int

    @property
    def hdr(self) -> str | None:
        """PQ, HLG, or None."""
        return HDR_TRANSFERS.get(self.transfer)

    @property
    def is_srgb(self) -> bool:
        return (self.primaries, self.transfer) == (SRGB_PRIMARIES, SRGB_TRANSFER)

    @cached_property
    def profile(self) -> MatrixProfile | None:
        """What it means; None where it is HDR, or not known."""
        curve, primaries = _CURVES.get(self.transfer), PRIMARIES.get(self.primaries)
        return None if curve is None or primaries is None else _profile(primaries, curve)

    @cached_property
    def icc_profile(self) -> bytes | None:
        """The same for formats that have ICC profiles alone."""
        curve, primaries = _CURVES.get(self.transfer), PRIMARIES.get(self.primaries)
        return None if curve is None or primaries is None else profile_bytes(colorants_of(primaries), curve)

    def __str__(self) -> str:
        names = PRIMARIES_NAMES.get(self.primaries), TRANSFER_NAMES.get(self.transfer)
        return f"{names[0] or self.primaries}/{names[1] or self.transfer}"


@dataclass(frozen=True)
class GammaTag:
    """PNG's gAMA and cHRM as they are stored, in 100,000ths; None: not said."""

    gamma: int | None = None
    chromaticities: tuple[int, ...] | None = None

    hdr = None
    is_srgb = False

    @property
    def _primaries(self) -> Chromaticities:
        if self.chromaticities is None:
            return PRIMARIES[SRGB_PRIMARIES]
        white_x, white_y, *colours = (value / 100_000 for value in self.chromaticities)
        return (*colours, white_x, white_y)

    @property
    def _curve(self) -> Doubles:
        return SRGB_LIGHT if self.gamma is None else CODES ** (100_000 / self.gamma)

    @cached_property
    def profile(self) -> MatrixProfile | None:
        """What it means; None where it is nonsense."""
        try:
            return _profile(self._primaries, self._curve)
        except (np.linalg.LinAlgError, ZeroDivisionError, ValueError):
            return None

    @cached_property
    def icc_profile(self) -> bytes | None:
        """The same for formats that have ICC profiles alone."""
        return None if self.profile is None else profile_bytes(colorants_of(self._primaries), self._curve)

    def __str__(self) -> str:
        gamma = "" if self.gamma is None else f"gamma {self.gamma / 100_000:g}"
        return ", ".join(part for part in (gamma, self.chromaticities and "its own primaries") if part)


Coded: TypeAlias = Cicp | GammaTag


def _profile(primaries: Chromaticities, curve: Doubles) -> MatrixProfile:
    return profile_of(colorants_of(primaries), (curve,) * 3)


def cicp_named(primaries: str, transfer: str) -> Cicp | None:
    """From ffmpeg's names; None where H.273 has no number for one of them here."""
    by_primaries = {name: number for number, name in PRIMARIES_NAMES.items()}
    by_transfer = {name: number for number, name in TRANSFER_NAMES.items()}
    if primaries not in by_primaries or transfer not in by_transfer:
        return None
    return Cicp(by_primaries[primaries], by_transfer[transfer])
