"""The system's file manager, asked to show a file of ours."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path


def can_reveal() -> bool:
    """Whether there is one, and a screen for it."""
    if sys.platform in ("darwin", "win32"):
        return True
    has_screen = bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
    return has_screen and shutil.which("xdg-open") is not None


def reveal(path: Path) -> bool:
    """Opens the folder of `path`; whether anything was asked."""
    if not can_reveal():
        return False
    if sys.platform == "darwin":
        command = ["open", "-R", str(path)]
    elif sys.platform == "win32":
        command = ["explorer", f"/select,{path}"]
    else:
        command = ["xdg-open", str(path.parent)]
    try:
        subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
    except OSError:
        return False
    return True
