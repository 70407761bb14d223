"""Colour profiles: to sRGB for the work as LittleCMS does it, and back to where they came from exactly."""

from __future__ import annotations

import io
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from photo_makers import (
    ADOBE_RGB,
    DISPLAY_P3,
    GREY_GAMMA,
    PROPHOTO,
    SRGB,
    SRGB_XY,
    WIDE,
    gamma_curve,
    matrix_profile,
    patches,
    picture,
    profile,
    save,
    table_curve,
)
from PIL import Image, ImageCms

from framestyle.media.photos import PhotoSettings, read_photo, write_photo
from framestyle.media.photos.alpha import at_depth
from framestyle.media.photos.colors import SRGB_PROFILE, excess_of, given_back, space_of
from framestyle.media.photos.icc import read_profile


def by_lcms(pixels: Any, own: bytes, wanted: bytes) -> Any:
    """8 bits, by an independent engine."""
    done = ImageCms.profileToProfile(
        Image.fromarray(pixels),
        ImageCms.ImageCmsProfile(io.BytesIO(own)),
        ImageCms.ImageCmsProfile(io.BytesIO(wanted)),
        renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
        outputMode="RGB",
    )
    return np.asarray(done).astype(int)


@pytest.mark.parametrize("name", WIDE)
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_photos_are_srgb_for_the_work(tmp_path: Path, name: str, dtype: Any) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (40, 40, 3), np.uint8)
    suffix = ".png" if dtype == np.uint8 else ".tif"
    save(tmp_path / f"a{suffix}", at_depth(pixels, dtype), icc_profile=WIDE[name])
    photo = read_photo(tmp_path / f"a{suffix}")
    assert photo.bits == np.dtype(dtype).itemsize * 8 and photo.icc_profile == WIDE[name]
    assert np.abs(at_depth(photo.pixels, np.uint8).astype(int) - by_lcms(pixels, WIDE[name], SRGB)).max() <= 1


@pytest.mark.parametrize("name", WIDE)
def test_results_go_back_as_lcms_does_it(tmp_path: Path, name: str) -> None:
    """A result has nothing to do with the photo's pixels: here it is another picture altogether."""
    save(tmp_path / "a.png", np.zeros((40, 40, 3), np.uint8), icc_profile=WIDE[name])
    result = np.random.default_rng(1).integers(60, 256, (40, 40, 3), np.uint8)
    write_photo(tmp_path / "b.png", result, read_photo(tmp_path / "a.png"), {})
    with Image.open(tmp_path / "b.png") as image:
        assert image.info["icc_profile"] == WIDE[name]
        assert np.abs(np.asarray(image).astype(int) - by_lcms(result, SRGB, WIDE[name])).max() <= 1


@pytest.mark.parametrize("name", WIDE)
@pytest.mark.parametrize(("dtype", "suffix"), [(np.uint8, ".png"), (np.uint16, ".png"), (np.uint16, ".tif")])
def test_there_and_back_is_exact_even_beyond_srgb(tmp_path: Path, name: str, dtype: Any, suffix: str) -> None:
    save(tmp_path / f"a{suffix}", patches(dtype), icc_profile=WIDE[name])
    photo = read_photo(tmp_path / f"a{suffix}")
    write_photo(tmp_path / f"b{suffix}", photo.pixels, photo, {})
    again = read_photo(tmp_path / f"b{suffix}")
    assert again.icc_profile == WIDE[name] and np.array_equal(again.pixels, photo.pixels)
    own = space_of(WIDE[name], again.bits)
    assert own is not None
    restored = given_back(again.pixels, again.pixels, again.excess, own)
    assert np.array_equal(at_depth(restored, dtype), patches(dtype))


@given(
    channel=st.integers(0, 2),
    profiles=st.sampled_from([DISPLAY_P3, ADOBE_RGB, PROPHOTO]),
    seed=st.integers(0, 500),
)
@settings(deadline=None, derandomize=True)
def test_every_colour_of_a_profile_comes_back(channel: int, profiles: bytes, seed: int) -> None:
    pixels = np.random.default_rng(seed).integers(0, 65536, (4, 5, 3), np.uint16)
    pixels[..., channel] = (0, 1, 40, 32768, 65535)
    space = space_of(profiles, 16)
    assert space is not None
    held = space.to_srgb(pixels)
    assert np.array_equal(given_back(held, held, excess_of(pixels, held, space), space), pixels)


