"""What `strength` does is measured where it changes in time, once for a preset, and kept."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from framestyle import strengths
from framestyle.nst import strength
from framestyle.nst.regions import region_weights
from framestyle.nst.strength import striped_mask
from framestyle.nst.stylizer import Stylizer
from framestyle.nst.weights.backbone import Backbone
from framestyle.presets import Preset
from framestyle.presets.strength_curve import USUAL, StrengthCurve
from framestyle.spec import RenderSpec
from framestyle.strengths import curve_of

CHANGES = [{"at": "0s", "strength": 0.0}, {"at": "1s", "strength": 1.0}]


@pytest.fixture(autouse=True)
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """And a smaller picture, on which fewer steps are taken."""
    monkeypatch.setenv("FRAMESTYLE_CACHE", str(tmp_path))
    monkeypatch.setattr(strength, "SIDE_PX", 16)
    monkeypatch.setattr(strength, "STEPS", 1)
    return tmp_path / "strength"


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> list[Stylizer]:
    """Which were measured."""
    found: list[Stylizer] = []
    measure = strengths.measured_curve

    def counted(stylizer: Stylizer, *rest: Any) -> StrengthCurve:
        found.append(stylizer)
        return measure(stylizer, *rest)

    monkeypatch.setattr(strengths, "measured_curve", counted)
    return found


def _made(
    untrained: Backbone, regions: tuple[Any, ...] = ("rest",), **changes: Any
) -> tuple[RenderSpec, Stylizer]:
    data: dict[str, Any] = {
        "style": {
            "images": [{"path": f"{n}.png", "region": one} for n, one in enumerate(regions)],
            "layers": {"relu1_1": 1.0},
        },
        "content": {"layers": {"relu1_2": 1.0}},
        "optimizer": {"precision": "float32"},
        "timeline": CHANGES,
    }
    preset = Preset.model_validate(data | changes)
    draw = torch.Generator().manual_seed(3)
    pictures = [torch.rand(1, 3, 24, 24, generator=draw) for _ in regions]
    return RenderSpec(preset, "untrained", "1"), Stylizer(preset, untrained, pictures)


def test_it_is_measured_once_and_kept(untrained: Backbone, measured: list[Stylizer], cache: Path) -> None:
    first = curve_of(*_made(untrained))
    assert first != USUAL and len(measured) == 1
    assert curve_of(*_made(untrained)) == first and len(measured) == 1
    (kept,) = cache.iterdir()
    kept.write_text(kept.read_text()[:-9])
    assert curve_of(*_made(untrained)) == first and len(measured) == 2
    curve_of(*_made(untrained, content={"layers": {"relu1_2": 1.0}, "weight": 0.2}))
    assert len(measured) == 3


@pytest.mark.parametrize(
    "points", [[], [{"at": "0s", "mix": 0.0}, {"at": "1s", "mix": 1.0}], [{"at": "0s", "strength": 0.3}]]
)
def test_where_strength_stays_nothing_is_measured(
    untrained: Backbone, measured: list[Stylizer], points: list[dict[str, Any]]
) -> None:
    assert curve_of(*_made(untrained, timeline=points)) is USUAL and not measured


def test_of_regions_each_has_a_part_of_the_picture(untrained: Backbone) -> None:
    regions = (255, "#ff0000", "rest")
    spec, stylizer = _made(untrained, regions)
    assert curve_of(spec, stylizer) != USUAL
    weights = region_weights(striped_mask(stylizer.regions), stylizer.regions)
    assert torch.equal(weights[0, :, 0], torch.eye(3))
