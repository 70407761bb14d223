"""Every format, both ways: the picture, its depth, its transparency, and everything beside the pixels."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from photo_makers import (
    BEST,
    DISPLAY_P3,
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
from PIL import ExifTags, Image, ImageCms, features

from framestyle.doors.advice import next_step
from framestyle.errors import OutputError
from framestyle.media.photos import FORMATS, Photo, PhotoSettings, read_photo, read_style_image, write_photo
from framestyle.media.photos.xmp import _without, fitting_packet, own_property, result_xmp

SUFFIXES = sorted(FORMATS)
LOSSLESS = {".png", ".tif", ".tiff", ".bmp", ".webp"}
DEEP = {".png", ".tif", ".tiff"}
TWELVE = {".avif", ".heic", ".heif"}
"""Lossy, with 12 bits a channel."""
JPEGS = {".jpg", ".jpeg", ".jpe", ".jfif"}
WITHOUT_ALPHA = JPEGS | {".bmp"}
WITH_METADATA = [suffix for suffix in SUFFIXES if suffix != ".bmp"]
ALLOWED = dict.fromkeys(JPEGS, 1) | {".avif": 3, ".heic": 1, ".heif": 1}
"""How far the patches' centres may be off. libavif's own way to YCbCr rounds down."""


def test_avif_is_there_where_pillow_has_it() -> None:
    assert (".avif" in FORMATS) == features.check("avif")


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_every_format_keeps_flat_colours(tmp_path: Path, suffix: str) -> None:
    write_photo(tmp_path / f"a{suffix}", patches(), None, {"comment": "ours"})
    photo = read_photo(tmp_path / f"a{suffix}")
    assert photo.pixels.dtype == np.uint8 and photo.pixels.flags.c_contiguous and photo.alpha is None
    assert photo.format == FORMATS[suffix]
    wanted = patch_colours().reshape(15, 15, 1, 3).astype(int)
    assert np.abs(centres(photo.pixels) - wanted).max() <= ALLOWED.get(suffix, 0)
    assert [path.name for path in tmp_path.iterdir()] == [f"a{suffix}"]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_sixteen_bits_are_kept_or_rounded(tmp_path: Path, suffix: str) -> None:
    lost = write_photo(tmp_path / f"a{suffix}", picture(np.uint16), None, {"comment": "ours"})
    photo = read_photo(tmp_path / f"a{suffix}")
    if suffix in DEEP:
        assert np.array_equal(photo.pixels, picture(np.uint16)) and photo.bits == 16 and not lost
        assert np.array_equal(by_opencv(tmp_path / f"a{suffix}"), picture(np.uint16))
    elif suffix in TWELVE:
        assert photo.pixels.dtype == np.uint16 and photo.bits == 12
        off = np.abs(photo.pixels.astype(int) - picture(np.uint16)) / 257
        assert off.mean() < 0.6 and off.max() < 6
        assert any("12 bits a channel, not 16" in one for one in lost)
    else:
        assert np.abs(photo.pixels.astype(int) - picture()).max() <= 12
        assert any("8 bits" in one for one in lost)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_transparency_is_kept_where_the_format_can_and_else_laid_over_white(
    tmp_path: Path, suffix: str, dtype: Any
) -> None:
    alpha = np.zeros((20, 30), dtype)
    alpha[:, 8:15], alpha[:, 15:] = np.iinfo(dtype).max // 3, np.iinfo(dtype).max
    lost = write_photo(tmp_path / f"a{suffix}", picture(dtype), Photo(picture(dtype), alpha), {})
    photo = read_photo(tmp_path / f"a{suffix}")
    assert any("transparency" in one for one in lost) == (suffix in WITHOUT_ALPHA)
    if suffix in WITHOUT_ALPHA:
        assert photo.alpha is None
        assert photo.pixels[:, :6].min() >= 245
    else:
        assert photo.alpha is not None and photo.alpha.dtype == photo.pixels.dtype
        shares = photo.alpha / np.iinfo(photo.alpha.dtype).max
        assert np.abs(shares - alpha / np.iinfo(dtype).max).max() <= (0 if suffix in LOSSLESS else 1 / 100)


def test_an_opaque_alpha_is_no_loss(tmp_path: Path) -> None:
    like = Photo(picture(), np.full((20, 30), 255, np.uint8))
    assert write_photo(tmp_path / "a.jpg", picture(), like, {}) == []


def test_transparency_follows_a_smaller_result(tmp_path: Path) -> None:
    like = Photo(picture(), np.full((20, 30), 77, np.uint8))
    write_photo(tmp_path / "a.png", picture(height=10, width=15), like, {})
    assert np.array_equal(read_photo(tmp_path / "a.png").alpha, np.full((10, 15), 77))


# -- words -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", WITH_METADATA)
@pytest.mark.parametrize("source", [".jpg", ".png", ".webp"])
def test_exif_is_carried_to_the_letter_without_its_thumbnail(
    tmp_path: Path, suffix: str, source: str
) -> None:
    save(tmp_path / f"in{source}", picture(), exif=camera_exif())
    photo = read_photo(tmp_path / f"in{source}")
    target = tmp_path / f"out{suffix}"
    write_photo(target, picture(), photo, {"comment": "made by us, ž"})
    with Image.open(target) as image:
        image.load()
        exif = image.getexif()
        details, gps = exif.get_ifd(ExifTags.IFD.Exif), exif.get_ifd(ExifTags.IFD.GPSInfo)
        text = image.info.get("comment", "")
        assert not exif.get_ifd(ExifTags.IFD.IFD1)
    assert exif[ExifTags.Base.Make] == "Camera"
    assert details[ExifTags.Base.DateTimeOriginal] == "2020:01:02 03:04:05"
    assert (details[ExifTags.Base.ExifImageWidth], details[ExifTags.Base.ExifImageHeight]) == (30, 20)
    assert (gps[1], gps[2]) == ("N", (48.0, 8.0, 30.0))
    assert exif.get(ExifTags.Base.Orientation, 1) == 1
    whole = target.read_bytes()
    # As they were, byte by byte: Pillow would write question marks.
    assert "José ©\0".encode() in whole and b"maker's own \x00\xff" in whole
    assert b"an old picture" not in whole
    if suffix != ".png":
        comment = details[ExifTags.Base.UserComment]
        assert comment.startswith(b"UNICODE\0")
        text = comment[8:].decode("utf-16-le" if whole[whole.index(b"*") - 2 :][:1] == b"I" else "utf-16-be")
    assert "made by us, ž" in text


@pytest.mark.parametrize("suffix", WITH_METADATA)
@pytest.mark.parametrize("source", [".jpg", ".png", ".webp", ".tif"])
def test_xmp_is_carried_and_made_true(tmp_path: Path, suffix: str, source: str) -> None:
    if source == ".png":
        from PIL import PngImagePlugin

        info = PngImagePlugin.PngInfo()
        info.add_itxt("XML:com.adobe.xmp", XMP.decode())
        save(tmp_path / "in.png", picture(), pnginfo=info)
    elif source == ".tif":
        Image.fromarray(picture()).save(tmp_path / "in.tif", tiffinfo={700: XMP})
    else:
        save(tmp_path / f"in{source}", picture(), xmp=XMP)
    photo = read_photo(tmp_path / f"in{source}")
    assert photo.pixels.shape == (30, 20, 3)  # it says that it lies on its side
    write_photo(tmp_path / f"out{suffix}", photo.pixels, photo, {"recipe": "{}"})
    with Image.open(tmp_path / f"out{suffix}") as image:
        image.load()
        packet = image.info.get("xmp") or image.info["XML:com.adobe.xmp"]
    text = packet if isinstance(packet, str) else packet.decode()
    assert "Füße" in text and 'xmp:Rating="4"' in text
    assert 'tiff:Orientation="1"' in text and "Thumbnails" not in text
    assert 'exif:PixelXDimension="20"' in text and "<exif:PixelYDimension>30<" in text
    again = read_photo(tmp_path / f"out{suffix}")
    assert again.pixels.shape == (30, 20, 3)


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_resolution_is_carried(tmp_path: Path, suffix: str, dtype: Any) -> None:
    like = Photo(picture(dtype), dpi=(300, 150.5))
    write_photo(tmp_path / f"a{suffix}", picture(dtype), like, {})
    # JFIF knows whole numbers alone.
    assert read_photo(tmp_path / f"a{suffix}").dpi == pytest.approx((300, 150.5), rel=4e-3)
    if suffix in (".jpg", ".png", ".bmp", ".tif"):
        with Image.open(tmp_path / f"a{suffix}") as image:
            assert image.info["dpi"] == pytest.approx((300, 150.5), rel=4e-3)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_no_resolution_is_made_up(tmp_path: Path, suffix: str) -> None:
    write_photo(tmp_path / f"a{suffix}", picture(), None, {})
    # A BMP cannot leave it out: Pillow writes 96.
    assert read_photo(tmp_path / f"a{suffix}").dpi == (
        pytest.approx((96, 96), rel=1e-3) if suffix == ".bmp" else None
    )


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("suffix", WITH_METADATA)
def test_the_profile_is_written_and_read_by_others(tmp_path: Path, suffix: str, dtype: Any) -> None:
    write_photo(tmp_path / f"a{suffix}", picture(dtype), Photo(picture(dtype), icc_profile=DISPLAY_P3), {})
    with Image.open(tmp_path / f"a{suffix}") as image:
        assert image.info["icc_profile"] == DISPLAY_P3


def test_a_format_without_profiles_holds_srgb(tmp_path: Path) -> None:
    save(tmp_path / "p3.png", patches(), icc_profile=DISPLAY_P3)
    photo = read_photo(tmp_path / "p3.png")
    write_photo(tmp_path / "a.bmp", photo.pixels, photo, {})
    with Image.open(tmp_path / "p3.png") as image:
        p3 = ImageCms.ImageCmsProfile(io.BytesIO(DISPLAY_P3))
        wanted = ImageCms.profileToProfile(
            image, p3, ImageCms.createProfile("sRGB"), renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC
        )
        wanted = np.asarray(wanted).astype(int)
    assert np.abs(by_opencv(tmp_path / "a.bmp") - wanted).max() <= 1


# -- settings ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("subsampling", "factors"), [("4:4:4", (1, 1)), ("4:2:2", (2, 1)), ("4:2:0", (2, 2))]
)
def test_jpegs_chroma_is_as_asked_and_whole_by_default(
    tmp_path: Path, subsampling: Any, factors: Any
) -> None:
    write_photo(tmp_path / "a.jpg", picture(), None, {}, PhotoSettings(subsampling=subsampling))
    write_photo(tmp_path / "default.jpg", picture(), None, {})
    with Image.open(tmp_path / "a.jpg") as image, Image.open(tmp_path / "default.jpg") as default:
        assert [component[1:3] for component in image.layer] == [factors, (1, 1), (1, 1)]
        assert [component[1:3] for component in default.layer] == [(1, 1)] * 3


def test_quality_is_95_by_default_and_as_asked(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    tables = []
    for name, settings in (("d", None), ("q", PhotoSettings(quality=40))):
        write_photo(tmp_path / f"{name}.jpg", noise, None, {}, settings)
        with Image.open(tmp_path / f"{name}.jpg") as image:
            tables.append(image.quantization)
    for quality, table in zip((95, 40), tables, strict=True):
        Image.fromarray(noise).save(tmp_path / "ref.jpg", quality=quality)
        with Image.open(tmp_path / "ref.jpg") as image:
            assert image.quantization == table
    for suffix in {".webp", ".avif"} & set(FORMATS):
        sizes = []
        for quality in (95, 20):
            settings = PhotoSettings(quality, "4:2:0")
            write_photo(tmp_path / f"a{suffix}", noise, None, {}, settings)
            sizes.append((tmp_path / f"a{suffix}").stat().st_size)
        assert sizes[1] < sizes[0] / 2


def test_a_webp_with_all_its_chroma_is_lossless(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (40, 40, 3), np.uint8)
    write_photo(tmp_path / "a.webp", noise, None, {})
    assert np.array_equal(by_opencv(tmp_path / "a.webp"), noise)


def test_the_same_picture_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        like = Photo(picture(), exif=camera_exif(), xmp=XMP, dpi=(72, 72))
        settings = PhotoSettings(color_profile="srgb")
        for suffix in SUFFIXES:
            write_photo(
                tmp_path / f"{name}{suffix}", picture(), like, {"comment": "c", "recipe": "{}"}, settings
            )
    for suffix in SUFFIXES:
        assert (tmp_path / f"a{suffix}").read_bytes() == (tmp_path / f"b{suffix}").read_bytes()


# -- limits ------------------------------------------------------------------------------------------------


def test_words_too_long_for_a_jpeg_cost_the_least_of_them(tmp_path: Path) -> None:
    note = bytes(range(256)) * 300
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = "Camera"
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.MakerNote] = note
    long_xmp = XMP.replace("Füße".encode(), b"x" * 70000)
    like = Photo(picture(), exif=exif.tobytes(), xmp=long_xmp)
    write_photo(tmp_path / "a.jpg", picture(), like, {"comment": "ours", "recipe": "{}"})
    with Image.open(tmp_path / "a.jpg") as image:
        again = image.getexif()
        assert again[ExifTags.Base.Make] == "Camera" and "xmp" not in image.info
        assert b"ours" in again.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.UserComment]
    write_photo(tmp_path / "a.tif", picture(), like, {})
    assert (
        note in (tmp_path / "a.tif").read_bytes() and long_xmp[-500:-300] in (tmp_path / "a.tif").read_bytes()
    )


def test_padding_alone_costs_no_xmp(tmp_path: Path) -> None:
    like = Photo(picture(), xmp=XMP.replace(b"<?xpacket end", b" " * 66000 + b"<?xpacket end"))
    write_photo(tmp_path / "a.jpg", picture(), like, {})
    with Image.open(tmp_path / "a.jpg") as image:
        assert "Füße" in image.info["xmp"].decode()


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "filling",
    [
        " " * 4_000_000,
        "<framestyle:preset " * 200_000,
        "<xmp:Thumbnails>" * 200_000,
        "<framestyle:a>" * 200_000,
    ],
)
def test_an_endless_packet_takes_no_endless_time(tmp_path: Path, filling: str) -> None:
    """A look from each beginning for its end would take hours."""
    packet = XMP.replace(b"</rdf:RDF>", b"<!--" + filling.encode() + b"--></rdf:RDF>")
    save(tmp_path / "a.webp", np.zeros((4, 4, 3), np.uint8), xmp=packet)
    photo = read_photo(tmp_path / "a.webp")
    assert photo.xmp is not None and "Füße" in photo.xmp.decode()
    written = result_xmp(photo.xmp, (4, 4), {"preset": "x"})
    assert written is not None and own_property(written, "preset") == "x"
    assert fitting_packet(written, 1000) is None


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("a <n:x/> b", "a b"),
        ("a <n:x k='v'/><n:x>1</n:x> b", "a b"),
        ("a<n:x>1<n:y>2</n:y></n:x>\n<n:y >3</n:y >b", "ab"),
        ("a <n:x>1 b", "a <n:x>1 b"),
        ("a </n:x> <n:xy>1</n:xy> b", "a </n:x> <n:xy>1</n:xy> b"),
        ("<n:x>1</n:y>2</n:x>", ""),
        ("a<!-- <n:x> --> <n:y>1</n:y> b <n:y/> c", "a<!-- <n:x> --> b c"),
        ("a<!-- <n:x> --> <n:y>1</n:y> <n:x/>b</n:x>c", "a<!--c"),
    ],
)
def test_elements_are_cut_out_whole(text: str, wanted: str) -> None:
    assert _without("n:x|n:y", text) == wanted


def test_unknown_formats_and_impossible_sizes_are_output_errors(tmp_path: Path) -> None:
    for name, pixels in (("a.xyz", picture()), ("a.webp", np.zeros((1, 17000, 3), np.uint8))):
        with pytest.raises(OutputError) as caught:
            write_photo(tmp_path / name, pixels, None, {})
        assert next_step(caught.value)
    assert [path.name for path in tmp_path.iterdir()] == []


def test_a_style_image_is_eight_bits_of_srgb_over_white(tmp_path: Path) -> None:
    alpha = np.zeros((20, 30), np.uint16)
    alpha[:, 15:] = 65535
    write_photo(tmp_path / "a.png", picture(np.uint16), Photo(picture(np.uint16), alpha), {})
    style = read_style_image(tmp_path / "a.png")
    assert style.dtype == np.uint8
    assert (style[:, :15] == 255).all()
    assert np.abs(style[:, 15:].astype(int) - picture()[:, 15:]).max() <= 1
    save(tmp_path / "p3.png", np.full((4, 4, 3), (200, 100, 50), np.uint8), icc_profile=DISPLAY_P3)
    assert read_style_image(tmp_path / "p3.png")[0, 0, 0] > 205  # the same red is nearer sRGB's edge


def test_deep_files_are_read_by_others(tmp_path: Path) -> None:
    like = Photo(picture(np.uint16), exif=camera_exif(), icc_profile=SRGB, dpi=(72, 72), xmp=XMP)
    for suffix in (".png", ".tif"):
        path = tmp_path / f"a{suffix}"
        write_photo(path, picture(np.uint16), like, {"comment": "ours, ž", "recipe": "{}"})
        assert np.array_equal(by_opencv(path), picture(np.uint16))
        with Image.open(path) as image:
            image.load()
            assert np.abs(np.asarray(image).astype(int) - picture(np.uint16) // 256).max() <= 1
            assert image.info["icc_profile"] == SRGB
            assert image.info["dpi"] == pytest.approx((72, 72), rel=1e-3)
            assert image.getexif()[ExifTags.Base.Make] == "Camera"
            assert suffix == ".tif" or image.info["comment"] == "ours, ž"


def test_tiffs_are_packed_and_whole_over_several_strips(tmp_path: Path) -> None:
    y, x = np.mgrid[0:700, 0:900]
    for dtype in (np.uint8, np.uint16):
        top = np.iinfo(dtype).max
        smooth = np.dstack([x * top // 900, y * top // 700, np.full_like(x, 7)]).astype(dtype)
        write_photo(tmp_path / "a.tif", smooth, None, {})
        assert (tmp_path / "a.tif").stat().st_size < smooth.nbytes / 8
        assert np.array_equal(by_opencv(tmp_path / "a.tif"), smooth)


def test_best_makes_sources_that_lose_nothing_more(tmp_path: Path) -> None:
    """The makers themselves: what these tests measure against."""
    for suffix in BEST:
        if suffix in FORMATS:
            save(tmp_path / f"a{suffix}", patches())
            assert np.abs(centres(np.asarray(Image.open(tmp_path / f"a{suffix}").convert("RGB"))).astype(int)
                          - patch_colours().reshape(15, 15, 1, 3)).max() <= ALLOWED.get(suffix, 0)  # fmt: skip
