"""`framestyle task` and `framestyle farm`: exit codes, progress, and a farm's job run by OpenJD's own program."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from framestyle.doors.cli import main
from framestyle.doors.tasks_cli import numbers_in
from framestyle.errors import UsageError
from framestyle.media.ffmpeg import ffmpeg_exe

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
def openjd(photos: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., subprocess.Popen[str]]:
    """OpenJD's own program; one thread in all that is started."""
    pytest.importorskip("openjd.cli", reason="openjd-cli is not installed")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")

    def begun(*arguments: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-u", "-c", OPENJD, *arguments]
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    return begun


@pytest.fixture
def film(photos: Path) -> Path:
    """A clip of three shots with sound, in the photos' folder; no two of its frames are the same."""
    looks = "testsrc2=size=32x24", "color=c=0x103060:size=32x24", "smptebars=size=32x24"
    shots = ";".join(f"{look},trim=end_frame=6[{number}]" for number, look in enumerate(looks))
    graph = f"{shots};[0][1][2]concat=n=3,noise=alls=10:allf=t"
    sound = ["-f", "lavfi", "-i", "sine=duration=0.72", "-shortest"]
    path = photos / "film.mov"
    command = [ffmpeg_exe(), "-v", "error", "-f", "lavfi", "-i", graph, *sound, "-c:v", "qtrle", str(path)]
    subprocess.run(command, check=True)
    return path


@pytest.mark.slow
def test_a_bundle_is_run_by_openjd_stopped_and_run_again_and_equals_the_local_work(
    photos: Path, film: Path, openjd: Callable[..., subprocess.Popen[str]], warm_python: Path
) -> None:
    """Checked, run in chunks, stopped within a shot, run again: what was kept is not painted again.

    The damaged photo fails alone, in the join's report.
    """
    folder = photos.parent
    command = folder / "framestyle"
    command.write_text(f'#!/bin/sh\nexec {warm_python} -m framestyle "$@"\n')
    command.chmod(0o755)
    slow = ["--set", "video.steps=12", "--set", "video.min_steps=12", "--set", "output.save_every_s=0"]
    args = ["photos", "-p", "nightswirl", *SHALLOW, *slow, "--progress", "none"]
    assert main(["farm", "openjd", *args, "-o", "bundle", "--chunk", "4", "--command", str(command)]) == 0
    template = os.fspath(folder / "bundle" / "template.json")
    checked = openjd("check", template)
    assert checked.communicate(timeout=60) and checked.returncode == 0

    shots = folder / "bundle" / "work" / "clips"
    stopped = openjd("run", template)
    assert stopped.stdout is not None
    while not (kept := sorted(shots.glob("*/shots/*.open/entry-000002*"))):
        assert stopped.poll() is None
        time.sleep(0.01)
    stopped.send_signal(signal.SIGTERM)
    assert "openjd_fail: " in stopped.communicate(timeout=120)[0]
    before = len(list(kept[0].parent.glob("entry-*")))
    assert not (folder / "bundle" / "results").exists() and before < 6

    ran = openjd("run", template).communicate(timeout=240)[0]
    assert "openjd_progress: 100" in ran and "Task(CHUNK[INT]) = 0-3" in ran
    assert "openjd_status: FAILED" in ran and "openjd_fail: 1 of 5 failed" in ran
    assert ran.count("film.mov: painted") == 3
    record = json.loads((folder / "bundle" / "work" / "done" / "00004.json").read_text())
    painted = [fields["index"] for name, fields in record["body"]["news"] if name == "FrameDone"]
    assert painted == list(range(before, 6))
    assert main(["stylize", *args, "-o", "whole"]) == 4
    names = sorted(path.name for path in (folder / "whole").iterdir() if path.suffix != ".json")
    assert names == ["0.png", "1.png", "2.png", "film.mov"]
    results = folder / "bundle" / "results"
    assert sorted(path.name for path in results.iterdir() if path.suffix != ".json") == names
    for name in names:
        assert (results / name).read_bytes() == (folder / "whole" / name).read_bytes(), name
