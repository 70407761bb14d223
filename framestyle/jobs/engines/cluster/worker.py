"""What runs on a worker: checks that it can do the work, then paints a unit, in a session that stays open."""

from __future__ import annotations

import os
import secrets
import socket
import sys
import time
from dataclasses import replace
from pathlib import Path

import torch

from framestyle.context import Context
from framestyle.errors import Code, DeviceError, FramestyleError, OutputError, StorageError, WeightsError
from framestyle.events import Event, StepDone
from framestyle.jobs.engines.cluster.orders import Batch, Remote, Result, Setup, Work
from framestyle.jobs.engines.cluster.travelling import Traveller
from framestyle.jobs.engines.engine import Outcome
from framestyle.jobs.handout.carried import located, open_session, refuse_other_weights
from framestyle.jobs.handout.outcomes import FINAL
from framestyle.jobs.plan.units import PhotoTask
from framestyle.jobs.resume.resume_key import versions
from framestyle.jobs.run.units import paint_unit
from framestyle.nst.weights.hashes import sha256_of
from framestyle.session import Session

TELL_EVERY_S = 0.5
_open: dict[tuple[object, ...], Session] = {}
"""The last session of this process: the weights are loaded once for all jobs that are painted alike."""


def machine_name() -> str:
    """This machine, as it is told; nodes of one machine are told apart."""
    return f"{socket.gethostname()} {node_id()[:8]}".strip()


def node_id() -> str:
    """The node that this process is of, as Ray calls it; empty where it is of none."""
    return os.environ.get("RAY_NODE_ID") or _node()


def _node() -> str:
    ray: Remote = sys.modules.get("ray")  # not imported here: it reads its settings when it is
    return "" if ray is None or not ray.is_initialized() else str(ray.get_runtime_context().get_node_id())


def hello(setup: Setup) -> FramestyleError | None:
    """Why this machine cannot do the work; None where it can."""
    error = _refused(setup) or _refused_weights(setup)
    return None if error is None else by_machine(error, machine_name())


def by_machine(error: FramestyleError, machine: str) -> FramestyleError:
    """The error, with the machine that it is of."""
    told = f"the machine {machine} cannot do the work: {error.message}"
    return error.retold(told, {**error.facts, "machine": machine})


def _refused(setup: Setup) -> FramestyleError | None:
    now, then = versions(), dict(setup.versions)
    differing = [name for name in {**now, **then} if now.get(name) != then.get(name)]
    if differing:
        names = ", ".join(
            f"{name} {now.get(name, 'none')} (the job has {then.get(name, 'none')})" for name in differing
        )
        return DeviceError(f"it has {names}", next_step="Install the same versions on all machines.")
    path, holds = setup.probe
    if setup.store is None and not _holds(Path(path), holds):
        return OutputError(
            f"it does not see {Path(path).parent.parent}",
            code=Code.OUTPUT_UNUSABLE,
            facts={"path": str(Path(path).parent.parent)},
            next_step="Put results and inputs on a disk that all machines see by the same path, or name a store.",
        )
    return None


def _refused_weights(setup: Setup) -> FramestyleError | None:
    """None is opened for that."""
    try:
        folder = _carried(setup)
        refuse_other_weights(located(setup.spec, folder), folder)
    except FramestyleError as error:
        return error
    return None


def _holds(path: Path, text: str) -> bool:
    try:
        return path.read_text(encoding="utf-8") == text
    except (OSError, UnicodeDecodeError):
        return False


def session_of(setup: Setup) -> Session:
    """The session of a job, opened once in this process. Pictures and weights count by what they hold."""
    key = setup.spec, setup.threads, setup.memory_limit_bytes, setup.store
    if key not in _open:
        for other in _open.values():
            other.close()
        _open.clear()
        torch.set_num_threads(setup.threads)
        folder = _carried(setup)
        spec = located(setup.spec, folder)
        _open[key] = open_session(spec, folder, memory_limit_bytes=setup.memory_limit_bytes)
    return _open[key]


def _carried(setup: Setup) -> Path:
    if setup.store is None:
        return Path(setup.carried)
    from framestyle.jobs.engines.cluster.store import carried_here

    return carried_here(setup)


def paint(setup: Setup, work: Work, listener: Remote) -> Result:
    """One unit. What is wrong is an outcome of it; an interrupt, which is how Ray cancels, goes through."""
    telling = _Telling(work.number, listener)
    if (refused := _refused(setup)) is not None:
        return telling.result(refused, unable=node_id())
    is_open = False
    try:
        session = session_of(setup)
        is_open = True
        traveller = Traveller.of(setup, work)
        with traveller.unit_here() as unit:
            outcome = paint_unit(unit, session, Context(traveller.hearing(telling.hear)))
            made = traveller.sent(outcome)
        if isinstance(unit, PhotoTask) and not made:
            made = sha256_of(unit.target)
    except FramestyleError as error:
        is_machines = isinstance(error, OF_THE_MACHINE) or not (is_open or isinstance(error, FINAL))
        return telling.result(error, unable=node_id() if is_machines else "")
    return telling.result(outcome, made=made)


OF_THE_MACHINE = (StorageError, WeightsError)
"""Errors that say nothing of the unit, whenever they come: the disk is full, the weights are others."""


class _Telling:
    """Events on their way to the driver, some at a time; nothing waits for them."""

    def __init__(self, number: int, listener: Remote) -> None:
        self._number, self._listener = number, listener
        self.go, self.machine, self.sequence = secrets.token_hex(4), machine_name(), 0
        self._waiting: list[Event] = []
        self._told_s, self._heard_s = 0.0, time.monotonic()
        self._send()

    def hear(self, event: Event) -> None:
        """Steps say how long they took, since they are told later; windows of one scale are told as one."""
        seconds, self._heard_s = time.monotonic() - self._heard_s, time.monotonic()
        if isinstance(event, StepDone):
            event = replace(event, seconds=seconds)
        before = self._waiting[-1] if self._waiting else None
        if isinstance(event, StepDone) and isinstance(before, StepDone) and _goes_on(before, event):
            self._waiting[-1] = replace(
                event, losses=before.losses + event.losses, seconds=(before.seconds or 0.0) + seconds
            )
        else:
            self._waiting.append(event)
        if self._heard_s - self._told_s >= TELL_EVERY_S:
            self._send()

    def _send(self) -> None:
        batch = Batch(self._number, self.go, self.sequence, self.machine, tuple(self._waiting))
        self._listener.push.remote(batch)
        self.sequence, self._told_s = self.sequence + 1, time.monotonic()
        self._waiting.clear()

    def result(self, outcome: Outcome, made: str = "", unable: str = "") -> Result:
        """What became of it, with what was not sent yet."""
        return Result(outcome, self.go, self.machine, self.sequence, tuple(self._waiting), made, unable)


def _goes_on(before: StepDone, event: StepDone) -> bool:
    """Whether a window follows another one of the same picture at the same scale."""
    return before.scale_index == event.scale_index and before.step + len(event.losses) == event.step
