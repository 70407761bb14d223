"""Presets: named styles in YAML, with `extends`, `--set` and errors by file, line and column. No torch here.

schema.py has the keys; yaml_source.py turns text into values that know their places; overrides.py reads
`--set`; loading.py puts it all together; library.py knows where presets lie; reference.py tells people about
the schema; complaints.py words the errors; writing.py writes YAML.
"""

from __future__ import annotations

from framestyle.presets.library import (
    builtin_presets_dir,
    find_preset,
    is_plain_name,
    preset_dirs,
    preset_names,
)
from framestyle.presets.loading import PresetSummary, list_presets, load_preset
from framestyle.presets.reference import SchemaRow, json_schema, schema_rows
from framestyle.presets.schema import (
    LAYER_NAMES,
    OWN_INITS,
    SCHEMA_VERSION,
    SHORTHANDS,
    Color,
    Content,
    LayerWeights,
    Network,
    Optimizer,
    Output,
    Preset,
    Scales,
    Style,
    StyleImage,
    Video,
)
from framestyle.presets.writing import new_preset_text, resolved_yaml

__all__ = [
    "LAYER_NAMES",
    "OWN_INITS",
    "SCHEMA_VERSION",
    "SHORTHANDS",
    "Color",
    "Content",
    "LayerWeights",
    "Network",
    "Optimizer",
    "Output",
    "Preset",
    "PresetSummary",
    "Scales",
    "SchemaRow",
    "Style",
    "StyleImage",
    "Video",
    "builtin_presets_dir",
    "find_preset",
    "is_plain_name",
    "json_schema",
    "list_presets",
    "load_preset",
    "new_preset_text",
    "preset_dirs",
    "preset_names",
    "resolved_yaml",
    "schema_rows",
]
