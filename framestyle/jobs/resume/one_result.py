"""The manifest of a result that is one file: it lives as long as the job that makes it.

A folder's manifest stays; beside one file nothing is to lie about. So the result is written down as soon as it is in
its place, and that goes last of all: where a run is killed in between, the same command finds that its work is done.
"""

from __future__ import annotations

import hashlib
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from framestyle.errors import FramestyleError
from framestyle.jobs.plan.tasks import Task
from framestyle.jobs.resume.fingerprint import FileFingerprint
from framestyle.jobs.resume.manifest import Manifest


class OneResult(Manifest):
    """A context manager: removes its file at the end, where that is a normal one. Nothing depends on its being there.

    What cannot be understood in it is as if it were not there.
    """

    def __init__(self, target: Path) -> None:
        digest = hashlib.sha256(target.name.encode("utf-8", "surrogateescape")).hexdigest()[:12]
        super().__init__(target.parent, f".framestyle-made-{digest}.json")
        self.trouble = None

    def begin(self, task: Task, work: str | None = None) -> None:
        """Nothing is said of what is not there yet: a file of that name could be anybody's."""

    def finish(self, task: Task, work: str, given: FileFingerprint, precision: str | None = None) -> None:
        """On disk at once, where it can be."""
        with suppress(FramestyleError, OSError):
            super().finish(task, work, given, precision)
            self.save()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            with suppress(OSError):
                self.path.unlink(missing_ok=True)
