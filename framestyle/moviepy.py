"""`framestyle.moviepy.FrameStyle`: an effect for moviepy 2, `clip.with_effects([FrameStyle("mosaic")])`."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from framestyle.arrays import Array, shots_of
from framestyle.context import CheckCancelled, Context, never_cancelled
from framestyle.doors.python_presets import load_preset
from framestyle.doors.python_session import Session
from framestyle.errors import UsageError
from framestyle.events import OnEvent, ignore
from framestyle.motion.shots import Shot
from framestyle.presets import Preset

try:
    from moviepy import Effect, ImageClip, VideoClip
except ModuleNotFoundError as error:
    if error.name != "moviepy":
        raise
    raise ImportError('framestyle.moviepy needs moviepy 2: pip install "moviepy>=2.2"') from error

MOST_SKIPPED_S = 1.0
"""A request so far ahead of the last one is reached by painting what lies between; one further on starts afresh."""
_SAME_FRAME = 1e-5
"""Of a frame: times are floats, and moviepy's own readers allow for as much."""


@dataclass(frozen=True)
class FrameStyle(Effect):  # type: ignore[misc]
    """A clip painted in a preset's style, each frame from the one before it. Sound and mask stay as they are.

    `preset`: a name, a path, or what `load_preset` gave; `settings` are its overrides, `KEY=VALUE`. `weights`, `device`
    and `seed` are those of the command line. Frames keep their size: `scales.max_side_px` is not used.

    `fps` is the frame rate in which the clip is painted; None: the clip's own. `on_event` hears the news, and
    `check_cancelled` is asked before each step: what it raises ends the writing of the clip.

    Nothing is painted before a frame is wanted. Errors are FramestyleErrors: PresetError when it is made or applied,
    UsageError where the clip has no frame rate or no end, the others with the first frame.
    """

    preset: Preset | str | Path
    settings: Sequence[str] = ()
    weights: str = "auto"
    device: str = "auto"
    seed: int = 0
    fps: float | None = None
    on_event: OnEvent = ignore
    check_cancelled: CheckCancelled = never_cancelled

    def apply(self, clip: VideoClip) -> VideoClip:
        """What moviepy calls: the clip, painted when its frames are asked for."""
        painted = PaintedClip(clip, self)
        result = clip.transform(lambda _, time_s: painted(time_s))
        painted.begin()
        return result

    def loaded(self) -> Preset:
        """The preset with its settings."""
        preset = self._named()
        if preset.timeline:
            raise UsageError(
                "the preset has a timeline, and moviepy asks for frames in any order",
                next_step="Paint the clip's file with it, or take its timeline away: timeline=[].",
            )
        return preset

    def _named(self) -> Preset:
        if isinstance(self.preset, Preset) and not self.settings:
            return self.preset
        if isinstance(self.preset, Preset):
            raise UsageError(
                "settings are for a preset that is named",
                next_step="Give them to load_preset, or name the preset.",
            )
        return load_preset(self.preset, self.settings)


class PaintedClip:
    """A clip's frames by their time in seconds: painted one after another, in whatever order they are asked for.

    The last one is kept. A request further back, or far ahead, begins the clip anew at that frame.
    """

    def __init__(self, clip: VideoClip, effect: FrameStyle) -> None:
        self._clip, self._effect, self._preset = clip, effect, effect.loaded()
        self._fps, self._count = _frames_of(clip, effect.fps)
        self._session: Session | None = None
        self._shots: list[Shot] | None = None
        self._begun = False
        self._run: Iterator[Array] | None = None
        self._next = 0
        """The frame that `_run` gives next."""
        self._last: tuple[int, Array] | None = None

    def begin(self) -> None:
        """From now on frames are painted. Applying an effect asks for one, to see its size: that one was not."""
        self._begun = True

    def __call__(self, time_s: float) -> Array:
        """HW3, uint8."""
        if not self._begun:
            return _eight_bits(self._clip.get_frame(time_s))
        index = min(max(0, int(time_s * self._fps + _SAME_FRAME)), self._count - 1)
        if self._last is None or self._last[0] != index:
            self._last = (index, self._painted(index))
        return self._last[1]

    def _painted(self, index: int) -> Array:
        # Whoever is stopped in the middle of a frame begins anew with the next request.
        run, self._run = self._run, None
        if run is None or not 0 <= index - self._next <= MOST_SKIPPED_S * self._fps:
            run, self._next = self._run_from(index), index
        for _ in range(self._next, index):
            next(run)
        frame = next(run)
        if index + 1 == self._count:
            _ = next(run, None)  # its thread ends with the clip
        self._run, self._next = run, index + 1
        return frame[..., :3]

    def _run_from(self, index: int) -> Iterator[Array]:
        effect = self._effect
        context = Context(effect.on_event, effect.check_cancelled)
        if self._session is None:
            self._session = Session.open(
                self._preset, weights=effect.weights, device=effect.device, seed=effect.seed, context=context
            )
        if self._shots is None:
            self._shots = self._find_shots()
        shots = [
            Shot(max(0, shot.first - index), shot.end - index) for shot in self._shots if shot.end > index
        ]
        return self._session.frames(self._content(index), context, shots=shots)

    def _find_shots(self) -> list[Shot]:
        cuts = self._preset.video.cuts
        if cuts == "none" or self._count == 1:
            return [Shot(0, self._count)]
        return shots_of(self._content(0), cuts, Fraction(self._fps).limit_denominator(1001))

    def _content(self, first: int) -> Iterator[Array]:
        """RGB, or RGBA where the clip has a mask, so that what is hidden does not steer the rest."""
        mask = self._clip.mask
        for index in range(first, self._count):
            self._effect.check_cancelled()
            time_s = index / self._fps
            pixels = _eight_bits(self._clip.get_frame(time_s))
            if mask is not None:
                pixels = np.dstack([pixels, _eight_bits(mask.get_frame(time_s) * 255)])
            yield pixels


def _frames_of(clip: VideoClip, fps: float | None) -> tuple[float, int]:
    """Frame rate, and how many frames there are; a still is one frame."""
    if clip.is_mask:
        raise UsageError("a mask has no colours to paint", next_step="Apply the effect to the clip itself.")
    if isinstance(clip, ImageClip):
        return 1.0, 1
    rate = fps or getattr(clip, "fps", None)
    if not rate or clip.duration is None:
        missing = "duration" if rate else "frame rate"
        remedy = "clip.with_duration(seconds)" if rate else "FrameStyle(..., fps=24)"
        raise UsageError(f"the clip has no {missing}", next_step=f"Give it one: {remedy}.")
    return float(rate), max(1, math.ceil(clip.duration * rate - _SAME_FRAME))


def _eight_bits(frame: Any) -> Array:
    """Frames are uint8, but what some effects make of them are floats of the same range."""
    if frame.dtype == np.uint8:
        return np.ascontiguousarray(frame)
    levels: Array = np.rint(np.clip(frame, 0, 255)).astype(np.uint8)
    return levels
