"""What a folder's manifest says of a result, held against what the result says of itself. Loads no torch."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from framestyle.jobs.resume.manifest import NAME, Manifest
from framestyle.media.verify.verdict import DIFFERENCE, Problem, Report
from framestyle.paths import absolute


def precision_problems(report: Report) -> Iterator[Problem]:
    """Where the manifest names another precision than the result's metadata, or more than one.

    Nothing is found where either says nothing, or where the file is not the one that the manifest knows.
    """
    made = report.facts.get("made_by") or {}
    own = made.get("precision")
    recorded = recorded_precisions(report.path)
    for other in sorted(recorded - {own}) if own is not None else ():
        yield Problem(DIFFERENCE, f"it says that it was made in {own}, and {NAME} says {other}")
    if own is None and len(recorded) > 1:
        yield Problem(DIFFERENCE, f"{NAME} says that it was made in {' and in '.join(sorted(recorded))}")


def recorded_precisions(result: Path) -> set[str]:
    """From the manifest of the nearest folder above that knows the result; empty where none does."""
    path = absolute(result)
    for folder in path.parents:
        if (folder / NAME).is_file() and (found := Manifest(folder).precisions_of(path)):
            return found
    return set()
