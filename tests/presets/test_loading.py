"""extends, --set, images, and errors: several at once, each at its place."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from framestyle.doors.advice import next_step
from framestyle.errors import PresetError
from framestyle.presets import load_preset, schema_rows

Write = Callable[[str, str], Path]
Complaints = Callable[..., list[str]]


@pytest.fixture
def art(tmp_path: Path) -> Path:
    """Two files that stand for style images."""
    folder = tmp_path / "art"
    folder.mkdir()
    for name in ("a.jpg", "b.jpg"):
        (folder / name).write_bytes(b"an image")
    return folder


def complaint_of(path: Path, *overrides: str) -> PresetError:
    with pytest.raises(PresetError) as caught:
        load_preset(path, overrides, origin="--set")
    return caught.value


# -- extends -----------------------------------------------------------------------------------------------


def test_maps_merge_and_lists_and_scalars_replace(write: Write, art: Path) -> None:
    write(
        "one.yaml",
        "tags: [x]\ndescription: one\nstyle: {images: [{path: art/a.jpg}], weight: 2, scale: 0.5}\n",
    )
    write("sub/two.yaml", "extends: ../one.yaml\nstyle: {weight: 3}\nvideo: {long_term: [1, 2]}\n")
    path = write("three.yaml", "extends: sub/two.yaml\nvideo: {long_term: [4]}\n")
    preset = load_preset(path)
    assert (preset.style.weight, preset.style.scale, preset.video.long_term) == (3.0, 0.5, (4,))
    assert [image.path for image in preset.style.images] == [str(art / "a.jpg")]
    assert (preset.name, preset.tags, preset.description, preset.extends) == ("three", (), "", None)


def test_a_list_replaces_with_its_places(write: Write, art: Path) -> None:
    write("one.yaml", "style: {images: [{path: art/a.jpg}, {path: art/b.jpg}]}\n")
    path = write("two.yaml", "extends: one.yaml\nstyle:\n  images: [{weight: 2}]\n")
    assert complaint_of(path).message == f"{path}:3:12: style.images.0.path: is missing"


def test_layers_merge_and_zero_switches_off(write: Write) -> None:
    write("one.yaml", "style: {layers: {relu2_1: 5, relu3_1: 6}}\n")
    path = write("two.yaml", "extends: one.yaml\nstyle: {layers: {relu3_1: 0, relu4_1: 7}}\n")
    assert load_preset(path).style.layers == {"relu2_1": 5, "relu4_1": 7}


def test_layers_merge_with_the_defaults_that_a_base_has(write: Write) -> None:
    path = write("two.yaml", "extends: base\nstyle: {layers: {relu1_1: 0}}\n")
    assert set(load_preset(path).style.layers) == set(load_preset("base").style.layers) - {"relu1_1"}
    alone = write("one.yaml", "style: {layers: {relu1_1: 4}}\n")
    assert load_preset(alone).style.layers == {"relu1_1": 4}


def test_a_circle_is_named(write: Write) -> None:
    write("a.yaml", "extends: b.yaml\n")
    write("b.yaml", "extends: c.yaml\n")
    path = write("c.yaml", "name: c\nextends: a.yaml\n")
    error = complaint_of(path)
    assert "presets extend each other in a circle: c -> a -> b -> c" in error.message
    assert error.message.startswith(f"{path.parent / 'b.yaml'}:1:10: extends: ")


def test_a_preset_cannot_extend_itself(write: Write) -> None:
    assert "in a circle: me -> me" in complaint_of(write("me.yaml", "extends: me.yaml\n")).message


def test_a_long_chain_ends(write: Write) -> None:
    for n in range(40):
        write(f"n{n}.yaml", f"extends: n{n + 1}.yaml\n")
    path = write("n40.yaml", "name: last\n")
    assert "more than 32 presets extend each other" in complaint_of(path.parent / "n0.yaml").message


def test_an_unknown_base_is_one_error_among_others(complaints: Complaints) -> None:
    lines = complaints("extends: bose\ntv_weight: x\n")
    assert lines[0].startswith("1:10: extends: no preset is called 'bose'. Did you mean base")
    assert lines[1] == "2:12: tv_weight: must be a number, not 'x'"


def test_an_inherited_error_names_the_file_that_wrote_it(write: Write) -> None:
    base = write("one.yaml", "name: one\nvideo:\n  tolerance: 7\n")
    path = write("two.yaml", "extends: one.yaml\nvideo: {steps: 3}\n")
    assert complaint_of(path).message == f"{base}:3:14: video.tolerance: must be ≤ 1, not 7"


def test_a_users_preset_can_extend_the_built_in_one_of_its_name(user_folder: Path) -> None:
    (user_folder / "draft.yaml").write_text("extends: draft\ntv_weight: 9\n", encoding="utf-8")
    preset = load_preset("draft")
    assert (preset.tv_weight, preset.scales.max_side_px) == (9.0, 256)


@pytest.mark.parametrize("text", ["schema: 2\nnew_key: 1\n", "schema: 99999\n"])
def test_a_newer_schema_says_update(write: Write, text: str) -> None:
    error = complaint_of(write("p.yaml", text))
    assert ":1:9: schema: " in error.message and "newer FrameStyle" in error.message
    assert "\n" not in error.message
    assert next_step(error) is not None and "Update" in next_step(error)


# -- images ------------------------------------------------------------------------------------------------


def test_images_count_from_the_file_that_names_them(
    write: Write, art: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write("sub/p.yaml", "style: {images: [{path: ../art/a.jpg}, {path: ../art/b.jpg, weight: 2}]}\n")
    monkeypatch.chdir(art)
    images = load_preset(path).style.images
    assert [(image.path, image.weight) for image in images] == [
        (str(art / "a.jpg"), 1),
        (str(art / "b.jpg"), 2),
    ]


def test_images_of_the_command_line_count_from_here(art: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(art)
    for text in ("a.jpg", "[a.jpg]", "[{path: a.jpg}]", "{path: a.jpg}"):
        assert [i.path for i in load_preset("base", [f"style.images={text}"]).style.images] == [
            str(art / "a.jpg")
        ]
    two = load_preset("base", ["style.images=[a.jpg, b.jpg]", "style.images.1.weight=3"]).style.images
    assert [image.weight for image in two] == [1, 3]


def test_missing_images_are_named_with_their_place(complaints: Complaints, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    lines = complaints("style:\n  images:\n    - path: no.jpg\n    - {path: folder}\n    - {path: ''}\n")
    assert lines == [
        f"3:13: style.images.0.path: there is no image at {tmp_path / 'no.jpg'}",
        f"4:14: style.images.1.path: {tmp_path / 'folder'} is not a file",
        "5:14: style.images.2.path: must be some text, not ''",
    ]


def test_init_may_be_an_image(write: Write, art: Path) -> None:
    path = write("p.yaml", "optimizer: {init: art/a.jpg}\n")
    assert load_preset(path).optimizer.init == str(art / "a.jpg")
    assert load_preset(path, ["optimizer.init=noise"]).optimizer.init == "noise"
    message = complaint_of(path, "optimizer.init=nois").message
    assert (
        message.startswith("--set optimizer.init: must be content | noise")
        and "did you mean noise?" in message
    )


def test_a_mask_is_an_image_or_a_folder_and_counts_from_the_file_that_names_it(
    write: Write, art: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write("sub/p.yaml", "style: {mask: ../art/a.jpg}\n")
    assert load_preset(path).style.mask == str(art / "a.jpg")
    assert load_preset(path, ["style.mask=null"]).style.mask is None
    monkeypatch.chdir(art.parent)
    assert load_preset(path, ["style.mask=art"]).style.mask == str(art)
    assert load_preset(path, ['style.mask="art/b.jpg"']).style.mask == str(art / "b.jpg")
    missing = complaint_of(path, "style.mask=gone.png").message
    assert missing == f"--set style.mask: there is no image at {art.parent / 'gone.png'}"


@pytest.mark.parametrize("name", ["x" * 5000, "~nobody-here/x.jpg", "a/" * 2000])
def test_impossible_paths_are_errors_not_crashes(complaints: Complaints, name: str) -> None:
    assert "there is no image at" in complaints(f"style: {{images: [{{path: {name}}}]}}\n")[0]


# -- several errors ----------------------------------------------------------------------------------------


def test_all_errors_come_at_once_in_the_order_of_the_lines(complaints: Complaints) -> None:
    text = """\
