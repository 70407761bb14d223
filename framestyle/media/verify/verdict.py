"""What verifying a file finds: facts, problems with their places, and what they come to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

from framestyle.kinds import MediaKind
from framestyle.spec import PRECISIONS

DAMAGE, DIFFERENCE, NOTE, MISSING = "damage", "difference", "note", "missing"
KIND_NAMES = {MediaKind.VIDEO: "clip", MediaKind.PHOTO: "photo", MediaKind.SEQUENCE: "sequence"}
"""How reports word what a file is."""
MOST_REPORTED = 5
"""So many places of one kind are named; of more it is said how many."""


@dataclass(frozen=True)
class Problem:
    """One finding in words. `kind`: the file is damaged, or differs from its source, or a note of what is as it should.

    `stream` counts all of the file's, `frame` its frames from 0, `at_s` is the file's own time: where it is, as far as
    that can be told.
    """

    kind: str
    text: str
    stream: int | None = None
    frame: int | None = None
    at_s: Fraction | None = None


@dataclass
class Report:
    """Of one file. `kind`: None where it could not be told; `facts` are ready for JSON."""

    path: Path
    kind: MediaKind | None = None
    facts: dict[str, Any] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    @property
    def what(self) -> str:
        """The kind as reports word it: clip, photo, sequence, or file."""
        return "file" if self.kind is None else KIND_NAMES[self.kind]

    @property
    def verdict(self) -> str:
        """whole, missing, damaged, or different: whole, and not what its source asks for."""
        kinds = {problem.kind for problem in self.problems}
        if MISSING in kinds:
            return MISSING
        return "damaged" if DAMAGE in kinds else "different" if DIFFERENCE in kinds else "whole"


def summarized(problems: list[Problem], more: str) -> list[Problem]:
    """The first few of many like ones; `more` says what the others are, with {} for how many."""
    if len(problems) <= MOST_REPORTED:
        return problems
    rest = problems[MOST_REPORTED]
    summary = more.format(len(problems) - MOST_REPORTED)
    return [*problems[:MOST_REPORTED], Problem(rest.kind, summary, rest.stream, rest.frame, rest.at_s)]


def shift(later_s: Fraction) -> str:
    """How much later or earlier something is, in words."""
    return f"{abs(float(later_s)):.3f} s {'later' if later_s > 0 else 'earlier'}"


def seconds(value: Fraction | None) -> float | None:
    """For JSON."""
    return None if value is None else round(float(value), 6)


def made_by(comment: str | None) -> dict[str, str] | None:
    """What FrameStyle wrote of how a clip was made, by name; None where it says nothing."""
    if not comment or not comment.startswith("framestyle "):
        return None
    versions, *parts = comment.split("; ")
    named = {key: value for part in parts for key, _, value in [part.partition(" ")] if key in MADE_KEYS}
    rest = [part for part in parts if part.partition(" ")[0] not in MADE_KEYS]
    device = {"device": rest[-1]} if rest else {}
    precision = precision_in(rest[-1]) if rest else None
    return {"versions": versions, **named, **device, **({"precision": precision} if precision else {})}


MADE_KEYS = ("preset", "weights", "seed")


def precision_in(device: str) -> str | None:
    """`cpu bfloat16` -> bfloat16; None where no precision is named."""
    last = device.rpartition(" ")[2]
    return last if last in PRECISIONS else None


def precisions_in(recipe: Mapping[str, Any]) -> set[str]:
    """Every precision that a recipe names: one, unless it was edited.

    KeyError, TypeError or AttributeError where it is no recipe.
    """
    places = recipe["preset"]["optimizer"]["precision"], precision_in(recipe["device"])
    return {one for one in places if one in PRECISIONS}
