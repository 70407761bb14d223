"""Whether a host that is on this machine can load the plug-in that was put there, by asking it; and if not, why."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from framestyle.hosts.installing import Installed

ANSWER_S = 30
SYSTEMS_PYTHON = Path("/usr/bin/python3")
"""Where distributions have the modules of their own programs."""
INSPECT = "gst-inspect-1.0"
_VERSION = "import sys, {module}; print('%d.%d' % sys.version_info[:2])"


@dataclass(frozen=True)
class Trouble:
    """What is in the way, and what to do about it."""

    text: str
    next_step: str


def trouble_of(one: Installed) -> Trouble | None:
    """Why the host cannot load what was installed; None where it can, or is not on the path, or cannot be asked."""
    ask = _ASKED.get(one.host)
    return None if ask is None or sys.platform == "win32" else ask(one)


def _gstreamer(one: Installed) -> Trouble | None:
    if shutil.which(INSPECT) is None:
        return None
    with TemporaryDirectory(prefix="framestyle-") as folder:
        # As if it had never looked: what it remembers may be an earlier failure, or an earlier success.
        here, systems = (
            {"GST_REGISTRY": str(Path(folder) / name), **_where(one)} for name in ("here", "systems")
        )
        loads = _says([INSPECT, "framestyle"], here) is not None
        loads_with_systems = (
            loads or _says([INSPECT, "framestyle"], {**systems, **_systems_first()}) is not None
        )
    if not loads_with_systems:
        return Trouble(
            "GStreamer does not load Python plug-ins",
            "Install its loader and its Python bindings; on Debian: gstreamer1.0-python3-plugin-loader python3-gst-1.0",
        )
    if not loads:
        return Trouble(
            f"GStreamer looks for its modules beside the first python3 of PATH, and {shutil.which('python3')} has none",
            "In the shell that GStreamer is started from: export PATH=/usr/bin:$PATH; rm -rf ~/.cache/gstreamer-1.0",
        )
    if _says([INSPECT, "framestyle"], _where(one)) is None:
        return Trouble(
            "GStreamer remembers that it could not be loaded at an earlier time",
            "Have it look again: rm -r ~/.cache/gstreamer-1.0",
        )
    return _of_another_python()


def _of_another_python() -> Trouble | None:
    """The element loads FrameStyle into GStreamer's own Python."""
    theirs, ours = _version_with("gi", {}), "{}.{}".format(*sys.version_info)
    if theirs in (None, ours):
        return None
    return Trouble(
        f"GStreamer's Python is {theirs}, and FrameStyle is installed for {ours}",
        f"Make FrameStyle's environment with Python {theirs}: {SYSTEMS_PYTHON} -m venv",
    )


def _krita(one: Installed) -> Trouble | None:
    if sys.platform != "linux" or shutil.which("krita") is None or _version_with("PyQt5", {}) is not None:
        return None
    if _version_with("PyQt5", _systems_first()) is None:
        return Trouble("Krita's Python has no PyQt5", "Install it; on Debian: python3-pyqt5 python3-sip")
    return Trouble(
        f"Krita, started from here, takes {shutil.which('python3')} for its Python, which has no PyQt5",
        "Start it from the menu, or as: PATH=/usr/bin:$PATH krita",
    )


_ASKED: Mapping[str, Callable[[Installed], Trouble | None]] = {"gstreamer": _gstreamer, "krita": _krita}


def _where(one: Installed) -> Mapping[str, str]:
    """Where GStreamer looks, and the plug-in's own folder, which may be none of these."""
    named = os.environ.get("GST_PLUGIN_PATH")
    return {"GST_PLUGIN_PATH": os.pathsep.join([one.folder, *([named] if named else [])])}


def _systems_first() -> Mapping[str, str]:
    return {"PATH": os.pathsep.join([str(SYSTEMS_PYTHON.parent), os.environ.get("PATH", "")])}


def _version_with(module: str, environment: Mapping[str, str]) -> str | None:
    """Of the first python3 of the path; None where it is none, or has no such module."""
    path = environment.get("PATH", os.environ.get("PATH"))
    python = shutil.which("python3", path=path)
    return None if python is None else _says([python, "-c", _VERSION.format(module=module)], environment)


def _says(command: list[str], environment: Mapping[str, str]) -> str | None:
    """What a program prints; None where it fails."""
    try:
        done = subprocess.run(
            command,
            env=os.environ | environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=True,
            timeout=ANSWER_S,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.decode(errors="replace").strip()
