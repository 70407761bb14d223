"""Masks that move and timelines: what cannot be is told before work, with its place and time; nothing is lost."""

from __future__ import annotations

import signal
import tempfile
from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from pathlib import Path

import numpy as np
import pytest
from fault_list import fault
from moving import Bytes, disc, textured, write_clip
from photo_makers import picture, save
from place import PRESET, Place

from framestyle.media.video.reader import VideoReader

FRAMES = 6
EARLIER = b"an earlier result"
PARTS = PRESET.replace("path: style.png", "path: style.png, region: 255").replace(
    "{steps: 1", "{cuts: none, steps: 1"
)
CLIP = "sources/in.mkv"
ORDER = (CLIP, "-o", "out.mkv", "--overwrite")


@lru_cache(maxsize=64)
def _clip_bytes(kind: str, *numbers: int, rate: int = 10) -> bytes:
    """A lossless clip of ten frames a second, if not of `rate`, made once for all tests that need it."""
    with tempfile.TemporaryDirectory() as folder:
        return write_clip(Path(folder) / "c.mkv", PICTURES[kind](*numbers), rate).read_bytes()


def _discs(count: int, size: tuple[int, int] = (32, 24), *colors: tuple[int, int, int]) -> list[Bytes]:
    return [disc(0.5, size, colors or ((0, 0, 0), (255, 255, 255)))] * count


PICTURES: dict[str, Callable[..., Sequence[Bytes]]] = {
    "film": partial(textured, FRAMES),
    "disc": _discs,
    "square": lambda count: _discs(count, (32, 32)),
    "upright": lambda count: _discs(count, (24, 32)),
    "blue": lambda count: _discs(count, (32, 24), (0, 0, 255), (255, 255, 255)),
    "green from": lambda clean: [
        *_discs(clean),
        *_discs(FRAMES + 1 - clean, (32, 24), (0, 0, 0), (0, 200, 0)),
    ],
    "grey": lambda level, count: [np.full((24, 32, 3), level, np.uint8)] * count,
}


@pytest.fixture
def film(place: Place) -> None:
    """A clip of six frames, 0.6 s, presets for a part of it and for all; and a result that is there already."""
    Path(CLIP).write_bytes(_clip_bytes("film"))
    Path("out.mkv").write_bytes(EARLIER)
    Path("presets/parts.yaml").write_text(PARTS)


def _mask(kind: str, *numbers: int, rate: int = 10) -> None:
    Path("m.mkv").write_bytes(_clip_bytes(kind, *numbers, rate=rate))


def _folder(*names: str) -> None:
    Path("mattes").mkdir()
    for name in names:
        Path("mattes", name).write_bytes(_clip_bytes("disc", FRAMES))


def _sequence() -> None:
    """A picture for each frame, at the 24 a second that sequences have by default."""
    Path("seq").mkdir()
    for number in range(1, FRAMES + 1):
        save(Path(f"seq/m{number:02d}.png"), disc(0.5))


def _cut_off() -> None:
    Path("m.mkv").write_bytes(_clip_bytes("disc", FRAMES)[:200])


def _photo() -> None:
    _mask("disc", FRAMES)
    save(Path("sources/in.png"), picture(height=24, width=32))


