"""What torch's threads do while they wait for each other. To be said before torch is loaded."""

from __future__ import annotations

import os
from collections.abc import MutableMapping

SPINS = "3000"
"""How often a thread looks whether there is work before it sleeps, some microseconds.

The library's default is about a hundred times as long: beside another program of its kind, whose threads hold the
cores meanwhile, a step then took twenty times as long and more. See docs/measured/benchmarks.md.
"""
SET_BY_THE_USER = ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY")


def wait_briefly(environment: MutableMapping[str, str] = os.environ) -> None:
    """Have waiting threads sleep soon, unless the environment says how they wait. Too late once torch is there."""
    if not any(name in environment for name in SET_BY_THE_USER):
        environment["GOMP_SPINCOUNT"] = SPINS
