"""Pictures in floating point or 32 bits: TIFF, OpenEXR, Radiance; read for what they mean, or refused in a sentence."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from photo_makers import picture

from framestyle.errors import InputError
from framestyle.media.ffmpeg import ffmpeg_exe
from framestyle.media.photos import photo_size, read_photo, write_photo

WANTED = picture(np.uint16, 24, 32)
VALUES = (WANTED / 65535).astype(np.float32)
LIGHT = np.where(VALUES <= 0.04045, VALUES / 12.92, ((VALUES + 0.055) / 1.055) ** 2.4).astype(np.float32)


def tiff(path: Path, values: Any) -> Path:
    """By OpenCV; colours in its order where there are some."""
    order = [2, 1, 0, 3][: values.shape[2]] if values.ndim == 3 else slice(None)
    assert cv2.imwrite(str(path), values[..., order] if values.ndim == 3 else values)
    return path


def light(path: Path, values: Any) -> Path:
    """OpenEXR or Radiance by ffmpeg: its encoder multiplies colours by their alpha."""
    planes = np.ascontiguousarray(values[..., [1, 2, 0, 3][: values.shape[2]]].transpose(2, 0, 1), "<f4")
    form = "gbrapf32le" if values.shape[2] == 4 else "gbrpf32le"
    shape = ["-f", "rawvideo", "-pix_fmt", form, "-s", f"{values.shape[1]}x{values.shape[0]}", "-i", "-"]
    command = [ffmpeg_exe(), "-v", "error", "-y", *shape, "-frames:v", "1", str(path)]
    subprocess.run(command, input=planes.tobytes(), check=True)
    return path


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.uint32])
def test_a_tiff_of_floats_or_32_bits_is_read_at_16(tmp_path: Path, dtype: Any) -> None:
    full = 0xFFFFFFFF if dtype == np.uint32 else 1
    path = tiff(tmp_path / "a.tif", (VALUES.astype(np.float64) * full).astype(dtype))
    photo = read_photo(path)
    assert np.abs(photo.pixels.astype(int) - WANTED).max() <= 1 and photo.bits == 16
    assert photo_size(path) == (32, 24) and "written with 16 bits" in photo.notes[0]
    write_photo(tmp_path / "b.tif", photo.pixels, photo, {})
    assert np.array_equal(read_photo(tmp_path / "b.tif").pixels, photo.pixels)


def test_greys_and_what_is_no_number_are_read(tmp_path: Path) -> None:
    grey = VALUES[..., 0].copy()
    grey[3, 4] = np.nan
    photo = read_photo(tiff(tmp_path / "a.tif", grey))
    assert photo.pixels.shape == (24, 32, 3) and not np.ptp(photo.pixels, axis=2).any()
    assert photo.pixels[3, 4, 0] == 0 and abs(int(photo.pixels[3, 5, 0]) - int(WANTED[3, 5, 0])) <= 1


def test_brighter_than_white_is_clipped_and_said(tmp_path: Path) -> None:
    values = VALUES.copy()
    values[:6] = 4.0
    photo = read_photo(tiff(tmp_path / "a.tif", values))
    assert photo.pixels[:6].min() == 65535
    assert "25.0% of it is brighter than white, and was clipped" in photo.notes[0]


@pytest.mark.parametrize("values", [VALUES * 255, (VALUES * 1e9).astype(np.int32), VALUES.astype(np.int16)])
def test_a_tiff_whose_white_is_not_known_is_refused(tmp_path: Path, values: Any) -> None:
    with pytest.raises(InputError) as caught:
        read_photo(tiff(tmp_path / "a.tif", values))
    assert caught.value.next_step and "object at 0x" not in caught.value.message


@pytest.mark.parametrize("suffix", [".exr", ".hdr"])
def test_light_is_read_as_srgb_shows_it(tmp_path: Path, suffix: str) -> None:
    path = light(tmp_path / f"a{suffix}", LIGHT)
    photo = read_photo(path)
    off = np.abs(photo.pixels.astype(int) - WANTED)
    # Radiance has 8 bits and a common exponent: dark colours beside a bright one are rough.
    assert off.max() <= (2 if suffix == ".exr" else 3500) and off.mean() < (1 if suffix == ".exr" else 200)
    assert photo_size(path) == (32, 24) and photo.notes == []


def test_the_transparency_of_an_exr_is_kept(tmp_path: Path) -> None:
    cover = np.full((24, 32, 1), 0.5, np.float32)
    cover[:, :8] = 0
    photo = read_photo(light(tmp_path / "a.exr", np.dstack([LIGHT, cover])))
    assert (
        photo.alpha is not None and abs(int(photo.alpha[0, 20]) - 32768) <= 1 and not photo.alpha[:, :8].any()
    )
    assert np.abs(photo.pixels.astype(int) - WANTED)[:, 8:].max() <= 2


@pytest.mark.parametrize("suffix", [".exr", ".hdr"])
def test_light_above_white_is_clipped_or_bent_as_is_chosen(tmp_path: Path, suffix: str) -> None:
    row = np.linspace(0, 4, 32, dtype=np.float32)[None, :, None].repeat(24, 0).repeat(3, 2)
    path = light(tmp_path / f"a{suffix}", row)
    clipped, bent = read_photo(path), read_photo(path, tone_map=True)
    assert "brighter than white, and was clipped" in clipped.notes[0] and clipped.was_hdr is None
    assert bent.was_hdr == "brighter than white" and bent.notes == []
    dark, bright = slice(1, 4), slice(12, 31)
    assert np.abs(clipped.pixels[0, dark, 0] / 65535 - bent.pixels[0, dark, 0] / 65535).max() < 0.01
    assert (clipped.pixels[0, bright, 0] == 65535).all() and (
        np.diff(bent.pixels[0, bright, 0].astype(int)) > 0
    ).all()


@pytest.mark.parametrize("suffix", [".exr", ".hdr"])
@pytest.mark.parametrize("kept", [20, 300])
def test_a_damaged_one_is_refused_in_a_sentence(tmp_path: Path, suffix: str, kept: int) -> None:
    path = light(tmp_path / f"a{suffix}", LIGHT)
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(InputError, match="cannot be decoded: it is damaged, or a") as caught:
        read_photo(path)
    assert caught.value.next_step
