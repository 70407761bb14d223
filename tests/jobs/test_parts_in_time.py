"""Moving masks and timelines in parts: shots side by side, and a range of a clip, have the pixels of the whole."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from moving import Bytes, disc, textured, write_clip
from torch_threads import torch_threads

from framestyle.context import Context
from framestyle.events import Event, ShotStarted
from framestyle.jobs.run.batch import Order, paint, prepare
from framestyle.kinds import WHOLE_CLIP, TimeRange
from framestyle.media.video.reader import VideoReader
from framestyle.presets import Preset

SHOTS = (7, 7)
RATE = 10


@pytest.fixture
def order(photo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, TimeRange], Order]:
    """`order("out.mkv", span)`: two shots, a mask whose disc crosses both, two styles that change across the cut."""
    monkeypatch.setenv("FRAMESTYLE_CACHE", str(tmp_path / "cache"))
    bright = [255 - frame // 2 for frame in textured(SHOTS[1], seed=8)]
    clip = write_clip(tmp_path / "clip.mkv", [*textured(SHOTS[0]), *bright], RATE)
    mask = write_clip(tmp_path / "mask.mkv", [disc(n / sum(SHOTS)) for n in range(sum(SHOTS))], RATE)
    preset = Preset.model_validate(
        {
            "style": {
                "images": [{"path": str(photo), "region": 255}, {"path": str(photo), "weight": 0.5}],
                "layers": {"relu1_1": 1.0},
                "mask": str(mask),
            },
            "content": {"layers": {"relu1_2": 1.0}, "weight": 0.01},
            "optimizer": {"precision": "float32"},
            "scales": {"min_px": 64, "max_side_px": 0, "first_steps": 3, "steps": 1},
            "video": {"steps": 2, "min_steps": 1, "cuts": "content"},
            "output": {"video_codec": "ffv1", "quality": "lossless", "save_every_s": 0.0},
            "timeline": [
                {"at": "0.3s", "content.weight": 0.3, "mix": 0.2, "regions": {"255": 0.0}},
                {"at": "100%", "content.weight": 0.001, "mix": 1.0, "regions": {"255": 1.0}},
            ],
        }
    )

    def made(output: str, span: TimeRange = WHOLE_CLIP) -> Order:
        return Order([clip], tmp_path / output, [preset], weights="untrained", device="cpu", span=span)

    return made


def _painted(order: Order) -> tuple[list[Bytes], list[ShotStarted]]:
    news: list[Event] = []
    paint(prepare(order), order, Context(news.append))
    with VideoReader(Path(order.output)) as reader:
        pictures = [frame.pixels.astype(np.uint8) for frame in reader]
    return pictures, [event for event in news if isinstance(event, ShotStarted)]


def test_shots_side_by_side_and_parts_have_the_pixels_of_the_whole(
    order: Callable[..., Order], loads: list[str]
) -> None:
    with torch_threads(1):
        whole, _ = _painted(order("whole.mkv"))
    with torch_threads(2):
        both, starts = _painted(order("both.mkv"))
    assert sorted(one.index for one in starts) == [0, 1]
    assert np.array_equal(both, whole)
    with torch_threads(1):
        first, _ = _painted(order("a.mkv", TimeRange(None, Fraction(SHOTS[0], RATE))))
        second, _ = _painted(order("b.mkv", TimeRange(Fraction(SHOTS[0], RATE))))
    assert np.array_equal([*first, *second], whole)
    assert len({frame.tobytes() for frame in whole}) == sum(SHOTS)
