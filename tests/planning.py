"""What a job plans, in one call."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from framestyle.jobs.plan.inputs import gather
from framestyle.jobs.plan.tasks import Naming, Task, is_one_file, names_a_clip, plan


def planned(
    inputs: Sequence[Path],
    output: Path,
    *,
    into_folder: bool = False,
    photo_format: str | None = None,
    video_codec: str = "h264",
) -> list[Task]:
    """As a job of one preset does it, with what lies in the output folder left out."""
    one_clip = not into_folder and names_a_clip(output)
    found = gather(inputs, {output.resolve()}, one_clip=one_clip)
    one_file = is_one_file(output, found, into_folder=into_folder)
    return plan(found, output, Naming(photo_format, video_codec), one_file=one_file)
