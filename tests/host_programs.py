"""Programs that FrameStyle is a plug-in of. Where one is not installed its tests are skipped, but never in CI."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

import pytest

REQUIRED = "FRAMESTYLE_HOSTS"
"""`.ci/run` sets it to "required": a host that is missing is then a failure."""
INTEGRATIONS = Path(__file__).parents[1] / "integrations"


def missing(what: str, *, modules: tuple[str, ...] = (), programs: tuple[str, ...] = ()) -> str | None:
    """Why a host cannot be tried on this machine; None: it can."""
    lacking = [one for one in modules if importlib.util.find_spec(one) is None]
    lacking += [one for one in programs if shutil.which(one) is None]
    return f"{what} is not installed: there is no {', '.join(lacking)}" if lacking else None


def need(why: str | None) -> None:
    """Skip the tests of a module, or a test, where a host is `missing`."""
    if why is None:
        return
    if os.environ.get(REQUIRED) == "required":
        pytest.fail(why, pytrace=False)
    pytest.skip(why, allow_module_level=True)


SYSTEMS_PYTHON = {"PATH": os.pathsep.join(["/usr/bin", os.environ.get("PATH", "")])}
"""GStreamer's loader looks for its modules beside the first python3 of the path: one of pyenv has no gi."""


@cache
def gstreamer_missing() -> str | None:
    """GStreamer's Python must be of our own version: the element loads FrameStyle into it."""
    if (why := missing("GStreamer", programs=("gst-launch-1.0", "gst-inspect-1.0"))) is not None:
        return why
    with tempfile.TemporaryDirectory() as folder:
        loader = subprocess.run(
            ["gst-inspect-1.0", "python"],
            env=gstreamer_environment(Path(folder)),
            check=False,
            capture_output=True,
        )
    if loader.returncode:
        return "GStreamer's Python loader is not installed"
    asked = ["/usr/bin/python3", "-c", "import gi, sys; print('%d.%d' % sys.version_info[:2])"]
    own = "{}.{}".format(*sys.version_info)
    try:
        said = subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip()
    except OSError:
        said = ""
    return None if said == own else f"GStreamer's Python is {said or 'not known'}, and ours {own}"


def gstreamer_environment(folder: Path) -> dict[str, str]:
    """The element from this checkout, FrameStyle as this process finds it, nothing of the user's own registry."""
    found = [path for path in sys.path if path.endswith("site-packages")]
    return os.environ | {
        "GST_PLUGIN_PATH": str(INTEGRATIONS / "gstreamer"),
        "GST_REGISTRY": str(folder / "registry.bin"),
        **SYSTEMS_PYTHON,
        "PYTHONPATH": os.pathsep.join([str(INTEGRATIONS.parent), *found]),
        "OMP_NUM_THREADS": "1",
    }
