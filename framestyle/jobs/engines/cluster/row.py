"""A row of units on its way through the cluster."""

from __future__ import annotations

import time
from collections import defaultdict, deque
from collections.abc import Callable, Mapping
from contextlib import suppress

from framestyle.context import Context
from framestyle.errors import DeviceError, FramestyleError
from framestyle.events import Event, MachinesAtWork, Note
from framestyle.jobs.engines.cluster import worker
from framestyle.jobs.engines.cluster.listener import Listener
from framestyle.jobs.engines.cluster.orders import Batch, Remote, Result, Setup, Work
from framestyle.jobs.engines.cluster.travelling import Arrivals
from framestyle.jobs.engines.engine import Ledger, Outcome
from framestyle.jobs.engines.event_order import EventOrder
from framestyle.jobs.plan.estimate import photo_size_painted, photo_work, shot_work
from framestyle.jobs.plan.units import PhotoTask, ShotTask, Unit
from framestyle.jobs.run.interrupts import held_back
from framestyle.presets import Preset

RETRIES = 3
"""How often a unit is given to another worker where one dies with it: more often it is the unit that kills them."""
LOOK_S, PLACES_EVERY_S, NEWS_WITHIN_S = 0.1, 2.0, 60.0
AHEAD = 2
"""Units that wait in Ray's own queue, beyond the places: so that none waits for us."""
STOP_WITHIN_S = 60.0
"""Most that a stopped unit may take to keep what it has."""
NODE_LABEL = "ray.io/node-id"


class Workers:
    """Units given to Ray, and what it says of them."""

    def __init__(self, ray: Remote, setup: Setup, device: str, threads: int) -> None:
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy as OnNode

        self.ray, self.setup = ray, setup
        here = OnNode(ray.get_runtime_context().get_node_id(), soft=True)
        self.listener = ray.remote(Listener).options(num_cpus=0, scheduling_strategy=here).remote()
        self._asked: Remote = None
        self.is_deaf = False
        """Whether nothing is heard any more of what is on its way."""
        self._barred: set[str] = set()
        """Nodes that cannot do the job's work, each for a reason that was told."""
        gpus = 1 if device == "cuda" else 0
        self._needs = "GPU" if gpus else "CPU"
        self._paint = ray.remote(worker.paint)
        self._options: dict[str, object] = {
            "num_cpus": 1 if gpus else threads,
            "num_gpus": gpus,
            "max_retries": RETRIES,
            "retry_exceptions": False,
        }

    def begin(self, work: Work) -> Remote:
        """Give a unit to whoever is free, and can do it."""
        return self._paint.options(**self._options).remote(self.setup, work, self.listener)

    def bar(self, node: str) -> bool:
        """A node gets no more of the job's work; False where no other is left: then all are tried again.

        One that is barred already had a unit from before: that one waits, as those given since do.
        """
        if node in self._barred:
            return True
        self._barred.add(node)
        if not self.is_anyone_able():
            self._barred.clear()
        others = {NODE_LABEL: f"!in({','.join(sorted(self._barred))})"}
        self._options["label_selector"] = others if self._barred else None
        return bool(self._barred)

    def nodes(self) -> list[str]:
        """Those that are there with what a unit needs."""
        alive = [one for one in self.ray.nodes() if one["Alive"]]
        return [one["NodeID"] for one in alive if one["Resources"].get(self._needs, 0) > 0]

    def is_anyone_able(self) -> bool:
        """Whether a node is there that can do the work, as far as is known."""
        return not self._barred.issuperset(self.nodes())

    def ended(self, refs: list[Remote], timeout_s: float) -> list[Remote]:
        """Those that are over by now."""
        done, _ = self.ray.wait(refs, num_returns=len(refs), timeout=timeout_s) if refs else ([], [])
        return list(done)

    def result(self, ref: Remote) -> Result | FramestyleError:
        """What became of one that has ended."""
        try:
            found: Result = self.ray.get(ref)
        except self.ray.exceptions.RayTaskError as error:
            return DeviceError(
                f"a worker failed: {' '.join(str(error.cause or error).split())[-400:]}",
                next_step="This is a bug, or the worker has another FrameStyle: look at its log.",
            )
        except self.ray.exceptions.RayError as error:
            return DeviceError(
                f"its workers ended {RETRIES + 1} times: {' '.join(str(error).split())[:200]}",
                next_step="The others went on, and what is done is kept. Look at the machines' memory and logs.",
            )
        return found

    def news(self) -> list[Batch]:
        """What was told since the last time."""
        if self.is_deaf:
            return []
        self._asked = self._asked or self.listener.drain.remote()
        if not self.ended([self._asked], LOOK_S):
            return []  # what it gives is not lost: it is asked for again
        asked, self._asked = self._asked, None
        try:
            batches: list[Batch] = self.ray.get(asked)
        except self.ray.exceptions.RayError:  # it is gone: the work does not depend on it
            self.is_deaf = True
            return []
        return batches

    def stop(self, refs: list[Remote]) -> None:
        """Those at work keep what is finished, and are over; those that wait never begin."""
        for ref in refs:
            self.ray.cancel(ref, force=False)
        left, ends_s = refs, time.monotonic() + STOP_WITHIN_S
        while left and time.monotonic() < ends_s:
            _, left = self.ray.wait(left, num_returns=len(left), timeout=LOOK_S)
        for ref in left:
            self.ray.cancel(ref, force=True)


