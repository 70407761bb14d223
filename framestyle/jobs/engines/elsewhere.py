"""What is told of sessions that are open on other machines."""

from __future__ import annotations

import threading

from framestyle.session import Session
from framestyle.spec import RenderSpec


class SessionElsewhere(Session):
    """A session whose live objects are on other machines: it says what is painted with, and paints nothing itself.

    The spec's device and precision are decided on. What needs a live object raises UsageError, as of a closed session.
    """

    def __init__(self, spec: RenderSpec) -> None:
        self.spec, self.preset = spec, spec.decided_preset
        self.device = f"{spec.device} {spec.decided_precision}"
        self._live, self._clip, self._at_work = None, None, threading.Lock()
