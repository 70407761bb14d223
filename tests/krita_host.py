"""Krita without a screen, with the plug-in as the command installs it: started once, asked for many things in turn."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from host_programs import SYSTEMS_PYTHON, missing

from framestyle.doors import cli
from framestyle.frames import Pixels

ANSWER_S = 200


def krita_missing() -> str | None:
    """Why it cannot be tried here."""
    return missing("Krita", programs=("kritarunner",))


class Krita:
    """One process; `folder` is its own, with its home, its temporary files and what it logs.

    `python`: what its plug-in is to start FrameStyle with.
    """

    def __init__(self, folder: Path, python: Path) -> None:
        self._folder, self.temporary = folder, folder / "tmp"
        data = folder / "home" / ".local" / "share"
        for one in (data / "kritarunner", self.temporary):
            one.mkdir(parents=True)
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("XDG_CONFIG_HOME", str(folder / "config"))
            patch.setattr(sys, "executable", str(python))
            command = ["integrations", "install", "krita", "--dir", str(data / "kritarunner")]
            assert cli.main(command) == 0
        shutil.copy(Path(__file__).parent / "krita_driver.py", data / "kritarunner" / "pykrita")
        asked, asking = os.pipe()
        telling, told = os.pipe()
        environment = os.environ | {
            "HOME": str(folder / "home"),
            "XDG_DATA_HOME": str(data),
            "XDG_CONFIG_HOME": str(folder / "home" / ".config"),
            "XDG_CACHE_HOME": str(folder / "home" / ".cache"),
            "TMPDIR": str(self.temporary),
            "KRITA_ASKED": str(asked),
            "KRITA_TOLD": str(told),
            "QT_QPA_PLATFORM": "offscreen",
            "OMP_NUM_THREADS": "1",
            **SYSTEMS_PYTHON,
        }
        with (folder / "log.txt").open("wb") as log:
            self.process = subprocess.Popen(
                ["kritarunner", "-s", "krita_driver", "-f", "main"],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=(asked, told),
            )
        os.close(asked)
        os.close(told)
        self._asking, self._telling = os.fdopen(asking, "w"), os.fdopen(telling)

    def ask(self, what: str, **more: Any) -> dict[str, Any]:
        """What the driver's method of that name answers."""
        self._asking.write(json.dumps({"do": what, **more}) + "\n")
        self._asking.flush()
        line = self._telling.readline()
        assert line, self.log()
        answer: dict[str, Any] = json.loads(line)
        assert "error" not in answer, answer["error"]
        return answer

    def paint(self, pixels: Pixels, **more: Any) -> tuple[dict[str, Any], Pixels]:
        """RGBA painted by the docker: the answer, and the layer on top."""
        height, width, _ = pixels.shape
        (self._folder / "in.raw").write_bytes(_bgra(pixels).tobytes())
        answer = self.ask(
            "paint",
            size=(width, height),
            pixels=str(self._folder / "in.raw"),
            depth="U8" if pixels.dtype == np.uint8 else "U16",
            into=str(self._folder / "out.raw"),
            **more,
        )
        flat = np.frombuffer((self._folder / "out.raw").read_bytes(), pixels.dtype)
        return answer, _bgra(flat.reshape(pixels.shape))

    def file_of(self, selection: Pixels) -> str:
        """A selection's bytes, as the driver takes them."""
        (self._folder / "selection.raw").write_bytes(np.ascontiguousarray(selection).tobytes())
        return str(self._folder / "selection.raw")

    @property
    def left(self) -> list[str]:
        """What paintings left in the folder for temporary files."""
        return [path.name for path in self.temporary.glob("framestyle*")]

    def log(self) -> str:
        """All that it wrote."""
        return (self._folder / "log.txt").read_text(errors="replace")

    def close(self) -> int:
        """Nothing more is asked: Krita ends."""
        for pipe in (self._asking, self._telling):
            pipe.close()
        try:
            return self.process.wait(ANSWER_S)
        finally:
            self.process.kill()
            self.process.wait()


def _bgra(pixels: Pixels) -> Pixels:
    return np.ascontiguousarray(pixels[..., [2, 1, 0, 3]])
