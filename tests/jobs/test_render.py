"""A clip from file to file: count, rate, length, sound and words are the source's; whole or not at all."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import threading
import weakref
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ready import Ready

from framestyle.doors.advice import next_step
from framestyle.errors import FramestyleError, InputError, OutputError
from framestyle.events import (
    Event,
    FrameDone,
    JobDone,
    JobStarted,
    Note,
    PhotoDone,
    Preparing,
    ShotStarted,
    StepDone,
    TaskDone,
    TaskFailed,
    TaskPlanned,
    TaskStarted,
)
from framestyle.frames import Frame
from framestyle.jobs.plan.survey import survey
from framestyle.jobs.plan.tasks import Task
from framestyle.jobs.run.clips import render_video
from framestyle.jobs.run.job import run
from framestyle.jobs.run.queues import QUEUE_FRAMES
from framestyle.kinds import MediaKind, TimeRange
from framestyle.media.ffmpeg import ffmpeg_exe
from framestyle.media.photos import read_photo
from framestyle.media.video.probe import probe
from framestyle.media.video.reader import VideoReader

MakeClip = Callable[..., Path]
MakeWorkshop = Callable[..., Ready]
ALL = TimeRange()
IDENTITY: dict[str, Any] = {
    "scales": {"first_steps": 0, "steps": 0},
    "video": {"steps": 0, "min_steps": 0},
    "output": {"quality": "lossless"},
}


def _render(source: Path, target: Path, workshop: Ready, span: TimeRange = ALL) -> JobDone:
    return run([Task(MediaKind.VIDEO, source, target)], target, span, *workshop)


def _read(path: Path) -> list[np.ndarray]:
    with VideoReader(path) as reader:
        return [frame.pixels for frame in reader]


def _sound(path: Path, *options: str) -> bytes:
    """A hash over the copied sound packets."""
    command = [
        ffmpeg_exe(),
        "-v",
        "error",
        "-i",
        str(path),
        *options,
        "-map",
        "0:a",
        "-c",
        "copy",
        "-f",
        "md5",
        "-",
    ]
    return subprocess.run(command, check=True, capture_output=True).stdout


def _words(path: Path) -> str:
    command = [ffmpeg_exe(), "-v", "error", "-i", str(path), "-f", "ffmetadata", "-"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def _left_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def _our_threads() -> list[str]:
    names = ("decode", "encode", "flow", "ffmpeg")
    return [thread.name for thread in threading.enumerate() if thread.name.startswith(names)]


# -- what is kept ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rate", ["25", "30000/1001", "12", "60"])
@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_count_rate_length_size_and_sound_are_the_sources(
    make_clip: MakeClip, make_workshop: MakeWorkshop, tmp_path: Path, rate: str, suffix: str
) -> None:
    source, target = make_clip(f"in{suffix}", rate=rate, shots=(10,), sound=True), tmp_path / f"out{suffix}"
    done = _render(source, target, make_workshop())
    was, became = probe(source), probe(target)
    assert (len(_read(target)), done.frames) == (10, 10)
    assert became.frame_rate == was.frame_rate == Fraction(rate)
    assert (became.width, became.height) == (was.width, was.height)
    assert became.duration_s is not None and was.duration_s is not None
    assert abs(became.duration_s - was.duration_s) <= 1 / was.frame_rate
    assert became.audio_codecs == was.audio_codecs and len(was.audio_codecs) == 1
    assert _sound(source) == _sound(target)


def test_the_picture_is_stylized(make_clip: MakeClip, make_workshop: MakeWorkshop, tmp_path: Path) -> None:
    source, target = make_clip("in.mp4", shots=(5,)), tmp_path / "out.mp4"
    _render(source, target, make_workshop(scales={"first_steps": 10}, output={"quality": "lossless"}))
    for before, after in zip(_read(source), _read(target), strict=True):
        assert np.abs(before.astype(int) - after).mean() > 3


def test_no_steps_and_lossless_give_the_very_frames(
    make_clip: MakeClip, make_workshop: MakeWorkshop, tmp_path: Path
) -> None:
    source, target = make_clip("in.mp4", shots=(9, 9), sound=True), tmp_path / "out.mp4"
    _render(source, target, make_workshop(**IDENTITY))
    assert all(np.array_equal(a, b) for a, b in zip(_read(source), _read(target), strict=True))


def test_words_of_the_source_come_along_and_ours_are_added(
    make_clip: MakeClip, make_workshop: MakeWorkshop, tmp_path: Path
) -> None:
    source, target = make_clip("in.mkv", "-metadata", "title=A Tale", shots=(4,)), tmp_path / "out.mkv"
    _render(source, target, make_workshop())
    told = _words(target).lower()
    assert "title=a tale" in told
    assert (
        "preset quick" in told and "weights untrained" in told and "seed 0" in told and "cpu float32" in told
    )


def test_a_smaller_side_makes_a_smaller_video(
    make_clip: MakeClip, make_workshop: MakeWorkshop, tmp_path: Path
) -> None:
    source, target = make_clip("in.mp4", size="64x48", shots=(4,)), tmp_path / "out.mp4"
    _render(source, target, make_workshop(scales={"max_side_px": 32}))
    assert {frame.shape for frame in _read(target)} == {(24, 32, 3)}


def test_one_seed_gives_one_file(make_clip: MakeClip, make_workshop: MakeWorkshop, tmp_path: Path) -> None:
    source = make_clip("in.mp4", shots=(7, 7))
    made = []
    for name in ("one.mp4", "two.mp4"):
        _render(source, tmp_path / name, make_workshop(output={"quality": "lossless"}))
        made.append(np.stack(_read(tmp_path / name)))
    assert np.array_equal(*made)


# -- ranges ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("start", "end", "frames"),
    [
        ("1/5", None, slice(5, None)),
        (None, "2/5", slice(0, 10)),
        ("1/5", "2/5", slice(5, 10)),
        ("1/3", "2/5", slice(9, 10)),
    ],
)
def test_a_range_renders_its_frames_alone(
    make_clip: MakeClip,
    make_workshop: MakeWorkshop,
    tmp_path: Path,
    start: str | None,
    end: str | None,
    frames: slice,
) -> None:
    source, target = make_clip("in.mp4", shots=(20,), sound=True), tmp_path / "out.mp4"
    span = TimeRange(start and Fraction(start), end and Fraction(end))
    news: list[Event] = []
    done = _render(source, target, make_workshop(news.append, **IDENTITY), span)
    wanted = _read(source)[frames]
    got = _read(target)
    assert len(got) == done.frames == len(wanted)
    assert all(np.array_equal(a, b) for a, b in zip(got, wanted, strict=True))
    sounding = probe(target).duration_s
    # AAC comes in packets of 23 ms, and one before the start.
    assert sounding is not None and float(sounding) == pytest.approx(len(wanted) / 25, abs=0.07)
    started = next(event for event in news if isinstance(event, TaskStarted))
    assert started.frames == len(wanted)


def test_a_range_keeps_the_cuts_inside_it(
    make_clip: MakeClip, make_workshop: MakeWorkshop, tmp_path: Path
) -> None:
    source, news = make_clip("in.mp4", shots=(12, 12)), []
    _render(
        source, tmp_path / "out.mp4", make_workshop(news.append), TimeRange(Fraction(4, 25), Fraction(20, 25))
    )
    assert [event for event in news if isinstance(event, ShotStarted)] == [
        ShotStarted(0, 4, 8),
        ShotStarted(1, 12, 8),
    ]


@pytest.mark.parametrize("start", ["5", "1"])
def test_a_range_without_frames_is_an_input_error(
    make_clip: MakeClip, make_workshop: MakeWorkshop, tmp_path: Path, start: str
) -> None:
    source = make_clip("in.mp4", shots=(20,))
    with pytest.raises(InputError, match="no frames in the chosen range") as caught:
        _render(source, tmp_path / "out.mp4", make_workshop(), TimeRange(Fraction(start)))
    assert next_step(caught.value) and _left_in(tmp_path) == ["in.mp4"]


# -- shots -------------------------------------------------------------------------------------------------


def test_the_second_shot_is_rendered_as_if_it_were_alone(
    make_clip: MakeClip, make_workshop: MakeWorkshop, tmp_path: Path
) -> None:
    source = make_clip("in.mp4", "-qp", "0", shots=(9, 9))
    lossless = {"output": {"quality": "lossless"}}
    _render(source, tmp_path / "both.mp4", make_workshop(**lossless))
    _render(source, tmp_path / "second.mp4", make_workshop(**lossless), TimeRange(Fraction(9, 25)))
    both, second = _read(tmp_path / "both.mp4"), _read(tmp_path / "second.mp4")
    assert len(both) == 18 and len(second) == 9
    assert all(np.array_equal(a, b) for a, b in zip(both[9:], second, strict=True))


# -- news --------------------------------------------------------------------------------------------------


def test_news_tell_the_whole_story_in_order(
    make_clip: MakeClip, make_workshop: MakeWorkshop, tmp_path: Path
) -> None:
    source, target = make_clip("in.mp4", shots=(9, 9)), tmp_path / "out.mp4"
    news: list[Event] = []
    done = _render(source, target, make_workshop(news.append))
    told = [event for event in news if not isinstance(event, StepDone)]
    kinds = [type(event) for event in told]
    shot = [ShotStarted, *[FrameDone] * 9]
    assert kinds == [Preparing, JobStarted, TaskPlanned, TaskStarted, *shot, *shot, TaskDone, JobDone]
    started, task = told[1], told[3]
    assert isinstance(started, JobStarted) and (started.tasks, started.frames) == (1, 18)
    assert (started.preset, started.weights, started.device) == ("quick", "untrained", "cpu float32")
    assert task == TaskStarted(str(source), MediaKind.VIDEO, 0, 18, 2, 32, 24)
    frames = [event for event in told if isinstance(event, FrameDone)]
    assert [frame.index for frame in frames] == list(range(18))
    assert sum(frame.steps for frame in frames) == done.steps > 0
    last = told[-2]
    assert isinstance(last, TaskDone)
    assert (last.frames, last.steps, last.size_bytes) == (18, done.steps, target.stat().st_size)
    assert told[-1] == done and done.outputs == (str(target),) and done.failed == ()


def test_a_clip_that_ends_early_is_rendered_as_far_as_it_goes_and_said(
    make_clip: MakeClip, make_workshop: MakeWorkshop, tmp_path: Path
) -> None:
    source = make_clip("in.mp4", "-movflags", "+faststart", "-g", "5", shots=(50,), size="64x48")
    data = source.read_bytes()
    source.write_bytes(data[: int(len(data) * 0.6)])
    news: list[Event] = []
    done = _render(source, tmp_path / "out.mp4", make_workshop(news.append))
    assert 0 < done.frames < 48
    assert len(_read(tmp_path / "out.mp4")) == done.frames
    warnings = [event.message for event in news if isinstance(event, Note) and event.level == "warning"]
    assert any("ends early" in message and "frames are missing" in message for message in warnings)


def test_what_the_output_cannot_keep_of_the_source_is_said(
    make_clip: MakeClip, make_workshop: MakeWorkshop, tmp_path: Path
) -> None:
    deep = make_clip("deep.mkv", "-c:v", "ffv1", "-pix_fmt", "gbrp12le", shots=(4,))
    news: list[Event] = []
    output = {"quality": "draft", "video_codec": "prores"}
    _render(deep, tmp_path / "out.mov", make_workshop(news.append, **{**IDENTITY, "output": output}))
    assert "prores is written with 10 bits a channel, not 12." in [
        event.message for event in news if isinstance(event, Note)
    ]


# -- failing -----------------------------------------------------------------------------------------------


class _StopError(Exception):
    pass


def _at_frame(number: int, act: Callable[[], Any]) -> Callable[[Event], None]:
    def heard(event: Event) -> None:
        if isinstance(event, FrameDone) and event.index == number:
            act()

    return heard


def _raise(error: BaseException) -> None:
    raise error


@pytest.mark.parametrize("error", [_StopError(), KeyboardInterrupt()])
@pytest.mark.parametrize("existing", [False, True])
def test_an_error_in_the_middle_leaves_no_file_no_ffmpeg_and_no_thread(
    make_clip: MakeClip,
    make_workshop: MakeWorkshop,
    tmp_path: Path,
    our_ffmpegs: Callable[[], list[int]],
    error: BaseException,
    existing: bool,
) -> None:
    source, out = make_clip("in.mp4", shots=(60,), sound=True), tmp_path / "out"
    out.mkdir()
    if existing:
        (out / "a.mp4").write_bytes(b"an earlier result")
    seen: list[int] = []
    workshop = make_workshop(_at_frame(20, lambda: (seen.extend(our_ffmpegs()), _raise(error))))
    with pytest.raises(type(error)) as caught:
        _render(source, out / "a.mp4", workshop)
    # Even while the error, and with it every frame of the stack, is still held.
    assert caught.value is error
    assert seen and not our_ffmpegs() and not _our_threads()
    assert _left_in(out) == (["a.mp4"] if existing else [])
    assert not existing or (out / "a.mp4").read_bytes() == b"an earlier result"


def test_an_ffmpeg_that_dies_is_an_output_error_soon_after(
    make_clip: MakeClip, make_workshop: MakeWorkshop, tmp_path: Path, our_ffmpegs: Callable[[], list[int]]
) -> None:
    source, out = make_clip("in.mp4", shots=(100,), size="256x192"), tmp_path / "out"
    frames: list[int] = []
    killed_at = 2

    def heard(event: Event) -> None:
        if isinstance(event, FrameDone):
            frames.append(event.index)
            if event.index == killed_at:
                for process in our_ffmpegs():
                    os.kill(process, signal.SIGKILL)

    with pytest.raises(OutputError, match="signal 9"):
        _render(source, out / "a.mp4", make_workshop(heard, **{**IDENTITY, "output": {"quality": "draft"}}))
    assert len(frames) <= killed_at + 2 * QUEUE_FRAMES, "it went on optimising for a dead encoder"
    assert _left_in(out) == [] and not our_ffmpegs() and not _our_threads()


def test_a_source_that_gives_out_in_the_middle_is_reported_and_leaves_nothing(
    make_clip: MakeClip, make_workshop: MakeWorkshop, tmp_path: Path, our_ffmpegs: Callable[[], list[int]]
) -> None:
    source, out = make_clip("in.mp4", "-movflags", "+faststart", "-g", "5", shots=(50,)), tmp_path / "out"
    workshop = make_workshop()
    found = survey(source, ALL, workshop.preset, workshop.context)
    with source.open("r+b") as file:
        file.truncate(source.stat().st_size * 6 // 10)
    with pytest.raises(InputError, match=r"gave 50 frames at first, and only \d+ when") as caught:
        render_video(Task(MediaKind.VIDEO, source, out / "a.mp4"), 0, found, ALL, *workshop)
    assert next_step(caught.value)
    assert _left_in(out) == [] and not our_ffmpegs() and not _our_threads()


def test_memory_does_not_grow_with_the_clip(
    make_clip: MakeClip, make_workshop: MakeWorkshop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However far decoding and encoding could run ahead or fall behind: the frames in memory are bounded."""
    # Not by gc.get_objects(): whoever holds a tuple that another thread is still filling breaks it.
    made: list[weakref.ref[Frame]] = []
    make = Frame.__init__

    def counted(frame: Frame, *given: Any, **named: Any) -> None:
        make(frame, *given, **named)
        made.append(weakref.ref(frame))

    monkeypatch.setattr(Frame, "__init__", counted)
    most = 0

    def heard(event: Event) -> None:
        nonlocal most
        if isinstance(event, FrameDone) and event.index % 8 == 7:
            gc.collect()
            most = max(most, sum(one() is not None for one in made))

    source = make_clip("in.mp4", shots=(80,))
    _render(source, tmp_path / "out.mp4", make_workshop(heard))
    # Read ahead, being measured and optimised (each beside its copy at working size), and being written.
    assert QUEUE_FRAMES < most <= QUEUE_FRAMES + 8


