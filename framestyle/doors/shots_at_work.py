"""Which shots of a clip are being painted: one after another, or several at once."""

from __future__ import annotations

from dataclasses import replace

from framestyle.events import Event, FrameDone, JobStarted, ShotStarted, TaskFailed, TaskStarted


class ShotsAtWork:
    """Hears events. A shot is at work from its start to the last frame of its pass."""

    def __init__(self) -> None:
        self._shots: dict[int, ShotStarted] = {}
        """By number; what has ended has no frames any more, and is gone once another one begins."""

    def __call__(self, event: Event) -> None:
        if isinstance(event, JobStarted | TaskStarted | TaskFailed):
            self._shots.clear()
        elif isinstance(event, ShotStarted):
            self._shots = {number: shot for number, shot in self._shots.items() if shot.frames}
            self._shots[event.index] = event
        elif isinstance(event, FrameDone):
            shot = self._shots.get(event.shot)
            if shot is not None and event.index == _last_frame(shot):
                self._shots[event.shot] = replace(shot, frames=0)

    @property
    def at_work(self) -> list[ShotStarted]:
        """In their order; where none is, the last that was."""
        shots = [shot for _, shot in sorted(self._shots.items()) if shot.frames]
        return shots or list(self._shots.values())[-1:]


def _last_frame(shot: ShotStarted) -> int:
    """Of this pass over it: a second one goes backwards."""
    return shot.first_frame if shot.pass_number > 1 else shot.first_frame + shot.frames - 1
