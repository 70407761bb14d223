"""Everything that is looked at, in the order in which it is told.

Nothing here raises, and nothing reaches a network. What fails stands as a finding, with a next step.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from framestyle.doctor.devices import devices
from framestyle.doctor.ffmpeg import ffmpeg
from framestyle.doctor.finding import FAILURE, Finding, failed
from framestyle.doctor.folders import folders
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

Look = Callable[[], Iterator[Finding]]

AREAS: Mapping[str, tuple[Look, type[FramestyleError]]] = {
    "system": (system, DeviceError),
    "packages": (packages, DeviceError),
    "devices": (devices, DeviceError),
    "ffmpeg": (ffmpeg, OutputError),
    "weights": (weights, WeightsError),
    "folders": (folders, StorageError),
    "presets": (presets, PresetError),
    "plugins": (plugins, UsageError),
}
"""What is looked at, and the error that a job would meet where looking itself breaks down."""


def examine() -> Iterator[Finding]:
    """Every finding, as it is made. An area that breaks down is a failure of its own."""
    for area, (look, kind) in AREAS.items():
        try:
            yield from look()
        except Exception as error:  # the doctor must not die of what it looks for
            text = f"cannot be examined: {type(error).__name__}: {' '.join(str(error).split())[:300]}"
            yield failed(
                area, area, text, kind, "Install FrameStyle anew: pip install --force-reinstall framestyle"
            )


def exit_code(findings: list[Finding]) -> int:
    """That of the first failure; 0 where nothing essential fails."""
    return next((one.exit_code for one in findings if one.state == FAILURE), 0)
