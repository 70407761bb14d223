"""What a task is done with, and in which context."""

from __future__ import annotations

from typing import NamedTuple

from framestyle.context import Context
from framestyle.jobs.workshop import Workshop
from framestyle.presets import Preset


class Ready(NamedTuple):
    """The last arguments of `run`: `run(tasks, output, span, *ready)`."""

    workshop: Workshop
    context: Context

    @property
    def preset(self) -> Preset:
        return self.workshop.preset
