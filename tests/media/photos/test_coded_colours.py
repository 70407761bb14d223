"""Colours that a still tells by numbers (cICP, nclx, gAMA, cHRM): converted for the work, said again by the result."""

from __future__ import annotations

import io
import shutil
import struct
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from photo_makers import DISPLAY_P3, deep_png, picture, png_chunk
from PIL import Image

from framestyle.errors import Code, OutputError
from framestyle.media.photos import FORMATS, Photo, PhotoSettings, read_photo, read_style_image, write_photo
from framestyle.media.photos.avif import StillPicture, write_avif
from framestyle.media.photos.cicp import Cicp, GammaTag, cicp_named
from framestyle.media.photos.icc import read_profile
from framestyle.media.photos.isobmff import still_in

P3_CICP = png_chunk(b"cICP", bytes((12, 13, 0, 1)))
PQ_CICP = png_chunk(b"cICP", bytes((9, 16, 0, 1)))
LINEAR = png_chunk(b"gAMA", struct.pack(">L", 100_000))
ADOBE_LIKE = png_chunk(b"gAMA", struct.pack(">L", 45_471)) + png_chunk(
    b"cHRM", struct.pack(">8L", 31_270, 32_900, 64_000, 33_000, 21_000, 71_000, 15_000, 6_000)
)


def png(path: Path, chunks: bytes, dtype: Any = np.uint8, **options: Any) -> Path:
    """A picture with these chunks behind its head, of 64x48."""
    pixels = picture(dtype, 48, 64)
    if dtype == np.uint16:
        path.write_bytes(deep_png(pixels, more=chunks))
        return path
    data = io.BytesIO()
    Image.fromarray(pixels).save(data, "PNG", **options)
    whole = data.getvalue()
    path.write_bytes(whole[:33] + chunks + whole[33:])
    return path


def chunks_of(path: Path) -> dict[bytes, bytes]:
    data, at, found = path.read_bytes(), 8, {}
    while at < len(data):
        (length,) = struct.unpack_from(">L", data, at)
        found[data[at + 4 : at + 8]] = data[at + 8 : at + 8 + length]
        at += 12 + length
    return found


def again(source: Path, target: Path, **settings: Any) -> Photo:
    """The photo as a render of no steps writes it, read back."""
    photo = read_photo(source)
    write_photo(target, photo.pixels, photo, {}, PhotoSettings(**settings))
    return read_photo(target)


def off(one: Photo, other: Photo) -> float:
    """The largest distance, of 255."""
    a, b = (each.pixels / np.iinfo(each.pixels.dtype).max for each in (one, other))
    return float(np.abs(a - b).max() * 255)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize(
    ("chunks", "names"),
    [
        (P3_CICP, [b"cICP"]),
        (png_chunk(b"cICP", bytes((9, 14, 0, 1))), [b"cICP"]),
        (png_chunk(b"cICP", bytes((1, 8, 0, 1))), [b"cICP"]),
        (LINEAR, [b"gAMA"]),
        (ADOBE_LIKE, [b"gAMA", b"cHRM"]),
    ],
)
def test_a_png_keeps_its_codes_and_says_what_they_mean(
    tmp_path: Path, chunks: bytes, names: list[bytes], dtype: Any
) -> None:
    source = png(tmp_path / "in.png", chunks, dtype)
    again(source, tmp_path / "out.png")
    for name in names:
        assert chunks_of(tmp_path / "out.png")[name] == chunks_of(source)[name]
    with Image.open(tmp_path / "out.png") as mine, Image.open(source) as theirs:
        assert np.array_equal(np.asarray(mine), np.asarray(theirs))


def test_the_work_is_done_in_the_colours_that_are_meant(tmp_path: Path) -> None:
    """Half of the light is sRGB's 188; P3's numbers mean what its ICC profile means."""
    grey = np.full((8, 8, 3), 128, np.uint8)
    data = io.BytesIO()
    Image.fromarray(grey).save(data, "PNG")
    whole = data.getvalue()
    (tmp_path / "linear.png").write_bytes(whole[:33] + LINEAR + whole[33:])
    assert abs(read_photo(tmp_path / "linear.png").pixels[0, 0, 0] / 257 - 188) < 1
    by_number = read_photo(png(tmp_path / "number.png", P3_CICP))
    by_profile = read_photo(png(tmp_path / "profile.png", b"", icc_profile=DISPLAY_P3))
    plain = read_photo(png(tmp_path / "plain.png", b""))
    assert off(by_number, by_profile) < 0.3 and off(by_number, plain) > 10


