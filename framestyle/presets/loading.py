"""A preset's file -> Preset: what it extends, the overrides, the checks; all that is wrong said at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path, PurePath

from pydantic import ValidationError

from framestyle.errors import Code, PresetError
from framestyle.presets.complaints import faults_of, shown
from framestyle.presets.library import builtin_presets_dir, find_preset, is_file, preset_names
from framestyle.presets.overrides import anchor_images, anchor_init, anchor_mask
from framestyle.presets.paths import MASK, picture_keys
from framestyle.presets.pictures import picture_problem
from framestyle.presets.quality import apply_setting, merged, own_word
from framestyle.presets.reference import LAYER_MAPS, did_you_mean, leaves, nearest_choice
from framestyle.presets.schema import SCHEMA_VERSION, Preset
from framestyle.presets.timeline_checks import cross_fades, timeline_faults
from framestyle.presets.yaml_source import (
    DEFAULT,
    Fault,
    KeyPath,
    Node,
    Place,
    bytes_of,
    decoded,
    dotted,
    node_of,
    read_bytes,
    read_file,
)
from framestyle.quality import QUALITIES
from framestyle.registries import INITS

LONGEST_CHAIN = 32
MOST_FAULTS_SHOWN = 100
CLIP_ENDINGS = {".mp4", ".mov", ".mkv", ".webm", ".avi", ".m4v", ".mxf", ".y4m", ".gif", ".webp", ".apng"}
"""Of masks that may move: whether they are pictures is not asked here."""
OVERRIDE = "override"
INIT = ("optimizer", "init")
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
    images: tuple[Path, ...] = ()

    @property
    def is_broken(self) -> bool:
        """Whether it does not load."""
        return self.cost_class == "broken"


def load_preset(
    name_or_path: str | Path,
    overrides: Sequence[str] = (),
    *,
    open_images: bool = False,
    origin: str = OVERRIDE,
) -> Preset:
    """A preset with all that it inherits and the overrides applied, checked and complete, its paths absolute.

    `overrides` are `KEY=VALUE`, the later one wins. `open_images`: every picture is decoded too, not only
    looked for. `origin` is what errors call an override. Raises PresetError with a line for each thing that is
    wrong: `file:line:column: key: what`.
    """
    return load_traced(name_or_path, overrides, open_images=open_images, origin=origin)[0]


def load_traced(
    name_or_path: str | Path,
    overrides: Sequence[str] = (),
    *,
    open_images: bool = False,
    origin: str = OVERRIDE,
) -> tuple[Preset, Node]:
    """As `load_preset`, with the nodes that know where each value was written; what they lack is a default."""
    path = find_preset(name_or_path)
    root, faults = _with_inherited(path, ())
    return _finished(root, faults, path, overrides, origin, picture_problem if open_images else None)


def _finished(
    root: Node,
    faults: list[Fault],
    path: Path,
    overrides: Sequence[str],
    origin: str,
    problem: Callable[[Path], str | None] | None = None,
) -> tuple[Preset, Node]:
    """Named, with the overrides, checked."""
    root.value.setdefault("name", Node(path.stem[:255], Place(str(path))))
    _fill_layer_maps(root)
    for override in overrides:
        faults += apply_setting(root, override, origin)
    faults += _cross_fades(root, Path())
    faults += _picture_faults(root, problem)
    return _checked(root, faults), root


def load_text(text: str, path: Path, overrides: Sequence[str] = (), *, origin: str = OVERRIDE) -> Preset:
    """As `load_preset`, from a text that is not saved yet: as if it were the file at `path`."""
    root, faults = read_bytes(text.encode(errors="surrogatepass"), str(path))
    return _finished(*_inheriting(root, faults, path, ()), path, overrides, origin)[0]


def load_alone(data: bytes, source: str, locate: Callable[[str], str | None]) -> Preset:
    """A preset that inherits nothing, from a file's bytes, called `source` in errors.

    `locate` turns each path of a picture into the one to be kept, or None where there is no such picture.
    """
    root, faults = read_bytes(data, source)
    _refuse_newer(root)
    extends = root.value.get("extends")
    if extends is not None and extends.value is not None:
        faults.append(
            Fault(extends.place, "a preset in a zip stands alone and extends no other", ("extends",))
        )
    root.value.setdefault("name", Node(PurePath(source).stem[:255], Place(source)))
    _fill_layer_maps(root)
    for key, node in _pictures(root):
        found = locate(node.value)
        if found is None:
            faults.append(Fault(node.place, f"{shown(node.value)} is no file of the zip", key))
        node.value = found or node.value
    return _checked(root, faults)


def preset_text(path: Path) -> str:
    """A preset's file as it is written; PresetError where it cannot be read as text."""
    return decoded(bytes_of(path), str(path))


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
    images = tuple(Path(image.path) for image in preset.style.images)
    return PresetSummary(name, preset.description, preset.tags, preset.cost_class, path, builtin, images)


