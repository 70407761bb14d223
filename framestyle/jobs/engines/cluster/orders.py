"""What goes between the driver and its workers: values, pickled. Paths and digests travel, frames never do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from framestyle.events import Event

if TYPE_CHECKING:  # what only listens loads no torch
    from framestyle.jobs.engines.engine import Outcome
    from framestyle.jobs.plan.units import Unit


@dataclass(frozen=True)
class Setup:
    """What all units of a job have in common. `spec`: as `carried.portable` writes it; `carried`: where what it needs
    lies; `probe`: a file that every machine must see, and what it holds. `store`: a URL through which everything
    travels, None where all machines see the same folders. `versions`: those of the driver.
    """

    spec: str
    carried: str
    probe: tuple[str, str]
    versions: tuple[tuple[str, str], ...]
    threads: int = 1
    memory_limit_bytes: int | None = None
    store: str | None = None


@dataclass(frozen=True)
class Work:
    """A unit for a worker, by whole paths. `number`: its place in the row.

    Through a store: `files`, what it is made from, by name and SHA-256; `key`, under which what is made of it lies.
    """

    number: int
    unit: Unit
    files: tuple[tuple[str, str], ...] = ()
    key: str = ""


@dataclass(frozen=True)
class Batch:
    """What a worker has to tell at a time: `sequence` counts them, from 0, for each go at a unit."""

    number: int
    go: str
    sequence: int
    machine: str
    events: tuple[Event, ...]


@dataclass(frozen=True)
class Result:
    """What became of a unit. `batches`: how many were sent before it; `events`: those that were not sent yet.

    `made`: of a photo its SHA-256; through a store, where what was made lies in it. `unable`: the node, where it is the
    machine that cannot do the work, and not the unit that cannot be done.
    """

    outcome: Outcome
    go: str
    machine: str
    batches: int
    events: tuple[Event, ...] = ()
    made: str = ""
    unable: str = ""


Remote = Any
"""A thing of Ray's, which has no types."""
