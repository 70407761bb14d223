"""The queue in SQLite: jobs, their order, states and results. A change is on disk when a call returns."""

from __future__ import annotations

import json
import secrets
import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from framestyle.doors.studio.answers import RefusedError, not_found
from framestyle.doors.studio.limits import JOBS

OPEN = ("running", "waiting", "paused")
ENDED = ("done", "failed", "cancelled")
RESUMABLE = ("paused", "failed", "cancelled")
ORDER = """ORDER BY CASE state WHEN 'running' THEN 0 WHEN 'waiting' THEN 1 WHEN 'paused' THEN 1 ELSE 2 END,
CASE WHEN state IN ('running', 'waiting', 'paused') THEN place ELSE 0 END, ended_s DESC, place DESC"""
ENDED_KEPT = 2_000
"""Jobs that have ended; older ones are forgotten, their results stay."""


@dataclass(frozen=True)
class Job:
    """A row of the queue. `request`: what was asked for, as JSON was; `outcome`: how it ended, and its outputs."""

    id: str
    place: int
    state: str
    title: str
    request: Mapping[str, Any]
    output: str
    made_s: float
    started_s: float | None
    ended_s: float | None
    attempt: int
    pid: int | None
    pid_born_s: float | None
    outcome: Mapping[str, Any] | None


@dataclass(frozen=True)
class Result:
    """What was made: the media ids of the result and of what it was made from. `look`: in which, as JSON was."""

    id: str
    job: str
    input: str | None
    preset: str
    made_s: float
    look: Mapping[str, Any] | None = None


