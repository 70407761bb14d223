"""The driver of a Ray cluster: hands units to workers, the longest first, and tells what is heard of them."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from framestyle.context import Context
from framestyle.errors import DeviceError, FramestyleError
from framestyle.events import Preparing
from framestyle.jobs.engines.cluster import worker
from framestyle.jobs.engines.cluster.orders import Remote, Setup
from framestyle.jobs.engines.cluster.row import Row, Workers
from framestyle.jobs.engines.cluster.starting import address_of, connected
from framestyle.jobs.engines.elsewhere import SessionElsewhere
from framestyle.jobs.engines.engine import Ledger, Machine, Setting
from framestyle.jobs.handout.carried import carry, portable
from framestyle.jobs.handout.deciding import decided
from framestyle.jobs.plan.units import PhotoTask, ShotTask, Unit
from framestyle.jobs.resume.resume_key import versions
from framestyle.media.files import atomic_output
from framestyle.session import Session
from framestyle.spec import RenderSpec

HELLO_S = 300.0
"""Within which every machine must say that it can do the work: it starts a Python and loads torch first."""
THREADS_VARIABLE = "OMP_NUM_THREADS"
BESIDE = "ray"
"""The engine's folder in the job's scratch folder."""


class RayEngine:
    """Units on the machines of a Ray cluster. With no address, on one that begins and ends with this process."""

    def __init__(self, machine: Machine | None = None) -> None:
        self._machine = machine or Machine()
        self._ray: Remote = None
        self._workers: Workers | None = None

    @property
    def ray(self) -> Remote:
        """Connected when it is first asked for."""
        if self._ray is None:
            self._ray = connected(address_of(self._machine.engine))
        return self._ray

    def open(self, spec: RenderSpec, context: Context) -> Session:
        """Weights are loaded by workers, and here only if they are to be fetched or learned first."""
        self._connect(context)
        return SessionElsewhere(decided(spec, self._machine.devices[0], context))

    def _connect(self, context: Context) -> None:
        """It takes seconds: say so."""
        if self._ray is None:
            address = address_of(self._machine.engine)
            where = "Ray begins on this machine" if address is None else address
            context.on_event(Preparing("cluster", 0.0, where))
            self._ray = connected(address)
            context.on_event(Preparing("cluster", 1.0, where))

    def photos_at_once(self, setting: Setting) -> int:
        """As many as the cluster has places."""
        return max(1, min(setting.photos, self._places(setting.session.spec)))

    def paints_apart(self, setting: Setting) -> bool:
        """Every clip: there is no session here."""
        return True

    def _places(self, spec: RenderSpec) -> int:
        resources = self.ray.cluster_resources()
        if spec.device == "cuda":
            return max(1, int(resources.get("GPU", 0)))
        return max(1, int(resources.get("CPU", 1)) // threads())

    def run(self, units: Sequence[Unit], setting: Setting, ledger: Ledger, context: Context) -> None:
        """Photos, then shots."""
        if not units:
            return
        session = setting.session
        spec = session.spec if session.spec.device else decided(session.spec, "auto", context)
        with self._setup(units, spec, setting) as setup:
            workers = self._workers_for(setup, spec, context)
            for kind in (PhotoTask, ShotTask):
                row = {number: unit for number, unit in enumerate(units) if isinstance(unit, kind)}
                if row:
                    Row(workers, session.preset, ledger, context, lambda: self._places(spec)).do(row)

    def _workers_for(self, setup: Setup, spec: RenderSpec, context: Context) -> Workers:
        """Those of a job, whose machines have said that they can do its work; machines that join later say it each."""
        if self._workers is None or self._workers.setup != setup:
            self._refuse_lack(spec)
            self._refuse_unable(setup, context)
            self._workers = Workers(self.ray, setup, spec.device, threads())
        return self._workers

    @contextmanager
    def _setup(self, units: Sequence[Unit], spec: RenderSpec, setting: Setting) -> Iterator[Setup]:
        """With what workers need beside the spec, and a file by which they see that folders are shared.

        The same for all of a job that has a scratch folder: sessions of workers stay open then.
        """
        if self._machine.work is not None:
            from framestyle.jobs.engines.cluster.store import Store

            store = Store(self._machine.work)
            store.carry(spec)
            yield self._told(spec, store.url, ("", ""), store.url)
        elif setting.scratch is not None:
            yield self._shared(spec, setting.scratch.absolute() / BESIDE)
        else:
            beside = _folder_of(units[0]).absolute()
            beside.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=beside, prefix=".framestyle-ray-") as folder:
                Path(folder).chmod(0o755)
                yield self._shared(spec, Path(folder))

    def _shared(self, spec: RenderSpec, folder: Path) -> Setup:
        probe, holds = folder / "probe", f"framestyle {folder}"
        if not probe.exists():
            carry(spec, folder)
            with atomic_output(probe) as temporary:
                temporary.write_text(holds, encoding="utf-8")
        return self._told(spec, str(folder), (str(probe), holds), None)

    def _told(self, spec: RenderSpec, carried: str, probe: tuple[str, str], store: str | None) -> Setup:
        limit = self._machine.memory_limit_bytes
        return Setup(portable(spec), carried, probe, tuple(versions().items()), threads(), limit, store)

    def _refuse_lack(self, spec: RenderSpec) -> None:
        """DeviceError where no machine has what a unit needs: Ray would wait for one for ever."""
        needed = "GPU" if spec.device == "cuda" else "CPU"
        if not self.ray.cluster_resources().get(needed):
            raise DeviceError(
                f"no machine of the cluster has a {needed} for the work",
                next_step="Start Ray on one that has: ray status tells what there is.",
            )

    def _refuse_unable(self, setup: Setup, context: Context) -> None:
        """Raises the first error of a machine that cannot do the work: before any."""
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy as OnNode

        ray = self.ray
        ask = ray.remote(worker.hello)
        nodes = [one for one in ray.nodes() if one["Alive"] and one["Resources"].get("CPU", 0) > 0]
        refs = [
            ask.options(num_cpus=0, scheduling_strategy=OnNode(one["NodeID"], soft=False)).remote(setup)
            for one in nodes
        ]
        ends_s, asked = time.monotonic() + HELLO_S, len(refs)
        context.on_event(Preparing("machines", 0.0, f"0 of {asked} ready"))
        while refs:
            context.check_cancelled()
            done, refs = ray.wait(refs, timeout=0.2)
            for ref in done:
                if (error := _answer(ray, ref)) is not None:
                    raise error
            ready = asked - len(refs)
            if done:
                context.on_event(Preparing("machines", ready / asked, f"{ready} of {asked} ready"))
            if time.monotonic() > ends_s:
                raise DeviceError(
                    f"{len(refs)} machines of the cluster do not answer",
                    next_step="Look at them with: ray status",
                )


def _answer(ray: Remote, ref: Remote) -> FramestyleError | None:
    try:
        found: FramestyleError | None = ray.get(ref)
    except ray.exceptions.RayTaskError as error:
        return DeviceError(
            f"a machine of the cluster cannot do the work: {' '.join(str(error.cause or error).split())[-300:]}",
            next_step="Install the same FrameStyle on all machines.",
        )
    except ray.exceptions.RayError:
        return None  # it has just gone: its work goes to the others
    return found


def threads() -> int:
    """Of a CPU, for each unit: one, or as many as OMP_NUM_THREADS says. Pixels' last bits depend on it."""
    said = os.environ.get(THREADS_VARIABLE, "")
    return max(1, int(said)) if said.isdigit() else 1


def _folder_of(unit: Unit) -> Path:
    return unit.target.parent if isinstance(unit, PhotoTask) else unit.work.parent
