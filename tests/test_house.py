"""Rules for the files of the package, how long they may be, and for the tests: what they may reach into."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
PACKAGE = TESTS.parent / "framestyle"
MOST_LINES = 350
TABLES = frozenset[str]()
"""Files of the package, by their path in it, that may be longer: they hold rows, and no logic to be split."""
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


def test_the_architecture_names_every_file_and_none_that_is_gone() -> None:
    page = (PACKAGE.parent / "docs" / "architecture.md").read_text(encoding="utf-8")
    named = set(re.findall(r"[\w/]*\w+\.py", page))
    files = {path.relative_to(PACKAGE.parent).as_posix() for path in PACKAGE.rglob("*.py")}
    lacking = {
        file
        for file in files
        if not file.endswith("__init__.py") and not any(f"/{file}".endswith(f"/{name}") for name in named)
    }
    beside = {path.name for path in (PACKAGE.parent / "tests").rglob("*.py")}
    gone = {
        name
        for name in named
        if not any(f"/{file}".endswith(f"/{name}") for file in files) and Path(name).name not in beside
    }
    assert (sorted(lacking), sorted(gone)) == ([], [])
    rows = [line for line in page.splitlines() if line.startswith("| `")]
    assert [row for row in rows if rows.count(row) > 1] == []


def test_no_two_files_of_tests_share_a_name() -> None:
    """pytest imports each by its name alone: of two it refuses the second, and with it the whole suite."""
    names = [path.name for path in TESTS.rglob("test_*.py")]
    assert sorted(names) == sorted(set(names))


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
def test_what_is_tried_first_is_there() -> None:
    """Paths that `make test-fast` names: pytest ends at the first that is not."""
    asked = subprocess.run(
        ["make", "-n", "test-fast"], cwd=TESTS.parent, capture_output=True, text=True, check=True
    )
    named = [word for word in asked.stdout.split() if word.startswith("tests/")]
    assert len(named) > 30 and all(list(TESTS.parent.glob(word)) for word in named), named


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


def _longer_files(package: Path, most: int) -> set[str]:
    """By their path in the package."""
    lengths = {
        path.relative_to(package).as_posix(): len(path.read_text(encoding="utf-8").splitlines())
        for path in package.rglob("*.py")
    }
    return {name for name, lines in lengths.items() if lines > most}


def test_no_file_of_the_package_is_too_long() -> None:
    assert _longer_files(PACKAGE, MOST_LINES) - TABLES == set()


def test_every_table_that_may_be_longer_is() -> None:
    assert _longer_files(PACKAGE, MOST_LINES) >= TABLES


def test_a_file_that_is_too_long_is_seen(tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "long.py").write_text("a = 1\n" * 3, encoding="utf-8")
    (tmp_path / "short.py").write_text("a = 1\n" * 2, encoding="utf-8")
    assert _longer_files(tmp_path, 2) == {"inner/long.py"}
