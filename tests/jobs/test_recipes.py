"""What a picture says of how it was made, and the preset recovered from it."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from photo_makers import picture
from PIL import Image

from framestyle.doors.advice import next_step
from framestyle.doors.cli import main
from framestyle.errors import FramestyleError, InputError, PresetError
from framestyle.jobs.run import recipes
from framestyle.jobs.run.recipes import Recipe, read_recipe, recovered_preset
from framestyle.media.photos import FORMATS, Photo, read_photo, recipe_in, write_photo
from framestyle.presets import load_preset, preset_names
from framestyle.resolve import picture_digests
from framestyle.spec import RenderSpec, with_precision

USED = {"framestyle": "0.1.0", "torch": "2.14.1"}
WITH_METADATA = [suffix for suffix in sorted(FORMATS) if suffix != ".bmp"]


def recipe_of(preset: Any, **changes: Any) -> Recipe:
    device = changes.pop("device", "cpu float32")
    spec = RenderSpec(preset, "learned", "abc", picture_digests(preset), 7)
    return Recipe(dataclasses.replace(spec, **changes), device, USED)


def _used(preset: Any) -> Any:
    """The preset as it made a picture: what its `auto` came to is named beside the device."""
    return with_precision(preset, "float32").model_copy(update={"extends": None})


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path / "jane"))
    (tmp_path / "jane" / "art").mkdir(parents=True)
    Image.fromarray(picture()).save(tmp_path / "jane" / "art" / "würfel, 2.png")
    return tmp_path / "jane"


@pytest.fixture
def own(home: Path) -> Any:
    """A preset with a style image and a starting image in the home folder."""
    path = home / "art" / "würfel, 2.png"
    settings = [f"style.images=[{{path: '{path}', weight: 2}}]", f"optimizer.init='{path}'", "tv_weight=1e-5"]
    return load_preset("base", settings)


@pytest.mark.parametrize("name", [name for name in preset_names() if name not in ("base", "draft")])
def test_every_built_in_preset_comes_back_from_a_picture(tmp_path: Path, name: str) -> None:
    preset = load_preset(name)
    write_photo(tmp_path / "a.png", picture(), None, {"recipe": recipe_of(preset).text()})
    recovered = recovered_preset(tmp_path / "a.png")
    assert recovered.doubts == ()
    (tmp_path / "again.yaml").write_text(recovered.text, encoding="utf-8")
    assert load_preset(tmp_path / "again.yaml") == _used(preset)


@pytest.mark.parametrize("suffix", WITH_METADATA)
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_every_format_holds_it(tmp_path: Path, own: Any, suffix: str, dtype: Any) -> None:
    target = tmp_path / f"a{suffix}"
    write_photo(
        target, picture(dtype), Photo(picture(dtype)), {"comment": "ours", "recipe": recipe_of(own).text()}
    )
    (tmp_path / "again.yaml").write_text(recovered_preset(target).text, encoding="utf-8")
    again = load_preset(tmp_path / "again.yaml")
    assert again == _used(own).model_copy(update={"name": again.name})


def test_the_head_says_what_else_to_give(
    tmp_path: Path, own: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    write_photo(tmp_path / "a.png", picture(), None, {"recipe": recipe_of(own).text()})
    assert main(["presets", "from", str(tmp_path / "a.png")]) == 0
    head = [line for line in capsys.readouterr().out.splitlines() if line.startswith("#")]
    assert head == [
        "# Recovered from a.png, made by framestyle 0.1.0, torch 2.14.1 on cpu float32",
        "# with --weights learned --seed 7",
    ]


def test_a_published_picture_does_not_say_whose_it_is(home: Path, own: Any) -> None:
    text = recipe_of(own, weights=str(home / "w.pth")).text()
    assert str(home) not in text and "jane" not in text and '"~/art/würfel, 2.png"' in text
    builtin = recipe_of(load_preset("nightswirl")).text()
    assert "<presets>/art/" in builtin and str(recipes.builtin_presets_dir()) not in builtin
    recipe = read_recipe(text, Path("a.png"))
    assert recipe.spec.preset == _used(own)


def test_images_that_are_gone_or_others_are_said(tmp_path: Path, home: Path, own: Any) -> None:
    write_photo(tmp_path / "a.png", picture(), None, {"recipe": recipe_of(own).text()})
    image = home / "art" / "würfel, 2.png"
    Image.fromarray(picture()[::-1]).save(image)
    for word in ("another", "not there"):
        doubts = recovered_preset(tmp_path / "a.png").doubts
        assert [str(image) in doubt and word in doubt for doubt in doubts] == [True]
        image.unlink(missing_ok=True)


def test_a_picture_painted_twice_names_the_last_preset(tmp_path: Path) -> None:
    for suffix in (".jpg", ".webp", ".tif", ".png"):
        like: Photo | None = None
        for name in ("mosaic", "nightswirl"):
            words = {
                "comment": f"framestyle 0.1.0; preset {name}",
                "recipe": recipe_of(load_preset(name)).text(),
            }
            write_photo(tmp_path / f"a{suffix}", picture(), like, words)
            like = read_photo(tmp_path / f"a{suffix}")
        text = recipe_in(tmp_path / f"a{suffix}")
        assert text is not None and json.loads(text)["preset"]["name"] == "nightswirl"
        assert b"mosaic" not in (tmp_path / f"a{suffix}").read_bytes()


def test_other_programs_may_write_the_xmp_again(tmp_path: Path, own: Any) -> None:
    """Lightroom and exiftool move properties into attributes, or into one description."""
    text = recipe_of(own).text()
    write_photo(tmp_path / "a.jpg", picture(), None, {"recipe": text})
    from xml.sax.saxutils import quoteattr

    with Image.open(tmp_path / "a.jpg") as image:
        packet = image.info["xmp"].decode()
    start, end = packet.index("<framestyle:recipe>"), packet.index("</framestyle:recipe>") + 20
    moved = packet[:start] + packet[end:]
    moved = moved.replace("xmlns:framestyle=", f"framestyle:recipe={quoteattr(text)} xmlns:framestyle=")
    Image.fromarray(picture()).save(tmp_path / "b.jpg", xmp=moved.encode())
    assert recipe_in(tmp_path / "b.jpg") == text


def test_a_picture_of_others_is_refused_with_the_reason(tmp_path: Path) -> None:
    for name in ("a.png", "a.jpg", "a.bmp"):
        Image.fromarray(picture()).save(tmp_path / name)
        with pytest.raises(InputError) as caught:
            recovered_preset(tmp_path / name)
        assert str(tmp_path / name) in caught.value.message and next_step(caught.value)
    with pytest.raises(InputError):
        recovered_preset(tmp_path / "nowhere.png")


@pytest.mark.parametrize(
    "change",
    [
        "",
        "not JSON",
        "[]",
        "{}",
        "[" * 100_000,
        {"preset": None},
        {"preset": 3},
        {"preset": {"schema": "one"}},
        {"seed": "many"},
        {"versions": []},
        {"preset.color": {"preserve": "everything"}},
        {"preset.style": {"images": [{"path": 7}]}},
        {"preset.style": {"images": "x"}},
        {"preset.unknown": 1},
    ],
)
def test_a_recipe_that_is_none_is_a_preset_error(tmp_path: Path, change: Any) -> None:
    text = change
    if isinstance(change, dict):
        data = json.loads(recipe_of(load_preset("mosaic")).text())
        for key, value in change.items():
            section, _, name = key.partition(".")
            if name:
                data[section][name] = value
            else:
                data[section] = value
        text = json.dumps(data)
    write_photo(tmp_path / "a.png", picture(), None, {"recipe": text})
    with pytest.raises(FramestyleError) as caught:
        recovered_preset(tmp_path / "a.png")
    assert (
        isinstance(caught.value, PresetError) and "\n" not in caught.value.message and next_step(caught.value)
    )


def test_a_newer_recipe_says_what_to_do(tmp_path: Path) -> None:
    data = json.loads(recipe_of(load_preset("mosaic")).text())
    data["preset"] |= {"schema": 9, "brush": "fan"}
    write_photo(tmp_path / "a.png", picture(), None, {"recipe": json.dumps(data)})
    with pytest.raises(PresetError, match="newer"):
        recovered_preset(tmp_path / "a.png")


def test_words_of_a_stranger_cannot_add_keys(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The head is a comment, whatever a picture's metadata says."""
    evil = recipe_of(load_preset("mosaic"), device="cpu\ntv_weight: 99", weights="x\u2028y\r\nseed: 1").text()
    write_photo(tmp_path / "a.png", picture(), None, {"recipe": evil})
    assert main(["presets", "from", str(tmp_path / "a.png")]) == 0
    (tmp_path / "again.yaml").write_text(capsys.readouterr().out, encoding="utf-8")
    assert load_preset(tmp_path / "again.yaml").tv_weight == load_preset("mosaic").tv_weight


def test_entities_in_xmp_are_not_followed(tmp_path: Path) -> None:
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">' + "".join(
        f'<!ENTITY {name} "{f"&{before};" * 10}">' for before, name in zip("abcdefg", "bcdefgh", strict=True)
    )
    packet = f'{bomb}]><x xmlns:f="https://framestyle.invalid/xmp/1.0/"><f:recipe>&h;</f:recipe></x>'
    Image.fromarray(picture()).save(tmp_path / "a.jpg", xmp=packet.encode())
    assert recipe_in(tmp_path / "a.jpg") is None
    assert read_photo(tmp_path / "a.jpg").xmp is None


def test_recovering_loads_no_torch() -> None:
    code = "import sys, framestyle.jobs.run.recipes; sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
