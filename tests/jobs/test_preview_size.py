"""A preview is the beginning of the render: the same scales from the bottom, the same steps, the same look."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from framestyle.context import Context
from framestyle.events import Event, StepDone
from framestyle.frames import Pixels
from framestyle.jobs.preview.reduced import Reduced, reduced, sketched
from framestyle.nst.image import SCALE_STEP, Size, fit_within, scale_sizes, to_tensor
from framestyle.nst.stylizer import Stylized, Stylizer
from framestyle.nst.weights.backbone import Backbone
from framestyle.presets import Preset

HALF_A_SCALE = SCALE_STEP**0.5


def _preset(**scales: Any) -> Preset:
    data = {
        "style": {
            "images": [{"path": "style.png"}],
            "layers": {"relu1_1": 1.0, "relu2_1": 1.0, "relu3_1": 1.0},
        },
        "content": {"layers": {"relu3_1": 1.0}},
        "optimizer": {"precision": "float32"},
        "scales": scales,
    }
    return Preset.model_validate(data)


@given(
    st.tuples(st.integers(1, 6000), st.integers(1, 6000)),
    st.integers(16, 600),
    st.just(0) | st.integers(1, 5000),
    st.integers(16, 2048),
)
def test_its_scales_are_the_renders_first_ones(
    size: tuple[int, int], min_px: int, max_side_px: int, side_px: int
) -> None:
    preset = _preset(min_px=min_px, max_side_px=max_side_px, first_steps=30, steps=7)
    look = reduced(preset, Size(*size), side_px)
    assert look.full == fit_within(Size(*size), max_side_px)
    assert look.size == fit_within(Size(*size), look.preset.scales.max_side_px)
    ladder = scale_sizes(look.full, min_px)
    own = scale_sizes(look.size, look.preset.scales.min_px)
    if look.on_the_way:
        assert len(own) <= len(ladder)
        for mine, the_renders in zip(own, ladder, strict=False):
            assert abs(mine.width - the_renders.width) <= 1 and abs(mine.height - the_renders.height) <= 1
    else:
        assert own == [look.size] and ladder[0].longest_px > side_px * SCALE_STEP
    # About as large as asked for: half a scale off at most, where the render has smaller and larger ones.
    if look.full.longest_px > side_px >= ladder[0].longest_px:
        assert side_px / HALF_A_SCALE - 1 <= look.size.longest_px <= side_px * HALF_A_SCALE + 1
    assert look.size.longest_px <= max(side_px * SCALE_STEP, min(look.full.longest_px, side_px))
    # Nothing else of the preset is touched.
    back = look.preset.model_copy(update={"scales": preset.scales})
    assert back == preset and look.preset.scales.steps == 7 and look.preset.scales.first_steps == 30


def test_what_is_no_larger_is_rendered_as_it_is() -> None:
    preset = _preset(max_side_px=200)
    assert reduced(preset, Size(4000, 3000), 256) == Reduced(preset, Size(200, 150), Size(200, 150), True)


def test_a_sum_of_squares_is_weighed_as_at_the_renders_size() -> None:
    """The 2015 content loss grows with the picture, its style loss does not."""
    letter = _preset(min_px=4096, max_side_px=512)
    letter = letter.model_copy(update={"style": letter.style.model_copy(update={"statistic": "gram2015"})})
    look = reduced(letter, Size(1024, 768), 256)
    assert not look.on_the_way and look.size == (256, 192)
    assert look.preset.content.weight == pytest.approx(4 * letter.content.weight)


def _drawn(width: int, height: int) -> Pixels:
    """A scene with large and small things."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float64) / height
    layers = [np.sin(9 * x + 3 * y), np.sin(31 * y - 5 * x), np.sin(60 * x * y)]
    return np.rint(np.dstack(layers) * 60 + 128).astype(np.uint8)


def _stylized(preset: Preset, pixels: Pixels, backbone: Backbone) -> tuple[Stylized, list[StepDone]]:
    news: list[Event] = []
    style = to_tensor(_drawn(90, 70)[:, ::-1].copy()).flip(1)
    torch.manual_seed(0)
    result = Stylizer(preset, backbone, [style]).stylize(to_tensor(pixels), Context(news.append))
    return result, [event for event in news if isinstance(event, StepDone)]


def test_its_steps_are_the_renders_first_steps(vgg19: Backbone) -> None:
    preset = _preset(min_px=24, max_side_px=96, first_steps=20, steps=10)
    photo = _drawn(140, 100)
    look = reduced(preset, Size(140, 100), 50)
    assert look.size.longest_px == 48 and look.full.longest_px == 96
    _, shown = _stylized(look.preset, cv2.resize(photo, look.size, interpolation=cv2.INTER_AREA), vgg19)
    _, whole = _stylized(preset, cv2.resize(photo, look.full, interpolation=cv2.INTER_AREA), vgg19)
    assert len(shown) < len(whole)
    for mine, the_renders in zip(shown, whole, strict=False):
        same = replace(mine, scales=the_renders.scales, losses=the_renders.losses, parts=the_renders.parts)
        assert same == the_renders
        # Their contents are the same picture, brought to that size in one go or in two.
        assert mine.losses == pytest.approx(the_renders.losses, rel=0.05)


@given(
    st.tuples(st.integers(1, 6000), st.integers(1, 6000)),
    st.just(0) | st.integers(1, 5000),
    st.integers(16, 600),
)
def test_a_sketch_is_the_first_steps_at_just_the_size_asked_for(
    size: tuple[int, int], max_side_px: int, side_px: int
) -> None:
    preset = _preset(min_px=16, max_side_px=max_side_px, first_steps=100, steps=7)
    look = sketched(preset, Size(*size), side_px, 30)
    assert look.size == fit_within(look.full, side_px)
    # At that size alone: no smaller scale comes before it.
    assert scale_sizes(look.size, look.preset.scales.min_px) == [look.size]
    assert look.preset.scales.first_steps == 30
    assert sketched(preset, Size(*size), side_px, 1000).preset.scales.first_steps == 100


def test_a_sketch_weighs_the_content_of_2015_as_the_render_does() -> None:
    preset = _preset(max_side_px=512)
    preset = preset.model_copy(update={"style": preset.style.model_copy(update={"statistic": "gram2015"})})
    look = sketched(preset, Size(512, 512), 128, 30)
    assert look.preset.content.weight == pytest.approx(preset.content.weight * 16)
