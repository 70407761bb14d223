"""pydantic's errors in the user's words, each at the place (file or override) that wrote the value."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from pydantic import ValidationError

from framestyle.presets.reference import did_you_mean, nearest_choice, nearest_keys
from framestyle.presets.sections import StyleImage
from framestyle.presets.timeline import POINT_KEYS
from framestyle.presets.yaml_source import Fault, KeyPath, Node, dotted, plain_scalar

_PHRASES = {
    "float_type": "a number",
    "float_parsing": "a number",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "int_parsing": "a whole number",
    "int_parsing_size": "a smaller number",
    "finite_number": "a finite number",
    "string_type": "text",
    "string_too_short": "some text",
    "string_pattern_mismatch": 'a colour such as "#ff8000"',
    "bool_type": "true or false",
    "dict_type": "a map",
    "model_type": "a map of keys",
    "model_attributes_type": "a map of keys",
    "tuple_type": "a list",
}
_BOUNDS = {
    "greater_than": ("gt", ">"),
    "greater_than_equal": ("ge", "≥"),
    "less_than": ("lt", "<"),
    "less_than_equal": ("le", "≤"),
}
_TOO_LONG = {"string_too_long": "characters", "too_long": "entries"}


def faults_of(error: ValidationError, root: Node) -> list[Fault]:
    """One fault per key, in pydantic's order; the branches of a union become one sentence."""
    grouped: dict[KeyPath, list[dict[str, Any]]] = {}
    for one in error.errors(include_url=False):
        details = dict(one)
        grouped.setdefault(_real_key(details, root), []).append(details)
    return [_fault(key, details, root) for key, details in grouped.items()]


def _real_key(details: dict[str, Any], root: Node) -> KeyPath:
    """The key in the file: pydantic adds parts that name the branch of a union."""
    loc: KeyPath = tuple(details["loc"])
    return loc if details["type"] == "missing" else root.at(loc)[1]


def _fault(key: KeyPath, details: list[dict[str, Any]], root: Node) -> Fault:
    node, _ = root.at(key)
    first = details[0]
    if first["type"] == "extra_forbidden":
        return Fault(node.key_place or node.place, f"no such key{did_you_mean(_near(key))}", key, of_key=True)
    if first["type"] == "missing":
        return Fault(node.place, "is missing", key)
    if first["type"] == "value_error":
        return Fault(node.place, str(first["msg"]).removeprefix("Value error, "), key)
    if first["loc"][-1] == "[key]":  # of a map whose keys are words
        close = nearest_choice(str(key[-1]), _choices(first))
        wanted = f"must be {_phrase(first)}{did_you_mean([close] if close else [])}"
        return Fault(node.key_place or node.place, wanted, key, of_key=True)
    wanted = " or ".join(dict.fromkeys(_phrase(one) for one in details))
    message = f"must be {wanted}, not {shown(node.value)}"
    return Fault(node.place, message + _hint(node.value, details), key)


def _near(key: KeyPath) -> list[str]:
    if len(key) == 3 and key[0] == "timeline":
        close = nearest_choice(str(key[2]), POINT_KEYS)
        return [close] if close else []
    if len(key) == 4 and key[:2] == ("style", "images"):
        close = nearest_choice(str(key[3]), list(StyleImage.model_fields))
        return [close] if close else []
    return nearest_keys(dotted(key))


def _phrase(details: dict[str, Any]) -> str:
    kind, context = str(details["type"]), details.get("ctx", {})
    if kind == "literal_error":
        return " | ".join(_choices(details))
    if kind in _BOUNDS:
        name, sign = _BOUNDS[kind]
        return f"{sign} {context[name]:g}"
    if kind in _TOO_LONG:
        return f"at most {context['max_length']} {_TOO_LONG[kind]}"
    return _PHRASES.get(kind, str(details["msg"]))


def _choices(details: dict[str, Any]) -> list[str]:
    return re.findall(r"[\w-]+", re.sub(r"\bor\b", "", str(details["ctx"]["expected"])))


def _hint(value: Any, details: Iterable[dict[str, Any]]) -> str:
    kinds = {str(one["type"]) for one in details}
    if "literal_error" in kinds:
        choices = [choice for one in details if one["type"] == "literal_error" for choice in _choices(one)]
        word = "none" if value is None else value
        close = nearest_choice(word, choices) if isinstance(word, str) else None
        return did_you_mean([close] if close else [])
    if kinds == {"string_type"} and isinstance(value, bool | int | float):
        return " (put it in quotes)"
    if "bool_type" in kinds and isinstance(value, str) and value.lower() in ("yes", "on", "no", "off"):
        return f" (did you mean {'true' if value.lower() in ('yes', 'on') else 'false'}?)"
    if kinds & {"float_type", "int_type"} and isinstance(value, str) and _is_number(value):
        return " (drop the quotes)"
    return ""


def _is_number(text: str) -> bool:
    try:
        return isinstance(plain_scalar(text), int | float)
    except ValueError:
        return False


def shown(value: Any) -> str:
    """A value as a message shows it."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return repr(value if len(value) <= 40 else value[:37] + "...")
    if isinstance(value, dict):
        return "a map"
    if isinstance(value, list):
        return "a list" if value else "an empty list"
    return str(value)
