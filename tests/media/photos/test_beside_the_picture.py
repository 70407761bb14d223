"""What a photo's file holds beside the picture: a PNG's texts, further pictures; kept, or said to be left out."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from photo_makers import picture, png_chunk, save
from PIL import Image, PngImagePlugin

from framestyle.errors import InputError
from framestyle.media.photos import own_suffix, read_photo, recipe_in, write_photo
from framestyle.media.photos.isobmff import still_in

PARAMETERS = "a cat, äöü, 猫\nSteps: 20, Seed: 1234"


def with_texts(path: Path) -> Path:
    """As image generators, ImageMagick and editors leave them: after the pixels too."""
    words = PngImagePlugin.PngInfo()
    words.add_itxt("parameters", PARAMETERS)
    words.add_text("Author", "me")
    words.add_text("Software", "ours", zip=True)
    words.add_text("comment", "a holiday")
    words.add_text("Raw profile type iptc", "\niptc\n 4\n00000000\n")
    save(path, picture(), pnginfo=words)
    data = path.read_bytes()
    late = png_chunk(b"tEXt", b"Title\0late")
    path.write_bytes(data[:-12] + late + data[-12:])
    return path


def test_a_pngs_texts_are_carried(tmp_path: Path) -> None:
    photo = read_photo(with_texts(tmp_path / "in.png"))
    write_photo(tmp_path / "out.png", photo.pixels, photo, {"comment": "framestyle 1", "recipe": "{}"})
    with Image.open(tmp_path / "out.png") as image:
        image.load()
        texts = image.text  # type: ignore[attr-defined]
    assert texts["parameters"] == PARAMETERS and texts["Author"] == "me" and texts["Software"] == "ours"
    assert texts["Title"] == "late" and texts["comment"] == "a holiday\nframestyle 1"
    assert recipe_in(tmp_path / "out.png") == "{}" and "Raw profile type iptc" not in texts


def test_ours_are_not_carried_twice(tmp_path: Path) -> None:
    plain = tmp_path / "plain.png"
    save(plain, picture())
    write_photo(
        tmp_path / "a.png", picture(), read_photo(plain), {"comment": "framestyle 1", "recipe": "old"}
    )
    again = read_photo(tmp_path / "a.png")
    assert again.texts == {}
    write_photo(tmp_path / "b.png", picture(), again, {"comment": "framestyle 2", "recipe": "new"})
    assert recipe_in(tmp_path / "b.png") == "new"


@pytest.mark.parametrize("suffix", [".jpg", ".tif", ".webp", ".bmp"])
def test_formats_without_such_texts_say_which_are_left_out(tmp_path: Path, suffix: str) -> None:
    photo = read_photo(with_texts(tmp_path / "in.png"))
    said = " ".join(write_photo(tmp_path / f"o{suffix}", photo.pixels, photo, {}))
    assert "holds no PNG text: parameters, Author, Software, comment, 1 more was left out" in said


def test_further_pictures_of_a_jpeg_are_said_to_be_left_out(tmp_path: Path) -> None:
    image = Image.fromarray(picture())
    image.save(tmp_path / "gain.jpg", format="MPO", save_all=True, append_images=[image.resize((8, 8))])
    assert read_photo(tmp_path / "gain.jpg").notes == [
        "it holds 2 pictures; only the first is used, without gain maps and other views"
    ]
    exif = Image.Exif()
    exif[0x010F] = "Camera"
    image.save(tmp_path / "a.jpg", exif=exif)
    assert read_photo(tmp_path / "a.jpg").notes == []
    data = (tmp_path / "a.jpg").read_bytes()
    (tmp_path / "two.jpg").write_bytes(data + data)
    assert read_photo(tmp_path / "two.jpg").notes == [
        "further pictures behind the first one in its file are left out"
    ]


def test_gain_maps_of_stills_are_found(tmp_path: Path) -> None:
    def box(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">L4s", 8 + len(body), kind) + body

    for name in (b"urn:com:apple:photo:2020:aux:hdrgainmap\0", b"urn:mpeg:hevc:2015:auxid:2\0"):
        shelf = box(b"ipco", box(b"auxC", bytes(4) + name))
        inside = box(b"pitm", bytes(4) + b"\0\1") + box(b"iprp", shelf)
        (tmp_path / "a.heic").write_bytes(box(b"ftyp", b"heic") + box(b"meta", bytes(4) + inside))
        wanted = ("a gain map",) if b"hdrgainmap" in name else ("a depth map",)
        assert still_in(tmp_path / "a.heic").beside == wanted
    for broken in (b"", b"\0", b"\xff" * 64, box(b"meta", b""), box(b"meta", bytes(4) + box(b"pitm", b"\0"))):
        (tmp_path / "a.heic").write_bytes(broken)
        assert still_in(tmp_path / "a.heic").beside == ()


def test_what_no_decoder_knows_is_said_in_words(tmp_path: Path) -> None:
    (tmp_path / "a.tif").write_bytes(b"II*\0" + b"\xff" * 64)
    with pytest.raises(InputError, match="goes on as none that is known") as caught:
        read_photo(tmp_path / "a.tif")
    assert "<" not in caught.value.message and "object" not in caught.value.message


@pytest.mark.parametrize("name", ["a.gif", "it's.gif"])
def test_a_gif_that_is_none_is_refused_without_pythons_words(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"GIF89a" + bytes(3))
    with pytest.raises(InputError) as caught:
        read_photo(tmp_path / name)
    assert caught.value.message.count(name) == 1 and "Path(" not in caught.value.message


def test_a_photos_own_ending_is_told_by_its_contents(tmp_path: Path) -> None:
    for form, suffix in (
        ("JPEG", ".jpg"),
        ("PNG", ".png"),
        ("WEBP", ".webp"),
        ("TIFF", ".tif"),
        ("BMP", ".bmp"),
    ):
        Image.fromarray(picture()).save(tmp_path / "x.dat", form)
        assert own_suffix(tmp_path / "x.dat") == suffix
    Image.fromarray(picture()).save(tmp_path / "x.dat", "GIF")
    assert own_suffix(tmp_path / "x.dat") is None
    for name in ("a.jpe", "a.JFIF", "a.jpeg"):
        Image.fromarray(picture()).save(tmp_path / name, "JPEG")
        assert own_suffix(tmp_path / name) == Path(name).suffix.lower()
