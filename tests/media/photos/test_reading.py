"""Photos of every kind come upright, in sRGB, at their depth; what cannot be read is refused in a sentence."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from photo_makers import (
    BEST,
    camera_exif,
    deep_png,
    deep_tiff,
    orientation_exif,
    picture,
    png_chunk,
    save,
    stored,
)
from PIL import Image

from framestyle.doors.advice import next_step
from framestyle.errors import InputError
from framestyle.media.photos import FORMATS, read_photo, write_photo
from framestyle.media.photos.stored import turned

SUFFIXES = sorted(FORMATS)
NEAR = {".jpg": 12, ".avif": 12}


# -- orientation -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", [s for s in (".jpg", ".png", ".webp", ".tif", ".avif") if s in FORMATS])
def test_every_orientation_comes_upright_once(tmp_path: Path, suffix: str, orientation: int) -> None:
    pixels, options = stored(picture(), orientation), {}
    if suffix in (".jpg", ".png", ".tif"):
        options = {"dpi": (300, 150)}
    save(tmp_path / f"a{suffix}", pixels, exif=orientation_exif(orientation), **options)
    photo = read_photo(tmp_path / f"a{suffix}")
    assert photo.pixels.shape == (20, 30, 3)
    assert np.abs(photo.pixels.astype(int) - picture()).max() <= NEAR.get(suffix, 0)
    if options:
        assert photo.dpi == pytest.approx((150, 300) if orientation >= 5 else (300, 150), rel=1e-3)
    for again in SUFFIXES:
        write_photo(tmp_path / f"b{again}", photo.pixels, photo, {})
        with Image.open(tmp_path / f"b{again}") as image:
            assert image.size == (30, 20) and image.getexif().get(274, 1) == 1
        assert np.abs(read_photo(tmp_path / f"b{again}").pixels.astype(int) - picture()).max() <= 12


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("compression", [None, "tiff_lzw", "tiff_adobe_deflate"])
@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "I;16"])
def test_tiffs_of_every_packing_come_upright(
    tmp_path: Path, orientation: int, compression: str | None, mode: str
) -> None:
    """Pillow, and OpenCV for the deep ones, turn them themselves."""
    upright = np.asarray(Image.fromarray(picture()).convert("L" if mode == "I;16" else mode))
    if mode == "I;16":
        upright = upright.astype(np.uint16) * 257
    image = Image.fromarray(stored(upright, orientation))
    image.save(tmp_path / "a.tif", compression=compression, exif=orientation_exif(orientation))
    pixels = read_photo(tmp_path / "a.tif").pixels
    wanted = upright[..., :3] if upright.ndim == 3 else np.repeat(upright[..., None], 3, axis=2)
    assert np.array_equal(pixels, wanted)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_deep_photos_come_upright_with_their_alpha(tmp_path: Path, orientation: int) -> None:
    upright = np.dstack([picture(np.uint16), picture(np.uint16)[..., 0]])
    (tmp_path / "a.png").write_bytes(
        deep_png(stored(upright, orientation), exif=orientation_exif(orientation))
    )
    (tmp_path / "a.tif").write_bytes(deep_tiff(stored(upright, orientation), orientation=orientation))
    for name in ("a.png", "a.tif"):
        photo = read_photo(tmp_path / name)
        assert photo.alpha is not None
        assert np.array_equal(np.dstack([photo.pixels, photo.alpha]), upright)


@given(
    orientation=st.integers(1, 8), height=st.integers(1, 9), width=st.integers(1, 9), seed=st.integers(0, 99)
)
@settings(deadline=None, derandomize=True)
def test_turning_is_what_pillow_does(orientation: int, height: int, width: int, seed: int) -> None:
    from PIL import ImageOps

    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
    image = Image.fromarray(pixels)
    image.getexif()[274] = orientation
    assert np.array_equal(turned(pixels, orientation), np.asarray(ImageOps.exif_transpose(image)))


@pytest.mark.parametrize("value", [0, 9, 65535])
def test_an_impossible_orientation_is_none(tmp_path: Path, value: int) -> None:
    save(tmp_path / "a.jpg", picture(), exif=orientation_exif(value))
    assert read_photo(tmp_path / "a.jpg").pixels.shape == (20, 30, 3)


@given(data=st.binary(max_size=200), cut=st.integers(0, 500))
@settings(deadline=None, derandomize=True)
def test_damaged_exif_never_costs_the_picture(tmp_path_factory: Any, data: bytes, cut: int) -> None:
    path = tmp_path_factory.getbasetemp() / "damaged.jpg"
    for block in (b"Exif\0\0MM\0*" + data, camera_exif()[: 6 + cut]):
        save(path, picture(), exif=block)
        photo = read_photo(path)
        write_photo(path.with_suffix(".webp"), photo.pixels, photo, {"comment": "ours"})
        assert photo.pixels.size == picture().size


def test_an_orientation_survives_a_damaged_rest(tmp_path: Path) -> None:
    block = bytearray(camera_exif(orientation=6))
    at = block.index(struct.pack(">HH", 0x8769, 4))
    block[at + 8 : at + 12] = b"\xff" * 4  # the other directory is nowhere
    save(tmp_path / "a.jpg", stored(picture(), 6), exif=bytes(block))
    photo = read_photo(tmp_path / "a.jpg")
    assert photo.pixels.shape == (20, 30, 3) and photo.exif is not None and b"Camera" in photo.exif


# -- colour modes and depths -------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["1", "L", "P", "CMYK", "YCbCr", "LAB", "RGBA", "LA", "I;16"])
def test_every_colour_mode_comes_as_rgb(tmp_path: Path, mode: str) -> None:
    path = tmp_path / ("a.tiff" if mode in ("CMYK", "YCbCr", "LAB") else "a.png")
    if mode == "I;16":
        Image.fromarray(np.full((20, 30), 40000, np.uint16)).save(path)
    elif mode == "LAB":
        Image.new("LAB", (30, 20), (255, 128, 128)).save(path)
    else:
        Image.new("RGB", (30, 20), "white").convert("RGBA" if mode == "LA" else "RGB").convert(mode).save(
            path
        )
    photo = read_photo(path)
    assert photo.pixels.shape == (20, 30, 3)
    assert (photo.alpha is not None) == (mode in ("RGBA", "LA"))
    assert photo.pixels.min() == {"I;16": 40000, "LAB": 254}.get(mode, 255)


@pytest.mark.parametrize("suffix", [".jpg", ".tif"])
def test_print_colours_come_as_rgb_and_it_is_said(tmp_path: Path, suffix: str) -> None:
    Image.new("RGB", (16, 16), (200, 80, 40)).convert("CMYK").save(
        tmp_path / f"a{suffix}", **BEST.get(suffix, {})
    )
    photo = read_photo(tmp_path / f"a{suffix}")
    assert np.abs(photo.pixels[8, 8].astype(int) - (200, 80, 40)).max() <= 2
    assert any("CMYK" in note for note in photo.notes)


RGB16, GREY16 = picture(np.uint16), np.repeat(picture(np.uint16)[..., :1], 3, axis=2)
ALPHA16 = np.linspace(0, 65535, 600).astype(np.uint16).reshape(20, 30)
PREMULTIPLIED = np.rint(RGB16 * (ALPHA16[..., None] / 65535)).astype(np.uint16)


@pytest.mark.parametrize(
    ("data", "wanted", "alpha"),
    [
        (deep_tiff(RGB16), RGB16, None),
        (deep_tiff(RGB16[..., 0]), GREY16, None),
        (deep_tiff(65535 - RGB16[..., 0], photometric=0), GREY16, None),
        (deep_tiff(np.dstack([RGB16, ALPHA16])), RGB16, ALPHA16),
        (deep_tiff(np.dstack([RGB16, ALPHA16]), extra=0), RGB16, None),
        (deep_png(RGB16), RGB16, None),
        (deep_png(np.dstack([RGB16, ALPHA16])), RGB16, ALPHA16),
        (deep_png(RGB16[..., 0]), GREY16, None),
        (deep_png(np.dstack([RGB16[..., 0], ALPHA16])), GREY16, ALPHA16),
    ],
)
def test_sixteen_bits_are_read_whole(tmp_path: Path, data: bytes, wanted: Any, alpha: Any) -> None:
    (tmp_path / "a").write_bytes(data)
    photo = read_photo(tmp_path / "a")
    assert np.array_equal(photo.pixels, wanted) and photo.bits == 16 and not photo.notes
    assert (photo.alpha is None) == (alpha is None)
    assert alpha is None or np.array_equal(photo.alpha, alpha)


def test_premultiplied_colours_are_divided_again(tmp_path: Path) -> None:
    (tmp_path / "a.tif").write_bytes(deep_tiff(np.dstack([PREMULTIPLIED, ALPHA16]), extra=1))
    photo = read_photo(tmp_path / "a.tif")
    seen = ALPHA16 > 6000
    assert np.array_equal(photo.alpha, ALPHA16)
    assert np.abs(photo.pixels.astype(int) - RGB16)[seen].max() <= 8


def test_a_transparent_grey_of_a_deep_png_is_transparent(tmp_path: Path) -> None:
    clear = int(RGB16[3, 4, 0])
    more = png_chunk(b"tRNS", struct.pack(">H", clear))
    (tmp_path / "a.png").write_bytes(deep_png(RGB16[..., 0], more=more))
    photo = read_photo(tmp_path / "a.png")
    assert photo.alpha is not None and np.array_equal(photo.alpha == 0, RGB16[..., 0] == clear)


def test_a_packing_that_opencv_does_not_know_is_read_at_eight_bits_and_it_is_said(tmp_path: Path) -> None:
    Image.fromarray(RGB16[..., 0]).save(tmp_path / "a.tif", compression="zstd")
    photo = read_photo(tmp_path / "a.tif")
    assert np.abs(photo.pixels.astype(int) - GREY16 // 257).max() <= 1
    assert photo.bits == 8 and any("16 bits" in note for note in photo.notes)


def test_size_for_makes_it_smaller_at_once(tmp_path: Path) -> None:
    save(tmp_path / "a.jpg", stored(picture(height=40, width=60), 6), exif=orientation_exif(6))
    asked = []
    photo = read_photo(tmp_path / "a.jpg", lambda width, height: asked.append((width, height)) or (30, 20))
    assert asked == [(60, 40)] and photo.pixels.shape == (20, 30, 3)
    assert np.abs(photo.pixels.astype(int) - picture()).max() <= 12


# -- what is refused ---------------------------------------------------------------------------------------


def is_refused(path: Path, *words: str) -> None:
    """In one sentence, with the path and the next step."""
    with pytest.raises(InputError) as caught:
        read_photo(path)
    assert str(path) in caught.value.message and "\n" not in caught.value.message and next_step(caught.value)
    for word in words:
        assert word in caught.value.message


@pytest.mark.parametrize("share", [0.02, 0.3, 0.6, 0.95])
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_truncated_photo_is_refused(tmp_path: Path, suffix: str, share: float) -> None:
    path = tmp_path / f"cut{suffix}"
    write_photo(path, np.random.default_rng(0).integers(0, 256, (60, 60, 3), np.uint8), None, {})
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    is_refused(path)


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_a_truncated_deep_photo_is_refused(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    save(path, np.random.default_rng(0).integers(0, 65536, (60, 60, 3), np.uint16))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    is_refused(path)


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").touch()
    is_refused(tmp_path / "a.jpg", "empty")


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_only_the_contents_count(tmp_path: Path, suffix: str) -> None:
    """A text in a photo's clothes is refused; a photo in another's is read."""
    (tmp_path / f"text{suffix}").write_text("milk, bread, ultramarine")
    is_refused(tmp_path / f"text{suffix}", "neither")
    save(tmp_path / "a.png", picture())
    (tmp_path / "a.png").rename(tmp_path / f"a{suffix}")
    assert np.array_equal(read_photo(tmp_path / f"a{suffix}").pixels, picture())


@pytest.mark.parametrize("suffix", SUFFIXES)
@given(seed=st.integers(0, 10_000))
@settings(deadline=None, derandomize=True)
def test_noise_after_a_true_beginning_is_refused_or_read(
    tmp_path_factory: Any, suffix: str, seed: int
) -> None:
    """Whatever is in it, nothing but an InputError comes out."""
    folder = tmp_path_factory.getbasetemp()
    path = folder / f"noise{suffix}"
    if not (folder / f"whole{suffix}").exists():
        write_photo(folder / f"whole{suffix}", picture(), None, {"comment": "ours"})
    data = bytearray((folder / f"whole{suffix}").read_bytes())
    random = np.random.default_rng(seed)
    for at in random.integers(8, len(data), 12):
        data[at] = random.integers(0, 256)
    path.write_bytes(data)
    try:
        assert read_photo(path).pixels.shape[2] == 3
    except InputError as error:
        assert next_step(error)


def test_a_decompression_bomb_is_refused(tmp_path: Path) -> None:
    header = (30000).to_bytes(4, "big") * 2 + b"\x08\0\0\0\0"
    chunks = [
        png_chunk(b"IHDR", header),
        png_chunk(b"IDAT", zlib.compress(bytes(1000))),
        png_chunk(b"IEND", b""),
    ]
    (tmp_path / "bomb.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(chunks))
    is_refused(tmp_path / "bomb.png", "too large")
    for kind, name in ((b"zTXt", b"Comment"), (b"iCCP", b"own")):
        packed = png_chunk(kind, name + b"\0\0" + zlib.compress(bytes(200 << 20)))
        (tmp_path / "packed.png").write_bytes(deep_png(picture(np.uint16), more=packed))
        is_refused(tmp_path / "packed.png")


@pytest.mark.parametrize("orientation", range(1, 9))
def test_channels_stored_apart_at_sixteen_bits_are_read_as_others_are(
    tmp_path: Path, orientation: int
) -> None:
    for name, planar in (("a.tif", True), ("b.tif", False)):
        (tmp_path / name).write_bytes(deep_tiff(RGB16, planar=planar, orientation=orientation))
    apart, together = read_photo(tmp_path / "a.tif"), read_photo(tmp_path / "b.tif")
    assert np.array_equal(apart.pixels, together.pixels) and apart.pixels.dtype == np.uint16


def test_a_raw_file_is_refused_and_not_taken_for_its_preview(tmp_path: Path) -> None:
    Image.fromarray(picture()).save(tmp_path / "a.nef", "TIFF", tiffinfo={254: 1})
    is_refused(tmp_path / "a.nef", "raw")
    Image.fromarray(picture()).save(tmp_path / "a.dng", "TIFF", tiffinfo={50706: b"\1\4\0\0"})
    is_refused(tmp_path / "a.dng", "raw")


@pytest.mark.skipif(".heic" in FORMATS, reason="pillow-heif is installed")
def test_a_heic_is_refused_with_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "a.heic").write_bytes(struct.pack(">L", 24) + b"ftypheic" + bytes(40))
    with pytest.raises(InputError) as caught:
        read_photo(tmp_path / "a.heic")
    assert "HEIC" in caught.value.message and "framestyle[heic]" in (next_step(caught.value) or "")
