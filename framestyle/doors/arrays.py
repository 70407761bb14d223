"""Arrays in, arrays out: the door for host programs. Pictures keep their size, depth and transparency.

`stylize_image` and `stylize_frames` do one thing; a `Painter` keeps the network and the style targets between several.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from framestyle.context import Context
from framestyle.errors import UsageError
from framestyle.events import OnEvent, ignore
from framestyle.frames import Frame, Pixels
from framestyle.jobs.masks import has_regions
from framestyle.jobs.workshop import open_workshop
from framestyle.media.photos import with_hidden_filled
from framestyle.motion import sequence
from framestyle.motion.shots import Shot, find_shots
from framestyle.nst.image import to_pixels, to_tensor
from framestyle.nst.stylizer import Stylizer
from framestyle.presets import Preset, load_preset

Array = npt.NDArray[Any]
"""HWC, RGB or RGBA: uint8, uint16, or floats in [0, 1]. Colours are not multiplied by alpha."""
DEEP_TOP = 65535
_RATE = Fraction(25)
"""Arrays have no times; every frame is worked on alike, whatever the rate."""


@dataclass(frozen=True, eq=False)
class _Picture:
    """An array as the core takes it, and what its result needs to look like it. `alpha`: HW1, as it came."""

    pixels: Pixels
    alpha: Array | None
    dtype: np.dtype[Any]

    @classmethod
    def of(cls, array: Array) -> _Picture:
        if (
            not isinstance(array, np.ndarray)
            or array.ndim != 3
            or array.shape[2] not in (3, 4)
            or not array.size
        ):
            raise UsageError(
                f"a picture is an array of shape (height, width, 3 or 4), not {_told(array)}",
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


def _told(array: object) -> str:
    return f"shape {array.shape}" if isinstance(array, np.ndarray) else type(array).__name__


def _sixteen_bits(array: Array) -> npt.NDArray[np.uint16]:
    if not np.isfinite(array).all():
        raise UsageError(
            "a picture holds values that are not finite", next_step="Replace them: np.nan_to_num(array)."
        )
    levels: npt.NDArray[np.uint16] = np.rint(array.astype(np.float64).clip(0, 1) * DEEP_TOP).astype(np.uint16)
    return levels


class Painter:
    """A preset made ready to paint arrays, as often as asked.

    `preset`: a name, a path, or what `load_preset` gave. `weights`, `device` and `seed` are those of the command line;
    `on_event` hears the news. Arrays are painted at their own size: `scales.max_side_px` is not used.
    A precision that the preset leaves open is decided on here, for all that this Painter does: `preset` names it.

    Errors are FramestyleErrors: PresetError, WeightsError, DeviceError; UsageError where an array is no picture.
    """

    def __init__(
        self,
        preset: Preset | str | Path,
        *,
        weights: str = "auto",
        device: str = "auto",
        seed: int = 0,
        memory_limit_bytes: int | None = None,
        on_event: OnEvent = ignore,
    ) -> None:
        loaded = preset if isinstance(preset, Preset) else load_preset(preset)
        scales = loaded.scales.model_copy(update={"max_side_px": 0})
        self._context = Context(on_event)
        # What measures motion is made when frames come, and only then.
        self._workshop = open_workshop(
            loaded.model_copy(update={"scales": scales}),
            weights=weights,
            device=device,
            seed=seed,
            context=self._context,
            clips=False,
            masks_follow=True,
            memory_limit_bytes=memory_limit_bytes,
        )
        self.preset = self._workshop.preset

    def stylize_image(self, image: Array, *, mask: Array | None = None) -> Array:
        """One picture stylized; shape and dtype as given, alpha as it came. `image` is left as it is.

        Floats are worked on at 16 bits; what lies outside [0, 1] is clipped. `mask`: where the regions lie that style
        images are for, HW or HWC of the same types; it is stretched over the picture. None: the preset's own.
        """
        picture = _Picture.of(image)
        stylizer = self._with_mask(mask)
        result = stylizer.stylize(to_tensor(picture.pixels, stylizer.device), self._context)
        return picture.painted(to_pixels(result.image, picture.pixels.dtype.type))

    def stylize_frames(
        self, frames: Iterable[Array], *, shots: Sequence[Shot] | None = None, mask: Array | None = None
    ) -> Iterator[Array]:
        """The frames of a clip stylized one after another, each from the one before, as in a video; all of one kind.

        Lazy: a frame is read when it is wanted, and one ahead. `shots` count frames from 0. None: cuts are found (by
        `video.cuts`) where `frames` can be gone through twice, as a list or one array of four dimensions can. Anything
        else is taken as one shot: a frame that the motion does not lead to starts afresh all the same. `mask`: one for
        all frames, as for a picture.
        """
        stylizer = self._with_mask(mask)
        if shots is None:
            twice = isinstance(frames, Sequence | np.ndarray)
            shots = self._shots_of(frames) if twice else [Shot(0, 0)]
        waiting: deque[_Picture] = deque()
        painted = sequence.stylize_frames(_noted(frames, waiting), shots, stylizer, context=self._context)
        for frame in painted:
            yield waiting.popleft().painted(frame.pixels)

    def _with_mask(self, mask: Array | None) -> Stylizer:
        stylizer = self._workshop.stylizer
        if mask is None:
            if stylizer.needs_mask:
                raise UsageError(
                    "style images of the preset are for regions, and no mask says where those are",
                    next_step="Give mask=, an array in the regions' grey levels or colours.",
                )
            return stylizer
        if not has_regions(self.preset):
            raise UsageError(
                "there is a mask, but no style image of the preset is for a region",
                next_step='Say which is for what: load_preset(name, ["style.images.0.region=255"]).',
            )
        colours = np.dstack([mask] * 3) if isinstance(mask, np.ndarray) and mask.ndim == 2 else mask
        return stylizer.with_mask(to_tensor(_Picture.of(colours).pixels))

    def _shots_of(self, frames: Iterable[Array]) -> list[Shot]:
        return find_shots(_noted(frames, deque(maxlen=1)), self.preset.video.cuts, _RATE)


def _noted(arrays: Iterable[Array], waiting: deque[_Picture]) -> Iterator[Frame]:
    """Frames for the hub; `waiting` keeps what their results need, in order."""
    kind = None
    for index, array in enumerate(arrays):
        picture = _Picture.of(array)
        now = (array.shape, array.dtype)
        kind = kind or now
        if now != kind:
            raise UsageError(
                f"frame {index} is {now[1]} of shape {now[0]}, those before it {kind[1]} of shape {kind[0]}",
                next_step="Give all frames of a clip the same size and type.",
            )
        waiting.append(picture)
        yield Frame(index, index / _RATE, picture.pixels)


def stylize_image(
    image: Array,
    preset: Preset | str | Path,
    *,
    mask: Array | None = None,
    weights: str = "auto",
    device: str = "auto",
    seed: int = 0,
    on_event: OnEvent = ignore,
) -> Array:
    """One picture stylized: HWC, RGB or RGBA, uint8, uint16 or floats in [0, 1]; the result has its shape and dtype.

    `mask` is that of `Painter.stylize_image`. For several pictures make a `Painter`, whose arguments the others are.
    """
    painter = Painter(preset, weights=weights, device=device, seed=seed, on_event=on_event)
    return painter.stylize_image(image, mask=mask)


def stylize_frames(
    frames: Iterable[Array],
    preset: Preset | str | Path,
    *,
    shots: Sequence[Shot] | None = None,
    mask: Array | None = None,
    weights: str = "auto",
    device: str = "auto",
    seed: int = 0,
    on_event: OnEvent = ignore,
) -> Iterator[Array]:
    """A clip's frames stylized, lazily and in order, each as `stylize_image` would give it, and steady.

    See `Painter` for the arguments, and `Painter.stylize_frames` for `shots` and `mask`.
    """
    painter = Painter(preset, weights=weights, device=device, seed=seed, on_event=on_event)
    return painter.stylize_frames(frames, shots=shots, mask=mask)
