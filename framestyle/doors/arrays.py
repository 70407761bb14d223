"""Arrays in, arrays out: the door for host programs. Pictures keep their size, depth and transparency.

`stylize_image` and `stylize_frames` do one thing; a `Painter` is a `Session` with a listener of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Unpack

from framestyle.arrays import Array
from framestyle.context import Context
from framestyle.doors.python_session import Session
from framestyle.events import OnEvent, ignore
from framestyle.motion.shots import Shot
from framestyle.opening import SessionOptions
from framestyle.presets import Preset


class Painter:
    """A preset made ready to paint arrays, as often as asked.

    `preset`: a name, a path, or what `load_preset` gave. `weights`, `device` and `seed` are those of the command line,
    `auto`, `auto` and 0 where they are not given; `memory_limit_bytes` caps what this process holds on the device.
    `on_event` hears the news. Arrays are painted at their own size: `scales.max_side_px` is not used.
    A precision that the preset leaves open is decided on here, for all that this Painter does: `preset` names it.

    Errors are FramestyleErrors: PresetError, WeightsError, DeviceError; UsageError where an array is no picture.
    """

    def __init__(
        self,
        preset: Preset | str | Path,
        *,
        memory_limit_bytes: int | None = None,
        on_event: OnEvent = ignore,
        **options: Unpack[SessionOptions],
    ) -> None:
        self._context = Context(on_event)
        self.session = Session.open(
            preset, context=self._context, memory_limit_bytes=memory_limit_bytes, **options
        )
        self.preset = self.session.preset

    def stylize_image(self, image: Array, *, mask: Array | None = None) -> Array:
        """One picture stylized; shape and dtype as given, alpha as it came. `image` is left as it is.

        See `Session.image`.
        """
        return self.session.image(image, self._context, mask=mask)

    def stylize_frames(
        self,
        frames: Iterable[Array],
        *,
        shots: Sequence[Shot] | None = None,
        mask: Array | Iterable[Array] | None = None,
    ) -> Iterator[Array]:
        """The frames of a clip stylized one after another, each from the one before, as in a video; all of one kind.

        See `Session.frames`.
        """
        return self.session.frames(frames, self._context, shots=shots, mask=mask)


def stylize_image(
    image: Array,
    preset: Preset | str | Path,
    *,
    mask: Array | None = None,
    on_event: OnEvent = ignore,
    **options: Unpack[SessionOptions],
) -> Array:
    """One picture stylized: HWC, RGB or RGBA, uint8, uint16 or floats in [0, 1]; the result has its shape and dtype.

    `mask` is that of `Painter.stylize_image`. For several pictures make a `Painter`, whose arguments the others are:
    `weights`, `device`, `seed` and `on_event`.
    """
    painter = Painter(preset, on_event=on_event, **options)
    return painter.stylize_image(image, mask=mask)


def stylize_frames(
    frames: Iterable[Array],
    preset: Preset | str | Path,
    *,
    shots: Sequence[Shot] | None = None,
    mask: Array | Iterable[Array] | None = None,
    on_event: OnEvent = ignore,
    **options: Unpack[SessionOptions],
) -> Iterator[Array]:
    """A clip's frames stylized, lazily and in order, each as `stylize_image` would give it, and steady.

    See `Painter` for `weights`, `device`, `seed` and `on_event`, `Painter.stylize_frames` for `shots` and `mask`.
    """
    painter = Painter(preset, on_event=on_event, **options)
    return painter.stylize_frames(frames, shots=shots, mask=mask)
