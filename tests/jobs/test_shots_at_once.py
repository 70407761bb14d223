"""Shots of a clip side by side: the clip that they are one after another; what is stopped is resumed by shot."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from torch_threads import torch_threads

from framestyle.context import Context
from framestyle.errors import Cancelled, DeviceError, UsageError
from framestyle.events import Event, FrameDone, JobDone, ShotStarted, StepDone, TaskDone, TaskResumed
from framestyle.jobs.engines.engine import Machine
from framestyle.jobs.engines.local import LocalEngine
from framestyle.jobs.engines.side_by_side import MOST_PICTURES, Crew
from framestyle.jobs.plan.tasks import Task
from framestyle.jobs.run.batch import Order, paint, prepare
from framestyle.jobs.run.job import run
from framestyle.kinds import MediaKind, TimeRange
from framestyle.media.video.opencv import end_waiting
from framestyle.nst.devices import devices_of
from framestyle.presets import Preset
from framestyle.session import Session

MakeClip = Callable[..., Path]
MakePreset = Callable[..., Preset]
SHOTS = (7, 6)


# -- how many at once --------------------------------------------------------------------------------------


@given(
    works=st.lists(st.floats(0.1, 100.0), min_size=1, max_size=12),
    threads=st.integers(1, 64),
)
def test_several_at_once_are_done_sooner_or_it_is_one(works: list[float], threads: int) -> None:
    """By what it is reckoned from: how much slower each is with fewer threads."""
    crew = Crew.of_shots(works, threads)
    assert 1 <= crew.pictures <= min(MOST_PICTURES, len(works), threads)
    assert crew.pictures * crew.threads <= threads
    if crew.pictures > 1:
        each = crew.slower_than(threads)
        assert max(max(works) * each, sum(works) * each / crew.pictures) <= sum(works)


@pytest.mark.parametrize(
    ("works", "threads", "pictures"),
    [([10.0, 10.0], 2, 2), ([100.0, 5.0], 2, 1), ([10.0], 8, 1), ([10.0] * 8, 1, 1), ([10.0] * 32, 16, 8)],
    ids=["two alike", "one is all", "one shot", "one core", "many"],
)
def test_unlike_shots_are_done_one_after_another(works: list[float], threads: int, pictures: int) -> None:
    assert Crew.of_shots(works, threads).pictures == pictures


# -- the same clip -----------------------------------------------------------------------------------------


@pytest.fixture
def order(here: Path, make_clip: MakeClip, make_preset: MakePreset) -> Callable[[str], Order]:
    """`order("out.mp4")`: a clip of two shots, no two frames alike."""
    source = make_clip("in.mp4", shots=SHOTS, sound=True, keep="noise=alls=10:allf=t")
    preset = make_preset(output={"save_every_s": 0})

    def made(output: str) -> Order:
        return Order([source], Path(output), [preset], weights="untrained", device="cpu")

    return made


def _do(order: Order, on_event: Callable[[Event], None] = lambda event: None) -> list[Event]:
    news: list[Event] = []
    paint(prepare(order), order, Context(on_event).also(news.append))
    return news


@pytest.fixture
def whole(order: Callable[[str], Order], loads: list[str]) -> Iterator[bytes]:
    """One after another, with as many threads as each shot has beside the other: one."""
    with torch_threads(1):
        _do(order("whole.mp4"))
    yield Path("whole.mp4").read_bytes()


@pytest.mark.usefixtures("loads")
def test_side_by_side_they_are_the_clip(order: Callable[[str], Order], whole: bytes) -> None:
    with torch_threads(2):
        news = _do(order("out.mp4"))
    assert Path("out.mp4").read_bytes() == whole
    starts = [event.index for event in news if isinstance(event, ShotStarted)]
    assert sorted(starts) == [0, 1]
    first = [number for number, event in enumerate(news) if isinstance(event, FrameDone)]
    second = next(number for number, event in enumerate(news) if event == ShotStarted(1, 7, 6))
    assert second < first[-1], "one after another"
    assert {event.shot for event in news if isinstance(event, StepDone)} == {0, 1}
    assert sorted(event.index for event in news if isinstance(event, FrameDone)) == list(range(sum(SHOTS)))
    (done,) = [event for event in news if isinstance(event, TaskDone)]
    steps = sum(event.steps for event in news if isinstance(event, FrameDone))
    assert (done.frames, done.steps) == (sum(SHOTS), steps)
    assert not [path for path in Path().iterdir() if path.name.startswith(".")]


@pytest.mark.usefixtures("loads")
def test_what_is_stopped_is_resumed_in_each_shot(order: Callable[[str], Order], whole: bytes) -> None:
    frames: list[int] = []

    def stop(event: Event) -> None:
        if isinstance(event, FrameDone):
            frames.append(event.shot)
            if min(frames.count(0), frames.count(1)) == 2:
                raise KeyboardInterrupt

    with torch_threads(2):
        with pytest.raises(Cancelled, match=r"of 13 frames are painted and kept") as stopped:
            _do(order("out.mp4"), stop)
        kept = stopped.value.facts["painted"]
        news = _do(order("out.mp4"))
    (resumed,) = [event for event in news if isinstance(event, TaskResumed)]
    assert resumed.painted == kept and resumed.shots == 2
    assert sum(isinstance(event, FrameDone) for event in news) == sum(SHOTS) - resumed.painted
    assert Path("out.mp4").read_bytes() == whole


# -- several devices ---------------------------------------------------------------------------------------


def test_several_devices_are_named_once_each_and_of_a_kind() -> None:
    assert devices_of("cuda:0,cuda:1") == ("cuda:0", "cuda:1")
    assert devices_of("auto") == ("auto",)
    for wrong in ("cuda:0,cuda:0", "cuda:0,mps:0", "cuda,cuda:1", "cuda:0,"):
        with pytest.raises(UsageError, match="several devices of a kind"):
            devices_of(wrong)


def test_processes_that_end_fail_the_clip_and_leave_none(
    here: Path, make_clip: MakeClip, make_preset: MakePreset, children_of: Callable[[int], list[int]]
) -> None:
    source, photo = make_clip("in.mp4", shots=SHOTS), here / "photo.png"
    dies = (sys.executable, "-c", "import os, sys; print('no driver', file=sys.stderr); os._exit(3)")
    engine = LocalEngine(Machine(("cuda:0", "cuda:1")), worker=dies)
    session = Session.open(make_preset(), weights="untrained", device="cpu")
    session.close()  # who paints elsewhere needs no device here
    tasks = [Task(MediaKind.PHOTO, photo, here / "o.png"), Task(MediaKind.VIDEO, source, here / "o.mp4")]
    done = run(tasks, here, TimeRange(), session, engine=engine)
    assert done.failed == (str(photo), str(source)) and isinstance(done, JobDone)
    with pytest.raises(DeviceError, match=r"exit code 3 \(no driver\)"):
        run(tasks[1:], here, TimeRange(), session, engine=engine)
    end_waiting()  # a decoder that nobody asks waits for the next clip
    assert children_of(os.getpid()) == []
    assert not [path.name for path in here.iterdir() if path.name.startswith(".framestyle")]
