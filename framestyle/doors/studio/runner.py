"""Does the queue's jobs, one after another: each a process of `framestyle stylize`, which outlives the server.

A job's process writes what it says into a file of the job's folder and is in a session of its own: where the server is
killed, it paints on, and the next server listens on. Where both are gone, the next server gives the same command again,
and the work is resumed where it was checkpointed.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sqlite3
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

from framestyle.doors.studio.answers import RefusedError, is_full
from framestyle.doors.studio.helpers import end_group
from framestyle.doors.studio.progress import Progress
from framestyle.doors.studio.store import Job, JobStore

POLL_S = 0.4
MEMORY_S = 2.0
GRACE_S = 30.0
"""A job that was told to stop has so long to checkpoint its work."""
NICENESS = 5
"""Previews come first: somebody waits for them."""
DATABASE_S = 5.0
"""Between two tries to write down how a job stands."""
NEXT_STEPS = {
    "disk-full": "Free some space, try again, and let the queue go on.",
    "storage-refuses": "Try it again.",
}
BORN_WITHIN_S = 2.0
"""A process number is the job's where it was born then."""


class Runner:
    """`on_change` hears of a job whose state or progress is another; `on_end` of one that has ended."""

    def __init__(
        self,
        store: JobStore,
        folder: Path,
        on_change: Callable[[str], None],
        on_end: Callable[[Job, Progress], None],
    ) -> None:
        self._store, self._folder = store, folder
        self._on_change, self._on_end = on_change, on_end
        self._woken = asyncio.Event()
        self._stops: dict[str, str] = {}
        """Jobs that were told to stop, and the state that they then have."""
        self._closing = False
        self.progress: dict[str, Progress] = {}
        """Of the job at work."""
        self._memory: dict[str, int] = {}

    # -- asking --------------------------------------------------------------------------------------------

    def folder_of(self, job_id: str) -> Path:
        """Where a job's command, log and picture lie."""
        return self._folder / job_id

    def log_of(self, job: Job) -> Path:
        """What the job's last attempt has said."""
        return self.folder_of(job.id) / f"log-{job.attempt}.jsonl"

    def live_picture(self, job_id: str) -> Path:
        """What it is painting."""
        return self.folder_of(job_id) / "live.jpg"

    def shown(self, job_id: str) -> dict[str, Any] | None:
        """The progress of the job at work."""
        progress = self.progress.get(job_id)
        if progress is None:
            return None
        shown = {**progress.shown(), "memory_bytes": self._memory.get(job_id), "live": None}
        with contextlib.suppress(OSError):
            shown["live"] = self.live_picture(job_id).stat().st_mtime_ns // 1_000_000
        if job_id in self._stops:
            shown["phase"] = "stopping"
        return shown

    # -- telling -------------------------------------------------------------------------------------------

    def wake(self) -> None:
        """There may be something to do."""
        self._woken.set()

    def stop(self, job: Job, state: str) -> None:
        """A job at work ends as soon as its work is checkpointed; then it is in `state`."""
        self._stops[job.id] = state
        process = process_of(job)
        if process is not None:
            with contextlib.suppress(psutil.Error):
                process.send_signal(signal.SIGTERM)
        self._on_change(job.id)

    async def close(self) -> None:
        """Stops the job at work, which waits for the next start."""
        self._closing = True
        for job in self._store.running():
            self._stops.setdefault(job.id, "waiting")
            self.stop(job, self._stops[job.id])
        self.wake()

    # -- working -------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Until it is closed."""
        for job in self._store.running():
            try:
                await self._take_up(job)
            except Exception as error:
                self._refused(job, error)
        while not self._closing:
            self._woken.clear()
            following = None if self._store.is_paused else self._store.next_waiting()
            if following is None:
                await self._woken.wait()
                continue
            try:
                await self._begin(following)
            except RefusedError:
                continue  # it was cancelled, or taken off, in the moment in which it began
            except sqlite3.Error:
                await asyncio.sleep(DATABASE_S)  # nothing can be written down: the queue waits until it can
            except Exception as error:
                self._refused(following, error)

    def _refused(self, job: Job, error: Exception) -> None:
        """A job that cannot be done does not hold up the others; a full disk would fail them all."""
        said = getattr(error, "strerror", None) or str(error) or type(error).__name__
        code = "disk-full" if is_full(error) else "storage-refuses"
        problem = _problem(code, f"the job cannot be started: {said}", NEXT_STEPS[code])
        outcome: dict[str, Any] = {"problem": problem, "progress": None, "outputs": []}
        with contextlib.suppress(RefusedError, sqlite3.Error):
            self._store.change(job.id, "failed", ("waiting", "running"), ended_s=time.time(), outcome=outcome)
            self._hold_if_full(problem)
        self._on_change(job.id)

    def _hold_if_full(self, problem: dict[str, Any] | None) -> None:
        """Every further job would fail as this one has: the queue stands still until somebody has made room."""
        if problem is not None and problem["code"] == "disk-full":
            self._store.pause(True)

    async def _begin(self, job: Job) -> None:
        attempt = job.attempt + 1
        folder = self.folder_of(job.id)
        with contextlib.suppress(OSError):
            self.live_picture(job.id).unlink()
        with (folder / f"log-{attempt}.jsonl").open("wb") as log:
            process = await asyncio.create_subprocess_exec(
                *command_of(folder),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=log,
                start_new_session=True,
                cwd=folder,
            )
        born_s = time.time()
        with contextlib.suppress(psutil.Error):
            known = psutil.Process(process.pid)
            born_s = known.create_time()
            known.nice(NICENESS)
        try:
            job = self._store.change(
                job.id,
                "running",
                ("waiting",),
                attempt=attempt,
                pid=process.pid,
                pid_born_s=born_s,
                started_s=time.time(),
                ended_s=None,
                outcome=None,
            )
        except BaseException:
            end_group(process.pid)  # a process that nobody knows of would paint on for ever
            raise
        code = await self._follow(job, process)
        await self._ended(job, code)

    async def _take_up(self, job: Job) -> None:
        """A job that was at work when the last server ended."""
        if process_of(job) is not None:
            await self._follow(job, None)
        else:
            self.progress[job.id] = Progress()
            self._read(job, 0)
        await self._ended(job, None)

    async def _follow(self, job: Job, process: asyncio.subprocess.Process | None) -> int | None:
        """Listens to a job until its process has ended; its exit code, where the process is a child of ours."""
        self.progress[job.id] = Progress()
        offset, memory_at, stopped_at = 0, 0.0, None
        self._on_change(job.id)
        while True:
            alive = process.returncode is None if process is not None else process_of(job) is not None
            before, offset = offset, self._read(job, offset)
            now = time.monotonic()
            if now >= memory_at:
                self._memory[job.id] = memory_of(job)
                memory_at = now + MEMORY_S
            if offset != before:
                self._on_change(job.id)
            if not alive:
                break
            if self._closing and job.id not in self._stops:
                self.stop(job, "waiting")  # it began while the studio was being ended
            if job.id in self._stops:
                stopped_at = stopped_at or now
                if now - stopped_at > GRACE_S and job.pid is not None:
                    end_group(job.pid)
            await asyncio.sleep(POLL_S)
        self._read(job, offset)
        return None if process is None else process.returncode

    def _read(self, job: Job, offset: int) -> int:
        """What the log has more of; how far it is read. A line that is not whole yet waits."""
        progress = self.progress[job.id]
        try:
            with self.log_of(job).open("rb") as log:
                log.seek(offset)
                data = log.read(1 << 20)
        except OSError:
            return offset
        whole, newline, _ = data.rpartition(b"\n")
        if not newline:
            return offset
        for line in whole.decode("utf-8", "replace").split("\n"):
            progress.hear(line)
        return offset + len(whole) + 1

    async def _ended(self, job: Job, code: int | None) -> None:
        progress = self.progress.pop(job.id)
        self._memory.pop(job.id, None)
        wanted = self._stops.pop(job.id, None)
        state, problem = end_of(progress, code, wanted)
        outcome = {"problem": problem, "progress": progress.shown(), "outputs": progress.outputs}
        ended_s = None if state in ("waiting", "paused") else time.time()
        while True:
            try:
                job = self._store.change(
                    job.id, state, ("running",), pid=None, pid_born_s=None, ended_s=ended_s, outcome=outcome
                )
                break
            except sqlite3.Error:
                if self._closing:
                    return  # the next start reads in the job's log how it has ended
                await asyncio.sleep(DATABASE_S)
        self._hold_if_full(problem)
        self._on_end(job, progress)
        self._on_change(job.id)


