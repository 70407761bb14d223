"""What a task is done with, and in which context."""

from __future__ import annotations

from typing import NamedTuple

from framestyle.context import Context
from framestyle.presets import Preset
from framestyle.session import Session


class Ready(NamedTuple):
    """The last arguments of `run`: `run(tasks, output, span, *ready)`."""

    session: Session
    context: Context

    @property
    def preset(self) -> Preset:
        return self.session.preset
