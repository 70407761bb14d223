"""The small chart of a preset's timeline."""

from __future__ import annotations

from typing import Any

from framestyle.doors.timeline_chart import WIDTH, chart_lines
from framestyle.presets import Preset


def _lines(*points: dict[str, Any]) -> list[str]:
    images = [{"path": "art/a.png"}, {"path": "art/b.png"}]
    return list(chart_lines(Preset.model_validate({"style": {"images": images}, "timeline": points})))


def test_without_a_timeline_there_is_no_chart() -> None:
    assert _lines() == []


def test_each_key_has_a_line_that_rises_and_falls_with_it() -> None:
    look = {"name": "wave", "style": {"images": [{"path": "c.png"}]}}
    head, strength, image, other, scale, wave = _sorted(
        _lines(
            {"at": "0s", "strength": 0, "style.scale": 1.0, "style.images": [1, 0], "preset": "this"},
            {"at": "40%", "strength": 1, "style.scale": 2.0, "style.images": [0, 1], "preset": look},
        )
    )
    assert head == "timeline: 0s, 40%"
    bars = strength.split()[1]
    assert len(bars) == WIDTH and bars[0] == "▁" and bars[-1] == "█" and "".join(sorted(bars)) == bars
    assert strength.endswith("0 to 1") and scale.endswith("1 to 2")
    evenly = other.split()[1]
    assert "".join(sorted(evenly)) == evenly and evenly[0] == "▁" and evenly[-1] == "█"
    assert image.split()[1] == evenly[::-1] and wave.split()[2] == evenly


def _sorted(lines: list[str]) -> list[str]:
    """In the order of the test's names."""
    names = ("timeline", "strength", "a.png", "b.png", "style.scale", "preset wave")
    return [next(line for line in lines if line.strip().startswith(name)) for name in names]


def test_a_single_point_is_a_level() -> None:
    _, mix = _lines({"at": "3s", "mix": 0.5})
    assert len(set(mix.split()[1])) == 1 and mix.endswith("0.5 to 0.5")
