"""The demo makes what it says, from the bundled samples, wherever it is asked to."""

from __future__ import annotations

from pathlib import Path

import pytest

from framestyle.doors import demo as demo_module
from framestyle.doors.cli import main
from framestyle.doors.demo import CELL_PX, demo, samples_dir
from framestyle.errors import InputError
from framestyle.events import Event, FrameDone, JobDone, JobStarted, Note, PhotoDone, ignore
from framestyle.media.photos import read_photo
from framestyle.media.probe import probe

TINY = (
    "scales.max_side_px=32", "scales.min_px=32", "scales.first_steps=1", "scales.steps=1",
    "optimizer.precision=float32", "video.steps=1", "video.min_steps=1", "video.flow_quality=ultrafast",
    "output.quality=draft", "content.layers={relu1_2: 1, relu3_2: 0, relu4_2: 0, relu5_2: 0}",
    "style.layers.relu5_1=0", "style.layers.relu4_1=0", "style.layers.relu3_1=0",
)  # fmt: skip


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same demo, of stamps and in a step."""
    monkeypatch.setattr(demo_module, "CLIP_SETTINGS", TINY)
    monkeypatch.setattr(demo_module, "PHOTO_SETTINGS", TINY)


def test_the_demo_makes_a_clip_photos_and_a_sheet_and_tells_of_them(
    workplace: Path, tiny: None, capsys: pytest.CaptureFixture[str]
) -> None:
    news: list[Event] = []
    before = {path: path.stat().st_mtime_ns for path in samples_dir().rglob("*")}
    made = demo(workplace / "new" / "demo", weights="untrained", device="cpu", seed=0, on_event=news.append)
    assert {path: path.stat().st_mtime_ns for path in samples_dir().rglob("*")} == before
    written = sorted(path for path in workplace.rglob("*") if path.is_file())
    assert written == sorted([made.clip, *made.photos, made.sheet])
    source, clip = probe(samples_dir() / "clip.mp4"), probe(made.clip)
    assert (clip.frame_rate, clip.audio_codecs) == (source.frame_rate, source.audio_codecs)
    assert clip.frame_count_estimate == source.frame_count_estimate
    sheet = read_photo(made.sheet).pixels
    assert sheet.shape[1] > 4 * CELL_PX and sheet.std() > 20
    assert sum(isinstance(event, Note) for event in news) == 1  # the weights are taken once
    assert all(read_photo(path).pixels.shape[1] == 32 for path in made.photos)
    words = "\n".join(made.lines())
    assert all(str(path) in words for path in (made.clip, *made.photos, made.sheet))
    # Four jobs, each announced and finished, each frame told.
    assert sum(isinstance(event, JobStarted) for event in news) == sum(
        isinstance(event, JobDone) for event in news
    )
    assert sum(isinstance(event, PhotoDone) for event in news) == len(made.photos)
    assert sum(isinstance(event, FrameDone) for event in news) == source.frame_count_estimate
    # Once more, over its own files, as the command.
    made.sheet.unlink()
    command = ["demo", "-o", "new/demo", "--weights", "untrained", "--device", "cpu", "--progress", "none"]
    assert main(command) == 0
    told = capsys.readouterr()
    assert "new/demo/contact-sheet.jpg" in told.out and "Next: framestyle" in told.out and told.err == ""
    assert made.sheet.is_file()


def test_the_samples_lie_where_the_demo_looks() -> None:
    assert (samples_dir() / "clip.mp4").is_file() and (samples_dir() / "photos" / "harbour.jpg").is_file()


def test_without_its_samples_the_demo_says_so(workplace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo_module, "samples_dir", lambda: workplace)
    with pytest.raises(InputError, match=r"clip\.mp4 is missing") as caught:
        demo(workplace / "out", weights="untrained", device="cpu", seed=0, on_event=ignore)
    assert caught.value.next_step and not (workplace / "out").exists()
