"""Two runs at once, and streams that go away: the work goes on, and the exit code is the work's."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import Any, TextIO

import pytest
from clips import make_clip
from fault_list import fault
from photo_makers import picture, save
from place import UNTRAINED, Place, Told

from framestyle.doors import console
from framestyle.doors.cli import main
from framestyle.events import StepDone
from framestyle.media.photos import recipe_in

PHOTO = picture(height=24, width=32)
OTHER = ("--set", "style.weight=2")
LONG = "w" * 252


def _photos(place: Place, *names: str) -> None:
    for name in names:
        path = place.sources / name
        path.parent.mkdir(parents=True, exist_ok=True)
        save(path, PHOTO)


# -- two at once -------------------------------------------------------------------------------------------


def _while_painting(place: Place, first: tuple[str, ...], second: Callable[[], Told]) -> tuple[Told, Told]:
    """Both commands: the second one is given when the first has taken a step."""
    told: list[Told] = []

    def heard(event: Any) -> None:
        if isinstance(event, StepDone) and not told:
            with place.monkeypatch.context() as patch:
                patch.setattr(console, "open_console", lambda mode: nullcontext(lambda event: None))
                told.append(Told(0, "", ""))  # none of its own events begins a third
                told[0] = second()

    with place.monkeypatch.context() as patch:
        patch.setattr(console, "open_console", lambda mode: nullcontext(heard))
        whole = place.call(*place.stylize(first, "none"))
    return whole, told[0]


WAYS = {
    "one folder": (("sources", "-o", "out"), ("sources", "-o", "out")),
    "a folder in it": (("sources", "-o", "out"), ("sources/sub", "-o", "out/sub")),
    "the folder above": (("sources/sub", "-o", "out/sub"), ("sources", "-o", "out")),
    "one file of it": (("sources", "-o", "out"), ("sources/b.png", "-o", "out/b.png")),
    "one file": (("sources/b.png", "-o", "b.png"), ("sources/b.png", "-o", "b.png")),
    "by another name": (("sources/b.png", "-o", "b.png"), ("sources/b.png", "-o", "sources/../b.png")),
}


@pytest.mark.parametrize("way", WAYS)
@fault("two runs at one result", 6, "the second is refused before it paints; what the first makes is whole")
def test_two_runs_at_one_result(place: Place, way: str) -> None:
    _photos(place, "a.png", "b.png", "sub/c.png")
    first, second = WAYS[way]
    place.results |= {"b.png"} if "b.png" in first else {"out/", "out/sub/", "out/sub/c.png"}
    if "b.png" not in first:
        place.results |= {"out/a.png", "out/b.png"} if first[0] == "sources" else set()
        place.results.add("out/.framestyle.json" if first[0] == "sources" else "out/sub/.framestyle.json")
    whole, other = _while_painting(
        place, first, lambda: place.call(*place.stylize((*second, *OTHER), "none"))
    )
    assert whole.code == 0, whole.err
    assert other.code == place.fault.code and "another run is at work on" in other.err, other.err
    for name in place.results:
        if name.endswith(".png"):
            assert json.loads(str(recipe_in(Path(name))))["preset"]["style"]["weight"] == 1.0


@fault("two previews into one file", 6, "the second is refused before it paints; the first one's sheet stays")
def test_two_previews(place: Place) -> None:
    _photos(place, "a.png")
    place.results.add("looks.png")
    of = (
        "sources/a.png",
        "-o",
        "looks.png",
        "-p",
        "presets/quick.yaml",
        "--max-side",
        "32",
        "--progress",
        "none",
    )
    preview, told = ("preview", *of, *UNTRAINED), list[Told]()

    def heard(event: Any) -> None:
        if isinstance(event, StepDone) and not told:
            told.append(Told(0, "", ""))
            told[0] = place.call(*preview)

    with place.monkeypatch.context() as patch:
        patch.setattr(console, "open_console", lambda mode: nullcontext(heard))
        assert place.call(*preview).code == 0
    assert told[0].code == 6 and "another run is at work on looks.png" in told[0].err, told[0].err
    before = Path("looks.png").read_bytes()
    assert place.call(*preview).code == 6 and Path("looks.png").read_bytes() == before


@fault(
    "two runs with different inputs into one folder", 0, "both are done, and each keeps what the other made"
)
def test_two_runs_in_one_folder(place: Place) -> None:
    _photos(place, "a.png", "b.png")
    place.results |= {"out/", "out/.framestyle.json", "out/a.png", "out/b.png"}
    first, second = (place.stylize((f"sources/{name}.png", "-o", "out/"), "none") for name in "ab")
    whole, other = _while_painting(place, first[7:], lambda: place.call(*second))
    assert (whole.code, other.code) == (0, 0), (whole.err, other.err)
    done = json.loads(Path("out/.framestyle.json").read_text())["done"]
    assert set(done) == {"a.png", "b.png"}
    again = place.call(*place.stylize(("sources", "-o", "out", "--dry-run"), "none"))
    assert "nothing to do, 2 done before" in again.out


@pytest.mark.parametrize("name", ["in.mp4", "in.png"])
@fault(
    "a second run at a result that the first has just made", 6, "it is refused; the result stays as it was"
)
def test_second_run_after_the_first(place: Place, name: str) -> None:
    """The first ends between the second's look at the output and its first step."""
    from framestyle.jobs.run import batch

    if name == "in.mp4":
        make_clip(place.sources / name, frames=3)
    else:
        _photos(place, name)
    paint, target = batch.paint, Path(f"out{Path(name).suffix}")
    place.results.add(target.name)

    def late(*arguments: Any) -> Any:
        place.monkeypatch.setattr(batch, "paint", paint)
        assert place.call(*place.stylize((f"sources/{name}", "-o", target.name), "none")).code == 0
        late.made = target.read_bytes()
        return paint(*arguments)

    place.watch()
    place.monkeypatch.setattr(batch, "paint", late)
    place.refuses(f"sources/{name}", "-o", target.name, *OTHER, words=(f"{target} exists already",))
    assert target.read_bytes() == late.made


