"""docs/presets.md says what the schema says."""

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


def test_the_reference_is_up_to_date(script: ModuleType) -> None:
    assert not script.stale(), f"run python {SCRIPT}"


def test_a_missing_or_other_text_is_stale(script: ModuleType, tmp_path: Path) -> None:
    page = tmp_path / "presets.md"
    assert script.stale(page)
    page.write_text(script.reference_text() + "more\n", encoding="utf-8")
    assert script.stale(page)
    page.write_text(script.reference_text(), encoding="utf-8")
    assert not script.stale(page)


def test_every_key_has_a_line(script: ModuleType) -> None:
    text = script.reference_text()
    for row in script.schema_rows():
        assert f"| `{row.key}` |" in text
