"""docs/preset.schema.json: what it accepts is what `load_preset` accepts, as far as JSON Schema can tell."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from framestyle.errors import PresetError
from framestyle.presets import SHORTHANDS, builtin_presets_dir, load_preset, resolved_yaml, schema_rows
from framestyle.presets.reference import leaves

SCHEMA = json.loads(
    (Path(__file__).resolve().parents[2] / "docs" / "preset.schema.json").read_text(encoding="utf-8")
)
VALIDATOR = Draft202012Validator(SCHEMA)


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    assert "unit" not in json.dumps(SCHEMA).replace("units", "")  # no words that JSON Schema does not know


@pytest.mark.parametrize("path", sorted(builtin_presets_dir().glob("*.yaml")), ids=lambda path: path.stem)
def test_built_in_presets_are_valid_as_written_and_resolved(path: Path) -> None:
    for text in (path.read_text(encoding="utf-8"), resolved_yaml(load_preset(path))):
        assert [error.message for error in VALIDATOR.iter_errors(yaml.safe_load(text))] == []


def _keys(schema: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Every described key by its title."""
    found = {}
    for key in schema.get("properties", {}).values():
        if "title" in key:
            found[key["title"]] = key
        inner = key.get("items", key).get("$ref", "")
        found |= _keys(SCHEMA["$defs"].get(inner.removeprefix("#/$defs/"), {}))
    return found


@pytest.mark.parametrize("row", schema_rows(), ids=lambda row: row.key)
def test_every_key_has_title_help_unit_and_default(row: Any) -> None:
    key = _keys(SCHEMA)[row.key]
    assert key["description"].startswith(row.help)
    assert not row.unit or key["description"].endswith(f"[{row.unit}]")
    assert ("default" in key) == bool(row.default)


def test_shorthands_are_for_the_command_line_alone() -> None:
    for short in SHORTHANDS:
        assert not VALIDATOR.is_valid({short: 1})


VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-2, 6000) | st.sampled_from([32, 32768, 32769, 100_000, 100_001]),
    st.floats(-1, 70).filter(lambda value: not value.is_integer()),  # to JSON Schema 1.0 is an integer
    st.sampled_from(sorted(set(re.findall(r"\w+", " ".join(row.range for row in schema_rows()))) | {"1e3"})),
    st.lists(st.integers(-1, 1001) | st.just("x"), max_size=10),
    st.dictionaries(
        st.sampled_from(["relu1_1", "conv4_2", "pool5", "relu4_7", "path", "x"]),
        st.integers(-1, 3) | st.just("1"),
    ),
)
LEAVES = sorted(set(leaves()) - {"extends", "optimizer.init", "style.mask"})  # those lead to files


@settings(max_examples=150, deadline=None)
@given(key=st.sampled_from(LEAVES), value=VALUES)
@example("video.long_term", [1, 1])
@example("video.long_term", [])
@example("video.passes", 2)
@example("output.quality", 63)
@example("style.layers", {"relu1_1": 0})
@example("name", "")
def test_schema_and_loader_agree_on_every_value(tmp_path_factory: Any, key: str, value: Any) -> None:
    for part in reversed(key.split(".")):
        value = {part: value}
    data = {"extends": "base", **value}
    path = tmp_path_factory.getbasetemp() / "agree.yaml"
    path.write_text(json.dumps(data), encoding="utf-8")
    try:
        load_preset(path)
        loads = True
    except PresetError:
        loads = False
    assert VALIDATOR.is_valid(data) == loads


@pytest.mark.parametrize(
    "data",
    [
        {"stylo": {}},
        {"style": {"image": []}},
        {"style": {"images": [{"weight": 1}]}},
        {"style": {"images": [{"path": "x.jpg", "wieght": 1}]}},
        {"content": {"layers": {"relu4_7": 1}}},
        {"schema": 2},
        {"optimizer": {"init": ""}},
        [],
    ],
)
def test_what_is_wrong_is_refused(data: Any) -> None:
    assert not VALIDATOR.is_valid(data)
