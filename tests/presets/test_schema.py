"""The keys: types, ranges, defaults, what can be told about them."""

from __future__ import annotations

import copy
import json
import pickle
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from pydantic import ValidationError

from framestyle.presets import LAYER_NAMES, SHORTHANDS, LayerWeights, Preset, Scales, StyleImage, schema_rows
from framestyle.presets.editors import json_schema

Complaints = Callable[..., list[str]]

CONTRACT = [
    "schema",
    "name",
    "description",
    "tags",
    "extends",
    "style.images",
    "style.statistic",
    "style.layers",
    "style.weight",
    "style.scale",
    "style.images[].region",
    "style.mask",
    "content.layers",
    "content.weight",
    "tv_weight",
    "strength",
    "network.pooling",
    "network.rescale_pooling",
    "network.padding",
    "optimizer.name",
    "optimizer.learning_rate",
    "optimizer.init",
    "optimizer.average_decay",
    "optimizer.betas",
    "scales.min_px",
    "scales.max_side_px",
    "scales.first_steps",
    "scales.between_steps",
    "scales.steps",
    "color.preserve",
    "video.warm_start",
    "video.steps",
    "video.min_steps",
    "video.tolerance",
    "video.temporal_weight",
    "video.long_term",
    "video.average_decay",
    "video.betas",
    "video.gradient_at",
    "video.passes",
    "video.flow",
    "video.cuts",
    "output.video_codec",
    "output.quality",
    "output.photo_format",
]


def test_every_key_of_the_contract_is_there() -> None:
    assert set(CONTRACT) <= {row.key for row in schema_rows()}


@pytest.mark.parametrize("row", schema_rows(), ids=lambda row: row.key)
def test_every_key_says_what_it_is(row: Any) -> None:
    assert row.type and row.help and "\n" not in row.help
    assert row.default or row.key in ("style.images[].path", "timeline[].at")
    assert "px" not in row.key or row.unit == "px"


def test_rows_show_types_ranges_and_defaults() -> None:
    rows = {row.key: row for row in schema_rows()}
    assert (rows["scales.min_px"].type, rows["scales.min_px"].range) == ("whole number", "≥ 16, ≤ 4096")
    assert rows["network.pooling"].range == "average | max | l2"
    assert rows["output.quality"].type == "choice or number"
    assert rows["strength"].range == "≥ 0, ≤ 1"
    assert rows["style.layers"].default.startswith("{relu1_1: ")


def test_shorthands_lead_to_keys() -> None:
    assert set(SHORTHANDS.values()) <= {row.key for row in schema_rows()}


def test_json_schema_is_json_and_closed() -> None:
    schema = json.loads(json.dumps(json_schema()))
    assert schema["additionalProperties"] is False
    assert set(schema["properties"]) >= {"schema", "style", "video"}
    assert schema["$defs"]["Content"]["properties"]["layers"]["default"] == {
        "relu3_2": 0.35,
        "relu4_2": 1.0,
        "relu5_2": 0.5,
    }


def test_layer_names_are_vgg19s() -> None:
    assert len([name for name in LAYER_NAMES if name.startswith("relu")]) == 16
    assert {"relu1_1", "relu5_4", "conv3_4", "pool5"} <= set(LAYER_NAMES)
    assert not {"relu1_3", "relu6_1", "conv2_3", "pool6", "fc6"} & set(LAYER_NAMES)


def test_a_preset_cannot_be_changed() -> None:
    preset = Preset()
    with pytest.raises(ValidationError):
        preset.tv_weight = 3.0  # type: ignore[misc]
    with pytest.raises(TypeError, match="cannot be changed"):
        preset.style.layers["relu1_1"] = 3.0
    with pytest.raises(TypeError):
        preset.style.layers.update(relu1_1=2.0)
    assert Preset().style.layers["relu1_1"] == preset.style.layers["relu1_1"]


def test_presets_hash_copy_and_travel() -> None:
    preset = Preset()
    assert hash(preset) == hash(Preset())
    assert copy.deepcopy(preset) == preset
    assert pickle.loads(pickle.dumps(preset)) == preset
    assert copy.copy(LayerWeights(relu1_1=1.0)) == {"relu1_1": 1.0}


