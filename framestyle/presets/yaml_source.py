"""YAML made safe: text -> values that know their line and column. Scalars follow YAML 1.2's core rules.

PyYAML alone reads `1e6` as text, `012` as 10 and `no` as False, keeps the last of two equal keys without a
word, and lets 324 bytes of aliases grow to gigabytes. So its parser only cuts the text into events, and the
values are built here: no aliases, no tags, no second key of the same name, a limit on size and depth.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeAlias

import yaml

from framestyle.errors import Code, PresetError

LARGEST_FILE_BYTES = 1_000_000
DEEPEST_NESTING = 32
LONGEST_NUMBER = 100

KeyPath: TypeAlias = tuple[str | int, ...]


@dataclass(frozen=True, order=True)
class Place:
    """Where a value was written: a file with line and column (from 1), or an override of a key."""

    source: str
    line: int = 0
    column: int = 0
    key: str = ""
    """That an override sets; `source` then is the door's word for overrides, and the key."""

    def __str__(self) -> str:
        return f"{self.source}:{self.line}:{self.column}" if self.line else self.source


DEFAULT = Place("default")
"""Where a value stands that no file writes."""


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong, at a place and, where there is one, a key.

    `of_key` where the key itself is wrong (unknown, or there twice), whatever its value.
    """

    place: Place
    message: str
    key: KeyPath = ()
    of_key: bool = False
    cause: Code | None = None
    """That of the error which it takes up, where it does."""

    def __str__(self) -> str:
        key = dotted(self.key)
        named = key and self.place.key != key
        return f"{self.place}: {key}: {self.message}" if named else f"{self.place}: {self.message}"


class UnreadableError(Exception):
    """A fault after which the text cannot be read on."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(str(fault))
        self.fault = fault


@dataclass
class Node:
    """A value that knows where it and its key stand: a scalar, a list of Node, or a dict of Node."""

    value: Any
    place: Place
    key_place: Place | None = None

    def at(self, path: KeyPath) -> tuple[Node, KeyPath]:
        """The node that `path` leads to, as far as it leads, and the path so far."""
        node = self
        for depth, part in enumerate(path):
            inner: Any = node.value
            in_map = isinstance(inner, dict) and part in inner
            in_list = isinstance(inner, list) and isinstance(part, int) and part < len(inner)
            if not (in_map or in_list):
                return node, path[:depth]
            node = inner[part]
        return node, path

    def plain(self) -> Any:
        """The value without places."""
        if isinstance(self.value, dict):
            return {key: child.plain() for key, child in self.value.items()}
        if isinstance(self.value, list):
            return [child.plain() for child in self.value]
        return self.value


def node_of(value: Any, place: Place) -> Node:
    """A plain value as nodes that all stand at one place."""
    if isinstance(value, dict):
        return Node({key: node_of(child, place) for key, child in value.items()}, place, place)
    if isinstance(value, list | tuple):
        return Node([node_of(child, place) for child in value], place, place)
    return Node(value, place, place)


def dotted(path: KeyPath) -> str:
    """`("style", "images", 0)` -> `style.images.0`, cut where a key is absurdly long."""
    return ".".join(part[:60] if isinstance(part, str) else str(part) for part in path)


# -- scalars -----------------------------------------------------------------------------------------------

