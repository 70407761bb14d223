"""A store between machines that do not see the same folders: a folder or a URL, by fsspec. Inputs, pictures and weights
lie in it by their hash; what is painted of a unit under the unit's key, in a folder for each go at it.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

from framestyle.errors import FramestyleError, InputError, StorageError, UsageError
from framestyle.events import Event, FrameDone, OnEvent, TaskDone
from framestyle.jobs.engines.cluster.orders import Result, Setup, Work
from framestyle.jobs.engines.cluster.travelling import Arrivals, Traveller, absolute
from framestyle.jobs.engines.engine import Outcome
from framestyle.jobs.handout.carried import PICTURES, WEIGHTS_FOLDER, carry, located
from framestyle.jobs.plan.units import PhotoTask, ShotTask, Unit
from framestyle.jobs.resume.shot_work import open_folder, shot_found, whole_folder
from framestyle.kinds import MediaKind
from framestyle.media.files import atomic_output, put_folder_in_place, storage_error
from framestyle.media.video.sequences import existing_files
from framestyle.nst.weights.hashes import has_sha256, sha256_of
from framestyle.nst.weights.paths import weights_identity
from framestyle.presets.library import cache_dir
from framestyle.spec import RenderSpec

CARRIED, INPUTS, UNITS = "carried", "inputs", "units"
ENTRY = "entry-"


class Store:
    """Files by name. UsageError where the URL names nothing that fsspec knows; StorageError where it refuses."""

    def __init__(self, url: str) -> None:
        import fsspec

        self.url = url if "://" in url else str(Path(url).absolute())
        try:
            self._files, self._root = fsspec.core.url_to_fs(self.url)
        except (ImportError, ValueError) as error:
            raise UsageError(
                f"{url!r} is no store that can be reached: {error}",
                next_step="Install what it asks for on all machines (for s3://: pip install s3fs), or name a folder.",
            ) from error
        self._is_local = "file" in self._files.protocol

    def put(self, path: Path, name: str) -> None:
        """A file into the store, whole or not at all."""
        target = f"{self._root}/{name}"
        with self._refusing(f"write {name}"):
            self._files.makedirs(target.rpartition("/")[0], exist_ok=True)
            if not self._is_local:
                self._files.put_file(str(path), target)
                return
            unfinished = f"{target}.{secrets.token_hex(4)}"
            self._files.put_file(str(path), unfinished)
            os.replace(unfinished, target)

    def get(self, name: str, path: Path) -> None:
        """A file out of the store, whole or not at all."""
        with self._refusing(f"read {name}"), atomic_output(path) as temporary:
            self._files.get_file(f"{self._root}/{name}", str(temporary))

    def has(self, name: str) -> bool:
        """Whether there is a file or a folder of that name."""
        with self._refusing(f"look for {name}"):
            return bool(self._files.exists(f"{self._root}/{name}"))

    def names(self, folder: str) -> list[str]:
        """Of all files below a folder of the store; empty where there is none."""
        self._files.invalidate_cache()
        try:
            found = self._files.find(f"{self._root}/{folder}")
        except FileNotFoundError:
            return []
        root = PurePosixPath(self._root)
        return [str(PurePosixPath(one).relative_to(root)) for one in found]

    def remove(self, folder: str) -> None:
        """A folder with all that is in it."""
        with suppress(Exception):
            self._files.rm(f"{self._root}/{folder}", recursive=True)

    def carry(self, spec: RenderSpec) -> None:
        """Pictures and weights of a spec."""
        with tempfile.TemporaryDirectory() as temporary:
            carry(spec, Path(temporary))
            for path in sorted(Path(temporary).rglob("*")):
                name = f"{CARRIED}/{path.relative_to(temporary).as_posix()}"
                if path.is_file() and not self.has(name):
                    self.put(path, name)

    @contextmanager
    def _refusing(self, what: str) -> Iterator[None]:
        try:
            yield
        except FramestyleError:
            raise
        except Exception as error:  # each file system has errors of its own
            raise StorageError(
                f"the store {self.url} cannot {what}: {type(error).__name__}: {' '.join(str(error).split())[:200]}",
                next_step="Check its address, its room, and the credentials of all machines.",
            ) from error


def place_of(url: str) -> Path:
    """Where a machine keeps what it takes from a store."""
    return cache_dir() / "stores" / hashlib.sha256(url.encode()).hexdigest()[:16]


def carried_here(setup: Setup) -> Path:
    """On a worker: the folder of pictures, and of the weights where this machine has others, from the store."""
    assert setup.store is not None
    store, folder = Store(setup.store), place_of(setup.store) / CARRIED

    def take(inner: str) -> None:
        for name in store.names(f"{CARRIED}/{inner}"):
            path = folder / PurePosixPath(name).relative_to(CARRIED)
            if not path.exists():
                store.get(name, path)

    take(PICTURES)
    spec = located(setup.spec, folder)
    if weights_identity(spec.weights) != spec.weights_fingerprint:
        take(WEIGHTS_FOLDER)
    return folder


class StoreTraveller(Traveller):
    """On a worker: inputs come from the store unless they are here; a shot is resumed from it, and kept in it."""

    def __init__(self, setup: Setup, work: Work) -> None:
        super().__init__(work)
        assert setup.store is not None
        self._store, self._key = Store(setup.store), f"{UNITS}/{work.key}"
        self._go = secrets.token_hex(6)
        self._place = place_of(setup.store) / UNITS / f"{work.key}-{self._go}"
        self._sent: set[str] = set()
        self._unit = work.unit

    @contextmanager
    def unit_here(self) -> Iterator[Unit]:
        """By paths of this machine, in a folder that goes afterwards."""
        try:
            self._place.mkdir(parents=True)
        except OSError as error:
            raise StorageError(
                f"the machine's own folder cannot be made: {storage_error(error, self._place).message}",
                next_step="Free some space on its disk, or have FRAMESTYLE_CACHE name another folder there.",
            ) from error
        try:
            unit = replace(self._work.unit, source=self._source())
            if isinstance(unit, PhotoTask):
                unit = replace(unit, target=self._place / unit.target.name)
            else:
                unit = replace(unit, work=self._place / "work")
                self._restore(unit)
            self._unit = unit
            yield unit
        finally:
            with suppress(FramestyleError):
                self._send()
            shutil.rmtree(self._place, ignore_errors=True)

    def _source(self) -> Path:
        source = self._work.unit.source
        if all(has_sha256(source.with_name(name), digest) for name, digest in self._work.files):
            return source
        for name, digest in self._work.files:
            path = self._place / INPUTS / name
            self._store.get(f"{INPUTS}/{digest}", path)
            if not has_sha256(path, digest):
                raise InputError(
                    f"{source} came from the store with other bytes",
                    next_step="Delete the store, then begin anew.",
                )
        return self._place / INPUTS / source.name

    def _restore(self, unit: ShotTask) -> None:
        """The go that came furthest; what of it is damaged is found by whoever opens it."""
        entries: dict[str, int] = {}
        names = self._store.names(self._key)
        for name in names:
            go, _, file = name.removeprefix(f"{self._key}/").partition("/")
            entries[go] = entries.get(go, 0) + file.startswith(ENTRY)
        if not (best := max(entries, key=lambda go: entries[go], default="")) or not entries[best]:
            return
        for name in names:
            if name.startswith(f"{self._key}/{best}/"):
                self._store.get(name, open_folder(unit) / name.removeprefix(f"{self._key}/{best}/"))
        if not shot_found(unit).entries and _is_whole(open_folder(unit)):
            whole_folder(unit).parent.mkdir(parents=True, exist_ok=True)
            open_folder(unit).rename(whole_folder(unit))

    def hearing(self, on_event: OnEvent) -> Callable[[Event], None]:
        """After each frame, what was kept meanwhile goes to the store."""

        def heard(event: Event) -> None:
            on_event(event)
            if isinstance(event, FrameDone):
                self._send()

        return heard

    def _send(self) -> None:
        """Files before the entries that name them: what no entry names is nothing."""
        if not isinstance(self._unit, ShotTask):
            return
        folder = whole_folder(self._unit) if whole_folder(self._unit).is_dir() else open_folder(self._unit)
        if not folder.is_dir():
            return
        found = [path.relative_to(folder).as_posix() for path in sorted(folder.rglob("*")) if path.is_file()]
        new = [name for name in found if name not in self._sent and not Path(name).name.startswith(".")]
        if not any(name.startswith(ENTRY) for name in new):
            return
        for name in sorted(new, key=lambda one: one.startswith(ENTRY)):
            with suppress(FileNotFoundError):
                self._store.put(folder / name, f"{self._key}/{self._go}/{name}")
                self._sent.add(name)

    def sent(self, outcome: Outcome) -> str:
        """The go's name, and the SHA-256 of a photo."""
        if isinstance(self._unit, PhotoTask):
            self._store.put(self._unit.target, f"{self._key}/{self._go}/{self._unit.target.name}")
            return f"{self._go} {sha256_of(self._unit.target)}"
        self._send()
        return self._go