@pytest.mark.parametrize("suffix", sorted(set(FORMATS) & {".jpg", ".tif", ".webp", ".avif", ".heic"}))
@pytest.mark.parametrize("chunks", [P3_CICP, LINEAR, ADOBE_LIKE])
def test_other_formats_say_the_same_colours_in_their_own_way(
    tmp_path: Path, suffix: str, chunks: bytes
) -> None:
    source = png(tmp_path / "in.png", chunks)
    photo, there = read_photo(source), again(source, tmp_path / f"out{suffix}")
    if suffix in (".avif", ".heic") and chunks == P3_CICP:
        assert there.coded == Cicp(12, 13)
    else:
        assert there.icc_profile is not None and there.coded is None
        (profile,) = [read_profile(there.icc_profile)]
        assert profile is not None and photo.coded is not None and photo.coded.profile is not None
        assert np.abs(profile.to_srgb - photo.coded.profile.to_srgb).max() < 1e-3
    assert (
        np.abs(
            there.pixels.astype(float).mean() / np.iinfo(there.pixels.dtype).max * 255
            - photo.pixels.mean() / 257
        )
        < 1.5
    )
    assert off(photo, there) < (1 if suffix in (".tif", ".webp") else 30)


def test_srgb_is_made_where_it_is_asked_for(tmp_path: Path) -> None:
    source = png(tmp_path / "in.png", P3_CICP)
    there = again(source, tmp_path / "out.png", color_profile="srgb")
    assert there.coded is None and there.icc_profile is not None
    assert off(read_photo(source), there) < 1
    assert again(source, tmp_path / "out.bmp").coded is None
    assert off(read_photo(source), read_photo(tmp_path / "out.bmp")) < 1


def test_what_stands_above_another_counts(tmp_path: Path) -> None:
    """cICP, then a profile, then sRGB, then gAMA (PNG specification, third edition, 4.3)."""
    both = png(tmp_path / "both.png", P3_CICP + LINEAR, icc_profile=DISPLAY_P3)
    assert read_photo(both).coded == Cicp(12, 13)
    profile = png(tmp_path / "profile.png", LINEAR, icc_profile=DISPLAY_P3)
    assert read_photo(profile).coded is None
    srgb = png(tmp_path / "srgb.png", png_chunk(b"sRGB", b"\0") + LINEAR)
    assert (
        read_photo(srgb).coded is None
        and off(read_photo(srgb), read_photo(png(tmp_path / "p.png", b""))) == 0
    )
    again(both, tmp_path / "out.png")
    assert {b"cICP", b"iCCP"} <= set(chunks_of(tmp_path / "out.png"))


def test_a_narrow_range_is_widened_and_said_no_more(tmp_path: Path) -> None:
    narrow = png(tmp_path / "in.png", png_chunk(b"cICP", bytes((1, 13, 0, 0))))
    pixels = read_photo(narrow).pixels.astype(float)
    wanted = ((picture(np.uint8, 48, 64) - 16.0) * 255 / 219).clip(0, 255)
    assert np.abs(pixels - wanted).max() <= 0.51
    again(narrow, tmp_path / "out.png")
    assert chunks_of(tmp_path / "out.png")[b"cICP"] == bytes((1, 13, 0, 1))


@pytest.mark.parametrize(
    "chunks", [png_chunk(b"gAMA", bytes(4)), png_chunk(b"cHRM", bytes(32)), png_chunk(b"cICP", b"\1")]
)
def test_nonsense_is_passed_over(tmp_path: Path, chunks: bytes) -> None:
    photo = read_photo(png(tmp_path / "in.png", chunks))
    assert np.array_equal(photo.pixels, picture(np.uint8, 48, 64)) and photo.hdr is None


def test_numbers_that_mean_nothing_here_are_kept_and_said(tmp_path: Path) -> None:
    source = png(tmp_path / "in.png", png_chunk(b"cICP", bytes((10, 17, 0, 1))))
    photo = read_photo(source)
    assert "numbers that are not known here (10/17)" in photo.notes[0]
    again(source, tmp_path / "out.png")
    assert chunks_of(tmp_path / "out.png")[b"cICP"] == bytes((10, 17, 0, 1))
    assert "10/17 was left out" in " ".join(write_photo(tmp_path / "o.jpg", photo.pixels, photo, {}))


# -- HDR ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("transfer", [16, 18])
@pytest.mark.parametrize("suffix", sorted(set(FORMATS) & {".png", ".avif", ".heic"}))
def test_an_hdr_still_stays_hdr_at_its_depth(tmp_path: Path, suffix: str, transfer: int) -> None:
    source = png(tmp_path / "in.png", png_chunk(b"cICP", bytes((9, transfer, 0, 1))), np.uint16)
    photo, there = read_photo(source), again(source, tmp_path / f"out{suffix}")
    assert photo.hdr == there.hdr == {16: "PQ", 18: "HLG"}[transfer]
    assert there.coded == Cicp(9, transfer) and there.bits == (16 if suffix == ".png" else 12)
    assert off(photo, there) < (0.01 if suffix == ".png" else 4)
    assert np.array_equal(photo.pixels, picture(np.uint16, 48, 64))  # its codes, as they are


