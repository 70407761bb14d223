"""All that decides pixels beside the content, as one value: to be compared, kept, sent elsewhere. Loads no torch."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from typing import Any

from pydantic import ValidationError

from framestyle.errors import InputError
from framestyle.kinds import WHOLE_CLIP, MediaKind, TimeRange
from framestyle.presets import Preset
from framestyle.presets.paths import picture_keys, value_at

VERSION = 1
VERSION_KEY = "framestyle_spec"
PIXELS_VERSION = 1
"""Raised when the same preset, weights and seed come to give pixels that look different: all is then made again."""
NO_PIXELS: Mapping[str, Any] = {
    **dict.fromkeys(("schema", "name", "description", "tags", "extends", "quality"), True),
    "output": {"save_every_s": True},
}
"""Keys of a preset that no pixel depends on."""
CAME_LATER: Mapping[tuple[str, str], Any] = {
    ("style", "turned"): False,
    ("style", "mask_start"): 0.0,
    ("content", "statistic"): "features",
    ("content", "focus"): 0.0,
    ("optimizer", "precondition"): False,
    ("video", "gradient_at"): 0.0,
    ("color", "match"): False,
    ("color", "share"): 1.0,
    ("", "mix"): 1.0,
    ("", "timeline"): [],
    ("video", "method"): "optimized",
    ("video", "key_frame_gap"): 12,
    ("video", "coarse_steps"): 20,
    ("video", "polish_steps"): 4,
}
"""Keys of a preset that were not there when keys of specs were first written, by section (or none) and name, and the
value with which pixels are as they were before, which need not be the default: they are left out then, so that nothing
that is done is made anew."""
KEY_DIGITS = 24
AUTO, PRECISIONS = "auto", ("float32", "bfloat16")
"""A precision that is left open, and those that it comes to."""

Digest = str | tuple[tuple[str, int, int], ...]
"""A picture's SHA-256; of a folder of masks, name, bytes and time of each file."""


