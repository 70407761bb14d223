"""Programs that FrameStyle is a plug-in of. Where one is not installed its tests are skipped, but never in CI."""

from __future__ import annotations

import importlib.util
import os
import shutil

import pytest

ALL_ARE_HERE = "FRAMESTYLE_TEST_ALL_HOSTS"
"""`.ci/run` sets it: a host that is missing is then a failure."""


def need(what: str, *, modules: tuple[str, ...] = (), programs: tuple[str, ...] = ()) -> None:
    """Skip the tests of a module, or a test, where a host is not installed."""
    missing = [one for one in modules if importlib.util.find_spec(one) is None]
    missing += [one for one in programs if shutil.which(one) is None]
    if not missing:
        return
    why = f"{what} is not installed: there is no {', '.join(missing)}"
    if os.environ.get(ALL_ARE_HERE):
        pytest.fail(why, pytrace=False)
    pytest.skip(why, allow_module_level=True)
