"""Plans as a job makes them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from framestyle.jobs.inputs import gather
from framestyle.jobs.plan import Naming, Task, is_one_file, names_a_clip
from framestyle.jobs.plan import plan as planned


def plan(
    inputs: Sequence[Path],
    output: Path,
    *,
    into_folder: bool = False,
    photo_format: str | None = None,
    video_codec: str = "h264",
) -> list[Task]:
    """With what lies in the output folder left out."""
    found = gather(inputs, {output.resolve()}, as_sequence=not into_folder and names_a_clip(output))
    one_file = is_one_file(output, found, into_folder=into_folder)
    return planned(found, output, Naming(photo_format, video_codec), one_file=one_file)