# -- streams that go away ----------------------------------------------------------------------------------


def _unread() -> TextIO:
    """What `| head` leaves: a pipe that nobody reads."""
    reading, writing = os.pipe()
    os.close(reading)
    return os.fdopen(writing, "w")


def _full() -> TextIO:
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full here")
    return Path("/dev/full").open("w")


def _hung_up() -> TextIO:
    """The other end of a terminal that was closed."""
    pty = pytest.importorskip("pty")
    master, slave = pty.openpty()
    os.close(master)
    return os.fdopen(slave, "w")


@pytest.fixture
def stream(place: Place) -> Iterator[Callable[[str, TextIO | None], None]]:
    """`stream("stderr", file)`: it is that one from here on; None: the process has none."""
    opened: list[TextIO] = []

    def put(name: str, file: TextIO | None) -> None:
        if file is not None:
            opened.append(file)
        place.monkeypatch.setattr(sys, name, file)

    yield put
    for file in opened:
        with suppress(OSError):
            file.close()


@pytest.mark.parametrize(
    "lost", [_unread, _full, _hung_up, lambda: None], ids=["unread", "full", "hung up", "closed"]
)
@fault("stderr that goes away", 0, "the work is done, and ends with its own exit code")
def test_stderr_goes_away(
    place: Place, lost: Callable[[], TextIO | None], stream: Callable[[str, TextIO | None], None]
) -> None:
    _photos(place, "a.png", "b.png")
    place.watch()
    stream("stderr", lost())
    assert main(place.stylize(("sources", "-o", "out"), "auto")) == 0
    (place.sources / "c.png").write_bytes(b"")
    stream("stderr", lost())
    assert main(place.stylize(("sources", "-o", "out"), "json")) == 4
    stream("stderr", lost())
    assert main(place.stylize(("nowhere.png", "-o", "out"), "auto")) == 5
    (place.sources / "c.png").unlink()
    place.results |= {"out/", "out/.framestyle.json", "out/a.png", "out/b.png"}


@pytest.mark.parametrize("lost", [_unread, lambda: None], ids=["unread", "closed"])
@fault("stdout that nobody reads", 5, "`verify` looks at all of it, and ends with its own exit code")
def test_stdout_goes_away(
    place: Place, lost: Callable[[], TextIO | None], stream: Callable[[str, TextIO | None], None]
) -> None:
    _photos(place, "whole.png", "cut.png")
    (place.sources / "cut.png").write_bytes((place.sources / "cut.png").read_bytes()[:-40])
    for files, code in ((("cut.png", "whole.png"), 5), (("whole.png",), 0)):
        stream("stdout", lost())
        assert main(["verify", *(f"sources/{name}" for name in files)]) == code
    stream("stdout", lost())
    assert main(["presets", "list"]) == 0


