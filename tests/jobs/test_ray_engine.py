"""Work on many machines, over Ray: a cluster of two nodes on this one, one for the whole module.

FRAMESTYLE_LOSSES=all tries each loss at three moments.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from framestyle.context import Context
from framestyle.errors import DeviceError, OutputError, StorageError, UsageError, WeightsError
from framestyle.events import (
    Event,
    FrameDone,
    JobDone,
    MachinesAtWork,
    Note,
    Preparing,
    ShotStarted,
    StepDone,
    TaskFailed,
    TaskResumed,
    together,
)
from framestyle.jobs.engines.cluster import starting, worker
from framestyle.jobs.engines.cluster.engine import RayEngine
from framestyle.jobs.engines.cluster.orders import Setup
from framestyle.jobs.engines.cluster.row import Workers
from framestyle.jobs.engines.cluster.store import Store
from framestyle.jobs.engines.engine import Machine
from framestyle.jobs.resume.resume_key import versions
from framestyle.jobs.resume.work_entries import found_in
from framestyle.jobs.run.batch import Order, paint, prepare
from framestyle.nst.weights.backbone import Backbone, keep_convolutions
from framestyle.nst.weights.catalog import load_backbone
from framestyle.nst.weights.paths import WeightsStore
from framestyle.presets import Preset, resolved_yaml
from tests.jobs import test_engine_contract as contract
from tests.jobs.conftest import encode

if starting.why_unavailable() is not None:
    pytest.skip("the extra framestyle[ray] is not installed", allow_module_level=True)

from tests.ray_nodes import TwoNodes, two_nodes

clip, photos = contract.clip, contract.photos
test_each_is_done_by_itself = contract.test_each_is_done_by_itself_and_a_failed_one_fails_alone
test_a_stop_leaves_nothing_at_work = contract.test_a_stop_is_heard_within_a_step_and_leaves_nothing_at_work

LOG = logging.getLogger(__name__)
LOOKS = "testsrc2=", "color=c=0x103060:", "smptebars=", "rgbtestsrc=", "color=c=0xe0c040:", "testsrc="
SHOTS = (5, 6, 7, 6, 8, 6)
FRAMES = sum(SHOTS)
PHOTOS, BROKEN = 18, 2
SLOW = {"steps": 12, "min_steps": 12, "tolerance": 0.0}
"""So slow that news come before a shot is done."""
DRIVER = "import sys; from framestyle.doors.cli import main; sys.exit(main(sys.argv[1:]))"
MOMENTS = (1, 12, 25) if os.environ.get("FRAMESTYLE_LOSSES") == "all" else (9,)
"""Frames that are told when something is lost."""


@pytest.fixture(scope="module")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TwoNodes]:
    with two_nodes(tmp_path_factory.mktemp("workers")) as made:
        yield made


@pytest.fixture
def cluster(nodes: TwoNodes) -> TwoNodes:
    """Both nodes."""
    return nodes.complete()


@pytest.fixture
def tried(cluster: TwoNodes) -> contract.Tried:
    """For the contract of all engines."""
    return contract.Tried(RayEngine(Machine(engine="ray")))


@dataclass
class Orders:
    """A clip of six shots with sound, photos, and some that are damaged; each frame is kept.

    Results lie in folders beside one another. What the local engine makes of them is made once.
    """

    folder: Path
    _local: dict[str, tuple[Path, list[Event]]] = field(default_factory=dict)
    _count: int = 0

    def preset(self, name: str = "quick") -> Preset:
        """`quick`, or `slow`."""
        video = SLOW if name == "slow" else {"steps": 1, "min_steps": 1}
        return Preset.model_validate(
            {
                "name": name,
                "style": {"images": [{"path": str(self.folder / "style.png")}], "layers": {"relu1_1": 1.0}},
                "content": {"layers": {"relu1_2": 1.0}},
                "optimizer": {"precision": "float32"},
                "scales": {"min_px": 64, "first_steps": 2},
                "video": video,
                "output": {"quality": "draft", "save_every_s": 0},
            }
        )

    def order(self, name: str = "quick") -> Order:
        """Another one than all before: of `quick` all there is, of `slow` the clip and a photo of each kind."""
        self._count += 1
        inputs = self.folder / "in"
        given = [inputs] if name == "quick" else [inputs / one for one in ("00.png", "bad-0.png", "in.mov")]
        made = Order(given, self.folder / f"out-{self._count}", [self.preset(name)])
        return replace(made, weights="untrained", device="cpu", engine="ray")

    def local(self, order: Order) -> tuple[Path, list[Event]]:
        """The folder of the local engine's results, and its news."""
        name = order.presets[0].name
        if name not in self._local:
            here = replace(order, output=self.folder / f"local-{name}", engine="local", work=None)
            self._local[name] = here.output, done(here)
        return self._local[name]


