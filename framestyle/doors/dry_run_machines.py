"""`stylize --dry-run --engine ray`: which shot or photo would go where, and how long all would take."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from framestyle.context import SILENT
from framestyle.doors.text import counted, plain, roughly
from framestyle.errors import FramestyleError
from framestyle.jobs.plan.estimate import photo_size_painted, photo_work, shot_work
from framestyle.jobs.plan.schedule import Schedule, bound_s, schedule
from framestyle.jobs.plan.step_cost import price_of
from framestyle.jobs.plan.survey import survey
from framestyle.jobs.plan.tasks import Task
from framestyle.jobs.run.batch import Job, Order
from framestyle.kinds import MediaKind
from framestyle.nst.sizes import Size, fit_within
from framestyle.nst.weights.catalog import width_of
from framestyle.presets import Preset

SHOWN_WORKERS, SHOWN_UNITS = 8, 4
NUMBERS = (1, 2, 4, 8, 16, 32, 64, 128, 256)


@dataclass(frozen=True)
class _Unit:
    """A shot or a photo, in words, and its seconds on one worker, by estimate."""

    name: str
    seconds: float


def machines(jobs: Sequence[Job], order: Order, workers: int | None = None) -> Iterator[str]:
    """Line by line. Clips are looked at for their cuts, which are kept for the work itself.

    `workers`: how many to reckon with; None: as many as this machine has processors.
    """
    rows = [row for job in jobs for row in _rows(job, order) if row.units]
    if not rows:
        return
    count = workers or os.cpu_count() or 1
    yield f"on {counted(count, 'worker')} like this machine, one shot or photo at a time each, the longest shot first:"
    yield from (f"  {line}" for line in _shares(rows, count))
    most = max(len(row.units) for row in rows)
    for number in sorted({*(one for one in NUMBERS if one <= most), count}):
        total_s = sum(row.on(number).seconds for row in rows)
        least_s = sum(bound_s(row.seconds, number) for row in rows)
        yield f"  {counted(number, 'worker')}: {roughly(total_s)} (no order is done sooner than {roughly(least_s)})"


@dataclass(frozen=True)
class _Row:
    """What goes to the workers together: photos that follow one another, or the shots of a clip."""

    units: tuple[_Unit, ...]
    photos: bool

    @property
    def seconds(self) -> list[float]:
        return [unit.seconds for unit in self.units]

    def on(self, workers: int) -> Schedule:
        """As the engine does them."""
        return schedule(self.seconds, workers, in_order=self.photos)


def _rows(job: Job, order: Order) -> Iterator[_Row]:
    price_s = price_of(job.preset, order.device, width_of(order.weights)).seconds
    for kind, tasks in groupby(job.to_do, lambda task: task.kind):
        if kind is MediaKind.PHOTO:
            yield _Row(tuple(_photos(tasks, job.preset, price_s)), photos=True)
        else:
            for task in tasks:
                yield _Row(tuple(_shots(task, job.preset, order, price_s)), photos=False)


def _photos(tasks: Iterable[Task], preset: Preset, price_s: float) -> Iterator[_Unit]:
    for task in tasks:
        size = photo_size_painted(task.source, preset)
        if size is not None:
            yield _Unit(str(task.source), price_s * photo_work(preset, size))


def _shots(task: Task, preset: Preset, order: Order, price_s: float) -> Iterator[_Unit]:
    try:
        found = survey(task.source, order.span, preset, SILENT)
    except FramestyleError:
        return  # told already
    size = fit_within(Size(found.info.width, found.info.height), preset.scales.max_side_px)
    for number, shot in enumerate(found.shots, 1):
        yield _Unit(f"{task.source} shot {number}", price_s * shot_work(preset, size, shot.frames))


def _shares(rows: Sequence[_Row], workers: int) -> Iterator[str]:
    names: list[list[str]] = [[] for _ in range(workers)]
    seconds = [0.0] * workers
    for row in rows:
        for worker, share in enumerate(row.on(workers).shares):
            names[worker] += [row.units[unit].name for unit in share.units]
            seconds[worker] += share.seconds
    busy = [worker for worker in range(workers) if names[worker]]
    for worker in busy[:SHOWN_WORKERS]:
        more = len(names[worker]) - SHOWN_UNITS
        shown = ", ".join(names[worker][:SHOWN_UNITS]) + (f" and {more} more" if more > 0 else "")
        yield plain(f"worker {worker + 1}: {shown} ({roughly(seconds[worker])} of work)")
    if len(busy) > SHOWN_WORKERS:
        yield f"and {len(busy) - SHOWN_WORKERS} workers more"