BAD_MASKS: dict[str, tuple[Callable[[], None], tuple[str, ...], tuple[str, ...]]] = {
    "too short": (
        partial(_mask, "disc", 3),
        ("--mask", "m.mkv"),
        ("m.mkv ends at 0.300 s of sources/in.mkv: frame 5, at 0.500 s, has none",),
    ),
    "slow and too short": (
        partial(_mask, "disc", 2, rate=5),
        ("--mask", "m.mkv"),
        ("ends at 0.400 s of sources/in.mkv: frame 5, at 0.500 s",),
    ),
    "begun too early to last": (
        partial(_mask, "disc", FRAMES),
        ("--mask", "m.mkv", "--set", "style.mask_start=-0.2"),
        ("ends at 0.400 s of sources/in.mkv: frame 5",),
    ),
    "too late": (
        partial(_mask, "disc", FRAMES),
        ("--mask", "m.mkv", "--set", "style.mask_start=0.1"),
        ("begins at 0.100 s of sources/in.mkv: frame 0, at 0.000 s, has none",),
    ),
    "too short for a part": (
        partial(_mask, "disc", 3),
        ("--mask", "m.mkv", "--start", "0.2", "--end", "0.5"),
        ("ends at 0.300 s of sources/in.mkv: frame 4, at 0.400 s",),
    ),
    "of another shape": (
        partial(_mask, "square", FRAMES),
        ("--mask", "m.mkv"),
        ("is 32x32, 1.000 times as wide as high", "1.333", "0.000 s"),
    ),
    "upright": (partial(_mask, "upright", FRAMES), ("--mask", "m.mkv"), ("is 24x32, 0.750 times",)),
    "a colour for nothing": (
        partial(_mask, "blue", FRAMES),
        ("--mask", "m.mkv"),
        ("shows #0000ff on", "at 0.000 s of sources/in.mkv"),
    ),
    "a colour for nothing in the middle": (
        partial(_mask, "green from", 4),
        ("--mask", "m.mkv"),
        ("shows #00c800 on", "at 0.400 s of sources/in.mkv"),
    ),
    "a colour at the clip's own time": (
        partial(_mask, "green from", 3),
        ("--mask", "m.mkv", "--set", "style.mask_start=-0.1"),
        ("shows #00c800 on", "at 0.200 s of sources/in.mkv"),
    ),
    "no transparency": (lambda: None, ("--mask", "alpha"), ("sources/in.mkv has no transparency",)),
    "no picture": (
        lambda: Path("m.mkv").write_text("nothing") and None,
        ("--mask", "m.mkv"),
        ("m.mkv", "neither a video nor a photo"),
    ),
    "cut off": (_cut_off, ("--mask", "m.mkv"), ("m.mkv",)),
    "a sequence at another rate": (
        _sequence,
        ("--mask", "seq/m%02d.png"),
        ("seq/m%02d.png ends at 0.250 s of sources/in.mkv: frame 5, at 0.500 s",),
    ),
    "none in the folder": (
        partial(_folder, "other.mkv"),
        ("--mask", "mattes"),
        ("there is no mask for sources/in.mkv in ",),
    ),
    "two in the folder": (
        partial(_folder, "in.mp4", "in.mov"),
        ("--mask", "mattes"),
        ("may both be the mask for sources/in.mkv",),
    ),
    "a clip for a photo": (
        _photo,
        ("--mask", "m.mkv", "sources/in.png", "-o", "out.png"),
        ("m.mkv is a clip, and sources/in.png is a photo",),
    ),
}


@pytest.mark.usefixtures("film")
@pytest.mark.parametrize("case", BAD_MASKS)
@fault(
    "a mask that moves and is no good",
    5,
    "refused before any work, with the clip's time where it is; what was there stays",
)
def test_bad_masks(place: Place, case: str) -> None:
    make, options, words = BAD_MASKS[case]
    make()
    order = options if "-o" in options else (*ORDER, *options)
    place.refuses(*order, preset="presets/parts.yaml", words=words)
    assert Path("out.mkv").read_bytes() == EARLIER


HEAD = PRESET.count("\n") + 2
"""The line of a preset's first point."""
BAD_TIMELINES: dict[str, tuple[str, tuple[str, ...]]] = {
    "no time": (
        "- {at: soon, mix: 0}",
        (f"bad.yaml:{HEAD}:8: timeline.0.at", "5s, frame 120, shot 2 or 40%"),
    ),
    "beyond the clip's whole": ("- {at: 140%, mix: 0}", (f"bad.yaml:{HEAD}:8", "at most 100%")),
    "no at": ("- {mix: 0}", (f"bad.yaml:{HEAD}:3", "timeline.0.at: is missing")),
    "a point before the one before": (
        "- {at: 5s, mix: 0}\n- {at: 4s, mix: 1}",
        (f"bad.yaml:{HEAD + 1}:8", "4s must come after 5s"),
    ),
    "two points at one time": (
        "- {at: frame 9, mix: 0}\n- {at: frame 9, mix: 1}",
        (f"bad.yaml:{HEAD + 1}:8", "frame 9 must come after frame 9"),
    ),
    "a key that there is not": (
        "- {at: 1s, strenght: 0}",
        (f"bad.yaml:{HEAD}:12", "did you mean strength?"),
    ),
    "too strong": ("- {at: 1s, strength: 2}", (f"bad.yaml:{HEAD}:22", "must be ≤ 1, not 2")),
    "another number of weights": (
        "- {at: 1s, style.images: [1, 1]}",
        (f"bad.yaml:{HEAD}:26", "must be 1 weights"),
    ),
    "a region that there is not": (
        "- {at: 1s, regions: {255: 0}}",
        (f"bad.yaml:{HEAD}:21", "no style image is for a region"),
    ),
    "a preset that there is not": (
        "- {at: 1s, preset: wavve}",
        (f"bad.yaml:{HEAD}:20: timeline.0.preset", "(did you mean wave?)"),
    ),
    "nothing changed": ("- {at: 1s}", (f"bad.yaml:{HEAD}:3: timeline.0: changes nothing",)),
}


