"""A preset's timeline worked out: what holds at one time of a clip, and how fast it changes there."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise
from typing import Any, NamedTuple

from framestyle.presets.schema import Preset
from framestyle.presets.strength_curve import painted_at, strength_at
from framestyle.presets.timeline import CHANGING, Look, TimelinePoint

SCALE_STEP = 2**0.5
"""Between two values of `style.scale` the style is read at sizes this far apart, and what was read is blended."""
REMEMBERED = 4
"""So many frames after a change the pictures still follow it."""
FADES = 0.7
"""How much of the pace is left a frame later."""
WEIGHT_SPAN = math.log(900.0)
"""A weight that changes by this factor has changed as much as `strength` from 0 to 1 changes the content's."""


class Passage(NamedTuple):
    """What passes in one frame of a change of `strength`.

    `share`: of the way that is left, above 0 on the way to being painted in full, below 0 on the way back to the
    content; 0 where nothing changes. `frames_before`: so many frames would have made the way up to it, if each had
    passed as much.
    """

    share: float
    frames_before: float


REST = Passage(0.0, 0.0)


@dataclass(frozen=True)
class Instant:
    """What holds at one time. None: as the preset says."""

    looks: tuple[float, ...] = (1.0,)
    """The shares of the preset itself and of each of `looks_of`; they sum to 1."""
    strength: float | None = None
    content_weight: float | None = None
    style_weight: float | None = None
    images: tuple[float, ...] | None = None
    scales: tuple[tuple[float, float], ...] | None = None
    """Sizes at which the style is read, and their shares."""
    color_share: float | None = None
    regions: tuple[tuple[str, float], ...] = ()
    mix: float | None = None


def looks_of(preset: Preset) -> tuple[Look, ...]:
    """The presets that a timeline cross-fades to, each once."""
    found = [point.preset for point in preset.timeline if isinstance(point.preset, Look)]
    return tuple(dict.fromkeys(found))


class Timeline:
    """A preset's timeline on one clip: `times_s` are those of its points, in order, in seconds from the clip's start.

    `frame_s`: how long a frame is shown.
    """

    def __init__(self, preset: Preset, times_s: Sequence[Fraction], frame_s: Fraction) -> None:
        if len(times_s) != len(preset.timeline):
            raise ValueError(f"{len(preset.timeline)} points and {len(times_s)} times")
        self._preset, self._frame_s = preset, frame_s
        self._looks = looks_of(preset)
        points = sorted(zip(times_s, preset.timeline, strict=True), key=lambda one: one[0])
        self._tracks = {name: track for name in CHANGING if (track := _track(points, name))}
        self.at = lru_cache(maxsize=64)(self._at)

    @classmethod
    def of(cls, preset: Preset, times_s: Sequence[Fraction], frame_s: Fraction) -> Timeline | None:
        """None where nothing changes in time."""
        return cls(preset, times_s, frame_s) if preset.timeline else None

    def _at(self, time_s: Fraction) -> Instant:
        """What holds then."""
        return Instant(
            self._value("preset", time_s, self._shares, _blended) or (1.0,),
            self._value("strength", time_s, blend=self._strengths),
            self._value("content_weight", time_s),
            self._value("style_weight", time_s),
            self._value("style_images", time_s, blend=_blended),
            self._value("style_scale", time_s, blend=_scales, alone=lambda scale: ((scale, 1.0),)),
            self._value("color_share", time_s),
            tuple((self._value("regions", time_s, blend=_regions) or {}).items()),
            self._value("mix", time_s),
        )

    def pace(self, time_s: Fraction) -> float:
        """How much of a whole change passes in a frame there, and lately: 0 where nothing does."""
        moments = [self.at(time_s - number * self._frame_s) for number in range(REMEMBERED + 2)]
        paces = (self._between(one, before) * FADES**n for n, (one, before) in enumerate(pairwise(moments)))
        return max(paces)

    def passage(self, time_s: Fraction) -> Passage:
        """What passes in the frame there of a change of `strength`."""
        now, then = (self.at(one).strength for one in (time_s, time_s - self._frame_s))
        if now is None or then is None or now == then:
            return REST
        before = painted_at(then)
        change = painted_at(now) - before
        passed, left = (before, 1 - before) if change > 0 else (1 - before, before)
        return Passage(change / left, passed / abs(change))

    def rests(self, time_s: Fraction) -> bool:
        """Whether all has been as it is for some frames: a picture shown once more is the same then."""
        return all(
            self.at(time_s - number * self._frame_s) == self.at(time_s) for number in range(1, REMEMBERED + 2)
        )

    def _between(self, one: Instant, other: Instant) -> float:
        """How far apart what is painted is, 0 to about 1; colours and mixing come after that."""
        preset = self._preset
        own = tuple(image.weight for image in preset.style.images)
        own_scale = ((preset.style.scale, 1.0),)
        regions, before = dict(one.regions), dict(other.regions)
        strength = 0.5 if preset.strength is None else preset.strength
        return max(
            _apart(one.looks, other.looks),
            abs(painted_at(_or(one.strength, strength)) - painted_at(_or(other.strength, strength))),
            _weights_apart(one.content_weight, other.content_weight, preset.content.weight),
            _weights_apart(one.style_weight, other.style_weight, preset.style.weight),
            _apart(one.images or own, other.images or own),
            abs(_octaves(one.scales or own_scale) - _octaves(other.scales or own_scale)),
            *(abs(share - before.get(name, 1.0)) for name, share in regions.items()),
        )

    def _strengths(self, before: float, after: float, share: float) -> float:
        """Even to the eye: by how far a picture is painted, not by the number."""
        if share == 0 or before == after:
            return before
        return strength_at(_between(painted_at(before), painted_at(after), share))

    def _shares(self, name: str | Look) -> tuple[float, ...]:
        """Of a preset in full."""
        number = 0 if isinstance(name, str) else 1 + self._looks.index(name)
        return tuple(float(number == place) for place in range(1 + len(self._looks)))

    def _value(
        self,
        name: str,
        time_s: Fraction,
        made: Callable[[Any], Any] = lambda value: value,
        blend: Callable[[Any, Any, float], Any] | None = None,
        alone: Callable[[Any], Any] = lambda value: value,
    ) -> Any:
        """None where no point names the key. Before its first point and after its last one their values hold."""
        track = self._tracks.get(name)
        if track is None:
            return None
        after = next((number for number, (at_s, _, _) in enumerate(track) if at_s > time_s), len(track))
        if after in (0, len(track)):
            return alone(made(track[max(0, after - 1)][2]))
        (from_s, ease, before), (to_s, _, following) = track[after - 1], track[after]
        share = _eased(float((time_s - from_s) / (to_s - from_s)), ease)
        return (blend or _between)(made(before), made(following), share)


