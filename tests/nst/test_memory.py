"""The planner takes the quickest way that fits; memory that runs out costs a step back, not the picture."""

from __future__ import annotations

import mmap
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from framestyle.context import Context
from framestyle.doors.advice import next_step
from framestyle.errors import DeviceError
from framestyle.events import Event, FrameDone, Note
from framestyle.frames import Frame
from framestyle.motion.sequence import stylize_frames
from framestyle.motion.shots import Shot
from framestyle.nst import memory, memory_plan
from framestyle.nst.host_memory import available_bytes, free_host_bytes, resident_bytes
from framestyle.nst.image import Size, to_pixels
from framestyle.nst.memory import TilingPlanner, is_out_of_memory, room_bytes
from framestyle.nst.memory_plan import Demand, choose, options, smaller
from framestyle.nst.network import vgg
from framestyle.nst.network.tiles import WHOLE, Tiling
from framestyle.nst.network.vgg import stages_up_to
from framestyle.nst.stylizer import Stylizer
from framestyle.nst.weights.backbone import Backbone
from framestyle.presets import Preset

Picture = Callable[..., Tensor]
TAPS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu4_2", "relu5_1")
GIB = 1 << 30
sizes = st.builds(Size, st.integers(1, 12_000), st.integers(1, 12_000))


def _demand(taps: tuple[str, ...] = TAPS, value_bytes: int = 4, **rest: Any) -> Demand:
    return Demand(stages_up_to(taps), frozenset({"relu4_2"}), value_bytes, **rest)


demands = st.builds(
    _demand,
    st.sampled_from([TAPS, ("relu1_2",), ("relu2_1", "relu3_4"), ("pool5",), ("conv4_2", "relu2_2")]),
    st.sampled_from([2, 4, 8]),
    pooling=st.sampled_from(["average", "max", "l2"]),
)


# -- the planner -------------------------------------------------------------------------------------------


@given(size=sizes, demand=demands, room=st.integers(0, 64 * GIB))
@settings(max_examples=40, deadline=None, derandomize=True)
def test_the_quickest_that_fits_is_taken(size: Size, demand: Demand, room: int) -> None:
    ways = options(size, demand)
    found = choose(ways, room)
    fitting = [one for one in ways if one.needs_bytes <= room]
    if found is None:
        assert not fitting
    else:
        assert found in fitting and found.work == min(one.work for one in fitting)


@given(size=sizes, demand=demands)
@settings(max_examples=30, deadline=None, derandomize=True)
def test_the_whole_is_the_quickest_and_there_is_always_a_way(size: Size, demand: Demand) -> None:
    ways = options(size, demand)
    assert ways[0].tiling == WHOLE and ways[0].work == pytest.approx(1)
    assert choose(ways, None) == ways[0]
    assert len({one.tiling for one in ways}) == len(ways)
    assert all(one.work >= ways[0].work and one.needs_bytes > 0 for one in ways)


@given(size=sizes, demand=demands, rooms=st.tuples(st.integers(0, 64 * GIB), st.integers(0, 64 * GIB)))
@settings(max_examples=30, deadline=None, derandomize=True)
def test_more_room_is_never_slower(size: Size, demand: Demand, rooms: tuple[int, int]) -> None:
    ways = options(size, demand)
    less, more = (choose(ways, room) for room in sorted(rooms))
    if less is not None:
        assert more is not None and more.work <= less.work


@given(size=sizes, demand=demands)
@settings(max_examples=30, deadline=None, derandomize=True)
def test_stepping_down_needs_less_each_time_and_ends(size: Size, demand: Demand) -> None:
    ways = options(size, demand)
    way = ways[0]
    for _ in ways:
        found = smaller(ways, way.tiling)
        if found is None:
            break
        assert found.needs_bytes < way.needs_bytes
        way = found
    assert smaller(ways, way.tiling) is None
    assert way.needs_bytes == min(one.needs_bytes for one in ways)


