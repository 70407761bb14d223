"""What an installed studio needs is in the wheel; without its extra the command says what to install."""

from __future__ import annotations

import re
import subprocess
import sys
import zipfile
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

PAGE = files("framestyle.doors.studio") / "page"


@pytest.mark.slow
def test_the_wheel_carries_the_page(tmp_path: Path) -> None:
    source = Path(__file__).parents[3]
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path / "dist")]
    subprocess.run(build, cwd=source, check=True, capture_output=True)
    (wheel,) = (tmp_path / "dist").glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = {Path(name).name for name in archive.namelist() if "/studio/page/" in name}
    assert names == {one.name for one in PAGE.iterdir()}


def test_the_page_asks_nobody_else_and_names_files_that_are_there() -> None:
    there = {one.name for one in PAGE.iterdir()}
    for one in PAGE.iterdir():
        text = one.read_text(encoding="utf-8")
        addresses = set(re.findall(r"https?://[^\s\"'`)]+", text))
        assert addresses <= {"http://www.w3.org/2000/svg"}, one.name
        named = re.findall(r'from "\./([\w.]+)"|"/page/([\w.]+)"', text)
        assert {name for pair in named for name in pair if name} <= there, one.name
        # Under the policy that it is served with, this would not run; and text never becomes markup.
        assert not re.search(
            r"innerHTML|outerHTML\s*=|insertAdjacentHTML|document\.write|\beval\(|new Function", text
        )
        assert not re.search(r"<script(?![^>]*src=)|\son\w+=|<style|\sstyle=", text) or one.suffix != ".html"


def test_without_the_extra_the_command_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import importlib.util

    from framestyle.doors.cli import main

    real: Callable[..., Any] = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *more: None if name == "uvicorn" else real(name, *more)
    )
    assert main(["studio"]) == 2
    assert 'pip install "framestyle[studio]"' in capsys.readouterr().err


def test_a_root_that_is_no_folder_is_told(capsys: pytest.CaptureFixture[str], photo: Path) -> None:
    from framestyle.doors.cli import main

    assert main(["studio", "--root", "nowhere"]) == 5 and main(["studio", "--root", str(photo)]) == 5
    assert "no folder" in capsys.readouterr().err


def test_stylize_shows_the_picture_in_the_making(call: Callable[..., Any], quick: str, photo: Path) -> None:
    done = call(
        "stylize",
        str(photo),
        "-o",
        "out.png",
        "-p",
        quick,
        "--weights",
        "untrained",
        "--device",
        "cpu",
        "--set",
        "scales.first_steps=200",
        "--live-picture",
        "live.jpg",
    )
    assert done.returncode == 0, done.stderr
    assert Image.open("live.jpg").format == "JPEG"


@pytest.mark.parametrize("module", ["app", "server", "decoder"])
def test_the_server_and_its_decoders_load_no_torch(module: str) -> None:
    code = (
        f"import sys, framestyle.doors.studio.{module} as module\n"
        "getattr(module, 'DOES', {'warm': bool})['warm']({})\n"
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
