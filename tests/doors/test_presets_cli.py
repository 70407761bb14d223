"""`framestyle presets …` as a new user and as a script meet it."""

from __future__ import annotations

import io
import json
import os
import pty
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from framestyle.doors.cli import main
from framestyle.presets import load_preset

Call = Callable[..., subprocess.CompletedProcess[str]]
UNTRAINED = ("--weights", "untrained", "--device", "cpu", "--progress", "none")


def told(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """What was said on stderr: one sentence, the next step below it, no traceback."""
    text = capsys.readouterr().err
    lines = text.splitlines()
    start = next(n for n, line in enumerate(lines) if line.startswith("framestyle: "))
    assert lines[start + 1].startswith("  ") and lines[start + 1].strip() and len(lines) == start + 2
    assert "Traceback" not in text
    for word in words:
        assert word in text
    return text


def all_below(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


# -- list --------------------------------------------------------------------------------------------------


def test_the_list_for_scripts(photo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["presets", "new", "mine", "--style", photo.name]) == 0
    capsys.readouterr()
    assert main(["presets", "list", "--json"]) == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert "base" not in rows and not rows["mine"]["builtin"] and rows["neon"]["builtin"]
    wave = rows["wave"]
    assert (wave["cost_class"], wave["tags"]) == ("standard", list(load_preset("wave").tags))
    assert Path(wave["path"]).name == "wave.yaml" and wave["description"]
    (colors,) = wave["colors"]
    assert 3 <= len(colors) <= 6 and all(re.fullmatch("#[0-9a-f]{6}", color) for color in colors)
    assert {row["name"]: len(row["colors"]) for row in rows.values() if not row["colors"]} == {}
    assert main(["presets", "list", "--json", "--abstract"]) == 0
    assert {row["name"]: row["colors"] for row in json.loads(capsys.readouterr().out)}["base"] == []


def test_tags_choose(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["presets", "list", "--tag", "painterly"]) == 0
    painterly = {line.split()[0] for line in capsys.readouterr().out.splitlines()}
    assert {"nightswirl", "nightswirl-draft"} < painterly and "woodcut" not in painterly
    assert main(["presets", "list", "--tag", "painterly", "--tag", "draft"]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == ["nightswirl-draft"]
    assert main(["presets", "list", "--tag", "ink", "--tag", "draft"]) == 0
    assert capsys.readouterr().out == ""
    assert main(["presets", "list", "--tag", "inkk"]) == 2
    told(capsys, "'inkk'", "ink, ")


def test_a_broken_preset_is_listed_with_the_reason(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "config" / "framestyle" / "presets"
    folder.mkdir(parents=True)
    (folder / "bad\x1b[2J.yaml").write_text("styel: 1\n")
    assert main(["presets", "list"]) == 0
    out = capsys.readouterr().out
    assert "\x1b" not in out and re.search(r"broken .*does not load: .*styel: no such key", out)


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
@pytest.mark.parametrize(("settings", "colored"), [({}, True), ({"NO_COLOR": "1"}, False)])
def test_a_terminal_shows_the_main_colors(
    settings: dict[str, str], colored: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    env = os.environ | {"TERM": "xterm-256color", "COLORTERM": "truecolor", "COLUMNS": "120"} | settings
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "framestyle", "presets", "list"]
    with subprocess.Popen(command, stdout=theirs, stderr=subprocess.PIPE, env=env) as process:
        os.close(theirs)
        shown = b""
        while chunk := _read(ours):
            shown += chunk
        os.close(ours)
    assert process.returncode == 0
    lines = {line.split()[0]: line for line in shown.decode().splitlines() if line.strip()}
    assert "Colours" in shown.decode() and "Prussian-blue" in lines["wave"]
    assert ("\x1b[48;2;" in lines["wave"]) == colored


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 65536)
    except OSError:  # Linux's way to say that the other side is closed
        return b""


# -- show, validate, new, schema ---------------------------------------------------------------------------


def test_show_resolved_says_where_each_value_comes_from(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["presets", "show", "nightswirl-draft", "--resolved"]) == 0
    out = capsys.readouterr().out
    assert re.search(r"^  - path: .*nightswirl\.jpg. +# nightswirl\.yaml:\d+$", out, re.MULTILINE)
    assert re.search(r"^  first_steps: 60 +# nightswirl-draft\.yaml:\d+$", out, re.MULTILINE)
    assert re.search(r"^tv_weight: 0\.2 +# default$", out, re.MULTILINE)
    Path("copy.yaml").write_text(out, encoding="utf-8")
    assert load_preset("copy.yaml") == load_preset("nightswirl-draft")


def test_show_for_scripts(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["presets", "show", "wave", "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert data["schema"] == 1 and data["scales"]["min_px"] == 128 and "extends" not in data


def test_show_prints_the_file_as_it_is_but_for_what_drives_a_terminal(
    capsysbinary: pytest.CaptureFixture[bytes],
) -> None:
    Path("x.yaml").write_bytes("# é\t🎨\r\nname: x\n# \x1b[2J\n".encode())
    assert main(["presets", "show", "x.yaml"]) == 0
    assert capsysbinary.readouterr().out.decode() == "# é\t🎨\nname: x\n# \\x1b[2J\n"


@pytest.mark.parametrize("data", [b"name: \xff\n", bytes(1_000_001)])
def test_show_of_what_is_no_text_is_exit_3(data: bytes, capsys: pytest.CaptureFixture[str]) -> None:
    Path("x.yaml").write_bytes(data)
    assert main(["presets", "show", "x.yaml"]) == 3
    assert "x.yaml" in capsys.readouterr().err


def test_validate_opens_the_pictures_and_ends_with_the_next_step(
    quick: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("text.jpg").write_text("no picture")
    Path("bad.yaml").write_text("tv_wieght: 1\nstyle: {images: [{path: text.jpg}]}\n")
    assert main(["presets", "validate", "bad.yaml", quick, "none.yaml"]) == 3
    err = told(
        capsys, "bad.yaml:1:1: tv_wieght: no such key (did you mean tv_weight?)", "2 of 3", "presets keys"
    )
    assert re.search(r"bad\.yaml:2:25: style\.images\.0\.path: .*text\.jpg is not an image", err)


def test_new_refuses_what_is_no_picture(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    Path("text.jpg").write_text("no picture")
    assert main(["presets", "new", "mine", "--style", "text.jpg"]) == 5
    told(capsys, "text.jpg is not an image")
    assert not (tmp_path / "config").exists()


def test_new_sees_a_yml_of_that_name(photo: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    folder = tmp_path / "config" / "framestyle" / "presets"
    folder.mkdir(parents=True)
    (folder / "mine.yml").write_text("tv_weight: 1\n")
    assert main(["presets", "new", "mine", "--style", photo.name]) == 6
    told(capsys, "mine.yml exists already")


def test_the_schema_is_the_one_in_docs(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["presets", "schema"]) == 0
    kept = Path(__file__).resolve().parents[2] / "docs" / "preset.schema.json"
    assert capsys.readouterr().out == kept.read_text(encoding="utf-8")


# -- export, import ----------------------------------------------------------------------------------------


def test_a_preset_travels_to_another_machine(
    photo: Path,
    quick: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    Path("mine.yaml").write_text(f"extends: {quick}\nstyle: {{images: [{{path: {photo.name}}}]}}\n")
    assert main(["presets", "export", "mine.yaml", "-o", "mine.zip"]) == 0
    assert "wrote mine.zip: mine with 1 picture" in capsys.readouterr().out
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "elsewhere"))
    content = photo.rename("content.png")
    for name in ("mine.yaml", quick):
        Path(name).unlink()
    assert main(["presets", "import", "mine.zip"]) == 0
    out = capsys.readouterr().out
    assert str(tmp_path / "elsewhere") in out and "-p mine" in out
    assert main(["presets", "list"]) == 0
    assert re.search(r"^mine ", capsys.readouterr().out, re.MULTILINE)
    assert main(["presets", "validate", str(tmp_path / "elsewhere/framestyle/presets/mine.yaml")]) == 0
    assert main(["stylize", str(content), "-o", "out.png", "-p", "mine", *UNTRAINED]) == 0


def test_export_replaces_nothing_unasked_and_never_its_own_pictures(
    photo: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["presets", "export", "wave", "-o", "w.zip"]) == 0
    first = Path("w.zip").read_bytes()
    assert main(["presets", "export", "neon", "-o", "w.zip"]) == 6
    told(capsys, "w.zip exists already", "--overwrite")
    assert Path("w.zip").read_bytes() == first
    assert main(["presets", "export", "neon", "-o", "w.zip", "--overwrite"]) == 0
    assert Path("w.zip").read_bytes() != first
    assert main(["presets", "export", "wave", "-o", "w.zip", "--overwrite"]) == 0
    assert Path("w.zip").read_bytes() == first
    Path("p.yaml").write_text(f"style: {{images: [{{path: {photo.name}}}]}}\n")
    Path("link.zip").symlink_to(photo)
    before = {path.name: path.read_bytes() for path in Path().iterdir()}
    for output in (photo.name, "p.yaml", "link.zip"):
        assert main(["presets", "export", "p.yaml", "-o", output, "--overwrite"]) == 6
        assert "is part of the preset" in capsys.readouterr().err
    assert {path.name: path.read_bytes() for path in Path().iterdir()} == before


def test_a_failed_export_leaves_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    Path("text.jpg").write_text("no picture")
    Path("p.yaml").write_text("style: {images: [{path: text.jpg}]}\n")
    assert main(["presets", "export", "p.yaml", "-o", "deep/p.zip"]) == 3
    told(capsys, "text.jpg is not an image")
    assert main(["presets", "export", "nowhere", "-o", "p.zip"]) == 3
    assert all_below(Path()) == ["p.yaml", "text.jpg"]


def _png() -> bytes:
    made = io.BytesIO()
    Image.new("RGB", (3, 2)).save(made, "PNG")
    return made.getvalue()


HOSTILE = {
    "leads out": {"x.yaml": b"schema: 1\n", "../../evil.yaml": b"schema: 1\n"},
    "absolute": {"x.yaml": b"schema: 1\n", "/tmp/evil": b"x"},
    "outside": {"x.yaml": b"style: {images: [{path: /etc/passwd}]}\n"},
    "two presets": {"x.yaml": b"schema: 1\n", "y.yaml": b"schema: 1\n"},
    "no image": {"x.yaml": b"style: {images: [{path: x.png}]}\n", "x.png": b"#!/bin/sh\n"},
    "second picture is no image": {
        "x.yaml": b"style: {images: [{path: y.png}, {path: x.png}]}\n",
        "x.png": b"#!/bin/sh\n",
        "y.png": _png(),
    },
}


@pytest.mark.parametrize("entries", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_zip_is_exit_3_and_nothing_is_left_behind(
    entries: dict[str, bytes], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with zipfile.ZipFile("x.zip", "w") as archive:
        for name, data in entries.items():
            archive.writestr(name, data)
    before = all_below(tmp_path)
    assert main(["presets", "import", "x.zip"]) == 3
    told(capsys, "x.zip")
    assert all_below(tmp_path) == before


def test_what_is_no_zip_is_exit_5(tmp_path: Path, quick: str, capsys: pytest.CaptureFixture[str]) -> None:
    before = all_below(tmp_path)
    for name in (quick, "none.zip", "."):
        assert main(["presets", "import", name]) == 5
        told(capsys, name)
    assert all_below(tmp_path) == before


def test_import_replaces_nothing_unasked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["presets", "export", "wave", "-o", "w.zip"]) == 0
    assert main(["presets", "import", "w.zip"]) == 6
    told(capsys, "built-in", "--name")
    assert main(["presets", "import", "w.zip", "--name", "my-wave"]) == 0
    kept = tmp_path / "config" / "framestyle" / "presets" / "my-wave.yaml"
    kept.write_text("tv_weight: 7\n")
    assert main(["presets", "import", "w.zip", "--name", "my-wave"]) == 6
    told(capsys, "exists already", "--overwrite")
    assert kept.read_text() == "tv_weight: 7\n"
    assert main(["presets", "import", "w.zip", "--name", "my-wave", "--overwrite"]) == 0
    assert load_preset("my-wave").scales == load_preset("wave").scales
    assert main(["presets", "import", "w.zip", "--name", "../x"]) == 3
    told(capsys, "'../x' cannot be a preset's name")


def test_a_folder_that_cannot_be_made_is_exit_6(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "config").write_text("in the way")
    assert main(["presets", "export", "wave", "-o", "w.zip"]) == 0
    assert main(["presets", "import", "w.zip", "--name", "mine"]) == 6
    told(capsys, "mine.yaml cannot be written")


@pytest.mark.parametrize(
    "arguments",
    [
        ["list", "--abstract"],
        ["list", "--json"],
        ["show", "wave", "--resolved"],
        ["validate", "FILE"],
        ["schema"],
        ["export", "wave", "-o", "w.zip"],
    ],
)
def test_presets_load_no_torch(arguments: list[str], quick: str) -> None:
    command = ["presets", *(quick if word == "FILE" else word for word in arguments)]
    code = (
        f"import sys\nfrom framestyle.doors.cli import main\nassert main({command!r}) == 0\n"
        "sys.exit(bool({'torch', 'torchvision', 'cv2', 'numpy'} & set(sys.modules)))"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
