"""A session: the live objects of a render (device, network, style targets, flow), made once from a RenderSpec.

Pictures and frames go in as arrays and come out as arrays; jobs take the same objects to paint files. What hears of a
call, or may end it, comes with the call and goes with it.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self, Unpack

import numpy as np
import torch

from framestyle.arrays import Array, ArrayClip, ArrayPicture, mask_pixels, masks_of, shots_of
from framestyle.context import SILENT, Context
from framestyle.errors import Code, DeviceError, UsageError
from framestyle.frames import Pixels
from framestyle.masks import check_masks, mask_of
from framestyle.motion.flow import OpticalFlow
from framestyle.motion.methods import make_flow
from framestyle.motion.shots import Shot
from framestyle.nst.devices import choose_device
from framestyle.nst.heap import free_device
from framestyle.nst.image import to_pixels, to_tensor
from framestyle.nst.stylizer import Stylizer
from framestyle.nst.weights.backbone import Backbone
from framestyle.nst.weights.catalog import check_layers
from framestyle.nst.weights.paths import NOT_HERE, WeightsStore
from framestyle.opening import (
    JobOptions,
    computing,
    load_weights,
    make_stylizer,
    refuse_other_pictures,
    with_these_weights,
)
from framestyle.presets import Preset, load_preset
from framestyle.resolve import PrecisionChoice, refuse_styleless, render_spec
from framestyle.spec import RenderSpec


@dataclass(frozen=True, eq=False)
class _Live:
    """What closing lets go of. `flow` measures motion; None: none is wanted, or it is made with the first clip."""

    stylizer: Stylizer
    flow: OpticalFlow | None
    backbone: Backbone | None


class Session:
    """A RenderSpec made ready to paint, as often as asked. A context manager; closing it frees the device.

    `spec` says all that decides pixels; pictures, weights and precision that it names must be what they were, else
    PresetError or WeightsError. `device` says which one of the spec's kind; None: the first, or the best where the
    spec names no kind. `memory_limit_bytes` caps what this process holds on the device (on a CPU: its resident memory).
    `spec` and `preset` then name the precision that was decided on.

    It may be used from any thread, by one call at a time: UsageError while another one is at work. It works whatever
    the caller's gradient mode is. Errors are FramestyleErrors; what a context's `check_cancelled` raises is passed on,
    and the session can be used further.

    For jobs: `clips` makes what measures motion at once, `masks_follow=False` refuses regions without a mask at once,
    `store` is where weights are kept, `backbone` are some that are loaded already, `asked_weights` what the user called
    them; `pictures_checked`: the spec was made of the pictures as they are now, which are not read for that again.
    """

    def __init__(
        self,
        spec: RenderSpec,
        context: Context = SILENT,
        *,
        device: str | None = None,
        store: WeightsStore | None = None,
        backbone: Backbone | None = None,
        clips: bool = False,
        masks_follow: bool = True,
        memory_limit_bytes: int | None = None,
        asked_weights: str | None = None,
        pictures_checked: bool = False,
    ) -> None:
        preset = spec.preset
        refuse_styleless(preset)
        check_masks(preset, more_follow=masks_follow)
        if not pictures_checked:
            refuse_other_pictures(spec)
        chosen = choose_device(device or spec.device or "auto")
        preset = PrecisionChoice(chosen).resolve(spec.decided_preset)
        with computing():
            # First: it can lack weights, which should be said before others are learned or fetched.
            wanted = clips and preset.video.warm_start == "flow"
            flow = make_flow(preset.video, chosen, store) if wanted else None
            is_known = backbone is not None and NOT_HERE not in spec.weights_fingerprint
            if backbone is None:
                check_layers(spec.weights, (*preset.style.layers, *preset.content.layers))
                _, backbone = load_weights(asked_weights or spec.weights, context, store=store)
            if not is_known:
                spec = with_these_weights(spec, store)
            stylizer = make_stylizer(
                preset, backbone, chosen, seed=spec.seed, memory_limit_bytes=memory_limit_bytes
            )
        self._begin(spec, _Live(stylizer, flow, backbone))

    def _begin(self, spec: RenderSpec, live: _Live) -> None:
        stylizer = live.stylizer
        precision = stylizer.preset.optimizer.precision
        self.spec = replace(spec, device=stylizer.device.type, precision=precision)
        self.preset = self.spec.decided_preset
        self.device = f"{stylizer.device} {precision}"
        """In words: the device, and the precision of its convolutions."""
        self._live: _Live | None = live
        self._clip: ArrayClip | None = None
        self._mask: Pixels | None = None
        self._at_work = threading.Lock()

    @classmethod
    def open(
        cls,
        preset: Preset | str | Path,
        *,
        weights: str = "auto",
        device: str = "auto",
        seed: int = 0,
        context: Context = SILENT,
        memory_limit_bytes: int | None = None,
        **for_jobs: Unpack[JobOptions],
    ) -> Self:
        """A session from a preset's name, its path, or what `load_preset` gave.

        `weights`, `device` and `seed` are those of the command line; `context`, `memory_limit_bytes` and, for jobs,
        `store`, `backbone`, `clips` and `masks_follow` are as for the class.
        """
        loaded = preset if isinstance(preset, Preset) else load_preset(preset)
        return cls(
            render_spec(loaded, weights=weights, seed=seed, store=for_jobs.get("store")),
            context,
            device=device,
            memory_limit_bytes=memory_limit_bytes,
            asked_weights=weights,
            pictures_checked=True,  # a moment ago
            **for_jobs,
        )

    @classmethod
    def over(cls, spec: RenderSpec, stylizer: Stylizer, *, flow: OpticalFlow | None = None) -> Self:
        """A session over a stylizer that is there already, made as `spec` says."""
        session = cls.__new__(cls)
        session._begin(spec, _Live(stylizer, flow, None))
        return session

    # -- what it is made of --------------------------------------------------------------------------------

    @property
    def live(self) -> _Live:
        """UsageError once the session is closed."""
        if self._live is None:
            raise UsageError("the session is closed", next_step="Open another one.")
        return self._live

    @property
    def stylizer(self) -> Stylizer:
        """What paints one picture; threads may share it."""
        return self.live.stylizer

    @property
    def flow(self) -> OpticalFlow | None:
        """What measures motion; None: none is wanted, or whoever paints a clip makes it."""
        return self.live.flow

    @property
    def backbone(self) -> Backbone | None:
        """The weights, for another session with another preset."""
        return self.live.backbone

    @property
    def weights(self) -> str:
        """Their kind, or the path of a file."""
        return self.spec.weights

    def stylizer_for(self, source: Path, mask: Pixels | None = None) -> Stylizer:
        """The stylizer for an input, with that input's own mask where there is a folder of masks, or with `mask`."""
        mask = mask_of(self.preset, source) if mask is None else mask
        return self.stylizer if mask is None else self.stylizer.with_mask(to_tensor(mask))

    def out_of_memory(self, source: Path, work: str) -> DeviceError:
        """For what the stylizer itself could not fit in. `work`, render or preview, tells what lowers the size."""
        return DeviceError(
            f"{source} needs more memory than {self.device} has",
            code=Code.DEVICE_MEMORY,
            facts={"path": str(source), "device": self.device, "work": work},
        )

    @contextmanager
    def blaming_memory(self, source: Path, work: str) -> Iterator[None]:
        """What is not enough memory inside is an error that says so; see `out_of_memory`."""
        try:
            yield
        except torch.OutOfMemoryError as error:
            raise self.out_of_memory(source, work) from error

    # -- painting ------------------------------------------------------------------------------------------

    def image(self, image: Array, context: Context = SILENT, *, mask: Array | None = None) -> Array:
        """One picture stylized; shape and dtype as given, alpha as it came. `image` is left as it is.

        HWC, RGB or RGBA, uint8, uint16, or floats in [0, 1], painted at its own size: `scales.max_side_px` is not used.
        Floats are worked on at 16 bits; what lies outside [0, 1] is clipped. `mask`: where the regions lie that style
        images are for, HW or HWC of the same types; it is stretched over the picture. None: the preset's own.
        """
        picture = ArrayPicture.of(image)
        with self._call():
            regions = self._mask_pixels(mask)
            stylizer = self.stylizer if regions is None else self.stylizer.with_mask(to_tensor(regions))
            result = stylizer.stylize(to_tensor(picture.pixels, stylizer.device), context)
            return picture.painted(to_pixels(result.image, picture.pixels.dtype.type))

    def frames(
        self,
        frames: Iterable[Array],
        context: Context = SILENT,
        *,
        shots: Sequence[Shot] | None = None,
        mask: Array | Iterable[Array] | None = None,
    ) -> Iterator[Array]:
        """The frames of a clip stylized one after another, each from the one before, as in a video; all of one kind.

        Lazy: a frame is read when it is wanted, and one ahead. `shots` count frames from 0. None: cuts are found (by
        `video.cuts`) where `frames` can be gone through twice, as a list or one array of four dimensions can. Anything
        else is taken as one shot: a frame that the motion does not lead to starts afresh all the same. `mask`: one for
        all frames, an array as for a picture; or one for each, as an iterable or an array with one more dimension: of
        fewer, the last one goes on. Between two frames the session is free for other calls.
        """
        masks = masks_of(mask)
        with self._call():
            first = self._mask_pixels(next(masks, None))
        if shots is None and isinstance(frames, Sequence | np.ndarray):
            shots = shots_of(frames, self.preset.video.cuts)
        clip = ArrayClip(self.stylizer, shots=shots or ())
        now = first
        try:
            for number, frame in enumerate(frames):
                with self._call():
                    if number and (following := next(masks, None)) is not None:
                        now = self._mask_pixels(following)
                    found = clip.push(frame, context, now)
                yield from found
            with self._call():
                found = clip.finish(context)
            yield from found
        finally:
            clip.close()

    def push(self, frame: Array, context: Context = SILENT, *, mask: Array | None = None) -> list[Array]:
        """The next frame of a clip, an array as for `image`; gives those that are finished by it, in order.

        Each goes on from the one before it, and comes out one call later: its motion is measured meanwhile. With two
        passes they come out when their shot has ended. All frames up to `finish` are of one shape and type. `mask` is
        the frame's own, as for a picture; None: the last one that was given in this clip. After a call that was
        cancelled or failed, what was not given is dropped, and the next frame begins a clip.
        """
        with self._call():
            if self._clip is None or mask is not None:
                self._mask = self._mask_pixels(mask)
            if self._clip is None:
                self._clip = ArrayClip(self.stylizer, flow=self.flow)
            with self._dropping_clip_on_failure():
                return self._clip.push(frame, context, self._mask)

    def finish(self, context: Context = SILENT) -> list[Array]:
        """The frames that are still to come; the next one begins another clip."""
        with self._call():
            if self._clip is None:
                return []
            with self._dropping_clip_on_failure():
                found = self._clip.finish(context)
            self._drop_clip()
            return found

    def reset(self) -> None:
        """A cut: the next frame begins a shot, and goes on from none. Frames before it are still given."""
        with self._call():
            if self._clip is not None:
                self._clip.cut()

    def close(self) -> None:
        """Ends its thread and frees the device. UsageError while a call is at work."""
        with self._held():
            if self._live is None:
                return
            device = self._live.stylizer.device
            self._drop_clip()
            self._live = None
            free_device(device)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def _held(self) -> Iterator[None]:
        if not self._at_work.acquire(blocking=False):
            raise UsageError(
                "the session is at work in another call",
                next_step="A session does one call at a time: wait for it, or open one for each thread.",
            )
        try:
            yield
        finally:
            self._at_work.release()

    @contextmanager
    def _call(self) -> Iterator[None]:
        """One call at a time, of an open session, with gradients whatever the caller's mode is."""
        with self._held():
            _ = self.live
            with computing():
                yield

    @contextmanager
    def _dropping_clip_on_failure(self) -> Iterator[None]:
        try:
            yield
        except BaseException:
            self._drop_clip()
            raise

    def _drop_clip(self) -> None:
        clip, self._clip = self._clip, None
        if clip is not None:
            clip.close()

    def _mask_pixels(self, mask: Array | None) -> Pixels | None:
        return mask_pixels(mask, self.preset, is_needed=self.stylizer.needs_mask)