@pytest.fixture(scope="module")
def orders(tmp_path_factory: pytest.TempPathFactory) -> Orders:
    folder = tmp_path_factory.mktemp("orders")
    inputs = folder / "in"
    inputs.mkdir()
    y, x = np.mgrid[0:24, 0:32]
    style = Image.fromarray(np.dstack([x * 7, y * 10, (x + y) * 4]).astype(np.uint8))
    style.save(folder / "style.png")
    whole = (folder / "style.png").read_bytes()
    for number in range(PHOTOS):
        Image.fromarray(np.roll(np.asarray(style), number, axis=1)).save(inputs / f"{number:02d}.png")
    for number in range(BROKEN):
        (inputs / f"bad-{number}.png").write_bytes(whole[: 60 + number])
    parts = ";".join(
        f"{look}size=32x24,trim=end_frame={frames}[{number}]"
        for number, (look, frames) in enumerate(zip(LOOKS, SHOTS, strict=True))
    )
    joined = "".join(f"[{number}]" for number in range(len(SHOTS)))
    graph = f"{parts};{joined}concat=n={len(SHOTS)},noise=alls=10:allf=t"
    sound = "-f", "lavfi", "-i", f"sine=duration={FRAMES / 25}"
    encode("-f", "lavfi", "-i", graph, *sound, "-shortest", "-c:v", "qtrle", str(inputs / "in.mov"))
    return Orders(folder)


Hear = Callable[[Event], None]


def done(order: Order, on_event: Hear = lambda event: None) -> list[Event]:
    """The news of it."""
    news: list[Event] = []
    paint(prepare(order), order, Context(on_event).also(news.append))
    return news


def equal(
    order: Order, news: list[Event] | None, local: tuple[Path, list[Event]], *, steps: bool = True
) -> None:
    """Bytes, manifest, report, as far as there are news."""
    there, (here, told) = order.output, local
    names = sorted(path.name for path in here.iterdir())
    assert sorted(path.name for path in there.iterdir()) == names and "in.mov" in names
    for name in names:
        if name != ".framestyle.json":
            assert (there / name).read_bytes() == (here / name).read_bytes(), name
    assert _manifest(there) == _manifest(here)
    if news is not None:
        assert _report(news, steps) == _report(told, steps)


def _manifest(folder: Path) -> object:
    return json.loads(
        (folder / ".framestyle.json").read_text(),
        object_hook=lambda one: {key: value for key, value in one.items() if key != "mtime_ns"},
    )


def _report(news: list[Event], steps: bool) -> list[object]:
    (over,) = (event for event in news if isinstance(event, JobDone))
    failed = [(event.path, event.message, event.code) for event in news if isinstance(event, TaskFailed)]
    return [sorted(failed), len(over.outputs), over.failed, over.frames, over.steps if steps else 0]


def test_an_order_on_two_nodes_is_the_local_one(orders: Orders, cluster: TwoNodes) -> None:
    order = orders.order()
    news = done(order)
    equal(order, news, orders.local(order))
    assert len([event for event in news if isinstance(event, TaskFailed)]) == BROKEN
    begun = [event.index for event in news if isinstance(event, ShotStarted)]
    assert SHOTS.index(max(SHOTS)) in begun[:2] and len(begun) == len(SHOTS)  # either node may be heard first
    ready = [event for event in news if isinstance(event, Preparing) and event.fraction == 1]
    assert [event.what for event in ready if event.what != "shots"] == ["cluster", "machines"]
    told = [event for event in news if isinstance(event, MachinesAtWork)]
    assert max(event.machines for event in told) == 2 and told[-1] == MachinesAtWork(0, 0, 0)
    taken = [
        event for event in news if isinstance(event, StepDone)
    ]  # all of them are told, with what they took
    assert sum(len(event.losses) for event in taken) == next(e.steps for e in news if isinstance(e, JobDone))
    assert all(event.seconds for event in taken)


