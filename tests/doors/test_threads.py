"""Waiting threads: told before torch is loaded, and only where nobody else has said how they wait."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from framestyle.doors.threads import SPINS, wait_briefly


def test_threads_wait_briefly_where_nothing_else_is_said() -> None:
    environment: dict[str, str] = {}
    wait_briefly(environment)
    assert environment == {"GOMP_SPINCOUNT": SPINS}


@pytest.mark.parametrize("name", ["GOMP_SPINCOUNT", "OMP_WAIT_POLICY"])
def test_what_the_user_says_holds(name: str) -> None:
    environment = {name: "active"}
    wait_briefly(environment)
    assert environment == {name: "active"}


def test_the_command_says_it_before_torch_is_loaded() -> None:
    """`OMP_DISPLAY_ENV` makes the library print, as it is loaded, what it took from the environment."""
    code = "import sys; from framestyle.doors.cli import main; sys.exit(main(['doctor']))"
    environment = {
        key: value for key, value in os.environ.items() if key not in ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY")
    }
    environment["OMP_DISPLAY_ENV"] = "verbose"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment, timeout=120
    )
    if "GOMP_SPINCOUNT" not in done.stderr:
        pytest.skip("torch's threads here are not libgomp's")
    assert f"GOMP_SPINCOUNT = '{SPINS}'" in done.stderr
