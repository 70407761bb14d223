"""A process for each device of this machine: it opens the same session from the spec's JSON, and does unit after unit.

Orders go to a worker's standard input and news come from its standard output, both pickled: the worker is this very
program (worker.py). A worker whose input ends stops between two steps, keeps what is finished, and is gone: so none
outlives this process, however that ends.
"""

from __future__ import annotations

import os
import pickle
import queue
import subprocess
import sys
import tempfile
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import IO, Any, Self

from framestyle.context import Context
from framestyle.errors import DeviceError
from framestyle.events import Event
from framestyle.jobs.engines.engine import Ledger, Machine, Outcome, Setting
from framestyle.jobs.engines.event_order import EventOrder
from framestyle.jobs.plan.units import PhotoTask, ShotTask, Unit
from framestyle.jobs.run.interrupts import held_back

WORKER = (sys.executable, "-m", "framestyle.jobs.engines.worker")
LOOK_S = 0.1
"""How often the caller is asked whether the work is to go on, where nothing is heard."""
MOST_CHARACTERS = 2000
"""Characters of a worker's last words that are told."""


@dataclass(frozen=True)
class Opening:
    """What a worker opens its session from."""

    spec: str
    device: str
    memory_limit_bytes: int | None
    scratch: str | None
    """The folder for what is not finished."""


@dataclass(frozen=True)
class Ended:
    """What became of a worker's unit."""

    outcome: Outcome


@dataclass(frozen=True)
class Gone:
    """A worker is no more; why, in words."""

    why: str


class Processes:
    """Units on several devices. `command` starts a worker."""

    def __init__(self, machine: Machine, command: Sequence[str] = WORKER) -> None:
        self._machine, self._command = machine, command

    def at_once(self, units: int) -> int:
        """How many are done at a time."""
        return max(1, min(units, len(self._machine.devices)))

    def run(self, units: Sequence[Unit], setting: Setting, ledger: Ledger, context: Context) -> None:
        """Photos, then shots; each goes to the first device that is free."""
        if not units:
            return
        with _Crew(self._openings(setting, len(units)), self._command) as crew:
            for kind in (PhotoTask, ShotTask):
                row = {number: unit for number, unit in enumerate(units) if isinstance(unit, kind)}
                event_order = EventOrder(ledger.end, in_turn=kind is PhotoTask)
                _Row(crew, event_order, ledger, context).do(row)

    def _openings(self, setting: Setting, units: int) -> list[Opening]:
        spec, folder = (
            setting.session.spec.to_json(),
            None if setting.scratch is None else str(setting.scratch),
        )
        devices = self._machine.devices[: self.at_once(units)]
        return [Opening(spec, device, self._machine.memory_limit_bytes, folder) for device in devices]


class _Row:
    """Units of a kind, handed to workers."""

    def __init__(self, crew: _Crew, event_order: EventOrder, ledger: Ledger, context: Context) -> None:
        self._crew, self._event_order, self._ledger, self._context = crew, event_order, ledger, context
        self._at_work: dict[int, int] = {}
        """By worker, the number of its unit."""

    def do(self, row: dict[int, Unit]) -> None:
        left = deque(row.items())
        for worker in sorted(self._crew.alive):
            self._give(worker, left)
        while self._at_work:
            worker, message = self._next_message()
            if isinstance(message, Gone):
                self._end(worker, message, left)
            elif isinstance(message, Ended):
                self._report(self._at_work.pop(worker), message.outcome)
                self._give(worker, left)
            elif isinstance(message, BaseException):
                raise message
            else:
                self._report(self._at_work[worker], message)

    def _next_message(self) -> tuple[int, Any]:
        while True:
            self._context.check_cancelled()
            if (message := self._crew.next_message(LOOK_S)) is not None:
                return message

    def _give(self, worker: int, left: deque[tuple[int, Unit]]) -> None:
        if left and worker not in self._at_work:
            number, unit = left.popleft()
            self._ledger.begin(number)
            self._event_order.begin(number)
            self._at_work[worker] = number
            self._crew.send(worker, unit)

    def _end(self, worker: int, gone: Gone, left: deque[tuple[int, Unit]]) -> None:
        """What it was at has failed; where nobody is left, so has all that has not begun."""
        error = DeviceError(
            f"a process of this job has ended: {gone.why}",
            next_step="What is done is kept: give the same command again, or name fewer devices.",
        )
        if (number := self._at_work.pop(worker, None)) is not None:
            self._report(number, error)
        while left and not self._crew.alive:
            number, _ = left.popleft()
            self._ledger.begin(number)
            self._event_order.begin(number)
            self._report(number, error)

    def _report(self, number: int, message: Event | Outcome) -> None:
        for event in self._event_order.received(number, message):
            self._context.on_event(event)


