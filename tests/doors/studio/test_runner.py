"""The queue at work, whatever its jobs do: stopped as they begin, a full disk, a state that cannot be written down."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from framestyle.doors.studio import runner as module
from framestyle.doors.studio.answers import RefusedError
from framestyle.doors.studio.database import open_database
from framestyle.doors.studio.runner import Runner, write_command
from framestyle.doors.studio.store import JobStore

DONE = {"event": "job_done", "time_s": 1, "failed": [], "outputs": []}
FULL = {"event": "failed", "time_s": 1, "code": "disk-full", "message": "full", "next_step": "?", "facts": {}}


class Bench:
    """A queue whose jobs are small Python programs."""

    def __init__(self, folder: Path, store: JobStore) -> None:
        self.store = store
        self.runner = Runner(store, folder, lambda job: None, lambda job, progress: None)

    def add(self, name: str, program: str) -> None:
        write_command(self.runner.folder_of(name), ["-c", program])
        self.store.add(name, name, {"inputs": []}, f"out/{name}")

    def states(self) -> dict[str, str]:
        return {job.id: job.state for job in self.store.listed(0, 100)}

    def work_until(self, is_so: Callable[[], bool]) -> None:
        async def working() -> None:
            work = asyncio.create_task(self.runner.run())
            end = time.monotonic() + 60
            while not is_so():
                assert time.monotonic() < end and not work.done(), self.states()
                await asyncio.sleep(0.02)
            await self.runner.close()
            await asyncio.wait_for(work, 60)

        asyncio.run(working())


def says(*said: object) -> str:
    lines = "\n".join(json.dumps(one) for one in said)
    return f"import sys; sys.stderr.write({lines + chr(10)!r})"


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    def command_of(folder: Path) -> list[str]:
        return [sys.executable, *json.loads((folder / "command.json").read_text())]

    monkeypatch.setattr(module, "command_of", command_of)
    monkeypatch.setattr(module, "POLL_S", 0.05)
    monkeypatch.setattr(module, "DATABASE_S", 0.05)
    database = open_database(tmp_path / "studio.sqlite")
    yield Bench(tmp_path / "jobs", JobStore(database))
    database.close()


def on_start(monkeypatch: pytest.MonkeyPatch, hook: Callable[[asyncio.subprocess.Process], None]) -> None:
    """Hears of each process in the moment between its start and its being known."""
    start = asyncio.create_subprocess_exec

    async def started(*command: str, **options: Any) -> asyncio.subprocess.Process:
        process = await start(*command, **options)
        hook(process)
        return process

    monkeypatch.setattr(module.asyncio, "create_subprocess_exec", started)


@pytest.mark.parametrize("end", ["cancelled", "removed"])
def test_a_job_that_is_stopped_as_it_begins_paints_nothing_and_the_queue_goes_on(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    bench.add("a", "import time; time.sleep(600)")
    bench.add("b", says(DONE))
    begun: list[int] = []

    def stop(process: asyncio.subprocess.Process) -> None:
        begun.append(process.pid)
        if len(begun) > 1:
            return
        if end == "removed":
            bench.store.remove("a")
        else:
            bench.store.change("a", "cancelled", ("waiting",))

    on_start(monkeypatch, stop)
    bench.work_until(lambda: bench.states().get("b") == "done")
    assert bench.states() == ({"b": "done", "a": "cancelled"} if end == "cancelled" else {"b": "done"})
    _gone, alive = psutil.wait_procs(list(_processes(begun[:1])), timeout=10)
    assert alive == []


def _processes(pids: list[int]) -> list[psutil.Process]:
    found = []
    for pid in pids:
        try:
            found.append(psutil.Process(pid))
        except psutil.NoSuchProcess:
            continue
    return found


def test_a_job_whose_disk_is_full_holds_the_queue_for_the_others_would_fail_as_well(bench: Bench) -> None:
    bench.add("a", says(FULL) + "; sys.exit(7)")
    bench.add("b", says(DONE))
    bench.work_until(lambda: bench.states()["a"] == "failed")
    assert bench.store.is_paused and bench.states()["b"] == "waiting"


def test_a_job_that_cannot_even_be_started_for_a_full_disk_holds_the_queue(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.add("a", says(DONE))
    bench.add("b", says(DONE))

    async def full(*command: str, **options: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module.asyncio, "create_subprocess_exec", full)
    bench.work_until(lambda: bench.states()["a"] == "failed")
    problem = (bench.store.get("a").outcome or {})["problem"]
    assert problem["code"] == "disk-full" and "Free some space" in problem["next_step"]
    assert bench.store.is_paused and bench.states()["b"] == "waiting"


def test_a_job_that_is_broken_does_not_hold_up_the_others(bench: Bench) -> None:
    bench.add("a", "")
    (bench.runner.folder_of("a") / "command.json").write_text("{ no JSON")
    bench.add("b", says({"event": "job_started"}, {"event": "task_done"}, DONE))
    bench.add("c", says({**DONE, "time_s": "late"}, DONE))
    bench.work_until(
        lambda: "waiting" not in bench.states().values() and "running" not in bench.states().values()
    )
    assert bench.states() == {"a": "failed", "b": "done", "c": "done"}


def test_how_a_job_ended_is_written_down_once_it_can_be(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    change, refused = bench.store.change, 0

    def refusing(job_id: str, state: str, *rest: Any, **columns: Any) -> Any:
        nonlocal refused
        if state == "done" and refused < 3:
            refused += 1
            raise sqlite3.OperationalError("database or disk is full")
        return change(job_id, state, *rest, **columns)

    monkeypatch.setattr(bench.store, "change", refusing)
    bench.add("a", says(DONE))
    bench.work_until(lambda: bench.states()["a"] == "done")
    assert refused == 3


def test_a_job_that_begins_while_the_studio_ends_is_stopped_with_it(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.add("a", "import time; time.sleep(600)")
    begun: list[int] = []

    def ending(process: asyncio.subprocess.Process) -> None:
        begun.append(process.pid)
        bench.runner._closing = True

    on_start(monkeypatch, ending)
    bench.work_until(lambda: bool(begun))
    assert bench.states() == {"a": "waiting"} and _processes(begun) == []


def test_all_that_failed_wait_again_and_all_that_ended_are_taken_off(bench: Bench) -> None:
    for name, state in (("a", "failed"), ("b", "failed"), ("c", "done"), ("d", "paused"), ("e", "cancelled")):
        bench.add(name, says(DONE))
        bench.store.change(name, state, ("waiting",), ended_s=1.0)
    assert bench.store.retry_failed() == 2
    assert bench.states() == {"a": "waiting", "b": "waiting", "d": "paused", "c": "done", "e": "cancelled"}
    assert sorted(bench.store.forgotten(0)) == ["c", "e"]
    assert set(bench.states()) == {"a", "b", "d"}
    with pytest.raises(RefusedError):
        bench.store.get("c")