ACCEPTED = [
    ("style.weight", "2", 2.0),
    ("style.weight", "1e6", 1e6),
    ("strength", "null", None),
    ("strength", "1", 1.0),
    ("output.quality", "good", "good"),
    ("output.quality", "18", 18.0),
    ("output.photo_format", "png", "png"),
    ("output.video_codec", "av1", "av1"),
    ("video.long_term", "[1, 2, 4]", (1, 2, 4)),
    ("scales.max_side_px", "0", 0),
    ("scales.first_steps", "0", 0),
    ("style.layers", "{conv4_2: 1, pool3: 0.5, relu1_1: 0}", {"conv4_2": 1.0, "pool3": 0.5}),
    ("optimizer.precision", "bfloat16", "bfloat16"),
]


@pytest.mark.parametrize(("key", "text", "value"), ACCEPTED)
def test_values_that_are_accepted(key: str, text: str, value: Any) -> None:
    from framestyle.presets import load_preset

    found: Any = load_preset("base", [f"{key}={text}"])
    for part in key.split("."):
        found = getattr(found, part)
    assert found == value and type(found) in (type(value), LayerWeights)


WRONG = [
    ("tv_weight: '2'", "1:12: tv_weight: must be a number, not '2' (drop the quotes)"),
    ("tv_weight: true", "1:12: tv_weight: must be a number, not true"),
    ("tv_weight: -1", "1:12: tv_weight: must be ≥ 0, not -1"),
    ("tv_weight: -.inf", "1:12: tv_weight: must be a finite number, not -inf"),
    ("tv_weight: 1e999", "1:12: tv_weight: must be a finite number, not inf"),
    ("tv_weight:", "1:11: tv_weight: must be a number, not null"),
    ("name: 2024", "1:7: name: must be text, not 2024 (put it in quotes)"),
    ("tags: one", "1:7: tags: must be a list, not 'one'"),
    ("tags: [a, 1]", "1:11: tags.1: must be text, not 1 (put it in quotes)"),
    ("strength: 1.5", "1:11: strength: must be ≤ 1, not 1.5"),
    ("style: 3", "1:8: style: must be a map of keys, not 3"),
    ("schema: 0", "1:9: schema: must be ≥ 1, not 0"),
    ("schema: '1'", "1:9: schema: must be a whole number, not '1' (drop the quotes)"),
    ("network: {rescale_pooling: yes}", "must be true or false, not 'yes' (did you mean true?)"),
    ("network: {pooling: averge}", "must be average | max | l2, not 'averge' (did you mean average?)"),
    ("video: {warm_start: null}", "must be flow | previous | none, not null (did you mean none?)"),
    ("scales: {steps: 1e3}", "1:17: scales.steps: must be a whole number, not 1000.0"),
    ("scales: {min_px: 8}", "1:18: scales.min_px: must be ≥ 16, not 8"),
    ("video: {long_term: [1, 1]}", "1:20: video.long_term: each distance may stand here once"),
    ("video: {long_term: []}", "video.long_term: must hold at least one distance"),
    ("video: {long_term: [0]}", "1:21: video.long_term.0: must be ≥ 1, not 0"),
    (f"video: {{long_term: {list(range(1, 10))}}}", "video.long_term: must be at most 8 entries, not a list"),
    ("video: {passes: 3}", "video.passes: must be ≤ 2, not 3"),
    ("video: {passes: true}", "video.passes: must be a whole number, not true"),
    ("video: {flow: rafd}", "video.flow: must be dis | raft, not 'rafd' (did you mean raft?)"),
    ("output: {quality: 99}", "visually_lossless | lossless or ≤ 63, not 99"),
    ("output: {photo_format: gif}", "must be jpg | png | webp | tif | bmp | avif | heic, not 'gif'"),
    (
        "style: {layers: {relu4_7: 1}}",
        "1:17: style.layers: VGG19 has no layer 'relu4_7' (did you mean relu4_",
    ),
    (
        "style: {images: [{path: ., region: 256}]}",
        "style.images.0.region: must be rest or ≤ 255 or text, not 256",
    ),
    ("style: {images: [{path: ., region: red}]}", "or a colour such as \"#ff8000\", not 'red'"),
    (
        "style: {images: [{path: ., region:}]}",
        "style.images.0.region: must be rest or a whole number or text, not null",
    ),
    ("style: {mask: 5}", "1:15: style.mask: must be text, not 5 (put it in quotes)"),
    ("style: {layers: {relu4_1: -1}}", "1:27: style.layers.relu4_1: must be ≥ 0, not -1"),
    (
        "content: {layers: {relu3_2: 0, relu4_2: 0, relu5_2: 0}}",
        "content.layers: at least one layer needs a weight above 0",
    ),
    (
        "content: {layers: {relu4_2: '1'}}",
        "content.layers.relu4_2: must be a number, not '1' (drop the quotes)",
    ),
]