# -- batches -----------------------------------------------------------------------------------------------


def test_one_bad_file_does_not_stop_the_others(
    make_clip: MakeClip, make_workshop: MakeWorkshop, tmp_path: Path, photo: Path
) -> None:
    clip, bad_clip, bad_photo = make_clip("clip.mp4", shots=(4,)), tmp_path / "bad.mp4", tmp_path / "bad.png"
    bad_clip.write_bytes(clip.read_bytes()[:600])
    bad_photo.write_bytes(photo.read_bytes()[:60])
    out = tmp_path / "out"
    tasks = [
        Task(MediaKind.PHOTO, bad_photo, out / "bad.png"),
        Task(MediaKind.VIDEO, bad_clip, out / "bad.mp4"),
        Task(MediaKind.VIDEO, clip, out / "clip.mp4"),
        Task(MediaKind.PHOTO, photo, out / "photo.png"),
    ]
    news: list[Event] = []
    done = run(tasks, out, ALL, *make_workshop(news.append))
    assert done.failed == (str(bad_photo), str(bad_clip))
    assert done.outputs == (str(out / "clip.mp4"), str(out / "photo.png"))
    assert (done.frames, _left_in(out)) == (5, ["clip.mp4", "photo.png"])
    failed = [event for event in news if isinstance(event, TaskFailed)]
    assert [event.path for event in failed] == list(done.failed)
    assert all(event.message and next_step(event) for event in failed)
    assert read_photo(out / "photo.png").pixels.shape == (24, 32, 3)
    (painted,) = [event for event in news if isinstance(event, PhotoDone)]
    assert (painted.path, painted.output, painted.steps) == (str(photo), str(out / "photo.png"), 2)


