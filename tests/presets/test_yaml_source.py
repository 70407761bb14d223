"""The traps of YAML (design §5): what a preset's text is read as, and what is refused, with its place."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from framestyle.errors import PresetError
from framestyle.presets import load_preset
from framestyle.presets.yaml_source import (
    DEEPEST_NESTING,
    LARGEST_FILE_BYTES,
    Place,
    UnreadableError,
    parse,
    parse_value,
)

Complaints = Callable[..., list[str]]

SCALARS = [
    ("1e6", 1e6),
    ("1E-3", 1e-3),
    ("-.5", -0.5),
    ("5.", 5.0),
    ("0x10", 16),
    ("0o17", 15),
    ("+7", 7),
    ("0", 0),
    ("no", "no"),
    ("yes", "yes"),
    ("on", "on"),
    ("Off", "Off"),
    ("true", True),
    ("False", False),
    ("~", None),
    ("null", None),
    ("", None),
    ("1_000", "1_000"),
    ("1:30", "1:30"),
    ("2026-11-24", "2026-11-24"),
    ("'12'", "12"),
    ('"1e6"', "1e6"),
    ("1e", "1e"),
    (".inf", math.inf),
    ("-.INF", -math.inf),
]


@pytest.mark.parametrize(("text", "value"), SCALARS)
def test_scalars_follow_yaml_1_2(text: str, value: Any) -> None:
    node, faults = parse_value(text, Place("here"))
    assert not faults
    assert node.value == value and type(node.value) is type(value)


def test_nan_is_a_number_that_no_key_takes(complaints: Complaints) -> None:
    assert math.isnan(parse_value(".nan", Place("here"))[0].value)
    assert complaints("tv_weight: .nan\n") == ["1:12: tv_weight: must be a finite number, not nan"]


REFUSED = [
    ("weight: 012", "1:9: weight: 012 is octal to some"),
    ("weight: -07", "1:9: weight: -07 is octal to some"),
    (f"weight: {'9' * 5000}", "1:9: weight: is too long for a number"),
    ("a: &x 1\nb: *x", "1:4: a: the anchor 'x' is not allowed"),
    ("a: *x", "1:4: a: the alias 'x' is not allowed"),
    (
        "a: !!python/object/apply:os.system [ls]",
        "the tag 'tag:yaml.org,2002:python/object/apply:os.system' is",
    ),
    ("a: !!int 5", "1:4: a: the tag 'tag:yaml.org,2002:int' is not allowed"),
    ("a: !mine x", "1:4: a: the tag '!mine' is not allowed"),
    ("!!map {a: 1}", "1:1: the tag"),
    ("a: 1\nb: 2\na: 3", "3:1: a: this key stands here a second time (first in line 1)"),
    ("s: {a: 1, a: 2}", "1:11: s.a: this key stands here a second time"),
    ('a: "\\e[31m"', "1:4: a: the character U+001B is not allowed"),
    ('a: "x\\0y"', "1:4: a: the character U+0000 is not allowed"),
    ('a: "\\ud800"', "1:4: a: the character U+D800 is not allowed"),
]


@pytest.mark.parametrize(("text", "start"), REFUSED)
def test_refused_values_are_read_over(complaints: Complaints, text: str, start: str) -> None:
    assert any(start in line for line in complaints(text))


UNREADABLE = [
    ("a: [1", "1:"),
    (
        "a: 1\n\tb: 2",
        "2:1: this is not YAML: found character '\\t' that cannot start any token; indent with spaces",
    ),
    ("a: b: c", "1:5: this is not YAML"),
    ("a: 1\n---\nb: 2", "2:1: a second document starts here"),
    ("[a]: 1", "1:1: a key must be a word"),
    ("a: 1\nb: \x07", "2:4: the character U+0007 is not allowed"),
    ("x: \ufffe", "1:4: the character U+FFFE is not allowed"),
    ('"\\e": 1', "1:1: the character U+001B is not allowed"),
    ("[" * 100_000, f"1:{DEEPEST_NESTING + 2}: this is nested deeper than {DEEPEST_NESTING} levels"),
    ("a:\n" + "".join("  " * n + "a:\n" for n in range(1, 60)), "this is nested deeper"),
    ('a: "\\UFFFFFFFF"', "this is not YAML"),
]


@pytest.mark.parametrize(("text", "start"), UNREADABLE)
def test_text_that_cannot_be_read_on(text: str, start: str) -> None:
    with pytest.raises(UnreadableError) as caught:
        parse(text, "p.yaml")
    assert f"p.yaml:{start}" in str(caught.value) or start in str(caught.value)


def test_an_alias_bomb_does_not_grow(complaints: Complaints) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 9)]
    assert len(complaints("\n".join(lines))) > 50


NOT_PRESETS = [
    (b"", "1:1: this file is empty"),
    (b"# only a comment\n", "1:1: this file is empty"),
    (b"- a\n", "1:1: this file holds no map of keys"),
    (b"just text", "1:1: this file holds no map of keys"),
    (b"a: 1\nname: caf\xe9\n", "2: byte 14 is not UTF-8"),
    (b"\xff\xfe\x00", "1: byte 0 is not UTF-8"),
    (b"#" * (LARGEST_FILE_BYTES + 1), " is larger than 1,000,000 bytes"),
]


@pytest.mark.parametrize(("data", "message"), NOT_PRESETS)
def test_files_that_are_no_presets(tmp_path: Path, data: bytes, message: str) -> None:
    path = tmp_path / "p.yaml"
    path.write_bytes(data)
    with pytest.raises(PresetError, match=r"p\.yaml") as caught:
        load_preset(path)
    assert message in caught.value.message


def test_a_byte_order_mark_and_windows_lines_are_fine(tmp_path: Path) -> None:
    path = tmp_path / "p.yaml"
    path.write_bytes("\ufeffname: über\r\ntags: [a,\r\n  b]\r\n".encode())
    preset = load_preset(path)
    assert (preset.name, preset.tags) == ("über", ("a", "b"))


@settings(max_examples=60, deadline=None)
@given(
    st.text(st.characters(), max_size=60)
    | st.text(alphabet="a:[]{},&*!|>-'\"#? \n\t012eE.%@`~<", max_size=40)
)
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        parse(text, "p.yaml")
    except UnreadableError as error:
        assert str(error).startswith("p.yaml")


@pytest.fixture(scope="module")
def one_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("any") / "p.yaml"


KEYS = st.sampled_from(
    ["schema", "style", "images", "path", "weight", "layers", "tags", "strength", "video", "x"]
)
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.just(10**400),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=40, deadline=None)
@given(data=st.binary(max_size=80))
def test_any_bytes_load_or_raise_preset_error(one_file: Path, data: bytes) -> None:
    one_file.write_bytes(data)
    try:
        load_preset(one_file)
    except PresetError as error:
        assert str(one_file) in error.message


@settings(max_examples=60, deadline=None)
@given(value=st.dictionaries(KEYS, VALUES, max_size=5))
def test_any_map_loads_or_raises_preset_error(one_file: Path, value: dict[str, Any]) -> None:
    import json

    one_file.write_text(json.dumps(value), encoding="utf-8")
    try:
        load_preset(one_file)
    except PresetError as error:
        assert str(one_file) in error.message
