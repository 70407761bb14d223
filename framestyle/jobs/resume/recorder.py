"""What the engine tells of each task of a job, for those who keep it."""

from __future__ import annotations

from contextlib import suppress

from framestyle.errors import FramestyleError, InputError
from framestyle.jobs.plan.tasks import Task
from framestyle.jobs.resume.fingerprint import FileFingerprint
from framestyle.jobs.resume.manifest import Manifest
from framestyle.jobs.resume.resume_key import ResumeKey
from framestyle.kinds import MediaKind
from framestyle.spec import RenderSpec


class ManifestRecorder:
    """Of a manifest; without one, nothing is kept. Without `spec`, no work on clips is checkpointed."""

    def __init__(self, manifest: Manifest | None = None, spec: RenderSpec | None = None) -> None:
        self._manifest, self._spec = manifest, spec
        self._given: dict[Task, FileFingerprint] = {}
        """Of the tasks at hand, what their inputs were."""

    def begin(self, task: Task) -> None:
        """Before its input is read."""
        if self._manifest is None and (self._spec is None or task.kind is MediaKind.PHOTO):
            return
        with suppress(OSError):  # whoever reads it will say so
            self._given[task] = FileFingerprint.of(task.inputs())
        if self._manifest is not None:
            self._manifest.begin(task, None if self._spec is None else self._spec.key(task.kind))

    def facts(self, task: Task) -> ResumeKey | None:
        """What the task that was begun depends on; None: no work on it is to be checkpointed."""
        given = self._given.get(task)
        if self._spec is None or given is None or task.kind is not MediaKind.VIDEO:
            return None
        return ResumeKey.of(self._spec, task.kind, given)

    def finish(self, task: Task) -> None:
        """Its output is in its place."""
        given = self._given.pop(task, None)
        if self._manifest is None or self._spec is None:
            return
        if given is None:
            self._manifest.give_up(task)
        else:
            self._manifest.finish(task, self._spec.key(task.kind), given, self._spec.decided_precision)

    def refuse(self, task: Task, error: FramestyleError) -> None:
        """It has failed before it was begun."""
        self.begin(task)
        self.fail(task, error)

    def fail(self, task: Task, error: FramestyleError) -> None:
        """It has no output. Only what is wrong with the input itself is remembered."""
        given = self._given.pop(task, None)
        if self._manifest is None:
            return
        if isinstance(error, InputError) and given is not None:
            self._manifest.fail(task, given, error.message)
        else:
            self._manifest.give_up(task)
