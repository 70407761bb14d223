"""A job's first and last events, whether anything is left to do or not. Loads no torch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from framestyle.events import Event, JobDone, JobStarted, TaskDone, TaskFailed, TaskSkipped
from framestyle.jobs.plan.tasks import Task


@dataclass(frozen=True)
class PriorResults:
    """The part of a job that needs no work: done before, or known to fail."""

    done: tuple[Task, ...] = ()
    failed: tuple[TaskFailed, ...] = ()


NOTHING = PriorResults()


@dataclass(frozen=True)
class JobDescription:
    """What a job says of itself."""

    output: str
    preset: str
    weights: str
    device: str
    at_once: int = 1
    """Photos, at most."""


def starting_events(
    description: JobDescription, tasks: Sequence[Task], frames: int, before: PriorResults
) -> Iterator[Event]:
    """That it starts, and what of it is over already."""
    paths = (*(task.source for task in before.done), *(task.source for task in tasks))
    inputs = (*(str(path) for path in paths), *(failure.path for failure in before.failed))
    yield JobStarted(
        inputs,
        description.output,
        description.preset,
        description.weights,
        description.device,
        len(inputs),
        frames,
        len(before.done),
        description.at_once,
    )
    for task in before.done:
        yield TaskSkipped(str(task.source), str(task.target))
    yield from before.failed


def closing_event(
    done: Sequence[TaskDone], failed: Sequence[str], seconds: float, before: PriorResults
) -> JobDone:
    """What became of it."""
    return JobDone(
        tuple(one.output for one in done),
        (*(failure.path for failure in before.failed), *failed),
        sum(one.frames for one in done),
        seconds,
        sum(one.steps for one in done),
        len(before.done),
    )
