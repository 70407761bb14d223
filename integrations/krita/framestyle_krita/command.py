"""FrameStyle's command line: how it is called, and what it says while it works. No Qt, and no Krita."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

HOME = Path(__file__).parent / "framestyle-home.json"
LIFELINE = Path(__file__).parent / "lifeline.py"
NOT_FOUND = "FrameStyle was not found. Install it, then run: framestyle integrations install krita"


class NotFoundError(Exception):
    """There is no FrameStyle to call."""


@dataclass(frozen=True)
class Wish:
    """What is to be painted with. `settings` are KEY=VALUE; `max_side_px` 0 is the picture's own size."""

    preset: str
    settings: tuple[str, ...] = ()
    max_side_px: int = 1024
    seed: int = 0
    weights: str = "auto"
    device: str = "auto"

    def arguments(self, source: Path, target: Path) -> list[str]:
        """Of the command line, after the program."""
        asked = ["stylize", str(source), "-o", str(target), "-p", self.preset, "--progress", "json"]
        asked += ["--max-side", str(self.max_side_px), "--seed", str(self.seed)]
        asked += ["--weights", self.weights, "--device", self.device]
        return asked + [part for setting in self.settings for part in ("--set", setting)]


def program() -> list[str]:
    """The program and its first arguments: as noted at the install, else whatever is on the path."""
    if (python := _python()) is not None:
        return [python, "-m", "framestyle"]
    found = shutil.which("framestyle")
    if found is None:
        raise NotFoundError(NOT_FOUND)
    return [found]


def program_on_a_lifeline(folder: Path) -> list[str]:
    """The same, as one that ends where its standard input does, and takes the folder away then.

    One that was found on the path has no lifeline: that is ended by a signal.
    """
    python = _python()
    return program() if python is None else [python, str(LIFELINE), str(folder)]


def _python() -> str | None:
    """FrameStyle's, as noted at the install, where it is still there."""
    try:
        python = json.loads(HOME.read_text(encoding="utf-8"))["executable"]
    except (OSError, ValueError, KeyError):
        return None
    return python if Path(python).is_file() else None


def environment() -> dict[str, str]:
    """Without what Krita sets for the Python that it brings: ours would take it for its own."""
    return {name: value for name, value in os.environ.items() if name not in ("PYTHONHOME", "PYTHONPATH")}


class Listener:
    """Reads the lines of `--progress json` as they come."""

    def __init__(self) -> None:
        self.share = 0.0
        """How much is done, from 0 to 1."""
        self.message = ""
        """Why it failed and what to do, where it did."""
        self._rest = b""
        self._plain: list[str] = []

    def hear(self, more: bytes) -> None:
        """Some more of what it says; lines may be cut anywhere."""
        *lines, self._rest = (self._rest + more).split(b"\n")
        for line in lines:
            self._line(line.decode("utf-8", "replace"))

    def why(self) -> str:
        """Why it failed: its own words, or the last that it said."""
        return self.message or " ".join(self._plain[-2:]) or "FrameStyle ended without a word"

    def _line(self, line: str) -> None:
        if not line.startswith("{"):
            self._plain += [line.strip()] if line.strip() else []
            return
        event = json.loads(line)
        if event["event"] == "step_done":
            self.share = (event["scale_index"] + event["step"] / event["steps"]) / event["scales"]
        elif event["event"] == "photo_done":
            self.share = 1.0
        elif event["event"] == "failed":
            self.message = "\n".join(filter(None, (event["message"], event["next_step"])))
