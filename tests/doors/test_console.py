"""What people and programs are shown: true, within the width, and fit for where it goes."""

from __future__ import annotations

import dataclasses
import io
import json
import os
import pty
import re
import threading
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len
from rich.color import Color

from framestyle import events as all_events
from framestyle.doors import colors
from framestyle.doors.console import open_console
from framestyle.doors.console.failures import failure_table
from framestyle.doors.console.json_lines import failed_line
from framestyle.doors.console.plain_lines import LINE_EVERY_S
from framestyle.doors.console.words import curve, duration, middle, status_line
from framestyle.doors.progress import Progress
from framestyle.doors.text import byte_count, plain, roughly
from framestyle.errors import Code, OutputError
from framestyle.events import (
    CellDone,
    Event,
    FolderWatched,
    FrameDone,
    JobDone,
    JobStarted,
    MachinesAtWork,
    Note,
    PhotoDone,
    Preparing,
    ShotStarted,
    StepDone,
    TaskDone,
    TaskFailed,
    TaskPainted,
    TaskPlanned,
    TaskResumed,
    TasksBegun,
    TaskSkipped,
    TaskStarted,
)
from framestyle.kinds import MediaKind

SCHEMA = Path(__file__).parents[2] / "docs" / "progress.md"
CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
LONG = "/" + "/".join(["a folder with a long name", "画像フォルダー" * 4] * 3) + "/the clip.mp4"

JOB = JobStarted(("clip.mp4",), "out.mp4", "nightswirl", "learned", "cpu float32", 1, 30)
PLAN = TaskPlanned("clip.mp4", 192, 108, 3, 60, 0.9, 27, 10, 5, 1)
TASK = TaskStarted("clip.mp4", MediaKind.VIDEO, 0, 30, 3, 192, 108)
SHOT = ShotStarted(1, 10, 12)
PARTS = (("content", 0.25), ("style", 0.0123), ("tv", 0.001), ("temporal", 0.0005))
EVERY_KIND: tuple[Event, ...] = (
    Note("Using the learned weights."),
    Preparing("shots", 0.25, "frame 50"),
    JOB,
    TaskSkipped("old.mp4", "out/old.mp4"),
    PLAN,
    TASK,
    TaskResumed("clip.mp4", 10, 10, 2),
    SHOT,
    StepDone(20, 40, 1, 3, 136, 76, (0.5, 0.4321), PARTS, 3 * 2**30),
    FrameDone(10, 1, 23, 1.5, 0.4321, False),
    PhotoDone("photo.jpg", "out.jpg", 30, 2.5, 0.1),
    CellDone("photo.jpg", "mosaic", 30, 2.5, 0.1),
    TaskDone("clip.mp4", "out.mp4", 30, 2_500_000, 61.0, 700),
    TaskFailed("bad.mp4", "bad.mp4 is no video", "Copy it again."),
    TasksBegun(2),
    MachinesAtWork(12, 0, 5),
    TaskPainted("clip.mp4", 1, 2.5, 60, False),
    JobDone(("out.mp4",), ("bad.mp4",), 30, 62.5, 700, 1),
    FolderWatched("inbox", 2, 41, 1),
)


class _Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> _Clock:
    return _Clock()


