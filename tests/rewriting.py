"""Results as the renderer makes them, of frames that stay as they are."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

from framestyle.kinds import TimeRange
from framestyle.media.video.clips import open_clip
from framestyle.media.video.reader import VideoReader
from framestyle.media.video.writer import SourceStreams, VideoSettings, VideoWriter


def rewrite(
    source: Path,
    target: Path,
    codec: str = "h264",
    start: Fraction | None = None,
    end: Fraction | None = None,
    *,
    drop: int | None = None,
    at_rate: bool = False,
    streams: Path | None = None,
    quality: str = "draft",
    **changes: Any,
) -> list[str]:
    """The writer's notes. `drop`: a frame that is left out. `at_rate`: each is shown at the rate's time, not its own.

    `streams`: where sound comes from, if not from the source.
    """
    with open_clip(source, TimeRange(start, end), sequence_rate=Fraction(24)) as reader:
        frames = list(reader)
        info, last = reader.info, reader.last_frame()
    zero = frames[0].pts if start is not None else Fraction(0)
    beside = SourceStreams(streams or source, TimeRange(None if start is None else zero, end))
    options: dict[str, Any] = {
        "width": info.width,
        "height": info.height,
        "frame_rate": info.frame_rate,
        "settings": VideoSettings(codec, quality),
        "source": beside if isinstance(reader, VideoReader) else None,
        "sample_aspect_ratio": info.sample_aspect_ratio,
        "time_base": info.time_base if reader.variable_rate else None,
        "last_frame": last and (last[0] - zero, last[1]),
        "bits": reader.bits,
        "alpha": info.has_alpha,
        "colors": reader.colors,
        "mastering": info.mastering,
        "metadata": {
            "comment": "framestyle 0.1.0, torch 2; preset wave; weights learned; seed 3; cpu float32"
        },
    }
    with VideoWriter(target, **{**options, **changes}) as writer:
        for number, frame in enumerate(frames):
            if number != drop:
                at = number / info.frame_rate if at_rate else frame.pts - zero
                writer.write(frame.pixels, at, frame.alpha)
    return writer.notes
