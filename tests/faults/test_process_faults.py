"""Whatever happens to the process, what was checkpointed is kept, and the same command ends as if nothing had."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from clips import make_clip
from fault_list import fault
from photo_makers import picture, save
from place import Place

SLOW = ("--set", "video.steps=20", "--set", "video.min_steps=20", "--set", "video.tolerance=0")
BY_KEYS = ("--set", "video.method=key_frames", "--set", "video.key_frame_gap=2")
CLIP = ("sources/in.mp4", "-o", "out.mp4")
GONE_S = 10.0

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks for processes in /proc")


_known: dict[tuple[str, ...], bytes] = {}


def _whole(place: Place, *options: str) -> bytes:
    """What comes of it where nothing happens: made once."""
    if options not in _known:
        place.paints("sources/in.mp4", "-o", "whole.mp4", *options)
        _known[options] = Path("whole.mp4").read_bytes()
        Path("whole.mp4").unlink()
    return _known[options]


@pytest.fixture
def whole(place: Place) -> bytes:
    """A clip, and its result where nothing happens."""
    clip = place.sources / "in.mp4"
    if ("clip",) in _known:
        clip.write_bytes(_known["clip",])
    else:
        _known["clip",] = make_clip(clip, "-c:a", "aac", sound=True).read_bytes()
    place.results.add("out.mp4")
    return _whole(place)


def _hidden() -> list[str]:
    return [path.name for path in Path().iterdir() if path.name.startswith(".")]


def _alive(processes: list[int]) -> list[int]:
    """Those that have not gone by themselves after a while."""
    deadline = time.monotonic() + GONE_S
    while (
        left := [one for one in processes if Path(f"/proc/{one}").exists()]
    ) and time.monotonic() < deadline:
        time.sleep(0.02)
    return left


def _until(process: subprocess.Popen[str], event: str, count: int = 1) -> list[dict[str, Any]]:
    """Its news until the count-th of a kind."""
    news: list[dict[str, Any]] = []
    assert process.stderr is not None
    for line in process.stderr:
        news.append(json.loads(line))
        if sum(one["event"] == event for one in news) == count:
            return news
    raise AssertionError(f"no {event}: {news[-3:]}")


def _ended(process: subprocess.Popen[str]) -> tuple[int, list[str]]:
    """Its exit code, and what it said at last that is no news."""
    try:
        _, rest = process.communicate(timeout=120)
    finally:
        process.kill()  # where it hangs
    return process.returncode, [line for line in rest.splitlines() if not line.startswith("{")]


@pytest.mark.slow
@fault(
    "kill -9 mid-frame",
    None,
    "the same command goes on at the last frame that was checkpointed; the same result",
)
@pytest.mark.parametrize("method", [(), BY_KEYS], ids=["every frame", "key frames"])
def test_kill_9_mid_frame(
    place: Place, whole: bytes, method: tuple[str, ...], children_of: Callable[[int], list[int]]
) -> None:
    with place.start(*CLIP, *SLOW, *method) as process:
        _until(process, "frame_done", 3)
        _until(process, "step_done", 2)
        helpers = children_of(process.pid)
        process.kill()
    assert process.returncode == -signal.SIGKILL and helpers and not _alive(helpers)
    assert not Path("out.mp4").exists() and _hidden()
    place.paints(*CLIP, *SLOW, *method)
    assert Path("out.mp4").read_bytes() == _whole(place, *SLOW, *method) != whole


KILLED = "import os, signal\ndef die(*_):\n    os.kill(os.getpid(), signal.SIGKILL)\n"
BEFORE_RENAME = """
real = os.replace
os.replace = lambda one, other: die() if str(other) == "out.mp4" else real(one, other)
"""
IN_THE_MUX = """
from framestyle.media import ffmpeg
real = ffmpeg.FFmpeg.close
def close(self):
    if "+faststart" in self.process.args:
        print(self.process.pid, flush=True)
        self.process.stdin.close()
        die()
    real(self)
