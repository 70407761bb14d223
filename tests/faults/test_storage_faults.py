"""Where the disk refuses, what was checkpointed stays, and nothing that was there is written over."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from clips import make_clip
from fault_list import fault
from photo_makers import picture, save
from place import Place

from framestyle.jobs.resume import disk_space as room
from framestyle.media.ffmpeg import FFmpeg

Mount = Callable[..., Path]
NOISE = ("-vf", "noise=alls=60:allf=t")
LOSSLESS = ("--set", "output.quality=lossless", "--set", "scales.max_side_px=64")


@pytest.fixture
def mount(place: Place) -> Iterator[Mount]:
    """`mount("disk", "size=1m")`: a small disk of its own there; skips where that is not allowed."""
    mounted: list[Path] = []

    def made(name: str, options: str) -> Path:
        folder = place.folder / name
        folder.mkdir(exist_ok=True)
        try:
            done = subprocess.run(
                ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], capture_output=True
            )
        except OSError as error:
            pytest.skip(f"no disk can be mounted: {error}")
        if done.returncode:
            pytest.skip(f"no disk can be mounted: {done.stderr.decode(errors='replace').strip()}")
        mounted.append(folder)
        return folder

    yield made
    for folder in mounted:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def _fill(folder: Path, leave: int) -> Path:
    """All but so many bytes of a disk are taken."""
    free = os.statvfs(folder)
    filler = folder / "filler"
    filler.write_bytes(bytes(free.f_bavail * free.f_frsize - leave))
    return filler


@pytest.fixture
def limit(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """`limit(bytes)`: the result's ffmpeg can write no more than so many into a file; 0: as many as it likes."""
    resource = pytest.importorskip("resource")
    if not hasattr(resource, "prlimit"):
        pytest.skip("another process's limits cannot be set here")
    begun, most = FFmpeg.__init__, 0

    def limited(self: FFmpeg, arguments: Sequence[str], target: Path) -> None:
        begun(self, arguments, target)
        if most and "+faststart" in arguments:
            resource.prlimit(self.process.pid, resource.RLIMIT_FSIZE, (most, most))

    def set_to(size: int) -> None:
        nonlocal most
        most = size

    monkeypatch.setattr(FFmpeg, "__init__", limited)
    return set_to


@pytest.fixture
def noisy(place: Place) -> tuple[str, ...]:
    """A clip whose result is large, and the command's beginning."""
    source = make_clip(place.sources / "in.mp4", *NOISE, size="64x48", frames=10)
    place.results |= {"whole.mp4", "out.mp4"}
    place.paints(str(source), "-o", "whole.mp4", *LOSSLESS)
    return str(source), *LOSSLESS


def _goes_on(place: Place, *order: str) -> int:
    """How many frames it paints after room was made."""
    told = place.paints(*order, progress="json")
    return sum(json.loads(line)["event"] == "frame_done" for line in told.err.splitlines())


