"""Work on many machines, over Ray: a cluster of two nodes on this one, one for the whole module."""

from __future__ import annotations

import json
import os
import secrets
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from framestyle.context import Context
from framestyle.errors import DeviceError, OutputError, UsageError
from framestyle.events import Event, FrameDone, JobDone, MachinesAtWork, TaskFailed
from framestyle.jobs.engines.cluster import starting, worker
from framestyle.jobs.engines.cluster.engine import RayEngine
from framestyle.jobs.engines.cluster.orders import Setup
from framestyle.jobs.engines.cluster.store import Store
from framestyle.jobs.engines.engine import Machine
from framestyle.jobs.resume.resume_key import versions
from framestyle.jobs.run.batch import Order, paint, prepare
from framestyle.presets import Preset
from tests.jobs import test_engine_contract as contract

if starting.why_unavailable() is not None:
    pytest.skip("the extra framestyle[ray] is not installed", allow_module_level=True)

clip, photos = contract.clip, contract.photos
test_each_is_done_by_itself = contract.test_each_is_done_by_itself_and_a_failed_one_fails_alone
test_a_stop_leaves_nothing_at_work = contract.test_a_stop_is_heard_within_a_step_and_leaves_nothing_at_work

MakeClip = Callable[..., Path]
MakePreset = Callable[..., Preset]
SHOTS = (6, 4, 5)
DRIVER = "import sys; from framestyle.doors.cli import main; sys.exit(main(sys.argv[1:]))"