@given(width=st.integers(256, 8000), height=st.integers(256, 8000), demand=demands)
@settings(max_examples=30, deadline=None, derandomize=True)
def test_a_larger_picture_needs_more_in_the_same_way(width: int, height: int, demand: Demand) -> None:
    small = {one.tiling: one for one in options(Size(width, height), demand)}
    large = {one.tiling: one for one in options(Size(width + 640, height + 640), demand)}
    assert small.keys() <= large.keys()
    assert large[WHOLE].needs_bytes > small[WHOLE].needs_bytes


def test_tiles_bound_what_a_huge_picture_needs() -> None:
    """8K: whole it takes tens of gigabytes, in tiles little more than its pixels and the content's features."""
    ways = options(Size(7680, 4320), _demand())
    assert ways[0].needs_bytes > 30 * GIB
    least = min(one.needs_bytes for one in ways)
    assert least < 3 * GIB
    within = choose(ways, 4 * GIB)
    assert within is not None and within.tiling.blocks == 5 and within.work < 2.5


@given(size=sizes, demand=demands)
@settings(max_examples=30, deadline=None, derandomize=True)
def test_without_a_gradient_every_way_needs_less(size: Size, demand: Demand) -> None:
    read = {one.tiling: one for one in options(size, replace(demand, gradient=False))}
    for way in options(size, demand):
        assert read[way.tiling].needs_bytes < way.needs_bytes


def test_half_precision_needs_less_and_lbfgs_more() -> None:
    size = Size(2000, 2000)
    full, half, memories = (
        options(size, one)[0].needs_bytes
        for one in (_demand(), _demand(value_bytes=2), _demand(optimizer_images=25))
    )
    assert half < 0.7 * full and memories > full + 0.9 * 25 * 12 * size.area_px


# -- what the machine has ----------------------------------------------------------------------------------