_Track = Sequence[tuple[Fraction, str, Any]]


def _track(points: Sequence[tuple[Fraction, TimelinePoint]], name: str) -> _Track:
    """When a key is named, how it goes on, and its value."""
    return [(at_s, one.ease, value) for at_s, one in points if (value := getattr(one, name)) is not None]


def _eased(share: float, ease: str) -> float:
    if ease == "hold":
        return 0.0
    return share * share * (3 - 2 * share) if ease == "smooth" else share


def _between(before: float, after: float, share: float) -> float:
    return before + share * (after - before)


def _blended(before: Sequence[float], after: Sequence[float], share: float) -> tuple[float, ...]:
    return tuple(_between(one, other, share) for one, other in zip(before, after, strict=True))


def _regions(before: Mapping[str, float], after: Mapping[str, float], share: float) -> dict[str, float]:
    names = dict.fromkeys([*before, *after])
    return {name: _between(before.get(name, 1.0), after.get(name, 1.0), share) for name in names}


def _scales(before: float, after: float, share: float) -> tuple[tuple[float, float], ...]:
    """Of a scale that goes, by octaves, to another: the sizes beside it that are read, and their shares."""
    octaves = math.log(after / before)
    steps = max(1, math.ceil(abs(octaves) / math.log(SCALE_STEP) - 1e-9))
    place = share * steps
    number = min(int(place), steps - 1)
    sizes = [before * math.exp(octaves * n / steps) for n in (number, number + 1)]
    shares = (1 - (place - number), place - number)
    return tuple((size, part) for size, part in zip(sizes, shares, strict=True) if part > 0)


def _octaves(scales: Sequence[tuple[float, float]]) -> float:
    return sum(share * math.log2(scale) for scale, share in scales)


def _apart(one: Sequence[float], other: Sequence[float]) -> float:
    """Of shares, whatever they sum to."""
    return sum(abs(a / sum(one) - b / sum(other)) for a, b in zip(one, other, strict=True)) / 2


def _weights_apart(one: float | None, other: float | None, own: float) -> float:
    a, b = _or(one, own), _or(other, own)
    if a == b:
        return 0.0
    return min(1.0, abs(math.log(a / b)) / WEIGHT_SPAN) if a > 0 and b > 0 else 1.0


def _or(value: float | None, own: float) -> float:
    return own if value is None else value
