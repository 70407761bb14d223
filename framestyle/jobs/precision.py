"""The precision of a job's convolutions: decided once, before its work, and recorded with every result.

`optimizer.precision: auto` is a measurement, and two processes may measure differently. So `auto` means what the work
was begun with, where some of it is recorded, and is measured only where nothing is. Loads torch only to measure.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from framestyle.jobs.facts import facts_in, work_folder_of
from framestyle.jobs.manifest import Manifest
from framestyle.jobs.plan import Task
from framestyle.jobs.recipes import with_precision
from framestyle.jobs.work import Work
from framestyle.kinds import MediaKind
from framestyle.media.verify.verdict import AUTO
from framestyle.presets import Preset

if TYPE_CHECKING:
    import torch


class PrecisionChoice:
    """What `auto` comes to on a device, for all that one command does: measured when it is first asked for, once."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._measured: str | None = None

    def resolve(self, preset: Preset) -> Preset:
        """The preset with a precision that is decided; nothing is measured for one that names its own."""
        if preset.optimizer.precision != AUTO:
            return preset
        if self._measured is None:
            from framestyle.nst import devices

            self._measured = devices.probe_precision(self._device)
        return with_precision(preset, self._measured)


def begun_precision(
    tasks: Sequence[Task], work: Work, manifest: Manifest | None, *, fresh: bool = False
) -> str | None:
    """The precision in which this work was begun; None where nothing of it is recorded, or the preset names its own.

    A clip that was stopped comes first, since nothing of it could be resumed in another precision; then what most of
    the folder's results were made in. `fresh`: the tasks themselves are made anew, so only other results count.
    """
    if work.preset.optimizer.precision != AUTO:
        return None
    if not fresh:
        for task in tasks:
            if (
                task.kind is MediaKind.VIDEO
                and (precision := _stopped_clip_precision(task, work)) is not None
            ):
                return precision
    return None if manifest is None else _folder_precision(work, manifest, tasks if fresh else ())


def _stopped_clip_precision(task: Task, work: Work) -> str | None:
    try:
        begun = facts_in(work_folder_of(task.target))
    except (OSError, ValueError):
        return None
    return work.precision_of(begun.work, task.kind)


def _folder_precision(work: Work, manifest: Manifest, remade: Collection[Task]) -> str | None:
    """Of the results that this work made there, without those that are made anew."""
    kinds = (MediaKind.PHOTO, MediaKind.VIDEO)
    counted: Counter[str] = Counter()
    for key in manifest.recorded_works(remade):
        named = next((found for kind in kinds if (found := work.precision_of(key, kind)) is not None), None)
        # FrameStyle up to 2026-11 wrote what was measured into its words alone.
        if named is None and any(key == work.undecided_key(kind) for kind in kinds):
            named = manifest.precision_of(key)
        if named is not None:
            counted[named] += 1
    return max(counted, key=lambda name: (counted[name], name)) if counted else None
