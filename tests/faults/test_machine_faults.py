"""Machines as people have them: locales, clocks, letter case, network folders, terminals, caches."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import struct
import sys
import termios
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from clips import make_clip
from fault_list import fault
from photo_makers import picture, save
from place import Place

from framestyle.doors.cli import main
from framestyle.nst.weights import learning
from framestyle.nst.weights.catalog import load_backbone

PHOTO = picture(height=24, width=32)


# -- locales -----------------------------------------------------------------------------------------------

ENCODINGS = {"POSIX": ("ascii", "strict"), "Latin-1": ("latin-1", "strict"), "UTF-8": ("utf-8", "strict")}


@pytest.mark.parametrize("name", ENCODINGS)
@fault("a locale without Unicode", 0, "what it has no sign for is written as an escape; JSON stays JSON")
def test_locales(place: Place, name: str) -> None:
    encoding, errors = ENCODINGS[name]
    photo = place.sources / "café 写真.png"
    save(photo, PHOTO)
    place.results |= {"out/", "out/.framestyle.json", f"out/{photo.name}"}
    place.watch()
    for command, stream in (
        (place.stylize(("sources", "-o", "out"), "auto"), "stderr"),
        (("verify", "--json", str(photo)), "stdout"),
        (("presets", "list"), "stdout"),
        (("presets", "keys"), "stdout"),
    ):
        with Path(place.folder.parent, "told").open("w+", encoding=encoding, errors=errors) as file:
            place.monkeypatch.setattr(sys, stream, file)
            assert main(command) == 0
        told = Path(place.folder.parent, "told").read_text(encoding=encoding)
        if "--json" in command:
            assert json.loads(told)["files"][0]["path"] == str(photo)
        if stream == "stderr":
            assert f"wrote out/caf{'é' if encoding != 'ascii' else chr(92) + 'xe9'} " in told, told


# -- clocks ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shift_s", [-3600, 3600, -(2**31), 2**33])
@fault(
    "a clock that was set, or summer time on a FAT disk",
    0,
    "times alone make no file another",
)
def test_clocks(place: Place, shift_s: int) -> None:
    make_clip(place.sources / "in.mp4", frames=2)
    save(place.sources / "in.png", PHOTO)
    place.results |= {"out/", "out/.framestyle.json", "out/in.mp4", "out/in.png"}
    place.paints("sources", "-o", "out")
    for path in (place.sources / "in.mp4", place.sources / "in.png", Path("out/in.mp4"), Path("out/in.png")):
        stat = path.stat()
        os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns // 10**9 * 10**9 + shift_s * 10**9))
    told = place.paints("sources", "-o", "out", progress="json")
    done = [json.loads(line) for line in told.err.splitlines()][-1]
    assert (done["event"], done["skipped"], done["frames"]) == ("job_done", 2, 0)


# -- disks that take A for a -------------------------------------------------------------------------------


@fault(
    "a disk that takes A for a",
    6,
    "one result in any case: a second run is refused; so is a built-in preset's name",
)
def test_letter_case(place: Place) -> None:
    """As far as names go: claims and presets are compared without case, on whatever disk."""
    from framestyle.errors import OutputError
    from framestyle.jobs.resume.claims import claim
    from framestyle.jobs.resume.scratch import Scratch

    place.watch()
    with Scratch(place.folder) as one, Scratch(place.folder) as two:
        claim(one, [Path("out/Été.png")])
        for other in ("out/ÉTÉ.PNG", "OUT/été.png", "out/E\u0301te\u0301.png"):
            with pytest.raises(OutputError, match="another run is at work on"):
                claim(two, [Path(other)])
        claim(two, [Path("out/ete.png")])
    for name in ("Mosaic", "WAVE"):
        assert place.call("presets", "new", name, "--style", "presets/style.png").code == 6


# -- network folders ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.EOPNOTSUPP])
@fault(
    "a network folder without locks",
    0,
    "clips and photos are painted; it is said that two runs are not told apart",
)
def test_no_locks(place: Place, number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    make_clip(place.sources / "in.mp4", frames=2)
    save(place.sources / "in.png", PHOTO)

    def refuse(*_: Any) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", refuse)
    place.results |= {"out/", "out/.framestyle.json", "out/in.mp4", "out/in.png"}
    told = place.paints("sources", "-o", "out", progress="json")
    notes = [json.loads(line).get("message", "") for line in told.err.splitlines()]
    assert any("has no locks" in note for note in notes)


@pytest.mark.parametrize("refused", ["folders", "everything"])
@fault("a network folder that cannot be told to write at once", 0, "results are put in place all the same")
def test_no_sync(place: Place, refused: str, monkeypatch: pytest.MonkeyPatch) -> None:
    make_clip(place.sources / "in.mp4", frames=2)
    save(place.sources / "in.png", PHOTO)
    sync = os.fsync

    def fsync(descriptor: int) -> None:
        if refused == "everything" or os.path.isdir(f"/proc/self/fd/{descriptor}"):  # noqa: PTH112
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    place.results |= {"out/", "out/.framestyle.json", "out/in.mp4", "out/in.png"}
    place.paints("sources", "-o", "out")


@fault(
    "a network folder that fails to write at once",
    6,
    "that is no refusal of the request, but of the data: told",
)
def test_failing_sync(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    save(place.sources / "in.png", PHOTO)

    def fsync(descriptor: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "fsync", fsync)
    place.refuses("sources/in.png", "-o", "out.png", words=("out.png cannot be written: Input/output error",))


# -- terminals ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("rows", "columns"), [(0, 0), (1, 1), (24, 5), (24, 30)])
@fault("a terminal of no width", 0, "the display keeps to what there is, and lists name every preset")
def test_narrow_terminals(place: Place, rows: int, columns: int) -> None:
    pty = pytest.importorskip("pty")
    save(place.sources / "in.png", PHOTO)
    place.results.add("out.png")
    place.watch()
    for name in ("COLUMNS", "LINES", "NO_COLOR"):
        place.monkeypatch.delenv(name, raising=False)
    place.monkeypatch.setenv("TERM", "xterm")
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    os.set_blocking(master, False)
    with os.fdopen(slave, "w") as terminal:
        for command in (place.stylize(("sources/in.png", "-o", "out.png"), "auto"), ("presets", "list")):
            place.monkeypatch.setattr(sys, "stderr", terminal)
            place.monkeypatch.setattr(sys, "stdout", terminal)
            place.monkeypatch.setattr(sys, "__stdout__", terminal)
            assert main(command) == 0
            told = b""
            with suppress(BlockingIOError):
                while part := os.read(master, 65536):
                    told += part
            assert b"Traceback" not in told
    if columns > 0:
        assert b"nightswirl-draft" in told and b"watercolor" in told
    os.close(master)


# -- a cache that cannot be written ------------------------------------------------------------------------


@pytest.fixture
def learns(place: Place, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Weights are loaded as asked for; learning takes no time, and is counted."""
    from framestyle import opening

    learned: list[int] = []
    known = load_backbone("untrained").convolutions

    def learn(seed: int, **_: Any) -> Any:
        learned.append(seed)
        return known

    monkeypatch.setattr(learning, "learn", learn)
    monkeypatch.setattr(opening, "load_backbone", load_backbone)
    return learned


