"""A workplace whose sources are watched: no byte of them changes, nothing lies about afterwards, no process is left."""

from __future__ import annotations

import hashlib
import signal
import subprocess
import sys
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from fault_list import Fault

from framestyle.doors import console
from framestyle.doors.cli import main
from framestyle.events import FrameDone
from tests import warm

PRESET = """\
schema: 1
style: {images: [{path: style.png}], layers: {relu1_1: 1}}
content: {layers: {relu1_2: 1}}
optimizer: {precision: float32}
scales: {min_px: 64, first_steps: 2, steps: 1}
video: {steps: 1, min_steps: 1}
output: {quality: draft, save_every_s: 0}
"""
UNTRAINED = ("--weights", "untrained", "--device", "cpu")


@dataclass(frozen=True)
class Told:
    """What a command said, and its exit code."""

    code: int
    out: str
    err: str

    def is_one_sentence(self, *words: str) -> None:
        """And a next step below it; nothing else, and nothing on stdout."""
        lines = [line for line in self.err.splitlines() if line]
        assert len(lines) == 2, self.err
        assert lines[0].startswith("framestyle: ") and lines[1].startswith("  "), self.err
        assert not lines[0].endswith(".") and ". " not in lines[0], "more than one sentence"
        assert self.out == ""
        for word in words:
            assert word in self.err, self.err


@dataclass
class Place:
    """The current folder: `sources` for inputs, `presets/quick.yaml`, and what the results of the test are called."""

    folder: Path
    fault: Fault
    capfd: pytest.CaptureFixture[str]
    monkeypatch: pytest.MonkeyPatch
    results: set[str] = field(default_factory=set)
    _before: dict[str, str] | None = None

    @property
    def sources(self) -> Path:
        return Path("sources")

    def call(self, *arguments: str) -> Told:
        """The command line, in this process."""
        self.watch()
        self.capfd.readouterr()
        code = main(arguments)
        told = Told(code, *self.capfd.readouterr())
        assert "Traceback" not in told.err and "unexpected" not in told.err, told.err
        return told

    def paints(self, *arguments: str, progress: str = "none", preset: str = "presets/quick.yaml") -> Told:
        """A command that must do what it is asked."""
        told = self.call(*self.stylize(arguments, progress, preset))
        assert told.code == 0, told.err
        return told

    def refuses(
        self, *arguments: str, words: tuple[str, ...] = (), preset: str = "presets/quick.yaml"
    ) -> None:
        """A command that must end with the case's exit code and one sentence, with these words in it."""
        told = self.call(*self.stylize(arguments, "none", preset))
        assert told.code == self.fault.code, told.err
        told.is_one_sentence(*words)

    def stops_after(self, frames: int, *arguments: str) -> Told:
        """A command that gets a SIGINT after so many frames."""
        left = frames

        def heard(event: Any) -> None:
            nonlocal left
            left -= isinstance(event, FrameDone)
            if left == 0:
                left -= 1
                signal.raise_signal(signal.SIGINT)

        with self.monkeypatch.context() as patch:
            patch.setattr(console, "open_console", lambda mode: nullcontext(heard))
            told = self.call(*self.stylize(arguments, "none", "presets/quick.yaml"))
        assert told.code == 130, told.err
        return told

    def start(self, *arguments: str, script: str = "", **options: Any) -> subprocess.Popen[str]:
        """The command as a process of its own, its news on stderr as JSON. `script`: Python that runs before it."""
        self.watch()
        called = self.stylize(arguments, "json", "presets/quick.yaml")
        code = f"import sys\nfrom framestyle.doors.cli import main\n{script}\nsys.exit(main({called!r}))"
        # What is done to the process before it begins, only a new one has.
        start = subprocess.Popen if options else warm.Popen
        return start(
            [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options
        )

    def stylize(
        self, arguments: tuple[str, ...], progress: str, preset: str = "presets/quick.yaml"
    ) -> tuple[str, ...]:
        return ("stylize", "-p", preset, *UNTRAINED, "--progress", progress, *arguments)

    # -- what lies there -----------------------------------------------------------------------------------

    def watch(self) -> None:
        """From here on nothing changes but for what is told."""
        if self._before is None:
            self._before = self.seen()

    def is_now(self, name: str) -> None:
        """The test itself has changed a source."""
        assert self._before is not None
        self._before[name] = self.seen()[name]

    def seen(self) -> dict[str, str]:
        """Everything below the folder, with its hash."""
        found = {}
        for path in sorted(self.folder.rglob("*")):
            name = path.relative_to(self.folder).as_posix()
            if path.is_symlink():
                found[name] = f"-> {path.readlink()}"
            elif path.is_file():
                found[name] = hashlib.sha256(path.read_bytes()).hexdigest()
            elif path.is_dir():
                found[f"{name}/"] = ""
        return found

    def check(self) -> None:
        """Nothing was touched, and nothing is there but the results."""
        if self._before is None:
            return
        now = self.seen()
        assert {name: now.get(name) for name in self._before} == self._before, "a source was touched"
        assert set(now) - set(self._before) == self.results
