"""Presets as YAML text: resolved, or to start from."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from framestyle.errors import PresetError
from framestyle.presets.schema import Preset
from framestyle.presets.yaml_source import DEFAULT, KeyPath, Node, Place, parse, unwanted_character

_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_]*(?:[ -][A-Za-z0-9_]+)*")
_NOT_PLAIN = {"true", "false", "null", "yes", "no", "on", "off", "y", "n"}
_UNFOLDED = 1 << 30
WIDEST_TRACED = 48
"""Longer lines, such as paths, do not push the comments of the others away."""


def resolved_yaml(preset: Preset) -> str:
    """The whole preset, nothing inherited or left out, as YAML that loads as the same preset."""
    data = preset.model_dump(mode="json", by_alias=True, exclude={"extends"})
    return str(yaml.dump(data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=_UNFOLDED))


def traced_yaml(preset: Preset, nodes: Node) -> str:
    """As `resolved_yaml`, with where each value was written beside it; `nodes` as `load_traced` gives them."""
    lines = resolved_yaml(preset).rstrip("\n").split("\n")
    written, _ = parse("\n".join(lines), "")
    places = {node.place.line: _origin(nodes, key) for key, node in _scalars(written)} if written else {}
    labels = _labels({place.source for place in places.values() if place and place.line})
    column = max(len(line) for line in lines if len(line) <= WIDEST_TRACED) + 2
    traced = [_traced(line, places.get(n), labels, column) for n, line in enumerate(lines, 1)]
    files = [f"#   {label}: {source}" for source, label in sorted(labels.items()) if label != source]
    head = ["# Where each value comes from is written beside it.", *files]
    return "\n".join([*head, *traced]) + "\n"


def _scalars(node: Node, key: KeyPath = ()) -> Iterator[tuple[KeyPath, Node]]:
    inner: Any = node.value
    if isinstance(inner, dict | list) and inner:
        for part, child in inner.items() if isinstance(inner, dict) else enumerate(inner):
            yield from _scalars(child, (*key, part))
    else:
        yield key, node


def _origin(nodes: Node, key: KeyPath) -> Place | None:
    """Where a value was written; None where it is a default."""
    node, found = nodes.at(key)
    return node.place if found == key and node.place != DEFAULT else None


def _labels(sources: Iterable[str]) -> dict[str, str]:
    """A file's short name, or its path where two have the same."""
    files = list(sources)
    names = Counter(Path(source).name for source in files)
    return {source: Path(source).name if names[Path(source).name] == 1 else source for source in files}


def _traced(line: str, place: Place | None, labels: Mapping[str, str], column: int) -> str:
    if line.endswith(":"):
        return line
    if place is None:
        origin = "default"
    elif place.line:
        origin = f"{labels.get(place.source, place.source)}:{place.line}"
    else:
        origin = place.source if place.key else "the file's name"
    return f"{line:{column}}# {origin}" if len(line) < column else f"{line}  # {origin}"


class _Dumper(yaml.SafeDumper):
    """Quotes every text that is not plain words in every YAML; short lists and the layers on one line."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    plain = _WORD.fullmatch(text) is not None and text.lower() not in _NOT_PLAIN
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=None if plain else '"')


def _number(dumper: yaml.SafeDumper, number: float) -> yaml.ScalarNode:
    # A point, for readers of YAML 1.1: to them 1e-05 is text.
    text = repr(number)
    return dumper.represent_scalar(
        "tag:yaml.org,2002:float", text if "." in text else text.replace("e", ".0e")
    )


_Dumper.add_representer(str, _text)
_Dumper.add_representer(float, _number)


def new_preset_text(name: str, style_images: Sequence[str | Path]) -> str:
    """A commented preset to start from. Relative image paths count from that file."""
    default = Preset()
    images = "\n".join(f"    - {{path: {_quoted(str(path))}, weight: 1.0}}" for path in style_images)
    listed = (
        f"  images:                    # paths count from this file; several images blend by weight\n{images}"
    )
    none = "  images: []                 # without style images it can only be extended"
    return f"""schema: 1
name: {_quoted(name)}
description: My own style
tags: []
extends: base                # everything that is not said here; any preset by name or path

style:
{listed if style_images else none}
  scale: {default.style.scale}                 # larger = broader strokes
  weight: {default.style.weight}                # more = more style

content:
  weight: {default.content.weight}                # more = more of the content stays

# color: {{preserve: luminance}}          # keep the content's colours
# scales: {{max_side_px: 2048}}           # larger results; 0 = the input's own size
# video: {{temporal_weight: 40}}          # steadier video
"""


def _quoted(text: str) -> str:
    """Text in double quotes; PresetError where a preset cannot hold it."""
    if unwanted_character(text):
        raise PresetError(
            f"{text!r} cannot stand in a preset: it has control characters, or bytes that are not UTF-8",
            next_step="Rename the file.",
        )
    return str(
        yaml.dump(text, Dumper=yaml.SafeDumper, default_style='"', allow_unicode=True, width=_UNFOLDED)
    ).strip()
