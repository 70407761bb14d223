"""From file to file colours and depth are the source's; HDR stays HDR, or is made SDR where that is wished."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from media_facts import encode
from ready import Ready

from framestyle.doors.advice import next_step, note_text
from framestyle.errors import OutputError
from framestyle.events import Event, Note
from framestyle.jobs.plan.tasks import Task
from framestyle.jobs.run.job import run
from framestyle.kinds import MediaKind, TimeRange
from framestyle.media.video.probe import probe
from framestyle.media.video.reader import VideoReader

MakeWorkshop = Callable[..., Ready]
IDENTITY: dict[str, Any] = {"scales": {"first_steps": 0, "steps": 0}, "video": {"steps": 0, "min_steps": 0}}


def clip(target: Path, pixel_format: str, *tags: str) -> Path:
    """A ramp of greys and colours, in any format, tagged (range, matrix, primaries, transfer)."""
    names = ("range", "colorspace", "color_primaries", "color_trc")
    said = ":".join(f"{name}={tag}" for name, tag in zip(names, tags, strict=True))
    ramp = "gradients=s=64x48:c0=0x202020:c1=0xd06020:x0=0:y0=0:x1=63:y1=47:d=0.2:speed=0.00001"
    filters = f"format=gbrp16le,zscale=matrix={tags[1]},format={pixel_format},setparams={said}"
    kept = ("-color_range", tags[0], "-c:v", "ffv1")
    encode("-f", "lavfi", "-i", ramp, "-vf", filters, *kept, str(target))
    return target


def render(source: Path, target: Path, workshop: Ready) -> None:
    run([Task(MediaKind.VIDEO, source, target)], target, TimeRange(), *workshop)


def first(path: Path) -> np.ndarray:
    with VideoReader(path) as reader:
        return next(iter(reader)).pixels.astype(float)


@pytest.mark.parametrize("passes", [1, 2])
@pytest.mark.parametrize(
    ("pixel_format", "codec", "name"),
    [("yuv422p10le", "prores", "o.mov"), ("yuv420p10le", "h265", "o.mp4"), ("gbrp16le", "ffv1", "o.mkv")],
)
def test_depth_goes_through_the_whole_of_it(
    make_workshop: MakeWorkshop, tmp_path: Path, pixel_format: str, codec: str, name: str, passes: int
) -> None:
    """With no steps the very values come out, beyond what 8 bits can tell apart."""
    tags = ("pc", "gbr", "bt709", "bt709") if "gbr" in pixel_format else ("tv", "bt709", "bt709", "bt709")
    source, target = clip(tmp_path / "s.mkv", pixel_format, *tags), tmp_path / name
    video = {**IDENTITY["video"], "passes": passes}
    quality = "visually_lossless"
    render(
        source,
        target,
        make_workshop(**{**IDENTITY, "video": video}, output={"quality": quality, "video_codec": codec}),
    )
    was, became = first(source), first(target)
    assert probe(target).bit_depth == probe(source).bit_depth
    if codec == "ffv1":
        assert np.abs(was - became).max() <= 1
    assert np.abs(was - became).mean() < 257 / 2 and np.abs(became % 257).max() > 0


def test_hdr_is_kept_and_said(make_workshop: MakeWorkshop, tmp_path: Path) -> None:
    source = clip(tmp_path / "s.mkv", "yuv420p10le", "tv", "bt2020nc", "bt2020", "smpte2084")
    news: list[Event] = []
    render(source, tmp_path / "o.mp4", make_workshop(news.append, **IDENTITY, output={"video_codec": "h265"}))
    info = probe(tmp_path / "o.mp4")
    assert (info.bit_depth, info.color_primaries, info.color_transfer) == (10, "bt2020", "smpte2084")
    assert np.abs(first(source) - first(tmp_path / "o.mp4")).mean() < 2 * 257
    notes = [note_text(event) for event in news if isinstance(event, Note)]
    assert len(notes) == 1 and "is HDR (PQ), and stays so" in notes[0] and "output.hdr=tonemap" in notes[0]


def test_hdr_is_tone_mapped_where_that_is_wished(make_workshop: MakeWorkshop, tmp_path: Path) -> None:
    source = clip(tmp_path / "s.mkv", "yuv420p10le", "tv", "bt2020nc", "bt2020", "arib-std-b67")
    output = {"video_codec": "h264", "hdr": "tonemap", "bit_depth": 8}
    news: list[Event] = []
    render(source, tmp_path / "o.mp4", make_workshop(news.append, **IDENTITY, output=output))
    info = probe(tmp_path / "o.mp4")
    assert (info.bit_depth, info.color_matrix, info.color_primaries, info.color_transfer) == (
        8,
        "bt709",
        "bt709",
        "bt709",
    )
    assert any("is made SDR" in event.message for event in news if isinstance(event, Note))


def test_hdr_that_cannot_be_kept_is_refused_before_the_work(
    make_workshop: MakeWorkshop, tmp_path: Path
) -> None:
    source = clip(tmp_path / "s.mkv", "yuv420p10le", "tv", "bt2020nc", "bt2020", "smpte2084")
    with pytest.raises(OutputError, match="needs 10 bits") as caught:
        render(source, tmp_path / "o.gif", make_workshop(**IDENTITY, output={"video_codec": "gif"}))
    assert "output.hdr=tonemap" in (next_step(caught.value) or "")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["s.mkv"]


@pytest.mark.parametrize(
    "tags",
    [
        ("tv", "bt709", "bt709", "bt709"),
        ("pc", "smpte170m", "smpte170m", "smpte170m"),
        ("tv", "bt470bg", "bt470bg", "bt709"),
    ],
)
@pytest.mark.parametrize("pixel_format", ["yuv420p", "yuv420p10le"])
def test_sdr_looks_the_same_and_says_what_it_is(
    make_workshop: MakeWorkshop, tmp_path: Path, tags: tuple[str, ...], pixel_format: str
) -> None:
    source = clip(tmp_path / "s.mkv", pixel_format, *tags)
    render(source, tmp_path / "o.mp4", make_workshop(**IDENTITY, output={"quality": "visually_lossless"}))
    info = probe(tmp_path / "o.mp4")
    assert (info.color_range, info.color_matrix, info.color_primaries, info.color_transfer) == (
        "tv",
        *tags[1:],
    )
    was, became = first(source), first(tmp_path / "o.mp4")
    assert np.abs(was.mean((0, 1)) - became.mean((0, 1))).max() < 0.9 * (257 if info.bit_depth > 8 else 1)
