"""Krita's docker, worked by its button: one picture, painted onto a new layer."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
from door import ALPHA, DEEP, ODD, Door, Frames, Job, Painted, Stopped
from krita_host import Krita, krita_missing

SCALES = 2
"""Of the contract's preset, at the size of its pictures."""
WISH = {"max_side_px": 0, "weights": "untrained", "device": "cpu"}


class KritaDoor(Door):
    """One process for all tests: a start takes longer than any of them."""

    name = "krita"
    paints_photos = True
    carries = frozenset({ALPHA, DEEP, ODD})

    def __init__(self) -> None:
        self._krita: Krita | None = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    def missing(self) -> str | None:
        return krita_missing()

    def as_carried(self, frames: Frames) -> Frames:
        """An image is one picture."""
        return frames[:1]

    def start(self, python: Path) -> None:
        if self._krita is None:
            self._folder = tempfile.TemporaryDirectory(prefix="krita-")
            self._krita = Krita(Path(self._folder.name), python)

    def stop(self) -> None:
        if self._krita is not None and self._folder is not None:
            assert self._krita.close() == 0, self._krita.log()
            self._folder.cleanup()
        self._krita = self._folder = None

    def paint(self, job: Job) -> Painted:
        told, painted = self._paint(job)
        assert told["told"].startswith("Painted onto the layer"), told["told"]
        return Painted(painted[None, ..., : job.frames.shape[3]], told["shares"])

    def cancel(self, job: Job) -> Stopped:
        told, _ = self._paint(job, then="cancel")
        assert told["layers"] == ["content"]
        steps = int(job.preset.read_text().partition("first_steps: ")[2].partition(",")[0])
        after = max([0.0, *told["late"]]) - told["shares"][-1]
        return Stopped(told["told"], max(0, round(after * steps * SCALES)))

    def broken(self, job: Job) -> str:
        """Of a grey image, for which the plug-in has no carrier."""
        assert self._krita is not None
        told = self._krita.ask(
            "paint", size=(32, 24), model="GRAYA", wish={"preset": str(job.preset), **WISH}
        )
        assert "Convert it to RGB" in told["told"]
        return str(told["told"])

    def _paint(self, job: Job, **more: str):  # type: ignore[no-untyped-def]
        assert self._krita is not None
        picture = _with_alpha(job.frames[0])
        found = self._krita.paint(picture, wish={"preset": str(job.preset), **WISH}, **more)
        assert self._krita.left == []
        return found


def _with_alpha(picture: Frames) -> Frames:
    if picture.shape[2] == 4:
        return picture
    return np.dstack([picture, np.full_like(picture[..., :1], np.iinfo(picture.dtype).max)])


DOORS = [KritaDoor()]
