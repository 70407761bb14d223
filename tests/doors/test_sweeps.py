"""`--sweep KEY=V,V`: each value as it was written, commas inside brackets and quotes its own."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from framestyle.doors.sweeps import Sweep, parse_sweep
from framestyle.errors import UsageError

_words = st.text("abz019.-_ /:", min_size=1).map(str.strip).filter(bool)
_numbers = st.floats(allow_nan=False, allow_infinity=False).map(str)
_lists = st.lists(_words | _numbers, min_size=1, max_size=3).map(lambda parts: f"[{', '.join(parts)}]")
_maps = st.dictionaries(st.sampled_from("abc"), _numbers, min_size=1).map(
    lambda pairs: "{" + ", ".join(f"{key}: {value}" for key, value in pairs.items()) + "}"
)
_quoted = st.tuples(st.sampled_from("'\""), st.text("a,[]{} z")).map(lambda pair: pair[0] + pair[1] + pair[0])
_values = st.lists(_words | _numbers | _lists | _maps | _quoted, min_size=1, max_size=5)


@given(_values)
def test_every_value_comes_out_as_it_went_in(values: list[str]) -> None:
    sweep = parse_sweep(f"style.scale={','.join(values)}")
    assert sweep == Sweep("style.scale", tuple(values))
    assert sweep.overrides() == tuple(f"style.scale={value}" for value in values)


def test_spaces_around_key_and_values_do_not_count() -> None:
    assert parse_sweep(" strength = 0.2 , 0.8 ") == Sweep("strength", ("0.2", "0.8"))


def test_an_apostrophe_inside_a_word_and_an_equals_sign_in_a_value_are_plain() -> None:
    assert parse_sweep("style.images=it's.jpg,b=c.jpg").values == ("it's.jpg", "b=c.jpg")


@pytest.mark.parametrize(
    "text", ["", "style.scale", "=1,2", "style.scale=", "style.scale=1,,2", "a=1,", " =1"]
)
def test_what_is_no_sweep_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(UsageError, match="a key and its values") as caught:
        parse_sweep(text)
    assert caught.value.next_step and "--sweep style.scale=0.5,1,2" in caught.value.next_step


@given(st.text())
def test_no_text_breaks_it(text: str) -> None:
    try:
        sweep = parse_sweep(text)
    except UsageError:
        return
    assert sweep.key and all(sweep.values)