class TwoNodes:
    """A cluster whose second node can be taken away."""

    def __init__(self, address: str, cluster: Any) -> None:
        self.address, self._cluster = address, cluster
        self._nodes = [cluster.add_node(num_cpus=1) for _ in range(2)]

    def lose_a_node(self) -> None:
        """As if its plug were pulled; another one comes in its place."""
        self._cluster.remove_node(self._nodes.pop(), allow_graceful=False)
        self._nodes.append(self._cluster.add_node(num_cpus=1))


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TwoNodes]:
    """A head without places, and two nodes of one each. Its workers keep their cache in a folder of their own."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {**starting.SETTINGS, **starting.LOOPBACK, "OMP_NUM_THREADS": "1"}.items():
            patch.setenv(name, value)
        patch.setenv("FRAMESTYLE_CACHE", str(tmp_path_factory.mktemp("workers")))
        patch.setenv("PYTHONPATH", os.fspath(Path(__file__).parents[2]))
        patch.setenv("RAY_AUTH_TOKEN", secrets.token_hex(32))
        import ray  # it reads its settings once
        from ray.cluster_utils import Cluster

        head = {"num_cpus": 0, "include_dashboard": False, "object_store_memory": 100 * 2**20}
        made = Cluster(initialize_head=True, head_node_args=head)
        try:
            nodes = TwoNodes(made.address, made)
            starting.connected(made.address)
            yield nodes
        finally:
            ray.shutdown()
            made.shutdown()


@pytest.fixture
def tried(cluster: TwoNodes) -> contract.Tried:
    """For the contract of all engines."""
    return contract.Tried(RayEngine(Machine(engine="ray")))


@pytest.fixture
def order(cluster: TwoNodes, here: Path, make_clip: MakeClip, photo: Path, make_preset: MakePreset) -> Order:
    """A clip of three shots with sound, two photos, and two that are damaged; each frame is kept."""
    folder = here / "in"
    folder.mkdir()
    made = make_clip("in.mov", "-c:v", "qtrle", shots=SHOTS, sound=True, keep="noise=alls=10:allf=t")
    made.rename(folder / made.name)
    for number in range(2):
        (folder / f"{number}.png").write_bytes(photo.read_bytes())
        (folder / f"bad-{number}.png").write_bytes(photo.read_bytes()[: 60 + number])
    preset = make_preset(output={"save_every_s": 0})
    return Order([folder], here / "out", [preset], weights="untrained", device="cpu", engine="ray")


def _done(order: Order, on_event: Callable[[Event], None] = lambda event: None) -> list[Event]:
    news: list[Event] = []
    paint(prepare(order), order, Context(on_event).also(news.append))
    return news


def _local(order: Order) -> list[Event]:
    return _done(replace(order, output=order.output.with_name("local"), engine="local", work=None))


def _equal(order: Order, news: list[Event], local: list[Event], *, steps: bool = True) -> None:
    """Bytes, manifest, report."""
    there, here = order.output, order.output.with_name("local")
    names = sorted(path.name for path in here.iterdir())
    assert sorted(path.name for path in there.iterdir()) == names
    for name in names:
        if name != ".framestyle.json":
            assert (there / name).read_bytes() == (here / name).read_bytes(), name
    assert _manifest(there) == _manifest(here)
    assert _report(news, steps) == _report(local, steps)


def _manifest(folder: Path) -> object:
    return json.loads(
        (folder / ".framestyle.json").read_text(),
        object_hook=lambda one: {key: value for key, value in one.items() if key != "mtime_ns"},
    )


def _report(news: list[Event], steps: bool) -> list[object]:
    (done,) = (event for event in news if isinstance(event, JobDone))
    failed = [(event.path, event.message, event.code) for event in news if isinstance(event, TaskFailed)]
    return [sorted(failed), len(done.outputs), done.failed, done.frames, done.steps if steps else 0]


def test_an_order_on_two_nodes_is_the_local_one(order: Order) -> None:
    news = _done(order)
    _equal(order, news, _local(order))
    told = [event for event in news if isinstance(event, MachinesAtWork)]
    assert max(event.machines for event in told) == 2 and told[-1] == MachinesAtWork(0, 0, 0)


def test_an_order_through_a_store_is_the_local_one(order: Order, here: Path) -> None:
    """A folder, by fsspec. What was taken from it goes from it."""
    order = replace(order, work=(here / "store").as_uri())
    _equal(order, _done(order), _local(order))
    assert not [path for path in (here / "store" / "units").rglob("*") if path.is_file()]


def _in_frame(index: int, do: Callable[[], object]) -> Callable[[Event], None]:
    """Once, when this frame is told to be painted."""
    waiting = [do]

    def heard(event: Event) -> None:
        if waiting and isinstance(event, FrameDone) and event.index >= index:
            waiting.pop()()

    return heard


def _kill_a_worker() -> None:
    for process in psutil.process_iter(["cmdline"]):
        if process.info["cmdline"] and process.info["cmdline"][0] == "ray::paint":
            process.kill()
            return


@pytest.mark.slow
@pytest.mark.parametrize("loss", ["worker", "node"])
def test_what_is_lost_is_painted_by_others_from_where_it_was(
    order: Order, cluster: TwoNodes, loss: str, make_preset: MakePreset
) -> None:
    """Within a shot: the frames that were kept are not painted again."""
    order = replace(order, presets=[_slow(order.presets[0])])
    lose = _kill_a_worker if loss == "worker" else cluster.lose_a_node
    news = _done(order, _in_frame(1, lose))
    _equal(order, news, _local(order), steps=False)


def _slow(preset: Preset) -> Preset:
    """So slow that news come before a shot is done."""
    video = preset.video.model_copy(update={"steps": 12, "min_steps": 12, "tolerance": 0.0})
    return preset.model_copy(update={"video": video})


@pytest.mark.slow
def test_a_driver_that_is_killed_and_begun_again_goes_on(order: Order, cluster: TwoNodes, here: Path) -> None:
    preset = _slow(order.presets[0])
    order = replace(order, presets=[preset])
    from framestyle.presets import resolved_yaml

    (here / "slow.yaml").write_text(resolved_yaml(preset))
    command = [
        sys.executable, "-c", DRIVER, "stylize", str(here / "in"), "-o", str(order.output), "-p", "slow.yaml",
        "--weights", "untrained", "--device", "cpu", "--engine", f"ray://{cluster.address}", "--progress", "json",
    ]  # fmt: skip
    first = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert first.stderr is not None
    for line in first.stderr:
        if '"frame_done"' in line and json.loads(line)["index"] >= 2:
            break
    first.send_signal(signal.SIGKILL)
    first.communicate()
    second = subprocess.run(command, stderr=subprocess.PIPE, text=True, timeout=200)
    told = [json.loads(line) for line in second.stderr.splitlines() if line.startswith("{")]
    assert second.returncode == 4, second.stderr[-2000:]
    assert any(one["event"] == "task_resumed" for one in told)
    _local(order)
    for path in order.output.with_name("local").glob("*.*"):
        if path.name != ".framestyle.json":
            assert (order.output / path.name).read_bytes() == path.read_bytes(), path.name


# -- what is refused ---------------------------------------------------------------------------------------


def test_a_machine_that_cannot_do_the_work_says_so(here: Path) -> None:
    """It does not see the folder, or has other versions."""
    (here / "probe").write_text("seen")
    told = tuple(versions().items())
    setup = Setup("", "", (str(here / "probe"), "seen"), told)
    assert worker.hello(setup) is None
    error = worker.hello(replace(setup, probe=("/nowhere/at/all/probe", "seen")))
    assert isinstance(error, OutputError) and "does not see /nowhere/at" in error.message
    error = worker.hello(replace(setup, versions=(*told[:-1], ("torch", "0.1"))))
    assert isinstance(error, DeviceError) and "(the job has 0.1)" in error.message


def test_an_order_is_refused_before_work_where_a_machine_cannot_do_it(
    order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    from framestyle.jobs.engines.cluster import engine

    monkeypatch.setattr(engine, "versions", lambda: {**versions(), "torch": "0.1"})
    with pytest.raises(DeviceError, match=r"the job has 0\.1"):
        _done(order)
    assert not list(order.output.glob("*.png"))


def test_work_that_no_machine_can_do_is_refused(order: Order) -> None:
    """The driver needs no GPU; somebody must have one."""
    with pytest.raises(DeviceError, match="no machine of the cluster has a GPU"):
        _done(replace(order, device="cuda"))


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
