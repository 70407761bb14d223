"""Photos side by side: as many as there are hands and memory for, told and recorded as if one by one."""

from __future__ import annotations

import dataclasses
import os
import queue
import signal
import threading
import time
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from ready import Ready
from torch_threads import torch_threads

from framestyle.context import SILENT, Context
from framestyle.errors import Cancelled, InputError
from framestyle.events import (
    Event,
    JobDone,
    JobStarted,
    Note,
    PhotoDone,
    StepDone,
    TaskDone,
    TaskFailed,
    TaskPlanned,
)
from framestyle.jobs.engines import side_by_side
from framestyle.jobs.engines.engine import Outcome, Setting
from framestyle.jobs.engines.local import LocalEngine
from framestyle.jobs.engines.side_by_side import Crew, Places, SideBySide
from framestyle.jobs.plan.tasks import Task
from framestyle.jobs.resume.scratch import Scratch
from framestyle.jobs.run.job import run
from framestyle.jobs.run.reporting import PriorResults
from framestyle.kinds import MediaKind, TimeRange
from framestyle.nst import styles as styles_module
from framestyle.nst import stylizer as stylizer_module
from framestyle.nst.image import Size

MakeWorkshop = Callable[..., Ready]

LONG_STEPS = 100_000


def _done(number: int) -> TaskDone:
    return TaskDone(f"{number}.png", f"out/{number}.png", 1, 1, 0.0)


# -- the crew ----------------------------------------------------------------------------------------------


def _uses_the_machine(crew: Crew, photos: int, threads: int) -> bool:
    """As many pictures as may be, and fewer threads idle than would be one more for each."""
    pictures = min(side_by_side.MOST_PICTURES, max(1, photos), threads)
    return crew.pictures == pictures and 0 <= threads - crew.pictures * crew.threads < crew.pictures


@given(photos=st.integers(0, 500), threads=st.integers(1, 256))
def test_a_crew_uses_the_machine_and_no_more_of_it(photos: int, threads: int) -> None:
    assert _uses_the_machine(Crew.of(photos, threads), photos, threads)


@pytest.mark.parametrize("crew", [Crew(1, 1), Crew(1, 4), Crew(2, 1), Crew(4, 2), Crew(5, 1)])
def test_a_crew_that_leaves_threads_idle_or_takes_more_does_not(crew: Crew) -> None:
    assert not _uses_the_machine(crew, photos=8, threads=4)
    assert _uses_the_machine(Crew(4, 1), photos=8, threads=4)


def test_a_gpu_paints_one_by_one(make_workshop: MakeWorkshop, monkeypatch: pytest.MonkeyPatch) -> None:
    session, _ = make_workshop()
    monkeypatch.setattr(session.stylizer, "device", torch.device("cuda"))
    assert LocalEngine().photos_at_once(Setting(session, 4)) == 1


@pytest.mark.usefixtures("two_threads")
@pytest.mark.parametrize(
    ("left", "done", "at_once"), [(3, 0, 2), (1, 2, 2), (1, 0, 1)], ids=["all", "one is left", "only one"]
)
def test_the_crew_does_not_depend_on_what_is_left(
    photos: list[Task], make_workshop: MakeWorkshop, left: int, done: int, at_once: int
) -> None:
    """Else a photo that is made anew would have other last bits."""
    news: list[Event] = []
    before = PriorResults(done=tuple(photos[left : left + done]))
    _paint(photos[:left], make_workshop(news.append), before=before)
    assert [event.at_once for event in news if isinstance(event, JobStarted)] == [at_once]


# -- in order ----------------------------------------------------------------------------------------------


class _Led:
    """A task that does what it is told, when it is told."""

    def __init__(self) -> None:
        self.orders: queue.SimpleQueue[Event | Outcome] = queue.SimpleQueue()

    def __call__(self, context: Context) -> TaskDone:
        while not isinstance(order := self.orders.get(), TaskDone | InputError):
            assert isinstance(order, Event)
            context.on_event(order)
        if isinstance(order, InputError):
            raise order
        return order


