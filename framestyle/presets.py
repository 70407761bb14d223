"""Presets: the schema, and YAML -> Preset with `extends`, `--set` overrides and errors by file, line and column.

The schema is design contract; every key carries its type, range, unit, default and one line of help, and the
docs and the command line are made from it. No torch here.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from platformdirs import user_config_path
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from framestyle.errors import PresetError

SCHEMA_VERSION = 1
LARGEST_FILE_BYTES = 1_000_000
DEEPEST_NESTING = 32

STYLE_LAYERS = {"relu1_1": 1.0, "relu2_1": 1.0, "relu3_1": 1.0, "relu4_1": 1.0, "relu5_1": 1.0}
LAYER_NAME = re.compile(r"(?:(?:conv|relu)(?:[12]_[12]|[345]_[1-4])|pool[1-5])\Z")


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


def _key(default: Any, help_text: str, unit: str | None = None, **limits: Any) -> Any:
    extra = {"unit": unit} if unit else None
    return Field(default, description=help_text, json_schema_extra=extra, **limits)


Layers = dict[str, Annotated[float, Field(ge=0)]]


def _check_layers(layers: dict[str, float]) -> dict[str, float]:
    for name in layers:
        if not LAYER_NAME.match(name):
            raise ValueError(f"no VGG19 layer is called {name!r}; names look like relu4_2")
    if not layers or sum(layers.values()) <= 0:
        raise ValueError("at least one layer needs a weight above 0")
    return layers


class StyleImage(_Section):
    """One picture to take the style from."""

    path: str = Field(description="An image, relative to this file")
    weight: float = _key(1.0, "Its share where several images blend", gt=0)


class Style(_Section):
    """What the result should look like."""

    images: tuple[StyleImage, ...] = _key((), "The style images", strict=False)
    statistic: Literal["gram2015", "gram", "moments", "wasserstein"] = _key(
        "wasserstein", "Which statistics of the style's features are matched"
    )
    layers: Layers = _key(STYLE_LAYERS, "Style layers and their relative weights", strict=False)
    weight: float = _key(1.0, "Weight of the style loss", ge=0)
    scale: float = _key(1.0, "Size of the style image relative to the content", gt=0, le=8)

    _layers = field_validator("layers")(_check_layers)


class Content(_Section):
    """What of the content must stay."""

    layers: Layers = _key({"relu4_2": 1.0}, "Content layers and their weights", strict=False)
    weight: float = _key(0.3, "Weight of the content loss", ge=0)

    _layers = field_validator("layers")(_check_layers)


class Network(_Section):
    """How VGG19 is run."""

    pooling: Literal["average", "max", "l2"] = _key("average", "Pooling between blocks")
    rescale_pooling: bool = _key(True, "Keep activations at the size that the weights expect")
    padding: Literal["replicate", "zeros", "reflect"] = _key("replicate", "Edge of the first convolution")


class Optimizer(_Section):
    """How the pixels are moved."""

    name: Literal["adam", "lbfgs"] = _key("adam", "Optimiser")
    learning_rate: float = _key(0.03, "Adam's step size, in units of the full pixel range", gt=0, le=1)
    init: str = _key("content", "content | noise | style_stats | gray | path of an image")
    average_decay: float = _key(0.95, "Averaging of the iterates; 0 switches it off", ge=0, lt=1)
    precision: Literal["auto", "float32", "bfloat16"] = _key("auto", "Precision of the convolutions")


class Scales(_Section):
    """Coarse to fine, each √2 larger."""

    min_px: int = _key(128, "Longer side of the smallest scale", "px", ge=16, le=4096)
    max_side_px: int = _key(1024, "Longer side of the result; 0 = the input's own", "px", ge=0, le=32768)
    first_steps: int = _key(150, "Steps at the smallest scale", "steps", ge=0, le=100_000)
    steps: int = _key(80, "Steps at each further scale", "steps", ge=0, le=100_000)


class Color(_Section):
    """Whose colours the result has."""

    preserve: Literal["none", "luminance", "histogram", "content_stats", "style_stats"] = _key(
        "none", "Keep the content's colours, and how"
    )


class Video(_Section):
    """How one frame follows from the last."""

    warm_start: Literal["flow", "previous", "none"] = _key("flow", "What a frame starts from")
    steps: int = _key(20, "Most steps for a warm frame", "steps", ge=0, le=100_000)
    min_steps: int = _key(5, "Fewest steps for a warm frame", "steps", ge=0, le=100_000)
    tolerance: float = _key(0.002, "A frame stops when a window of steps improves less than this", ge=0, le=1)
    temporal_weight: float = _key(20.0, "Weight of staying near the warped last frame", ge=0)
    long_term: tuple[Literal[1], ...] = _key((1,), "Distances of earlier frames to stay near", "frames", strict=False)
    passes: Literal[1] = _key(1, "Passes over a shot")
    flow: Literal["dis"] = _key("dis", "Optical flow method")
    flow_quality: Literal["ultrafast", "fast", "medium", "fine"] = _key("medium", "Effort spent on flow")
    cuts: Literal["adaptive", "content", "none"] = _key("adaptive", "How cuts are found")


class Output(_Section):
    """What is written."""

    video_codec: Literal["h264", "h265", "vp9", "prores", "ffv1"] = _key("h264", "Video codec")
    quality: Literal["draft", "good", "visually_lossless", "lossless"] | float = _key(
        "visually_lossless", "Quality by name, or the codec's own number"
    )
    photo_format: Literal["jpg", "png", "webp", "tif", "bmp"] | None = _key(None, "Photo format; null = as the input")


class Preset(_Section):
    """A named style, complete: everything that a render depends on beside its inputs, weights and seed."""

    schema_version: int = Field(SCHEMA_VERSION, alias="schema", description="Version of this format", ge=1)
    name: str = _key("unnamed", "The preset's name")
    description: str = _key("", "One line for the list")
    tags: tuple[str, ...] = _key((), "Words to find it by", strict=False)
    extends: str | None = _key(None, "A preset to start from, by name or path")
    style: Style = Field(default_factory=Style)
    content: Content = Field(default_factory=Content)
    tv_weight: float = _key(1.0, "Weight of smoothness between neighbouring pixels", ge=0)
    strength: Annotated[float, Field(ge=0, le=1)] | None = _key(
        None, "0 = mostly content, 0.5 = as the weights say, 1 = mostly style"
    )
    network: Network = Field(default_factory=Network)
    optimizer: Optimizer = Field(default_factory=Optimizer)
    scales: Scales = Field(default_factory=Scales)
    color: Color = Field(default_factory=Color)
    video: Video = Field(default_factory=Video)
    output: Output = Field(default_factory=Output)

    @property
    def is_abstract(self) -> bool:
        """Without a style image: to be extended, not used alone."""
        return not self.style.images

    @property
    def cost_class(self) -> str:
        """draft | standard | slow, by steps times pixels of a first frame."""
        side = self.scales.max_side_px or 2048
        cost = (self.scales.first_steps + 2 * self.scales.steps) * (side / 1024) ** 2
        return "draft" if cost < 60 else "standard" if cost < 700 else "slow"


SHORTHANDS = {
    "style_weight": "style.weight",
    "content_weight": "content.weight",
    "temporal_weight": "video.temporal_weight",
    "max_side_px": "scales.max_side_px",
}


@dataclass(frozen=True)
class SchemaRow:
    """One key for people: what `presets keys` and the docs show."""

    key: str
    type: str
    range: str
    unit: str
    default: str
    help: str


@dataclass(frozen=True)
class PresetSummary:
    """One line of `presets list`."""

    name: str
    description: str
    tags: tuple[str, ...]
    cost_class: str
    path: Path
    builtin: bool


@dataclass(frozen=True)
class _Place:
    """Where a value was written."""

    source: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{self.source}:{self.line}:{self.column}" if self.line else self.source


Path_ = tuple[str | int, ...]
Places = dict[Path_, _Place]


class _Fault(Exception):
    """A fault of the text itself, at a place."""

    def __init__(self, place: _Place, message: str) -> None:
        super().__init__(f"{place}: {message}")


# -- YAML, made safe: values are built from nodes by YAML 1.2's core rules ---------------------------------

_INT = re.compile(r"[-+]?(?:0|[1-9][0-9]*)\Z")
_HEX = re.compile(r"0x[0-9a-fA-F]+\Z")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?\Z")
_LITERALS = {"": None, "~": None, "null": None, "true": True, "false": False}
_PLAIN_TAGS = {f"tag:yaml.org,2002:{kind}" for kind in ("null", "bool", "int", "float", "str", "timestamp", "value")}


def _scalar(node: yaml.ScalarNode, place: _Place) -> Any:
    text: str = node.value
    if node.style is not None:
        return text
    if text in _LITERALS:
        return _LITERALS[text]
    if re.match(r"[-+]?0[0-9]+\Z", text):
        raise _Fault(place, f"{text} is ambiguous (octal in some YAML); write it without leading zeros, or in quotes")
    if _INT.match(text) or _HEX.match(text):
        return int(text, 0)
    if _FLOAT.match(text):
        return float(text)
    return text


def _value(node: yaml.Node, path: Path_, source: str, places: Places) -> Any:
    place = _Place(source, node.start_mark.line + 1, node.start_mark.column + 1)
    places[path] = place
    if len(path) > DEEPEST_NESTING:
        raise _Fault(place, "nested too deep")
    if isinstance(node, yaml.ScalarNode):
        if node.tag not in _PLAIN_TAGS:
            raise _Fault(place, f"the tag {node.tag} is not allowed")
        return _scalar(node, place)
    if isinstance(node, yaml.SequenceNode):
        if node.tag != "tag:yaml.org,2002:seq":
            raise _Fault(place, f"the tag {node.tag} is not allowed")
        return [_value(child, (*path, i), source, places) for i, child in enumerate(node.value)]
    if node.tag != "tag:yaml.org,2002:map":
        raise _Fault(place, f"the tag {node.tag} is not allowed")
    mapping: dict[str, Any] = {}
    for key_node, child in node.value:
        at = _Place(source, key_node.start_mark.line + 1, key_node.start_mark.column + 1)
        if not isinstance(key_node, yaml.ScalarNode):
            raise _Fault(at, "a key must be a word")
        key = key_node.value
        if key in mapping:
            raise _Fault(at, f"the key {key!r} stands here a second time")
        mapping[key] = _value(child, (*path, key), source, places)
        places[*path, key] = at
    return mapping


def _parse(text: str, source: str) -> tuple[Any, Places]:
    """Any text -> value and places; PresetError on whatever is wrong with it."""
    places: Places = {}
    try:
        for event in yaml.parse(text, Loader=yaml.SafeLoader):
            if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
                mark = event.start_mark
                raise _Fault(_Place(source, mark.line + 1, mark.column + 1), "anchors and aliases are not allowed")
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        value = None if node is None else _value(node, (), source, places)
    except _Fault as fault:
        raise PresetError(str(fault)) from fault
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = _Place(source, mark.line + 1, mark.column + 1) if mark else _Place(source)
        raise PresetError(f"{place}: this is not YAML: {error.problem or error.context}") from error
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise PresetError(f"{source}: this is not YAML: {' '.join(str(error).split())[:200]}") from error
    return value, places


def _read(path: Path) -> tuple[dict[str, Any], Places]:
    try:
        if path.stat().st_size > LARGEST_FILE_BYTES:
            raise PresetError(f"{path} is too large for a preset")
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise PresetError(f"{path}: byte {error.start} is not UTF-8") from error
    except OSError as error:
        raise PresetError(f"{path} cannot be read: {error.strerror}") from error
    value, places = _parse(text, str(path))
    if not isinstance(value, dict):
        raise PresetError(f"{path}:1:1: a preset is a map of keys", next_step="See framestyle presets keys.")
    version = value.get("schema", SCHEMA_VERSION)
    if isinstance(version, int) and version > SCHEMA_VERSION:
        raise PresetError(
            f"{places['schema',]}: schema {version} is made for a newer FrameStyle (this one knows {SCHEMA_VERSION})",
            next_step="Update FrameStyle: pip install -U framestyle",
        )
    _anchor_images(value, path.parent)
    return value, places


def _anchor_images(value: dict[str, Any], folder: Path) -> None:
    """Image paths count from the file that names them."""
    style = value.get("style")
    if isinstance(style, dict) and isinstance(style.get("images"), list):
        for image in style["images"]:
            if isinstance(image, dict) and isinstance(image.get("path"), str):
                image["path"] = str((folder / image["path"]).resolve())


# -- finding presets ---------------------------------------------------------------------------------------


def builtin_presets_dir() -> Path:
    """Where the built-in presets lie: in the wheel, or beside the package in a checkout."""
    package = Path(__file__).resolve().parent
    wheel = package / "_data" / "presets"
    return wheel if wheel.is_dir() else package.parent / "presets"


def preset_dirs() -> list[Path]:
    """Where names are looked up, in order: the user's folder, then the built-in one."""
    return [user_config_path("framestyle") / "presets", builtin_presets_dir()]