ffmpeg.FFmpeg.close = close
"""


def _dies_and_goes_on(place: Place, whole: bytes, moment: str) -> str:
    process = place.start(*CLIP, script=KILLED + moment)
    out, _ = process.communicate(timeout=120)
    assert process.returncode == -signal.SIGKILL
    # Its work, and what was locked while it lived: the next run clears that away.
    assert not Path("out.mp4").exists()
    assert sorted(name.rpartition("-")[0] for name in _hidden()) == [
        ".framestyle-scratch",
        ".framestyle-work",
    ]
    told = place.paints(*CLIP, progress="json")
    painted = sum(json.loads(line)["event"] == "frame_done" for line in told.err.splitlines())
    assert painted <= 1, "what was checkpointed was painted again"
    assert Path("out.mp4").read_bytes() == whole
    return out


@pytest.mark.slow
@fault(
    "kill -9 between temporary file and rename",
    None,
    "nothing is published; the same command ends it; the same result",
)
def test_kill_9_between_temporary_file_and_rename(place: Place, whole: bytes) -> None:
    _dies_and_goes_on(place, whole, BEFORE_RENAME)


@pytest.mark.slow
@fault(
    "kill -9 during the final mux",
    None,
    "nothing is published; ffmpeg ends by itself; the same command ends it",
)
def test_kill_9_during_the_final_mux(place: Place, whole: bytes) -> None:
    muxer = _dies_and_goes_on(place, whole, IN_THE_MUX)
    assert not _alive([int(muxer)])


def _stopped(place: Place, *numbers: signal.Signals, children_of: Callable[[int], list[int]]) -> list[str]:
    """Stopped in a later frame by these signals."""
    with place.start(*CLIP, *SLOW) as process:
        _until(process, "frame_done", 3)
        helpers = children_of(process.pid)
        for number in numbers:
            process.send_signal(number)
            time.sleep(0.01)
        code, said = _ended(process)
    assert (code, len(said)) == (130, 2), said
    assert said[0].startswith("framestyle: stopped") and "same command" in said[1]
    assert helpers and not _alive(helpers)
    assert not Path("out.mp4").exists() and len(_hidden()) == 1
    return said


def _goes_on_from_there(place: Place) -> None:
    told = place.paints(*CLIP, *SLOW, progress="json")
    assert '"task_resumed"' in told.err
    assert Path("out.mp4").read_bytes() == _whole(place, *SLOW)


@pytest.mark.slow
@pytest.mark.parametrize("times", [1, 2])
@fault(
    "SIGINT once and twice",
    130,
    "once: it checkpoints what is finished; twice: it ends at once; it goes on there",
)
def test_sigint(place: Place, whole: bytes, times: int, children_of: Callable[[int], list[int]]) -> None:
    said = _stopped(place, *[signal.SIGINT] * times, children_of=children_of)
    assert times == 2 or "of 8 frames are painted and kept" in said[0]
    _goes_on_from_there(place)


@pytest.mark.slow
@fault("SIGTERM", 130, "as one SIGINT")
def test_sigterm(place: Place, whole: bytes, children_of: Callable[[int], list[int]]) -> None:
    said = _stopped(place, signal.SIGTERM, children_of=children_of)
    assert "of 8 frames are painted and kept" in said[0]
    _goes_on_from_there(place)


@fault("ffmpeg killed", 6, "the signal is named; what is painted is kept, and the same command goes on")
def test_ffmpeg_killed(place: Place, whole: bytes, our_ffmpegs: Callable[[], list[int]]) -> None:
    killed = threading.Event()

    def kill() -> None:
        while not killed.is_set():
            for one in our_ffmpegs():
                command = Path(f"/proc/{one}/cmdline").read_bytes()
                if b"+faststart" in command and list(
                    Path().glob(".framestyle-work-*/shots/*/entry-000001.json")
                ):
                    os.kill(one, signal.SIGKILL)
                    killed.set()
            time.sleep(0.005)

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        place.refuses(*CLIP, *SLOW, words=("ffmpeg was stopped by signal 9",))
    finally:
        killed.set()
        killer.join()
    assert '"task_resumed"' in place.paints(*CLIP, *SLOW, progress="json").err
    assert Path("out.mp4").read_bytes() == _whole(place, *SLOW)


@pytest.mark.parametrize("there", ["nothing", "no program"])
@fault("ffmpeg missing", 6, "it says so, and how to install it")
def test_ffmpeg_missing(place: Place, monkeypatch: pytest.MonkeyPatch, there: str, tmp_path: Path) -> None:
    make_clip(place.sources / "in.mp4")
    program = tmp_path / "ffmpeg"
    if there == "no program":
        program.write_text("this is not ffmpeg")
    monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", str(program))
    place.refuses(*CLIP, words=("ffmpeg cannot be run", "Install it"))


@pytest.mark.slow
@fault("two runs on one work folder", 6, "the second one is refused; the first one is not disturbed")
def test_two_runs_on_one_work_folder(place: Place, whole: bytes) -> None:
    go, read_end = os.pipe()[::-1]
    # The first run waits inside its third frame until the second one was refused.
    waits = (
        "import os\nfrom framestyle.jobs.run.queues import WriteBehind\nreal, seen = WriteBehind.put, []\n"
        f"def put(*a):\n    seen.append(1)\n    len(seen) == 3 and os.read({read_end}, 1)\n    real(*a)\n"
        "WriteBehind.put = put"
    )
    with place.start(*CLIP, *SLOW, script=waits, pass_fds=(read_end,)) as process:
        _until(process, "frame_done", 3)
        place.refuses(*CLIP, *SLOW, words=("another run is at work on out.mp4",))
        place.refuses(*CLIP, *SLOW, "--fresh", words=("another run is at work on out.mp4",))
        os.write(go, b"!")
        assert _ended(process) == (0, [])
    os.close(go)
    os.close(read_end)
    assert Path("out.mp4").read_bytes() == _whole(place, *SLOW)


@fault("resume with edited preset", 6, "refused before any work; --fresh begins anew")
def test_resume_with_edited_preset(place: Place, whole: bytes) -> None:
    place.stops_after(3, *CLIP)
    before = Path("presets/quick.yaml").read_text()
    Path("presets/quick.yaml").write_text(f"{before}tv_weight: 3\n")
    place.refuses(*CLIP, words=("out.mp4 was begun with other settings", "--fresh"))
    Path("presets/quick.yaml").write_text(before)
    place.paints(*CLIP)
    assert Path("out.mp4").read_bytes() == whole


@fault("resume with changed input", 6, "refused before any work; --fresh begins anew")
def test_resume_with_changed_input(place: Place, whole: bytes) -> None:
    place.stops_after(3, *CLIP)
    make_clip(place.sources / "in.mp4", frames=6)
    place.is_now("sources/in.mp4")
    place.refuses(*CLIP, words=("out.mp4 was begun before its input changed", "--fresh"))
    place.paints(*CLIP, "--fresh")
    assert Path("out.mp4").read_bytes() != whole


@pytest.mark.parametrize("damage", ["cut", "changed", "gone"])
@fault(
    "resume with corrupt checkpoint", 0, "the part that is damaged is told and painted again; the same result"
)
def test_resume_with_corrupt_checkpoint(place: Place, whole: bytes, damage: str) -> None:
    place.stops_after(4, *CLIP)
    state = max(Path().glob(".framestyle-work-*/shots/*/state-*.safetensors"))
    data = state.read_bytes()
    state.unlink()
    if damage != "gone":
        half = len(data) // 2
        state.write_bytes(data[:half] if damage == "cut" else data[:half] + b"\0\xff" + data[half + 2 :])
    told = place.paints(*CLIP, progress="auto")
    assert "A part of what was done of out.mp4 is damaged, and is done again" in told.err
    assert Path("out.mp4").read_bytes() == whole


@pytest.mark.parametrize("damage", ["cut", "lies"])
@fault(
    "resume with corrupt manifest",
    6,
    "nothing in it is believed: results that exist stay; --overwrite goes on",
)
def test_resume_with_corrupt_manifest(place: Place, damage: str) -> None:
    for name in ("a.png", "b.png"):
        save(place.sources / name, picture(height=24, width=32))
    order = ("sources", "-o", "out")
    place.paints(*order)
    manifest = Path("out/.framestyle.json")
    text = manifest.read_text()
    if damage == "cut":
        manifest.write_text(text[: len(text) // 2])
    else:
        manifest.write_text(text.replace('"a.png"', '"../sources/a.png"'))
    place.results |= {"out/", "out/a.png", "out/b.png", "out/.framestyle.json"}
    place.refuses(*order, words=("a.png exists already", "is not used, since", "--overwrite"))
    place.paints(*order, "--overwrite")
    place.results |= {"out/.framestyle.json.set-aside-1"}