@settings(deadline=None, max_examples=60)
@given(data=st.data(), lengths=st.lists(st.integers(0, 4), min_size=1, max_size=4))
def test_each_task_is_told_whole_before_the_next(data: st.DataObject, lengths: list[int]) -> None:
    """Whatever they do in whatever order; what ends is on record at once."""
    told: list[Event] = []
    ended: list[int] = []

    def end(number: int, outcome: Outcome) -> Event:
        ended.append(number)
        return outcome if isinstance(outcome, TaskDone) else TaskFailed(str(number), outcome.message)

    news: list[list[Event | Outcome]] = []
    for number, length in enumerate(lengths):
        last: Outcome = _done(number) if data.draw(st.booleans()) else InputError("damaged")
        news.append([*(Note(f"{number} {one}") for one in range(length)), last])
    order = data.draw(st.permutations([number for number, all_ in enumerate(news) for _ in all_]))
    tasks = [_Led() for _ in lengths]
    with SideBySide(len(lengths), Context(told.append), end) as beside:
        for number, task in enumerate(tasks):
            beside.begin(number, task, 1)
        given_so_far = [0] * len(lengths)
        for number in order:
            order_ = news[number][given_so_far[number]]
            given_so_far[number] += 1
            tasks[number].orders.put(order_)
            if isinstance(order_, TaskDone | InputError):
                beside.wait()
                assert ended[-1] == number
        beside.wait_for_all()
    expected: list[Event] = []
    for number, all_ in enumerate(news):
        expected += [one for one in all_[:-1] if isinstance(one, Event)]
        last = all_[-1]
        expected.append(last if isinstance(last, TaskDone) else TaskFailed(str(number), "damaged"))
    assert told == expected


def test_a_fault_of_the_program_is_raised_where_it_is_waited_for() -> None:
    def broken(context: Context) -> TaskDone:
        raise ZeroDivisionError("of a task")

    with (
        pytest.raises(ZeroDivisionError, match="of a task"),
        SideBySide(2, SILENT, lambda number, outcome: Note("")) as beside,
    ):
        beside.begin(0, broken, 1)
        beside.wait_for_all()


def test_what_is_at_work_ends_with_the_job_and_what_was_done_counts() -> None:
    ended: list[int] = []
    both_run = threading.Barrier(3)

    def endless(context: Context) -> TaskDone:
        both_run.wait()
        while True:
            context.check_cancelled()

    def at_its_end(context: Context) -> TaskDone:
        both_run.wait()
        return _done(1)

    def end(number: int, outcome: Outcome) -> Event:
        ended.append(number)
        return Note("")

    with (
        pytest.raises(KeyboardInterrupt),
        SideBySide(2, SILENT, end) as beside,
    ):
        beside.begin(0, endless, 1)
        beside.begin(1, at_its_end, 1)
        beside.begin(2, endless, 1)  # waits for a thread, and is never begun
        both_run.wait()
        raise KeyboardInterrupt
    assert ended == [1]


def test_a_second_ctrl_c_waits_until_those_at_work_have_kept_what_they_have() -> None:
    kept: list[bool] = []
    runs = threading.Event()

    def at_work(context: Context) -> TaskDone:
        runs.set()
        try:
            while True:
                context.check_cancelled()
        except Cancelled:
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.2)
            kept.append(True)
            raise

    with pytest.raises(KeyboardInterrupt), SideBySide(1, SILENT, lambda number, outcome: Note("")) as beside:
        beside.begin(0, at_work, 1)
        runs.wait()
        raise KeyboardInterrupt
    assert kept == [True]


def test_threads_are_as_before_afterwards() -> None:
    before = torch.get_num_threads()
    seen: list[int] = []

    def look(context: Context) -> TaskDone:
        seen.append(torch.get_num_threads())
        return _done(0)

    with SideBySide(1, SILENT, lambda number, outcome: Note("")) as beside:
        beside.begin(0, look, before + 1)
        beside.wait_for_all()
    later: list[int] = []
    other = threading.Thread(target=lambda: later.append(torch.get_num_threads()))
    other.start()
    other.join()
    assert seen == [before + 1] and torch.get_num_threads() == before and later == [before]


# -- room --------------------------------------------------------------------------------------------------


class _Numbers:
    """What `Places` asks of a `TilingPlanner`, by plain numbers: a byte a pixel."""

    def __init__(self, room: int | None) -> None:
        self.room = room

    def whole_bytes(self, size: Size) -> int:
        return size.area_px

    def room_bytes(self) -> int | None:
        return self.room


