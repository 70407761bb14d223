"""An image sequence is a clip wherever a clip may stand, and its frames keep their numbers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from media_facts import encode, packets
from planning import planned
from ready import Ready

from framestyle.doors.cli import main
from framestyle.errors import InputError, OutputError, UsageError
from framestyle.events import Event, JobDone, Note, TaskStarted
from framestyle.jobs.plan.tasks import Task
from framestyle.jobs.run.batch import Order, prepare
from framestyle.jobs.run.job import run
from framestyle.kinds import MediaKind, TimeRange
from framestyle.media.photos import read_photo, write_photo
from framestyle.media.verify.comparing import verify_against
from framestyle.media.video.probe import probe
from framestyle.media.video.reader import VideoReader
from framestyle.media.video.sequences import existing_files
from framestyle.presets import Preset

MakeClip = Callable[..., Path]
MakeWorkshop = Callable[..., Ready]
IDENTITY: dict[str, Any] = {
    "scales": {"first_steps": 0, "steps": 0},
    "video": {"steps": 0, "min_steps": 0, "cuts": "none"},
    "output": {"quality": "lossless"},
}


def frames(folder: Path, numbers: Any = range(1001, 1006), pattern: str = "shot.%04d.png") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    ramp = np.add.outer(np.arange(24), np.arange(32))[..., None] * [1, 2, 3]
    for number in numbers:
        write_photo(folder / (pattern % number), ((ramp + number) % 256).astype(np.uint8), None, {})
    return folder / pattern


def work(source: Path, output: Path, workshop: Ready, **span: Fraction) -> JobDone:
    return run(planned([source], output), output, TimeRange(**span), *workshop)


def pixels_of(path: Path) -> list[np.ndarray]:
    return [read_photo(file).pixels for file in existing_files(path)]


def test_a_sequence_becomes_a_sequence_with_its_numbers(make_workshop: MakeWorkshop, tmp_path: Path) -> None:
    source, news = frames(tmp_path / "in"), []
    done = work(source, tmp_path / "out" / "shot.%04d.png", make_workshop(news.append, **IDENTITY))
    target = tmp_path / "out" / "shot.%04d.png"
    assert [path.name for path in existing_files(target)] == [path.name for path in existing_files(source)]
    assert all(np.array_equal(a, b) for a, b in zip(pixels_of(source), pixels_of(target), strict=True))
    assert done.frames == 5 and done.outputs == (str(target),)
    assert next(event for event in news if isinstance(event, TaskStarted)).frames == 5
    assert len(list((tmp_path / "out").iterdir())) == 5


def test_a_part_keeps_its_numbers(make_workshop: MakeWorkshop, tmp_path: Path) -> None:
    source = frames(tmp_path / "in", range(20))
    work(source, tmp_path / "out", make_workshop(**IDENTITY), start_s=Fraction(1, 4), end_s=Fraction(1, 2))
    assert [path.name for path in sorted((tmp_path / "out").iterdir())] == [
        f"shot.{n:04d}.png" for n in range(6, 12)
    ]


def test_gaps_in_the_numbers_stay_gaps(make_workshop: MakeWorkshop, tmp_path: Path) -> None:
    source, news = frames(tmp_path / "in", [3, 4, 8]), []
    work(source, tmp_path / "out", make_workshop(news.append, **IDENTITY))
    assert [path.name[5:9] for path in sorted((tmp_path / "out").iterdir())] == ["0003", "0004", "0008"]
    assert any("lacks 5, 6, 7" in event.message for event in news if isinstance(event, Note))
    work(source, tmp_path / "o.mp4", make_workshop(**IDENTITY))
    assert packets(tmp_path / "o.mp4")[1] == [Fraction(n, 24) for n in (0, 1, 5)]


@pytest.mark.parametrize("by_folder", [True, False])
@pytest.mark.parametrize(("rate", "exact"), [(24.0, Fraction(24)), (29.97, Fraction(30000, 1001))])
def test_a_sequence_becomes_a_video(
    make_workshop: MakeWorkshop, tmp_path: Path, by_folder: bool, rate: float, exact: Fraction
) -> None:
    source = frames(tmp_path / "in")
    video = {**IDENTITY["video"], "sequence_rate": rate}
    workshop = make_workshop(**{**IDENTITY, "video": video})
    work(source.parent if by_folder else source, tmp_path / "o.mp4", workshop)
    with VideoReader(tmp_path / "o.mp4") as reader:
        got = list(reader)
        assert reader.info.frame_rate == exact
    assert [frame.pts for frame in got] == [n / exact for n in range(5)]
    assert all(np.array_equal(a, b.pixels) for a, b in zip(pixels_of(source), got, strict=True))


def test_a_video_becomes_a_sequence_numbered_as_its_frames_are(
    make_clip: MakeClip, make_workshop: MakeWorkshop, tmp_path: Path
) -> None:
    source, target = make_clip("in.mp4", shots=(10,)), tmp_path / "out" / "f_%05d.png"
    work(source, target, make_workshop(**IDENTITY), start_s=Fraction(4, 25))
    assert [path.name for path in existing_files(target)] == [f"f_{n:05d}.png" for n in range(4, 10)]
    with VideoReader(source) as reader:
        wanted = [frame.pixels for frame in reader][4:]
    assert all(np.array_equal(a, b) for a, b in zip(pixels_of(target), wanted, strict=True))


def test_ten_bits_become_sixteen(make_workshop: MakeWorkshop, tmp_path: Path) -> None:
    source = tmp_path / "s.mkv"
    encode(
        "-f", "lavfi", "-i", "testsrc2=s=32x24:r=25:d=0.12,format=yuv420p10le", "-c:v", "ffv1", str(source)
    )
    work(source, tmp_path / "o" / "%d.png", make_workshop(**IDENTITY))
    with VideoReader(source) as reader:
        wanted = [frame.pixels for frame in reader]
    got = pixels_of(tmp_path / "o" / "%d.png")
    assert got[0].dtype == np.uint16 and all(np.array_equal(a, b) for a, b in zip(got, wanted, strict=True))


def test_it_is_stylized_as_a_clip_is(make_workshop: MakeWorkshop, tmp_path: Path) -> None:
    """The second frame starts from the first."""
    source, news = frames(tmp_path / "in", range(3)), []
    work(source, tmp_path / "out", make_workshop(news.append, video={"cuts": "none"}))
    assert [getattr(event, "warm", None) for event in news if hasattr(event, "warm")] == [False, True, True]


# -- planning ----------------------------------------------------------------------------------------------


def test_where_it_goes(tmp_path: Path) -> None:
    source = frames(tmp_path / "in")
    for output, target in (
        (tmp_path / "out", tmp_path / "out" / "shot.%04d.png"),
        (tmp_path / "o.mkv", tmp_path / "o.mkv"),
        (tmp_path / "p.%02d.tif", tmp_path / "p.%02d.tif"),
    ):
        assert planned([source], output) == [Task(MediaKind.VIDEO, source, target)]
    assert (
        planned([source], tmp_path / "out", photo_format="jpg")[0].target
        == tmp_path / "out" / "shot.%04d.jpg"
    )


def test_a_folder_is_photos_where_the_output_is_a_folder(tmp_path: Path) -> None:
    source = frames(tmp_path / "in")
    assert {task.kind for task in planned([source.parent], tmp_path / "out")} == {MediaKind.PHOTO}
    assert [task.kind for task in planned([source.parent], tmp_path / "o.mp4")] == [MediaKind.VIDEO]
    write_photo(source.parent / "other.png", np.zeros((8, 8, 3), np.uint8), None, {})
    with pytest.raises(InputError, match="no image sequence"):
        planned([source.parent], tmp_path / "o.mp4")
    with pytest.raises(UsageError, match="several inputs"):
        planned([source.parent], tmp_path / "o.png")


def test_frames_that_exist_are_replaced_only_on_demand_and_sources_never(tmp_path: Path) -> None:
    source, there = frames(tmp_path / "in"), frames(tmp_path / "out", [1003])
    preset = Preset.model_validate({"name": "mine", "style": {"images": [{"path": "style.png"}]}})
    order = Order([source], there, [preset])
    with pytest.raises(OutputError, match=r"shot.1003.png exists"):
        prepare(order)
    (job,) = prepare(replace(order, overwrite=True))
    assert [task.target for task in job.to_do] == [there]
    with pytest.raises(OutputError, match="is an input"):
        prepare(replace(order, output=source.parent, overwrite=True))
    with pytest.raises(InputError, match="does not exist"):
        planned([tmp_path / "none.%04d.png"], tmp_path / "o.mp4")


def test_the_command_line_takes_patterns(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = frames(tmp_path / "in")
    target = tmp_path / "o.%03d.tif"
    arguments = ["stylize", str(source), "-o", str(target), "-p", "nightswirl-draft", "--dry-run"]
    assert main(arguments) == 0
    assert f"clip: {source} -> {target} (32x24, 5 frames, " in capsys.readouterr().out


def test_hdr_goes_into_images_and_back_as_what_it_is(make_workshop: MakeWorkshop, tmp_path: Path) -> None:
    """PNG says PQ; JPEG cannot, and is refused; by choice it is made SDR."""
    source = tmp_path / "s.mkv"
    tags = "setparams=range=tv:colorspace=bt2020nc:color_primaries=bt2020:color_trc=smpte2084"
    pattern = f"testsrc2=s=32x24:r=25:d=0.12,format=yuv420p10le,{tags}"
    encode("-f", "lavfi", "-i", pattern, "-c:v", "ffv1", str(source))
    with pytest.raises(OutputError, match="JPEG holds no HDR"):
        work(source, tmp_path / "o" / "%d.jpg", make_workshop(**IDENTITY))
    work(source, tmp_path / "o" / "%d.png", make_workshop(**IDENTITY))
    first = read_photo(tmp_path / "o" / "0.png")
    assert first.hdr == "PQ" and first.pixels.dtype == np.uint16
    assert verify_against(tmp_path / "o" / "%d.png", source).verdict == "whole"
    work(
        tmp_path / "o" / "%d.png",
        tmp_path / "back.mkv",
        make_workshop(**IDENTITY | {"output": {"video_codec": "ffv1"}}),
    )
    info = probe(tmp_path / "back.mkv")
    assert (info.colors.hdr, info.color_primaries) == ("PQ", "bt2020")
    assert verify_against(tmp_path / "back.mkv", tmp_path / "o" / "%d.png").verdict == "whole"
    news: list[Event] = []
    tone_mapped = make_workshop(news.append, **{**IDENTITY, "output": {"hdr": "tonemap"}})
    work(source, tmp_path / "t" / "%d.png", tone_mapped)
    assert len(existing_files(tmp_path / "t" / "%d.png")) == 3
    assert read_photo(tmp_path / "t" / "0.png").hdr is None
    for number in range(3):
        (tmp_path / "o" / f"{number}.png").write_bytes((tmp_path / "t" / f"{number}.png").read_bytes())
    assert verify_against(tmp_path / "o" / "%d.png", source).verdict == "whole"  # as its recipe says
    work(tmp_path / "back.mkv", tmp_path / "u" / "%d.png", make_workshop(**IDENTITY))
    for file in existing_files(tmp_path / "u" / "%d.png"):
        data = file.read_bytes()
        at = data.index(b"cICP") - 4
        file.write_bytes(data[:at] + data[at + 16 :])
    report = verify_against(tmp_path / "u" / "%d.png", tmp_path / "back.mkv")
    assert report.verdict == "different" and "PQ" in report.problems[0].text
