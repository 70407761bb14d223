"""The list of faults, in the order and the words in which it was asked for; and which test stands for which."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CASES: dict[str, tuple[str, ...]] = {
    "Process": (
        "kill -9 mid-frame",
        "kill -9 between temporary file and rename",
        "kill -9 during the final mux",
        "SIGINT once and twice",
        "SIGTERM",
        "ffmpeg killed",
        "ffmpeg missing",
        "two runs on one work folder",
        "resume with edited preset",
        "resume with changed input",
        "resume with corrupt checkpoint",
        "resume with corrupt manifest",
    ),
    "Storage": (
        "disk full mid-encode",
        "disk full at the trailer",
        "read-only output",
        "output is a folder",
        "input = output, also through a link",
        "two inputs that would give one output",
    ),
    "Video": (
        "zero bytes",
        "no moov",
        "truncated tail",
        "corrupt middle",
        "lying frame count",
        "variable rate",
        "rotation",
        "SAR ≠ 1",
        "321×241",
        "10-bit and HDR",
        "audio only",
        "one frame",
        "size change mid-stream",
        "bitmap subtitles into MP4",
        "24 h of timestamps",
    ),
    "Clips as they are shown": (
        "a clip's name is no UTF-8",
        "a decoder crashes on one of several",
        "mirrored",
        "mirrored and turned",
        "turned by an odd angle",
        "cropped by its container",
        "interlaced",
        "subtitles that are not the default",
        "an edit list",
        "fragmented MP4",
        "sound that outlasts the pictures",
        "a held last frame",
        "a clock that starts again",
        "a timecode above 255 frames a second",
        "a drop-frame timecode at another rate",
        "a phone's place, make and local date",
        "metadata without a place in the container",
    ),
    "Beside the pictures of a clip": (
        "pictures all around, or for two eyes",
        "Dolby Vision, HDR10+, captions in the pictures' stream",
        "a camera's data beside the pictures",
        "subtitles with fonts and places, and of rarer forms",
        "sound of more channels than its codec has places for",
        "depth, colours or size that change on the way",
    ),
    "Photos": (
        "truncated JPEG",
        "decompression bomb",
        "EXIF 1–8",
        "P3",
        "CMYK",
        "grey",
        "alpha",
        "16-bit",
        "animated",
        "text named .jpg",
    ),
    "Pictures of every kind": (
        "colours told by cICP, gAMA, cHRM",
        "an HDR still",
        "an HDR still into a format without HDR",
        "an HDR still made SDR",
        "an AVIF of 10 bits",
        "a transparent GIF",
        "a loop count",
        "an AVIF sequence",
        "raw MJPEG",
        "a JPEG called .jfif, .jpe, .png, or nothing",
        "a TIFF of floating-point or 32-bit pixels",
        "a TIFF of floating-point pixels without a white",
        "OpenEXR and Radiance",
        "an OpenEXR that is cut off",
        "texts in a PNG",
        "a gain map, or another view, in a JPEG",
        "what programs keep beside pictures",
        "an HDR image sequence",
        "a TIFF of half precision, or of channels apart",
        "a film behind a photo (motion photos)",
        "a panorama made smaller",
        "a camera's small copies of its clips",
        "a clip of like frames into WebP",
    ),
    "Names": (
        "leading dash",
        "newline",
        "unicode NFC/NFD",
        "%04d",
        "concat:",
        "http:",
        "ffconcat body",
        "m3u8",
        "terminal escapes in names and in logs",
    ),
    "Presets": (
        "!!python/object",
        "alias bomb",
        "duplicate keys",
        "NaN",
        "inf",
        "1e6",
        "extends cycle",
        "../ and absolute style path from an imported preset",
        "link escape",
        "unknown key",
        "newer schema",
    ),
    "Device and weights": (
        "out of memory at the first step",
        "out of memory mid-clip",
        "no CUDA",
        "hash mismatch",
        "pickle payload",
        "NaN loss",
        "a download cut in half",
        "a layer that the weights do not have",
    ),
    "Two runs and streams": (
        "two runs at one result",
        "two previews into one file",
        "two runs with different inputs into one folder",
        "a second run at a result that the first has just made",
        "stderr that goes away",
        "stdout that nobody reads",
        "a full disk below stdout",
        "stderr closed",
        "current folder removed",
        "terminal closed (SIGHUP)",
        "a result's name that the file system does not take",
    ),
    "What is asked for": (
        "an output that can't be written",
        "a link in a circle",
        "a dry run of what would be refused",
        "a disk that is too small, told by --dry-run",
        "a mistyped command or option",
        "a mistyped file",
        "a value out of its range",
        "an ending that the default codec does not go with",
        "a clip into one picture",
        "a preset of a built-in one's name",
        "a preset's name that a shell would take apart",
        "a preset that is removed",
        "a file to verify that is not there",
        "a clip of one frame, in words",
    ),
    "Styles that move with the film": (
        "a mask that moves and is no good",
        "one bad mask among several clips",
        "a timeline that a preset cannot have",
        "a timeline that a clip does not have",
        "kill -9 in the middle of a change of style",
    ),
    "Machines": (
        "a locale without Unicode",
        "a clock that was set, or summer time on a FAT disk",
        "a disk that takes A for a",
        "a network folder without locks",
        "a network folder that cannot be told to write at once",
        "a network folder that fails to write at once",
        "a terminal of no width",
        "a cache that cannot be written",
    ),
}
PENDING: dict[str, str] = {}
"""Cases that no test stands for yet, each with its reason."""
ALL = tuple(case for cases in CASES.values() for case in cases)


@dataclass(frozen=True)
class Fault:
    """A case: the exit code that its command ends with (None: it is killed), and what happens, in a few words."""

    case: str
    code: int | None
    happens: str


def fault(case: str, code: int | None, happens: str) -> Callable[[Any], Any]:
    """Marks the test that stands for a case. Its `place` holds commands to the exit code."""

    def marked(test: Any) -> Any:
        test.fault = Fault(case, code, happens)
        return test

    return marked


def registered() -> list[Fault]:
    """What the tests of this folder stand for."""
    found = []
    for path in sorted(Path(__file__).parent.glob("test_*.py")):
        for test in vars(importlib.import_module(path.stem)).values():
            if isinstance(one := getattr(test, "fault", None), Fault):
                found.append(one)
    return found


BEGIN, END = "<!-- faults: begin -->\n", "<!-- faults: end -->"
"""Between them stands the table in docs/reliability.md."""


def table() -> str:
    """The list for docs/reliability.md, in Markdown."""
    by_case = {one.case: one for one in registered()}
    lines = []
    for title, cases in CASES.items():
        lines += [f"### {title}", "", "| Case | What happens | Exit code |", "|---|---|---|"]
        for case in cases:
            one = by_case.get(case) or Fault(case, None, f"not tested yet: {PENDING.get(case, '?')}")
            code = "–" if one.code is None else str(one.code)
            lines.append(f"| {case} | {one.happens} | {code} |")
        lines.append("")
    return "\n".join(lines)


if __name__ == "__main__":  # put the table into the documentation: python tests/faults/fault_list.py
    import sys

    sys.path.append(str(Path(__file__).parents[1]))
    from fault_list import table as list_of_the_registry  # this module's other self, which the tests know

    page = Path(__file__).parents[2] / "docs" / "reliability.md"
    before, _, rest = page.read_text(encoding="utf-8").partition(BEGIN)
    page.write_text(f"{before}{BEGIN}{list_of_the_registry()}{END}{rest.partition(END)[2]}", encoding="utf-8")
