"""The demo makes what it says, from the bundled samples, wherever it is asked to; nothing is done twice."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from moving import disc, write_clip

from framestyle.context import Context
from framestyle.doors import demo as demo_module
from framestyle.doors.cli import main
from framestyle.doors.demo import CELL_PX, CLIP_SETTINGS, PHOTO_SETTINGS, Made, demo, samples_dir
from framestyle.doors.sheet import Cell, Row
from framestyle.errors import BatchError, Cancelled, InputError, OutputError
from framestyle.events import (
    Event,
    FrameDone,
    JobDone,
    JobStarted,
    Note,
    PhotoDone,
    StepDone,
    TaskDone,
    TaskResumed,
    TaskStarted,
    ignore,
)
from framestyle.media.photos import read_photo
from framestyle.media.video.probe import probe
from framestyle.presets import load_preset

TINY = (
    "scales.max_side_px=32", "scales.min_px=32", "scales.first_steps=1", "scales.steps=1",
    "optimizer.precision=float32", "video.steps=1", "video.min_steps=1", "video.flow_quality=ultrafast",
    "output.quality=draft", "content.layers={relu1_2: 1, relu3_2: 0, relu4_2: 0, relu5_2: 0}",
    "style.layers.relu5_1=0", "style.layers.relu4_1=0", "style.layers.relu3_1=0",
)  # fmt: skip
COMMAND = ["demo", "-o", "new/demo", "--weights", "untrained", "--device", "cpu"]


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same demo, of stamps and in a step."""
    for name in ("CLIP_SETTINGS", "PHOTO_SETTINGS", "OTHER_SETTINGS"):
        monkeypatch.setattr(demo_module, name, TINY)