def _machine(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


AVAILABLE_KIB = 4000
"""What the machine has; a container may have less."""


@pytest.mark.parametrize(
    ("files", "kib"),
    [
        ({}, 4000),
        ({"proc/self/cgroup": "0::/box/inner\n"}, 4000),
        (
            {
                "proc/self/cgroup": "0::/box/inner\n",
                "sys/fs/cgroup/box/memory.max": "3072000\n",
                "sys/fs/cgroup/box/memory.current": "2048000\n",
                "sys/fs/cgroup/box/memory.stat": "anon 1\ninactive_file 512000\n",
                "sys/fs/cgroup/box/inner/memory.max": "max\n",
                "sys/fs/cgroup/box/inner/memory.current": "1\n",
            },
            1500,
        ),
        (
            {
                "proc/self/cgroup": "12:cpu,cpuacct:/box\n5:memory:/box\n",
                "sys/fs/cgroup/memory/box/memory.limit_in_bytes": "3072000\n",
                "sys/fs/cgroup/memory/box/memory.usage_in_bytes": "1024000\n",
            },
            2000,
        ),
    ],
    ids=["no group", "a group without limit", "version 2, the limit above", "version 1"],
)
def test_a_containers_limit_counts_as_the_machines(tmp_path: Path, files: dict[str, str], kib: int) -> None:
    root = _machine(tmp_path, files)
    assert free_host_bytes(root, lambda: AVAILABLE_KIB * 1024) == kib * 1024


def test_a_machine_that_tells_nothing_has_unknown_room(tmp_path: Path) -> None:
    assert free_host_bytes(tmp_path, lambda: None) is None


def test_every_system_tells_what_is_free_and_what_a_process_holds() -> None:
    """By psutil: on Linux, macOS and Windows alike."""
    available, held = available_bytes(), resident_bytes()
    assert available is not None and 0 < held < psutil.virtual_memory().total
    with mmap.mmap(-1, 64 << 20) as block:  # pages of its own: the heap may hold free ones already
        for page in range(0, len(block), 1 << 12):
            block[page] = 1
        assert resident_bytes() - held > 48 << 20


def test_a_limit_counts_what_the_process_holds_already() -> None:
    cpu = torch.device("cpu")
    free, held = room_bytes(cpu), resident_bytes()
    assert free is not None and free > 0 and held > 50 << 20
    too_little = room_bytes(cpu, 1)
    assert too_little is not None and too_little < -(40 << 20), "a refusal tells how much is missing"
    within = room_bytes(cpu, held + (8 << 20))
    assert within is not None and within <= min(free, 24 << 20)


def test_what_runs_out_of_memory_is_told_from_other_errors() -> None:
    with pytest.raises(RuntimeError) as caught:
        torch.empty(1 << 60, dtype=torch.uint8)
    assert is_out_of_memory(caught.value)
    assert is_out_of_memory(MemoryError()) and is_out_of_memory(torch.OutOfMemoryError("CUDA out of memory"))
    assert not is_out_of_memory(RuntimeError("shapes do not match"))
    assert not is_out_of_memory(ValueError("out of memory"))


# -- stepping down -----------------------------------------------------------------------------------------


def _fails(message: str) -> RuntimeError:
    return RuntimeError(f"[enforce fail at alloc_cpu.cpp:1] DefaultCPUAllocator: {message}")


def test_after_a_failure_the_next_smaller_way_is_taken_and_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    events: list[Event] = []
    monkeypatch.setattr(memory, "room_bytes", lambda *_: None)
    fitting = TilingPlanner(_demand(), torch.device("cpu"))
    tried: list[Tiling] = []

    def work(tiling: Tiling) -> str:
        tried.append(tiling)
        if tiling.blocks < 5:
            raise _fails("can't allocate memory: you tried to allocate 268435456 bytes.")
        return "done"

    size = Size(3000, 2000)
    assert fitting.run(size, work, context=Context(events.append)) == "done"
    assert tried[0] == WHOLE and tried[-1].blocks == 5 and len(tried) >= 3
    notes = [event for event in events if isinstance(event, Note)]
    assert len(notes) == len(tried) - 1 and all(note.level == "warning" for note in notes)
    assert "3000x2000" in notes[-1].message and f"{tried[-1].tile_px} px" in notes[-1].message
    tried.clear()
    fitting.run(size, work)
    assert len(tried) == 1 and tried[0].blocks == 5


def test_other_errors_pass_and_a_picture_that_never_fits_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "room_bytes", lambda *_: None)
    fitting = TilingPlanner(_demand(), torch.device("cpu"))

    def wrong(_: Tiling) -> None:
        raise RuntimeError("shapes do not match")

    def never(_: Tiling) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")

    with pytest.raises(RuntimeError, match="shapes"):
        fitting.run(Size(900, 900), wrong)
    with pytest.raises(DeviceError, match="900x900 pixels need more memory") as caught:
        fitting.run(Size(900, 900), never)
    assert next_step(caught.value) is not None and "--max-side" in next_step(caught.value)


def test_a_limit_that_nothing_fits_in_is_refused_with_what_it_takes() -> None:
    fitting = TilingPlanner(_demand(), torch.device("cpu"), limit_bytes=64 << 20)
    with pytest.raises(DeviceError, match="1200x800 pixels do not fit into 67,108,864 bytes") as caught:
        fitting.run(Size(1200, 800), lambda tiling: tiling)
    assert next_step(caught.value) is not None and "--memory-limit" in next_step(caught.value)
    with pytest.raises(DeviceError, match=r"^the style at 1200x800 pixels does not fit into"):
        fitting.tiling(Size(1200, 800), of="the style at ")


def test_little_free_memory_is_not_the_limits_fault() -> None:
    """Raising the limit would not help; and what is free is an estimate, so the smallest way is tried."""
    fitting = TilingPlanner(
        _demand(), torch.device("cpu"), limit_bytes=100 * GIB, measure=lambda device: (64 << 20, 1 * GIB)
    )
    least = min(options(Size(1200, 800), _demand()), key=lambda one: one.needs_bytes)
    assert fitting.tiling(Size(1200, 800)) == least.tiling