def test_an_order_through_s3_is_the_local_one(orders: Orders, cluster: TwoNodes) -> None:
    """A server of its protocol on loopback. What was taken from the store goes from it."""
    pytest.importorskip("s3fs")
    server = pytest.importorskip("moto.server").ThreadedMotoServer(
        "127.0.0.1", cluster.s3_port, verbose=False
    )
    server.start()
    try:
        order = replace(orders.order(), work="s3://studio/job")
        equal(order, done(order), orders.local(order))
        store = Store("s3://studio/job")
        assert store.names("inputs") and not store.names("units")
    finally:
        server.stop()


# -- what is lost ------------------------------------------------------------------------------------------


def _at(frames: int, do: Callable[[], object]) -> Hear:
    """Once, when so many frames were told."""
    left = [frames]

    def heard(event: Event) -> None:
        if isinstance(event, FrameDone):
            left[0] -= 1
            if left[0] == 0:
                do()

    return heard


def _kept(output: Path) -> set[int]:
    """Frames that are kept of the clip by now."""
    found = set()
    for number, frames in enumerate(SHOTS):
        for folder in output.glob(f".framestyle-*/shots/{number:05d}*/"):
            if folder.suffix in ("", ".open"):
                first = sum(SHOTS[:number])
                found |= {first + one for one in range(min(frames, found_in(folder).frames))}
    return found


@pytest.mark.slow
@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("loss", ["worker", "node"])
def test_what_is_lost_is_painted_by_others_from_where_it_was(
    orders: Orders, cluster: TwoNodes, loss: str, moment: int
) -> None:
    """Within a shot: no frame that was kept is painted again."""
    order = orders.order("slow")
    kept: set[int] = set()

    def lose() -> None:
        (cluster.lose_a_worker if loss == "worker" else cluster.lose_a_node)()
        kept.update(_kept(order.output))

    news = done(order, _at(moment, lose))
    equal(order, news, orders.local(order), steps=False)
    told = Counter(event.index for event in news if isinstance(event, FrameDone))
    again = [index for index, times in told.items() if times > 1]
    LOG.info("%s, %d frames told: %d kept, painted again: %s", loss, moment, len(kept), again)
    assert kept and len(again) <= 1 and not kept.intersection(again)


@pytest.mark.slow
@pytest.mark.parametrize("moment", MOMENTS)
def test_a_driver_that_is_killed_and_begun_again_goes_on(
    orders: Orders, cluster: TwoNodes, moment: int
) -> None:
    """The second one is this process."""
    order = orders.order("slow")
    preset = orders.folder / "slow.yaml"
    preset.write_text(resolved_yaml(order.presets[0]))
    command = [
        sys.executable, "-c", DRIVER, "stylize", *map(str, order.inputs), "-o", str(order.output), "-p", str(preset),
        "--weights", "untrained", "--device", "cpu", "--engine", f"ray://{cluster.address}", "--progress", "json",
    ]  # fmt: skip
    first = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert first.stderr is not None
    frames = 0
    for line in first.stderr:
        frames += '"frame_done"' in line
        if frames == moment:
            break
    first.send_signal(signal.SIGKILL)
    first.communicate()
    _nobody_paints(order.output)
    kept = _kept(order.output)
    news = done(order)
    equal(order, None, orders.local(order))
    again = {event.index for event in news if isinstance(event, FrameDone)}
    LOG.info("driver, %d frames told: %d kept, painted by the second: %s", moment, len(kept), sorted(again))
    assert any(isinstance(event, TaskResumed) for event in news)
    assert kept and again == set(range(FRAMES)) - kept


