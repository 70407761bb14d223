"""Plugins: what other packages add, each loaded once; and those that break, with the package that is to blame."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

from framestyle.doctor.finding import OK, WARNING, Finding
from framestyle.errors import FramestyleError
from framestyle.plugins import Entry, Registry
from framestyle.registries import REGISTRIES


def plugins() -> Iterator[Finding]:
    """One for each; one that says so where there are none. A plugin that breaks is no failure: nothing needs it."""
    others = [
        (registry, entry)
        for registry in REGISTRIES.values()
        for entry in registry.entries()
        if not entry.is_built_in
    ]
    for registry, entry in others:
        if (why := registry.why_unavailable(entry.name)) is not None:
            text = f"{registry.group}: {entry.package}: cannot be used here: {why}"
            yield Finding("plugins", entry.name, OK, text, facts=_facts(registry, entry))
            continue
        with suppress(FramestyleError):  # it is among the broken ones then
            registry.load(entry.name)
            yield _working(registry, entry)
    broken = [one for registry in REGISTRIES.values() for one in registry.broken()]
    for one in broken:
        advice = f"Update or uninstall {one.package.split()[0]}."
        facts = {"registry": one.registry, "package": one.package}
        yield Finding("plugins", one.name, WARNING, f"{one.registry}: {one.text()}", advice, facts=facts)
    if not others and not broken:
        yield Finding("plugins", "plugins", OK, "none are installed")


def _working(registry: Registry, entry: Entry) -> Finding:
    text = f"{registry.group}: {entry.plugin.help} ({entry.package})"
    return Finding("plugins", entry.name, OK, text, facts=_facts(registry, entry))


def _facts(registry: Registry, entry: Entry) -> dict[str, str]:
    return {"registry": registry.group, "package": entry.package}
