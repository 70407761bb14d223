"""Styles that change in time, painted in memory: what holds when, what is carried, how many steps it takes."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import torch
from moving import Bytes, textured

from framestyle.context import Context
from framestyle.events import FrameDone
from framestyle.frames import Frame
from framestyle.motion.in_time import HELD_IN_A_CHANGE, HELD_IN_A_FADE, hold
from framestyle.motion.sequence import FramePainter
from framestyle.motion.shots import Shot
from framestyle.nst.image import to_tensor
from framestyle.nst.stylizer import Stylizer
from framestyle.nst.weights.backbone import Backbone
from framestyle.presets import Preset
from framestyle.presets.instants import REST, Passage, Timeline

RATE = 10
Make = Callable[..., Stylizer]


@pytest.fixture
def make(untrained: Backbone) -> Make:
    def made(*points: dict[str, Any], images: int = 2, **changes: Any) -> Stylizer:
        data: dict[str, Any] = {
            "style": {"images": [{"path": f"{n}.png"} for n in range(images)], "layers": {"relu1_1": 1.0}},
            "content": {"layers": {"relu1_2": 1.0}, "weight": 0.01},
            "optimizer": {"precision": "float32"},
            "scales": {"min_px": 64, "max_side_px": 0, "first_steps": 6, "steps": 3},
            "video": {"steps": 4, "min_steps": 1, "warm_start": "flow"},
            "timeline": list(points),
            **changes,
        }
        preset = Preset.model_validate(data)
        draw = torch.Generator().manual_seed(3)
        pictures = [torch.rand(1, 3, 24, 24, generator=draw) * (0.4 + 0.6 * n) for n in range(images)]
        named = [point for point in points if isinstance(point.get("preset"), dict)]
        looks = [[torch.rand(1, 3, 24, 24, generator=draw) ** 3] for _ in named]
        return Stylizer(preset, untrained, pictures, look_images=looks)

    return made


def _times(preset: Preset) -> list[Fraction]:
    return [point.when.number for point in preset.timeline]


def _paint(stylizer: Stylizer, frames: list[Bytes]) -> tuple[list[Bytes], list[int]]:
    """The frames, and the steps that each took."""
    timeline = Timeline.of(stylizer.preset, _times(stylizer.preset), Fraction(1, RATE))
    steps: list[int] = []

    def heard(event: object) -> None:
        if isinstance(event, FrameDone):
            steps.append(event.steps)

    with FramePainter(stylizer, shots=[Shot(0, len(frames))], timeline=timeline) as painter:
        done = []
        for index, pixels in enumerate(frames):
            done += painter.push(Frame(index, Fraction(index, RATE), pixels), Context(heard))
        done += painter.finish(Context(heard))
    return [frame.pixels.astype(np.uint8) for frame in done], steps


def test_mix_goes_from_the_source_itself_to_the_painted_picture(make: Make) -> None:
    frames = textured(5, (64, 48))
    mixed, _ = _paint(make({"at": "0s", "mix": 0.0}, {"at": "0.4s", "mix": 1.0}), frames)
    painted, _ = _paint(make({"at": "0s", "mix": 1.0}), frames)
    assert np.array_equal(mixed[0], frames[0]) and np.array_equal(mixed[4], painted[4])
    half = (frames[2].astype(float) + painted[2]) / 2
    assert np.abs(mixed[2] - half).max() <= 1


def test_between_key_frames_it_goes_on_changing(make: Make) -> None:
    frames, video = textured(5, (64, 48)), {"steps": 1, "method": "key_frames", "key_frame_gap": 4}
    mixed, _ = _paint(make({"at": "0s", "mix": 0.0}, {"at": "0.4s", "mix": 1.0}, video=video), frames)
    painted, _ = _paint(make({"at": "0s", "mix": 1.0}, video=video), frames)
    for number in range(5):
        wanted = frames[number] + (painted[number].astype(float) - frames[number]) * number / 4
        assert np.abs(mixed[number] - wanted).max() <= 1


def test_a_change_takes_more_steps_and_all_of_them(make: Make) -> None:
    frames = textured(8, (64, 48))
    still = make({"at": "0s", "content.weight": 1.0}, video={"steps": 4, "min_steps": 1, "tolerance": 1.0})
    changing = make(
        {"at": "0.3s", "content.weight": 1.0},
        {"at": "0.5s", "content.weight": 0.001},
        video={"steps": 4, "min_steps": 1, "tolerance": 1.0},
    )
    _, of_still = _paint(still, frames)
    _, of_change = _paint(changing, frames)
    assert of_change[:4] == of_still[:4]
    assert of_change[4] == of_change[5] == 8


def test_a_shown_once_more_frame_is_painted_on_while_the_style_changes(make: Make) -> None:
    frames = textured(1, (64, 48)) * 10
    _, steps = _paint(make({"at": "0.2s", "strength": 0.0}, {"at": "0.4s", "strength": 1.0}), frames)
    assert steps[1] == steps[2] == 0 and steps[3] > 0 and steps[4] > 0 and steps[9] == 0


def test_a_change_of_strength_does_not_leap(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """A picture whose own strokes would be there in a frame or two gets there over the whole change."""
    frames, video = textured(1, (64, 48)) * 14, {"steps": 20, "min_steps": 1}
    stylizer = make({"at": "0.2s", "strength": 0.0}, {"at": "1.2s", "strength": 1.0}, images=1, video=video)
    content = to_tensor(frames[0])

    def largest_step() -> tuple[float, list[int]]:
        painted, steps = _paint(stylizer, frames)
        distances = [stylizer.losses_of(to_tensor(one), content)["style"] for one in painted]
        moved = np.diff(distances[2:13])
        return float(np.abs(moved).max() / abs(moved.mean())), steps

    evenly, steps = largest_step()
    monkeypatch.setattr(Timeline, "passage", lambda *given: REST)
    freely, all_steps = largest_step()
    assert evenly < 1.5 < freely
    assert min(steps[3:12]) < all_steps[3] == 40


def _targets(stylizer: Stylizer, at_s: float) -> torch.Tensor:
    timeline = Timeline(stylizer.preset, _times(stylizer.preset), Fraction(1, RATE))
    one = stylizer.at(timeline.at(Fraction(at_s).limit_denominator(100)))
    (targets,) = one.style_targets(to_tensor(textured(1, (64, 48))[0]))
    gram: torch.Tensor = targets["relu1_1"].gram  # type: ignore[attr-defined]
    return gram


def test_style_targets_are_blended_and_reach_each_ones_own(make: Make) -> None:
    stylizer = make({"at": "0s", "style.images": [1.0, 0.0]}, {"at": "1s", "style.images": [0.0, 1.0]})
    first, half, last = (_targets(stylizer, at) for at in (0, 0.5, 1))
    assert torch.allclose(half, (first + last) / 2, rtol=1e-5)
    assert not torch.allclose(first, last, rtol=1e-2)


def test_presets_cross_fade_as_a_blend_of_their_images(make: Make) -> None:
    look = {
        "name": "wave",
        "style": {"images": [{"path": "w.png"}], "layers": {"relu1_1": 1.0}},
        "content": {"layers": {"relu1_2": 1.0}, "weight": 0.03},
    }
    stylizer = make({"at": "0s", "preset": "this"}, {"at": "1s", "preset": look}, images=1)
    first, half, last = (_targets(stylizer, at) for at in (0, 0.5, 1))
    assert torch.allclose(half, (first + last) / 2, rtol=1e-5) and not torch.allclose(first, last, rtol=1e-2)
    timeline = Timeline(stylizer.preset, _times(stylizer.preset), Fraction(1, RATE))
    assert stylizer.at(timeline.at(Fraction(1, 2))).weights.content == pytest.approx(0.02)
    painted, _ = _paint(stylizer, textured(3, (64, 48)))
    assert len(painted) == 3


def test_a_scale_that_changes_is_read_at_few_sizes(make: Make) -> None:
    stylizer = make({"at": "0s", "style.scale": 1.0}, {"at": "1s", "style.scale": 2.0}, images=1)
    at = {n: _targets(stylizer, n / 10) for n in range(11)}
    assert torch.allclose(at[1], at[0] + (at[5] - at[0]) / 5, rtol=1e-4)
    assert torch.allclose(at[6], at[5] + (at[10] - at[5]) / 5, rtol=1e-4)


def test_a_region_fades_in(make: Make) -> None:
    stylizer = make(
        {"at": "0s", "regions": {"255": 0.0}},
        {"at": "0.2s", "regions": {"255": 1.0}},
        style={"images": [{"path": "a.png", "region": 255}], "layers": {"relu1_1": 1.0}},
        images=1,
    )
    frames = textured(3, (64, 48))
    painted, _ = _paint(stylizer.with_mask(torch.ones(1, 3, 48, 64)), frames)
    assert np.array_equal(painted[0], frames[0])
    changes = [float(np.abs(one.astype(int) - two).mean()) for one, two in zip(painted, frames, strict=True)]
    assert changes[0] < changes[1] < changes[2]


def test_a_fade_holds_frames_more_and_a_change_of_strength_less() -> None:
    fast, change = 1.0, Passage(0.1, 3.0)
    assert hold(0.0, REST) == 1 < hold(0.01, REST) < hold(fast, REST) == HELD_IN_A_FADE
    assert hold(fast, change) == HELD_IN_A_CHANGE < 1
