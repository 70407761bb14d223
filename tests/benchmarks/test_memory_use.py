"""The memory benchmark measures what it says, and compares like with like."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from benchmarks import memory
from benchmarks.memory import Row, StepCostMeter, gradient_error, measure, table

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


def test_the_meter_counts_what_was_held_and_given_back() -> None:
    def extra_bytes(values: int) -> int:
        meter = StepCostMeter(torch.device("cpu"))
        torch.ones(values)  # gone at once
        return meter.extra_bytes()

    # Several times: a kernel that is short of memory drops pages of the libraries meanwhile.
    assert 49 << 20 <= max(extra_bytes(50 << 18) for _ in range(5)) < 70 << 20
    assert min(extra_bytes(1) for _ in range(5)) < 5 << 20


def test_tiles_take_less_memory_for_the_same_gradient(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "WARM_UP_SIDE_PX", 128)
    whole, tiled = (
        measure(272, "float32", way, "untrained", "cpu", tmp_path / f"{way}.npy")
        for way in ("whole", "blocks 1-2 in tiles")
    )
    # At least what the widest layer gives, and the gradient of it, are there at once. More would be a guess: how much
    # of a step's memory the process already had differs by machine.
    widest_bytes = 272 * 272 * 64 * 4
    assert 2 * widest_bytes < whole.extra_bytes < whole.planned_bytes
    assert tiled.megapixels == pytest.approx(272**2 / 1e6) and tiled.planned_work > whole.planned_work == 1
    # A unit on the kink of its ReLU may tip over between the two.
    assert gradient_error(tmp_path / "blocks 1-2 in tiles.npy", tmp_path / "whole.npy") < 1e-2


def test_errors_are_relative(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.float32([3, 4.5]))
    np.save(tmp_path / "b.npy", np.float32([3, 4]))
    assert gradient_error(tmp_path / "a.npy", tmp_path / "b.npy") == pytest.approx(0.1)


def test_the_table_compares_with_the_whole_of_the_same_precision() -> None:
    rows = [
        Row("bfloat16", "whole", 0, 2.0, 1_000_000_000, 1_200_000_000, 4.0, 1.0),
        Row("bfloat16", "all in tiles", 256, 2.0, 200_000_000, 300_000_000, 8.0, 2.1, 3e-3),
        Row("float32", "all in tiles", 256, 2.0, 300_000_000, 300_000_000, 6.0, 2.1, 1e-6),
    ]
    lines = table(rows).splitlines()
    assert lines[2] == "| bfloat16 | whole |  | 0.50 | 0.60 | 4.0 | 1.00 |  |"
    assert lines[3] == "| bfloat16 | all in tiles | 256 | 0.10 | 0.15 | 8.0 | 2.00 | 3.0e-03 |"
    assert lines[4] == "| float32 | all in tiles | 256 | 0.15 | 0.15 | 6.0 |  | 1.0e-06 |"