@pytest.mark.parametrize("small", ["disk", "watched disk", "file"])
@fault(
    "disk full mid-encode", 7, "what was checkpointed is kept; the same command goes on after room was made"
)
def test_disk_full_mid_encode(
    place: Place,
    noisy: tuple[str, ...],
    small: str,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Filled by others faster than it is watched; watched; and one file that may grow no more."""
    if small == "file":
        limit = request.getfixturevalue("limit")
        limit(Path("whole.mp4").stat().st_size // 2)
        place.refuses(*noisy, "-o", "out.mp4", words=("out.mp4 grew larger than a file may be there",))
        limit(0)
        assert _goes_on(place, *noisy, "-o", "out.mp4") == 0
        assert Path("out.mp4").read_bytes() == Path("whole.mp4").read_bytes()
        return
    disk = request.getfixturevalue("mount")("disk", "size=24m")
    filler = _fill(disk, 1_100_000)
    order = (*noisy, "-o", "disk/out.mp4")
    place.results ^= {"disk/", "out.mp4"}
    if small == "disk":
        with monkeypatch.context() as patch:
            patch.setattr(room, "RESERVE_BYTES", -1e12)
            place.refuses(*order, words=("no room left for disk/",))
        assert sorted(path.name[:17] for path in disk.iterdir()) == [".framestyle-work-", "filler"]
    else:
        place.refuses(*order, words=("only 1 MB are free on the disk of disk/", "stopped before it is full"))
    filler.unlink()
    assert 0 < _goes_on(place, *order) <= (9 if small == "disk" else 10)
    assert [path.name for path in disk.iterdir()] == ["out.mp4"]
    assert Path("disk/out.mp4").read_bytes() == Path("whole.mp4").read_bytes()


@pytest.mark.parametrize("less", [1, 100])
@fault("disk full at the trailer", 7, "nothing is published; no frame is painted twice after room was made")
def test_disk_full_at_the_trailer(
    place: Place, noisy: tuple[str, ...], limit: Callable[[int], None], less: int
) -> None:
    """A file may grow to all of the result but its last bytes."""
    order = (*noisy, "-o", "out.mp4")
    limit(Path("whole.mp4").stat().st_size - less)
    place.refuses(*order, words=("out.mp4 grew larger than a file may be there", "same command"))
    limit(0)
    assert _goes_on(place, *order) == 0
    assert Path("out.mp4").read_bytes() == Path("whole.mp4").read_bytes()


@fault("read-only output", 6, "it is told before any frame is painted")
def test_read_only_output(place: Place, request: pytest.FixtureRequest) -> None:
    make_clip(place.sources / "in.mp4")
    save(place.sources / "in.png", picture(height=24, width=32))
    if os.geteuid() == 0:  # whom no permission stops
        shut = request.getfixturevalue("mount")("shut", "size=1m,ro")
    else:
        shut = place.folder / "shut"
        shut.mkdir()
        shut.chmod(0o555)
    place.watch()
    for source, output in (
        ("in.mp4", "shut/out.mp4"),
        ("in.png", "shut/out.png"),
        ("in.mp4", "shut/new/out.mp4"),
    ):
        place.refuses(f"sources/{source}", "-o", output, words=(output, "cannot be written"))
    place.refuses("sources", "-o", "shut", words=("shut/.framestyle.json", "cannot be written"))
    assert not list(shut.iterdir())


@fault("output is a folder", 6, "refused where it is meant as a file; else the result goes into it")
def test_output_is_a_folder(place: Place) -> None:
    make_clip(place.sources / "in.mp4")
    Path("out/in.mp4").mkdir(parents=True)
    place.watch()
    for overwrite in ((), ("--overwrite",)):
        place.refuses("sources/in.mp4", "-o", "out", *overwrite, words=("out/in.mp4 is a folder",))
    Path("other").mkdir()
    place.paints("sources/in.mp4", "-o", "other")
    place.results |= {"other/", "other/in.mp4", "other/.framestyle.json"}


@pytest.mark.parametrize("how", ["itself", "link", "hard link", "another name", "linked folder"])
@fault("input = output, also through a link", 6, "refused before any work, --overwrite or not")
def test_input_is_output(place: Place, how: str) -> None:
    source, output = make_clip(place.sources / "in.mp4"), Path("out.mp4")
    if how == "itself":
        output = source
    elif how == "link":
        output.symlink_to(source)
    elif how == "hard link":
        output.hardlink_to(source)
    elif how == "another name":
        output = Path("presets/../sources/in.mp4")
    else:
        Path("linked").symlink_to("sources")
        output = Path("linked/in.mp4")
    for overwrite in ((), ("--overwrite",), ("--overwrite", "--fresh")):
        place.refuses(str(source), "-o", str(output), *overwrite, words=("is an input",))


@pytest.mark.parametrize("names", [("a/x.png", "b/x.png"), ("x.png", "X.PNG"), ("a.jpg", "a.jpg")])
@fault("two inputs that would give one output", 2, "refused before any work")
def test_two_inputs_that_would_give_one_output(place: Place, names: tuple[str, str]) -> None:
    paths = []
    for number, name in enumerate(names):
        path = place.sources / str(number) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        save(path, picture(height=24, width=32))
        paths.append(str(path))
    place.refuses(*paths, "-o", "out/", words=(*paths, "would both become"))
