"""A disk that gets full stops the work in time, with all of it kept; with room it goes on."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from framestyle.context import Context
from framestyle.doors.advice import next_step
from framestyle.errors import StorageError
from framestyle.events import Event, FrameDone, Note, TaskResumed
from framestyle.jobs.resume.disk_space import RESERVE_BYTES, free_bytes, refuse_shortage, shortage
from framestyle.jobs.resume.resume_key import work_folder_of
from framestyle.jobs.run.batch import Order, paint, prepare
from framestyle.presets import Preset

MakeClip = Callable[..., Path]
MakePreset = Callable[..., Preset]

pytestmark = pytest.mark.usefixtures("here", "loads")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own, with 12 MB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=12m", "tmpfs", str(disk)], capture_output=True)
    if made.returncode != 0:
        pytest.skip("no file system can be mounted here")
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True)


def test_the_disk_is_that_of_the_nearest_folder_that_exists(tmp_path: Path) -> None:
    there = os.statvfs(tmp_path)
    assert abs(free_bytes(tmp_path / "not" / "yet") - there.f_bavail * there.f_frsize) < 1e9


def test_too_little_is_warned_of_before_and_refused_at_the_end(tmp_path: Path) -> None:
    free = free_bytes(tmp_path)
    assert shortage(tmp_path, free / 2) is None
    warning = shortage(tmp_path, free * 2)
    assert warning is not None and warning.level == "warning" and "are needed" in warning.message
    refuse_shortage(tmp_path, free / 2)
    with pytest.raises(StorageError, match="stopped before it is full") as caught:
        refuse_shortage(tmp_path, free * 2)
    assert "same command" in str(next_step(caught.value))


def test_work_stops_before_the_disk_is_full_and_goes_on_with_more_room(
    small_disk: Path, make_clip: MakeClip, make_preset: MakePreset
) -> None:
    preset = make_preset(scales={"steps": 1}, output={"quality": "lossless", "save_every_s": 0})
    size = "noise=alls=100:allf=t,scale=160:120"
    source = make_clip("in.mp4", shots=(8,), keep=size)

    def do(target: Path) -> list[Event]:
        news: list[Event] = []
        order = Order([source], target, [preset], weights="untrained", device="cpu")
        paint(prepare(order), order, Context(news.append))
        return news

    do(Path("whole.mp4"))
    target = small_disk / "out.mp4"
    with pytest.raises(StorageError, match="are free on the disk of"):
        do(target)
    assert free_bytes(small_disk) > RESERVE_BYTES / 4, "it was stopped in time"
    assert not target.exists() and work_folder_of(target).is_dir()
    subprocess.run(["mount", "-o", "remount,size=200m", str(small_disk)], check=True)
    news = do(target)
    (resumed,) = [event for event in news if isinstance(event, TaskResumed)]
    assert 0 < resumed.frames < 8 == resumed.frames + sum(isinstance(event, FrameDone) for event in news)
    assert not [event for event in news if isinstance(event, Note) and "are needed" in event.message]
    assert target.read_bytes() == Path("whole.mp4").read_bytes()
    assert [path.name for path in small_disk.iterdir()] == ["out.mp4"]
