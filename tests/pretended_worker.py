"""A worker whose device is pretended: what it is told to open, `cuda:N`, is the one of pretend_device.py.

The folder that SEEN names gets an empty file for each device that was asked for.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import torch

from framestyle import session
from framestyle.jobs.engines.worker import main
from tests.pretend_device import DEVICE, pretended_device

SEEN = "PRETENDED_DEVICES_SEEN"


def pretended(spec: str) -> torch.device:
    """Whichever it is."""
    if SEEN in os.environ:
        (Path(os.environ[SEEN]) / spec).touch()
    return DEVICE


if __name__ == "__main__":
    session.choose_device = pretended  # type: ignore[attr-defined]
    with pretended_device():
        main()
