"""docs/presets.md and docs/preset.schema.json say what the schema says."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "docs" / "make_presets_reference.py"


@pytest.fixture(scope="module")
def script() -> ModuleType:
    """The script, loaded from its path: docs is no package."""
    spec = importlib.util.spec_from_file_location("make_presets_reference", SCRIPT)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_made_files_are_up_to_date(script: ModuleType) -> None:
    assert {path.name for path in script.texts()} == {"presets.md", "preset.schema.json"}
    for path, text in script.texts().items():
        assert not script.is_stale(path, text), f"run python {SCRIPT}"


def test_a_missing_or_other_text_is_stale(script: ModuleType, tmp_path: Path) -> None:
    page = tmp_path / "presets.md"
    assert script.is_stale(page, "text\n")
    page.write_text("text\nmore\n", encoding="utf-8")
    assert script.is_stale(page, "text\n")
    page.write_text("text\n", encoding="utf-8")
    assert not script.is_stale(page, "text\n")


def test_every_key_has_a_line(script: ModuleType) -> None:
    text = script.reference_text()
    for row in script.schema_rows():
        assert f"| `{row.key}` |" in text