@pytest.mark.parametrize(("text", "message"), WRONG)
def test_values_that_are_refused(complaints: Complaints, text: str, message: str) -> None:
    lines = [line for line in complaints(text) if "is not a file" not in line]
    assert len(lines) == 1 and message in lines[0]


@pytest.mark.parametrize(
    ("region", "color"),
    [
        ("rest", None),
        (0, (0, 0, 0)),
        (200, (200, 200, 200)),
        ("#FF8000", (255, 128, 0)),
        ("#00000a", (0, 0, 10)),
    ],
)
def test_a_region_is_a_colour_of_the_mask(region: Any, color: Any) -> None:
    assert StyleImage(path="a.png", region=region).region_color == color
    assert StyleImage(path="a.png").region == "rest"


UNKNOWN = [
    ("stylo: {}", "1:1: stylo: no such key (did you mean style?)"),
    ("style_weight: 1", "1:1: style_weight: no such key (did you mean style.weight?)"),
    ("video: {step: 4}", "1:9: video.step: no such key (did you mean video.steps?)"),
    ("steps: 4", "no such key (did you mean scales.steps or video.steps?)"),
    ("style: {layer: 4}", "style.layer: no such key (did you mean style.layers?)"),
    (
        "style: {images: [{path: p.yaml, wieght: 1}]}",
        "style.images.0.wieght: no such key (did you mean weight?)",
    ),
    ("<<: {}", "1:1: <<: no such key"),
    (f"{'x' * 900}: 1", f"1:1: {'x' * 60}: no such key"),
]


@pytest.mark.parametrize(("text", "line"), UNKNOWN)
def test_unknown_keys_name_the_nearest(complaints: Complaints, text: str, line: str) -> None:
    lines = complaints(text)
    assert len(lines) == 1 and lines[0].endswith(line)


COSTS = [
    (Scales(), "standard"),
    (Scales(max_side_px=256, first_steps=60, steps=30), "draft"),
    (Scales(max_side_px=0), "slow"),
    (Scales(max_side_px=512, min_px=512, first_steps=1000), "standard"),
    (Scales(first_steps=0, steps=0), "draft"),
]


def test_steps_by_scale() -> None:
    scales = Scales(first_steps=7, between_steps=3, steps=5)
    assert [scales.steps_at(number, 4) for number in range(4)] == [7, 3, 3, 5]
    assert [scales.steps_at(number, 2) for number in range(2)] == [7, 5]
    assert scales.steps_at(0, 1) == 7
    # With no steps there are none anywhere, however many there might be between.
    assert [Scales(first_steps=0, steps=0).steps_at(number, 4) for number in range(4)] == [0] * 4


@pytest.mark.parametrize(("scales", "cost"), COSTS)
def test_cost_classes(scales: Scales, cost: str) -> None:
    assert Preset(scales=scales).cost_class == cost


def test_importing_presets_loads_no_torch() -> None:
    code = "import sys, framestyle.presets; sys.exit(bool({'torch', 'cv2', 'numpy'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
