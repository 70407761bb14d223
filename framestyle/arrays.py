"""Arrays of a host program: pictures and clips as the core takes them, and results in the array's own form."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from framestyle.context import Context
from framestyle.errors import Code, UsageError
from framestyle.frames import Frame, Pixels
from framestyle.masks import has_regions
from framestyle.media.photos import with_hidden_filled
from framestyle.motion.flow import OpticalFlow
from framestyle.motion.sequence import FramePainter
from framestyle.motion.shots import Shot, find_shots
from framestyle.nst.stylizer import Stylizer
from framestyle.presets import Preset
from framestyle.presets.instants import Timeline

Array = npt.NDArray[Any]
"""HWC, RGB or RGBA: uint8, uint16, or floats in [0, 1]. Colours are not multiplied by alpha."""
DEEP_TOP = 65535
_RATE = Fraction(25)
"""Arrays have no times; every frame is worked on alike, whatever the rate."""


@dataclass(frozen=True, eq=False)
class ArrayPicture:
    """An array as the core takes it, and what its result needs to look like it. `alpha`: HW1, as it came."""

    pixels: Pixels
    alpha: Array | None
    dtype: np.dtype[Any]

    @classmethod
    def of(cls, array: Array) -> ArrayPicture:
        """UsageError where it is no picture."""
        if (
            not isinstance(array, np.ndarray)
            or array.ndim != 3
            or array.shape[2] not in (3, 4)
            or not array.size
        ):
            raise UsageError(
                f"a picture is an array of shape (height, width, 3 or 4), not {_described(array)}",
                next_step="Stack a grey one three times: np.dstack([grey, grey, grey]).",
            )
        alpha = array[..., 3:].copy() if array.shape[2] == 4 else None
        deep = _sixteen_bits(array) if np.issubdtype(array.dtype, np.floating) else array
        if deep.dtype not in (np.uint8, np.uint16):
            raise UsageError(
                f"pixels are uint8, uint16, or floats in [0, 1], not {array.dtype}",
                next_step="Convert them: array.astype(np.uint8).",
            )
        colours = np.ascontiguousarray(deep[..., :3])
        hides = deep[..., 3] if alpha is not None else None
        return cls(with_hidden_filled(colours, hides), alpha, array.dtype)

    def painted(self, pixels: Pixels) -> Array:
        """The result in the form of the array."""
        result: Array = pixels if self.dtype.kind == "u" else (pixels / DEEP_TOP).astype(self.dtype)
        return result if self.alpha is None else np.concatenate([result, self.alpha], axis=2)


def _described(array: object) -> str:
    return f"shape {array.shape}" if isinstance(array, np.ndarray) else type(array).__name__


def _sixteen_bits(array: Array) -> npt.NDArray[np.uint16]:
    if not np.isfinite(array).all():
        raise UsageError(
            "a picture holds values that are not finite", next_step="Replace them: np.nan_to_num(array)."
        )
    levels: npt.NDArray[np.uint16] = np.rint(array.astype(np.float64).clip(0, 1) * DEEP_TOP).astype(np.uint16)
    return levels


def mask_pixels(mask: Array | None, preset: Preset, *, is_needed: bool) -> Pixels | None:
    """A mask, HW or HWC, as the core takes it; None: the preset's own holds.

    UsageError where it is no picture, where nothing is for a region, or where there is none and it `is_needed`.
    """
    if mask is None:
        if is_needed:
            raise UsageError(
                "style images of the preset are for regions, and no mask says where those are",
                code=Code.MASK_MISSING,
                facts={"preset": preset.name},
            )
        return None
    if not has_regions(preset):
        raise UsageError(
            "there is a mask, but no style image of the preset is for a region",
            code=Code.REGIONS_MISSING,
            facts={"preset": preset.name},
        )
    colours = np.dstack([mask] * 3) if isinstance(mask, np.ndarray) and mask.ndim == 2 else mask
    return ArrayPicture.of(colours).pixels


def masks_of(mask: Array | Iterable[Array] | None) -> Iterator[Array]:
    """One mask for all frames, or one for each: an array of one more dimension, or any iterable of arrays.

    Grey ones are HW each, coloured ones HWC: three dimensions are one coloured mask where the last is 3 or 4.
    """
    if mask is None:
        return iter(())
    if isinstance(mask, np.ndarray):
        is_one = mask.ndim < 3 or (mask.ndim == 3 and mask.shape[2] in (3, 4))
        return iter([mask] if is_one else list(mask))
    return iter(mask)


def array_timeline(preset: Preset) -> Timeline | None:
    """A preset's timeline on arrays, which count 25 frames a second. UsageError where a point needs more of a clip."""
    for number, point in enumerate(preset.timeline):
        if point.when.kind not in ("s", "frame"):
            raise UsageError(
                f"timeline.{number}: {point.at} is not known of arrays, which come one after another",
                next_step="Give the point a frame, or a time in seconds at 25 frames/s.",
            )
    numbers = (point.when for point in preset.timeline)
    times_s = [one.number if one.kind == "s" else one.number / _RATE for one in numbers]
    return Timeline.of(preset, times_s, 1 / _RATE)


class ArrayClip:
    """A clip's arrays in, one after another, and stylized ones out, each in the form of its own: one shape, one type.

    They keep their size. `shots` and `flow` are those of a `FramePainter`.
    """

    def __init__(
        self,
        stylizer: Stylizer,
        *,
        shots: Sequence[Shot] = (),
        flow: OpticalFlow | None = None,
    ) -> None:
        timeline = array_timeline(stylizer.preset)
        self._painter = FramePainter(stylizer, shots=shots, flow=flow, max_side_px=0, timeline=timeline)
        self._waiting: deque[ArrayPicture] = deque()
        """What the results to come need, in order."""
        self._kind: tuple[tuple[int, ...], np.dtype[Any]] | None = None
        self._count = 0

    def push(self, array: Array, context: Context, mask: Pixels | None = None) -> list[Array]:
        """The next frame; gives those that are finished by it. UsageError where it is unlike those before it.

        `mask`: where its regions lie, HWC; None: where the stylizer's own mask says.
        """
        picture, now = ArrayPicture.of(array), (array.shape, array.dtype)
        self._kind = self._kind or now
        if now != self._kind:
            raise UsageError(
                f"frame {self._count} is {now[1]} of shape {now[0]}, those before it {self._kind[1]} of shape "
                f"{self._kind[0]}",
                next_step="Give all frames of a clip the same size and type.",
            )
        frame = Frame(self._count, self._count / _RATE, picture.pixels, mask=mask)
        self._count += 1
        self._waiting.append(picture)
        return self._given(self._painter.push(frame, context))

    def finish(self, context: Context) -> list[Array]:
        """Those that are still to come."""
        return self._given(self._painter.finish(context))

    def cut(self) -> None:
        """The next frame begins a shot."""
        self._painter.cut()

    def close(self) -> None:
        """Ends the thread that measures motion."""
        self._painter.close()

    def _given(self, painted: Iterator[Frame]) -> list[Array]:
        return [self._waiting.popleft().painted(frame.pixels) for frame in painted]


def shots_of(arrays: Iterable[Array], cuts: str, rate: Fraction = _RATE) -> list[Shot]:
    """Where the cuts lie, found as `video.cuts` says. `rate` is the clip's frame rate, where it is known."""
    pictures = (ArrayPicture.of(array) for array in arrays)
    frames = (Frame(index, index / rate, one.pixels) for index, one in enumerate(pictures))
    return find_shots(frames, cuts, rate)