def preset_names() -> list[str]:
    """All names, sorted."""
    return sorted({path.stem for folder in preset_dirs() if folder.is_dir() for path in folder.glob("*.yaml")})


def find_preset(name_or_path: str | Path, near: Path | None = None) -> Path:
    """The file of a preset, by path (relative to `near` or here) or by name."""
    text = str(name_or_path)
    if isinstance(name_or_path, Path) or text.endswith((".yaml", ".yml")) or "/" in text:
        path = (near or Path()) / Path(text).expanduser()
        if not path.is_file():
            raise PresetError(f"no preset file at {path}")
        return path.resolve()
    for folder in preset_dirs():
        if text and (folder / f"{text}.yaml").is_file():
            return folder / f"{text}.yaml"
    close = difflib.get_close_matches(text, preset_names(), 3)
    hint = f"Did you mean {' or '.join(close)}? " if close else ""
    raise PresetError(f"no preset is called {text!r}", next_step=f"{hint}All names: framestyle presets list")


def list_presets() -> list[PresetSummary]:
    """Every preset that is not abstract."""
    rows = []
    for name in preset_names():
        path = find_preset(name)
        preset = load_preset(name)
        if not preset.is_abstract:
            builtin = path.parent == builtin_presets_dir()
            rows.append(PresetSummary(name, preset.description, preset.tags, preset.cost_class, path, builtin))
    return rows


