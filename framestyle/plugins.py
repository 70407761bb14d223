"""What FrameStyle can be extended by: registries of weights, statistics, inits, flows, engines and commands.

A registry knows each implementation by its name and a `Plugin`: a line of help, and where the implementation lies, as
"module:attribute". Nothing is loaded before it is used, and no torch here: names are for help, and for checking
presets. What FrameStyle brings itself (registries.py) comes in the same way as what other packages bring, by entry
points of the groups `framestyle.weights`, `framestyle.statistics`, and so on (docs/extending.md).

A plugin that breaks is named with its package and left out; it disturbs nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

from framestyle.errors import FramestyleError, PresetError

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

OWN_PACKAGE = "framestyle"
NAME = re.compile(r"[a-z][a-z0-9_-]*")
GROUPS = ("weights", "statistics", "inits", "flows", "engines", "commands")


@dataclass(frozen=True)
class Plugin:
    """What is known of an implementation before it is loaded; what an entry point names.

    `factory` is "module:attribute"; what must lie there depends on the registry (docs/extending.md). `available`, if it
    is given, is the "module:attribute" of a function without arguments that returns None, or a sentence on why the
    implementation cannot be used on this machine; it must load no torch. `traits` are a registry's own: `flow` marks
    weights that measure optical flow and paint nothing, `fetch` those that are fetched or imported once.
    """

    help: str
    factory: str
    available: str | None = None
    traits: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Entry:
    """A registered implementation, and the package that it comes from, with its version."""

    name: str
    plugin: Plugin
    package: str

    @property
    def is_built_in(self) -> bool:
        """Whether it comes with FrameStyle."""
        return self.package == OWN_PACKAGE


@dataclass(frozen=True)
class Broken:
    """A plugin that is left out: whose it is, and why."""

    registry: str
    name: str
    package: str
    why: str

    def text(self) -> str:
        """One sentence."""
        return f"{self.name!r} of the package {self.package} cannot be used: {self.why}"


@lru_cache(maxsize=1)
def installed_entry_points() -> tuple[EntryPoint, ...]:
    """Those of every installed package in all of our groups. Packages are searched once in a process."""
    from importlib.metadata import entry_points

    everything = entry_points()
    found = [one for group in GROUPS for one in everything.select(group=f"{OWN_PACKAGE}.{group}")]
    return tuple(sorted(found, key=lambda one: (one.group, package_of(one), one.name)))


def package_of(entry_point: EntryPoint) -> str:
    """Name and version of the package that an entry point belongs to."""
    package = entry_point.dist
    return "unknown" if package is None else f"{package.name} {package.version}"


@dataclass
class _Content:
    """What a search found."""

    entries: dict[str, Entry]
    broken: dict[str, Broken] = field(default_factory=dict)
    clashes: list[Broken] = field(default_factory=list)
    """Names that were taken already: the first holder keeps them."""


class Registry:
    """The implementations of one kind of thing, by name.

    `what` is the word for one of them; `members` are the attributes that each must have (none: it must be callable);
    `error` is raised where one cannot be had. `find` gives the entry points, and is there for tests.
    """

    def __init__(
        self,
        group: str,
        what: str,
        built_in: Mapping[str, Plugin],
        *,
        members: tuple[str, ...] = (),
        error: type[FramestyleError] = PresetError,
        find: Callable[[], Iterable[EntryPoint]] = installed_entry_points,
    ) -> None:
        self.group, self.what = group, what
        self.built_in_names = tuple(built_in)
        self._own = {name: Entry(name, plugin, OWN_PACKAGE) for name, plugin in built_in.items()}
        self._members, self._error, self._find = members, error, find
        self._content: _Content | None = None
        self._loaded: dict[str, Any] = {}

    def register(self, name: str, plugin: Plugin, package: str = "this program") -> None:
        """Add one in this process alone, for programs that bring it without a package; raises ValueError."""
        entries = self._searched().entries
        wrong = f"the name is taken by {entries[name].package}" if name in entries else None
        if (wrong := wrong or _what_is_wrong_with(name, plugin)) is not None:
            raise ValueError(f"{self.what} {name!r}: {wrong}")
        entries[name] = Entry(name, plugin, package)

    def unregister(self, name: str) -> None:
        """Take out what `register` added; raises KeyError where it is not there."""
        del self._searched().entries[name]
        self._loaded.pop(name, None)

    def __contains__(self, name: object) -> bool:
        # Packages need not be searched for what we bring ourselves.
        return isinstance(name, str) and (name in self._own or name in self._searched().entries)

    def names(self, trait: str | None = None) -> tuple[str, ...]:
        """All names, the built-in ones first; with `trait`, of those that have it."""
        found = self._searched().entries.items()
        return tuple(name for name, entry in found if trait is None or trait in entry.plugin.traits)

    def entries(self) -> tuple[Entry, ...]:
        """All implementations, the built-in ones first."""
        return tuple(self._searched().entries.values())

    def entry(self, name: str) -> Entry:
        """One of them; raises KeyError."""
        return self._own[name] if name in self._own else self._searched().entries[name]

    def broken(self) -> tuple[Broken, ...]:
        """The plugins that are left out, as far as that is known: some break only when they are loaded."""
        content = self._searched()
        return (*content.broken.values(), *content.clashes)

    def why_broken(self, name: str) -> str | None:
        """The sentence on a plugin of that name that is left out; None where there is none."""
        found = self._searched().broken.get(name)
        return None if found is None else found.text()

    def why_unavailable(self, name: str) -> str | None:
        """Why one cannot be used on this machine; None where it can."""
        entry = self.entry(name)
        if entry.plugin.available is None:
            return None
        try:
            why = _at(entry.plugin.available)()
        except Exception as error:
            return f"it cannot be asked: {_described(error)}"
        return None if why is None else str(why)

    def load(self, name: str) -> Any:
        """The implementation. Raises the registry's error, with the package's name, where it cannot be had."""
        if name in self._loaded:
            return self._loaded[name]
        if name not in self:
            missing = self.why_broken(name) or f"there is no {self.what} {name!r}"
            raise self._error(missing, next_step=f"There are: {', '.join(self.names())}.")
        entry = self.entry(name)
        if (why := self.why_unavailable(name)) is not None:
            raise self._error(f"the {self.what} {name!r} cannot be used here: {why}")
        try:
            found = _at(entry.plugin.factory)
        except (Exception, SystemExit) as error:
            if entry.is_built_in:
                raise
            raise self._leave_out(entry, _described(error)) from error
        if wrong := self._what_is_wrong_with(found):
            raise self._leave_out(entry, wrong)
        self._loaded[name] = found
        return found

    @contextmanager
    def blamed(self, name: str) -> Iterator[None]:
        """Whatever goes wrong inside is said to be the doing of the package that brings the implementation.

        Our own errors pass as they are, and so does everything of the built-in ones.
        """
        try:
            yield
        except FramestyleError:
            raise
        except Exception as error:
            entry = self.entry(name)
            if entry.is_built_in:
                raise
            raise self._error(
                f"the {self.what} {name!r} of the package {entry.package} failed: {_described(error)}",
                next_step=f"Update or uninstall {entry.package.split()[0]}.",
            ) from error

    def _what_is_wrong_with(self, found: Any) -> str | None:
        if self._members:
            missing = [one for one in self._members if not hasattr(found, one)]
            return f"it has no {', '.join(missing)}" if missing else None
        return None if callable(found) else f"a {type(found).__name__} cannot be called"

    def _leave_out(self, entry: Entry, why: str) -> FramestyleError:
        content = self._searched()
        content.entries.pop(entry.name, None)
        content.broken[entry.name] = broken = Broken(self.group, entry.name, entry.package, why)
        return self._error(
            f"the {self.what} {broken.text()}", next_step=f"Update or uninstall {entry.package.split()[0]}."
        )

    def _searched(self) -> _Content:
        if self._content is None:
            self._content = _Content(dict(self._own))
            for entry_point in self._find():
                if entry_point.group == f"{OWN_PACKAGE}.{self.group}":
                    self._take_in(self._content, entry_point)
        return self._content

    def _take_in(self, content: _Content, entry_point: EntryPoint) -> None:
        name, package = entry_point.name, package_of(entry_point)
        if (holder := content.entries.get(name)) is not None:
            taken = f"the name is taken by {holder.package}"
            content.clashes.append(Broken(self.group, name, package, taken))
            return
        why: str | None
        try:
            plugin = entry_point.load()
            why = _what_is_wrong_with(name, plugin)
        except (Exception, SystemExit) as error:
            why = _described(error)
        if why is None:
            content.entries[name] = Entry(name, plugin, package)
        else:
            content.broken[name] = Broken(self.group, name, package, why)


def _what_is_wrong_with(name: str, plugin: object) -> str | None:
    if not NAME.fullmatch(name):
        return "a name is small letters, digits, _ and -"
    if not isinstance(plugin, Plugin):
        return f"its entry point names a {type(plugin).__name__}, not a framestyle.plugins.Plugin"
    if not isinstance(plugin.help, str) or not isinstance(plugin.factory, str) or ":" not in plugin.factory:
        return 'its help must be a text, and its factory "module:attribute"'
    return None


def _at(place: str) -> Any:
    """What lies at "module:attribute"."""
    module, _, attributes = place.partition(":")
    found: Any = import_module(module)
    for attribute in attributes.split("."):
        found = getattr(found, attribute)
    return found


def _described(error: BaseException) -> str:
    """An error in a line."""
    return f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
