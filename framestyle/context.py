"""What goes with a call: who listens to it, and who may end it. Handed down, and stored nowhere."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from framestyle.events import OnEvent, ignore, together
from framestyle.frames import Pixels

CheckCancelled = Callable[[], None]
OnPicture = Callable[[Callable[[], Pixels]], None]
"""Is given what makes the picture so far, HWC uint8, at the size of the scale at work: free until called."""


def never_cancelled() -> None:
    """The check for callers who let every call run to its end."""


@dataclass(frozen=True)
class Context:
    """A call's listener, and the question whether it is to go on.

    `on_event` hears events on the thread that does the work. `check_cancelled` is asked there before each step and, in
    a large picture, before each tile of it; to end the call it raises, as a rule `errors.Cancelled`. Whatever it raises
    reaches the caller. `on_picture` is called there once a window of steps, for whoever shows the work in the making.
    """

    on_event: OnEvent = ignore
    check_cancelled: CheckCancelled = never_cancelled
    on_picture: OnPicture | None = None

    def also(self, listener: OnEvent) -> Context:
        """The same, with one more listener, which hears each event first."""
        return replace(self, on_event=together(listener, self.on_event))


SILENT = Context()
"""Nobody listens, and nobody ends the call."""
