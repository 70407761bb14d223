"""The benchmark of start-up times measures processes that did what they were called for."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from benchmarks.startup import Row, first_step, table, timed


def test_a_command_that_fails_is_not_timed() -> None:
    wall, processor = timed(("-c", "sum(range(10**6))"))
    assert processor > 0 and wall > 0
    with pytest.raises(subprocess.CalledProcessError):
        timed(("-c", "raise SystemExit(3)"))


def test_the_first_step_is_the_last_news_that_is_waited_for(tmp_path: Path) -> None:
    heard = first_step("mosaic", tmp_path / "o.png", "untrained")
    assert 0 < heard["job_started"] <= heard["task_started"] <= heard["step_done"]
    assert heard["processors"] > 0 and "task_done" not in heard
    assert not (tmp_path / "o.png").exists()


def test_a_call_without_a_step_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="no-such-preset"):
        first_step("no-such-preset", tmp_path / "o.png", "untrained")


def test_the_table_has_a_line_for_each_command_and_each_piece_of_news() -> None:
    rows = [Row("--help", 0.12, 0.06, 0.5, (0.12, 0.2)), Row("python", 0.03, 0.02, None, (0.03,))]
    text = table(rows, {"job_started": 1.5, "step_done": 2.25})
    assert "| --help | 0.12 | 0.06 | 0.20 | 0.5 |" in text and "| python | 0.03 | 0.02 | 0.03 |  |" in text
    assert text.endswith("| `job_started` | 1.50 |\n| `step_done` | 2.25 |")
