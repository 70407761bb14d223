"""Clips on a pretended GPU: the same pictures, no device mixed with another, and the host waits a few times a frame."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from scenes import clip

from framestyle.context import Context
from framestyle.events import Event, FrameDone
from framestyle.frames import Frame
from framestyle.motion.sequence import stylize_frames
from framestyle.motion.shots import Shot
from framestyle.nst.stylizer import Stylizer
from tests.pretend_device import DEVICE, PretendedDevice, pretended_device

MakeStylizer = Callable[..., Stylizer]
SIZE = {"height": 24, "width": 32}
FEW: dict[str, Any] = {"scales": {"first_steps": 3, "steps": 2}, "video": {"steps": 3, "min_steps": 3}}
WAITS_A_FRAME = 20
"""At the most: frame and motion to the device; the picture, and what decides where to begin, from it. Not the state."""


@pytest.fixture
def place() -> Iterator[PretendedDevice]:
    with pretended_device() as entered:
        yield entered


def _run(stylizer: Stylizer, frames: list[Frame]) -> list[Frame]:
    return list(stylize_frames(frames, [Shot(0, len(frames))], stylizer))


@pytest.mark.parametrize(
    ("video", "statistic"),
    [
        ({}, "wasserstein"),
        ({"passes": 2}, "gram"),
        ({"temporal_weight": 50.0, "long_term": [1, 2]}, "moments"),
        ({"carry_average": False, "anneal": False, "leash_weight": 0.0}, "gram"),
        ({"warm_start": "previous"}, "gram"),
        ({"method": "key_frames", "key_frame_gap": 2, "polish_steps": 1}, "gram"),
    ],
)
def test_a_clip_is_the_same_elsewhere(
    place: PretendedDevice, make_stylizer: MakeStylizer, video: dict[str, Any], statistic: str
) -> None:
    """Within a few levels: sums go another way, and flow is seen between thirty-seconds of a pixel."""
    frames = clip([(1, 3)], **SIZE)
    changes = {**FEW, "video": FEW["video"] | video, "style": {"statistic": statistic}}
    here, there = (_run(make_stylizer(device=where, **changes), frames) for where in ("cpu", DEVICE))
    for one, other in zip(here, there, strict=True):
        assert one.pts == other.pts
        assert np.abs(one.pixels.astype(int) - other.pixels).mean() < 2


def test_only_the_frame_itself_goes_to_the_device_and_back(
    place: PretendedDevice, make_stylizer: MakeStylizer
) -> None:
    """The state of the optimiser, thirteen times the frame, stays there."""
    waits: list[int] = []

    def on_event(event: Event) -> None:
        if isinstance(event, FrameDone):
            waits.append(place.held_up.total())

    stylizer = make_stylizer(device=DEVICE, **FEW)
    frames = clip([(1, 5)], **SIZE)
    list(stylize_frames(frames, [Shot(0, 5)], stylizer, context=Context(on_event)))
    of_frames = np.diff(waits)
    assert len(of_frames) == 4
    assert max(of_frames) <= WAITS_A_FRAME, place.held_up
