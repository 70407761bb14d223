"""Every door keeps the same contract: the command line's pixels, progress, cancel, errors, and nothing left behind."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from door import (
    CASES,
    Case,
    Door,
    Frames,
    Job,
    Painted,
    all_doors,
    read_clip,
    read_photo,
    write_clip,
    write_photo,
)

from framestyle.doors import cli

QUICK = """\
schema: 1
extends: nightswirl
style: {layers: {relu1_1: 1, relu2_1: 1, relu3_1: 0, relu4_1: 0, relu5_1: 0}}
content: {layers: {relu2_1: 1, relu3_2: 0, relu4_2: 0, relu5_2: 0}}
optimizer: {precision: float32}
scales: {min_px: 16, max_side_px: 32, first_steps: %s, steps: 1}
video: {steps: 2, min_steps: 1}
"""
FEW, MANY = 2, 5_000
STEPS_IN_TWO_WINDOWS = 20
"""Steps are told of by windows: so many may be on their way when the cancel comes."""
DOORS = all_doors()
Painting = Callable[[Door, Case], Painted]


@pytest.fixture(autouse=True)
def nothing_left(warm_server: None, door: Door, children_of: Callable[[int], list[int]]) -> Iterator[None]:
    """No thread, no process, but for a host that runs through all tests; and no process of that one's."""

    def descendants(parent: int) -> set[int]:
        return {one for child in children_of(parent) for one in (child, *descendants(child))}

    threads, children = set(threading.enumerate()), descendants(os.getpid())
    yield
    assert set(threading.enumerate()) <= threads
    assert descendants(os.getpid()) <= children


@pytest.fixture(scope="session", autouse=True)
def hosts_end() -> Iterator[None]:
    """Those that were started."""
    yield
    for one in DOORS:
        one.stop()


@pytest.fixture(params=DOORS, ids=repr)
def door(request: pytest.FixtureRequest, warm_python: Path) -> Door:
    """Each that is here; one that is not skips with its reason, and fails where FRAMESTYLE_HOSTS=required."""
    found: Door = request.param
    if (why := found.missing()) is not None:
        (pytest.fail if os.environ.get("FRAMESTYLE_HOSTS") == "required" else pytest.skip)(why)
    found.start(warm_python)
    return found


@pytest.fixture(scope="session")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Job]:
    """`asked(frames, steps)`: a job in a folder of its own."""

    def made(frames: Frames, steps: int = FEW) -> Job:
        folder = tmp_path_factory.mktemp("door")
        preset = folder / "quick.yaml"
        preset.write_text(QUICK % steps)
        (folder / "own").mkdir()
        return Job(frames, preset, folder / "own")

    return made


@pytest.fixture(scope="session")
def by_command_line(asked: Callable[..., Job]) -> Callable[[Frames, bool], Frames]:
    """The clip, or the photo, by files, through `framestyle stylize`."""
    known: dict[tuple[bytes, tuple[int, ...], bool], Frames] = {}

    def painted(frames: Frames, is_photo: bool) -> Frames:
        key = frames.tobytes(), frames.shape, is_photo
        if key not in known:
            job = asked(frames)
            write, read, end = (
                (write_photo, read_photo, "png") if is_photo else (write_clip, read_clip, "mkv")
            )
            clip, target = write(job.folder / f"in.{end}", frames), job.folder / f"out.{end}"
            options = [
                "-p",
                str(job.preset),
                "--weights",
                "untrained",
                "--device",
                "cpu",
                "--progress",
                "none",
            ]
            lossless = ["--set", "output.video_codec=ffv1"]
            assert cli.main(["stylize", str(clip), "-o", str(target), *options, *lossless]) == 0
            known[key] = read(target, frames)
        return known[key]

    return painted


@pytest.fixture(scope="session")
def painting(asked: Callable[..., Job]) -> Painting:
    """What a door makes of a case, once for all tests."""

    known: dict[tuple[Door, Case], Painted] = {}

    def painted(door: Door, case: Case) -> Painted:
        if (door, case) not in known:
            cases = [one for one in CASES if one.needs <= door.carries] if door.paints_together else [case]
            made = door.paint_together([asked(one.made()) for one in cases])
            known.update(zip([(door, one) for one in cases], made, strict=True))
        return known[door, case]

    return painted


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_clip_has_the_command_lines_pixels(
    door: Door, case: Case, painting: Painting, by_command_line: Callable[[Frames, bool], Frames]
) -> None:
    if not case.needs <= door.carries:
        pytest.skip(f"{door!r} does not carry it")
    painted = painting(door, case).frames
    wanted = by_command_line(door.as_carried(case.made()), door.paints_photos)
    assert painted.shape == wanted.shape
    assert painted.dtype == wanted.dtype
    apart = np.abs(painted.astype(np.int64) - wanted.astype(np.int64)) / np.iinfo(wanted.dtype).max
    if case.alpha:
        assert apart[..., 3].max() * 255 <= door.levels
        apart = apart[wanted[..., 3] > 0]  # what is hidden may be anything
    assert apart.max() * 255 <= door.levels


def test_progress_goes_from_nothing_to_the_last_frame(door: Door, painting: Painting) -> None:
    case = CASES[0]
    progress = list(painting(door, case).progress)
    assert progress[0] == 0
    assert progress[-1] == len(door.as_carried(case.made()))
    assert progress == sorted(progress)
    assert len(progress) > 2


def test_a_cancel_comes_within_a_step(door: Door, asked: Callable[..., Job]) -> None:
    stopped = door.cancel(asked(CASES[0].made(), MANY))
    assert stopped.steps_after <= STEPS_IN_TWO_WINDOWS
    assert "Traceback" not in stopped.said


def test_a_broken_clip_is_an_error_in_the_hosts_own_way(door: Door, asked: Callable[..., Job]) -> None:
    job = asked(CASES[0].made())
    said = door.broken(job)
    assert said
    assert "Traceback" not in said
    assert not list(Path(job.folder).rglob(".framestyle-*"))
