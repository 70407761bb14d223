"""Everything that is looked at, in the order in which it is told.

Nothing here raises, and nothing reaches a network. What fails stands as a finding, with a next step.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from framestyle.doctor.devices import devices
from framestyle.doctor.ffmpeg import ffmpeg
from framestyle.doctor.finding import FAILURE, Finding, failed
from framestyle.doctor.folders import folders
from framestyle.doctor.integrations import integrations
from framestyle.doctor.machine import packages, system
from framestyle.doctor.plugins import plugins
from framestyle.doctor.presets import presets
from framestyle.doctor.weights import weights
from framestyle.errors import (
    DeviceError,
    FramestyleError,
    OutputError,
    PresetError,
    StorageError,
    UsageError,
    WeightsError,
)


@dataclass(frozen=True)
class Area:
    """A part of the machine, how it is looked at, and which error a job would meet where that breaks down."""

    name: str
    look: Callable[[], Iterator[Finding]]
    kind: type[FramestyleError]


AREAS = (
    Area("system", system, DeviceError),
    Area("packages", packages, DeviceError),
    Area("devices", devices, DeviceError),
    Area("ffmpeg", ffmpeg, OutputError),
    Area("weights", weights, WeightsError),
    Area("folders", folders, StorageError),
    Area("presets", presets, PresetError),
    Area("plugins", plugins, UsageError),
    Area("integrations", integrations, UsageError),
)
"""In the order in which they are examined."""


def examine(areas: Sequence[Area] = AREAS) -> Iterator[Finding]:
    """Every finding, as it is made. An area that breaks down is a failure of its own."""
    for area in areas:
        try:
            yield from area.look()
        except Exception as error:  # the doctor must not die of what it looks for
            text = f"cannot be examined: {type(error).__name__}: {' '.join(str(error).split())[:300]}"
            again = "Install FrameStyle anew: pip install --force-reinstall framestyle"
            yield failed(area.name, area.name, text, area.kind, again)


def exit_code(findings: list[Finding]) -> int:
    """That of the first failure; 0 where nothing essential fails."""
    return next((one.exit_code for one in findings if one.state == FAILURE), 0)
