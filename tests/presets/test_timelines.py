"""Timelines in presets: read, checked at their place, shown, reached by overrides, worked out."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from framestyle.errors import PresetError
from framestyle.kinds import MediaKind
from framestyle.presets import Preset, load_preset, load_traced, resolved_yaml, traced_yaml
from framestyle.presets.instants import REST, Instant, Timeline, looks_of
from framestyle.presets.paths import pictures_of
from framestyle.spec import RenderSpec

HEAD = "style:\n  images: [{path: a.png}, {path: b.png, weight: 2}]\n"
REGIONS = "style:\n  images: [{path: a.png, region: 255}, {path: b.png}]\n  mask: m.png\n"


@pytest.fixture(autouse=True)
def pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a.png", "b.png", "m.png"):
        Image.new("RGB", (8, 8), "red").save(tmp_path / name)
    (tmp_path / "wave.yaml").write_text("style:\n  images: [{path: b.png}]\ncontent: {weight: 0.5}\n")
    (tmp_path / "other.yaml").write_text("style:\n  images: [{path: b.png}]\n  statistic: moments\n")
    (tmp_path / "parts.yaml").write_text(REGIONS)
    (tmp_path / "broken.yaml").write_text("style: 3\n")
    (tmp_path / "round.yaml").write_text(
        "style:\n  images: [{path: b.png}]\ntimeline: [{at: 0s, preset: ./p.yaml}, {at: 1s, preset: this}]\n"
    )
    monkeypatch.chdir(tmp_path)


def _load(timeline: str, head: str = HEAD, overrides: tuple[str, ...] = ()) -> Preset:
    Path("p.yaml").write_text(f"{head}timeline:\n{timeline}")
    return load_preset("./p.yaml", overrides)


def _timeline(preset: Preset, seconds: float = 10.0, frame_s: Fraction = Fraction(1, 10)) -> Timeline:
    numbers = (point.when for point in preset.timeline)
    times = [one.number if one.kind == "s" else one.number / 100 * Fraction(seconds) for one in numbers]
    return Timeline(preset, times, frame_s)


def test_each_key_goes_by_itself_from_point_to_point() -> None:
    preset = _load(
        "- {at: 0s, strength: 0, mix: 1}\n- {at: 2s, strength: 1}\n- {at: 40%, mix: 0, content.weight: 0.5}\n"
    )
    at = _timeline(preset).at
    assert at(Fraction(0)).strength == 0.0 and at(Fraction(2)).strength == 1.0
    half = at(Fraction(1))
    assert half.strength == pytest.approx(0.432, abs=0.01)
    assert half == Instant(strength=half.strength, mix=0.75, content_weight=0.5)
    assert at(Fraction(9)).strength == 1.0 and at(Fraction(9)).mix == 0.0
    assert at(Fraction(-1)).strength == 0.0


def test_strength_goes_by_what_it_does_to_the_picture() -> None:
    """Slowly where a little of it changes much, and evenly by the pace that steps follow."""
    up, down = (
        _timeline(_load(f"- {{at: 0s, strength: {a}}}\n- {{at: 2s, strength: {b}}}\n"))
        for a, b in ((0, 1), (1, 0))
    )
    values = [up.at(Fraction(n, 10)).strength for n in range(21)]
    steps = [after - before for before, after in pairwise(values)]
    assert all(step > 0 for step in steps) and max(steps[8:12]) < 0.05 < min(steps[0], steps[-1])
    assert [down.at(Fraction(20 - n, 10)).strength for n in range(21)] == pytest.approx(values)
    paces = [up.pace(Fraction(n, 10)) for n in range(1, 21)]
    assert max(paces) == pytest.approx(0.05, rel=0.01) and min(paces) == pytest.approx(0.05, rel=0.01)


def test_each_frame_of_a_change_has_its_share_of_what_is_left() -> None:
    """To being painted in full, whichever strength the change leads to; and the same way back."""
    up, down, half = (
        _timeline(_load(f"- {{at: 0s, strength: {a}}}\n- {{at: 2s, strength: {b}}}\n"))
        for a, b in ((0, 1), (1, 0), (0, 0.45))
    )
    assert [up.passage(Fraction(n, 10)).share for n in range(1, 21)] == pytest.approx(
        [1 / n for n in range(20, 0, -1)]
    )
    assert [down.passage(Fraction(n, 10)).share for n in range(1, 21)] == pytest.approx(
        [-1 / n for n in range(20, 0, -1)]
    )
    assert [up.passage(Fraction(n, 10)).frames_before for n in (1, 8, 20)] == pytest.approx([0, 7, 19])
    assert [down.passage(Fraction(n, 10)).frames_before for n in (1, 8, 20)] == pytest.approx([0, 7, 19])
    assert half.passage(Fraction(1, 10)).share == pytest.approx(0.53 / 20)
    assert up.passage(Fraction(0)) == up.passage(Fraction(21, 10)) == REST
    assert _timeline(_load("- {at: 0s, mix: 0}\n- {at: 2s, mix: 1}\n")).passage(Fraction(1)) == REST


def test_a_strength_that_stays_is_just_that() -> None:
    at = _timeline(_load("- {at: 0s, strength: 0.3}\n- {at: 2s, strength: 0.3}\n- {at: 3s, mix: 1}\n")).at
    assert {at(Fraction(n, 7)).strength for n in range(30)} == {0.3}


def test_values_ease_hold_and_go_linearly() -> None:
    preset = _load(
        "- {at: 0s, mix: 0, ease: smooth}\n- {at: 4s, mix: 1, ease: hold}\n- {at: 8s, mix: 0}\n- {at: 10s, mix: 1}\n"
    )
    at = _timeline(preset).at
    assert [at(Fraction(n)).mix for n in (1, 2, 3, 5, 7)] == [0.15625, 0.5, 0.84375, 1.0, 1.0]
    assert [at(Fraction(n)).mix for n in (8, 9)] == [0.0, 0.5]


def test_the_pace_of_a_change_fades_and_rests() -> None:
    timeline = _timeline(_load("- {at: 1s, strength: 0}\n- {at: 2s, strength: 1}\n"))
    assert timeline.pace(Fraction(1, 2)) == 0 and timeline.rests(Fraction(1, 2))
    assert timeline.pace(Fraction(3, 2)) == pytest.approx(0.1)
    assert 0 < timeline.pace(Fraction(22, 10)) < 0.1 and not timeline.rests(Fraction(22, 10))
    assert timeline.pace(Fraction(3)) == 0 and timeline.rests(Fraction(3))


def test_a_cross_faded_preset_is_part_of_the_preset() -> None:
    preset = _load("- {at: 0s, preset: this}\n- {at: 4s, preset: ./wave.yaml}\n- {at: 8s, preset: this}\n")
    (look,) = looks_of(preset)
    assert look.name == "wave" and look.content.weight == 0.5
    assert str(Path("b.png").resolve()) in pictures_of(preset)
    at = _timeline(preset).at
    assert [at(Fraction(n)).looks for n in (0, 1, 4, 6)] == [(1, 0), (0.75, 0.25), (0, 1), (0.5, 0.5)]
    Path("saved.yaml").write_text(resolved_yaml(preset))
    assert load_preset("./saved.yaml").timeline == preset.timeline
    assert RenderSpec.from_json(RenderSpec(preset, "untrained").to_json()).preset.timeline == preset.timeline


def test_presets_may_name_each_other_in_time_and_timelines_are_inherited() -> None:
    preset = _load("- {at: 0s, preset: this}\n- {at: 1s, preset: ./round.yaml}\n")
    assert looks_of(preset)[0].name == "round"
    Path("child.yaml").write_text("extends: ./p.yaml\nstrength: 0.4\n")
    assert looks_of(load_preset("./child.yaml")) == looks_of(preset)


def test_show_says_where_a_point_was_written() -> None:
    _load("- {at: 0s, strength: 0}\n- {at: 2s, content.weight: 1}\n")
    text = traced_yaml(*load_traced("./p.yaml"))
    assert "p.yaml:5" in next(line for line in text.splitlines() if '"content.weight": 1' in line)


def test_overrides_reach_points_and_the_whole() -> None:
    points = "- {at: 0s, strength: 0}\n- {at: 2s, strength: 1}\n"
    preset = _load(points, overrides=("timeline.1.at=3s", "timeline.0.content.weight=0.25"))
    assert preset.timeline[1].at == "3s" and preset.timeline[0].content_weight == 0.25
    assert _load(points, overrides=("timeline=[{at: 50%, mix: 0}]",)).timeline[0].mix == 0
    faded = _load(points, overrides=("timeline.1.preset=wave.yaml",))
    assert looks_of(faded)[0].name == "wave"


def test_what_is_done_without_a_timeline_keeps_its_key() -> None:
    plain = Preset.model_validate({"style": {"images": [{"path": "a.png"}]}})
    keys = {RenderSpec(plain, "untrained").key(kind) for kind in (MediaKind.PHOTO, MediaKind.VIDEO)}
    changed = plain.model_copy(update={"timeline": _load("- {at: 0s, mix: 0}\n").timeline})
    assert not keys & {
        RenderSpec(changed, "untrained").key(kind) for kind in (MediaKind.PHOTO, MediaKind.VIDEO)
    }


BAD: dict[str, tuple[str, str, dict[str, Any]]] = {
    "no time": ("- {at: soon, mix: 0}\n", r"4:8: timeline.0.at: must be a time such as 5s", {}),
    "a bare number": ("- {at: 5, mix: 0}\n", r"4:8: timeline.0.at: must be text, not 5", {}),
    "no at": ("- {mix: 0}\n", r"timeline.0.at: is missing", {}),
    "beyond 100%": ("- {at: 140%, mix: 0}\n", r"4:8: timeline.0.at: must be at most 100%", {}),
    "shot 0": ("- {at: shot 0, mix: 0}\n", r"timeline.0.at: shots count from 1", {}),
    "below 0": ("- {at: -1s, mix: 0}\n", r"timeline.0.at: must be a time such as", {}),
    "out of order": (
        "- {at: 5s, mix: 0}\n- {at: 4s, mix: 1}\n",
        r"5:8: timeline.1.at: 4s must come after 5s",
        {},
    ),
    "frames out of order": (
        "- {at: frame 9, mix: 0}\n- {at: 1s, mix: 0}\n- {at: frame 9, mix: 1}\n",
        r"6:8: timeline.2.at: frame 9 must come after frame 9",
        {},
    ),
    "unknown ease": (
        "- {at: 1s, ease: bounce, mix: 0}\n",
        r"4:18: timeline.0.ease: must be linear \| smooth",
        {},
    ),
    "unknown key": (
        "- {at: 1s, strenght: 0}\n",
        r"4:12: timeline.0.strenght: no such key \(did you mean strength",
        {},
    ),
    "too strong": ("- {at: 1s, strength: 2}\n", r"timeline.0.strength: must be ≤ 1, not 2", {}),
    "negative weight": (
        "- {at: 1s, content.weight: -1}\n",
        r"timeline.0.content.weight: must be ≥ 0, not -1",
        {},
    ),
    "a text for a number": ("- {at: 1s, mix: 'half'}\n", r"timeline.0.mix: must be a number", {}),
    "scale 0": ("- {at: 1s, style.scale: 0}\n", r"timeline.0.style.scale: must be > 0", {}),
    "too few weights": ("- {at: 1s, style.images: [1]}\n", r"4:26: .*style.images: must be 2 weights", {}),
    "no weight": (
        "- {at: 1s, style.images: [0, 0]}\n",
        r"style.images: at least one image must have a weight",
        {},
    ),
    "no weight in a region": (
        "- {at: 1s, style.images: [0, 1]}\n",
        r"at least one image must have a weight above 0 in the region 255",
        {"head": REGIONS},
    ),
    "no regions": ("- {at: 1s, regions: {255: 0}}\n", r"regions: no style image is for a region", {}),
    "unknown region": (
        "- {at: 1s, regions: {128: 0}}\n",
        r"regions: no style image is for the region 128 \(there are 255, rest\)",
        {"head": REGIONS},
    ),
    "nothing to share": ("- {at: 1s, color.share: 0}\n", r"color.share: there is nothing to share", {}),
    "changes nothing": ("- {at: 1s}\n", r"4:3: timeline.0: changes nothing", {}),
    "unknown preset": ("- {at: 1s, preset: wavve}\n", r"4:20: timeline.0.preset: .*wavve", {}),
    "broken preset": ("- {at: 1s, preset: ./broken.yaml}\n", r"timeline.0.preset: .*broken.yaml.*style", {}),
    "another statistic": (
        "- {at: 1s, preset: ./other.yaml}\n",
        r"preset: style.statistic of other is moments, and gram here",
        {},
    ),
    "regions of its own": (
        "- {at: 1s, preset: ./parts.yaml}\n",
        r"preset: style images of parts are for regions",
        {},
    ),
    "matched styles": (
        "- {at: 1s, style.scale: 2}\n",
        r"style.scale: cannot change in time where style.statistic is neighbors",
        {"head": HEAD + "  statistic: neighbors\n"},
    ),
    "no list": ("  at: 1s\n", r"timeline: must be a list, not a map", {}),
    "a bad override": (
        "- {at: 1s, mix: 0}\n",
        r"override timeline.3.mix: the preset's timeline has 1 points",
        {"overrides": ("timeline.3.mix=1",)},
    ),
    "an unknown key by override": (
        "- {at: 1s, mix: 0}\n",
        r"override timeline.0.mox: no such key \(did you mean mix\?\)",
        {"overrides": ("timeline.0.mox=1",)},
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_timeline_is_said_with_line_and_column(name: str) -> None:
    timeline, told, given = BAD[name]
    with pytest.raises(PresetError, match=told):
        _load(timeline, **given)