def test_a_picture_survives_memory_that_runs_out_half_way(
    make_preset: Callable[..., Preset],
    untrained: Backbone,
    picture: Picture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The allocator fails once in the middle of a scale: the steps taken are kept, the result is the same."""
    preset = make_preset(scales={"min_px": 512, "first_steps": 4}, tv_weight=1.0)
    monkeypatch.setattr(memory_plan, "TILE_SIDES_PX", (16,))
    monkeypatch.setattr(memory_plan, "FIXED_BYTES", 0)
    events: list[Event] = []

    def made() -> Stylizer:
        return Stylizer(preset, untrained, [picture(50, 30, 26)])

    content = picture(1, 40, 72)
    wanted = made().stylize(content, Context(events.append))
    events.clear()
    stylizer, passes = made(), 0
    run = stylizer.network.run

    def failing(*arguments: Any) -> Tensor:
        nonlocal passes
        passes += 1
        if passes == 5:  # the style's, the content's, and the third step's
            raise _fails("can't allocate memory")
        return run(*arguments)

    monkeypatch.setattr(stylizer.network, "run", failing)
    found = stylizer.stylize(content, Context(events.append))
    assert found.steps == wanted.steps == 4
    torch.testing.assert_close(found.image, wanted.image, atol=2e-3, rtol=0)
    assert float((found.image - wanted.image).abs().mean()) < 1e-5
    warned = [event.message for event in events if isinstance(event, Note) and event.level == "warning"]
    assert len(warned) == 1 and "in tiles of 16 px from here on" in warned[0]
    assert stylizer.fitting.tiling(Size(72, 40)).tile_px == 16


@given(size=sizes, held=st.integers(0, 4 * GIB))
@settings(max_examples=30, deadline=None, derandomize=True)
def test_the_limit_that_a_refusal_names_is_enough(size: Size, held: int) -> None:
    def within(limit_bytes: int) -> TilingPlanner:
        return TilingPlanner(
            _demand(), torch.device("cpu"), limit_bytes=limit_bytes, measure=lambda device: (1 << 50, held)
        )

    with pytest.raises(DeviceError) as caught:
        within(1).tiling(size)
    named = re.search(r"--memory-limit to (\S+)G", next_step(caught.value) or "")
    assert named is not None
    within(int(float(named[1]) * GIB)).tiling(size)


SMALL_TILE_MAP = 64 * 33 * 33
"""Values of the largest map of a tile of 16 px with its surroundings."""


class SmallAllocator:
    """Refuses convolutions whose result has more than `most` values."""

    def __init__(self) -> None:
        self.most: float = float("inf")
        self._convolve = vgg.F.conv2d

    def __call__(self, x: Tensor, weight: Tensor, *rest: Any, **named: Any) -> Tensor:
        if weight.shape[0] * x.shape[2] * x.shape[3] > self.most:
            raise _fails("can't allocate memory")
        return self._convolve(x, weight, *rest, **named)


@pytest.fixture
def allocator(monkeypatch: pytest.MonkeyPatch) -> SmallAllocator:
    monkeypatch.setattr(memory_plan, "TILE_SIDES_PX", (40, 16))
    monkeypatch.setattr(memory_plan, "FIXED_BYTES", 0)
    made = SmallAllocator()
    monkeypatch.setattr(vgg.F, "conv2d", made)
    return made


def _warnings(events: list[Event]) -> list[str]:
    return [event.message for event in events if isinstance(event, Note) and event.level == "warning"]


def test_a_picture_that_never_fits_whole_is_painted_in_tiles_from_its_first_step_on(
    make_preset: Callable[..., Preset], vgg19: Backbone, picture: Picture, allocator: SmallAllocator
) -> None:
    preset = make_preset(scales={"min_px": 512, "first_steps": 2})
    events: list[Event] = []
    stylizer = Stylizer(preset, vgg19, [picture(50, 30, 26)])
    wanted = stylizer.stylize(picture(1, 40, 72), Context(events.append))
    assert not _warnings(events)
    stylizer = Stylizer(preset, vgg19, [picture(50, 30, 26)])
    allocator.most = SMALL_TILE_MAP
    found = stylizer.stylize(picture(1, 40, 72), Context(events.append))
    assert found.steps == 2
    torch.testing.assert_close(found.image, wanted.image, atol=2e-3, rtol=0)
    assert any("72x40" in one and "in tiles of 16 px" in one for one in _warnings(events))


def test_a_clip_survives_memory_that_others_take_half_way(
    make_preset: Callable[..., Preset], vgg19: Backbone, picture: Picture, allocator: SmallAllocator
) -> None:
    """After its first frame; those that follow are told of once, and come out as they would have."""
    preset = make_preset(scales={"min_px": 512, "first_steps": 2}, video={"steps": 2, "min_steps": 2})
    frames = [Frame(index, Fraction(index, 25), to_pixels(picture(1, 40, 72))) for index in range(3)]
    for number, frame in enumerate(frames):
        frame.pixels[:8, :8] = 40 * number

    def painted(most_after_the_first: float) -> tuple[list[np.ndarray[Any, Any]], list[str]]:
        events: list[Event] = []

        def heard(event: Event) -> None:
            events.append(event)
            if isinstance(event, FrameDone):
                allocator.most = most_after_the_first

        allocator.most = float("inf")
        stylizer = Stylizer(preset, vgg19, [picture(50, 30, 26)])
        results = stylize_frames(frames, [Shot(0, 3)], stylizer, context=Context(heard))
        return [one.pixels.astype(int) for one in results], _warnings(events)

    wanted, none = painted(float("inf"))
    found, warnings = painted(SMALL_TILE_MAP)
    assert not none
    assert len(set(warnings)) == len(warnings) and "72x40" in warnings[-1] and "of 16 px" in warnings[-1]
    assert np.array_equal(found[0], wanted[0])
    assert max(int(abs(one - other).max()) for one, other in zip(found, wanted, strict=True)) <= 2


CHILD = """
import resource, sys
import torch
from framestyle.context import Context
from framestyle.events import Note
from framestyle.nst.stylizer import Stylizer
from framestyle.nst.weights.backbone import CHANNELS
from framestyle.nst.weights.untrained import random_backbone
from framestyle.presets import load_preset

torch.set_num_threads(1)
settings = ["scales.max_side_px=0", "scales.min_px=4096", "scales.first_steps=1", "optimizer.precision=float32",
            "network.places=1"]
layers = ["style.layers={relu1_1: 1, relu2_1: 1, relu3_1: 0, relu4_1: 0, relu5_1: 0}",
          "content.layers={relu2_2: 1, relu3_2: 0, relu4_2: 0, relu5_2: 0}"]
preset = load_preset("nightswirl", [*settings, *layers])
def heard(event):
    if isinstance(event, Note):
        print(event.level, event.message)
stylizer = Stylizer(preset, random_backbone(0, CHANNELS), [torch.rand(1, 3, 40, 40)])
stylizer.stylize(torch.rand(1, 3, 40, 40))
used = next(int(line.split()[1]) * 1024 for line in open("/proc/self/status") if line.startswith("VmSize"))
resource.setrlimit(resource.RLIMIT_AS, (used + (300 << 20), resource.RLIM_INFINITY))
done = stylizer.stylize(torch.rand(1, 3, 400, 512), Context(heard))
print("steps", done.steps, "finite", bool(done.image.isfinite().all()))
"""


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.skipif(sys.platform != "linux", reason="needs an address limit that holds")
def test_a_real_allocator_that_refuses_costs_a_step_down_and_not_the_picture() -> None:
    """A fifth of a megapixel in 300 MiB of addresses. The planner does not know of them, and tries the whole first.

    With 260 MiB the tiles find no room either, now and then.
    """
    done = subprocess.run([sys.executable, "-c", CHILD], capture_output=True, text=True, timeout=800)
    assert done.returncode == 0, done.stderr[-2000:]
    assert "steps 1 finite True" in done.stdout
    assert "warning" in done.stdout and "memory ran out" in done.stdout and "in tiles of" in done.stdout
