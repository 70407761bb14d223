"""`framestyle task` and `framestyle farm`: exit codes, progress, and a farm's job run by OpenJD's own program."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from framestyle.doors.cli import main
from framestyle.doors.tasks_cli import numbers_in
from framestyle.errors import UsageError

SHALLOW = (
    "--weights", "untrained", "--device", "cpu", "--set", "scales.first_steps=2", "--set", "scales.steps=1",
    "--set", "style.layers={relu1_1: 1.0}", "--set", "content.layers={relu1_2: 1.0}", "--max-side", "64",
)  # fmt: skip
OPENJD = "from openjd.cli import main; main()"


@pytest.fixture
def photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three photos, and one that is damaged; the current folder is theirs."""
    monkeypatch.setenv("FRAMESTYLE_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(3):
        pixels = np.random.default_rng(number).integers(0, 256, (24, 32, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{number}.png")
    (folder / "bad.png").write_bytes((folder / "0.png").read_bytes()[:60])
    return folder


def _plan(*more: str) -> int:
    return main(
        ["task", "plan", "photos", "-o", "out", "-p", "nightswirl", *SHALLOW, "--work", "work", *more]
    )


def _json(text: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in text.splitlines() if line.startswith("{")]


def test_a_job_by_tasks(photos: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each step's exit code, and what is told to programs."""
    assert _plan("--progress", "none") == 0
    tasks = capsys.readouterr().out.split()
    assert tasks == [f"work/tasks/{number:05d}.json" for number in range(4)]
    assert main(["task", "join", "work", "--progress", "none"]) == 6
    assert main(["task", "paint", tasks[3], "--progress", "json"]) == 5
    told = _json(capsys.readouterr().err)
    assert told[-1]["event"] == "failed" and told[-1]["code"] == "input-unusable"
    assert main(["task", "paint", "work", "--only", "0-1", "--progress", "json"]) == 0
    told = _json(capsys.readouterr().err)
    painted = [one for one in told if one["event"] == "task_painted"]
    assert told[0] == {"event": "tasks_begun", "time_s": told[0]["time_s"], "tasks": 2}
    assert [(one["task"], one["before"]) for one in painted] == [(0, False), (1, False)]
    assert main(["task", "paint", tasks[0], "--progress", "json"]) == 0
    assert _json(capsys.readouterr().err)[-1]["before"] is True
    assert main(["task", "paint", "work", "--progress", "none"]) == 0
    assert main(["task", "join", "work", "--progress", "json"]) == 4
    told = _json(capsys.readouterr().err)
    assert [one["event"] for one in told if one["event"] in ("task_done", "task_failed", "job_done")] == [
        *["task_done"] * 3,
        "task_failed",
        "job_done",
    ]
    assert main(["task", "join", "work", "--progress", "none"]) == 0
    assert "was joined before" in capsys.readouterr().out
    assert _plan("--progress", "none") == 0


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["paint", "work", "--only", "0-9"], 2, "They are 0-3."),
        (["paint", "work/tasks/00000.json", "--only", "0"], 2, "--only is for a work folder"),
        (["paint", "photos/0.png"], 5, "is no task"),
        (["paint", "nothing/tasks/00000.json"], 5, "cannot be read"),
        (["join", "photos"], 5, "cannot be read"),
    ],
)
def test_what_is_no_task_is_said(
    photos: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, words: str
) -> None:
    assert _plan("--progress", "none") == 0
    assert main(["task", *arguments]) == code
    assert words in capsys.readouterr().err


def test_ranges_of_tasks() -> None:
    assert numbers_in("3,7,12-20:4", 99) == [3, 7, 12, 16, 20]
    for wrong in ("", "a", "2-1", "0-99"):
        with pytest.raises(UsageError):
            numbers_in(wrong, 10)


def test_a_dry_run_for_many_machines_says_what_would_go_where(
    photos: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (photos / "bad.png").unlink()
    args = ["stylize", "photos", "-o", "out", "-p", "nightswirl", *SHALLOW, "--dry-run"]
    assert main([*args, "--engine", "ray", "--workers", "2"]) == 0
    told = capsys.readouterr().out.splitlines()
    assert any(line.startswith("  worker 1: photos/0.png, photos/2.png (") for line in told)
    assert any(line.startswith("  worker 2: photos/1.png (") for line in told)
    assert [line.split(":")[0] for line in told if "no order is done sooner" in line] == [
        "  1 worker",
        "  2 workers",
    ]
    assert main([*args, "--work", "store"]) == 2
    assert "--work is for --engine ray" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main([*args, "--engine", "local://somewhere"])
    assert "has no address" in capsys.readouterr().err


# -- farms -------------------------------------------------------------------------------------------------


@pytest.fixture
def openjd() -> Callable[..., subprocess.CompletedProcess[str]]:
    """OpenJD's own program."""
    pytest.importorskip("openjd.cli", reason="openjd-cli is not installed")

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", OPENJD, *arguments], capture_output=True, text=True, timeout=240
        )

    return run


@pytest.mark.slow
def test_a_bundle_is_run_by_openjd_and_equals_the_local_work(
    photos: Path, openjd: Callable[..., subprocess.CompletedProcess[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Checked, run in chunks, its progress read; the damaged photo fails alone, in the join's report."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    command = photos.parent / "framestyle"
    command.write_text(
        f'#!/bin/sh\nexec {sys.executable} -c "import sys; from framestyle.doors.cli import main;'
        ' sys.exit(main())" "$@"\n'
    )
    command.chmod(0o755)
    args = ["photos", "-p", "nightswirl", *SHALLOW, "--progress", "none"]
    assert main(["stylize", *args, "-o", "whole"]) == 4
    assert main(["farm", "openjd", *args, "-o", "bundle", "--chunk", "2", "--command", str(command)]) == 0
    template = os.fspath(photos.parent / "bundle" / "template.json")
    assert openjd("check", template).returncode == 0
    ran = openjd("run", template)
    assert "openjd_progress: 100" in ran.stdout and "Task(CHUNK[INT]) = 0-1" in ran.stdout
    assert "openjd_status: FAILED" in ran.stdout and "openjd_fail: 1 of 4 failed" in ran.stdout
    results = photos.parent / "bundle" / "results"
    for path in sorted((photos.parent / "whole").glob("*.png")):
        assert (results / path.name).read_bytes() == path.read_bytes()
    assert sorted(path.name for path in results.glob("*.png")) == ["0.png", "1.png", "2.png"]