name: many
style:
  statistic: momets
  weight: "1e6"
  weight: 2
content: {weight: 012, layers: []}
tags: &a [x]
styel: *a
"""
    assert complaints(text, "tv_weight=-1", "stile.scale=2") == [
        "--set stile.scale: no such key (did you mean style.scale?)",
        "--set tv_weight: must be ≥ 0, not -1",
        *(
            "3:14: style.statistic: must be gram2015 | gram | moments | wasserstein | neighbors, "
            "not 'momets' (did you mean moments?)",
            "4:11: style.weight: must be a number, not '1e6' (drop the quotes)",
            "5:3: style.weight: this key stands here a second time (first in line 4)",
            "6:19: content.weight: 012 is octal to some and decimal to others: "
            "drop the leading zeros, or put it in quotes",
            "6:32: content.layers: must be a map, not an empty list",
            "7:7: tags: the anchor 'a' is not allowed: write it out",
            "8:1: styel: no such key (did you mean style?)",
            "8:8: styel: the alias 'a' is not allowed: write it out",
        ),
    ]


def test_very_many_errors_are_cut(complaints: Complaints) -> None:
    lines = complaints("".join(f"key{n}: 1\n" for n in range(300)))
    assert len(lines) == 101 and lines[-1] == "… and 200 more"


# -- --set -------------------------------------------------------------------------------------------------


def test_the_later_override_wins() -> None:
    preset = load_preset(
        "base", ["style_weight=1e4", "style.weight = 3", "content_weight=7", "max_side_px=300"]
    )
    assert (preset.style.weight, preset.content.weight, preset.scales.max_side_px) == (3.0, 7.0, 300)


def test_temporal_weight_has_a_shorthand() -> None:
    assert load_preset("base", ["temporal_weight=5"]).video.temporal_weight == 5


def test_one_layer_can_be_set_and_switched_off() -> None:
    layers = load_preset("base", ["style.layers.relu1_1=0", "style.layers.relu3_2=2"]).style.layers
    assert "relu1_1" not in layers and layers["relu3_2"] == 2 and "relu5_1" in layers
    assert load_preset("base", ["style.layers={relu3_1: 4}"]).style.layers == {"relu3_1": 4}


WRONG_OVERRIDES = [
    ("style.weight", "--set style.weight: write it as KEY=VALUE"),
    ("", "write it as KEY=VALUE"),
    ("=3", "write it as KEY=VALUE"),
    ("style_weight=-1", "--set style.weight: must be ≥ 0, not -1"),
    ("style_weight='1'", "--set style.weight: must be a number, not '1' (drop the quotes)"),
    ("style.wieght=1", "--set style.wieght: no such key (did you mean style.weight?)"),
    ("weight=1", "no such key (did you mean style.weight or content.weight?)"),
    ("styleweight=1", "no such key (did you mean style.weight?)"),
    ("color.preserve=luma", "must be none | luminance | histogram"),
    ("video.steps=012", "--set video.steps: 012 is octal to some"),
    ("video={}", "--set video: this is a section: set one of its keys (video.method"),
    ("extends=draft", "--set extends: a base cannot be set here"),
    ("style.layers.relu4=1", "VGG19 has no such layer (did you mean relu4_1?)"),
    ("style.layers.relu4_1=x", "--set style.layers.relu4_1: must be a number, not 'x'"),
    ("style.images.0.weight=1", "the preset has 0 style images"),
    ("style.images=nothere.png", "--set style.images: style.images.0.path: there is no image at"),
    ("name={a", "--set name: this is not YAML"),
    ("name=@x", "(quotes make any text a value)"),
    ("name=!!python/name:os.system x", "--set name: the tag"),
    ("name=*x", "--set name: the alias 'x' is not allowed"),
]


@pytest.mark.parametrize(("override", "message"), WRONG_OVERRIDES)
def test_wrong_overrides(override: str, message: str) -> None:
    with pytest.raises(PresetError) as caught:
        load_preset("base", [override], origin="--set")
    assert message in caught.value.message and "\n" not in caught.value.message


@settings(max_examples=40, deadline=None)
@given(
    key=st.sampled_from([row.key for row in schema_rows()] + ["style", "x.y", "style.images.0.path"])
    | st.text(max_size=8),
    value=st.text(max_size=12)
    | st.floats().map(str)
    | st.integers().map(str)
    | st.sampled_from(["[]", "{}", "~"]),
)
def test_any_override_is_applied_or_raises_preset_error(key: str, value: str) -> None:
    try:
        load_preset("base", [f"{key}={value}"], origin="--set")
    except PresetError as error:
        assert "--set" in error.message


@settings(max_examples=40, deadline=None)
@given(st.floats(min_value=0, allow_nan=False, allow_infinity=False))
def test_a_number_arrives_as_it_was_written(number: float) -> None:
    assert load_preset("base", [f"style_weight={number!r}"]).style.weight == number
