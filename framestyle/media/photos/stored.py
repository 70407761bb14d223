"""TIFFs that OpenCV garbles or refuses, by ffmpeg, which gives what is stored: channels apart, half precision."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from framestyle.errors import InputError
from framestyle.media.ffmpeg import ask, fed

_STORED = re.compile(
    r"Video: tiff, (rgb48|rgba64|gbrp16|gbrap16|gbrpf32|gbrapf32|gray16|grayf32|ya16)[lb]e\b"
    r".*?, ([0-9]{1,6})x([0-9]{1,6})\b"
)
CHANNELS = {"rgb48": 3, "rgba64": 4, "gbrp16": 3, "gbrap16": 4, "gbrpf32": 3, "gbrapf32": 4}
CHANNELS |= {"gray16": 1, "grayf32": 1, "ya16": 2}


def decode_stored(path: Path, orientation: int, *, half: bool) -> npt.NDArray[Any] | None:
    """HWC upright, as OpenCV orders channels (BGR, then alpha; one of grey): uint16, float32, or float16 where `half`.

    None where it is not read so.
    """
    given = ["-noautorotate", "-protocol_whitelist", "file", "-f", "tiff_pipe", "-i", f"file:{path}"]
    _, said = ask(given)
    if (told := _STORED.search(said)) is None:
        return None
    stored, width, height = told[1], int(told[2]), int(told[3])
    raw = ["-frames:v", "1", "-f", "rawvideo", "-pix_fmt", f"{stored}le", "-"]
    try:
        data = fed(b"", ["-v", "error", *given, *raw])
    except InputError:
        return None
    kind = "<f4" if "f32" in stored else "<f2" if half else "<u2"
    values: npt.NDArray[Any] = np.frombuffer(data, kind)
    count = CHANNELS[stored]
    if values.size != count * width * height:
        return None
    if stored.startswith("gb"):
        planes = values.reshape(count, height, width)[[1, 0, 2, 3][:count]]  # blue, green, red, alpha
        picture = planes.transpose(1, 2, 0)
    else:
        picture = values.reshape(height, width, count)[
            ..., [2, 1, 0, 3][:count] if count > 2 else slice(None)
        ]
    if count == 2:  # grey, three times, and its transparency
        picture = picture[..., [0, 0, 0, 1]]
    return turned(picture, orientation)


def turned(pixels: npt.NDArray[Any], turn: int) -> npt.NDArray[Any]:
    """HW or HWC as stored -> upright, for EXIF orientation 1-8 (JEITA CP-3451, tag 274)."""
    if turn >= 5:
        pixels = pixels.swapaxes(0, 1)
    if turn in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if turn in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return np.ascontiguousarray(pixels)
