"""The list is whole: each case has one test, and the documentation says what the tests say."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from fault_list import ALL, BEGIN, END, PENDING, registered, table

import framestyle
from framestyle import errors
from framestyle.doors import advice
from framestyle.errors import Code, FramestyleError

DOC = Path(__file__).parents[2] / "docs" / "reliability.md"


LEAST = 155
"""How many there were last. The list only grows."""


def test_the_list_only_grows() -> None:
    assert len(ALL) == len(set(ALL)) >= LEAST


def test_each_case_has_one_test_or_a_reason_why_not() -> None:
    counted = Counter(one.case for one in registered())
    assert {case: count for case, count in counted.items() if count > 1} == {}
    assert set(counted) | set(PENDING) == set(ALL)
    assert not set(counted) & set(PENDING)


def test_the_documentation_says_what_is_tested() -> None:
    """Where it does not: `python tests/faults/fault_list.py` writes it anew."""
    text = DOC.read_text(encoding="utf-8")
    assert text.split(BEGIN)[1].split(END)[0].strip() == table().strip()
    done = len(ALL) - len(PENDING)
    assert f"{done} of {len(ALL)} cases" in text


WRAPPED = {"_parent"}
"""Functions whose errors others take up into their own."""


def _is_advised(call: ast.Call) -> bool:
    """By a next step of its own, or by a code that the doors have words for."""
    given = {keyword.arg: keyword.value for keyword in call.keywords}
    if "next_step" in given:
        return True
    code = given.get("code")
    return isinstance(code, ast.Attribute) and Code[code.attr] in advice.COMMAND_LINE


def _without_next_step(tree: ast.AST) -> Iterator[int]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef) and node.name in WRAPPED:
            continue
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            kind = getattr(errors, node.func.id, None)
            if isinstance(kind, type) and issubclass(kind, FramestyleError) and not _is_advised(node):
                yield node.lineno
        yield from _without_next_step(node)


def test_every_error_in_the_program_says_the_next_step() -> None:
    package = Path(str(framestyle.__file__)).parent
    found = [
        f"{path.relative_to(package)}:{line}"
        for path in sorted(package.rglob("*.py"))
        for line in _without_next_step(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert found == []
