"""A stylizer of few layers and few steps, so that a clip takes a blink."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from scenes import texture

from framestyle.nst.stylizer import Stylizer
from framestyle.nst.weights.backbone import Backbone
from framestyle.nst.weights.catalog import load_backbone
from framestyle.presets import Preset

SHALLOW: dict[str, Any] = {
    "style": {
        "images": [{"path": "style.png"}],
        "layers": {"relu1_1": 1.0, "relu2_1": 1.0},
        "statistic": "gram",
    },
    "content": {"layers": {"relu2_2": 1.0}},
    "optimizer": {"precision": "float32"},
    "scales": {"min_px": 16, "max_side_px": 0, "first_steps": 6, "steps": 3},
    "video": {"steps": 5, "min_steps": 5},
}

MakeStylizer = Callable[..., Stylizer]


@pytest.fixture(scope="session")
def untrained() -> Backbone:
    """VGG19 with seeded random filters, whole."""
    return load_backbone("untrained", seed=0)


@pytest.fixture
def make_stylizer(untrained: Backbone) -> MakeStylizer:
    """`make_stylizer(video={"warm_start": "none"})`: the shallow preset with the sections given merged in."""
    style = torch.from_numpy(texture(50, 30, 26) / 255).permute(2, 0, 1)[None].contiguous()

    def made(*, seed: int = 0, device: torch.device | str = "cpu", **changes: Any) -> Stylizer:
        data = {key: dict(value) for key, value in SHALLOW.items()}
        for key, value in changes.items():
            data[key] = {**data.get(key, {}), **value} if isinstance(value, dict) else value
        return Stylizer(Preset.model_validate(data), untrained, [style], device=device, seed=seed)

    return made
