"""The simulation of a film on many workers, and the schedule that it and --dry-run reckon with."""

from __future__ import annotations

from benchmarks.machines import lengths, simulated, table
from framestyle.jobs.plan.schedule import bound_s, longest_first, schedule


def test_the_longest_begin_and_no_worker_waits() -> None:
    found = schedule([1.0, 5.0, 2.0, 2.0], 2)
    assert longest_first([1.0, 5.0, 2.0, 2.0]) == [1, 2, 3, 0]
    assert [share.units for share in found.shares] == [(1,), (2, 3, 0)]
    assert found.seconds == bound_s([1.0, 5.0, 2.0, 2.0], 2) == 5.0
    assert schedule([], 3).seconds == 0.0 == bound_s([], 3)


def test_without_failures_the_simulation_is_the_schedule() -> None:
    seconds = lengths(200, seed=1)
    for workers in (1, 7, 64, 300):
        assert abs(simulated(seconds, workers, 0.0).seconds - schedule(seconds, workers).seconds) < 1e-6


def test_a_film_on_64_workers_of_which_some_fail_is_done_near_the_bound() -> None:
    """The bar of the issue: 1.1."""
    rows = [simulated(lengths(1000, seed), 64, 0.02, seed) for seed in range(5)]
    assert all(row.failures and 1.0 <= row.ratio <= 1.1 for row in rows)
    assert table(rows[:1]).count("\n") == 2
