"""A clip's work folder: what is done of it, shot by shot, so that the same command resumes it, whatever stopped it.

It lies hidden beside the target and is gone when that is in its place. In it: what the work depends on, and a folder
for each shot (shot_work.py).
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence, Set
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from filelock import FileLock, Timeout

from framestyle.errors import Code, FramestyleError, OutputError
from framestyle.jobs.plan.units import ShotTask
from framestyle.jobs.resume.locks import acquired, released_on_error
from framestyle.jobs.resume.resume_key import (
    FACTS,
    PLAN,
    PUBLISHED,
    PUBLISHING,
    SHOTS,
    OtherVersionError,
    ResumeKey,
    begun_otherwise,
    facts_in,
    has_work,
    work_folder_of,
)
from framestyle.jobs.resume.shot_work import ShotWork, last_painted, open_folder, remove, shot_found
from framestyle.jobs.resume.work_entries import Found
from framestyle.media.files import atomic_output
from framestyle.media.video.sequences import existing_files

LOCK = "lock"


class WorkFolder:
    """A context manager: holds the folder's lock, and removes it all at the end, if that is a normal one.

    Left by an error, it keeps what its shots have checkpointed. Without `facts` nothing is resumed, and nothing kept.
    `every_s`: seconds between two times of checkpointing; 0: after each frame.

    Raises OutputError where another run is at work on the target, or where the work was begun otherwise.
    """

    def __init__(
        self, target: Path, facts: ResumeKey | None, shots: Sequence[ShotTask] = (), *, every_s: float = 0.0
    ) -> None:
        self.target, self.folder = target, work_folder_of(target)
        self.found: Mapping[int, Found] = {}
        """What was there of each shot when the work began, by its number."""
        self.is_published = False
        """The result is in its place already, whole: a run was killed while it tidied up."""
        self.notes: list[str] = []
        self._facts, self._shots = facts, shots
        self._every_s = None if facts is None else every_s
        self._lock = FileLock(self.folder / LOCK, timeout=0)

    def __enter__(self) -> Self:
        with released_on_error(self._lock, self.target):
            self._take()
            if self._facts is None:
                self._clear()
            else:
                self._go_on(self._facts)
        return self

    def _take(self) -> None:
        while True:
            self.folder.mkdir(parents=True, exist_ok=True)
            try:
                if not acquired(self._lock):
                    self.notes.append(
                        f"The file system of {self.target} has no locks: do not paint it in two runs at once."
                    )
                    return
            except Timeout as error:
                raise OutputError(
                    f"another run is at work on {self.target}",
                    code=Code.OUTPUT_BUSY,
                    facts={"path": str(self.target)},
                ) from error
            except FileNotFoundError:
                continue  # the other one has just finished, and removed the folder
            if (self.folder / LOCK).exists():
                return
            self._lock.release()

    def _go_on(self, facts: ResumeKey) -> None:
        there = any(path.exists() for path in existing_files(self.target))
        is_same = self._is_same_work(facts)
        self.is_published = there and (self.folder / PUBLISHED).exists() and is_same is True
        if self.is_published:
            return
        if is_same:
            self._look_for_shots()
        self._tidy({LOCK, *((FACTS, SHOTS, PLAN) if is_same else ())})
        begin_work(self.folder, self.target, facts)

    def _is_same_work(self, facts: ResumeKey) -> bool | None:
        """None where the folder does not say what it is for. OutputError where it is for another, and holds some."""
        try:
            change = facts.change_since(facts_in(self.folder))
        except FileNotFoundError:
            return None
        except OtherVersionError as error:
            change = error.change
        except ValueError as error:
            self.notes.append(f"What was done of {self.target} is not used: {FACTS} is damaged, {error}.")
            return False
        if change is not None and has_work(self.folder):
            raise begun_otherwise(self.target, change)
        return change is None

    def _look_for_shots(self) -> None:
        found = {shot.number: shot_found(shot) for shot in self._shots}
        if any(one.lost for one in found.values()):
            frames = sum(one.frames for one in found.values())
            self.notes.append(
                f"A part of what was done of {self.target} is damaged, and is done again: {frames} frames are whole."
            )
        self.found = {number: one for number, one in found.items() if one.entries}

    def _tidy(self, keep: Set[str]) -> None:
        for path in self.folder.iterdir():
            if path.name not in keep:
                remove(path)

    def _clear(self) -> None:
        for path in self.folder.iterdir():
            if path.name != LOCK:
                remove(path)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if error is None:
                self._remove_after_work()
            elif self._facts is None or not (has_work(self.folder) or self._is_at_work()):
                shutil.rmtree(self.folder, ignore_errors=True)
        finally:
            self._lock.release()

    def _is_at_work(self) -> bool:
        """Whether a shot is still being painted, by a thread that has not heard of the stop yet: it will keep it."""
        return any(open_folder(shot).exists() for shot in self._shots)

    def _remove_after_work(self) -> None:
        """A kill on the way leaves the mark that the result is in its place, and of which work; or nothing of use."""
        mark = self.folder / PUBLISHED
        if self._facts is not None:
            with suppress(OSError):
                mark.touch()
        with suppress(OSError):
            self._tidy({PUBLISHED, FACTS})
            mark.unlink(missing_ok=True)
        shutil.rmtree(self.folder, ignore_errors=True)

    # -- its shots -----------------------------------------------------------------------------------------

    def shot(self, task: ShotTask) -> ShotWork:
        """The folder of a shot that is painted here and now."""
        return ShotWork(task, every_s=self._every_s, found=self.found.get(task.number, Found()))

    def is_whole(self, task: ShotTask) -> bool:
        """Whether a shot was painted to its end when the work began."""
        return self.found.get(task.number, Found()).is_whole

    def whole(self, task: ShotTask) -> Found | None:
        """What was found of a shot that was whole then; None: it is to be looked at."""
        return self.found[task.number] if self.is_whole(task) else None

    @property
    def painted(self) -> int:
        """How many frames are kept by now, each as often as it was painted."""
        return sum(last_painted(shot) for shot in self._shots)

    def publishing(self) -> None:
        """From here on, what stands at the target is ours, if not all of it."""
        if self._facts is not None:
            (self.folder / PUBLISHING).touch()


def begin_work(folder: Path, target: Path, facts: ResumeKey, *, anew: bool = False) -> None:
    """Say what a work folder is for, where it does not yet; `anew`: whatever it says."""
    if anew or not (folder / FACTS).exists():
        with atomic_output(folder / FACTS) as temporary:
            temporary.write_text(facts.text(target), encoding="ascii")


def tidy_after(target: Path) -> None:
    """Remove what a run left that was killed after its result was in its place: a folder that holds no work."""
    folder = work_folder_of(target)
    if folder.is_dir() and not has_work(folder):
        with suppress(FramestyleError):  # somebody is at work on it
            discard_work(target)


def discard_work(target: Path) -> None:
    """What was done of a target before, where nobody is at work on it. OutputError where somebody is."""
    if work_folder_of(target).is_dir():
        with WorkFolder(target, None):
            pass
