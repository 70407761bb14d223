"""What decides a result beside its input, as a key: same key and same input, same result. Loads no torch."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from framestyle.jobs.plan import TimeRange
from framestyle.jobs.recipes import image_digests
from framestyle.media.files import walk
from framestyle.media.verdict import AUTO, PRECISIONS
from framestyle.presets import Preset
from framestyle.presets.paths import picture_keys, value_at

PIXELS_VERSION = 1
"""Raised when the same preset, weights and seed come to give pixels that look different: all is then made again."""
NO_PIXELS: Mapping[str, Any] = {
    **dict.fromkeys(("schema", "name", "description", "tags", "extends"), True),
    "output": {"save_every_s": True},
}
"""Keys of a preset that no pixel depends on."""
KEY_DIGITS = 24


@dataclass(frozen=True)
class Work:
    """A preset with all that goes with it. `weights_identity`: another text for other weights.

    The device and torch's version are left out: a folder begun on one machine is gone on with on another, though the
    last bits of its pixels may then differ.
    """

    preset: Preset
    weights_identity: str
    seed: int
    span: TimeRange
    precision: str | None = None
    """What was decided where the preset says `auto`; None: nothing yet. See framestyle/jobs/precision.py."""

    @property
    def decided_precision(self) -> str | None:
        """The preset's own, or the one decided on; None before that."""
        own = self.preset.optimizer.precision
        return self.precision if own == AUTO else own

    def key(self, kind: str) -> str:
        """For a task of this kind, in the decided precision. The time range concerns clips alone."""
        return self._key(kind, self.decided_precision or AUTO)

    def undecided_key(self, kind: str) -> str:
        """The key that FrameStyle wrote before a precision was part of it, where the preset says `auto`."""
        return self._key(kind, self.preset.optimizer.precision)

    def resumable_keys(self, kind: str) -> frozenset[str]:
        """A clip that was begun under one of these is resumed."""
        return frozenset({self.key(kind), self.undecided_key(kind)})

    def done_keys(self, kind: str) -> frozenset[str]:
        """A result made under one of these is done: where the preset says `auto`, in whichever precision."""
        if self.preset.optimizer.precision != AUTO:
            return frozenset({self.key(kind)})
        return frozenset(self._key(kind, precision) for precision in (AUTO, *PRECISIONS))

    def precision_of(self, key: str, kind: str) -> str | None:
        """The precision in which a key stands for this very work; None where it is another's, or does not say."""
        return next((one for one in PRECISIONS if key == self._key(kind, one)), None)

    def _key(self, kind: str, precision: str) -> str:
        return self._keys[kind == "video", precision]

    @cached_property
    def _keys(self) -> Mapping[tuple[bool, str], str]:
        """By whether it is a clip's, and by precision: style images are read for all of them together."""
        facts = self._facts
        span = [str(self.span.start_s), str(self.span.end_s)]
        keys = {}
        for precision in (AUTO, *PRECISIONS):
            facts["preset"]["optimizer"]["precision"] = precision
            for is_clip in (False, True):
                text = json.dumps(
                    {**facts, "span": span if is_clip else []}, sort_keys=True, ensure_ascii=True
                )
                keys[is_clip, precision] = hashlib.sha256(text.encode()).hexdigest()[:KEY_DIGITS]
        return keys

    @property
    def _facts(self) -> dict[str, Any]:
        preset = self.preset.model_dump(mode="json", by_alias=True, exclude=NO_PIXELS)
        digests = image_digests(self.preset)
        # A style image counts by its bytes, wherever it lies.
        for place in picture_keys(preset):
            path = value_at(preset, place)
            value_at(preset, place[:-1])[place[-1]] = digests.get(path) or _listing(path)
        return {
            "pixels": PIXELS_VERSION,
            "preset": preset,
            "weights": self.weights_identity,
            "seed": self.seed,
        }


def _listing(path: str) -> str | list[tuple[str, int, int]]:
    """What lies in a folder of masks, by names, sizes and times: one that is drawn anew counts as another."""
    folder = Path(path)
    if not folder.is_dir():
        return path
    stats = [(file.relative_to(folder).as_posix(), file.stat()) for file in walk(folder).files]
    return [(name, stat.st_size, stat.st_mtime_ns) for name, stat in stats]
