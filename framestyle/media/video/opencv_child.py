"""OpenCV's decoder, run as a process of its own: names of files in, their pictures out. opencv.py starts it.

A decoder that crashes on a file takes its process with it: here that costs one file. Started by its path, so it
imports nothing of the package; its parent reads the form of its answers here.

Asked: the name's length (LENGTH), the name, and whether pictures are one level too dark (1 byte). Answered: for each
picture HEAD with PICTURE and its RGB bytes, then HEAD with ENDED, or with LOST where OpenCV raises.
"""

from __future__ import annotations

import os
import struct
import sys
import threading
from typing import Any, BinaryIO

LENGTH = struct.Struct("<I")
HEAD = struct.Struct("<iiiddd")
"""What it is, height, width; milliseconds from the stream's start, frames from the file's, frames a second."""
PICTURE, ENDED, LOST = 1, 2, 3
MOST_REFUSED = 250
"""So many pictures in a row that OpenCV does not give are the end. At the end itself it takes 10 µs to say so."""
IDLE_S = 10.0
"""A process that nobody asks for so long ends by itself."""


def main() -> None:
    """Answers until nobody asks any more."""
    asked = os.fdopen(0, "rb")
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # whatever a library prints is no answer
    import cv2  # noqa: F401  while the parent writes its question

    while True:
        idle = threading.Timer(IDLE_S, os._exit, (0,))
        idle.daemon = True
        idle.start()
        if len(length := asked.read(LENGTH.size)) < LENGTH.size:
            return
        idle.cancel()
        name = os.fsdecode(asked.read(LENGTH.unpack(length)[0]))
        state = _send_pictures(name, answers, too_dark=asked.read(1) == b"\1")
        answers.write(HEAD.pack(state, 0, 0, 0, 0, 0))
        answers.flush()


def _send_pictures(name: str, answers: BinaryIO, *, too_dark: bool) -> int:
    import cv2
    import numpy as np

    one_up = np.minimum(np.arange(256) + (np.arange(256) > 0), 255).astype(np.uint8)
    try:
        capture = cv2.VideoCapture(f"file:{name}", cv2.CAP_FFMPEG)
    except (cv2.error, UnicodeError):
        return LOST
    try:
        rate, refused = capture.get(cv2.CAP_PROP_FPS), 0
        while refused < MOST_REFUSED:
            # A damaged picture ends nothing: after it OpenCV goes on, as ffmpeg does.
            there, bgr = capture.read()
            if not there:
                refused += 1
                continue
            refused = 0
            # Only after read() are these of the frame just read.
            clocks = capture.get(cv2.CAP_PROP_POS_MSEC), capture.get(cv2.CAP_PROP_PTS)
            pixels: Any = cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)
            if too_dark:
                pixels = cv2.LUT(pixels, one_up)  # black stays black
            answers.write(HEAD.pack(PICTURE, *pixels.shape[:2], *clocks, rate))
            answers.write(np.ascontiguousarray(pixels).data.cast("B"))
    except cv2.error:
        return LOST
    finally:
        capture.release()
    return ENDED


if __name__ == "__main__":
    try:
        main()
    except BrokenPipeError:  # the parent wants no more
        sys.stderr.close()
