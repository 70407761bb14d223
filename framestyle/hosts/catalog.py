"""The hosts, and where each looks for plug-ins on Linux, macOS and Windows."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from framestyle.errors import Code, UsageError


@dataclass(frozen=True)
class Machine:
    """What usual places depend on. `system` as `sys.platform` has it."""

    system: str
    home: Path
    environment: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def here(cls) -> Machine:
        """This one, and this user."""
        return cls(sys.platform, Path.home(), os.environ)

    def named(self, variable: str, otherwise: Path) -> Path:
        """The folder that a variable of the environment names."""
        value = self.environment.get(variable)
        return Path(value) if value else otherwise


@dataclass(frozen=True)
class Host:
    """A program, what comes into it, and the folders that may be its own.

    `plugin` is the folder of ours whose files are copied, `into` where under the host's folder they go. `must_hold`:
    what tells that a folder is the host's; None: it may be made. `names_home`: where a file that says where FrameStyle
    lies is put beside them, for hosts with a Python of their own.
    """

    name: str
    help: str
    usual: Callable[[Machine], Sequence[Path]]
    plugin: str
    into: str = ""
    must_hold: str | None = None
    names_home: str | None = None
    then: str = ""
    """What the user does next, in a sentence."""

    def folder(self, named: Path | None, machine: Machine | None = None) -> Path:
        """Where its plug-ins go: as named, else the usual place that is there. UsageError where there is none."""
        looked = [named] if named is not None else list(self.usual(machine or Machine.here()))
        for folder in looked:
            if self.must_hold is None or (folder / self.must_hold).is_dir():
                there = [one for one in looked if one.is_dir()] if self.must_hold is None else [folder]
                return (there or looked)[0].expanduser().absolute()
        raise UsageError(
            f"{self.name} was not found: {' and '.join(str(one) for one in looked)} "
            f"{'holds' if len(looked) == 1 else 'hold'} no folder {self.must_hold}",
            code=Code.HOST_NOT_FOUND,
            facts={"host": self.name, "looked": [str(one) for one in looked]},
        )


def _gstreamer(machine: Machine) -> Sequence[Path]:
    # The Python loader's own rule on every system: not the data folder, where compiled plug-ins may lie.
    return [machine.home / ".gstreamer-1.0" / "plugins"]


def _comfyui(machine: Machine) -> Sequence[Path]:
    home = machine.home
    named = machine.environment.get("COMFYUI_PATH")
    usual = [home / "ComfyUI", home / "comfy" / "ComfyUI", home / "Documents" / "ComfyUI"]
    return [*([Path(named)] if named else []), *usual]


def _krita(machine: Machine) -> Sequence[Path]:
    home = machine.home
    if machine.system == "win32":
        return [machine.named("APPDATA", home / "AppData" / "Roaming") / "krita"]
    if machine.system == "darwin":
        return [home / "Library" / "Application Support" / "krita"]
    return [
        machine.named("XDG_DATA_HOME", home / ".local" / "share") / "krita",
        home / ".var" / "app" / "org.kde.krita" / "data" / "krita",
        home / "snap" / "krita" / "current" / ".local" / "share" / "krita",
    ]


HOSTS: Mapping[str, Host] = {
    host.name: host
    for host in (
        Host(
            "comfyui",
            "nodes Paint, Video, Preset and Style by image",
            _comfyui,
            "comfyui",
            into="custom_nodes/framestyle-nodes",
            must_hold="custom_nodes",
            then="Start ComfyUI again: the nodes are under image/FrameStyle.",
        ),
        Host(
            "gstreamer",
            "the element framestyle, for gst-launch-1.0 and programs",
            _gstreamer,
            "gstreamer/python",
            into="python",
            names_home="python/framestyle-home.json",
            then="Try it: gst-inspect-1.0 framestyle",
        ),
        Host(
            "krita",
            "a docker with presets and previews; results on a new layer",
            _krita,
            "krita",
            into="pykrita",
            names_home="pykrita/framestyle_krita/framestyle-home.json",
            then="In Krita: Settings > Configure Krita > Python Plugin Manager, tick FrameStyle, and start it again.",
        ),
    )
}
"""By name. The effect for moviepy is in the package: nothing is to be installed."""