def test_what_srgb_could_not_hold_is_given_back_to_that_colour_alone(tmp_path: Path) -> None:
    save(tmp_path / "red.png", np.full((8, 8, 3), (255, 0, 0), np.uint8), icc_profile=DISPLAY_P3)
    photo = read_photo(tmp_path / "red.png")
    still_red, blue = photo.pixels.copy(), np.full((8, 8, 3), (0, 0, 65535), np.uint16)
    srgb_blue = by_lcms(np.uint8([[[0, 0, 255]]]), SRGB, DISPLAY_P3)[0, 0]
    for pixels, wanted in ((still_red, (255, 0, 0)), (blue, srgb_blue)):
        write_photo(tmp_path / "b.png", pixels, photo, {})
        with Image.open(tmp_path / "b.png") as image:
            assert np.abs(np.asarray(image).astype(int) - np.array(wanted)).max() <= 1
    # A little off is nearly all of it: no edges where a result begins to differ.
    write_photo(tmp_path / "b.png", photo.pixels - np.uint16(2000) * np.uint16([1, 0, 0]), photo, {})
    with Image.open(tmp_path / "b.png") as image:
        assert 240 <= np.asarray(image)[0, 0, 0] <= 250 and np.asarray(image)[0, 0, 1] <= 6


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif", ".webp"])
def test_srgb_as_asked(tmp_path: Path, suffix: str) -> None:
    save(tmp_path / "p3.png", patches(), icc_profile=DISPLAY_P3)
    photo = read_photo(tmp_path / "p3.png")
    target = tmp_path / f"a{suffix}"
    write_photo(target, photo.pixels, photo, {}, PhotoSettings(color_profile="srgb"))
    wanted = by_lcms(patches(), DISPLAY_P3, SRGB)
    with Image.open(target) as image:
        tagged = ImageCms.ImageCmsProfile(io.BytesIO(image.info["icc_profile"]))
        assert "srgb" in ImageCms.getProfileDescription(tagged).lower()
        pixels = np.asarray(image.convert("RGB")).astype(int)
    assert np.abs(pixels - wanted)[8::16, 8::16].max() <= (2 if suffix == ".jpg" else 1)


def test_a_photo_without_a_profile_has_none_unless_asked(tmp_path: Path) -> None:
    save(tmp_path / "a.png", picture())
    photo = read_photo(tmp_path / "a.png")
    assert photo.icc_profile is None
    for choice, wanted in (("source", None), ("srgb", SRGB_PROFILE)):
        write_photo(tmp_path / "b.png", photo.pixels, photo, {}, PhotoSettings(color_profile=choice))
        with Image.open(tmp_path / "b.png") as image:
            assert image.info.get("icc_profile") == wanted
            assert np.array_equal(np.asarray(image), picture())


def test_an_srgb_profile_is_known_by_its_numbers_and_kept(tmp_path: Path) -> None:
    for made in (SRGB, SRGB_PROFILE):
        save(tmp_path / "a.png", picture(), icc_profile=made)
        photo = read_photo(tmp_path / "a.png")
        assert photo.icc_profile == made and photo.pixels.dtype == np.uint8 and photo.excess is None
        assert np.array_equal(photo.pixels, picture())
        write_photo(tmp_path / "b.png", photo.pixels, photo, {}, PhotoSettings(color_profile="srgb"))
        with Image.open(tmp_path / "b.png") as image:
            assert image.info["icc_profile"] == made


def test_the_exif_colour_space_follows_the_profile(tmp_path: Path) -> None:
    from photo_makers import camera_exif

    save(tmp_path / "a.jpg", picture(), exif=camera_exif(), icc_profile=ADOBE_RGB)
    photo = read_photo(tmp_path / "a.jpg")
    for choice, wanted in (("source", 0xFFFF), ("srgb", 1)):
        write_photo(tmp_path / "b.jpg", photo.pixels, photo, {}, PhotoSettings(color_profile=choice))
        with Image.open(tmp_path / "b.jpg") as image:
            assert image.getexif().get_ifd(0x8769)[0xA001] == wanted


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_greys_under_a_profile_become_srgb(tmp_path: Path, dtype: Any) -> None:
    grey = at_depth(np.linspace(0, 255, 600).astype(np.uint8).reshape(20, 30), dtype)
    save(tmp_path / "a.png", grey, icc_profile=GREY_GAMMA)
    photo = read_photo(tmp_path / "a.png")
    assert photo.icc_profile == SRGB_PROFILE and (photo.pixels.min(2) == photo.pixels.max(2)).all()
    wanted = by_lcms(at_depth(grey, np.uint8), GREY_GAMMA, SRGB)
    assert np.abs(at_depth(photo.pixels, np.uint8).astype(int) - wanted).max() <= 1


def test_a_grey_photo_under_an_rgb_profile_is_converted_by_it(tmp_path: Path) -> None:
    save(tmp_path / "a.png", np.full((4, 4), 128, np.uint8), icc_profile=ADOBE_RGB)
    wanted = by_lcms(np.full((1, 1, 3), 128, np.uint8), ADOBE_RGB, SRGB)
    assert np.abs(at_depth(read_photo(tmp_path / "a.png").pixels, np.uint8)[0, 0] - wanted[0, 0]).max() <= 1


def test_lab_becomes_srgb_and_says_so(tmp_path: Path) -> None:
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB"))
    srgb = ImageCms.createProfile("sRGB")
    red = ImageCms.profileToProfile(Image.new("RGB", (8, 8), (180, 60, 40)), srgb, lab, outputMode="LAB")
    for options in ({}, {"icc_profile": lab.tobytes()}):
        red.save(tmp_path / "l.tiff", **options)
        photo = read_photo(tmp_path / "l.tiff")
        assert photo.icc_profile == SRGB_PROFILE
        assert np.abs(photo.pixels[0, 0].astype(int) - [180, 60, 40]).max() <= 4


