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
from framestyle.presets import Preset
from framestyle.presets.paths import picture_keys, value_at

PIXELS_VERSION = 1
"""Raised when the same preset, weights and seed come to give pixels that look different: all is then made again."""
ONLY_WORDS = {"schema", "name", "description", "tags", "extends"}
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

    def key(self, kind: str) -> str:
        """For a task of this kind. The time range concerns clips alone."""
        span = [str(self.span.start_s), str(self.span.end_s)] if kind == "video" else []
        facts = {**self._facts, "span": span}
        text = json.dumps(facts, sort_keys=True, ensure_ascii=True)
        return hashlib.sha256(text.encode()).hexdigest()[:KEY_DIGITS]

    @cached_property
    def _facts(self) -> Mapping[str, Any]:
        preset = self.preset.model_dump(mode="json", by_alias=True, exclude=ONLY_WORDS)
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