# -- extends -----------------------------------------------------------------------------------------------


def _with_inherited(path: Path, chain: tuple[Path, ...], *, in_time: bool = True) -> tuple[Node, list[Fault]]:
    """A file's nodes over those of what it extends; without their timelines where they are not wanted `in_time`."""
    return _inheriting(*read_file(path), path, chain, in_time=in_time)


def _inheriting(
    root: Node, faults: list[Fault], path: Path, chain: tuple[Path, ...], *, in_time: bool = True
) -> tuple[Node, list[Fault]]:
    """The nodes of the file at `path` over those of what it extends."""
    _refuse_newer(root)
    _anchor_paths(root, path.parent)
    if not in_time:
        root.value.pop("timeline", None)
    faults = [*faults, *_cross_fades(root, path.parent)]
    extends = root.value.get("extends")
    if extends is None or not isinstance(extends.value, str):
        return root, faults
    del root.value["extends"]
    try:
        parent = _parent(extends.value, path, (*chain, path))
    except PresetError as error:
        said = f"{error.message}{_hint(error)}"
        return root, [*faults, Fault(extends.place, said, ("extends",), cause=error.code)]
    base, base_faults = _with_inherited(parent, (*chain, path), in_time=in_time)
    for key in NOT_INHERITED:
        base.value.pop(key, None)
    _fill_layer_maps(base)
    return merged(base, root), base_faults + faults


def _cross_fades(root: Node, folder: Path) -> list[Fault]:
    """Puts what is needed of them in the place of the names of presets in a timeline; a name counts from its file."""
    return cross_fades(root, lambda name: _look_of(name, folder))


def _look_of(name: str, folder: Path) -> Preset:
    """A preset that is cross-faded to; its own timeline does not count."""
    path = find_preset(name, folder)
    root, faults = _with_inherited(path, (), in_time=False)
    return _finished(root, faults, path, (), OVERRIDE)[0]


def _hint(error: PresetError) -> str:
    """What a fault says after its error: the names that may have been meant, or the next step."""
    if isinstance(near := error.facts.get("near"), list) and near:
        return f". Did you mean {' or '.join(near)}?"
    return f". {error.next_step}" if error.next_step else ""


def _parent(name: str, path: Path, chain: tuple[Path, ...]) -> Path:
    parent = find_preset(name, path.parent, apart_from=path)
    if parent in chain:
        names = " -> ".join(step.stem for step in (*chain[chain.index(parent) :], parent))
        raise PresetError(f"presets extend each other in a circle: {names}")
    if len(chain) > LONGEST_CHAIN:
        raise PresetError(f"more than {LONGEST_CHAIN} presets extend each other")
    return parent