@dataclass(frozen=True)
class RenderSpec:
    """What a picture or clip is to be rendered with. With the same spec and the same content, the same pixels follow.

    `preset` is whole: nothing is inherited any more, and paths are those of this machine; it says the size too, as
    `scales.max_side_px`. `device` is a kind: cpu, cuda, mps; empty where none was chosen yet. `precision` is what the
    preset's `auto` came to; None: not decided, or the preset names its own. `span` concerns clips alone.
    """

    preset: Preset
    weights: str
    """Their kind, or the path of a file."""
    weights_fingerprint: str = ""
    """Another text for other weights; empty where it is not known."""
    pictures: Mapping[str, Digest] = field(default_factory=dict)
    """By path, as in the preset; those that could not be read are left out."""
    seed: int = 0
    device: str = ""
    precision: str | None = None
    span: TimeRange = WHOLE_CLIP

    @property
    def decided_precision(self) -> str | None:
        """The preset's own, or the one decided on; None before that."""
        own = self.preset.optimizer.precision
        return self.precision if own == AUTO else own

    @property
    def decided_preset(self) -> Preset:
        """The preset with the precision decided on, as far as one is."""
        return self.preset if self.precision is None else with_precision(self.preset, self.precision)

    # -- keys ----------------------------------------------------------------------------------------------

    def key(self, kind: MediaKind) -> str:
        """For a task of this kind, in the decided precision.

        The device and torch's version are left out: a folder begun on one machine is resumed on another, though the
        last bits of its pixels may then differ.
        """
        return self._key(kind, self.decided_precision or AUTO)

    def undecided_key(self, kind: MediaKind) -> str:
        """The key that FrameStyle wrote before a precision was part of it, where the preset says `auto`."""
        return self._key(kind, self.preset.optimizer.precision)

    def resumable_keys(self, kind: MediaKind) -> frozenset[str]:
        """A clip that was begun under one of these is resumed."""
        return frozenset({self.key(kind), self.undecided_key(kind)})

    def done_keys(self, kind: MediaKind) -> frozenset[str]:
        """A result made under one of these is done: where the preset says `auto`, in whichever precision."""
        if self.preset.optimizer.precision != AUTO:
            return frozenset({self.key(kind)})
        return frozenset(self._key(kind, precision) for precision in (AUTO, *PRECISIONS))

    def precision_of(self, key: str, kind: MediaKind) -> str | None:
        """The precision in which a key stands for this very spec; None where it is another's, or does not say."""
        return next((one for one in PRECISIONS if key == self._key(kind, one)), None)

    def _key(self, kind: MediaKind, precision: str) -> str:
        return self._keys[kind == MediaKind.VIDEO, precision]

    @cached_property
    def _keys(self) -> Mapping[tuple[bool, str], str]:
        """By whether it is a clip's, and by precision. Resumed work and manifests hold them: they must not change."""
        preset = self.preset.model_dump(mode="json", by_alias=True, exclude=NO_PIXELS)
        for (section, name), as_before in CAME_LATER.items():
            inside = preset[section] if section else preset
            if inside[name] == as_before:
                del inside[name]
        for point in preset.get("timeline", ()):
            if isinstance(point.get("preset"), dict):
                del point["preset"]["name"]
        # A style image counts by its bytes, wherever it lies.
        for place in picture_keys(preset):
            path = value_at(preset, place)
            value_at(preset, place[:-1])[place[-1]] = self.pictures.get(path, path)
        data = {
            "pixels": PIXELS_VERSION,
            "preset": preset,
            "weights": self.weights_fingerprint,
            "seed": self.seed,
        }
        span = [str(self.span.start_s), str(self.span.end_s)]
        keys = {}
        for precision in (AUTO, *PRECISIONS):
            preset["optimizer"]["precision"] = precision
            for is_clip in (False, True):
                text = json.dumps(
                    {**data, "span": span if is_clip else []}, sort_keys=True, ensure_ascii=True
                )
                keys[is_clip, precision] = hashlib.sha256(text.encode()).hexdigest()[:KEY_DIGITS]
        return keys

    # -- JSON ----------------------------------------------------------------------------------------------

    def to_json(self) -> str:
        """All of it, for another process or machine; `from_json` reads it."""
        data = {
            VERSION_KEY: VERSION,
            "preset": self.preset.model_dump(mode="json", by_alias=True, exclude={"extends"}),
            "weights": self.weights,
            "weights_fingerprint": self.weights_fingerprint,
            "pictures": dict(self.pictures),
            "seed": self.seed,
            "device": self.device,
            "precision": self.precision,
            "span": [None if one is None else str(one) for one in (self.span.start_s, self.span.end_s)],
        }
        return json.dumps(data, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> RenderSpec:
        """What `to_json` wrote. InputError where it is none, or was written by a newer FrameStyle.

        Keys of the preset that came later than the text keep the value with which pixels are as they were.
        """
        try:
            data = json.loads(text)
            version = data[VERSION_KEY]
            refuse_newer(version, VERSION, "the render spec is")
            if version != VERSION:
                raise ValueError(f"its version is {version!r}")
            start_s, end_s = (None if one is None else Fraction(one) for one in data["span"])
            return cls(
                Preset.model_validate(_with_what_came_later(data["preset"])),
                _text(data["weights"]),
                _text(data["weights_fingerprint"]),
                {path: _digest(one) for path, one in data["pictures"].items()},
                _whole(data["seed"]),
                _text(data["device"]),
                None if data["precision"] is None else _text(data["precision"]),
                TimeRange(start_s, end_s),
            )
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError, ZeroDivisionError) as error:
            what = (
                f"{error.error_count()} keys of its preset are not known here"
                if isinstance(error, ValidationError)
                else f"it is not as it was written ({error})"
            )
            raise InputError(
                f"this is no render spec: {what}", next_step="Write it anew: RenderSpec.to_json()."
            ) from error


def with_precision(preset: Preset, precision: str) -> Preset:
    """The preset with this precision in place of `auto`; one that names a precision is left as it is."""
    if preset.optimizer.precision != AUTO:
        return preset
    optimizer = preset.optimizer.model_copy(update={"precision": precision})
    return preset.model_copy(update={"optimizer": optimizer})


def refuse_newer(version: object, known: int, subject: str) -> None:
    """InputError where a value was written by a newer FrameStyle; ValueError where its version is none.

    `subject` begins the sentence, as in "the render spec is".
    """
    if type(version) is not int or version < 1:
        raise ValueError(f"its version is {version!r}")
    if version > known:
        raise InputError(
            f"{subject} of version {version}, newer than this FrameStyle knows ({known})",
            next_step="Update FrameStyle: pip install --upgrade framestyle",
        )


def _with_what_came_later(preset: dict[str, Any]) -> dict[str, Any]:
    """A preset as `to_json` wrote it, with the keys that were not there yet."""
    for (section, name), as_before in CAME_LATER.items():
        (preset.setdefault(section, {}) if section else preset).setdefault(name, as_before)
    return preset


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    return value


def _whole(value: Any) -> int:
    if type(value) is not int:
        raise TypeError(f"{value!r} is no whole number")
    return value


def _digest(value: Any) -> Digest:
    if isinstance(value, str):
        return value
    return tuple((_text(name), _whole(size), _whole(time_ns)) for name, size, time_ns in value)
