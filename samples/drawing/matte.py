"""The matte of the clip that lies here: the boat of its first shot, white on black; nothing in its second one.

It needs no path tracer: the boat is five flat shapes, which sail past and rise and fall a little.
"""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
import numpy.typing as npt

SIZE, FRAMES, CUT = (480, 270), 72, 40
HULL = ((19, 200), (105, 200), (94, 216), (89, 233), (34, 233), (28, 216))
SAILS = (((58, 123), (59, 199), (27, 196)), ((61, 114), (98, 196), (61, 200)))
SPEED_PX, HEAVE_PX, HEAVE_FRAMES = 6.477, 1.2, 31
FINER = 8
"""Edges are drawn this much finer and averaged: so they are soft."""


def frames() -> Iterator[npt.NDArray[np.uint8]]:
    """HWC, as large as the clip's."""
    for number in range(FRAMES):
        picture = np.zeros((SIZE[1] * FINER, SIZE[0] * FINER), np.uint8)
        if number < CUT:
            moved = (SPEED_PX * number, HEAVE_PX * np.sin(2 * np.pi * number / HEAVE_FRAMES))
            for part in (HULL, *SAILS):
                points = np.rint((np.asarray(part, float) + 0.5 + moved) * FINER).astype(np.int32)
                cv2.fillPoly(picture, [points], 255)
        small = cv2.resize(picture, SIZE, interpolation=cv2.INTER_AREA)
        yield np.repeat(small[..., None], 3, axis=2)
