"""The precision of a job's convolutions: decided once, before its work, and recorded with every result.

`optimizer.precision: auto` is a measurement, and two processes may measure differently. So `auto` means what the work
was begun with, where some of it is recorded, and is measured (resolve.PrecisionChoice) only where nothing is. Loads no
torch.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence

from framestyle.jobs.plan.tasks import Task
from framestyle.jobs.resume.manifest import Manifest
from framestyle.jobs.resume.resume_key import facts_in, work_folder_of
from framestyle.kinds import MediaKind
from framestyle.spec import AUTO, RenderSpec


def begun_precision(
    tasks: Sequence[Task], spec: RenderSpec, manifest: Manifest | None, *, fresh: bool = False
) -> str | None:
    """The precision in which this work was begun; None where nothing of it is recorded, or the preset names its own.

    A clip that was stopped comes first, since nothing of it could be resumed in another precision; then what most of
    the folder's results were made in. `fresh`: the tasks themselves are made anew, so only other results count.
    """
    if spec.preset.optimizer.precision != AUTO:
        return None
    if not fresh:
        for task in tasks:
            if (
                task.kind is MediaKind.VIDEO
                and (precision := _stopped_clip_precision(task, spec)) is not None
            ):
                return precision
    return None if manifest is None else _folder_precision(spec, manifest, tasks if fresh else ())


def _stopped_clip_precision(task: Task, spec: RenderSpec) -> str | None:
    try:
        begun = facts_in(work_folder_of(task.target))
    except (OSError, ValueError):
        return None
    return spec.precision_of(begun.work, task.kind)


def _folder_precision(spec: RenderSpec, manifest: Manifest, remade: Collection[Task]) -> str | None:
    """Of the results that this work made there, without those that are made anew."""
    kinds = (MediaKind.PHOTO, MediaKind.VIDEO)
    counted: Counter[str] = Counter()
    for key in manifest.recorded_works(remade):
        named = next((found for kind in kinds if (found := spec.precision_of(key, kind)) is not None), None)
        # FrameStyle up to 2026-11 wrote what was measured into its words alone.
        if named is None and any(key == spec.undecided_key(kind) for kind in kinds):
            named = manifest.precision_of(key)
        if named is not None:
            counted[named] += 1
    return max(counted, key=lambda name: (counted[name], name)) if counted else None
