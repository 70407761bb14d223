"""A render spec is the same after it was written and read, and its keys are those of every FrameStyle before."""

from __future__ import annotations

import json
import subprocess
import sys
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from framestyle.errors import InputError
from framestyle.kinds import TimeRange
from framestyle.presets import Preset, load_preset, preset_names
from framestyle.resolve import picture_digests
from framestyle.spec import AUTO, CAME_LATER, RenderSpec

times = st.none() | st.fractions(min_value=0, max_value=1000)


@given(
    seed=st.integers(0, 2**63),
    span=st.builds(TimeRange, times, times),
    precision=st.sampled_from([None, "float32", "bfloat16"]),
    weights=st.text(max_size=9),
    digest=st.text("0123456789abcdef", min_size=64, max_size=64)
    | st.lists(st.tuples(st.text(max_size=4), st.integers(), st.integers())).map(tuple),
)
def test_it_is_the_same_after_it_was_written_and_read(
    seed: int, span: TimeRange, precision: str | None, weights: str, digest: Any
) -> None:
    preset = Preset.model_validate({"style": {"images": [{"path": "a.png"}]}})
    spec = RenderSpec(preset, weights, "abc", {"a.png": digest}, seed, "cuda", precision, span)
    again = RenderSpec.from_json(spec.to_json())
    assert again == spec
    for kind in ("photo", "video"):
        assert again.key(kind) == spec.key(kind) and again.done_keys(kind) == spec.done_keys(kind)


@pytest.mark.parametrize("name", [name for name in preset_names() if name not in ("base", "draft")])
def test_every_built_in_preset_can_be_sent(name: str) -> None:
    preset = load_preset(name)
    spec = RenderSpec(preset, "original", "abc", picture_digests(preset))
    again = RenderSpec.from_json(spec.to_json())
    assert again.key("video") == spec.key("video") and again.pictures == spec.pictures
    assert again.preset.model_dump(exclude={"extends"}) == preset.model_dump(exclude={"extends"})


def test_its_keys_are_those_that_manifests_and_stopped_work_hold() -> None:
    """Written down as FrameStyle 0.1 first made them: another key would make all that is done anew."""
    # Keys hold every value of the preset: a default that changes since must not change this one.
    layers = {"relu3_2": 1.0, "relu4_2": 1.0, "relu5_2": 0.5}
    content = {"layers": layers, "focus": 0.0}
    told = {"name": "mine", "style": {"images": [{"path": "a.png"}]}, "content": content}
    told["optimizer"] = {"precondition": False}
    told["video"] = {"gradient_at": 0.0, "betas": (0.9, 0.99), "temporal_weight": 27.0}
    preset = Preset.model_validate(told)
    spec = RenderSpec(
        preset, "untrained", "untrained seed=0", {"a.png": "0" * 64}, 7, span=TimeRange(Fraction(1, 3))
    )
    assert spec.decided_precision is None
    assert spec.key("photo") == spec.undecided_key("photo") == "3e009d5abc9fa32d779a63fb"
    assert spec.key("video") == "88959d48d9f41c2b537ba42f"


@pytest.mark.parametrize(("section", "name"), CAME_LATER)
def test_a_key_that_came_later_counts_where_it_is_used(section: str, name: str) -> None:
    """At the value that leaves pixels as they were it does not: see the test above."""
    other = {
        "turned": True,
        "mask_start": 1.5,
        "statistic": "self_similarity",
        "focus": 1.0,
        "precondition": True,
        "gradient_at": 0.5,
        "match": True,
        "share": 0.5,
        "mix": 0.5,
        "timeline": [{"at": "1s", "mix": 0.5}],
        "method": "key_frames",
        "key_frame_gap": 3,
        "coarse_steps": 1,
        "polish_steps": 1,
    }[name]

    def spec(value: Any) -> RenderSpec:
        return RenderSpec(
            Preset.model_validate({section: {name: value}} if section else {name: value}), "untrained"
        )

    as_before = spec(CAME_LATER[section, name])
    assert spec(other).key("photo") != as_before.key("photo")

    written = json.loads(as_before.to_json())
    del (written["preset"][section] if section else written["preset"])[name]
    assert RenderSpec.from_json(json.dumps(written)) == as_before


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"framestyle_spec": 99}, "newer than this FrameStyle"),
        ({"framestyle_spec": "1"}, "no render spec"),
        ({"seed": "7"}, "no render spec"),
        ({"span": ["1/0", None]}, "no render spec"),
        ({"pictures": {"a.png": 3}}, "no render spec"),
        ({"preset": {"nonsense": 1}}, "1 keys of its preset are not known"),
        ({"preset": None}, "no render spec"),
    ],
)
def test_what_is_no_spec_is_refused_with_a_clear_word(change: dict[str, Any], word: str) -> None:
    text = RenderSpec(Preset.model_validate({}), "original").to_json()
    with pytest.raises(InputError, match=word) as caught:
        RenderSpec.from_json(json.dumps({**json.loads(text), **change}))
    assert caught.value.next_step
    with pytest.raises(InputError, match="no render spec"):
        RenderSpec.from_json(text[:-2])


def test_the_precision_that_was_decided_is_part_of_it() -> None:
    open_ = RenderSpec(Preset.model_validate({"optimizer": {"precision": AUTO}}), "original")
    decided = RenderSpec(open_.preset, "original", precision="bfloat16")
    assert open_.decided_preset.optimizer.precision == AUTO
    assert decided.decided_preset.optimizer.precision == decided.decided_precision == "bfloat16"
    assert decided.precision_of(decided.key("photo"), "photo") == "bfloat16"


def test_it_needs_no_torch() -> None:
    code = "import sys, framestyle.spec, framestyle.resolve, framestyle.context; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
