"""What the schema says about itself: rows for docs and help, names for hints."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from types import MappingProxyType, NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from framestyle.presets.choices import OneOf, OneOfOrPath
from framestyle.presets.schema import SHORTHANDS, Preset, Worth
from framestyle.presets.sections import StyleImage
from framestyle.presets.timeline import Look, TimelinePoint

LAYER_MAPS = ("style.layers", "content.layers")
LONGEST_HINT = 60
"""Longer words get no hint: nobody meant them, and comparing them takes time."""
_TYPE_NAMES: Mapping[Any, str] = {
    str: "text",
    int: "whole number",
    float: "number",
    bool: "true | false",
    NoneType: "null",
}
_SIGNS = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<"}


@dataclass(frozen=True)
class SchemaRow:
    """One key for people. `default` is YAML; empty where the key must be given."""

    key: str
    type: str
    range: str
    unit: str
    default: str
    help: str


def schema_rows(
    added: Mapping[str, str] = MappingProxyType({}), *, with_plugins: bool = True
) -> list[SchemaRow]:
    """Every leaf key, in the schema's order; `style.images[]` stands for each of the images, `timeline[]` for each
    of the points.

    `added` is what a door adds to the help of keys. With the names that plugins on this machine add, or as it is on
    every machine.
    """
    rows = []
    for key, info in leaves().items():
        rows.append(_row(key, info, with_plugins))
        if key == "style.images":
            inside = StyleImage.model_fields.items()
            rows += [_row(f"{key}[].{name}", inner, with_plugins) for name, inner in inside]
        elif key == "timeline":
            points = TimelinePoint.model_fields.items()
            rows += [_row(f"{key}[].{one.alias or name}", one, with_plugins) for name, one in points]
    return [replace(row, help=row.help + added.get(row.key, "")) for row in rows]


@lru_cache(maxsize=1)
def leaves() -> Mapping[str, FieldInfo]:
    """Dotted key -> field, for every key that holds a value."""
    return MappingProxyType(dict(_leaves(Preset, "")))


@lru_cache(maxsize=1)
def sections() -> frozenset[str]:
    """Dotted keys that hold other keys."""
    return frozenset(key.rpartition(".")[0] for key in leaves()) - {""}


def _leaves(model: type[BaseModel], prefix: str) -> Iterator[tuple[str, FieldInfo]]:
    for name, info in model.model_fields.items():
        key, inner = f"{prefix}{info.alias or name}", info.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            yield from _leaves(inner, f"{key}.")
        else:
            yield key, info


def _row(key: str, info: FieldInfo, with_plugins: bool) -> SchemaRow:
    extra = info.json_schema_extra
    unit = str(extra["unit"]) if isinstance(extra, dict) and "unit" in extra else ""
    for item in info.metadata:
        if isinstance(item, OneOf | OneOfOrPath):
            registry = item.registry
            names = registry.names() if with_plugins else registry.built_in_names
            if isinstance(item, OneOf):
                text = info.description or ""
                return SchemaRow(key, "choice", " | ".join(names), unit, _default(info), text)
            text = " | ".join((*names, "path of an image"))
            return SchemaRow(key, "text", "", unit, _default(info), text)
    parts = [_type_and_range(part) for part in _alternatives(info.annotation)]
    ranges = [text for _, text in parts if text] + _limits(info.metadata)
    kinds = dict.fromkeys(kind for kind, _ in parts)
    return SchemaRow(key, " or ".join(kinds), ", ".join(ranges), unit, _default(info), info.description or "")


def _default(info: FieldInfo) -> str:
    default = info.default
    if default is PydanticUndefined:
        return ""
    if isinstance(default, dict):
        return "{" + ", ".join(f"{name}: {weight:g}" for name, weight in default.items()) + "}"
    if isinstance(default, str):
        return default if default.replace("_", "").isalnum() else json.dumps(default)
    return json.dumps(default)


def _alternatives(annotation: Any) -> list[Any]:
    return list(get_args(annotation)) if get_origin(annotation) in (Union, UnionType) else [annotation]


def _type_and_range(annotation: Any) -> tuple[str, str]:
    limits: list[str] = []
    if get_origin(annotation) is Annotated:
        annotation, *metadata = get_args(annotation)
        limits = [limit for item in metadata for limit in _limits(getattr(item, "metadata", [item]))]
    origin = get_origin(annotation)
    if origin is Literal:
        return "choice", " | ".join(str(value) for value in get_args(annotation))
    if origin is dict and get_args(annotation)[1] is Worth:
        return "map of quality: {scales, video}", " | ".join(get_args(get_args(annotation)[0]))
    if origin is dict:
        weights = _type_and_range(get_args(annotation)[1])[1]
        named = "region: share" if "≤" in weights else "layer: weight"
        return f"map of {named}", f"{named.partition(': ')[2]}s {weights}"
    if origin is tuple:
        inner, *others = get_args(annotation)
        if inner is TimelinePoint:
            return "list of {at, ease, …}", ""
        kind, inner_range = ("map", "") if inner is StyleImage else _type_and_range(inner)
        names = {
            "map": "list of {path, weight, region}",
            "text": "list of texts",
            "whole number": "list of whole numbers",
            "number": "list of numbers",
        }
        count = "" if others == [...] else f", {1 + len(others)} of them"
        return names[kind], f"each {inner_range}{count}" if inner_range else ""
    if annotation is Look:
        return "map of name, style, content, tv_weight, strength", ""
    return _TYPE_NAMES[annotation], ", ".join(limits)


def _limits(metadata: list[Any]) -> list[str]:
    found = []
    for item in metadata:
        found += [f"{sign} {getattr(item, name):g}" for name, sign in _SIGNS.items() if hasattr(item, name)]
        if hasattr(item, "max_length"):
            found.append(f"at most {item.max_length}")
    return found


# -- hints -------------------------------------------------------------------------------------------------


def nearest_choice(word: str, choices: list[str]) -> str | None:
    """The choice that a mistyped word most likely meant."""
    word = word.lower()
    if not 1 < len(word) <= LONGEST_HINT:
        return None
    begun = [choice for choice in choices if choice.startswith(word)]
    close = begun or difflib.get_close_matches(word, choices, 1, 0.65)
    return close[0] if close else None


def nearest_keys(key: str) -> list[str]:
    """The valid dotted keys that a mistyped one most likely meant, best first."""
    if len(key) > LONGEST_HINT:
        return []
    section, _, last = key.rpartition(".")
    known = [*leaves(), *sections()]
    if key in SHORTHANDS:
        return [SHORTHANDS[key]]
    if close := difflib.get_close_matches(key, [*known, *SHORTHANDS], 1, 0.85):
        return [SHORTHANDS.get(close[0], close[0])]
    same_name = [other for other in known if other.rpartition(".")[2] == last]
    if same_name:
        return same_name[:3]
    siblings = {other.rpartition(".")[2]: other for other in known if other.rpartition(".")[0] == section}
    if close := difflib.get_close_matches(last, siblings, 1, 0.6):
        return [siblings[close[0]]]
    if close := difflib.get_close_matches(key, [*known, *SHORTHANDS], 1, 0.6):
        return [SHORTHANDS.get(close[0], close[0])]
    close = difflib.get_close_matches(last, [other.rpartition(".")[2] for other in known], 1, 0.75)
    return [other for other in known if close and other.rpartition(".")[2] == close[0]][:3]


def did_you_mean(names: list[str]) -> str:
    """` (did you mean a or b?)`, or nothing."""
    return f" (did you mean {' or '.join(names)}?)" if names else ""