@pytest.mark.parametrize("suffix", [".jpg", ".tif", ".webp", ".bmp"])
def test_a_format_without_hdr_is_refused_and_not_written_dull(tmp_path: Path, suffix: str) -> None:
    photo = read_photo(png(tmp_path / "in.png", PQ_CICP))
    with pytest.raises(OutputError, match=r"holds no HDR \(PQ\)") as caught:
        write_photo(tmp_path / f"out{suffix}", photo.pixels, photo, {})
    assert caught.value.code == Code.HDR_NOT_IN_IMAGES
    assert not (tmp_path / f"out{suffix}").exists()


def test_hdr_made_sdr_is_as_bright_as_white_is_meant_to_be(tmp_path: Path) -> None:
    """203 nits are SDR's white (ITU-R BT.2408): 0.58 of PQ. Light above is bent, so white itself is a little darker."""
    codes = np.linspace(0, 65535, 64)[None, :, None].repeat(8, 0).repeat(3, 2).astype(np.uint16)
    (tmp_path / "in.png").write_bytes(deep_png(codes, more=PQ_CICP))
    photo = read_photo(tmp_path / "in.png", tone_map=True)
    row = photo.pixels[0, :, 0] / 65535
    assert photo.was_hdr == "PQ" and photo.hdr is None and photo.pixels.dtype == np.uint16
    assert (np.diff(row) >= 0).all() and 0.7 < row[round(0.58 * 63)] < 0.95 and row[-1] > 0.97
    write_photo(tmp_path / "out.jpg", photo.pixels, photo, {})
    assert read_photo(tmp_path / "out.jpg").icc_profile is not None  # tagged: it was converted
    assert read_style_image(tmp_path / "in.png").dtype == np.uint8


# -- AVIF --------------------------------------------------------------------------------------------------


@pytest.mark.skipif(".avif" not in FORMATS, reason="Pillow has no AVIF")
@pytest.mark.parametrize("bits", [8, 10, 12])
@pytest.mark.parametrize("coded", [None, Cicp(12, 13), Cicp(9, 16)])
@pytest.mark.parametrize("has_alpha", [False, True])
def test_our_avif_is_what_other_programs_read(
    tmp_path: Path, bits: int, coded: Cicp | None, has_alpha: bool
) -> None:
    alpha = np.linspace(0, 65535, 64)[None].repeat(48, 0).astype(np.uint16) if has_alpha else None
    path = tmp_path / "a.avif"
    exif = b"Exif\0\0MM\0*\0\0\0\x08\0\0\0\0\0\0"
    pixels = picture(np.uint16, 48, 64)
    write_avif(path, StillPicture(pixels, alpha, bits, coded, DISPLAY_P3, exif, b"<x/>"), 95, "4:4:4")
    still = still_in(path)
    assert still.bits == bits and still.cicp == (coded or Cicp(1, 13))
    with Image.open(path) as image:
        image.load()
        assert image.size == (64, 48) and image.info["icc_profile"] == DISPLAY_P3
        assert image.info["xmp"] == b"<x/>" and image.info["exif"] == exif.removeprefix(b"Exif\0\0")
        layers = np.asarray(image).astype(float)
    assert layers.shape[2] == (4 if has_alpha else 3)
    assert np.abs(layers[..., :3] - pixels / 257).mean() < 1
    if alpha is not None:
        assert np.abs(layers[..., 3] - alpha / 257).max() <= 1.5


@pytest.mark.skipif(shutil.which("avifenc") is None, reason="avifenc is not here")
def test_an_avif_of_another_program_keeps_depth_and_colours(tmp_path: Path) -> None:
    Image.fromarray(picture(np.uint8, 48, 64)).save(tmp_path / "x.png")
    asked = ["--cicp", "9/16/9", "-d", "10", str(tmp_path / "x.png"), str(tmp_path / "in.avif")]
    subprocess.run(["avifenc", *asked], check=True, capture_output=True)
    there = again(tmp_path / "in.avif", tmp_path / "out.avif")
    assert (there.coded, there.bits) == (Cicp(9, 16), 10)
    said = subprocess.run(
        ["avifdec", "--info", str(tmp_path / "out.avif")], capture_output=True, text=True
    ).stdout
    assert "Bit Depth      : 10" in said and "Color Primaries: 9" in said and "Transfer Char. : 16" in said


def test_names_of_clips_colours_have_numbers() -> None:
    assert cicp_named("bt2020", "smpte2084") == Cicp(9, 16)
    assert cicp_named("bt709", "arib-std-b67") == Cicp(1, 18)
    assert cicp_named("film", "log100") is None
    assert str(Cicp(9, 16)) == "bt2020/smpte2084" and str(GammaTag(45_455)) == "gamma 0.45455"
