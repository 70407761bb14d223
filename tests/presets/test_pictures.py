"""Whether a picture is one, and its main colours."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from framestyle.errors import PresetError
from framestyle.presets import load_preset, main_colors, picture_problem

Picture = Callable[..., Path]


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "tif", "bmp", "gif", "avif"])
def test_pictures_are_known_by_their_contents(picture: Picture, suffix: str) -> None:
    path = picture(f"x.{suffix}")
    assert picture_problem(path) is None
    assert picture_problem(io.BytesIO(path.read_bytes())) is None
    assert picture_problem(path.rename(path.with_name("no suffix"))) is None


def test_what_is_no_picture(tmp_path: Path, picture: Picture) -> None:
    text = tmp_path / "text.jpg"
    text.write_text("milk, bread, ultramarine\n")
    cut = tmp_path / "cut.png"
    Image.effect_noise((64, 64), 50).save(cut)
    cut.write_bytes(cut.read_bytes()[:2000])
    film = tmp_path / "film.gif"
    Image.new("RGB", (4, 4)).save(film, save_all=True, append_images=[Image.new("RGB", (4, 4), "red")])
    found = [picture_problem(path) for path in (text, cut, film)]
    assert found == [
        "is not an image",
        "is a damaged image",
        "is an animated GIF, and a style image is a still",
    ]


def test_a_format_that_starts_another_program_is_not_tried(tmp_path: Path) -> None:
    Image.new("RGB", (4, 4)).save(tmp_path / "x.eps")
    assert picture_problem(tmp_path / "x.eps") == "is not an image"


def test_a_picture_of_too_many_pixels(tmp_path: Path) -> None:
    path = tmp_path / "bomb.png"
    Image.new("1", (20000, 20000)).save(path)
    assert path.stat().st_size < 100_000
    assert picture_problem(path) == "has too many pixels"


def test_loading_can_open_the_pictures(tmp_path: Path, picture: Picture) -> None:
    (tmp_path / "text.jpg").write_text("no picture")
    picture("good.png")
    path = tmp_path / "p.yaml"
    path.write_text("tv_wieght: 1\nstyle: {images: [{path: good.png}, {path: text.jpg}, {path: none.jpg}]}\n")
    with pytest.raises(PresetError) as caught:
        load_preset(path, open_images=True)
    lines = [line.removeprefix(f"{path}:") for line in caught.value.message.splitlines()]
    assert [line.split(": ")[0] for line in lines] == ["1:1", "2:43", "2:61"]
    assert lines[1].endswith("text.jpg is not an image") and "there is no image at" in lines[2]
    path.write_text("style: {images: [{path: text.jpg}]}\n")
    assert load_preset(path).style.images[0].path == str(tmp_path / "text.jpg"), "listing opens none"


# -- colours -----------------------------------------------------------------------------------------------


def _striped(path: Path, *colors: str) -> Path:
    image = Image.new("RGB", (120, 20 * len(colors)))
    for row, color in enumerate(colors):
        image.paste(Image.new("RGB", (120, 20), color), (0, 20 * row))
    image.save(path)
    return path


def test_the_main_colors_the_largest_share_first(tmp_path: Path) -> None:
    path = _striped(tmp_path / "x.png", "#102030", "#102030", "#102030", "#c01010", "#c01010", "#f0f0e0")
    assert main_colors([path]) == [("#102030", "#c01010", "#f0f0e0")]


def test_colors_that_look_alike_count_once(tmp_path: Path) -> None:
    assert len(main_colors([_striped(tmp_path / "x.png", "#102030", "#112233", "#132231")])[0]) == 1


def test_transparent_pictures_lie_on_white_and_damaged_ones_have_no_colors(tmp_path: Path) -> None:
    Image.new("RGBA", (8, 8), (255, 0, 0, 0)).save(tmp_path / "clear.png")
    (tmp_path / "bad.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    assert main_colors([tmp_path / "clear.png", tmp_path / "bad.png", tmp_path / "none.png"]) == [
        ("#ffffff",),
        (),
        (),
    ]


def test_colors_are_remembered_until_the_picture_changes(tmp_path: Path, picture: Picture) -> None:
    path = picture("x.png", "#008080")
    assert main_colors([path]) == [("#008080",)]
    kept = tmp_path / "cache" / "colors.json"
    known = json.loads(kept.read_text())
    known[str(path)]["colors"] = ["#123456"]
    kept.write_text(json.dumps(known))
    assert main_colors([path]) == [("#123456",)], "read from the cache"
    picture("x.png", "#800000")
    os.utime(path, ns=(1, 1))
    assert main_colors([path]) == [("#800000",)]


@pytest.mark.parametrize("text", ["", "[]", "{", '{"PATH": 3}', '{"PATH": {"stamp": null, "colors": [1]}}'])
def test_a_damaged_cache_is_no_matter(tmp_path: Path, picture: Picture, text: str) -> None:
    path = picture("x.png", "#008080")
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "colors.json").write_text(text.replace("PATH", str(path)))
    assert main_colors([path]) == [("#008080",)]


def test_a_cache_that_cannot_be_written_is_no_matter(tmp_path: Path, picture: Picture) -> None:
    (tmp_path / "cache").write_text("in the way")
    assert main_colors([picture("x.png", "#008080")]) == [("#008080",)]
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_file()) == ["cache", "x.png"]
