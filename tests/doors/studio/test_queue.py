"""The queue: its order, its states, and what of it is still there after the process is gone."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from framestyle.doors.studio.answers import RefusedError
from framestyle.doors.studio.database import open_database
from framestyle.doors.studio.progress import Progress
from framestyle.doors.studio.runner import end_of
from framestyle.doors.studio.store import JobStore, Result
from framestyle.errors import StorageError


@pytest.fixture
def store(tmp_path: Path) -> Iterator[JobStore]:
    database = open_database(tmp_path / "studio.sqlite")
    yield JobStore(database)
    database.close()


def fill(store: JobStore, *names: str) -> None:
    for name in names:
        store.add(name, name, {"inputs": []}, f"out/{name}")


def order(store: JobStore) -> list[str]:
    return [job.id for job in store.listed(0, 100)]


def test_jobs_come_in_the_order_in_which_they_were_added_or_put(store: JobStore) -> None:
    fill(store, "a", "b", "c", "d")
    store.move("d", before="a")
    store.move("a", before=None)
    assert order(store) == ["d", "b", "c", "a"]
    first = store.next_waiting()
    assert first is not None and first.id == "d"


def test_what_is_at_work_comes_first_and_what_has_ended_last(store: JobStore) -> None:
    fill(store, "a", "b", "c", "d")
    store.change("c", "running", ("waiting",))
    store.change("a", "done", ("waiting",), ended_s=1.0)
    store.change("b", "failed", ("waiting",), ended_s=2.0)
    assert order(store) == ["c", "d", "b", "a"]
    assert store.counts() == {"running": 1, "waiting": 1, "failed": 1, "done": 1}


def test_only_what_waits_can_be_moved_and_only_what_stands_still_removed(store: JobStore) -> None:
    fill(store, "a", "b")
    store.change("a", "running", ("waiting",))
    for refused in (lambda: store.move("a", None), lambda: store.move("b", "a"), lambda: store.remove("a")):
        with pytest.raises(RefusedError) as error:
            refused()
        assert error.value.status == 409
    store.remove("b")
    with pytest.raises(RefusedError):
        store.get("b")


def test_a_state_is_not_changed_twice(store: JobStore) -> None:
    # Two windows press Resume: the second is told, and the job begins once.
    fill(store, "a")
    store.change("a", "paused", ("waiting",))
    store.change("a", "waiting", ("paused",))
    with pytest.raises(RefusedError, match="waiting"):
        store.change("a", "waiting", ("paused",))


def test_the_queue_outlasts_its_process(tmp_path: Path) -> None:
    first = open_database(tmp_path / "q.sqlite")
    fill(JobStore(first), "a", "b")
    JobStore(first).pause(True)
    JobStore(first).move("b", before="a")
    JobStore(first).add_result(Result("m", "a", None, "wave", 1.0))
    # As after kill -9: nothing was closed.
    second = open_database(tmp_path / "q.sqlite")
    store = JobStore(second)
    assert order(store) == ["b", "a"] and store.is_paused and store.results(0, 9)[1] == 1
    first.close()
    second.close()


def test_a_database_that_is_damaged_or_newer_is_refused_with_its_place(tmp_path: Path) -> None:
    damaged = tmp_path / "damaged.sqlite"
    damaged.write_bytes(b"no database" * 500)
    with pytest.raises(StorageError, match=r"damaged\.sqlite cannot be used"):
        open_database(damaged)
    newer = open_database(tmp_path / "newer.sqlite")
    newer.execute("PRAGMA user_version = 99")
    newer.close()
    with pytest.raises(StorageError, match="newer"):
        open_database(tmp_path / "newer.sqlite")


def test_a_queue_of_the_first_version_is_taken_over(tmp_path: Path) -> None:
    old = open_database(tmp_path / "q.sqlite")
    fill(JobStore(old), "a")
    old.executescript(
        "DROP INDEX jobs_by_output; ALTER TABLE results DROP COLUMN look; PRAGMA user_version = 1"
    )
    old.execute("INSERT INTO results VALUES ('m', 'a', NULL, 'wave', 1.0)")
    old.close()
    for _ in range(2):
        taken = open_database(tmp_path / "q.sqlite")
        store = JobStore(taken)
        assert order(store) == ["a"] and store.result("m").look is None
        store.add_result(Result("n", "a", None, "wave", 2.0, {"preset": "wave"}))
        assert store.result("n").look == {"preset": "wave"}
        taken.close()


def test_a_thousand_jobs_are_listed_in_an_instant(store: JobStore) -> None:
    fill(store, *(f"{number:04}" for number in range(1000)))
    began = time.process_time()
    assert len(store.listed(950, 50)) == 50
    store.move("0999", before="0000")
    assert order(store)[0] == "0999" and time.process_time() - began < 0.2


# -- how a job ends ----------------------------------------------------------------------------------------

DONE = {"event": "job_done", "time_s": 1, "failed": [], "outputs": ["a"]}


def heard(*said: object) -> Progress:
    progress = Progress()
    for one in said:
        progress.hear(one if isinstance(one, str) else json.dumps(one))
    return progress


FAILED = {
    "event": "failed",
    "time_s": 1,
    "code": "disk-full",
    "facts": {},
    "message": "full",
    "next_step": None,
    "exit_code": 7,
}
STOPPED = {**FAILED, "code": "interrupted", "message": "stopped", "exit_code": 130}


@pytest.mark.parametrize(
    ("said", "code", "wanted", "state", "problem"),
    [
        ([DONE], 0, None, "done", None),
        # It was told to stop in the moment in which it was done.
        ([DONE], 0, "cancelled", "done", None),
        ([{**DONE, "failed": ["b"]}], 4, None, "failed", "part-failed"),
        ([FAILED], 7, None, "failed", "disk-full"),
        ([STOPPED], 130, "paused", "paused", None),
        ([STOPPED], 130, "cancelled", "cancelled", None),
        ([STOPPED], 130, None, "failed", "stopped"),
        ([], -9, None, "failed", "killed"),
        ([], -9, "cancelled", "cancelled", None),
        (["framestyle: broken"], 1, None, "failed", "stopped"),
        # Gone together with the server: it goes on.
        ([], None, None, "waiting", None),
        ([STOPPED], None, None, "waiting", None),
        ([DONE], None, None, "done", None),
    ],
)
def test_how_a_job_has_ended(
    said: list[object], code: int | None, wanted: str | None, state: str, problem: str | None
) -> None:
    found, why = end_of(heard(*said), code, wanted)
    assert (found, None if why is None else why["code"]) == (state, problem)


def test_progress_counts_frames_and_says_what_is_left() -> None:
    now = 0.0
    progress = Progress(lambda: now)
    plan = {
        "event": "task_planned",
        "path": "c",
        "width": 64,
        "height": 48,
        "first_frames": 1,
        "first_steps": 10,
        "first_megapixel_steps": 0.03,
        "warm_frames": 3,
        "warm_steps": 5,
        "warm_least_steps": 5,
        "at_once": 1,
    }
    start = {
        "event": "task_started",
        "path": "c",
        "kind": "video",
        "index": 0,
        "frames": 4,
        "shots": 1,
        "width": 64,
        "height": 48,
        "passes": 1,
        "preset": "",
    }
    job = {
        "event": "job_started",
        "inputs": ["c"],
        "output": "o",
        "preset": "p",
        "weights": "w",
        "device": "cpu float32",
        "tasks": 1,
        "frames": 4,
        "skipped": 0,
        "at_once": 1,
    }
    step = {
        "event": "step_done",
        "step": 10,
        "steps": 10,
        "scale_index": 0,
        "scales": 1,
        "width": 64,
        "height": 48,
        "losses": [2.0] * 9 + [None],
        "parts": [["style", 1.0], ["tv", None]],
        "device_memory_bytes": None,
    }
    frame = {
        "event": "frame_done",
        "index": 0,
        "shot": 0,
        "steps": 10,
        "seconds": 10.0,
        "loss": 1.0,
        "warm": False,
    }
    for time_s, said in ((0, job), (0, plan), (0, start), (10, step), (10, frame)):
        progress.hear(json.dumps({**said, "time_s": time_s}))
    shown = progress.shown()
    assert (shown["phase"], shown["frames_done"], shown["frames"], shown["loss"]) == ("painting", 1, 4, 2.0)
    # Three frames of five steps, each step a second: heard at once, reckoned by the job's own clock.
    assert 10 < shown["remaining_s"] < 20
    json.dumps(shown, allow_nan=False)


@pytest.mark.parametrize(
    "line", ["", "{", "[]", "null", '{"event": 1}', '{"event": "of a newer version", "x": 1}', "Traceback"]
)
def test_lines_that_are_not_known_are_passed_over(line: str) -> None:
    assert heard(line, DONE).verdict == DONE