@fault(
    "a full disk below stdout",
    7,
    "told on stderr; what `verify` finds ends with its own exit code",
)
def test_full_stdout(place: Place, stream: Callable[[str, TextIO | None], None]) -> None:
    _photos(place, "cut.png")
    (place.sources / "cut.png").write_bytes((place.sources / "cut.png").read_bytes()[:-40])
    place.capfd.readouterr()
    for command, code in (
        (["presets", "list"], 7),
        (["presets", "keys"], 7),
        (["verify", "sources/cut.png"], 5),
    ):
        stream("stdout", _full())
        assert main(command) == code
        err = place.capfd.readouterr().err
        assert ("No space left on device" in err) == (code == 7) and "bug" not in err


CLOSED = """
import os, sys
os.close(2)
from framestyle.doors.cli import main
code = main(["presets", "list"])
result = os.open("result", os.O_CREAT | os.O_WRONLY)
os.write(2, b"libpng warning")
sys.exit(code if os.path.getsize("result") == 0 else 99)
"""


@fault(
    "stderr closed",
    0,
    "no file that is opened later is taken for it: no library's complaint gets into a result",
)
def test_stderr_closed(place: Place) -> None:
    done = subprocess.run([sys.executable, "-c", CLOSED], stdout=subprocess.PIPE, text=True)
    assert done.returncode == 0 and "mosaic" in done.stdout
    assert Path("result").read_bytes() == b""


@fault("current folder removed", 7, "it says so, and what to do")
def test_current_folder_removed(place: Place, tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    for command in (["presets", "list"], place.stylize(("a.png", "-o", "b.png"), "none"), ["doctor"]):
        gone.mkdir()
        place.monkeypatch.chdir(gone)
        gone.rmdir()
        place.capfd.readouterr()
        assert main(command) == place.fault.code
        told = Told(7, *place.capfd.readouterr())
        told.is_one_sentence("the current folder cannot be reached", "cd")
    place.monkeypatch.chdir(place.folder)


@fault("terminal closed (SIGHUP)", 130, "as one SIGINT: what is painted is kept; under nohup it paints on")
def test_terminal_closed(place: Place) -> None:
    make_clip(place.sources / "in.mp4", frames=4)
    place.results.add("out.mp4")
    place.monkeypatch.setattr(signal, "raise_signal", lambda number: os.kill(os.getpid(), signal.SIGHUP))
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    try:
        told = place.stops_after(2, "sources/in.mp4", "-o", "out.mp4")
        assert "same command" in told.err
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        order = place.stylize(("sources/in.mp4", "-o", "out.mp4"), "json")
        told = place.call(*order)
        assert told.code == 0 and '"event": "task_resumed"' in told.err
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


# -- outputs and inputs ------------------------------------------------------------------------------------


@fault(
    "a result's name that the file system does not take",
    4,
    "told before any work; the other inputs are painted",
)
def test_long_names(place: Place) -> None:
    _photos(place, "ok.png")
    make_clip(place.sources / f"{LONG}.ts", "-c:v", "libx264", frames=8)
    # This one's result is just as long as a name may be.
    make_clip(place.sources / f"{LONG[3:]}.ts", "-c:v", "libx264", frames=8)
    place.results |= {"out/", "out/.framestyle.json", "out/ok.png"}
    for run in range(2):
        told = place.call(*place.stylize(("sources", "-o", "out"), "json"))
        events = [json.loads(line) for line in told.err.splitlines() if line.startswith("{")]
        assert told.code == 4, told.err
        failed = [one for one in events if one["event"] == "task_failed"]
        assert [(one["path"], one["code"]) for one in failed] == [
            (f"sources/{LONG}.ts", "output-name-refused")
        ], failed
        started = [one["path"] for one in events if one["event"] == "task_started"]
        assert len(started) == (2, 0)[run], "painted before it was refused, or again"
    place.results.add(f"out/{LONG[3:]}.mp4")