# -- loading -----------------------------------------------------------------------------------------------


def load_preset(name_or_path: str | Path, overrides: Sequence[str] = ()) -> Preset:
    """A preset with all it inherits and the overrides applied, checked; every error of it at once in PresetError."""
    path = find_preset(name_or_path)
    value, places = _with_inherited(path, ())
    if "name" not in value:
        value["name"] = path.stem
    for override in overrides:
        _override(value, places, override)
    return _checked(value, places, str(path))


def _with_inherited(path: Path, chain: tuple[Path, ...]) -> tuple[dict[str, Any], Places]:
    if path in chain:
        names = " -> ".join(step.stem for step in (*chain, path))
        raise PresetError(f"{path}: presets extend each other in a circle: {names}")
    value, places = _read(path)
    parent = value.get("extends")
    if not isinstance(parent, str):
        return value, places
    base, base_places = _with_inherited(find_preset(parent, path.parent), (*chain, path))
    for own in ("name", "description", "tags", "extends"):
        base.pop(own, None)
    return _merged(base, value), {**base_places, **places}


def _merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Maps merge, lists and scalars replace; a map of layers replaces too, for its weights belong together."""
    result = dict(base)
    for key, value in over.items():
        old = result.get(key)
        both = isinstance(old, dict) and isinstance(value, dict) and key != "layers"
        result[key] = _merged(old, value) if both else value  # type: ignore[arg-type]
    return result


def _override(value: dict[str, Any], places: Places, text: str) -> None:
    key, equals, written = text.partition("=")
    key = SHORTHANDS.get(key.strip(), key.strip())
    place = _Place(f"--set {key}")
    if not equals or not key:
        raise PresetError(f"--set {text!r}: write it as KEY=VALUE")
    parsed, _ = _parse(written, f"--set {key}")
    if key == "style.images":
        images = parsed if isinstance(parsed, list) else [parsed]
        parsed = [{"path": str(Path(image).resolve())} if isinstance(image, str) else image for image in images]
    at = value
    parts = key.split(".")
    for part in parts[:-1]:
        if not isinstance(at.get(part), dict):
            at[part] = {}
        at = at[part]
    at[parts[-1]] = parsed
    places[tuple(parts)] = place
    for known in [p for p in places if len(p) > len(parts) and p[: len(parts)] == tuple(parts)]:
        places[known] = place


def _checked(value: dict[str, Any], places: Places, source: str) -> Preset:
    lines: list[str] = []
    preset = None
    try:
        preset = Preset.model_validate(value)
    except ValidationError as error:
        lines = [_complaint(dict(one), places, source) for one in error.errors()]
    if preset is not None:
        for index, image in enumerate(preset.style.images):
            if not Path(image.path).is_file():
                place = _nearest_place(("style", "images", index, "path"), places, source)
                lines.append(f"{place}: style.images: no image at {image.path}")
    if lines:
        raise PresetError(
            "\n".join(dict.fromkeys(lines)), next_step="All keys and their ranges: framestyle presets keys"
        )
    assert preset is not None
    return preset


def _nearest_place(loc: Path_, places: Places, source: str) -> _Place:
    while loc and loc not in places:
        loc = loc[:-1]
    return places.get(loc, _Place(source))


def _complaint(error: dict[str, Any], places: Places, source: str) -> str:
    loc: Path_ = tuple(error["loc"])
    place = _nearest_place(loc, places, source)
    # Parts that the checker adds for the branches of a union are no keys of the file.
    key = ".".join(str(part) for part in loc if not (isinstance(part, str) and re.search(r"[\[(]|^float$", part)))
    if error["type"] == "extra_forbidden":
        known = [row.key for row in schema_rows()]
        sections = sorted({k.rpartition(".")[0] for k in known} - {""})
        close = difflib.get_close_matches(key, known + sections, 1, 0.5) or difflib.get_close_matches(
            key.rpartition(".")[2], [k.rpartition(".")[2] for k in known], 1
        )
        hint = f" (did you mean {close[0]}?)" if close else ""
        return f"{place}: no key is called {key}{hint}"
    message = str(error["msg"]).removeprefix("Value error, ")
    given = error.get("input")
    shown = f", not {given!r}" if isinstance(given, str | int | float | bool) and len(repr(given)) < 60 else ""
    return f"{place}: {key}: {message[0].lower()}{message[1:]}{shown}"


# -- showing -----------------------------------------------------------------------------------------------


def resolved_yaml(preset: Preset) -> str:
    """The whole preset as YAML that loads again."""
    data = preset.model_dump(mode="json", by_alias=True, exclude={"extends"})
    return str(yaml.dump(data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100))


class _Dumper(yaml.SafeDumper):
    """Quotes every string that is not a plain word, and writes floats as YAML 1.2 reads them."""


def _dump_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    plain = re.match(r"[A-Za-z_][A-Za-z0-9_ -]*\Z", text) and text not in _LITERALS and text.strip() == text
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=None if plain else '"')


_Dumper.add_representer(str, _dump_text)
_Dumper.add_representer(
    float, lambda dumper, number: dumper.represent_scalar("tag:yaml.org,2002:float", repr(number))
)


def schema_rows() -> list[SchemaRow]:
    """Every leaf key, in order."""
    return list(_rows(Preset, ""))


def _rows(model: type[BaseModel], prefix: str) -> Iterator[SchemaRow]:
    for name, info in model.model_fields.items():
        key = f"{prefix}{info.alias or name}"
        annotation = info.annotation
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            yield from _rows(annotation, f"{key}.")
            continue
        limits = [text for text in map(_limit_text, info.metadata) if text]
        extra = info.json_schema_extra
        unit = str(extra["unit"]) if isinstance(extra, dict) and "unit" in extra else ""
        yield SchemaRow(
            key, _type_text(annotation), " ".join(limits), unit, str(info.get_default()), info.description or ""
        )


def _limit_text(limit: object) -> str:
    signs = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<"}
    return " ".join(f"{sign} {getattr(limit, name)}" for name, sign in signs.items() if hasattr(limit, name))


def _type_text(annotation: Any) -> str:
    text = getattr(annotation, "__name__", "") if isinstance(annotation, type) else str(annotation)
    if "dict" in text:
        return "map of layer: weight"
    if "StyleImage" in text:
        return "list of {path, weight}"
    return re.sub(r"typing\.|, FieldInfo\(.*?\]\)|Annotated\[", "", text.replace("Literal", ""))


def json_schema() -> dict[str, Any]:
    """JSON Schema for editors."""
    return Preset.model_json_schema(by_alias=True)


def new_preset_text(name: str, style_images: Sequence[Path]) -> str:
    """A commented preset to start from."""
    images = "\n".join(f"    - {{path: {_quoted(str(path))}, weight: 1.0}}" for path in style_images)
    return f"""schema: 1
name: {_quoted(name)}
description: My own style
extends: base              # everything not said here
style:
  images:                  # relative to this file; several blend by weight
{images}
  scale: 1.0               # larger = broader strokes
content:
  weight: 0.3              # more keeps more of the content
# All keys: framestyle presets keys
"""


def _quoted(text: str) -> str:
    escaped = "".join(
        c if c.isprintable() and c not in '"\\' else f"\\x{ord(c):02x}" if ord(c) < 256 else f"\\u{ord(c):04x}"
        for c in text
    )
    return f'"{escaped}"'


