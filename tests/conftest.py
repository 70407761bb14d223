"""What several rooms' tests ask of the system."""

from __future__ import annotations

import gc
import os
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from loopback import Server, serve

if "PYTEST_XDIST_WORKER" in os.environ:
    # A worker a core: torch with as many threads as there are cores in each of them would take several times as long.
    # Before torch is loaded, and for the processes that tests start.
    os.environ.setdefault("OMP_NUM_THREADS", "1")

if TYPE_CHECKING:
    from framestyle.nst.weights.backbone import Backbone


def pytest_configure(config: pytest.Config) -> None:
    """Of `--dist loadfile`: files are handed out in the order that is given below, not those of many tests first."""
    if hasattr(config.option, "loadscopereorder"):
        config.option.loadscopereorder = False


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """For `-n auto`: three workers for two cores. Nearly a quarter of the time a test waits: for a browser, for a host,
    for processes that begin and end."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return cores + (cores + 1) // 2


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with slow tests come first: begun last, one of them would keep its worker for long after the others."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


def pytest_collection_finish() -> None:
    """What is loaded by now stays to the end. A session that closes looks for garbage, and need not look through this:
    of torch and thousands of tests that takes as long as painting a small picture."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def hears_ctrl_c() -> None:
    """Some tests send it to their own process. A shell's background jobs ignore it, and so does a command that was
    stopped."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _children_of(parent: int) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rsplit(")", 1)[1].split()
            except OSError:
                continue
            if int(fields[1]) == parent and fields[0] != "Z":
                found.append(int(entry.name))
    return found


def _is_ffmpeg(process: int) -> bool:
    """By its name, which a process that has just been started does not have at once."""
    for _ in range(100):
        try:
            if name := Path(f"/proc/{process}/cmdline").read_bytes():
                return b"ffmpeg" in name
        except OSError:
            return False
        time.sleep(0.01)
    return False


@pytest.fixture
def children_of() -> Callable[[int], list[int]]:
    """`children_of(process)`: its living children, but for those of this one that were there before the test."""
    before = set(_children_of(os.getpid()))
    return lambda parent: [child for child in _children_of(parent) if child not in before]


@pytest.fixture
def our_ffmpegs() -> Callable[[], list[int]]:
    """`our_ffmpegs()`: living ffmpeg processes whose parent is this one."""
    return lambda: [child for child in _children_of(os.getpid()) if _is_ffmpeg(child)]


@pytest.fixture
def server() -> Iterator[Server]:
    """A web server on this machine, with nothing on it yet."""
    with serve() as serving:
        yield serving


@pytest.fixture(scope="session")
def warm_server() -> Iterator[None]:
    """What processes of `tests.warm` are forked from, loaded once. Before `children_of`, which does not count it."""
    from tests import warm

    warm.start_server()
    yield
    warm.stop_server()


@pytest.fixture(scope="session")
def warm_python(warm_server: None) -> Iterator[Path]:
    """A program for those that start FrameStyle themselves, as `python -m framestyle`: see `tests.warm_python`."""
    from tests.warm_python import warm_python

    # The name of a socket must be short.
    with tempfile.TemporaryDirectory(prefix="warm-") as folder, warm_python(Path(folder)) as program:
        yield program


@pytest.fixture(scope="session")
def raft_file(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """`raft_file("raft-small")`: torchvision's network with seeded random numbers, as its publisher would save it."""
    made: dict[str, Path] = {}

    def saved(kind: str) -> Path:
        import torch
        from torchvision.models.optical_flow import raft_large, raft_small

        if kind not in made:
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(0)
                network = (raft_small if kind == "raft-small" else raft_large)(weights=None)
            made[kind] = tmp_path_factory.mktemp("raft") / f"{kind}.pth"
            torch.save(network.state_dict(), made[kind])
        return made[kind]

    return saved


@pytest.fixture(scope="session", autouse=True)
def kept_weights() -> None:
    """Untrained weights are made once, whoever asks for them."""
    from tests import kept_weights

    kept_weights.keep()


@pytest.fixture(scope="session")
def untrained() -> Backbone:
    """Seeded random filters, a quarter as many as VGG19's: quick."""
    from framestyle.nst.weights.catalog import load_backbone

    return load_backbone("untrained", seed=0)


@pytest.fixture(scope="session")
def vgg19() -> Backbone:
    """Seeded random filters, as many as VGG19 has: for what is about its memory, its arithmetic or its shapes."""
    from framestyle.nst.weights.backbone import CHANNELS
    from framestyle.nst.weights.untrained import random_backbone

    return random_backbone(0, CHANNELS, "random")


@pytest.fixture
def loads(untrained: Backbone, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Which weights were loaded. They are untrained, and made once for all tests."""
    from framestyle import opening

    asked: list[str] = []

    def load(kind: str, **_: Any) -> Backbone:
        asked.append(kind)
        return untrained

    monkeypatch.setattr(opening, "load_backbone", load)
    return asked