class _Crew:
    """Workers, a device each. A context manager: left by an error, it stops them between two steps. One Ctrl-C more
    waits for that too, the next one ends them at once.
    """

    def __init__(self, openings: Sequence[Opening], command: Sequence[str]) -> None:
        self._openings, self._command = openings, command
        self._workers: list[_Worker] = []
        self._messages: queue.SimpleQueue[tuple[int, Any]] = queue.SimpleQueue()
        self.alive: set[int] = set()

    def __enter__(self) -> Self:
        try:
            with held_back():
                for number, opening in enumerate(self._openings):
                    self._workers.append(_Worker(self._command, opening, self._listener(number)))
                    self.alive.add(number)
        except BaseException:
            self._end()
            raise
        return self

    def _listener(self, number: int) -> Callable[[Any], None]:
        return lambda message: self._messages.put((number, message))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def _end(self) -> None:
        try:
            with held_back():  # a second Ctrl-C: they end within a step, and keep what they have
                for worker in self._workers:
                    worker.dismiss()
                for worker in self._workers:
                    worker.wait()
        finally:
            for worker in self._workers:
                worker.kill()

    def next_message(self, timeout_s: float) -> tuple[int, Any] | None:
        """Which worker says what next; None: nothing for so long."""
        try:
            number, message = self._messages.get(timeout=timeout_s)
        except queue.Empty:
            return None
        if isinstance(message, Gone):
            self.alive.discard(number)
        return number, message

    def send(self, worker: int, unit: Unit) -> None:
        """An order. One that is gone will be heard to be."""
        self._workers[worker].send(unit)


class _Worker:
    """A process at work on a device, and the thread that hears it."""

    def __init__(self, command: Sequence[str], opening: Opening, on_message: Callable[[Any], None]) -> None:
        self._stderr: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115, closed in `kill`
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._stderr,
            # A Ctrl-C is the terminal's to all of a session: it is for us to pass on.
            start_new_session=os.name == "posix",
        )
        self._listener = on_message
        self._thread = threading.Thread(target=self._listen, name="worker-messages", daemon=True)
        self._thread.start()
        self.send(opening)

    def _listen(self) -> None:
        assert self._process.stdout is not None
        try:
            while True:
                self._listener(pickle.load(self._process.stdout))
        except (EOFError, OSError, pickle.UnpicklingError):
            self._listener(Gone(self._why()))

    def _why(self) -> str:
        code = self._process.wait()
        self._stderr.seek(0)
        text = self._stderr.read().decode(errors="replace").strip()[-MOST_CHARACTERS:]
        said = text.splitlines()[-1] if text else "it said nothing"
        return f"stopped by signal {-code} ({said})" if code < 0 else f"exit code {code} ({said})"

    def send(self, order: object) -> None:
        """Nothing, where it is gone."""
        assert self._process.stdin is not None
        try:
            pickle.dump(order, self._process.stdin)
            self._process.stdin.flush()
        except (OSError, ValueError):
            return

    def dismiss(self) -> None:
        """There are no more orders: what it is at ends between two steps."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.close()
        except OSError:
            return

    def wait(self) -> None:
        """Until it is gone."""
        self._process.wait()
        self._thread.join()

    def kill(self) -> None:
        """Where it is not gone yet."""
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        self._thread.join()
        self._stderr.close()