# -- profiles of tables ------------------------------------------------------------------------------------


def cube(points: int = 9) -> bytes:
    """A `mft2` table from RGB to XYZ that is a plain matrix: what LittleCMS would rather use than a matrix."""
    grid = np.linspace(0, 1, points)
    r, g, b = np.meshgrid(grid, grid, grid, indexing="ij")
    light = np.stack([r, g, b], -1).reshape(-1, 3) ** 2.2
    from photo_makers import colorants

    xyz = np.rint((light @ colorants(SRGB_XY).T * 32768).clip(0, 65535)).astype(">u2")
    identity = np.array([0, 65535], ">u2").tobytes()
    head = (
        b"mft2"
        + bytes(4)
        + bytes([3, 3, points, 0])
        + struct.pack(">9l", 65536, 0, 0, 0, 65536, 0, 0, 0, 65536)
    )
    return head + struct.pack(">HH", 2, 2) + identity * 3 + xyz.tobytes() + identity * 3


SCANNER = profile({b"A2B0": cube()}, kind=b"scnr")


def test_a_profile_that_leads_one_way_makes_srgb(tmp_path: Path) -> None:
    save(tmp_path / "a.png", picture(), icc_profile=SCANNER)
    photo = read_photo(tmp_path / "a.png")
    assert photo.icc_profile == SRGB_PROFILE
    assert np.abs(photo.pixels.astype(int) - by_lcms(picture(), SCANNER, SRGB)).max() <= 1


def test_sixteen_bits_under_tables_are_left_as_they_are_and_it_is_said(tmp_path: Path) -> None:
    save(tmp_path / "a.tif", picture(np.uint16), icc_profile=SCANNER)
    photo = read_photo(tmp_path / "a.tif")
    assert np.array_equal(photo.pixels, picture(np.uint16)) and photo.icc_profile == SCANNER
    assert any("profile" in note for note in photo.notes)
    write_photo(tmp_path / "b.tif", photo.pixels, photo, {}, PhotoSettings(color_profile="srgb"))
    with Image.open(tmp_path / "b.tif") as image:
        assert image.info["icc_profile"] == SCANNER  # truthfully: the numbers are the scanner's


# -- broken profiles ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("broken", [b"", b"nonsense", b"\0" * 200, DISPLAY_P3[:300], GREY_GAMMA[:140]])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_broken_profile_does_not_cost_the_picture(tmp_path: Path, broken: bytes, dtype: Any) -> None:
    save(tmp_path / "a.tif", picture(dtype), icc_profile=broken)
    assert np.array_equal(read_photo(tmp_path / "a.tif").pixels, picture(dtype))


@given(seed=st.integers(0, 5000))
@settings(deadline=None, derandomize=True)
def test_no_profile_breaks_the_reader(seed: int) -> None:
    random = np.random.default_rng(seed)
    data = bytearray([DISPLAY_P3, GREY_GAMMA, WIDE["monitor"]][seed % 3])
    for at in random.integers(0, min(len(data), 600), 6):
        data[at] = random.integers(0, 256)
    found = read_profile(bytes(data))
    assert found is None or found.decode(picture()).shape == picture().shape


@pytest.mark.parametrize(
    "curve",
    [
        table_curve([0, 1, 0.5, 1]),  # falls
        table_curve([0.5] * 5),  # flat
        gamma_curve(0),
        b"para" + bytes(4) + struct.pack(">HH", 9, 0) + bytes(28),
        b"curv" + bytes(4) + struct.pack(">L", 1 << 30),
        b"XYZ " + bytes(16),
    ],
)
def test_a_curve_that_cannot_be_undone_is_not_used(curve: bytes) -> None:
    assert read_profile(matrix_profile(SRGB_XY, curve)) is None


def test_a_matrix_that_cannot_be_undone_is_not_used() -> None:
    flat = {
        name: b"XYZ " + bytes(4) + struct.pack(">3l", 20000, 20000, 20000)
        for name in (b"rXYZ", b"gXYZ", b"bXYZ")
    }
    assert read_profile(profile(flat | dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), gamma_curve(2.2)))) is None


@pytest.mark.parametrize(
    ("kind", "numbers", "at_half"),
    [
        (0, (2.0,), 0.25),
        (1, (2.0, 0.5, 0.5), 0.5625),
        (2, (2.0, 0.8, 0.0, 0.1), 0.26),
        (3, (2.0, 0.9, 0.1, 0.3, 0.2), 0.3025),
        (4, (2.0, 0.9, 0.0, 0.1, 0.2, 0.05, 0.02), 0.2525),
    ],
)
def test_parametric_curves_by_their_definition(kind: int, numbers: Any, at_half: float) -> None:
    """ICC.1:2022, table 68, by hand."""
    fixed = struct.pack(f">{len(numbers)}l", *(round(number * 65536) for number in numbers))
    curve = b"para" + bytes(4) + struct.pack(">HH", kind, 0) + fixed
    found = read_profile(matrix_profile(SRGB_XY, curve))
    assert found is not None and found.curves[0][32768] == pytest.approx(at_half, abs=2e-4)
