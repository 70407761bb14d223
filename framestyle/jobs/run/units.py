"""One unit of work, whichever it is."""

from __future__ import annotations

from pathlib import Path

from framestyle.context import Context
from framestyle.events import TaskDone
from framestyle.jobs.plan.units import ShotTask, Unit
from framestyle.jobs.run.photos import render_photo
from framestyle.jobs.run.shots import ShotDone, paint_shot
from framestyle.session import Session


def paint_unit(
    unit: Unit, session: Session, context: Context, scratch: Path | None = None
) -> TaskDone | ShotDone:
    """Paint it. Done twice it is the same, and half of it is never taken for the whole. Raises FramestyleErrors."""
    with session.blaming_memory(unit.source, "render"):
        if isinstance(unit, ShotTask):
            return paint_shot(unit, session, context)
        return render_photo(unit, session, context, scratch)
