"""Presets: named styles in YAML, with `extends`, overrides and errors by file, line and column. No torch here.

schema.py has the keys; yaml_source.py turns text into values that know their places; overrides.py reads
overrides; loading.py puts it all together; library.py knows where presets lie; reference.py tells people about
the schema; complaints.py words the errors; writing.py writes YAML; paths.py lists the keys
that name pictures; pictures.py looks at those; bundle.py makes one zip of a preset and its pictures and takes it in
again; zip_source.py makes sure that a zip is harmless; editors.py makes a JSON Schema. The last three are imported by
name, where they are needed.
"""

from __future__ import annotations

from framestyle.presets.layers import LAYER_NAMES, LayerWeights
from framestyle.presets.library import (
    builtin_presets_dir,
    find_preset,
    is_plain_name,
    own_preset,
    preset_dirs,
    preset_names,
    user_presets_dir,
)
from framestyle.presets.loading import (
    PresetSummary,
    list_presets,
    load_preset,
    load_text,
    load_traced,
    preset_text,
)
from framestyle.presets.overrides import Said
from framestyle.presets.paths import pictures_of
from framestyle.presets.pictures import main_colors, picture_problem
from framestyle.presets.reference import SchemaRow, schema_rows
from framestyle.presets.schema import (
    SCHEMA_VERSION,
    SHORTHANDS,
    Color,
    Network,
    Optimizer,
    Output,
    Preset,
    Scales,
    Video,
)
from framestyle.presets.sections import Content, Style, StyleImage
from framestyle.presets.writing import new_preset_text, resolved_yaml, traced_yaml

__all__ = [
    "LAYER_NAMES",
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
    "Said",
    "Scales",
    "SchemaRow",
    "Style",
    "StyleImage",
    "Video",
    "builtin_presets_dir",
    "find_preset",
    "is_plain_name",
    "list_presets",
    "load_preset",
    "load_text",
    "load_traced",
    "main_colors",
    "new_preset_text",
    "own_preset",
    "picture_problem",
    "pictures_of",
    "preset_dirs",
    "preset_names",
    "preset_text",
    "resolved_yaml",
    "schema_rows",
    "traced_yaml",
    "user_presets_dir",
]
