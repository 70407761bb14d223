"""Reading ahead and writing behind: bounded, in order, and over when they are left."""

from __future__ import annotations

import os
import queue
import random
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from fractions import Fraction
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from framestyle.frames import Frame, Pixels
from framestyle.jobs.run.queues import QUEUE_FRAMES, WriteBehind, read_ahead
from framestyle.media.video.writer import VideoSettings, VideoWriter


def _pixels(number: int) -> Pixels:
    return np.full((16, 16, 3), number, np.uint8)


class _Source:
    """Frames without end, which counts those taken."""

    def __init__(self, end: int = 10_000, error: BaseException | None = None) -> None:
        self.taken, self._end, self._error = 0, end, error

    def __iter__(self) -> Iterator[Frame]:
        while self.taken < self._end:
            self.taken += 1
            yield Frame(self.taken - 1, Fraction(self.taken - 1, 25), _pixels(self.taken % 256))
        if self._error is not None:
            raise self._error


def _threads(name: str) -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == name]


def _settled(count: Callable[[], int]) -> int:
    """The count once it no longer changes."""
    before = -1
    while (now := count()) != before:
        before = now
        time.sleep(0.15)
    return now


# -- reading -----------------------------------------------------------------------------------------------


def test_frames_come_in_order_and_all() -> None:
    assert [frame.index for frame in read_ahead(_Source(50))] == list(range(50))
    assert not _threads("decode")


def test_no_more_than_the_queue_is_read_ahead() -> None:
    source = _Source()
    with closing(read_ahead(source)) as frames:
        for number in range(1, 4):
            next(frames)
            # Those given out, those that wait, and the one in the thread's hand.
            assert _settled(lambda: source.taken) == number + QUEUE_FRAMES + 1
    assert not _threads("decode")


def test_closing_ends_the_thread_while_frames_wait() -> None:
    source = _Source()
    frames = read_ahead(source)
    next(frames)
    frames.close()
    assert not _threads("decode")
    taken = source.taken
    time.sleep(0.1)
    assert source.taken == taken


def test_an_error_of_the_source_comes_after_the_frames_before_it() -> None:
    got = []
    with pytest.raises(OSError, match="cable"):
        for frame in read_ahead(_Source(20, OSError("someone pulled the cable"))):
            got.append(frame.index)
    assert got == list(range(20))
    assert not _threads("decode")


def test_nothing_is_read_before_it_is_asked_for_and_nothing_comes_from_nothing() -> None:
    source = _Source()
    frames = read_ahead(source)
    time.sleep(0.1)
    assert source.taken == 0
    frames.close()
    assert list(read_ahead([])) == []


# -- writing -----------------------------------------------------------------------------------------------


class _SlowWriter(VideoWriter):
    """A real writer, each of whose frames waits for a permit; which notes what it wrote."""

    def __init__(self, target: Path, fail_at: int | None = None) -> None:
        rate, settings = Fraction(25), VideoSettings("h264", "draft")
        super().__init__(target, width=16, height=16, frame_rate=rate, settings=settings)
        self.permits, self.fail_at, self.written = threading.Semaphore(0), fail_at, 0

    def write(self, pixels: Pixels) -> None:
        assert self.permits.acquire(timeout=20)
        if self.written == self.fail_at:
            raise OSError("no room left")
        super().write(pixels)
        self.written += 1


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[_SlowWriter]:
    with _SlowWriter(tmp_path / "out.mp4") as made:
        yield made


def _put_all(behind: WriteBehind, count: int, done: list[int]) -> None:
    for number in range(count):
        behind.put(_pixels(number))
        done.append(number)


def test_no_more_than_the_queue_waits_to_be_written(writer: _SlowWriter) -> None:
    done: list[int] = []
    with WriteBehind(writer) as behind:
        thread = threading.Thread(target=_put_all, args=(behind, 30, done))
        thread.start()
        # Those that wait, and the one in the thread's hand.
        assert _settled(lambda: len(done)) == QUEUE_FRAMES + 1
        writer.permits.release(5)
        assert _settled(lambda: len(done)) == QUEUE_FRAMES + 6
        writer.permits.release(100)
        thread.join()
    assert writer.written == 30
    assert not _threads("encode")


def test_an_error_of_the_writer_is_raised_at_a_later_put_and_holds_up_nobody(tmp_path: Path) -> None:
    with _SlowWriter(tmp_path / "out.mp4", fail_at=3) as writer:
        writer.permits.release(100)
        done: list[int] = []
        with pytest.raises(OSError, match="no room left"), WriteBehind(writer) as behind:
            _put_all(behind, 500, done)
        assert len(done) <= 3 + QUEUE_FRAMES + 2
        assert writer.written == 3
        writer.fail_at = None
    assert not _threads("encode")


def test_an_error_at_the_last_frame_is_raised_at_the_end(tmp_path: Path) -> None:
    with _SlowWriter(tmp_path / "out.mp4", fail_at=2) as writer:
        writer.permits.release(100)
        with pytest.raises(OSError, match="no room left"), WriteBehind(writer) as behind:
            _put_all(behind, 3, [])


def test_left_by_an_error_it_drops_what_waits(writer: _SlowWriter) -> None:
    class _Mine(Exception):  # noqa: N818
        pass

    def leave(behind: WriteBehind) -> Any:
        # One more than waits: the thread holds the first, and gets its permit only after we have left.
        _put_all(behind, QUEUE_FRAMES + 1, [])
        threading.Timer(0.2, writer.permits.release, (100,)).start()
        raise _Mine

    with pytest.raises(_Mine), WriteBehind(writer) as behind:
        leave(behind)
    assert writer.written == 1
    assert not _threads("encode")


# -- Ctrl-C ------------------------------------------------------------------------------------------------


class _Nowhere:
    """A writer that is done at once."""

    def write(self, *_: Any) -> None:
        pass


@pytest.mark.timeout(60)
def test_a_ctrl_c_at_any_moment_leaves_nobody_waiting() -> None:
    """Also within the queue's own code, and while a thread is being started."""
    chance = random.Random(0)

    waits: queue.SimpleQueue[float] = queue.SimpleQueue()

    def press() -> None:
        while (after_s := waits.get()) >= 0:
            time.sleep(after_s)
            os.kill(os.getpid(), signal.SIGINT)

    def writing() -> None:
        with WriteBehind(cast(VideoWriter, _Nowhere())) as behind:
            while True:
                behind.put(_pixels(0))

    def reading() -> None:
        with closing(read_ahead(_Source(10**9))) as frames:
            for _ in frames:
                pass

    finger = threading.Thread(target=press)
    finger.start()
    try:
        for work in [writing, reading] * 150:
            with pytest.raises(KeyboardInterrupt):
                waits.put(chance.uniform(0.0002, 0.004))
                work()
    finally:
        waits.put(-1)
        finger.join()
    assert _settled(lambda: len(_threads("decode") + _threads("encode"))) == 0
