"""What an output's metadata says of how it was made."""

from __future__ import annotations

import torch

import framestyle
from framestyle.jobs.run.recipes import Recipe
from framestyle.session import Session


def provenance(preset: str, weights: str, seed: int, device: str) -> dict[str, str]:
    """How an output was made, in words."""
    used = f"framestyle {framestyle.__version__}, torch {torch.__version__}"
    return {"comment": f"{used}; preset {preset}; weights {weights}; seed {seed}; {device}"}


def provenance_of(session: Session) -> dict[str, str]:
    """The same of what a session paints."""
    return provenance(session.preset.name, session.weights, session.spec.seed, session.device)


def recipe_of(session: Session) -> Recipe:
    """The same and the whole preset, for programs: what recovers a preset from a picture reads it."""
    versions = {"framestyle": framestyle.__version__, "torch": torch.__version__}
    return Recipe(session.spec, session.device, versions)
