"""Photos as they come: the right result, or one sentence on why there is none."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fault_list import fault
from photo_makers import (
    DISPLAY_P3,
    camera_exif,
    deep_tiff,
    orientation_exif,
    picture,
    png_chunk,
    save,
    stored,
)
from PIL import Image
from place import Place

from framestyle.media.photos import Photo, read_photo
from framestyle.media.video.reader import VideoReader


def _shown(dtype: Any = np.uint8) -> Any:
    return picture(dtype, 24, 32)


def _painted(place: Place, source: Path, output: str) -> tuple[Photo, str]:
    """The result, and what was said on the way."""
    place.results.add(output)
    said = place.paints(str(source), "-o", output, progress="auto").err
    return read_photo(Path(output)), said


@fault("truncated JPEG", 5, "it says that it cannot be decoded; no grey lower half is painted")
def test_truncated_jpeg(place: Place) -> None:
    source = place.sources / "in.jpg"
    save(source, picture(height=200, width=300))
    source.write_bytes(source.read_bytes()[: source.stat().st_size // 2])
    place.refuses(str(source), "-o", "out.jpg", words=("sources/in.jpg cannot be decoded", "truncated"))


@fault("decompression bomb", 5, "it says that it is too large, before it is decoded")
def test_decompression_bomb(place: Place) -> None:
    """Few bytes that promise 1.6 billion pixels."""
    source = place.sources / "in.png"
    head = struct.pack(">IIBBBBB", 40_000, 40_000, 1, 0, 0, 0, 0)
    rows = zlib.compress(bytes(5001 * 400), 9)
    chunks = png_chunk(b"IHDR", head) + png_chunk(b"IDAT", rows) + png_chunk(b"IEND", b"")
    source.write_bytes(b"\x89PNG\r\n\x1a\n" + chunks)
    place.refuses(str(source), "-o", "out.png", words=("sources/in.png is too large",))


@fault("EXIF 1–8", 0, "upright, once; the other tags are kept")
def test_every_orientation(place: Place) -> None:
    """All eight show one picture: so do their results."""
    for turn in range(1, 9):
        save(place.sources / f"{turn}.png", stored(_shown(), turn), exif=orientation_exif(turn))
        save(place.sources / f"{turn}.jpg", stored(_shown(), turn), exif=camera_exif(turn))
    place.paints("sources", "-o", "out")
    place.results |= {"out/", "out/.framestyle.json"}
    place.results |= {f"out/{turn}.{suffix}" for turn in range(1, 9) for suffix in ("png", "jpg")}
    wanted = read_photo(Path("out/1.png")).pixels
    for turn in range(1, 9):
        png, jpg = read_photo(Path(f"out/{turn}.png")), read_photo(Path(f"out/{turn}.jpg"))
        assert np.array_equal(png.pixels, wanted)
        assert np.abs(jpg.pixels / 1.0 - wanted / 257 ** (wanted.dtype == np.uint16)).mean() < 12
        with Image.open(f"out/{turn}.jpg") as image:
            assert image.getexif().get(274, 1) == 1 and image.getexif()[315]


@fault("P3", 0, "the colours are converted for the work and back; the profile is kept")
def test_display_p3(place: Place) -> None:
    save(place.sources / "in.png", _shown(), icc_profile=DISPLAY_P3)
    save(place.sources / "plain.png", _shown())
    for name in ("in.png", "plain.png"):
        place.paints(f"sources/{name}", "-o", name, "--set", "strength=0.01")
        place.results.add(name)
    with Image.open("in.png") as image, Image.open("plain.png") as plain:
        assert image.info["icc_profile"] == DISPLAY_P3 and "icc_profile" not in plain.info
        away = [np.abs(np.asarray(one) - _shown() / 1.0).mean() for one in (image, plain)]
    assert max(away) < 6, away


@fault("CMYK", 0, "painted in RGB, and it says so")
def test_cmyk(place: Place) -> None:
    Image.fromarray(_shown()).convert("CMYK").save(place.sources / "in.jpg", quality=95)
    photo, said = _painted(place, place.sources / "in.jpg", "out.jpg")
    assert "its print colours (CMYK) are written as RGB" in said
    with Image.open("out.jpg") as image:
        assert image.mode == "RGB" and photo.pixels.shape == (24, 32, 3)


@pytest.mark.parametrize("mode", ["L", "1", "I;16"])
@fault("grey", 0, "painted in colours")
def test_grey(place: Place, mode: str) -> None:
    grey = Image.fromarray(_shown()).convert("L")
    if mode == "I;16":
        Image.fromarray(np.asarray(grey).astype(np.uint16) * 257).save(place.sources / "in.png")
    else:
        grey.convert(mode).save(place.sources / "in.png")
    photo, _ = _painted(place, place.sources / "in.png", "out.png")
    assert photo.pixels.shape == (24, 32, 3)
    assert np.ptp(photo.pixels.astype(int), axis=2).max() > 0


@pytest.mark.parametrize("suffix", ["png", "webp", "tif"])
@fault("alpha", 0, "kept to the bit; laid over white where the format holds none, and it says so")
def test_alpha(place: Place, suffix: str) -> None:
    alpha = np.repeat(np.array([0, 127, 255, 200], np.uint8), 8)[None].repeat(24, axis=0)
    source = place.sources / f"in.{suffix}"
    save(source, np.dstack([_shown(), alpha]))
    photo, said = _painted(place, source, f"out.{suffix}")
    assert photo.alpha is not None and np.array_equal(photo.alpha, alpha) and "transparency" not in said
    _, said = _painted(place, source, "out.jpg")
    assert "holds no transparency: it was laid over white" in said


@pytest.mark.parametrize("suffix", ["png", "tif"])
@fault("16-bit", 0, "painted and written at 16 bits; at 8 where the format holds no more, and it says so")
def test_sixteen_bits(place: Place, suffix: str) -> None:
    source = place.sources / f"in.{suffix}"
    if suffix == "png":
        save(source, _shown(np.uint16))
    else:
        source.write_bytes(deep_tiff(_shown(np.uint16)))
    photo, _ = _painted(place, source, f"out.{suffix}")
    assert photo.pixels.dtype == np.uint16 and np.any(photo.pixels % 257)
    _, said = _painted(place, source, "out.jpg")
    assert "JPEG holds 8 bits a channel, not 16" in said


@pytest.mark.parametrize("suffix", ["gif", "webp", "png"])
@fault(
    "animated", 0, "GIF, WebP and PNG are clips of all their pictures; a clip becomes one of them by its name"
)
def test_animated(place: Place, suffix: str) -> None:
    source = place.sources / f"in.{suffix}"
    frames = [Image.fromarray(np.roll(_shown(), 3 * n, axis=1)) for n in range(4)]
    frames[0].save(source, save_all=True, append_images=frames[1:], duration=80, loop=0)
    output = f"out.{'apng' if suffix == 'png' else suffix}"
    place.results.add(output)
    place.paints(str(source), "-o", output)
    with VideoReader(Path(output)) as reader:
        assert len(list(reader)) == 4


@fault("text named .jpg", 5, "it says that it is no photo; in a folder the others are painted (exit code 4)")
def test_text_named_jpg(place: Place) -> None:
    (place.sources / "in.jpg").write_text("milk, bread, ultramarine\n")
    place.refuses("sources/in.jpg", "-o", "out.jpg", words=("sources/in.jpg is neither a video nor a photo",))
    save(place.sources / "good.png", _shown())
    place.is_now("sources/good.png")
    told = place.call(*place.stylize(("sources", "-o", "out"), "none"))
    assert told.code == 4 and "sources/in.jpg" in told.err
    place.results |= {"out/", "out/good.png", "out/.framestyle.json"}
