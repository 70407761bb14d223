"""Inputs that could not be read last time, looked at again before any network is loaded. Loads no torch."""

from __future__ import annotations

from collections.abc import Iterable

from framestyle.errors import InputError
from framestyle.events import TaskFailed
from framestyle.jobs.plan.tasks import Task
from framestyle.jobs.resume.manifest import Manifest
from framestyle.kinds import MediaKind
from framestyle.media.photos import read_photo
from framestyle.media.video.probe import probe
from framestyle.media.video.sequences import numbering_of


def failing_again(tasks: Iterable[Task], manifest: Manifest | None) -> dict[Task, TaskFailed]:
    """Those that could not be read, as far as the manifest knows, and still cannot."""
    again = {}
    for task in tasks:
        if manifest is not None and manifest.has_failed(task):
            try:
                _look_at(task)
            except InputError as error:
                again[task] = TaskFailed.of(str(task.source), error)
    return again


def _look_at(task: Task) -> None:
    """InputError where it cannot be read."""
    if task.kind is MediaKind.PHOTO or numbering_of(task.source) is not None:
        for path in task.inputs():
            read_photo(path)
    else:
        probe(task.source)
