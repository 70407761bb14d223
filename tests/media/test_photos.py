"""Photos come upright in RGB and go out with all they had."""

from __future__ import annotations

import io
import zlib
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import ExifTags, Image, ImageCms

from framestyle.errors import InputError, OutputError
from framestyle.media.photos import FORMATS, Photo, read_photo, read_style_image, write_photo

SUFFIXES = sorted(FORMATS)
LOSSLESS = [".png", ".tif", ".tiff", ".bmp"]


def picture(dtype: Any = np.uint8, height: int = 20, width: int = 30) -> Any:
    """A smooth picture that no symmetry leaves the same."""
    y, x = np.mgrid[0:height, 0:width]
    scale = np.iinfo(dtype).max / 255
    return (np.dstack([x * 8, y * 12, (x + y) * 4]) * scale).astype(dtype)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_every_format_keeps_the_picture(tmp_path: Path, suffix: str) -> None:
    write_photo(tmp_path / f"a{suffix}", picture(), None, {"comment": "ours"})
    photo = read_photo(tmp_path / f"a{suffix}")
    assert photo.pixels.dtype == np.uint8 and photo.pixels.flags.c_contiguous and photo.alpha is None
    assert photo.format == FORMATS[suffix]
    limit = 0 if suffix in LOSSLESS else 12
    assert np.abs(photo.pixels.astype(int) - picture()).max() <= limit
    assert [path.name for path in tmp_path.iterdir()] == [f"a{suffix}"]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_sixteen_bits_are_kept_or_rounded(tmp_path: Path, suffix: str) -> None:
    write_photo(tmp_path / f"a{suffix}", picture(np.uint16), None, {"comment": "ours"})
    photo = read_photo(tmp_path / f"a{suffix}")
    if suffix in (".png", ".tif", ".tiff"):
        assert np.array_equal(photo.pixels, picture(np.uint16))
    else:
        assert np.abs(photo.pixels.astype(int) - picture()).max() <= 12


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("suffix", [".png", ".webp", ".tiff", ".jpg", ".bmp"])
def test_transparency_is_kept_where_the_format_can_and_else_laid_over_white(
    tmp_path: Path, suffix: str, dtype: Any
) -> None:
    alpha = np.zeros((20, 30), dtype)
    alpha[:, 15:] = np.iinfo(dtype).max
    write_photo(tmp_path / f"a{suffix}", picture(dtype), Photo(picture(dtype), alpha), {})
    photo = read_photo(tmp_path / f"a{suffix}")
    if suffix in (".jpg", ".bmp"):
        assert photo.alpha is None
        assert photo.pixels[:, :6].min() >= 245
    else:
        assert photo.alpha is not None and photo.alpha.dtype == photo.pixels.dtype
        assert np.array_equal(photo.alpha > 0, alpha > 0)


def test_transparency_follows_a_smaller_result(tmp_path: Path) -> None:
    like = Photo(picture(), np.full((20, 30), 77, np.uint8))
    write_photo(tmp_path / "a.png", picture(height=10, width=15), like, {})
    assert np.array_equal(read_photo(tmp_path / "a.png").alpha, np.full((10, 15), 77))


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("deep", [False, True])
def test_every_exif_orientation_comes_upright_and_is_reset(
    tmp_path: Path, orientation: int, deep: bool
) -> None:
    upright = picture(np.uint16 if deep else np.uint8)
    undo = {1: lambda a: a, 2: lambda a: a[:, ::-1], 3: lambda a: a[::-1, ::-1], 4: lambda a: a[::-1]}
    undo |= {
        5: lambda a: a.swapaxes(0, 1),
        6: lambda a: np.rot90(a, 1),
        7: lambda a: a[::-1, ::-1].swapaxes(0, 1),
        8: lambda a: np.rot90(a, -1),
    }
    stored = np.ascontiguousarray(undo[orientation](upright))
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    write_photo(tmp_path / "a.png", stored, Photo(stored, exif=exif.tobytes(), dpi=(300, 150)), {})
    photo = read_photo(tmp_path / "a.png")
    assert np.array_equal(photo.pixels, upright)
    assert photo.dpi == pytest.approx((150, 300) if orientation >= 5 else (300, 150), rel=1e-3)
    write_photo(tmp_path / "b.jpg", photo.pixels, photo, {})
    with Image.open(tmp_path / "b.jpg") as again:
        assert again.getexif()[ExifTags.Base.Orientation] == 1
        assert again.size == (30, 20)


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".tiff"])
@pytest.mark.parametrize("source", [".jpg", ".tiff"])
def test_exif_is_carried_without_its_thumbnail(tmp_path: Path, suffix: str, source: str) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = "Camera"
    exif[ExifTags.Base.ImageDescription] = "the photographer's words"
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] = "2020:01:02 03:04:05"
    exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitudeRef] = "N"
    Image.fromarray(picture()).save(tmp_path / f"in{source}", exif=exif.tobytes())
    photo = read_photo(tmp_path / f"in{source}")
    write_photo(tmp_path / f"out{suffix}", picture(), photo, {"comment": "made by us, ž"})
    with Image.open(tmp_path / f"out{suffix}") as image:
        image.load()
        again = image.getexif()
        text = image.info.get("comment", "")
        details = again.get_ifd(ExifTags.IFD.Exif)
    assert again[ExifTags.Base.Make] == "Camera"
    assert again[ExifTags.Base.ImageDescription] == "the photographer's words"
    assert details[ExifTags.Base.DateTimeOriginal] == "2020:01:02 03:04:05"
    assert again.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitudeRef] == "N"
    assert again.get_ifd(ExifTags.IFD.IFD1) == {}
    if suffix != ".png":
        text = details[ExifTags.Base.UserComment][8:].decode("utf-16-be")
    assert "made by us, ž" in text