def _learned(place: Place, output: str) -> tuple[bytes, list[str]]:
    order = ("stylize", "sources/in.png", "-o", output, "-p", "presets/quick.yaml", "--weights", "learned")
    told = place.call(*order, "--device", "cpu", "--progress", "json")
    assert told.code == 0, told.err
    events = [json.loads(line) for line in told.err.splitlines()]
    return Path(output).read_bytes(), [one["message"] for one in events if one["event"] == "note"]


@pytest.mark.parametrize("why", ["a file is there", "full"])
@fault(
    "a cache that cannot be written",
    0,
    "learned weights are used from memory, and that is said; the same pixels",
)
def test_unwritable_cache(place: Place, why: str, learns: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    save(place.sources / "in.png", PHOTO)
    place.results |= {"kept.png", "unkept.png", "again.png"}
    kept, notes = _learned(place, "kept.png")
    assert learns == [0] and not any("cannot be kept" in note for note in notes)
    if why == "full":
        from framestyle.nst.weights import store

        def full(*_: Any, **__: Any) -> None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        monkeypatch.setattr(store, "save_tensors", full)
        monkeypatch.setenv("FRAMESTYLE_CACHE", str(place.folder.parent / "other cache"))
    else:
        (place.folder.parent / "shut").write_text("no folder")
        monkeypatch.setenv("FRAMESTYLE_CACHE", str(place.folder.parent / "shut" / "cache"))
    for name in ("unkept.png", "again.png"):
        unkept, notes = _learned(place, name)
        assert unkept == kept
        assert any("cannot be kept in" in note for note in notes)
    assert learns == [0, 0, 0]
