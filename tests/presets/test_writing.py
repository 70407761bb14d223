"""YAML out: what is shown resolved loads as the same preset; what is started anew loads at all."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from framestyle.errors import PresetError
from framestyle.presets import (
    Content,
    LayerWeights,
    Output,
    Preset,
    Style,
    StyleImage,
    builtin_presets_dir,
    load_preset,
    load_traced,
    new_preset_text,
    resolved_yaml,
    traced_yaml,
)
from framestyle.presets.layers import LAYER_NAMES

Write = Callable[[str, str], Path]


@pytest.mark.parametrize("name", sorted(path.stem for path in builtin_presets_dir().glob("*.yaml")))
def test_built_in_presets_come_back(tmp_path: Path, name: str) -> None:
    preset = load_preset(name)
    copy = tmp_path / "copy.yaml"
    copy.write_text(resolved_yaml(preset), encoding="utf-8")
    assert load_preset(copy) == preset


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("copies")
    (folder / "image: #1.jpg").write_bytes(b"image")
    return folder / "copy.yaml"


WORDS = st.text(st.characters(exclude_categories=("Cc", "Cs", "Cn")), max_size=30) | st.sampled_from(
    [
        "no",
        "null",
        "~",
        "1e6",
        "012",
        "- x",
        "a: b",
        "a #b",
        " x ",
        "*x",
        "&x",
        "!x",
        "%x",
        "'",
        '"',
        "\\",
        "a\nb\tc",
    ]
)
AMOUNTS = st.floats(min_value=0, allow_nan=False, allow_infinity=False)
LAYERS = st.dictionaries(st.sampled_from(LAYER_NAMES), AMOUNTS.filter(bool), min_size=1, max_size=4).map(
    LayerWeights
)


@settings(max_examples=40, deadline=None)
@given(
    name=WORDS.filter(bool),
    description=WORDS,
    tags=st.lists(WORDS, max_size=3).map(tuple),
    layers=LAYERS,
    weight=AMOUNTS,
    quality=st.sampled_from(["draft", "lossless"]) | st.floats(min_value=0, max_value=63),
    strength=st.none() | st.floats(min_value=0, max_value=1),
)
def test_any_preset_comes_back(
    copy: Path,
    name: str,
    description: str,
    tags: tuple[str, ...],
    layers: LayerWeights,
    weight: float,
    quality: str | float,
    strength: float | None,
) -> None:
    preset = Preset.model_validate(
        {
            "name": name,
            "description": description,
            "tags": tags,
            "style": Style(images=(StyleImage(path=str(copy.parent / "image: #1.jpg")),), layers=layers),
            "content": Content(weight=weight),
            "strength": strength,
            "output": Output.model_validate({"quality": quality}),
        }
    )
    copy.write_text(resolved_yaml(preset), encoding="utf-8")
    assert load_preset(copy) == preset


def test_other_yaml_readers_see_the_same_texts() -> None:
    text = resolved_yaml(
        Preset(name="no", tags=("on", "1e6", "null", "plain"), tv_weight=1e-5, strength=5e-324)
    )
    seen = yaml.safe_load(text)
    assert (seen["name"], seen["tags"]) == ("no", ["on", "1e6", "null", "plain"])
    assert (seen["tv_weight"], seen["strength"]) == (1e-5, 5e-324)


NAMES = ["mine", "no", "Ünsere: #1", '"quoted"', "12"]


@pytest.mark.parametrize("name", NAMES)
def test_a_new_preset_loads(tmp_path: Path, name: str) -> None:
    images = [tmp_path / "a b: #1.jpg", tmp_path / 'q"ü\U0001f3a8.png']
    for image in images:
        image.write_bytes(b"image")
    path = tmp_path / "new.yaml"
    path.write_text(new_preset_text(name, [images[0], Path(images[1].name)]), encoding="utf-8")
    preset = load_preset(path)
    assert preset.name == name and [image.path for image in preset.style.images] == [str(i) for i in images]
    assert (preset.content.weight, preset.style) == (
        Preset().content.weight,
        Style(images=preset.style.images),
    )


def test_a_new_preset_without_images_is_abstract(tmp_path: Path) -> None:
    path = tmp_path / "new.yaml"
    path.write_text(new_preset_text("x", []), encoding="utf-8")
    assert load_preset(path).is_abstract


@pytest.mark.parametrize("path", ["a\x07.jpg", "a\udcff.jpg"])
def test_image_names_that_yaml_cannot_hold(path: str) -> None:
    with pytest.raises(PresetError, match="cannot stand in a preset"):
        new_preset_text("x", [path])


# -- where each value comes from ---------------------------------------------------------------------------


def test_every_value_says_where_it_comes_from(tmp_path: Path, write: Write) -> None:
    write("base.jpg", "image")
    write("parent.yaml", "extends: base\nstyle:\n  images: [{path: base.jpg}]\n  layers: {relu5_1: 3}\n")
    path = write("sub/child.yaml", "extends: ../parent.yaml\ntags: [a, b]\nvideo:\n  steps: 9\n")
    text = traced_yaml(*load_traced(path, ["tv_weight=2"], origin="--set"))
    origins = {line.split("#")[0].strip(): line.split("# ")[1] for line in text.splitlines() if "# " in line}
    for line, origin in {
        "name: child": "the file's name",
        "- a": "child.yaml:2",
        f'- path: "{tmp_path / "base.jpg"}"': "parent.yaml:3",
        "weight: 1.0": "default",
        "relu5_1: 3.0": "parent.yaml:4",
        "relu1_1: 1.0": "default",
        "tv_weight: 2.0": "--set tv_weight",
        "steps: 9": "child.yaml:4",
        "strength: null": "default",
    }.items():
        assert origins[line] == origin
    assert f"#   child.yaml: {path}" in text


def test_files_of_one_name_are_told_apart(write: Write) -> None:
    write("a/x.yaml", "tv_weight: 3\n")
    path = write("b/x.yaml", "extends: ../a/x.yaml\ncontent: {weight: 2}\n")
    lines = traced_yaml(*load_traced(path)).splitlines()
    assert any(line.startswith("tv_weight: 3.0") and line.endswith("/a/x.yaml:1") for line in lines)
    assert any(line.startswith("  weight: 2.0") and line.endswith("/b/x.yaml:2") for line in lines)


@pytest.mark.parametrize("name", sorted(path.stem for path in builtin_presets_dir().glob("*.yaml")))
def test_a_traced_preset_comes_back_and_no_value_is_without_origin(tmp_path: Path, name: str) -> None:
    text = traced_yaml(*load_traced(name))
    copy = tmp_path / "copy.yaml"
    copy.write_text(text, encoding="utf-8")
    assert load_preset(copy) == load_preset(name)
    bare = [line for line in text.splitlines() if "# " not in line and not line.endswith(":")]
    assert bare == []


@settings(max_examples=40, deadline=None)
@given(description=WORDS, tags=st.lists(WORDS, max_size=3))
def test_any_text_can_be_traced(copy: Path, description: str, tags: list[str]) -> None:
    written = {"description": description, "tags": tags}
    copy.write_text(yaml.safe_dump(written, default_style='"', allow_unicode=True), encoding="utf-8")
    preset, nodes = load_traced(copy)
    copy.with_name("traced.yaml").write_text(traced_yaml(preset, nodes), encoding="utf-8")
    assert load_preset(copy.with_name("traced.yaml")) == preset