def _fill_layer_maps(root: Node) -> None:
    """Writes out the default layers where a preset names none: so that what extends it merges with them."""
    for key in LAYER_MAPS:
        section, name = key.split(".")
        inner = root.value.setdefault(section, Node({}, DEFAULT, DEFAULT))
        if isinstance(inner.value, dict) and name not in inner.value:
            inner.value[name] = node_of(dict(leaves()[key].default), DEFAULT)


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
    mask, found = root.at(("style", "mask"))
    if len(found) == 2:
        anchor_mask(mask, folder)
    init, found = root.at(("optimizer", "init"))
    if len(found) == 2:
        anchor_init(init, folder)


def _pictures(root: Node) -> Iterator[tuple[KeyPath, Node]]:
    """Every node that holds the path of a picture."""
    for key in picture_keys(root.plain()):
        node, _ = root.at(key)
        if isinstance(node.value, str) and node.value:
            yield key, node


def _picture_faults(root: Node, problem: Callable[[Path], str | None] | None) -> Iterator[Fault]:
    """Pictures that are not there, and, with `problem`, those that it finds something wrong with."""
    for key, node in _pictures(root):
        path = Path(node.value)
        if dotted(key) == MASK and (
            _is_folder(path) or "%" in path.name or path.suffix.lower() in CLIP_ENDINGS
        ):
            # What moves is opened with the clip that it is for.
            if not (_is_folder(path) or "%" in path.name or is_file(path)):
                yield Fault(node.place, f"there is no mask at {path}", key)
            continue
        if not is_file(path):
            yield Fault(node.place, _instead(key, path) + _no_image(path) + _meant(key, path), key)
        elif problem is not None and (found := problem(path)):
            yield Fault(node.place, f"{path} {found}", key)


def _instead(key: KeyPath, path: Path) -> str:
    return f"must be {' | '.join(INITS.names())} or an image; " if key == INIT else ""


def _meant(key: KeyPath, path: Path) -> str:
    close = nearest_choice(path.name, list(INITS.names())) if key == INIT else None
    return did_you_mean([close] if close else [])


def _no_image(path: Path) -> str:
    try:
        there = path.exists()
    except (OSError, ValueError):
        there = False
    return f"{path} is not a file" if there else f"there is no image at {path}"


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False


# -- checking ----------------------------------------------------------------------------------------------


def _checked(root: Node, faults: list[Fault]) -> Preset:
    """The Preset, or PresetError with every fault, in the order of the lines."""
    try:
        preset = Preset.model_validate(root.plain())
        faults = faults or list(timeline_faults(root, preset)) or list(_quality_faults(root))
        if not faults:
            return preset
    except ValidationError as error:
        faults = faults + _not_yet_known(faults_of(error, root), faults)
    lines = list(dict.fromkeys(str(fault) for fault in sorted(faults, key=lambda fault: fault.place)))
    if len(lines) > MOST_FAULTS_SHOWN:
        lines[MOST_FAULTS_SHOWN:] = [f"… and {len(lines) - MOST_FAULTS_SHOWN} more"]
    causes = list(dict.fromkeys(str(fault.cause) for fault in faults if fault.cause is not None))
    raise PresetError("\n".join(lines), code=Code.PRESET_INVALID, facts={"faults": lines, "causes": causes})


def _quality_faults(root: Node) -> Iterator[Fault]:
    """What is wrong with the preset as its own words on quality would make it."""
    for word in QUALITIES:
        if own_word(root, word).value:
            changed = deepcopy(root)
            apply_setting(changed, f"quality={word}", OVERRIDE)
            try:
                Preset.model_validate(changed.plain())
            except ValidationError as error:
                yield from faults_of(error, changed)


def _not_yet_known(faults: Iterable[Fault], known: Iterable[Fault]) -> list[Fault]:
    """Without those that only follow from a value that could not be read."""
    unread = [fault.key for fault in known if fault.key and not fault.of_key]
    return [
        fault for fault in faults if fault.of_key or not any(fault.key[: len(key)] == key for key in unread)
    ]
