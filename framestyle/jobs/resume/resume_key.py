"""What a clip that was begun depends on, and where its work lies. Loads no torch."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import framestyle
from framestyle.errors import Code, OutputError
from framestyle.jobs.plan.tasks import Task
from framestyle.jobs.resume.fingerprint import FileFingerprint
from framestyle.kinds import MediaKind
from framestyle.spec import RenderSpec

VERSION = 3
FACTS, PUBLISHING, PUBLISHED = "work.json", "publishing", "published"
SHOTS, PLAN = "shots", "plan"
PACKAGES = ("framestyle", "torch", "opencv-python", "scenedetect")
"""Whose versions decide pixels."""


class OtherVersionError(ValueError):
    """Work that another FrameStyle kept in another form."""

    change = "by another FrameStyle, which kept its work in another form"


def work_folder_of(target: Path) -> Path:
    """Another one for each target in a folder."""
    digest = hashlib.sha256(target.name.encode("utf-8", "surrogateescape")).hexdigest()[:12]
    return target.with_name(f".framestyle-work-{digest}")


@dataclass(frozen=True)
class ResumeKey:
    """What a clip is made from and by. With other facts, other pixels would follow."""

    work: str
    input: FileFingerprint
    versions: Mapping[str, str]
    precision: str | None = None
    """Of the convolutions; None where it is not known. `work` says it too: this is for words."""
    other_keys: frozenset[str] = frozenset()
    """Further keys of the same work, by which it may have been begun."""

    @classmethod
    def of(cls, spec: RenderSpec, kind: MediaKind, given: FileFingerprint) -> ResumeKey:
        """Those of a task of this kind now, made from `given`."""
        keys = spec.resumable_keys(kind)
        return cls(spec.key(kind), given, versions(), spec.decided_precision, keys)

    def change_since(self, then: ResumeKey) -> str | None:
        """In words; None where all is as it was."""
        if then.work not in {self.work, *self.other_keys}:
            if self.precision and then.precision and self.precision != then.precision:
                return f"with other settings (precision {then.precision}, now {self.precision})"
            return "with other settings"
        if (self.input.size, self.input.sha256) != (then.input.size, then.input.sha256):
            return "before its input changed"
        differing = [name for name, one in self.versions.items() if then.versions.get(name) != one]
        if differing:
            names = (
                f"{name} {then.versions.get(name, '?')} (now {self.versions[name]})" for name in differing
            )
            return f"by {', '.join(names)}"
        return None

    def text(self, target: Path) -> str:
        """As JSON, for the work folder of a target."""
        data = {
            "framestyle_work": VERSION,
            "target": target.name,
            "work": self.work,
            "precision": self.precision,
            "input": asdict(self.input),
            "versions": dict(self.versions),
        }
        return json.dumps(data, indent=1)


def versions(packages: Sequence[str] = PACKAGES) -> dict[str, str]:
    """Of those that are installed; our own as the code says it: a checkout's metadata is as old as its install."""
    found = {}
    for name in packages:
        with suppress(PackageNotFoundError):
            found[name] = framestyle.__version__ if name == "framestyle" else version(name)
    return found


def facts_in(folder: Path) -> ResumeKey:
    """FileNotFoundError where there are none, ValueError where they cannot be understood."""
    data = read_json(folder / FACTS)
    try:
        if data["framestyle_work"] != VERSION:
            raise OtherVersionError(f"its version is {data['framestyle_work']!r}, not {VERSION}")
        precision = data.get("precision")
        return ResumeKey(
            str(data["work"]),
            FileFingerprint(**data["input"]),
            dict(data["versions"]),
            None if precision is None else str(precision),
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError("it is not as it was written") from error


def refuse_change(task: Task, spec: RenderSpec) -> None:
    """OutputError where the clip was begun from another input, or with other settings or versions."""
    folder = work_folder_of(task.target)
    if not has_work(folder):
        return  # nothing would be lost
    try:
        then = facts_in(folder)
        given = then.input.of_same(task.inputs()) or FileFingerprint.of(task.inputs())
        change = ResumeKey.of(spec, task.kind, given).change_since(then)
    except OtherVersionError as error:
        change = error.change
    except (OSError, ValueError):
        return  # nothing that could be resumed
    if change is not None:
        raise begun_otherwise(task.target, change)


def begun_otherwise(target: Path, change: str) -> OutputError:
    """For work that cannot be resumed as it is asked for; `change` as `ResumeKey.change_since` gives it."""
    return OutputError(
        f"{target} was begun {change}",
        code=Code.WORK_CHANGED,
        facts={"path": str(target), "change": change},
    )


def has_work(folder: Path) -> bool:
    """Whether a clip's work folder holds anything that was painted."""
    # FrameStyle up to 2026-11 kept entries in the folder itself.
    return any(entries_in(one) for one in (folder, *folder.glob(f"{SHOTS}/*")))


def entries_in(folder: Path) -> list[Path]:
    """Of a shot's folder, in order: each stands for one time that work was checkpointed."""
    return sorted(folder.glob("entry-*.json"))


def entry_path(folder: Path, number: int) -> Path:
    """Counted from 0."""
    return folder / f"entry-{number:06d}.json"


def is_publishing(target: Path) -> bool:
    """Whether a run was stopped while it put its result there, or before it had tidied up after that."""
    folder = work_folder_of(target)
    return any((folder / name).exists() for name in (PUBLISHING, PUBLISHED))


def read_json(path: Path) -> Any:
    """ValueError where it is none, OSError where it cannot be read."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (UnicodeDecodeError, RecursionError) as error:
        raise ValueError("it is no JSON") from error