@settings(deadline=None, max_examples=40)
@given(
    sizes=st.lists(st.integers(1, 1500), min_size=1, max_size=12),
    room=st.one_of(st.none(), st.integers(0, 4000)),
    pictures=st.integers(2, 4),
)
def test_pictures_share_the_memory_or_are_alone(sizes: list[int], room: int | None, pictures: int) -> None:
    lock, at_work, seen = threading.Lock(), {}, []  # type: ignore[var-annotated]

    def paint(number: int, context: Context) -> TaskDone:
        with lock:
            at_work[number] = sizes[number]
            seen.append((dict(at_work), torch.get_num_threads()))
        time.sleep(0.0005)
        with lock:
            del at_work[number]
        return _done(number)

    ended: list[int] = []

    def end(number: int, outcome: Outcome) -> Event:
        ended.append(number)
        return _done(number)

    with torch_threads(pictures + 1), pytest.MonkeyPatch.context() as patched:
        patched.setattr(side_by_side, "LARGEST_BESIDE_PX", 1000)
        patched.setattr(side_by_side, "UNSEEN_ROOM_BYTES", 2500)
        places = Places(Crew(pictures, 1), _Numbers(room))  # type: ignore[arg-type]
        with SideBySide(pictures, SILENT, end) as beside:
            for number, area in enumerate(sizes):
                threads = places.wait_for(number, Size(area, 1), beside)
                beside.begin(number, partial(paint, number), threads)
            beside.wait_for_all()
    assert sorted(ended) == list(range(len(sizes)))
    for together, threads in seen:
        assert len(together) <= pictures
        if len(together) > 1:
            assert max(together.values()) <= 1000
            assert sum(together.values()) <= (2500 if room is None else room)
            assert threads == 1
        elif max(together.values()) > (1000 if room is None else min(room, 1000)):
            assert threads == pictures + 1


# -- whole jobs --------------------------------------------------------------------------------------------


@pytest.fixture
def photos(tmp_path: Path) -> list[Task]:
    """Five of several sizes."""
    tasks = []
    for number, (width, height) in enumerate(((72, 54), (48, 64), (72, 54), (80, 66), (64, 64))):
        pixels = np.random.default_rng(number).integers(0, 256, (height, width, 3), dtype=np.uint8)
        source = tmp_path / f"{number}.png"
        Image.fromarray(pixels).save(source)
        tasks.append(Task(MediaKind.PHOTO, source, tmp_path / "out" / f"{number}.png"))
    (tmp_path / "out").mkdir()
    return tasks


def _paint(tasks: list[Task], workshop: Ready, **more: Any) -> JobDone:
    return run(tasks, tasks[0].target.parent, TimeRange(), *workshop, **more)


def _as_one_by_one(event: Event) -> Event:
    if isinstance(event, JobStarted | TaskPlanned):
        return dataclasses.replace(event, at_once=1)
    if isinstance(event, PhotoDone | TaskDone | JobDone):
        return dataclasses.replace(event, seconds=0.0)
    return event


@pytest.mark.usefixtures("two_threads")
def test_a_folder_side_by_side_is_the_folder_one_by_one(
    photos: list[Task], make_workshop: MakeWorkshop
) -> None:
    """With as many threads a picture: the same pixels, and the same news in the same order."""
    side: list[Event] = []
    _paint(photos, make_workshop(side.append))
    pixels = [np.asarray(Image.open(task.target)) for task in photos]
    for task in photos:
        task.target.unlink()
    single: list[Event] = []
    torch.set_num_threads(1)
    _paint(photos, make_workshop(single.append))
    assert [event.at_once for event in (*side, *single) if isinstance(event, JobStarted)] == [2, 1]
    assert list(map(_as_one_by_one, side)) == list(map(_as_one_by_one, single))
    assert {type(event) for event in side} >= {StepDone, PhotoDone, TaskDone, JobDone}
    for task, before in zip(photos, pixels, strict=True):
        assert np.array_equal(np.asarray(Image.open(task.target)), before)


