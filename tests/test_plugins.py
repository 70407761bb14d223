"""Registries: what other packages bring is found, named, checked; what breaks is left out, and said to be theirs."""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import Distribution, EntryPoint
from pathlib import Path
from typing import Any

import pytest

from framestyle.errors import PresetError, UsageError
from framestyle.plugins import Plugin, Registry, installed_entry_points
from framestyle.registries import REGISTRIES

OWN = {"plain": Plugin("Ours", "math:sqrt")}
Brings = Callable[..., None]


class Package:
    """A folder on Python's path with a module, and entry points that name what is in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.entry_points: list[EntryPoint] = []

    def brings(self, package: str, module: str, code: str, **entry_points: str) -> None:
        (self.folder / f"{module}.py").write_text(code)
        info = self.folder / f"{package}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
        lines = [f"{name} = {place}" for name, place in entry_points.items()]
        (info / "entry_points.txt").write_text("[framestyle.things]\n" + "\n".join(lines))
        importlib.invalidate_caches()
        self.entry_points += Distribution.at(info).entry_points


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Package]:
    monkeypatch.syspath_prepend(str(tmp_path))
    before = set(sys.modules)
    yield Package(tmp_path)
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", None) or "").startswith(str(tmp_path)):
            del sys.modules[name]


def registry(package: Package, **changes: Any) -> Registry:
    return Registry("things", "thing", OWN, find=lambda: package.entry_points, **changes)


GOOD = """
from framestyle.plugins import Plugin
FINE = Plugin("Twice as much", "good:twice")
NOWHERE = Plugin("Not there", "good:missing")
NUMBER = Plugin("No function", "good:SEVEN")
FAILING = Plugin("Fails", "good:fail")
ELSEWHERE = Plugin("Not here", "good:twice", available="good:why")
TEXT = "no plugin"
SEVEN = 7
def twice(x): return 2 * x
def fail(): raise KeyError("lost")
def why(): return "it wants a full moon"
"""


def test_what_a_package_brings_is_there_beside_ours(package: Package) -> None:
    package.brings("good", "good", GOOD, fine="good:FINE")
    things = registry(package)
    assert things.names() == ("plain", "fine") and things.built_in_names == ("plain",)
    assert "fine" in things and "other" not in things
    assert [] not in things  # as a preset may have it in place of a name
    assert things.load("fine")(21) == 42 and things.load("plain")(9) == 3
    entry = things.entry("fine")
    assert (entry.package, entry.plugin.help, entry.is_built_in) == ("good 1.0", "Twice as much", False)
    assert things.broken() == ()


def test_our_own_need_no_search(package: Package) -> None:
    def searched() -> Any:
        pytest.fail("packages were searched")

    things = Registry("things", "thing", OWN, find=searched)
    assert "plain" in things and things.load("plain")(4) == 2 and things.built_in_names == ("plain",)


@pytest.mark.parametrize(
    ("code", "place", "why"),
    [
        ("raise RuntimeError('no such library')", "bad:FINE", "RuntimeError: no such library"),
        ("import sys; sys.exit(3)", "bad:FINE", "SystemExit: 3"),
        ("import not_installed_anywhere", "bad:FINE", "ModuleNotFoundError"),
        (GOOD, "bad:ABSENT", "AttributeError"),
        (GOOD, "bad:TEXT", "names a str, not a framestyle.plugins.Plugin"),
    ],
)
def test_one_that_breaks_is_named_with_its_package_and_disturbs_nothing(
    package: Package, code: str, place: str, why: str
) -> None:
    package.brings("bad", "bad", code, crooked=place)
    package.brings("good", "good", GOOD, fine="good:FINE")
    things = registry(package)
    assert things.names() == ("plain", "fine") and things.load("fine")(1) == 2
    (broken,) = things.broken()
    assert (broken.name, broken.package, broken.registry) == ("crooked", "bad 1.0", "things")
    assert why in broken.why
    with pytest.raises(PresetError, match=r"'crooked' of the package bad 1\.0 cannot be used"):
        things.load("crooked")


def test_a_name_that_is_taken_stays_with_its_holder(package: Package) -> None:
    package.brings("greedy", "good", GOOD, plain="good:FINE")
    package.brings("late", "late", GOOD.replace("good:", "late:"), fine="late:FINE")
    package.brings("later", "later", GOOD.replace("good:", "later:"), fine="later:FINE")
    things = registry(package)
    assert things.load("plain")(9) == 3 and things.entry("fine").package == "late 1.0"
    told = {(one.package, one.why) for one in things.broken()}
    assert told == {
        ("greedy 1.0", "the name is taken by framestyle"),
        ("later 1.0", "the name is taken by late 1.0"),
    }


@pytest.mark.parametrize(
    ("place", "why"), [("good:NOWHERE", "AttributeError"), ("good:NUMBER", "a int cannot be called")]
)
def test_a_factory_of_the_wrong_shape_is_found_when_it_is_loaded(
    package: Package, place: str, why: str
) -> None:
    package.brings("good", "good", GOOD, crooked=place)
    things = registry(package, error=UsageError)
    assert "crooked" in things
    with pytest.raises(UsageError, match=f"good 1.0 cannot be used: {why}"):
        things.load("crooked")
    assert "crooked" not in things and [one.name for one in things.broken()] == ["crooked"]


def test_members_are_asked_for(package: Package) -> None:
    package.brings("good", "good", GOOD, crooked="good:FINE")
    with pytest.raises(PresetError, match="it has no read, loss"):
        registry(package, members=("__call__", "read", "loss")).load("crooked")


def test_one_that_cannot_be_used_here_says_why(package: Package) -> None:
    package.brings("good", "good", GOOD, elsewhere="good:ELSEWHERE")
    things = registry(package)
    assert things.why_unavailable("elsewhere") == "it wants a full moon"
    with pytest.raises(PresetError, match="full moon"):
        things.load("elsewhere")
    assert "elsewhere" in things and not things.broken()


def test_what_goes_wrong_at_work_is_the_packages_doing(package: Package) -> None:
    package.brings("good", "good", GOOD, failing="good:FAILING")
    things = registry(package)
    told = re.escape("'failing' of the package good 1.0 failed: KeyError: 'lost'")
    with pytest.raises(PresetError, match=told), things.blamed("failing"):
        things.load("failing")()
    with pytest.raises(ValueError, match=r"domain|negative"), things.blamed("plain"):
        things.load("plain")(-1)


def test_a_program_can_register_one_of_its_own(package: Package) -> None:
    things = registry(package)
    things.register("mine", Plugin("Mine", "math:floor"))
    assert things.load("mine")(2.5) == 2
    with pytest.raises(ValueError, match="taken by this program"):
        things.register("mine", Plugin("Mine", "math:floor"))
    with pytest.raises(ValueError, match="small letters"):
        things.register("My thing", Plugin("Mine", "math:floor"))
    things.unregister("mine")
    assert "mine" not in things


@pytest.mark.parametrize("name", REGISTRIES)
def test_everything_that_we_bring_loads(name: str) -> None:
    registry = REGISTRIES[name]
    assert registry.built_in_names
    for one in registry.built_in_names:
        assert registry.load(one) is not None and registry.entry(one).plugin.help


def test_packages_are_searched_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """For all registries together."""
    installed_entry_points.cache_clear()
    asked = []
    real = importlib.metadata.entry_points
    monkeypatch.setattr(importlib.metadata, "entry_points", lambda: asked.append(1) or real())
    for registry in REGISTRIES.values():
        Registry(registry.group, registry.what, {}).names()
    assert asked == [1]
    installed_entry_points.cache_clear()