def end_of(progress: Progress, code: int | None, wanted: str | None) -> tuple[str, dict[str, Any] | None]:
    """The state of a job whose process has ended, and why it failed where it did.

    `code`: its exit code; None where the process was another server's. `wanted`: the state that it was stopped for.
    """
    verdict = progress.verdict
    if verdict is not None and verdict["event"] == "job_done":
        if not verdict["failed"]:
            return "done", None
        count, of = len(verdict["failed"]), len(verdict["failed"]) + len(progress.outputs)
        return "failed", _problem("part-failed", f"{count} of {of} failed; the rest is done")
    if wanted is not None:
        return wanted, None
    if verdict is not None and verdict["code"] not in ("interrupted", "interrupted-part-way"):
        return "failed", {key: verdict[key] for key in ("code", "message", "next_step", "facts")}
    if code is None:
        # Killed together with the server: nobody wanted it stopped, so it goes on.
        return "waiting", None
    if code < 0:
        name = signal.Signals(-code).name if -code in set(signal.Signals) else str(-code)
        return "failed", _problem(
            "killed", f"the system ended it ({name})", "Resume it; or choose a smaller size."
        )
    return "failed", _problem("stopped", progress.last_messages or f"it ended with code {code}", "Resume it.")


def _problem(code: str, message: str, next_step: str | None = None) -> dict[str, Any]:
    return {"code": code, "message": message, "next_step": next_step, "facts": {}}


def process_of(job: Job) -> psutil.Process | None:
    """The job's process, where it is alive and no other one that has its number now."""
    if job.pid is None:
        return None
    try:
        process = psutil.Process(job.pid)
        is_own = abs(process.create_time() - (job.pid_born_s or 0.0)) < BORN_WITHIN_S
        return process if is_own and process.status() != psutil.STATUS_ZOMBIE else None
    except psutil.Error:
        return None


def memory_of(job: Job) -> int:
    """Bytes that the job's process and its children hold."""
    process, held = process_of(job), 0
    if process is not None:
        with contextlib.suppress(psutil.Error):
            held = sum(one.memory_info().rss for one in (process, *process.children(recursive=True)))
    return held


def write_command(folder: Path, arguments: list[str]) -> None:
    """What a job's process is started with, kept so that it can be given again."""
    folder.mkdir(parents=True)
    (folder / "command.json").write_text(json.dumps(arguments), encoding="utf-8")


def command_of(folder: Path) -> list[str]:
    """The same as it was written, by this Python."""
    arguments = json.loads((folder / "command.json").read_text(encoding="utf-8"))
    live = os.fspath(folder / "live.jpg")
    return [sys.executable, "-m", "framestyle", "stylize", "--live-picture", live, *arguments]
