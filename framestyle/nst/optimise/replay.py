"""A step recorded once, and replayed while what it works on is alike: the frames of a clip.

On a GPU a small picture's step is over before the host has asked for the next one: hundreds of operations, each by
Python. A recording (a CUDA graph) is asked for at once. It works on tensors of its own, into which others are copied,
and nothing in it may wait for the host.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from functools import partial
from typing import Any, Protocol, TypeVar

import torch
from torch import Tensor

from framestyle.context import SILENT, Context
from framestyle.events import Note
from framestyle.nst.objective import Objective
from framestyle.nst.optimise.state import PixelState

EAGER_STEPS = 2
"""Taken before one is recorded: what libraries choose and set up at first use must be there by then."""
FEWEST_TO_COME = 10
"""With fewer steps to come recording, about three steps' work, is not worth it."""
ASTRAY = 0.1
"""A replayed step that differs from one that was computed by more than this part of it is not the same step."""

T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class Given:
    """All that a step works on; it changes the state, in place. A rate may differ by pixel (11HW)."""

    state: PixelState
    objective: Objective
    rate: float | Tensor
    average_decay: float
    betas: tuple[float, float]
    gradient_at: float = 0.0
    """Between the iterate, 0, and the average of the iterates, 1."""


Step = Callable[[Given], Tensor]
"""One step of the state; the losses, on the device, of the pixels that it started from."""


class StepIn(Protocol):
    """The same, in a context."""

    def __call__(self, given: Given, context: Context) -> Tensor: ...


class Recording(Protocol):
    """What a device can do once more without being told how."""

    def record(self, work: Callable[[], None]) -> None:
        """Without doing it. RuntimeError where it can't be recorded."""

    def replay(self) -> None:
        """On the tensors that it was recorded with."""


class CudaRecording:
    """A CUDA graph."""

    def __init__(self, device: torch.device) -> None:
        self._device, self._graph = device, torch.cuda.CUDAGraph()

    def record(self, work: Callable[[], None]) -> None:
        # Other threads, which read and write frames, may go on meanwhile.
        with (
            torch.cuda.device(self._device),
            torch.cuda.graph(self._graph, capture_error_mode="thread_local"),
        ):
            work()

    def replay(self) -> None:
        with torch.cuda.device(self._device):
            self._graph.replay()


RECORDINGS: dict[str, Callable[[torch.device], Recording]] = {"cuda": CudaRecording}
"""By device type."""


class Replay:
    """A recorded step, on tensors of its own."""

    def __init__(self, recording: Recording, step: Step, given: Given) -> None:
        self._recording = recording
        self.given = _rebuilt(given, torch.clone)
        self._losses = torch.empty(0)

        def work() -> None:
            self._losses = step(self.given)

        recording.record(work)

    def fill(self, given: Given) -> None:
        """With others that are alike."""
        _copy(self.given, given)

    def turn_to(self, given: Given) -> None:
        """With another objective that is alike, for the state that it has."""
        _copy(self.given.objective, given.objective)

    def step(self) -> Tensor:
        """One more, of its own state."""
        self._recording.replay()
        return self._losses.clone()


class Recorder:
    """Records steps on a device until that fails: then it says so, once, and records no more. Threads may share it."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._make = RECORDINGS.get(device.type)

    @property
    def possible(self) -> bool:
        """The device can record, and has not failed to."""
        return self._make is not None

    def record(self, step: Step, given: Given, context: Context) -> Replay | None:
        """Of a step as of these, filled with them; None where it fails, and then it isn't tried again."""
        if self._make is None:
            return None
        try:
            replay = Replay(self._make(self._device), step, given)
            astray = _is_astray(replay, step, given)
        except RuntimeError as error:
            self._fail(str(error).splitlines()[0], context)
            return None
        if astray:
            self._fail("a replayed step is not the step that was recorded", context)
            return None
        return replay

    def _fail(self, why: str, context: Context) -> None:
        self._make = None
        context.on_event(
            Note(f"Steps are not recorded on {self._device}, each is asked for anew: {why}.", "info")
        )


