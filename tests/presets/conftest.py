"""A user folder of the test's own, and a way to write a preset there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from framestyle.errors import PresetError
from framestyle.presets import library, load_preset

Write = Callable[[str, str], Path]


@pytest.fixture(autouse=True)
def user_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty user folder: nobody's own presets reach the tests."""
    folder = tmp_path / "config"
    monkeypatch.setattr(library, "user_config_path", lambda name: folder)
    monkeypatch.setenv("FRAMESTYLE_CACHE", str(tmp_path / "cache"))
    (folder / "presets").mkdir(parents=True)
    return folder / "presets"


@pytest.fixture
def picture(tmp_path: Path) -> Callable[..., Path]:
    """Saves a small picture of one colour below the test's folder."""

    def saved(name: str, color: str = "teal", **options: Any) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (6, 4), color).save(path, **options)
        return path

    return saved


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a file below the test's folder."""

    def written(name: str, text: str) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    return written


@pytest.fixture
def complaints(write: Write) -> Callable[..., list[str]]:
    """The lines that loading a text complains with, without the file's name: `line:column: key: what`."""

    def lines_of(text: str, *overrides: str) -> list[str]:
        path = write("p.yaml", text)
        with pytest.raises(PresetError) as caught:
            load_preset(path, overrides, origin="--set")
        return [line.removeprefix(f"{path}:") for line in caught.value.message.splitlines()]

    return lines_of
