"""Masks that move and timelines at the command line: by pipe as by file, in previews, swept and set."""

from __future__ import annotations

import io
from contextlib import redirect_stderr
from pathlib import Path

import numpy as np
import pytest
from moving import Bytes, disc, textured, write_clip
from PIL import Image
from pipe_ends import at_the_ends_of_pipes

from framestyle.doors.cli import main
from framestyle.doors.sheet import Cell, Row, layout
from framestyle.media.video.reader import VideoReader

WORK = ("--weights", "untrained", "--device", "cpu", "--progress", "none")
FRAMES = 6
PARTS = "style.images=[{path: photo.png, region: 255}]"
pytestmark = pytest.mark.usefixtures("loads")


@pytest.fixture
def clip(workplace: Path, photo: Path) -> Path:
    """Of a rate that Matroska's milliseconds do not hold; its mask beside it."""
    write_clip(Path("m.mkv"), [disc(n / (FRAMES - 1)) for n in range(FRAMES)], 30)
    return write_clip(workplace / "c.mkv", textured(FRAMES), 30)


def _shown(path: str) -> Bytes:
    with VideoReader(Path(path)) as reader:
        return np.stack([frame.pixels for frame in reader]).astype(np.uint8)


CHANGING = "timeline=[{at: frame 1, mix: 0.2, content.weight: 1}, {at: 0.15s, mix: 1, content.weight: 0.01}]"


@pytest.mark.parametrize("what", ["a timeline", "a mask and a timeline"])
def test_through_a_pipe_pixels_are_those_of_the_file(clip: Path, quick: str, what: str) -> None:
    options = ["-p", quick, *WORK, "--set", "output.video_codec=ffv1", "--set", "video.cuts=none"]
    options += ["--set", CHANGING]
    if what != "a timeline":
        options += ["--set", PARTS, "--mask", "m.mkv"]
    assert main(["stylize", str(clip), "-o", "by_file.mkv", *options]) == 0
    told = io.StringIO()
    with at_the_ends_of_pipes(clip.read_bytes()) as out, redirect_stderr(told):
        code = main(["stylize", "-", "-o", "-", *options])
    assert code == 0, told.getvalue()
    Path("by_pipe.mkv").write_bytes(b"".join(out))
    by_pipe, by_file = (_shown(name) for name in ("by_pipe.mkv", "by_file.mkv"))
    assert np.array_equal(by_pipe, by_file) and not np.array_equal(by_file, _shown(str(clip)))


def test_a_sweep_reaches_points_and_keeps_the_mask(clip: Path, quick: str) -> None:
    """Of one moment in the middle of a change."""
    given = ["--set", PARTS, "--set", "timeline=[{at: 0s, mix: 0}, {at: frame 5, mix: 1}]"]
    command = [
        "preview",
        str(clip),
        "-p",
        quick,
        "--start",
        "0.13",
        "--end",
        "0.16",
        "--mask",
        "m.mkv",
        *given,
    ]
    assert main([*command, "--sweep", "timeline.1.mix=0,1", "-o", "sheet.png", *WORK]) == 0
    found = layout([Row("title", [Cell("", None)] * 3, 32, 24)])
    page = np.asarray(Image.open("sheet.png").convert("RGB")).astype(int)
    original, source, painted = (
        page[box.top : box.bottom, box.left : box.right] for box in found.rows[0].cells
    )
    inside = disc(4 / (FRAMES - 1))[..., 0] > 0
    assert np.array_equal(source, original)
    assert np.array_equal(painted[~inside], original[~inside])
    assert np.abs(painted - original)[inside].mean() > 2
