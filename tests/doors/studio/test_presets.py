"""Presets by the studio: saved from sliders, checked while they are typed, carried out and in."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest
from PIL import Image
from studio_client import Client

from framestyle.presets import load_preset, user_presets_dir


def test_all_presets_are_listed_with_what_the_sliders_say(studio: Client) -> None:
    presets = {preset["name"]: preset for preset in studio.get("/api/presets")}
    assert "base" not in presets and presets["wave"]["builtin"] and not presets["quick"]["builtin"]
    assert presets["quick"]["settings"]["scales.max_side_px"] == 32 and presets["wave"]["colors"]
    art = studio.call("GET", "/api/presets/wave/art")
    assert Image.open(io.BytesIO(art.body)).format == "JPEG"


def test_what_the_sliders_say_is_saved_over_what_it_came_from(studio: Client) -> None:
    look = {
        "preset": "quick",
        "settings": {"strength": 0.8, "style.scale": 2.0, "color.preserve": "luminance"},
    }
    saved = studio.call("PUT", "/api/presets/mine", {"look": look, "description": "As I like it"})
    assert saved.status == 200 and "extends: quick" in saved.json["yaml"]
    preset = load_preset("mine")
    assert (preset.strength, preset.style.scale, preset.color.preserve) == (0.8, 2.0, "luminance")
    assert preset.description == "As I like it" and preset.scales.max_side_px == 32
    again = studio.call("PUT", "/api/presets/mine", {"look": look})
    assert (again.status, again.json["code"]) == (409, "preset-exists")
    assert studio.call("PUT", "/api/presets/mine", {"look": look, "overwrite": True}).status == 200


def test_a_built_in_preset_is_neither_hidden_nor_removed(studio: Client) -> None:
    for overwrite in (False, True):
        answer = studio.call(
            "PUT", "/api/presets/wave", {"look": {"preset": "quick"}, "overwrite": overwrite}
        )
        assert (answer.status, answer.json["code"]) == (409, "preset-built-in")
    assert studio.call("DELETE", "/api/presets/wave").status == 403
    assert studio.call("DELETE", "/api/presets/quick").status == 200
    assert not (user_presets_dir() / "quick.yaml").exists()


@pytest.mark.parametrize(
    ("yaml", "line", "column", "said"),
    [
        ("extends: quick\nstrength: 7\n", 2, 11, "strength"),
        ("extends: quick\nstrengt: 1\n", 2, 1, "strength"),
        ("extends: quick\nstyle:\n  scale: big\n", 3, 10, "number"),
        ("extends: nothing-like-it\n", 1, 10, "no preset"),
        ("a: [\n", 2, 1, "not YAML"),
    ],
)
def test_faults_stand_at_their_line_and_column(
    studio: Client, yaml: str, line: int, column: int, said: str
) -> None:
    faults = studio.post("/api/presets/check", {"yaml": yaml, "name": "mine"})["faults"]
    assert (faults[0]["line"], faults[0]["column"]) == (line, column) and said in faults[0]["message"]
    assert str(user_presets_dir()) not in faults[0]["message"]
    refused = studio.call("PUT", "/api/presets/mine", {"yaml": yaml})
    assert refused.status in (404, 422) and not (user_presets_dir() / "mine.yaml").exists()


def test_a_text_without_faults_is_saved_as_it_was_typed(studio: Client) -> None:
    yaml = "schema: 1\n# mine\nextends: quick\nstrength: 0.25\n"
    assert studio.post("/api/presets/check", {"yaml": yaml})["settings"]["strength"] == 0.25
    assert studio.call("PUT", "/api/presets/typed", {"yaml": yaml}).json["yaml"] == yaml
    assert load_preset("typed").strength == 0.25


def test_own_pictures_become_a_preset(studio: Client, root: Path, photo: Path, clip: Path) -> None:
    ids = {entry["name"]: entry["media"]["id"] for entry in studio.get("/api/folders")["entries"]}
    assert studio.call("POST", "/api/presets", {"name": "own", "pictures": [ids[clip.name]]}).status == 422
    assert studio.call("POST", "/api/presets", {"name": "own", "pictures": [ids[photo.name]]}).status == 201
    photo.unlink()
    (image,) = load_preset("own", open_images=True).style.images
    assert Path(image.path).is_relative_to(user_presets_dir())
    assert studio.call("GET", "/api/presets/own/art").status == 200


def test_a_preset_goes_out_and_comes_in(studio: Client) -> None:
    packed = studio.call("GET", "/api/presets/quick/export")
    assert packed.headers["content-disposition"].endswith("quick.zip")
    taken = studio.call("POST", "/api/presets/import?name=back", packed.body, Content_Type="application/zip")
    assert taken.status == 200 and taken.json["name"] == "back"
    assert load_preset("back").scales == load_preset("quick").scales
    copied = studio.call("POST", "/api/presets/wave/copy", {"name": "wave-2"})
    assert copied.status == 200 and load_preset("wave-2").style.weight == load_preset("wave").style.weight


def zipped(*files: tuple[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files:
            archive.writestr(name, data)
    return file.getvalue()


BAD_ZIPS = {
    "a bomb": zipped(("p.yaml", b"schema: 1\n"), ("images/a.png", bytes(300_000_000))),
    "a way out": zipped(("../../p.yaml", b"schema: 1\n")),
    "many": zipped(*((f"{n}.txt", b"") for n in range(300))),
    "no zip": b"PK\x03\x04 nothing",
    "nothing": b"",
    "a page": zipped(
        ("p.yaml", b"schema: 1\nstyle: {images: [{path: a.svg}]}\n"), ("a.svg", b"<svg onload=alert(1)>")
    ),
}


@pytest.mark.parametrize("what", BAD_ZIPS)
def test_zips_that_harm_are_refused_and_leave_nothing(studio: Client, root: Path, what: str) -> None:
    before = sorted(user_presets_dir().rglob("*"))
    answer = studio.call("POST", "/api/presets/import", BAD_ZIPS[what], Content_Type="application/zip")
    assert answer.status == 422
    assert sorted(user_presets_dir().rglob("*")) == before
    assert list((root / ".framestyle-studio" / "uploads").iterdir()) == []
