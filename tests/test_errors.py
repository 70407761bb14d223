"""Errors carry codes and facts, which docs/errors.md lists; only doors name options and commands."""

from __future__ import annotations

import ast
import re
import string
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import framestyle
from framestyle import errors
from framestyle.doors import advice
from framestyle.errors import Cancelled, Code, FramestyleError, WeightsError
from framestyle.events import Note
from framestyle.plugins import Plugin
from framestyle.registries import FETCH, WEIGHTS

PACKAGE = Path(str(framestyle.__file__)).parent
PAGE = Path(__file__).parents[1] / "docs" / "errors.md"
SOURCES = {
    str(path.relative_to(PACKAGE)): ast.parse(path.read_text(encoding="utf-8"))
    for path in sorted(PACKAGE.rglob("*.py"))
}
KINDS = {
    name: kind
    for name, kind in vars(errors).items()
    if isinstance(kind, type) and issubclass(kind, FramestyleError | Cancelled)
}
A_DOORS_WORDS = re.compile(r"(?<![\w-])--[a-z]|(?<![\w-])-[op]\b|\bframestyle [a-z]+\b")
INSTALLERS_OWN = re.compile(r"pip install [^;]*")
"""Advice on how a package is installed is of no door."""


@dataclass(frozen=True)
class Site:
    """Where an error or a note is made, its code, and the facts that are given there."""

    place: str
    kind: str
    code: Code
    facts: frozenset[str]
    spreads: bool
    """Whether more facts come in from a mapping."""
    has_next_step: bool


def _sites() -> Iterator[Site]:
    for path, tree in SOURCES.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _MADE:
                yield _site(f"{path}:{node.lineno}", node, node.func.id)


_MADE = {*KINDS, "Note"}


def _site(place: str, call: ast.Call, kind: str) -> Site:
    given: dict[str | None, ast.expr] = {one.arg: one.value for one in call.keywords}
    if kind == "Note":
        given |= dict(zip(("message", "level", "code", "facts"), call.args, strict=False))
    code, facts = given.get("code"), given.get("facts", ast.Dict([], []))
    assert code is None or isinstance(code, ast.Attribute), place
    default = Code.FAILED if kind == "Note" else KINDS[kind].code
    known = default if code is None else Code[code.attr]  # KeyError: no such code
    assert isinstance(facts, ast.Dict), f"{place}: facts are written out"
    names = frozenset(str(key.value) for key in facts.keys if isinstance(key, ast.Constant))
    return Site(place, kind, known, names, None in facts.keys, "next_step" in given)


SITES = list(_sites())


def _needed(words: object) -> set[str]:
    assert isinstance(words, str)
    return {name for _, name, _, _ in string.Formatter().parse(words) if name}


def _told() -> dict[str, set[int]]:
    """By the page: code -> the exit codes that it comes with."""
    rows = re.findall(r"^\| `([a-z-]+)` \| ([^|]*) \| .+ \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    return {code: {int(number) for number in re.findall(r"\d+", exits)} for code, exits in rows}


def test_every_code_is_explained_with_the_exit_codes_that_it_comes_with() -> None:
    found: dict[str, set[int]] = defaultdict(set)
    for kind in KINDS.values():
        found[kind.code].add(kind.exit_code)
    for site in SITES:
        if site.kind != "Note":
            found[site.code].add(KINDS[site.kind].exit_code)
    told = _told()
    assert set(told) == set(Code)
    assert {code: exits for code, exits in told.items() if exits} == dict(found)


def test_codes_are_short_words_and_each_its_own() -> None:
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)*", code) for code in Code)
    assert len(set(Code)) == len(Code.__members__)


@pytest.mark.parametrize("site", [site for site in SITES if site.kind != "Note"], ids=lambda site: site.place)
def test_an_error_gives_the_facts_that_its_advice_needs(site: Site) -> None:
    if site.has_next_step:
        return
    for words in (advice.COMMAND_LINE, advice.PYTHON):
        if isinstance(sentence := words.get(site.code), str):
            assert _needed(sentence) <= site.facts