class JobStore:
    """All of it on one thread; the database is shared with nobody else at the same time."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database

    @contextmanager
    def _together(self) -> Iterator[None]:
        self._database.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._database.execute("ROLLBACK")
            raise
        self._database.execute("COMMIT")

    # -- reading -------------------------------------------------------------------------------------------

    def get(self, job_id: str) -> Job:
        """Refused where there is none."""
        row = self._database.execute("SELECT * FROM jobs WHERE id = ?", (job_id,)).fetchone()
        if row is None:
            raise not_found("job")
        return _job(row)

    def listed(self, offset: int, limit: int) -> list[Job]:
        """In the order in which a person reads them."""
        rows = self._database.execute(f"SELECT * FROM jobs {ORDER} LIMIT ? OFFSET ?", (limit, offset))
        return [_job(row) for row in rows]

    def counts(self) -> dict[str, int]:
        """Jobs of each state."""
        rows = self._database.execute("SELECT state, count(*) FROM jobs GROUP BY state")
        return dict(rows)

    def running(self) -> list[Job]:
        """At work now, or when the server ended."""
        rows = self._database.execute("SELECT * FROM jobs WHERE state = 'running' ORDER BY place")
        return [_job(row) for row in rows]

    def next_waiting(self) -> Job | None:
        """The first that may begin."""
        row = self._database.execute(
            "SELECT * FROM jobs WHERE state = 'waiting' ORDER BY place LIMIT 1"
        ).fetchone()
        return None if row is None else _job(row)

    def is_output_taken(self, output: str) -> bool:
        """Whether a job writes there, whatever its state."""
        found = self._database.execute("SELECT 1 FROM jobs WHERE output = ?", (output,)).fetchone()
        return found is not None

    # -- changing ------------------------------------------------------------------------------------------

    def add(self, job_id: str, title: str, request: Mapping[str, Any], output: str) -> Job:
        """At the end of the queue. Refused where it is full."""
        counts = self.counts()
        if sum(counts.get(state, 0) for state in OPEN) >= JOBS:
            raise RefusedError(413, "queue-full", f"the queue holds {JOBS:,} jobs", "Remove some.")
        with self._together():
            (last,) = self._database.execute("SELECT coalesce(max(place), 0) FROM jobs").fetchone()
            self._database.execute(
                "INSERT INTO jobs (id, place, state, title, request, output, made_s) VALUES (?,?,?,?,?,?,?)",
                (job_id, last + 1, "waiting", title, json.dumps(request), output, time.time()),
            )
        return self.get(job_id)

    def change(self, job_id: str, state: str, only_from: Sequence[str], **columns: Any) -> Job:
        """Another state; refused where the job is in none of `only_from` (any more)."""
        if "outcome" in columns:
            columns["outcome"] = json.dumps(columns["outcome"])
        names = "".join(f", {name} = ?" for name in columns)
        marks = ", ".join("?" for _ in only_from)
        changed = self._database.execute(
            f"UPDATE jobs SET state = ?{names} WHERE id = ? AND state IN ({marks})",
            (state, *columns.values(), job_id, *only_from),
        ).rowcount
        job = self.get(job_id)
        if not changed:
            raise RefusedError(409, "state-refused", f"the job is {job.state}", facts={"state": job.state})
        return job

    def retry_failed(self) -> int:
        """All that have failed wait again; how many they were."""
        return self._database.execute(
            "UPDATE jobs SET state = 'waiting', ended_s = NULL WHERE state = 'failed'"
        ).rowcount

    def is_needed(self, media_id: str) -> bool:
        """Whether a job that has not ended is to be made from this picture, or masked with it."""
        found = self._database.execute(
            "SELECT 1 FROM jobs WHERE state IN ('running', 'waiting', 'paused') AND instr(request, ?) LIMIT 1",
            (media_id,),
        ).fetchone()
        return found is not None

    def move(self, job_id: str, before: str | None) -> None:
        """A waiting or paused job to before another one, or behind all."""
        with self._together():
            rows = self._database.execute(
                "SELECT id FROM jobs WHERE state IN ('waiting', 'paused') ORDER BY place"
            ).fetchall()
            order = [str(row["id"]) for row in rows]
            if job_id not in order:
                raise RefusedError(409, "state-refused", "only a job that waits can be moved")
            if before == job_id:
                return
            order.remove(job_id)
            if before is not None and before not in order:
                raise RefusedError(409, "state-refused", "the other job does not wait any more")
            order.insert(len(order) if before is None else order.index(before), job_id)
            (last,) = self._database.execute("SELECT coalesce(max(place), 0) FROM jobs").fetchone()
            self._database.executemany(
                "UPDATE jobs SET place = ? WHERE id = ?",
                [(last + 1 + number, one) for number, one in enumerate(order)],
            )

    def remove(self, job_id: str) -> None:
        """Off the queue. Refused while it is at work."""
        if self.get(job_id).state == "running":
            raise RefusedError(409, "state-refused", "the job is running", "Cancel it first.")
        self._database.execute("DELETE FROM jobs WHERE id = ?", (job_id,))

    def forgotten(self, kept: int) -> list[str]:
        """Removes jobs that ended longest ago, but for the last `kept`; which they were."""
        rows = self._database.execute(
            "SELECT id FROM jobs WHERE state IN ('done', 'failed', 'cancelled') ORDER BY ended_s DESC "
            "LIMIT -1 OFFSET ?",
            (kept,),
        ).fetchall()
        self._database.executemany("DELETE FROM jobs WHERE id = ?", [(row["id"],) for row in rows])
        return [str(row["id"]) for row in rows]

    # -- the switch ----------------------------------------------------------------------------------------

    @property
    def is_paused(self) -> bool:
        """Whether the queue stands still."""
        row = self._database.execute("SELECT value FROM switches WHERE name = 'paused'").fetchone()
        return row is not None and row["value"] == "1"

    def pause(self, paused: bool) -> None:
        """Stands still from now on, or goes on."""
        self._database.execute(
            "INSERT INTO switches VALUES ('paused', ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            ("1" if paused else "0",),
        )

    # -- results -------------------------------------------------------------------------------------------

    def add_result(self, result: Result) -> None:
        """Known once, however often it is said."""
        self._database.execute(
            "INSERT INTO results (id, job, input, preset, made_s, look) VALUES (?, ?, ?, ?, ?, ?) "
            "ON CONFLICT (id) DO UPDATE SET made_s = excluded.made_s",
            (result.id, result.job, result.input, result.preset, result.made_s, json.dumps(result.look)),
        )

    def results(self, offset: int, limit: int) -> tuple[list[Result], int]:
        """The newest first, and how many there are."""
        (total,) = self._database.execute("SELECT count(*) FROM results").fetchone()
        rows = self._database.execute(
            "SELECT * FROM results ORDER BY made_s DESC, id LIMIT ? OFFSET ?", (limit, offset)
        )
        return [_result(row) for row in rows], total

    def result(self, media_id: str) -> Result:
        """Refused where no job of this studio made it."""
        row = self._database.execute("SELECT * FROM results WHERE id = ?", (media_id,)).fetchone()
        if row is None:
            raise not_found("result")
        return _result(row)


def new_id() -> str:
    """That nobody can guess."""
    return secrets.token_hex(8)


def _job(row: sqlite3.Row) -> Job:
    values = dict(row)
    values["request"] = json.loads(values["request"])
    values["outcome"] = None if values["outcome"] is None else json.loads(values["outcome"])
    return Job(**values)


def _result(row: sqlite3.Row) -> Result:
    values = dict(row)
    values["look"] = None if values["look"] is None else json.loads(values["look"])
    return Result(**values)