@pytest.mark.parametrize("mode", ["1", "L", "P", "CMYK", "YCbCr", "RGBA", "LA", "I;16"])
def test_every_colour_mode_comes_as_rgb(tmp_path: Path, mode: str) -> None:
    path = tmp_path / ("a.tiff" if mode in ("CMYK", "YCbCr") else "a.png")
    if mode == "I;16":
        Image.fromarray(np.full((20, 30), 40000, np.uint16)).save(path)
    else:
        Image.new("RGB", (30, 20), "white").convert("RGBA" if mode == "LA" else "RGB").convert(mode).save(
            path
        )
    photo = read_photo(path)
    assert photo.pixels.shape == (20, 30, 3)
    assert (photo.alpha is not None) == (mode in ("RGBA", "LA"))
    assert photo.pixels.min() == (40000 if mode == "I;16" else 255)


def test_a_foreign_profile_is_converted_and_srgb_is_left_alone(tmp_path: Path) -> None:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB"))
    red = Image.new("RGB", (8, 8), (180, 60, 40))
    red.save(tmp_path / "srgb.png", icc_profile=srgb.tobytes())
    photo = read_photo(tmp_path / "srgb.png")
    assert photo.icc_profile == srgb.tobytes()
    assert photo.pixels[0, 0].tolist() == [180, 60, 40]
    ImageCms.profileToProfile(red, srgb, lab, outputMode="LAB").save(
        tmp_path / "l.tiff", icc_profile=lab.tobytes()
    )
    photo = read_photo(tmp_path / "l.tiff")
    assert photo.icc_profile is None
    assert np.abs(photo.pixels[0, 0].astype(int) - [180, 60, 40]).max() <= 4


@pytest.mark.parametrize("profile", [b"", b"nonsense", b"\0" * 200])
def test_a_broken_profile_does_not_cost_the_picture(tmp_path: Path, profile: bytes) -> None:
    Image.fromarray(picture()).save(tmp_path / "a.tiff", icc_profile=profile)
    assert np.array_equal(read_photo(tmp_path / "a.tiff").pixels, picture())


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_truncated_photo_is_refused_with_its_path(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"cut{suffix}"
    write_photo(path, np.random.default_rng(0).integers(0, 256, (60, 60, 3), np.uint8), None, {})
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * 0.6)])
    with pytest.raises(InputError) as caught:
        read_photo(path)
    assert str(path) in caught.value.message and caught.value.next_step


def test_a_truncated_deep_png_is_refused(tmp_path: Path) -> None:
    write_photo(
        tmp_path / "a.png", np.random.default_rng(0).integers(0, 65536, (60, 60, 3), np.uint16), None, {}
    )
    data = (tmp_path / "a.png").read_bytes()
    (tmp_path / "a.png").write_bytes(data[: len(data) // 2])
    with pytest.raises(InputError):
        read_photo(tmp_path / "a.png")


def test_a_decompression_bomb_is_refused(tmp_path: Path) -> None:
    from framestyle.media.photos import _chunk

    header = (30000).to_bytes(4, "big") * 2 + b"\x08\0\0\0\0"
    bomb = (
        b"\x89PNG\r\n\x1a\n"
        + _chunk(b"IHDR", header)
        + _chunk(b"IDAT", zlib.compress(bytes(1000)))
        + _chunk(b"IEND", b"")
    )
    (tmp_path / "bomb.png").write_bytes(bomb)
    with pytest.raises(InputError, match="too large"):
        read_photo(tmp_path / "bomb.png")


def test_a_style_image_is_eight_bits_over_white(tmp_path: Path) -> None:
    alpha = np.zeros((20, 30), np.uint16)
    alpha[:, 15:] = 65535
    write_photo(tmp_path / "a.png", picture(np.uint16), Photo(picture(np.uint16), alpha), {})
    style = read_style_image(tmp_path / "a.png")
    assert style.dtype == np.uint8
    assert (style[:, :15] == 255).all()
    assert np.abs(style[:, 15:].astype(int) - picture()[:, 15:]).max() <= 1


def test_jpegs_keep_full_colour_resolution(tmp_path: Path) -> None:
    write_photo(tmp_path / "a.jpg", picture(), None, {})
    with Image.open(tmp_path / "a.jpg") as image:
        assert [component[1:3] for component in image.layer] == [(1, 1)] * 3


def test_unknown_formats_and_impossible_sizes_are_output_errors(tmp_path: Path) -> None:
    for name, pixels in (("a.xyz", picture()), ("a.webp", np.zeros((1, 17000, 3), np.uint8))):
        with pytest.raises(OutputError) as caught:
            write_photo(tmp_path / name, pixels, None, {})
        assert caught.value.next_step
    assert [path.name for path in tmp_path.iterdir()] == []


def test_the_deep_png_we_assemble_is_read_by_others(tmp_path: Path) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    like = Photo(picture(np.uint16), icc_profile=profile, dpi=(72, 72))
    write_photo(tmp_path / "a.png", picture(np.uint16), like, {"comment": "ours, ž"})
    data = (tmp_path / "a.png").read_bytes()
    with Image.open(io.BytesIO(data)) as image:
        image.load()
        assert (image.info["icc_profile"], image.info["comment"]) == (profile, "ours, ž")
    decoded = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    assert np.array_equal(decoded[..., ::-1], picture(np.uint16))
