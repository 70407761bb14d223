"""Overrides, KEY=VALUE: dotted keys and their shorthands, values by the same rules as in a file."""

from __future__ import annotations

from pathlib import Path

from framestyle.presets.layers import LAYER_NAMES
from framestyle.presets.library import absolute
from framestyle.presets.paths import ALPHA_MASK, MASK
from framestyle.presets.reference import (
    LAYER_MAPS,
    did_you_mean,
    leaves,
    nearest_choice,
    nearest_keys,
    sections,
)
from framestyle.presets.schema import SHORTHANDS
from framestyle.presets.sections import StyleImage
from framestyle.presets.timeline import POINT_KEYS
from framestyle.presets.yaml_source import Fault, KeyPath, Node, Place, dotted, node_of, parse_value
from framestyle.registries import INITS


class Said(str):
    """An override that was written in another way, `said`: by which errors call it."""

    said: str

    def __new__(cls, override: str, said: str) -> Said:
        """`override` is KEY=VALUE."""
        made = super().__new__(cls, override)
        made.said = said
        return made


def apply_override(root: Node, text: str, origin: str) -> list[Fault]:
    """Sets one key in the nodes of a preset; what is wrong with the override itself. `origin` is its place's name."""
    key, equals, written = text.partition("=")
    key = SHORTHANDS.get(key.strip(), key.strip())
    place = Place(text.said[:100] if isinstance(text, Said) else f"{origin} {key[:60]}", key=key[:60])
    if not equals or not key:
        how = f"write it as KEY=VALUE, as in {origin} style_weight=2"
        return [Fault(Place(f"{origin} {text[:60]}", key=text[:60]), how)]
    parts, problem = _key_path(key, root)
    if problem:
        return [Fault(place, problem)]
    node, faults = parse_value(written, place)
    if faults:
        return faults
    _put(root, parts, _as_written_here(key, node), place)
    return []


def _key_path(key: str, root: Node) -> tuple[KeyPath, str | None]:
    """The path that a key leads to, or why there is none."""
    parts: KeyPath = tuple(key.split("."))
    if key == "extends":
        return parts, "a base cannot be set here: name that preset itself, or write a file that extends it"
    if key in leaves():
        return parts, None
    if key in sections():
        inside = [leaf for leaf in leaves() if leaf.startswith(f"{key}.")]
        return parts, f"this is a section: set one of its keys ({', '.join(inside)})"
    if dotted(parts[:2]) in LAYER_MAPS and len(parts) == 3:
        return parts, _layer_problem(str(parts[2]))
    if parts[:2] == ("style", "images") and len(parts) == 4 and str(parts[2]).isdecimal():
        return _image_path(parts, root)
    if parts[0] == "timeline" and len(parts) > 2 and str(parts[1]).isdecimal():
        return _point_path(parts, root)
    return parts, f"no such key{did_you_mean(nearest_keys(key))}"


def _layer_problem(name: str) -> str | None:
    if name in LAYER_NAMES:
        return None
    close = nearest_choice(name, list(LAYER_NAMES))
    return f"VGG19 has no such layer{did_you_mean([close] if close else [])}"


def _image_path(parts: KeyPath, root: Node) -> tuple[KeyPath, str | None]:
    """`style.images.0.weight` reaches an image that the preset has."""
    if parts[3] not in StyleImage.model_fields:
        return parts, f"no such key (an image has {' and '.join(StyleImage.model_fields)})"
    images = root.at(("style", "images"))[0].value
    count = len(images) if isinstance(images, list) else 0
    index = int(parts[2]) if len(str(parts[2])) < 6 else count
    if index >= count:
        return parts, f"the preset has {count} style images, counted from 0"
    return (*parts[:2], index, *parts[3:]), None


def _point_path(parts: KeyPath, root: Node) -> tuple[KeyPath, str | None]:
    """`timeline.0.content.weight` reaches a point that the preset has."""
    name = ".".join(map(str, parts[2:]))
    if name not in POINT_KEYS:
        close = nearest_choice(name, POINT_KEYS)
        return parts, f"no such key{did_you_mean([close] if close else [])}"
    points = root.value["timeline"].value if "timeline" in root.value else []
    count = len(points) if isinstance(points, list) else 0
    index = int(parts[1]) if len(str(parts[1])) < 6 else count
    if index >= count:
        return parts, f"the preset's timeline has {count} points, counted from 0"
    return ("timeline", index, name), None


def _as_written_here(key: str, node: Node) -> Node:
    """`style.images` may be one path or a list of them; paths count from the current folder."""
    here = Path()
    if key == "style.images":
        images = node.value if isinstance(node.value, list) else [node]
        if any(isinstance(image.value, str) for image in images) or not isinstance(node.value, list):
            node = Node([_image_node(image) for image in images], node.place, node.place)
        anchor_images(node, here)
    elif key == MASK:
        anchor_mask(node, here)
    elif key.startswith("style.images.") and key.endswith(".path"):
        anchor_path(node, here)
    elif key == "optimizer.init":
        anchor_init(node, here)
    return node


def _image_node(image: Node) -> Node:
    return node_of({"path": image.value}, image.place) if isinstance(image.value, str) else image


def anchor_images(images: Node, folder: Path) -> None:
    """Makes the paths in a list of images absolute."""
    for image in images.value if isinstance(images.value, list) else ():
        if isinstance(image.value, dict) and "path" in image.value:
            anchor_path(image.value["path"], folder)


def anchor_path(node: Node, folder: Path) -> None:
    """Makes one path absolute."""
    if isinstance(node.value, str) and node.value:
        node.value = str(absolute(node.value, folder))


def anchor_mask(node: Node, folder: Path) -> None:
    """Makes `style.mask` absolute, but for the word that stands for the input's transparency."""
    if node.value != ALPHA_MASK:
        anchor_path(node, folder)


def anchor_init(node: Node, folder: Path) -> None:
    """Makes `optimizer.init` absolute where it is a path: has a folder or a suffix, or is there."""
    text = node.value
    if not isinstance(text, str) or not text or text in INITS:
        return
    node.value = str(absolute(text, folder))


def _put(root: Node, path: KeyPath, node: Node, place: Place) -> None:
    """Sets the value at `path`, making the maps on the way."""
    at = root
    for part in path[:-1]:
        if isinstance(part, int):
            at = at.value[part]
            continue
        inner = at.value.get(part)
        if inner is None or not isinstance(inner.value, dict | list):
            inner = at.value[part] = Node({}, place, place)
        at = inner
    if isinstance(at.value, dict):
        node.key_place = place
        at.value[path[-1]] = node