class _Asked(dict[str, object]):
    """Facts that remember which of them could not be done without."""

    def __init__(self, **facts: object) -> None:
        super().__init__(facts)
        self.needed: set[str] = set()

    def __getitem__(self, name: str) -> object:
        self.needed.add(name)
        return super().__getitem__(name)


@pytest.mark.parametrize("kind", ["imagenet", "caffe", "raft-small"])
@pytest.mark.parametrize("table", [advice.COMMAND_LINE, advice.PYTHON], ids=["command line", "Python"])
def test_advice_that_is_made_of_facts_needs_no_others_than_are_given(kind: str, table: Any) -> None:
    for code, words in table.items():
        if callable(words):
            facts = _Asked(kind=kind, least_bytes=2**30, causes=[])
            if kind == "imagenet" and code == Code.WEIGHTS_MISSING:
                continue  # they are fetched
            assert words(facts)
            assert all(facts.needed <= site.facts for site in SITES if site.code == code)


def test_weights_of_a_plugin_come_by_their_own_command() -> None:
    plugin = Plugin("Mine", "nowhere:NOTHING", traits=frozenset({FETCH}))
    WEIGHTS.register("mine", plugin)
    try:
        error = WeightsError("no", code=Code.WEIGHTS_MISSING, facts={"kind": "mine"})
        assert advice.next_step(error) == "Fetch them once: framestyle weights fetch mine."
        assert advice.next_step_in_python(error) == advice.next_step(error)
        assert advice.weights_text("mine", "Mine") == "Mine: framestyle weights fetch mine"
        offline = WeightsError("no", code=Code.WEIGHTS_NOT_FETCHED, facts={"kind": "mine"})
        assert "--weights learned" in str(advice.next_step(offline))
    finally:
        WEIGHTS.unregister("mine")


@pytest.mark.parametrize("code", Code)
def test_an_error_without_facts_is_told_all_the_same(code: Code) -> None:
    """A plugin may know a code and not its facts."""
    error = FramestyleError("no", code=code)
    assert advice.next_step(error) or advice.next_step_in_python(error) is None


def test_a_note_with_a_code_gives_the_facts_that_its_words_need() -> None:
    coded = [site for site in SITES if site.kind == "Note" and site.code != Code.FAILED]
    assert {site.code for site in coded} == set(advice.NOTES)
    assert all(_needed(advice.NOTES[site.code]) <= site.facts for site in coded)


def test_advice_is_given_for_codes_that_are_in_use() -> None:
    used = {site.code for site in SITES}
    assert set(advice.COMMAND_LINE) <= used and set(advice.PYTHON) <= set(advice.COMMAND_LINE)


def test_nothing_below_the_doors_names_an_option_or_a_command() -> None:
    below = {path: tree for path, tree in SOURCES.items() if not path.startswith("doors/")}
    found = [
        f"{path}:{node.lineno}: {node.value[:80]}"
        for path, tree in below.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and _names_a_door(node.value)
    ]
    assert found == []


def _names_a_door(text: str) -> bool:
    return A_DOORS_WORDS.search(INSTALLERS_OWN.sub("", text)) is not None


@pytest.mark.parametrize(
    "text", ["Add --fresh.", "Choose another -o.", "try framestyle doctor first", "with -p X"]
)
def test_options_and_commands_are_seen(text: str) -> None:
    assert _names_a_door(text)


@pytest.mark.parametrize(
    "text", ["pip install --upgrade framestyle", "a -> b", "0-1", "framestyle 0.1.0", "x-o"]
)
def test_other_words_are_not_taken_for_options(text: str) -> None:
    assert not _names_a_door(text)


def test_a_note_says_at_the_door_how_to_have_it_otherwise() -> None:
    note = Note("in.mov is HDR (PQ), and stays so.", code=Code.HDR_KEPT, facts={"hdr": "PQ"})
    assert (
        advice.note_text(note) == "in.mov is HDR (PQ), and stays so; --set output.hdr=tonemap makes it SDR."
    )
    assert advice.note_text(Note("Nothing.")) == "Nothing."
