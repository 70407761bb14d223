"""Tasks of a work folder painted, here: done twice it is the same, and what two paint at once is done by the first."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from framestyle.context import SILENT, Context
from framestyle.errors import FramestyleError, InputError
from framestyle.events import Event
from framestyle.jobs.handout.carried import open_session
from framestyle.jobs.handout.folder import Handed, Handout
from framestyle.jobs.handout.outcomes import FINAL, RETOLD, Failed, Made, read_record, write_record
from framestyle.jobs.handout.sealed import PLAN_ANEW
from framestyle.jobs.plan.units import PhotoTask, Unit
from framestyle.jobs.run.units import paint_unit
from framestyle.kinds import MediaKind
from framestyle.media.video.sequences import existing_files
from framestyle.session import Session


@dataclass(frozen=True)
class Painted:
    """A task that was painted, now or before."""

    handed: Handed
    made: Made
    is_new: bool


class Painter:
    """A context manager: paints tasks of one work folder, each in the session of its job, which stays open.

    `device`: which one of the spec's kind, None: the first.
    """

    def __init__(self, handout: Handout, context: Context = SILENT, *, device: str | None = None) -> None:
        self.handout, self._context, self._device = handout, context, device
        self._open: tuple[int, Session] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    def _close(self) -> None:
        if self._open is not None:
            with suppress(FramestyleError):
                self._open[1].close()
            self._open = None

    def paint(self, number: int) -> Painted:
        """One task. Its own error is kept for the join, and raised; a machine's trouble is raised alone.

        Raises InputError where the task, its spec or its input is not what it was, WeightsError where the weights are
        others, StorageError where the disk is full: then nothing is said of the task, and it can be painted elsewhere.
        """
        handed = self.handout.handed(number)
        self._refuse_other_input(handed.unit)
        before = read_record(self.handout, handed)
        if isinstance(before, Made):
            return Painted(handed, before, is_new=False)
        session = self._session(handed)
        news: list[Event] = []

        def heard(event: Event) -> None:
            if isinstance(event, RETOLD):
                news.append(event)

        try:
            done = paint_unit(handed.unit, session, self._context.also(heard))
        except FINAL as error:
            write_record(self.handout, handed, Failed(error, str(handed.unit.source)))
            raise
        made = Made(done, tuple(news))
        write_record(self.handout, handed, made)
        return Painted(handed, made, is_new=True)

    def _session(self, handed: Handed) -> Session:
        if self._open is None or self._open[0] != handed.job:
            self._close()
            spec = self.handout.specs[handed.job]
            kind = MediaKind.PHOTO if isinstance(handed.unit, PhotoTask) else MediaKind.VIDEO
            if handed.unit.key != spec.key(kind):
                raise InputError("the task was planned with another render spec", next_step=PLAN_ANEW)
            limit = self.handout.order.memory_limit_bytes
            session = open_session(
                spec, self.handout.folder, self._context, device=self._device, memory_limit_bytes=limit
            )
            self._open = handed.job, session
        return self._open[1]

    def _refuse_other_input(self, unit: Unit) -> None:
        files = existing_files(unit.source)
        try:
            if unit.given is None or unit.given.of_same(files) is not None:
                if not files or not files[0].exists():
                    raise FileNotFoundError(2, "No such file or directory")
                return
            for path in files:
                path.stat()
        except OSError as error:
            raise InputError(
                f"{unit.source} cannot be read: {error.strerror or error}",
                next_step="Put it where it was when the work was planned, as seen from this machine.",
            ) from error
        raise InputError(f"{unit.source} is not what it was when the work was planned", next_step=PLAN_ANEW)


def unfinished(handout: Handout) -> list[int]:
    """The tasks of whose end nothing is said yet, by number."""
    return [number for number in range(handout.count) if not _is_over(handout, number)]


def _is_over(handout: Handout, number: int) -> bool:
    return read_record(handout, handout.handed(number)) is not None
