"""What an editor needs to complete and check a preset: a JSON Schema. Imported by name: pydantic's maker is slow."""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from pydantic.json_schema import GenerateJsonSchema

from framestyle.presets.layers import LAYER_NAMES, FrozenMap
from framestyle.presets.reference import LAYER_MAPS
from framestyle.presets.schema import Preset


def json_schema(added: Mapping[str, str] = MappingProxyType({})) -> dict[str, Any]:
    """JSON Schema (2020-12) of a preset file, for editors. Titles are the dotted keys.

    It knows no circles, no missing pictures, and no layers that cancel out: `load_preset` does. `added` is what a door
    adds to the help of keys.
    """
    schema = Preset.model_json_schema(by_alias=True, schema_generator=_JsonSchema)
    schema["$defs"]["Layers"] = _layers_schema()
    _name_keys(schema, schema["$defs"], "", added)
    for section, key in schema["$defs"]["Worth"]["properties"].items():
        key["$ref"] = schema["properties"][section]["$ref"]  # as in the preset itself
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "FrameStyle preset"}
    return {**head, **{key: value for key, value in schema.items() if key not in head}}


def schema_text(added: Mapping[str, str] = MappingProxyType({})) -> str:
    """The JSON Schema as a file holds it."""
    return json.dumps(json_schema(added), indent=2, ensure_ascii=False) + "\n"


class _JsonSchema(GenerateJsonSchema):
    """Knows that what cannot be changed is a map."""

    def encode_default(self, dft: Any) -> Any:
        return dict(dft) if isinstance(dft, FrozenMap) else super().encode_default(dft)


def _layers_schema() -> dict[str, Any]:
    """Every layer by name, so that an editor can offer them."""
    weights = {name: {"type": "number", "minimum": 0} for name in LAYER_NAMES}
    return {"type": "object", "properties": weights, "additionalProperties": False}


def _name_keys(schema: dict[str, Any], models: dict[str, Any], prefix: str, added: Mapping[str, str]) -> None:
    """Titles and units where an editor shows them, in this model and in those that it holds."""
    for name, key in schema["properties"].items():
        title = key["title"] = f"{prefix}{name}"
        if title in added:
            key["description"] += added[title]
        if "unit" in key:
            key["description"] += f" [{key.pop('unit')}]"
        if title in LAYER_MAPS:
            key.update({"$ref": "#/$defs/Layers"})
            del key["type"], key["additionalProperties"]
        elif inner := _inner_model(key, models):
            inner["title"] = title
            _name_keys(inner, models, f"{title}{'[]' if 'items' in key else ''}.", added)
            if "items" not in key:
                del key["default"]  # said once, at the keys inside


def _inner_model(key: dict[str, Any], models: dict[str, Any]) -> dict[str, Any] | None:
    found: dict[str, Any] | None = models.get(key.get("items", key).get("$ref", "").rpartition("/")[2])
    return found
