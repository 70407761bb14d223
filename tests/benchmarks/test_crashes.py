"""Processes that are killed at random moments: a few here, a hundred by benchmarks/crashes.py."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks import crashes
from benchmarks.crashes import Report, Trial, run

GOOD = Trial(1.0, 10, 8, 16, 0.2, True, ())


def test_a_trial_is_good_only_where_all_holds() -> None:
    report = Report(24, 5.0, 0.3, (GOOD,))
    assert report.is_good(GOOD) and report.good == 1
    for bad in (
        replace(GOOD, same=False),
        replace(GOOD, painted_after=17),
        replace(GOOD, repeated_s=0.31),
        replace(GOOD, left_over=(".framestyle-work-1",)),
    ):
        assert not report.is_good(bad)


@pytest.mark.slow
def test_killed_at_random_it_goes_on_to_the_same_result(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, warm_python: Path
) -> None:
    """Of two passes; with one pass tests/faults/test_process_faults.py kills it, at moments that it chooses."""
    monkeypatch.setenv("FRAMESTYLE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(sys, "executable", str(warm_python))
    monkeypatch.setattr(crashes, "SHOT_FRAMES", 6)
    folder = tmp_path / "work"
    folder.mkdir()
    report = run(folder, 1, seed=2, passes=2)
    assert report.good == 1, report
