"""Which keys of a preset name a picture. They are listed here alone: checks, export and import follow."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from framestyle.presets.schema import Preset
from framestyle.presets.yaml_source import KeyPath
from framestyle.registries import INITS

MASK = "style.mask"
ALPHA_MASK = "alpha"
"""A mask that is no file: the input's own transparency."""
PICTURE_KEYS = ("style.images.*.path", MASK, "timeline.*.preset.style.images.*.path", "optimizer.init")
"""Dotted keys; `*` stands for each entry of a list. Null is no picture."""


def picture_keys(data: Any) -> Iterator[KeyPath]:
    """The place of every picture's path in a preset's plain values, whatever their types."""
    for key in PICTURE_KEYS:
        for path in _matching(data, key.split(".")):
            value = value_at(data, path)
            if value is not None and not _is_a_word(key, value):
                yield path


def _is_a_word(key: str, value: Any) -> bool:
    """Whether a key that may hold a path holds one of its words."""
    return (key == "optimizer.init" and value in INITS) or (key == MASK and value == ALPHA_MASK)


def value_at(data: Any, path: KeyPath) -> Any:
    """What lies at a path that is there."""
    for part in path:
        data = data[part]
    return data


def _matching(data: Any, parts: list[str]) -> Iterator[KeyPath]:
    if not parts:
        yield ()
    elif parts[0] == "*" and isinstance(data, list):
        for index, inner in enumerate(data):
            yield from ((index, *rest) for rest in _matching(inner, parts[1:]))
    elif isinstance(data, dict) and parts[0] in data:
        yield from ((parts[0], *rest) for rest in _matching(data[parts[0]], parts[1:]))


def pictures_of(preset: Preset) -> tuple[str, ...]:
    """The path of every picture that a preset names, each once, in the schema's order."""
    data = preset.model_dump(mode="json", by_alias=True)
    return tuple(dict.fromkeys(value_at(data, path) for path in picture_keys(data)))


def with_pictures(preset: Preset, renamed: Callable[[str], str]) -> Preset:
    """The same preset with other paths of its pictures; it inherits nothing."""
    data = preset.model_dump(mode="json", by_alias=True, exclude={"extends"})
    for path in picture_keys(data):
        value_at(data, path[:-1])[path[-1]] = renamed(value_at(data, path))
    return Preset.model_validate(data)
