"""FrameStyle: paints video clips and photo folders in named styles.

The names below are loaded when they are first used: `import framestyle` alone loads no torch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from framestyle.context import Context
    from framestyle.doors.arrays import Painter, stylize_frames, stylize_image
    from framestyle.doors.python_presets import load_preset
    from framestyle.doors.python_session import Session
    from framestyle.errors import Cancelled, FramestyleError
    from framestyle.frames import Frame
    from framestyle.motion.shots import Shot, find_shots
    from framestyle.nst.stylizer import Stylizer
    from framestyle.presets import Preset, list_presets
    from framestyle.spec import RenderSpec

__version__ = "0.2.0"

_HOMES = {
    "Cancelled": "framestyle.errors",
    "Context": "framestyle.context",
    "Frame": "framestyle.frames",
    "FramestyleError": "framestyle.errors",
    "Painter": "framestyle.doors.arrays",
    "Preset": "framestyle.presets",
    "RenderSpec": "framestyle.spec",
    "Session": "framestyle.doors.python_session",
    "Shot": "framestyle.motion.shots",
    "Stylizer": "framestyle.nst.stylizer",
    "find_shots": "framestyle.motion.shots",
    "list_presets": "framestyle.presets",
    "load_preset": "framestyle.doors.python_presets",
    "stylize_frames": "framestyle.doors.arrays",
    "stylize_image": "framestyle.doors.arrays",
}
"""Where each public name lives."""

__all__ = [
    "Cancelled",
    "Context",
    "Frame",
    "FramestyleError",
    "Painter",
    "Preset",
    "RenderSpec",
    "Session",
    "Shot",
    "Stylizer",
    "__version__",
    "find_shots",
    "list_presets",
    "load_preset",
    "stylize_frames",
    "stylize_image",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