@pytest.mark.usefixtures("film")
@pytest.mark.parametrize("case", BAD_TIMELINES)
@fault("a timeline that a preset cannot have", 3, "its line and column, and what may have been meant")
def test_bad_timelines(place: Place, case: str) -> None:
    written, words = BAD_TIMELINES[case]
    Path("presets/bad.yaml").write_text(f"{PRESET}timeline:\n{written}\n")
    place.refuses(*ORDER, preset="presets/bad.yaml", words=words)
    assert Path("out.mkv").read_bytes() == EARLIER


NOT_IN_THE_CLIP: dict[str, tuple[str, tuple[str, ...]]] = {
    "a shot too many": (
        "[{at: 0s, mix: 0}, {at: shot 3, mix: 1}]",
        ("timeline.1: there is no shot 3 in sources/in.mkv: it has 1 shot",),
    ),
    "a percentage after a later time": (
        "[{at: 0.5s, mix: 0}, {at: 50%, mix: 1}]",
        ("timeline.1: 50% is at 0.300 s of sources/in.mkv, and 0.5s, which stands before it, at 0.500 s",),
    ),
    "a frame before its time": (
        "[{at: 0.3s, mix: 0}, {at: frame 2, mix: 1}]",
        ("timeline.1: frame 2 is at 0.200 s of sources/in.mkv", "at 0.300 s"),
    ),
}


@pytest.mark.usefixtures("film")
@pytest.mark.parametrize("case", NOT_IN_THE_CLIP)
@fault("a timeline that a clip does not have", 5, "the point, and the clip's time at which it would be")
def test_points_that_a_clip_does_not_have(place: Place, case: str) -> None:
    timeline, words = NOT_IN_THE_CLIP[case]
    place.refuses(*ORDER, "--set", f"timeline={timeline}", words=words)
    assert Path("out.mkv").read_bytes() == EARLIER


def test_there_are_more_than_twenty_five() -> None:
    assert len(BAD_MASKS) + len(BAD_TIMELINES) + len(NOT_IN_THE_CLIP) >= 25


@pytest.mark.usefixtures("film")
@fault("one bad mask among several clips", 4, "its clip fails with the time; the others are painted")
def test_one_bad_mask_among_several(place: Place) -> None:
    Path("out.mkv").unlink()
    Path("sources/second.mkv").write_bytes(_clip_bytes("film"))
    _folder("in.mkv")
    Path("mattes/second.mkv").write_bytes(_clip_bytes("disc", 3))
    told = place.call(
        *place.stylize(("sources", "-o", "out", "--mask", "mattes"), "none", "presets/parts.yaml")
    )
    assert told.code == place.fault.code, told.err
    assert "mattes/second.mkv ends at 0.300 s of sources/second.mkv" in told.err
    place.results |= {"out/", "out/in.mkv", "out/.framestyle.json"}


CHANGING = (
    *("--mask", "m.mkv"),
    *("--set", "timeline=[{at: 0s, strength: 0, mix: 0}, {at: frame 5, strength: 1, mix: 1}]"),
)
DIES = """
import os, signal
from framestyle.jobs.resume.shot_work import ShotWork
real, written = ShotWork.write, []
def write(self, frame):
    real(self, frame)
    written.append(frame)
    if len(written) == 4:
        os.kill(os.getpid(), signal.SIGKILL)
ShotWork.write = write
"""


@pytest.mark.slow
@pytest.mark.usefixtures("film")
@fault("kill -9 in the middle of a change of style", None, "the same command goes on there; the same result")
def test_kill_9_in_a_change(place: Place) -> None:
    Path("out.mkv").unlink()
    _mask("disc", FRAMES)
    Path("presets/quick.yaml").write_text(PARTS)
    lossless = ("--set", "output.video_codec=ffv1", *CHANGING)
    with place.start(*ORDER, *lossless, script=DIES) as process:
        process.communicate(timeout=120)
    assert process.returncode == -signal.SIGKILL and not Path("out.mkv").exists()
    told = place.paints(*ORDER, *lossless, progress="json")
    painted = [line for line in told.err.splitlines() if '"frame_done"' in line]
    assert 0 < len(painted) < FRAMES
    place.paints(CLIP, "-o", "whole.mkv", *lossless)
    place.results |= {"out.mkv", "whole.mkv"}
    assert np.array_equal(*(_shown(Path(name)) for name in ("out.mkv", "whole.mkv")))


def _shown(path: Path) -> Bytes:
    with VideoReader(path) as reader:
        return np.stack([frame.pixels for frame in reader]).astype(np.uint8)
