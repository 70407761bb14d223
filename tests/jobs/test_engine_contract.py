"""Every engine does units of work, each by itself: in any order, the same; one fails alone; a stop leaves nothing."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from PIL import Image
from torch_threads import torch_threads

from framestyle.context import Context
from framestyle.errors import Cancelled, FramestyleError, InputError
from framestyle.events import Event, FrameDone, PhotoDone, ShotStarted, StepDone, TaskDone, TaskStarted
from framestyle.jobs.engines.engine import Engine, Machine, Outcome, Setting, paints_elsewhere
from framestyle.jobs.engines.local import LocalEngine
from framestyle.jobs.plan.survey import survey
from framestyle.jobs.plan.tasks import Task
from framestyle.jobs.plan.units import PhotoTask, ShotTask, Unit, shot_tasks
from framestyle.jobs.resume.resume_key import has_work, work_folder_of
from framestyle.jobs.resume.shot_work import ShotWork
from framestyle.jobs.run.shots import ShotDone
from framestyle.kinds import MediaKind, TimeRange
from framestyle.media.video.opencv import end_waiting
from framestyle.nst.sizes import Size
from framestyle.presets import Preset
from framestyle.session import Session
from tests.pretended_worker import SEEN

MakeClip = Callable[..., Path]
MakePreset = Callable[..., Preset]
WORKER = Path(__file__).parents[1] / "pretended_worker.py"
LONG_STEPS = 100_000
SIZE = Size(32, 24)
SHOTS = (6, 6)


class Tried(NamedTuple):
    """An engine, and the devices that its processes are to ask for."""

    engine: Engine
    devices: frozenset[str] = frozenset()


def _in_this_process(python: Path) -> Tried:
    return Tried(LocalEngine())


def _in_processes(python: Path) -> Tried:
    devices = ("cuda:0", "cuda:1")
    return Tried(LocalEngine(Machine(devices), worker=(str(python), str(WORKER))), frozenset(devices))


@pytest.fixture(
    params=[(_in_this_process, 1), (_in_this_process, 2), (_in_processes, 1)],
    ids=["one by one", "side by side", "devices"],
)
def tried(request: pytest.FixtureRequest, warm_python: Path) -> Iterator[Tried]:
    """Each engine: in this process one by one and side by side, and on two devices, which are pretended."""
    make, threads = request.param
    with torch_threads(threads):
        yield make(warm_python)


class Told:
    """A ledger, and the news."""

    def __init__(self) -> None:
        self.begun: list[int] = []
        self.outcomes: dict[int, Outcome] = {}
        self.news: list[Event] = []
        self.threads: set[int] = set()

    def begin(self, number: int) -> None:
        self.begun.append(number)

    def end(self, number: int, outcome: Outcome) -> Event | None:
        self.outcomes[number] = outcome
        return outcome if isinstance(outcome, TaskDone) else None

    def hear(self, event: Event) -> None:
        self.threads.add(threading.get_ident())
        self.news.append(event)


@pytest.fixture
def clip(here: Path, make_clip: MakeClip) -> Path:
    """Of two shots, no two frames of which are the same."""
    return make_clip("in.mp4", "-qp", "0", shots=SHOTS, keep="noise=alls=10:allf=t")


@pytest.fixture
def photos(here: Path) -> list[Path]:
    paths = []
    for number in range(2):
        pixels = np.random.default_rng(number).integers(0, 256, (24, 32, 3), dtype=np.uint8)
        paths.append(here / f"{number}.png")
        Image.fromarray(pixels).save(paths[-1])
    return paths


def _units(folder: Path, clip: Path, photos: Sequence[Path], preset: Preset) -> list[Unit]:
    """The photos, then the clip's shots, into a folder."""
    task = Task(MediaKind.VIDEO, clip, folder / "out.mp4")
    found = survey(clip, TimeRange(), preset, Context())
    made = [PhotoTask(path, folder / path.name, index) for index, path in enumerate(photos)]
    return [*made, *shot_tasks(task, found, TimeRange(), SIZE)]


def _setting(session: Session, units: Sequence[Unit]) -> Setting:
    shots = tuple(unit for unit in units if isinstance(unit, ShotTask))
    return Setting(session, photos=len(units) - len(shots), shots=shots)


def _frames(shot: ShotTask) -> list[np.ndarray]:
    with ShotWork(shot, every_s=None) as work:
        assert work.is_whole
        return [frame.pixels for frame in work.finished(*SIZE, np.uint8)]


def _of(news: Sequence[Event], *kinds: type[Event]) -> list[Event]:
    return [event for event in news if isinstance(event, kinds)]


def _nobody_is_at_work(children_of: Callable[[int], list[int]]) -> None:
    names = ("paint", "worker", "decode", "flow")
    assert not [one for one in threading.enumerate() if one.name.startswith(names)]
    end_waiting()  # a decoder that nobody asks waits for the next clip
    assert children_of(os.getpid()) == []


