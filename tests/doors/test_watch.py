"""`framestyle watch`: what arrives whole is painted, once; what is broken is named; and it ends as it is told to."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from framestyle.doors import cli
from framestyle.doors.hints import hints
from framestyle.doors.parsing import Parser
from framestyle.doors.watch import add_watch
from tests import warm

NO_STEPS = (
    "schema: 1\nextends: nightswirl\nscales: {max_side_px: 0, first_steps: 0, steps: 0}\nvideo: {steps: 0}\n"
)
WORK = ("--weights", "untrained", "--device", "cpu", "--progress", "json")
IN, OUT = Path("in"), Path("out")
MANY = 200
Main = Callable[..., tuple[int, list[dict[str, Any]]]]


@pytest.fixture
def plain(workplace: Path) -> str:
    """A preset that gives back what it is given."""
    (workplace / "plain.yaml").write_text(NO_STEPS)
    IN.mkdir()
    return "plain.yaml"


@pytest.fixture
def once(plain: str, loads: list[str], capsys: pytest.CaptureFixture[str]) -> Main:
    """`once(*arguments)`: the watch until all is dealt with, in this process; its exit code, and what was told."""

    def called(*arguments: str, preset: str | None = plain) -> tuple[int, list[dict[str, Any]]]:
        named = [] if preset is None else ["-p", preset]
        code = cli.main(
            ["watch", str(IN), "-o", str(OUT), *named, "--settle", "0.05", "--once", *WORK, *arguments]
        )
        lines = capsys.readouterr().err.splitlines()
        return code, [json.loads(line) for line in lines if line.startswith("{")]

    return called


def _picture(number: int) -> Image.Image:
    """Another one for each number."""
    y, x = np.mgrid[0:12, 0:16]
    values = np.dstack([(x * 7 + number) % 256, (y * 11 + number // 7) % 256, (x + y + number * 3) % 256])
    return Image.fromarray(values.astype(np.uint8))


def _saved(path: Path, number: int) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    _picture(number).save(path)
    return path


def _shows(path: Path, number: int) -> bool:
    with Image.open(path) as image:
        return bool((np.asarray(image) == np.asarray(_picture(number))).all())


def _painted(events: list[dict[str, Any]]) -> list[str]:
    return sorted(event["path"] for event in events if event["event"] == "task_done")


def test_what_is_there_is_painted_once_and_no_more_the_second_time(once: Main) -> None:
    _saved(IN / "trip" / "a.png", 1)
    _saved(IN / "b.png", 2)
    (IN / "notes.txt").write_text("no picture")
    code, events = once()
    assert (code, _painted(events)) == (0, ["in/b.png", "in/trip/a.png"])
    assert _shows(OUT / "trip" / "a.png", 1)
    assert events[-1] == events[-1] | {"event": "folder_watched", "waiting": 0, "done": 2, "failed": 0}
    code, events = once()
    assert (code, _painted(events)) == (0, [])
    assert _shows(IN / "b.png", 2)


def test_a_file_that_was_copied_over_is_painted_anew_and_nothing_else_is_written_over(once: Main) -> None:
    _saved(IN / "a.png", 1)
    _saved(IN / "theirs.png", 2)
    _saved(OUT / "theirs.png", 9)
    code, events = once()
    assert code == 4
    assert _shows(OUT / "theirs.png", 9)
    assert "exists already" in (OUT / "failed" / "theirs.png.txt").read_text()
    _saved(IN / "a.png", 3)
    (IN / "theirs.png").unlink()
    code, events = once()
    assert (code, _painted(events)) == (0, ["in/a.png"])
    assert _shows(OUT / "a.png", 3)


def test_done_and_failed_inputs_are_moved_where_that_is_asked_for(once: Main) -> None:
    _saved(IN / "trip" / "a.png", 1)
    whole = _saved(IN / "broken.png", 2).read_bytes()
    (IN / "broken.png").write_bytes(whole[:-20])
    code, _ = once("--move-done")
    assert code == 4
    left = sorted(
        path.relative_to(IN).as_posix() for path in IN.rglob("*.*") if not path.name.startswith(".")
    )
    assert left == ["done/trip/a.png", "failed/broken.png", "failed/broken.png.txt"]
    _saved(IN / "trip" / "a.png", 4)
    code, events = once("--move-done")
    assert (code, _painted(events)) == (0, ["in/trip/a.png"])
    assert _shows(OUT / "trip" / "a.png", 4)
    assert _shows(IN / "done" / "trip" / "a.png", 1)
    assert _shows(IN / "done" / "trip" / "a.2.png", 4)


def test_a_folder_is_painted_in_the_preset_that_it_is_called_as(once: Main, workplace: Path) -> None:
    presets = workplace.parent / "config" / "framestyle" / "presets"
    presets.mkdir(parents=True)
    for name in ("one", "two"):
        (presets / f"{name}.yaml").write_text(NO_STEPS)
    for name, number in (("one/a.png", 1), ("two/deep/a.png", 2), ("none/a.png", 3), ("a.png", 4)):
        _saved(IN / name, number)
    code, events = once("--by-folder", preset=None)
    assert code == 4
    assert _painted(events) == ["in/one/a.png", "in/two/deep/a.png"]
    assert _shows(OUT / "two" / "deep" / "a.png", 2)
    started = {event["output"]: event["preset"] for event in events if event["event"] == "job_started"}
    assert started == {"out/one": "one", "out/two": "two"}
    assert "no preset is called 'none'" in (OUT / "failed" / "none" / "a.png.txt").read_text()
    assert "no preset is named" in (OUT / "failed" / "a.png.txt").read_text()


@pytest.mark.usefixtures("warm_server")
def test_what_was_said_of_a_file_goes_with_it(once: Main) -> None:
    (IN / "a.png").write_bytes(_saved(IN / "a.png", 1).read_bytes()[:-30])
    with _serving("plain.yaml", "--settle", "0.05") as service:
        service.wait_for(lambda events: any(one["event"] == "task_failed" for one in events))
        service.wait_for(lambda events: (OUT / "failed" / "a.png.txt").exists())
        (IN / "a.png").unlink()
        service.wait_for(lambda events: events[-1].get("failed") == 0)
        assert not (OUT / "failed" / "a.png.txt").exists()
        assert service.end(signal.SIGTERM) == 0


def test_names_may_be_any_that_a_file_system_has(once: Main) -> None:
    """With a line's end, not UTF-8, and so long that a reason's own name has no room."""
    whole = _saved(Path("whole.png"), 1)
    long = "b" * 251 + ".png"
    names = ["new\nline.png", os.fsdecode(b"caf\xe9.png")]
    for name in names:
        shutil.copy(whole, IN / name)
    for name in (long, "c\n.png"):
        (IN / name).write_bytes(whole.read_bytes()[:-20])
    code, events = once()
    assert code == 4
    assert _painted(events) == sorted(str(IN / name) for name in names)
    assert all(_shows(OUT / name, 1) for name in names)
    reasons = sorted(path.name for path in (OUT / "failed").iterdir())
    assert len(reasons) == 2 and reasons[0].startswith("bbb") and reasons[1] == "c\n.png.txt"
    assert len(os.fsencode(reasons[0])) == 255
    (IN / long).unlink()
    once("--move-done")
    assert {path.name for path in (IN / "failed").iterdir()} == {"c\n.png", "c\n.png.txt"}
    shutil.copy(IN / "failed" / "c\n.png", IN / long)
    code, _ = once("--move-done")
    assert code == 4 and (IN / "failed" / long).exists() and not (IN / long).exists()


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root mounts file systems")
def test_a_full_disk_ends_the_watch_and_no_file_has_failed(once: Main) -> None:
    """Given again with room, the same command paints them."""
    noise = np.random.default_rng(0).integers(0, 256, (100, 100, 3), dtype=np.uint8)
    Image.fromarray(noise).save(IN / "a.png")
    OUT.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=24k", "tmpfs", str(OUT)], capture_output=True
    )
    if mounted.returncode:
        pytest.skip("nothing can be mounted here")
    try:
        code, events = once("--move-done")
        assert code == 7 and events[-1]["code"] == "disk-full"
        assert not list(OUT.rglob("*.txt"))
        assert (IN / "a.png").exists() and not (IN / "failed").exists()
    finally:
        subprocess.run(["umount", str(OUT)], check=True)
    code, events = once("--move-done")
    assert (code, _painted(events)) == (0, ["in/a.png"])


def test_what_is_to_be_a_folder_for_moved_inputs_is_looked_at_first(
    once: Main, capsys: pytest.CaptureFixture[str]
) -> None:
    _saved(IN / "a.png", 1)
    (IN / "done").write_text("notes")
    assert once("--move-done")[0] == 6
    assert (IN / "a.png").exists() and not (OUT / "a.png").exists()


def test_names_do_not_depend_on_what_arrives_together(once: Main) -> None:
    """Two inputs whose results would have one name in another format."""
    _saved(IN / "a.png", 1)
    once("--set", "output.photo_format=webp")
    _saved(IN / "a.bmp", 2)
    once("--set", "output.photo_format=webp")
    assert sorted(path.name for path in OUT.glob("a.*")) == ["a.bmp.webp", "a.png.webp"]


def test_a_folder_of_numbered_photos_is_one_clip_where_that_is_asked_for(once: Main) -> None:
    for number in range(3):
        _saved(IN / "shot" / f"s.{number:03}.png", number)
    code, events = once("--sequences")
    assert (code, _painted(events)) == (0, ["in/shot/s.%03d.png"])
    assert all(_shows(OUT / "shot" / f"s.{number:03}.png", number) for number in range(3))


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("in", "-o", "in"), 2, "taken for inputs"),
        (("out/in", "-o", "out"), 2, "taken for inputs"),
        (("absent", "-o", "out"), 5, "no folder"),
        (("in", "-o", "out", "--settle", "soon"), 2, "no number of seconds"),
    ],
)
def test_what_cannot_be_is_refused(
    arguments: tuple[str, ...], code: int, said: str, plain: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (OUT / "in").mkdir(parents=True)
    with pytest.raises(SystemExit) if "soon" in arguments else _nothing() as ended:
        assert cli.main(["watch", *arguments, "-p", plain, *WORK]) == code
    if ended is not None:
        assert ended.value.code == code
    assert said in capsys.readouterr().err


@contextmanager
def _nothing() -> Iterator[None]:
    yield None


def test_a_preset_must_be_named(workplace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    IN.mkdir()
    assert cli.main(["watch", "in", "-o", "out", *WORK]) == 2
    assert "no preset is named" in capsys.readouterr().err


def test_what_happens_in_the_folder_ends_a_rest(tmp_path: Path) -> None:
    folder = tmp_path / "watched"
    (folder / "out").mkdir(parents=True)
    threads = set(threading.enumerate())
    with hints(folder, folder / "out") as rest:
        timer = threading.Timer(0.3, (folder / "a.jpg").touch)
        timer.start()
        began = time.monotonic()
        rest(60)
        assert time.monotonic() - began < 30
        timer.join()
    assert set(threading.enumerate()) <= threads


class Service:
    """The watch as a service runs it, its news in a file that outlasts it."""

    def __init__(self, preset: str, *options: str) -> None:
        self.command = [sys.executable, "-m", "framestyle", "watch", str(IN), "-o", str(OUT), "-p", preset]
        self.command += [*WORK, *options]
        self.log = Path("log.jsonl")
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = warm.Popen(self.command, stderr=log, env=os.environ | {"OMP_NUM_THREADS": "1"})

    def end(self, number: int) -> int:
        assert self.process is not None
        self.process.send_signal(number)
        code, self.process = self.process.wait(60), None
        return code

    def events(self) -> list[dict[str, Any]]:
        """Whole lines alone: the last one may have been cut off."""
        told = []
        for line in self.log.read_text(encoding="utf-8").splitlines() if self.log.exists() else []:
            start = line.rfind('{"event"')
            if start >= 0 and line.endswith("}"):
                told.append(json.loads(line[start:]))
        return told

    def wait_for(self, what: Callable[[list[dict[str, Any]]], bool], seconds: float = 120) -> None:
        deadline = time.monotonic() + seconds
        while not what(self.events()):
            assert time.monotonic() < deadline and self.process is not None and self.process.poll() is None
            time.sleep(0.1)


@contextmanager
def _serving(preset: str, *options: str) -> Iterator[Service]:
    service = Service(preset, *options)
    service.start()
    try:
        yield service
    finally:
        if service.process is not None:
            service.process.kill()
            service.process.wait()


@pytest.mark.usefixtures("warm_server")
def test_a_service_is_alone_and_ends_when_it_is_told_to(
    plain: str, children_of: Callable[[int], list[int]], capsys: pytest.CaptureFixture[str]
) -> None:
    with _serving(plain, "--settle", "0.1") as service:
        service.wait_for(lambda events: any(one["event"] == "folder_watched" for one in events))
        assert cli.main(["watch", "in", "-o", "out", "-p", plain, "--once", *WORK]) == 6
        assert "another watch is at work" in capsys.readouterr().err
        _saved(IN / "a.png", 1)
        service.wait_for(lambda events: bool(_painted(events)))
        assert service.end(signal.SIGTERM) == 0
    assert _shows(OUT / "a.png", 1)


@pytest.mark.usefixtures("warm_server")
def test_a_service_that_is_told_to_end_paints_the_frame_at_hand_to_its_end(quick: str) -> None:
    """And goes on with the next one when it is started again."""
    IN.mkdir()
    frames = np.arange(6 * 24 * 32 * 3, dtype=np.uint32).reshape(6, 24, 32, 3) % 251
    for number, frame in enumerate(frames):
        (IN / "s").mkdir(exist_ok=True)
        Image.fromarray(frame.astype(np.uint8)).save(IN / "s" / f"f.{number:02}.png")
    options = [
        "--settle",
        "0.1",
        "--sequences",
        "--set",
        "video.warm_start=none",
        "--set",
        "scales.first_steps=40",
    ]
    with _serving(quick, *options, "--set", "output.save_every_s=0") as service:
        service.wait_for(lambda events: any(one["event"] == "step_done" for one in events))
        assert service.end(signal.SIGTERM) == 0
        told = service.events()
        assert [one["event"] for one in told if one["event"] in ("step_done", "frame_done")][
            -1
        ] == "frame_done"
        painted = sum(one["event"] == "frame_done" for one in told)
        assert 1 <= painted < 6
        assert not _painted(told)
        service.start()
        service.wait_for(lambda events: bool(_painted(events)))
        assert service.end(signal.SIGTERM) == 0
    resumed = [one for one in service.events() if one["event"] == "task_resumed"]
    assert [one["frames"] for one in resumed] == [painted]


@pytest.mark.slow
@pytest.mark.usefixtures("warm_server")
def test_of_two_hundred_files_each_whole_one_is_painted_once_and_each_broken_one_is_named(plain: str) -> None:
    """They arrive in pieces, are moved in, are copied over, are broken, are taken away; and the service dies twice."""
    kinds = ("pieces", "moved", "over", "broken", "gone")
    outside = Path("outside")
    final = {}
    with _serving(plain, "--settle", "0.4", "--rescan", "0.4") as service:
        late: list[tuple[Path, bytes]] = []
        for number in range(MANY):
            kind, name = kinds[number % 5], f"{number % 7}/{number:03}.png"
            data = _saved(outside / name, number).read_bytes()
            (IN / name).parent.mkdir(parents=True, exist_ok=True)
            if kind == "pieces":
                (IN / name).write_bytes(data[: len(data) // 2])
                late.append((IN / name, data))
            elif kind == "moved":
                shutil.move(outside / name, IN / name)
            elif kind == "over":
                (IN / name).write_bytes(data)
                late.append((IN / name, _saved(outside / name, 1000 + number).read_bytes()))
            elif kind == "broken":
                (IN / name).write_bytes(data[:-30])
            else:
                (IN / name).write_bytes(data[: len(data) // 3])
                late.append((IN / name, b""))
            final[name] = None if kind in ("broken", "gone") else number + 1000 * (kind == "over")
            time.sleep(0.01)
            while len(late) > 40 or (late and number == MANY - 1):
                path, whole = late.pop(0)
                if whole:
                    path.write_bytes(whole)
                else:
                    path.unlink()
            if number in (MANY // 3, MANY * 2 // 3):
                before = len(_painted(service.events()))
                service.wait_for(lambda events, before=before: len(_painted(events)) > before + 5)
                service.end(signal.SIGKILL)
                service.start()
        service.wait_for(_is_all_dealt_with)
        assert service.end(signal.SIGTERM) == 0
        events = service.events()
    for name, number in final.items():
        assert (OUT / name).exists() == (number is not None), name
        assert number is None or _shows(OUT / name, number), name
    reasons = {path.relative_to(OUT / "failed").as_posix() for path in OUT.rglob("*.txt")}
    assert reasons == {f"{number % 7}/{number:03}.png.txt" for number in range(MANY) if number % 5 == 3}
    # Each once, and once more where it is another picture now, or was at hand when the service was killed.
    counts = Counter(_painted(events))
    twice = [path for path, count in counts.items() if count > 1 and int(Path(path).stem) % 5 != 2]
    assert len(twice) <= 2
    assert all(count <= 3 for count in counts.values())


def _is_all_dealt_with(events: list[dict[str, Any]]) -> bool:
    """A while after the last file came, nothing waits."""
    told = [event for event in events if event["event"] == "folder_watched"]
    return bool(told) and told[-1]["waiting"] == 0 and told[-1]["done"] + told[-1]["failed"] >= MANY * 4 // 5


# -- docs/watch.md -----------------------------------------------------------------------------------------

PAGE = (Path(__file__).parents[2] / "docs" / "watch.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^framestyle watch .*$", PAGE, re.MULTILINE)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_of_the_page_runs(command: str, once: Main, workplace: Path) -> None:
    """As it stands, but for the look, and for its end."""
    presets = workplace.parent / "config" / "framestyle" / "presets"
    presets.mkdir(parents=True)
    (presets / "mosaic.yaml").write_text(NO_STEPS)
    _saved(Path("inbox") / "mosaic" / "a.png", 1)
    assert cli.main([*command.split()[1:], "--once", "--settle", "0.05", *WORK[:4]]) == 0
    assert _shows(Path("painted") / "mosaic" / "a.png", 1)


def test_the_unit_of_the_page_is_one(workplace: Path) -> None:
    """By systemd's own checker; the program and folders that it names are those of this machine."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed")
    (unit,) = re.findall(r"```ini\n(.*?)```", PAGE, re.DOTALL)
    (command,) = re.findall(r"^ExecStart=\S+ (.*)$", unit, re.MULTILINE)
    told = unit.replace("/opt/framestyle/bin/framestyle", sys.executable).replace("User=framestyle\n", "")
    (workplace / "framestyle-watch.service").write_text(told)
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(workplace / "framestyle-watch.service")],
        capture_output=True,
        text=True,
    )
    complaints = [line for line in done.stderr.splitlines() if "framestyle-watch" in line]
    assert complaints == []
    parser = Parser()
    add_watch(parser)
    assert parser.parse_args(command.split()[1:]).move_done


def test_the_container_of_the_page_calls_a_command_that_is_one() -> None:
    """No more than that: it is not built here."""
    (file,) = re.findall(r"```dockerfile\n(.*?)```", PAGE, re.DOTALL)
    entry, more = (json.loads(line) for line in re.findall(r"^(?:ENTRYPOINT|CMD) (.*)$", file, re.MULTILINE))
    parser = Parser()
    add_watch(parser)
    asked = parser.parse_args([*entry, *more][2:])
    assert (entry[:2], asked.folder, asked.output) == (["framestyle", "watch"], Path("/in"), Path("/out"))
    assert asked.by_folder
    assert {"/in", "/out", "/cache"} == set(re.findall(r":(/\w+)", PAGE[PAGE.index("docker run") :]))