def _nobody_paints(output: Path) -> None:
    """Ray ends a dead driver's workers; until then they keep what they paint."""
    from filelock import FileLock

    for path in output.glob(".framestyle-*/shots/*.lock"):
        FileLock(path).acquire(timeout=60).lock.release()


# -- weights ------------------------------------------------------------------------------------------------


@pytest.fixture
def weighted(
    orders: Orders, cluster: TwoNodes, untrained: Backbone, here: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Order]:
    """An order of one photo with weights that this machine has, and the workers' machines have not."""
    for cache in (cluster.head_cache, cluster.second_cache):
        assert not WeightsStore(cache / "weights").path("imagenet").exists()
    mine = WeightsStore()
    keep_convolutions(mine.path("imagenet"), untrained.convolutions, "imagenet")
    order = replace(orders.order(), weights="imagenet", inputs=[orders.folder / "in" / "00.png"])
    yield order
    for cache in (cluster.head_cache, cluster.second_cache):
        for path in (cache / "weights").glob("vgg19-imagenet.*"):
            path.unlink()


def _equal_photo(order: Order, news: list[Event]) -> None:
    """To the local engine's with the same weights."""
    local = replace(
        order, output=order.output.with_name(f"{order.output.name}-local"), engine="local", work=None
    )
    done(local)
    assert not [event for event in news if isinstance(event, TaskFailed)]
    assert (order.output / "00.png").read_bytes() == (local.output / "00.png").read_bytes()


@pytest.mark.parametrize("way", ["shared folder", "store"])
def test_weights_travel_by_their_hash(weighted: Order, orders: Orders, cluster: TwoNodes, way: str) -> None:
    """To machines that have none, and to one that has others."""
    store = (weighted.output.with_name(f"{weighted.output.name}-store")).as_uri()
    order = replace(weighted, into_folder=True, work=store if way == "store" else None)
    other = WeightsStore(cluster.head_cache / "weights").path("imagenet")
    other.parent.mkdir(parents=True, exist_ok=True)
    seeded = load_backbone("untrained", seed=1)
    keep_convolutions(other, seeded.convolutions, "imagenet")
    _equal_photo(order, done(order))


def test_other_weights_are_told_before_work(weighted: Order, cluster: TwoNodes) -> None:
    """What a store carries was changed: it is no more what the job is painted with."""
    folder = weighted.output.with_name(f"{weighted.output.name}-store")
    order = replace(weighted, into_folder=True, work=folder.as_uri())
    Store(order.work or "").carry(prepare(order)[0].spec)
    (carried,) = (folder / "carried" / "weights").glob("*.safetensors")
    keep_convolutions(carried, load_backbone("untrained", seed=1).convolutions, "imagenet")
    with pytest.raises(WeightsError, match=r"the machine \S+ \w+ cannot do the work: the imagenet weights"):
        done(order)
    assert not list(order.output.glob("*.png"))


# -- what is refused ---------------------------------------------------------------------------------------


def test_a_machine_that_cannot_do_the_work_says_so(here: Path) -> None:
    """It does not see the folder, or has other versions."""
    (here / "probe").write_text("seen")
    told = tuple(versions().items())
    setup = Setup("", "", (str(here / "nowhere" / "probe"), "seen"), told)
    error = worker.hello(setup)
    assert isinstance(error, OutputError) and f"it does not see {here}" in error.message
    error = worker.hello(replace(setup, versions=(*told[:-1], ("torch", "0.1"))))
    assert isinstance(error, DeviceError) and "(the job has 0.1)" in error.message


def test_an_order_is_refused_before_work_where_a_machine_cannot_do_it(
    orders: Orders, cluster: TwoNodes, monkeypatch: pytest.MonkeyPatch
) -> None:
    from framestyle.jobs.engines.cluster import engine

    order = orders.order()
    monkeypatch.setattr(engine, "versions", lambda: {**versions(), "torch": "0.1"})
    with pytest.raises(DeviceError, match=r"the job has 0\.1"):
        done(order)
    assert not list(order.output.glob("*.png"))


