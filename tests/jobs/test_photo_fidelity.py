"""A photo through a whole render: with no steps it is the photo, in every format; with steps it keeps what it had."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from photo_makers import (
    ADOBE_RGB,
    DISPLAY_P3,
    PROPHOTO,
    SRGB,
    XMP,
    by_opencv,
    camera_exif,
    centres,
    patch_colours,
    patches,
    picture,
    save,
)
from PIL import Image
from ready import Ready

from framestyle.events import Event, Note, TaskStarted
from framestyle.jobs.plan.tasks import Task
from framestyle.jobs.run.job import run
from framestyle.kinds import MediaKind, TimeRange
from framestyle.media.photos import FORMATS

MakeWorkshop = Callable[..., Ready]
IDENTITY: dict[str, Any] = {
    "scales": {"first_steps": 0, "steps": 0},
    "video": {"steps": 0, "min_steps": 0},
}
SUFFIXES = [suffix for suffix in (".jpg", ".png", ".webp", ".tif", ".bmp", ".avif") if suffix in FORMATS]
OFF = {".jpg": 1, ".avif": 3}
"""How far an encoder alone is off at the centre of a flat patch. libavif's own way to YCbCr rounds down."""
PROFILES = {"none": None, "srgb": SRGB, "p3": DISPLAY_P3, "adobe": ADOBE_RGB, "prophoto": PROPHOTO}


def render(source: Path, target: Path, workshop: Ready) -> None:
    run([Task(MediaKind.PHOTO, source, target)], target, TimeRange(), *workshop)


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_flat_colours_come_through_every_format(
    tmp_path: Path, make_workshop: MakeWorkshop, suffix: str, profile: str
) -> None:
    if suffix == ".bmp" and profile != "none":
        pytest.skip("BMP holds no profile")
    options = {} if PROFILES[profile] is None else {"icc_profile": PROFILES[profile]}
    source, target = tmp_path / f"in{suffix}", tmp_path / f"out{suffix}"
    save(source, patches(), **options)
    render(source, target, make_workshop(**IDENTITY))
    before, after = centres(by_opencv(source)).astype(int), centres(by_opencv(target)).astype(int)
    assert np.abs(before - patch_colours().reshape(15, 15, 1, 3)).max() <= OFF.get(suffix, 0)
    assert np.abs(after - before).max() <= OFF.get(suffix, 0)
    with Image.open(target) as image:
        assert image.info.get("icc_profile") == PROFILES[profile]


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_sixteen_bits_come_through(
    tmp_path: Path, make_workshop: MakeWorkshop, suffix: str, profile: str
) -> None:
    source, target = tmp_path / f"in{suffix}", tmp_path / f"out{suffix}"
    save(source, patches(np.uint16), icc_profile=PROFILES[profile])
    render(source, target, make_workshop(**IDENTITY))
    assert by_opencv(target).dtype == np.uint16
    assert np.abs(by_opencv(target).astype(int) - patches(np.uint16)).max() <= 1
    with Image.open(target) as image:
        assert image.info.get("icc_profile") == PROFILES[profile]