_INT = re.compile(r"[-+]?[0-9]+")
_BASED_INT = re.compile(r"0x[0-9a-fA-F]+|0o[0-7]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_INFINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_NAMED_VALUES = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_UNWANTED = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def plain_scalar(text: str) -> Any:
    """An unquoted word by YAML 1.2's core rules; ValueError where it is refused, with the reason."""
    if text in _NAMED_VALUES:
        return _NAMED_VALUES[text]
    if not (_INT.fullmatch(text) or _BASED_INT.fullmatch(text) or _FLOAT.fullmatch(text)):
        return float(text.replace(".", "", 1)) if _INFINITE.fullmatch(text) else text
    if len(text) > LONGEST_NUMBER:
        raise ValueError("is too long for a number; put it in quotes if it is text")
    if re.fullmatch(r"[-+]?0[0-9]+", text):
        raise ValueError(
            f"{text} is octal to some and decimal to others: drop the leading zeros, or put it in quotes"
        )
    if _BASED_INT.fullmatch(text):
        return int(text, 0)
    return int(text) if _INT.fullmatch(text) else float(text)


def unwanted_character(text: str) -> re.Match[str] | None:
    """The first control character, half surrogate pair or non-character."""
    return _UNWANTED.search(text)


def _character_name(found: re.Match[str]) -> str:
    return f"the character U+{ord(found.group()):04X} is not allowed"


# -- text -> nodes -----------------------------------------------------------------------------------------


@dataclass
class _Builder:
    """Turns the parser's events into nodes and gathers what is wrong on the way."""

    source: str
    events: Iterator[Any]
    faults: list[Fault] = field(default_factory=list)

    def document(self) -> Node | None:
        """The one document of the text; None where it is empty."""
        root: Node | None = None
        for event in self.events:
            if isinstance(event, yaml.DocumentStartEvent):
                if root is not None:
                    raise UnreadableError(
                        Fault(self._place(event), "a second document starts here; a preset is one")
                    )
                root = self._node(next(self.events), ())
        return root

    def _place(self, event: Any) -> Place:
        return Place(self.source, event.start_mark.line + 1, event.start_mark.column + 1)

    def _node(self, event: Any, path: KeyPath) -> Node:
        place = self._place(event)
        if len(path) > DEEPEST_NESTING:
            raise UnreadableError(Fault(place, f"this is nested deeper than {DEEPEST_NESTING} levels"))
        self._refuse_extras(event, place, path)
        if isinstance(event, yaml.ScalarEvent):
            return Node(self._scalar(event, place, path), place)
        if isinstance(event, yaml.SequenceStartEvent):
            return Node(self._list(path), place)
        if isinstance(event, yaml.MappingStartEvent):
            return Node(self._map(path), place)
        return Node(None, place)

    def _refuse_extras(self, event: Any, place: Place, path: KeyPath) -> None:
        if getattr(event, "anchor", None):
            kind = "alias" if isinstance(event, yaml.AliasEvent) else "anchor"
            self.faults.append(
                Fault(place, f"the {kind} {event.anchor[:40]!r} is not allowed: write it out", path)
            )
        if tag := getattr(event, "tag", None):
            self.faults.append(Fault(place, f"the tag {tag[:60]!r} is not allowed", path))

    def _scalar(self, event: Any, place: Place, path: KeyPath) -> Any:
        if found := unwanted_character(event.value):
            self.faults.append(Fault(place, _character_name(found), path))
            return None
        if event.style is not None:
            return event.value
        try:
            return plain_scalar(event.value)
        except ValueError as error:
            self.faults.append(Fault(place, str(error), path))
            return None

    def _list(self, path: KeyPath) -> list[Node]:
        items: list[Node] = []
        while not isinstance(event := next(self.events), yaml.SequenceEndEvent):
            items.append(self._node(event, (*path, len(items))))
        return items

    def _map(self, path: KeyPath) -> dict[str, Node]:
        entries: dict[str, Node] = {}
        while not isinstance(event := next(self.events), yaml.MappingEndEvent):
            key, place = self._key(event, path), self._place(event)
            child = self._node(next(self.events), (*path, key))
            child.key_place = place
            if key in entries:
                first = entries[key].key_place
                where = f" (first in line {first.line})" if first else ""
                message = f"this key stands here a second time{where}"
                self.faults.append(Fault(place, message, (*path, key), of_key=True))
                continue
            entries[key] = child
        return entries

    def _key(self, event: Any, path: KeyPath) -> str:
        place = self._place(event)
        if not isinstance(event, yaml.ScalarEvent):
            raise UnreadableError(Fault(place, "a key must be a word", path))
        self._refuse_extras(event, place, path)
        if found := unwanted_character(event.value):
            raise UnreadableError(Fault(place, _character_name(found), path))
        return str(event.value)


def parse(text: str, source: str) -> tuple[Node | None, list[Fault]]:
    """Text -> nodes, and all faults that could be read over. UnreadableError where reading ended."""
    if found := unwanted_character(text):
        line = text.count("\n", 0, found.start()) + 1
        column = found.start() - text.rfind("\n", 0, found.start())
        raise UnreadableError(Fault(Place(source, line, column), _character_name(found)))
    try:
        builder = _Builder(source, iter(yaml.parse(text, Loader=yaml.SafeLoader)))
        return builder.document(), builder.faults
    except yaml.MarkedYAMLError as error:
        raise UnreadableError(
            Fault(_mark_place(error, source), f"this is not YAML: {_problem(error)}")
        ) from error
    except (yaml.YAMLError, ValueError, OverflowError, RecursionError) as error:
        reason = " ".join(str(error).split())[:200]
        raise UnreadableError(Fault(Place(source), f"this is not YAML: {reason}")) from error


def _mark_place(error: yaml.MarkedYAMLError, source: str) -> Place:
    mark = error.problem_mark or error.context_mark
    return Place(source, mark.line + 1, mark.column + 1) if mark else Place(source)


def _problem(error: yaml.MarkedYAMLError) -> str:
    problem = str(error.problem or error.context)[:200]
    return f"{problem}; indent with spaces" if r"'\t'" in problem else problem


def parse_value(text: str, place: Place) -> tuple[Node, list[Fault]]:
    """The value of an override: as `parse`, with everything in one place."""
    try:
        node, faults = parse(text, place.source)
    except UnreadableError as error:
        message = f"{error.fault.message} (quotes make any text a value)"
        return Node(None, place, place), [Fault(place, message)]
    value = None if node is None else node.plain()
    return node_of(value, place), [replace(fault, place=place) for fault in faults]


def read_file(path: Path) -> tuple[Node, list[Fault]]:
    """A preset's file as nodes; PresetError where nothing of it can be used."""
    return read_bytes(bytes_of(path), str(path))


def read_bytes(data: bytes, source: str) -> tuple[Node, list[Fault]]:
    """A preset's bytes as nodes, called `source` in errors; PresetError as from `read_file`."""
    node, faults = _parse_or_raise(decoded(data, source), source)
    if node is None or not isinstance(node.value, dict):
        what = "is empty" if node is None else "holds no map of keys"
        place = Place(source, 1, 1) if node is None else node.place
        raise PresetError(f"{place}: this file {what}", code=Code.PRESET_EMPTY, facts={"path": source})
    return node, faults


def _parse_or_raise(text: str, source: str) -> tuple[Node | None, list[Fault]]:
    try:
        return parse(text, source)
    except UnreadableError as error:
        raise PresetError(str(error.fault), code=Code.PRESET_UNREADABLE, facts={"path": source}) from error


def beginning_of(path: Path, most_bytes: int) -> bytes:
    """What a file holds, up to so many bytes; PresetError where it cannot be read."""
    try:
        with path.open("rb") as file:
            return file.read(most_bytes)
    except OSError as error:
        raise PresetError(
            f"{path} cannot be read: {error.strerror}", next_step="Check permissions."
        ) from error


def bytes_of(path: Path) -> bytes:
    """What a file holds; PresetError where it cannot be read, or is larger than any preset."""
    data = beginning_of(path, LARGEST_FILE_BYTES + 1)
    if len(data) > LARGEST_FILE_BYTES:
        raise PresetError(
            f"{path} is larger than {LARGEST_FILE_BYTES:,} bytes; no preset is",
            next_step="Name a preset's file.",
        )
    return data


def decoded(data: bytes, source: str) -> str:
    """A preset's text; PresetError where it is not UTF-8."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise PresetError(
            f"{source}:{line}: byte {error.start} is not UTF-8", next_step="Save the file as UTF-8."
        ) from error