@pytest.fixture
def small(tiny: None, workplace: Path, clip: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Twelve frames for the clip, too. They stand in for the samples."""
    folder = workplace / "samples"
    (folder / "photos").mkdir(parents=True)
    shutil.copy(samples_dir() / "photos" / "canyon.jpg", folder / "photos")
    clip.rename(folder / "clip.mp4")
    info = probe(folder / "clip.mp4")
    size = (info.width, info.height)
    write_clip(folder / "matte.mkv", [disc(n / 12, size) for n in range(12)], int(info.frame_rate))
    (folder / "matte.mkv").rename(folder / "matte.mp4")  # what a file is its bytes say
    monkeypatch.setattr(demo_module, "samples_dir", lambda: folder)
    return folder


def _demo(folder: Path, on_event: Callable[[Event], None] = ignore, **options: bool) -> Made:
    return demo(folder, weights="untrained", device="cpu", seed=0, context=Context(on_event), **options)


def _results(made: Made) -> list[Path]:
    return [*made.photos, made.clip]


def test_the_demo_makes_a_photo_a_clip_two_more_photos_and_a_sheet(
    workplace: Path, tiny: None, capsys: pytest.CaptureFixture[str]
) -> None:
    news: list[Event] = []
    before = {path: path.stat().st_mtime_ns for path in samples_dir().rglob("*")}
    made = _demo(workplace / "new" / "demo", news.append)
    assert {path: path.stat().st_mtime_ns for path in samples_dir().rglob("*")} == before
    written = {path for path in workplace.rglob("*") if path.is_file() and not path.name.startswith(".")}
    assert written == {*_results(made), made.sheet}
    source, clip = probe(samples_dir() / "clip.mp4"), probe(made.clip)
    assert (clip.frame_rate, clip.audio_codecs) == (source.frame_rate, source.audio_codecs)
    assert clip.frame_count_estimate == source.frame_count_estimate
    sheet = read_photo(made.sheet).pixels
    assert sheet.shape[1] > 4 * CELL_PX and sheet.std() > 20
    assert all(read_photo(path).pixels.shape[1] == 32 for path in made.photos)
    words = "\n".join(made.lines())
    assert all(str(path) in words for path in (*_results(made), made.sheet))
    assert "presets new mine --style" in words and "--style PAINTING" in words
    # Four jobs, the photo's first, then the clip's; each announced and finished, each frame told.
    assert sum(isinstance(event, JobStarted) for event in news) == 4
    assert sum(isinstance(event, JobDone) for event in news) == 4
    outputs = [event.output for event in news if isinstance(event, TaskDone)]
    assert outputs == [str(path) for path in (made.photos[0], made.clip, *made.photos[1:])]
    assert sum(isinstance(event, PhotoDone) for event in news) == len(made.photos)
    assert sum(isinstance(event, FrameDone) for event in news) == source.frame_count_estimate
    # The weights are taken once; and where the first picture lies is said at once, before anything else is begun.
    notes = [event.message for event in news if isinstance(event, Note)]
    assert len(notes) == 2 and str(made.photos[0]) in notes[1]
    place = news.index(Note(notes[1]))
    assert not any(isinstance(event, TaskDone) for event in news[: place - 1])
    assert isinstance(news[place - 1], TaskDone)

    # Once more, as the command: nothing is painted, the sheet is made anew.
    marks = {path: path.stat().st_mtime_ns for path in _results(made)}
    made.sheet.unlink()
    assert main([*COMMAND, "--progress", "none"]) == 0
    told = capsys.readouterr()
    assert "All was painted before" in told.out and "new/demo/contact-sheet.jpg" in told.out
    assert told.err == "" and made.sheet.is_file()
    assert {path: path.stat().st_mtime_ns for path in _results(made)} == marks


def test_the_sheets_cells_are_large(workplace: Path, small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows: list[Row] = []
    real = demo_module.sheet
    monkeypatch.setattr(demo_module, "sheet", lambda shown: real(rows.extend(shown) or shown))
    _demo(workplace / "out")
    assert [len(row.cells) for row in rows] == [4, 4, 4]
    assert all(row.width == 512 and isinstance(cell, Cell) for row in rows for cell in row.cells)


def test_the_sizes_are_those_that_are_promised() -> None:
    assert load_preset("nightswirl", PHOTO_SETTINGS).scales.max_side_px >= 384
    assert load_preset("nightswirl", CLIP_SETTINGS).scales.max_side_px == 192


class _Stop:
    """Raises KeyboardInterrupt where the events have come to a place, as Ctrl-C does."""

    def __init__(self, at: Callable[[Event], bool]) -> None:
        self.news: list[Event] = []
        self._at = at

    def __call__(self, event: Event) -> None:
        self.news.append(event)
        if self._at(event):
            raise KeyboardInterrupt


def _stop(*_: object) -> None:
    raise KeyboardInterrupt


def test_stopped_anywhere_it_keeps_what_is_finished_and_resumes(workplace: Path, small: Path) -> None:
    folder = workplace / "out"
    in_photo = _Stop(lambda event: isinstance(event, StepDone))
    with pytest.raises(Cancelled, match="stopped") as caught:
        _demo(folder, in_photo)
    assert "the same command resumes" in str(caught.value.next_step)
    assert not [path for path in folder.rglob("*") if path.is_file() and not path.name.startswith(".")]

    in_clip = _Stop(lambda event: isinstance(event, FrameDone) and event.index == 8)
    with pytest.raises(Cancelled, match="frames are painted and kept") as caught:
        _demo(folder, in_clip)
    assert "the same command resumes" in str(caught.value.next_step)
    first = folder / "nightswirl" / "canyon.jpg"
    made_at = first.stat().st_mtime_ns

    news: list[Event] = []
    made = _demo(folder, news.append)
    (resumed,) = [event for event in news if isinstance(event, TaskResumed)]
    assert resumed.frames >= 6 and first.stat().st_mtime_ns == made_at
    begun = [event.path for event in news if isinstance(event, TaskStarted)]
    assert [Path(path).name for path in begun] == ["clip.mp4", "canyon.jpg", "canyon.jpg"]
    assert sum(isinstance(event, FrameDone) for event in news) == 12 - resumed.painted

    whole = _demo(workplace / "whole")
    for one, other in zip(_results(made), _results(whole), strict=True):
        assert one.read_bytes() == other.read_bytes()


def test_ctrl_c_on_the_command_says_that_the_same_one_resumes(
    workplace: Path, small: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    monkeypatch.setattr(demo_module, "paint", _stop)
    try:
        assert main([*COMMAND, "--progress", "none"]) == 130
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    told = capsys.readouterr().err
    assert "framestyle: stopped" in told
    assert "What is finished is kept in new/demo, and the same command resumes." in told


def test_what_others_made_there_is_not_written_over(workplace: Path, small: Path) -> None:
    mine = workplace / "out" / "nightswirl" / "canyon.jpg"
    mine.parent.mkdir(parents=True)
    mine.write_bytes(b"mine")
    news: list[Event] = []
    with pytest.raises(OutputError, match=r"canyon\.jpg exists already"):
        _demo(workplace / "out", news.append)
    assert mine.read_bytes() == b"mine" and news == []
    _demo(workplace / "out", overwrite=True)
    assert mine.read_bytes() != b"mine"


def test_fresh_makes_all_of_it_anew(workplace: Path, small: Path) -> None:
    _demo(workplace / "out")
    assert _demo(workplace / "out").painted == 0
    assert _demo(workplace / "out", fresh=True).painted == 4


def test_no_network_is_loaded_for_what_is_done(workplace: Path, small: Path) -> None:
    _demo(workplace / "new" / "demo")
    code = (
        f"import sys; from framestyle.doors import demo; tiny = {TINY!r}; "
        f"from pathlib import Path; demo.samples_dir = lambda: Path({str(small)!r}); "
        "demo.CLIP_SETTINGS = demo.PHOTO_SETTINGS = demo.OTHER_SETTINGS = tiny; "
        f"from framestyle.doors.cli import main; assert main({[*COMMAND, '--progress', 'json']!r}) == 0; "
        "assert not {'torch', 'torchvision'} & set(sys.modules)"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert told.returncode == 0, told.stderr
    kinds = [json.loads(line)["event"] for line in told.stderr.splitlines()]
    assert kinds.count("task_skipped") == 4 and "task_started" not in kinds


def test_what_fails_is_an_error_that_says_why(
    workplace: Path, small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from framestyle.jobs.run import job

    def refuse(*_: object) -> None:
        raise OutputError("the disk refuses", next_step="Choose another -o.")

    monkeypatch.setattr(job, "render_video", refuse)
    with pytest.raises(BatchError, match="1 of 4 failed; the rest is done: the disk refuses"):
        _demo(workplace / "out")
    assert (workplace / "out" / "inkwash" / "canyon.jpg").is_file()


def test_the_samples_lie_where_the_demo_looks() -> None:
    assert (samples_dir() / "clip.mp4").is_file() and (samples_dir() / "matte.mp4").is_file()
    assert (samples_dir() / "photos" / "canyon.jpg").is_file()


def test_without_its_samples_the_demo_says_so(workplace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo_module, "samples_dir", lambda: workplace)
    with pytest.raises(InputError, match="is missing") as caught:
        _demo(workplace / "out")
    assert caught.value.next_step and not (workplace / "out").exists()