@pytest.mark.parametrize("suffix", [".png", ".tif", ".webp"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_transparency_comes_through(
    tmp_path: Path, make_workshop: MakeWorkshop, suffix: str, dtype: Any
) -> None:
    if suffix == ".webp" and dtype == np.uint16:
        pytest.skip("8 bits")
    top = np.iinfo(dtype).max
    alpha = np.repeat(np.array([0, 1, top // 2, top, top], dtype), 48)[None].repeat(240, axis=0)
    layers = np.dstack([patches(dtype), alpha])
    save(tmp_path / f"in{suffix}", layers)
    render(tmp_path / f"in{suffix}", tmp_path / f"out{suffix}", make_workshop(**IDENTITY))
    after = by_opencv(tmp_path / f"out{suffix}")
    if suffix == ".tif" and dtype == np.uint8:
        after = np.asarray(Image.open(tmp_path / "out.tif"))
    assert np.array_equal(after[..., 3], alpha)
    shows = alpha > 0
    assert np.abs(after[..., :3].astype(int) - patches(dtype))[shows].max() <= 1


def test_hidden_pixels_do_not_steer_what_shows(tmp_path: Path, make_workshop: MakeWorkshop) -> None:
    alpha = np.zeros((48, 64), np.uint8)
    alpha[8:40, 10:50] = 255
    results = []
    for name, hidden in (("a", 0), ("b", 255)):
        pixels = np.where(alpha[..., None] > 0, picture(height=48, width=64), np.uint8(hidden))
        save(tmp_path / f"{name}.png", np.dstack([pixels, alpha]))
        workshop = make_workshop(scales={"max_side_px": 40, "first_steps": 4, "min_px": 32})
        render(tmp_path / f"{name}.png", tmp_path / f"{name}-out.png", workshop)
        results.append(by_opencv(tmp_path / f"{name}-out.png"))
    assert np.array_equal(*results) and results[0].shape == (30, 40, 4)


def test_true_sixteen_bits_come_out_of_the_optimiser(tmp_path: Path, make_workshop: MakeWorkshop) -> None:
    save(tmp_path / "in.png", picture(np.uint16, 48, 64))
    render(tmp_path / "in.png", tmp_path / "out.png", make_workshop(scales={"first_steps": 4}))
    values = by_opencv(tmp_path / "out.png")
    assert values.dtype == np.uint16 and len(np.unique(values % 257)) > 100


def test_a_stylized_photo_keeps_all_that_it_had(tmp_path: Path, make_workshop: MakeWorkshop) -> None:
    big = picture(height=120, width=160)
    save(tmp_path / "in.jpg", big, exif=camera_exif(), xmp=XMP.replace(b'Orientation="6"', b'Orientation="1"'),
         icc_profile=DISPLAY_P3, dpi=(300, 300))  # fmt: skip
    news: list[Event] = []
    workshop = make_workshop(news.append, scales={"max_side_px": 64, "first_steps": 2})
    render(tmp_path / "in.jpg", tmp_path / "out.jpg", workshop)
    with Image.open(tmp_path / "out.jpg") as image:
        exif = image.getexif()
        details = exif.get_ifd(0x8769)
        assert image.size == (64, 48) and image.info["icc_profile"] == DISPLAY_P3
        assert image.info["dpi"] == (300, 300) and exif[0x010F] == "Camera"
        assert (details[0xA002], details[0xA003]) == (64, 48)
        assert "preset quick" in details[0x9286].decode("latin-1")
        assert "Füße" in image.info["xmp"].decode()
        assert [component[1:3] for component in image.layer] == [(1, 1)] * 3
    started = next(event for event in news if isinstance(event, TaskStarted))
    assert (started.width, started.height) == (64, 48)


def test_settings_of_the_preset_reach_the_file(tmp_path: Path, make_workshop: MakeWorkshop) -> None:
    save(tmp_path / "in.png", picture(), icc_profile=DISPLAY_P3)
    output = {"photo_quality": 50, "photo_subsampling": "4:2:0", "color_profile": "srgb"}
    render(tmp_path / "in.png", tmp_path / "out.jpg", make_workshop(**IDENTITY, output=output))
    Image.fromarray(picture()).save(tmp_path / "ref.jpg", quality=50)
    with Image.open(tmp_path / "out.jpg") as image, Image.open(tmp_path / "ref.jpg") as reference:
        assert image.quantization == reference.quantization
        assert image.layer[0][1:3] == (2, 2)
        assert image.info["icc_profile"] not in (None, DISPLAY_P3)


def test_what_cannot_be_kept_is_said(tmp_path: Path, make_workshop: MakeWorkshop) -> None:
    save(tmp_path / "deep.png", np.dstack([picture(np.uint16), np.full((20, 30), 9000, np.uint16)]))
    Image.new("CMYK", (16, 16)).save(tmp_path / "print.tif")
    cases = (("deep.png", "deep.jpg", ("transparency", "8 bits")), ("print.tif", "print.tif", ("CMYK",)))
    for name, target, words in cases:
        news: list[Event] = []
        render(tmp_path / name, tmp_path / "out" / target, make_workshop(news.append, **IDENTITY))
        told = [event.message for event in news if isinstance(event, Note)]
        assert all(str(tmp_path / name) in message for message in told)
        for word in words:
            assert any(word in message for message in told), (word, told)