class Replays:
    """Keeps the last recording, for a row of calls on one thread: the frames of a clip, the scales of a picture."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._kept: tuple[Hashable, Replay] | None = None

    @property
    def possible(self) -> bool:
        """The device can record, and has not failed to."""
        return self._recorder.possible

    def alike(self, given: Given) -> Replay | None:
        """What was recorded of steps like these, filled with them."""
        if self._kept is None:
            return None
        likeness, replay = self._kept
        if likeness != _likeness(given):
            self.forget()
            return None
        replay.fill(given)
        return replay

    def record(self, step: Step, given: Given, context: Context) -> Replay | None:
        """See `Recorder.record`; what was kept before is forgotten first."""
        self.forget()
        replay = self._recorder.record(step, given, context)
        if replay is not None:
            self._kept = _likeness(given), replay
        return replay

    def forget(self) -> None:
        """What a recording holds, as much as a step does, is free again."""
        self._kept = None


class Steps:
    """Takes steps of a state, replayed where that is possible and worth it. `finish` them.

    `turns`: what steps take turns at; of one state. `has_room`: whether there is memory for a recording beside a step.
    It keeps as much as a step takes.
    """

    def __init__(
        self,
        replays: Replays | None,
        step: StepIn,
        turns: Sequence[Given],
        steps: int,
        has_room: Callable[[], bool],
    ) -> None:
        self._replays, self._step, self._turns, self._has_room = replays, step, turns, has_room
        self._left, self._taken = steps, 0
        self._replay = None if replays is None else replays.alike(turns[0])

    @property
    def image(self) -> Tensor:
        """The iterate, 1CHW."""
        return (self._turns[0] if self._replay is None else self._replay.given).state.image

    def _is_worth_it(self, replays: Replays) -> bool:
        enough = self._taken == EAGER_STEPS and self._left >= FEWEST_TO_COME
        return enough and replays.possible and self._has_room()  # to look at the memory takes time

    def take(self, context: Context = SILENT) -> Tensor:
        """One step; its losses, on the device."""
        given = self._turns[self._taken % len(self._turns)]
        if self._replays is not None and self._replay is None and self._is_worth_it(self._replays):
            # While a device records, nobody else's code may run.
            silent = partial(self._step, context=SILENT)
            self._replay = self._replays.record(silent, given, context)
        self._taken, self._left = self._taken + 1, self._left - 1
        if self._replay is None:
            return self._step(given, context)
        if len(self._turns) > 1:
            self._replay.turn_to(given)
        return self._replay.step()

    def finish(self) -> None:
        """The state that was given is where the steps led."""
        if self._replay is not None:
            _copy(self._turns[0].state, self._replay.given.state)


def _is_astray(replay: Replay, step: Step, given: Given) -> bool:
    """Whether its step leads elsewhere than the same step does. Afterwards it is filled as before.

    A recording that fails says so; one that works on the wrong memory does not, and would spoil a whole clip.
    """
    replay.fill(given)
    found_losses, found = replay.step(), replay.given.state.image.clone()
    replay.fill(given)
    computed = _rebuilt(given, torch.clone)
    losses = step(computed)
    way = (computed.state.image - given.state.image).abs().mean()
    off = (computed.state.image - found).abs().mean()
    alike = (off <= ASTRAY * way) & torch.isclose(found_losses, losses, rtol=ASTRAY).all()
    return not bool(alike)


def _likeness(value: Any) -> Hashable:
    """What must be the same for a recording to serve: shapes, and whatever is not a tensor."""
    return tuple(
        (leaf.shape, leaf.stride(), leaf.dtype) if isinstance(leaf, Tensor) else leaf
        for leaf in _leaves(value)
    )


def _copy(to: Any, of: Any) -> None:
    """The numbers of one's tensors into the other's."""
    for own, other in zip(_tensors(to), _tensors(of), strict=True):
        own.copy_(other)


def _tensors(value: Any) -> Iterator[Tensor]:
    return (leaf for leaf in _leaves(value) if isinstance(leaf, Tensor))


def _leaves(value: Any) -> Iterator[Any]:
    """All that is in dataclasses, mappings and sequences, in a fixed order, with the mappings' keys."""
    if is_dataclass(value):
        for field in fields(value):
            yield from _leaves(getattr(value, field.name))
    elif isinstance(value, Mapping):
        for key, one in value.items():
            yield key
            yield from _leaves(one)
    elif isinstance(value, (list, tuple)):
        yield len(value)
        for one in value:
            yield from _leaves(one)
    else:
        yield value


def _rebuilt(value: T, of_tensor: Callable[[Tensor], Tensor]) -> T:
    """The same with other tensors."""
    made: Any = value
    if isinstance(value, Tensor):
        made = of_tensor(value)
    elif is_dataclass(value) and not isinstance(value, type):
        made = type(value)(
            **{one.name: _rebuilt(getattr(value, one.name), of_tensor) for one in fields(value)}
        )
    elif isinstance(value, Mapping):
        made = {key: _rebuilt(one, of_tensor) for key, one in value.items()}
    elif isinstance(value, (list, tuple)):
        made = type(value)(_rebuilt(one, of_tensor) for one in value)
    return made  # type: ignore[no-any-return]
