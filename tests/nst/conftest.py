"""Small pictures, seeded backbones, and presets of few layers: what makes these tests quick."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from framestyle.presets import Preset

Picture = Callable[..., Tensor]
MakePreset = Callable[..., Preset]

SHALLOW: dict[str, Any] = {
    "style": {"images": [{"path": "style.png"}], "layers": {"relu1_1": 1.0, "relu2_1": 1.0}},
    "content": {"layers": {"relu2_2": 1.0}},
    # A few steps are to lead somewhere.
    "optimizer": {"precision": "float32", "learning_rate": 0.03},
    # A margin would be a large part of such small pictures.
    "network": {"places": 1},
    "scales": {"min_px": 16, "max_side_px": 0, "first_steps": 12, "steps": 6},
}


@pytest.fixture
def picture() -> Picture:
    """`picture(seed, height, width)`: a smooth random 1CHW picture in (0, 1)."""

    def made(seed: int, height: int = 24, width: int = 24, dtype: torch.dtype = torch.float32) -> Tensor:
        generator = torch.Generator().manual_seed(seed)
        coarse = torch.rand(1, 3, max(2, height // 4), max(2, width // 4), generator=generator)
        fine = torch.nn.functional.interpolate(coarse, (height, width), mode="bilinear", align_corners=False)
        noise = torch.rand(1, 3, height, width, generator=generator)
        return (0.8 * fine + 0.2 * noise).to(dtype)

    return made


@pytest.fixture
def make_preset() -> MakePreset:
    """`make_preset(content={"weight": 2})`: a preset of shallow layers, with the sections given merged in."""

    def made(**changes: Any) -> Preset:
        data: dict[str, Any] = {key: dict(value) for key, value in SHALLOW.items()}
        for key, value in changes.items():
            data[key] = {**data.get(key, {}), **value} if isinstance(value, dict) else value
        return Preset.model_validate(data)

    return made
