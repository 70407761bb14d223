"""FrameStyle: paints video clips and photo folders in named styles.

The names below are loaded when they are first used: `import framestyle` alone loads no torch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from framestyle.doors.arrays import Painter, stylize_frames, stylize_image
    from framestyle.doors.python_presets import load_preset
    from framestyle.errors import FramestyleError
    from framestyle.frames import Frame
    from framestyle.jobs.workshop import Workshop, open_workshop
    from framestyle.motion.shots import Shot, find_shots
    from framestyle.nst.stylizer import Stylizer
    from framestyle.presets import Preset, list_presets

__version__ = "0.1.0"

_HOMES = {
    "Frame": "framestyle.frames",
    "FramestyleError": "framestyle.errors",
    "Painter": "framestyle.doors.arrays",
    "Preset": "framestyle.presets",
    "Shot": "framestyle.motion.shots",
    "Stylizer": "framestyle.nst.stylizer",
    "Workshop": "framestyle.jobs.workshop",
    "find_shots": "framestyle.motion.shots",
    "list_presets": "framestyle.presets",
    "load_preset": "framestyle.doors.python_presets",
    "open_workshop": "framestyle.jobs.workshop",
    "stylize_frames": "framestyle.doors.arrays",
    "stylize_image": "framestyle.doors.arrays",
}
"""Where each public name lives."""

__all__ = [
    "Frame",
    "FramestyleError",
    "Painter",
    "Preset",
    "Shot",
    "Stylizer",
    "Workshop",
    "__version__",
    "find_shots",
    "list_presets",
    "load_preset",
    "open_workshop",
    "stylize_frames",
    "stylize_image",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