def _nothing_is_left(folder: Path, children_of: Callable[[int], list[int]]) -> None:
    _nobody_is_at_work(children_of)
    assert not list(folder.rglob(".framestyle-*.png")) and not list(folder.rglob("*.open"))


def test_each_is_done_by_itself_and_a_failed_one_fails_alone(
    tried: Tried,
    here: Path,
    clip: Path,
    photos: list[Path],
    make_preset: MakePreset,
    children_of: Callable[[int], list[int]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Two photos and two shots, then the same turned about with a damaged photo and a shot that the clip lacks."""
    seen = here / "seen"
    seen.mkdir()
    monkeypatch.setenv(SEEN, str(seen))
    engine = tried.engine
    session = Session.open(make_preset(), weights="untrained", device="cpu", masks_follow=False)
    one = _units(here / "one", clip, photos, session.preset)
    told = Told()
    if paints_elsewhere(engine):
        session.close()
    engine.run(one, _setting(session, one), told, Context(told.hear))
    assert sorted(told.begun) == sorted(told.outcomes) == [0, 1, 2, 3]
    assert [type(told.outcomes[number]) for number in range(4)] == [TaskDone] * 2 + [ShotDone] * 2
    # From the beginning of each to its end, on this thread.
    assert told.threads == {threading.get_ident()}
    of_photos = _of(told.news, TaskStarted, PhotoDone, TaskDone)
    assert [type(event) for event in of_photos] == [TaskStarted, PhotoDone, TaskDone] * 2
    for number, frames in enumerate(SHOTS):
        mine = [event for event in _of(told.news, FrameDone) if getattr(event, "shot", None) == number]
        first = sum(SHOTS[:number])
        assert [getattr(event, "index", None) for event in mine] == list(range(first, first + frames))
        assert ShotStarted(number, first, frames) in told.news
        assert any(isinstance(event, StepDone) and event.shot == number for event in told.news)
    _nothing_is_left(here / "one", children_of)

    damaged = here / "damaged.png"
    damaged.write_bytes(photos[0].read_bytes()[:50])
    two = _units(here / "two", clip, photos, session.preset)[::-1]
    shot = next(unit for unit in two if isinstance(unit, ShotTask))
    beyond = replace(shot, number=9, shot=replace(shot.shot, first=shot.shot.end, end=shot.shot.end + 3))
    two[1:1] = [PhotoTask(damaged, here / "two" / "damaged.png"), replace(beyond, span=TimeRange())]
    again = Told()
    engine.run(two, _setting(session, two), again, Context(again.hear))
    for number in (1, 2):
        assert isinstance(again.outcomes[number], InputError)
    assert not any(isinstance(again.outcomes[number], FramestyleError) for number in (0, 3, 4, 5))
    for made, same in zip(
        one, [unit for number, unit in enumerate(two) if number not in (1, 2)][::-1], strict=True
    ):
        if isinstance(made, PhotoTask) and isinstance(same, PhotoTask):
            assert made.target.read_bytes() == same.target.read_bytes()
        elif isinstance(made, ShotTask) and isinstance(same, ShotTask):
            assert all(map(np.array_equal, _frames(made), _frames(same)))
    _nothing_is_left(here / "two", children_of)
    assert {path.name for path in seen.iterdir()} == tried.devices


def test_a_stop_is_heard_within_a_step_and_leaves_nothing_at_work(
    tried: Tried,
    here: Path,
    clip: Path,
    make_preset: MakePreset,
    children_of: Callable[[int], list[int]],
) -> None:
    """By the context's check, or by what its listener raises, as Ctrl-C does; each shot at work keeps a frame."""
    preset = make_preset(
        scales={"min_px": 64, "first_steps": 2, "steps": 2},
        video={"warm_start": "previous", "steps": LONG_STEPS, "min_steps": LONG_STEPS, "tolerance": 0},
    )
    for way in (Cancelled,) if tried.devices else (Cancelled, KeyboardInterrupt):
        session = Session.open(preset, weights="untrained", device="cpu", masks_follow=False)
        units = _units(here / way.__name__, clip, [], preset)
        stop = threading.Event()

        def hear(event: Event, stop: threading.Event = stop, way: type[BaseException] = way) -> None:
            # A warm frame's: the one before it is finished.
            if isinstance(event, StepDone) and event.steps == LONG_STEPS:
                stop.set()
                if way is KeyboardInterrupt:
                    raise KeyboardInterrupt

        def check(stop: threading.Event = stop, way: type[BaseException] = way) -> None:
            if way is Cancelled and stop.is_set():
                raise Cancelled

        told = Told()
        with pytest.raises(way):
            tried.engine.run(units, _setting(session, units), told, Context(hear, check))
        assert stop.is_set() and not told.outcomes
        work = work_folder_of(here / way.__name__ / "out.mp4")
        assert has_work(work)
        assert not [path for path in work.glob("shots/*") if path.is_dir() and path.suffix != ".open"]
        _nobody_is_at_work(children_of)