@pytest.fixture(params=[80, 160])
def width(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """Columns of the terminal that `rich` mode believes in."""
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", str(request.param))
    monkeypatch.setenv("LINES", "30")
    monkeypatch.delenv("NO_COLOR", raising=False)
    return int(request.param)


def _shown(mode: str, news: list[Event] | tuple[Event, ...], clock: _Clock | None = None) -> str:
    stream = io.StringIO()
    with open_console(mode, stream=stream, clock=clock or _Clock()) as console:
        for event in news:
            console(event)
    return stream.getvalue()


def _lines(text: str) -> list[str]:
    return re.split(r"[\r\n]+", CONTROL.sub("", text))


def _at_work(path: str = "clip.mp4") -> list[Event]:
    """The second shot's first frame is done, and the next one is in the middle."""
    task = dataclasses.replace(TASK, path=path)
    steps = [StepDone(5 * n, 40, 1, 3, 136, 76, (1.0 / n, 0.9 / n), PARTS, 3 * 2**30) for n in range(1, 5)]
    plan = dataclasses.replace(PLAN, path=path, first_frames=2, warm_frames=28)
    return [JOB, plan, task, SHOT, FrameDone(10, 1, 23, 1.5, 0.43, False), *steps]


# -- the live display --------------------------------------------------------------------------------------


def test_the_display_shows_where_the_work_stands(width: int) -> None:
    clock = _Clock()
    stream = io.StringIO()
    with open_console("rich", stream=stream, clock=clock) as console:
        for event in _at_work():
            clock.now += 2 if isinstance(event, FrameDone) else 0
            console(event)
    told = " ".join(_lines(stream.getvalue()))
    for part in (
        "clip.mp4", "nightswirl", "learned", "cpu float32", "shot 2/3", "frame 1/30", "step 20/40", "size 2/3",
        "136x76", "0.225", "2.00 s/frame", "elapsed 00:02", "about 00:0", " left", "3.0 GB", "█",
    ):  # fmt: skip
        assert part in told, part
    assert ("style 0.0123" in told) == (width == 160)


def test_no_line_is_longer_than_the_terminal_is_wide(width: int) -> None:
    told = _shown("rich", [*EVERY_KIND, *_at_work(LONG), Note("x" * 500), TaskFailed(LONG, "y " * 300)])
    assert max(cell_len(line) for line in _lines(told)) <= width
    assert any(line.strip() for line in _lines(told))


def test_what_matters_fits_into_the_width_beside_a_long_path(width: int) -> None:
    told = " ".join(_lines(_shown("rich", _at_work(LONG))))
    for part in ("the clip.mp4", "nightswirl", "learned", "frame 1/30", "s/frame", " left"):
        assert part in told, part


def test_the_summary_lists_what_was_made_and_what_failed(width: int) -> None:
    told = _shown("rich", EVERY_KIND)
    lines = _lines(told)
    for parts in (
        ("FrameStyle · nightswirl",),
        ("wrote", "out.mp4", "2.50 MB"),
        ("frames", "30, 23.3 steps and 2.08 s each"),
        ("time", "01:02"),
        ("skipped", "1 done before"),
        ("failed", "1, each with its reason"),
    ):
        assert any(all(part in line for part in parts) for line in lines), parts


FAILURES = (
    ("wave", TaskFailed("in/a.jpg", "in/a.jpg is empty", "Copy it again.")),
    ("wave", TaskFailed(LONG, f"{LONG} cannot be decoded: " + "y " * 100)),
    ("inkwash", TaskFailed("in/a.jpg", "in/a.jpg is empty", "Copy it again.")),
    ("inkwash", TaskFailed("in/b\x1b[2J.jpg", "no room left for out/b.jpg")),
)


def test_failures_are_told_once_an_input_with_the_presets_that_they_concern() -> None:
    stream = io.StringIO()
    failure_table(FAILURES, stream)
    lines = stream.getvalue().splitlines()
    assert lines[0] == "failed: 3 inputs" and len(lines) == 4
    assert lines[1] == "  in/a.jpg: is empty (wave, inkwash)"
    assert lines[2].startswith(f"  {LONG}: cannot be decoded") and lines[2].endswith("(wave)")
    assert lines[3] == "  in/b\\x1b[2J.jpg: no room left for out/b.jpg (inkwash)"
    stream = io.StringIO()
    failure_table(FAILURES[:1], stream)
    assert stream.getvalue().splitlines() == ["failed: 1 input", "  in/a.jpg: is empty"]


def test_on_a_terminal_failures_are_a_table_within_its_width(width: int) -> None:
    ours, theirs = pty.openpty()
    with os.fdopen(theirs, "w") as stream:
        failure_table(FAILURES, stream)
    told = _all_of(ours)
    os.close(ours)
    assert "failed: 3 inputs" in told and "is empty (wave, inkwash)" in told
    assert max(cell_len(line) for line in _lines(told)) <= width


def test_of_many_results_each_is_told_once_it_is_there(width: int) -> None:
    """A single one stands in the summary, which comes at once."""
    done = TaskDone("in/a.jpg", "out/a.jpg", 1, 2_500_000, 60.0)
    many = " ".join(_lines(_shown("rich", [dataclasses.replace(JOB, tasks=2), TASK, done])))
    assert "wrote out/a.jpg (2.5 MB" in many
    assert "wrote" not in _shown("rich", [dataclasses.replace(JOB, tasks=1), TASK, done])


def test_the_display_says_how_much_other_machines_are_at(width: int) -> None:
    """Until nothing is painted elsewhere any more; as JSON for programs."""
    at_work = [JOB, TASK, MachinesAtWork(12, 0, 5)]
    assert "12 shots at work on 5 machines  frame 0/30" in " ".join(_lines(_shown("rich", at_work)))
    both = " ".join(_lines(_shown("rich", [JOB, TASK, MachinesAtWork(1, 2, 2)])))
    assert "1 shot and 2 photos at work on 2 machines" in both
    assert "at work" not in _shown("rich", [JOB, TASK, MachinesAtWork(0, 0, 0)])
    told = json.loads(_shown("json", at_work).splitlines()[-1])
    assert (told["event"], told["shots"], told["machines"]) == ("machines_at_work", 12, 5)


def test_photos_are_counted_as_photos(width: int) -> None:
    photo = dataclasses.replace(TASK, path="in/a.jpg", kind=MediaKind.PHOTO, frames=1, shots=0)
    assert "photo 0/30" in " ".join(_lines(_shown("rich", [JOB, photo])))


def test_a_summary_of_many_outputs_is_cut_and_says_so(width: int) -> None:
    done = JobDone(tuple(f"{n}.jpg" for n in range(25)), (), 25, 10.0, 100)
    told = _shown("rich", [JOB, done])
    assert "9.jpg" in told and "10.jpg" not in told and "and 15 more" in told


def test_preparation_is_shown_until_it_is_done(width: int) -> None:
    half = " ".join(_lines(_shown("rich", [JOB, TASK, Preparing("weights", 0.5, "conv3_1")])))
    assert "preparing weights" in half and "50%" in half
    after = _shown("rich", [Preparing("weights", 0.5), Preparing("weights", 1.0), JOB, TASK])
    assert "frame 0/30" in after


def test_the_display_says_how_many_photos_are_painted_at_once(width: int) -> None:
    shown = _shown("rich", [dataclasses.replace(JOB, at_once=2), TASK])
    assert "2 at once" in shown and "at once" not in _shown("rich", [JOB, TASK])


def test_the_display_names_every_shot_at_work(width: int) -> None:
    """Until its last frame is done; what was painted is counted over all of them."""
    two = [JOB, TASK, ShotStarted(0, 0, 10), ShotStarted(1, 10, 12), FrameDone(0, 0, 60, 1.0, 0.5, False)]
    assert "shots 1, 2 of 3  frame 1/30" in " ".join(_lines(_shown("rich", two)))
    ends = [FrameDone(index, 0, 10, 1.0, 0.5, True) for index in range(1, 10)]
    assert "shot 2/3  frame 10/30" in " ".join(_lines(_shown("rich", [*two, *ends])))
    after = [*two, *ends, ShotStarted(2, 22, 8)]
    assert "shots 2, 3 of 3  frame 10/30" in " ".join(_lines(_shown("rich", after)))


def test_words_are_read_on_black_and_on_white(width: int) -> None:
    """Every colour that is shown: none of a theme's own, and WCAG's contrast, which asks for 3 where words are bold."""
    step, frame = StepDone(5, 10, 0, 1, 96, 54, (0.5,) * 5, PARTS), FrameDone(10, 1, 23, 1.5, 0.4, False)
    ends = [
        Note("so", "warning"),
        TaskDone("clip.mp4", "out.mp4", 30, 1, 1.0),
        TaskFailed("a.mp4", "no clip"),
    ]
    job = dataclasses.replace(JOB, tasks=2)
    shown = _shown("rich", [job, *ends, PLAN, TASK, SHOT, step, frame])
    codes = re.findall(r"\x1b\[([0-9;]*)m", shown)
    fixed = re.compile("38;5;([0-9]+)")
    used = {int(one) for code in codes for one in fixed.findall(code)}
    assert not [code for code in codes if re.search(r"\b([349][0-8]|10[0-7])\b", fixed.sub("", code))]
    for name in ("GOOD", "DOUBTFUL", "BAD", "AT_WORK", "LEFT"):
        color = Color.parse(getattr(colors, name))
        assert color.number in used, name
        light = _luminance(*color.get_truecolor())
        assert min((light + 0.05) / 0.05, 1.05 / (light + 0.05)) >= 4, name
    assert len(used) == 5


def _luminance(*rgb: int) -> float:
    """WCAG 2.2, relative luminance, of 8 bits sRGB."""
    linear = [((one / 255 + 0.055) / 1.055) ** 2.4 for one in rgb]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_the_display_gives_the_terminal_back(width: int) -> None:
    for news in (_at_work(), []):
        told = _shown("rich", news)
        assert told.count("\x1b[?25l") == told.count("\x1b[?25h")
    stream = io.StringIO()
    with pytest.raises(KeyboardInterrupt), open_console("rich", stream=stream) as console:
        console(JOB)
        raise KeyboardInterrupt
    assert stream.getvalue().rstrip().endswith("\x1b[2K") or "\x1b[?25h" in stream.getvalue()


@pytest.mark.timeout(30, method="thread")  # a lock that is never given back heeds no signal
def test_events_and_the_refreshing_thread_do_not_wait_for_each_other_for_ever(width: int) -> None:
    done = threading.Event()
    with open_console("rich", stream=io.StringIO()) as console:

        def refresh() -> None:
            while not done.is_set():
                console._live.refresh()  # type: ignore[attr-defined]

        def tell() -> None:
            for _ in range(15):
                console(Note("hello"))
                console(JobDone((), (), 1, 1.0, 1))
            done.set()

        threads = [threading.Thread(target=work, daemon=True) for work in (refresh, tell)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
        assert not any(thread.is_alive() for thread in threads)


# -- plain lines -------------------------------------------------------------------------------------------


def test_where_there_is_no_terminal_there_are_no_control_codes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    told = _shown("auto", [*EVERY_KIND, Note("a\x1b[2Jb\rc\x07")])
    assert not any(ord(char) < 32 and char != "\n" for char in told)
    assert told.endswith("\n")


def test_plain_lines_tell_beginnings_ends_and_failures(clock: _Clock) -> None:
    told = _shown("auto", EVERY_KIND, clock).splitlines()
    for part in (
        "[00:00] Using the learned weights.",
        "[00:00] clip.mp4: 30 frames, 3 shots, 192x108",
        "[00:00] wrote out.mp4 (2.5 MB, 30 frames, 61.0 s)",
        "[00:00] FAILED bad.mp4: is no video",
        "[00:00] done: 1 written, 1 failed, 1 done before, 30 frames, 62.5 s",
    ):
        assert part in told, part
    assert any("warning: slow" in line for line in _shown("auto", [Note("slow", "warning")]).splitlines())


def test_plain_progress_is_one_line_every_few_seconds(clock: _Clock) -> None:
    stream = io.StringIO()
    with open_console("auto", stream=stream, clock=clock) as console:
        for event in (JOB, PLAN, TASK, SHOT):
            console(event)
        before = len(stream.getvalue().splitlines())
        for number in range(30):
            clock.now += 1
            console(StepDone(5, 5, 0, 1, 192, 108, (0.5,), PARTS))
            console(FrameDone(number, 1, 5, 1.0, 0.5, number > 0))
    lines = stream.getvalue().splitlines()[before:]
    assert len(lines) == pytest.approx(30 / LINE_EVERY_S, abs=1)
    assert all(
        re.match(r"\[00:\d\d\] shot 2/3  frame \d+/30  step 5/5 at 192x108  loss 0\.5", line)
        for line in lines
    )
    assert "1.00 s/frame  about " in lines[-1]
    assert max(int(re.search(r"frame (\d+)/", line)[1]) for line in lines) <= 30  # type: ignore[index]


def _all_of(terminal: int) -> str:
    """What was shown on a terminal whose other end is closed. It comes in parts."""
    told = b""
    try:
        while part := os.read(terminal, 65536):
            told += part
    except OSError:  # how Linux says that the other end is closed
        pass
    return told.decode()


def test_a_terminal_is_recognised_and_a_dumb_one_too(monkeypatch: pytest.MonkeyPatch) -> None:
    for terminal, live in (("xterm-256color", True), ("dumb", False)):
        monkeypatch.setenv("TERM", terminal)
        ours, theirs = pty.openpty()
        with os.fdopen(theirs, "w") as stream, open_console("auto", stream=stream) as console:
            console(Note("hello"))
        told = _all_of(ours)
        os.close(ours)
        assert "hello" in told and ("\x1b" in told) == live


# -- JSON --------------------------------------------------------------------------------------------------


def _kinds() -> list[type[Event]]:
    found = [kind for kind in vars(all_events).values() if isinstance(kind, type) and issubclass(kind, Event)]
    return [kind for kind in found if kind is not Event]


def _documented() -> dict[str, set[str]]:
    """Event name -> fields, from the tables of docs/progress.md."""
    kinds: dict[str, set[str]] = {}
    for section in re.split(r"^### ", SCHEMA.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]:
        name = re.match(r"`(\w+)`", section)
        assert name, section[:40]
        rows = re.findall(r"^\| (`[^|]*) \|", section.split("\n## ")[0], re.MULTILINE)
        kinds[name[1]] = {field for row in rows for field in re.findall(r"`(\w+)`", row)}
    return kinds


def test_the_examples_cover_every_kind_of_event() -> None:
    assert {type(event) for event in EVERY_KIND} == set(_kinds())


def test_json_gives_every_event_one_line_with_the_documented_keys(clock: _Clock) -> None:
    lines = _shown("json", EVERY_KIND, clock).splitlines()
    assert len(lines) == len(EVERY_KIND)
    documented = {name: fields for name, fields in _documented().items() if name != "failed"}
    assert len(documented) == len(EVERY_KIND)
    for line, event in zip(lines, EVERY_KIND, strict=True):
        told = json.loads(line)
        assert set(told) == {"event", "time_s"} | documented[told["event"]]
        assert told["event"].replace("_", "") == type(event).__name__.lower()
        for field in dataclasses.fields(event):
            value: Any = getattr(event, field.name)
            assert told[field.name] == json.loads(json.dumps(value)), field.name


def test_json_words_what_a_failure_and_a_note_leave_to_the_door() -> None:
    failed = TaskFailed("a.mp4", "too large", code=Code.DEVICE_MEMORY, facts={"work": "preview"})
    kept = Note("a.mov is HDR (PQ), and stays so.", code=Code.HDR_KEPT, facts={"hdr": "PQ"})
    told = [json.loads(line) for line in _shown("json", [failed, kept]).splitlines()]
    assert told[0]["next_step"] == "Lower --max-side, or use --device cpu."
    assert (told[0]["code"], told[0]["facts"]) == ("device-memory", {"work": "preview"})
    assert told[1]["message"] == "a.mov is HDR (PQ), and stays so; --set output.hdr=tonemap makes it SDR."
    assert (told[1]["code"], told[1]["facts"]) == ("hdr-kept", {"hdr": "PQ"})


def test_what_ends_a_command_is_one_line_with_the_documented_keys() -> None:
    error = OutputError(
        "a.png exists already", code=Code.OUTPUT_EXISTS, facts={"path": "a.png", "outputs": 1}
    )
    told = json.loads(failed_line(error, 1.23456))
    assert set(told) == {"event", "time_s"} | _documented()["failed"]
    assert (told["event"], told["time_s"], told["code"]) == ("failed", 1.235, "output-exists")
    assert told["facts"] == {"path": "a.png", "outputs": 1} and told["exit_code"] == 6
    assert told["next_step"] == "Choose another -o, or add --overwrite to replace what is not done."


def test_json_is_ascii_without_nan_and_keeps_any_name_whole(clock: _Clock) -> None:
    clock_then = clock
    stream = io.StringIO()
    with open_console("json", stream=stream, clock=clock_then) as console:
        clock.now += 1.23456
        console(FrameDone(0, 0, 0, 0.1, float("nan"), False))
        console(StepDone(1, 1, 0, 1, 8, 8, (float("inf"), 0.5), (("style", float("nan")),)))
        console(Note('ü "quoted"\n\x1b[2J\udc80'))
    assert stream.getvalue().isascii() and "\x1b" not in stream.getvalue()
    first, second, third = (
        json.loads(line, parse_constant=_refuse) for line in stream.getvalue().splitlines()
    )
    assert (first["loss"], first["time_s"]) == (None, 1.235)
    assert (second["losses"], second["parts"]) == ([None, 0.5], [["style", None]])
    assert third["message"] == 'ü "quoted"\n\x1b[2J\udc80'


def _refuse(constant: str) -> None:
    raise AssertionError(f"{constant} is no JSON")


def test_none_is_silent() -> None:
    assert _shown("none", EVERY_KIND) == ""


# -- how long it will take ---------------------------------------------------------------------------------


@pytest.fixture
def progress(clock: _Clock) -> Progress:
    return Progress(clock)


def _frames(progress: Progress, clock: _Clock, *each: tuple[float, bool]) -> None:
    for seconds, warm in each:
        clock.now += seconds
        progress(FrameDone(0, 0, 1, seconds / 2, 0.1, warm))


def _tell(progress: Progress, *news: Event) -> None:
    for event in news:
        progress(event)


def test_nothing_is_promised_before_steps_were_measured(progress: Progress, clock: _Clock) -> None:
    assert progress.eta_s() is None
    _tell(progress, JOB, PLAN, TASK, SHOT)
    clock.now += 100
    assert progress.eta_s() is None and progress.seconds_per_frame() is None


def test_the_time_left_is_told_within_the_first_frame(progress: Progress, clock: _Clock) -> None:
    _tell(progress, JOB, PLAN, TASK, SHOT)
    clock.now += 3
    progress(StepDone(10, 40, 0, 3, 96, 54, (0.5,) * 10, PARTS))
    assert progress.eta_s() and progress.seconds_per_frame() is None
    assert "about 0" in status_line(progress) and "s/frame" not in status_line(progress)


def test_photos_have_their_own_pace(progress: Progress, clock: _Clock) -> None:
    _tell(
        progress, dataclasses.replace(JOB, frames=13, tasks=4), dataclasses.replace(TASK, frames=10, shots=1)
    )
    _frames(progress, clock, (5.0, False), *[(1.0, True)] * 9)
    progress(TaskDone("clip.mp4", "out.mp4", 10, 1, 14.0))
    for path in ("a.jpg", "b.jpg"):
        progress(TaskStarted(path, MediaKind.PHOTO, 1, 1, 1, 64, 64))
        clock.now += 7
        progress(PhotoDone(path, "out.jpg", 10, 6.0, 0.1))
    assert progress.seconds_per_frame() == pytest.approx(7)


def test_photos_side_by_side_share_their_time(progress: Progress, clock: _Clock) -> None:
    """The news of the second come all at once, when the first is told to be done."""
    _tell(progress, dataclasses.replace(JOB, frames=10, tasks=10))
    for path in ("a.jpg", "b.jpg", "c.jpg", "d.jpg"):
        progress(TaskStarted(path, MediaKind.PHOTO, 0, 1, 1, 64, 64))
        clock.now += 8 if path in ("a.jpg", "c.jpg") else 0
        progress(PhotoDone(path, "out.jpg", 10, 8.0, 0.1))
    assert progress.seconds_per_frame() == pytest.approx(4)


def test_frames_of_other_machines_have_the_pace_that_they_took(progress: Progress, clock: _Clock) -> None:
    """Their news come some at a time: two machines make a frame each in a quarter of a second."""
    _tell(progress, JOB, PLAN, TASK, MachinesAtWork(2, 0, 2), ShotStarted(0, 0, 10), ShotStarted(1, 10, 12))
    for batch in range(3):
        clock.now += 0.5
        for first in (0, 10):
            frames = (first + 2 * batch, first + 2 * batch + 1)
            _tell(progress, *(FrameDone(index, first // 10, 5, 0.25, 0.5, True) for index in frames))
    assert progress.seconds_per_frame() == pytest.approx(0.125)
    assert "0.12 s/frame" in status_line(progress) and progress.eta_s()


def test_at_the_end_nothing_is_left(progress: Progress, clock: _Clock) -> None:
    plan = dataclasses.replace(PLAN, first_frames=1, warm_frames=1)
    _tell(progress, dataclasses.replace(JOB, frames=2), plan, dataclasses.replace(TASK, frames=2, shots=1))
    _frames(progress, clock, (5.0, False), (1.0, True))
    assert (progress.eta_s(), progress.done, progress.current) == (0.0, 2, 2)


def test_what_a_failed_task_leaves_undone_is_not_waited_for(progress: Progress, clock: _Clock) -> None:
    plans = (
        dataclasses.replace(PLAN, first_frames=1, warm_frames=14),
        dataclasses.replace(PLAN, path="b.mp4", first_frames=1, warm_frames=4),
    )
    _tell(progress, dataclasses.replace(JOB, frames=20, tasks=2), *plans)
    _tell(progress, dataclasses.replace(TASK, frames=15, shots=1))
    _frames(progress, clock, (5.0, False), (1.0, True))
    progress(TaskFailed("clip.mp4", "the disk is full"))
    assert (progress.total, progress.done) == (7, 2)
    assert progress.eta_s() == pytest.approx(5 + 4)


def test_a_second_job_counts_anew(progress: Progress, clock: _Clock) -> None:
    """`demo` is four jobs before one display."""
    _tell(progress, JOB, TASK)
    _frames(progress, clock, (1.0, False), *[(1.0, True)] * 29)
    progress(JobStarted(("a.jpg",), "a.jpg", "mosaic", "learned", "cpu", 1, 1))
    assert (progress.done, progress.total, progress.current) == (0, 1, 1)
    assert not progress.shots and progress.task is None


# -- words -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, "--:--"), (0, "00:00"), (59.6, "01:00"), (61, "01:01"), (3600, "1:00:00"), (36_061, "10:01:01")],
)
def test_durations_read_as_clocks_do(seconds: float | None, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize("text", ["", "a.mp4", "a/long/path/to/a/clip.mp4", "画像" * 20, "a" * 100])
@pytest.mark.parametrize("columns", [5, 8, 20, 60])
def test_a_shortened_text_fits_and_keeps_both_ends(text: str, columns: int) -> None:
    short = middle(text, columns)
    assert cell_len(short) <= columns
    if cell_len(text) <= columns:
        assert short == text
    else:
        assert "…" in short and short[0] == text[0] and short[-1] == text[-1]


def test_the_curve_falls_with_the_losses() -> None:
    assert curve([1000.0, 100.0, 10.0, 1.0]) == "█▆▃▁"
    assert curve([]) == "" and curve([float("nan")]) == ""
    assert len(set(curve([0.5, 0.5, 0.5]))) == 1
    assert len(curve([1.0, 0.0, float("inf"), 2.0])) == 3


def test_plain_text_moves_no_cursor() -> None:
    assert plain("a\x1b[2J\r\n\x07é 画") == "a\\x1b[2J\\x0d\\x0a\\x07é 画"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.2, "less than a second"),
        (89, "about 89 s"),
        (200, "about 3 min"),
        (7200, "about 2 h"),
        (7800, "about 2 h 10 min"),
        (400_000, "about 5 days"),
    ],
)
def test_long_times_are_said_roughly(seconds: float, text: str) -> None:
    assert roughly(seconds) == text


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 kB"), (2600, "3 kB"), (3.44e6, "3.4 MB"), (12.3e6, "12 MB"), (1.2e11, "120 GB")],
)
def test_sizes_are_said_roughly(count: float, text: str) -> None:
    assert byte_count(count) == text
