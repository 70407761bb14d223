"""Finding presets, listing them, and the built-in ones themselves."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from framestyle.doors.advice import next_step
from framestyle.errors import PresetError
from framestyle.presets import (
    Preset,
    builtin_presets_dir,
    find_preset,
    library,
    list_presets,
    load_preset,
    preset_dirs,
    preset_names,
)

STYLES = [
    "nightswirl",
    "sunfield",
    "mosaic",
    "stainedglass",
    "woodcut",
    "inkwash",
    "watercolor",
    "pointillist",
    "crosshatch",
    "pastel",
    "cubist",
    "wave",
    "fresco",
    "neon",
]
REPOSITORY = Path(__file__).resolve().parents[2]


def test_the_built_in_folder_in_a_checkout_and_in_a_wheel(tmp_path: Path) -> None:
    package = tmp_path / "framestyle"
    assert library._presets_of(package) == tmp_path / "presets"
    (package / "_data" / "presets").mkdir(parents=True)
    assert library._presets_of(package) == package / "_data" / "presets"
    assert (builtin_presets_dir() / "base.yaml").is_file()


def test_names_and_folders(user_folder: Path) -> None:
    assert preset_dirs() == [user_folder, builtin_presets_dir()]
    (user_folder / "mine.yml").write_text("name: mine\n", encoding="utf-8")
    (user_folder / "notes.txt").write_text("", encoding="utf-8")
    assert {"mine", "base", "gatys2015", *STYLES} <= set(preset_names())
    assert "notes" not in preset_names() and preset_names() == sorted(preset_names())
    assert find_preset("mine") == user_folder / "mine.yml"


def test_a_users_preset_wins_over_the_built_in_one(user_folder: Path) -> None:
    assert find_preset("base").parent == builtin_presets_dir()
    (user_folder / "base.yaml").write_text("description: mine\n", encoding="utf-8")
    assert load_preset("base").description == "mine"


def test_an_unknown_name_gets_a_hint() -> None:
    with pytest.raises(PresetError, match="no preset is called 'nigthswirl'") as caught:
        load_preset("nigthswirl")
    assert next_step(caught.value) is not None
    assert "Did you mean nightswirl" in next_step(caught.value) and "framestyle presets list" in next_step(
        caught.value
    )


@pytest.mark.parametrize(
    "name", ["", "no such", "a/b", "x.yaml", "~nobody-here/x.yaml", "x" * 9999, "a\0b", "a\0.yaml", "."]
)
def test_names_that_lead_nowhere(name: str) -> None:
    with pytest.raises(PresetError):
        load_preset(name)


def test_only_regular_files_are_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.yaml")
    (tmp_path / "folder.yaml").mkdir()
    (tmp_path / "circle.yaml").symlink_to(tmp_path / "circle.yaml")
    for name in ("pipe.yaml", "folder.yaml", "circle.yaml"):
        with pytest.raises(PresetError, match="no preset file at"):
            load_preset(tmp_path / name)


def test_a_path_counts_from_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "p.yaml").write_text("tv_weight: 3\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert (
        load_preset("p.yaml").tv_weight
        == load_preset("./p.yaml").tv_weight
        == load_preset(Path("p.yaml")).tv_weight
    )


# -- the list ----------------------------------------------------------------------------------------------


def test_the_list_shows_what_can_be_used(user_folder: Path) -> None:
    (user_folder / "broken.yaml").write_text("styel: 1\n", encoding="utf-8")
    (user_folder / "neon.yaml").write_text("extends: neon\ndescription: mine\n", encoding="utf-8")
    rows = {row.name: row for row in list_presets()}
    assert {*STYLES, "gatys2015", "nightswirl-draft", "broken"} == set(rows)
    assert "does not load" in rows["broken"].description and rows["broken"].cost_class == "broken"
    assert (rows["neon"].description, rows["neon"].builtin) == ("mine", False)
    assert rows["mosaic"].builtin and rows["mosaic"].tags and rows["mosaic"].path.name == "mosaic.yaml"
    assert {"base", "draft"} == {row.name for row in list_presets(include_abstract=True)} - set(rows)


# -- the built-in presets ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", STYLES)
def test_each_style_has_its_image_and_its_words(name: str) -> None:
    preset = load_preset(name)
    assert preset.name == name and preset.description and preset.tags
    assert [image.path for image in preset.style.images] == [
        str(builtin_presets_dir() / "art" / f"{name}.jpg")
    ]
    assert preset.cost_class == "standard"


def test_base_is_the_defaults() -> None:
    base = load_preset("base")
    assert base.is_abstract
    assert base == Preset(name=base.name, description=base.description, tags=("base",))


def test_drafts_are_quick_and_alike() -> None:
    draft, night = load_preset("draft"), load_preset("nightswirl-draft")
    assert draft.is_abstract and not night.is_abstract
    assert draft.cost_class == night.cost_class == "draft"
    assert (draft.scales, draft.video, draft.output) == (night.scales, night.video, night.output)


def test_gatys2015_is_to_the_letter() -> None:
    preset = load_preset("gatys2015")
    assert preset.style.statistic == "gram2015"
    assert preset.style.layers == {f"relu{block}_1": 0.2 for block in range(1, 6)}
    assert preset.content.layers == {"relu4_2": 1.0}
    assert preset.content.weight / preset.style.weight == pytest.approx(1e-3)
    assert tuple(preset.network.model_dump().values()) == ("average", False, "zeros", 1)
    assert (preset.optimizer.init, preset.optimizer.average_decay, preset.tv_weight) == ("noise", 0.0, 0.0)
    assert preset.scales.min_px >= preset.scales.max_side_px, "one scale"


@pytest.mark.slow
def test_a_built_wheel_brings_its_presets(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    for name in ("framestyle", "presets", "samples", "integrations"):
        shutil.copytree(REPOSITORY / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md"):
        (source / name).write_bytes((REPOSITORY / name).read_bytes() if (REPOSITORY / name).exists() else b"")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=source, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    installed = tmp_path / "installed"
    zipfile.ZipFile(wheel).extractall(installed)
    code = "from framestyle.presets import *; print(builtin_presets_dir(), load_preset('nightswirl').name)"
    command = [sys.executable, "-P", "-c", code]
    environment = {**os.environ, "PYTHONPATH": str(installed)}
    result = subprocess.run(
        command, cwd=tmp_path, env=environment, check=True, capture_output=True, text=True
    )
    assert result.stdout.split() == [str(installed / "framestyle" / "_data" / "presets"), "nightswirl"]
