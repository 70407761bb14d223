"""News that rises from the core to the doors: frozen values, no behaviour, no torch.

A door passes an `on_event` callback down, in a Context; nothing below a door prints or looks up.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Self, TypeAlias

from framestyle.errors import Code, Facts, FramestyleError
from framestyle.kinds import MediaKind


@dataclass(frozen=True)
class Event:
    """Base of all news."""


@dataclass(frozen=True)
class JobStarted(Event):
    """A command's whole work: what goes in, where it comes out, what it is done with."""

    inputs: tuple[str, ...]
    output: str
    preset: str
    weights: str
    device: str
    tasks: int
    frames: int
    """Frames of all clips, each as often as it is painted, plus photos: what FrameDone and PhotoDone count up to. 0: of
    a clip that comes through a pipe, which does not say."""
    skipped: int = 0
    """How many of the tasks were done before; their frames are not counted."""
    at_once: int = 1
    """How many photos are painted at a time, at most."""


@dataclass(frozen=True)
class Note(Event):
    """Something the user should know: a choice made for them, a thing that could not be carried over."""

    message: str
    level: str = "info"  # info | warning
    code: Code | None = None
    """Where a door has something to add: how to have it otherwise."""
    facts: Facts = field(default_factory=dict, hash=False)

    @classmethod
    def of(cls, error: FramestyleError, message: str) -> Self:
        """A warning of what failed and ended nothing, told as `message`."""
        return cls(message, "warning", error.code, error.facts)


Remark: TypeAlias = str | Note
"""A sentence, or a note that carries a code."""


def as_note(remark: Remark, level: str = "info") -> Note:
    """The note that a sentence makes; a note as it is."""
    return Note(remark, level) if isinstance(remark, str) else remark


@dataclass(frozen=True)
class Preparing(Event):
    """Work before the first step: 'weights' (fetching, learning), 'shots' (looking for cuts), 'mask' (looking through a
    moving mask), 'cluster' (connecting to it), 'machines' (each says whether it can do the work)."""

    what: str
    fraction: float
    """0 to 1."""
    detail: str = ""


@dataclass(frozen=True)
class TaskPlanned(Event):
    """What a clip or a photo takes, told before the first of the job begins: from this the time left is estimated.

    The first frame of a shot, a photo too, is painted over all scales; a warm frame at the result's own size alone.
    """

    path: str
    width: int
    height: int
    first_frames: int
    """How many are painted over all scales."""
    first_steps: int
    """Steps of one of these, over all scales."""
    first_megapixel_steps: float
    """The same, each step times the megapixels of its scale."""
    warm_frames: int = 0
    """How many warm ones there are, each as often as it is painted."""
    warm_steps: int = 0
    """Steps of one of these, at most; by key frames in the mean of all."""
    warm_least_steps: int = 0
    """Steps of one of these, at least; by key frames in the mean of all."""
    key_frame_gap: int = 1
    """Of how many warm frames one is a key frame, at most; 1: all are optimised alike."""
    at_once: int = 1
    """How many such tasks are painted beside each other, at most."""


@dataclass(frozen=True)
class TaskStarted(Event):
    """One clip or one photo begins."""

    path: str
    kind: MediaKind
    """VIDEO or PHOTO."""
    index: int
    """Counts from 0 over the job's tasks that were not done before."""
    frames: int
    """0 where a pipe does not say."""
    shots: int
    """0 where they are found as frames come."""
    width: int
    height: int
    passes: int = 1
    """How often each frame is painted."""
    preset: str = ""
    """On a contact sheet: what it calls the preset that is at work. Else the job's."""


@dataclass(frozen=True)
class TaskResumed(Event):
    """A clip that was stopped before is resumed."""

    path: str
    frames: int
    """Finished before."""
    painted: int
    """The same, each as often as it was painted: these FrameDone do not come again."""
    shots: int
    """How many had been begun."""


@dataclass(frozen=True)
class TaskSkipped(Event):
    """One clip or photo was done before, from the same input and by the same settings."""

    path: str
    output: str


@dataclass(frozen=True)
class ShotStarted(Event):
    """A shot of the current clip begins."""

    index: int
    first_frame: int
    frames: int
    """0 where it is not known how long it is."""
    pass_number: int = 1
    """Counts from 1; a second pass goes over the shot again, from its last frame."""


