"""What was checkpointed of a shot, as values: an entry each time, with its own hash and those of its files."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path

from framestyle.jobs.resume.resume_key import entries_in, entry_path, read_json
from framestyle.nst.weights.hashes import has_sha256, sha256_of


@dataclass(frozen=True)
class Stored:
    """A file of the folder."""

    name: str
    sha256: str

    @classmethod
    def of(cls, path: Path) -> Stored:
        return cls(path.name, sha256_of(path))

    def is_whole(self, folder: Path) -> bool:
        """Whether it is what was written."""
        return has_sha256(folder / self.name, self.sha256)


@dataclass(frozen=True)
class Entry:
    """One time that work was checkpointed. Frames that were finished since the last time are the segment's first ones.

    `pts`: when each of these is shown, in seconds, as a fraction; `place` is the bookmark's; `store` what waits for the
    second pass; `painted` counts frames as often as they are. Without `state` it is the last: the shot is whole.
    """

    pts: tuple[str, ...]
    painted: int
    segment: Stored | None
    state: Stored | None
    place: tuple[int, int, int]
    store: Mapping[int, str]
    alpha: bool = False
    """Whether the segment's frames have transparency."""

    @property
    def frames(self) -> int:
        """How many were finished since the last time."""
        return len(self.pts)

    @property
    def is_last(self) -> bool:
        """Whether nothing of the shot is left after it."""
        return self.state is None

    def text(self) -> str:
        """As JSON, with its own hash."""
        fields = json.dumps(asdict(self), sort_keys=True)
        return json.dumps({"sha256": hashlib.sha256(fields.encode()).hexdigest(), "entry": fields})

    @classmethod
    def read(cls, path: Path) -> Entry:
        """ValueError where it is not as it was written."""
        try:
            data = read_json(path)
            if hashlib.sha256(data["entry"].encode()).hexdigest() != data["sha256"]:
                raise ValueError("its hash differs")
            fields = json.loads(data["entry"])
            segment, state = (fields[name] and Stored(**fields[name]) for name in ("segment", "state"))
            store = {int(number): str(name) for number, name in fields["store"].items()}
            shot, pass_number, next_frame = fields["place"]
            place = int(shot), int(pass_number), int(next_frame)
            pts = tuple(str(Fraction(one)) for one in fields["pts"])
            return cls(pts, fields["painted"], segment, state, place, store, bool(fields["alpha"]))
        except (KeyError, TypeError, AttributeError, ArithmeticError, OSError) as error:
            raise ValueError("it is not as it was written") from error


@dataclass(frozen=True)
class Found:
    """What a shot's folder holds that can be resumed. `lost`: how many entries were passed over."""

    entries: tuple[Entry, ...] = ()
    lost: int = 0

    @property
    def frames(self) -> int:
        """Finished ones."""
        return sum(entry.frames for entry in self.entries)

    @property
    def painted(self) -> int:
        """Frames, each as often as it was painted."""
        return self.entries[-1].painted if self.entries else 0

    @property
    def is_whole(self) -> bool:
        """Whether all of the shot is there."""
        return bool(self.entries) and self.entries[-1].is_last


def found_in(folder: Path) -> Found:
    """The entries up to the last one whose state is whole, as far as all segments before it are."""
    whole: list[Entry] = []
    there = entries_in(folder)
    for number, path in enumerate(there):
        try:
            if path != entry_path(folder, number):
                break
            entry = Entry.read(path)
        except ValueError:
            break
        if entry.segment is not None and not entry.segment.is_whole(folder):
            break
        whole.append(entry)
    while whole and not _can_be_resumed(folder, whole[-1]):
        whole.pop()
    return Found(tuple(whole), len(there) - len(whole))


def _can_be_resumed(folder: Path, entry: Entry) -> bool:
    return entry.state is None or (entry.state.is_whole(folder) and _store_is_whole(folder, entry))


def _store_is_whole(folder: Path, entry: Entry) -> bool:
    try:
        for name in entry.store.values():
            with zipfile.ZipFile(folder / "frames" / name) as file:
                if file.testzip() is not None:
                    return False
    except (OSError, zipfile.BadZipFile):
        return False
    return True