class Row:
    """Units of a kind: the longest first, so that none is left over at the end."""

    def __init__(
        self, workers: Workers, preset: Preset, ledger: Ledger, context: Context, places: Callable[[], int]
    ) -> None:
        self._workers, self._preset = workers, preset
        self._ledger, self._context, self._places = ledger, context, places
        self._at_work: dict[Remote, tuple[int, Unit]] = {}
        self._machines: dict[int, str] = {}
        """By number, where each unit that has begun there is."""
        self._heard: dict[tuple[int, str], int] = defaultdict(int)
        """Of each go at a unit, how many batches have come."""
        self._told_machines = MachinesAtWork(0, 0, 0)
        self._is_waiting = False
        self._unable: set[str] = set()
        """Machines of which it was told."""

    def do(self, row: Mapping[int, Unit]) -> None:
        """All of them."""
        photos = all(isinstance(unit, PhotoTask) for unit in row.values())
        self._telling = EventOrder(self._ledger.end, in_turn=photos)
        order = row if photos else sorted(row, key=lambda number: -work_of(row[number], self._preset))
        left = deque((number, row[number]) for number in order)
        self._arrivals = Arrivals.of(self._workers.setup)
        try:
            self._do(left)
        except BaseException:
            # A second Ctrl-C waits too: they end within a step, and keep what they have.
            with held_back(), suppress(Exception):
                self._workers.stop(list(self._at_work))
            raise

    def _do(self, left: deque[tuple[int, Unit]]) -> None:
        places, looked_s = self._places(), time.monotonic()
        while left or self._at_work:
            if time.monotonic() - looked_s > PLACES_EVERY_S:  # machines come and go
                places, looked_s = self._places(), time.monotonic()
                self._tell_waiting()
            while left and len(self._at_work) < places + AHEAD:
                self._begin(*left.popleft())
            done = self._workers.ended(list(self._at_work), LOOK_S)
            self._hear(self._workers.news())
            self._context.check_cancelled()
            for ref in done:
                self._end(ref)

    def _begin(self, number: int, unit: Unit) -> None:
        self._ledger.begin(number)
        self._telling.begin(number)
        self._give(number, unit)

    def _give(self, number: int, unit: Unit) -> None:
        work = self._arrivals.packed(number, unit)
        self._at_work[self._workers.begin(work)] = number, unit

    def _hear(self, batches: list[Batch]) -> None:
        units = dict(self._at_work.values())
        for batch in batches:
            self._heard[batch.number, batch.go] += 1
            if batch.number in units:
                self._machines[batch.number] = batch.machine
                for event in self._arrivals.news(batch.events, units[batch.number]):
                    self._tell(batch.number, event)
        self._tell_machines()

    def _tell_machines(self) -> None:
        numbers = dict(self._at_work.values())
        shots = sum(isinstance(numbers.get(number), ShotTask) for number in self._machines)
        found = MachinesAtWork(shots, len(self._machines) - shots, len(set(self._machines.values())))
        if found != self._told_machines:
            self._told_machines = found
            self._context.on_event(found)

    def _end(self, ref: Remote) -> None:
        number, unit = self._at_work[ref]
        found = self._workers.result(ref)
        outcome: Outcome
        if isinstance(found, Result):
            self._wait_for_news(number, found)
            for event in self._arrivals.news(found.events, unit):
                self._tell(number, event)
            outcome = self._arrivals.arrived(unit, found)
            if found.unable and isinstance(outcome, FramestyleError):
                if self._goes_elsewhere(found.unable, found.machine, outcome):
                    del self._at_work[ref]
                    self._machines.pop(number, None)
                    self._give(number, unit)
                    return
                outcome = self._named(outcome, found.machine)
        else:
            outcome = found
        del self._at_work[ref]
        self._machines.pop(number, None)
        self._tell(number, outcome)
        self._tell_machines()

    def _goes_elsewhere(self, node: str, machine: str, error: FramestyleError) -> bool:
        """Whether another machine is there for a unit that this one cannot do; it gets no more of the job's work."""
        if not self._workers.bar(node):
            return False
        if machine not in self._unable:
            self._unable.add(machine)
            told = worker.by_machine(error, machine)
            self._context.on_event(Note.of(told, f"{told.message}; the others do it."))
        return True

    def _named(self, error: FramestyleError, machine: str) -> FramestyleError:
        """With the machine, where there are several."""
        return worker.by_machine(error, machine) if len(self._workers.nodes()) > 1 else error

    def _tell_waiting(self) -> None:
        is_waiting = not self._workers.is_anyone_able()
        if is_waiting and not self._is_waiting:
            self._context.on_event(
                Note("No machine of the cluster can do the work: waiting for one to join.", "warning")
            )
        self._is_waiting = is_waiting

    def _wait_for_news(self, number: int, result: Result) -> None:
        """What was told of the unit may still be on its way."""
        ends_s = time.monotonic() + NEWS_WITHIN_S
        while self._heard[number, result.go] < result.batches and time.monotonic() < ends_s:
            if self._workers.is_deaf:
                return
            self._hear(self._workers.news())

    def _tell(self, number: int, news: Event | Outcome) -> None:
        for event in self._telling.received(number, news):
            self._context.on_event(event)


def work_of(unit: Unit, preset: Preset) -> float:
    """Megapixel steps, at most."""
    if isinstance(unit, ShotTask):
        return shot_work(preset, unit.size, unit.shot.frames)
    size = photo_size_painted(unit.source, preset)
    return 0.0 if size is None else photo_work(preset, size)
