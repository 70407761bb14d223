"""A clip with transparency comes out with it; what it hides steers nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from media_facts import encode
from ready import Ready

from framestyle.events import Event, Note
from framestyle.jobs.plan.tasks import Task
from framestyle.jobs.run.job import run
from framestyle.kinds import MediaKind, TimeRange
from framestyle.media.video.reader import VideoReader

MakeWorkshop = Callable[..., Ready]


def clip(target: Path, hidden: int) -> Path:
    """48 x 32, the right half hidden; `hidden` is the level that lies there."""
    picture = np.zeros((32, 48, 4), np.uint8)
    picture[..., :3] = np.add.outer(np.arange(32) * 3, np.arange(48) * 2)[..., None]
    picture[:, 24:] = (hidden, 255 - hidden, hidden, 0)
    picture[:, :24, 3] = 255
    raw = ("-f", "rawvideo", "-pix_fmt", "rgba", "-s", "48x32", "-r", "25", "-i", "-")
    encode(*raw, "-c:v", "ffv1", "-pix_fmt", "bgra", str(target), data=picture.tobytes() * 3)
    return target


def render(source: Path, target: Path, workshop: Ready) -> list[tuple[np.ndarray, np.ndarray | None]]:
    run([Task(MediaKind.VIDEO, source, target)], target, TimeRange(), *workshop)
    with VideoReader(target) as reader:
        return [(frame.pixels, frame.alpha) for frame in reader]


@pytest.mark.parametrize("passes", [1, 2])
@pytest.mark.parametrize("side", [0, 24])
def test_transparency_comes_out_as_it_went_in(
    make_workshop: MakeWorkshop, tmp_path: Path, passes: int, side: int
) -> None:
    source, target = clip(tmp_path / "s.mkv", 10), tmp_path / "o.mkv"
    options: dict[str, Any] = {
        "video": {"passes": passes},
        "scales": {"max_side_px": side},
        "output": {"video_codec": "ffv1"},
    }
    frames = render(source, target, make_workshop(**options))
    assert len(frames) == 3
    for pixels, alpha in frames:
        assert pixels.shape == ((32, 48, 3) if side == 0 else (16, 24, 3))
        half = pixels.shape[1] // 2
        assert alpha is not None and (alpha[:, :half] == 255).all() and (alpha[:, half:] == 0).all()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["o.mkv", "s.mkv"]


def test_what_is_hidden_steers_nothing(make_workshop: MakeWorkshop, tmp_path: Path) -> None:
    made = [
        render(
            clip(tmp_path / f"s{level}.mkv", level),
            tmp_path / f"o{level}.mkv",
            make_workshop(output={"video_codec": "ffv1"}),
        )
        for level in (0, 200)
    ]
    for (one, _), (two, _) in zip(*made, strict=True):
        assert np.array_equal(one[:, :24], two[:, :24])


def test_a_codec_without_it_says_so_before_the_work(make_workshop: MakeWorkshop, tmp_path: Path) -> None:
    news: list[Event] = []
    render(clip(tmp_path / "s.mkv", 10), tmp_path / "o.mp4", make_workshop(news.append))
    said = next(
        n
        for n, event in enumerate(news)
        if isinstance(event, Note) and "holds no transparency" in event.message
    )
    assert said < next(n for n, event in enumerate(news) if type(event).__name__ == "FrameDone")
