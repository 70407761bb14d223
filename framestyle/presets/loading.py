"""A preset's file -> Preset: what it extends, the overrides, the checks; all that is wrong said at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from framestyle.errors import PresetError
from framestyle.presets.complaints import faults_of
from framestyle.presets.library import builtin_presets_dir, find_preset, is_file, preset_names
from framestyle.presets.overrides import LAYER_MAPS, anchor_images, anchor_init, apply_override
from framestyle.presets.reference import did_you_mean, leaves, nearest_choice
from framestyle.presets.schema import OWN_INITS, SCHEMA_VERSION, Preset
from framestyle.presets.yaml_source import Fault, KeyPath, Node, Place, node_of, read_file

LONGEST_CHAIN = 32
MOST_FAULTS_SHOWN = 100
NOT_INHERITED = ("schema", "name", "description", "tags", "extends")


@dataclass(frozen=True)
class PresetSummary:
    """One line of `presets list`; a preset that does not load has the reason as its description."""

    name: str
    description: str
    tags: tuple[str, ...]
    cost_class: str
    path: Path
    builtin: bool


def load_preset(name_or_path: str | Path, overrides: Sequence[str] = ()) -> Preset:
    """A preset with all that it inherits and the overrides applied, checked and complete, its paths absolute.

    `overrides` are `KEY=VALUE`, the later one wins. Raises PresetError with a line for each thing that is
    wrong: `file:line:column: key: what`.
    """
    path = find_preset(name_or_path)
    root, faults = _with_inherited(path, ())
    root.value.setdefault("name", Node(path.stem[:255], root.place))
    _fill_layer_maps(root)
    for override in overrides:
        faults += apply_override(root, override)
    faults += _missing_images(root, faults)
    return _checked(root, faults)


def list_presets(*, include_abstract: bool = False) -> list[PresetSummary]:
    """Every preset by name; abstract ones only where asked for. A broken one is listed as such."""
    rows = (_summary(name, include_abstract) for name in preset_names())
    return [row for row in rows if row is not None]


def _summary(name: str, include_abstract: bool) -> PresetSummary | None:
    path = find_preset(name)
    builtin = path.parent == builtin_presets_dir().resolve()
    try:
        preset = load_preset(path)
    except PresetError as error:
        reason = error.message.splitlines()[0]
        return PresetSummary(name, f"does not load: {reason}", (), "broken", path, builtin)
    if preset.is_abstract and not include_abstract:
        return None
    return PresetSummary(name, preset.description, preset.tags, preset.cost_class, path, builtin)


# -- extends -----------------------------------------------------------------------------------------------


def _with_inherited(path: Path, chain: tuple[Path, ...]) -> tuple[Node, list[Fault]]:
    """A file's nodes over those of what it extends."""
    root, faults = read_file(path)
    _refuse_newer(root)
    _anchor_paths(root, path.parent)
    extends = root.value.get("extends")
    if extends is None or not isinstance(extends.value, str):
        return root, faults
    del root.value["extends"]
    try:
        parent = _parent(extends.value, path, (*chain, path))
    except PresetError as error:
        hint = f". {error.next_step}" if error.next_step else ""
        return root, [*faults, Fault(extends.place, f"{error.message}{hint}", ("extends",))]
    base, base_faults = _with_inherited(parent, (*chain, path))
    for key in NOT_INHERITED:
        base.value.pop(key, None)
    _fill_layer_maps(base)
    return _merged(base, root), base_faults + faults


def _parent(name: str, path: Path, chain: tuple[Path, ...]) -> Path:
    parent = find_preset(name, path.parent, apart_from=path)
    if parent in chain:
        names = " -> ".join(step.stem for step in (*chain[chain.index(parent) :], parent))
        raise PresetError(f"presets extend each other in a circle: {names}")
    if len(chain) > LONGEST_CHAIN:
        raise PresetError(f"more than {LONGEST_CHAIN} presets extend each other")
    return parent


