"""Forty mixed photos, two presets, one command: every result right by a second library, and nothing done twice."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from photo_folder import Expected, make_forty
from photo_makers import by_opencv
from PIL import Image

Call = Callable[..., subprocess.CompletedProcess[str]]
PRESETS = ("quick", "other")
MAX_SIDE_PX = 48
AS_MADE = 0.9
"""Least correlation between a photo and its result after three steps: turned by mistake, it is below a half."""


@pytest.fixture
def command(workplace: Path, quick: str) -> list[str]:
    (workplace / "other.yaml").write_text((workplace / quick).read_text().replace("nightswirl", "wave"))
    presets = [word for name in PRESETS for word in ("-p", f"{name}.yaml")]
    return ["stylize", "in", "-o", "out", *presets, "--max-side", str(MAX_SIDE_PX),
            "--weights", "untrained", "--device", "cpu", "--progress", "json"]  # fmt: skip


def _marks(folder: Path) -> dict[Path, tuple[int, int]]:
    """Which file it is, and when it was written."""
    stats = {path: path.stat() for path in folder.rglob("*") if path.is_file()}
    return {path: (stat.st_ino, stat.st_mtime_ns) for path, stat in stats.items()}


def _news(told: subprocess.CompletedProcess[str], kind: str) -> list[dict[str, Any]]:
    events = [json.loads(line) for line in told.stderr.splitlines() if line.startswith("{")]
    return [event for event in events if event["event"] == kind]


@pytest.mark.slow
def test_forty_mixed_photos_in_two_styles(workplace: Path, command: list[str], call: Call) -> None:
    expected = make_forty(workplace / "in")
    whole = [one for one in expected if one.upright is not None]
    damaged = sorted(f"in/{one.name}" for one in expected if one.upright is None)
    before = _marks(workplace / "in")

    first = call(*command)
    assert first.returncode == 4, first.stderr
    assert "framestyle: 4 of 80 failed" in first.stderr and "Traceback" not in first.stderr
    for finished in _news(first, "job_done"):
        assert sorted(finished["failed"]) == damaged and len(finished["outputs"]) == 38
    for failure in _news(first, "task_failed"):
        assert "cannot be decoded" in failure["message"] and failure["next_step"]
    assert _marks(workplace / "in") == before
    for preset in PRESETS:
        root = workplace / "out" / preset
        there = {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()}
        assert there == {".framestyle.json", *(one.result for one in whole)}
        for one in whole:
            _check(root / one.result, one)

    made = _marks(workplace / "out")
    again = call(*command)
    assert again.returncode == 4 and len(_news(again, "task_skipped")) == 2 * 38
    assert [event["skipped"] for event in _news(again, "job_done")] == [38, 38]
    assert sorted(event["path"] for event in _news(again, "task_failed")) == sorted(2 * damaged)
    assert not _news(again, "task_started")
    assert _marks(workplace / "out") == made


def test_the_network_is_not_loaded_to_say_that_all_is_done(
    workplace: Path, command: list[str], photo: Path, call: Call
) -> None:
    (workplace / "in").mkdir()
    (workplace / "in" / "bad.png").write_bytes(photo.read_bytes()[:60])
    photo.rename(workplace / "in" / "good.png")
    assert call(*command).returncode == 4
    code = f"import sys; from framestyle.doors.cli import main; assert main({command!r}) == 4; "
    code += "assert not {'torch', 'torchvision'} & set(sys.modules)"
    told = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert told.stderr.count("task_skipped") == 2


# -- one result --------------------------------------------------------------------------------------------


def _check(path: Path, one: Expected) -> None:
    layers = by_opencv(path)
    height, width = one.upright.shape[:2]
    size = (MAX_SIDE_PX, round(height * MAX_SIDE_PX / width))
    assert (layers.shape[1], layers.shape[0]) == size, path
    assert layers.dtype == (np.uint16 if one.deep else np.uint8), path
    assert layers.shape[2] == (3 if one.alpha is None else 4), path
    _check_alpha(path, one, layers, size)
    _check_words(path, one)
    if one.deep:
        values = layers[..., :3]
        assert len(np.unique(values % 257)) > 100, f"{path}: 8 bits in 16"


def _check_alpha(path: Path, one: Expected, layers: Any, size: tuple[int, int]) -> None:
    scale = 257 if one.deep else 1
    shows = np.ones(size[::-1], bool)
    if one.alpha is not None:
        wanted = np.asarray(Image.fromarray(one.alpha).resize(size, Image.Resampling.BOX)).astype(int)
        assert np.abs(layers[..., 3] / scale - wanted).max() <= 2, path
        shows = wanted > 250
    wanted = np.asarray(Image.fromarray(one.upright).resize(size, Image.Resampling.BOX))
    seen = (layers[..., :3] / scale)[shows]
    assert np.corrcoef(seen.ravel(), wanted[shows].ravel())[0, 1] > AS_MADE, path


def _words(path: Path) -> Iterator[tuple[str, bytes]]:
    """EXIF and profile, by OpenCV; by Pillow where it gives none."""
    if path.suffix in (".jpg", ".png", ".webp"):
        _, kinds, found = cv2.imreadWithMetadata(str(path), flags=cv2.IMREAD_UNCHANGED)
        names = {cv2.IMAGE_METADATA_EXIF: "exif", cv2.IMAGE_METADATA_ICCP: "icc"}
        for kind, content in zip(kinds, found, strict=True):
            if kind in names:
                yield names[kind], np.asarray(content).tobytes()
    else:
        with Image.open(path) as image:
            yield "exif", image.getexif().tobytes()
            if "icc_profile" in image.info:
                yield "icc", image.info["icc_profile"]


def _check_words(path: Path, one: Expected) -> None:
    words = dict(_words(path))
    # OpenCV pads a profile to a whole number of words.
    assert words.get("icc", b"").rstrip(b"\0") == (one.profile or b"").rstrip(b"\0"), path
    exif = Image.Exif()
    exif.load(words.get("exif", b""))
    assert exif.get(0x0112, 1) == 1, f"{path} would be turned again"
    assert not exif.get_ifd(0x0201) and b"an old picture" not in words.get("exif", b""), path
    if one.camera:
        details = exif.get_ifd(0x8769)
        assert exif[0x010F] == "Camera" and exif.get_ifd(0x8825)[1] == "N", path
        assert (details[0xA002], details[0xA003]) == (48, 32), path
    with Image.open(path) as image:
        told = str(image.info.get("comment", "")) + str(exif.get_ifd(0x8769).get(0x9286, b""))
    if path.suffix != ".bmp":
        assert re.search(r"framestyle [\d.]+.*preset (quick|other); weights untrained; seed 0", told), path