def _is_whole(folder: Path) -> bool:
    from framestyle.jobs.resume.work_entries import found_in

    return found_in(folder).is_whole


class StoreArrivals(Arrivals):
    """On the driver: inputs go to the store, what is made comes from it, checked."""

    def __init__(self, setup: Setup) -> None:
        assert setup.store is not None
        self._store = Store(setup.store)
        self._spec = located(setup.spec, Path(setup.carried))
        self._files: dict[Path, tuple[tuple[str, str], ...]] = {}
        self._keys: dict[Unit, str] = {}

    def packed(self, number: int, unit: Unit) -> Work:
        """With what it is made from, by name and hash."""
        files = self._given(unit.source)
        kind = MediaKind.PHOTO if isinstance(unit, PhotoTask) else MediaKind.VIDEO
        part: tuple[Any, ...] = (
            (unit.target.name,) if isinstance(unit, PhotoTask) else (unit.number, unit.shot)
        )
        told = repr((self._spec.key(kind), files, part))
        self._keys[unit] = hashlib.sha256(told.encode()).hexdigest()[:24]
        return Work(number, absolute(unit), files, self._keys[unit])

    def _given(self, source: Path) -> tuple[tuple[str, str], ...]:
        if source not in self._files:
            found = []
            for path in existing_files(source):
                with suppress(OSError):  # whoever reads it will say so
                    digest = sha256_of(path)
                    found.append((path.name, digest))
                    if not self._store.has(f"{INPUTS}/{digest}"):
                        self._store.put(path, f"{INPUTS}/{digest}")
            self._files[source] = tuple(found)
        return self._files[source]

    def arrived(self, unit: Unit, result: Result) -> Outcome:
        """Taken from the store into its place."""
        if isinstance(result.outcome, FramestyleError):
            return super().arrived(unit, result)
        go, _, digest = result.made.partition(" ")
        folder = f"{UNITS}/{self._keys[unit]}/{go}"
        try:
            if isinstance(unit, PhotoTask):
                self._store.get(f"{folder}/{unit.target.name}", unit.target)
                outcome = super().arrived(unit, replace(result, made=digest))
            else:
                outcome = self._shot(unit, folder, result.outcome)
        except FramestyleError as error:
            return error
        if not isinstance(outcome, FramestyleError):
            self._store.remove(f"{UNITS}/{self._keys[unit]}")
        return outcome

    def _shot(self, unit: ShotTask, folder: str, outcome: TaskDone | Any) -> Outcome:
        whole = whole_folder(unit)
        unfinished = whole.with_name(f"{whole.name}.{secrets.token_hex(4)}")
        for name in self._store.names(folder):
            file = name.removeprefix(f"{folder}/")
            if file.startswith((ENTRY, "segment-")):
                self._store.get(name, unfinished / file)
        put_folder_in_place(unfinished, whole)
        if not shot_found(unit).is_whole:
            return StorageError(
                f"shot {unit.number + 1} of {unit.source} did not come whole from the store",
                next_step="Give the same command again: it is painted anew.",
            )
        return outcome