def _merged(base: Node, over: Node) -> Node:
    """Maps merge; lists and scalars replace."""
    if not (isinstance(base.value, dict) and isinstance(over.value, dict)):
        return over
    merged = dict(base.value)
    for key, child in over.value.items():
        merged[key] = _merged(merged[key], child) if key in merged else child
    return Node(merged, over.place, over.key_place)


def _fill_layer_maps(root: Node) -> None:
    """Writes out the default layers where a preset names none: so that what extends it merges with them."""
    place = Place("default")
    for key in LAYER_MAPS:
        section, name = key.split(".")
        inner = root.value.setdefault(section, Node({}, place, place))
        if isinstance(inner.value, dict) and name not in inner.value:
            inner.value[name] = node_of(dict(leaves()[key].default), place)


def _refuse_newer(root: Node) -> None:
    schema = root.value.get("schema")
    version = schema.value if schema is not None else SCHEMA_VERSION
    if schema is not None and isinstance(version, int) and version > SCHEMA_VERSION:
        raise PresetError(
            f"{schema.place}: schema: {version} is made for a newer FrameStyle (this one: {SCHEMA_VERSION})",
            next_step="Update FrameStyle: pip install --upgrade framestyle",
        )


# -- images ------------------------------------------------------------------------------------------------


def _anchor_paths(root: Node, folder: Path) -> None:
    """Image paths count from the file that names them."""
    images, found = root.at(("style", "images"))
    if len(found) == 2:
        anchor_images(images, folder)
    init, found = root.at(("optimizer", "init"))
    if len(found) == 2:
        anchor_init(init, folder)


def _missing_images(root: Node, known: Iterable[Fault]) -> list[Fault]:
    images, found = root.at(("style", "images"))
    faults = []
    for index in range(len(images.value) if len(found) == 2 and isinstance(images.value, list) else 0):
        faults += _missing_image(root, ("style", "images", index, "path"))
    init, found = root.at(("optimizer", "init"))
    if len(found) == 2 and init.value not in OWN_INITS:
        faults += _missing_init(init)
    return faults


def _missing_image(root: Node, key: KeyPath) -> list[Fault]:
    node, found = root.at(key)
    if found != key or not isinstance(node.value, str) or not node.value or is_file(Path(node.value)):
        return []
    return [Fault(node.place, _no_image(Path(node.value)), key)]


def _missing_init(node: Node) -> list[Fault]:
    if not isinstance(node.value, str) or not node.value or is_file(Path(node.value)):
        return []
    word = Path(node.value).name
    close = nearest_choice(word, list(OWN_INITS))
    message = f"must be {' | '.join(OWN_INITS)} or an image; {_no_image(Path(node.value))}"
    return [Fault(node.place, message + did_you_mean([close] if close else []), ("optimizer", "init"))]


def _no_image(path: Path) -> str:
    try:
        there = path.exists()
    except (OSError, ValueError):
        there = False
    return f"{path} is not a file" if there else f"there is no image at {path}"


# -- checking ----------------------------------------------------------------------------------------------


def _checked(root: Node, faults: list[Fault]) -> Preset:
    """The Preset, or PresetError with every fault, in the order of the lines."""
    try:
        preset = Preset.model_validate(root.plain())
        if not faults:
            return preset
    except ValidationError as error:
        faults = faults + _news(faults_of(error, root), faults)
    lines = list(dict.fromkeys(str(fault) for fault in sorted(faults, key=lambda fault: fault.place)))
    if len(lines) > MOST_FAULTS_SHOWN:
        lines[MOST_FAULTS_SHOWN:] = [f"… and {len(lines) - MOST_FAULTS_SHOWN} more"]
    raise PresetError("\n".join(lines), next_step="All keys and their ranges: framestyle presets keys")


def _news(faults: Iterable[Fault], known: Iterable[Fault]) -> list[Fault]:
    """Without those that only follow from a value that could not be read."""
    unread = [fault.key for fault in known if fault.key and not fault.of_key]
    return [
        fault for fault in faults if fault.of_key or not any(fault.key[: len(key)] == key for key in unread)
    ]