@pytest.mark.usefixtures("two_threads")
def test_two_are_at_work_at_once(
    photos: list[Task], make_workshop: MakeWorkshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each of the first two waits for the other one's first step."""
    met = threading.Barrier(2, timeout=30)
    first_step = stylizer_module.loss_and_gradient
    known: set[int] = set()

    def meeting(*given: Any, **options: Any) -> Any:
        thread = threading.get_ident()
        if thread not in known:
            known.add(thread)
            met.wait()
        return first_step(*given, **options)

    monkeypatch.setattr(stylizer_module, "loss_and_gradient", meeting)
    done = _paint(photos, make_workshop())
    assert len(known) == 2 and len(done.outputs) == 5 and not done.failed


@pytest.mark.usefixtures("two_threads")
def test_a_damaged_photo_stops_none_beside_it(photos: list[Task], make_workshop: MakeWorkshop) -> None:
    photos[1].source.write_bytes(b"no picture")
    news: list[Event] = []
    done = _paint(photos, make_workshop(news.append))
    assert done.failed == (str(photos[1].source),)
    assert done.outputs == tuple(str(task.target) for task in photos if task is not photos[1])
    ends = [event.path for event in news if isinstance(event, TaskDone | TaskFailed)]
    assert ends == [str(task.source) for task in photos]


@pytest.mark.usefixtures("two_threads")
def test_a_stop_is_heard_between_steps_and_leaves_nothing(
    photos: list[Task], make_workshop: MakeWorkshop
) -> None:
    def stop(event: Event) -> None:
        if isinstance(event, StepDone):
            raise KeyboardInterrupt

    workshop = make_workshop(stop, scales={"first_steps": LONG_STEPS, "steps": LONG_STEPS})
    folder = photos[0].target.parent
    with pytest.raises(KeyboardInterrupt), Scratch(folder) as scratch:
        _paint(photos, workshop, scratch=scratch)
    assert list(folder.iterdir()) == []
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("paint")]


@pytest.mark.usefixtures("two_threads")
def test_the_style_is_read_once_for_pictures_of_one_size(
    photos: list[Task], make_workshop: MakeWorkshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[Size] = []
    read_style = styles_module.read_style

    def counted(
        network: Any, image: Any, layers: Any, statistic: Any, size: Size, *more: Any, **named: Any
    ) -> Any:
        read.append(size)
        time.sleep(0.05)  # so that both come while it is read
        return read_style(network, image, layers, statistic, size, *more, **named)

    monkeypatch.setattr(styles_module, "read_style", counted)
    _paint([photos[0], photos[2]], make_workshop())
    assert len(read) == len(set(read)) > 0


def test_two_calls_of_one_stylizer_each_tell_their_own_caller(make_workshop: MakeWorkshop) -> None:
    """At the same time, on two threads: nothing of the one call is heard, or asked, by the other."""
    (shop, _) = make_workshop(scales={"first_steps": 3, "steps": 2})
    content = torch.rand(1, 3, 40, 56, generator=torch.Generator().manual_seed(1))
    whole = shop.stylizer.stylize(content)
    heard: dict[int, list[Event]] = {0: [], 1: []}
    asked: dict[int, set[int]] = {0: set(), 1: set()}
    met = threading.Barrier(2, timeout=30)

    def paint(number: int) -> torch.Tensor:
        met.wait()
        check = partial(lambda: asked[number].add(threading.get_ident()))
        return shop.stylizer.stylize(content, Context(heard[number].append, check)).image

    with ThreadPoolExecutor(2) as pool:
        images = list(pool.map(paint, (0, 1)))
    assert all(torch.equal(image, whole.image) for image in images)
    assert heard[0] == heard[1] and len(heard[0]) > 0
    assert len(asked[0]) == len(asked[1]) == 1 and asked[0] != asked[1]


@pytest.mark.usefixtures("two_threads")
def test_an_event_reaches_the_console_in_three_calls(photos: list[Task], make_workshop: MakeWorkshop) -> None:
    """From the step: on to the caller's thread, to all listeners, to this one; and what is asked ends the photos."""
    hops: list[int] = []

    def console(event: Event) -> None:
        if isinstance(event, StepDone):
            frames = [one.name for one in traceback.extract_stack()]
            on_the_callers_thread = frames[frames.index("wait") :]
            # `wait` took it from the queue into which the step put it: a hop, and one for each call since.
            hops.append(1 + len(on_the_callers_thread) - 1)

    shop, _ = make_workshop()
    context = Context(console).also(lambda event: None).also(lambda event: None)
    run(photos, photos[0].target.parent, TimeRange(), shop, context)
    assert hops and max(hops) <= 3


@pytest.mark.usefixtures("two_threads")
def test_a_callers_check_ends_photos_at_work(photos: list[Task], make_workshop: MakeWorkshop) -> None:
    stop = threading.Event()

    def check() -> None:
        if stop.is_set():
            raise Cancelled

    shop, _ = make_workshop(scales={"first_steps": LONG_STEPS, "steps": LONG_STEPS})
    context = Context(lambda event: stop.set() if isinstance(event, StepDone) else None, check)
    with pytest.raises(Cancelled):
        run(photos, photos[0].target.parent, TimeRange(), shop, context)
    assert not list(photos[0].target.parent.glob("*.png"))