@dataclass(frozen=True)
class StepDone(Event):
    """A window of optimiser steps is done (never one event a step: reading a loss waits for the device)."""

    step: int
    """Steps done at this scale."""
    steps: int
    """Steps planned at this scale, at most."""
    scale_index: int
    scales: int
    width: int
    height: int
    losses: tuple[float, ...]
    """Total loss at each step of the window."""
    parts: tuple[tuple[str, float], ...]
    """Weighted losses by name (content, style, tv, temporal) at the window's last step."""
    device_memory_bytes: int | None = None
    shot: int | None = None
    """Which shot it is taken for, where several may be at work."""
    seconds: float | None = None
    """How long the window took, where it was taken on another machine: news of it come late, and some at a time."""


@dataclass(frozen=True)
class FrameDone(Event):
    """A frame of a clip is stylized; in the last pass it goes to the writer."""

    index: int
    shot: int
    steps: int
    seconds: float
    loss: float
    warm: bool
    """False for the first frame of a shot, which gets the full coarse-to-fine start."""


@dataclass(frozen=True)
class PhotoDone(Event):
    """A photo is stylized and in its place."""

    path: str
    output: str
    steps: int
    seconds: float
    loss: float


@dataclass(frozen=True)
class CellDone(Event):
    """A picture of a contact sheet is stylized."""

    path: str
    """The input."""
    preset: str
    """What the sheet calls it: a preset, or the keys that a sweep sets."""
    steps: int
    seconds: float
    loss: float


@dataclass(frozen=True)
class TaskDone(Event):
    """One clip or photo is in its place, whole."""

    path: str
    output: str
    frames: int
    size_bytes: int
    seconds: float
    steps: int = 0


@dataclass(frozen=True)
class TaskFailed(Event):
    """One task of a batch failed; the others go on."""

    path: str
    message: str
    next_step: str | None = None
    """What holds whatever the door; else a door words it from code and facts, as for an error."""
    code: Code = Code.FAILED
    facts: Facts = field(default_factory=dict, hash=False)

    @classmethod
    def of(cls, path: str, error: FramestyleError, message: str | None = None) -> Self:
        """The task of `path` failed by `error`, which is told as `message` (None: as the error says)."""
        return cls(
            path, error.message if message is None else message, error.next_step, error.code, error.facts
        )


@dataclass(frozen=True)
class TasksBegun(Event):
    """Tasks that were handed out are going to be painted here."""

    tasks: int


@dataclass(frozen=True)
class TaskPainted(Event):
    """A task that was handed out is painted, a shot or a photo: it lies in its work folder, and is not published."""

    path: str
    """The input."""
    task: int
    """Its number."""
    seconds: float
    steps: int
    before: bool
    """Whether it was painted before: then nothing was done."""


@dataclass(frozen=True)
class MachinesAtWork(Event):
    """How much is being painted on other machines: told when that changes."""

    shots: int
    photos: int
    machines: int


@dataclass(frozen=True)
class JobDone(Event):
    """All tasks are done or have failed."""

    outputs: tuple[str, ...]
    failed: tuple[str, ...]
    frames: int
    seconds: float
    steps: int
    skipped: int = 0
    """How many were done before."""


@dataclass(frozen=True)
class FolderWatched(Event):
    """How a watched folder stands: told when that changes."""

    path: str
    waiting: int
    """Files that have arrived and are not dealt with yet."""
    done: int
    failed: int


OnEvent = Callable[[Event], None]


def ignore(event: Event) -> None:
    """The callback for callers who want no news."""


@dataclass(frozen=True)
class Listeners:
    """Several listeners as one: each hears every event, in this order."""

    each: tuple[OnEvent, ...]

    def __call__(self, event: Event) -> None:
        for listener in self.each:
            listener(event)


def together(*listeners: OnEvent) -> OnEvent:
    """All of them as one. Those that are several already are taken apart, so that an event reaches each at once."""
    flat = [
        one
        for listener in listeners
        for one in (listener.each if isinstance(listener, Listeners) else (listener,))
        if one is not ignore
    ]
    return flat[0] if len(flat) == 1 else Listeners(tuple(flat)) if flat else ignore
