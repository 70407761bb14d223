"""What the status of an order's outputs is: to be made, done before, or not to be replaced."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from framestyle.errors import Code, OutputError
from framestyle.jobs.plan.inputs import Unusable
from framestyle.jobs.plan.tasks import Task
from framestyle.jobs.resume.manifest import NAME, Manifest, OutputStatus
from framestyle.jobs.resume.resume_key import is_publishing, refuse_change
from framestyle.kinds import MediaKind
from framestyle.media.writable import check_writable, unwritable
from framestyle.spec import RenderSpec


@dataclass(frozen=True)
class Replacing:
    """Which results that exist may be replaced: all (`overwrite`), ours (`fresh`), ours whose input `changed`."""

    overwrite: bool = False
    fresh: bool = False
    changed: bool = False


def split_by_status(
    tasks: Sequence[Task],
    spec: RenderSpec,
    manifest: Manifest | None,
    may: Replacing,
) -> tuple[tuple[Task, ...], tuple[Task, ...]]:
    """To do, and done before. OutputError where an output exists that may not be replaced."""
    to_do, done, refused = [], [], []
    for task in tasks:
        status = _output_status(task, spec, manifest)
        if task.kind is MediaKind.VIDEO and status is not OutputStatus.DONE and not may.fresh:
            refuse_change(task, spec)
        ours = status in (OutputStatus.DONE, OutputStatus.OTHER_INPUT, OutputStatus.OTHER_WORK)
        if status is OutputStatus.DONE and not may.fresh:
            done.append(task)
        elif (
            status in (OutputStatus.ABSENT, OutputStatus.BEGUN)
            or may.overwrite
            or (ours and may.fresh)
            or (may.changed and status is OutputStatus.OTHER_INPUT)
        ):
            to_do.append(task)
        else:
            refused.append((task, status))
    if refused:
        raise _refusal(refused, None if manifest is None else manifest.trouble)
    return tuple(to_do), tuple(done)


def placed(
    tasks: Sequence[Task], manifest: Manifest | None, *, alone: bool
) -> tuple[tuple[Task, ...], tuple[Unusable, ...]]:
    """The tasks whose outputs can be written where they are to be, and the others' inputs, each with the reason.

    The error of a task that is `alone` is raised, and so is that of the folder where all results would go.
    """
    if tasks and manifest is not None:
        check_writable(manifest.path)
    refused = unwritable(task.target for task in tasks)
    if alone:
        for error in refused.values():
            raise error
    left = tuple(task for task in tasks if task.target not in refused)
    others = (task for task in tasks if task.target in refused)
    return left, tuple(Unusable(task.source, refused[task.target]) for task in others)


def _output_status(task: Task, spec: RenderSpec, manifest: Manifest | None) -> OutputStatus:
    if task.outputs() and task.kind is MediaKind.VIDEO and is_publishing(task.target):
        return OutputStatus.BEGUN
    if manifest is not None:
        return manifest.status(task, spec.done_keys(task.kind))
    return OutputStatus.UNKNOWN if task.outputs() else OutputStatus.ABSENT


def _refusal(refused: Sequence[tuple[Task, OutputStatus]], trouble: str | None) -> OutputError:
    (task, status), others = refused[0], len(refused) - 1
    why = "" if status is OutputStatus.UNKNOWN else f", {status.value}"
    more = "" if not others else f"; so {'does one more' if others == 1 else f'do {others} more'}"
    lost = (
        "" if trouble is None else f" (what is done there is not known: {NAME} is not used, since {trouble})"
    )
    return OutputError(
        f"{task.outputs()[0]} exists already{why}{more}{lost}",
        code=Code.OUTPUT_EXISTS,
        facts={"path": str(task.outputs()[0]), "outputs": len(refused)},
    )
