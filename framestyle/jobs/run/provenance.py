"""What an output's metadata says of how it was made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol
from weakref import WeakKeyDictionary

import torch

import framestyle
from framestyle.jobs.run.recipes import Recipe
from framestyle.session import Session
from framestyle.spec import RenderSpec


class Maker(Protocol):
    """What painted something: a session, or what is told of one."""

    @property
    def spec(self) -> RenderSpec:
        """All that decided the pixels."""

    @property
    def device(self) -> str:
        """In words: the device, and the precision of its convolutions."""


@dataclass(frozen=True)
class MadeBy:
    """A maker that was elsewhere."""

    spec: RenderSpec
    device: str


def provenance(preset: str, weights: str, seed: int, device: str) -> dict[str, str]:
    """How an output was made, in words."""
    used = f"framestyle {framestyle.__version__}, torch {torch.__version__}"
    return {"comment": f"{used}; preset {preset}; weights {weights}; seed {seed}; {device}"}


def provenance_of(maker: Maker) -> dict[str, str]:
    """The same of what a session paints."""
    spec = maker.spec
    return provenance(spec.preset.name, spec.weights, spec.seed, maker.device)


def recipe_of(maker: Maker) -> Recipe:
    """The same and the whole preset, for programs: what recovers a preset from a picture reads it."""
    versions = {"framestyle": framestyle.__version__, "torch": torch.__version__}
    return Recipe(maker.spec, maker.device, versions)


_TEXTS: WeakKeyDictionary[Session, str] = WeakKeyDictionary()
"""By session, which never changes what it is made of."""


def recipe_text(session: Session) -> str:
    """A session's recipe as text, made once for all that it paints."""
    text = _TEXTS.get(session)
    if text is None:
        text = _TEXTS[session] = recipe_of(session).text()
    return text