def test_the_only_tasks_error_is_raised(make_workshop: MakeWorkshop, tmp_path: Path, photo: Path) -> None:
    photo.write_bytes(photo.read_bytes()[:60])
    news: list[Event] = []
    with pytest.raises(FramestyleError):
        run([Task(MediaKind.PHOTO, photo, tmp_path / "out.png")], tmp_path, ALL, *make_workshop(news.append))
    assert not any(isinstance(event, TaskFailed | JobDone) for event in news)


def test_an_interruption_stops_the_whole_batch(
    make_workshop: MakeWorkshop, tmp_path: Path, photo: Path
) -> None:
    def heard(event: Event) -> None:
        if isinstance(event, PhotoDone):
            raise KeyboardInterrupt

    tasks = [Task(MediaKind.PHOTO, photo, tmp_path / "out" / name) for name in ("a.png", "b.png")]
    with pytest.raises(KeyboardInterrupt):
        run(tasks, tmp_path, ALL, *make_workshop(heard))
    assert _left_in(tmp_path / "out") == ["a.png"]


def test_a_photo_without_steps_is_the_photo(make_workshop: MakeWorkshop, tmp_path: Path, photo: Path) -> None:
    run([Task(MediaKind.PHOTO, photo, tmp_path / "out.png")], tmp_path, ALL, *make_workshop(**IDENTITY))
    assert np.array_equal(read_photo(tmp_path / "out.png").pixels, read_photo(photo).pixels)
