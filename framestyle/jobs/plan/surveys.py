"""The surveys of a job's clips: taken before any network is loaded. Loads no torch."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from framestyle.context import Context
from framestyle.errors import FramestyleError
from framestyle.events import TaskPlanned
from framestyle.jobs.plan.estimate import clip_bytes_expected, clip_plan, photo_plan, photo_size_painted
from framestyle.jobs.plan.survey import Survey, survey
from framestyle.jobs.plan.tasks import Task
from framestyle.kinds import MediaKind, TimeRange
from framestyle.nst.sizes import LARGEST_BESIDE_PX, Size, fit_within
from framestyle.presets import Preset


@dataclass(frozen=True)
class Surveys:
    """Of each clip by its path what its survey found, or why there is none. `seconds`: how long they took."""

    found: Mapping[Path, Survey | FramestyleError] = field(default_factory=dict)
    seconds: float = 0.0

    @classmethod
    def of(cls, tasks: Iterable[Task], span: TimeRange, preset: Preset, context: Context) -> Surveys:
        """Of all tasks that are clips. One that fails is told when its turn comes."""
        started, found = time.perf_counter(), dict[Path, Survey | FramestyleError]()
        for task in tasks:
            if task.kind is MediaKind.VIDEO:
                try:
                    found[task.source] = survey(task.source, span, preset, context)
                except FramestyleError as error:
                    found[task.source] = error
        return cls(found, time.perf_counter() - started)

    def clip(self, task: Task) -> Survey:
        """Of a task that is a clip. Raises the error of its survey."""
        found = self.found[task.source]
        if isinstance(found, FramestyleError):
            raise found
        return found

    def error_of(self, task: Task) -> FramestyleError | None:
        """Why a clip has no survey; None where it has one, or needs none."""
        found = self.found.get(task.source)
        return found if isinstance(found, FramestyleError) else None

    def frames(self, tasks: Sequence[Task], preset: Preset) -> int:
        """Frames of all clips, each as often as it is painted, plus photos."""
        clips = sum(found.frames for found in self.found.values() if isinstance(found, Survey))
        return clips * preset.video.painted_times + sum(task.kind is MediaKind.PHOTO for task in tasks)

    def plans(self, tasks: Sequence[Task], preset: Preset, photos_at_once: int) -> Iterator[TaskPlanned]:
        """Of each task, but for those that are known to fail."""
        for task in tasks:
            found = self.found.get(task.source)
            if isinstance(found, Survey):
                size = _painted_size(found, preset)
                yield clip_plan(str(task.source), preset, size, found.frames, len(found.shots))
            elif task.kind is MediaKind.PHOTO and (of_photo := photo_size_painted(task.source, preset)):
                at_once = 1 if of_photo.area_px > LARGEST_BESIDE_PX else photos_at_once
                yield photo_plan(str(task.source), preset, of_photo, at_once)

    def bytes_needed(self, tasks: Sequence[Task], preset: Preset) -> float:
        """By all clips together, and while the largest of them is made."""
        made, most_work = 0.0, 0.0
        for task in tasks:
            found = self.found.get(task.source)
            if isinstance(found, Survey):
                size = _painted_size(found, preset)
                result, work = clip_bytes_expected(task.target, preset, size, found.frames)
                made, most_work = made + result, max(most_work, work)
        return made + most_work


def _painted_size(found: Survey, preset: Preset) -> Size:
    return fit_within(Size(found.info.width, found.info.height), preset.scales.max_side_px)
