"""The one value that readers, the sequence and writers hand to each other."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8] | npt.NDArray[np.uint16]
"""HWC, RGB, uint8 or uint16, upright, full range, contiguous."""
Alpha = npt.NDArray[np.uint8] | npt.NDArray[np.uint16]
"""HW, of its pixels' depth; 0 is hidden. Colours are not multiplied by it."""


@dataclass(frozen=True, eq=False)
class Frame:
    """One picture of a clip. `index` counts decoded frames from 0; `pts` is in seconds from the clip's start.

    `alpha` is what readers give of a clip with transparency. It rides with the frame to the writer, as large as its
    pixels. `mask` shows the frame's regions, HWC of any size, where these move; else None.
    """

    index: int
    pts: Fraction
    pixels: Pixels
    alpha: Alpha | None = None
    mask: Pixels | None = None
