"""Rules for the tests themselves: what they may reach into, and what they are called by."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
PATCHING = {"setattr", "delattr"}
PRIVATE = re.compile(r"(^|\.)_(?!_)\w+$")


def _private_patches(tree: ast.AST) -> Iterator[str]:
    """Names with a leading underscore that are put in other things' place: a seam is missing there."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in PATCHING:
            names = [one.value for one in node.args[:2] if isinstance(one, ast.Constant)]
            owners = [ast.unparse(one) for one in node.args[:1] if not isinstance(one, ast.Constant)]
            yield from (str(name) for name in (*names, *owners) if PRIVATE.search(str(name)))


def test_no_test_patches_a_private_name() -> None:
    found = [
        f"{path.relative_to(TESTS)}: {name}"
        for path in sorted(TESTS.rglob("*.py"))
        for name in _private_patches(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert found == []


@pytest.mark.parametrize(
    "line",
    [
        'monkeypatch.setattr(memory, "_free", lambda: 1)',
        'monkeypatch.setattr("framestyle.nst.memory._free", lambda: 1)',
        'patch.setattr(console._Silent, "__call__", heard)',
    ],
)
def test_a_patch_of_a_private_name_is_seen(line: str) -> None:
    assert list(_private_patches(ast.parse(line)))


def test_a_patch_of_a_public_name_is_none() -> None:
    assert not list(_private_patches(ast.parse('monkeypatch.setattr(Frame, "__init__", counted)')))


def test_every_marker_marks_something() -> None:
    told = tomllib.loads((TESTS.parent / "pyproject.toml").read_text(encoding="utf-8"))
    markers = {one.partition(":")[0] for one in told["tool"]["pytest"]["ini_options"]["markers"]}
    used = {
        node.attr
        for path in TESTS.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "pytest.mark"
    }
    assert markers and markers <= used