def test_a_machine_whose_disk_is_full_leaves_the_work_to_the_others_and_waits_for_them(
    orders: Orders, cluster: TwoNodes, full_disk: Callable[[Path], None]
) -> None:
    """It says so, once, and gets no more: the other one goes while shots are at work and in the queue, and comes back.
    Where all of them are full, nothing is published.
    """
    order = replace(orders.order("slow"), work=(orders.folder / "store").as_uri())
    full_disk(cluster.head_cache / "stores")

    def comes_back(event: Event) -> None:
        if isinstance(event, Note) and "waiting for one to join" in event.message:
            cluster.complete()

    news = done(order, together(_at(9, cluster.lose_a_node), comes_back))
    equal(order, news, orders.local(order), steps=False)
    notes = [one.message for one in news if isinstance(one, Note) and "cannot do the work" in one.message]
    assert len(notes) == 1 and notes[0].endswith("; the others do it.")
    waits = [one.level for one in news if isinstance(one, Note) and "waiting for one to join" in one.message]
    assert waits == ["warning"]
    full_disk(cluster.second_cache / "stores")
    alone = replace(
        orders.order(), inputs=[orders.folder / "in" / "in.mov"], work=order.work, into_folder=True
    )
    with pytest.raises(StorageError, match=r"the machine \S+ \w+ cannot do the work: "):
        done(alone)
    assert not list(alone.output.glob("*.mov"))


@pytest.fixture
def full_disk() -> Iterator[Callable[[Path], None]]:
    """`full_disk(folder)`: on it nothing more can be made, while the test runs; what was there is put back."""
    aside: list[Path] = []

    def fill(folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        aside.append(folder)
        folder.rename(folder.with_name("aside"))
        mounted = False
        folder.mkdir()
        with suppress(OSError):
            small = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)]
            mounted = subprocess.run(small, capture_output=True).returncode == 0
        if not mounted:  # by whoever may not: a file, in which nothing can be made either
            folder.rmdir()
            folder.touch()

    yield fill
    for folder in aside:
        if folder.is_file():
            folder.unlink()
        else:
            subprocess.run(["umount", "-l", str(folder)], check=True)
            folder.rmdir()
        folder.with_name("aside").rename(folder)


def test_a_unit_from_before_a_machine_was_barred_waits_as_the_others_do(cluster: TwoNodes) -> None:
    """It lands there when the last one that can do the work has gone."""
    import ray

    workers = Workers(ray, Setup("", "", ("", ""), ()), "cpu", 1)
    full = ray.get_runtime_context().get_node_id()
    assert workers.bar(full) and workers.is_anyone_able()
    cluster.lose_a_node()
    while workers.is_anyone_able():
        time.sleep(0.1)
    assert workers.bar(full)
    cluster.complete()
    (other,) = set(workers.nodes()) - {full}
    assert workers.is_anyone_able() and not workers.bar(other)


def test_work_that_no_machine_can_do_is_refused(orders: Orders, cluster: TwoNodes) -> None:
    """The driver needs no GPU; somebody must have one."""
    with pytest.raises(DeviceError, match="no machine of the cluster has a GPU"):
        done(replace(orders.order(), device="cuda"))


def test_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    assert starting.address_of("ray") is None
    assert starting.address_of("ray://head:6379") == "head:6379"
    monkeypatch.setenv("RAY_ADDRESS", "other:6379")
    assert starting.address_of("ray") == "other:6379"
    with pytest.raises(UsageError, match="names no cluster"):
        starting.address_of("ray://head")


def test_a_store_by_fsspec(here: Path, photo: Path) -> None:
    """One in memory, as an object store is: no renames, no folders."""
    store = Store("memory://job")
    store.put(photo, "inputs/a")
    assert store.has("inputs/a") and store.names("inputs") == ["inputs/a"] and store.names("none") == []
    store.get("inputs/a", here / "back.png")
    assert (here / "back.png").read_bytes() == photo.read_bytes()
    store.remove("inputs")
    assert not store.has("inputs/a")
    with pytest.raises(UsageError, match="is no store"):
        Store("nothing-like-it://job")
